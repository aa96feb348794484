/* SPDX-License-Identifier: BSD-3-Clause */
/* Evidence over time: which endpoints ask for series of machine-made names. One name proves little;
 * the ratios of many distinct ones add up (CUSUM, Page 1954, of Wald's sequential test, 1945):
 *
 *     S ← max(0, S · exp(−Δt/τ) + w · log(1 − π + π · exp(llr)))
 *
 * llr is the classifier's, cut at SEK_EVIDENCE_CLIP. π is the share of an infected endpoint's names
 * that are the generator's, so that the benign names it asks for beside them speak against it only
 * as much as they do; w is 1.0 for names that do not exist and 0.3 for those that do. To S come the
 * ratios of reuse.h. Alarm when the sum exceeds log(1/α) and there are enough names.
 *
 * Rate of false alarms: for S alone at least 1/α distinct names pass on average between two, if
 * the classifier's ratios hold for the site's benign names and these are independent (Lorden 1971;
 * weight, clip and decay only lower S). The parts of reuse.h add to S and are capped, so that they
 * raise no alarm unless heads, tails and shape all speak, or S does. Misspelt and dead names look
 * odder than registered ones: α is a dial, not a promise.
 *
 * Limits: a generator that asks for less than one name in τ/4, or that spreads over many addresses,
 * stays below; so does one that asks for some hundred benign names between two of its own. Names of
 * one fixed word and a number have no words to repeat. Endpoints that list domains in order
 * (crawlers) or ask for series of throw-away domains (mail servers, gambling) come nearest to false
 * alarms.
 *
 * An instance has memory of fixed size, reads no clock, and is used by one thread at a time. The
 * same calls with the same key give the same answers. */
#pragma once
#include "base/hash.h"
#include "base/kept.h"
#include "classify/dga.h"

#define SEK_EVIDENCE_CLIP 4.0f /* a single name is worth at most 3.3 of an alarm's 13.8 */
/* Of a generator's names few exist, of those a benign endpoint asks for nearly all: what exists
 * weighs less and is mixed with more benign names. A choice, not a fit; sound with any w <= 1. */
#define SEK_EVIDENCE_WEIGHT_NXDOMAIN 1.0f
#define SEK_EVIDENCE_WEIGHT_NOERROR 0.3f
#define SEK_EVIDENCE_MIX_NXDOMAIN 0.5f
#define SEK_EVIDENCE_MIX_NOERROR 0.1f
#define SEK_EVIDENCE_NXDOMAINS_MIN 5 /* distinct, before any alarm */

struct sek_evidence_conf {
    uint32_t n_endpoints; /* 8..1048576, default 4096: 1 KiB each */
    float alpha;          /* 1e-12..1e-2, default 1e-6 */
    uint32_t tau_s;       /* 60..604800, default 7200: evidence fades to 37 % in this time */
};
#define SEK_EVIDENCE_DEFAULTS ((struct sek_evidence_conf){4096, 1e-6f, 7200})

/* One answered question. */
struct sek_evidence_item {
    struct sek_addr endpoint;
    const struct sek_name *name; /* borrowed during the call */
    struct sek_score score;      /* of that name, by sek_classify_name */
    bool nxdomain;               /* else it exists */
    int64_t time_ms;             /* Unix; may go backwards, which counts as no time at all */
};

enum sek_evidence_news {
    SEK_EVIDENCE_NOTHING,
    SEK_EVIDENCE_FOUND,   /* a new episode */
    SEK_EVIDENCE_CHANGED, /* the same episode: a likelier resolved name, or more names: twice as
                           * many, or any after ten seconds */
};

struct sek_evidence;

/* Values out of range: SEK_E_INVALID. key: random (sek_hash_key_random), fixed in tests. */
enum sek_err sek_evidence_new(const struct sek_evidence_conf *conf, struct sek_hash_key key,
                              struct sek_evidence **out, struct sek_diag *diag);
void sek_evidence_free(struct sek_evidence *e);

/* Take a name. *out is written unless the result is SEK_EVIDENCE_NOTHING. What counts is the
 * registered domain that was judged. Of names that do not exist only the domain itself, or its
 * "www", says that the domain does not exist: hosts, service names and search-list expansions
 * (host.corp.example.com) are left out here, as are names without a judged label (single labels)
 * and reverse zones. Names answered by policy are the caller's to leave out: they say nothing
 * about existence. No allocation; some µs at most. */
enum sek_evidence_news sek_evidence_add(struct sek_evidence *e,
                                        const struct sek_evidence_item *item, struct sek_dga *out);
/* The endpoint's episode as it stands; false if it is in none. */
bool sek_evidence_find(const struct sek_evidence *e, const struct sek_addr *endpoint,
                       struct sek_dga *out);
/* All memory of the instance; endpoints that made room for others. */
size_t sek_evidence_octets(const struct sek_evidence *e);
uint64_t sek_evidence_evicted(const struct sek_evidence *e);

/* Its memory as tables that outlive a restart, without `take`: of endpoints, and what is known of
 * the site's names. */
void sek_evidence_kept(const struct sek_evidence *e, struct sek_kept *out_endpoints,
                       struct sek_kept *out_site);
/* Take in what a file had of an instance with the same key. False: it can be none, is too old, or
 * there is no room. */
bool sek_evidence_take(struct sek_evidence *e, const void *endpoint, const struct sek_lapse *lapse);
bool sek_evidence_take_site(struct sek_evidence *e, const void *site);
