/* SPDX-License-Identifier: BSD-3-Clause */
#include "changes.h"
#include "policy/rule.h"
#include "tools/print/out.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

enum { NAME, QUERIES, ENDPOINTS, LAST, NOW, THEN, BY, PART, COLS };
static const struct sek_col cols[] = {
    [NAME] = {"name", "Name", SEK_COL_NAME},
    [QUERIES] = {"queries", "Queries", SEK_COL_UINT},
    [ENDPOINTS] = {"endpoints", "Endpoints", SEK_COL_UINT},
    [LAST] = {"last", "Last (UTC)", SEK_COL_TIME_MS},
    [NOW] = {"now", "Now", SEK_COL_TEXT},
    [THEN] = {"then", "Then", SEK_COL_TEXT},
    [BY] = {"by", "By", SEK_COL_TEXT},
    [PART] = {"part", "Part", SEK_COL_TEXT, "all"},
};

enum { E_ENDPOINT, E_QUERIES, E_NAMES, E_LAST, E_COLS };
static const struct sek_col endpoint_cols[] = {
    [E_ENDPOINT] = {"endpoint", "Endpoint", SEK_COL_TEXT},
    [E_QUERIES] = {"queries", "Queries", SEK_COL_UINT},
    [E_NAMES] = {"names", "Names", SEK_COL_UINT},
    [E_LAST] = {"last", "Last (UTC)", SEK_COL_TIME_MS},
};

/* A row that was added; texts by their place in `texts`. */
struct changed {
    size_t name, endpoint, by;
    uint64_t queries;
    int64_t last_ms;
    uint8_t now, then;
    bool part;
};

static size_t text_add(struct sek_changes *p, const char *text)
{
    size_t at = p->texts.len;
    sek_buf_add(&p->texts, text, strlen(text) + 1);
    return at;
}

void sek_changes_init(struct sek_changes *p, struct sek_context *c)
{
    *p = (struct sek_changes){.c = c};
    sek_buf_init(&p->rows, 0);
    sek_buf_init(&p->texts, 0);
}

void sek_changes_fini(struct sek_changes *p)
{
    sek_buf_fini(&p->rows);
    sek_buf_fini(&p->texts);
}

bool sek_changes_add(struct sek_changes *p, const struct sek_changed *one)
{
    struct changed c = {.queries = one->queries,
                        .last_ms = one->last_ms,
                        .now = one->now,
                        .then = one->then,
                        .part = one->part};
    c.name = text_add(p, one->name);
    c.endpoint = text_add(p, one->endpoint);
    c.by = text_add(p, one->by);
    sek_buf_add(&p->rows, &c, sizeof c);
    return !p->rows.failed && !p->texts.failed;
}

/* --- summing up ----------------------------------------------------------------------------------
 */

static int by_name(const void *a, const void *b, void *arg)
{
    const struct changed *x = a, *y = b;
    const char *texts = arg;
    int order = strcmp(texts + x->name, texts + y->name);
    if (order == 0)
        order = x->now - y->now;
    if (order == 0)
        order = x->then - y->then;
    if (order == 0)
        order = (int)x->part - (int)y->part;
    if (order == 0)
        order = strcmp(texts + x->by, texts + y->by);
    return order;
}

/* So that endpoints of a name, and names of an endpoint, stand together, too. */
static int by_name_full(const void *a, const void *b, void *arg)
{
    const struct changed *x = a, *y = b;
    const char *texts = arg;
    int order = by_name(a, b, arg);
    return order ? order : strcmp(texts + x->endpoint, texts + y->endpoint);
}

static int by_endpoint(const void *a, const void *b, void *arg)
{
    const struct changed *x = a, *y = b;
    return strcmp((const char *)arg + x->endpoint, (const char *)arg + y->endpoint);
}

static int by_endpoint_full(const void *a, const void *b, void *arg)
{
    const struct changed *x = a, *y = b;
    int order = by_endpoint(a, b, arg);
    return order ? order : strcmp((const char *)arg + x->name, (const char *)arg + y->name);
}

struct sum {
    struct changed first; /* of those that are summed up */
    uint64_t queries, n;  /* n: endpoints of a name, names of an endpoint */
    bool sure;            /* not all are parts */
    int64_t last_ms;
};

static int worst_first(const void *a, const void *b, void *arg)
{
    const struct sum *x = a, *y = b;
    bool by_name_sum = *(const bool *)arg;
    if (by_name_sum && x->first.part != y->first.part)
        return (int)x->first.part - (int)y->first.part; /* what is sure comes first */
    if (x->queries != y->queries)
        return x->queries > y->queries ? -1 : 1;
    if (x->n != y->n)
        return x->n > y->n ? -1 : 1;
    return (x->first.name > y->first.name) - (x->first.name < y->first.name);
}

static bool sums_make(struct sek_changes *p, bool names, struct sek_buf *out)
{
    struct changed *rows = (struct changed *)(void *)p->rows.data;
    size_t n = p->rows.len / sizeof *rows;
    const char *texts = p->texts.data;
    int (*same)(const void *, const void *, void *) = names ? by_name : by_endpoint;
    struct sum *sum = NULL;
    if (n)
        qsort_r(rows, n, sizeof *rows, names ? by_name_full : by_endpoint_full, p->texts.data);
    for (size_t i = 0; i < n; i++) {
        bool fresh = i == 0 || same(&rows[i - 1], &rows[i], p->texts.data) != 0;
        size_t other = names ? rows[i].endpoint : rows[i].name;
        if (fresh) {
            sum = sek_buf_grow(out, sizeof *sum);
            if (!sum)
                return false;
            *sum = (struct sum){.first = rows[i]};
        }
        const struct changed *last = i ? &rows[i - 1] : NULL;
        if (fresh || strcmp(texts + other, texts + (names ? last->endpoint : last->name)) != 0)
            sum->n++;
        sum->queries += rows[i].queries;
        sum->sure |= !rows[i].part;
        if (rows[i].last_ms > sum->last_ms)
            sum->last_ms = rows[i].last_ms;
    }
    if (out->len)
        qsort_r(out->data, out->len / sizeof *sum, sizeof *sum, worst_first, &names);
    return true;
}

/* --- the report ----------------------------------------------------------------------------------
 */

static const char *word_of(uint8_t action)
{
    return action == SEK_ACTION_PASSTHRU ? "resolves" : sek_lookup_name(sek_action_names, action);
}

static void put_name(struct sek_changes *p, const struct sum *s)
{
    struct sek_out *o = p->c->out;
    const char *texts = p->texts.data;
    sek_out_text(o, NAME, texts + s->first.name);
    sek_out_uint(o, QUERIES, s->queries);
    sek_out_uint(o, ENDPOINTS, s->n);
    sek_out_int(o, LAST, s->last_ms);
    sek_out_text(o, NOW, word_of(s->first.now));
    sek_out_text(o, THEN, s->first.part ? "differs" : word_of(s->first.then));
    sek_out_text(o, BY, texts + s->first.by);
    if (s->first.part)
        sek_out_text(o, PART, "some names");
}

static void put_endpoint(struct sek_changes *p, const struct sum *s)
{
    struct sek_out *o = p->c->out;
    sek_out_text(o, E_ENDPOINT, p->texts.data + s->first.endpoint);
    sek_out_uint(o, E_QUERIES, s->queries);
    sek_out_uint(o, E_NAMES, s->n);
    sek_out_int(o, E_LAST, s->last_ms);
}

static void table_print(struct sek_changes *p, bool names, uint64_t limit)
{
    struct sek_buf sums;
    sek_buf_init(&sums, 0);
    bool more = sums_make(p, names, &sums);
    const struct sum *all = (const void *)sums.data;
    uint64_t n = more ? sums.len / sizeof *all : 0;
    for (uint64_t i = 0; i < n; i++) {
        if (names) {
            *(all[i].sure ? &p->n_names : &p->n_part_names) += 1;
            *(all[i].sure ? &p->n_queries : &p->n_part_queries) += all[i].queries;
        } else if (all[i].sure) {
            p->n_endpoints++;
        }
        if (!more || (limit && i >= limit))
            continue;
        if (names)
            put_name(p, &all[i]);
        else
            put_endpoint(p, &all[i]);
        more = sek_out_row(p->c->out);
    }
    sek_buf_fini(&sums);
}

enum sek_err sek_changes_print(struct sek_changes *p, uint64_t limit)
{
    struct sek_context *c = p->c;
    if (p->rows.failed || p->texts.failed)
        return sek_diag_set(&c->diag, SEK_E_NOMEM, "out of memory: choose a later --since");
    p->n_names = p->n_endpoints = p->n_queries = p->n_part_names = p->n_part_queries = 0;
    sek_out_begin(c->out, "sekisho.preview/1", cols, COLS, SEK_OUT_ROWS);
    table_print(p, true, limit);
    sek_out_part(c->out, "endpoints", endpoint_cols, E_COLS, SEK_OUT_ROWS);
    table_print(p, false, limit);
    return sek_out_end(c->out, &c->diag);
}
