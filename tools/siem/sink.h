/* SPDX-License-Identifier: BSD-3-Clause */
/* Where events go: standard output, a file that somebody rotates, or a syslog receiver. One thread.
 */
#pragma once
#include "base/buf.h"
#include "cursor.h"

struct sek_sink;

enum sek_err sek_sink_stdout(struct sek_sink **out, struct sek_diag *diag);
/* Appends; makes it (0640) if it is not there. Nothing but a regular file. BUSY: somebody else
 * appends to it. was: how far an earlier run wrote. What it wrote beyond is cut off, also where the
 * file was renamed within its folder since: it comes again. A file that was cut to nothing and
 * filled again is not touched. */
enum sek_err sek_sink_file(const char *path, const struct sek_cursor_output *was,
                           struct sek_sink **out, struct sek_diag *diag);
/* "/dev/log": a socket of this machine, datagrams, else a stream. "host:514", "[2001:db8::1]:514":
 * TCP, messages with their length in front (RFC 6587 §3.4.1). "udp:host:514": RFC 5426. Connects
 * with the first write. INVALID. */
enum sek_err sek_sink_syslog(const char *where, struct sek_sink **out, struct sek_diag *diag);
void sek_sink_close(struct sek_sink *s);
/* Nobody reads standard output any more: that is no trouble, but the end. */
bool sek_sink_ended(const struct sek_sink *s);

/* Before a write: follow a file that was rotated. *out_mark: how far it is written now, to be kept
 * before the write if it differs from what is kept; not known for other sinks. */
enum sek_err sek_sink_ready(struct sek_sink *s, struct sek_cursor_output *out_mark,
                            struct sek_diag *diag);
/* All lines, or an error, after which the same lines may be written again: a file holds nothing of
 * them then, others may. A file has them on its disk when it returns SEK_OK, *out_mark is behind *
 * them. */
enum sek_err sek_sink_write(struct sek_sink *s, const char *lines, size_t len,
                            struct sek_cursor_output *out_mark, struct sek_diag *diag);
