/* SPDX-License-Identifier: BSD-3-Clause */
#include "feedview.h"
#include "base/duration.h"
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

enum sek_feed_health sek_feedview_health(const struct sek_feed_row *row, int64_t now_s, char *out,
                                         size_t size)
{
    char age[24];
    bool failing = row->outcome == SEK_FEED_FAILED || row->outcome == SEK_FEED_REFUSED;
    const char *why = failing ? row->error : "nobody updates it";
    *out = '\0';
    if (now_s > sek_feed_expires_s(row)) {
        int64_t since_s = row->good_s ? row->good_s : row->added_s;
        snprintf(out, size, "EXPIRED: no good update for %s (%s); its list %s",
                 sek_duration_to_text(now_s - since_s, age, sizeof age), why,
                 row->list.list.mode == SEK_MODE_OFF ? "is off" : "stays in force");
        return SEK_FEED_EXPIRED;
    }
    if (!failing)
        return SEK_FEED_WELL;
    snprintf(out, size, "the last update %s: %s",
             row->outcome == SEK_FEED_REFUSED ? "was refused" : "failed", row->error);
    return SEK_FEED_FAILING;
}

struct sum {
    struct sek_feedview *view;
    int64_t now_s;
};

static bool add(void *arg, const struct sek_feed_row *row)
{
    struct sum *s = arg;
    char text[560];
    enum sek_feed_health health = sek_feedview_health(row, s->now_s, text, sizeof text);
    s->view->n++;
    s->view->n_failing += health == SEK_FEED_FAILING;
    s->view->n_expired += health == SEK_FEED_EXPIRED;
    if (health > s->view->worst) {
        s->view->worst = health;
        snprintf(s->view->trouble, sizeof s->view->trouble, "%s: %s", row->list.list.name, text);
    }
    return true;
}

enum sek_err sek_feedview_sum(struct sek_policydb *db, int64_t now_s, struct sek_feedview *out,
                              struct sek_diag *diag)
{
    struct sum s = {.view = out, .now_s = now_s};
    *out = (struct sek_feedview){0};
    return sek_feeds(db, add, &s, diag);
}
