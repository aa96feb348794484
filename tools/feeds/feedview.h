/* SPDX-License-Identifier: BSD-3-Clause */
/* What is wrong with feeds, in words, for all who tell of it. One thread. */
#pragma once
#include "store/feeds.h"

enum sek_feed_health { SEK_FEED_WELL, SEK_FEED_FAILING, SEK_FEED_EXPIRED };
/* out: one sentence without the feed's name, "" when all is well. */
enum sek_feed_health sek_feedview_health(const struct sek_feed_row *row, int64_t now_s, char *out,
                                         size_t size);

struct sek_feedview {
    unsigned n, n_failing, n_expired;
    enum sek_feed_health worst;
    char trouble[640]; /* of the worst one, with its name */
};
/* All of them. */
enum sek_err sek_feedview_sum(struct sek_policydb *db, int64_t now_s, struct sek_feedview *out,
                              struct sek_diag *diag);
