/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/notes.h"
#include "base/banned.h"

enum sek_err sek_notes_init(struct sek_notes *n, const struct sek_conf *conf)
{
    *n = (struct sek_notes){0};
    enum sek_err err = sek_firsts_new(&n->firsts);
    if (!err && conf->answers.keep)
        err = sek_answers_new(&n->answers);
    if (!err)
        err = sek_responses_new(&n->responses);
    if (!err)
        err = sek_usage_new(&n->usage);
    return err;
}

void sek_notes_fini(struct sek_notes *n)
{
    sek_firsts_free(n->firsts);
    sek_answers_free(n->answers);
    sek_responses_free(n->responses);
    sek_usage_free(n->usage);
}

enum sek_err sek_notes_store(struct sek_notes *n, struct sek_eventsdb *db, int64_t now_ms,
                             struct sek_diag *diag)
{
    enum sek_err err = sek_firsts_store(n->firsts, db, diag);
    if (!err)
        err = sek_answers_store(n->answers, db, diag);
    if (!err)
        err = sek_responses_store(n->responses, db, diag);
    if (!err) /* after the rows that it adds to */
        err = sek_usage_store(n->usage, db, now_ms, false, diag);
    return err;
}

void sek_notes_finish(struct sek_notes *n, struct sek_eventsdb *db)
{
    if (db)
        sek_usage_store(n->usage, db, 0, true, NULL);
}

bool sek_notes_waiting(const struct sek_notes *n)
{
    return sek_firsts_waiting(n->firsts) || sek_answers_waiting(n->answers) ||
           sek_responses_waiting(n->responses);
}

enum sek_err sek_notes_retain(struct sek_eventsdb *db, const struct sek_conf *conf, int64_t now_s,
                              unsigned step, struct sek_diag *diag)
{
    uint64_t size = conf->events.size_octets;
    enum sek_err err = sek_eventsdb_retain_firsts(db, now_s ? now_s - conf->domains.retention_s : 0,
                                                  size, step, diag);
    if (!err)
        err = sek_eventsdb_retain_answers(db, now_s ? now_s - conf->answers.retention_s : 0,
                                          conf->answers.n_rows, size, step, diag);
    if (!err) /* a domain has a few of them, but many addresses and days */
        err = sek_eventsdb_retain_servers(db, now_s ? now_s - conf->answers.retention_s : 0,
                                          conf->answers.n_rows / 4, size, step, diag);
    if (!err)
        err = sek_eventsdb_retain_responses(db, now_s ? now_s - conf->udr.retention_s : 0,
                                            conf->udr.n_addresses, step, diag);
    return err;
}
