/* SPDX-License-Identifier: BSD-3-Clause */
/* Detector "sinkholed": an endpoint is infected already, for it asks for a domain that somebody has
 * taken over and moved to a sinkhole. Told by an address in the answer, by the name or address of a
 * server of the zone (watch/sinkhole_list.h), and by rules of the site's own (sinkholed:, see
 * policy/about.h). MITRE ATT&CK: T1071, Application Layer Protocol: it is a call for its master.
 *
 * One finding for an endpoint and a registered domain; it goes on until sinkholed.silent has passed
 * without a question, and is told again when the minutes with one have doubled. Answers from the
 * cache have no addresses here: a name that led to a sinkhole is remembered until an answer of it
 * leads elsewhere, or for a day, which is longer than Unbound keeps one. In mode block the domain
 * is blocked for sinkholed.lifetime, however many ask for it: nobody has business there.
 *
 * Left out: sinkholed.exclude, the operators' own names. Who follows links in mails, as gateways
 * and scanners do, gets there without being infected. */
#pragma once
#include "event/event.h"
#include "watch/detector.h"

enum sek_err sek_sinkholed_new(const struct sek_conf *conf, struct sek_hash_key key, void **out,
                               struct sek_diag *diag);
void sek_sinkholed_free(void *self);
bool sek_sinkholed_see(void *self, const struct sek_observation *o, struct sek_sign *out);
/* Is this event to be seen, whatever else is left out? Any thread, while another one sees. */
bool sek_sinkholed_wants(const void *self, const struct sek_event *e);
size_t sek_sinkholed_octets(const void *self);
unsigned sek_sinkholed_kept(void *self, struct sek_kept out[SEK_DETECTOR_TABLES]);
