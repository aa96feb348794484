/* SPDX-License-Identifier: BSD-3-Clause */
/* Bounded ring of events between one worker (producer) and the collector (consumer); lock-free, C11
 * atomics. Records take only the octets they use. Full: push drops the event and counts it; it
 * never waits. */
#pragma once
#include "event/event.h"

struct sek_ring;

/* octets: capacity; rounded up to a power of two, at least 64 KiB. */
enum sek_err sek_ring_new(size_t octets, struct sek_ring **out);
void sek_ring_free(struct sek_ring *r);
/* Producer only. size must be set (a size that no event can have is dropped, too). False: dropped.
 */
bool sek_ring_push(struct sek_ring *r, const struct sek_event *e);
/* Consumer only: the oldest events, at most `max`, borrowed until sek_ring_pop, which gives back
 * all that the last peek returned. Returns how many; 0 when empty. */
unsigned sek_ring_peek(struct sek_ring *r, const struct sek_event **out, unsigned max);
void sek_ring_pop(struct sek_ring *r);
/* Events dropped since creation. Any thread. */
uint64_t sek_ring_dropped(const struct sek_ring *r);
