/* SPDX-License-Identifier: BSD-3-Clause */
/* Can the system's clock be believed? Nothing is deleted by age by one that may be wrong: after a
 * start, and after a jump against the monotonic clock by more than an hour, it must go on for a
 * minute first. Plain data; reads no clock. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define SEK_TRUST_JUMP_MS 3600000LL
#define SEK_TRUST_AFTER_MS 60000

struct sek_trust {
    int64_t from_ms;   /* monotonic: believed from then on */
    int64_t offset_ms; /* of the real clock over the monotonic one, when last looked at */
};

/* Both in milliseconds: of the real clock and of the monotonic one. */
void sek_trust_init(struct sek_trust *t, int64_t real_ms, int64_t mono_ms);
/* The real time in seconds, or 0: not believed. *out_jumped: it jumped since the last call. */
int64_t sek_trust_now_s(struct sek_trust *t, int64_t real_ms, int64_t mono_ms, bool *out_jumped);
