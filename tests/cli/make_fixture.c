/* SPDX-License-Identifier: BSD-3-Clause */
/* What the command's golden tests look at, always the same to the octet of a name and the
 * millisecond:
 *   make_fixture FOLDER         settings, policy and events below FOLDER
 *   make_fixture PART FOLDER    more of them (see main)
 *   make_fixture resolver PAGE  a status page that is alive until standard input ends */
#include "classify/dga.h"
#include "event/status.h"
#include "event/tally.h"
#include "name/text.h"
#include "store/eventsdb.h"
#include "store/policydb.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BEGIN_S 1795168800LL /* 2026-11-20T10:00:00Z */
#define FAR_S 4102444800LL   /* 2100-01-01: never met by the clock */

/* What `check` looks for in a module and in an Unbound: this program plays both, and as a module it
 * is built for nobody. */
__attribute__((section(".sekisho.host"), used)) static const char host_ids[] =
    "build-id=00\0version=9.9.9\0";
__attribute__((used)) static const char dynlib_text[] = "dynlibmod[%d]";

static struct sek_diag diag;

#define MUST(call)                                                                                 \
    do {                                                                                           \
        if (call) {                                                                                \
            fprintf(stderr, "make_fixture: %s: %s\n", #call, diag.text);                           \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

/* --- policy ------------------------------------------------------------------------------------
 */

enum { FEED, WATCH, RETIRED, BLOCK, ALLOW, N_LISTS };
static struct sek_list lists[N_LISTS];

static void list_new(struct sek_policydb *db, int at, const char *name, enum sek_mode mode,
                     enum sek_action action, int priority)
{
    struct sek_list_row row = {.created_s = BEGIN_S};
    row.list.mode = (uint8_t)mode;
    row.list.action = (uint8_t)action;
    row.list.priority = priority;
    row.list.ede = 15;
    snprintf(row.list.name, sizeof row.list.name, "%s", name);
    snprintf(row.source, sizeof row.source, "/srv/lists/%s.txt", name);
    snprintf(row.who, sizeof row.who, "alice");
    MUST(sek_policydb_list_add(db, &row, &diag));
    lists[at] = row.list;
}

static void list_known(struct sek_policydb *db, int at, const char *name)
{
    struct sek_list_row row;
    MUST(sek_policydb_list_get(db, name, &row, &diag));
    lists[at] = row.list;
}

static void entry(struct sek_policydb *db, int list, const char *rule, const char *who,
                  const char *comment, int64_t expires_s)
{
    struct sek_entry e = {.created_s = BEGIN_S, .rule = {.list = lists[list].id}};
    enum sek_scope scope;
    bool changed;
    MUST(sek_rule_from_text(rule, strlen(rule), &scope, &e.name, &diag));
    e.rule.scope = (uint8_t)scope;
    e.rule.expires_s = expires_s;
    snprintf(e.who, sizeof e.who, "%s", who);
    snprintf(e.comment, sizeof e.comment, "%s", comment);
    MUST(sek_policydb_entry_put(db, &e, &changed, &diag));
}

static void make_policy(const char *dir)
{
    char path[600], folder[560];
    struct sek_policydb *db;
    snprintf(folder, sizeof folder, "%s/policy", dir);
    snprintf(path, sizeof path, "%s/policy.db", folder);
    MUST(mkdir(folder, 0755));
    MUST(sek_policydb_open(path, true, &db, &diag));
    MUST(sek_policydb_begin(db, &diag));
    list_new(db, FEED, "feed", SEK_MODE_BLOCK, SEK_ACTION_NXDOMAIN, 0);
    list_new(db, WATCH, "watch", SEK_MODE_MONITOR, SEK_ACTION_SINKHOLE, -5);
    list_new(db, RETIRED, "retired", SEK_MODE_OFF, SEK_ACTION_REFUSED, 10);
    list_known(db, BLOCK, SEK_LIST_LOCAL_BLOCK);
    list_known(db, ALLOW, SEK_LIST_LOCAL_ALLOW);
    entry(db, FEED, "evil.example", "alice", "", 0);
    entry(db, WATCH, "evil.example", "alice", "", 0);
    entry(db, RETIRED, "*.evil.example", "alice", "", 0);
    entry(db, WATCH, "*.tracker.example", "alice", "", 0);
    entry(db, BLOCK, "=www.evil.example", "bob", "phishing, case 17", FAR_S);
    entry(db, ALLOW, "=good.evil.example", "carol", "payroll needs it", FAR_S);
    entry(db, BLOCK, "bücher.example", "bob",
          "=HYPERLINK(\"http://x\")\033[2J\xe2\x80\xae\xff, \"quoted\"", 0);
    MUST(sek_policydb_commit(db, &diag));
    MUST(sek_policydb_compile(db, folder, BEGIN_S, true, NULL, NULL, NULL, &diag));
    sek_policydb_close(db);
}

/* The lists have their ids from the policy, made before. */
static void know_lists(const char *dir)
{
    char path[600];
    struct sek_policydb *db;
    snprintf(path, sizeof path, "%s/policy/policy.db", dir);
    MUST(sek_policydb_open(path, false, &db, &diag));
    list_known(db, FEED, "feed");
    list_known(db, WATCH, "watch");
    list_known(db, RETIRED, "retired");
    list_known(db, BLOCK, SEK_LIST_LOCAL_BLOCK);
    list_known(db, ALLOW, SEK_LIST_LOCAL_ALLOW);
    sek_policydb_close(db);
}

/* --- events ------------------------------------------------------------------------------------
 */

struct query {
    int at_s; /* after BEGIN_S */
    unsigned times;
    const char *endpoint, *name, *matched;
    int qtype;
    enum sek_outcome outcome;
    int list;
    enum sek_action action;
    enum sek_scope scope;
    unsigned depth;
    enum sek_trigger trigger; /* of a hit without a list */
    float llr;                /* of the classifier, with such a trigger */
    enum sek_trigger met;     /* of a hit by a list, if not the name or an alias */
    const char *owner;        /* of the rule, if `matched` does not end in it */
};

static const struct query queries[] = {
    {0, 3, "192.0.2.7", "evil.example", NULL, 1, SEK_OUTCOME_HIT, FEED, SEK_ACTION_NXDOMAIN,
     SEK_SCOPE_SUBTREE, 0},
    {1, 2, "192.0.2.7", "evil.example", NULL, 28, SEK_OUTCOME_HIT, FEED, SEK_ACTION_NXDOMAIN,
     SEK_SCOPE_SUBTREE, 0},
    {60, 1, "2001:db8::1", "www.evil.example", NULL, 28, SEK_OUTCOME_HIT, BLOCK,
     SEK_ACTION_SINKHOLE, SEK_SCOPE_EXACT, 0},
    {61, 1, "2001:db8::1", "deep.below.evil.example", NULL, 65400, SEK_OUTCOME_HIT, FEED,
     SEK_ACTION_NXDOMAIN, SEK_SCOPE_SUBTREE, 2},
    {120, 40, "192.0.2.8", "shop.example", "cdn.tracker.example", 1, SEK_OUTCOME_HIT, WATCH,
     SEK_ACTION_SINKHOLE, SEK_SCOPE_BELOW, 1},
    {180, 1, "192.0.2.8", "\\027\\09131m\\010\\034a\\044\\061b\\.c.example", NULL, 16,
     SEK_OUTCOME_HIT, FEED, SEK_ACTION_NXDOMAIN, SEK_SCOPE_SUBTREE, 1},
    {240, 1, "192.0.2.9", "www.bücher.example", NULL, 1, SEK_OUTCOME_HIT, BLOCK,
     SEK_ACTION_SINKHOLE, SEK_SCOPE_SUBTREE, 1},
    {2, 5, "192.0.2.7", "www.example", NULL, 1, SEK_OUTCOME_CACHED, 0, 0, 0, 0},
    {3, 2, "192.0.2.7", "www.example", NULL, 1, SEK_OUTCOME_PASSED, 0, 0, 0, 0},
    {62, 7, "2001:db8::1", "a.bücher.example", NULL, 1, SEK_OUTCOME_NXDOMAIN, 0, 0, 0, 0},
    {63, 1, "192.0.2.8", "broken.example", NULL, 1, SEK_OUTCOME_FAILED, 0, 0, 0, 0},
    {64, 1, "192.0.2.8", "printer.home.arpa", NULL, 1, SEK_OUTCOME_LOCAL, 0, 0, 0, 0},
};

static void add_query(struct sek_tally *t, const struct query *q)
{
    struct sek_name name, matched, owner;
    struct sek_event e = {.outcome = (uint8_t)q->outcome,
                          .qtype = (uint16_t)q->qtype,
                          .time_ms = (BEGIN_S + q->at_s) * 1000 + 123,
                          .score = q->llr != 0 ? sek_score_of(q->llr) : SEK_SCORE_UNKNOWN};
    if (q->outcome == SEK_OUTCOME_HIT) {
        const struct sek_list *list = q->trigger ? NULL : &lists[q->list];
        e.monitor = list ? list->mode == SEK_MODE_MONITOR : q->trigger == SEK_TRIGGER_CLASSIFIER;
        e.would = (uint8_t)q->action;
        e.action = (uint8_t)(e.monitor ? SEK_ACTION_PASSTHRU : q->action);
        e.trigger = (uint8_t)(q->trigger   ? q->trigger
                              : q->met     ? q->met
                              : q->matched ? SEK_TRIGGER_CNAME
                                           : SEK_TRIGGER_QNAME);
        e.scope = (uint8_t)q->scope;
        e.depth = (uint8_t)q->depth;
        e.list = list ? list->id : 0;
        e.generation = 2;
    }
    MUST(sek_addr_from_text(q->endpoint, &e.endpoint, &diag));
    MUST(sek_name_from_text(q->name, strlen(q->name), &name, &diag));
    e.name_len = name.len;
    memcpy(e.names, name.octets, name.len);
    if (q->matched)
        MUST(sek_name_from_text(q->matched, strlen(q->matched), &matched, &diag));
    if (q->owner)
        MUST(sek_name_from_text(q->owner, strlen(q->owner), &owner, &diag));
    sek_event_set_matched(&e, q->matched ? &matched : NULL, q->owner ? &owner : NULL);
    for (unsigned i = 0; i < q->times; i++, e.time_ms += 10)
        MUST(!sek_tally_add(t, &e));
}

/* What detectors decided, and beside it the word of one that scored a name that a rule decided. */
static const struct query detected[] = {
    {600, 2, "192.0.2.7", "www.xkqzvbwpjt.com", NULL, 1, SEK_OUTCOME_HIT, 0, SEK_ACTION_SINKHOLE,
     SEK_SCOPE_SUBTREE, 1, SEK_TRIGGER_CLASSIFIER, 5.125f},
    {660, 1, "192.0.2.7", "qmwzkbvxjh.top", NULL, 28, SEK_OUTCOME_HIT, 0, SEK_ACTION_NXDOMAIN,
     SEK_SCOPE_SUBTREE, 0, SEK_TRIGGER_FINDING, 3.5f},
};

/* What answers carried. */
#define MET(trigger, scope, depth, owner)                                                          \
    SEK_OUTCOME_HIT, FEED, SEK_ACTION_NXDOMAIN, scope, depth, SEK_TRIGGER_NONE, 0, trigger, owner
static const struct query carried[] = {
    {900, 2, "192.0.2.7", "cdn.shop.example", "32.7.100.51.198.rpz-ip", 1,
     MET(SEK_TRIGGER_RESPONSE_IP, SEK_SCOPE_EXACT, 0, "24.0.100.51.198.rpz-ip")},
    {901, 1, "192.0.2.7", "cdn.shop.example", "128.7.zz.db8.2001.rpz-ip", 28,
     MET(SEK_TRIGGER_ASN, SEK_SCOPE_EXACT, 0, "64496.rpz-asn")},
    {902, 1, "192.0.2.8", "lost.example", "32.9.100.51.198.rpz-ip", 1,
     MET(SEK_TRIGGER_SINKHOLED, SEK_SCOPE_EXACT, 0, "32.9.100.51.198.rpz-sinkholed")},
    {903, 1, "192.0.2.8", "www.kin.example", "32.53.100.51.198.rpz-nsip", 1,
     MET(SEK_TRIGGER_NSIP, SEK_SCOPE_EXACT, 0, "24.0.100.51.198.rpz-nsip")},
    {904, 1, "192.0.2.8", "www.kin.example", "ns1.evil.example.rpz-nsdname", 28,
     MET(SEK_TRIGGER_NSDNAME, SEK_SCOPE_SUBTREE, 1, NULL)},
    {905, 1, "192.0.2.9", "inside.example", "32.3.2.1.10.rpz-ip", 1, SEK_OUTCOME_HIT, 0,
     SEK_ACTION_NODATA, SEK_SCOPE_EXACT, 0, SEK_TRIGGER_REBINDING},
};

static const struct query later[] = {
    {300, 1, "192.0.2.10", "late.evil.example", NULL, 1, SEK_OUTCOME_HIT, FEED, SEK_ACTION_NXDOMAIN,
     SEK_SCOPE_SUBTREE, 1},
};

static void store(const char *dir, const struct query *q, size_t n)
{
    char path[600], aside[SEK_ASIDE_MAX];
    struct sek_suffix *suffix;
    struct sek_tally *tally;
    struct sek_tally_batch *batch;
    struct sek_eventsdb *db;
    uint64_t rows;
    know_lists(dir);
    snprintf(path, sizeof path, "%s/events/events.db", dir);
    MUST(sek_suffix_open(NULL, &suffix, &diag));
    MUST(sek_tally_new(0, suffix, &tally));
    for (size_t i = 0; i < n; i++)
        add_query(tally, &q[i]);
    MUST(sek_tally_take(tally, true, &batch));
    MUST(sek_eventsdb_open(path, BEGIN_S, &db, aside, &diag));
    MUST(sek_eventsdb_store(db, batch, lists, N_LISTS, &rows, &diag));
    sek_eventsdb_checkpoint(db, true);
    sek_eventsdb_close(db);
    sek_tally_batch_free(batch);
    sek_tally_free(tally);
    sek_suffix_close(suffix);
}

/* --- findings ----------------------------------------------------------------------------------
 */

static const struct found {
    int at_s; /* the end, after BEGIN_S */
    const char *endpoint, *domain, *kind;
    enum sek_mode mode;
    int64_t blocked_until_s;
    const char *examples[SEK_DGA_EXAMPLES];
} founds[] = {
    {700,
     "192.0.2.7",
     "qmwzkbvxjh.top",
     "necurs",
     SEK_MODE_BLOCK,
     FAR_S,
     {"xkqzvbwpjt.com", "qpfhgzkwmv.top", "a.b\\034\\032\\092\\027\\039\\036\\040x\\041.com"}},
    {800, "2001:db8::1", NULL, "word list", SEK_MODE_MONITOR, 0, {"greenhousetable.net"}},
    {900,
     "192.0.2.8",
     "\\036\\040x\\041\\039\\027.c.example",
     "",
     SEK_MODE_BLOCK,
     BEGIN_S + 3600,
     {NULL}},
};

static void set_name(struct sek_dga_name *out, const char *text)
{
    struct sek_name name;
    MUST(sek_name_from_text(text, strlen(text), &name, &diag));
    out->len = name.len;
    memcpy(out->octets, name.octets, name.len);
}

static struct sek_finding finding_of(const struct found *at)
{
    struct sek_buf evidence;
    struct sek_dga dga = {.episode = 1,
                          .n_names = 23,
                          .n_nxdomains = 21,
                          .score = 17.2f,
                          .alarm = 13.8f,
                          .names = 12.1f,
                          .words = 3,
                          .shape = 2.1f,
                          .resolved_llr = 6.1f};
    struct sek_finding f = {.detector = SEK_DETECTOR_DGA,
                            .start_ms = (BEGIN_S + 500) * 1000 + 250,
                            .end_ms = (BEGIN_S + at->at_s) * 1000 + 250,
                            .confidence = 0.967f,
                            .mode = at->mode,
                            .blocked_until_s = at->blocked_until_s,
                            .technique = SEK_DGA_TECHNIQUE};
    MUST(sek_addr_from_text(at->endpoint, &f.endpoint, &diag));
    while (dga.n_examples < SEK_DGA_EXAMPLES && at->examples[dga.n_examples]) {
        set_name(&dga.examples[dga.n_examples], at->examples[dga.n_examples]);
        dga.n_examples++;
    }
    if (at->domain) {
        set_name(&dga.resolved, at->domain);
        f.domain_len = dga.resolved.len;
        memcpy(f.domain, dga.resolved.octets, dga.resolved.len);
    }
    sek_buf_init(&evidence, sizeof f.evidence - 1);
    sek_dga_evidence(&dga, at->kind, 0.81f, &evidence);
    MUST(evidence.failed);
    memcpy(f.evidence, evidence.data, evidence.len);
    sek_buf_fini(&evidence);
    return f;
}

/* Of the other detectors, with the evidence that they write. */
static const struct other {
    enum sek_detector by;
    const char *endpoint, *domain, *technique, *evidence;
} others[] = {
    {SEK_DETECTOR_BEACON, "192.0.2.9", "steady.example", "T1071",
     "{\"kind\":\"every 60 s ±10 %\",\"period_s\":60.1,\"jitter\":0.102,\"visits\":20,"
     "\"samples\":19,\"samples_min\":16,\"score\":0.931,\"alarm\":0.853,\"skew\":0.060,"
     "\"dispersion\":0.951,\"rhythm\":0.990,\"coverage\":1.000,\"coverage_min\":0.5,"
     "\"span_s\":1140,\"span_min_s\":600,\"domain_age_s\":1140,\"endpoints\":1}"},
    {SEK_DETECTOR_TUNNEL, "192.0.2.10", "drop.example", "T1071.004",
     "{\"kind\":\"one domain\",\"names\":78,\"queries\":79,\"octets\":5535,\"octets_out\":3604,"
     "\"octets_in\":5120,\"span\":\"minute\",\"minute\":5054,\"minute_alarm\":1000,\"hour\":5054,"
     "\"hour_alarm\":4000,"
     "\"day\":5054,\"day_alarm\":10000,\"unique_share\":0.987,\"data_type_share\":0.684,"
     "\"octets_a_name\":71.0,\"examples\":[\"knjuqljsfyyc2t3qmvxfgu2i.drop.example\"]}"},
    {SEK_DETECTOR_NXBURST, "192.0.2.11", NULL, "T1568",
     "{\"kind\":\"absent domains\",\"names\":12,\"nxdomains\":11,"
     "\"nxdomains_min\":10,\"ratio\":0.917,\"ratio_min\":0.5,\"score\":18.9,\"alarm\":13.8,"
     "\"examples\":[\"applegarden.com\",\"peargarden.com\"]}"},
    {SEK_DETECTOR_FASTFLUX, "192.0.2.12", "flux.example", "T1568.001",
     "{\"kind\":\"flux\",\"basis\":\"networks and countries\",\"addresses\":24,\"asns\":19,"
     "\"countries\":14,\"networks\":20,\"asns_min\":5,\"countries_min\":3,\"score\":383.9,"
     "\"alarm\":142.4,\"entropy\":4.11,\"entropy_min\":2.00,\"turnover\":0.57,"
     "\"turnover_min\":0.50,\"names\":1,\"answers\":3,\"ttl_s\":300,\"ttl_min_s\":300,"
     "\"ttl_max_s\":600,\"asn_list\":[\"AS64500 Net\"],\"country_list\":[\"AA\"],"
     "\"address_list\":[\"203.0.113.7\"],\"asked_by\":[\"192.0.2.12\"]}"},
    {SEK_DETECTOR_SHORTLIVED, "192.0.2.13", "thrown.example", "T1568",
     "{\"kind\":\"gone\",\"basis\":\"answers\",\"ended\":\"NXDOMAIN\","
     "\"first_seen\":\"2026-11-20T08:50:00Z\",\"last_seen\":\"2026-11-20T09:40:00Z\","
     "\"absent_since\":\"2026-11-20T09:50:00Z\",\"lifetime_s\":3000,\"lifetime_max_s\":259200,"
     "\"silent_s\":1200,\"ttl_s\":120,\"ttl_max_s\":600,\"visits\":6,\"queries\":6,\"names\":1,"
     "\"endpoints\":1,\"addresses\":1,\"networks\":1}"},
    {SEK_DETECTOR_UDR, "192.0.2.14", "portal.example", "T1584.002",
     "{\"kind\":\"new country\",\"address\":\"203.0.113.9\",\"asn\":64509,\"network\":\"Far Net\","
     "\"country\":\"CH\",\"new_addresses\":1,\"addresses\":2,\"networks\":1,\"asns\":1,"
     "\"countries\":1,\"known_since\":\"2026-10-01T08:00:00Z\",\"learn_s\":604800,\"ttl_s\":60,"
     "\"earlier\":[\"198.51.100.8 (AS64500 DE)\",\"198.51.100.7 (AS64500 DE)\"]}"},
};

static struct sek_finding other_finding(const struct other *at)
{
    struct sek_finding f = {.detector = at->by,
                            .start_ms = BEGIN_S * 1000 + 250,
                            .end_ms = (BEGIN_S + 60) * 1000 + 250,
                            .confidence = 0.75f,
                            .mode = SEK_MODE_MONITOR,
                            .may_block_s = BEGIN_S + 30};
    MUST(sek_addr_from_text(at->endpoint, &f.endpoint, &diag));
    if (at->domain) {
        struct sek_name name;
        MUST(sek_name_from_text(at->domain, strlen(at->domain), &name, &diag));
        f.domain_len = name.len;
        memcpy(f.domain, name.octets, name.len);
    }
    snprintf(f.technique, sizeof f.technique, "%s", at->technique);
    snprintf(f.evidence, sizeof f.evidence, "%s", at->evidence);
    return f;
}

static void make_detections(const char *dir)
{
    char path[600], aside[SEK_ASIDE_MAX];
    struct sek_eventsdb *db;
    struct sek_findings_stored stored;
    snprintf(path, sizeof path, "%s/events/events.db", dir);
    store(dir, detected, sizeof detected / sizeof detected[0]);
    MUST(sek_eventsdb_open(path, BEGIN_S, &db, aside, &diag));
    for (size_t i = 0; i < sizeof founds / sizeof founds[0]; i++) {
        struct sek_finding f = finding_of(&founds[i]);
        MUST(sek_eventsdb_store_findings(db, &f, 1, &stored, &diag));
        MUST(stored.n_new != 1);
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct sek_finding f = other_finding(&others[i]);
        MUST(sek_eventsdb_store_findings(db, &f, 1, &stored, &diag));
        MUST(stored.n_new != 1);
    }
    sek_eventsdb_close(db);
}

/* The first of them again, later and surer. */
static void grow_finding(const char *dir)
{
    char path[600], aside[SEK_ASIDE_MAX];
    struct sek_eventsdb *db;
    struct sek_findings_stored stored;
    struct sek_finding f = finding_of(&founds[0]);
    snprintf(path, sizeof path, "%s/events/events.db", dir);
    MUST(sek_eventsdb_open(path, BEGIN_S, &db, aside, &diag));
    f.end_ms += 60000;
    f.confidence = 0.99f;
    MUST(sek_eventsdb_store_findings(db, &f, 1, &stored, &diag));
    MUST(stored.n_renewed != 1);
    sek_eventsdb_close(db);
}

static void make_events(const char *dir)
{
    char path[600];
    snprintf(path, sizeof path, "%s/events", dir);
    MUST(mkdir(path, 0755));
    store(dir, queries, sizeof queries / sizeof queries[0]);
}

static void make_settings(const char *dir)
{
    char path[600];
    snprintf(path, sizeof path, "%s/sekisho.yaml", dir);
    FILE *f = fopen(path, "w");
    MUST(!f);
    fprintf(f,
            "policy:\n  db: %s/policy/policy.db\n  dir: %s/policy\n"
            "answer:\n  ipv4: 192.0.2.66\n  ipv6: \"2001:db8::66\"\n  contact: help desk 1234\n"
            "events:\n  db: %s/events/events.db\n"
            "status:\n  path: %s/status\n",
            dir, dir, dir, dir);
    MUST(fclose(f));
}

/* --- the resolver -------------------------------------------------------------------------------
 */

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Stands in for the module: the page of a resolver with some work behind it and some trouble. */
static void resolver(const char *path)
{
    struct sek_status_page *page;
    MUST(sek_status_create(path, &page, &diag));
    page->n_threads = 4;
    page->policy_state = page->events_state = SEK_PART_OK;
    page->generation = page->in_force = 2;
    page->in_force_ms = BEGIN_S * 1000;
    page->last_purged = 12;
    page->n_names = 7;
    page->n_lists = 5;
    for (unsigned i = 0; i < SEK_N_COUNTERS; i++)
        page->counter[i] = i + 1;
    page->counter[SEK_COUNTER_LEAKED] = 0;
    sek_status_set_text(page, page->events_text, "disk full\033[2J");
    sek_status_set_text(page, page->unbound, "1.17.1");
    puts("ready");
    fflush(stdout);
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    do
        page->heartbeat_ms = now_ms();
    while (poll(&in, 1, 200) == 0);
    sek_status_destroy(path, page);
}

/* --- answers ------------------------------------------------------------------------------------
 */

static void make_responses(struct sek_eventsdb *db)
{
    static const struct {
        const char *name, *address, *endpoint;
        int64_t days;
        enum sek_news news;
    } all[] = {
        {"portal.example", "198.51.100.7", "192.0.2.7", -50, SEK_NEWS_LEARNED},
        {"portal.example", "203.0.113.9", "192.0.2.14", 0, SEK_NEWS_COUNTRY},
        {"www.portal.example", "2001:db8:5::7", "192.0.2.7", -20, SEK_NEWS_ADDRESS},
        {"corp.example", "192.0.2.80", "192.0.2.8", -3, SEK_NEWS_NETWORK},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct sek_response r = {.first_ms = (BEGIN_S + all[i].days * 86400) * 1000,
                                 .last_day = BEGIN_S / 86400,
                                 .news = all[i].news};
        struct sek_name name;
        MUST(sek_addr_from_text(all[i].address, &r.address, &diag));
        MUST(sek_addr_from_text(all[i].endpoint, &r.endpoint, &diag));
        MUST(sek_name_from_text(all[i].name, strlen(all[i].name), &name, &diag));
        r.name_len = name.len;
        memcpy(r.name, name.octets, name.len);
        MUST(sek_eventsdb_store_responses(db, &r, 1, &diag));
    }
}

/* Name servers: the domain's own, and one of a hoster that serves many. */
static void make_servers(struct sek_eventsdb *db)
{
    static const struct {
        int64_t days;
        const char *domain, *server;
    } some[] = {
        {-2, "evil.example", "ns1.evil.example"}, {0, "evil.example", "ns1.evil.example"},
        {0, "evil.example", "a.dns.hoster.test"}, {0, "www.example", "a.dns.hoster.test"},
        {-1, "kin.example", "ns1.evil.example"},  {-1, "third.example", "ns1.evil.example"},
    };
    const unsigned n_some = sizeof some / sizeof some[0];
    for (unsigned i = 0; i < n_some + 40; i++) {
        struct sek_answer a = {.day = BEGIN_S / 86400 + (i < n_some ? some[i].days : 0)};
        struct sek_name domain, server;
        char customer[32];
        snprintf(customer, sizeof customer, "customer%u.example", i);
        const char *of = i < n_some ? some[i].domain : customer;
        const char *by = i < n_some ? some[i].server : "a.dns.hoster.test";
        MUST(sek_name_from_text(of, strlen(of), &domain, &diag));
        MUST(sek_name_from_text(by, strlen(by), &server, &diag));
        memcpy(a.domain, domain.octets, a.domain_len = domain.len);
        memcpy(a.server, server.octets, a.server_len = server.len);
        MUST(sek_eventsdb_store_answers(db, &a, 1, &diag));
    }
}

static void make_answers(const char *dir)
{
    static const struct {
        int64_t days;
        const char *address, *domain;
    } all[] = {
        {0, "203.0.113.80", "www.example"},    {0, "2001:db8:5::80", "www.example"},
        {0, "203.0.113.80", "shared.example"}, {0, "203.0.113.99", "never-asked.example"},
        {-2, "203.0.113.80", "www.example"},   {0, "203.0.113.66", "evil.example"},
        {0, "203.0.113.66", "kin.example"},
    };
    char path[600], aside[SEK_ASIDE_MAX];
    struct sek_eventsdb *db;
    snprintf(path, sizeof path, "%s/events/events.db", dir);
    MUST(sek_eventsdb_open(path, BEGIN_S, &db, aside, &diag));
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct sek_answer a = {.day = BEGIN_S / 86400 + all[i].days,
                               .has_ttl = i > 0,
                               .ttl_min_s = 60 * (uint32_t)i,
                               .ttl_max_s = 300};
        struct sek_name name;
        MUST(sek_addr_from_text(all[i].address, &a.address, &diag));
        MUST(sek_name_from_text(all[i].domain, strlen(all[i].domain), &name, &diag));
        a.domain_len = name.len;
        memcpy(a.domain, name.octets, name.len);
        MUST(sek_eventsdb_store_answers(db, &a, 1, &diag));
    }
    make_servers(db);
    make_responses(db);
    sek_eventsdb_close(db);
}

static void make_more(const char *dir)
{
    store(dir, later, sizeof later / sizeof later[0]);
}

static void make_carried(const char *dir)
{
    store(dir, carried, sizeof carried / sizeof carried[0]);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *word;
        void (*make)(const char *where);
    } parts[] = {{"resolver", resolver},    {"detections", make_detections},
                 {"answers", make_answers}, {"grown", grow_finding},
                 {"more", make_more},       {"carried", make_carried}};
    for (size_t i = 0; argc == 3 && i < sizeof parts / sizeof parts[0]; i++)
        if (strcmp(argv[1], parts[i].word) == 0)
            return parts[i].make(argv[2]), 0;
    if (argc != 2 || strlen(argv[1]) > 500) {
        fputs("usage: make_fixture [PART] FOLDER\n", stderr);
        return 2;
    }
    make_settings(argv[1]);
    make_policy(argv[1]);
    make_events(argv[1]);
    return 0;
}
