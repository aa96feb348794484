/* SPDX-License-Identifier: BSD-3-Clause */
#include "observe/logtime.h"
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

/* A fraction of a second, if one stands there, in whole milliseconds. */
static int take_fraction(const char **p)
{
    int ms = 0;

    if ((**p != '.' && **p != ',') || !is_digit((*p)[1]))
        return 0;
    ++*p;
    for (int unit = 100; is_digit(**p); unit /= 10, ++*p)
        ms += (**p - '0') * unit;
    return ms;
}

/* hh:mm[:ss[.fraction]] */
static bool take_clock(const char **p, struct tm *t, int *out_ms)
{
    if (!take_number(p, 2, false, &t->tm_hour) || !take(p, ':') ||
        !take_number(p, 2, false, &t->tm_min))
        return false;
    if (take(p, ':') && !take_number(p, 2, false, &t->tm_sec))
        return false;
    *out_ms = take_fraction(p);
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

bool sek_logtime_unix(int year, int month, int day, struct tm t, int64_t *out_s)
{
    t.tm_year = year - 1900;
    t.tm_mon = month - 1;
    t.tm_mday = day;
    struct tm same = t;
    *out_s = (int64_t)timegm(&same);
    return year >= 1970 && year <= 9999 && same.tm_mday == day && same.tm_mon == month - 1;
}

static bool take_unix(const char **p, int64_t *out_ms)
{
    size_t n = 0;
    uint64_t value = 0;

    for (; n < 19 && is_digit((*p)[n]); n++)
        value = value * 10 + (uint64_t)((*p)[n] - '0');
    if (is_digit((*p)[n]) || n < 9 || (n > 11 && n != 13 && n != 16 && n != 19))
        return false;
    *p += n;
    int ms = take_fraction(p);
    *out_ms = (int64_t)(n == 13   ? value
                        : n == 16 ? value / 1000
                        : n == 19 ? value / 1000000
                                  : value * 1000 + (uint64_t)ms);
    return true;
}

/* time_s and the milliseconds behind it */
static bool give(int64_t time_s, int ms, int64_t *out_ms)
{
    *out_ms = time_s * 1000 + ms;
    return true;
}

static bool take_iso(const char **p, int64_t *out_ms)
{
    int ms = 0;
    int year, month, day;
    int64_t time_s, zone_s = 0;
    struct tm t = {0};

    if (!take_number(p, 4, false, &year) || !take(p, '-') || !take_number(p, 2, false, &month) ||
        !take(p, '-') || !take_number(p, 2, false, &day))
        return false;
    const char *at = *p + 1;
    if ((**p == 'T' || **p == ' ') && take_clock(&at, &t, &ms)) {
        *p = at;
        if (!take_zone(p, &zone_s))
            return false;
    } else {
        t = (struct tm){0};
        ms = 0;
    }
    return sek_logtime_unix(year, month, day, t, &time_s) && give(time_s - zone_s, ms, out_ms);
}

static bool take_bind(const char **p, int64_t *out_ms)
{
    int64_t time_s;
    int ms;
    int year, month, day;
    struct tm t = {0};

    return take_number(p, 2, true, &day) && take(p, '-') && take_month(p, &month) && take(p, '-') &&
           take_number(p, 4, false, &year) && take(p, ' ') && take_clock(p, &t, &ms) &&
           sek_logtime_unix(year, month, day, t, &time_s) && give(time_s, ms, out_ms);
}

static bool take_syslog(const char **p, int64_t now_s, int64_t *out_ms)
{
    int64_t time_s;
    int month, day, ms;
    struct tm t = {0}, now;
    time_t tomorrow = (time_t)(now_s + DAY_S);

    if (!take_month(p, &month) || !take(p, ' '))
        return false;
    (void)take(p, ' ');
    if (!take_number(p, 2, true, &day) || !take(p, ' '))
        return false;
    const char *at = *p;
    int year;
    int64_t s;
    if (take_number(&at, 4, false, &year) && take(&at, ' ') && take_clock(&at, &t, &ms) &&
        sek_logtime_unix(year, month, day, t, &s)) { /* as Cisco's devices have it */
        *p = at;
        return give(s, ms, out_ms);
    }
    t = (struct tm){0};
    if (!take_clock(p, &t, &ms))
        return false;
    gmtime_r(&tomorrow, &now);
    for (int back = 0; back < 8; back++) /* February 29 may be that far away */
        if (sek_logtime_unix(now.tm_year + 1900 - back, month, day, t, &time_s) &&
            time_s <= tomorrow)
            return give(time_s, ms, out_ms);
    return false;
}

bool sek_logtime_take_ms(const char **p, int64_t now_s, int64_t *out_ms)
{
    const char *at = *p;

    if (!take_unix(&at, out_ms) && !(at = *p, take_iso(&at, out_ms)) &&
        !(at = *p, take_bind(&at, out_ms)) && !(at = *p, take_syslog(&at, now_s, out_ms)))
        return false;
    *p = at;
    return true;
}

bool sek_logtime_take(const char **p, int64_t now_s, int64_t *out_s)
{
    int64_t time_ms;

    if (!sek_logtime_take_ms(p, now_s, &time_ms))
        return false;
    *out_s = (time_ms - (time_ms % 1000 + 1000) % 1000) / 1000;
    return true;
}

bool sek_logtime_take_epoch(const char **p, int64_t *out_ms)
{
    const char *at = *p;
    int64_t value = 0;
    size_t n = 0;

    for (; n < 11 && is_digit(at[n]); n++)
        value = value * 10 + (at[n] - '0');
    at += n;
    if (n == 0 || is_digit(*at))
        return false;
    *out_ms = value * 1000 + take_fraction(&at);
    *p = at;
    return true;
}
