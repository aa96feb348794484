/* SPDX-License-Identifier: BSD-3-Clause */
/* The way from the rings to the file, on real threads and files. */
#include "event_samples.h"
#include "store/eventsdb.h"
#include "store/recorder.h"
#include "store/waiting.h"
#include "store/schema.h"
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <cmocka.h>

#define PATIENCE_MS 20000 /* for what takes well under a second on a quiet machine */

static char dir[] = "/tmp/sek-recorder-XXXXXX";
static char path[64];
static struct sek_conf conf;
static struct sek_ring *rings[2];
static struct sek_status_page page;
static int64_t findings_ms; /* start of finding number 0 */
static const struct sek_list lists[] = {{.id = 7, .name = "seven"}};

/* What was told, in order: "-text" trouble, "+text" good news. */
static struct {
    pthread_mutex_t lock;
    unsigned n;
    char text[8][600];
} said = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void on_say(void *arg, bool trouble, const char *text)
{
    assert_ptr_equal(arg, &said);
    pthread_mutex_lock(&said.lock);
    if (said.n < 8)
        snprintf(said.text[said.n], sizeof said.text[0], "%c%s", trouble ? '-' : '+', text);
    said.n++;
    pthread_mutex_unlock(&said.lock);
}

static unsigned n_said(void)
{
    pthread_mutex_lock(&said.lock);
    unsigned n = said.n;
    pthread_mutex_unlock(&said.lock);
    return n;
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int make_dir(void **state)
{
    (void)state;
    findings_ms = now_ms();
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    sample_remove_dir(dir);
    return 0;
}

static int setup(void **state)
{
    (void)state;
    sample_remove_dir(dir);
    mkdir(dir, 0700);
    memset(&conf, 0, sizeof conf);
    memset(&page, 0, sizeof page);
    said.n = 0;
    snprintf(path, sizeof path, "%s/events.db", dir);
    snprintf(conf.events.db, sizeof conf.events.db, "%s", path);
    conf.events.ring_octets = 1 << 20;
    conf.events.memory_octets = 16 << 20;
    conf.events.flush_ms = 50;
    conf.events.retention_s = 86400;
    conf.events.size_octets = 1 << 30;
    return sek_ring_new(1 << 20, &rings[0]) || sek_ring_new(1 << 20, &rings[1]);
}

static int teardown(void **state)
{
    (void)state;
    sek_ring_free(rings[0]);
    sek_ring_free(rings[1]);
    return 0;
}

static struct sek_recorder *start(void)
{
    struct sek_recorder *r = NULL;
    assert_int_equal(sek_recorder_start(&conf, rings, 2, &page, NULL, on_say, &said, &r, NULL),
                     SEK_OK);
    sek_recorder_lists(r, lists, 1);
    return r;
}

/* -1 while there is no such database yet. */
static int64_t ask(const char *sql)
{
    sqlite3 *db;
    int64_t n = -1;
    if (sek_sql_open(path, SEK_SQL_READER, &sek_events_schema, &db, NULL))
        return -1;
    if (sek_sql_int(db, sql, &n, NULL))
        n = -1;
    sek_sql_close(db);
    return n;
}

static int64_t stored_hits(void)
{
    return ask("SELECT coalesce(sum(count), 0) FROM hit_sum");
}

static void wait_for_hits(int64_t n)
{
    int64_t give_up = sample_monotonic_ms() + PATIENCE_MS;
    while (stored_hits() != n) {
        if (sample_monotonic_ms() > give_up)
            fail_msg("%lld of %lld hits; %s", (long long)stored_hits(), (long long)n,
                     page.events_text);
        sample_pause();
    }
}

static void wait_for_state(enum sek_part_state state)
{
    int64_t give_up = sample_monotonic_ms() + PATIENCE_MS;
    while (atomic_load(&page.events_state) != (uint32_t)state) {
        if (sample_monotonic_ms() > give_up)
            fail_msg("state %u", atomic_load(&page.events_state));
        sample_pause();
    }
}

static void push(unsigned ring, int n)
{
    for (int i = 0; i < n; i++) {
        char name[64];
        snprintf(name, sizeof name, "n%d.example", i);
        struct sek_event e = sample_hit("192.0.2.1", name, now_ms());
        assert_true(sek_ring_push(rings[ring], &e));
    }
}

static uint64_t counter(enum sek_counter c)
{
    return atomic_load(&page.counter[c]);
}

static void test_flows(void **state)
{
    (void)state;
    struct sek_recorder *r = start();
    push(0, 10);
    push(1, 10);
    wait_for_hits(20); /* without a stop */
    assert_int_equal(atomic_load(&page.events_state), SEK_PART_OK);
    push(0, 500);
    sek_recorder_stop(r, 1000); /* at once: what is in the rings is stored */
    assert_int_equal(stored_hits(), 520);
    assert_int_equal(ask("SELECT sum(hits) FROM traffic"), 520);
    assert_int_equal(ask("SELECT count(*) FROM list WHERE name = 'seven'"), 1);
    assert_true(counter(SEK_COUNTER_ROWS) >= 500);
    assert_int_equal(counter(SEK_COUNTER_DB_ERRORS), 0);
    assert_int_equal(counter(SEK_COUNTER_TALLY_LOST_HITS), 0);
    assert_int_equal(n_said(), 0);
    sek_recorder_stop(NULL, 0);
}

struct load {
    unsigned ring;
    uint64_t n, pushed;
};

static void *produce(void *arg)
{
    struct load *load = arg;
    struct sek_event samples[100];
    for (int i = 0; i < 100; i++) {
        char name[64];
        snprintf(name, sizeof name, "n%d.evil.example", i);
        samples[i] = sample_event(i % 2 ? "192.0.2.1" : "2001:db8::1", name, NULL,
                                  i % 10 ? SEK_OUTCOME_HIT : SEK_OUTCOME_CACHED, 0);
    }
    for (uint64_t i = 0; i < load->n; i++) {
        struct sek_event *e = &samples[i % 100];
        e->time_ms = now_ms();
        load->pushed += sek_ring_push(rings[load->ring], e);
        if (i % 500 == 499) /* 50,000 a second each */
            nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    return NULL;
}

/* Two workers under load; every event is in the sums, or counted as dropped. */
static void test_exact_counts(void **state)
{
    (void)state;
    struct load loads[2] = {{0, 100000, 0}, {1, 100000, 0}};
    pthread_t threads[2];
    struct sek_recorder *r = start();
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, produce, &loads[i]), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    sek_recorder_stop(r, 5000);
    uint64_t dropped = sek_ring_dropped(rings[0]) + sek_ring_dropped(rings[1]);
    assert_int_equal(loads[0].pushed + loads[1].pushed + dropped, 200000);
    assert_int_equal(counter(SEK_COUNTER_RING_DROPPED), dropped);
    assert_int_equal(ask("SELECT sum(hits + cached) FROM traffic") + (int64_t)dropped, 200000);
    if (dropped == 0)
        assert_int_equal(stored_hits(), 180000);
    assert_int_equal(stored_hits(), ask("SELECT sum(hits) FROM traffic"));
}

/* Another connection holds the lock: events wait, are told about once, and go in. */
static void test_locked(void **state)
{
    (void)state;
    sqlite3 *blocker;
    struct sek_recorder *r = start();
    push(0, 10);
    wait_for_hits(10);
    assert_int_equal(sek_sql_open(path, SEK_SQL_EVENTS, &sek_events_schema, &blocker, NULL),
                     SEK_OK);
    assert_int_equal(sek_sql_run(blocker, "BEGIN IMMEDIATE", NULL), SEK_OK);
    push(0, 10);
    wait_for_state(SEK_PART_FAILED);
    push(1, 10);
    assert_int_equal(stored_hits(), 10);
    assert_true(counter(SEK_COUNTER_DB_ERRORS) > 0);
    assert_int_equal(sek_sql_run(blocker, "ROLLBACK", NULL), SEK_OK);
    sek_sql_close(blocker);
    wait_for_hits(30);
    wait_for_state(SEK_PART_OK);
    sek_recorder_stop(r, 1000);
    assert_int_equal(n_said(), 2);
    assert_non_null(strstr(said.text[0], "locked"));
    assert_string_equal(said.text[1], "+events are stored again");
    assert_string_equal(page.events_text, "");
}

/* No folder at the start; it comes later. Then it goes away with the file, and comes again. */
static void test_folder_missing(void **state)
{
    (void)state;
    sample_remove_dir(dir);
    struct sek_recorder *r = start();
    push(0, 10);
    wait_for_state(SEK_PART_FAILED);
    assert_int_equal(mkdir(dir, 0700), 0);
    wait_for_hits(10);
    wait_for_state(SEK_PART_OK);
    sample_remove_dir(dir);
    push(0, 10);
    wait_for_state(SEK_PART_FAILED);
    assert_int_equal(mkdir(dir, 0700), 0);
    wait_for_hits(10);
    sek_recorder_stop(r, 1000);
    assert_true(n_said() == 2 || n_said() == 4); /* twice where SEK_HEALTH_WELL_MS lie between */
    assert_non_null(strstr(said.text[0], path));
    assert_string_equal(said.text[n_said() - 1], "+events are stored again");
}

static void test_file_deleted(void **state)
{
    (void)state;
    char wal[80];
    struct sek_recorder *r = start();
    push(0, 10);
    wait_for_hits(10);
    snprintf(wal, sizeof wal, "%s-wal", path);
    unlink(path);
    unlink(wal);
    push(0, 20);
    wait_for_hits(20); /* in a new file */
    sek_recorder_stop(r, 1000);
    assert_int_equal(counter(SEK_COUNTER_TALLY_LOST_HITS), 0);
}

static void test_file_becomes_garbage(void **state)
{
    (void)state;
    char garbage[300000], found[1024] = "";
    struct sek_recorder *r = start();
    push(0, 10);
    wait_for_hits(10);
    memset(garbage, 'g', sizeof garbage);
    int fd = open(path, O_WRONLY); /* the same file: only its content changes */
    assert_int_equal(pwrite(fd, garbage, sizeof garbage, 0), sizeof garbage);
    close(fd);
    char wal[80];
    snprintf(wal, sizeof wal, "%s-wal", path);
    assert_int_equal(truncate(wal, 0), 0);
    push(0, 3000);
    wait_for_hits(3000);
    sek_recorder_stop(r, 1000);
    assert_int_equal(counter(SEK_COUNTER_TALLY_LOST_HITS), 0);
    assert_true(n_said() >= 1);
    DIR *d = opendir(dir);
    for (struct dirent *e; (e = readdir(d));)
        if (strstr(e->d_name, ".corrupt-"))
            snprintf(found, sizeof found, "%s", e->d_name);
    closedir(d);
    assert_string_not_equal(found, "");
    assert_non_null(strstr(page.events_text, "put aside"));
}

/* A dead database and full memory: losses are counted exactly, hits after traffic; stop does not
 * hang. */
static void test_memory_full(void **state)
{
    (void)state;
    conf.events.memory_octets = SEK_TALLY_OCTETS_MIN;
    snprintf(conf.events.db, sizeof conf.events.db, "/nonexistent/events.db");
    struct sek_recorder *r = start();
    for (int i = 0; i < 50000; i++) {
        char name[64];
        snprintf(name, sizeof name, "n%d.example", i % 5000);
        struct sek_event e = sample_hit("192.0.2.1", name, now_ms());
        while (!sek_ring_push(rings[0], &e))
            sample_pause();
    }
    int64_t before = sample_monotonic_ms();
    sek_recorder_stop(r, 200);
    assert_true(sample_monotonic_ms() - before < 5000);
    assert_int_equal(counter(SEK_COUNTER_TALLY_LOST_HITS), 50000);
    assert_int_equal(counter(SEK_COUNTER_TALLY_LOST), 50000);
    assert_int_equal(counter(SEK_COUNTER_RING_DROPPED), sek_ring_dropped(rings[0]));
    assert_int_equal(atomic_load(&page.events_state), SEK_PART_FAILED);
    assert_true(n_said() >= 2 && n_said() <= 3);
}

static void test_without_page_and_say(void **state)
{
    (void)state;
    struct sek_recorder *r = NULL;
    assert_int_equal(sek_recorder_start(&conf, rings, 2, NULL, NULL, NULL, NULL, &r, NULL), SEK_OK);
    push(1, 5);
    sek_recorder_stop(r, 1000);
    assert_int_equal(stored_hits(), 5);
}

/* What a killed process pushed more than a second before its end is in a sound database. */
static void test_kill(void **state)
{
    (void)state;
    conf.events.flush_ms = 500; /* the default */
    uint64_t *old =
        mmap(NULL, sizeof *old, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint64_t pushed = 0;
    pid_t child = fork();
    if (child == 0) {
        uint64_t at[40] = {0}; /* how many were pushed, each 100 ms */
        start();
        for (unsigned tick = 0; tick < 40; tick++) {
            for (int i = 0; i < 200; i++) {
                struct sek_event e = sample_hit("192.0.2.1", "evil.example", now_ms());
                pushed += sek_ring_push(rings[0], &e);
            }
            at[tick] = pushed;
            if (tick >= 10) /* a second ago */
                __atomic_store_n(old, at[tick - 10], __ATOMIC_SEQ_CST);
            nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
        }
        kill(getpid(), SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    if (stored_hits() < (int64_t)*old)
        fail_msg("%lld stored, %llu were older than a second", (long long)stored_hits(),
                 (unsigned long long)*old);
    assert_true(*old >= 5000 && stored_hits() <= 8000);
    assert_int_equal(
        ask("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
    munmap(old, sizeof *old);
    /* and the next one goes on with it */
    struct sek_recorder *r = start();
    int64_t before = stored_hits();
    push(0, 10);
    sek_recorder_stop(r, 1000);
    assert_int_equal(stored_hits(), before + 10);
}

/* --- findings ----------------------------------------------------------------------------------
 */

static struct sek_finding finding(unsigned start, const char *evidence)
{
    struct sek_finding f;
    memset(&f, 0, sizeof f);
    f.detector = SEK_DETECTOR_DGA;
    f.mode = SEK_MODE_MONITOR;
    f.start_ms = f.end_ms = findings_ms + start;
    snprintf(f.evidence, sizeof f.evidence, "%s", evidence);
    return f;
}

static void find(struct sek_recorder *r, unsigned start, const char *evidence)
{
    struct sek_finding f = finding(start, evidence);
    sek_recorder_finding(r, &f);
}

static void wait_for_findings(int64_t n)
{
    int64_t give_up = sample_monotonic_ms() + PATIENCE_MS;
    while (ask("SELECT count(*) FROM finding") != n) {
        if (sample_monotonic_ms() > give_up)
            fail_msg("%lld of %lld findings", (long long)ask("SELECT count(*) FROM finding"),
                     (long long)n);
        sample_pause();
    }
}

/* Stored without any traffic, and renewed; what is no JSON is counted as lost. */
static void test_finding(void **state)
{
    (void)state;
    struct sek_recorder *r = start();
    find(r, 1, "{}");
    wait_for_findings(1);
    find(r, 1, "{\"names\":2}");
    find(r, 2, "{}");
    find(r, 3, "nonsense");
    wait_for_findings(2);
    find(r, 4, "{}");
    sek_recorder_stop(r, 1000); /* at once */
    assert_int_equal(ask("SELECT count(*) FROM finding"), 3);
    assert_int_equal(ask("SELECT count(*) FROM finding WHERE evidence = '{\"names\":2}'"), 1);
    assert_int_equal(counter(SEK_COUNTER_FINDINGS), 3);
    assert_int_equal(counter(SEK_COUNTER_FINDINGS_LOST), 1);
    assert_int_equal(counter(SEK_COUNTER_DB_ERRORS), 0);
}

/* Without a database they wait, each once, as the newest record has it; more than there is room for
 * are lost. The writer holds the first ones that it tried to store, behind which as many wait. */
static void test_findings_wait(void **state)
{
    (void)state;
    sample_remove_dir(dir);
    struct sek_recorder *r = start();
    wait_for_state(SEK_PART_FAILED);
    for (unsigned i = 0; i < 5 * SEK_WAITING_FINDINGS; i++)
        find(r, i / 5, "{\"last\":0}");
    for (unsigned i = 0; i < SEK_WAITING_FINDINGS; i++)
        find(r, i, "{\"last\":1}");
    assert_int_equal(counter(SEK_COUNTER_FINDINGS_LOST), 0);
    for (unsigned i = 0; i < 3 * SEK_WAITING_FINDINGS; i++)
        find(r, SEK_WAITING_FINDINGS + i, "{}");
    uint64_t lost = counter(SEK_COUNTER_FINDINGS_LOST);
    assert_true(lost >= 2 * SEK_WAITING_FINDINGS && lost <= 3 * SEK_WAITING_FINDINGS);
    assert_int_equal(mkdir(dir, 0700), 0);
    wait_for_findings((int64_t)(4 * SEK_WAITING_FINDINGS - lost));
    assert_int_equal(ask("SELECT count(*) FROM finding WHERE evidence = '{\"last\":1}'"),
                     SEK_WAITING_FINDINGS);
    assert_int_equal(ask("SELECT count(*) FROM finding WHERE evidence = '{\"last\":0}'"), 0);
    sek_recorder_stop(r, 1000);
    assert_int_equal(counter(SEK_COUNTER_FINDINGS), 4 * SEK_WAITING_FINDINGS - lost);
    assert_int_equal(counter(SEK_COUNTER_FINDINGS_LOST), lost);
}

/* Stopped without a database: counted and told. */
static void test_findings_unstored(void **state)
{
    (void)state;
    snprintf(conf.events.db, sizeof conf.events.db, "/nonexistent/events.db");
    struct sek_recorder *r = start();
    for (unsigned i = 0; i < 10; i++)
        find(r, i, "{}");
    sek_recorder_stop(r, 50);
    assert_int_equal(counter(SEK_COUNTER_FINDINGS_LOST), 10);
    assert_int_equal(counter(SEK_COUNTER_FINDINGS), 0);
    assert_string_equal(said.text[n_said() - 1],
                        "-stopped without a database: 0 hits and 10 findings lost");
}

static void *find_many(void *arg)
{
    for (unsigned i = 0; i < 2000; i++) {
        find(arg, i % 20, "{}");
        if (i % 100 == 0)
            sample_pause();
    }
    return NULL;
}

/* Several threads, beside traffic. */
static void test_findings_race(void **state)
{
    (void)state;
    pthread_t threads[2];
    conf.events.flush_ms = 10;
    struct sek_recorder *r = start();
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, find_many, r), 0);
    push(0, 500);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    sek_recorder_stop(r, 5000);
    assert_int_equal(stored_hits(), 500);
    assert_int_equal(ask("SELECT count(*) FROM finding"), 20);
    assert_int_equal(counter(SEK_COUNTER_FINDINGS), 20);
    assert_int_equal(counter(SEK_COUNTER_FINDINGS_LOST), 0);
}

/* Threads do not survive fork: stop in the child must neither hang nor touch the parent's file. */
static void test_fork(void **state)
{
    (void)state;
    struct sek_recorder *r = start();
    push(0, 10);
    wait_for_hits(10);
    pid_t child = fork();
    if (child == 0) {
        sek_recorder_lists(r, lists, 1);
        find(r, 1, "{}");
        sek_recorder_stop(r, 1000);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    push(0, 10);
    wait_for_hits(20);
    sek_recorder_stop(r, 1000);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_flows),
        CASE(test_exact_counts),
        CASE(test_locked),
        CASE(test_folder_missing),
        CASE(test_file_deleted),
        CASE(test_file_becomes_garbage),
        CASE(test_memory_full),
        CASE(test_without_page_and_say),
        CASE(test_kill),
        CASE(test_fork),
        CASE(test_finding),
        CASE(test_findings_wait),
        CASE(test_findings_unstored),
        CASE(test_findings_race),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
