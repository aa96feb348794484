/* SPDX-License-Identifier: BSD-3-Clause */
/* Logs read by a map, or by the first of the installed ones that fits. Bad lines are named on
 * standard error and skipped. One thread, one file at a time. */
#pragma once
#include "tools/input/logmap.h"

struct sek_logfiles;

/* Installed maps, in the order in which they are tried. */
#define SEK_LOGFILES_MAPS                                                                          \
    "zeek-conn, iptables, iptables-journal, fortigate, cisco-asa, edr-network, windows-dns, "      \
    "windows-dns-debug, suricata, "                                                                \
    "squid, squid-combined, firewall-json, csv"

/* map: a file, or the name of an installed one; NULL: to be found out. zone: counts more than the
 * map's; NULL: none. now_s: for times without a year. */
enum sek_err sek_logfiles_open(const char *map, const struct sek_zone_changes *zone, int64_t now_s,
                               struct sek_logfiles **out, struct sek_diag *diag);
void sek_logfiles_close(struct sek_logfiles *f);

typedef enum sek_err sek_logfiles_fn(void *arg, struct sek_log_line *line, struct sek_diag *diag);
/* path: gzip or not, "-" for standard input. INVALID where not a single line could be read, after
 * what the first ones lack was said. An error of fn ends the reading. *io_lines counts lines that
 * were handed out, *io_else those about something else by the map. */
enum sek_err sek_logfiles_read(struct sek_logfiles *f, const char *path, sek_logfiles_fn *fn,
                               void *arg, uint64_t *io_lines, uint64_t *io_else,
                               struct sek_diag *diag);
