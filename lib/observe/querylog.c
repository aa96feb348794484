/* SPDX-License-Identifier: BSD-3-Clause */
#include "observe/querylog.h"
#include "observe/logtime.h"
#include "observe/querylog_parts.h"
#include <string.h>
#include "base/banned.h"

#define BLANKS " \t,;"

const struct sek_lookup sek_querylog_names[] = {
    {SEK_QUERYLOG_PLAIN, "plain"},
    {SEK_QUERYLOG_UNBOUND, "unbound"},
    {SEK_QUERYLOG_BIND, "bind"},
    {SEK_QUERYLOG_DNSMASQ, "dnsmasq"},
    {SEK_QUERYLOG_ZEEK, "zeek"},
    {SEK_QUERYLOG_JSON, "json"},
    {SEK_QUERYLOG_EXPORT, "export"},
    {SEK_QUERYLOG_WINDOWS, "windows-dns"},
    {0, NULL},
};

void sek_querylog_init(struct sek_querylog *log, int64_t now_s)
{
    *log = (struct sek_querylog){.now_s = now_s};
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
    struct sek_word client = sek__line_next_word(&p, " "), name = sek__line_next_word(&p, " ");
    struct sek_word type = sek__line_next_word(&p, " "), class = sek__line_next_word(&p, " "),
                    rcode = sek__line_next_word(&p, " ");
    if (!sek__line_set_endpoint(&client, out) || !sek__line_is_text(&class, "IN") || type.len == 0)
        return 0;
    if (!sek__line_begin_time(log, line, out))
        return sek__line_no_time(diag);
    out->part = rcode.len ? SEK_QUERY_ANSWERED : SEK_QUERY_ASKED;
    sek__line_set_type(&type, out);
    sek__line_set_exists(&rcode, out);
    return sek__line_set_query(&name, out, diag);
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
    struct sek_word who = sek__line_next_word(&client, " "), name = sek__line_next_word(&p, " ");
    struct sek_word class = sek__line_next_word(&p, " "), type = sek__line_next_word(&p, " ");
    if (who.len && who.at[0] == '@')
        who = sek__line_next_word(&client, " ");
    if (!sek__line_is_text(&class, "IN") || !sek__line_set_endpoint(&who, out))
        return 0;
    if (!sek__line_begin_time(log, line, out))
        return sek__line_no_time(diag);
    sek__line_set_type(&type, out);
    return sek__line_set_query(&name, out, diag);
}

/* Nov 27 13:00:00 dnsmasq[12]: query[A] www.example from 192.0.2.1
 * with log-queries=extra "12 192.0.2.1/53 " stands before it; what came of it says
 * "reply www.example is NXDOMAIN", or "cached" for "reply" */
static int read_dnsmasq(struct sek_querylog *log, char *line, struct sek_query_seen *out,
                        struct sek_diag *diag)
{
    const char *p = strstr(line, "dnsmasq");
    struct sek_word verb = {p, 0}, from, who;

    p += strcspn(p, " ");
    for (int i = 0; i < 3; i++) {
        verb = sek__line_next_word(&p, " ");
        if (verb.len == 0 || verb.at[0] < '0' || verb.at[0] > '9')
            break;
    }
    struct sek_word name = sek__line_next_word(&p, " ");
    from = sek__line_next_word(&p, " ");
    who = sek__line_next_word(&p, " ");
    if (verb.len > 6 && memcmp(verb.at, "query[", 6) == 0) {
        if (!sek__line_is_text(&from, "from") || !sek__line_set_endpoint(&who, out))
            return 0;
        out->part = SEK_QUERY_ASKED;
        sek__line_set_type(
            &(struct sek_word){verb.at + 6, verb.len - 6 - (verb.at[verb.len - 1] == ']')}, out);
    } else if ((sek__line_is_text(&verb, "reply") || sek__line_is_text(&verb, "cached")) &&
               sek__line_is_text(&from, "is")) {
        out->says_exists = true;
        out->part = SEK_QUERY_ANSWERED;
        out->rcode = sek__line_is_text(&who, "NXDOMAIN") ? 3 : 0;
        out->seen.resolved = out->rcode == 0;
        if (who.len && who.at[0] != '<' && who.at[0] != 'N')
            sek__line_add_answer(&who, out);
    } else {
        return 0;
    }
    if (!sek__line_begin_time(log, line, out))
        return sek__line_no_time(diag);
    return sek__line_set_query(&name, out, diag);
}

/* 11/20/2026 10:00:05 AM 0E5C PACKET  000001F2 UDP Rcv 192.0.2.1 a1b2   Q [0001 D NOERROR] A
 * (3)www(0) what it asks of others is not asked by anybody */
static int read_windows(struct sek_querylog *log, char *line, struct sek_query_seen *out,
                        struct sek_diag *diag)
{
    struct sek_windowslog_packet packet;
    int got = sek_windowslog_line(&log->windows, line, &packet, diag);

    if (got != 1 || packet.received == packet.response)
        return got < 0 ? got : 0;
    out->part = packet.response ? SEK_QUERY_ANSWERED : SEK_QUERY_ASKED;
    out->seen.addrs[0] = packet.peer;
    out->seen.n_addrs = out->seen.endpoints = 1;
    out->seen.domain = packet.name;
    sek__line_set_type(&(struct sek_word){packet.type, strlen(packet.type)}, out);
    if (packet.response)
        sek__line_set_exists(&(struct sek_word){packet.rcode, strlen(packet.rcode)}, out);
    sek__line_set_time(out, packet.time_s * 1000);
    return 1;
}

/* --- names with a time -------------------------------------------------------------------------
 */

static int read_export(struct sek_querylog *log, char *line, struct sek_query_seen *out,
                       struct sek_diag *diag)
{
    (void)log;
    enum sek_err err = sek_sighting_from_text(line, &out->seen, diag);
    if (err)
        return (int)err;
    out->says_exists = true;
    out->time_ms = out->seen.first_s * 1000;
    return 1;
}

static int read_plain(struct sek_querylog *log, char *line, struct sek_query_seen *out,
                      struct sek_diag *diag)
{
    const char *p = line + strspn(line, BLANKS), *begin = p;
    int64_t time_ms = log->default_s * 1000;
    struct sek_word name;

    if (!*p)
        return 0;
    if (sek_logtime_take_ms(&p, log->now_s, &time_ms) && *p && strchr(BLANKS, *p)) {
        name = sek__line_next_word(&p, BLANKS);
    } else {
        p = begin;
        time_ms = log->default_s * 1000;
        name = sek__line_next_word(&p, BLANKS);
        p += strspn(p, BLANKS);
        if (*p && !sek_logtime_take_ms(&p, log->now_s, &time_ms))
            return (int)sek_diag_set(diag, SEK_E_INVALID, "no time behind the name");
    }
    p += strspn(p, BLANKS);
    if (*p)
        return (int)sek_diag_set(diag, SEK_E_INVALID, "more than a name and a time");
    if (time_ms <= 0)
        return (int)sek_diag_set(diag, SEK_E_INVALID, "no time, and --date gives none");
    sek__line_set_time(out, time_ms);
    return sek__line_set_name(&name, out, diag);
}

/* --- which one it is ---------------------------------------------------------------------------
 */

/* Comments, and what the heads of Zeek's logs and of our export say. */
static void read_comment(struct sek_querylog *log, const char *line)
{
    const char *p = line + strlen(SEK_SIGHTING_SINCE);
    int64_t since_s;

    if (strncmp(line, "#fields\t", 8) == 0)
        sek__zeek_head(log, line);
    else if (strncmp(line, "#close", 6) == 0)
        log->zeek = false;
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

static enum sek_querylog_format format_of(struct sek_querylog *log, const char *line)
{
    if (*line == '{')
        return SEK_QUERYLOG_JSON;
    if (log->zeek)
        return SEK_QUERYLOG_ZEEK;
    if (strstr(line, " unbound[") || strstr(line, " unbound: "))
        return SEK_QUERYLOG_UNBOUND;
    if (strstr(line, "dnsmasq[") || strstr(line, "dnsmasq: "))
        return SEK_QUERYLOG_DNSMASQ;
    if (strstr(line, "client ") && strstr(line, "#"))
        return SEK_QUERYLOG_BIND;
    if (has_fields(line, 5))
        return SEK_QUERYLOG_EXPORT;
    return sek_windowslog_is(&log->windows, line) ? SEK_QUERYLOG_WINDOWS : SEK_QUERYLOG_PLAIN;
}

int sek_querylog_line(struct sek_querylog *log, char *line, struct sek_query_seen *out,
                      struct sek_diag *diag)
{
    static int (*const readers[])(struct sek_querylog *, char *, struct sek_query_seen *,
                                  struct sek_diag *) = {
        [SEK_QUERYLOG_PLAIN] = read_plain,    [SEK_QUERYLOG_UNBOUND] = read_unbound,
        [SEK_QUERYLOG_BIND] = read_bind,      [SEK_QUERYLOG_DNSMASQ] = read_dnsmasq,
        [SEK_QUERYLOG_ZEEK] = sek__zeek_read, [SEK_QUERYLOG_JSON] = sek__json_read,
        [SEK_QUERYLOG_EXPORT] = read_export,  [SEK_QUERYLOG_WINDOWS] = read_windows,
    };

    if (*line == '#') {
        read_comment(log, line);
        return 0;
    }
    if (!*line)
        return 0;
    out->format = format_of(log, line);
    out->part = SEK_QUERY_WHOLE;
    out->says_exists = out->unanswered = false;
    out->rcode = -1;
    out->qtype = out->answer_octets = 0;
    out->ttl_s = 0;
    out->n_answers = 0;
    out->time_ms = 0;
    out->seen.resolved = true;
    out->seen.endpoints = out->seen.n_addrs = 0;
    return readers[out->format](log, line, out, diag);
}
