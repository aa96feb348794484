/* SPDX-License-Identifier: BSD-3-Clause */
/* What comes of a replay, kept in a fresh events.db: the same rows as the resolver's recorder
 * writes, by the calling thread and without a loss. What was committed, once in a while and by
 * sek_keep_sync, stays readable when the replay is cut short. One thread. */
#pragma once
#include "replay/replay.h"
#include "store/eventsdb.h"

struct sek_keep;

/* EXISTS: there is such a file. policy: whose lists' names are stored; may be NULL; borrowed. */
enum sek_err sek_keep_new(const char *path, const struct sek_policy *policy, int64_t now_s,
                          struct sek_keep **out, struct sek_diag *diag);
/* For struct sek_replay_hooks; arg: struct sek_keep. */
enum sek_err sek_keep_sums(void *arg, const struct sek_tally_batch *batch, struct sek_diag *diag);
enum sek_err sek_keep_finding(void *arg, const struct sek_finding *f, struct sek_diag *diag);
enum sek_err sek_keep_response(void *arg, const struct sek_response *r, struct sek_diag *diag);
enum sek_err sek_keep_first(void *arg, const struct sek_event *e, struct sek_diag *diag);
/* Store what waits. */
enum sek_err sek_keep_sync(struct sek_keep *k, struct sek_diag *diag);
/* Findings so far, each once; how many of them had to be left out, because they were malformed. */
uint64_t sek_keep_findings(const struct sek_keep *k, uint64_t *out_refused);
/* Without storing what waits. NULL is fine. */
void sek_keep_free(struct sek_keep *k);
