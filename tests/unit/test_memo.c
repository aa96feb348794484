/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "classify/memo.h"
#include "model_fixture.h"
#include "name/text.h"
#include <stdio.h>
#include <string.h>

static char path[2][40] = {"/tmp/sek-test-memo-XXXXXX", "/tmp/sek-test-memo-XXXXXX"};
static struct sek_classify *models[2];

static int setup(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        size_t n;
        uint8_t *octets = model_make((uint64_t)i + 3, true, &n);
        int fd = mkstemp(path[i]);

        if (fd < 0)
            return -1;
        close(fd);
        model_write(octets, n, true, path[i]);
        free(octets);
        if (sek_classify_open(path[i], &models[i], NULL) != SEK_OK)
            return -1;
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        sek_classify_close(models[i]);
        unlink(path[i]);
    }
    return 0;
}

static void same(struct sek_memo *m, const struct sek_classify *c, const char *text)
{
    struct sek_name name;

    assert_int_equal(sek_name_from_text(text, strlen(text), &name, NULL), SEK_OK);
    struct sek_score now = sek_memo_score(m, c, &name), right = sek_classify_name(c, &name);
    if (now.llr != right.llr || now.label != right.label || now.length != right.length ||
        now.dynamic != right.dynamic || now.by_network != right.by_network)
        fail_msg("%s", text);
}

/* Whatever was asked before, by whichever model: the answer is the classifier's. More labels than
 * there are places. */
static void test_says_what_the_classifier_says(void **state)
{
    struct sek_memo *m = sek_memo_new((struct sek_hash_key){5, 6});

    (void)state;
    assert_non_null(m);
    for (unsigned round = 0; round < 3; round++)
        for (unsigned i = 0; i < 12000; i++) {
            static const char *const tops[] = {"com", "co.uk", "dyn.com", "example"};
            char text[64];

            snprintf(text, sizeof text, "h%u.k%uq.%s", round, i * 7919 % 12007, tops[i % 4]);
            same(m, models[(i + round) % 2], text);
        }
    sek_memo_free(m);
}

static void test_short_and_none(void **state)
{
    static const char *const names[] = {".", "com", "a.com", "abc.com", "abcd.com", "x.abcd.com"};
    struct sek_memo *m = sek_memo_new((struct sek_hash_key){5, 6});

    (void)state;
    for (int twice = 0; twice < 2; twice++)
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            same(m, models[0], names[i]);
            same(NULL, models[0], names[i]);
        }
    sek_memo_free(m);
    sek_memo_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_says_what_the_classifier_says),
        cmocka_unit_test(test_short_and_none),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
