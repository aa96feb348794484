/* SPDX-License-Identifier: BSD-3-Clause */
/* Who asked first for a registered domain, on the way from the observer to events.db. A bounded
 * queue: what finds no room, because many domains are new at once or the database is slow, is
 * counted and not written down. One producer, one consumer, each on a thread of its own. */
#pragma once
#include "event/event.h"
#include "store/eventsdb.h"

#define SEK_FIRSTS_MAX 8192 /* that may wait: 1,600 a second; 5 MiB, touched when used */

struct sek_firsts;

enum sek_err sek_firsts_new(struct sek_firsts **out);
void sek_firsts_free(struct sek_firsts *f);
/* What is written down of an event that has a registered domain. */
void sek_first_from_event(const struct sek_event *e, struct sek_first *out);
/* Copy what is needed of an event that has a registered domain (domain_labels). Waits for no disk.
 * False: there is no room. Producer. */
bool sek_firsts_push(struct sek_firsts *f, const struct sek_event *e);
/* Write all that waits, in one transaction; nothing is lost when it fails. A domain that is there
 * already keeps its row. Consumer. */
enum sek_err sek_firsts_store(struct sek_firsts *f, struct sek_eventsdb *db, struct sek_diag *diag);
/* Any thread. */
unsigned sek_firsts_waiting(struct sek_firsts *f);
