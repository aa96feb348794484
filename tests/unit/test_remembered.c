/* SPDX-License-Identifier: BSD-3-Clause */
/* The memory of tracked names: what gives way, and what never does. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "name/text.h"
#include "watch/remembered.h"
#include <stdio.h>
#include <string.h>

#define KEY ((struct sek_hash_key){3, 4})
#define DAY_S 86400u

static struct sek_remembered *memory;

static int teardown(void **state)
{
    (void)state;
    sek_remembered_free(memory);
    memory = NULL;
    return 0;
}

static struct sek_name name_of(unsigned i)
{
    struct sek_name name;
    char text[32];

    snprintf(text, sizeof text, "n%u.corp.com", i);
    assert_int_equal(sek_name_from_text(text, strlen(text), &name, NULL), SEK_OK);
    return name;
}

static struct sek_addr addr_of(unsigned i)
{
    return (struct sek_addr){
        {[10] = 0xff, 0xff, 10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}};
}

static struct sek_remembered_name *begin(unsigned i, bool sure)
{
    struct sek_name name = name_of(i);
    return sek_remembered_begin(memory, &name, DAY_S, sure);
}

static struct sek_remembered_address *add(struct sek_remembered_name *n, unsigned i, uint32_t now_s)
{
    struct sek_addr a = addr_of(i);
    return sek_remembered_add(memory, n, &a, now_s);
}

static bool has(const struct sek_remembered_name *n, unsigned i)
{
    struct sek_addr a = addr_of(i);
    return sek_remembered_has(memory, n, &a) != NULL;
}

static void test_found(void **state)
{
    struct sek_name name = name_of(1), other = name_of(2);

    (void)state;
    assert_int_equal(sek_remembered_new(1000, KEY, &memory), SEK_OK);
    assert_null(sek_remembered_find(memory, &name));
    struct sek_remembered_name *n = begin(1, false);
    assert_non_null(n);
    assert_ptr_equal(sek_remembered_find(memory, &name), n);
    assert_null(sek_remembered_find(memory, &other));
    assert_null(sek_remembered_next(memory, n, NULL));
    for (unsigned i = 0; i < 5; i++)
        assert_non_null(add(n, i, DAY_S + i));
    const struct sek_remembered_address *at = NULL;
    for (unsigned i = 5; i-- > 0;) { /* the newest first */
        at = sek_remembered_next(memory, n, at);
        assert_int_equal(at->first_s, DAY_S + i);
    }
    assert_null(sek_remembered_next(memory, n, at));
    assert_int_equal(n->n, 5);
    assert_false(has(n, 5));
}

/* A name with very many: the longest unseen gives way, and nothing of another name. */
static void test_each(void **state)
{
    (void)state;
    assert_int_equal(sek_remembered_new(4096, KEY, &memory), SEK_OK);
    struct sek_remembered_name *n = begin(1, false), *other = begin(2, false);
    add(other, 7, DAY_S);
    for (unsigned i = 0; i < SEK_REMEMBERED_EACH; i++)
        add(n, i, DAY_S * (i + 1));
    struct sek_addr first = addr_of(0);
    sek_remembered_has(memory, n, &first)->last_day = 100000; /* still in use */
    for (unsigned i = 0; i < 10; i++)
        assert_non_null(add(n, 9000 + i, DAY_S * 1000));
    assert_int_equal(n->n, SEK_REMEMBERED_EACH);
    assert_true(has(n, 0));
    for (unsigned i = 1; i <= 10; i++)
        assert_false(has(n, i));
    assert_true(has(n, 11) && has(n, 9000) && has(n, 9009) && has(other, 7));
}

static void test_full(void **state)
{
    (void)state;
    assert_int_equal(sek_remembered_new(8, KEY, &memory), SEK_OK);
    for (unsigned i = 0; i < 8; i++) {
        bool scarce = i >= 4;
        if (scarce)
            assert_null(begin(i, false)); /* it has to come back */
        add(begin(i, false), i, DAY_S);
    }
    assert_true(sek_remembered_is_full(memory));
    assert_null(begin(8, false));
    assert_null(begin(8, true));
    struct sek_name name = name_of(3);
    struct sek_remembered_name *n = sek_remembered_find(memory, &name);
    assert_non_null(add(n, 33, DAY_S)); /* in its own address's place */
    assert_true(has(n, 33) && !has(n, 3) && n->n == 1);
    size_t octets = sek_remembered_octets(memory);
    teardown(NULL);
    assert_int_equal(sek_remembered_new(65536, KEY, &memory), SEK_OK);
    assert_true(sek_remembered_octets(memory) / 65536 <= SEK_REMEMBERED_OCTETS);
    assert_true(octets > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_found, teardown),
        cmocka_unit_test_teardown(test_each, teardown),
        cmocka_unit_test_teardown(test_full, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
