/* SPDX-License-Identifier: BSD-3-Clause */
#include "observe/logtime.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/banned.h"

#define DAY_S 86400

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Exactly n digits, or with `less` one to n. */
static bool take_number(const char **p, unsigned n, bool less, int *out)
{
    const char *at = *p;
    int value = 0;
    unsigned i = 0;

    for (; i < n && is_digit(at[i]); i++)
        value = value * 10 + (at[i] - '0');
    if (i == 0 || (i < n && !less) || is_digit(at[i]))
        return false;
    *p += i;
    *out = value;
    return true;
}

static bool take(const char **p, char c)
{
    if (**p != c)
        return false;
    ++*p;
    return true;
}

static bool take_month(const char **p, int *out)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    for (int i = 0; i < 12; i++)
        if (strncmp(*p, months + 3 * i, 3) == 0) {
            *p += 3;
            *out = i + 1;
            return true;
        }
    return false;
}

static void skip_fraction(const char **p)
{
    if ((**p == '.' || **p == ',') && is_digit((*p)[1]))
        *p += 1 + strspn(*p + 1, "0123456789");
}

/* hh:mm[:ss[.fraction]] */
static bool take_clock(const char **p, struct tm *t)
{
    if (!take_number(p, 2, false, &t->tm_hour) || !take(p, ':') ||
        !take_number(p, 2, false, &t->tm_min))
        return false;
    if (take(p, ':') && !take_number(p, 2, false, &t->tm_sec))
        return false;
    skip_fraction(p);
    return t->tm_hour < 24 && t->tm_min < 60 && t->tm_sec <= 60;
}

/* Z, +01:00, -0530, or nothing. False: what begins like a zone is none. */
static bool take_zone(const char **p, int64_t *out_s)
{
    int hours, minutes;
    char sign = **p;

    *out_s = 0;
    if (take(p, 'Z') || (sign != '+' && sign != '-'))
        return true;
    const char *at = *p + 1;
    if (strspn(at, "0123456789") == 4) {
        hours = (at[0] - '0') * 10 + (at[1] - '0');
        at += 2;
    } else if (!take_number(&at, 2, false, &hours) || !take(&at, ':')) {
        return false;
    }
    if (!take_number(&at, 2, false, &minutes) || hours > 14 || minutes > 59)
        return false;
    *out_s = (hours * 60 + minutes) * 60 * (sign == '-' ? -1 : 1);
    *p = at;
    return true;
}

/* month from 1; false: there is no such day */
static bool unix_of(int year, int month, int day, struct tm t, int64_t *out_s)
{
    t.tm_year = year - 1900;
    t.tm_mon = month - 1;
    t.tm_mday = day;
    struct tm same = t;
    *out_s = (int64_t)timegm(&same);
    return year >= 1970 && year <= 9999 && same.tm_mday == day && same.tm_mon == month - 1;
}

static bool take_unix(const char **p, int64_t *out_s)
{
    size_t n = strspn(*p, "0123456789");

    if ((n < 9 || n > 11) && n != 13)
        return false;
    *out_s = (int64_t)strtoll(*p, NULL, 10) / (n == 13 ? 1000 : 1);
    *p += n;
    skip_fraction(p);
    return true;
}

static bool take_iso(const char **p, int64_t *out_s)
{
    int year, month, day;
    int64_t zone_s = 0;
    struct tm t = {0};

    if (!take_number(p, 4, false, &year) || !take(p, '-') || !take_number(p, 2, false, &month) ||
        !take(p, '-') || !take_number(p, 2, false, &day))
        return false;
    const char *at = *p + 1;
    if ((**p == 'T' || **p == ' ') && take_clock(&at, &t)) {
        *p = at;
        if (!take_zone(p, &zone_s))
            return false;
    } else {
        t = (struct tm){0};
    }
    if (!unix_of(year, month, day, t, out_s))
        return false;
    *out_s -= zone_s;
    return true;
}

static bool take_bind(const char **p, int64_t *out_s)
{
    int year, month, day;
    struct tm t = {0};

    return take_number(p, 2, true, &day) && take(p, '-') && take_month(p, &month) && take(p, '-') &&
           take_number(p, 4, false, &year) && take(p, ' ') && take_clock(p, &t) &&
           unix_of(year, month, day, t, out_s);
}

static bool take_syslog(const char **p, int64_t now_s, int64_t *out_s)
{
    int month, day;
    struct tm t = {0}, now;
    time_t tomorrow = (time_t)(now_s + DAY_S);

    if (!take_month(p, &month) || !take(p, ' '))
        return false;
    (void)take(p, ' ');
    if (!take_number(p, 2, true, &day) || !take(p, ' ') || !take_clock(p, &t))
        return false;
    gmtime_r(&tomorrow, &now);
    for (int back = 0; back < 8; back++) /* February 29 may be that far away */
        if (unix_of(now.tm_year + 1900 - back, month, day, t, out_s) && *out_s <= tomorrow)
            return true;
    return false;
}

bool sek_logtime_take(const char **p, int64_t now_s, int64_t *out_s)
{
    const char *at = *p;

    if (!take_unix(&at, out_s) && !(at = *p, take_iso(&at, out_s)) &&
        !(at = *p, take_bind(&at, out_s)) && !(at = *p, take_syslog(&at, now_s, out_s)))
        return false;
    *p = at;
    return true;
}
