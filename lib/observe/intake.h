/* SPDX-License-Identifier: BSD-3-Clause */
/* History from elsewhere on its way into the store while a resolver writes it. `sekisho nod import`
 * puts a file of sightings (observe/sighting.h) beside the store, "<store>.import", by rename; the
 * store's writer takes it over in slices that are short enough to be done between its other work,
 * and removes it when the store has been written. What is cut short by a kill begins anew, which
 * does no harm. Writer's thread. */
#pragma once
#include "observe/sighting.h"
#include <stdio.h>

#define SEK_INTAKE_PATH_MAX (SEK_DOMAINS_ASIDE_MAX + 8)
/* "<store>.import". Returns out. */
const char *sek_intake_path(const char *store, char out[SEK_INTAKE_PATH_MAX]);

struct sek_intake {
    char path[SEK_INTAKE_PATH_MAX];
    FILE *file; /* NULL: none is at work */
    int64_t next_s; /* the next look for a file */
    int64_t since_s;
    uint64_t n, n_bad, n_overflow;
};

/* store: its path; NULL: memory only, nothing is ever taken. */
void sek_intake_init(struct sek_intake *in, const char *store);
/* Look for a file once a second, and take some thousand lines of the one at work. 0: nothing to
 * tell; 1: a file is done, *in says what came of it until the next call; a negative error: it
 * cannot be read, and is tried again in a minute. */
int sek_intake_step(struct sek_intake *in, struct sek_domains *d, int64_t now_s,
                    struct sek_diag *diag);
void sek_intake_fini(struct sek_intake *in);
