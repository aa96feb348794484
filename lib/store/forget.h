/* SPDX-License-Identifier: BSD-3-Clause */
/* Endpoints that events.db is to know nothing of any more: their hits, traffic and findings go; of
 * a domain that one asked first for, and of an answer that it got first, "::" stands in its place;
 * so it does in the evidence of others' findings. What is deleted is overwritten on disk. Queries
 * that come afterwards are recorded as any. Only the writer may change events.db: while a resolver
 * runs, `sekisho forget` puts a file of addresses beside it, "<events.db>.forget", by link(2), and
 * the writer does it in slices, after what waited in memory then was stored, and removes the file.
 * Writer's thread. */
#pragma once
#include "store/eventsdb.h"

#define SEK_FORGET_PATH_MAX (SEK_ASIDE_MAX + 8)
/* "<events.db>.forget". Returns out. */
const char *sek_forget_path(const char *db, char out[SEK_FORGET_PATH_MAX]);

/* About max_rows rows of an endpoint, in a transaction of its own. *out_more: there are more.
 * *io_rows is raised by what was deleted or changed. */
enum sek_err sek_eventsdb_forget(struct sek_eventsdb *db, const struct sek_addr *endpoint,
                                 unsigned max_rows, bool *out_more, uint64_t *io_rows,
                                 struct sek_diag *diag);

struct sek_forget {
    int64_t next_ms;  /* monotonic: the next look */
    int64_t begin_ms; /* of the file that is there: the work begins then; 0: there is none */
};
/* A look for a file once a second, or a slice of work. path: of events.db. */
void sek_forget_step(struct sek_forget *f, struct sek_eventsdb *db, const char *path,
                     int64_t now_ms);
