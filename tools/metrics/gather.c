/* SPDX-License-Identifier: BSD-3-Clause */
#include "gather.h"
#include "event/status.h"
#include "exposition.h"
#include "store/audit.h"
#include "store/exceptions.h"
#include "store/feeds.h"
#include "store/report_position.h"
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "base/banned.h"

#define FINDINGS_S 86400
#define DETECTORS_MAX 64

/* --- the resolver ------------------------------------------------------------------------------
 */

static void one(struct sek_buf *b, const char *name, const char *help, uint64_t n)
{
    sek_family(b, name, false, help);
    sek_sample_uint(b, name, NULL, n);
}

static void one_time(struct sek_buf *b, const char *name, const char *help, int64_t ms)
{
    sek_family(b, name, false, help);
    sek_sample_ms(b, name, NULL, ms);
}

static void parts(struct sek_buf *b, const struct sek_status_page *page)
{
    const struct {
        const char *name;
        uint32_t state;
    } all[] = {{"policy", page->policy_state},
               {"events", page->events_state},
               {"classifier", page->classifier_state},
               {"domains", page->domains_state}};
    sek_family(b, "sekisho_part_ok", false,
               "Whether a part of the module works; none where it is not in use.");
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].state != SEK_PART_ABSENT)
            sek_sample_uint(b, "sekisho_part_ok", (const char *[]){"part", all[i].name, NULL},
                            all[i].state == SEK_PART_OK);
}

static void counters(struct sek_buf *b, const struct sek_status_page *page)
{
    for (unsigned i = 0; i < SEK_N_COUNTERS; i++) {
        char name[80], help[160];
        snprintf(name, sizeof name, "sekisho_%s_total", sek_counter_info[i].name);
        snprintf(help, sizeof help, "Since the resolver started: %s.", sek_counter_info[i].help);
        sek_family(b, name, true, help);
        sek_sample_uint(b, name, NULL, page->counter[i]);
    }
}

static bool resolver(struct sek_buf *b, const struct sek_conf *conf, int64_t now_ms)
{
    const struct sek_status_page *mapped = NULL;
    static struct sek_status_page page; /* large */
    bool there = sek_status_open(conf->status.path, &mapped, NULL) == SEK_OK;
    bool alive = there && sek_status_alive(mapped, now_ms);
    one(b, "sekisho_up", "Whether the resolver runs with the module.", alive);
    if (there)
        sek_status_read(mapped, &page);
    sek_status_close(mapped);
    sek_family(b, "sekisho_build_info", false,
               "Versions of the command, and of the Unbound that the "
               "running module is built for.");
    sek_sample_uint(
        b, "sekisho_build_info",
        (const char *[]){"version", SEK_VERSION, "unbound", alive ? page.unbound : "", NULL}, 1);
    if (!alive)
        return there;
    one_time(b, "sekisho_start_time_seconds", "When the module started.", page.started_ms);
    one_time(b, "sekisho_heartbeat_time_seconds", "Last sign of life.", page.heartbeat_ms);
    one(b, "sekisho_threads", "Threads of the resolver.", page.n_threads);
    one(b, "sekisho_strict", "Whether it answers SERVFAIL without a policy.", page.strict);
    parts(b, &page);
    one(b, "sekisho_policy_generation", "Of the policy that was loaded last.", page.generation);
    one(b, "sekisho_policy_in_force", "Generation that every thread obeys.", page.in_force);
    one_time(b, "sekisho_policy_in_force_time_seconds", "Since when.", page.in_force_ms);
    one(b, "sekisho_policy_names", "Names in it.", page.n_names);
    one(b, "sekisho_policy_lists", "Lists in it.", page.n_lists);
    counters(b, &page);
    return true;
}

/* --- events.db ---------------------------------------------------------------------------------
 */

static void size_of(struct sek_buf *b, const char *path)
{
    uint64_t octets = 0;
    for (const char *const *end = (const char *const[]){"", "-wal", NULL}; *end; end++) {
        char file[SEK_CONF_TEXT_MAX + 8];
        struct stat st;
        snprintf(file, sizeof file, "%s%s", path, *end);
        if (stat(file, &st) == 0)
            octets += (uint64_t)st.st_size;
    }
    one(b, "sekisho_events_bytes", "Size of events.db with its log.", octets);
}

struct counts {
    uint64_t found[DETECTORS_MAX], blocking[DETECTORS_MAX];
};

static bool count(void *arg, int detector, uint64_t n, uint64_t n_blocking)
{
    struct counts *c = arg;
    if (detector > 0 && detector < DETECTORS_MAX) {
        c->found[detector] = n;
        c->blocking[detector] = n_blocking;
    }
    return true;
}

/* A series for each detector, also one that found nothing: what comes and goes alarms nobody. */
static void findings(struct sek_buf *b, const struct counts *c)
{
    static const struct {
        const char *name, *help;
        size_t at;
    } families[] = {
        {"sekisho_findings", "Findings of the last 24 hours.", offsetof(struct counts, found)},
        {"sekisho_findings_blocking", "Of these whose domain is blocked now.",
         offsetof(struct counts, blocking)},
    };
    for (size_t i = 0; i < 2; i++) {
        const uint64_t *n = (const void *)((const char *)c + families[i].at);
        sek_family(b, families[i].name, false, families[i].help);
        for (const struct sek_lookup *d = sek_detector_names; d->name; d++)
            sek_sample_uint(b, families[i].name, (const char *[]){"detector", d->name, NULL},
                            n[d->id]);
    }
}

static bool events(struct sek_buf *b, const struct sek_conf *conf, int64_t now_ms)
{
    struct sek_report *r = NULL;
    struct sek_position at;
    struct counts c = {{0}, {0}};
    if (sek_report_open(conf->events.db, &r, NULL) != SEK_OK)
        return false;
    bool good = sek_report_position(r, &at, NULL) == SEK_OK &&
                sek_report_finding_counts(r, now_ms / 1000 - FINDINGS_S, now_ms / 1000, count, &c,
                                          NULL) == SEK_OK;
    sek_report_close(r);
    if (!good)
        return false;
    size_of(b, conf->events.db);
    sek_family(b, "sekisho_stored_hits_total", true,
               "Rows of hits stored since events.db was begun.");
    sek_sample_uint(b, "sekisho_stored_hits_total", NULL, (uint64_t)at.hit);
    findings(b, &c);
    return true;
}

/* --- policy.db ---------------------------------------------------------------------------------
 */

/* One family after the other, of the same feeds. */
struct feeds {
    struct sek_buf *good, *expired, *failing, *rules;
    int64_t now_s;
};

static bool on_feed(void *arg, const struct sek_feed_row *row)
{
    struct feeds *f = arg;
    const char *const labels[] = {"feed", row->list.list.name, NULL};
    bool bad = row->outcome == SEK_FEED_FAILED || row->outcome == SEK_FEED_REFUSED;
    sek_sample_uint(f->good, "sekisho_feed_good_time_seconds", labels, (uint64_t)row->good_s);
    sek_sample_uint(f->expired, "sekisho_feed_expired", labels,
                    sek_feed_expires_s(row) <= f->now_s);
    sek_sample_uint(f->failing, "sekisho_feed_failing", labels, bad);
    return true;
}

static bool on_list(void *arg, const struct sek_list_row *row)
{
    struct feeds *f = arg;
    const char *const labels[] = {"list", row->list.name, "mode",
                                  sek_lookup_name(sek_mode_names, row->list.mode), NULL};
    sek_sample_uint(f->rules, "sekisho_list_rules", labels, row->list.n_entries);
    return true;
}

static bool policy(struct sek_buf *b, const struct sek_conf *conf, int64_t now_ms)
{
    struct sek_buf all[4];
    struct feeds f = {&all[0], &all[1], &all[2], &all[3], now_ms / 1000};
    struct sek_policydb *db = NULL;
    struct sek_audit_anchor head = {0};
    struct sek_exceptions_sum emergencies = {0};
    for (int i = 0; i < 4; i++)
        sek_buf_init(&all[i], 0);
    sek_family(f.good, "sekisho_feed_good_time_seconds", false,
               "Last good update of a feed; 0: none yet.");
    sek_family(f.expired, "sekisho_feed_expired", false,
               "Whether a feed had no good update for too long.");
    sek_family(f.failing, "sekisho_feed_failing", false,
               "Whether the last update failed, or was refused.");
    sek_family(f.rules, "sekisho_list_rules", false, "Rules of a list.");
    bool good = sek_policydb_open(conf->policy.db, false, &db, NULL) == SEK_OK &&
                sek_policydb_lists(db, on_list, &f, NULL) == SEK_OK &&
                sek_feeds(db, on_feed, &f, NULL) == SEK_OK &&
                sek_audit_head(db, &head, NULL) == SEK_OK &&
                sek_exceptions_emergencies(db, f.now_s, &emergencies, NULL) == SEK_OK;
    sek_policydb_close(db);
    for (int i = 0; i < 4; i++) {
        if (good && all[i].data)
            sek_buf_add(b, all[i].data, all[i].len);
        b->failed = b->failed || all[i].failed;
        sek_buf_fini(&all[i]);
    }
    if (good) {
        sek_family(b, "sekisho_changes_total", true, "Rows of the audit trail.");
        sek_sample_uint(b, "sekisho_changes_total", NULL, (uint64_t)head.number);
        sek_family(b, "sekisho_emergencies_unreviewed", false,
                   "Exceptions made without approval that nobody reviewed.");
        sek_sample_uint(b, "sekisho_emergencies_unreviewed", NULL, emergencies.n_emergency_open);
    }
    return good;
}

void sek_metrics_gather(const struct sek_conf *conf, int64_t now_ms, struct sek_buf *out)
{
    static bool (*const sources[])(struct sek_buf *, const struct sek_conf *,
                                   int64_t) = {resolver, events, policy};
    static const char *const names[] = {"status", "events", "policy"};
    bool readable[3];
    for (int i = 0; i < 3; i++)
        readable[i] = sources[i](out, conf, now_ms);
    sek_family(out, "sekisho_source_readable", false,
               "Whether the status page and the databases could be read.");
    for (int i = 0; i < 3; i++)
        sek_sample_uint(out, "sekisho_source_readable", (const char *[]){"source", names[i], NULL},
                        readable[i]);
}
