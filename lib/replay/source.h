/* SPDX-License-Identifier: BSD-3-Clause */
/* Files of past DNS traffic, a query at a time, whatever their format: captures (pcap, pcapng),
 * dnstap, Zeek's dns.log, query logs of name servers (observe/querylog.h), tables with a head line.
 * Any of them may be compressed with gzip. The format is told by the content. Memory is bounded:
 * files may be larger than it. No clock. One thread at a time for an object. */
#pragma once
#include "event/event.h"

struct sek_source;

/* path: "-" is standard input. now_s: Unix time, for logs whose times have no year. NOTFOUND, IO,
 * INVALID (no format that we know), with a text. */
enum sek_err sek_source_open(const char *path, int64_t now_s, struct sek_source **out,
                             struct sek_diag *diag);
/* The next query that an endpoint asked, in the order of the file: as the module would record it
 * when no policy were there. outcome is PASSED, NXDOMAIN or FAILED; where the file does not tell
 * whether the name exists, it is taken to exist. A query and its response are one event, of the
 * query's time. 1: *out is set; 0: the end; an error with a text: this record cannot be read, the
 * next call goes on behind it (IO: only with the end of file). */
int sek_source_next(struct sek_source *s, struct sek_event *out, struct sek_diag *diag);
/* "pcap", "zeek" …: for messages. */
const char *sek_source_format(const struct sek_source *s);
/* How far reading has come, octets of the file as it is on disk; *out_size: of all, 0 if unknown. */
uint64_t sek_source_octets(const struct sek_source *s, uint64_t *out_size);
void sek_source_close(struct sek_source *s);
