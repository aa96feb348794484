/* SPDX-License-Identifier: BSD-3-Clause */
#include "pastview.h"
#include "base/duration.h"
#include "findview.h"
#include "name/text.h"
#include "watch/detector.h"
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

#define YOUNG_S 60 /* so long without a judgement is not worth a word */

/* --- files -------------------------------------------------------------------------------------
 */

enum {
    F_PATH,
    F_FORMAT,
    F_RECORDS,
    F_UNREADABLE,
    F_ENDPOINTS,
    F_DOMAINS,
    F_FIRST,
    F_LAST,
    F_BLOCKED,
    F_RECORDED,
    F_COLS
};
static const struct sek_col file_cols[] = {
    [F_PATH] = {"file", "File", SEK_COL_TEXT},
    [F_FORMAT] = {"format", "Format", SEK_COL_TEXT},
    [F_RECORDS] = {"records", "Records", SEK_COL_UINT},
    [F_UNREADABLE] = {"unreadable", "Unreadable", SEK_COL_UINT},
    [F_ENDPOINTS] = {"endpoints", "Endpoints", SEK_COL_UINT},
    [F_DOMAINS] = {"domains", "Domains", SEK_COL_UINT},
    [F_FIRST] = {"first", "First (UTC)", SEK_COL_TIME_MS},
    [F_LAST] = {"last", "Last (UTC)", SEK_COL_TIME_MS},
    [F_BLOCKED] = {"blocked", "Blocked", SEK_COL_UINT},
    [F_RECORDED] = {"recorded", "Only recorded", SEK_COL_UINT},
};

void sek_past_row_set(struct sek_past_row *row, const struct sek_replay_sum *sum)
{
    row->n_records = sum->n_records;
    row->n_endpoints = sum->endpoints.n;
    row->n_domains = sum->domains.n;
    row->n_blocked = sum->n_blocked;
    row->n_recorded = sum->n_recorded;
    row->first_ms = sum->first_ms;
    row->last_ms = sum->last_ms;
}

static void put_file(struct sek_out *o, const struct sek_past_row *row)
{
    sek_out_text(o, F_PATH, row->path);
    sek_out_text(o, F_FORMAT, *row->format ? row->format : NULL);
    sek_out_uint(o, F_RECORDS, row->n_records);
    sek_out_uint(o, F_UNREADABLE, row->n_unreadable);
    sek_out_uint(o, F_ENDPOINTS, row->n_endpoints);
    sek_out_uint(o, F_DOMAINS, row->n_domains);
    if (row->n_records) {
        sek_out_int(o, F_FIRST, row->first_ms);
        sek_out_int(o, F_LAST, row->last_ms);
    }
    sek_out_uint(o, F_BLOCKED, row->n_blocked);
    sek_out_uint(o, F_RECORDED, row->n_recorded);
    sek_out_row(o);
}

/* One file is its own total; programs find it there all the same. */
static void put_files(const struct sek_past *p)
{
    struct sek_out *o = p->c->out;
    struct sek_past_row total = {.path = "all files"};
    sek_out_begin(o, "sekisho.replay/1", file_cols, F_COLS, SEK_OUT_ROWS);
    for (unsigned i = 0; i < p->n_files; i++) {
        put_file(o, &p->files[i]);
        total.n_unreadable += p->files[i].n_unreadable;
    }
    sek_past_row_set(&total, sek_replay_total(p->replay));
    if (sek_out_format(o) == SEK_OUT_TABLE && p->n_files < 2)
        return;
    if (sek_out_format(o) != SEK_OUT_TABLE)
        sek_out_part(o, "total", file_cols, F_COLS, SEK_OUT_ROWS);
    put_file(o, &total);
}

/* --- what was met at once ----------------------------------------------------------------------
 */

enum { M_BY, M_WHAT, M_ACTION, M_BLOCKED, M_QUERIES, M_ENDPOINTS, M_COLS };
static const struct sek_col met_cols[] = {
    [M_BY] = {"by", "Met at once", SEK_COL_TEXT},
    [M_WHAT] = {"kind", "Kind", SEK_COL_TEXT},
    [M_ACTION] = {"action", "Action", SEK_COL_TEXT},
    [M_BLOCKED] = {"blocked", "Blocked", SEK_COL_FLAG},
    [M_QUERIES] = {"queries", "Queries", SEK_COL_UINT},
    [M_ENDPOINTS] = {"endpoints", "Endpoints", SEK_COL_UINT},
};

static void put_mets(const struct sek_past *p)
{
    struct sek_out *o = p->c->out;
    unsigned n;
    const struct sek_replay_met *mets = sek_replay_mets(p->replay, &n);
    sek_out_part(o, "met", met_cols, M_COLS, SEK_OUT_ROWS);
    for (unsigned i = 0; i < n; i++) {
        const struct sek_replay_met *m = &mets[i];
        sek_out_text(o, M_BY, m->by);
        sek_out_text(o, M_WHAT,
                     m->list ? "list" : sek_lookup_name(sek_trigger_names, (int)m->trigger));
        sek_out_text(o, M_ACTION, sek_lookup_name(sek_action_names, (int)m->would));
        sek_out_flag(o, M_BLOCKED, m->blocked);
        sek_out_uint(o, M_QUERIES, m->n_queries);
        sek_out_uint(o, M_ENDPOINTS, m->endpoints.n);
        sek_out_row(o);
    }
}

/* --- findings and what they would block --------------------------------------------------------
 */

static bool one_finding(void *arg, const struct sek_finding_row *f)
{
    return sek_find_view_row(arg, f);
}

static enum sek_err put_findings(const struct sek_past *p, struct sek_report *findings)
{
    const char *members[SEK_FIND_MEMBERS_MAX];
    const struct sek_finding_filter filter = {.members = members,
                                              .n_members = sek_find_members(members)};
    struct sek_find_view view;
    sek_find_view_part(&view, p->c, "findings");
    enum sek_err e = sek_report_findings(findings, &filter, one_finding, &view, &p->c->diag);
    sek_find_view_fini(&view);
    return e;
}

enum { B_DOMAIN, B_BY, B_ENDPOINT, B_FROM, B_UNTIL, B_QUERIES, B_IN_FORCE, B_COLS };
static const struct sek_col block_cols[] = {
    [B_DOMAIN] = {"domain", "Would be blocked", SEK_COL_NAME},
    [B_BY] = {"detector", "By detector", SEK_COL_TEXT},
    [B_ENDPOINT] = {"endpoint", "Found at endpoint", SEK_COL_TEXT},
    [B_FROM] = {"from", "From (UTC)", SEK_COL_TIME},
    [B_UNTIL] = {"until", "Until (UTC)", SEK_COL_TIME},
    [B_QUERIES] = {"queries", "Queries stopped", SEK_COL_UINT},
    [B_IN_FORCE] = {"in_force", "In force", SEK_COL_FLAG},
};

static void put_blocks(const struct sek_past *p)
{
    char endpoint[SEK_ADDR_TEXT_MAX], domain[SEK_NAME_TEXT_MAX];
    struct sek_out *o = p->c->out;
    unsigned n;
    const struct sek_replay_block *blocks = sek_replay_blocks(p->replay, &n);
    sek_out_part(o, "would_block", block_cols, B_COLS, SEK_OUT_ROWS);
    for (unsigned i = 0; i < n; i++) {
        const struct sek_replay_block *b = &blocks[i];
        sek_name_to_text(b->domain, domain);
        sek_out_text(o, B_DOMAIN, domain);
        sek_out_text(o, B_BY, sek_lookup_name(sek_detector_names, (int)b->by));
        sek_out_text(o, B_ENDPOINT, sek_addr_to_text(&b->endpoint, endpoint));
        sek_out_int(o, B_FROM, b->from_s);
        sek_out_int(o, B_UNTIL, b->until_s);
        sek_out_uint(o, B_QUERIES, b->n_queries);
        sek_out_flag(o, B_IN_FORCE, b->in_force);
        sek_out_row(o);
    }
}

/* --- what could not be judged ------------------------------------------------------------------
 */

enum { U_WHAT, U_WHY, U_HOW, U_COLS };
static const struct sek_col unjudged_cols[] = {
    [U_WHAT] = {"what", "Not judged", SEK_COL_TEXT},
    [U_WHY] = {"why", "Because", SEK_COL_TEXT},
    [U_HOW] = {"how", "What helps", SEK_COL_TEXT},
};

static void put_unjudged(struct sek_out *o, const char *what, const char *why, const char *how)
{
    sek_out_text(o, U_WHAT, what);
    sek_out_text(o, U_WHY, why);
    sek_out_text(o, U_HOW, how);
    sek_out_row(o);
}

static void put_history(const struct sek_past *p)
{
    char why[120], span[24], until[24];
    const struct sek_replay_sum *total = sek_replay_total(p->replay);
    int64_t settled_s = sek_replay_settled_s(p->replay);
    if (total->n_records == 0 || settled_s <= total->first_ms / 1000 + YOUNG_S)
        return;
    sek_duration_to_text(p->conf->domains.warm_up_s, span, sizeof span);
    if (settled_s > total->last_ms / 1000)
        snprintf(why, sizeof why, "no history of %s before the records tells what is new", span);
    else
        snprintf(why, sizeof why, "until %s there was no history of %s that tells what is new",
                 sek_time_to_text(settled_s, until, sizeof until), span);
    put_unjudged(p->c->out,
                 "newly observed domains and their rate; beacons; fast flux; short-lived domains; "
                 "tunnels over many domains; blocks by findings",
                 why, "--seed FILE (older logs), --seed-part 0.5, --history, or --warm-up 1s");
}

/* What an endpoint usually does is known only after a while. */
static void put_baseline(const struct sek_past *p)
{
    char why[120], learn[24];
    const struct sek_replay_sum *total = sek_replay_total(p->replay);
    int64_t learn_s = p->conf->surge.learn_s;
    if (total->n_records == 0 || (total->last_ms - total->first_ms) / 1000 > learn_s)
        return;
    sek_duration_to_text(learn_s, learn, sizeof learn);
    snprintf(why, sizeof why, "the records span less than the %s in which it is learned", learn);
    put_unjudged(p->c->out, "surges above what is usual", why, "longer logs, or surge.learn");
}

static void put_limits(const struct sek_past *p)
{
    struct sek_out *o = p->c->out;
    sek_out_part(o, "unjudged", unjudged_cols, U_COLS, SEK_OUT_ROWS);
    put_history(p);
    put_baseline(p);
    if (!p->policy)
        put_unjudged(o, "lists", "there is no compiled policy",
                     "sekisho list import (a list), then replay again");
    if (!p->model)
        put_unjudged(o, "machine-made names and series of them", "there is no model",
                     "classify.model in the settings");
}

enum sek_err sek_past_report(const struct sek_past *p, struct sek_report *findings)
{
    put_files(p);
    put_mets(p);
    enum sek_err err = put_findings(p, findings);
    put_blocks(p);
    put_limits(p);
    enum sek_err ended = sek_out_end(p->c->out, err ? NULL : &p->c->diag);
    return err ? err : ended;
}
