/* SPDX-License-Identifier: BSD-3-Clause */
/* How often each domain was asked for, and the lowest TTL of its answers: summed up in bounded
 * memory until it is added to the rows of events.db that say who asked first. A busy site asks for
 * thousands of domains a minute, each row lies in a page of its own, and a page written costs 4 KiB
 * of the log: so few are written at once, many once a minute. A kill loses that minute's counts.
 * Domains without such a row (imported ones, those that never resolved) are left out.
 *
 * One thread: the writer's. */
#pragma once
#include "event/tally.h"
#include "store/eventsdb.h"

#define SEK_USAGE_MAX 8192 /* domains that wait; then they are written: 2.3 MiB */
#define SEK_USAGE_FEW 256  /* so many are written at once … */
#define SEK_USAGE_MS 60000 /* … more after this */

struct sek_usage;

enum sek_err sek_usage_new(struct sek_usage **out);
void sek_usage_free(struct sek_usage *u); /* NULL is fine */
/* Count a batch's traffic; writes when there is no room for more. What cannot be written then is
 * not counted. */
void sek_usage_add(struct sek_usage *u, struct sek_eventsdb *db,
                   const struct sek_tally_batch *batch);
/* Write what waits if it is time; now_ms: any clock that only goes forward. `all`: now. A domain
 * that has no row waits for one more round: the row may be on its way. Nothing is lost when it
 * fails. */
enum sek_err sek_usage_store(struct sek_usage *u, struct sek_eventsdb *db, int64_t now_ms, bool all,
                             struct sek_diag *diag);
