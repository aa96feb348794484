/* SPDX-License-Identifier: BSD-3-Clause */
/* How much trouble an endpoint is in, as one number. THE table of weights is in risk.c.
 *
 * Evidence gives points; points add up; old evidence loses half of them every half-life. The score
 * is 100 · (1 − e^(−points / 50)): 0 without evidence, 50 at 35 points, 90 at 115, never above 100.
 *   - A finding: the points of its detector, times its confidence. Of several of one detector about
 *     one domain the strongest counts: a beacon that goes on for days is one beacon.
 *   - Hits: weight · log2(1 + n), up to a most for all of a kind together. n counts rows (a name
 * and type in a minute), not queries: a program that asks a thousand times a second is no worse.
 *   - DGA evidence: the same of names that the classifier hit, n being the sum of their
 *     probabilities.
 *   - New domains: the same of domains that this endpoint asked for first here, ten of which weigh
 * as one: every browser finds new ones. No published scale exists for this: the weights were set so
 * that one sure finding of data going out or of a botnet's domains passes 65, a beacon alone stays
 * below 50 (many programs are regular), and hits of blocked names alone, however many, end at 55:
 * the policy has dealt with those. Plain functions. Any thread. */
#pragma once
#include "base/lookup.h"
#include <stdint.h>

enum sek_risk_part {
    SEK_RISK_FINDING = 1,
    SEK_RISK_BLOCKED,   /* hits that were blocked */
    SEK_RISK_MONITORED, /* hits that were only recorded */
    SEK_RISK_DGA,       /* names that look machine-made */
    SEK_RISK_NOD,       /* newly observed domains, as hits */
    SEK_RISK_NEW,       /* domains that this endpoint asked for first here */
    SEK_N_RISK_PARTS
};
extern const struct sek_lookup sek_risk_part_names[]; /* "finding" "blocked" … */

/* What is left of evidence: 1 now (and of the future), 0.5 after a half-life. */
double sek_risk_decay(int64_t age_s, int64_t half_life_s);
/* Points of a fresh finding. detector: enum sek_detector. */
double sek_risk_finding(int detector, double confidence);
/* Points of n (decayed) pieces of evidence of another part; not more than sek_risk_most of it. */
double sek_risk_many(enum sek_risk_part part, double n);
double sek_risk_most(enum sek_risk_part part);
/* 0..100 */
double sek_risk_score(double points);
