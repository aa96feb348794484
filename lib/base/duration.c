/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/duration.h"
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

#define DAY_S 86400
#define EPOCH_DAYS 719528LL /* from 0000-01-01 to 1970-01-01 */

static const struct {
    char letter;
    int64_t seconds;
} units[] = {{'w', 7 * DAY_S}, {'d', DAY_S}, {'h', 3600}, {'m', 60}, {'s', 1}};
#define N_UNITS (sizeof(units) / sizeof(units[0]))

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Decimal digits at *text, which moves behind them. False: no digit, or above max. */
static bool take_number(const char **text, uint64_t max, uint64_t *out)
{
    const char *p = *text;
    uint64_t n = 0;

    if (!is_digit(*p))
        return false;
    for (; is_digit(*p); p++) {
        uint64_t digit = (uint64_t)(*p - '0');

        if (n > (max - digit) / 10)
            return false;
        n = n * 10 + digit;
    }
    *text = p;
    *out = n;
    return true;
}

enum sek_err sek_duration_from_text(const char *text, int64_t *out_s, struct sek_diag *diag)
{
    const char *p = text;
    int64_t sum = 0;
    size_t next = 0; /* units go from long to short, each at most once */

    while (*p) {
        uint64_t n;
        size_t u = next;

        if (!take_number(&p, SEK_DURATION_MAX_S, &n))
            goto malformed;
        while (u < N_UNITS && units[u].letter != *p)
            u++;
        if (u == N_UNITS)
            goto malformed;
        if ((int64_t)n > (SEK_DURATION_MAX_S - sum) / units[u].seconds)
            return sek_diag_set(diag, SEK_E_INVALID, "'%s' is longer than a century", text);
        sum += (int64_t)n * units[u].seconds;
        next = u + 1;
        p++;
    }
    if (sum <= 0)
        goto malformed;
    *out_s = sum;
    return SEK_OK;
malformed:
    return sek_diag_set(diag, SEK_E_INVALID,
                        "'%s' is not a duration such as 90s, 30m, 8h, 3d, 2w or 1d12h", text);
}

/* Exact in one unit, the largest that divides; more than 99 hours, minutes or seconds are easier to
 * read in two units. False: not possible. */
static bool one_unit(uint64_t s, const char *sign, char *out, size_t size)
{
    for (size_t u = 0; u < N_UNITS; u++) {
        uint64_t unit = (uint64_t)units[u].seconds;

        if (s % unit == 0 && (s / unit < 100 || unit >= DAY_S)) {
            snprintf(out, size, "%s%" PRIu64 "%c", sign, s / unit, units[u].letter);
            return true;
        }
    }
    return false;
}

const char *sek_duration_to_text(int64_t s, char *out, size_t size)
{
    const char *sign = s < 0 ? "-" : "";
    uint64_t left = s < 0 ? 0 - (uint64_t)s : (uint64_t)s, big, small;
    size_t u = 1; /* days: weeks only where they are exact */

    if (left == 0) {
        snprintf(out, size, "0s");
        return out;
    }
    if (one_unit(left, sign, out, size))
        return out;
    while (left < (uint64_t)units[u].seconds)
        u++;
    /* one_unit took everything below 100 s, so there is a smaller unit */
    big = (uint64_t)units[u].seconds;
    small = (uint64_t)units[u + 1].seconds;
    left = (left + small / 2) / small * small;
    if (left % big != 0 || !one_unit(left, sign, out, size)) /* 23h59m59s is a day */
        snprintf(out, size, "%s%" PRIu64 "%c%" PRIu64 "%c", sign, left / big, units[u].letter,
                 left % big / small, units[u + 1].letter);
    return out;
}

static const char size_letters[] = "kmgt"; /* each 1024 times the one before */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

enum sek_err sek_size_from_text(const char *text, uint64_t *out_octets, struct sek_diag *diag)
{
    const char *p = text, *letter;
    unsigned shift = 0;
    uint64_t n;

    if (!take_number(&p, UINT64_MAX, &n))
        goto malformed;
    letter = *p ? strchr(size_letters, lower(*p)) : NULL;
    if (letter) {
        shift = 10 * (unsigned)(letter - size_letters + 1);
        p++;
        if (lower(p[0]) == 'i' && lower(p[1]) == 'b')
            p++;
    }
    if (lower(*p) == 'b')
        p++;
    if (*p)
        goto malformed;
    if (n > UINT64_MAX >> shift)
        return sek_diag_set(diag, SEK_E_INVALID, "'%s' is too large", text);
    *out_octets = n << shift;
    return SEK_OK;
malformed:
    return sek_diag_set(diag, SEK_E_INVALID, "'%s' is not a size such as 512, 64k, 16m or 2g",
                        text);
}

const char *sek_size_to_text(uint64_t octets, char *out, size_t size)
{
    size_t u = 0;

    while (size_letters[u] && octets > 0 && octets % 1024 == 0) {
        octets /= 1024;
        u++;
    }
    if (u == 0)
        snprintf(out, size, "%" PRIu64, octets);
    else
        snprintf(out, size, "%" PRIu64 "%c", octets, size_letters[u - 1]);
    return out;
}

/* Days since 0000-01-01 (proleptic Gregorian calendar) as a date. Not gmtime_r: that takes a lock
 * of the C library, and answers carry times. Years are counted from March, so that the leap day is
 * a year's last. */
static int civil_of(int days, int *out_month, int *out_day)
{
    const int era = 146097, century = 36524, four = 1461, leap = 60; /* days; up to February 29 */
    int d = days - leap + era, year = d / era * 400 - 400;
    d %= era;
    int centuries = d / century < 4 ? d / century : 3;
    d -= centuries * century;
    int fours = d / four;
    d -= fours * four;
    int years = d / 365 < 4 ? d / 365 : 3;
    d -= years * 365;
    int month = (5 * d + 2) / 153; /* from March: 31, 30, 31, 30, 31 days, again and again */
    *out_day = d - (153 * month + 2) / 5 + 1;
    *out_month = month < 10 ? month + 3 : month - 9;
    return year + centuries * 100 + fours * 4 + years + (month >= 10);
}

const char *sek_time_to_text(int64_t unix_s, char *out, size_t size)
{
    const int64_t first = -EPOCH_DAYS * DAY_S,
                  last = 253402300799; /* years 0 to 9999: four digits */
    int64_t t = (unix_s < first ? first : unix_s > last ? last : unix_s) - first;
    int day, month, s = (int)(t % 86400);
    int year = civil_of((int)(t / 86400), &month, &day);

    snprintf(out, size, "%04d-%02d-%02dT%02d:%02d:%02dZ", year, month, day, s / 3600, s / 60 % 60,
             s % 60);
    return out;
}
