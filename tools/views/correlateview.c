/* SPDX-License-Identifier: BSD-3-Clause */
#include "correlateview.h"
#include "machines.h"
#include "policy/rule.h"
#include "base/banned.h"

enum {
    ENDPOINT,
    MACHINE,
    TIME,
    LAST,
    KIND,
    FOLLOWS,
    COUNT,
    NAME,
    ADDRESS,
    PORT,
    ACTION,
    OUTCOME,
    LIST,
    RESULT,
    DOMAIN,
    ID,
    N_COLS
};
static const struct sek_col cols[] = {
    [ENDPOINT] = {"endpoint", "Endpoint", SEK_COL_TEXT},
    [MACHINE] = {"endpoint_name", "Machine", SEK_COL_TEXT, NULL, 0, SEK_COL_FILLED},
    [TIME] = {"time", "Time (UTC)", SEK_COL_TIME_MS},
    [LAST] = {"last", "Last (UTC)", SEK_COL_TIME_MS, NULL, 0, SEK_COL_MACHINE},
    [KIND] = {"kind", "What", SEK_COL_TEXT},
    [FOLLOWS] = {"follows", "Follows a hit", SEK_COL_FLAG, NULL, 0, SEK_COL_FILLED},
    [COUNT] = {"count", "Count", SEK_COL_UINT},
    [NAME] = {"name", "Name", SEK_COL_NAME},
    [ADDRESS] = {"address", "Address", SEK_COL_TEXT},
    [PORT] = {"port", "Port", SEK_COL_UINT, NULL, 0, SEK_COL_FILLED},
    [ACTION] = {"action", "Action", SEK_COL_TEXT},
    [OUTCOME] = {"outcome", "Outcome", SEK_COL_TEXT, NULL, 0, SEK_COL_FILLED},
    [LIST] = {"list", "List", SEK_COL_TEXT},
    [RESULT] = {"result", "Result", SEK_COL_TEXT},
    [DOMAIN] = {"domain", "Given for", SEK_COL_NAME, NULL, 0, SEK_COL_FILLED},
    [ID] = {"decision", "Id", SEK_COL_TEXT},
};
static const struct sek_lookup came[] = {
    {SEK_CAME_NOTHING, "no connection"},
    {SEK_CAME_OUTSIDE, "outside the log"},
    {SEK_CAME_DENIED, "attempted, denied"},
    {SEK_CAME_FAILED, "attempted, failed"},
    {SEK_CAME_ATTEMPTED, "attempted"},
    {SEK_CAME_SINKHOLE_ATTEMPTED, "attempted, to the sinkhole"},
    {SEK_CAME_SINKHOLE, "connected to the sinkhole"},
    {SEK_CAME_CONNECTED, "connected"},
    {0, NULL}};
static const struct sek_lookup outcomes[] = {{SEK_OUTSIDE_CONNECTED, "connected"},
                                             {SEK_OUTSIDE_ATTEMPTED, "attempted"},
                                             {SEK_OUTSIDE_FAILED, "attempted, failed"},
                                             {SEK_OUTSIDE_DENIED, "attempted, denied"},
                                             {SEK_OUTSIDE_ASKED, "asked"},
                                             {0, NULL}};
static const struct sek_lookup as[] = {{SEK_OUTSIDE_GIVEN, "given"},
                                       {SEK_OUTSIDE_OTHERS, "given to others"},
                                       {SEK_OUTSIDE_NEVER, "never given"},
                                       {SEK_OUTSIDE_UNKNOWN, "not known"},
                                       {SEK_OUTSIDE_ALLOWED, "allowed"},
                                       {SEK_OUTSIDE_NO_ADDRESS, "name only"},
                                       {SEK_OUTSIDE_OUR_SINKHOLE, "to the sinkhole"},
                                       {SEK_OUTSIDE_A_SINKHOLE, "to another's sinkhole"},
                                       {SEK_OUTSIDE_QUESTION, "question"},
                                       {0, NULL}};

enum {
    S_ENDPOINT,
    S_MACHINE,
    S_HITS,
    S_CONNECTED,
    S_SINKHOLE,
    S_ATTEMPTED,
    S_NOTHING,
    S_OUTSIDE,
    S_CONNS,
    S_NEVER,
    S_OTHERS,
    S_UNKNOWN,
    S_ALLOWED,
    S_TO_SINKHOLES,
    S_COLS
};
static const struct sek_col sum_cols[] = {
    [S_ENDPOINT] = {"endpoint", "In all", SEK_COL_TEXT},
    [S_MACHINE] = {"endpoint_name", "Machine", SEK_COL_TEXT, NULL, 0, SEK_COL_FILLED},
    [S_HITS] = {"hits", "Hits", SEK_COL_UINT},
    [S_CONNECTED] = {"hits_connected", "Connected", SEK_COL_UINT},
    [S_SINKHOLE] = {"hits_sinkhole", "Sinkhole", SEK_COL_UINT},
    [S_ATTEMPTED] = {"hits_attempted", "Attempted", SEK_COL_UINT},
    [S_NOTHING] = {"hits_without", "Without", SEK_COL_UINT},
    [S_OUTSIDE] = {"hits_outside", "Outside", SEK_COL_UINT},
    [S_CONNS] = {"connections", "Connections", SEK_COL_UINT},
    [S_NEVER] = {"never_given", "Never given", SEK_COL_UINT},
    [S_OTHERS] = {"given_to_others", "To others", SEK_COL_UINT},
    [S_UNKNOWN] = {"not_known", "Not known", SEK_COL_UINT, NULL, 0, SEK_COL_FILLED},
    [S_ALLOWED] = {"allowed", "Allowed", SEK_COL_UINT},
    [S_TO_SINKHOLES] = {"to_sinkholes", "To sinkholes", SEK_COL_UINT},
};

struct run {
    struct sek_correlate_view *v;
    struct sek_out *out;
    struct sek_machines machines;
};

static void put_endpoint(struct run *r, unsigned col, unsigned machine, const struct sek_addr *a,
                         int64_t time_s)
{
    char text[SEK_ADDR_TEXT_MAX];
    struct sek_span span;
    sek_out_text(r->out, col, sek_addr_to_text(a, text));
    sek_machines_at(&r->machines, text, time_s, &span);
    if (*span.machine.name || *span.machine.mac)
        sek_out_text(r->out, machine, *span.machine.name ? span.machine.name : span.machine.mac);
}

static void put_hit(struct run *r, const struct sek_outside_hit *h)
{
    struct sek_out *o = r->out;
    char id[16];
    snprintf(id, sizeof id, "%08x", (unsigned)h->decision);
    put_endpoint(r, ENDPOINT, MACHINE, &h->endpoint, h->last_ms / 1000);
    sek_out_int(o, TIME, h->first_ms);
    sek_out_int(o, LAST, h->last_ms);
    sek_out_text(o, KIND, "hit");
    sek_out_uint(o, COUNT, h->n);
    sek_out_text(o, NAME, h->name);
    sek_out_text(o, ACTION, sek_lookup_name(sek_action_names, h->action));
    sek_out_text(o, LIST, h->list);
    sek_out_text(o, RESULT, sek_lookup_name(came, h->came));
    sek_out_tint(o, RESULT,
                 h->came == SEK_CAME_CONNECTED ? SEK_TINT_BAD
                 : h->came >= SEK_CAME_DENIED  ? SEK_TINT_WARN
                 : h->came == SEK_CAME_OUTSIDE ? SEK_TINT_NONE
                                               : SEK_TINT_GOOD);
    sek_out_text(o, ID, id);
}

static void put_conn(struct run *r, const struct sek_outside_conn *c)
{
    struct sek_out *o = r->out;
    char text[SEK_ADDR_TEXT_MAX];
    put_endpoint(r, ENDPOINT, MACHINE, &c->endpoint, c->last_ms / 1000);
    sek_out_int(o, TIME, c->first_ms);
    sek_out_int(o, LAST, c->last_ms);
    sek_out_text(o, KIND, c->outcome == SEK_OUTSIDE_ASKED ? "question" : "connection");
    if (c->follows)
        sek_out_flag(o, FOLLOWS, true);
    sek_out_uint(o, COUNT, c->n);
    sek_out_text(o, NAME, *c->name ? c->name : NULL);
    if (c->has_address)
        sek_out_text(o, ADDRESS, sek_addr_to_text(&c->address, text));
    if (c->port)
        sek_out_uint(o, PORT, c->port);
    sek_out_text(o, ACTION, *c->action ? c->action : NULL);
    sek_out_text(o, OUTCOME, sek_lookup_name(outcomes, c->outcome));
    sek_out_text(o, RESULT, sek_lookup_name(as, c->as));
    if (c->as == SEK_OUTSIDE_NEVER || c->as == SEK_OUTSIDE_OUR_SINKHOLE ||
        c->as == SEK_OUTSIDE_A_SINKHOLE)
        sek_out_tint(o, RESULT, SEK_TINT_WARN);
    sek_out_text(o, DOMAIN, *c->domain ? c->domain : NULL);
}

static bool one_line(void *arg, const struct sek_outside_hit *h, const struct sek_outside_conn *c)
{
    struct run *r = arg;
    struct sek_correlate_view *v = r->v;
    v->cut = v->limit && v->n >= v->limit;
    if (v->cut)
        return false;
    v->n++;
    if (h)
        put_hit(r, h);
    else
        put_conn(r, c);
    return sek_out_row(r->out);
}

static bool one_sum(void *arg, const struct sek_outside_sum *s)
{
    struct run *r = arg;
    struct sek_out *o = r->out;
    put_endpoint(r, S_ENDPOINT, S_MACHINE, &s->endpoint, r->v->c->now_s);
    sek_out_uint(o, S_HITS, s->hits);
    sek_out_uint(o, S_CONNECTED, s->came[SEK_CAME_CONNECTED]);
    sek_out_uint(o, S_SINKHOLE, s->came[SEK_CAME_SINKHOLE] + s->came[SEK_CAME_SINKHOLE_ATTEMPTED]);
    sek_out_uint(o, S_ATTEMPTED,
                 s->came[SEK_CAME_ATTEMPTED] + s->came[SEK_CAME_FAILED] + s->came[SEK_CAME_DENIED]);
    sek_out_uint(o, S_NOTHING, s->came[SEK_CAME_NOTHING]);
    sek_out_uint(o, S_OUTSIDE, s->came[SEK_CAME_OUTSIDE]);
    sek_out_uint(o, S_CONNS, s->conns);
    sek_out_uint(o, S_NEVER, s->as[SEK_OUTSIDE_NEVER]);
    sek_out_uint(o, S_OTHERS, s->as[SEK_OUTSIDE_OTHERS]);
    sek_out_uint(o, S_UNKNOWN, s->as[SEK_OUTSIDE_UNKNOWN]);
    sek_out_uint(o, S_ALLOWED, s->as[SEK_OUTSIDE_ALLOWED]);
    sek_out_uint(o, S_TO_SINKHOLES,
                 s->as[SEK_OUTSIDE_OUR_SINKHOLE] + s->as[SEK_OUTSIDE_A_SINKHOLE]);
    return sek_out_row(o);
}

enum sek_err sek_correlate_put(struct sek_correlate_view *v, struct sek_outside *o)
{
    struct sek_context *c = v->c;
    struct run r = {.v = v, .out = c->out};
    sek_machines_open(&r.machines, c);
    sek_out_begin(c->out, "sekisho.correlate/1", cols, N_COLS, SEK_OUT_ROWS);
    enum sek_err e = sek_outside_lines(o, v->every, one_line, &r, &c->diag);
    sek_out_part(c->out, "endpoints", sum_cols, S_COLS, SEK_OUT_ROWS);
    if (!e)
        e = sek_outside_sums(o, one_sum, &r, &c->diag);
    if (!e)
        e = sek_out_end(c->out, &c->diag);
    sek_machines_close(&r.machines);
    return e;
}
