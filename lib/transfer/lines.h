/* SPDX-License-Identifier: BSD-3-Clause */
/* A zone as a set of text lines, one record each, sorted by octets: what two of them share is the
 * same line in both, so the deltas of an incremental transfer (RFC 1995 §4) are lines that go and
 * lines that come. A line ends in a newline and holds none. One thread. */
#pragma once
#include "base/buf.h"

struct sek_lines {
    struct sek_buf text; /* as added */
    struct sek_buf rows; /* where each line lies, and its sign */
};

/* cap: most octets of text; 0 = 1 GiB. */
void sek_lines_init(struct sek_lines *l, size_t cap);
void sek_lines_fini(struct sek_lines *l);
size_t sek_lines_n(const struct sek_lines *l);
/* Append one line (its newline is put behind). added: false for a line that goes. LIMIT past the
 * cap. */
enum sek_err sek_lines_add(struct sek_lines *l, const char *line, size_t len, bool added,
                           struct sek_diag *diag);
/* All lines sorted, each once, into out. */
enum sek_err sek_lines_sorted(struct sek_lines *l, struct sek_buf *out, struct sek_diag *diag);

struct sek_lines_change {
    uint64_t n_added, n_removed; /* what differs in the end */
};
/* `old` (sorted, each line once) with the lines of `change` taken in the order in which they were
 * added. CORRUPT if one comes that is there already, or goes that is not: then these are not the
 * deltas of this zone. */
enum sek_err sek_lines_apply(const char *old, size_t old_len, struct sek_lines *change,
                             struct sek_buf *out, struct sek_lines_change *out_change,
                             struct sek_diag *diag);
/* Counts what is only in `fresh` and only in `old`, both sorted. */
void sek_lines_compare(const char *old, size_t old_len, const char *fresh, size_t fresh_len,
                       struct sek_lines_change *out);
