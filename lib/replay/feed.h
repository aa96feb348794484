/* SPDX-License-Identifier: BSD-3-Clause */
/* A source read ahead: one thread reads blocks of queries while the caller works on those before,
 * and scores their names, too, while the caller is behind: so two processors are both at work,
 * whichever takes longer. Bounded memory; the order and the blocks are the same in each run. */
#pragma once
#include "classify/classify.h"
#include "replay/source.h"

#define SEK_FEED_EVENTS 64 /* a block */

struct sek_feed_hooks {
    void *arg;
    /* Score the names of these queries into out: on the reader's thread, out of turn. Not called
     * for each block. False: no scores are wanted. May be NULL. */
    bool (*score)(void *arg, struct sek_event *const *events, unsigned n, struct sek_score *out);
    /* The next queries; they may be changed. scores: of `score`, or NULL. An error ends it and is
     * returned. */
    enum sek_err (*events)(void *arg, struct sek_event *const *events,
                           const struct sek_score *scores, unsigned n, struct sek_diag *diag);
    /* A record that could not be read: which one, and why. May be NULL. */
    void (*unreadable)(void *arg, const struct sek_diag *why);
    /* After each block; octets: as sek_source_octets. False: stop. May be NULL. */
    bool (*goes_on)(void *arg, uint64_t octets, uint64_t size);
};

/* All of a source, from where it is. SEK_OK: to its end, or goes_on said stop. An error of reading
 * comes after all that could be read. Hooks other than `score` are called on the caller's thread.
 */
enum sek_err sek_feed_run(struct sek_source *source, const struct sek_feed_hooks *hooks,
                          struct sek_diag *diag);
