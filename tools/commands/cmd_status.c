/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/command.h"
#include "event/status.h"
#include "tools/feeds/feedview.h"
#include "policy/policy.h"
#include "store/exceptions.h"
#include "store/report.h"
#include "tools/print/talk.h"
#include "tools/views/recurrence.h"
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "base/banned.h"

SEK_COMMAND(status);
const struct sek_arg sek_cmd_status_args[] = {{0}};

enum {
    STATE,
    RUNNING,
    PID,
    THREADS,
    UPTIME,
    UNBOUND,
    POLICY,
    GENERATION,
    IN_FORCE,
    IN_FORCE_SINCE,
    PURGED,
    ON_DISK,
    NAMES,
    LISTS,
    STRICT,
    POLICY_TROUBLE,
    FEEDS,
    FEEDS_TROUBLE,
    INCIDENTS,
    RECURRING,
    EXCEPTIONS,
    EXCEPTIONS_IN_FORCE,
    EXCEPTIONS_EXPIRING,
    EXCEPTIONS_REQUESTED,
    EMERGENCY,
    EVENTS,
    EVENTS_TROUBLE,
    DB_SIZE,
    DB_HITS,
    DB_TRAFFIC,
    DB_OLDEST,
    DB_NEWEST,
    CLASSIFIER,
    CLASSIFIER_TROUBLE,
    DOMAINS,
    DOMAINS_TROUBLE,
    COUNTERS,
    N_COLS = COUNTERS + SEK_N_COUNTERS
};

static const struct sek_col fixed_cols[COUNTERS] = {
    [STATE] = {"state", "Resolver", SEK_COL_TEXT, NULL, 0, SEK_COL_PEOPLE},
    [RUNNING] = {"running", "Running", SEK_COL_FLAG, NULL, 0, SEK_COL_MACHINE},
    [PID] = {"pid", "Process", SEK_COL_UINT, NULL, 0, SEK_COL_MACHINE},
    [THREADS] = {"threads", "Threads", SEK_COL_UINT},
    [UPTIME] = {"uptime_s", "Running for", SEK_COL_DURATION},
    [UNBOUND] = {"unbound", "Built for Unbound", SEK_COL_TEXT},
    [POLICY] = {"policy", "Policy", SEK_COL_TEXT},
    [GENERATION] = {"generation", "Generation loaded", SEK_COL_UINT, NULL, 0, SEK_COL_MACHINE},
    [IN_FORCE] = {"in_force", "Generation in force", SEK_COL_UINT},
    [IN_FORCE_SINCE] = {"in_force_since", "  since", SEK_COL_TIME_MS},
    [PURGED] = {"in_force_purged", "  removed from cache", SEK_COL_UINT},
    [ON_DISK] = {"on_disk", "Generation on disk", SEK_COL_UINT},
    [NAMES] = {"names", "Names listed", SEK_COL_UINT},
    [LISTS] = {"lists", "Lists", SEK_COL_UINT},
    [STRICT] = {"strict", "Strict", SEK_COL_FLAG},
    [POLICY_TROUBLE] = {"policy_trouble", "Policy trouble", SEK_COL_TEXT, "none"},
    [FEEDS] = {"feeds", "Feeds", SEK_COL_UINT},
    [FEEDS_TROUBLE] = {"feeds_trouble", "Feed trouble", SEK_COL_TEXT},
    [INCIDENTS] = {"incidents", "Incidents", SEK_COL_UINT},
    [RECURRING] = {"incidents_recurring", "  closed, but recur", SEK_COL_UINT},
    [EXCEPTIONS] = {"exceptions", "Exceptions", SEK_COL_TEXT, NULL, 0, SEK_COL_PEOPLE},
    [EXCEPTIONS_IN_FORCE] = {"exceptions_in_force", "In force", SEK_COL_UINT, NULL, 0,
                             SEK_COL_MACHINE},
    [EXCEPTIONS_EXPIRING] = {"exceptions_expiring", "Expiring", SEK_COL_UINT, NULL, 0,
                             SEK_COL_MACHINE},
    [EXCEPTIONS_REQUESTED] = {"exceptions_requested", "Requested", SEK_COL_UINT, NULL, 0,
                              SEK_COL_MACHINE},
    [EMERGENCY] = {"emergency", "EMERGENCY", SEK_COL_TEXT},
    [EVENTS] = {"events", "Event database", SEK_COL_TEXT},
    [EVENTS_TROUBLE] = {"events_trouble", "Event trouble", SEK_COL_TEXT, "none"},
    [DB_SIZE] = {"events_octets", "  size", SEK_COL_OCTETS},
    [DB_HITS] = {"events_hit_rows", "  rows of hits", SEK_COL_UINT},
    [DB_TRAFFIC] = {"events_traffic_rows", "  rows of traffic", SEK_COL_UINT},
    [DB_OLDEST] = {"events_oldest", "  oldest", SEK_COL_TIME_MS},
    [DB_NEWEST] = {"events_newest", "  newest", SEK_COL_TIME_MS},
    [CLASSIFIER] = {"classifier", "Classifier", SEK_COL_TEXT},
    [CLASSIFIER_TROUBLE] = {"classifier_trouble", "  trouble", SEK_COL_TEXT, "none"},
    [DOMAINS] = {"domains", "History of domains", SEK_COL_TEXT},
    [DOMAINS_TROUBLE] = {"domains_trouble", "  trouble", SEK_COL_TEXT, "none"},
};
_Static_assert(N_COLS <= SEK_OUT_COLS_MAX, "a report holds that many columns");

/* What is known from one place or another; `have_` tells which. */
struct facts {
    bool have_page, alive, have_policy, have_db;
    struct sek_status_page page;
    uint64_t disk_generation, disk_names;
    unsigned disk_lists;
    struct sek_diag policy_diag, db_diag;
    struct sek_eventsdb_facts db;
    struct sek_feedview feeds;
    struct sek_incident_counts incidents;
    struct sek_exceptions_sum exceptions;
};

static const struct sek_lookup part_names[] = {
    {SEK_PART_ABSENT, "absent"}, {SEK_PART_OK, "ok"}, {SEK_PART_FAILED, "failed"}, {0, NULL}};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Who may not read policy.db is told nothing of feeds and exceptions. */
static void gather_policydb(const struct sek_conf *conf, int64_t now_s, struct facts *f)
{
    struct sek_policydb *db = NULL;
    if (sek_policydb_open(conf->policy.db, false, &db, NULL) == SEK_OK) {
        sek_feedview_sum(db, now_s, &f->feeds, NULL);
        (void)sek_exceptions_sum(db, now_s, conf->exceptions.warn_s, &f->exceptions, NULL);
    }
    sek_policydb_close(db);
}

static void gather(const struct sek_conf *conf, struct facts *f)
{
    const struct sek_status_page *page = NULL;
    if (sek_status_open(conf->status.path, &page, NULL) == SEK_OK) {
        f->have_page = true;
        sek_status_read(page, &f->page);
        f->alive = sek_status_alive(page, now_ms());
        sek_status_close(page);
    }
    struct sek_policy *policy = NULL;
    if (sek_policy_open_mapped(conf->policy.dir, &policy, &f->policy_diag) == SEK_OK) {
        f->have_policy = true;
        f->disk_generation = sek_policy_generation(policy);
        f->disk_names = sek_policy_n_names(policy);
        (void)sek_policy_lists(policy, &f->disk_lists);
        sek_policy_close(policy);
    }
    struct sek_report *report = NULL;
    enum sek_err e = sek_report_open(conf->events.db, &report, &f->db_diag);
    if (!e)
        e = sek_report_facts(report, &f->db, &f->db_diag);
    f->have_db = !e;
    sek_report_close(report);
}

static void put_resolver(struct sek_out *o, struct facts *f)
{
    struct sek_status_page *p = &f->page;
    char state[96];
    sek_out_flag(o, RUNNING, f->alive);
    if (f->alive)
        snprintf(state, sizeof state, "running, process %u", (unsigned)p->pid);
    else if (f->have_page)
        snprintf(state, sizeof state, "not running (process %u is gone or stuck)",
                 (unsigned)p->pid);
    else
        snprintf(state, sizeof state, "not running");
    sek_out_text(o, STATE, state);
    sek_out_tint(o, STATE, f->alive ? SEK_TINT_GOOD : SEK_TINT_BAD);
    if (!f->have_page)
        return;
    sek_out_uint(o, PID, p->pid);
    sek_out_text(o, UNBOUND, p->unbound);
    if (f->alive) {
        sek_out_uint(o, THREADS, p->n_threads);
        sek_out_int(o, UPTIME, (now_ms() - p->started_ms) / 1000);
    }
}

static void put_policy(struct sek_out *o, struct facts *f)
{
    struct sek_status_page *p = &f->page;
    enum sek_part_state state = f->have_policy ? SEK_PART_OK : SEK_PART_ABSENT;
    if (!f->have_policy && f->policy_diag.code != SEK_E_NOTFOUND)
        state = SEK_PART_FAILED;
    if (f->alive)
        state = (enum sek_part_state)p->policy_state;
    sek_out_text(o, POLICY, sek_lookup_name(part_names, (int)state));
    sek_out_tint(o, POLICY, state == SEK_PART_OK ? SEK_TINT_GOOD : SEK_TINT_BAD);
    if (f->have_policy) {
        sek_out_uint(o, ON_DISK, f->disk_generation);
        sek_out_uint(o, NAMES, f->disk_names);
        sek_out_uint(o, LISTS, f->disk_lists);
    } else {
        sek_out_text(o, POLICY_TROUBLE, f->policy_diag.text);
    }
    if (!f->alive)
        return;
    sek_out_flag(o, STRICT, p->strict != 0);
    sek_out_uint(o, GENERATION, p->generation);
    sek_out_uint(o, NAMES, p->n_names);
    sek_out_uint(o, LISTS, p->n_lists);
    if (p->in_force) {
        sek_out_uint(o, IN_FORCE, p->in_force);
        sek_out_int(o, IN_FORCE_SINCE, p->in_force_ms);
        sek_out_uint(o, PURGED, p->last_purged);
    }
    bool behind = f->have_policy && p->in_force != f->disk_generation;
    sek_out_tint(o, IN_FORCE, behind ? SEK_TINT_WARN : SEK_TINT_NONE);
    sek_out_text(o, POLICY_TROUBLE, p->policy_text);
    sek_out_tint(o, POLICY_TROUBLE, *p->policy_text ? SEK_TINT_BAD : SEK_TINT_NONE);
}

static void put_feeds(struct sek_out *o, const struct sek_feedview *v)
{
    char text[sizeof v->trouble + 32];
    unsigned n_others = v->n_failing + v->n_expired;
    if (v->n == 0)
        return;
    sek_out_uint(o, FEEDS, v->n);
    if (n_others == 0)
        return;
    snprintf(text, sizeof text, "%s", v->trouble);
    if (n_others > 1)
        snprintf(text, sizeof text, "%s; and %u more", v->trouble, n_others - 1);
    sek_out_text(o, FEEDS_TROUBLE, text);
    sek_out_tint(o, FEEDS_TROUBLE, v->worst == SEK_FEED_EXPIRED ? SEK_TINT_BAD : SEK_TINT_WARN);
}

static void put_incidents(struct sek_out *o, const struct sek_incident_counts *n)
{
    if (n->n_open)
        sek_out_uint(o, INCIDENTS, n->n_open);
    if (n->n_recurring)
        sek_out_uint(o, RECURRING, n->n_recurring);
    sek_out_tint(o, RECURRING, SEK_TINT_BAD);
}

static void put_exceptions(struct sek_out *o, const struct sek_exceptions_sum *s)
{
    char text[SEK_NAME_TEXT_MAX + 160];
    unsigned n_in_force = s->n[SEK_EXCEPTION_ACTIVE] + s->n[SEK_EXCEPTION_EXPIRING];
    sek_out_uint(o, EXCEPTIONS_IN_FORCE, n_in_force);
    sek_out_uint(o, EXCEPTIONS_EXPIRING, s->n[SEK_EXCEPTION_EXPIRING]);
    sek_out_uint(o, EXCEPTIONS_REQUESTED, s->n[SEK_EXCEPTION_REQUESTED]);
    if (n_in_force + s->n[SEK_EXCEPTION_REQUESTED] > 0) {
        snprintf(text, sizeof text, "%u in force, %u of them expiring; %u to be decided%s",
                 n_in_force, s->n[SEK_EXCEPTION_EXPIRING], s->n[SEK_EXCEPTION_REQUESTED],
                 s->n_review_due ? "; a yearly review is due: sekisho exception review" : "");
        sek_out_text(o, EXCEPTIONS, text);
        sek_out_tint(o, EXCEPTIONS, s->n_review_due ? SEK_TINT_WARN : SEK_TINT_NONE);
    }
    if (s->n_emergency_open == 0)
        return;
    snprintf(text, sizeof text,
             "%u exception%s made without approval and not reviewed, the last is %lld (%s, %s): "
             "sekisho exception reviewed",
             s->n_emergency_open, s->n_emergency_open == 1 ? "" : "s", (long long)s->emergency,
             s->emergency_rule, s->emergency_in_force ? "in force" : "over by now");
    sek_out_text(o, EMERGENCY, text);
    sek_out_tint(o, EMERGENCY, SEK_TINT_BAD);
}

static void put_events(struct sek_out *o, struct facts *f)
{
    struct sek_status_page *p = &f->page;
    enum sek_part_state state = f->have_db ? SEK_PART_OK : SEK_PART_ABSENT;
    if (!f->have_db && f->db_diag.code != SEK_E_NOTFOUND)
        state = SEK_PART_FAILED;
    if (f->alive)
        state = (enum sek_part_state)p->events_state;
    sek_out_text(o, EVENTS, sek_lookup_name(part_names, (int)state));
    sek_out_tint(o, EVENTS, state == SEK_PART_OK ? SEK_TINT_GOOD : SEK_TINT_BAD);
    const char *trouble = f->alive ? p->events_text : f->have_db ? "" : f->db_diag.text;
    sek_out_text(o, EVENTS_TROUBLE, trouble);
    sek_out_tint(o, EVENTS_TROUBLE, *trouble ? SEK_TINT_BAD : SEK_TINT_NONE);
    if (!f->have_db)
        return;
    sek_out_uint(o, DB_SIZE, f->db.size_octets);
    sek_out_uint(o, DB_HITS, f->db.n_hit_rows);
    sek_out_uint(o, DB_TRAFFIC, f->db.n_traffic_rows);
    if (f->db.newest_ms) {
        sek_out_int(o, DB_OLDEST, f->db.oldest_ms);
        sek_out_int(o, DB_NEWEST, f->db.newest_ms);
    }
}

/* A part of the running resolver, and its last trouble in the column behind. */
static void put_part(struct sek_out *o, unsigned col, bool is_off, uint32_t state, const char *text)
{
    sek_out_text(o, col, is_off ? "off" : sek_lookup_name(part_names, (int)state));
    if (is_off)
        return;
    sek_out_tint(o, col, state == SEK_PART_OK ? SEK_TINT_GOOD : SEK_TINT_BAD);
    sek_out_text(o, col + 1, text);
    sek_out_tint(o, col + 1, *text ? SEK_TINT_BAD : SEK_TINT_NONE);
}

static void put_detectors(struct sek_out *o, const struct sek_conf *conf, struct facts *f)
{
    struct sek_status_page *p = &f->page;
    bool is_off = conf->classify.mode == SEK_MODE_OFF && conf->dga.mode == SEK_MODE_OFF;
    if (!f->alive)
        return;
    put_part(o, CLASSIFIER, is_off, p->classifier_state, p->classifier_text);
    put_part(o, DOMAINS, is_off && conf->nod.mode == SEK_NOD_OFF, p->domains_state,
             p->domains_text);
}

/* Counters that should stay 0, and how bad it is when they do not. */
static enum sek_tint counter_tint(unsigned i)
{
    switch (i) {
    case SEK_COUNTER_LEAKED:
        return SEK_TINT_BAD;
    case SEK_COUNTER_RING_DROPPED:
    case SEK_COUNTER_TALLY_LOST_HITS:
    case SEK_COUNTER_TALLY_LOST:
    case SEK_COUNTER_DB_ERRORS:
    case SEK_COUNTER_FINDINGS_LOST:
    case SEK_COUNTER_POLICY_ERRORS:
        return SEK_TINT_WARN;
    default:
        return SEK_TINT_NONE;
    }
}

static enum sek_err print(struct sek_context *c, const struct sek_conf *conf, struct facts *f)
{
    struct sek_col cols[N_COLS];
    memcpy(cols, fixed_cols, sizeof fixed_cols);
    for (unsigned i = 0; i < SEK_N_COUNTERS; i++)
        cols[COUNTERS + i] = (struct sek_col){
            .key = sek_counter_info[i].name,
            .title = sek_counter_info[i].name,
            .kind = SEK_COL_UINT,
            .place = f->alive ? SEK_COL_BOTH : SEK_COL_MACHINE,
        };
    sek_out_begin(c->out, "sekisho.status/1", cols, N_COLS, SEK_OUT_RECORD);
    put_resolver(c->out, f);
    put_policy(c->out, f);
    put_feeds(c->out, &f->feeds);
    put_incidents(c->out, &f->incidents);
    put_exceptions(c->out, &f->exceptions);
    put_events(c->out, f);
    put_detectors(c->out, conf, f);
    for (unsigned i = 0; f->have_page && i < SEK_N_COUNTERS; i++) {
        sek_out_uint(c->out, COUNTERS + i, f->page.counter[i]);
        if (f->page.counter[i])
            sek_out_tint(c->out, COUNTERS + i, counter_tint(i));
    }
    sek_out_row(c->out);
    return sek_out_end(c->out, &c->diag);
}

enum sek_err sek_cmd_status(struct sek_context *c)
{
    const struct sek_conf *conf;
    struct facts f = {0};
    enum sek_err e = sek_context_conf(c, &conf);
    if (e)
        return e;
    gather(conf, &f);
    gather_policydb(conf, c->now_s, &f);
    sek_incident_count(c, &f.incidents);
    e = print(c, conf, &f);
    if (!f.alive)
        c->exit = SEK_EXIT_DOWN;
    return e;
}
