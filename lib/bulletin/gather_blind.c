/* SPDX-License-Identifier: BSD-3-Clause */
/* Where nobody looks, or nothing was written down. */
#include "bulletin/gather_parts.h"
#include "event/status.h"
#include "store/feeds.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

static void add(struct sek_bulletin *b, enum sek_blind kind, bool serious, uint64_t n,
                int64_t from_s, int64_t until_s, const char *what)
{
    struct sek_bulletin_blind *out = sek__gather_blind(b, kind, serious);
    if (!out)
        return;
    out->n = n;
    out->from_s = from_s;
    out->until_s = until_s;
    snprintf(out->what, sizeof out->what, "%s", what);
}

/* --- the resolver ------------------------------------------------------------------------------
 */

static void look_at_resolver(struct sek__gather *g)
{
    struct sek_bulletin *b = g->b;
    const struct sek_status_page *mapped = NULL;
    struct sek_status_page page;
    bool alive = false;
    if (sek_status_open(g->ask->conf->status.path, &mapped, NULL) == SEK_OK) {
        sek_status_read(mapped, &page);
        alive = sek_status_alive(mapped, g->ask->now_s * 1000);
        sek_status_close(mapped);
    }
    if (!alive) {
        add(b, SEK_BLIND_DOWN, true, 0, 0, 0, "");
        return;
    }
    int64_t started_s = page.started_ms / 1000;
    uint64_t lost = page.counter[SEK_COUNTER_RING_DROPPED] +
                    page.counter[SEK_COUNTER_TALLY_LOST_HITS] +
                    page.counter[SEK_COUNTER_TALLY_LOST] + page.counter[SEK_COUNTER_FINDINGS_LOST];
    uint64_t unobserved = page.counter[SEK_COUNTER_UNOBSERVED];
    uint64_t leaked = page.counter[SEK_COUNTER_LEAKED];
    if (lost)
        add(b, SEK_BLIND_DROPPED, true, lost, started_s, 0, "");
    if (unobserved)
        add(b, SEK_BLIND_UNOBSERVED, true, unobserved, started_s, 0, "");
    if (leaked)
        add(b, SEK_BLIND_LEAKED, true, leaked, started_s, 0, "");
}

/* --- times without queries ---------------------------------------------------------------------
 */

static void look_at_gaps(struct sek_bulletin *b, const struct sek_period_gaps *gaps)
{
    int64_t end_s = gaps->last_s + 60;
    if (!gaps->first_s) {
        add(b, SEK_BLIND_EMPTY, true, 0, b->since_s, b->until_s, "");
        return;
    }
    if (gaps->first_s - b->since_s >= SEK_PERIOD_GAP_S)
        add(b, b->has_before ? SEK_BLIND_GAP : SEK_BLIND_BEGINS, true, 0,
            b->has_before ? b->since_s : gaps->first_s, gaps->first_s, "");
    for (unsigned i = 0; i < gaps->n_kept; i++)
        add(b, SEK_BLIND_GAP, true, 0, gaps->from_s[i], gaps->until_s[i], "");
    if (gaps->n > gaps->n_kept)
        add(b, SEK_BLIND_GAPS, true, gaps->n, 0, gaps->total_s, "");
    if (b->until_s - end_s >= SEK_PERIOD_GAP_S)
        add(b, SEK_BLIND_GAP, true, 0, end_s, b->until_s, "");
}

/* --- feeds and lists ---------------------------------------------------------------------------
 */

static bool take_feed(void *arg, const struct sek_feed_row *row)
{
    struct sek__gather *g = arg;
    if (sek_feed_expires_s(row) <= g->ask->now_s)
        add(g->b, SEK_BLIND_FEED_EXPIRED, true, 0, row->good_s, 0, row->list.list.name);
    else if (row->outcome == SEK_FEED_FAILED || row->outcome == SEK_FEED_REFUSED)
        add(g->b, SEK_BLIND_FEED_FAILING, true, 0, row->good_s, 0, row->list.list.name);
    return true;
}

static bool take_list(void *arg, const struct sek_list_row *row)
{
    struct sek__gather *g = arg;
    uint64_t n = 0;
    for (unsigned i = 0; i < g->b->n_deciders; i++)
        if (strcmp(g->b->deciders[i].key, row->list.name) == 0)
            n = g->b->deciders[i].monitored;
    if (row->list.mode == SEK_MODE_OFF)
        add(g->b, SEK_BLIND_LIST_OFF, false, 0, 0, 0, row->list.name);
    else if (row->list.mode == SEK_MODE_MONITOR)
        add(g->b, SEK_BLIND_LIST_MONITOR, false, n, 0, 0, row->list.name);
    return true;
}

static enum sek_err look_at_policy(struct sek__gather *g, struct sek_diag *diag)
{
    const struct sek_diag *why = g->ask->why;
    if (!g->ask->policy) {
        g->b->policy_closed = why && why->code && why->code != SEK_E_NOTFOUND;
        if (g->b->policy_closed)
            add(g->b, SEK_BLIND_POLICY, true, 0, 0, 0, why->text);
        return SEK_OK;
    }
    enum sek_err err = sek_feeds(g->ask->policy, take_feed, g, diag);
    return err ? err : sek_policydb_lists(g->ask->policy, take_list, g, diag);
}

/* --- detectors ---------------------------------------------------------------------------------
 */

/* Those of one mode together, their names with a blank between two. */
static void look_at_mode(struct sek_bulletin *b, enum sek_mode mode, enum sek_blind kind)
{
    char names[512] = "";
    size_t used = 0;
    uint64_t n = 0;
    for (int id = 1; id < SEK_BULLETIN_N_DETECTORS; id++) {
        const char *name = sek_lookup_name(sek_detector_names, id);
        if (b->detectors[id].mode != mode || used + strlen(name) + 2 > sizeof names)
            continue;
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", used ? " " : "", name);
        n += b->detectors[id].n;
    }
    if (used)
        add(b, kind, false, n, 0, 0, names);
}

enum sek_err sek__gather_blind_spots(struct sek__gather *g, const struct sek_period_gaps *gaps,
                                     struct sek_diag *diag)
{
    look_at_resolver(g);
    look_at_gaps(g->b, gaps);
    enum sek_err err = look_at_policy(g, diag);
    look_at_mode(g->b, SEK_MODE_OFF, SEK_BLIND_DETECTOR_OFF);
    look_at_mode(g->b, SEK_MODE_MONITOR, SEK_BLIND_DETECTOR_MONITOR);
    return err;
}
