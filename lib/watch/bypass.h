/* SPDX-License-Identifier: BSD-3-Clause */
/* Detector "resolver-bypass": an endpoint asks for a public resolver (DNS over HTTPS or TLS), for
 * an anonymiser (VPN, Tor, proxy, a system maker's relay) or for a host with dynamic DNS, by name
 * (watch/bypass_list.h). MITRE ATT&CK: T1572, Protocol Tunneling, for resolvers; T1090, Proxy, for
 * anonymisers; T1568, Dynamic Resolution, for dynamic DNS.
 *
 * One finding for an endpoint and a kind, not for a name, from bypass.queries questions on; it goes
 * on until bypass.silent has passed without one, and is told again when a name is added or the
 * questions have doubled. Of an endpoint's questions for a name the first of a minute counts. Never
 * blocks: which of them are wanted is the operator's to say.
 *
 * Left out: bypass.exclude. What a block rule answers is that list's hit, not a finding; canary
 * names are found whatever they are answered. DNS cannot see who has the address already, who finds
 * it by DNS over HTTPS, or who asks for a host that nobody listed. */
#pragma once
#include "watch/detector.h"

enum sek_err sek_bypass_new(const struct sek_conf *conf, struct sek_hash_key key, void **out,
                            struct sek_diag *diag);
void sek_bypass_free(void *self);
bool sek_bypass_see(void *self, const struct sek_observation *o, struct sek_sign *out);
bool sek_bypass_wants(const void *self, const uint8_t *domain, size_t len);
size_t sek_bypass_octets(const void *self);
unsigned sek_bypass_kept(void *self, struct sek_kept out[SEK_DETECTOR_TABLES]);
