/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/patterns_write.h"
#include "base/hash.h"
#include "name/text.h"
#include "policy/pattern.h"
#include "policy/patterns_format.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef SEK_HAVE_HYPERSCAN
#include <hs/hs.h>
#endif
#include "base/banned.h"

/* --- all, for an image ---------------------------------------------------------------------------
 */

struct sek_patterns_writer {
    struct sek_buf owners; /* struct row */
    struct sek_buf old[2]; /* older parts */
    unsigned n_old;
    uint32_t share;
};

struct row {
    uint64_t hash;
    struct sek_name name;
};

static const struct sek_hash_key share_key = {0x73656b6973686f21U, 0x7061747465726e73U};

enum sek_err sek_patterns_writer_new(struct sek_patterns_writer **out, struct sek_diag *diag)
{
    struct sek_patterns_writer *w = calloc(1, sizeof *w);
    if (!w)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for regular expressions");
    w->share = SEK_PATTERNS_SHARE;
    sek_buf_init(&w->owners, 0);
    sek_buf_init(&w->old[0], 0);
    sek_buf_init(&w->old[1], 0);
    *out = w;
    return SEK_OK;
}

void sek_patterns_writer_share(struct sek_patterns_writer *w, uint32_t n)
{
    w->share = n;
}

void sek_patterns_writer_free(struct sek_patterns_writer *w)
{
    if (!w)
        return;
    sek_buf_fini(&w->owners);
    sek_buf_fini(&w->old[0]);
    sek_buf_fini(&w->old[1]);
    free(w);
}

enum sek_err sek_patterns_writer_add(struct sek_patterns_writer *w, const struct sek_name *owner,
                                     struct sek_diag *diag)
{
    struct row *row = sek_buf_grow(&w->owners, sizeof *row);
    if (!row)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for regular expressions");
    row->hash = sek_hash(&share_key, owner->octets, owner->len);
    row->name = *owner;
    return SEK_OK;
}

#ifdef SEK_HAVE_HYPERSCAN

#define FLAGS (HS_FLAG_CASELESS | HS_FLAG_DOTALL | HS_FLAG_SINGLEMATCH)

/* Of no processor in particular: an image is good for every machine that Hyperscan runs on, and
 * names are too short for wide registers to matter. */
static const hs_platform_info_t any_platform;

static void engine_name(char out[SEK_PATTERNS_ENGINE_MAX])
{
    memset(out, 0, SEK_PATTERNS_ENGINE_MAX);
    snprintf(out, SEK_PATTERNS_ENGINE_MAX, "Hyperscan %.36s", hs_version());
}

enum sek_err sek_patterns_usable(struct sek_diag *diag)
{
    return hs_valid_platform() == HS_SUCCESS
               ? SEK_OK
               : sek_diag_set(diag, SEK_E_VERSION,
                              "regular expressions need a processor with SSSE3");
}

/* Hyperscan's word for it, with the expression; it names the position where it knows one, counted
 * from 0. What says that "" matches comes to this here: */
static enum sek_err refuse(const char *text, const hs_compile_error_t *why, struct sek_diag *diag)
{
    const char *said = why ? why->message : "out of memory";
    const char *index = strstr(said, " at index "), *comma = strstr(said, ", index ");
    const char *number = index ? index + 10 : comma ? comma + 8 : NULL;
    const char *end = index ? index : comma ? comma : strchr(said, '\0');
    if (end > said && end[-1] == '.')
        end--;
    if (index && end - said > 9 && memcmp(end - 9, " starting", 9) == 0)
        end -= 9;
    if (strstr(said, "empty buffer")) {
        said = "it matches the empty text, so every name";
        end = strchr(said, '\0');
        number = NULL;
    }
    if (number)
        return sek_diag_set(diag, SEK_E_INVALID, "regular expression '%.90s%s', position %lu: %.*s",
                            text, strlen(text) > 90 ? "…" : "", strtoul(number, NULL, 10) + 1,
                            (int)(end - said), said);
    return sek_diag_set(diag, SEK_E_INVALID, "regular expression '%.90s%s': %.*s", text,
                        strlen(text) > 90 ? "…" : "", (int)(end - said), said);
}

enum sek_err sek_pattern_check(const struct sek_name *owner, struct sek_diag *diag)
{
    char text[SEK_PATTERN_MAX + 1];
    hs_expr_info_t *info = NULL;
    hs_compile_error_t *why = NULL;
    enum sek_err err = sek_patterns_usable(diag);
    if (err != SEK_OK)
        return err;
    if (sek_pattern_to_text(owner, text) == 0)
        return sek_diag_set(diag, SEK_E_INVALID, "not a regular expression");
    if (hs_expression_info(text, FLAGS, &info, &why) != HS_SUCCESS)
        err = refuse(text, why, diag);
    else if (info->min_width == 0)
        err = sek_diag_set(diag, SEK_E_INVALID,
                           "regular expression '%.90s%s': it matches the empty text, so every name",
                           text, strlen(text) > 90 ? "…" : "");
    free(info);
    hs_free_compile_error(why);
    return err;
}

struct sek_pattern {
    hs_database_t *automaton;
    hs_scratch_t *scratch;
    size_t cost;
};

enum sek_err sek_pattern_compile(const struct sek_name *owner, struct sek_pattern **out,
                                 struct sek_diag *diag)
{
    char text[SEK_PATTERN_MAX + 1];
    hs_compile_error_t *why = NULL;
    enum sek_err err = sek_pattern_check(owner, diag);
    struct sek_pattern *p = err ? NULL : calloc(1, sizeof *p);
    if (!p)
        return err ? err : sek_diag_set(diag, SEK_E_NOMEM, "out of memory");
    sek_pattern_to_text(owner, text);
    if (hs_compile(text, FLAGS, HS_MODE_BLOCK, &any_platform, &p->automaton, &why) != HS_SUCCESS)
        err = refuse(text, why, diag);
    else if (hs_alloc_scratch(p->automaton, &p->scratch) != HS_SUCCESS ||
             hs_database_size(p->automaton, &p->cost) != HS_SUCCESS)
        err = sek_diag_set(diag, SEK_E_NOMEM, "out of memory");
    else if (p->cost > SEK_PATTERN_COST_MAX)
        err = sek_diag_set(diag, SEK_E_LIMIT,
                           "regular expression '%.90s%s': too costly, its automaton has %zu KiB "
                           "(%d are allowed): smaller repeat counts help",
                           text, strlen(text) > 90 ? "…" : "", p->cost >> 10,
                           SEK_PATTERN_COST_MAX >> 10);
    hs_free_compile_error(why);
    if (err)
        sek_pattern_free(p);
    else
        *out = p;
    return err;
}

void sek_pattern_free(struct sek_pattern *p)
{
    if (!p)
        return;
    hs_free_scratch(p->scratch);
    hs_free_database(p->automaton);
    free(p);
}

size_t sek_pattern_cost(const struct sek_pattern *p)
{
    return p->cost;
}

static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                    void *arg)
{
    (void)id, (void)from, (void)to, (void)flags;
    *(bool *)arg = true;
    return 0;
}

bool sek_pattern_matches(const struct sek_pattern *p, const struct sek_name *name)
{
    char text[SEK_NAME_TEXT_MAX];
    bool matched = false;
    size_t len = sek_name_to_text(name->octets, text);
    hs_scan(p->automaton, text, (unsigned)len, 0, p->scratch, on_match, &matched);
    return matched;
}

/* By share, then hash and name, so that the same set is always in the same order. */
static int row_compare(const void *a, const void *b, void *arg)
{
    const struct row *x = a, *y = b;
    uint32_t n_shares = *(const uint32_t *)arg;
    uint32_t p = (uint32_t)(x->hash % n_shares), q = (uint32_t)(y->hash % n_shares);
    if (p != q)
        return p < q ? -1 : 1;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return sek_name_compare(&x->name, &y->name);
}

/* Sorted; each once. */
static size_t rows_settle(struct row *rows, size_t n, uint32_t n_shares)
{
    size_t n_left = 0;
    qsort_r(rows, n, sizeof *rows, row_compare, &n_shares);
    for (size_t i = 0; i < n; i++)
        if (n_left == 0 || row_compare(&rows[n_left - 1], &rows[i], &n_shares) != 0)
            rows[n_left++] = rows[i];
    return n_left;
}

static enum sek_err share_compile(const struct row *rows, uint32_t n, char **out, size_t *out_size,
                                  struct sek_diag *diag)
{
    char(*text)[SEK_PATTERN_MAX + 1] = calloc(n, sizeof *text);
    const char **expressions = calloc(n, sizeof(char *));
    unsigned *flags = calloc(n, sizeof *flags), *ids = calloc(n, sizeof *ids);
    hs_compile_error_t *why = NULL;
    hs_database_t *automaton = NULL;
    enum sek_err err = SEK_OK;
    if (!text || !expressions || !flags || !ids)
        err = sek_diag_set(diag, SEK_E_NOMEM, "out of memory for regular expressions");
    for (uint32_t i = 0; !err && i < n; i++) {
        sek_pattern_to_text(&rows[i].name, text[i]);
        expressions[i] = text[i];
        flags[i] = FLAGS;
        ids[i] = i;
    }
    if (!err && hs_compile_multi(expressions, flags, ids, n, HS_MODE_BLOCK, &any_platform,
                                 &automaton, &why) != HS_SUCCESS)
        err = refuse(why && why->expression >= 0 ? text[why->expression] : "", why, diag);
    if (!err && hs_serialize_database(automaton, out, out_size) != HS_SUCCESS)
        err = sek_diag_set(diag, SEK_E_NOMEM, "out of memory for regular expressions");
    hs_free_compile_error(why);
    hs_free_database(automaton);
    free(text);
    free(expressions);
    free(flags);
    free(ids);
    return err;
}

static bool align(struct sek_buf *b, size_t from)
{
    size_t n = sek__patterns_padded(b->len - from) - (b->len - from);
    void *padding = sek_buf_grow(b, n);
    if (padding)
        memset(padding, 0, n);
    return padding != NULL;
}

/* The automaton of an older part that has this digest; NULL: none. */
static const char *reused(const struct sek_buf *old, uint64_t digest, uint64_t *out_size)
{
    const struct sek__patterns_head *head = (const void *)old->data;
    if (old->len < sizeof *head || !sek_patterns_are_current(old->data, old->len))
        return NULL;
    uint64_t at = sek__patterns_padded(sizeof *head);
    const struct sek__patterns_share *shares = (const void *)(old->data + at);
    uint64_t sizes[] = {(uint64_t)head->n_shares * sizeof *shares,
                        (uint64_t)head->n_patterns * sizeof(uint32_t), head->n_octets};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        at += sek__patterns_padded(sizes[i]);
    for (uint32_t i = 0; i < head->n_shares && at <= old->len; i++) {
        uint64_t size = shares[i].size;
        if (shares[i].digest == digest && size && size <= old->len - at) {
            *out_size = size;
            return old->data + at;
        }
        at += sek__patterns_padded(size);
    }
    return NULL;
}

static uint64_t digest_of(const char engine[SEK_PATTERNS_ENGINE_MAX], const struct row *rows,
                          uint32_t n)
{
    struct sek_hash_key key = share_key;
    key.k1 ^= sek_hash(&share_key, engine, SEK_PATTERNS_ENGINE_MAX);
    for (uint32_t i = 0; i < n; i++)
        key.k0 = sek_hash(&key, rows[i].name.octets, rows[i].name.len);
    return key.k0;
}

/* One share: what it is, and its automaton behind those before it. */
static enum sek_err share_write(struct sek_patterns_writer *w, const char *engine,
                                const struct row *rows, struct sek__patterns_share *share,
                                struct sek_buf *automata, struct sek_diag *diag)
{
    char *fresh = NULL;
    size_t size = 0;
    uint64_t old_size = 0;
    if (share->n == 0)
        return SEK_OK;
    share->digest = digest_of(engine, rows + share->first, share->n);
    const char *old = reused(&w->old[0], share->digest, &old_size);
    if (!old)
        old = reused(&w->old[1], share->digest, &old_size);
    enum sek_err err =
        old ? SEK_OK : share_compile(rows + share->first, share->n, &fresh, &size, diag);
    if (err)
        return err;
    share->size = old ? old_size : size;
    sek_buf_add(automata, old ? old : fresh, share->size);
    free(fresh);
    return align(automata, 0) ? SEK_OK : sek_diag_set(diag, SEK_E_NOMEM, "out of memory");
}

static void front_write(struct sek_buf *out, const struct sek__patterns_head *head,
                        const struct sek__patterns_share *shares, const struct row *rows)
{
    size_t from = out->len;
    uint32_t at = 0;
    sek_buf_add(out, head, sizeof *head);
    align(out, from);
    sek_buf_add(out, shares, head->n_shares * sizeof *shares);
    align(out, from);
    for (uint32_t i = 0; i < head->n_patterns; i++) {
        sek_buf_add(out, &at, sizeof at);
        at += rows[i].name.len;
    }
    align(out, from);
    for (uint32_t i = 0; i < head->n_patterns; i++)
        sek_buf_add(out, rows[i].name.octets, rows[i].name.len);
    align(out, from);
}

enum sek_err sek_patterns_write(struct sek_patterns_writer *w, struct sek_buf *out,
                                struct sek_diag *diag)
{
    struct row *rows = (struct row *)(void *)w->owners.data;
    size_t n = w->owners.len / sizeof *rows;
    if (n == 0)
        return SEK_OK;
    if (sek_patterns_usable(NULL) != SEK_OK)
        return SEK_OK; /* told when they were added; what has none cannot be stopped by them */
    uint32_t n_shares = (uint32_t)((n + w->share - 1) / w->share);
    n = rows_settle(rows, n, n_shares);
    w->owners.len = n * sizeof *rows;
    if (n > SEK_PATTERNS_MAX)
        return sek_diag_set(diag, SEK_E_LIMIT, "more than %d regular expressions",
                            SEK_PATTERNS_MAX);
    struct sek__patterns_head head = {.n_patterns = (uint32_t)n, .n_shares = n_shares};
    struct sek__patterns_share *shares = calloc(n_shares, sizeof *shares);
    struct sek_buf automata;
    enum sek_err err = shares ? SEK_OK : sek_diag_set(diag, SEK_E_NOMEM, "out of memory");
    engine_name(head.engine);
    sek_buf_init(&automata, 0);
    uint32_t next = 0;
    for (uint32_t i = 0; !err && i < n_shares; i++) {
        shares[i].first = next;
        for (; next < n && rows[next].hash % n_shares == i; next++) {
            shares[i].n++;
            head.n_octets += rows[next].name.len;
        }
        err = share_write(w, head.engine, rows, &shares[i], &automata, diag);
    }
    if (!err) {
        front_write(out, &head, shares, rows);
        sek_buf_add(out, automata.data, automata.len);
    }
    if (!err && out->failed)
        err = sek_diag_set(diag, SEK_E_NOMEM, "out of memory for regular expressions");
    sek_buf_fini(&automata);
    free(shares);
    return err;
}

void sek_patterns_writer_reuse(struct sek_patterns_writer *w, const void *data, size_t size)
{
    struct sek_buf *old = &w->old[w->n_old++ % 2];
    sek_buf_reset(old);
    sek_buf_add(old, data, size);
    if (old->failed) /* then all are compiled */
        sek_buf_reset(old);
}

bool sek_patterns_are_current(const void *data, size_t size)
{
    const struct sek__patterns_head *head = data;
    char engine[SEK_PATTERNS_ENGINE_MAX];
    engine_name(engine);
    return size >= sizeof *head && memcmp(head->engine, engine, sizeof engine) == 0;
}

#else

enum sek_err sek_patterns_usable(struct sek_diag *diag)
{
    return sek_diag_set(diag, SEK_E_VERSION,
                        "this program is built without regular expressions: Hyperscan "
                        "(libhyperscan-dev) was not there");
}

enum sek_err sek_pattern_check(const struct sek_name *owner, struct sek_diag *diag)
{
    (void)owner;
    return sek_patterns_usable(diag);
}

enum sek_err sek_pattern_compile(const struct sek_name *owner, struct sek_pattern **out,
                                 struct sek_diag *diag)
{
    (void)owner, (void)out;
    return sek_patterns_usable(diag);
}

void sek_pattern_free(struct sek_pattern *p)
{
    (void)p;
}

size_t sek_pattern_cost(const struct sek_pattern *p)
{
    (void)p;
    return 0;
}

bool sek_pattern_matches(const struct sek_pattern *p, const struct sek_name *name)
{
    (void)p, (void)name;
    return false;
}

void sek_patterns_writer_reuse(struct sek_patterns_writer *w, const void *data, size_t size)
{
    (void)w, (void)data, (void)size;
}

enum sek_err sek_patterns_write(struct sek_patterns_writer *w, struct sek_buf *out,
                                struct sek_diag *diag)
{
    (void)w, (void)out, (void)diag;
    return SEK_OK;
}

bool sek_patterns_are_current(const void *data, size_t size)
{
    (void)data, (void)size;
    return true;
}

#endif
