/* SPDX-License-Identifier: BSD-3-Clause */
#include "logvalue.h"
#include "observe/logtime.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

bool sek_logvalue_number(const char *text, unsigned *out)
{
    size_t n = strspn(text, "0123456789");
    if (n == 0 || n > 5 || text[n] != '\0')
        return false;
    *out = (unsigned)strtoul(text, NULL, 10);
    return true;
}

/* --- times -------------------------------------------------------------------------------------
 */

/* 27/Nov/2026:13:05:07 +0900, as web servers and Squid's other formats have it. Without a zone,
 * which they always say, it counts as UTC. */
static bool take_common(const char **io_text, int64_t *out_ms)
{
    char iso[40], month[4];
    int day, year, h, m, s, n = 0;
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const char *text = *io_text;
    if (sscanf(text, "%2d/%3[A-Za-z]/%4d:%2d:%2d:%2d%n", &day, month, &year, &h, &m, &s, &n) != 6 ||
        strlen(month) != 3)
        return false;
    const char *at = strstr(months, month);
    if (!at || (at - months) % 3 || year < 1970)
        return false;
    text += n + (text[n] == ' ');
    bool zone = (*text == '+' || *text == '-') && strspn(text + 1, "0123456789") >= 4;
    snprintf(iso, sizeof iso, "%04d-%02d-%02dT%02d:%02d:%02d%.5s", year, (int)(at - months) / 3 + 1,
             day, h, m, s, zone ? text : "Z");
    const char *p = iso;
    *io_text = text + (zone ? 5 : 0);
    return sek_logtime_take_ms(&p, 0, out_ms) && *p == '\0';
}

/* Whether the text that was read as a time says its zone, or needs none. */
static bool says_zone(const char *from, const char *to)
{
    size_t n = (size_t)(to - from);
    const char *clock = memchr(from, ':', n);
    if (!clock) /* Unix time, or a day */
        return !memchr(from, '-', n);
    if (to[-1] == 'Z')
        return true;
    return memchr(clock, '+', (size_t)(to - clock)) || memchr(clock, '-', (size_t)(to - clock));
}

bool sek_logvalue_time(const char *text, const struct sek_zone_changes *zone, int64_t now_s,
                       int64_t *out_ms, const char **out_rest)
{
    if (*text == '<') { /* priority and version */
        text += strcspn(text, ">");
        text += *text == '>';
        if (text[0] == '1' && text[1] == ' ')
            text += 2;
    }
    if (strncmp(text, "/Date(", 6) == 0)
        text += 6;
    text += *text == '[';
    const char *p = text;
    if (!take_common(&p, out_ms)) {
        p = text;
        if (!sek_logtime_take_ms(&p, now_s, out_ms))
            return false;
        int64_t s = *out_ms / 1000;
        const struct sek_zone in = sek_zone_of(zone);
        if (!says_zone(text, p))
            *out_ms += (sek_when_utc(s, &in) - s) * 1000;
    }
    if (out_rest)
        *out_rest = p;
    return true;
}

/* --- where to ----------------------------------------------------------------------------------
 */

bool sek_logvalue_addr(const char *text, struct sek_addr *out, unsigned *io_port)
{
    char host[SEK_ADDR_TEXT_MAX + 8];
    const char *colon = strchr(text, ':');
    size_t len = strcspn(text, "%");
    if (*text == '[') {
        len = strcspn(++text, "]");
        colon = text[len] == ']' && text[len + 1] == ':' ? text + len + 1 : NULL;
    } else if (colon && !strchr(colon + 1, ':')) {
        len = (size_t)(colon - text);
    } else {
        colon = NULL;
    }
    if (len >= sizeof host)
        return false;
    memcpy(host, text, len);
    host[len] = '\0';
    if (colon && !*io_port)
        (void)sek_logvalue_number(colon + 1, io_port);
    return sek_addr_from_text(host, out, NULL) == SEK_OK;
}

void sek_logvalue_host(const char *url, char *out, size_t size)
{
    const char *scheme = strstr(url, "://"), *at;
    const char *text = scheme && scheme < url + strcspn(url, "/?# ") + 1 ? scheme + 3 : url;
    size_t len = strcspn(text, "/?# ");
    at = memchr(text, '@', len);
    if (at) {
        len -= (size_t)(at + 1 - text);
        text = at + 1;
    }
    if (*text != '[') {
        const char *colon = memchr(text, ':', len);
        size_t host = colon ? (size_t)(colon - text) : len;
        /* "error:invalid-request" is none */
        len = colon && strspn(colon + 1, "0123456789") != len - host - 1 ? 0 : host;
    }
    snprintf(out, size, "%.*s", (int)(len < size ? len : size - 1), text);
}
