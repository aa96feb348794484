/* SPDX-License-Identifier: BSD-3-Clause */
#include "replay/keep.h"
#include "store/firsts.h"
#include "store/usage.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/banned.h"

#define FINDINGS 256 /* that wait for a transaction */
#define FIRSTS 4096
#define RESPONSES 1024

struct sek_keep {
    struct sek_eventsdb *db;
    const struct sek_list *lists;
    unsigned n_lists;
    uint64_t n_findings, n_refused;
    unsigned n_waiting, n_firsts, n_responses;
    struct sek_usage *usage;
    struct sek_finding waiting[FINDINGS];
    struct sek_first firsts[FIRSTS];
    struct sek_response responses[RESPONSES];
};

enum sek_err sek_keep_new(const char *path, const struct sek_policy *policy, int64_t now_s,
                          struct sek_keep **out, struct sek_diag *diag)
{
    char aside[SEK_ASIDE_MAX];
    struct stat st;
    if (lstat(path, &st) == 0)
        return sek_diag_set(diag, SEK_E_EXISTS, "%s exists already", path);
    struct sek_keep *k = calloc(1, sizeof *k);
    if (!k)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory");
    if (policy)
        k->lists = sek_policy_lists(policy, &k->n_lists);
    enum sek_err err = sek_usage_new(&k->usage);
    if (err == SEK_OK)
        err = sek_eventsdb_open(path, now_s, &k->db, aside, diag);
    else
        sek_diag_set(diag, err, "out of memory");
    if (err == SEK_OK)
        err = sek_eventsdb_hurry(k->db, diag);
    if (err != SEK_OK) {
        sek_keep_free(k);
        return err;
    }
    *out = k;
    return SEK_OK;
}

void sek_keep_free(struct sek_keep *k)
{
    if (!k)
        return;
    sek_eventsdb_close(k->db);
    sek_usage_free(k->usage);
    free(k);
}

static enum sek_err store_findings(struct sek_keep *k, struct sek_diag *diag)
{
    struct sek_findings_stored stored;
    if (k->n_waiting == 0)
        return SEK_OK;
    enum sek_err err = sek_eventsdb_store_findings(k->db, k->waiting, k->n_waiting, &stored, diag);
    if (err != SEK_OK)
        return err;
    k->n_waiting = 0;
    k->n_findings += stored.n_new;
    k->n_refused += stored.n_refused;
    return SEK_OK;
}

static enum sek_err store_firsts(struct sek_keep *k, struct sek_diag *diag)
{
    enum sek_err err =
        k->n_firsts ? sek_eventsdb_store_firsts(k->db, k->firsts, k->n_firsts, diag) : SEK_OK;
    if (err == SEK_OK)
        k->n_firsts = 0;
    return err;
}

enum sek_err sek_keep_sums(void *arg, const struct sek_tally_batch *batch, struct sek_diag *diag)
{
    struct sek_keep *k = arg;
    uint64_t rows;
    enum sek_err err = store_firsts(k, diag); /* counts are added to them */
    if (err == SEK_OK)
        err = sek_eventsdb_store(k->db, batch, k->lists, k->n_lists, &rows, diag);
    if (err != SEK_OK)
        return err;
    sek_usage_add(k->usage, k->db, batch);
    sek_eventsdb_checkpoint(k->db, false);
    return SEK_OK;
}

static enum sek_err store_responses(struct sek_keep *k, struct sek_diag *diag)
{
    enum sek_err err = k->n_responses
                           ? sek_eventsdb_store_responses(k->db, k->responses, k->n_responses, diag)
                           : SEK_OK;
    if (err == SEK_OK)
        k->n_responses = 0;
    return err;
}

enum sek_err sek_keep_response(void *arg, const struct sek_response *r, struct sek_diag *diag)
{
    struct sek_keep *k = arg;
    enum sek_err err = k->n_responses == RESPONSES ? store_responses(k, diag) : SEK_OK;
    if (err == SEK_OK)
        k->responses[k->n_responses++] = *r;
    return err;
}

/* The latest of a finding takes the place of one that waits. */
enum sek_err sek_keep_finding(void *arg, const struct sek_finding *f, struct sek_diag *diag)
{
    struct sek_keep *k = arg;
    for (unsigned i = 0; i < k->n_waiting; i++) {
        struct sek_finding *old = &k->waiting[i];
        if (old->detector == f->detector && old->start_ms == f->start_ms &&
            sek_addr_equal(&old->endpoint, &f->endpoint)) {
            *old = *f;
            return SEK_OK;
        }
    }
    enum sek_err err = k->n_waiting == FINDINGS ? store_findings(k, diag) : SEK_OK;
    if (err == SEK_OK)
        k->waiting[k->n_waiting++] = *f;
    return err;
}

enum sek_err sek_keep_first(void *arg, const struct sek_event *e, struct sek_diag *diag)
{
    struct sek_keep *k = arg;
    enum sek_err err = k->n_firsts == FIRSTS ? store_firsts(k, diag) : SEK_OK;
    if (err != SEK_OK)
        return err;
    sek_first_from_event(e, &k->firsts[k->n_firsts++]);
    return SEK_OK;
}

enum sek_err sek_keep_sync(struct sek_keep *k, struct sek_diag *diag)
{
    enum sek_err err = store_findings(k, diag);
    if (err == SEK_OK)
        err = store_firsts(k, diag);
    if (err == SEK_OK)
        err = store_responses(k, diag);
    if (err == SEK_OK)
        err = sek_usage_store(k->usage, k->db, 0, true, diag);
    if (err == SEK_OK)
        err = sek_eventsdb_commit(k->db, diag);
    if (err == SEK_OK)
        sek_eventsdb_checkpoint(k->db, true);
    return err;
}

uint64_t sek_keep_findings(const struct sek_keep *k, uint64_t *out_refused)
{
    *out_refused = k->n_refused;
    return k->n_findings;
}
