/* SPDX-License-Identifier: BSD-3-Clause */
/* How soon a finding is in the database: each detector gets its evidence by the way of the
 * resolver's queries, with all settings as shipped, and its row must be there within five seconds
 * of the last of it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "name/text.h"
#include "runtime/runtime.h"
#include "store/report.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WITHIN_MS 5000
#define MINUTE_MS 60000LL
#define HOUR_MS 3600000LL

struct fixture {
    char dir[64], events[80];
    struct sek_runtime *rt;
    int64_t now_ms; /* of the test's begin */
};

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
}

static int64_t clock_now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void sh(const char *fmt, const char *dir)
{
    char command[200];
    snprintf(command, sizeof command, fmt, dir);
    assert_int_equal(system(command), 0);
}

/* A runtime as shipped, and a history of some months, so that what it does not know is new. */
static int setup(void **state)
{
    char text[600];
    struct sek_conf conf;
    struct sek_diag diag = {0};
    const struct sek_runtime_hooks hooks = {0};
    const struct sek_status_page *page;
    struct fixture *f = calloc(1, sizeof *f);
    snprintf(f->dir, sizeof f->dir, "/tmp/sek-prompt-XXXXXX");
    *state = f;
    if (!mkdtemp(f->dir))
        return -1;
    snprintf(f->events, sizeof f->events, "%s/events.db", f->dir);
    snprintf(text, sizeof text,
             "policy: {dir: %s, db: %s/policy.db}\nevents: {db: %s}\nstatus: {path: %s/status}\n"
             "domains: {file: %s/domains}\nclassify: {model: " SEK_SOURCE_DIR
             "/policy/model/dga.model}\nsurge: {learn: 2h}\nnewrate: {learn: 4h}\n",
             f->dir, f->dir, f->events, f->dir, f->dir);
    sh("printf '#since\\t2026-01-01T00:00:00Z\\nold.net\\t2026-01-01\\t2026-11-01\\t1\\tyes\\n' > "
       "%s/domains.import",
       f->dir);
    if (sek_conf_parse(text, strlen(text), "test", &conf, &diag) != SEK_OK ||
        sek_runtime_start(&conf, 1, "test", &hooks, &f->rt, &diag) != SEK_OK)
        fail_msg("%s", diag.text);
    snprintf(text, sizeof text, "%s/status", f->dir);
    assert_int_equal(sek_status_open(text, &page, NULL), SEK_OK);
    snprintf(text, sizeof text, "%s/domains.import", f->dir);
    for (int i = 0; !page->domains_state || access(text, F_OK) == 0; i++, nap())
        if (i > 2000)
            fail_msg("the history is not there");
    sek_status_close(page);
    f->now_ms = clock_now_ms();
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    sek_runtime_stop(f->rt);
    sh("rm -rf %s", f->dir);
    free(f);
    return 0;
}

/* --- evidence ----------------------------------------------------------------------------------
 */

/* An answered query, or NXDOMAIN: ttl_s is 0 then. n_addrs: so many addresses, each in a network of
 * its own, another set for each `set`. */
static void ask(struct fixture *f, unsigned endpoint, const char *text, int64_t time_ms,
                uint32_t ttl_s, unsigned n_addrs, unsigned set)
{
    struct sek_name name;
    bool exists = ttl_s > 0;
    struct sek_event e = {
        .score = SEK_SCORE_UNKNOWN, .time_ms = time_ms, .qtype = 1, .ttl_s = ttl_s};
    assert_int_equal(sek_name_from_text(text, strlen(text), &name, NULL), SEK_OK);
    e.outcome = exists ? SEK_OUTCOME_PASSED : SEK_OUTCOME_NXDOMAIN;
    e.existence = exists ? SEK_EXISTENCE_EXISTS : SEK_EXISTENCE_ABSENT;
    e.endpoint = (struct sek_addr){.octets = {[10] = 0xff, 0xff, 10, 0, 0, (uint8_t)endpoint}};
    e.name_len = name.len;
    memcpy(e.names, name.octets, name.len);
    e.size = sek_event_size(e.name_len, 0);
    for (unsigned i = 0; i < n_addrs; i++)
        sek_event_add_addr(&e, &(struct sek_addr){.octets = {[10] = 0xff,
                                                             0xff,
                                                             60,
                                                             (uint8_t)(8 * set + i),
                                                             (uint8_t)(7 * i + 1),
                                                             (uint8_t)(set + 1)}});
    sek_worker_record(f->rt, 0, &e);
}

static void dga(struct fixture *f, unsigned endpoint)
{
    uint32_t seed = 77;
    for (int i = 0; i < 40; i++) {
        char text[32] = "";
        for (int k = 0; k < 15; k++) {
            seed = seed * 1664525 + 1013904223;
            text[k] = (char)('a' + (seed >> 16) % 26);
        }
        strcat(text, ".com");
        ask(f, endpoint, text, clock_now_ms(), 0, 0, 0);
    }
}

static void beacon(struct fixture *f, unsigned endpoint)
{
    for (int i = 20; i >= 0; i--)
        ask(f, endpoint, "steady-update.net", f->now_ms - i * MINUTE_MS, 600, 0, 0);
}

static void tunnel(struct fixture *f, unsigned endpoint)
{
    uint32_t seed = 3;
    for (int i = 0; i < 100; i++) {
        char text[64] = "";
        for (int k = 0; k < 40; k++) {
            seed = seed * 1664525 + 1013904223;
            text[k] = (char)('a' + (seed >> 16) % 26);
        }
        strcat(text, ".files-backup.net");
        ask(f, endpoint, text, clock_now_ms(), 60, 0, 0);
    }
}

static void nxburst(struct fixture *f, unsigned endpoint)
{
    static const char *const fruits[] = {"apple", "pear",  "cherry", "lemon", "plum",
                                         "melon", "grape", "olive",  "fig",   "quince"};
    char text[40];
    for (unsigned i = 0; i < 25; i++) {
        snprintf(text, sizeof text, "%s%s.com", fruits[i % 10],
                 (const char *[]){"garden", "market", "kitchen"}[i / 10]);
        ask(f, endpoint, text, clock_now_ms(), 0, 0, 0);
    }
}

static void fastflux(struct fixture *f, unsigned endpoint)
{
    for (unsigned i = 0; i < 6; i++)
        ask(f, endpoint, "moving-homes.net", clock_now_ms(), 60, 8, i);
}

/* Gone for almost ten minutes; the rest passes while nobody asks. */
static void shortlived(struct fixture *f, unsigned endpoint)
{
    int64_t gone_ms = clock_now_ms() - 10 * MINUTE_MS + 1000;
    ask(f, endpoint, "thrown-away.net", gone_ms - 20 * MINUTE_MS, 60, 1, 0);
    ask(f, endpoint, "thrown-away.net", gone_ms - 10 * MINUTE_MS, 60, 1, 0);
    ask(f, endpoint, "thrown-away.net", gone_ms, 0, 0, 0);
    while (clock_now_ms() < gone_ms + 10 * MINUTE_MS)
        nap();
}

/* Some hours of a quiet endpoint, then a thousand queries. */
static void surge(struct fixture *f, unsigned endpoint)
{
    int64_t begin_ms = (f->now_ms / HOUR_MS - 48) * HOUR_MS;
    for (int64_t m = 0; m < 181; m++)
        ask(f, endpoint, "usual.com", begin_ms + m * MINUTE_MS, 60, 0, 0);
    for (int i = 0; i < 1000; i++)
        ask(f, endpoint, "www.usual.com", begin_ms + 181 * MINUTE_MS + i, 60, 0, 0);
}

/* Some hours of one new domain each twenty minutes, then a hundred. */
static void newrate(struct fixture *f, unsigned endpoint)
{
    char text[40];
    int64_t begin_ms = (f->now_ms / HOUR_MS - 48) * HOUR_MS;
    for (unsigned i = 0; i < 60; i++) {
        snprintf(text, sizeof text, "shop%u.org", i);
        ask(f, endpoint, text, begin_ms + i * 20 * MINUTE_MS, 60, 0, 0);
    }
    for (unsigned i = 0; i < 100; i++) {
        snprintf(text, sizeof text, "place%u.org", i);
        ask(f, endpoint, text, begin_ms + 20 * HOUR_MS + i * 1000, 60, 0, 0);
    }
}

static void bypass(struct fixture *f, unsigned endpoint)
{
    ask(f, endpoint, "dns.google", clock_now_ms(), 60, 0, 0);
}

/* --- rows --------------------------------------------------------------------------------------
 */

struct wanted {
    int detector;
    const char *endpoint;
    bool there;
};

static bool see(void *arg, const struct sek_finding_row *row)
{
    struct wanted *w = arg;
    w->there |= row->detector == w->detector && strcmp(row->endpoint, w->endpoint) == 0;
    return true;
}

static bool is_there(const struct fixture *f, enum sek_detector by, unsigned endpoint)
{
    char text[24];
    struct sek_report *r;
    struct wanted w = {.detector = (int)by, .endpoint = text};
    snprintf(text, sizeof text, "10.0.0.%u", endpoint);
    if (sek_report_open(f->events, &r, NULL) != SEK_OK)
        return false;
    sek_report_findings(r, &(struct sek_finding_filter){0}, see, &w, NULL);
    sek_report_close(r);
    return w.there;
}

/* Again and again by another endpoint, so that it meets the writer's rhythm at different points. */
static void test_prompt(void **state)
{
    static const struct {
        enum sek_detector by;
        void (*give)(struct fixture *f, unsigned endpoint);
        unsigned times; /* domains are one endpoint's: those detectors once */
    } rows[] = {
        {SEK_DETECTOR_DGA, dga, 2},           {SEK_DETECTOR_BEACON, beacon, 2},
        {SEK_DETECTOR_TUNNEL, tunnel, 3},     {SEK_DETECTOR_NXBURST, nxburst, 2},
        {SEK_DETECTOR_FASTFLUX, fastflux, 1}, {SEK_DETECTOR_SHORTLIVED, shortlived, 1},
        {SEK_DETECTOR_SURGE, surge, 3},       {SEK_DETECTOR_NEWRATE, newrate, 1},
        {SEK_DETECTOR_BYPASS, bypass, 2},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t worst_ms = 0;
        const char *name = sek_lookup_name(sek_detector_names, (int)rows[i].by);
        for (unsigned k = 0; k < rows[i].times; k++) {
            unsigned endpoint = 10 + 10 * (unsigned)i + k;
            rows[i].give(f, endpoint);
            int64_t begin_ms = clock_now_ms();
            while (!is_there(f, rows[i].by, endpoint) && clock_now_ms() - begin_ms <= WITHIN_MS)
                nap();
            int64_t ms = clock_now_ms() - begin_ms;
            worst_ms = ms > worst_ms ? ms : worst_ms;
            if (ms > WITHIN_MS)
                fail_msg("%s: no finding within %d ms", name, WITHIN_MS);
        }
        printf("%-16s within %4lld ms\n", name, (long long)worst_ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_prompt, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
