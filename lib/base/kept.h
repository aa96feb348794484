/* SPDX-License-Identifier: BSD-3-Clause */
/* What outlives a restart of the process: tables of things of one size, side by side in memory,
 * that are written to a file and read from it by another process with the same keys and layout
 * (watch/memory.h). The owner of a table says where it is, and takes things in again; he trusts
 * none of their octets. Plain data; the owner's thread. */
#pragma once
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SEK_KEPT_STRIDE_MAX 4096 /* octets of a thing */
#define SEK_KEPT_AHEAD_MS                                                                          \
    86400000LL /* times so far in the future are those of a clock set back                         \
                */

/* Nobody looked in between: Unix time. `to` may lie before `from`: then the clock was set back. */
struct sek_lapse {
    int64_t from_ms, to_ms;
};

struct sek_kept {
    uint32_t layout;      /* from 1 on; raised when the octets of a thing get another meaning */
    const void *things;   /* n of them; one of zeros only is none */
    const uint64_t *tags; /* of each, 0: it is none, and need not be looked at; NULL: not known */
    size_t stride, n;     /* stride: at most SEK_KEPT_STRIDE_MAX */
    /* Take a copy of a thing from a file in, aligned for any type; it may be changed. False: its
     * octets cannot be right, or it is too old to matter. */
    bool (*take)(void *owner, void *thing, const struct sek_lapse *lapse);
};

/* Is it a time, and none of the far future? 0 is. */
static inline bool sek_kept_time(int64_t ms, const struct sek_lapse *lapse)
{
    return ms >= 0 && ms <= INT64_MAX / 4 && ms - SEK_KEPT_AHEAD_MS <= lapse->to_ms;
}

/* Is it a bool? Another octet must not be read as one. */
static inline bool sek_kept_flag(const bool *flag)
{
    uint8_t octet;
    memcpy(&octet, flag, 1);
    return octet <= 1;
}

/* Is it a number, of a size that sums of ours have? */
static inline bool sek_kept_number(float x)
{
    return isfinite(x) && x >= -1e15f && x <= 1e15f;
}

/* The same of a count or a sum of times. */
static inline bool sek_kept_count(uint64_t n)
{
    return n <= (uint64_t)1 << 53;
}
