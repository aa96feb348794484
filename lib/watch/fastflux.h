/* SPDX-License-Identifier: BSD-3-Clause */
/* Detector "fast-flux": a domain whose addresses change all the time and lie all over the world, as
 * those do that a network of infected machines serves. MITRE ATT&CK: Dynamic Resolution: Fast Flux
 * DNS.
 *
 * Watched are registered domains that are rare here (domains.rare), or newly observed
 * (fastflux.new) and not popular (fastflux.popular); by answers that were resolved, not by those
 * from the cache. What the question's name is led to by CNAME counts for the question's domain.
 * The base is the score of Holz et al. ("Measuring and Detecting Fast-Flux Service Networks", NDSS
 * 2008): f = 1.32 addresses + 18.54 autonomous systems, flux above 142.38. Content networks have
 * that, too, today; so all of this must be true as well:
 *   - fastflux.asns systems in fastflux.countries countries, evenly used: fastflux.entropy bits;
 *   - a mean TTL of at most fastflux.ttl;
 *   - new addresses keep coming: fastflux.turnover of those after the first ten that the answer
 *     before did not have, and surely so (watch/spread.h);
 *   - at least three addresses a name: a provider's customers have many names, each of its own.
 * All within fastflux.window; then the count begins anew. Name servers' addresses are weighed in
 * the same way, apart from the TTL: both are "double flux".
 *
 * Without a database of networks (geo.asn), or when it knows less than half of the addresses, the
 * detector works in a reduced form: four networks of 16 bits (IPv6: 32) count as one system, most
 * addresses must lie in one of their own, the answer before does not matter, and nothing is
 * blocked. Without one of countries these are left out. Either makes it less sure, and the evidence
 * says so
 * ("basis").
 *
 * Left out are the names that may never be blocked (policy/never.h; the pool of time servers among
 * them), those of policy/lookups.tsv (with nodes of peer-to-peer networks) and fastflux.exclude.
 * A domain has 2.5 KiB; when there is no room the least spread makes some. */
#pragma once
#include "watch/detector.h"

#define SEK_FASTFLUX_TECHNIQUE "T1568.001"
#define SEK_FASTFLUX_PER_ADDRESS 1.32 /* Holz et al., section 4.2 */
#define SEK_FASTFLUX_PER_ASN 18.54
#define SEK_FASTFLUX_ANSWERS_MIN 3
#define SEK_FASTFLUX_PER_NAME_MIN 3
#define SEK_FASTFLUX_MIXED_MIN 0.75 /* reduced form: networks an address */

enum sek_err sek_fastflux_new(const struct sek_conf *conf, struct sek_hash_key key, void **out,
                              struct sek_diag *diag);
void sek_fastflux_free(void *self);
bool sek_fastflux_see(void *self, const struct sek_observation *o, struct sek_sign *out);
size_t sek_fastflux_octets(const void *self);
unsigned sek_fastflux_kept(void *self, struct sek_kept out[SEK_DETECTOR_TABLES]);
