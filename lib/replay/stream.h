/* SPDX-License-Identifier: BSD-3-Clause */
/* A file or standard input as octets, decompressed where it is gzip, a window of it in memory. One
 * thread at a time. */
#pragma once
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEK_STREAM_WINDOW (256 * 1024) /* octets; the longest line is one less */

struct sek_stream;

/* path: "-" is standard input. NOTFOUND, DENIED, IO, NOMEM with a text. */
enum sek_err sek_stream_open(const char *path, struct sek_stream **out, struct sek_diag *diag);
void sek_stream_close(struct sek_stream *in);
/* "standard input", or the path. */
const char *sek_stream_label(const struct sek_stream *in);
/* What comes next, without taking it; fewer octets only at the end. Returns their number, or IO. */
int sek_stream_peek(struct sek_stream *in, const uint8_t **out, struct sek_diag *diag);
/* Take n octets and no fewer. 1; 0: fewer are left (they are gone); IO. */
int sek_stream_read(struct sek_stream *in, void *out, size_t n, struct sek_diag *diag);
/* Take up to n octets. Their number, 0 at the end; IO. */
int sek_stream_some(struct sek_stream *in, void *out, size_t n, struct sek_diag *diag);
/* The next line, terminated, without its end, in the window until the next call; it may be changed.
 * The last one may lack its newline. 1; 0: the end; INVALID: it is too long or holds a NUL octet,
 * and is left out; IO. */
int sek_stream_line(struct sek_stream *in, char **out, struct sek_diag *diag);
uint64_t sek_stream_n_lines(const struct sek_stream *in);
/* Octets of the file as it is on disk that were read, and of all of it; 0 if unknown. */
uint64_t sek_stream_octets(const struct sek_stream *in, uint64_t *out_size);
