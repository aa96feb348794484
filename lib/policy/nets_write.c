/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/nets_write.h"
#include "policy/nets_format.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

struct row {
    struct sek_net net;
    bool v4;
    uint32_t at; /* in the order of addition */
    struct sek_rule rule;
};

struct sek_nets_writer {
    struct sek_buf rows; /* struct row */
    uint32_t n_servers;
};

enum sek_err sek_nets_writer_new(struct sek_nets_writer **out, struct sek_diag *diag)
{
    struct sek_nets_writer *w = calloc(1, sizeof *w);
    if (!w)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for rules about addresses");
    sek_buf_init(&w->rows, 0);
    *out = w;
    return SEK_OK;
}

void sek_nets_writer_free(struct sek_nets_writer *w)
{
    if (!w)
        return;
    sek_buf_fini(&w->rows);
    free(w);
}

enum sek_err sek_nets_writer_add(struct sek_nets_writer *w, const struct sek_name *owner,
                                 const struct sek_rule *rule, struct sek_diag *diag)
{
    struct row row = {.rule = *rule, .at = (uint32_t)(w->rows.len / sizeof row)};
    enum sek_about about = sek_about_of(owner);
    if (about == SEK_ABOUT_NSDNAME) {
        w->n_servers++;
        return SEK_OK;
    }
    if (rule->action > SEK_ACTION_MAX || rule->expires_s < 0)
        return sek_diag_set(diag, SEK_E_INVALID, "bad action or expiry of a rule");
    enum sek_err err = sek_about_to_net(owner, &row.net, diag);
    if (err != SEK_OK)
        return err;
    row.v4 = row.net.bits >= 96 && sek_addr_is_v4(&row.net.addr);
    row.rule.about = (uint8_t)about;
    row.rule.scope = SEK_SCOPE_SUBTREE;
    sek_buf_add(&w->rows, &row, sizeof row);
    if (w->rows.failed)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for rules about addresses");
    return SEK_OK;
}

static int net_compare(const struct row *x, const struct row *y)
{
    int order = (int)x->v4 - (int)y->v4;
    if (order == 0)
        order = memcmp(x->net.addr.octets, y->net.addr.octets, 16);
    return order ? order : x->net.bits - y->net.bits;
}

static int rule_compare(const struct row *x, const struct row *y)
{
    int order = net_compare(x, y);
    if (order == 0)
        order = (int)x->rule.about - (int)y->rule.about;
    return order ? order : x->rule.list - y->rule.list;
}

static int row_compare(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    int order = rule_compare(x, y);
    return order ? order : (x->at > y->at) - (x->at < y->at);
}

/* One row for each network, kind and list. */
static size_t merge(struct row *rows, size_t n)
{
    size_t n_left = 0;
    for (size_t i = 0; i < n; i++) {
        struct row *last = n_left ? &rows[n_left - 1] : NULL;
        if (!last || rule_compare(last, &rows[i]) != 0) {
            rows[n_left++] = rows[i];
            continue;
        }
        struct sek_rule *kept = &last->rule, *again = &rows[i].rule;
        kept->action = again->action;
        kept->terms = again->terms;
        if (again->expires_s == 0 || (kept->expires_s && kept->expires_s < again->expires_s))
            kept->expires_s = again->expires_s;
    }
    return n_left;
}

struct parts {
    struct sek__nets_head head;
    struct sek_buf v6, v4, nets, rules;
};

static bool is_around(const struct row *outer, const struct row *inner)
{
    struct sek__v6 first = sek__v6_first(sek__v6_of(&inner->net.addr), outer->net.bits);
    struct sek__v6 own = sek__v6_of(&outer->net.addr);
    return outer->v4 == inner->v4 && first.high == own.high && first.low == own.low;
}

/* Of the networks so far, `open` holds those around the last one: the next one is within some of
 * them, and the others are over. */
static void lay_out(const struct row *rows, size_t n, struct parts *p)
{
    struct {
        const struct row *row;
        uint32_t index; /* in its family, from 1 */
    } open[129];
    unsigned n_open = 0;
    for (size_t i = 0; i < n; i++) {
        const struct row *row = &rows[i];
        if (i == 0 || net_compare(&rows[i - 1], row) != 0) {
            while (n_open && !is_around(open[n_open - 1].row, row))
                n_open--;
            const struct sek__net net = {.around = n_open ? open[n_open - 1].index : 0,
                                         .rule = p->head.n_rules,
                                         .bits = row->net.bits};
            sek_buf_add(&p->nets, &net, sizeof net);
            const struct sek__v6 first = sek__v6_of(&row->net.addr);
            const uint32_t first4 = sek__v4_of(&row->net.addr);
            if (row->v4)
                sek_buf_add(&p->v4, &first4, sizeof first4);
            else
                sek_buf_add(&p->v6, &first, sizeof first);
            open[n_open].row = row;
            open[n_open++].index = row->v4 ? ++p->head.n_v4 : ++p->head.n_v6;
        }
        sek_buf_add(&p->rules, &row->rule, sizeof row->rule);
        p->head.n_rules++;
    }
}

enum sek_err sek_nets_write(struct sek_nets_writer *w, struct sek_buf *out, struct sek_diag *diag)
{
    static const uint32_t padding;
    struct row *rows = (struct row *)(void *)w->rows.data;
    size_t n = w->rows.len / sizeof *rows;
    if (n == 0 && w->n_servers == 0)
        return SEK_OK;
    struct parts p = {.head.n_servers = w->n_servers};
    struct sek_buf *const bufs[] = {&p.v6, &p.v4, &p.nets, &p.rules};
    bool failed = false;
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
        sek_buf_init(bufs[i], 0);
    if (n > 0)
        qsort(rows, n, sizeof *rows, row_compare);
    n = merge(rows, n);
    w->rows.len = n * sizeof *rows;
    lay_out(rows, n, &p);
    sek_buf_add(out, &p.head, sizeof p.head);
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++) {
        sek_buf_add(out, bufs[i]->data, bufs[i]->len);
        if (bufs[i]->len % 8)
            sek_buf_add(out, &padding, sizeof padding);
        failed |= bufs[i]->failed;
        sek_buf_fini(bufs[i]);
    }
    if (failed || out->failed)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for rules about addresses");
    return SEK_OK;
}
