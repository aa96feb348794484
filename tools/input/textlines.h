/* SPDX-License-Identifier: BSD-3-Clause */
/* A text file line by line: plain or gzip, a path or "-" for standard input. Bad lines are named on
 * standard error and skipped. One thread. */
#pragma once
#include "base/err.h"
#include <stddef.h>
#include <stdint.h>

#define SEK_TEXTLINE_MAX 16384 /* octets; longer lines are bad lines */
#define SEK_TEXTLINE_SAID 20   /* bad lines that are named one by one; the rest is only counted */

/* One line without its end, of at most SEK_TEXTLINE_MAX octets, none of them NUL; it may be changed
 * in place. SEK_E_NAME and SEK_E_INVALID, with diag filled, say that the line is bad; other errors
 * end the reading. */
typedef enum sek_err sek_textline_fn(void *arg, char *line, struct sek_diag *diag);

/* Returns SEK_OK at the end of the file, the error of fn, or why the file cannot be read. *out_bad:
 * the number of bad lines; set in every case, and so far whenever fn is called. */
enum sek_err sek_textlines_read(const char *path, sek_textline_fn *fn, void *arg, uint64_t *out_bad,
                                struct sek_diag *diag);

/* The same file as pieces of any size, for who finds the lines himself. Errors of fn end the
 * reading and are returned as they are. */
typedef enum sek_err sek_textpiece_fn(void *arg, const char *data, size_t n, struct sek_diag *diag);
enum sek_err sek_textlines_pieces(const char *path, sek_textpiece_fn *fn, void *arg,
                                  struct sek_diag *diag);
