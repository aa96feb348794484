/* SPDX-License-Identifier: BSD-3-Clause */
/* What would be answered differently, for people: questions of the past that change, summed up by
 * name and by endpoint, worst first. What previews end with. One thread. */
#pragma once
#include "base/buf.h"
#include "tools/context.h"

/* One endpoint's questions for a name. */
struct sek_changed {
    const char *name, *endpoint, *by; /* by: what decides. Copied */
    uint64_t queries;
    int64_t last_ms;
    uint8_t now, then; /* enum sek_action; PASSTHRU and what logs resolve */
    bool part;         /* only some names of this domain, one does not know which */
};

/* Zeroed but for c: empty. */
struct sek_changes {
    struct sek_context *c;
    struct sek_buf rows, texts;
    /* set by _print: what changes, and what may, as a part of its queries does */
    uint64_t n_names, n_endpoints, n_queries;
    uint64_t n_part_names, n_part_queries;
};

void sek_changes_init(struct sek_changes *all, struct sek_context *c);
void sek_changes_fini(struct sek_changes *all);
/* False: out of memory, which _print says. */
bool sek_changes_add(struct sek_changes *all, const struct sek_changed *one);
/* The report sekisho.preview/1. limit: names and endpoints at most; 0: all. Errors in c->diag. */
#define SEK_CHANGES_LIMIT 50
enum sek_err sek_changes_print(struct sek_changes *all, uint64_t limit);
