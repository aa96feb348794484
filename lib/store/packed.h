/* SPDX-License-Identifier: BSD-3-Clause */
/* Text compressed while it is written, and read again piece by piece: gzip (RFC 1952), so that
 * `sqlite3 … writefile` and zcat show it to people. One thread. */
#pragma once
#include "base/buf.h"

struct sek_packed;
/* NOMEM. */
enum sek_err sek_packed_new(struct sek_packed **out);
void sek_packed_free(struct sek_packed *p);
void sek_packed_add(struct sek_packed *p, const void *data, size_t n);
/* All is in. The octets belong to p. NOMEM, LIMIT past 1 GiB. */
enum sek_err sek_packed_end(struct sek_packed *p, const void **out, size_t *out_n,
                            struct sek_diag *diag);

/* fn gets the text in pieces; any return but SEK_OK ends it and is returned. CORRUPT when it is
 * damaged or cut off. */
typedef enum sek_err sek_packed_fn(void *arg, const char *data, size_t n, struct sek_diag *diag);
enum sek_err sek_packed_read(const void *data, size_t n, sek_packed_fn *fn, void *arg,
                             struct sek_diag *diag);
