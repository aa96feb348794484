/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/news.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define N_PUTS 2000 /* by each of two threads */

struct told {
    unsigned n, troubles;
    unsigned counts, left_out; /* lines that count others, and what they sum up to */
    char text[SEK_NEWS_LINES + 1][SEK_NEWS_TEXT + 64];
};

static void on_say(void *arg, bool trouble, const char *text)
{
    struct told *told = arg;
    unsigned left_out;
    if (sscanf(text, "%u further lines left out", &left_out) == 1) {
        told->left_out += left_out;
        told->counts++;
    }
    snprintf(told->text[told->n % (SEK_NEWS_LINES + 1)], sizeof *told->text, "%s", text);
    told->n++;
    told->troubles += trouble;
}

static void test_in_order_and_once(void **state)
{
    (void)state;
    struct sek_news news;
    struct told told = {0};
    sek_news_init(&news);
    assert_false(sek_news_waiting(&news));
    sek_news_put(&news, true, "database lost");
    sek_news_put(&news, false, "database back");
    assert_true(sek_news_waiting(&news));
    sek_news_tell(&news, on_say, &told);
    assert_false(sek_news_waiting(&news));
    assert_int_equal(told.n, 2);
    assert_int_equal(told.troubles, 1);
    assert_string_equal(told.text[0], "database lost");
    assert_string_equal(told.text[1], "database back");
    sek_news_tell(&news, on_say, &told);
    assert_int_equal(told.n, 2);
    sek_news_fini(&news);
}

static void test_more_than_fit(void **state)
{
    (void)state;
    struct sek_news news;
    struct told told = {0};
    char text[2 * SEK_NEWS_TEXT];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    sek_news_init(&news);
    for (int i = 0; i < SEK_NEWS_LINES + 3; i++)
        sek_news_put(&news, false, text);
    sek_news_tell(&news, on_say, &told);
    assert_int_equal(told.n, SEK_NEWS_LINES + 1);
    assert_int_equal(strlen(told.text[0]), SEK_NEWS_TEXT - 1);
    assert_string_equal(told.text[SEK_NEWS_LINES], "3 further lines left out");
    sek_news_fini(&news);
}

static void test_late_lines_say_so(void **state)
{
    (void)state;
    struct sek_news news;
    struct told told = {0};
    sek_news_init(&news);
    sek_news_put(&news, true, "disk full");
    news.line[0].time_ms -= 7500;
    sek_news_tell(&news, on_say, &told);
    assert_string_equal(told.text[0], "disk full (7 s ago)");
    sek_news_fini(&news);
}

static void test_nobody_listens(void **state)
{
    (void)state;
    struct sek_news news;
    sek_news_init(&news);
    sek_news_put(&news, true, "lost");
    sek_news_tell(&news, NULL, NULL);
    assert_false(sek_news_waiting(&news));
    sek_news_fini(&news);
}

static void *put_many(void *arg)
{
    for (int i = 0; i < N_PUTS; i++)
        sek_news_put(arg, false, "a line");
    return NULL;
}

static void test_every_line_is_told_or_counted(void **state)
{
    (void)state;
    struct sek_news news;
    struct told told = {0};
    pthread_t threads[2];
    sek_news_init(&news);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, put_many, &news), 0);
    for (int i = 0; i < N_PUTS; i++)
        if (sek_news_waiting(&news))
            sek_news_tell(&news, on_say, &told);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    sek_news_tell(&news, on_say, &told);
    assert_int_equal(told.n - told.counts + told.left_out, 2 * N_PUTS);
    sek_news_fini(&news);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_order_and_once),
        cmocka_unit_test(test_more_than_fit),
        cmocka_unit_test(test_late_lines_say_so),
        cmocka_unit_test(test_nobody_listens),
        cmocka_unit_test(test_every_line_is_told_or_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
