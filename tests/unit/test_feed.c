/* SPDX-License-Identifier: BSD-3-Clause */
/* A source read ahead: all of it, in its order, and how it ends. */
#include "replay/feed.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define N 5000
#define T0_S 1795161600

static struct seen {
    unsigned n, n_bad, n_blocks, stop_after;
    enum sek_err fail;
    bool in_order;
    unsigned n_scored, n_with; /* by the reader; that came with scores */
    bool wanted, slow;         /* scores; the caller */
} seen;
static char path[64];

/* On the reader's thread: which record it was stands in for its score. */
static bool on_score(void *arg, struct sek_event *const *events, unsigned n, struct sek_score *out)
{
    struct seen *s = arg;

    for (unsigned i = 0; i < n; i++)
        out[i].llr = (float)(events[i]->time_ms / 1000 - T0_S);
    s->n_scored += s->wanted ? n : 0;
    return s->wanted;
}

static enum sek_err on_events(void *arg, struct sek_event *const *events,
                              const struct sek_score *scores, unsigned n, struct sek_diag *diag)
{
    struct seen *s = arg;

    assert_in_range(n, 1, SEK_FEED_EVENTS);
    if (s->slow)
        usleep(2000);
    s->n_with += scores ? n : 0;
    for (unsigned i = 0; i < n; i++, s->n++) {
        s->in_order &= events[i]->time_ms == (T0_S + (int64_t)s->n) * 1000;
        s->in_order &= !scores || scores[i].llr == (float)s->n;
    }
    return s->fail ? sek_diag_set(diag, s->fail, "as asked for") : SEK_OK;
}

static void on_unreadable(void *arg, const struct sek_diag *why)
{
    struct seen *s = arg;

    assert_non_null(strstr(why->text, path));
    s->n_bad++;
}

static bool goes_on(void *arg, uint64_t octets, uint64_t size)
{
    struct seen *s = arg;

    assert_true(octets <= size);
    return ++s->n_blocks != s->stop_after;
}

static const struct sek_feed_hooks hooks = {&seen, on_score, on_events, on_unreadable, goes_on};

/* N records of Zeek's, and so many bad ones behind each thousand. */
static enum sek_err run(unsigned bad, struct sek_diag *diag)
{
    struct sek_source *source;
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs("#separator \\x09\n#fields\tts\tid.orig_h\tid.resp_p\tquery\tqtype\trcode\n", file);
    for (int i = 0; i < N; i++) {
        fprintf(file, "%d\t10.0.0.1\t53\thost%d.some-site.com\t1\t0\n", T0_S + i, i);
        for (unsigned k = 0; k < bad && i % 1000 == 999; k++)
            fputs("nonsense\n", file);
    }
    assert_int_equal(fclose(file), 0);
    seen.in_order = true;
    assert_int_equal(sek_source_open(path, T0_S, &source, diag), SEK_OK);
    enum sek_err err = sek_feed_run(source, &hooks, diag);
    sek_source_close(source);
    return err;
}

static int setup(void **state)
{
    (void)state;
    memset(&seen, 0, sizeof seen);
    snprintf(path, sizeof path, "/tmp/sek-feed-%d.log", (int)getpid());
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static void test_all(void **state)
{
    struct sek_diag diag;

    (void)state;
    assert_int_equal(run(0, &diag), SEK_OK);
    assert_int_equal(seen.n, N);
    assert_int_equal(seen.n_bad, 0);
    assert_true(seen.in_order);
}

/* A caller that is behind gets scores, each with its record, if there are any. */
static void test_scores(void **state)
{
    struct sek_diag diag;

    (void)state;
    seen.slow = seen.wanted = true;
    assert_int_equal(run(30, &diag), SEK_OK);
    assert_int_equal(seen.n, N);
    assert_true(seen.in_order);
    assert_true(seen.n_with > 0);
    assert_int_equal(seen.n_with, seen.n_scored);
    seen = (struct seen){.slow = true};
    assert_int_equal(run(0, &diag), SEK_OK);
    assert_int_equal(seen.n_with, 0);
}

static void test_bad_records(void **state)
{
    struct sek_diag diag;

    (void)state;
    assert_int_equal(run(30, &diag), SEK_OK);
    assert_int_equal(seen.n, N);
    assert_int_equal(seen.n_bad, 5 * 30);
    assert_true(seen.in_order);
}

static void test_stop(void **state)
{
    struct sek_diag diag;

    (void)state;
    seen.stop_after = 3;
    assert_int_equal(run(0, &diag), SEK_OK);
    assert_int_equal(seen.n, 3 * SEK_FEED_EVENTS);
}

static void test_error(void **state)
{
    struct sek_diag diag;

    (void)state;
    seen.fail = SEK_E_FULL;
    assert_int_equal(run(0, &diag), SEK_E_FULL);
    assert_string_equal(diag.text, "as asked for");
    assert_int_equal(seen.n, SEK_FEED_EVENTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_all, setup, teardown),
        cmocka_unit_test_setup_teardown(test_scores, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_records, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stop, setup, teardown),
        cmocka_unit_test_setup_teardown(test_error, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
