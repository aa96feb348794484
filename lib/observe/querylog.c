/* SPDX-License-Identifier: BSD-3-Clause */
#include "observe/querylog.h"
#include "base/jsonscan.h"
#include "name/text.h"
#include "observe/logtime.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define BLANKS " \t,;"

const struct sek_lookup sek_querylog_names[] = {
    {SEK_QUERYLOG_PLAIN, "plain"},   {SEK_QUERYLOG_UNBOUND, "unbound"},
    {SEK_QUERYLOG_BIND, "bind"},     {SEK_QUERYLOG_DNSMASQ, "dnsmasq"},
    {SEK_QUERYLOG_ZEEK, "zeek"},     {SEK_QUERYLOG_JSON, "json"},
    {SEK_QUERYLOG_EXPORT, "export"}, {0, NULL},
};

void sek_querylog_init(struct sek_querylog *log, int64_t now_s)
{
    *log = (struct sek_querylog){.now_s = now_s, .ts = -1, .query = -1, .origin = -1, .rcode = -1};
}

/* --- parts of a line ---------------------------------------------------------------------------
 */

/* A word of a line, not terminated. */
struct word {
    const char *at;
    size_t len;
};

static struct word next_word(const char **p, const char *between)
{
    *p += strspn(*p, between);
    struct word w = {*p, strcspn(*p, between)};
    *p += w.len;
    return w;
}

static bool is_text(const struct word *w, const char *text)
{
    return w->len == strlen(text) && memcmp(w->at, text, w->len) == 0;
}

static int set_name(const struct word *w, struct sek_query_seen *out, struct sek_diag *diag)
{
    if (w->len == 0 || is_text(w, "-"))
        return 0;
    enum sek_err err = sek_name_from_text(w->at, w->len, &out->seen.domain, diag);
    return err ? (int)err : 1;
}

/* The labels behind the last one that has octets which names of domains have not. */
static struct word plain_end(const struct word *w)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    size_t at = w->len;

    while (at > 0 && strchr(plain, w->at[at - 1]))
        at--;
    while (at > 0 && at < w->len && w->at[at] != '.')
        at++;
    at += at > 0 && at < w->len;
    return (struct word){w->at + at, w->len - at};
}

/* A name that was asked for can be anything ("My Printer._ipp._tcp.local"), and each log writes odd
 * octets in its own way: what stands in front of the registered domain need not be understood. */
static int set_query(const struct word *w, struct sek_query_seen *out, struct sek_diag *diag)
{
    int told = set_name(w, out, diag);

    if (told >= 0)
        return told;
    struct word rest = plain_end(w);
    return rest.len < w->len ? set_name(&rest, out, diag) : told;
}

/* "192.0.2.1", "192.0.2.1#53", "192.0.2.1/53", "192.0.2.1@53" */
static bool set_endpoint(const struct word *w, struct sek_query_seen *out)
{
    char text[SEK_ADDR_TEXT_MAX];
    size_t len = 0;

    while (len < w->len && !strchr("#/@", w->at[len]))
        len++;
    if (len >= sizeof text)
        return false;
    memcpy(text, w->at, len);
    text[len] = '\0';
    if (sek_addr_from_text(text, &out->seen.addrs[0], NULL))
        return false;
    out->seen.n_addrs = out->seen.endpoints = 1;
    return true;
}

static void set_exists(const struct word *rcode, struct sek_query_seen *out)
{
    out->says_exists = is_text(rcode, "NOERROR") || is_text(rcode, "NXDOMAIN") ||
                       is_text(rcode, "0") || is_text(rcode, "3");
    out->seen.resolved = !is_text(rcode, "NXDOMAIN") && !is_text(rcode, "3");
}

static void set_time(struct sek_query_seen *out, int64_t time_s)
{
    out->seen.first_s = out->seen.last_s = time_s;
}

/* The time that a line begins with, in brackets or not. */
static bool begin_time(const struct sek_querylog *log, const char *line, struct sek_query_seen *out)
{
    const char *p = line + (*line == '[');
    int64_t time_s;

    if (!sek_logtime_take(&p, log->now_s, &time_s))
        return false;
    set_time(out, time_s);
    return true;
}

static int no_time(struct sek_diag *diag)
{
    return (int)sek_diag_set(diag, SEK_E_INVALID, "does not begin with a time");
}

/* --- logs of name servers ----------------------------------------------------------------------
 */

/* [1795168800] unbound[12:0] info: 192.0.2.1 www.example. A IN [NOERROR 0.01 0 60] */
static int read_unbound(struct sek_querylog *log, char *line, struct sek_query_seen *out,
                        struct sek_diag *diag)
{
    const char *p = strstr(line, " info: ");
    const char *query = strstr(line, " query: "), *reply = strstr(line, " reply: ");

    if (query || reply)
        p = query ? query : reply; /* log-tag-queryreply */
    if (!p)
        return 0;
    p += strcspn(p, ":") + 1;
    struct word client = next_word(&p, " "), name = next_word(&p, " ");
    struct word type = next_word(&p, " "), class = next_word(&p, " "), rcode = next_word(&p, " ");
    if (!set_endpoint(&client, out) || !is_text(&class, "IN") || type.len == 0)
        return 0;
    if (!begin_time(log, line, out))
        return no_time(diag);
    set_exists(&rcode, out);
    return set_query(&name, out, diag);
}

/* 27-Nov-2026 13:00:00.123 client @0x7f 192.0.2.1#53 (www.example): query: www.example IN A + (…)
 */
static int read_bind(struct sek_querylog *log, char *line, struct sek_query_seen *out,
                     struct sek_diag *diag)
{
    const char *client = strstr(line, "client "), *p = strstr(line, ": query: ");

    if (!client || !p || client > p)
        return 0;
    client += strlen("client ");
    p += strlen(": query: ");
    struct word who = next_word(&client, " "), name = next_word(&p, " ");
    struct word class = next_word(&p, " ");
    if (who.len && who.at[0] == '@')
        who = next_word(&client, " ");
    if (!is_text(&class, "IN") || !set_endpoint(&who, out))
        return 0;
    if (!begin_time(log, line, out))
        return no_time(diag);
    return set_query(&name, out, diag);
}

/* Nov 27 13:00:00 dnsmasq[12]: query[A] www.example from 192.0.2.1
 * with log-queries=extra "12 192.0.2.1/53 " stands before it; what came of it says
 * "reply www.example is NXDOMAIN", or "cached" for "reply" */
static int read_dnsmasq(struct sek_querylog *log, char *line, struct sek_query_seen *out,
                        struct sek_diag *diag)
{
    const char *p = strstr(line, "dnsmasq");
    struct word verb = {p, 0}, from, who;

    p += strcspn(p, " ");
    for (int i = 0; i < 3; i++) {
        verb = next_word(&p, " ");
        if (verb.len == 0 || verb.at[0] < '0' || verb.at[0] > '9')
            break;
    }
    struct word name = next_word(&p, " ");
    from = next_word(&p, " ");
    who = next_word(&p, " ");
    if (verb.len > 6 && memcmp(verb.at, "query[", 6) == 0) {
        if (!is_text(&from, "from") || !set_endpoint(&who, out))
            return 0;
    } else if ((is_text(&verb, "reply") || is_text(&verb, "cached")) && is_text(&from, "is")) {
        out->says_exists = true;
        out->seen.resolved = !is_text(&who, "NXDOMAIN");
    } else {
        return 0;
    }
    if (!begin_time(log, line, out))
        return no_time(diag);
    return set_query(&name, out, diag);
}

/* --- Zeek --------------------------------------------------------------------------------------
 */

static void zeek_head(struct sek_querylog *log, const char *line)
{
    const char *p = line + strcspn(line, "\t");

    log->ts = log->query = log->origin = log->rcode = -1;
    for (int i = 0; *p; i++) {
        struct word w = {p + 1, strcspn(p + 1, "\t")};
        int *const to = is_text(&w, "ts")           ? &log->ts
                        : is_text(&w, "query")      ? &log->query
                        : is_text(&w, "id.orig_h")  ? &log->origin
                        : is_text(&w, "rcode_name") ? &log->rcode
                                                    : NULL;
        if (to)
            *to = i;
        p = w.at + w.len;
    }
    if (log->query < 0)
        log->ts = -1; /* another log than dns.log */
}

static int read_zeek(struct sek_querylog *log, char *line, struct sek_query_seen *out,
                     struct sek_diag *diag)
{
    const char *p = line;
    struct word name = {line, 0};

    for (int i = 0;; i++) {
        struct word w = {p, strcspn(p, "\t")};
        if (i == log->ts && !begin_time(log, w.at, out))
            return no_time(diag);
        if (i == log->query)
            name = w;
        if (i == log->origin)
            set_endpoint(&w, out);
        if (i == log->rcode)
            set_exists(&w, out);
        p = w.at + w.len;
        if (!*p++)
            break;
    }
    return set_query(&name, out, diag);
}

/* --- JSON lines --------------------------------------------------------------------------------
 */

/* What the members of a line say; they come in any order. */
struct members {
    char name[SEK_JSONSCAN_VALUE];
    bool has_name, has_time, has_last; /* has_last: it is our export's */
};

static void take_member(struct sek_querylog *log, const struct sek_jsonscan *s, struct members *m,
                        struct sek_query_seen *out)
{
    const struct word value = {s->value, strlen(s->value)};
    const char *key = s->key, *p = s->value;
    struct sek_sighting *seen = &out->seen;

    if (strcmp(key, "query") == 0 || strcmp(key, "domain") == 0) {
        memcpy(m->name, value.at, value.len + 1);
        m->has_name = true;
    } else if (strcmp(key, "ts") == 0 || strcmp(key, "first") == 0) {
        m->has_time = sek_logtime_take(&p, log->now_s, &seen->first_s);
    } else if (strcmp(key, "last") == 0) {
        m->has_last = sek_logtime_take(&p, log->now_s, &seen->last_s);
    } else if (strcmp(key, "id.orig_h") == 0 || strcmp(key, "orig_h") == 0) {
        set_endpoint(&value, out);
    } else if (strcmp(key, "rcode_name") == 0) {
        set_exists(&value, out);
    } else if (strcmp(key, "resolved") == 0) {
        out->says_exists = true;
        seen->resolved = is_text(&value, "true");
    } else if (strcmp(key, "endpoints") == 0) {
        unsigned long n = strtoul(s->value, NULL, 10);
        seen->endpoints = n < 123 ? (unsigned)n : 123;
    } else if (strcmp(key, "since") == 0) {
        int64_t since_s;
        if (sek_logtime_take(&p, log->now_s, &since_s))
            log->since_s = since_s;
    }
}

static int read_json(struct sek_querylog *log, char *line, struct sek_query_seen *out,
                     struct sek_diag *diag)
{
    struct sek_jsonscan s = {.at = line};
    struct members m = {.has_name = false};

    while (sek_jsonscan_next(&s))
        take_member(log, &s, &m, out);
    if (!m.has_name)
        return 0;
    if (!m.has_time)
        return (int)sek_diag_set(diag, SEK_E_INVALID, "has no time (ts or first)");
    if (m.has_last)
        out->format = SEK_QUERYLOG_EXPORT;
    if (!m.has_last || out->seen.last_s < out->seen.first_s)
        out->seen.last_s = out->seen.first_s;
    return set_query(&(struct word){m.name, strlen(m.name)}, out, diag);
}

/* --- names with a time -------------------------------------------------------------------------
 */

static int read_export(struct sek_querylog *log, char *line, struct sek_query_seen *out,
                       struct sek_diag *diag)
{
    (void)log;
    enum sek_err err = sek_sighting_from_text(line, &out->seen, diag);
    out->says_exists = true;
    return err ? (int)err : 1;
}

static int read_plain(struct sek_querylog *log, char *line, struct sek_query_seen *out,
                      struct sek_diag *diag)
{
    const char *p = line + strspn(line, BLANKS), *begin = p;
    int64_t time_s = log->default_s;
    struct word name;

    if (!*p)
        return 0;
    if (sek_logtime_take(&p, log->now_s, &time_s) && *p && strchr(BLANKS, *p)) {
        name = next_word(&p, BLANKS);
    } else {
        p = begin;
        time_s = log->default_s;
        name = next_word(&p, BLANKS);
        p += strspn(p, BLANKS);
        if (*p && !sek_logtime_take(&p, log->now_s, &time_s))
            return (int)sek_diag_set(diag, SEK_E_INVALID, "no time behind the name");
    }
    p += strspn(p, BLANKS);
    if (*p)
        return (int)sek_diag_set(diag, SEK_E_INVALID, "more than a name and a time");
    if (time_s <= 0)
        return (int)sek_diag_set(diag, SEK_E_INVALID, "no time, and --date gives none");
    set_time(out, time_s);
    return set_name(&name, out, diag);
}

/* --- which one it is ---------------------------------------------------------------------------
 */

/* Comments, and what the heads of Zeek's logs and of our export say. */
static void read_comment(struct sek_querylog *log, const char *line)
{
    const char *p = line + strlen(SEK_SIGHTING_SINCE);
    int64_t since_s;

    if (strncmp(line, "#fields\t", 8) == 0)
        zeek_head(log, line);
    else if (strncmp(line, "#close", 6) == 0)
        log->ts = -1;
    else if (strncmp(line, SEK_SIGHTING_SINCE, strlen(SEK_SIGHTING_SINCE)) == 0 &&
             sek_logtime_take(&p, log->now_s, &since_s))
        log->since_s = since_s;
}

static bool has_fields(const char *line, unsigned n)
{
    while (n > 1 && (line = strchr(line, '\t'))) {
        line++;
        n--;
    }
    return n <= 1;
}

static enum sek_querylog_format format_of(const struct sek_querylog *log, const char *line)
{
    if (*line == '{')
        return SEK_QUERYLOG_JSON;
    if (log->ts >= 0)
        return SEK_QUERYLOG_ZEEK;
    if (strstr(line, " unbound[") || strstr(line, " unbound: "))
        return SEK_QUERYLOG_UNBOUND;
    if (strstr(line, "dnsmasq[") || strstr(line, "dnsmasq: "))
        return SEK_QUERYLOG_DNSMASQ;
    if (strstr(line, "client ") && strstr(line, "#"))
        return SEK_QUERYLOG_BIND;
    return has_fields(line, 5) ? SEK_QUERYLOG_EXPORT : SEK_QUERYLOG_PLAIN;
}

int sek_querylog_line(struct sek_querylog *log, char *line, struct sek_query_seen *out,
                      struct sek_diag *diag)
{
    static int (*const readers[])(struct sek_querylog *, char *, struct sek_query_seen *,
                                  struct sek_diag *) = {
        [SEK_QUERYLOG_PLAIN] = read_plain,   [SEK_QUERYLOG_UNBOUND] = read_unbound,
        [SEK_QUERYLOG_BIND] = read_bind,     [SEK_QUERYLOG_DNSMASQ] = read_dnsmasq,
        [SEK_QUERYLOG_ZEEK] = read_zeek,     [SEK_QUERYLOG_JSON] = read_json,
        [SEK_QUERYLOG_EXPORT] = read_export,
    };

    if (*line == '#') {
        read_comment(log, line);
        return 0;
    }
    if (!*line)
        return 0;
    out->format = format_of(log, line);
    out->says_exists = false;
    out->seen.resolved = true;
    out->seen.endpoints = out->seen.n_addrs = 0;
    return readers[out->format](log, line, out, diag);
}
