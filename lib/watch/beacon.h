/* SPDX-License-Identifier: BSD-3-Clause */
/* Detector "beacon": an endpoint asks for a domain by the clock, as implants do that ask their
 * server for orders. MITRE ATT&CK: T1071.004 when the questions themselves may carry it (types that
 * bring data, or names that keep changing), else T1071: of the connection that follows, DNS shows
 * no more.
 *
 * A clock alone says nothing: monitoring, update checks and mail programs have one, too. So it
 * counts only for domains that are newly observed (beacon.new) and rare (domains.rare), by the
 * site's history, after its warm-up; what everybody asks for by the clock, connectivity checks and
 * time servers, is thereby left out, and so are the names that may never be blocked
 * (policy/never.h), and beacon.exclude.
 *
 * A pair of endpoint and domain has its last 64 intervals. Queries that come together (A, AAAA,
 * HTTPS; repeats) are one visit. From beacon.samples intervals on, every fourth visit is measured
 * (watch/regularity.h): a finding from a score of beacon.regularity, if it has gone on for
 * beacon.span and the visits cover at least half of the time lately and a quarter of all.
 *
 * An endpoint with a cache of its own, a browser say, asks once a TTL whoever uses it. By the TTLs
 * of answers (watch/waits.h) it is known whether the endpoint heeds them: one that asks again
 * earlier has no such cache, and its rhythm is its own. Else only the waits from the end of an
 * answer's life to the next question count: people's are exponential and no finding, whatever the
 * intervals look like. A timer with a longer period than the TTL is found as before; one with a
 * shorter period by the rests of its periods. Without TTLs a guess remains, by the round numbers
 * that they are.
 *
 * Limits: an implant that was there before Sekisho's history; one that rotates domains faster than
 * it collects samples; jitter above some 40 %; sleeping times drawn from a wide range; one behind a
 * cache that asks a moment after each TTL's end, which is what programs do that keep their cache
 * fresh. */
#pragma once
#include "watch/detector.h"

#define SEK_BEACON_TECHNIQUE "T1071"
#define SEK_BEACON_TECHNIQUE_DNS "T1071.004"
#define SEK_BEACON_COVERAGE_MIN 0.5       /* of the last 64 intervals' time */
#define SEK_BEACON_LONG_COVERAGE_MIN 0.25 /* of all: machines are off at night */

enum sek_err sek_beacon_new(const struct sek_conf *conf, struct sek_hash_key key, void **out,
                            struct sek_diag *diag);
void sek_beacon_free(void *self);
bool sek_beacon_see(void *self, const struct sek_observation *o, struct sek_sign *out);
size_t sek_beacon_octets(const void *self);
unsigned sek_beacon_kept(void *self, struct sek_kept out[SEK_DETECTOR_TABLES]);
