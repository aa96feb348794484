/* SPDX-License-Identifier: BSD-3-Clause */
/* How many alarms a threshold gives, and which threshold gives so many: what was seen, and what may
 * be expected by the chance in the sample. Pure computing. Any thread. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Thresholds are written with so many decimals, rounded up: the written one never gives more. */
#define SEK_ALARMS_DECIMALS 3

struct sek_alarms {
    double threshold;       /* an alarm is a score above it */
    size_t n;               /* alarms in the sample */
    double low, mean, high; /* alarms a day; low and high: 95 % confidence */
};

/* scores: highest first, n of them, seen in `days` > 0. The lowest threshold with at most
 * `per_day` * days alarms; with equal scores that may be fewer. n = 0: a threshold of 0. */
struct sek_alarms sek_alarms_for_rate(const float *scores, size_t n, double days, double per_day);
/* What a threshold gives. */
struct sek_alarms sek_alarms_at(const float *scores, size_t n, double days, double threshold);

/* Bounds of the mean of a Poisson count of which k were seen, two-sided 95 %, by Byar's
 * approximation (Breslow and Day 1987, §2.3): within 1 % for the upper one. */
double sek_alarms_lower(uint64_t k);
double sek_alarms_upper(uint64_t k);
/* Days after which the true rate is at most twice the wanted one by that bound. */
double sek_alarms_days_wanted(double per_day);
