/* SPDX-License-Identifier: BSD-3-Clause */
/* How the recorder's database does: when to try again, and what is told of it. The status page
 * shows how the last attempt went. Through `say` a trouble is told once, and its end once it has
 * stayed away for SEK_HEALTH_WELL_MS: at a full disk's edge small writes fit where large ones do
 * not, and a line for each would fill the log, too. Used on the writer's thread only. */
#pragma once
#include "store/eventsdb.h"
#include "store/recorder.h"

#define SEK_HEALTH_WELL_MS 10000 /* as long as attempts may lie apart while it fails */

struct sek_health {
    struct sek_status_page *status; /* borrowed */
    sek_say_fn *say;                /* may be NULL */
    void *arg;
    bool failing;     /* since the last success */
    int64_t retry_ms; /* monotonic: no attempt before */

    bool told;       /* that it fails, and not yet that it is over */
    int64_t well_ms; /* told: monotonic, its end is told then; INT64_MAX while it lasts or nothing
                        was told */
    int64_t failing_since_ms, backoff_ms, lost_told_ms;
    uint64_t lost_told;
    char note[SEK_ASIDE_MAX + 96]; /* shown while all is well: where a damaged file went */
};

/* now_ms: monotonic, as in the rest. */
void sek_health_init(struct sek_health *h, struct sek_status_page *status, sek_say_fn *say,
                     void *arg, int64_t now_ms);
void sek_health_say(struct sek_health *h, bool trouble, const char *text);
void sek_health_opened(struct sek_health *h);
void sek_health_failed(struct sek_health *h, const struct sek_diag *diag, int64_t now_ms);
void sek_health_stored(struct sek_health *h, int64_t now_ms);
/* A damaged database was moved to the path `aside`. */
void sek_health_aside(struct sek_health *h, const char *aside);
/* Tell what is due: the end of a trouble that stayed away (at h->well_ms; `last`: now, no more
 * attempts follow), and events that were lost since the last time, once a minute at most. */
void sek_health_tell(struct sek_health *h, int64_t now_ms, bool last);
