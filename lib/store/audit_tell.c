/* SPDX-License-Identifier: BSD-3-Clause */
/* Changes of rows in words. */
#include "store/audit_parts.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define MANY (4 * SEK_AUDIT_TOLD) /* records past which nobody reads them one by one */

/* One row of a table over several changes: as it was first, and as it is last. */
struct span {
    const struct sek__journal_table *table;
    const struct sek__cell *key, *old, *fresh;
};

static unsigned merge(const struct sek__changes *c, struct span *out)
{
    unsigned n = 0;
    for (size_t i = 0; i < c->n && n < MANY; i++) {
        const struct sek__change *change = &c->all[i];
        const struct sek__cell *key = change->fresh ? change->fresh : change->old;
        unsigned at = 0;
        if (change->op == 'n')
            continue;
        while (at < n && !(out[at].table == change->table &&
                           sek__cells_equal(out[at].key, key, change->table->n_key)))
            at++;
        if (at == n)
            out[n++] = (struct span){change->table, key, change->old, NULL};
        out[at].fresh = change->fresh;
    }
    return n;
}

static bool is_nothing(const struct span *s)
{
    if (!s->old && !s->fresh)
        return true;
    return s->old && s->fresh &&
           sek__cells_equal(s->old, s->fresh, sek__journal_n_columns(s->table));
}

static void put_line(struct sek_buf *out, bool many, const char *object,
                     const struct sek__journal_table *table, const struct sek__cell *row)
{
    if (!row)
        return;
    if (out->len)
        sek_buf_add_text(out, "; ");
    if (many)
        sek_buf_add_fmt(out, "%s: ", object);
    table->says(row, out);
}

/* Too many to be told: how many they are, and the digest of the data that has them. */
static void put_number(struct sek_buf *out, uint64_t n, const char *digest)
{
    if (n)
        sek_buf_add_fmt(out, "%" PRIu64 " row%s, in data with SHA-256 %s", n, n == 1 ? "" : "s",
                        digest);
}

/* Several things at once: the list that they are in, or how many they are. */
static void put_common(const struct sek__journal_sum *sum, const struct sek__changes *c,
                       const struct sek__list_names *lists, struct sek_buf *object)
{
    int64_t list = -1;
    bool one_list = true;
    for (size_t i = 0; i < c->n; i++) {
        const struct sek__cell *row = c->all[i].fresh ? c->all[i].fresh : c->all[i].old;
        unsigned table = c->all[i].table->id;
        if (c->all[i].op == 'n')
            continue;
        if (table != SEK_JOURNAL_ENTRY && table != SEK_JOURNAL_LIST)
            one_list = false;
        else if (list < 0)
            list = row[0].n;
        else
            one_list &= list == row[0].n;
    }
    const char *name = one_list ? sek__list_name(lists, list) : NULL;
    if (name)
        sek_buf_add_fmt(object, "list %s", name);
    else if (c->n && c->all[0].table->id > SEK_JOURNAL_ENTRY)
        sek_buf_add_fmt(object, "%" PRIu64 " rows of %s", sum->n, c->all[0].table->name);
    else
        sek_buf_add_fmt(object, "%" PRIu64 " changes", sum->n);
}

static void tell_spans(const struct sek__journal_sum *sum, const struct sek__changes *c,
                       const struct sek__list_names *lists, const struct span *spans, unsigned n,
                       struct sek_buf *const out[3])
{
    struct sek_buf object;
    unsigned n_real = 0;
    for (unsigned i = 0; i < n; i++)
        n_real += !is_nothing(&spans[i]);
    sek_buf_init(&object, 0);
    for (unsigned i = 0; i < n; i++) {
        const struct span *s = &spans[i];
        if (n_real && is_nothing(s))
            continue;
        sek_buf_reset(&object);
        s->table->object(s->key, lists, &object);
        put_line(out[1], n_real > 1, object.data, s->table, s->old);
        put_line(out[2], n_real > 1, object.data, s->table, s->fresh);
    }
    if (n_real <= 1)
        sek_buf_add_text(out[0], object.data ? object.data : "");
    else
        put_common(sum, c, lists, out[0]);
    sek_buf_fini(&object);
}

enum sek_err sek__audit_tell(const struct sek__journal_sum *sum, struct sek_buf *object,
                             struct sek_buf *before, struct sek_buf *after, struct sek_diag *diag)
{
    struct sek_buf *const out[3] = {object, before, after};
    struct sek__changes first, last = {0};
    struct sek__list_names *lists = NULL;
    struct span spans[MANY];
    size_t end = sum->n_parts ? sum->part_end[0] : 0, tail = 0;
    enum sek_err err = sek__changes_read(sum->data, end, &first, diag);
    /* names of lists stand at the very end */
    if (!err && sum->n_parts > 1) {
        tail = sum->part_end[sum->n_parts - 2];
        err = sek__changes_read(sum->data + tail, sum->part_end[sum->n_parts - 1] - tail, &last,
                                diag);
    }
    if (!err && (sek__list_names_add(&lists, &first) || sek__list_names_add(&lists, &last)))
        err = sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    unsigned n = err || sum->n >= MANY ? MANY : merge(&first, spans);
    if (!err && n <= SEK_AUDIT_TOLD) {
        tell_spans(sum, &first, lists, spans, n, out);
    } else if (!err) {
        put_common(sum, &first, lists, object);
        char digest[SEK_AUDIT_HASH_MAX];
        sek__audit_hex(sum->digest, sizeof sum->digest, digest);
        put_number(before, sum->n_old, digest);
        put_number(after, sum->n_new, digest);
    }
    sek__list_names_free(lists);
    sek__changes_free(&first);
    sek__changes_free(&last);
    return err;
}
