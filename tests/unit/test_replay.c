/* SPDX-License-Identifier: BSD-3-Clause */
/* Past queries judged: what is found, again and again the same, and what is kept of it. */
#include "event/event.h"
#include "model_fixture.h"
#include "name/suffix.h"
#include "replay/keep.h"
#include "store/report.h"
#include "watch_samples.h"
#include <stdlib.h>
#include <unistd.h>

#define DAY_MS 86400000LL
#define MAX 40000

static struct fixture {
    struct sek_conf conf;
    struct sek_suffix *suffix;
    struct sek_never *never;
    struct sek_domains *domains;
    const struct sek_dismissed *dismissed;
    struct sek_classify *classify;
    bool ahead; /* scores are made before a pass */
    struct sek_replay *replay;
    struct sek_event *events;
    unsigned n, n_sums;
    uint64_t sum;
    struct sek_buf told; /* findings as text, in their order */
} f;

static enum sek_err on_finding(void *arg, const struct sek_finding *found, struct sek_diag *diag)
{
    char domain[SEK_NAME_TEXT_MAX] = "", endpoint[SEK_ADDR_TEXT_MAX];

    (void)arg, (void)diag;
    if (found->domain_len)
        sek_name_to_text(found->domain, domain);
    sek_buf_add_fmt(&f.told, "%d %s %s %lld %lld %.4f %lld %s\n", (int)found->detector,
                    sek_addr_to_text(&found->endpoint, endpoint), domain,
                    (long long)(found->start_ms - T0_MS), (long long)(found->end_ms - T0_MS),
                    (double)found->confidence, (long long)found->blocked_until_s, found->evidence);
    return SEK_OK;
}

static enum sek_err on_sums(void *arg, const struct sek_tally_batch *batch, struct sek_diag *diag)
{
    (void)arg, (void)diag;
    f.n_sums++;
    f.sum += batch->sum_traffic;
    return SEK_OK;
}

static void begin(const char *text, const struct sek_replay_hooks *hooks)
{
    static const struct sek_hash_key key = {3, 4};
    static const struct sek_replay_hooks own = {.finding = on_finding, .sums = on_sums};
    const struct sek_domains_conf conf = {
        .max_octets = 8 << 20, .max_absent = 1000, .psl_version = "1", .key = &key};
    struct sek_diag diag = {0};
    char aside[SEK_DOMAINS_ASIDE_MAX];

    settings(&f.conf, text);
    assert_int_equal(sek_suffix_open(NULL, &f.suffix, &diag), SEK_OK);
    assert_int_equal(sek_never_new(NULL, 0, f.suffix, &f.never, &diag), SEK_OK);
    assert_int_equal(sek_domains_open(&conf, T0_MS / 1000 + 900000000, &f.domains, aside, &diag),
                     SEK_OK);
    const struct sek_replay_site site = {.conf = &f.conf,
                                         .classify = f.classify,
                                         .suffix = f.suffix,
                                         .never = f.never,
                                         .dismissed = f.dismissed,
                                         .domains = f.domains};
    assert_int_equal(sek_replay_new(&site, hooks ? hooks : &own, &f.replay, &diag), SEK_OK);
    sek_buf_init(&f.told, 1 << 24);
    f.events = f.events ? f.events : calloc(MAX, sizeof *f.events);
    f.n = 0;
}

static void end(void)
{
    sek_replay_free(f.replay);
    sek_domains_close(f.domains);
    sek_classify_close(f.classify);
    sek_never_free(f.never);
    sek_suffix_close(f.suffix);
    sek_conf_fini(&f.conf);
    sek_buf_fini(&f.told);
    free(f.events);
    memset(&f, 0, sizeof f);
}

static int teardown(void **state)
{
    (void)state;
    if (f.replay)
        end();
    return 0;
}

/* Another query that waits to be judged or learned. */
static void add(const char *text, unsigned endpoint, int64_t time_ms, bool exists)
{
    struct sek_name name;
    struct sek_event *e = &f.events[f.n++];

    assert_true(f.n <= MAX);
    assert_int_equal(sek_name_from_text(text, strlen(text), &name, NULL), SEK_OK);
    memset(e, 0, sizeof *e);
    e->time_ms = time_ms;
    e->qtype = 1;
    e->outcome = exists ? SEK_OUTCOME_PASSED : SEK_OUTCOME_NXDOMAIN;
    e->existence = exists ? SEK_EXISTENCE_EXISTS : SEK_EXISTENCE_ABSENT;
    e->endpoint = (struct sek_addr){.octets = {[10] = 0xff, 0xff, 10, 0, 0, (uint8_t)endpoint}};
    e->name_len = name.len;
    memcpy(e->names, name.octets, name.len);
    e->size = sek_event_size(e->name_len, 0);
}

static void pass(bool learn)
{
    struct sek_event **all = calloc(f.n ? f.n : 1, sizeof(struct sek_event *));
    struct sek_score *scores = f.ahead ? calloc(f.n, sizeof *scores) : NULL;
    struct sek_diag diag;

    for (unsigned i = 0; i < f.n; i++)
        all[i] = &f.events[i];
    if (scores)
        assert_true(sek_replay_score(f.replay, all, f.n, scores));
    if (learn)
        sek_replay_learn(f.replay, all, f.n);
    else if (sek_replay_see(f.replay, all, scores, f.n, &diag) != SEK_OK)
        fail_msg("%s", diag.text);
    free(scores);
    free(all);
    f.n = 0;
}

/* n names of `len` random letters below a domain, 100 ms apart. */
static void add_tunnel(const char *domain, unsigned n, unsigned len, int64_t from_ms)
{
    uint64_t seed = 9;

    for (unsigned i = 0; i < n; i++) {
        char text[100];
        for (unsigned k = 0; k < len; k++)
            text[k] = "abcdefghijklmnopqrstuvwxyz234567"[(unsigned)(fraction(&seed) * 32)];
        snprintf(text + len, sizeof text - len, ".%s", domain);
        add(text, 7, from_ms + i * 100, true);
    }
}

/* A single capture, no history: also a tunnel of short names is found, within its first minute. */
static void test_tunnel_without_history(void **state)
{
    (void)state;
    begin("", NULL);
    add_tunnel("files-backup.net", 500, 14, T0_MS);
    pass(false);
    assert_non_null(f.told.data);
    assert_non_null(strstr(f.told.data, "3 10.0.0.7 files-backup.net 0 "));
    long long at;
    assert_int_equal(sscanf(f.told.data, "3 10.0.0.7 files-backup.net 0 %lld", &at), 1);
    assert_true(at < 60000);
    /* nothing tells that the domain is new, so nothing would have been blocked */
    unsigned n;
    sek_replay_blocks(f.replay, &n);
    assert_int_equal(n, 0);
    assert_int_equal(sek_replay_settled_s(f.replay), T0_MS / 1000 + 14 * 86400);
}

static void add_mixture(uint64_t seed)
{
    for (int i = 0; i < 3000; i++) {
        char text[100];
        unsigned who = (unsigned)(fraction(&seed) * 40), what = (unsigned)(fraction(&seed) * 300);
        snprintf(text, sizeof text, "host%u.site-%u.com", what % 7, what);
        /* out of order, as logs of several threads are */
        add(text, who, T0_MS + i * 40 - (int64_t)(fraction(&seed) * 5000), fraction(&seed) < 0.9);
    }
    add_tunnel("files-backup.net", 300, 30, T0_MS + 20000);
    for (unsigned i = 0; i < 60; i++) {
        char text[64];
        snprintf(text, sizeof text, "nothing-here-%u.com", i * 7919 % 1000);
        add(text, 9, T0_MS + 30000 + i * 700, false);
    }
}

static void test_same_again(void **state)
{
    char *first = NULL;

    (void)state;
    for (int i = 0; i < 3; i++) {
        begin("", NULL);
        add_mixture(77);
        pass(false);
        assert_true(f.told.len > 0);
        if (first)
            assert_string_equal(f.told.data, first);
        else
            first = strdup(f.told.data);
        end();
    }
    free(first);
}

/* In pieces of any size the same is found. */
static void test_pieces(void **state)
{
    uint64_t seed = 5;
    char *whole;

    (void)state;
    begin("", NULL);
    add_mixture(78);
    pass(false);
    whole = strdup(f.told.data);
    end();
    begin("", NULL);
    add_mixture(78);
    struct sek_event *all = f.events;
    for (unsigned n = f.n, at = 0; at < n;) {
        unsigned some = 1 + (unsigned)(fraction(&seed) * 100);
        f.events = all + at;
        f.n = some < n - at ? some : n - at;
        at += f.n;
        pass(false);
    }
    f.events = all;
    assert_string_equal(f.told.data, whole);
    free(whole);
}

static struct sek_classify *classify_make(void)
{
    char path[] = "/tmp/sek-test-replay-XXXXXX";
    struct sek_classify *c = NULL;
    int fd = mkstemp(path);
    size_t n;
    uint8_t *octets = model_make(11, true, &n);

    assert_true(fd >= 0);
    close(fd);
    model_write(octets, n, true, path);
    free(octets);
    assert_int_equal(sek_classify_open(path, &c, NULL), SEK_OK);
    unlink(path);
    return c;
}

/* Scores made ahead are those that would have been made in turn: of findings, and of each query. */
static void test_scored_ahead(void **state)
{
    static int16_t score[MAX];
    char *told = NULL;
    uint64_t n_recorded = 0;

    (void)state;
    for (int ahead = 0; ahead < 2; ahead++) {
        f.classify = classify_make();
        f.ahead = ahead;
        begin("classify: {mode: monitor}\n", NULL);
        add_mixture(79);
        add("a.com", 1, T0_MS, true); /* nothing to score */
        add("printer.local", 1, T0_MS, true);
        unsigned n = f.n, n_scored = 0;
        pass(false);
        for (unsigned i = 0; i < n; i++) {
            n_scored += f.events[i].score != SEK_SCORE_UNKNOWN;
            if (ahead)
                assert_int_equal(f.events[i].score, score[i]);
            score[i] = f.events[i].score;
        }
        assert_in_range(n_scored, n / 2, n - 1);
        if (ahead) {
            assert_string_equal(f.told.data, told);
            assert_int_equal(sek_replay_total(f.replay)->n_recorded, n_recorded);
        } else {
            told = strdup(f.told.data);
            n_recorded = sek_replay_total(f.replay)->n_recorded;
        }
        end();
    }
    free(told);
    begin("", NULL); /* no model, no scores */
    assert_false(sek_replay_score(f.replay, NULL, 0, NULL));
}

static void test_sums(void **state)
{
    (void)state;
    begin("", NULL);
    add("www.one-site.com", 1, T0_MS + 1000, true);
    add("www.one-site.com", 2, T0_MS, true);
    add("two-site.com", 1, T0_MS + 5000, true);
    pass(false);
    const struct sek_replay_sum *s = sek_replay_file(f.replay), *total = sek_replay_total(f.replay);
    assert_int_equal(s->n_records, 3);
    assert_int_equal(s->endpoints.n, 2);
    assert_int_equal(s->domains.n, 2);
    assert_int_equal(s->first_ms, T0_MS);
    assert_int_equal(s->last_ms, T0_MS + 5000);
    sek_replay_next_file(f.replay);
    add("three-site.com", 1, T0_MS + 9000, true);
    pass(false);
    assert_int_equal(s->n_records, 1);
    assert_int_equal(s->endpoints.n, 1);
    assert_int_equal(s->first_ms, T0_MS + 9000);
    assert_int_equal(total->n_records, 4);
    assert_int_equal(total->domains.n, 3);
    assert_int_equal(total->endpoints.n, 2);
    assert_int_equal(sek_replay_flush(f.replay, NULL), SEK_OK);
    assert_int_equal(f.n_sums, 1);
    assert_int_equal(f.sum, 4);
    assert_int_equal(sek_replay_lost(f.replay), 0);
}

static uint64_t n_met(enum sek_trigger trigger)
{
    unsigned n;
    const struct sek_replay_met *mets = sek_replay_mets(f.replay, &n);
    uint64_t sum = 0;

    for (unsigned i = 0; i < n; i++)
        sum += mets[i].trigger == trigger ? mets[i].n_queries : 0;
    return sum;
}

/* What was learned is old, what was not is new; without learning nobody can tell. */
static void test_learned(void **state)
{
    (void)state;
    begin("nod: {mode: monitor}\n", NULL);
    add("www.old-site.com", 1, T0_MS, true);
    add("new-site.com", 1, T0_MS + 1000, true);
    pass(false);
    assert_int_equal(n_met(SEK_TRIGGER_NOD), 0);
    end();
    begin("nod: {mode: monitor}\n", NULL);
    add("old-site.com", 1, T0_MS - 3600000, true);
    pass(true);
    add("www.old-site.com", 1, T0_MS, true);
    add("new-site.com", 1, T0_MS + 1000, true);
    pass(false);
    assert_int_equal(n_met(SEK_TRIGGER_NOD), 1);
    assert_true(sek_replay_settled_s(f.replay) <= T0_MS / 1000);
    assert_int_equal(sek_replay_total(f.replay)->n_records, 2); /* learned ones are not judged */
    assert_int_equal(sek_replay_total(f.replay)->n_recorded, 1);
}

/* A log that is longer than the warm-up tells what is new in its later part. */
static void test_own_history(void **state)
{
    (void)state;
    begin("nod: {mode: monitor}\ndomains: {warm-up: 1h}\n", NULL);
    add("old-site.com", 1, T0_MS, true);
    add("other-site.com", 1, T0_MS + 3599000, true);
    pass(false);
    assert_int_equal(n_met(SEK_TRIGGER_NOD), 0);
    add("new-site.com", 1, T0_MS + 3600000, true);
    pass(false);
    assert_int_equal(n_met(SEK_TRIGGER_NOD), 1);
}

/* What a finding blocks, or would block in mode block, and how much of it that stops. */
static void test_blocks(void **state)
{
    static const char *const modes[] = {"tunnel: {mode: monitor}\nnod: {mode: off}\n",
                                        "tunnel: {mode: block}\nnod: {mode: off}\n"};

    (void)state;
    for (int blocks = 0; blocks < 2; blocks++) {
        unsigned n;
        begin(modes[blocks], NULL);
        add("old-site.com", 1, T0_MS - DAY_MS, true);
        pass(true);
        add_tunnel("files-backup.net", 300, 40, T0_MS);
        pass(false);
        const struct sek_replay_block *b = sek_replay_blocks(f.replay, &n);
        assert_int_equal(n, 1);
        assert_int_equal(b->by, SEK_DETECTOR_TUNNEL);
        assert_int_equal(b->in_force, blocks);
        assert_in_range(b->from_s, T0_MS / 1000, T0_MS / 1000 + 29);
        assert_in_range(b->n_queries, 100, 299);
        assert_int_equal(n_met(SEK_TRIGGER_FINDING), blocks ? b->n_queries : 0);
        assert_int_equal(sek_replay_total(f.replay)->n_blocked, blocks ? b->n_queries : 0);
        end();
    }
}

static bool count_finding(void *arg, const struct sek_finding_row *row)
{
    unsigned *n = arg;

    assert_string_equal(row->endpoint, "10.0.0.7");
    assert_string_equal(row->domain, "files-backup.net");
    ++*n;
    return true;
}

static bool take_total(void *arg, const struct sek_traffic_row *row)
{
    *(struct sek_traffic_row *)arg = *row;
    return true;
}

static void test_kept(void **state)
{
    char dir[] = "/tmp/sek-replay-XXXXXX", path[64], command[128];
    struct sek_diag diag = {0};
    struct sek_keep *keep;
    struct sek_report *report;
    uint64_t refused;
    unsigned n = 0;
    struct sek_traffic_row total = {0};

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/events.db", dir);
    assert_int_equal(sek_keep_new(path, NULL, T0_MS / 1000, &keep, &diag), SEK_OK);
    const struct sek_replay_hooks hooks = {keep, sek_keep_sums, sek_keep_finding, sek_keep_response,
                                           sek_keep_first};
    begin("", &hooks);
    add_tunnel("files-backup.net", 500, 30, T0_MS);
    pass(false);
    assert_int_equal(sek_replay_flush(f.replay, &diag), SEK_OK);
    assert_int_equal(sek_keep_sync(keep, &diag), SEK_OK);
    assert_int_equal(sek_keep_findings(keep, &refused), 1);
    assert_int_equal(refused, 0);
    sek_keep_free(keep);
    /* a second one does not write into the first */
    assert_int_equal(sek_keep_new(path, NULL, T0_MS / 1000, &keep, &diag), SEK_E_EXISTS);
    assert_int_equal(sek_report_open(path, &report, &diag), SEK_OK);
    const struct sek_finding_filter filter = {0};
    assert_int_equal(sek_report_findings(report, &filter, count_finding, &n, &diag), SEK_OK);
    assert_int_equal(n, 1);
    assert_int_equal(sek_report_traffic(report, 0, 0, NULL, NULL, SEK_TRAFFIC_TOTAL, 0, take_total,
                                        &total, &diag),
                     SEK_OK);
    assert_int_equal(total.queries, 500);
    sek_report_close(report);
    snprintf(command, sizeof command, "rm -r %s", dir);
    assert_int_equal(system(command), 0);
}

/* Answered as the resolver answers them: a hit, and told of all the same. */
static void test_canary(void **state)
{
    static const struct {
        const char *settings, *name;
        unsigned blocked;
    } cases[] = {
        {"", "use-application-dns.net", 0},
        {"bypass: {canary: nodata}", "use-application-dns.net", 3},
        {"bypass: {canary: nxdomain}", "use-application-dns.net", 3},
        {"bypass: {canary: nodata}", "mask.icloud.com", 3},
        {"bypass: {canary: nodata}", "not-a-canary.net", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsigned n;
        begin(cases[i].settings, NULL);
        for (unsigned k = 0; k < 3; k++)
            add(cases[i].name, 5, T0_MS + k * 60000, true);
        pass(false);
        const struct sek_replay_met *mets = sek_replay_mets(f.replay, &n);
        if (sek_replay_total(f.replay)->n_blocked != cases[i].blocked || n != !!cases[i].blocked)
            fail_msg("%s %s: %u met", cases[i].settings, cases[i].name, n);
        if (n) {
            assert_int_equal(mets[0].trigger, SEK_TRIGGER_CANARY);
            assert_string_equal(mets[0].by, "canary");
            assert_true(mets[0].blocked);
            assert_int_equal(mets[0].n_queries, 3);
        }
        /* a name of a relay is told as before */
        assert_true((f.told.data != NULL) == (cases[i].name[0] == 'm'));
        end();
    }
}

/* What people dismissed is not told and blocks nothing; the rest is. */
static void test_dismissed(void **state)
{
    struct sek_dismissal one = {.detector = SEK_DETECTOR_TUNNEL, .everybody = true};
    struct sek_dismissed set = {0};
    struct sek_name name;

    (void)state;
    assert_int_equal(sek_name_from_text("files-backup.net", 16, &name, NULL), SEK_OK);
    one.domain_len = name.len;
    memcpy(one.domain, name.octets, name.len);
    assert_int_equal(sek_dismissed_add(&set, &one, NULL), SEK_OK);
    for (unsigned all = 0; all < 2; all++) {
        unsigned n;
        f.dismissed = all ? NULL : &set;
        begin("domains: {warm-up: 1d}\ntunnel: {mode: block}", NULL);
        add("www.old.com", 1, T0_MS - 9 * DAY_MS, true);
        pass(true);
        add_tunnel("files-backup.net", 200, 30, T0_MS);
        add_tunnel("other-backup.net", 200, 30, T0_MS + 30000);
        pass(false);
        assert_non_null(f.told.data);
        assert_true((strstr(f.told.data, " files-backup.net ") != NULL) == all);
        assert_non_null(strstr(f.told.data, " other-backup.net "));
        assert_int_equal(sek_replay_dismissed(f.replay), !all);
        sek_replay_blocks(f.replay, &n);
        assert_int_equal(n, 1 + all);
        end();
    }
    sek_dismissed_fini(&set);
}

static void test_distinct(void **state)
{
    struct sek_distinct d = {0};
    uint64_t seed = 3, all[5000];

    (void)state;
    for (int i = 0; i < 5000; i++)
        all[i] = (uint64_t)(fraction(&seed) * 1e18);
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < 5000; i++)
            sek_distinct_add(&d, all[i]);
    assert_int_equal(d.n, 5000);
    sek_distinct_add(&d, 0);
    sek_distinct_add(&d, 0);
    assert_int_equal(d.n, 5001);
    assert_false(d.more);
    sek_distinct_clear(&d);
    assert_int_equal(d.n, 0);
    sek_distinct_add(&d, 7);
    assert_int_equal(d.n, 1);
    sek_distinct_fini(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_tunnel_without_history, teardown),
        cmocka_unit_test_teardown(test_same_again, teardown),
        cmocka_unit_test_teardown(test_pieces, teardown),
        cmocka_unit_test_teardown(test_scored_ahead, teardown),
        cmocka_unit_test_teardown(test_sums, teardown),
        cmocka_unit_test_teardown(test_learned, teardown),
        cmocka_unit_test_teardown(test_own_history, teardown),
        cmocka_unit_test_teardown(test_blocks, teardown),
        cmocka_unit_test_teardown(test_kept, teardown),
        cmocka_unit_test_teardown(test_canary, teardown),
        cmocka_unit_test_teardown(test_dismissed, teardown),
        cmocka_unit_test(test_distinct),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
