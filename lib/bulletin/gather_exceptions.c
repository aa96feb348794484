/* SPDX-License-Identifier: BSD-3-Clause */
/* Exceptions by state, with the age of the oldest; emergencies that nobody reviewed. */
#include "bulletin/gather_parts.h"
#include "store/exceptions.h"
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

struct work {
    struct sek__gather *g;
    uint64_t n_emergency;
    char emergency[SEK_NAME_TEXT_MAX + 2]; /* the latest one's rule */
};

static bool take_exception(void *arg, const struct sek_exception *e)
{
    struct work *w = arg;
    const struct sek_bulletin_ask *ask = w->g->ask;
    struct sek_bulletin *b = w->g->b;
    enum sek_exception_state state =
        sek_exception_state(e, ask->now_s, ask->conf->exceptions.warn_s);
    const char *word = sek_lookup_name(sek_exception_state_names, (int)state);
    unsigned i = 0;
    if (sek_exception_is_emergency_open(e)) {
        w->n_emergency++;
        sek_rule_to_text((enum sek_scope)e->scope, e->name.octets, w->emergency);
    }
    while (i < b->n_exceptions && strcmp(b->exceptions[i].state, word) != 0)
        i++;
    if (i == b->n_exceptions && i < SEK_BULLETIN_STATES)
        b->exceptions[b->n_exceptions++] =
            (struct sek_bulletin_exceptions){.state = word, .oldest_s = e->requested.time_s};
    if (i < b->n_exceptions) {
        b->exceptions[i].n++;
        if (e->requested.time_s < b->exceptions[i].oldest_s)
            b->exceptions[i].oldest_s = e->requested.time_s;
    }
    return true;
}

enum sek_err sek__gather_exceptions(struct sek__gather *g, struct sek_diag *diag)
{
    struct work w = {.g = g};
    enum sek_err err = sek_exceptions(g->ask->policy, true, take_exception, &w, diag);
    struct sek_bulletin_blind *spot =
        err || !w.n_emergency ? NULL : sek__gather_blind(g->b, SEK_BLIND_EMERGENCY, true);
    if (spot) {
        spot->n = w.n_emergency;
        snprintf(spot->what, sizeof spot->what, "%.500s", w.emergency);
    }
    return err;
}
