/* SPDX-License-Identifier: BSD-3-Clause */
#include "watch/bypass_list.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/pairs.h"
#include "policy/rule.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

const struct sek_lookup sek_bypass_kind_names[] = {
    {SEK_BYPASS_DOH, "DoH"},
    {SEK_BYPASS_DOT, "DoT"},
    {SEK_BYPASS_RELAY, "relay"},
    {SEK_BYPASS_VPN, "VPN"},
    {SEK_BYPASS_TOR, "Tor"},
    {SEK_BYPASS_PROXY, "proxy"},
    {SEK_BYPASS_DYNAMIC, "dynamic DNS"},
    {0, NULL},
};

/* A name in the pool. */
struct entry {
    uint8_t kind, scope; /* of its row; NONE: it only stands above one */
    bool above;          /* a row stands below it */
    uint8_t len;
    uint8_t octets[];
};

struct sek_bypass_list {
    struct sek_buf pool;
    uint32_t *slots; /* place in the pool and one; 0: free; at most half full */
    size_t n_slots, n_used;
    unsigned n_rows, max_labels;
};

/* It holds what we and the operator wrote: nobody can aim at its places. */
static const struct sek_hash_key key = {0x73656b62, 0x79706173};

static struct entry *entry_at(const struct sek_bypass_list *l, size_t slot)
{
    return (struct entry *)(void *)(l->pool.data + (l->slots[slot] - 1));
}

/* Where it is, or where it may be put. */
static size_t slot_of(const struct sek_bypass_list *l, const uint8_t *wire, size_t len)
{
    size_t at = sek_hash(&key, wire, len) & (l->n_slots - 1);
    for (; l->slots[at]; at = (at + 1) & (l->n_slots - 1)) {
        const struct entry *e = entry_at(l, at);
        if (e->len == len && memcmp(e->octets, wire, len) == 0)
            break;
    }
    return at;
}

static const struct entry *find(const struct sek_bypass_list *l, const uint8_t *wire, size_t len)
{
    size_t at = slot_of(l, wire, len);
    return l->slots[at] ? entry_at(l, at) : NULL;
}

static enum sek_err grow(struct sek_bypass_list *l)
{
    uint32_t *old = l->slots;
    size_t n_old = l->n_slots;
    uint32_t *slots = calloc(n_old ? n_old * 2 : 1024, sizeof *slots);
    if (!slots)
        return SEK_E_NOMEM;
    l->slots = slots;
    l->n_slots = n_old ? n_old * 2 : 1024;
    for (size_t i = 0; i < n_old; i++) {
        if (!old[i])
            continue;
        const struct entry *e = (const void *)(l->pool.data + (old[i] - 1));
        l->slots[slot_of(l, e->octets, e->len)] = old[i];
    }
    free(old);
    return SEK_OK;
}

/* NULL: out of memory. */
static struct entry *take(struct sek_bypass_list *l, const uint8_t *wire, size_t len)
{
    if (2 * (l->n_used + 1) > l->n_slots && grow(l) != SEK_OK)
        return NULL;
    size_t at = slot_of(l, wire, len), place = l->pool.len;
    if (l->slots[at])
        return entry_at(l, at);
    struct entry *e = sek_buf_grow(&l->pool, sizeof *e + len);
    if (!e)
        return NULL;
    *e = (struct entry){.len = (uint8_t)len};
    memcpy(e->octets, wire, len);
    l->slots[at] = (uint32_t)place + 1;
    l->n_used++;
    return e;
}

static enum sek_err add(struct sek_bypass_list *l, const char *text, size_t len, const char *kind,
                        struct sek_diag *diag)
{
    struct sek_name name;
    enum sek_scope scope;
    int id = sek_lookup_id(sek_bypass_kind_names, kind);
    if (id < 0)
        return sek_diag_set(diag, SEK_E_INVALID,
                            "\"%.40s\" is no kind: DoH, DoT, relay, VPN, Tor, proxy, dynamic DNS",
                            kind);
    enum sek_err err = sek_rule_from_text(text, len, &scope, &name, diag);
    if (err != SEK_OK)
        return err;
    if (name.n_labels < 2)
        return sek_diag_set(diag, SEK_E_INVALID, "\"%.80s\" covers a whole top-level domain", text);
    struct entry *e = take(l, name.octets, name.len);
    if (e) {
        e->kind = (uint8_t)id;
        e->scope = (uint8_t)scope;
    }
    for (unsigned i = 1; e && i + 1 < name.n_labels; i++)
        if ((e = take(l, name.octets + name.offset[i], (size_t)(name.len - name.offset[i]))))
            e->above = true;
    if (!e)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for names of other resolvers");
    l->n_rows++;
    l->max_labels = name.n_labels > l->max_labels ? name.n_labels : l->max_labels;
    return SEK_OK;
}

/* --- made ---------------------------------------------------------------------------------------
 */

static enum sek_err add_row(void *arg, const char *name, const char *kind, struct sek_diag *diag)
{
    struct sek_bypass_list *l = arg;
    if (l->n_rows == SEK_BYPASS_ROWS_MAX)
        return sek_diag_set(diag, SEK_E_LIMIT, "more than %u names", SEK_BYPASS_ROWS_MAX);
    return add(l, name, strlen(name), kind, diag);
}

static enum sek_err add_file(struct sek_bypass_list *l, const char *path, struct sek_diag *diag)
{
    const struct sek_pairs pairs = {.shape = "name<TAB>kind",
                                    .none = "it has no name",
                                    .max_octets = SEK_BYPASS_FILE_MAX,
                                    .row = add_row,
                                    .arg = l};
    return sek_pairs_read(path, &pairs, diag);
}

static enum sek_err add_built_in(struct sek_bypass_list *l, struct sek_diag *diag)
{
    enum sek_err err = SEK_OK;
    for (const struct sek_bypass_row *row = sek_bypass_rows; err == SEK_OK && row->name; row++)
        err = add(l, row->name, strlen(row->name), row->kind, diag);
    return err;
}

enum sek_err sek_bypass_list_open(const char *path, struct sek_bypass_list **out,
                                  struct sek_diag *diag)
{
    struct sek_bypass_list *l = calloc(1, sizeof *l);
    if (!l || grow(l) != SEK_OK) {
        free(l);
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for names of other resolvers");
    }
    sek_buf_init(&l->pool, 0);
    enum sek_err err = *path ? add_file(l, path, diag) : add_built_in(l, diag);
    if (err != SEK_OK) {
        sek_bypass_list_close(l);
        return err;
    }
    *out = l;
    return SEK_OK;
}

void sek_bypass_list_close(struct sek_bypass_list *l)
{
    if (!l)
        return;
    sek_buf_fini(&l->pool);
    free(l->slots);
    free(l);
}

/* --- asked --------------------------------------------------------------------------------------
 */

enum sek_bypass_kind sek_bypass_list_find(const struct sek_bypass_list *l,
                                          const struct sek_name *name, unsigned *out_labels)
{
    unsigned depth = name->n_labels > l->max_labels ? name->n_labels - l->max_labels : 0;
    for (; depth + 1 < name->n_labels; depth++) {
        const struct entry *e =
            find(l, name->octets + name->offset[depth], (size_t)(name->len - name->offset[depth]));
        if (e && e->kind && sek_scope_covers(e->scope, depth)) {
            *out_labels = depth;
            return (enum sek_bypass_kind)e->kind;
        }
    }
    return SEK_BYPASS_NONE;
}

bool sek_bypass_list_below(const struct sek_bypass_list *l, const uint8_t *wire, size_t len)
{
    const struct entry *e = find(l, wire, len);
    return e && e->above;
}

unsigned sek_bypass_list_rows(const struct sek_bypass_list *l)
{
    return l->n_rows;
}

size_t sek_bypass_list_octets(const struct sek_bypass_list *l)
{
    return sizeof *l + l->pool.size + l->n_slots * sizeof *l->slots;
}
