/* SPDX-License-Identifier: BSD-3-Clause */
/* How much new information names carry below a domain, over a minute, an hour and a day, in
 * constant memory (after Ozery, Nadler and Shabtai, arXiv 2307.02614): each distinct name counts
 * once, with the octets of its labels left of the domain, weighted by min(1, H/5), H being their
 * Shannon entropy in bits: random text of five bits an octet (base32) counts in full, "www" little.
 * Distinct is what a sketch of the last 256 to 512 names has not seen. Plain data of the owner;
 * zeroed is empty. */
#pragma once
#include "name/name.h"
#include "base/kept.h"
#include "base/sketch.h"
#include <stddef.h>

#define SEK_PAYLOAD_NAMES 256
#define SEK_PAYLOAD_ENTROPY 5.0f /* bits: from it on octets count in full */

enum sek_span { SEK_SPAN_MINUTE, SEK_SPAN_HOUR, SEK_SPAN_DAY, SEK_N_SPANS };
extern const int64_t sek_span_ms[SEK_N_SPANS];

/* A sliding window in steps of a sixth: the present step, the five before it, and of the one before
 * those the share that is not over yet. */
#define SEK_WINDOW_STEPS 6
struct sek_window {
    int64_t index; /* of the present step */
    float step[SEK_WINDOW_STEPS + 1];
};
/* Add to it and return its sum. Time that goes backwards counts as none. */
float sek_window_add(struct sek_window *w, int64_t span_ms, int64_t time_ms, float amount);

struct sek_payload {
    uint64_t n_asked;         /* all questions with labels left of the domain */
    uint64_t n_names, octets; /* distinct ones; their octets without weight */
    float sum[SEK_N_SPANS];   /* as of the latest */
    struct sek_window window[SEK_N_SPANS];
    uint8_t alphabet[32]; /* a bit for each octet that came */
    struct sek_sketch sketch;
    uint8_t bits[SEK_SKETCH_OCTETS(SEK_PAYLOAD_NAMES)];
};

/* Octets left of the domain, without the lengths of labels, and what they weigh. */
unsigned sek_payload_octets(const struct sek_name *name, unsigned domain_labels, float *out_weight);
/* Add a question's name; hash: keyed, of what must differ to count. False: it was known. */
bool sek_payload_add(struct sek_payload *p, const struct sek_name *name, unsigned domain_labels,
                     uint64_t hash, int64_t time_ms);
/* The latest question carries so much more. */
void sek_payload_more(struct sek_payload *p, int64_t time_ms, float weight);
/* Octets that an encoder with this alphabet put into the names: log2(octets that came) bits each.
 */
uint64_t sek_payload_out(const struct sek_payload *p);
/* Can it be one? For what was read from a file. */
bool sek_payload_is_sound(const struct sek_payload *p, const struct sek_lapse *lapse);
