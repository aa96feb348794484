/* SPDX-License-Identifier: BSD-3-Clause */
/* Logs of name servers and sensors, a line at a time: who asked for which name, when, and whether
 * it exists. Each line tells its own format, so files may be mixed (but behind lines of
 * Windows plain ones count as more of those):
 *   Unbound (log-queries, log-replies), BIND (category queries), dnsmasq and Pi-hole (log-queries),
 *   the debug log of Windows' DNS server (observe/windowslog.h),
 *   Zeek's dns.log as TSV (with its head) and JSON, our own export as TSV and JSON lines, and plain
 *   "name time" or "time name", with blanks, tabs, commas or semicolons between.
 * Lines of a log that are about something else are passed over, also Zeek's about multicast DNS,
 * LLMNR and NetBIOS (by their ports), which no resolver gets. No I/O, no clock. Any thread, one at
 * a time for an object. */
#pragma once
#include "base/lookup.h"
#include "observe/sighting.h"
#include "observe/windowslog.h"

enum sek_querylog_format {
    SEK_QUERYLOG_PLAIN = 1,
    SEK_QUERYLOG_UNBOUND,
    SEK_QUERYLOG_BIND,
    SEK_QUERYLOG_DNSMASQ,
    SEK_QUERYLOG_ZEEK,
    SEK_QUERYLOG_JSON,   /* Zeek's */
    SEK_QUERYLOG_EXPORT, /* ours, in either form */
    SEK_QUERYLOG_WINDOWS,
};
extern const struct sek_lookup sek_querylog_names[]; /* "plain" "unbound" … */

#define SEK_QUERYLOG_COLUMNS 64 /* of Zeek's TSV; what stands behind is not looked at */

struct sek_querylog {
    int64_t now_s;     /* for times without a year */
    int64_t default_s; /* of plain names without a time; 0: such a line is bad */
    int64_t since_s;   /* out: our export's history reaches back to; 0: nobody said so */
    bool zeek;         /* behind the head of a dns.log */
    struct sek_windowslog windows;
    uint8_t columns[SEK_QUERYLOG_COLUMNS]; /* what Zeek's columns hold */
};
/* All else zero. */
void sek_querylog_init(struct sek_querylog *log, int64_t now_s);

/* What a line is about. */
enum sek_query_part {
    SEK_QUERY_WHOLE,    /* a query, with what came of it where the log tells */
    SEK_QUERY_ASKED,    /* a query; another line may tell what came of it */
    SEK_QUERY_ANSWERED, /* what came of one that another line told of */
};

#define SEK_QUERYLOG_ADDRS 12

/* What one line tells. seen.domain is the name as it was asked for, not yet a registered domain.
 * The endpoint is seen.addrs[0], if the line tells it (seen.n_addrs). */
struct sek_query_seen {
    enum sek_querylog_format format;
    enum sek_query_part part;
    bool says_exists;       /* seen.resolved is known; else it is true */
    bool unanswered;        /* the log tells of answers, and of none to this query */
    int rcode;              /* RFC 1035 §4.1.1; -1: not told */
    uint16_t qtype;         /* 0: not told */
    uint16_t answer_octets; /* of answers that are no addresses, as text */
    uint32_t ttl_s;         /* the lowest; 0: not told */
    uint8_t n_answers;      /* of them addresses, as many as there is room for */
    int64_t time_ms;        /* first_s in milliseconds */
    struct sek_addr answers[SEK_QUERYLOG_ADDRS];
    struct sek_sighting seen; /* first_s and last_s are the same but in our export */
};

/* line: terminated, may be changed. 1: *out is set; 0: the line is about something else; NAME or
 * INVALID, with a text: it should tell something and does not. */
int sek_querylog_line(struct sek_querylog *log, char *line, struct sek_query_seen *out,
                      struct sek_diag *diag);
