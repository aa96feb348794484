/* SPDX-License-Identifier: BSD-3-Clause */
/* events.db: what happened. Schema, and the one connection that writes and checkpoints it (SQLite before
 * 3.51.3 can damage a WAL database that two connections checkpoint). A damaged file is put aside as
 * "<path>.corrupt-<UTC>", never deleted, and a fresh one begun. One thread. */
#pragma once
#include "event/tally.h"
#include "policy/policy.h"

struct sek_eventsdb;

/* out_aside: "" or the path the damaged file was moved to. */
enum sek_err sek_eventsdb_open(const char *path, struct sek_eventsdb **out, char out_aside[512],
                               struct sek_diag *diag);
void sek_eventsdb_close(struct sek_eventsdb *db);

/* One transaction: everything drained from the tally, and the lists that hits name. On success the
 * tally's rows are set (the caller then calls sek_tally_drained); on failure nothing was stored and the
 * tally is as before. *out_rows: rows inserted or updated. SEK_E_CORRUPT: close and open again. */
enum sek_err sek_eventsdb_store(struct sek_eventsdb *db, struct sek_tally *t,
                                const struct sek_list *lists, unsigned n_lists, uint64_t *out_rows,
                                struct sek_diag *diag);
/* Delete what is older than oldest_s, and the oldest rows while the file is above max_octets; at most
 * `max_rows` rows a call. Then checkpoint. *out_more: there is more to do. */
enum sek_err sek_eventsdb_retain(struct sek_eventsdb *db, int64_t oldest_s, uint64_t max_octets,
                                 unsigned max_rows, bool *out_more, struct sek_diag *diag);
