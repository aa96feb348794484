/* SPDX-License-Identifier: BSD-3-Clause */
/* Detector "dga": the evidence of classify/evidence.h as a row of the table (watch/detector.h). It
 * looks at names that exist and at those that do not, once each; without a model at none. */
#pragma once
#include "watch/detector.h"

enum sek_err sek_series_new(const struct sek_conf *conf, struct sek_hash_key key, void **out,
                            struct sek_diag *diag);
void sek_series_free(void *self);
bool sek_series_see(void *self, const struct sek_observation *o, struct sek_sign *out);
bool sek_series_in_episode(const void *self, const struct sek_addr *endpoint);
size_t sek_series_octets(const void *self);
unsigned sek_series_kept(void *self, struct sek_kept out[SEK_DETECTOR_TABLES]);
