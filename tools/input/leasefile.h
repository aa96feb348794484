/* SPDX-License-Identifier: BSD-3-Clause */
/* A file of leases or an inventory, read into memory before the database is locked: input may come
 * slowly. Some 100 octets a statement, at most 1 GiB. One thread. */
#pragma once
#include "tools/context.h"
#include "observe/leases.h"

struct sek_leasefile {
    const char *path;  /* borrowed; "-": standard input */
    const char *label; /* for messages */
    int64_t time_s;    /* when it was true */
    enum sek_lease_format format;
    uint64_t n_told, n_bad;
    struct sek_buf packed; /* the statements */
};

/* as: 0 = by content. time_s: 0 = when the file was changed last (standard input: now). Bad lines
 * are named on standard error. REFUSED when too many are, unless force. Call sek_leasefile_free in
 * any case. */
enum sek_err sek_leasefile_read(struct sek_context *c, const char *path, enum sek_lease_format as,
                                int64_t time_s, bool force, struct sek_leasefile *out);
void sek_leasefile_free(struct sek_leasefile *f);
/* In the file's order. */
enum sek_err sek_leasefile_each(const struct sek_leasefile *f, sek_lease_fn *fn, void *arg);
