/* SPDX-License-Identifier: BSD-3-Clause */
/* What detectors remember over a restart: made-up days of traffic with and without restarts give
 * the same findings; a file that is damaged, foreign, cut off, too old or from the future does no
 * harm. */
#include "watch_samples.h"
#include "watch/baseline.h"
#include "watch/memory.h"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY_MIN 1440
#define DAYS 4
#define MINUTE_MS 60000LL
#define START_MS 1790553600000LL /* a Monday */
#define SMALL                                                                                      \
    "dga: {endpoints: 64}\nbeacon: {pairs: 64}\ntunnel: {pairs: 64}\nnxburst: {endpoints: 64}\n"   \
    "fastflux: {domains: 64}\nshortlived: {domains: 64}\nsurge: {endpoints: 64}\n"                 \
    "newrate: {endpoints: 64}\nbypass: {endpoints: 64}\nsinkholed: {endpoints: 64}\n"

static char folder[] = "/tmp/sek-memory.XXXXXX", path[64];
static struct sek_classify *model;

struct world {
    struct sek_conf conf;
    struct sek_hash_key key;
    struct sek_detectors *d;
    struct sek_buf log;    /* a line a sign */
    unsigned n[32];        /* signs by detector */
    unsigned restart_each; /* observations; 0: never */
    unsigned n_seen, n_restarts;
    uint64_t seed;
};

static void begin(struct world *w, const char *text)
{
    struct sek_diag diag = {0};

    *w = (struct world){.key = {3, 4}, .seed = 7};
    settings(&w->conf, text);
    sek_buf_init(&w->log, 0);
    if (sek_detectors_new(&w->conf, w->key, &w->d, &diag) != SEK_OK)
        fail_msg("%s", diag.text);
}

static void end(struct world *w)
{
    sek_detectors_free(w->d);
    sek_buf_fini(&w->log);
    sek_conf_fini(&w->conf);
}

static void save(struct world *w, int64_t now_ms)
{
    struct sek_memory_save *s;
    struct sek_diag diag = {0};
    bool done = false;

    assert_int_equal(sek_memory_save_new(path, w->d, w->key, now_ms, &s, &diag), SEK_OK);
    while (!done)
        if (sek_memory_save_step(s, &done, &diag) != SEK_OK)
            fail_msg("%s", diag.text);
    sek_memory_save_free(s);
}

/* Into the detectors as they are. */
static enum sek_err load(struct world *w, int64_t now_ms, struct sek_memory_sums *sums)
{
    struct sek_memory *m;
    struct sek_diag diag = {0};
    enum sek_err err = sek_memory_open(path, &m, &diag);

    *sums = (struct sek_memory_sums){0};
    if (err)
        return err;
    err = sek_memory_load(m, w->d, now_ms, NULL, NULL, sums, &diag);
    sek_memory_close(m);
    return err;
}

/* A new process: the key is in the file. */
static void renew(struct world *w)
{
    struct sek_memory *m;

    sek_detectors_free(w->d);
    assert_int_equal(sek_memory_open(path, &m, NULL), SEK_OK);
    w->key = sek_memory_key(m);
    sek_memory_close(m);
    assert_int_equal(sek_detectors_new(&w->conf, w->key, &w->d, NULL), SEK_OK);
}

static void restart(struct world *w, int64_t now_ms)
{
    struct sek_memory_sums sums;

    save(w, now_ms);
    renew(w);
    assert_int_equal(load(w, now_ms, &sums), SEK_OK);
    assert_int_equal(sums.n_foreign, 0);
    w->n_restarts++;
}

/* --- traffic -----------------------------------------------------------------------------------
 */

static void on_sign(void *arg, const struct sek_sign *s, const struct sek_observation *o)
{
    struct world *w = arg;
    const struct sek_finding *f = &s->finding;
    char domain[SEK_NAME_TEXT_MAX] = "-";

    (void)o;
    if (f->domain_len)
        sek_name_to_text(f->domain, domain);
    w->n[f->detector]++;
    sek_buf_add_fmt(&w->log, "%d %d %lld %lld %s %d %.4f %s\n", (int)f->detector,
                    f->endpoint.octets[15], (long long)f->start_ms, (long long)f->end_ms, domain,
                    s->is_new, (double)f->confidence, f->evidence);
}

static void seen(struct world *w, int64_t now_ms)
{
    if (w->restart_each && ++w->n_seen % w->restart_each == 0)
        restart(w, now_ms);
}

static void ask(struct world *w, const struct question *q)
{
    struct sek_name name;
    struct sek_observation o = observe(q, &name);

    o.classify = model;
    sek_detectors_see(w->d, &o, on_sign, w);
    seen(w, q->time_ms);
}

static void count(struct world *w, unsigned endpoint, int64_t time_ms, uint64_t n)
{
    union {
        struct sek_tally_traffic row;
        uint8_t octets[sizeof(struct sek_tally_traffic) + SEK_NAME_MAX];
    } r = {.row = {.minute = time_ms / MINUTE_MS}};
    struct sek_name name;
    const struct question q = {"usual.com", endpoint, 0};

    r.row.endpoint = observe(&q, &name).endpoint;
    r.row.domain_len = name.len;
    memcpy(r.row.domain, name.octets, name.len);
    r.row.count[SEK_OUTCOME_CACHED] = n;
    sek_detectors_count(w->d, &r.row, (uint32_t)n, on_sign, w);
    seen(w, time_ms);
}

/* So many random letters, then the text. */
static const char *made_up(struct world *w, unsigned n, const char *text, char out[96])
{
    for (unsigned i = 0; i < n; i++)
        out[i] = "abcdefghijklmnopqrstuvwxyz234567"[(unsigned)(fraction(&w->seed) * 32)];
    snprintf(out + n, 96 - n, "%s", text);
    return out;
}

/* The site's usual week, and what starts within the last hours of it. */
static void rates(struct world *w, unsigned m, int64_t t)
{
    char name[96];
    bool last = m >= DAYS * DAY_MIN - 20;

    count(w, 1, t, last ? 90 : 4);
    if (m % 10 == 0)
        ask(w, &(struct question){"known.com", 2, t, .age_s = SEK_AGE_OLD, .endpoints = 9});
    for (unsigned i = 0; last && i < 12; i++)
        ask(w, &(struct question){made_up(w, 6, ".com", name), 2, t, .endpoints = 1});
}

static void regular(struct world *w, unsigned m, int64_t t)
{
    char name[96];

    if (m % 180 == 0)
        ask(w, &(struct question){"cdn.clock3.net", 3, t + (int64_t)(fraction(&w->seed) * 30000),
                                  .age_s = t / 1000 - START_MS / 1000 + 60});
    if (m % 6 == 0)
        ask(w, &(struct question){made_up(w, 45, ".exfil4.org", name), 4, t, .age_s = SEK_AGE_OLD,
                                  .endpoints = 2, .qtype = m % 4 ? 1 : 16, .answer_octets = 90});
    if (m % 200 == 7)
        ask(w, &(struct question){m % 400 == 7 ? "dns.google" : "cloudflare-dns.com", 9, t,
                                  .age_s = SEK_AGE_OLD, .endpoints = 40});
}

static void bursts(struct world *w, unsigned m, int64_t t)
{
    char name[96];
    const enum sek_existence absent = SEK_EXISTENCE_ABSENT;

    if (m >= 2000 && m < 2030)
        ask(w, &(struct question){made_up(w, 4, "office.com", name), 5, t, .existence = absent});
    if (m >= 3000 && m < 3060)
        ask(w, &(struct question){made_up(w, 15, ".net", name), 6, t, .existence = absent});
    if (m == 3030)
        ask(w, &(struct question){"xqjzkvwpqhgtdbnfr.com", 6, t, .age_s = 60,
                                  .existence = SEK_EXISTENCE_EXISTS});
}

static void changing(struct world *w, unsigned m, int64_t t)
{
    struct sek_addr at[4] = {0};

    for (unsigned i = 0; i < 4; i++) {
        uint8_t v4[] = {0xff, 0xff, (uint8_t)(40 + m / 40 % 90), (uint8_t)(m / 10 + 50 * i), 1, 9};
        memcpy(at[i].octets + 10, v4, sizeof v4);
    }
    if (m % 10 == 5 && m > 1000 && m < 1600)
        ask(w, &(struct question){"www.flux7.net", 7, t, .age_s = 3600, .ttl_s = 60, .addrs = at,
                                  .n_addrs = 4, .existence = SEK_EXISTENCE_EXISTS});
    if (m % 30 == 0 && m > 1000 && m < 1400)
        ask(w, &(struct question){"www.lived8.net", 8, t, .age_s = (m - 1000) * 60 + 1, .ttl_s = 60,
                                  .addrs = at, .n_addrs = 1, .existence = SEK_EXISTENCE_EXISTS});
    if (m == 1500)
        ask(w, &(struct question){"lived8.net", 8, t, .age_s = 500 * 60,
                                  .existence = SEK_EXISTENCE_ABSENT});
    if (m % 170 == 3) {
        at[0].octets[12] = 199, at[0].octets[13] = 2, at[0].octets[14] = 137; /* sinkholes.tsv */
        ask(w, &(struct question){"www.taken10.net", 10, t, .age_s = SEK_AGE_OLD, .addrs = at,
                                  .n_addrs = 1, .existence = SEK_EXISTENCE_EXISTS});
    }
}

static void live(struct world *w, unsigned days)
{
    for (unsigned m = 0; m < days * DAY_MIN; m++) {
        int64_t t = START_MS + m * MINUTE_MS;
        rates(w, m, t);
        regular(w, m, t);
        bursts(w, m, t);
        changing(w, m, t);
    }
}

/* --- tests -------------------------------------------------------------------------------------
 */

/* The first line that differs. */
static void compare(const char *a, const char *b, unsigned each)
{
    while (*a && *b) {
        size_t n = strcspn(a, "\n"), k = strcspn(b, "\n");
        if (n != k || memcmp(a, b, n) != 0)
            fail_msg("restart each %u: without: %.*s\nwith: %.*s", each, (int)n, a, (int)k, b);
        a += n + 1;
        b += k + 1;
    }
    if (*a || *b)
        fail_msg("restart each %u: one has more: %.200s%.200s", each, a, b);
}

static void test_same_findings(void **state)
{
    static const unsigned each[] = {11, 101, 1009, 3001};
    struct world still;

    (void)state;
    begin(&still, SMALL);
    live(&still, DAYS);
    for (const struct sek_detector_row *row = sek_detector_rows; row->id; row++)
        if (row->kept && still.n[row->id] == 0)
            fail_msg("%s has found nothing", sek_lookup_name(sek_detector_names, (int)row->id));
    for (size_t i = 0; i < sizeof each / sizeof each[0]; i++) {
        struct world w;
        begin(&w, SMALL);
        w.restart_each = each[i];
        live(&w, DAYS);
        assert_true(w.n_restarts > 0);
        compare(still.log.data, w.log.data, w.restart_each);
        end(&w);
    }
    end(&still);
}

/* Days after it was saved. */
static void test_age(void **state)
{
    static const struct {
        const char *label;
        int64_t after_ms; /* between saving and loading */
        bool surge, beacon, tunnel;
    } cases[] = {
        {"at once", 0, true, true, true},
        {"a minute", MINUTE_MS, true, true, true},
        {"half a day", DAY_MIN / 2 * MINUTE_MS, true, true, true},
        {"three days", 3 * DAY_MIN * MINUTE_MS, true, true, false},
        {"eight days", 8 * DAY_MIN * MINUTE_MS, true, false, false},
        {"sixty days", 60 * DAY_MIN * MINUTE_MS, false, false, false},
        {"clock set back an hour", -60 * MINUTE_MS, true, true, true},
        {"clock set back ten days", -10 * DAY_MIN * MINUTE_MS, true, false, false},
        {"clock of 1970", -START_MS + 5000, true, false, false},
    };
    int64_t saved_ms = START_MS + DAYS * DAY_MIN * MINUTE_MS;
    struct world w;

    (void)state;
    begin(&w, SMALL);
    live(&w, DAYS);
    save(&w, saved_ms);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sek_memory_sums sums;
        int64_t now_ms = saved_ms + cases[i].after_ms;
        bool there[32];
        renew(&w);
        assert_int_equal(load(&w, now_ms, &sums), SEK_OK);
        for (const struct sek_detector_row *row = sek_detector_rows; row->id; row++) {
            static const uint8_t zeros[SEK_KEPT_STRIDE_MAX];
            struct sek_kept tables[SEK_DETECTOR_TABLES];
            void *owner;
            there[row->id] = false;
            sek_detectors_kept(w.d, row->id, tables, &owner);
            for (size_t k = 0; k < tables[0].n; k++)
                there[row->id] |= memcmp((const uint8_t *)tables[0].things + k * tables[0].stride,
                                         zeros, tables[0].stride) != 0;
        }
        if (there[SEK_DETECTOR_SURGE] != cases[i].surge ||
            there[SEK_DETECTOR_BEACON] != cases[i].beacon ||
            there[SEK_DETECTOR_TUNNEL] != cases[i].tunnel)
            fail_msg("%s: surge %d beacon %d tunnel %d", cases[i].label, there[SEK_DETECTOR_SURGE],
                     there[SEK_DETECTOR_BEACON], there[SEK_DETECTOR_TUNNEL]);
        /* whatever the clock was: what comes now makes no false alarm, a surge is found */
        memset(w.n, 0, sizeof w.n);
        for (unsigned m = 0; m < 60; m++)
            count(&w, 1, now_ms + m * MINUTE_MS, 4);
        assert_int_equal(w.n[SEK_DETECTOR_SURGE], 0);
        for (unsigned m = 60; m < 70; m++)
            count(&w, 1, now_ms + m * MINUTE_MS, 400);
        if ((w.n[SEK_DETECTOR_SURGE] > 0) != cases[i].surge)
            fail_msg("%s: %u surges", cases[i].label, w.n[SEK_DETECTOR_SURGE]);
    }
    end(&w);
}

/* While the resolver was away nobody counted: that is no silence to be learned. */
static void test_away(void **state)
{
    const struct sek_season s = {.bin_s = 60, .n_bins = 5, .n_windows = 12, .learn = 24, .z = 6};
    struct sek_baseline *b = calloc(1, sek_baseline_octets(&s));
    struct sek_level level;
    int64_t t = START_MS / 1000;

    (void)state;
    for (unsigned m = 0; m < 30 * 60; m++, t += 60)
        sek_baseline_add(&s, b, t, 20);
    for (unsigned days = 0; days < 20; days++) { /* each day half an hour is missing */
        const struct sek_lapse lapse = {t * 1000, (t + 1800) * 1000};
        assert_true(sek_baseline_resume(&s, b, &lapse));
        for (unsigned m = 0; m < DAY_MIN - 30; m++)
            sek_baseline_add(&s, b, t + 1800 + m * 60, 20);
        t += DAY_MIN * 60;
    }
    sek_baseline_judge(&s, b, &level);
    assert_true(level.mean > 90 && level.mean < 110);
    assert_true(level.dev < 30);
    free(b);
}

static uint8_t *read_file(size_t *out_n)
{
    int fd = open(path, O_RDONLY);
    struct stat st;
    uint8_t *octets;

    assert_true(fd >= 0 && fstat(fd, &st) == 0);
    *out_n = (size_t)st.st_size;
    octets = malloc(*out_n + 1);
    assert_int_equal(read(fd, octets, *out_n), st.st_size);
    close(fd);
    return octets;
}

static void write_file(const uint8_t *octets, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0 && write(fd, octets, n) == (ssize_t)n);
    close(fd);
}

static void assert_untouched(struct world *w, enum sek_err err, size_t at)
{
    struct sek_memory_sums sums;
    enum sek_err got = load(w, START_MS + DAYS * DAY_MIN * MINUTE_MS, &sums);

    if ((got != err && got != SEK_E_VERSION) || sums.n_taken > 0)
        fail_msg("octet %zu: %d, %u taken", at, got, (unsigned)sums.n_taken);
}

static void test_damage(void **state)
{
    struct world w, empty;
    size_t n;

    (void)state;
    begin(&w, SMALL);
    live(&w, 1);
    save(&w, START_MS + DAY_MIN * MINUTE_MS);
    uint8_t *whole = read_file(&n);
    begin(&empty, SMALL);
    for (size_t at = 0; at < n; at += at < 200 ? 1 : 97) {
        whole[at] ^= 0x10;
        write_file(whole, n);
        assert_untouched(&empty, SEK_E_CORRUPT, at);
        whole[at] ^= 0x10;
        write_file(whole, at);
        assert_untouched(&empty, SEK_E_CORRUPT, at);
    }
    whole[n] = 0;
    write_file(whole, n + 1); /* something follows */
    assert_untouched(&empty, SEK_E_CORRUPT, n);
    write_file((const uint8_t *)"something else\n", 15);
    assert_untouched(&empty, SEK_E_CORRUPT, 0);
    unlink(path);
    assert_untouched(&empty, SEK_E_NOTFOUND, 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_untouched(&empty, SEK_E_INVALID, 0);
    rmdir(path);
    free(whole);
    end(&empty);
    end(&w);
}

/* Other settings: what is off is left out, what has less room takes what fits. */
static void test_settings(void **state)
{
    int64_t now_ms = START_MS + 2 * DAY_MIN * MINUTE_MS;
    struct sek_memory_sums sums;
    struct world w;

    (void)state;
    begin(&w, SMALL);
    for (unsigned i = 0; i < 60; i++)
        count(&w, i, now_ms - MINUTE_MS, 3);
    live(&w, 2);
    save(&w, now_ms);
    sek_conf_fini(&w.conf);
    settings(&w.conf, "beacon: {mode: off}\nsurge: {endpoints: 8}\ntunnel: {pairs: 100000}\n");
    renew(&w);
    assert_int_equal(load(&w, now_ms, &sums), SEK_OK);
    assert_true(sums.n_taken > 16);
    assert_int_equal(sums.n_foreign, 0);
    assert_int_equal(load(&w, now_ms, &sums), SEK_OK); /* once more: nothing is there twice */
    assert_true(sums.n_left > 5);
    end(&w);
}

/* A save that does not end leaves the file as it was; traffic in between is no harm. */
static void test_parts(void **state)
{
    struct world w;
    struct sek_memory_save *s;
    struct sek_memory_sums sums;
    bool done = false;
    unsigned steps = 0;
    size_t n, k;

    (void)state;
    begin(&w, "");
    live(&w, 1);
    for (unsigned i = 0; i < 20000; i++)
        count(&w, i, START_MS + DAY_MIN * MINUTE_MS, 5);
    save(&w, START_MS);
    uint8_t *before = read_file(&n);
    assert_int_equal(sek_memory_save_new(path, w.d, w.key, START_MS + 5, &s, NULL), SEK_OK);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(sek_memory_save_step(s, &done, NULL), SEK_OK);
    assert_false(done);
    sek_memory_save_free(s);
    uint8_t *after = read_file(&k);
    assert_int_equal(n, k);
    assert_memory_equal(before, after, n);
    assert_int_equal(sek_memory_save_new(path, w.d, w.key, START_MS, &s, NULL), SEK_OK);
    for (; !done; steps++) {
        assert_int_equal(sek_memory_save_step(s, &done, NULL), SEK_OK);
        for (unsigned i = 0; i < 500; i++)
            count(&w, (unsigned)(fraction(&w.seed) * 200000), START_MS + DAY_MIN * MINUTE_MS, 5);
    }
    sek_memory_save_free(s);
    assert_true(steps > 10);
    renew(&w);
    assert_int_equal(load(&w, START_MS + DAY_MIN * MINUTE_MS, &sums), SEK_OK);
    assert_int_equal(sums.n_left, 0); /* nothing is there twice */
    assert_true(sums.n_taken > 1000);
    free(before);
    free(after);
    end(&w);
}

static bool stop_at(void *arg)
{
    unsigned *left = arg;
    return (*left)-- > 0;
}

static void test_early_end(void **state)
{
    struct world w;
    struct sek_memory *m;
    struct sek_memory_sums sums;
    unsigned left = 3;

    (void)state;
    begin(&w, SMALL);
    live(&w, 1);
    save(&w, START_MS);
    renew(&w);
    assert_int_equal(sek_memory_open(path, &m, NULL), SEK_OK);
    assert_int_equal(sek_memory_saved_ms(m), START_MS);
    assert_int_equal(sek_memory_load(m, w.d, START_MS, stop_at, &left, &sums, NULL), SEK_E_BUSY);
    assert_int_equal(sums.n_taken, 0);
    sek_memory_close(m);
    sek_memory_close(NULL);
    sek_memory_save_free(NULL);
    end(&w);
}

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/detectors.state", folder);
    return sek_classify_open(SEK_SOURCE_DIR "/policy/model/dga.model", &model, NULL);
}

static int teardown(void **state)
{
    (void)state;
    sek_classify_close(model);
    unlink(path);
    return rmdir(folder); /* no temporary file is left */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_findings), cmocka_unit_test(test_age),
        cmocka_unit_test(test_away),          cmocka_unit_test(test_damage),
        cmocka_unit_test(test_settings),      cmocka_unit_test(test_parts),
        cmocka_unit_test(test_early_end),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
