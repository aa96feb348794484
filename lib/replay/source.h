/* SPDX-License-Identifier: BSD-3-Clause */
/* Files of past DNS traffic, a query at a time, whatever their format:
 *   pcap, pcapng  what goes to and comes from port 53 over UDP and TCP (replay/packet.h: which
 * links) dnstap        Frame Streams; queries of clients (replay/dnstap.c) zeek, json    Zeek's
 * dns.log as TSV and JSON lines unbound, bind, dnsmasq, plain   query logs of name servers
 * (observe/querylog.h) table         packets as rows below a head line that names the columns,
 * tab-separated, as `tshark -T fields -E header=y` writes them (replay/columns.c: which names) Any
 * of them may be compressed with gzip. The format is told by the content. Memory is bounded: files
 * may be larger than it. No clock. One thread at a time for an object.
 *
 * Where queries and responses are records of their own they are paired (replay/pairs.h) and come in
 * the order of the queries, which wait for their responses up to 5 s of the file's time. A query
 * without a response has FAILED; a response without a query, as where a capture begins in between,
 * is an event of its own time. A query sent again is the same one while it waits. Other logs come
 * in the order of their lines, which need not be that of time (Zeek writes when an exchange is
 * over). */
#pragma once
#include "event/event.h"
#include "observe/querylog.h"

struct sek_source;

/* path: "-" is standard input. now_s: Unix time, for logs whose times have no year. NOTFOUND, IO,
 * INVALID (no format that we know), with a text. */
enum sek_err sek_source_open(const char *path, int64_t now_s, struct sek_source **out,
                             struct sek_diag *diag);
/* The next query that an endpoint asked, in the order of the file: as the module would record it
 * when no policy were there. endpoint is all zero, qtype 0, where the file does not tell. outcome
 * is PASSED, NXDOMAIN or FAILED; where the file does not tell whether the name exists, it is taken
 * to exist. A query and its response are one event, of the query's time. 1: *out is set; 0: the
 * end; an error with a text: this record cannot be read, the next call goes on behind it (IO: only
 * with the end of file). */
int sek_source_next(struct sek_source *s, struct sek_event *out, struct sek_diag *diag);
/* The same for those who want what each record tells of a domain, and no pairs: of a log each line
 * that tells something, with all that only a line of text can tell (observe/querylog.h); of other
 * formats the events. Either of the two for an object, not both. */
int sek_source_seen(struct sek_source *s, struct sek_query_seen *out, struct sek_diag *diag);
/* How a log is read, to be changed before the first line; NULL: it is none. */
struct sek_querylog *sek_source_querylog(struct sek_source *s);
/* "pcap", "zeek" …: for messages. */
const char *sek_source_format(const struct sek_source *s);
/* How far reading has come, octets of the file as it is on disk; *out_size: of all, 0 if unknown.
 */
uint64_t sek_source_octets(const struct sek_source *s, uint64_t *out_size);
void sek_source_close(struct sek_source *s);
