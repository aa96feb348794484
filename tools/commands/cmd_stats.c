/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/command.h"
#include "tools/views/hitview.h"
#include "tools/print/talk.h"
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(stats);

#define SINCE_DEFAULT_S 86400
#define LIMIT_DEFAULT 100 /* rows */

static const struct sek_lookup by_names[] = {{SEK_TRAFFIC_TOTAL, "total"},
                                             {SEK_TRAFFIC_ENDPOINT, "endpoint"},
                                             {SEK_TRAFFIC_DOMAIN, "domain"},
                                             {SEK_TRAFFIC_MINUTE, "minute"},
                                             {0, NULL}};

static const struct sek_lookup by_titles[] = {{SEK_TRAFFIC_TOTAL, "Total"},
                                              {SEK_TRAFFIC_ENDPOINT, "Endpoint"},
                                              {SEK_TRAFFIC_DOMAIN, "Domain"},
                                              {SEK_TRAFFIC_MINUTE, "Minute (UTC)"},
                                              {0, NULL}};

enum { OPT_SINCE, OPT_UNTIL, OPT_ENDPOINT, OPT_DOMAIN, OPT_BY, OPT_LIMIT, N_OPTS };
const struct sek_arg sek_cmd_stats_args[] = {
    [OPT_SINCE] = {"since", 's', SEK_ARG_TIME, "TIME", "from then on; default 1d (ago)"},
    [OPT_UNTIL] = {"until", 'u', SEK_ARG_TIME, "TIME", "before then"},
    [OPT_ENDPOINT] = {"endpoint", 'e', SEK_ARG_TEXT, "ENDPOINT",
                      "of this client only: an address, pseudonym, MAC or machine"},
    [OPT_DOMAIN] = {"domain", 'd', SEK_ARG_TEXT, "NAME", "of this registered domain only"},
    [OPT_BY] = {"by", 'b', SEK_ARG_CHOICE, NULL,
                "one row each, most first (minutes: newest); default total", by_names},
    [OPT_LIMIT] = {"limit", 0, SEK_ARG_NUMBER, "N", "at most so many rows; default 100, 0 = all",
                   NULL, 0, UINT32_MAX - 1},
    [N_OPTS] = {0},
};

enum {
    KEY,
    MACHINE,
    QUERIES,
    CACHED,
    PASSED,
    NXDOMAIN,
    FAILED,
    LOCAL,
    HITS,
    N_ENDPOINTS,
    N_DOMAINS,
    FIRST,
    LAST,
    MACHINE_NAME, /* and the three behind it */
    N_COLS = MACHINE_NAME + 4
};

struct run {
    struct sek_out *out;
    uint64_t n, limit;
    bool cut, by_endpoint;
    struct sek_machines machines;
};

static bool one_row(void *arg, const struct sek_traffic_row *t)
{
    struct run *r = arg;
    r->cut = r->limit && r->n >= r->limit;
    if (r->cut)
        return false;
    r->n++;
    sek_out_text(r->out, KEY, t->key);
    sek_out_uint(r->out, QUERIES, t->queries);
    sek_out_uint(r->out, CACHED, t->cached);
    sek_out_uint(r->out, PASSED, t->passed);
    sek_out_uint(r->out, NXDOMAIN, t->nxdomain);
    sek_out_uint(r->out, FAILED, t->failed);
    sek_out_uint(r->out, LOCAL, t->local);
    sek_out_uint(r->out, HITS, t->hits);
    sek_out_uint(r->out, N_ENDPOINTS, t->n_endpoints);
    sek_out_uint(r->out, N_DOMAINS, t->n_domains);
    if (t->queries) {
        sek_out_int(r->out, FIRST, t->first_ms);
        sek_out_int(r->out, LAST, t->last_ms);
    }
    if (r->by_endpoint)
        sek_machines_put(&r->machines, r->out, MACHINE, MACHINE_NAME, t->key, t->last_ms / 1000);
    return sek_out_row(r->out);
}

struct filter {
    int64_t since_s, until_s;
    const char *endpoint, *domain;
    enum sek_traffic_by by;
    struct sek_buf endpoint_text; /* an address or spans */
    char domain_text[SEK_NAME_TEXT_MAX];
};

static enum sek_err read_filter(struct sek_context *c, struct filter *f)
{
    const struct sek_arg_value *opt = c->opt;
    f->since_s = opt[OPT_SINCE].given ? opt[OPT_SINCE].number : c->now_s - SINCE_DEFAULT_S;
    f->until_s = opt[OPT_UNTIL].number;
    f->by = (enum sek_traffic_by)opt[OPT_BY].number;
    if (opt[OPT_ENDPOINT].given) {
        enum sek_err e =
            sek_machines_selector(c, "--endpoint", opt[OPT_ENDPOINT].text, &f->endpoint_text);
        if (e)
            return e;
        f->endpoint = f->endpoint_text.data;
    }
    if (opt[OPT_DOMAIN].given) {
        struct sek_name name;
        struct sek_diag why;
        const char *text = opt[OPT_DOMAIN].text;
        if (sek_name_from_text(text, strlen(text), &name, &why))
            return sek_context_usage(c, "--domain: %s", why.text);
        sek_name_to_text(name.octets, f->domain_text);
        f->domain = f->domain_text;
    }
    return SEK_OK;
}

static enum sek_err report(struct sek_context *c, struct sek_report *events, const struct filter *f,
                           struct run *r)
{
    const char *by = sek_lookup_name(by_names, (int)f->by);
    enum sek_col_place key_place = f->by == SEK_TRAFFIC_TOTAL ? SEK_COL_NOWHERE : SEK_COL_BOTH;
    struct sek_col cols[] = {
        [KEY] = {by, sek_lookup_name(by_titles, (int)f->by),
                 f->by == SEK_TRAFFIC_DOMAIN ? SEK_COL_NAME : SEK_COL_TEXT, NULL, 0, key_place},
        [MACHINE] = SEK_MACHINE_COL,
        [QUERIES] = {"queries", "Queries", SEK_COL_UINT},
        [CACHED] = {"cached", "Cached", SEK_COL_UINT},
        [PASSED] = {"passed", "Resolved", SEK_COL_UINT},
        [NXDOMAIN] = {"nxdomain", "NXDOMAIN", SEK_COL_UINT},
        [FAILED] = {"failed", "Failed", SEK_COL_UINT},
        [LOCAL] = {"local", "Local", SEK_COL_UINT},
        [HITS] = {"hits", "Hits", SEK_COL_UINT},
        [N_ENDPOINTS] = {"endpoints", "Endpoints", SEK_COL_UINT},
        [N_DOMAINS] = {"domains", "Domains", SEK_COL_UINT},
        [FIRST] = {"first", "First (UTC)", SEK_COL_TIME_MS},
        [LAST] = {"last", "Last (UTC)", SEK_COL_TIME_MS},
        [MACHINE_NAME] = SEK_MACHINE_NAME_COL,
        [MACHINE_NAME + 1] = SEK_MACHINE_MAC_COL,
        [MACHINE_NAME + 2] = SEK_MACHINE_OWNER_COL,
        [MACHINE_NAME + 3] = SEK_MACHINE_GROUP_COL,
    };
    enum sek_out_shape shape = f->by == SEK_TRAFFIC_TOTAL ? SEK_OUT_RECORD : SEK_OUT_ROWS;
    r->by_endpoint = f->by == SEK_TRAFFIC_ENDPOINT;
    if (r->by_endpoint)
        sek_machines_open(&r->machines, c);
    sek_machines_hide(&r->machines, &cols[MACHINE]);
    sek_out_begin(c->out, "sekisho.stats/1", cols, r->by_endpoint ? N_COLS : MACHINE_NAME, shape);
    unsigned limit = r->limit ? (unsigned)r->limit + 1 : 0;
    enum sek_err e = sek_report_traffic(events, f->since_s, f->until_s, f->endpoint, f->domain,
                                        f->by, limit, one_row, r, &c->diag);
    sek_machines_close(&r->machines);
    return e ? e : sek_out_end(c->out, &c->diag);
}

static enum sek_err run_filtered(struct sek_context *c, const struct filter *f)
{
    struct sek_report *events = NULL;
    struct run r = {.out = c->out, .limit = LIMIT_DEFAULT};
    if (c->opt[OPT_LIMIT].given)
        r.limit = (uint64_t)c->opt[OPT_LIMIT].number;
    enum sek_err e = sek_hit_report_open(c, &events);
    if (e)
        return e;
    e = report(c, events, f, &r);
    sek_report_close(events);
    if (!e && r.n == 0)
        return sek_context_none(c, "no queries in that time");
    if (!e && r.cut && !c->opt[OPT_LIMIT].given)
        sek_talk("only the first %u rows; --limit 0 shows all", LIMIT_DEFAULT);
    return e;
}

enum sek_err sek_cmd_stats(struct sek_context *c)
{
    struct filter f = {0};
    sek_buf_init(&f.endpoint_text, 0);
    enum sek_err e = read_filter(c, &f);
    if (!e)
        e = run_filtered(c, &f);
    sek_buf_fini(&f.endpoint_text);
    return e;
}
