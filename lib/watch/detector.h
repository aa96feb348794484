/* SPDX-License-Identifier: BSD-3-Clause */
/* THE table of detectors over time: what looks at the queries of endpoints as a series and may
 * conclude a finding. A new one is a pair of files and a row in detector.c.
 *
 * An instance has memory of fixed size, given at its construction; it reads no clock, and is used
 * by one thread at a time. The same observations with the same key give the same findings. */
#pragma once
#include "base/hash.h"
#include "base/kept.h"
#include "classify/classify.h"
#include "conf/conf.h"
#include "event/finding.h"
#include "event/tally.h"
#include "name/name.h"
#include "observe/domains.h"
#include "observe/geo.h"
#include "verdict/dynamic.h"

struct sek_detectors;

/* One question that an endpoint asked, and what the site knew of its domain then. Whatever is
 * pointed to is borrowed during the call. */
struct sek_observation {
    struct sek_addr endpoint;
    const struct sek_name *name; /* the question's */
    unsigned domain_labels;      /* labels to remove from it to reach its registered domain */
    uint16_t qtype;
    enum sek_existence existence; /* UNKNOWN: it failed */
    bool cached;                  /* answered from the cache */
    /* Not the first of its endpoint, domain and minute, and no NXDOMAIN: told only of domains that
     * are worth all their queries. */
    bool repeat;
    int64_t time_ms; /* Unix; may go backwards, which counts as no time at all */
    /* Of the answer; all 0 without one. The last three only of one that was resolved for this
     * query (struct sek_event). */
    uint32_t ttl_s;
    uint16_t answer_octets;
    const struct sek_addr *addrs; /* n_addrs of the answer, then n_ns_addrs of name servers */
    unsigned n_addrs, n_ns_addrs;
    /* Addresses that the endpoint was given, also from the cache where somebody tracks the name. */
    const struct sek_addr *given;
    unsigned n_given;
    unsigned sunk_server; /* struct sek_event */
    const struct sek_name
        *sunk_rule; /* owner name of the rule sinkholed: that it met, and at which */
    const struct sek_addr *sunk_address; /* address; NULL: none */
    /* By the history. While that is younger than its warm-up nothing is told of age. */
    bool settled;       /* the history is past its warm-up */
    bool resolved;      /* it existed at some time */
    int64_t age_s;      /* since the domain was first seen, 0 for one never seen; SEK_AGE_OLD */
    unsigned endpoints; /* that ever asked for it, this one too, as the history estimates */
    const struct sek_classify *classify; /* NULL: there is no model */
    const struct sek_score *score;       /* what it says of the name; NULL: ask it */
    const struct sek_geo *geo;           /* NULL: no database of networks or countries */
    const struct sek_detectors *others;  /* the set that asks */
};
#define SEK_AGE_OLD                                                                                \
    INT64_MAX /* seen before the history could tell what is new, or nobody knows                   \
               */

/* Where the registered domain starts; *out_len: its octets. */
const uint8_t *sek_observation_domain(const struct sek_observation *o, size_t *out_len);
/* Fill settled, resolved, age_s and endpoints. known: `seen` is what the history knows of the
 * domain; history_since_s: sek_domains_since_s, INT64_MAX without a history. */
void sek_observation_date(struct sek_observation *o, const struct sek_conf *conf, bool known,
                          const struct sek_domain_seen *seen, int64_t history_since_s);
/* Keyed hash of what a detector keeps apart: the endpoint and so many octets, or none. */
uint64_t sek_observation_hash(const struct sek_observation *o, struct sek_hash_key key,
                              const uint8_t *octets, size_t len);

/* What a detector says. */
#define SEK_SIGN_WHAT 120 /* octets with terminator */
struct sek_sign {
    struct sek_finding finding;
    bool is_new;              /* else an earlier finding goes on */
    bool may_block;           /* the domain is suspect enough to be blocked, if all guards agree */
    bool is_chosen;           /* … even if it is old and many ask for it: people chose the name */
    char what[SEK_SIGN_WHAT]; /* of the endpoint, for the log: "asks for machine-made names" */
};

/* Begin a sign of this observation: endpoint, end, and with_domain its registered domain. */
void sek_sign_begin(struct sek_sign *s, enum sek_detector by, const struct sek_observation *o,
                    int64_t start_ms, bool with_domain);
/* Put the finished text in as evidence ("{}" if it failed), and free it. */
void sek_sign_evidence(struct sek_sign *s, struct sek_buf *json);

#define SEK_DETECTOR_TABLES 2 /* that one may keep */

/* A row. Instances are made from settings that were checked. */
struct sek_detector_row {
    enum sek_detector id;
    size_t mode_at;     /* of its mode, an int, in struct sek_conf */
    size_t lifetime_at; /* of the life time of its blocks, an int64_t; 0: it has none */
    enum sek_err (*new_)(const struct sek_conf *conf, struct sek_hash_key key, void **out,
                         struct sek_diag *diag);
    void (*free_)(void *self); /* NULL is fine */
    /* True: *out is a sign; else it is untouched. No allocation but that of the evidence. NULL: it
     * looks at no single question. */
    bool (*see)(void *self, const struct sek_observation *o, struct sek_sign *out);
    /* The endpoint's series goes on; NULL: it has no episodes. */
    bool (*in_episode)(const void *self, const struct sek_addr *endpoint);
    size_t (*octets)(const void *self); /* all memory of it */
    /* The same as `see` for what the tally counted: a row of it, and how many of its queries were
     * not told before. A minute may come in several rows, and late. NULL: it counts nothing. */
    bool (*count)(void *self, const struct sek_tally_traffic *row, uint32_t n,
                  struct sek_sign *out);
    /* Does each query of this registered domain matter, not only the first of a minute? Immutable:
     * any thread, while others see and count. NULL: no. */
    bool (*wants)(const void *self, const uint8_t *domain, size_t len);
    /* What of it is worth to outlive a restart: how many tables, always the same ones. Their things
     * are known by the instance's key. NULL: none. */
    unsigned (*kept)(void *self, struct sek_kept out[SEK_DETECTOR_TABLES]);
    /* Nothing happens but that time passes: what is over by now? Called again until it says false.
     * Costs next to nothing when nothing is due. NULL: nothing ends by silence. */
    bool (*elapse)(void *self, int64_t now_ms, struct sek_sign *out);
};
extern const struct sek_detector_row sek_detector_rows[]; /* ends with id 0 */

/* Are there any that are not off; any that block? */
bool sek_detectors_wanted(const struct sek_conf *conf);
bool sek_detectors_may_block(const struct sek_conf *conf);
/* How far one may go; how long it blocks, seconds. */
enum sek_mode sek_detector_mode(const struct sek_conf *conf, enum sek_detector id);
int64_t sek_detector_lifetime_s(const struct sek_conf *conf, enum sek_detector id);
/* Leave out of a set the blocks of detectors that may block no longer. Out of memory: nothing is
 * blocked. */
void sek_detectors_keep_blocking(const struct sek_conf *conf, struct sek_dynamic **io);

/* All that are not off. conf: borrowed. NOMEM, or what a constructor says of a setting. */
enum sek_err sek_detectors_new(const struct sek_conf *conf, struct sek_hash_key key,
                               struct sek_detectors **out, struct sek_diag *diag);
void sek_detectors_free(struct sek_detectors *d);
/* Show an observation to each. fn gets what they say, borrowed during its call; o is NULL when it
 * is said of a row of the tally, or because of the time. */
typedef void sek_sign_fn(void *arg, const struct sek_sign *s, const struct sek_observation *o);
void sek_detectors_see(struct sek_detectors *d, struct sek_observation *o, sek_sign_fn *fn,
                       void *arg);
/* Show a row of the tally, n of its queries new, to each that counts. One thread with
 * sek_detectors_see. */
void sek_detectors_count(struct sek_detectors *d, const struct sek_tally_traffic *row, uint32_t n,
                         sek_sign_fn *fn, void *arg);
/* Tell each what time it is. Likewise. */
void sek_detectors_elapse(struct sek_detectors *d, int64_t now_ms, sek_sign_fn *fn, void *arg);
/* Does one of them want each query of this registered domain? Any thread. */
bool sek_detectors_want(const struct sek_detectors *d, const uint8_t *domain, size_t len);
/* Tables of one detector, and whose they are; 0 of one that is off or unknown. */
unsigned sek_detectors_kept(const struct sek_detectors *d, enum sek_detector id,
                            struct sek_kept out[SEK_DETECTOR_TABLES], void **out_owner);
/* Does this one tell of the endpoint already? */
bool sek_detectors_in_episode(const struct sek_detectors *d, enum sek_detector id,
                              const struct sek_addr *endpoint);
/* The instance of one, borrowed, for what only it can; NULL: it is off. */
void *sek_detectors_get(const struct sek_detectors *d, enum sek_detector id);
size_t sek_detectors_octets(const struct sek_detectors *d);
