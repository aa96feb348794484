/* SPDX-License-Identifier: BSD-3-Clause */
/* Detectors "surge" and "new-domain-rate": what an endpoint does leaves its own baseline of that
 * hour of the week (watch/baseline.h).
 *
 * "surge" takes the queries of five minutes, whatever became of them, by the minute: the tally's
 * rows tell them, so that no query costs anything. MITRE ATT&CK: T1071.004, Application Layer
 * Protocol: DNS, for what multiplies an endpoint's questions over night is a program that talks by
 * them (a tunnel, a flood, a scan); it may be a harmless one.
 *
 * "new-domain-rate" takes the domains of an hour that nobody here has asked for before, by the
 * site's history, after its warm-up; they must resolve or be held back, for those that do not exist
 * are detectors' "dga" and "nxdomain-burst". As they are few, its slots of the week have four
 * hours. MITRE ATT&CK: T1568, Dynamic Resolution: a series of domains that nobody knows is how
 * software finds a server that keeps moving.
 *
 * A finding takes the alarm of the baseline and more than `floor`: below it nobody is harmed. One
 * episode is one finding, that ends three windows after the last sign. An endpoint of which less
 * than `learn` active hours are known is not judged. Limits: who was there from the beginning is
 * the baseline; so is what grows slowly.
 *
 * An endpoint has 0.5 KiB for one and 0.25 KiB for the other; when there is no room the one that is
 * unseen for longest makes room, those first that have not been learned yet. */
#pragma once
#include "watch/detector.h"

#define SEK_SURGE_TECHNIQUE "T1071.004"
#define SEK_NEWRATE_TECHNIQUE "T1568"

enum sek_err sek_surge_new(const struct sek_conf *conf, struct sek_hash_key key, void **out,
                           struct sek_diag *diag);
enum sek_err sek_newrate_new(const struct sek_conf *conf, struct sek_hash_key key, void **out,
                             struct sek_diag *diag);
/* Of both. */
void sek_surge_free(void *self);
size_t sek_surge_octets(const void *self);
unsigned sek_surge_kept(void *self, struct sek_kept out[SEK_DETECTOR_TABLES]);

bool sek_surge_count(void *self, const struct sek_tally_traffic *row, uint32_t n,
                     struct sek_sign *out);
bool sek_newrate_see(void *self, const struct sek_observation *o, struct sek_sign *out);
