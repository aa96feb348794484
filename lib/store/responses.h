/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses of tracked names on their way from the observer to events.db. A bounded queue: what
 * finds no room, because many come at once or the database is slow, is counted and not written
 * down; after a restart such an address is new again. One producer, one consumer, each on a thread
 * of its own. */
#pragma once
#include "store/eventsdb.h"

#define SEK_RESPONSES_MAX 4096 /* that may wait: 800 a second; 2.7 MiB, touched when used */

struct sek_responses;

enum sek_err sek_responses_new(struct sek_responses **out);
void sek_responses_free(struct sek_responses *r);
/* Copied. Waits for no disk. False: there is no room. Producer. */
bool sek_responses_push(struct sek_responses *r, const struct sek_response *one);
/* Write all that waits, in one transaction; nothing is lost when it fails. Consumer. */
enum sek_err sek_responses_store(struct sek_responses *r, struct sek_eventsdb *db,
                                 struct sek_diag *diag);
/* Any thread. */
unsigned sek_responses_waiting(struct sek_responses *r);
