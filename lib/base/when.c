/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/when.h"
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include "base/duration.h"
#include "base/banned.h"

#define DAY_S 86400
#define WORDS_MAX 64             /* octets of what is not ISO 8601, with terminator */
#define LAST_S 253402300799LL    /* 9999-12-31T23:59:59Z */
#define OFFSET_MAX_S (14 * 3600) /* Kiribati */

/* --- zones -------------------------------------------------------------------------------------
 */

static int64_t offset_at(int64_t at_s, const struct sek_zone *zone)
{
    return zone ? zone->offset_at(zone->of, at_s) : 0;
}

int64_t sek_when_utc(int64_t local_s, const struct sek_zone *zone)
{
    /* no zone is a day off, nor changes its clocks twice in two days */
    int64_t later = local_s - offset_at(local_s + DAY_S, zone);
    return local_s - offset_at(later, zone) == later ? later
                                                     : local_s - offset_at(local_s - DAY_S, zone);
}

int64_t sek_when_local(int64_t time_s, const struct sek_zone *zone)
{
    return time_s + offset_at(time_s, zone);
}

/* Days since 1970-01-01 there. */
static int64_t day_of(int64_t time_s, const struct sek_zone *zone)
{
    int64_t local = sek_when_local(time_s, zone);
    return (local - (local % DAY_S + DAY_S) % DAY_S) / DAY_S;
}

static int weekday_of(int64_t day)
{
    return (int)(((day + 3) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
}

int64_t sek_when_midnight(int64_t time_s, int days, const struct sek_zone *zone)
{
    return sek_when_utc((day_of(time_s, zone) + days) * DAY_S, zone);
}

int sek_when_weekday(int64_t time_s, const struct sek_zone *zone)
{
    return weekday_of(day_of(time_s, zone));
}

/* --- ISO 8601 ----------------------------------------------------------------------------------
 */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Exactly two or four digits at *text, which moves behind them. */
static bool take_field(const char **text, unsigned digits, int *out)
{
    int n = 0;
    for (unsigned i = 0; i < digits; i++, (*text)++) {
        if (!is_digit(**text))
            return false;
        n = n * 10 + (**text - '0');
    }
    *out = n;
    return true;
}

static bool take_char(const char **text, const char *choice)
{
    if (!**text || !strchr(choice, **text))
        return false;
    (*text)++;
    return true;
}

static bool take_date(const char **text, int64_t *out_day)
{
    struct tm tm = {0}, check;
    if (!take_field(text, 4, &tm.tm_year) || !take_char(text, "-") ||
        !take_field(text, 2, &tm.tm_mon) || !take_char(text, "-") ||
        !take_field(text, 2, &tm.tm_mday) || tm.tm_year < 1970)
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    check = tm;
    int64_t t = (int64_t)timegm(&check);
    /* timegm turns the 30th of February into March: what it had to change was no date */
    if (check.tm_mon != tm.tm_mon || check.tm_mday != tm.tm_mday)
        return false;
    *out_day = t / DAY_S;
    return true;
}

/* "hh:mm[:ss[.fraction]]" */
static bool take_clock(const char **text, int64_t *out_s)
{
    int h, m, s = 0;
    if (!take_field(text, 2, &h) || !take_char(text, ":") || !take_field(text, 2, &m))
        return false;
    if (take_char(text, ":")) {
        if (!take_field(text, 2, &s))
            return false;
        if (take_char(text, ".,")) {
            if (!is_digit(**text))
                return false;
            while (is_digit(**text))
                (*text)++;
        }
    }
    *out_s = h * 3600 + m * 60 + s;
    return h <= 23 && m <= 59 && s <= 59;
}

bool sek_when_offset_from_text(const char *text, int32_t *out_s)
{
    const char *p = text;
    int h, m = 0;
    *out_s = 0;
    if (strcasecmp(p, "Z") == 0)
        return true;
    if (strncasecmp(p, "UTC", 3) == 0 || strncasecmp(p, "GMT", 3) == 0)
        p += 3;
    if (!*p)
        return p != text;
    int sign = *p == '-' ? -1 : 1;
    if (!take_char(&p, "+-") || !take_field(&p, is_digit(*p) && is_digit(p[1]) ? 2 : 1, &h))
        return false;
    if (*p && ((void)take_char(&p, ":"), !take_field(&p, 2, &m)))
        return false;
    *out_s = sign * (h * 3600 + m * 60);
    return !*p && m <= 59 && h * 3600 + m * 60 <= OFFSET_MAX_S;
}

/* What stands behind a day: nothing (its midnight), or a time. */
static bool take_time(const char *p, int64_t day, const struct sek_zone *zone, int64_t *out_s)
{
    int64_t clock_s = 0;
    int32_t offset_s;
    if (*p && !take_clock(&p, &clock_s))
        return false;
    p += strspn(p, " ");
    int64_t local = day * DAY_S + clock_s;
    if (*p && !sek_when_offset_from_text(p, &offset_s))
        return false;
    *out_s = *p ? local - offset_s : sek_when_utc(local, zone);
    return true;
}

static bool take_iso(const char *p, const struct sek_zone *zone, int64_t *out_s)
{
    int64_t day, s;
    if (!take_date(&p, &day) || (take_char(&p, "Tt ") && !*p))
        return false;
    bool alone = !*p;
    if ((!alone && !is_digit(*p)) || !take_time(p, day, zone, &s))
        return false;
    *out_s = s;
    return true;
}

enum sek_err sek_when_from_iso(const char *text, const struct sek_zone *zone, int64_t *out_s,
                               struct sek_diag *diag)
{
    if (take_iso(text, zone, out_s))
        return SEK_OK;
    return sek_diag_set(diag, SEK_E_INVALID,
                        "'%s' is not a time such as 2026-11-23, 2026-11-23T06:17Z or "
                        "2026-11-23T06:17:00+01:00",
                        text);
}

/* --- words -------------------------------------------------------------------------------------
 */

/* Lower case, one blank between two words. False: too long. */
static bool normalise(const char *text, char out[WORDS_MAX])
{
    size_t n = 0;
    for (const char *p = text; *p; p++) {
        char c = *p >= 'A' && *p <= 'Z' ? (char)(*p + ('a' - 'A')) : *p == '\t' ? ' ' : *p;
        if (c == ' ' && (n == 0 || out[n - 1] == ' '))
            continue;
        if (n == WORDS_MAX - 1)
            return false;
        out[n++] = c;
    }
    if (n && out[n - 1] == ' ')
        n--;
    out[n] = '\0';
    return true;
}

/* The word at *text, which moves behind it and the blank that follows. */
static bool take_word(const char **text, const char *word)
{
    size_t n = strlen(word);
    if (strncmp(*text, word, n) != 0 || ((*text)[n] && (*text)[n] != ' '))
        return false;
    *text += n + ((*text)[n] == ' ');
    return true;
}

/* "monday" or "mon": 0 to 6; -1: none. */
static int take_weekday(const char **text)
{
    static const char *const days[] = {"monday", "tuesday",  "wednesday", "thursday",
                                       "friday", "saturday", "sunday"};
    char abbreviation[4] = "";
    for (int i = 0; i < 7; i++) {
        memcpy(abbreviation, days[i], 3);
        if (take_word(text, days[i]) || take_word(text, abbreviation))
            return i;
    }
    return -1;
}

/* The first day of the month of `day`, or of the one before. */
static int64_t month_of(int64_t day, bool before)
{
    time_t t = (time_t)(day * DAY_S);
    struct tm tm = {0};
    gmtime_r(&t, &tm);
    int64_t first = day - (tm.tm_mday - 1);
    return before ? month_of(first - 1, false) : first;
}

/* "last monday", "this week", "last month", behind the first word. */
static bool take_relative(const char **text, bool last, int64_t today, int64_t *out_day)
{
    if (take_word(text, "week")) {
        *out_day = today - weekday_of(today) - (last ? 7 : 0);
        return true;
    }
    if (take_word(text, "month")) {
        *out_day = month_of(today, last);
        return true;
    }
    int weekday = last ? take_weekday(text) : -1;
    int ago = (weekday_of(today) - weekday + 7) % 7;
    *out_day = today - (ago ? ago : 7);
    return weekday >= 0;
}

/* The day that is named at *text, which moves behind it; a time alone is one of today. */
static bool take_day(const char **text, int64_t today, int64_t *out_day)
{
    static const struct {
        const char *word;
        int days;
    } words[] = {{"today", 0}, {"yesterday", -1}, {"tomorrow", 1}};
    *out_day = today;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (take_word(text, words[i].word)) {
            *out_day = today + words[i].days;
            return true;
        }
    if (take_word(text, "last"))
        return take_relative(text, true, today, out_day);
    if (take_word(text, "this"))
        return take_relative(text, false, today, out_day);
    int weekday = take_weekday(text);
    if (weekday >= 0)
        *out_day = today - (weekday_of(today) - weekday + 7) % 7;
    return weekday >= 0 || is_digit(**text);
}

static bool take_named(const char *text, int64_t now_s, const struct sek_zone *zone, int64_t *out_s)
{
    int64_t day, s;
    if (!take_day(&text, day_of(now_s, zone), &day))
        return false;
    (void)take_word(&text, "at");
    if (!take_time(text, day, zone, &s))
        return false;
    *out_s = s;
    return true;
}

/* "2 hours" as "2h", never longer: units by their first letter. False: a word that is no unit. */
static bool compact(const char *p, char out[WORDS_MAX])
{
    static const char *const units[] = {
        "s",  "sec", "secs", "second", "seconds", "m",   "min",  "mins", "minute", "minutes", "h",
        "hr", "hrs", "hour", "hours",  "d",       "day", "days", "w",    "week",   "weeks"};
    size_t n = 0;
    while (*p) {
        while (is_digit(*p))
            out[n++] = *p++;
        p += *p == ' ';
        size_t len = strspn(p, "abcdefghijklmnopqrstuvwxyz"), u = 0;
        const size_t n_units = sizeof units / sizeof units[0];
        while (u < n_units && (strlen(units[u]) != len || strncmp(units[u], p, len) != 0))
            u++;
        if (u == n_units)
            return false;
        out[n++] = *p;
        p += len;
        p += *p == ' ';
    }
    out[n] = '\0';
    return true;
}

/* "2h", "-2h", "2 hours ago": how long ago. */
static bool take_ago(char *text, int64_t *out_s)
{
    char span[WORDS_MAX];
    size_t n = strlen(text);
    bool minus = *text == '-';
    if (!minus && n > 4 && strcmp(text + n - 4, " ago") == 0)
        text[n - 4] = '\0';
    return compact(text + minus, span) && sek_duration_from_text(span, out_s, NULL) == SEK_OK;
}

/* "@1795414620", also with a fraction. */
static bool take_epoch(const char *p, int64_t *out_s)
{
    char *end;
    if (*p != '@' || !is_digit(p[1]) || strlen(p) > 32)
        return false;
    long long s = strtoll(p + 1, &end, 10);
    if (*end == '.')
        end += 1 + strspn(end + 1, "0123456789");
    if (*end || s > LAST_S)
        return false;
    *out_s = s;
    return true;
}

enum sek_err sek_when_from_text(const char *text, int64_t now_s, const struct sek_zone *zone,
                                int64_t *out_s, struct sek_diag *diag)
{
    char words[WORDS_MAX];
    int64_t s;
    bool short_enough = normalise(text, words);
    if (short_enough && strcmp(words, "now") == 0)
        *out_s = now_s;
    else if (short_enough && (take_iso(words, zone, &s) || take_named(words, now_s, zone, &s) ||
                              take_epoch(words, &s)))
        *out_s = s;
    else if (short_enough && take_ago(words, &s))
        *out_s = now_s - s;
    else
        return sek_diag_set(diag, SEK_E_INVALID,
                            "'%s' is not a time such as 2h, '2 hours ago', today, 'yesterday "
                            "18:00', 'last monday', 2026-11-23, 2026-11-23T06:17Z, "
                            "2026-11-23T06:17+09:00 or @1795414620",
                            text);
    return SEK_OK;
}
