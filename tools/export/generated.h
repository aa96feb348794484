/* SPDX-License-Identifier: BSD-3-Clause */
/* A file of generated text that is replaced only when its text changes: written beside and renamed,
 * so that who reads it finds the old or the new one. A zone file's serial grows exactly then
 * (RFC 1982), which is what a primary makes the deltas of its zone transfers from. One thread. */
#pragma once
#include "base/buf.h"
#include <stdint.h>
#include <stdio.h>

/* Where the text is collected that goes behind the head: unlinked, on disk. path: of the file to
 * be, in whose folder there will be room; NULL: in $TMPDIR. NULL: errno says why. */
FILE *sek_generated_spool(const char *path);

/* What stands in front of the text. */
struct sek_generated_head {
    const char *mark;   /* stands in its first line: how an older version of the file is known */
    const char *before; /* up to the serial, which must be alone in its line but for blanks */
    const char *after;  /* behind it; NULL: a file without a serial, of `before` alone */
};

/* The serial after `last`: the time, or, when that is not greater (RFC 1982 §3.2), last + 1. Never
 * 0. now_s: Unix time. */
uint32_t sek_serial_next(uint32_t last, int64_t now_s);

/* Head and spooled text to the file, or to standard output (path NULL: the serial is the time).
 * *out_changed: false when the file had them already; then it is not touched. *out_serial: of the
 * file. EXISTS: the file is there, not empty, and without the mark: it is somebody else's. */
enum sek_err sek_generated_end(FILE *spool, const struct sek_generated_head *head, const char *path,
                               int64_t now_s, bool *out_changed, uint32_t *out_serial,
                               struct sek_diag *diag);
