/* SPDX-License-Identifier: BSD-3-Clause */
/* The debug log of Windows' DNS server (dns.log), a line at a time: a line a packet, and in its
 * long form ("details") lines about it behind, which are passed over. Names are written as labels
 * with their lengths: (3)www(7)example(0). Dates are as the server's region has them: 11/20/2026
 * 10:00:05 AM, 20.11.2026 10:00:05, 20/11/2026, 2026/11/20, 2026-11-20, 20261120; where day and
 * month could both be the first of two, lines before tell which, else AM and PM. No I/O, no clock.
 * Any thread, one at a time for an object. */
#pragma once
#include "base/addr.h"
#include "name/name.h"

struct sek_windowslog {          /* all zero at a file's begin */
    bool is_one;                 /* a line of it was seen: all others are of it, too */
    bool day_first, month_first; /* of dates with slashes: known from a line that can be read in one
                                    way only */
};

struct sek_windowslog_packet {
    int64_t time_s; /* by the server's clock on the wall, as if it were UTC */
    bool received, response;
    struct sek_addr peer; /* that sent it, or got it */
    struct sek_name name; /* of the question */
    char type[16];        /* "A" */
    char rcode[16];       /* "NOERROR" */
};

/* Is the line of such a log? Remembered in w. */
bool sek_windowslog_is(struct sek_windowslog *w, const char *line);
/* 1: *out; 0: about something else; INVALID, NAME: a packet that makes no sense, with a text. */
int sek_windowslog_line(struct sek_windowslog *w, const char *line,
                        struct sek_windowslog_packet *out, struct sek_diag *diag);
