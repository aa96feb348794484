/* SPDX-License-Identifier: BSD-3-Clause */
/* What logs tell of domains, summed up in memory before it goes into the store. One thread. */
#pragma once
#include "observe/querylog.h"

struct sek_history;

/* NULL: out of memory. */
struct sek_history *sek_history_new(void);
void sek_history_free(struct sek_history *h);
/* Add what a line told about a registered domain (wire). LIMIT: more than SEK_HISTORY_MAX domains;
 * NOMEM. */
#define SEK_HISTORY_MAX 50000000
enum sek_err sek_history_add(struct sek_history *h, const uint8_t *domain, size_t len,
                             const struct sek_query_seen *seen, struct sek_diag *diag);
uint64_t sek_history_count(const struct sek_history *h);
/* Each domain, in the order of its first line. A domain of which no line says whether it exists
 * counts as resolved, one of which some line says so, too. fn returns SEK_OK to go on; any other
 * code ends it and is returned. */
typedef enum sek_err sek_history_fn(void *arg, const struct sek_sighting *s);
enum sek_err sek_history_each(const struct sek_history *h, sek_history_fn *fn, void *arg);
/* Leave out what was last asked for before oldest_s. Returns how many that are. */
uint64_t sek_history_drop(struct sek_history *h, int64_t oldest_s);
