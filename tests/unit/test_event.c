/* SPDX-License-Identifier: BSD-3-Clause */
#include "event_samples.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void test_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        size_t name, matched, expected;
    } cases[] = {
        {"root", 1, 0, 64},
        {"fills its words", 3, 0, 64},
        {"one more", 4, 0, 72},
        {"with a matched name", 4, 7, 72},
        {"two names of 255 octets", 255, 255, 576},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t size = sek_event_size(cases[i].name, cases[i].matched);
        if (size != cases[i].expected)
            fail_msg("%s: %zu, not %zu", cases[i].label, size, cases[i].expected);
        assert_true(size <= SEK_EVENT_MAX && size % 8 == 0);
    }
}

/* As many as fit, in their order, behind the names; nothing is overwritten. */
static void test_addresses(void **state)
{
    (void)state;
    struct sek_event e = sample_hit("192.0.2.1", "evil.example", SAMPLE_MS);
    struct sek_event before = e;
    struct sek_addr addr = {{0}};
    for (uint8_t i = 0; i < SEK_EVENT_ADDRS + 3; i++) {
        addr.octets[15] = i;
        sek_event_add_addr(&e, &addr);
    }
    for (uint8_t i = 100; i < 100 + SEK_EVENT_NS_ADDRS + 3; i++) {
        addr.octets[15] = i;
        sek_event_add_ns_addr(&e, &addr);
    }
    sek_event_add_addr(&e, &addr); /* too late: it would stand among name servers */
    assert_int_equal(e.n_addrs, SEK_EVENT_ADDRS);
    assert_int_equal(e.n_ns_addrs, SEK_EVENT_NS_ADDRS);
    const struct sek_addr *at = sek_event_addrs(&e);
    for (uint8_t i = 0; i < SEK_EVENT_ADDRS; i++)
        assert_int_equal(at[i].octets[15], i);
    for (uint8_t i = 0; i < SEK_EVENT_NS_ADDRS; i++)
        assert_int_equal(at[SEK_EVENT_ADDRS + i].octets[15], 100 + i);
    size_t names = (size_t)e.name_len + e.matched_len;
    assert_memory_equal(e.names, before.names, names);
    assert_int_equal(e.size, sek_event_size(names, SEK_EVENT_ADDRS_OCTETS));
}

/* Name servers stand behind the addresses, as many as fit, and stay when a name comes between. */
static void test_servers(void **state)
{
    (void)state;
    struct sek_event e =
        sample_event("192.0.2.1", "www.evil.example", NULL, SEK_OUTCOME_PASSED, SAMPLE_MS);
    struct sek_name server, matched, owner;
    struct sek_addr addr = {{[15] = 9}};
    uint8_t labels = 0;
    const uint8_t *name = NULL;
    size_t len = 0, at = 0;
    unsigned n = 0;
    assert_int_equal(sek_event_server(&e, 0, &labels, &name, &len), 0);
    sek_event_add_addr(&e, &addr);
    for (uint8_t i = 0; i < 60; i++) {
        char text[32];
        snprintf(text, sizeof text, "ns%u.host.example", i);
        assert_int_equal(sek_name_from_text(text, strlen(text), &server, NULL), SEK_OK);
        sek_event_add_server(&e, i, &server);
    }
    sek_event_add_addr(&e, &addr); /* too late */
    assert_int_equal(e.n_addrs, 1);
    assert_true(e.servers_octets <= SEK_EVENT_SERVERS_OCTETS && e.servers_octets > 480);
    assert_int_equal(sek_name_from_text("a.b.c", 5, &matched, NULL), SEK_OK);
    assert_int_equal(sek_name_from_text("d", 1, &owner, NULL), SEK_OK);
    sek_event_set_matched(&e, &matched, &owner);
    assert_int_equal(sek_event_names_len(&e), (size_t)e.name_len + matched.len + owner.len);
    assert_memory_equal(e.names + e.name_len, matched.octets, matched.len);
    assert_memory_equal(e.names + e.name_len + matched.len, owner.octets, owner.len);
    assert_int_equal(e.size,
                     sek_event_size(sek_event_names_len(&e), sizeof addr + e.servers_octets));
    assert_int_equal(sek_event_addrs(&e)->octets[15], 9);
    while ((at = sek_event_server(&e, at, &labels, &name, &len)) != 0) {
        char text[32], got[SEK_NAME_TEXT_MAX];
        snprintf(text, sizeof text, "ns%u.host.example", n);
        sek_name_to_text(name, got);
        assert_string_equal(got, text);
        assert_int_equal(labels, n++);
    }
    assert_in_range(n, 20, 59);
}

/* The largest names and all addresses fit into the largest event. */
static void test_largest(void **state)
{
    (void)state;
    struct sek_event e = {
        .name_len = SEK_NAME_MAX, .matched_len = SEK_NAME_MAX, .owner_len = SEK_NAME_MAX};
    struct sek_addr addr = {{0}};
    for (unsigned i = 0; i < SEK_EVENT_ADDRS; i++)
        sek_event_add_addr(&e, &addr);
    for (unsigned i = 0; i < SEK_EVENT_NS_ADDRS; i++)
        sek_event_add_ns_addr(&e, &addr);
    struct sek_name root;
    assert_int_equal(sek_name_from_text(".", 1, &root, NULL), SEK_OK);
    for (unsigned i = 0; i < SEK_EVENT_SERVERS_OCTETS; i++)
        sek_event_add_server(&e, 0, &root);
    assert_int_equal(e.servers_octets, SEK_EVENT_SERVERS_OCTETS);
    assert_true(e.size <= SEK_EVENT_MAX);
}

static void test_outcome_names(void **state)
{
    (void)state;
    assert_string_equal(sek_lookup_name(sek_outcome_names, SEK_OUTCOME_HIT), "hit");
    assert_string_equal(sek_lookup_name(sek_outcome_names, SEK_OUTCOME_LOCAL), "local");
    assert_string_equal(sek_lookup_name(sek_outcome_names, 6), "?");
    assert_int_equal(sek_lookup_id(sek_outcome_names, "nxdomain"), SEK_OUTCOME_NXDOMAIN);
}

/* Same row, same id; each part of the row's key changes it. */
static void test_decision_id(void **state)
{
    (void)state;
    struct sek_event a = sample_hit("192.0.2.1", "evil.example", SAMPLE_MS);
    struct sek_event b = sample_hit("192.0.2.2", "evil.example", SAMPLE_MS);
    struct sek_event c = sample_hit("192.0.2.1", "evil2.example", SAMPLE_MS);
    uint32_t id = sek_event_decision_id(&a.endpoint, a.names, a.name_len, 1, 7, 100);
    const struct {
        const char *label;
        uint32_t id;
        bool same;
    } cases[] = {
        {"again", sek_event_decision_id(&a.endpoint, a.names, a.name_len, 1, 7, 100), true},
        {"endpoint", sek_event_decision_id(&b.endpoint, a.names, a.name_len, 1, 7, 100), false},
        {"name", sek_event_decision_id(&a.endpoint, c.names, c.name_len, 1, 7, 100), false},
        {"root", sek_event_decision_id(&a.endpoint, (const uint8_t *)"", 1, 1, 7, 100), false},
        {"type", sek_event_decision_id(&a.endpoint, a.names, a.name_len, 28, 7, 100), false},
        {"list", sek_event_decision_id(&a.endpoint, a.names, a.name_len, 1, 8, 100), false},
        {"minute", sek_event_decision_id(&a.endpoint, a.names, a.name_len, 1, 7, 101), false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if ((cases[i].id == id) != cases[i].same)
            fail_msg("%s: %08x against %08x", cases[i].label, cases[i].id, id);
    /* users quote it from old records: it must not change between versions */
    assert_int_equal(id, 0xafc698bd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),         cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_servers),       cmocka_unit_test(test_largest),
        cmocka_unit_test(test_outcome_names), cmocka_unit_test(test_decision_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
