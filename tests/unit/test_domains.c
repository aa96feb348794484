/* SPDX-License-Identifier: BSD-3-Clause */
#include "domains_samples.h"
#include "seed.h"
#include "name/text.h"
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>

static struct sek_name wire(const char *text)
{
    struct sek_name name;

    assert_int_equal(sek_name_from_text(text, strlen(text), &name, NULL), SEK_OK);
    return name;
}

/* --- what a note says --------------------------------------------------------------------------
 */

static void test_story(void **state)
{
    struct sek_domains *d = open_memory(4 * MIB, 1000, 0);
    static const struct {
        const char *label, *name;
        int64_t at_s;
        bool resolved;
        enum sek_domains_news news;
        struct sek_domain_seen seen;
    } steps[] = {
        {"new", "example.com", 100, true, SEK_DOMAINS_NEW, {100, 100, 1, true}},
        {"again", "example.com", 200, true, SEK_DOMAINS_KNOWN, {100, 200, 1, true}},
        {"older, by import", "example.com", 50, true, SEK_DOMAINS_KNOWN, {50, 200, 1, true}},
        {"no answer now", "example.com", 300, false, SEK_DOMAINS_KNOWN, {50, 300, 1, true}},
        {"other case is the same", "EXAMPLE.Com", 301, true, SEK_DOMAINS_KNOWN, {50, 301, 1, true}},
        {"never resolved", "nx.example", 400, false, SEK_DOMAINS_NEW, {400, 400, 1, false}},
        {"still not", "nx.example", 410, false, SEK_DOMAINS_KNOWN, {400, 410, 1, false}},
        {"at last", "nx.example", 420, true, SEK_DOMAINS_RESOLVED_FIRST, {400, 420, 1, true}},
        {"now known", "nx.example", 430, true, SEK_DOMAINS_KNOWN, {400, 430, 1, true}},
        {"near miss", "example.con", 440, true, SEK_DOMAINS_NEW, {440, 440, 1, true}},
        {"escaped octets", "a\\000b\\.c.com", 450, true, SEK_DOMAINS_NEW, {450, 450, 1, true}},
        {"shortest", "a", 460, true, SEK_DOMAINS_NEW, {460, 460, 1, true}},
        {"before 1970", "old.com", -5, true, SEK_DOMAINS_NEW, {1, 1, 1, true}},
        {"after 2106",
         "far.com",
         INT64_MAX,
         true,
         SEK_DOMAINS_NEW,
         {UINT32_MAX, UINT32_MAX, 1, true}},
    };
    struct sek_addr who = sample_endpoint(1);
    struct sek_domains_stats s;

    (void)state;
    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
        struct sek_name name = wire(steps[i].name);
        struct sek_domain_seen seen, found;

        assert_int_equal(sek_domains_find(d, name.octets, name.len, &found),
                         steps[i].news != SEK_DOMAINS_NEW);
        if (sek_domains_note(d, name.octets, name.len, &who, steps[i].at_s, steps[i].resolved,
                             &seen) != steps[i].news)
            fail_msg("%s", steps[i].label);
        assert_true(sek_domains_find(d, name.octets, name.len, &found));
        if (found.last_s != seen.last_s || found.endpoints != seen.endpoints ||
            found.resolved != seen.resolved || found.first_s != seen.first_s ||
            seen.first_s != steps[i].seen.first_s || seen.last_s != steps[i].seen.last_s ||
            seen.endpoints != steps[i].seen.endpoints || seen.resolved != steps[i].seen.resolved)
            fail_msg("%s: %lld %lld %u %d", steps[i].label, (long long)seen.first_s,
                     (long long)seen.last_s, seen.endpoints, seen.resolved);
    }
    sample_check(d);
    sek_domains_stats(d, &s);
    assert_int_equal(s.n_known, 7);
    assert_int_equal(s.n_absent, 0);
    assert_int_equal(s.n_overflow, 0);
    assert_string_equal(s.psl_last, "v1");
    assert_int_equal(sek_domains_since_s(d), NOW_S);
    sek_domains_set_since(d, NOW_S + 1);
    assert_int_equal(sek_domains_since_s(d), NOW_S);
    sek_domains_set_since(d, 5);
    assert_int_equal(sek_domains_since_s(d), 5);
    sek_domains_close(d);
}

static void test_no_names(void **state)
{
    struct sek_domains *d = open_memory(MIB, 10, 0);
    uint8_t longest[256] = {63}, all[300] = {0};
    static const struct {
        const char *label, *octets;
        size_t len;
    } cases[] = {
        {"nothing", "", 0},
        {"the root", "", 1},
        {"no root at the end", "\3com", 4},
        {"past its end", "\5com", 5},
        {"ends before", "\3com\0a", 7},
        {"a pointer", "\xc0\x0c", 3},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const uint8_t *octets = (const uint8_t *)cases[i].octets;
        if (sek_domains_note(d, octets, cases[i].len, NULL, NOW_S, true, NULL) !=
                SEK_DOMAINS_OVERFLOW ||
            sek_domains_find(d, octets, cases[i].len, NULL))
            fail_msg("%s", cases[i].label);
    }
    /* 255 octets are a name: 63, 63, 63, 61 */
    for (int i = 0; i < 4; i++)
        longest[64 * i] = i < 3 ? 63 : 61;
    assert_int_equal(sek_domains_note(d, longest, 255, NULL, NOW_S, true, NULL), SEK_DOMAINS_NEW);
    assert_true(sek_domains_find(d, longest, 255, NULL));
    memcpy(all, longest, 192);
    all[192] = 62;
    assert_int_equal(sek_domains_note(d, all, 256, NULL, NOW_S, true, NULL), SEK_DOMAINS_OVERFLOW);
    /* 127 labels; length octets and names of one octet do not mix */
    for (int i = 0; i < 127; i++)
        all[2 * i] = 1, all[2 * i + 1] = 'A';
    all[254] = 0;
    assert_int_equal(sek_domains_note(d, all, 255, NULL, NOW_S, true, NULL), SEK_DOMAINS_NEW);
    assert_true(sek_domains_find(d, all, 255, NULL));
    /* a label of 65 octets would be 'A' as a length: never folded, never taken */
    all[0] = 65;
    assert_int_equal(sek_domains_note(d, all, 255, NULL, NOW_S, true, NULL), SEK_DOMAINS_OVERFLOW);
    sek_domains_close(d);
}

/* Names of every length, of upper-case letters and of length octets that look like some: what is
 * stored is the name in lower case. */
static void test_lengths(void **state)
{
    struct sek_domains *d = open_memory(MIB, 10, 0);
    uint8_t name[SEK_NAME_MAX], lower[SEK_NAME_MAX];

    (void)state;
    for (size_t len = 3; len <= SEK_NAME_MAX; len++) {
        size_t at = 0;
        while (at + 1 < len) {
            size_t label = len - 2 - at < 63 ? len - 2 - at : 63;
            if (len - 2 - at == 64) /* no room for a label of one octet behind */
                label = 62;
            name[at] = lower[at] = (uint8_t)label;
            for (size_t i = 1; i <= label; i++) {
                static const uint8_t upper[] = "@AMZ[`az{\xc1\xdaQ", low[] = "@amz[`az{\xc1\xdaq";
                name[at + i] = upper[(at + i + len) % (sizeof(upper) - 1)];
                lower[at + i] = low[(at + i + len) % (sizeof(low) - 1)];
            }
            at += 1 + label;
        }
        name[len - 1] = lower[len - 1] = 0;
        uint8_t *exact = malloc(len); /* no octet behind the name is read */
        assert_non_null(exact);
        memcpy(exact, name, len);
        assert_int_equal(sek_domains_note(d, exact, len, NULL, NOW_S, true, NULL), SEK_DOMAINS_NEW);
        memcpy(exact, lower, len);
        assert_true(sek_domains_find(d, exact, len, NULL));
        struct sek_domains_ask ask;
        sek_domains_ask_begin(d, exact, len, &ask);
        sek_domains_ask_ahead(&ask);
        assert_true(sek_domains_ask_end(&ask, NULL));
        free(exact);
        struct sek_dom_name words;
        struct sek_dom_key key;
        assert_true(sek__dom_key_make(d, name, len, &words, &key));
        assert_true(sek__dom_name_check(key.w));
        assert_memory_equal((const uint8_t *)key.w + 1, lower, len - 1);
        assert_int_equal(((const uint8_t *)key.w)[0], len - 1);
        for (size_t i = len; i < key.n_words * 4; i++)
            assert_int_equal(((const uint8_t *)key.w)[i], 0);
        assert_true(key.hash == sek_hash(&d->key, key.w, len));
    }
    sample_check(d);
    sek_domains_close(d);
}

/* Averages over many domains: the sketch tells few from several from many. */
static void test_spread(void **state)
{
    struct sek_domains *d = open_memory(4 * MIB, 10, 0);
    static const uint32_t wanted[] = {0, 1, 2, 3, 5, 10, 20, 40};
    uint8_t name[SEK_NAME_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
        double total = 0;
        for (uint32_t k = 0; k < 200; k++) {
            uint32_t id = (uint32_t)i * 1000 + k;
            size_t len = sample_name(id, "spread", name);
            struct sek_domain_seen seen;
            sek_domains_note(d, name, len, NULL, NOW_S, true, NULL);
            for (uint32_t e = 0; e < wanted[i] * 2; e++) {
                struct sek_addr who = sample_endpoint(id * 100 + e / 2);
                sek_domains_note(d, name, len, &who, NOW_S, true, NULL);
            }
            assert_true(sek_domains_find(d, name, len, &seen));
            total += seen.endpoints;
        }
        assert_true(total / 200 >= wanted[i] * 0.85 && total / 200 <= wanted[i] * 1.15);
    }
    sek_domains_close(d);
}

/* --- against a simple model --------------------------------------------------------------------
 */

#define N_MODEL 20000u

struct model {
    bool there, resolved;
    uint32_t first_s, last_s;
};

static uint32_t random_next(uint64_t *state)
{
    *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(*state >> 33);
}

static void model_note(struct sek_domains *d, struct model *m, uint32_t i, uint32_t at_s,
                       bool resolved)
{
    enum sek_domains_news wanted = !m->there                  ? SEK_DOMAINS_NEW
                                   : resolved && !m->resolved ? SEK_DOMAINS_RESOLVED_FIRST
                                                              : SEK_DOMAINS_KNOWN;

    assert_int_equal(sample_note(d, i, "model", at_s, resolved), wanted);
    *m = (struct model){true, m->resolved || resolved,
                        m->there && m->first_s < at_s ? m->first_s : at_s,
                        m->last_s > at_s ? m->last_s : at_s};
}

static void model_compare(const struct sek_domains *d, const struct model *models)
{
    for (uint32_t i = 0; i < N_MODEL; i++) {
        struct sek_domain_seen seen;

        assert_int_equal(sample_find(d, i, "model", &seen), models[i].there);
        if (models[i].there &&
            (seen.first_s != models[i].first_s || seen.last_s != models[i].last_s ||
             seen.resolved != models[i].resolved))
            fail_msg("domain %u", i);
    }
}

static bool count_one(void *arg, const uint8_t *name, size_t len,
                      const struct sek_domain_seen *seen)
{
    (void)seen;
    assert_int_equal(sek_name_wire_len(name), len);
    ++*(uint32_t *)arg;
    return true;
}

static void test_model(void **state)
{
    struct sek_domains *d = open_memory(8 * MIB, 60000, 0);
    struct model *models = calloc(N_MODEL, sizeof(*models));
    uint64_t seed = test_seed();
    uint32_t n_there = 0, n_each = 0;

    (void)state;
    assert_non_null(models);
    for (uint32_t round = 0; round < N_NOTES; round++) {
        uint32_t r = random_next(&seed), i = random_next(&seed) % N_MODEL;

        model_note(d, &models[i], i, NOW_S + r % 100000, r >> 20 & 1);
        if (round % (N_NOTES / 4) == 0) {
            assert_int_equal(sek_domains_sync(d, NOW_S, NULL), SEK_OK);
            sample_check(d);
            model_compare(d, models);
        }
    }
    sample_check(d);
    model_compare(d, models);
    for (uint32_t i = 0; i < N_MODEL; i++)
        n_there += models[i].there;
    assert_int_equal(sek_domains_each(d, count_one, &n_each, NULL), SEK_OK);
    assert_int_equal(n_each, n_there);
    free(models);
    sek_domains_close(d);
}

/* --- readers while the writer works ------------------------------------------------------------
 */

#define N_READERS 2

struct shared {
    struct sek_domains *d;
    _Atomic uint32_t n_known; /* "steady" names below are there for good */
    _Atomic bool stop;
    _Atomic uint64_t n_looks, n_lost, n_wrong;
};

static void *read_on(void *arg)
{
    struct shared *s = arg;
    uint64_t seed = (uint64_t)(uintptr_t)&seed, n = 0;

    while (!atomic_load(&s->stop)) {
        uint32_t i = random_next(&seed) % atomic_load(&s->n_known);
        struct sek_domain_seen seen;

        uint8_t name[SEK_NAME_MAX];
        struct sek_domains_ask ask;
        sek_domains_ask_begin(s->d, name, sample_name(i, "steady", name), &ask);
        if (n % 2)
            sek_domains_ask_ahead(&ask);
        if (!sek_domains_ask_end(&ask, &seen) || !sample_find(s->d, i, "steady", &seen))
            atomic_fetch_add(&s->n_lost, 1);
        else if (seen.first_s != NOW_S + i % 100 || seen.last_s < seen.first_s)
            atomic_fetch_add(&s->n_wrong, 1);
        if (sample_find(s->d, i, "nowhere", NULL))
            atomic_fetch_add(&s->n_wrong, 1);
        if (sample_find(s->d, i, "nx", &seen) && seen.first_s < NOW_S)
            atomic_fetch_add(&s->n_wrong, 1);
        n++;
    }
    atomic_fetch_add(&s->n_looks, n);
    return NULL;
}

static void test_readers(void **state)
{
    struct shared s = {.d = open_memory(2 * MIB, 3000, 3600), .n_known = 1};
    pthread_t readers[N_READERS];
    int64_t now_s = NOW_S;

    (void)state;
    sample_note(s.d, 0, "steady", NOW_S, true);
    for (int i = 0; i < N_READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_on, &s), 0);
    for (uint32_t round = 0; round < N_READ_ROUNDS; round++) {
        for (uint32_t i = 0; i < 1000; i++) {
            uint32_t k = round * 1000 + i;
            if (round <
                N_READ_ROUNDS / 4) { /* half of them by way of the names that never resolved */
                if (k % 2)
                    sample_note(s.d, k, "steady", NOW_S + k % 100, false);
                sample_note(s.d, k, "steady", NOW_S + k % 100, true);
                atomic_store(&s.n_known, k + 1);
            }
            sample_note(s.d, k, "gone", now_s, true);
            sample_note(s.d, k, "nx", now_s, false);
            sample_note(s.d, k + 500, "nx", now_s, false);
        }
        now_s += 600;
        for (uint32_t i = 0; i < atomic_load(&s.n_known); i++)
            sample_note(s.d, i, "steady", now_s, true);
        s.d->expiry_s = now_s; /* as if the minutes between had been synced */
        for (int i = 0; i < 3; i++)
            assert_int_equal(sek_domains_sync(s.d, now_s, NULL), SEK_OK);
        sched_yield();
    }
    atomic_store(&s.stop, true);
    for (int i = 0; i < N_READERS; i++)
        pthread_join(readers[i], NULL);
    sample_check(s.d);
    print_message("%llu looks, version %llu, expired %llu\n", (unsigned long long)s.n_looks,
                  (unsigned long long)s.d->version, (unsigned long long)s.d->n_expired);
    assert_true(s.n_looks > 1000);
    assert_true(s.d->n_expired > N_READ_ROUNDS * 150); /* blocks were closed up under the readers */
    assert_int_equal(s.n_lost, 0);
    assert_int_equal(s.n_wrong, 0);
    sek_domains_close(s.d);
}

/* --- memory ------------------------------------------------------------------------------------
 */

/* Without memory it does not open; without more of it, new domains find no room and old ones stay.
 */
static void test_no_memory(void **state)
{
    struct sek_domains_conf conf = {NULL, 256 * MIB, 1000, 0, NULL};
    struct sek_domains *d = NULL;
    char aside[SEK_DOMAINS_ASIDE_MAX];
    struct rlimit limit, none;
    uint32_t n = 0;

    (void)state;
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
    skip();
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
    skip();
#endif
#endif
    assert_int_equal(getrlimit(RLIMIT_AS, &limit), 0);
    none = limit;
    none.rlim_cur = 200 * MIB;
    assert_int_equal(setrlimit(RLIMIT_AS, &none), 0);
    assert_int_equal(sek_domains_open(&conf, NOW_S, &d, aside, NULL), SEK_E_NOMEM);
    assert_null(d);
    assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
    d = sample_open_conf(&conf, NULL);
    /* what is reserved is there; nothing more: the index cannot grow */
    none.rlim_cur = 1;
    assert_int_equal(setrlimit(RLIMIT_AS, &none), 0);
    while (sample_note(d, n, "x", NOW_S, true) == SEK_DOMAINS_NEW)
        n++;
    for (uint32_t i = 0; i < 5000; i++)
        sample_note(d, n + i, "x", NOW_S, i % 2);
    assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
    /* up to the first segment that is full: which, and when, the random key decides (mostly 38,000)
     */
    assert_true(n > 20000);
    assert_int_equal(sample_count(d, n, "x"), n);
    sample_check(d);
    /* and on it goes */
    for (uint32_t i = 0; i < 100000; i++)
        sample_note(d, i, "y", NOW_S, true);
    assert_int_equal(sample_count(d, 100000, "y"), 100000);
    assert_int_equal(sample_count(d, n, "x"), n);
    sample_check(d);
    sek_domains_close(d);
}

/* --- configuration -----------------------------------------------------------------------------
 */

static void test_conf(void **state)
{
    static const struct {
        const char *label;
        struct sek_domains_conf conf;
        enum sek_err err;
    } cases[] = {
        {"too small", {NULL, MIB - 1, 10, 0, NULL}, SEK_E_INVALID},
        {"smallest", {NULL, MIB, 10, 0, NULL}, SEK_OK},
        {"largest", {NULL, 16384 * MIB, UINT32_MAX, 0, NULL}, SEK_OK},
        {"too large", {NULL, 16384 * MIB + 1, 10, 0, NULL}, SEK_E_INVALID},
        {"retention below zero", {NULL, MIB, 10, -1, NULL}, SEK_E_INVALID},
        {"retention without end", {NULL, MIB, UINT32_MAX, INT64_MAX, NULL}, SEK_OK},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct sek_domains *d = NULL;
        char aside[SEK_DOMAINS_ASIDE_MAX];
        struct sek_diag diag;

        if (sek_domains_open(&cases[i].conf, NOW_S, &d, aside, &diag) != cases[i].err)
            fail_msg("%s", cases[i].label);
        if (d) {
            sample_note(d, 1, "x", NOW_S, true);
            assert_int_equal(sek_domains_sync(d, NOW_S, NULL), SEK_OK);
            assert_true(sample_find(d, 1, "x", NULL));
        }
        sek_domains_close(d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_story),     cmocka_unit_test(test_no_names),
        cmocka_unit_test(test_lengths),   cmocka_unit_test(test_spread),
        cmocka_unit_test(test_model),     cmocka_unit_test(test_readers),
        cmocka_unit_test(test_no_memory), cmocka_unit_test(test_conf),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
