/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/usage.h"
#include "base/hash.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define SLOTS (2 * SEK_USAGE_MAX)

struct sek_usage {
    struct sek_hash_key key;
    int64_t stored_ms;
    unsigned n;
    uint16_t slots[SLOTS]; /* place + 1; 0: free */
    bool missed[SEK_USAGE_MAX];
    struct sek_usage_row rows[SEK_USAGE_MAX];
};
_Static_assert(SEK_USAGE_MAX < UINT16_MAX && (SLOTS & (SLOTS - 1)) == 0, "places fit into slots");

enum sek_err sek_usage_new(struct sek_usage **out)
{
    struct sek_usage *u = calloc(1, sizeof *u);
    if (!u)
        return SEK_E_NOMEM;
    u->key = sek_hash_key_random();
    *out = u;
    return SEK_OK;
}

void sek_usage_free(struct sek_usage *u)
{
    free(u);
}

/* The slot of the domain's place, or the free one where it belongs. */
static uint16_t *slot_of(struct sek_usage *u, const uint8_t *domain, size_t len)
{
    size_t at = sek_hash(&u->key, domain, len) & (SLOTS - 1);
    for (; u->slots[at]; at = (at + 1) & (SLOTS - 1)) {
        const struct sek_usage_row *row = &u->rows[u->slots[at] - 1];
        if (row->domain_len == len && memcmp(row->domain, domain, len) == 0)
            break;
    }
    return &u->slots[at];
}

static uint64_t queries_of(const struct sek_tally_traffic *row)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < SEK_N_OUTCOMES; i++)
        n += row->count[i];
    return n;
}

/* Does the row say that the domain exists? In a flood of names that do not, only those count that
 * find room. */
static bool may_exist(const struct sek_tally_traffic *row)
{
    return queries_of(row) > row->count[SEK_OUTCOME_NXDOMAIN] + row->count[SEK_OUTCOME_FAILED];
}

void sek_usage_add(struct sek_usage *u, struct sek_eventsdb *db,
                   const struct sek_tally_batch *batch)
{
    for (const struct sek_tally_traffic *row = batch->traffic; row; row = row->next) {
        uint16_t *slot = slot_of(u, row->domain, row->domain_len);
        if (!*slot && u->n == SEK_USAGE_MAX && may_exist(row) &&
            sek_usage_store(u, db, 0, true, NULL) == SEK_OK)
            slot = slot_of(u, row->domain, row->domain_len);
        if (!*slot && u->n < SEK_USAGE_MAX) {
            struct sek_usage_row *fresh = &u->rows[u->n];
            *fresh = (struct sek_usage_row){.ttl_min_s = SEK_TALLY_NO_TTL,
                                            .domain_len = row->domain_len};
            memcpy(fresh->domain, row->domain, row->domain_len);
            u->missed[u->n] = false;
            *slot = (uint16_t)++u->n;
        }
        if (!*slot)
            continue;
        struct sek_usage_row *at = &u->rows[*slot - 1];
        at->queries += queries_of(row);
        if (row->ttl_min_s < at->ttl_min_s)
            at->ttl_min_s = row->ttl_min_s;
    }
}

/* Those that have no row yet, for the first time; while there is room. */
static void keep_missed(struct sek_usage *u)
{
    unsigned kept = 0;
    memset(u->slots, 0, sizeof u->slots);
    for (unsigned i = 0; i < u->n; i++) {
        if (u->rows[i].is_known || u->missed[i] || kept == SEK_USAGE_MAX / 2)
            continue;
        u->rows[kept] = u->rows[i];
        u->missed[kept] = true;
        *slot_of(u, u->rows[kept].domain, u->rows[kept].domain_len) = (uint16_t)(kept + 1);
        kept++;
    }
    u->n = kept;
}

enum sek_err sek_usage_store(struct sek_usage *u, struct sek_eventsdb *db, int64_t now_ms, bool all,
                             struct sek_diag *diag)
{
    if (u->n == 0 || (!all && u->n > SEK_USAGE_FEW && now_ms - u->stored_ms < SEK_USAGE_MS))
        return SEK_OK;
    enum sek_err err = sek_eventsdb_store_usage(db, u->rows, u->n, diag);
    if (err)
        return err;
    if (now_ms)
        u->stored_ms = now_ms;
    keep_missed(u);
    return SEK_OK;
}
