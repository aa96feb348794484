/* SPDX-License-Identifier: BSD-3-Clause */
/* Detector "unique-response": a name that the administrator chose (udr.domains: the company's own,
 * a bank's portal) gets an address that DNS never gave for it here. It moved; or somebody else
 * answers for it: through its registrar or its DNS servers, or through this resolver's cache.
 *
 * MITRE ATT&CK: Compromise Infrastructure: DNS Server, which is the act that changes records of a
 * name that somebody else owns. Adversary-in-the-Middle (T1557) is what may follow, on the host
 * that the address leads to, and DNS does not show it. The endpoint of a finding is the first that
 * got the address: a victim at most.
 *
 * Each name below the chosen ones is learned by itself: for udr.learn after its first answer all
 * addresses are taken for its own. From then on a new one is told by what is new about it:
 *   - address: it lies in a network that the name already used: the same autonomous system, or the
 *     same 24 bits of IPv4, 48 bits of IPv6. Confidence 0.2.
 *   - network: in none of those, but in a country where the name was, or countries are not known.
 *     Confidence 0.5; 0.1 more if the name kept to one network until then, 0.2 less if it had five.
 *   - country: in a country where it never was. Confidence 0.8, with the same changes.
 * From udr.report on that is a finding; the rest is only written down (`sekisho nod responses`).
 * Only `country` may block, and only the name: to be new or rare is not asked of a name that was
 * chosen, but what may never be blocked stays so.
 *
 * An answer's addresses count together; those of an answer before, each alone. Seen are the first
 * twelve of an answer, of one from the cache, too. Memory: watch/remembered.h; what it holds is
 * written down by the owner of this detector, and given back to it at the next start. */
#pragma once
#include "event/response.h"
#include "watch/detector.h"

#define SEK_UDR_TECHNIQUE "T1584.002"
#define SEK_UDR_EARLIER 8 /* addresses that the evidence names */
#define SEK_UDR_NETWORKS_MANY 5

enum sek_err sek_udr_new(const struct sek_conf *conf, struct sek_hash_key key, void **out,
                         struct sek_diag *diag);
void sek_udr_free(void *self);
bool sek_udr_see(void *self, const struct sek_observation *o, struct sek_sign *out);
bool sek_udr_wants(const void *self, const uint8_t *domain, size_t len);
size_t sek_udr_octets(const void *self);

/* What an earlier life wrote down, before the first observation. What is not chosen any more, or
 * finds no room, is left out. */
void sek_udr_recall(void *self, const struct sek_response *r);
/* What the last observation added, one after the other, until false: to be written down. */
bool sek_udr_added(void *self, struct sek_response *out);
/* Answers of chosen names so far for which there was no room. */
uint64_t sek_udr_refused(const void *self);

/* The names of udr.domains without those of udr.exclude: which answers matter. Immutable; any
 * thread. *out is NULL when the detector is off or nothing is chosen. NOMEM, or what is wrong with
 * an entry. */
struct sek_udr_names;
enum sek_err sek_udr_names_new(const struct sek_conf *conf, struct sek_udr_names **out,
                               struct sek_diag *diag);
void sek_udr_names_free(struct sek_udr_names *n); /* NULL is fine */
/* No allocation, no lock; a hash a label. */
bool sek_udr_names_cover(const struct sek_udr_names *n, const struct sek_name *name);
