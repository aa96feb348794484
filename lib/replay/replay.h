/* SPDX-License-Identifier: BSD-3-Clause */
/* Past queries judged as the resolver would have judged them: by the same rules, classifier, test
 * for newly observed domains and detectors, in the queries' own time. No clock, no random key: the
 * same queries in the same order give the same findings. A detector that blocks keeps what it
 * blocked away from the queries that follow.
 *
 * What only the resolver knows is not there: the cache (each query counts as one that is resolved)
 * and CNAME chains (rules are met by the question). One thread, but for sek_replay_score. */
#pragma once
#include "event/dismissed.h"
#include "event/tally.h"
#include "name/suffix.h"
#include "policy/never.h"
#include "policy/policy.h"
#include "replay/distinct.h"
#include "watch/scene.h"

struct sek_replay;

/* What judges. Borrowed; outlives it. */
struct sek_replay_site {
    const struct sek_conf *conf;
    const struct sek_policy *policy;     /* NULL: no list decides */
    const struct sek_classify *classify; /* NULL: no name is scored */
    const struct sek_suffix *suffix;
    const struct sek_never *never, *nod_exclude; /* NULL: as in struct sek_detect */
    const struct sek_dismissed
        *dismissed;              /* findings that are not told and block nothing; NULL: all are */
    const struct sek_geo *geo;   /* NULL: networks and countries are not known */
    struct sek_domains *domains; /* the history, which grows by what is seen */
};

/* What is to be kept; any may be NULL. An error ends the replay. */
struct sek_replay_hooks {
    void *arg;
    /* Sums to be stored, borrowed. Called when much is held, and by sek_replay_flush. */
    enum sek_err (*sums)(void *arg, const struct sek_tally_batch *batch, struct sek_diag *diag);
    /* A finding, or an earlier one that goes on. */
    enum sek_err (*finding)(void *arg, const struct sek_finding *f, struct sek_diag *diag);
    /* A tracked name has an address that is to be remembered. */
    enum sek_err (*response)(void *arg, const struct sek_response *r, struct sek_diag *diag);
    /* Who asked first for a domain. */
    enum sek_err (*first)(void *arg, const struct sek_event *e, struct sek_diag *diag);
};

/* NOMEM, or what a detector says of a setting. */
enum sek_err sek_replay_new(const struct sek_replay_site *site,
                            const struct sek_replay_hooks *hooks, struct sek_replay **out,
                            struct sek_diag *diag);
void sek_replay_free(struct sek_replay *r);

/* Take queries into the history and judge none: their domains are old from then on. Behind this the
 * history counts as old enough: from the first query that is judged on it can tell what is new. */
void sek_replay_learn(struct sek_replay *r, struct sek_event *const *events, unsigned n);
/* The classifier's scores of queries before their turn, for sek_replay_see; of those that cannot be
 * judged they mean nothing. One thread, which may be another than that of all else. False: no
 * model, or not in use. */
bool sek_replay_score(struct sek_replay *r, struct sek_event *const *events, unsigned n,
                      struct sek_score *out);
/* Judge queries as they come from a source. scores: of sek_replay_score, or NULL. Changes the
 * events. The first error is final. */
enum sek_err sek_replay_see(struct sek_replay *r, struct sek_event *const *events,
                            const struct sek_score *scores, unsigned n, struct sek_diag *diag);
/* Hand all sums to the hook. */
enum sek_err sek_replay_flush(struct sek_replay *r, struct sek_diag *diag);

/* --- what came of it ---------------------------------------------------------------------------
 */

struct sek_replay_sum {
    uint64_t n_records, n_blocked,
        n_recorded;            /* the last two: queries that met a rule or detector */
    int64_t first_ms, last_ms; /* 0 without a record */
    struct sek_distinct endpoints, domains;
};
/* Of all that was judged; of that since sek_replay_next_file. Borrowed. */
const struct sek_replay_sum *sek_replay_total(const struct sek_replay *r);
const struct sek_replay_sum *sek_replay_file(const struct sek_replay *r);
void sek_replay_next_file(struct sek_replay *r);

/* What decided at once: a list's rules, the classifier, the test for new domains, a finding. */
struct sek_replay_met {
    char by[SEK_LIST_NAME_MAX]; /* the list's name, or the word of the trigger */
    enum sek_trigger trigger;
    uint16_t list;
    enum sek_action would;
    bool blocked; /* else it was only recorded */
    uint64_t n_queries;
    struct sek_distinct endpoints;
};
/* In the order of the first query. Borrowed. */
const struct sek_replay_met *sek_replay_mets(const struct sek_replay *r, unsigned *out_n);

/* A domain that a finding would have had blocked, whatever the detector's mode. */
struct sek_replay_block {
    enum sek_detector by; /* that found it first */
    struct sek_addr endpoint;
    uint8_t len;
    uint8_t domain[SEK_NAME_MAX];
    int64_t from_s, until_s;
    bool in_force;      /* the detector is in mode block */
    uint64_t n_queries; /* from then on that the block would have stopped */
};
const struct sek_replay_block *sek_replay_blocks(const struct sek_replay *r, unsigned *out_n);

/* When the history could tell what is new: Unix seconds; after the last query: never. */
int64_t sek_replay_settled_s(const struct sek_replay *r);
/* Findings that were left out because people dismissed such. */
uint64_t sek_replay_dismissed(const struct sek_replay *r);
/* Queries that found no room in the sums; 0 unless memory ran out. */
uint64_t sek_replay_lost(const struct sek_replay *r);
