/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/health.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define WELL SEK_HEALTH_WELL_MS

static struct sek_status_page page;
static char said[400];

static void on_say(void *arg, bool trouble, const char *text)
{
    (void)arg;
    snprintf(said + strlen(said), sizeof said - strlen(said), "%c%s\n", trouble ? '-' : '+', text);
}

static struct sek_health begin(void)
{
    struct sek_health h;
    memset(&page, 0, sizeof page);
    said[0] = '\0';
    sek_health_init(&h, &page, on_say, NULL, 0);
    sek_health_opened(&h);
    return h;
}

static void go_wrong(struct sek_health *h, enum sek_err code, const char *text, int64_t now_ms)
{
    struct sek_diag diag = {.code = code};
    snprintf(diag.text, sizeof diag.text, "%s", text);
    sek_health_failed(h, &diag, now_ms);
}

#define SAID_FULL "-events wait in memory: disk full\n"
#define SAID_END "+events are stored again\n"

/* f: fails for lack of room, b: is locked, s: is stored, t: nothing but time passes */
static void test_turns(void **state)
{
    static const struct {
        const char *label, *steps;
        int64_t step_ms;
        const char *said;
        enum sek_part_state end;
    } cases[] = {
        {"never any trouble", "sssttsst", WELL, "", SEK_PART_OK},
        {"told once", "ffff", 1000, SAID_FULL, SEK_PART_FAILED},
        {"told once, however long", "ffff", WELL * 2, SAID_FULL, SEK_PART_FAILED},
        {"in turns", "fsfsfsfsfsfsfs", 1000, SAID_FULL, SEK_PART_OK},
        {"in turns, ends so", "fsfsfsft", WELL - 1, SAID_FULL, SEK_PART_FAILED},
        {"the end, with nothing to store", "fst", WELL, SAID_FULL SAID_END, SEK_PART_OK},
        {"not a moment before", "fst", WELL - 1, SAID_FULL, SEK_PART_OK},
        {"counted from the first success", "fsssstt", WELL / 4, SAID_FULL SAID_END, SEK_PART_OK},
        {"the end once", "fstttsst", WELL, SAID_FULL SAID_END, SEK_PART_OK},
        {"time does not heal", "ftttt", WELL, SAID_FULL, SEK_PART_FAILED},
        {"again, later", "fstfst", WELL, SAID_FULL SAID_END SAID_FULL SAID_END, SEK_PART_OK},
        {"a short lock is no news", "bbsbbst", 900, "", SEK_PART_OK},
        {"a long one is", "bbbb", 900, "-events wait in memory: locked\n", SEK_PART_FAILED},
        {"a short lock does not bring it back", "fsbst", WELL / 2, SAID_FULL SAID_END, SEK_PART_OK},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sek_health h = begin();
        int64_t now_ms = 5;
        for (const char *step = cases[i].steps; *step; step++, now_ms += cases[i].step_ms) {
            if (*step == 'f')
                go_wrong(&h, SEK_E_FULL, "disk full", now_ms);
            else if (*step == 'b')
                go_wrong(&h, SEK_E_BUSY, "locked", now_ms);
            else if (*step == 's')
                sek_health_stored(&h, now_ms);
            sek_health_tell(&h, now_ms, false);
        }
        if (strcmp(said, cases[i].said) != 0)
            fail_msg("%s: said\n%s", cases[i].label, said);
        if (atomic_load(&page.events_state) != cases[i].end)
            fail_msg("%s: state %d", cases[i].label, atomic_load(&page.events_state));
        assert_string_equal(page.events_text, cases[i].end == SEK_PART_OK   ? ""
                                              : strchr(cases[i].steps, 'f') ? "disk full"
                                                                            : "locked");
    }
}

/* A recorder that stops says how it went. */
static void test_stop(void **state)
{
    (void)state;
    struct sek_health h = begin();
    go_wrong(&h, SEK_E_FULL, "disk full", 0);
    sek_health_tell(&h, 0, true);
    assert_string_equal(said, SAID_FULL);
    sek_health_stored(&h, 100);
    sek_health_tell(&h, 100, true);
    sek_health_tell(&h, WELL * 2, true);
    assert_string_equal(said, SAID_FULL SAID_END);
}

/* Attempts lie further and further apart, at once after a success. */
static void test_retry(void **state)
{
    (void)state;
    struct sek_health h = begin();
    int64_t now_ms = 1000, last = 0;
    assert_int_equal(h.retry_ms, 0);
    for (int i = 0; i < 20; i++, now_ms = h.retry_ms) {
        go_wrong(&h, SEK_E_FULL, "disk full", now_ms);
        assert_true(h.retry_ms - now_ms >= last && h.retry_ms - now_ms <= WELL);
        last = h.retry_ms - now_ms;
    }
    assert_int_equal(last, WELL);
    sek_health_stored(&h, now_ms);
    assert_int_equal(h.retry_ms, 0);
    go_wrong(&h, SEK_E_FULL, "disk full", now_ms);
    assert_int_equal(h.retry_ms, now_ms + 100);
}

/* Losses, once a minute at most. */
static void test_lost(void **state)
{
    (void)state;
    struct sek_health h = begin();
    sek_health_tell(&h, 0, false);
    assert_string_equal(said, "");
    atomic_store(&page.counter[SEK_COUNTER_RING_DROPPED], 7);
    sek_health_tell(&h, 1, false);
    assert_non_null(strstr(said, "-events lost since start: 7 in full rings"));
    size_t len = strlen(said);
    atomic_store(&page.counter[SEK_COUNTER_RING_DROPPED], 9);
    sek_health_tell(&h, 60000, false);
    assert_int_equal(strlen(said), len);
    sek_health_tell(&h, 60001, false);
    assert_non_null(strstr(said + len, "9 in full rings"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_turns),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_retry),
        cmocka_unit_test(test_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
