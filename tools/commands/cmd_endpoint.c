/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/command.h"
#include "tools/views/endpointshow.h"
#include "base/hash.h"
#include "tools/views/hitview.h"
#include "replay/distinct.h"
#include "tools/views/riskview.h"
#include "tools/print/talk.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(endpoint);
SEK_COMMAND(endpoint_list);
SEK_COMMAND(endpoint_show);

#define LIMIT_DEFAULT 100 /* rows */
#define ADDRESSES_USUAL 8

enum { OPT_MIN, OPT_LIMIT, N_OPTS };
const struct sek_arg sek_cmd_endpoint_list_args[] = {
    [OPT_MIN] = {"min", 'm', SEK_ARG_NUMBER, "SCORE", "only from this risk on, 0 to 100", NULL, 0,
                 100},
    [OPT_LIMIT] = {"limit", 0, SEK_ARG_NUMBER, "N", "at most so many rows; default 100, 0 = all",
                   NULL, 0, UINT32_MAX - 1},
    [N_OPTS] = {0},
};
const struct sek_arg sek_cmd_endpoint_show_args[] = {{0}};
const struct sek_arg sek_cmd_endpoint_args[] = {{0}};

struct run {
    struct sek_risk_view view;
    int64_t now_s;
    double min;
    uint64_t n, limit;
    bool cut;
    struct sek_buf ranked;        /* struct sek_addr, of the tenancies that last */
    struct sek_distinct machines; /* that are shown */
};

/* False: it was noted before. */
static bool note(struct run *r, const char *text)
{
    static const struct sek_hash_key key = {0x6d616368, 0x696e65};
    size_t before = r->machines.n, n = 0;
    char low[SEK_LEASE_TEXT_MAX] = "";
    for (; text[n] && n < sizeof low; n++)
        low[n] = (char)(text[n] >= 'A' && text[n] <= 'Z' ? text[n] | 0x20 : text[n]);
    sek_distinct_add(&r->machines, sek_hash(&key, low, n));
    return r->machines.n > before;
}

/* True unless the machine was noted before, or nothing tells which it is. Where a statement knows
 * no MAC its name must do. */
static bool note_machine(struct run *r, const struct sek_machine *m)
{
    bool is_new = !*m->mac || note(r, m->mac);
    bool is_new_name = !*m->name || note(r, m->name);
    return *m->mac ? is_new : is_new_name;
}

static bool has_room(struct run *r)
{
    r->cut = r->limit && r->n >= r->limit;
    r->n++;
    return !r->cut;
}

static bool one_risk(void *arg, const struct sek_risk *risk)
{
    struct run *r = arg;
    if (r->view.machines.db) /* from here on it is printed */
        sek_inventory_release(r->view.machines.db);
    if (risk->score < r->min)
        return false; /* so are all that follow */
    if (!has_room(r))
        return false;
    struct sek_span span;
    sek_machines_at(&r->view.machines, risk->endpoint, risk->last_ms / 1000, &span);
    note_machine(r, &span.machine);
    for (unsigned i = 0; i < risk->n_addresses; i++) {
        const struct sek_risk_address *a = &risk->addresses[i];
        struct sek_addr addr;
        if (r->now_s >= a->from_s && r->now_s < a->until_s &&
            sek_addr_from_text(a->text, &addr, NULL) == SEK_OK)
            sek_buf_add(&r->ranked, &addr, sizeof addr);
    }
    return sek_risk_view_row(&r->view, risk);
}

static int by_octets(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct sek_addr));
}

static bool one_idle(void *arg, const struct sek_span *span)
{
    struct run *r = arg;
    size_t n = r->ranked.len / sizeof span->addr;
    if (n && bsearch(&span->addr, r->ranked.data, n, sizeof span->addr, by_octets))
        return true;
    if (!note_machine(r, &span->machine)) /* by another of its addresses */
        return true;
    return has_room(r) && sek_risk_view_idle(&r->view, span);
}

/* Machines that nothing is known against, behind the others. */
static enum sek_err put_idle(struct sek_context *c, struct run *r)
{
    size_t n = r->ranked.len / sizeof(struct sek_addr);
    if (!r->view.machines.db || r->min > 0 || r->cut)
        return SEK_OK;
    if (n)
        qsort(r->ranked.data, n, sizeof(struct sek_addr), by_octets);
    /* a machine may have some addresses */
    uint64_t most = r->limit ? ADDRESSES_USUAL * (r->limit + n + 1) : UINT32_MAX;
    return sek_inventory_now(r->view.machines.db, c->now_s,
                             most < UINT32_MAX ? (unsigned)most : UINT32_MAX, one_idle, r,
                             &c->diag);
}

static enum sek_err put_all(struct sek_context *c, struct sek_report *events, struct run *r)
{
    struct sek_risk_query q = {.now_s = c->now_s,
                               .half_life_s = c->conf.risk.half_life_s,
                               .limit = r->limit ? (unsigned)r->limit + 1 : 0};
    sek_risk_by_machine(&r->view, &q);
    if (r->view.machines.db)
        sek_inventory_hold(r->view.machines.db);
    enum sek_err e = events ? sek_report_risk(events, &q, one_risk, r, &c->diag) : SEK_OK;
    if (r->view.machines.db)
        sek_inventory_release(r->view.machines.db);
    if (!e)
        e = put_idle(c, r);
    return e ? e : sek_out_end(c->out, &c->diag);
}

enum sek_err sek_cmd_endpoint_list(struct sek_context *c)
{
    struct sek_report *events = NULL;
    struct run r = {
        .now_s = c->now_s, .limit = LIMIT_DEFAULT, .min = (double)c->opt[OPT_MIN].number};
    enum sek_err e = sek_hit_report_open(c, &events);
    if (e && e != SEK_E_NOTFOUND)
        return e;
    if (e && !c->conf_loaded)
        return e;
    if (e) /* the inventory can be shown without */
        sek_talk("%s", c->diag.text);
    if (c->opt[OPT_LIMIT].given)
        r.limit = (uint64_t)c->opt[OPT_LIMIT].number;
    sek_buf_init(&r.ranked, SIZE_MAX);
    sek_risk_view_init(&r.view, c, "sekisho.endpoints/1");
    e = put_all(c, events, &r);
    sek_risk_view_fini(&r.view);
    sek_buf_fini(&r.ranked);
    sek_distinct_fini(&r.machines);
    sek_report_close(events);
    if (!e && r.n == 0)
        return sek_context_none(c, "no endpoints");
    if (!e && r.cut && !c->opt[OPT_LIMIT].given)
        sek_talk("only the first %u rows; --limit 0 shows all", LIMIT_DEFAULT);
    return e;
}

enum sek_err sek_cmd_endpoint_show(struct sek_context *c)
{
    return sek_endpoint_show(c, c->args[0]);
}

/* A machine may be called "list" or "import": `endpoint show` takes any name. */
enum sek_err sek_cmd_endpoint(struct sek_context *c)
{
    return sek_endpoint_show(c, c->args[0]);
}
