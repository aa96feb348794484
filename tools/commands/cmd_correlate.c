/* SPDX-License-Identifier: BSD-3-Clause */
/* `correlate`: hits beside what outside logs tell of the same endpoints. */
#include "base/duration.h"
#include "name/suffix.h"
#include "store/inventory.h"
#include "store/outside.h"
#include "store/report_answers.h"
#include "store/report_neighbours.h"
#include "tools/command.h"
#include "tools/input/logfiles.h"
#include "tools/input/textlines.h"
#include "tools/print/talk.h"
#include "tools/views/correlateview.h"
#include "tools/views/hitview.h"
#include "tools/views/machines.h"
#include "watch/sinkhole_list.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(correlate);

#define WINDOW_DEFAULT_S 600
#define GRACE_DEFAULT_S 86400
#define LIMIT_DEFAULT 1000
#define DAY_MS 86400000LL
#define EARLY_MS 2000   /* times of a log may be cut to the second */
#define AHEAD_MS 300000 /* clocks differ; a line later than that is of the future */
#define NAMES_KEPT 64
#define HELD 4096 /* questions to events.db in one go */

enum {
    OPT_WITH,
    OPT_MAP,
    OPT_ENDPOINT,
    OPT_SINCE,
    OPT_UNTIL,
    OPT_WINDOW,
    OPT_GRACE,
    OPT_ZONE,
    OPT_FAST,
    OPT_SLOW,
    OPT_ALLOW,
    OPT_ALLOW_LIST,
    OPT_ALL,
    OPT_LIMIT,
    N_OPTS
};
const struct sek_arg sek_cmd_correlate_args[] = {
    [OPT_WITH] = {"with", 'w', SEK_ARG_TEXTS, "FILE", "a log, gzip or not, - for standard input"},
    [OPT_MAP] = {"with-map", 'm', SEK_ARG_TEXT, "FILE",
                 "which column is what: a map's file, or " SEK_LOGFILES_MAPS
                 "; default: the first of these that fits"},
    [OPT_ENDPOINT] = {"endpoint", 'e', SEK_ARG_TEXT, "ENDPOINT", "of this client only"},
    [OPT_SINCE] = {"since", 's', SEK_ARG_TIME, "TIME", "only lines from then on"},
    [OPT_UNTIL] = {"until", 'u', SEK_ARG_TIME, "TIME", "only lines before then"},
    [OPT_WINDOW] = {"window", 0, SEK_ARG_DURATION, "TIME",
                    "how long after a hit a connection counts as its own; default 10m"},
    [OPT_GRACE] = {"grace", 0, SEK_ARG_DURATION, "TIME",
                   "how long before a connection DNS may have been asked; default 1d"},
    [OPT_ZONE] =
        {"zone", 0, SEK_ARG_TEXT, "ZONE",
         "of times in the logs that do not say it, +09:00 or Europe/Berlin; default UTC or "
         "the map's"},
    [OPT_FAST] = {"clock-fast", 0, SEK_ARG_DURATION, "TIME", "the log's clock is ahead by so much"},
    [OPT_SLOW] = {"clock-slow", 0, SEK_ARG_DURATION, "TIME",
                  "the log's clock is behind by so much"},
    [OPT_ALLOW] = {"allow", 0, SEK_ARG_TEXTS, "NET",
                   "networks that may be connected to without DNS: 192.0.2.0/24"},
    [OPT_ALLOW_LIST] = {"allow-list", 0, SEK_ARG_TEXT, "FILE", "the same, a network a line"},
    [OPT_ALL] = {"all", 0, SEK_ARG_FLAG, NULL,
                 "also connections that DNS explains and that follow no hit"},
    [OPT_LIMIT] = {"limit", 0, SEK_ARG_NUMBER, "N",
                   "at most so many lines of the timeline; default 1000, 0 = all", NULL, 0,
                   UINT32_MAX - 1},
    [N_OPTS] = {0},
};

struct named { /* the address that a machine had, as it was looked up last */
    char name[256];
    struct sek_span span;
};

struct range { /* Unix milliseconds; first > last: empty */
    int64_t first_ms, last_ms;
};
static const struct range empty = {INT64_MAX, INT64_MIN};

struct work {
    struct sek_context *c;
    struct sek_report *report;
    struct sek_outside *outside;
    struct sek_given *given;
    struct sek_led *led;
    struct sek_suffix *suffix;
    struct sek_policydb *db;         /* NULL: no inventory */
    struct sek_sinkholes *sinkholes; /* of others */
    struct sek_logfiles *logs;
    struct sek_buf only; /* struct sek_span; of all, unless has_only */
    struct sek_buf selector;
    bool has_only;
    struct sek_buf allowed; /* struct sek_net */
    int64_t skew_ms, window_ms, grace_s;
    struct range all, conns; /* of the logs' lines, and of those of connections */
    struct range recorded;   /* of events.db */
    struct named *names;
    unsigned n_held;
    uint64_t n_lines, n_else, n_asked, n_conns, n_strange, n_ahead, n_hits_elsewhere;
    const struct sek_outside_hit *hit; /* whose connections are looked for */
    enum sek_outside_came came;        /* the most that was found of them */
    struct sek_name hit_domain;
    bool has_hit_domain;
};

/* --- the logs ----------------------------------------------------------------------------------
 */

struct at_time {
    int64_t time_s;
    struct sek_span *out;
    bool found;
};

static bool take_span(void *arg, const struct sek_span *span)
{
    struct at_time *t = arg;
    t->found = span->from_s <= t->time_s && t->time_s < span->until_s;
    if (t->found)
        *t->out = *span;
    return !t->found;
}

/* The address of the machine that the log calls by name. False: nobody knows. */
static bool find_source(struct work *w, struct sek_log_line *line)
{
    size_t slot = 0;
    int64_t time_s = line->time_ms / 1000;
    for (const char *p = line->source_name; *p; p++)
        slot = slot * 31 + (unsigned char)*p;
    struct named *known = &w->names[slot % NAMES_KEPT];
    bool same = strcmp(known->name, line->source_name) == 0;
    if (!same || time_s < known->span.from_s || time_s >= known->span.until_s) {
        struct at_time t = {.time_s = time_s, .out = &known->span};
        if (!w->db ||
            sek_inventory_find(w->db, line->source_name, w->c->now_s, 1000, take_span, &t, NULL) ||
            !t.found)
            return false;
        snprintf(known->name, sizeof known->name, "%s", line->source_name);
    }
    line->source = known->span.addr;
    return true;
}

static void extend(struct range *r, int64_t time_ms)
{
    r->first_ms = time_ms < r->first_ms ? time_ms : r->first_ms;
    r->last_ms = time_ms > r->last_ms ? time_ms : r->last_ms;
}

/* Which time the logs tell of. The clock that made events.db may be another machine's. */
static void note_time(struct work *w, const struct sek_log_line *line)
{
    int64_t now_ms = w->c->now_s * 1000;
    if (w->recorded.last_ms > now_ms)
        now_ms = w->recorded.last_ms;
    w->n_ahead += line->time_ms > now_ms + AHEAD_MS;
    extend(&w->all, line->time_ms);
    if (line->outcome != SEK_OUTSIDE_ASKED)
        extend(&w->conns, line->time_ms);
}

static enum sek_err take_line(void *arg, struct sek_log_line *line, struct sek_diag *diag)
{
    struct work *w = arg;
    const struct sek_arg_value *opt = w->c->opt;
    line->time_ms -= w->skew_ms;
    int64_t time_s = line->time_ms / 1000;
    if ((opt[OPT_SINCE].given && time_s < opt[OPT_SINCE].number) ||
        (opt[OPT_UNTIL].given && time_s >= opt[OPT_UNTIL].number))
        return SEK_OK;
    note_time(w, line);
    if (!line->has_source && !find_source(w, line)) {
        w->n_strange++;
        return SEK_OK;
    }
    if (w->has_only && !sek_machines_kept(&w->only, &line->source, time_s, time_s))
        return SEK_OK;
    const struct sek_outside_conn conn = {.endpoint = line->source,
                                          .address = line->destination,
                                          .has_address = line->has_destination,
                                          .name = line->name,
                                          .port = line->port,
                                          .action = line->action,
                                          .outcome = (int)line->outcome,
                                          .first_ms = line->time_ms,
                                          .last_ms = line->time_ms,
                                          .n = 1};
    w->n_conns++;
    w->n_asked += line->outcome == SEK_OUTSIDE_ASKED;
    return sek_outside_add_conn(w->outside, &conn, diag);
}

static enum sek_err read_file(struct work *w, const char *path)
{
    return sek_logfiles_read(w->logs, path, take_line, w, &w->n_lines, &w->n_else, &w->c->diag);
}

static enum sek_err read_files(struct work *w)
{
    const struct sek_arg_value *with = &w->c->opt[OPT_WITH];
    enum sek_err e = SEK_OK;
    for (int i = 0; !e && i < w->c->n_args; i++)
        e = read_file(w, w->c->args[i]);
    for (int64_t i = 0; !e && with->given && i < with->number; i++)
        e = read_file(w, with->texts[i]);
    return e;
}

/* --- the hits ----------------------------------------------------------------------------------
 */

struct hits {
    struct work *w;
    enum sek_err err;
};

/* Registered domain as text; "" none. */
static void domain_of(const struct work *w, const char *name_text, char out[SEK_NAME_TEXT_MAX])
{
    struct sek_name name, domain;
    out[0] = '\0';
    if (sek_name_from_text(name_text, strlen(name_text), &name, NULL))
        return;
    int labels = sek_suffix_registered(w->suffix, &name);
    if (labels < 0)
        return;
    sek_name_parent(&name, (unsigned)labels, &domain);
    sek_name_to_text(domain.octets, out);
}

static bool one_hit(void *arg, const struct sek_hit *hit)
{
    struct hits *h = arg;
    struct work *w = h->w;
    struct sek_outside_hit row = {.name = hit->name,
                                  .list = hit->list,
                                  .action = hit->action,
                                  .monitor = hit->monitor,
                                  .decision = hit->decision,
                                  .first_ms = hit->first_ms,
                                  .last_ms = hit->last_ms,
                                  .n = hit->count};
    char domain[SEK_NAME_TEXT_MAX];
    bool has = false;
    if (sek_addr_from_text(hit->endpoint, &row.endpoint, NULL))
        return true;
    h->err = sek_outside_has(w->outside, &row.endpoint, &has, &w->c->diag);
    if (!h->err && !has)
        w->n_hits_elsewhere += hit->count;
    if (h->err || !has)
        return !h->err;
    domain_of(w, hit->name, domain);
    row.domain = domain;
    h->err = sek_outside_add_hit(w->outside, &row, &w->c->diag);
    return !h->err;
}

/* Those of the time that the logs tell of; a hit before their begin may have led to it. */
static enum sek_err read_hits(struct work *w)
{
    struct sek_context *c = w->c;
    struct hits h = {.w = w};
    struct sek_hit_filter f = {.since_s = (w->all.first_ms - w->window_ms) / 1000,
                               .until_s = w->all.last_ms / 1000 + 1,
                               .endpoint = w->has_only ? w->selector.data : NULL};
    if (w->n_conns == 0)
        return SEK_OK;
    enum sek_err e = sek_report_hits(w->report, &f, one_hit, &h, &c->diag);
    return h.err ? h.err : e;
}

/* --- what belongs together ---------------------------------------------------------------------
 */

/* Unset addresses (0.0.0.0, ::) lead nowhere. */
static bool is_sinkhole(const struct work *w, const struct sek_addr *a)
{
    static const uint8_t none[16];
    const struct sek_conf *conf = &w->c->conf;
    const struct sek_addr *own = sek_addr_is_v4(a) ? &conf->answer.ipv4 : &conf->answer.ipv6;
    return memcmp(own->octets + 12, none, 4) != 0 && sek_addr_equal(a, own);
}

/* Before each row that asks events.db. */
static void hold(struct work *w)
{
    if (w->n_held++ % HELD)
        return;
    sek_report_release(w->report);
    sek_report_hold(w->report);
}

static enum sek_outside_came came_of(int outcome, bool sinkhole)
{
    static const enum sek_outside_came of[] = {[SEK_OUTSIDE_CONNECTED] = SEK_CAME_CONNECTED,
                                               [SEK_OUTSIDE_ATTEMPTED] = SEK_CAME_ATTEMPTED,
                                               [SEK_OUTSIDE_FAILED] = SEK_CAME_FAILED,
                                               [SEK_OUTSIDE_DENIED] = SEK_CAME_DENIED,
                                               [SEK_OUTSIDE_ASKED] = SEK_CAME_NOTHING};
    if (sinkhole && outcome != SEK_OUTSIDE_ASKED)
        return outcome == SEK_OUTSIDE_CONNECTED ? SEK_CAME_SINKHOLE : SEK_CAME_SINKHOLE_ATTEMPTED;
    return of[outcome];
}

/* Is the connection what the hit led to? To the sinkhole, to the name itself by a proxy, or to an
 * address that DNS gave for its domain on the days around it. The search ends at one that came
 * about; questions for the name belong to the hit, but nothing came of them. */
static enum sek_err one_after(void *arg, const struct sek_outside_conn *conn, bool *more)
{
    struct work *w = arg;
    const struct sek_outside_hit *hit = w->hit;
    struct sek_diag *diag = &w->c->diag;
    enum sek_err e = SEK_OK;
    bool asked = conn->outcome == SEK_OUTSIDE_ASKED;
    bool sent_there = hit->action == SEK_ACTION_SINKHOLE && !hit->monitor;
    bool sinkhole = sent_there && conn->has_address && is_sinkhole(w, &conn->address);
    bool led = sinkhole || (*conn->name && strcmp(conn->name, hit->name) == 0);
    if (!led && !asked && conn->has_address && w->has_hit_domain) {
        int64_t from = hit->first_ms / DAY_MS - (w->grace_s * 1000 + DAY_MS - 1) / DAY_MS;
        e = sek_led_ask(w->led, &w->hit_domain, &conn->address, from, conn->last_ms / DAY_MS, &led,
                        diag);
    }
    if (e || !led)
        return e;
    enum sek_outside_came came = came_of(conn->outcome, sinkhole);
    w->came = came > w->came ? came : w->came;
    *more = came != SEK_CAME_CONNECTED;
    return sek_outside_set_follows(w->outside, conn->id, hit->id, diag);
}

static enum sek_err follow_hit(void *arg, const struct sek_outside_hit *hit)
{
    struct work *w = arg;
    bool inside = hit->last_ms >= w->conns.first_ms && hit->first_ms <= w->conns.last_ms;
    w->hit = hit;
    w->came = inside ? SEK_CAME_NOTHING : SEK_CAME_OUTSIDE;
    hold(w);
    w->has_hit_domain = *hit->domain && sek_name_from_text(hit->domain, strlen(hit->domain),
                                                           &w->hit_domain, NULL) == SEK_OK;
    enum sek_err e = sek_outside_after(w->outside, &hit->endpoint, hit->first_ms - EARLY_MS,
                                       hit->last_ms + w->window_ms, one_after, w, &w->c->diag);
    return e ? e : sek_outside_set_came(w->outside, hit->id, w->came, &w->c->diag);
}

static bool is_allowed(const struct work *w, const struct sek_addr *a)
{
    const struct sek_net *nets = (const void *)w->allowed.data;
    bool in = !sek_addr_is_global(a);
    for (size_t i = 0; i < w->allowed.len / sizeof *nets && !in; i++)
        in = sek_net_has(&nets[i], a);
    return in;
}

static enum sek_err judge_conn(void *arg, const struct sek_outside_conn *conn, bool *more)
{
    static const enum sek_outside_as of[] = {[SEK_GIVEN] = SEK_OUTSIDE_GIVEN,
                                             [SEK_GIVEN_TO_OTHERS] = SEK_OUTSIDE_OTHERS,
                                             [SEK_GIVEN_NEVER] = SEK_OUTSIDE_NEVER,
                                             [SEK_GIVEN_UNKNOWN] = SEK_OUTSIDE_UNKNOWN};
    struct work *w = arg;
    struct sek_diag *diag = &w->c->diag;
    char domain[SEK_NAME_TEXT_MAX] = "";
    enum sek_given_as given = SEK_GIVEN_UNKNOWN;
    enum sek_outside_as as = SEK_OUTSIDE_NO_ADDRESS;
    enum sek_err e = SEK_OK;
    (void)more;
    hold(w);
    if (conn->outcome == SEK_OUTSIDE_ASKED) {
        as = SEK_OUTSIDE_QUESTION;
    } else if (conn->has_address && is_sinkhole(w, &conn->address)) {
        as = SEK_OUTSIDE_OUR_SINKHOLE;
    } else if (conn->has_address && sek_sinkholes_address(w->sinkholes, &conn->address)) {
        as = SEK_OUTSIDE_A_SINKHOLE;
    } else if (conn->has_address && is_allowed(w, &conn->address)) {
        as = SEK_OUTSIDE_ALLOWED;
    } else if (conn->has_address) {
        e = sek_given_ask(w->given, &conn->endpoint, &conn->address, conn->first_ms / 1000, &given,
                          domain, diag);
        as = of[given];
    }
    return e ? e : sek_outside_set_as(w->outside, conn->id, as, domain, diag);
}

/* --- what is told besides ----------------------------------------------------------------------
 */

static void tell_times(const struct work *w)
{
    const struct range *logs = &w->all, *ours = &w->recorded;
    char at[4][32];
    if (w->n_ahead)
        sek_talk("lines with times in the future: %" PRIu64
                 ", up to %s: is their zone (--zone) or clock (--clock-fast) another?",
                 w->n_ahead, sek_time_to_text(logs->last_ms / 1000, at[0], sizeof at[0]));
    if (logs->first_ms > logs->last_ms || ours->first_ms > ours->last_ms ||
        (logs->last_ms >= ours->first_ms && logs->first_ms <= ours->last_ms))
        return;
    sek_talk("the logs (%s to %s) and what the resolver recorded (%s to %s) have no time in "
             "common: is their zone (--zone) or clock another?",
             sek_time_to_text(logs->first_ms / 1000, at[0], sizeof at[0]),
             sek_time_to_text(logs->last_ms / 1000, at[1], sizeof at[1]),
             sek_time_to_text(ours->first_ms / 1000, at[2], sizeof at[2]),
             sek_time_to_text(ours->last_ms / 1000, at[3], sizeof at[3]));
}

static void tell_counts(const struct work *w)
{
    sek_talk("lines read: %" PRIu64 ", within what was asked for: %" PRIu64, w->n_lines,
             w->n_conns);
    if (w->n_else)
        sek_talk("lines about something else: %" PRIu64, w->n_else);
    if (w->n_asked)
        sek_talk("lines that are questions to DNS, not connections: %" PRIu64, w->n_asked);
    if (w->n_strange)
        sek_talk("lines of machines that the inventory does not know: %" PRIu64, w->n_strange);
    if (w->n_hits_elsewhere)
        sek_talk("hits of that time of endpoints that the logs do not have: %" PRIu64,
                 w->n_hits_elsewhere);
    tell_times(w);
}

static enum sek_err correlate(struct work *w)
{
    struct sek_context *c = w->c;
    struct sek_correlate_view view = {.c = c, .window_s = w->window_ms / 1000};
    enum sek_err e = read_files(w);
    if (!e)
        e = read_hits(w);
    if (!e)
        e = sek_outside_hits(w->outside, follow_hit, w, &c->diag);
    if (!e)
        e = sek_outside_open_conns(w->outside, judge_conn, w, &c->diag);
    sek_report_release(w->report);
    if (e)
        return e;
    view.limit = c->opt[OPT_LIMIT].given ? (uint64_t)c->opt[OPT_LIMIT].number : LIMIT_DEFAULT;
    view.every = c->opt[OPT_ALL].given;
    e = sek_correlate_put(&view, w->outside);
    if (e)
        return e;
    tell_counts(w);
    if (view.cut && !c->opt[OPT_LIMIT].given)
        sek_talk("only the first %d lines; --limit 0 shows all", LIMIT_DEFAULT);
    return view.n ? SEK_OK
                  : sek_context_none(c, "no hits, and no connection that DNS did not give");
}

/* --- options -----------------------------------------------------------------------------------
 */

static enum sek_err add_net(struct work *w, const char *text, struct sek_diag *diag)
{
    struct sek_net net;
    enum sek_err e = sek_net_from_text(text, &net, diag);
    if (!e)
        sek_buf_add(&w->allowed, &net, sizeof net);
    return e;
}

static enum sek_err net_line(void *arg, char *line, struct sek_diag *diag)
{
    line[strcspn(line, "#")] = '\0';
    line += strspn(line, " \t");
    line[strcspn(line, " \t")] = '\0';
    enum sek_err e = *line ? add_net(arg, line, diag) : SEK_OK;
    return e == SEK_OK ? e : SEK_E_INVALID;
}

static enum sek_err read_nets(struct work *w)
{
    struct sek_context *c = w->c;
    const struct sek_arg_value *allow = &c->opt[OPT_ALLOW];
    struct sek_diag why = {0};
    uint64_t n_bad = 0;
    for (int64_t i = 0; allow->given && i < allow->number; i++)
        if (add_net(w, allow->texts[i], &why))
            return sek_context_usage(c, "--allow: %s", why.text);
    if (!c->opt[OPT_ALLOW_LIST].given)
        return SEK_OK;
    enum sek_err e = sek_textlines_read(c->opt[OPT_ALLOW_LIST].text, net_line, w, &n_bad, &c->diag);
    if (!e && n_bad)
        return sek_diag_set(&c->diag, SEK_E_INVALID, "%.200s: %" PRIu64 " lines are no networks",
                            c->opt[OPT_ALLOW_LIST].text, n_bad);
    return e;
}

static enum sek_err read_maps(struct work *w)
{
    struct sek_context *c = w->c;
    const struct sek_arg_value *zone = &c->opt[OPT_ZONE], *map = &c->opt[OPT_MAP];
    struct sek_zone_changes z = {.n = 0};
    struct sek_diag why = {0};
    if (zone->given && sek_zone_from_text(zone->text, &z, &why))
        return sek_context_usage(c, "--zone: %s", why.text);
    return sek_logfiles_open(map->given ? map->text : NULL, zone->given ? &z : NULL, c->now_s,
                             &w->logs, &c->diag);
}

static enum sek_err read_options(struct work *w)
{
    struct sek_context *c = w->c;
    const struct sek_arg_value *opt = c->opt;
    if (c->n_args == 0 && !opt[OPT_WITH].given)
        return sek_context_usage(c, "correlate: name a log, or - for standard input");
    w->window_ms = 1000 * (opt[OPT_WINDOW].given ? opt[OPT_WINDOW].number : WINDOW_DEFAULT_S);
    w->grace_s = opt[OPT_GRACE].given ? opt[OPT_GRACE].number : GRACE_DEFAULT_S;
    w->skew_ms = 1000 * ((opt[OPT_FAST].given ? opt[OPT_FAST].number : 0) -
                         (opt[OPT_SLOW].given ? opt[OPT_SLOW].number : 0));
    w->has_only = opt[OPT_ENDPOINT].given;
    enum sek_err e = SEK_OK;
    if (w->has_only)
        e = sek_machines_keep(c, "--endpoint", opt[OPT_ENDPOINT].text, &w->only);
    if (w->has_only && !e)
        e = sek_machines_selector(c, "--endpoint", opt[OPT_ENDPOINT].text, &w->selector);
    if (!e)
        e = read_nets(w);
    return e ? e : read_maps(w);
}

static enum sek_err read_range(struct work *w)
{
    struct sek_eventsdb_facts facts;
    enum sek_err e = sek_report_facts(w->report, &facts, &w->c->diag);
    if (!e && facts.newest_ms) /* minutes */
        w->recorded = (struct range){facts.oldest_ms, facts.newest_ms + 59999};
    return e;
}

static enum sek_err open_all(struct work *w)
{
    struct sek_context *c = w->c;
    const struct sek_conf *conf;
    enum sek_err e = sek_hit_report_open(c, &w->report);
    if (!e)
        e = sek_context_conf(c, &conf);
    if (!e)
        e = sek_suffix_open(*conf->suffix.list ? conf->suffix.list : NULL, &w->suffix, &c->diag);
    if (!e)
        e = sek_given_open(w->report, w->grace_s, &w->given, &c->diag);
    if (!e)
        e = sek_led_open(w->report, &w->led, &c->diag);
    if (!e)
        e = sek_sinkholes_open(conf->sinkholed.list, &w->sinkholes, &c->diag);
    if (!e)
        e = sek_outside_open(&w->outside, &c->diag);
    if (!e)
        e = read_range(w);
    if (!e)
        (void)sek_policydb_open(conf->policy.db, false, &w->db, NULL); /* may be another's */
    return e;
}

enum sek_err sek_cmd_correlate(struct sek_context *c)
{
    struct work w = {.c = c, .all = empty, .conns = empty, .recorded = empty};
    sek_buf_init(&w.allowed, 0);
    sek_buf_init(&w.only, 0);
    sek_buf_init(&w.selector, 0);
    w.names = calloc(NAMES_KEPT, sizeof *w.names);
    enum sek_err e =
        w.names ? read_options(&w) : sek_diag_set(&c->diag, SEK_E_NOMEM, "out of memory");
    if (!e)
        e = open_all(&w);
    if (!e)
        e = correlate(&w);
    sek_outside_close(w.outside);
    sek_led_close(w.led);
    sek_given_close(w.given);
    sek_logfiles_close(w.logs);
    sek_sinkholes_close(w.sinkholes);
    sek_suffix_close(w.suffix);
    sek_policydb_close(w.db);
    sek_report_close(w.report);
    sek_buf_fini(&w.allowed);
    sek_buf_fini(&w.only);
    sek_buf_fini(&w.selector);
    free(w.names);
    return e;
}
