/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "name/text.h"
#include "tools/input/history.h"
#include <stdio.h>
#include <string.h>

static struct sek_history *history;

static int setup(void **state)
{
    (void)state;
    history = sek_history_new();
    return history ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    sek_history_free(history);
    return 0;
}

/* exists: 1 yes, 0 no, -1 not said */
static void add(const char *domain, int64_t first_s, int64_t last_s, int exists, int endpoint)
{
    struct sek_name name;
    struct sek_query_seen q = {.says_exists = exists >= 0};

    q.seen.first_s = first_s;
    q.seen.last_s = last_s;
    q.seen.resolved = exists != 0;
    if (endpoint >= 0) {
        q.seen.n_addrs = q.seen.endpoints = 1;
        q.seen.addrs[0] = (struct sek_addr){.octets = {[14] = 1, [15] = (uint8_t)endpoint}};
    }
    assert_int_equal(sek_name_from_text(domain, strlen(domain), &name, NULL), SEK_OK);
    assert_int_equal(sek_history_add(history, name.octets, name.len, &q, NULL), SEK_OK);
}

static enum sek_err print(void *arg, const struct sek_sighting *s)
{
    char name[SEK_NAME_TEXT_MAX], *out = arg;
    size_t at = strlen(out);

    sek_name_to_text(s->domain.octets, name);
    snprintf(out + at, 1000 - at, "%s %d-%d %u/%u %s;", name, (int)s->first_s, (int)s->last_s,
             s->n_addrs, s->endpoints, s->resolved ? "yes" : "no");
    return SEK_OK;
}

static void test_sums(void **state)
{
    char seen[1000] = "";

    (void)state;
    add("b.com", 50, 50, -1, 1);
    add("a.com", 20, 30, 0, 1);
    add("b.com", 40, 40, 0, 2);
    add("b.com", 60, 60, 0, 1);
    add("a.com", 25, 25, 1, -1);
    add("c.com", 5, 5, -1, -1);
    for (int i = 0; i < 100; i++)
        add("d.com", 7, 7, 1, i);
    assert_int_equal(sek_history_count(history), 4);
    assert_int_equal(sek_history_each(history, print, seen), SEK_OK);
    assert_string_equal(seen, "b.com 40-60 2/2 no;a.com 20-30 1/1 yes;c.com 5-5 0/0 yes;"
                              "d.com 7-7 31/31 yes;");
    assert_int_equal(sek_history_drop(history, 30), 2);
    seen[0] = '\0';
    sek_history_each(history, print, seen);
    assert_string_equal(seen, "b.com 40-60 2/2 no;a.com 20-30 1/1 yes;");
}

static enum sek_err count(void *arg, const struct sek_sighting *s)
{
    unsigned *n = arg;

    assert_int_equal(s->first_s, 1);
    assert_int_equal(s->last_s, 2);
    return ++*n == 60000 ? SEK_E_LIMIT : SEK_OK;
}

/* Tables grow, each domain stays one, and the callback can end it. */
static void test_many(void **state)
{
    unsigned n = 0;

    (void)state;
    for (int i = 0; i < 2 * 60000; i++) {
        char name[32];
        snprintf(name, sizeof name, "n%d.com", i % 60000);
        add(name, 1 + i / 60000, 1 + i / 60000, -1, i % 3);
    }
    assert_int_equal(sek_history_count(history), 60000);
    assert_int_equal(sek_history_each(history, count, &n), SEK_E_LIMIT);
    assert_int_equal(n, 60000);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_sums),
        CASE(test_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
