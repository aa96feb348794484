/* SPDX-License-Identifier: BSD-3-Clause */
/* The way of a counted query: into the history of domains, past all detectors, to findings and the
 * blocks that they ask for. The resolver's observer and a replay of past traffic use the same.
 *
 * No clock, no lock, no file: what comes of it goes to the hooks. Two threads may share one: that
 * which counts asks sek_scene_wants; the other, which is the history's writer, calls all the rest.
 * One thread may do both. */
#pragma once
#include "event/dismissed.h"
#include "event/response.h"
#include "event/tally.h"
#include "policy/never.h"
#include "watch/detector.h"
#include <stdatomic.h>

struct sek_scene;

/* Called by sek_scene_see. All but `finding` may be NULL. */
struct sek_scene_hooks {
    void *arg;
    /* To be stored: new, or an earlier one that goes on. Borrowed during the call. may_block: its
     * domain is blocked if the detector's mode says so. */
    void (*finding)(void *arg, const struct sek_finding *f, bool may_block);
    /* The first query for a domain of interest: it resolved, or it was held back, or refused by a
     * rule; of those the same domain may come again. Borrowed. */
    void (*first)(void *arg, const struct sek_event *e);
    /* All blocks that findings ask for changed. The set is the hook's from now on. */
    void (*blocked)(void *arg, struct sek_dynamic *set);
    /* One line about a new finding. */
    void (*say)(void *arg, const char *line);
    /* A new finding that people dismissed: it is not told. */
    void (*dismissed)(void *arg, const struct sek_finding *f);
    /* A tracked name (watch/udr.h) has an address that is to be remembered. Borrowed. */
    void (*response)(void *arg, const struct sek_response *r);
};

/* What it knows of the site; borrowed, and outlives it. */
struct sek_scene_site {
    const struct sek_conf *conf;
    const struct sek_never *never;         /* NULL: no finding blocks */
    const struct sek_dynamic *blocked;     /* blocks that still run, copied; NULL: none */
    const struct sek_geo *geo;             /* NULL: networks and countries are not known */
    const struct sek_dismissed *dismissed; /* what nobody wants to be told; NULL: nothing */
    _Atomic int64_t *full_s;               /* set when the history had no room (verdict/detect.h) */
    struct sek_hash_key key;               /* of the detectors: random, or fixed to get the same */
    /* Watch what few ask for although the history is too young to tell what is new. A resolver has
     * no time for that: everything is new to it then. */
    bool eager;
};

/* NOMEM, or what a detector says of a setting. */
enum sek_err sek_scene_new(const struct sek_scene_site *site, const struct sek_scene_hooks *hooks,
                           struct sek_scene **out, struct sek_diag *diag);
void sek_scene_free(struct sek_scene *s);
/* The history from now on, borrowed; until then there is none, and nothing is told of age. Once. */
void sek_scene_history(struct sek_scene *s, struct sek_domains *domains);

/* What of a counted query is to be seen. The first one of an endpoint, domain and minute, what does
 * not exist, and all queries of domains that are worth it (the row's `watch`, set here), unless
 * they drown all others. And of what rules refuse the first one, for who asked. */
enum sek_scene_want {
    SEK_SCENE_NO,
    SEK_SCENE_YES,
    SEK_SCENE_REPEAT, /* for what its name holds and when it came: the event's `repeat` */
};
enum sek_scene_want sek_scene_wants(const struct sek_scene *s, const struct sek_event *e,
                                    const struct sek_tally_note *note);
/* See one: its domain_labels and repeat are set. classify: may be NULL. score: what it says of the
 * question's name, from a caller who knows it, or NULL. */
void sek_scene_see(struct sek_scene *s, const struct sek_event *e,
                   const struct sek_classify *classify, const struct sek_score *score);
/* All blocks, to be changed by the caller: *out_n of them, room for SEK_DYNAMIC_MAX. Then
 * sek_scene_publish hands them to the hook `blocked`. */
struct sek_dynamic_row *sek_scene_blocks(struct sek_scene *s, unsigned **out_n);
void sek_scene_publish(struct sek_scene *s);
/* Count a row of the tally, n of its queries new. */
void sek_scene_count(struct sek_scene *s, const struct sek_tally_traffic *row, uint32_t n);
/* It is so late, whether anything was seen or not: what ends by silence is found by it. Often. */
void sek_scene_elapse(struct sek_scene *s, int64_t now_ms);
/* The detectors, borrowed: what they remember outlives a restart (watch/memory.h). */
struct sek_detectors *sek_scene_detectors(struct sek_scene *s);
/* What an earlier life handed to the hook `response`, latest last_day first; before anything is
 * seen. */
void sek_scene_recall(struct sek_scene *s, const struct sek_response *r);
/* Answers of tracked names for which udr.addresses had no room. */
uint64_t sek_scene_refused(const struct sek_scene *s);
/* Memory of the detectors. */
size_t sek_scene_octets(const struct sek_scene *s);
