/* SPDX-License-Identifier: BSD-3-Clause */
/* How regular a series of moments is. From RITA's timestamp score (activecm/rita,
 * analysis/beacons.go) come Bowley's skew of the intervals and their dispersion, the median
 * distance from the median; for people, whose intervals are near to exponential, dispersion is
 * about 0.3, for a timer with jitter ±j it is 1 - j/2.
 *
 * Both lose when visits are lost or doubled. So a third number, `rhythm`, comes from the
 * autocorrelation over coarse bins: how many pairs of moments (not only neighbours) lie about one
 * period apart, 0.65 to 1.35 of it, against those that lie 0.15 to 0.5 apart. 1 for a timer with
 * jitter up to a third and any share of lost visits that leaves the median alone, about 0 for
 * independent moments, 0 for bursts. No allocation; any thread. */
#pragma once
#include <stdint.h>

#define SEK_REGULARITY_MAX 64 /* intervals */
#define SEK_REGULARITY_GAP 3  /* periods: a longer interval is a gap, the machine was off */

struct sek_regularity {
    double period_s;   /* the median interval */
    double jitter;     /* half the width of the intervals, as a share of the period: 0.3 for a timer
                        * that adds or takes up to 30 % evenly; from the quartiles */
    double skew;       /* -1..1, 0 for symmetry */
    double dispersion; /* 0..1, 1 for a clock */
    double rhythm;     /* 0..1 */
    double least_s;    /* the shortest interval */
    double width;      /* of the middle 80 % of intervals, as a share of the period */
    double tail;       /* how much farther they reach above the median than below; 1 for symmetry,
                        * about 2.7 for exponential ones, at most SEK_REGULARITY_TAIL_MAX */
    double coverage;   /* 0..1: share of the time that intervals of up to three periods cover */
    double score;      /* 0..1: SEK_REGULARITY_SKEW · (1 - |skew|) + … */
};

#define SEK_REGULARITY_TAIL_MAX 100.0

/* Weights: the quartiles' skew of some twenty intervals is mostly noise, the others are not. */
#define SEK_REGULARITY_SKEW 0.15
#define SEK_REGULARITY_DISPERSION 0.45
#define SEK_REGULARITY_RHYTHM 0.40

/* interval_ms: n of them, 2..SEK_REGULARITY_MAX, in their order. Less than 2 give all zeroes. */
void sek_regularity_of(const uint32_t *interval_ms, unsigned n, struct sek_regularity *out);
