/* SPDX-License-Identifier: BSD-3-Clause */
/* ISC dhcpd.leases (manual page dhcpd.leases(5)): "lease ADDRESS { statement; … }", times in UTC as
 * "starts 4 2026/11/26 10:00:00;" or, with db-time-format local, "starts epoch 1795773600; # …".
 * All else on the top level (hosts, failover, IPv6) is passed over by its braces. */
#include "observe/leases_parts.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/banned.h"

static void next_word(const char **p, char *out, size_t size)
{
    *p += strspn(*p, " \t");
    size_t n = strcspn(*p, " \t"), kept = n < size ? n : size - 1;

    memcpy(out, *p, kept);
    out[kept] = '\0';
    *p += n;
}

/* "4 2026/11/26 10:00:00", "epoch 1795773600", "never" */
static bool take_time(const char *p, int64_t *out)
{
    char day[16], date[16], clock[16];
    struct tm t = {0};
    int end = 0;

    next_word(&p, day, sizeof day);
    next_word(&p, date, sizeof date);
    next_word(&p, clock, sizeof clock);
    if (strcmp(day, "never") == 0) {
        *out = SEK_LEASE_OPEN_S;
        return true;
    }
    if (strcmp(day, "epoch") == 0) {
        size_t n = strspn(date, "0123456789");
        *out = strtoll(date, NULL, 10);
        return n > 0 && n < 12 && !date[n];
    }
    if (sscanf(date, "%4d/%2d/%2d%n", &t.tm_year, &t.tm_mon, &t.tm_mday, &end) != 3 || date[end] ||
        sscanf(clock, "%2d:%2d:%2d%n", &t.tm_hour, &t.tm_min, &t.tm_sec, &end) != 3 || clock[end] ||
        t.tm_year < 1970 || t.tm_mon < 1 || t.tm_mon > 12 || t.tm_mday < 1 || t.tm_mday > 31 ||
        t.tm_hour < 0 || t.tm_hour > 23 || t.tm_min < 0 || t.tm_min > 59 || t.tm_sec < 0 ||
        t.tm_sec > 60)
        return false;
    t.tm_year -= 1900;
    t.tm_mon--;
    *out = (int64_t)timegm(&t);
    return true;
}

/* A string of dhcpd: in quotes, with \" and \ooo. */
static void unquote(const char *p, char *out, size_t size)
{
    size_t n = 0;

    p += strspn(p, " \t");
    if (*p == '"')
        p++;
    for (; *p && *p != '"' && n + 1 < size; p++) {
        char c = *p;
        if (c == '\\' && p[1]) {
            size_t digits = strspn(p + 1, "01234567");
            digits = digits > 3 ? 3 : digits;
            char octal[4] = "";
            memcpy(octal, p + 1, digits);
            c = digits ? (char)strtol(octal, NULL, 8) : p[1];
            c = c ? c : '?';
            p += digits ? digits : 1;
        }
        out[n++] = c;
    }
    out[n] = '\0';
}

static void bad_time(struct sek_leases *l, const char *what)
{
    sek__lease_bad(l, l->line, "\"%.60s\" has no time that is understood", what);
    l->skip = true;
}

/* A statement within a lease, without its semicolon. */
static void take_statement(struct sek_leases *l, const char *text)
{
    char word[32], second[SEK_LEASE_MAC_MAX + 16], name[SEK_LEASE_STATEMENT_MAX];
    const char *p = text;

    next_word(&p, word, sizeof word);
    if (strcmp(word, "starts") == 0) {
        if (!take_time(p, &l->lease.from_s))
            bad_time(l, text);
    } else if (strcmp(word, "ends") == 0) {
        l->has_until = true;
        if (!take_time(p, &l->lease.until_s))
            bad_time(l, text);
    } else if (strcmp(word, "binding") == 0) {
        next_word(&p, second, sizeof second); /* "state" */
        next_word(&p, second, sizeof second);
        l->active = strcmp(second, "active") == 0;
        l->skip |= strcmp(second, "abandoned") == 0 || strcmp(second, "bootp") == 0;
    } else if (strcmp(word, "hardware") == 0) {
        next_word(&p, second, sizeof second); /* its kind */
        next_word(&p, second, sizeof second);
        sek_mac_from_text(second, l->lease.machine.mac);
    } else if (strcmp(word, "client-hostname") == 0 || strcmp(word, "hostname") == 0) {
        unquote(p, name, sizeof name);
        l->skip |= !sek__lease_set(l, l->line, &l->lease, SEK_LEASE_F_NAME, name);
    } else if (strcmp(word, "abandoned") == 0) {
        l->skip = true;
    }
}

/* A lease that nobody has (free since ever) says nothing; one given back or run out says when. */
static enum sek_err end_lease(struct sek_leases *l)
{
    const struct sek_machine *m = &l->lease.machine;

    l->in_lease = false;
    if (l->skip || (!*m->mac && !*m->name))
        return SEK_OK;
    if (!l->active) {
        if (!l->has_until || l->lease.until_s <= l->lease.from_s)
            return SEK_OK;
        l->lease.end = SEK_LEASE_ENDED;
    }
    if (l->lease.from_s == SEK_LEASE_UNDATED) {
        sek__lease_bad(l, l->lease_line, "the lease does not say when it starts");
        return SEK_OK;
    }
    return sek__lease_tell(l, l->lease_line, &l->lease);
}

/* What stands in front of a brace: a lease's begin, or anything else. */
static void begin_block(struct sek_leases *l)
{
    char word[16], address[SEK_ADDR_TEXT_MAX];
    const char *p = l->statement;

    next_word(&p, word, sizeof word);
    next_word(&p, address, sizeof address);
    /* a lease within a block: the closing brace was lost, begin anew */
    if (strcmp(word, "lease") != 0 || (l->n_braces > 0 && !l->in_lease)) {
        l->n_braces++;
        return;
    }
    if (l->in_lease)
        sek__lease_bad(l, l->lease_line, "the lease does not end");
    sek__lease_init(&l->lease);
    l->in_lease = true;
    l->active = true;
    l->skip = l->has_until = false;
    l->n_braces = 0;
    l->lease_line = l->line;
    if (!sek__lease_set(l, l->line, &l->lease, SEK_LEASE_F_ADDRESS, address) || !l->lease.has_addr)
        l->skip = true;
}

static enum sek_err end_block(struct sek_leases *l)
{
    if (l->n_braces > 0) {
        l->n_braces--;
        return SEK_OK;
    }
    return l->in_lease ? end_lease(l) : SEK_OK;
}

static void add_char(struct sek_leases *l, char c)
{
    if (l->n_statement + 1 < sizeof l->statement && (l->n_statement > 0 || (c != ' ' && c != '\t')))
        l->statement[l->n_statement++] = c;
    l->statement[l->n_statement] = '\0';
}

enum sek_err sek__leases_dhcpd(struct sek_leases *l, char *line)
{
    enum sek_err err = SEK_OK;

    for (const char *p = line; *p && !err; p++) {
        if (l->in_quotes || *p == '"') {
            if (*p == '\\' && l->in_quotes && p[1])
                add_char(l, *p++);
            else if (*p == '"')
                l->in_quotes = !l->in_quotes;
            add_char(l, *p);
        } else if (*p == '#') {
            break;
        } else if (*p == ';' || *p == '{' || *p == '}') {
            if (*p == '{')
                begin_block(l);
            else if (*p == '}')
                err = end_block(l);
            else if (l->in_lease && l->n_braces == 0)
                take_statement(l, l->statement);
            l->n_statement = 0;
            l->statement[0] = '\0';
        } else {
            add_char(l, *p);
        }
    }
    if (l->in_quotes) { /* no string of dhcpd goes over a line's end */
        sek__lease_bad(l, l->line, "a quote is not closed");
        l->skip = true;
        l->in_quotes = false;
        l->n_statement = 0;
    } else if (l->n_statement) {
        add_char(l, ' ');
    }
    return err;
}

enum sek_err sek__leases_dhcpd_end(struct sek_leases *l)
{
    if (l->in_lease)
        sek__lease_bad(l, l->lease_line, "the lease does not end");
    return SEK_OK;
}
