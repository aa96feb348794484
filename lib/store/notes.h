/* SPDX-License-Identifier: BSD-3-Clause */
/* What the recorder writes besides hits, traffic and findings: who asked first for a domain, how
 * often it is asked for, which addresses DNS gave, and those of tracked names. The members that are
 * queues have a producer of their own each; all the rest is the writer's. */
#pragma once
#include "conf/conf.h"
#include "store/answers.h"
#include "store/firsts.h"
#include "store/responses.h"
#include "store/usage.h"

struct sek_notes {
    struct sek_firsts *firsts;
    struct sek_answers *answers; /* NULL: no memory of answers */
    struct sek_responses *responses;
    struct sek_usage *usage;
};

/* NOMEM: fini is allowed. */
enum sek_err sek_notes_init(struct sek_notes *n, const struct sek_conf *conf);
void sek_notes_fini(struct sek_notes *n);
/* Write what waits, until the first failure: then the rest waits on. now_ms: monotonic. */
enum sek_err sek_notes_store(struct sek_notes *n, struct sek_eventsdb *db, int64_t now_ms,
                             struct sek_diag *diag);
/* At the end: also what usually waits for more. */
void sek_notes_finish(struct sek_notes *n, struct sek_eventsdb *db);
/* Is there something that must not be lost? */
bool sek_notes_waiting(const struct sek_notes *n);
/* Delete what is too old, and too much; about `step` rows a table and call. now_s 0: the time is
 * not trusted, and nothing is too old. */
enum sek_err sek_notes_retain(struct sek_eventsdb *db, const struct sek_conf *conf, int64_t now_s,
                              unsigned step, struct sek_diag *diag);
