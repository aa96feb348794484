/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/privacy/endpointnames.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const struct {
    const char *mac, *name, *owner;
} machines[] = {{"02:00:00:00:03:01", "fin-1.corp.example", "Eve O'Brien"},
                {"", "printer", "<b>bob</b>"},
                {"", "ab", "jo"},
                {"", "=x(\"y\")", ""},
                {"", "fin-10", "alice"}};

static const struct {
    const char *label, *text,
        *found; /* what the first place with a name holds; NULL: there is none */
    bool sure;
} cases[] = {
    {"empty", "", NULL, true},
    {"whole", "fin-1.corp.example", "fin-1.corp.example", false},
    {"any case", "at FIN-1.Corp.Example now", "FIN-1.Corp.Example", false},
    {"host", "asked by fin-1, twice", "fin-1", false},
    {"end of a sentence", "asked by fin-1.", "fin-1", false},
    {"other domain", "fin-1.corp.test", NULL, false},
    {"longer", "fin-10", "fin-10", false},
    {"part of a word", "xfin-1 fin-11 fin-1x fin-1-2 fin-1_2", NULL, false},
    {"MAC", "mac \"02:00:00:00:03:01\"", "02:00:00:00:03:01", false},
    {"letters alone", "printer", NULL, false},
    {"letters alone, sure", "printer", "printer", true},
    {"letters in a sentence", "quarantine printer", "printer", false},
    {"too short", "ab is jo", NULL, true},
    {"no word", "a =x(\"y\") b", "=x(\"y\")", false},
    {"owner of two words", "ask Eve O'Brien!", "Eve O'Brien", false},
    {"owner as said of a machine", "owner \"alice\"", "\"alice\"", false},
    {"owner in brackets", "(<b>bob</b>)", "(<b>bob</b>)", false},
    {"owner who decides", "alice", NULL, false},
    {"beyond ASCII",
     "\xc3\xa4"
     "fin-1",
     NULL, false},
};

static void finds(void **state)
{
    struct sek_endpoint_names n;
    (void)state;
    sek_endpoint_names_init(&n);
    for (size_t i = 0; i < sizeof machines / sizeof *machines; i++) {
        struct sek_machine m = {0};
        struct sek_addr a = {.octets = {[15] = (uint8_t)i}};
        snprintf(m.mac, sizeof m.mac, "%s", machines[i].mac);
        snprintf(m.name, sizeof m.name, "%s", machines[i].name);
        snprintf(m.owner, sizeof m.owner, "%s", machines[i].owner);
        sek_endpoint_names_add(&n, &m, &a);
    }
    assert_true(sek_endpoint_names_end(&n));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *text = cases[i].text;
        struct sek_addr a;
        size_t at = 0, len = 0;
        for (; text[at] && !(len = sek_endpoint_names_at(&n, text, at, cases[i].sure, &a)); at++)
            ;
        if (!cases[i].found
                ? len != 0
                : len != strlen(cases[i].found) || memcmp(text + at, cases[i].found, len) != 0)
            fail_msg("%s: found \"%.*s\"", cases[i].label, (int)len, text + at);
    }
    sek_endpoint_names_fini(&n);
}

static void nobody(void **state)
{
    struct sek_endpoint_names n;
    struct sek_addr a;
    (void)state;
    sek_endpoint_names_init(&n);
    assert_true(sek_endpoint_names_end(&n));
    assert_int_equal(sek_endpoint_names_at(&n, "fin-1", 0, true, &a), 0);
    sek_endpoint_names_fini(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(finds), cmocka_unit_test(nobody)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
