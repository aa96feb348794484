/* SPDX-License-Identifier: BSD-3-Clause */
/* Detector "nxdomain-burst": an endpoint asks for many registered domains that do not exist,
 * whatever they look like: a generator that the classifier does not know, a scan, a broken program.
 * MITRE ATT&CK: Dynamic Resolution.
 *
 * Wald's sequential test with a floor at zero (CUSUM), which forgets: each distinct domain that
 * does not exist adds log(p1/p0), each that does takes log((1-p0)/(1-p1)); p0 is the share of a
 * benign endpoint's domains that do not exist, p1 that of one in trouble. A finding from
 * log(1/alpha) on, if nxburst.names domains did not exist and at least half of all. What counts are
 * domains: only a question for the domain itself, or its "www", says that it does not exist, so
 * hosts, service names and expansions by a search list count not at all; nor do reverse zones,
 * special-use names and single labels.
 *
 * Tells nothing of an endpoint whose series of machine-made names detector "dga" has told already.
 * An endpoint has 0.7 KiB. */
#pragma once
#include "watch/detector.h"

#define SEK_NXBURST_TECHNIQUE "T1568"
/* A choice on the safe side: a crawler over a list of popular sites has 0.004 (measured), misspelt
 * and dead names of an office make it more; and an endpoint in trouble asks for benign domains
 * beside the others. */
#define SEK_NXBURST_P0 0.1f
#define SEK_NXBURST_P1 0.6f
#define SEK_NXBURST_ALPHA 1e-6f
#define SEK_NXBURST_RATIO_MIN 0.5

enum sek_err sek_nxburst_new(const struct sek_conf *conf, struct sek_hash_key key, void **out,
                             struct sek_diag *diag);
void sek_nxburst_free(void *self);
bool sek_nxburst_see(void *self, const struct sek_observation *o, struct sek_sign *out);
size_t sek_nxburst_octets(const void *self);
unsigned sek_nxburst_kept(void *self, struct sek_kept out[SEK_DETECTOR_TABLES]);
