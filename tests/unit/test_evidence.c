/* SPDX-License-Identifier: BSD-3-Clause */
/* Evidence with scores that the test makes up: no model is needed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "classify/evidence.h"
#include "name/text.h"
#include <stdio.h>
#include <string.h>

#define NOW 1800000000000ll
#define HOUR 3600000ll

static struct sek_evidence *e;
static struct sek_dga f;

static int open_evidence(void **state)
{
    struct sek_evidence_conf conf = {64, 1e-6f, 7200};

    (void)state;
    memset(&f, 0xa5, sizeof(f));
    return sek_evidence_new(&conf, (struct sek_hash_key){5, 6}, &e, NULL);
}

static int close_evidence(void **state)
{
    (void)state;
    sek_evidence_free(e);
    return 0;
}

static struct sek_addr endpoint(uint32_t k)
{
    struct sek_addr a = {{0}};

    memcpy(a.octets + 12, &k, sizeof(k));
    return a;
}

/* label: which one was judged. */
static enum sek_evidence_news ask_label(uint32_t who, const char *text, unsigned label, float llr,
                                        bool nxdomain, int64_t now)
{
    struct sek_name name;

    assert_int_equal(sek_name_from_text(text, strlen(text), &name, NULL), SEK_OK);
    struct sek_evidence_item item = {
        endpoint(who),
        &name,
        {llr, (uint8_t)label, name.octets[name.offset[label]], false, false},
        nxdomain,
        now};
    return sek_evidence_add(e, &item, &f);
}

/* Names without a part or shape in common: short, of all lengths and suffixes. */
static enum sek_evidence_news ask(uint32_t who, unsigned k, float llr, bool nxdomain, int64_t now)
{
    char text[64];

    snprintf(text, sizeof(text), "%u%.*s.s%u", 1000 + k, (int)(k % 4), "xyz", k * 7 % 50);
    return ask_label(who, text, 0, llr, nxdomain, now);
}

/* Ask until something is found; returns how many names it took, 0 = more than `most`. */
static unsigned ask_until_found(uint32_t who, unsigned from, unsigned most, float llr,
                                bool nxdomain, int64_t now, int64_t step)
{
    for (unsigned i = 0; i < most; i++)
        if (ask(who, from + i, llr, nxdomain, now + i * step) == SEK_EVIDENCE_FOUND)
            return i + 1;
    return 0;
}

static void test_conf(void **state)
{
    static const struct {
        const char *label;
        struct sek_evidence_conf conf;
        enum sek_err err;
    } cases[] = {
        {"least", {8, 1e-12f, 60}, SEK_OK},
        {"not a multiple of eight", {15, 1e-2f, 604800}, SEK_OK},
        {"too few", {7, 1e-6f, 60}, SEK_E_INVALID},
        {"too many", {(1u << 20) + 1, 1e-6f, 60}, SEK_E_INVALID},
        {"alpha 0", {64, 0, 60}, SEK_E_INVALID},
        {"alpha 1", {64, 1, 60}, SEK_E_INVALID},
        {"alpha no number", {64, __builtin_nanf(""), 60}, SEK_E_INVALID},
        {"tau short", {64, 1e-6f, 59}, SEK_E_INVALID},
        {"tau long", {64, 1e-6f, 604801}, SEK_E_INVALID},
    };
    (void)state;
    for (unsigned k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
        struct sek_evidence *made = NULL;
        struct sek_diag diag = {SEK_OK, ""};
        enum sek_err err =
            sek_evidence_new(&cases[k].conf, (struct sek_hash_key){1, 2}, &made, &diag);

        if (err != cases[k].err || (err != SEK_OK) != (diag.text[0] != '\0'))
            fail_msg("%s: %d \"%s\"", cases[k].label, (int)err, diag.text);
        if (made)
            assert_true(sek_evidence_octets(made) <= 1024u * cases[k].conf.n_endpoints + 1024);
        sek_evidence_free(made);
    }
    sek_evidence_free(NULL);
}

static void test_weights(void **state)
{
    static const struct {
        const char *label;
        float llr;
        bool nxdomain;
        unsigned least, most; /* names until found; 0 = never */
    } cases[] = {
        {"strong", 4, true, 5, 6},    {"clipped: no name is worth more", 1000, true, 5, 6},
        {"middling", 2, true, 8, 14}, {"says nothing", 0, true, 0, 0},
        {"benign", -6, true, 0, 0},   {"no number of them that exist", 1000, false, 0, 0},
    };
    (void)state;
    for (uint32_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
        unsigned took = ask_until_found(100 + k, 0, 40, cases[k].llr, cases[k].nxdomain, NOW, 1000);

        if (took < cases[k].least || took > cases[k].most)
            fail_msg("%s: found after %u", cases[k].label, took);
    }
}

static void test_distinct(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2000; i++)
        assert_int_equal(ask(1, i % 4, 9, true, NOW + i), SEK_EVIDENCE_NOTHING);
    assert_int_equal(ask_until_found(1, 10, 10, 9, true, NOW + 3000, 1), 1);
    assert_int_equal(f.n_nxdomains, 5);
    assert_int_equal(f.n_names, 5);
    assert_int_equal(f.n_examples, 5);
}

/* What does not say that a registered domain does not exist. */
static void test_left_out(void **state)
{
    static const struct {
        const char *label, *format;
        unsigned judged;
        bool counts;
    } cases[] = {
        {"domain", "qx%uzk.com", 0, true},
        {"www", "www.qx%uzk.com", 1, true},
        {"host", "mail.qx%uzk.com", 1, false},
        {"search list", "qx%uzk.corp.example.com", 2, false},
        {"service", "_ldap._tcp.qx%uzk.com", 2, false},
        {"reverse", "qx%uzk.in-addr.arpa", 0, false},
    };
    (void)state;
    for (uint32_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
        bool found = false;
        char text[64];

        for (unsigned i = 0; i < 30; i++) {
            snprintf(text, sizeof(text), cases[k].format, 100 + i * 7);
            found |= ask_label(200 + k, text, cases[k].judged, 4, true, NOW) != 0;
        }
        if (found != cases[k].counts)
            fail_msg("%s: %s", cases[k].label, found ? "found" : "not found");
    }
    /* nothing was judged: root, single label, short */
    struct sek_name root = {1, 0, {0}, {0}};
    struct sek_evidence_item item = {endpoint(9), &root, {9, 0, 0, false, false}, true, NOW};
    assert_int_equal(sek_evidence_add(e, &item, &f), SEK_EVIDENCE_NOTHING);
    item.score.length = 63; /* a score of another name */
    assert_int_equal(sek_evidence_add(e, &item, &f), SEK_EVIDENCE_NOTHING);
    /* a domain that exists, whatever another type of it gives */
    for (unsigned i = 0; i < 30; i++) {
        ask(10, i, 1, false, NOW);
        assert_int_equal(ask(10, i, 9, true, NOW), SEK_EVIDENCE_NOTHING);
    }
}

static void test_decay_and_episodes(void **state)
{
    struct sek_addr who = endpoint(1);

    (void)state;
    /* far apart: never enough */
    assert_int_equal(ask_until_found(2, 0, 60, 4, true, NOW, HOUR), 0);
    assert_int_equal(ask_until_found(1, 0, 9, 4, true, NOW, 1000), 5);
    assert_int_equal(f.episode, 1);
    assert_int_equal(f.start_ms, NOW);
    assert_int_equal(f.end_ms, NOW + 4000);
    assert_true(f.score > f.alarm);
    assert_true(f.confidence > 0.9f && f.confidence <= 0.99f);
    /* one finding, then news only when names double or after ten seconds */
    unsigned changed = 0;
    for (unsigned i = 100; i < 145; i++) {
        enum sek_evidence_news news = ask(1, i, 4, true, NOW + 5000);
        assert_int_not_equal(news, SEK_EVIDENCE_FOUND);
        changed += news == SEK_EVIDENCE_CHANGED;
    }
    assert_int_equal(changed, 3); /* at 10, 20 and 40 */
    assert_int_equal(ask(1, 145, 4, true, NOW + 14999), SEK_EVIDENCE_NOTHING);
    assert_int_equal(ask(1, 146, 4, true, NOW + 15000), SEK_EVIDENCE_CHANGED);
    assert_int_equal(ask(1, 146, 4, true, NOW + 26000), SEK_EVIDENCE_NOTHING); /* no new name */
    assert_int_equal(ask(1, 147, 4, true, NOW + 26000), SEK_EVIDENCE_CHANGED);
    assert_true(sek_evidence_find(e, &who, &f));
    assert_int_equal(f.episode, 1);
    assert_int_equal(f.start_ms, NOW);
    assert_int_equal(f.n_examples, SEK_DGA_EXAMPLES);
    /* over after 3 τ at the latest, and then armed again */
    ask(1, 500, -9, true, NOW + 6 * HOUR + 5000);
    assert_false(sek_evidence_find(e, &who, &f));
    assert_int_equal(ask_until_found(1, 600, 9, 4, true, NOW + 7 * HOUR, 1000), 5);
    assert_int_equal(f.episode, 2);
    assert_int_equal(f.start_ms, NOW + 7 * HOUR);
    assert_int_equal(f.n_nxdomains, 5);
}

static void test_clock(void **state)
{
    static const int64_t times[] = {NOW, NOW - 90 * HOUR, 0, -NOW, INT64_MIN, NOW, INT64_MAX};
    (void)state;
    /* backwards: no time passes */
    assert_int_equal(ask_until_found(1, 0, 9, 4, true, NOW, -1000), 5);
    /* any clock: no fault, and nothing kept from the other end of time */
    for (unsigned i = 0; i < 700; i++)
        ask(2, i, 4, i % 3 > 0, times[i % 7]);
    assert_int_equal(ask_until_found(3, 0, 9, 4, true, INT64_MIN, 1), 5);
    assert_int_equal(ask_until_found(3, 20, 3, 4, true, INT64_MAX - 9, 1), 0);
}

static void test_resolved(void **state)
{
    (void)state;
    assert_int_equal(ask_label(1, "first.example", 0, 3, false, NOW), SEK_EVIDENCE_NOTHING);
    assert_true(ask_until_found(1, 0, 9, 4, true, NOW, 1000) > 0);
    assert_int_equal(f.resolved.len, 15);
    assert_memory_equal(f.resolved.octets, "\5first\7example", 15);
    assert_true(f.resolved_llr >= 3);
    assert_int_equal(ask_label(1, "benign.example", 0, -5, false, NOW), SEK_EVIDENCE_NOTHING);
    assert_int_equal(ask_label(1, "less.example", 0, 2, false, NOW), SEK_EVIDENCE_NOTHING);
    assert_int_equal(ask_label(1, "www.better.example", 1, 6, false, NOW), SEK_EVIDENCE_CHANGED);
    assert_memory_equal(f.resolved.octets, "\6better\7example", 16);
}

/* A flood of endpoints takes the memory that there is, and not that of the one under suspicion. */
static void test_flood(void **state)
{
    size_t octets = sek_evidence_octets(e);
    struct sek_addr who = endpoint(1);

    (void)state;
    assert_true(octets <= 65u * 1024);
    assert_true(ask_until_found(1, 0, 9, 4, true, NOW, 1000) > 0);
    for (unsigned i = 0; i < 4; i++) /* nearly */
        ask(2, i, 4, true, NOW);
    for (uint32_t k = 0; k < 100000; k++) {
        ask(1000 + k, k, 1, true, NOW + k);
        ask(1000 + k, k + 1, -3, false, NOW + k);
    }
    assert_int_equal(sek_evidence_octets(e), octets);
    assert_int_equal(sek_evidence_evicted(e), 100000 + 2 - 64);
    assert_true(sek_evidence_find(e, &who, &f));
    assert_int_equal(ask_until_found(2, 10, 3, 4, true, NOW + 100000, 1000), 1);
    /* endpoints that only ask for benign names take none */
    uint64_t before = sek_evidence_evicted(e);
    for (uint32_t k = 0; k < 1000; k++)
        ask(900000 + k, k, -3, false, NOW);
    assert_int_equal(sek_evidence_evicted(e), before);
}

/* Labels of any octet and length; the same calls give the same answers. */
static void test_octets(void **state)
{
    struct sek_dga got[2];
    struct sek_dga *last;

    for (unsigned turn = 0; turn < 2; turn++) {
        last = &got[turn];
        memset(last, 0, sizeof(*last));
        for (unsigned octet = 0; octet < 256; octet++)
            for (unsigned len = 4; len <= 63; len++) {
                uint8_t wire[1 + 63 + 5] = {(uint8_t)len};
                struct sek_name name;

                memset(wire + 1, (int)octet, len);
                wire[1] = (uint8_t)len;
                memcpy(wire + 1 + len, "\3com", 5);
                assert_int_equal(sek_name_from_wire(wire, len + 6, &name), SEK_OK);
                struct sek_evidence_item item = {
                    endpoint(5), &name, {3, 0, (uint8_t)len, false, false}, true, NOW};
                sek_evidence_add(e, &item, last);
            }
        assert_true(last->episode == 1 && last->n_examples > 0);
        for (unsigned i = 0; i < last->n_examples; i++)
            assert_int_equal(sek_name_wire_len(last->examples[i].octets), last->examples[i].len);
        close_evidence(state);
        open_evidence(state);
    }
    assert_memory_equal(&got[0], &got[1], sizeof(got[0]));
}

/* A name longer than a finding's is counted, and left out of the examples. */
static void test_long_names(void **state)
{
    char text[256];

    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        snprintf(text, sizeof(text), "%u%055u%u.%063u", 1000 + i * 37, 0u, 1000 + i * 41, 7u);
        ask_label(1, text, 0, 4, true, NOW);
    }
    struct sek_addr who = endpoint(1);
    assert_true(sek_evidence_find(e, &who, &f));
    assert_int_equal(f.n_examples, 0);
    assert_int_equal(f.n_nxdomains, 8);
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, open_evidence, close_evidence)
    const struct CMUnitTest tests[] = {
        EACH(test_conf),       EACH(test_weights), EACH(test_distinct),
        EACH(test_left_out),   EACH(test_clock),   EACH(test_decay_and_episodes),
        EACH(test_resolved),   EACH(test_flood),   EACH(test_octets),
        EACH(test_long_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
