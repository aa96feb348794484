/* SPDX-License-Identifier: BSD-3-Clause */
/* How often the recorder's threads work: seldom, for the core may be the resolver's, but in time.
 * Pure functions. Any thread. */
#pragma once
#include <stdint.h>

/* Until the rings are looked at again, milliseconds. octets: what the fullest one of ring_octets
 * gave, which took passed_ms to come. Until some 128 KiB are there, which a processor still has at
 * hand, but no more than a quarter of the ring at this rate, and no longer than half of it would
 * last at the highest rate that we expect after a quiet time. */
int64_t sek_pace_sleep_ms(uint64_t ring_octets, uint64_t octets, int64_t passed_ms);
/* Between two commits, milliseconds, when the last one took store_ms. A row is updated at most once
 * a commit, so under load fewer commits cost less: then as few as let a kill lose no more than a
 * second. */
int64_t sek_pace_flush_ms(int64_t flush_ms, int64_t store_ms);
