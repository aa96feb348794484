/* SPDX-License-Identifier: BSD-3-Clause */
/* Which domains an endpoint asked for most lately: examples for evidence, not a count. Space-saving
 * (Metwally, Agrawal, El Abbadi, "Efficient computation of frequent and top-k elements", ICDT 2005)
 * with a few cells; what has no cell takes the least one's. Plain data for sek_places; zeroed is
 * empty. */
#pragma once
#include "base/buf.h"
#include "watch/places.h"

#define SEK_ASKED_NAMES 6
#define SEK_ASKED_OCTETS 59        /* longer names are no examples */
#define SEK_ASKED_LATELY_MS 900000 /* after such a pause it begins anew */

struct sek_asked {
    struct sek_place place;
    struct {
        uint32_t count;
        uint8_t len;
        uint8_t name[SEK_ASKED_OCTETS]; /* wire */
    } cells[SEK_ASKED_NAMES];
};

/* n times at this time. */
void sek_asked_add(struct sek_asked *a, const uint8_t *domain, size_t len, uint32_t n,
                   int64_t time_ms);
/* Can it be one? For what was read from a file. */
bool sek_asked_is_sound(const struct sek_asked *a);
/* Append a JSON array of names, the most asked for first. a may be NULL. */
void sek_asked_print(const struct sek_asked *a, struct sek_buf *json);
