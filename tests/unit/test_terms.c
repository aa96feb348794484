/* SPDX-License-Identifier: BSD-3-Clause */
/* Terms of rules: their text, their way through an image's part, and their hours against the C
 * library's calendar. */
#include "policy/terms_format.h"
#include "policy/terms_write.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

static void test_texts(void **state)
{
    static const struct {
        const char *text, *canonical; /* NULL: refused */
        const char *why;
    } rows[] = {
        {"", "", NULL},
        {"type=A", "type=A", NULL},
        {"type=txt,a,A", "type=A,TXT", NULL},
        {"type=!AAAA", "type=!AAAA", NULL},
        {"type=\"all but mx\"", "type=!MX", NULL},
        {"type=TYPE65280", "type=TYPE65280", NULL},
        {"type=HTTPS,TYPE1", "type=A,HTTPS", NULL},
        {"endpoint=192.0.2.7", "endpoint=192.0.2.7", NULL},
        {"endpoint=\"2001:db8::/32, 192.0.2.9,192.0.2.0/28,192.0.2.9\"",
         "endpoint=192.0.2.0/28,192.0.2.9,2001:db8::/32", NULL},
        {"endpoint=", NULL, "an address or a network is missing"},
        {"endpoint=192.0.2.7/28", NULL, "endpoint"},
        {"endpoint=pc7", NULL, "endpoint"},
        {"schedule=\"mon-fri 08:00-18:00 Europe/Berlin\"",
         "schedule=\"mon-fri 08:00-18:00 Europe/Berlin\"", NULL},
        {"schedule=\"sat,sun UTC\"", "schedule=\"sat-sun 00:00-24:00 UTC\"", NULL},
        {"schedule=\"Monday-FRI,sunday 08:00-18:00 UTC\"",
         "schedule=\"mon-fri,sun 08:00-18:00 UTC\"", NULL},
        {"schedule=\"mond 08:00-18:00 UTC\"", NULL, "mond"},
        {"schedule=\"fri-mon 22:00-6:00 UTC\"", "schedule=\"mon,fri-sun 22:00-06:00 UTC\"", NULL},
        {"schedule=\"08:00-12:00,13:00-17:00 UTC\"",
         "schedule=\"daily 08:00-12:00,13:00-17:00 UTC\"", NULL},
        {"schedule=\"mon tue 09:00-10:00 UTC\"", "schedule=\"mon 00:00-24:00 tue 09:00-10:00 UTC\"",
         NULL},
        {"schedule=\"mon-fri 08:00-12:00;sat 9:00-10:00; Europe/Berlin\"",
         "schedule=\"mon-fri 08:00-12:00 sat 09:00-10:00 Europe/Berlin\"", NULL},
        {"schedule=\"mon +01:00\"", "schedule=\"mon 00:00-24:00 +01:00\"", NULL},
        {"schedule=\"mon -0530\"", "schedule=\"mon 00:00-24:00 -05:30\"", NULL},
        {"schedule=\"mon +9\"", "schedule=\"mon 00:00-24:00 +09:00\"", NULL},
        {"schedule=\"mon UTC+1\"", "schedule=\"mon 00:00-24:00 +01:00\"", NULL},
        {"schedule=\"mon gmt-3:30\"", "schedule=\"mon 00:00-24:00 -03:30\"", NULL},
        {"schedule=\"mon +00:00\"", "schedule=\"mon 00:00-24:00 UTC\"", NULL},
        {"schedule=\"mon Z\"", "schedule=\"mon 00:00-24:00 UTC\"", NULL},
        {"schedule=\"mon utc\"", "schedule=\"mon 00:00-24:00 UTC\"", NULL},
        {"schedule=\"mon +14:01\"", NULL, "not a time zone"},
        {"schedule=\"mon +01:60\"", NULL, "not a time zone"},
        {"schedule=\"mon +010\"", NULL, "not a time zone"},
        {"schedule=\"mon +01:00:00\"", NULL, "not a time zone"},
        {"schedule=\"mon +\"", NULL, "not a time zone"},
        {"schedule=\"mon UTC+\"", NULL, "no time zone"},
        {"start=2026-12-01", "start=2026-12-01T00:00:00Z", NULL},
        {"priority=-5 ttl=1h ede=17 log=none", "priority=-5 ede=17 ttl=3600 log=none", NULL},
        {"ede-text=\"say \\\"no\\\" \\\\ twice\"", "ede-text=\"say \\\"no\\\" \\\\ twice\"", NULL},
        {"type=", NULL, "missing"},
        {"type=ANY", NULL, "not a type"},
        {"type=A,B", NULL, "'B'"},
        {"type=TYPE1,TYPE2,TYPE3,TYPE4,TYPE5,TYPE6,TYPE7,TYPE8,TYPE9,TYPE10,TYPE11,TYPE12,TYPE13,"
         "TYPE14,TYPE15,TYPE16,TYPE17",
         NULL, "more than 16"},
        {"schedule=\"mon-fri 08:00-18:00\"", NULL, "time zone"},
        {"schedule=\"UTC\"", NULL, "days or hours"},
        {"schedule=\"mon 08:00-08:00 UTC\"", NULL, "not hours"},
        {"schedule=\"mon 24:00-08:00 UTC\"", NULL, "not hours"},
        {"schedule=\"mon 08:60-09:00 UTC\"", NULL, "not hours"},
        {"schedule=\"mon 08:00-24:01 UTC\"", NULL, "not hours"},
        {"schedule=\"mon Mars/Base\"", NULL, "no time zone"},
        {"schedule=\"mon ../../etc/passwd\"", NULL, "not a time zone"},
        {"schedule=\"mon UTC tue\"", NULL, "behind the time zone"},
        {"schedule=\"mon 01:00-02:00,03:00-04:00,05:00-06:00,07:00-08:00,09:00-10:00,11:00-12:00,"
         "13:00-14:00 UTC\"",
         NULL, "more than 6"},
        {"start=8h", NULL, "not a time"},
        {"start=yesterday", NULL, "not a time"},
        {"priority=1000001", NULL, "not a number"},
        {"priority=1x", NULL, "not a number"},
        {"ede=65536", NULL, "not a number"},
        {"ede=-1", NULL, "not a number"},
        {"ttl=9 ttl=5", "ttl=5", NULL},
        {"ttl=5 data=\"TXT t\" data=\"A 192.0.2.1\"",
         "ttl=5 data=\"A 192.0.2.1\" data=\"TXT \\\"t\\\"\"", NULL},
        {"data=\"A 192.0.2.1\" ttl=5", "ttl=5 data=\"A 192.0.2.1\"", NULL},
        {"ttl=9 data=\"A 192.0.2.1\" ttl=5 data=\"AAAA ::9\" ttl=7 data=\"MX 1 a.\" data=\"NS b.\"",
         "ttl=9 data=\"A 192.0.2.1\" ttl=7 data=\"NS b.\" data=\"MX 1 a.\" ttl=5 data=\"AAAA ::9\"",
         NULL},
        {"ttl=9 data=\"A 192.0.2.1\" ttl=5 data=\"A 192.0.2.2\" ttl=5 data=\"AAAA ::9\"",
         "ttl=5 data=\"A 192.0.2.1\" data=\"A 192.0.2.2\" data=\"AAAA ::9\"", NULL},
        {"ttl=5 data=\"A 192.0.2.1\" ttl=9 data=\"A 192.0.2.1\"", "ttl=5 data=\"A 192.0.2.1\"",
         NULL},
        {"ttl=5 data=\"CNAME a.\" ttl=9 data=\"A 192.0.2.1\"", NULL, "excludes"},
        {"ttl=604801", NULL, "not a number"},
        {"ttl=9999999999999999999999", NULL, "not a number"},
        {"ttl=2w", NULL, "not a number"},
        {"log=loud", NULL, "neither"},
        {"ede-text=\"\"", NULL, "octets"},
        {"ede-text=\"open", NULL, "missing"},
        {"ede-text=\"a\"b", NULL, "missing"},
        {"ede-text=\"a\x1b[2Jb\"", NULL, "control"},
        {"colour=red", NULL, "not known"},
        {"type", NULL, "should stand here"},
        {"=A", NULL, "should stand here"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sek_terms_spec spec, again;
        struct sek_diag diag = {0};
        char text[SEK_TERMS_TEXT_MAX], twice[SEK_TERMS_TEXT_MAX];
        enum sek_err err = sek_terms_from_text(rows[i].text, strlen(rows[i].text), &spec, &diag);
        if (!rows[i].canonical) {
            if (err == SEK_OK || !strstr(diag.text, rows[i].why))
                fail_msg("%s: %s", rows[i].text, err ? diag.text : "taken");
            continue;
        }
        if (err != SEK_OK)
            fail_msg("%s: %s", rows[i].text, diag.text);
        assert_int_equal(sek_terms_to_text(&spec, text, &diag), SEK_OK);
        assert_string_equal(text, rows[i].canonical);
        assert_int_equal(sek_terms_from_text(text, strlen(text), &again, &diag), SEK_OK);
        assert_int_equal(sek_terms_to_text(&again, twice, &diag), SEK_OK);
        assert_string_equal(twice, text);
    }
}

/* Some texts through a part of an image. The buffer holds what the set borrows. */
static struct sek_termset *set_of(const char *const *texts, unsigned n, struct sek_buf *buf)
{
    struct sek_terms_writer *w;
    struct sek_termset *set;
    struct sek_diag diag = {0};
    sek_buf_init(buf, 0);
    assert_int_equal(sek_terms_writer_new(&w, &diag), SEK_OK);
    for (unsigned i = 0; i < n; i++) {
        uint32_t number;
        if (sek_terms_writer_add(w, texts[i], strlen(texts[i]), &number, &diag))
            fail_msg("%s: %s", texts[i], diag.text);
        assert_int_equal(number, i + 1);
    }
    assert_int_equal(sek_terms_write(w, buf, &diag), SEK_OK);
    sek_terms_writer_free(w);
    if (sek_termset_read(buf->data, buf->len, &set, &diag))
        fail_msg("%s", diag.text);
    return set;
}

static void test_numbers(void **state)
{
    struct sek_terms_writer *w;
    struct sek_buf buf;
    uint32_t number = 99;
    (void)state;
    assert_int_equal(sek_terms_writer_new(&w, NULL), SEK_OK);
    sek_buf_init(&buf, 0);
    assert_int_equal(sek_terms_write(w, &buf, NULL), SEK_OK);
    assert_int_equal(buf.len, 0); /* none costs nothing */
    assert_int_equal(sek_terms_writer_add(w, "", 0, &number, NULL), SEK_OK);
    assert_int_equal(number, 0);
    assert_int_equal(sek_terms_writer_add(w, "type=A", 6, &number, NULL), SEK_OK);
    assert_int_equal(number, 1);
    assert_int_equal(sek_terms_writer_add(w, "type=AAAA", 9, &number, NULL), SEK_OK);
    assert_int_equal(number, 2);
    assert_int_equal(sek_terms_writer_add(w, "type=A", 6, &number, NULL), SEK_OK);
    assert_int_equal(number, 1); /* the same once */
    assert_int_equal(sek_terms_writer_add(w, "type=Q", 6, &number, NULL), SEK_E_INVALID);
    sek_terms_writer_free(w);
    sek_buf_fini(&buf);
    assert_int_equal(sek_termset_n(NULL), 0);
    assert_null(sek_termset_get(NULL, 0));
}

static void test_types(void **state)
{
    static const char *const texts[] = {"type=A,TXT", "type=!A", "ttl=5"};
    static const struct {
        uint32_t number;
        uint16_t qtype;
        bool holds, holds_all;
    } rows[] = {
        {1, 1, true, true},    {1, 16, true, true},  {1, 28, false, false}, {1, 0, true, false},
        {1, 255, true, false}, {2, 1, false, false}, {2, 28, true, true},   {2, 0, true, false},
        {2, 255, true, false}, {3, 0, true, true},   {3, 255, true, true},  {3, 7, true, true},
    };
    struct sek_buf buf;
    struct sek_termset *set = set_of(texts, 3, &buf);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct sek_terms *t = sek_termset_get(set, rows[i].number);
        assert_int_equal(sek_terms_hold_type(t, rows[i].qtype, false), rows[i].holds);
        assert_int_equal(sek_terms_hold_type(t, rows[i].qtype, true), rows[i].holds_all);
    }
    assert_null(sek_termset_get(set, 4));
    assert_true(sek_termset_conditions(set));
    sek_termset_free(set);
    sek_buf_fini(&buf);
}

/* --- hours --------------------------------------------------------------------------------------
 */

struct hours_row {
    const char *text, *zone;
    int weekday; /* 1 is Monday; 0: all */
    int last_weekday, from, to;
};
static const struct hours_row hours_rows[] = {
    {"schedule=\"mon-fri 08:00-18:00 Europe/Berlin\"", "Europe/Berlin", 1, 5, 480, 1080},
    {"schedule=\"daily 22:00-06:00 America/New_York\"", "America/New_York", 1, 7, 1320, 360},
    {"schedule=\"sun 02:30-03:30 Europe/Berlin\"", "Europe/Berlin", 7, 7, 150, 210},
    {"schedule=\"sat-sun Asia/Kolkata\"", "Asia/Kolkata", 6, 7, 0, 1440},
    {"schedule=\"fri 23:59-00:01 Australia/Lord_Howe\"", "Australia/Lord_Howe", 5, 5, 1439, 1},
    {"schedule=\"wed 09:00-10:00 UTC\"", "UTC", 3, 3, 540, 600},
    {"schedule=\"daily 01:00-02:00 Africa/Casablanca\"", "Africa/Casablanca", 1, 7, 60, 120},
    {"schedule=\"tue-wed 08:00-23:30 -03:30\"", "<-0330>3:30", 2, 3, 480, 1410},
};
#define N_HOURS (sizeof hours_rows / sizeof *hours_rows)

/* By the C library's calendar of the zone that is set. */
static bool expected_at(const struct hours_row *r, int64_t now_s)
{
    time_t t = (time_t)now_s;
    struct tm tm;
    localtime_r(&t, &tm);
    int day = tm.tm_wday ? tm.tm_wday : 7, before = day == 1 ? 7 : day - 1;
    int minute = tm.tm_hour * 60 + tm.tm_min;
    bool today = r->weekday <= day && day <= r->last_weekday;
    bool yesterday = r->weekday <= before && before <= r->last_weekday;
    if (r->to > r->from)
        return today && r->from <= minute && minute < r->to;
    return (today && r->from <= minute) || (yesterday && minute < r->to);
}

/* Every quarter of an hour around the changes of four years, and every change that is announced. */
static void test_hours(void **state)
{
    const char *texts[N_HOURS];
    struct sek_buf buf;
    (void)state;
    for (size_t i = 0; i < N_HOURS; i++)
        texts[i] = hours_rows[i].text;
    struct sek_termset *set = set_of(texts, N_HOURS, &buf);
    for (size_t i = 0; i < N_HOURS; i++) {
        const struct hours_row *r = &hours_rows[i];
        const struct sek_terms *t = sek_termset_get(set, (uint32_t)i + 1);
        setenv("TZ", r->zone, 1);
        tzset();
        int64_t next = 0;
        bool before = false;
        for (int64_t now_s = 1767222000; now_s < 1767222000 + 4 * 366 * 86400LL; now_s += 900) {
            bool holds = sek_termset_holds_at(set, t, now_s);
            if (holds != expected_at(r, now_s))
                fail_msg("%s at %lld: %d", r->text, (long long)now_s, holds);
            if (next != 0 && holds != before && next > now_s)
                fail_msg("%s: a change at %lld was not announced", r->text, (long long)now_s);
            before = holds;
            next = sek_termset_next(set, t, now_s);
            assert_in_range(next - now_s, 1, 86400);
        }
        /* to the second: it changes nowhere but where it was said */
        int64_t at_s = 1774700000, end_s = at_s + 3 * 86400; /* Berlin's summer begins */
        next = sek_termset_next(set, t, at_s - 1);
        before = sek_termset_holds_at(set, t, at_s - 1);
        for (; at_s < end_s; at_s++) {
            bool holds = sek_termset_holds_at(set, t, at_s);
            if (holds != before && next != at_s)
                fail_msg("%s: changes at %lld, announced was %lld", r->text, (long long)at_s,
                         (long long)next);
            if (at_s >= next)
                next = sek_termset_next(set, t, at_s);
            before = holds;
        }
    }
    unsetenv("TZ");
    tzset();
    sek_termset_free(set);
    sek_buf_fini(&buf);
}

/* The time zone of the process is as it was. */
static void test_zone_left_alone(void **state)
{
    struct sek_buf buf;
    (void)state;
    setenv("TZ", "Asia/Tokyo", 1);
    sek_termset_free(set_of(&hours_rows[0].text, 1, &buf));
    assert_string_equal(getenv("TZ"), "Asia/Tokyo");
    unsetenv("TZ");
    sek_buf_fini(&buf);
    sek_termset_free(set_of(&hours_rows[0].text, 1, &buf));
    assert_null(getenv("TZ"));
    sek_buf_fini(&buf);
}

static void test_start(void **state)
{
    static const char *const texts[] = {"start=2026-12-01T08:00:00Z", "ede=17 ede-text=\"no\""};
    struct sek_buf buf;
    struct sek_termset *set = set_of(texts, 2, &buf);
    const struct sek_terms *t = sek_termset_get(set, 1);
    (void)state;
    assert_int_equal(t->start_s, 1796112000);
    assert_int_equal(sek_termset_next_any(set, t->start_s - 5), t->start_s);
    assert_int_equal(sek_termset_next_any(set, t->start_s), 0);
    assert_string_equal(sek_termset_ede_text(set, t), "");
    assert_string_equal(sek_termset_ede_text(set, sek_termset_get(set, 2)), "no");
    sek_termset_free(set);
    sek_buf_fini(&buf);
}

/* Whatever stands there: refused, or harmless to ask. */
static void test_damage(void **state)
{
    static const char *const texts[] = {"type=A schedule=\"mon 08:00-09:00 Europe/Berlin\"",
                                        "ede-text=\"a text\" ttl=5 log=none"};
    struct sek_buf buf;
    struct sek_termset *set = set_of(texts, 2, &buf);
    unsigned seed = (unsigned)getpid(), n_taken = 0;
    (void)state;
    print_message("seed %u\n", seed);
    sek_termset_free(set);
    for (size_t cut = 0; cut < buf.len; cut++)
        assert_int_equal(sek_termset_read(buf.data, cut, &set, NULL), SEK_E_CORRUPT);
    uint64_t *own = malloc(buf.len + 8);
    for (int round = 0; round < 20000; round++) {
        memcpy(own, buf.data, buf.len);
        for (int k = 0; k < 1 + round % 3; k++) {
            seed = seed * 1664525u + 1013904223u;
            size_t at = (seed >> 8) % (round % 2 ? 300 : buf.len);
            ((uint8_t *)own)[at] = (uint8_t)(seed >> 24);
        }
        if (sek_termset_read(own, buf.len, &set, NULL))
            continue;
        n_taken++;
        for (uint32_t i = 1; i <= sek_termset_n(set); i++) {
            const struct sek_terms *t = sek_termset_get(set, i);
            sek_terms_hold_type(t, 1, false);
            sek_termset_holds_at(set, t, 1800000000);
            sek_termset_next(set, t, 1800000000);
            assert_true(strlen(sek_termset_ede_text(set, t)) < SEK_TERMS_EDE_TEXT_MAX);
        }
        sek_termset_free(set);
    }
    assert_in_range(n_taken, 1, 19999);
    free(own);
    sek_buf_fini(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),  cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_types),  cmocka_unit_test(test_hours),
        cmocka_unit_test(test_start),  cmocka_unit_test(test_zone_left_alone),
        cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
