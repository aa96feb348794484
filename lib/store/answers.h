/* SPDX-License-Identifier: BSD-3-Clause */
/* The memory of answers, on its way from the collector to events.db: which addresses DNS gave for
 * which registered domain on which day (UTC) with which life times, and which name servers it has.
 * Each is written down once a day, and when its life times reach further; what was written lately
 * is known by 64-bit keyed hashes, and what was forgotten of it is offered to the database again,
 * which knows. A bounded queue: what finds no room is counted as lost, and offered again at the
 * next such answer. One producer, one consumer, each on a thread of its own. */
#pragma once
#include "event/tally.h"
#include "store/eventsdb.h"

#define SEK_ANSWERS_MAX 4096    /* that may wait: 800 new ones a second */
#define SEK_ANSWERS_KNOWN 65536 /* hashes kept: 1 MiB */

struct sek_answers;

enum sek_err sek_answers_new(struct sek_answers **out);
/* NULL is fine, here and below: then nothing is kept. */
void sek_answers_free(struct sek_answers *a);
/* The addresses of events and the name servers of their zones, with what counting found out about
 * them; one whose row had no room counts as lost there. */
unsigned sek_answers_note_all(struct sek_answers *a, const struct sek_event *const *events,
                              const struct sek_tally_note *notes, unsigned n);
/* Write all that waits, in one transaction; nothing is lost when it fails. Consumer. */
enum sek_err sek_answers_store(struct sek_answers *a, struct sek_eventsdb *db,
                               struct sek_diag *diag);
/* The database is another one now, and knows nothing. Consumer. */
void sek_answers_forget(struct sek_answers *a);
/* Any thread. */
unsigned sek_answers_waiting(struct sek_answers *a);
