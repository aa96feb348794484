/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/command.h"
#include "tools/views/hitview.h"
#include "tools/print/talk.h"
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(hits);

#define LIMIT_DEFAULT 100 /* rows */

static const struct sek_lookup group_names[] = {
    {SEK_GROUP_CASE, "case"},         {SEK_GROUP_ENDPOINT, "endpoint"},
    {SEK_GROUP_NAME, "name"},         {SEK_GROUP_DOMAIN, "domain"},
    {SEK_GROUP_LIST, "list"},         {SEK_GROUP_RULE, "rule"},
    {SEK_GROUP_DETECTOR, "detector"}, {SEK_GROUP_HOUR, "hour"},
    {SEK_GROUP_DAY, "day"},           {0, NULL}};

/* Heading and kind of the groups' column. */
static const struct {
    const char *title;
    enum sek_col_kind kind;
} group_cols[] = {
    [SEK_GROUP_ENDPOINT] = {"Endpoint", SEK_COL_TEXT},
    [SEK_GROUP_NAME] = {"Name", SEK_COL_NAME},
    [SEK_GROUP_LIST] = {"List", SEK_COL_TEXT},
    [SEK_GROUP_DOMAIN] = {"Domain", SEK_COL_NAME},
    [SEK_GROUP_RULE] = {"Rule", SEK_COL_NAME},
    [SEK_GROUP_DETECTOR] = {"Decided by", SEK_COL_TEXT},
    [SEK_GROUP_HOUR] = {"Hour (UTC)", SEK_COL_TEXT},
    [SEK_GROUP_DAY] = {"Day (UTC)", SEK_COL_TEXT},
    [SEK_GROUP_CASE] = {"Domain", SEK_COL_NAME},
};

static const struct sek_lookup sort_names[] = {{SEK_SORT_COUNT, "count"},
                                               {SEK_SORT_BLOCKED, "blocked"},
                                               {SEK_SORT_ENDPOINTS, "endpoints"},
                                               {SEK_SORT_NAMES, "names"},
                                               {SEK_SORT_FIRST, "first"},
                                               {SEK_SORT_LAST, "last"},
                                               {SEK_SORT_KEY, "key"},
                                               {0, NULL}};

enum {
    OPT_SINCE = SEK_N_HIT_FILTERS,
    OPT_UNTIL,
    OPT_ID,
    OPT_TRIAGE,
    OPT_GROUP,
    OPT_SORT,
    OPT_REVERSE,
    OPT_LIMIT,
    N_OPTS
};
const struct sek_arg sek_cmd_hits_args[] = {
    SEK_HIT_FILTER_ROWS,
    [OPT_SINCE] = {"since", 's', SEK_ARG_TIME, "TIME",
                   "from then on: 2h, today, 'last monday', 2026-11-23"},
    [OPT_UNTIL] = {"until", 'u', SEK_ARG_TIME, "TIME", "before then"},
    [OPT_ID] = {"id", 'i', SEK_ARG_TEXT, "DECISION",
                "the hit with this id, from the answer's text"},
    [OPT_TRIAGE] = SEK_TRIAGE_FILTER_ROW,
    [OPT_GROUP] = {"group", 'g', SEK_ARG_CHOICE, NULL,
                   "sum up by this, most hits first; case: domain and endpoint", group_names},
    [OPT_SORT] = {"sort", 0, SEK_ARG_CHOICE, NULL, "order of the groups", sort_names},
    [OPT_REVERSE] = {"reverse", 0, SEK_ARG_FLAG, NULL, "the other way round; rows: oldest first"},
    [OPT_LIMIT] = {"limit", 0, SEK_ARG_NUMBER, "N", "at most so many rows; default 100, 0 = all",
                   NULL, 0, UINT32_MAX - 1},
    [N_OPTS] = {0},
};

/* What runs through the report: counts rows, so that a cut one can be told. */
struct run {
    struct sek_out *out;
    struct sek_hit_view view;
    struct sek_triageview triage;
    uint64_t n, limit;
    bool cut;
    enum sek_group by;
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
    const struct sek_triage *triage;
    if (!sek_triageview_find(&r->triage, hit->domain, hit->endpoint, hit->last_ms, &triage))
        return true;
    return has_room(r) && sek_hit_view_row(&r->view, hit);
}

enum {
    KEY,
    ENDPOINT, /* of cases */
    MACHINE,
    COUNT,
    BLOCKED,
    MONITORED,
    N_ENDPOINTS,
    N_NAMES,
    FIRST,
    LAST,
    TRIAGE,
    MACHINE_NAME = TRIAGE + SEK_TRIAGE_COLS, /* and the three behind it */
    N_COLS = MACHINE_NAME + 4
};

/* Groups that can have a state: those of a domain, an endpoint, or both. */
static bool has_state(enum sek_group by)
{
    return by == SEK_GROUP_CASE || by == SEK_GROUP_DOMAIN || by == SEK_GROUP_ENDPOINT;
}

static bool one_group(void *arg, const struct sek_hit_group *g)
{
    struct run *r = arg;
    const char *endpoint = r->by == SEK_GROUP_ENDPOINT ? g->key : g->endpoint;
    const struct sek_triage *triage = NULL;
    if (has_state(r->by) &&
        !sek_triageview_find(&r->triage, r->by == SEK_GROUP_ENDPOINT ? NULL : g->key, endpoint,
                             g->last_ms, &triage))
        return true;
    if (!has_room(r))
        return false;
    sek_out_text(r->out, KEY, g->key);
    sek_out_text(r->out, ENDPOINT, g->endpoint);
    sek_out_uint(r->out, COUNT, g->count);
    sek_out_uint(r->out, BLOCKED, g->blocked);
    sek_out_uint(r->out, MONITORED, g->monitored);
    sek_out_uint(r->out, N_ENDPOINTS, g->n_endpoints);
    sek_out_uint(r->out, N_NAMES, g->n_names);
    sek_out_int(r->out, FIRST, g->first_ms);
    sek_out_int(r->out, LAST, g->last_ms);
    if (has_state(r->by))
        sek_triageview_put(&r->triage, r->out, TRIAGE, triage, g->last_ms);
    if (endpoint)
        sek_machines_put(&r->view.machines, r->out, MACHINE, MACHINE_NAME, endpoint,
                         g->last_ms / 1000);
    return sek_out_row(r->out);
}

static enum sek_err groups(struct sek_context *c, struct sek_report *report,
                           const struct sek_hit_filter *filter, struct run *r)
{
    struct sek_col cols[] = {
        [KEY] = {sek_lookup_name(group_names, (int)r->by), group_cols[r->by].title,
                 group_cols[r->by].kind},
        [ENDPOINT] = {"endpoint", "Endpoint", SEK_COL_TEXT},
        [MACHINE] = SEK_MACHINE_COL,
        [COUNT] = {"count", "Hits", SEK_COL_UINT},
        [BLOCKED] = {"blocked", "Blocked", SEK_COL_UINT},
        [MONITORED] = {"monitored", "Monitored", SEK_COL_UINT},
        [N_ENDPOINTS] = {"endpoints", "Endpoints", SEK_COL_UINT},
        [N_NAMES] = {"names", "Names", SEK_COL_UINT},
        [FIRST] = {"first", "First (UTC)", SEK_COL_TIME_MS},
        [LAST] = {"last", "Last (UTC)", SEK_COL_TIME_MS},
        SEK_TRIAGE_COL_ROWS(TRIAGE, SEK_COL_FILLED),
        [MACHINE_NAME] = SEK_MACHINE_NAME_COL,
        [MACHINE_NAME + 1] = SEK_MACHINE_MAC_COL,
        [MACHINE_NAME + 2] = SEK_MACHINE_OWNER_COL,
        [MACHINE_NAME + 3] = SEK_MACHINE_GROUP_COL,
    };
    bool is_case = r->by == SEK_GROUP_CASE;
    bool has_machine = is_case || r->by == SEK_GROUP_ENDPOINT;
    if (is_case) { /* one endpoint each */
        cols[KEY].key = "domain";
        cols[N_ENDPOINTS].place = SEK_COL_NOWHERE;
    } else {
        cols[ENDPOINT].place = SEK_COL_NOWHERE;
    }
    for (unsigned i = TRIAGE; !has_state(r->by) && i < TRIAGE + SEK_TRIAGE_COLS; i++)
        cols[i].place = SEK_COL_NOWHERE;
    if (has_machine)
        sek_machines_open(&r->view.machines, c);
    sek_machines_hide(&r->view.machines, &cols[MACHINE]);
    sek_out_begin(c->out, "sekisho.hit-groups/1", cols, has_machine ? N_COLS : MACHINE_NAME,
                  SEK_OUT_ROWS);
    enum sek_err e = sek_report_hit_groups(report, filter, r->by, one_group, r, &c->diag);
    sek_machines_close(&r->view.machines);
    return e ? e : sek_out_end(c->out, &c->diag);
}

static enum sek_err rows(struct sek_context *c, struct sek_report *report,
                         const struct sek_hit_filter *filter, struct run *r)
{
    sek_hit_view_init(&r->view, c, "sekisho.hits/1", SEK_OUT_ROWS);
    r->view.triage = &r->triage;
    enum sek_err e = sek_report_hits(report, filter, one_hit, r, &c->diag);
    sek_hit_view_fini(&r->view);
    return e ? e : sek_out_end(c->out, &c->diag);
}

static bool is_decision(const char *text)
{
    return strlen(text) == 8 && strspn(text, "0123456789abcdefABCDEF") == 8;
}

/* What only some reports can do. */
static enum sek_err check_options(struct sek_context *c, enum sek_group by)
{
    if (c->opt[OPT_ID].given && !is_decision(c->opt[OPT_ID].text))
        return sek_context_usage(c, "--id: \"%.100s\" is not 8 hexadecimal digits",
                                 c->opt[OPT_ID].text);
    if (c->opt[OPT_SORT].given && !by)
        return sek_context_usage(c, "--sort orders groups: name them by --group");
    if (c->opt[OPT_TRIAGE].given && by && !has_state(by))
        return sek_context_usage(c, "--triage: of --group, only case, domain and endpoint have a "
                                    "state");
    if (c->opt[OPT_SINCE].given && c->opt[OPT_UNTIL].given &&
        c->opt[OPT_SINCE].number >= c->opt[OPT_UNTIL].number)
        return sek_context_usage(c, "--since is not before --until");
    return SEK_OK;
}

static enum sek_err run_filtered(struct sek_context *c, struct sek_hit_filter *filter)
{
    struct sek_report *report = NULL;
    struct run r = {.out = c->out, .limit = LIMIT_DEFAULT};
    r.by = c->opt[OPT_GROUP].given ? (enum sek_group)c->opt[OPT_GROUP].number : (enum sek_group)0;
    enum sek_err e = check_options(c, r.by);
    if (e)
        return e;
    filter->since_s = c->opt[OPT_SINCE].number;
    filter->until_s = c->opt[OPT_UNTIL].number;
    filter->decision = c->opt[OPT_ID].given ? c->opt[OPT_ID].text : NULL;
    filter->oldest_first = c->opt[OPT_REVERSE].given;
    filter->order = (struct sek_group_order){(enum sek_group_sort)c->opt[OPT_SORT].number,
                                             c->opt[OPT_REVERSE].given};
    if (c->opt[OPT_LIMIT].given)
        r.limit = (uint64_t)c->opt[OPT_LIMIT].number;
    /* One more tells that there are more; with a state, it is only known here what counts. */
    filter->limit = r.limit && !c->opt[OPT_TRIAGE].given ? (unsigned)r.limit + 1 : 0;
    e = sek_hit_report_open(c, &report);
    if (e)
        return e;
    e = sek_triageview_open(&r.triage, c, &c->opt[OPT_TRIAGE]);
    if (!e)
        e = r.by ? groups(c, report, filter, &r) : rows(c, report, filter, &r);
    sek_triageview_close(&r.triage);
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
