/* SPDX-License-Identifier: BSD-3-Clause */
#include "command.h"
#include "hitview.h"
#include "talk.h"
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(hits);

#define LIMIT_DEFAULT 100 /* rows */

static const struct sek_lookup group_names[] = {{SEK_GROUP_ENDPOINT, "endpoint"},
                                                {SEK_GROUP_NAME, "name"},
                                                {SEK_GROUP_LIST, "list"},
                                                {SEK_GROUP_DOMAIN, "domain"},
                                                {0, NULL}};

static const struct sek_lookup group_titles[] = {{SEK_GROUP_ENDPOINT, "Endpoint"},
                                                 {SEK_GROUP_NAME, "Name"},
                                                 {SEK_GROUP_LIST, "List"},
                                                 {SEK_GROUP_DOMAIN, "Domain"},
                                                 {0, NULL}};

enum { OPT_SINCE = SEK_N_HIT_FILTERS, OPT_UNTIL, OPT_ID, OPT_GROUP, OPT_LIMIT, N_OPTS };
const struct sek_arg sek_cmd_hits_args[] = {
    SEK_HIT_FILTER_ROWS,
    [OPT_SINCE] = {"since", 's', SEK_ARG_TIME, "TIME", "from then on: 2h, today, 2026-11-23"},
    [OPT_UNTIL] = {"until", 'u', SEK_ARG_TIME, "TIME", "before then"},
    [OPT_ID] = {"id", 'i', SEK_ARG_TEXT, "DECISION",
                "the hit with this id, from the answer's text"},
    [OPT_GROUP] = {"group", 'g', SEK_ARG_CHOICE, NULL, "sum up by this, most hits first",
                   group_names},
    [OPT_LIMIT] = {"limit", 0, SEK_ARG_NUMBER, "N", "at most so many rows; default 100, 0 = all",
                   NULL, 0, UINT32_MAX - 1},
    [N_OPTS] = {0},
};

/* What runs through the report: counts rows, so that a cut one can be told. */
struct run {
    struct sek_out *out;
    struct sek_hit_view view;
    uint64_t n, limit;
    bool cut, by_endpoint;
};

static bool has_room(struct run *r)
{
    r->cut = r->limit && r->n >= r->limit;
    r->n++;
    return !r->cut;
}

static bool one_hit(void *arg, const struct sek_hit *hit)
{
    struct run *r = arg;
    return has_room(r) && sek_hit_view_row(&r->view, hit);
}

enum {
    KEY,
    MACHINE,
    COUNT,
    BLOCKED,
    MONITORED,
    N_ENDPOINTS,
    N_NAMES,
    FIRST,
    LAST,
    MACHINE_NAME, /* and the three behind it */
    N_COLS = MACHINE_NAME + 4
};

static bool one_group(void *arg, const struct sek_hit_group *g)
{
    struct run *r = arg;
    if (!has_room(r))
        return false;
    sek_out_text(r->out, KEY, g->key);
    sek_out_uint(r->out, COUNT, g->count);
    sek_out_uint(r->out, BLOCKED, g->blocked);
    sek_out_uint(r->out, MONITORED, g->monitored);
    sek_out_uint(r->out, N_ENDPOINTS, g->n_endpoints);
    sek_out_uint(r->out, N_NAMES, g->n_names);
    sek_out_int(r->out, FIRST, g->first_ms);
    sek_out_int(r->out, LAST, g->last_ms);
    if (r->by_endpoint)
        sek_machines_put(&r->view.machines, r->out, MACHINE, MACHINE_NAME, g->key,
                         g->last_ms / 1000);
    return sek_out_row(r->out);
}

static enum sek_err groups(struct sek_context *c, struct sek_report *report,
                           const struct sek_hit_filter *filter, struct run *r)
{
    enum sek_group by = (enum sek_group)c->opt[OPT_GROUP].number;
    bool names = by == SEK_GROUP_NAME || by == SEK_GROUP_DOMAIN;
    const char *key = sek_lookup_name(group_names, (int)by);
    struct sek_col cols[] = {
        [KEY] = {key, sek_lookup_name(group_titles, (int)by), names ? SEK_COL_NAME : SEK_COL_TEXT},
        [MACHINE] = SEK_MACHINE_COL,
        [COUNT] = {"count", "Hits", SEK_COL_UINT},
        [BLOCKED] = {"blocked", "Blocked", SEK_COL_UINT},
        [MONITORED] = {"monitored", "Monitored", SEK_COL_UINT},
        [N_ENDPOINTS] = {"endpoints", "Endpoints", SEK_COL_UINT},
        [N_NAMES] = {"names", "Names", SEK_COL_UINT},
        [FIRST] = {"first", "First (UTC)", SEK_COL_TIME_MS},
        [LAST] = {"last", "Last (UTC)", SEK_COL_TIME_MS},
        [MACHINE_NAME] = SEK_MACHINE_NAME_COL,
        [MACHINE_NAME + 1] = SEK_MACHINE_MAC_COL,
        [MACHINE_NAME + 2] = SEK_MACHINE_OWNER_COL,
        [MACHINE_NAME + 3] = SEK_MACHINE_GROUP_COL,
    };
    unsigned n_cols = by == SEK_GROUP_ENDPOINT ? N_COLS : MACHINE_NAME;
    r->by_endpoint = by == SEK_GROUP_ENDPOINT;
    if (r->by_endpoint)
        sek_machines_open(&r->view.machines, c);
    sek_machines_hide(&r->view.machines, &cols[MACHINE]);
    sek_out_begin(c->out, "sekisho.hit-groups/1", cols, n_cols, SEK_OUT_ROWS);
    enum sek_err e = sek_report_hit_groups(report, filter, by, one_group, r, &c->diag);
    sek_machines_close(&r->view.machines);
    return e ? e : sek_out_end(c->out, &c->diag);
}

static enum sek_err rows(struct sek_context *c, struct sek_report *report,
                         const struct sek_hit_filter *filter, struct run *r)
{
    sek_hit_view_init(&r->view, c, "sekisho.hits/1", SEK_OUT_ROWS);
    enum sek_err e = sek_report_hits(report, filter, one_hit, r, &c->diag);
    sek_hit_view_fini(&r->view);
    return e ? e : sek_out_end(c->out, &c->diag);
}

static bool is_decision(const char *text)
{
    return strlen(text) == 8 && strspn(text, "0123456789abcdefABCDEF") == 8;
}

static enum sek_err run_filtered(struct sek_context *c, struct sek_hit_filter *filter)
{
    struct sek_report *report = NULL;
    filter->since_s = c->opt[OPT_SINCE].number;
    filter->until_s = c->opt[OPT_UNTIL].number;
    if (c->opt[OPT_ID].given) {
        if (!is_decision(c->opt[OPT_ID].text))
            return sek_context_usage(c, "--id: \"%.100s\" is not 8 hexadecimal digits",
                                     c->opt[OPT_ID].text);
        filter->decision = c->opt[OPT_ID].text;
    }
    struct run r = {.out = c->out, .limit = LIMIT_DEFAULT};
    if (c->opt[OPT_LIMIT].given)
        r.limit = (uint64_t)c->opt[OPT_LIMIT].number;
    filter->limit = r.limit ? (unsigned)r.limit + 1 : 0; /* one more tells that there are more */
    enum sek_err e = sek_hit_report_open(c, &report);
    if (e)
        return e;
    e = c->opt[OPT_GROUP].given ? groups(c, report, filter, &r) : rows(c, report, filter, &r);
    sek_report_close(report);
    if (!e && r.n == 0)
        return sek_context_none(c, "no hits");
    if (!e && r.cut && !c->opt[OPT_LIMIT].given)
        sek_talk("only the first %u rows; --limit 0 shows all", LIMIT_DEFAULT);
    return e;
}

enum sek_err sek_cmd_hits(struct sek_context *c)
{
    struct sek_hit_filter filter;
    struct sek_hit_texts texts;
    enum sek_err e = sek_hit_filter_read(c, &filter, &texts);
    if (!e)
        e = run_filtered(c, &filter);
    sek_hit_texts_fini(&texts);
    return e;
}
