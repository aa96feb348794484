/* SPDX-License-Identifier: BSD-3-Clause */
#include "watch/exclude.h"
#include "base/hash.h"
#include "policy/rule.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

struct row {
    uint8_t len; /* 0: free */
    uint8_t scope;
    uint8_t octets[SEK_NAME_MAX];
};

struct sek_exclude {
    struct row *rows; /* open addressing, at most half full */
    size_t mask;
    unsigned max_labels;
};

/* The table is fixed once built and holds what we and the operator wrote: nobody can aim at it. */
static const struct sek_hash_key key = {0x73656b65, 0x78636c75};

static enum sek_err add(struct sek_exclude *e, const char *text, struct sek_diag *diag)
{
    struct sek_name name;
    enum sek_scope scope;
    enum sek_err err = sek_rule_from_text(text, strlen(text), &scope, &name, diag);
    if (err != SEK_OK)
        return err;
    size_t at = sek_hash(&key, name.octets, name.len) & e->mask;
    while (e->rows[at].len)
        at = (at + 1) & e->mask;
    e->rows[at].len = name.len;
    e->rows[at].scope = (uint8_t)scope;
    memcpy(e->rows[at].octets, name.octets, name.len);
    if (name.n_labels > e->max_labels)
        e->max_labels = name.n_labels;
    return SEK_OK;
}

static const char *shipped_at(const char *const *shipped, size_t stride, size_t i)
{
    return *(const char *const *)((const char *)shipped + i * stride);
}

static size_t count(const struct sek_conf_names *const *lists, unsigned n_lists,
                    const char *const *shipped, size_t stride)
{
    size_t n = 0;
    while (shipped && shipped_at(shipped, stride, n))
        n++;
    for (unsigned i = 0; i < n_lists; i++)
        n += lists[i] ? lists[i]->n : 0;
    return n;
}

enum sek_err sek_exclude_new(const struct sek_conf_names *const *lists, unsigned n_lists,
                             const char *const *shipped, size_t stride, struct sek_exclude **out,
                             struct sek_diag *diag)
{
    size_t slots = 2, n = count(lists, n_lists, shipped, stride);
    while (slots < 2 * n)
        slots *= 2;
    struct sek_exclude *e = calloc(1, sizeof *e);
    if (e)
        e->rows = calloc(slots, sizeof *e->rows);
    if (!e || !e->rows) {
        free(e);
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for names that detectors leave out");
    }
    e->mask = slots - 1;
    enum sek_err err = SEK_OK;
    for (size_t i = 0; err == SEK_OK && shipped && shipped_at(shipped, stride, i); i++)
        err = add(e, shipped_at(shipped, stride, i), diag);
    for (unsigned i = 0; i < n_lists; i++)
        for (unsigned k = 0; err == SEK_OK && lists[i] && k < lists[i]->n; k++)
            err = add(e, lists[i]->items[k], diag);
    if (err != SEK_OK) {
        sek_exclude_free(e);
        return err;
    }
    *out = e;
    return SEK_OK;
}

void sek_exclude_free(struct sek_exclude *e)
{
    if (!e)
        return;
    free(e->rows);
    free(e);
}

/* A rule at this ancestor, `depth` labels up, that covers the name. */
static bool covers_at(const struct sek_exclude *e, const uint8_t *octets, size_t len,
                      unsigned depth)
{
    for (size_t at = sek_hash(&key, octets, len) & e->mask; e->rows[at].len;
         at = (at + 1) & e->mask) {
        const struct row *row = &e->rows[at];
        if (row->len != len || memcmp(row->octets, octets, len) != 0)
            continue;
        if (row->scope == SEK_SCOPE_SUBTREE || (row->scope == SEK_SCOPE_EXACT) == (depth == 0))
            return true;
    }
    return false;
}

bool sek_exclude_covers(const struct sek_exclude *e, const struct sek_name *name)
{
    unsigned depth = name->n_labels > e->max_labels ? name->n_labels - e->max_labels : 0;
    for (; depth < name->n_labels; depth++)
        if (covers_at(e, name->octets + name->offset[depth],
                      (size_t)(name->len - name->offset[depth]), depth))
            return true;
    return false;
}

size_t sek_exclude_octets(const struct sek_exclude *e)
{
    return sizeof *e + (e->mask + 1) * sizeof *e->rows;
}
