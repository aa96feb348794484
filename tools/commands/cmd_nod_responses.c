/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses that DNS gave for tracked names: `nod responses`. */
#include "tools/command.h"
#include "base/duration.h"
#include "tools/views/geoopen.h"
#include "tools/views/hitview.h"
#include "policy/rule.h"
#include "store/report_responses.h"
#include "tools/print/talk.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(nod_responses);

#define LIMIT_DEFAULT 100 /* rows */

enum { OPT_SINCE, OPT_NEW, OPT_LIMIT, N_OPTS };
static const struct sek_lookup new_words[] = {{SEK_NEWS_ADDRESS, "address"},
                                              {SEK_NEWS_NETWORK, "network"},
                                              {SEK_NEWS_COUNTRY, "country"},
                                              {0, NULL}};
const struct sek_arg sek_cmd_nod_responses_args[] = {
    [OPT_SINCE] = {"since", 's', SEK_ARG_TIME, "TIME", "first given then or later"},
    [OPT_NEW] = {"new", 0, SEK_ARG_CHOICE, "address|network|country",
                 "only what came after learning, with at least this new about it", new_words},
    [OPT_LIMIT] = {"limit", 0, SEK_ARG_NUMBER, "N", "at most so many rows; default 100, 0 = all",
                   NULL, 0, UINT32_MAX - 1},
    [N_OPTS] = {0},
};

enum { NAME, ADDRESS, ASN, NETWORK, COUNTRY, NEW, FIRST, LAST, ENDPOINT, N_COLS };
static const struct sek_col cols[] = {
    [NAME] = {"name", "Name", SEK_COL_NAME},
    [ADDRESS] = {"address", "Address", SEK_COL_TEXT},
    [ASN] = {"asn", "ASN", SEK_COL_UINT, NULL, 0, SEK_COL_FILLED},
    [NETWORK] = {"network", "Network", SEK_COL_TEXT, NULL, 0, SEK_COL_FILLED},
    [COUNTRY] = {"country", "Country", SEK_COL_TEXT, NULL, 0, SEK_COL_FILLED},
    [NEW] = {"new", "New", SEK_COL_TEXT},
    [FIRST] = {"first", "First (UTC)", SEK_COL_TIME_MS},
    [LAST] = {"last_day", "Last day", SEK_COL_TEXT},
    [ENDPOINT] = {"first_endpoint", "First given to", SEK_COL_TEXT},
};

struct rows {
    struct sek_out *out;
    struct sek_geo *geo;
    uint64_t n, limit; /* limit 0: all */
    bool cut;
};

static bool put(void *arg, const struct sek_response *one)
{
    struct rows *r = arg;
    struct sek_out *o = r->out;
    char name[SEK_NAME_TEXT_MAX], text[SEK_ADDR_TEXT_MAX], day[32];
    struct sek_geo_facts facts;
    r->cut = r->limit && r->n == r->limit;
    if (r->cut)
        return false;
    r->n++;
    sek_name_to_text(one->name, name);
    sek_out_text(o, NAME, name);
    sek_out_text(o, ADDRESS, sek_addr_to_text(&one->address, text));
    sek_geo_find(r->geo, &one->address, &facts);
    if (facts.asn)
        sek_out_uint(o, ASN, facts.asn);
    sek_out_text(o, NETWORK, *facts.network ? facts.network : NULL);
    sek_out_text(o, COUNTRY, *facts.country ? facts.country : NULL);
    sek_out_text(o, NEW, sek_lookup_name(sek_news_names, (int)one->news));
    sek_out_tint(o, NEW, one->news >= SEK_NEWS_NETWORK ? SEK_TINT_WARN : SEK_TINT_NONE);
    sek_out_int(o, FIRST, one->first_ms);
    sek_time_to_text(one->last_day * 86400, day, sizeof day);
    day[strcspn(day, "T")] = '\0';
    sek_out_text(o, LAST, day);
    sek_out_text(o, ENDPOINT, sek_addr_to_text(&one->endpoint, text));
    return sek_out_row(o);
}

static enum sek_err list(struct sek_context *c, const struct sek_conf *conf,
                         const struct sek_name *name)
{
    struct sek_report *report = NULL;
    struct rows r = {.out = c->out, .limit = LIMIT_DEFAULT};
    enum sek_err e = sek_hit_report_open(c, &report);
    if (e)
        return e;
    if (c->opt[OPT_LIMIT].given)
        r.limit = (uint64_t)c->opt[OPT_LIMIT].number;
    r.geo = sek_geo_open(conf, c->now_s);
    sek_out_begin(c->out, "sekisho.nod.responses/1", cols, N_COLS, SEK_OUT_ROWS);
    e = sek_report_responses(report, name, c->opt[OPT_SINCE].number * 1000,
                             (enum sek_news)c->opt[OPT_NEW].number, put, &r, &c->diag);
    if (!e)
        e = sek_out_end(c->out, &c->diag);
    sek_geo_free(r.geo);
    sek_report_close(report);
    if (!e && r.n == 0)
        return sek_context_none(c, conf->udr.domains.n ? "no such addresses are remembered"
                                                       : "no names are tracked (udr.domains)");
    if (!e && r.cut && !c->opt[OPT_LIMIT].given)
        sek_talk("only the first %u rows; --limit 0 shows all", LIMIT_DEFAULT);
    return e;
}

enum sek_err sek_cmd_nod_responses(struct sek_context *c)
{
    const struct sek_conf *conf;
    struct sek_name name;
    struct sek_diag why = {0};
    bool one = c->n_args > 0;
    enum sek_err e = sek_context_conf(c, &conf);
    if (!e && one && sek_name_from_text(c->args[0], strlen(c->args[0]), &name, &why))
        return sek_context_usage(c, "%s", why.text);
    return e ? e : list(c, conf, one ? &name : NULL);
}
