/* SPDX-License-Identifier: BSD-3-Clause */
/* How much of something an endpoint usually does, by the hour of the week, and how far what it does
 * now is from that. Compact, for there is one for each endpoint; the memory is the owner's.
 *
 * Time runs in bins (a minute, say). What is judged is the sum over the latest bins, a window that
 * slides. What is learned are windows side by side: for each slot of the week (an hour, say) their
 * mean and variance, which every week moves a quarter of the way to what it saw (the first weeks
 * count alike). Slots in which the endpoint did nothing teach nothing: a machine that is off, a
 * holiday, a vacation.
 *
 * The level that a window is measured by is the highest of: the slot and its two neighbours (people
 * come earlier, clocks change by an hour); until the slot has been seen twice, the busiest slot;
 * and what the endpoint did in the last half hour or so, as work goes on into the evening. A
 * deviation is at least that of independent events (the square root of the mean) and a quarter of
 * the mean.
 *
 * z is the distance in deviations. People's traffic has a heavy tail, of a different weight each,
 * so no fixed z means the same for all: an alarm takes z above `z` of the season, above what a
 * log-normal distribution of that mean and deviation reaches as rarely (at most three times `z`),
 * and above one and a half times what the endpoint itself reached lately at that time of the day
 * (that fades by half in some 350 hours of activity). What lies above the line is learned as if it
 * lay on it.
 *
 * Mean and variance move as Finch has it ("Incremental calculation of weighted mean and variance",
 * 2009); how often it is wrong is measured by tests/unit/test_surge_weeks.c. No clock, no
 * allocation. */
#pragma once
#include "base/kept.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEK_BASELINE_BINS_MAX 6
#define SEK_BASELINE_WEEK_S 604800
#define SEK_BASELINE_PARTS 8     /* of a day */
#define SEK_BASELINE_SLOTS_MIN 2 /* weeks of a slot before it counts by itself */

/* What is measured how; the same for all endpoints. */
struct sek_season {
    int64_t bin_s;      /* a bin's length, seconds */
    unsigned n_bins;    /* of a window, at most SEK_BASELINE_BINS_MAX */
    unsigned n_windows; /* of a slot; as many slots as fit make a week */
    unsigned learn;     /* active slots before anything is judged */
    double z;           /* deviations above which it is an alarm */
};

/* State of one endpoint; zeroed is empty. Behind it lie sek_baseline_cells() octets, zeroed. */
struct sek_baseline {
    int64_t bin;                           /* the latest, Unix time / bin_s; 0: none yet */
    uint32_t count[SEK_BASELINE_BINS_MAX]; /* of the latest bins, at bin % n_bins */
    float sum, squares;                    /* of the slot's windows so far */
    uint16_t windows;                      /* how many */
    uint16_t learned;                      /* active slots ever; sticks at the end */
    float top_mean, top_var;               /* of windows in the busiest slot */
    float late_mean, late_var;             /* of the latest windows but one */
    float x_before;                        /* that one */
    float z_now, z_before;                 /* the highest z in this window, in that one */
    float record[SEK_BASELINE_PARTS];      /* the highest z lately, by the part of the day */
    uint8_t late;                          /* windows in them; sticks */
    bool active;                           /* the endpoint was there in the slot */
    uint8_t cells[];                       /* a mean and a deviation a slot, then their weeks */
};

/* Octets of the cells; of all together, a multiple of 8. */
size_t sek_baseline_cells(const struct sek_season *s);
size_t sek_baseline_octets(const struct sek_season *s);

/* So much was done at this time (n may be 0: the endpoint is there, no more). Time before the
 * window, and back by less than an hour, is left out; a clock that was set back farther begins a
 * new window. What was learned stays. False: it was left out. */
bool sek_baseline_add(const struct sek_season *s, struct sek_baseline *b, int64_t time_s,
                      uint32_t n);

/* By what a window is measured. */
enum sek_baseline_by {
    SEK_BASELINE_NONE, /* nothing: too little is learned */
    SEK_BASELINE_HOUR, /* the slot of the week or a neighbour */
    SEK_BASELINE_TOP,  /* the busiest slot */
    SEK_BASELINE_LATE, /* the last half hour or so */
};

struct sek_level {
    enum sek_baseline_by by;
    double window;    /* the sum of the latest bins */
    double mean, dev; /* of windows */
    double z;         /* (window - mean) / dev */
    double line;      /* z above which it is an alarm */
};
/* The latest window. by NONE: z is 0. */
void sek_baseline_judge(const struct sek_season *s, const struct sek_baseline *b,
                        struct sek_level *out);
/* After a restart, of octets that a file had: nobody looked in between. In a window or more of that
 * much is missing, so what had not ended is forgotten, and a clock that was set back begins a new
 * window; what was learned stays. False: it can be no baseline. */
bool sek_baseline_resume(const struct sek_season *s, struct sek_baseline *b,
                         const struct sek_lapse *lapse);
