/* SPDX-License-Identifier: BSD-3-Clause */
/* Dynamic blocks: registered domains that findings suspect, each blocked with all below it until a
 * time of its own. A set is immutable once made: any thread may ask. */
#pragma once
#include "name/name.h"

#define SEK_DYNAMIC_MAX 4096 /* rows; of more the ones that end last stay */
#define SEK_DYNAMIC_BY 16    /* octets of a detector's name, with terminator */

struct sek_dynamic_row {
    int64_t until_s; /* Unix time it ends */
    char by[SEK_DYNAMIC_BY];
    uint8_t len;
    uint8_t domain[SEK_NAME_MAX]; /* wire, lower case */
};

/* by: cut off when too long. */
void sek_dynamic_row_set(struct sek_dynamic_row *row, const struct sek_name *domain, const char *by,
                         int64_t until_s);

struct sek_dynamic;

/* rows: copied; of two with one domain the later end counts. n 0 gives NULL in *out. NOMEM. */
enum sek_err sek_dynamic_new(const struct sek_dynamic_row *rows, unsigned n,
                             struct sek_dynamic **out);
void sek_dynamic_free(struct sek_dynamic *d);
/* All rows, by domain. d may be NULL. */
const struct sek_dynamic_row *sek_dynamic_rows(const struct sek_dynamic *d, unsigned *out_n);
/* The row that covers the name at now_s, or NULL; *out_depth: labels of the name below it. Some ns
 * unless a row looks alike; then a binary search a label. */
const struct sek_dynamic_row *sek_dynamic_find(const struct sek_dynamic *d,
                                               const struct sek_name *name, int64_t now_s,
                                               unsigned *out_depth);
