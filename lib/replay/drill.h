/* SPDX-License-Identifier: BSD-3-Clause */
/* Drills: made-up traffic of the kind that a detector is there to find, led through the whole
 * engine with the settings of a site. A detector that stays silent then will stay silent in
 * earnest, too: it is off, its threshold is out of reach, a domain is excluded, or the model is
 * missing.
 *
 * Traffic fits the settings (so many intervals, so many names), goes on past what they ask for, and
 * ends when the detector speaks. It begins behind a warm-up, with domains that everybody asks for.
 * Nothing is read or written but memory; no clock; each run is the same. */
#pragma once
#include "replay/replay.h"

struct sek_drill_work;

/* A row for each detector of watch/detector.c, and for those that judge a question at once. */
struct sek_drill {
    const char *detector;      /* "tunnel" */
    enum sek_detector finding; /* what is to come of it: a finding, */
    enum sek_trigger trigger;  /* or, where `finding` is 0, a verdict on a question */
    const char *traffic;       /* for people: what is made up */
    void (*make)(struct sek_drill_work *w);
};
extern const struct sek_drill sek_drills[]; /* ends with detector NULL */

struct sek_drill_result {
    bool on, found;
    uint64_t n_queries;
    int64_t span_s;             /* from the first query of the drill to the last one */
    struct sek_finding finding; /* found, and of a detector that makes findings */
    enum sek_action would;      /* the same of the others: what the verdict says, and whether it */
    bool blocked;               /* was done or only recorded */
};

/* site: `domains` is not looked at, each drill has a history of its own; `policy` may be NULL, so
 * that no list is in the way. NOMEM, or what a detector says of a setting. */
enum sek_err sek_drill_run(const struct sek_drill *drill, const struct sek_replay_site *site,
                           struct sek_drill_result *out, struct sek_diag *diag);
