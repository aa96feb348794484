/* SPDX-License-Identifier: BSD-3-Clause */
/* Which lists earn their keep: what they were met for, what they share, what never was asked for.
 */
#include "tools/change/change.h"
#include "tools/command.h"
#include "name/text.h"
#include "store/overlap.h"
#include "store/report_lists.h"
#include "tools/print/talk.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(list_stats);

enum { OPT_SINCE, OPT_NEVER, N_OPTS };
const struct sek_arg sek_cmd_list_stats_args[] = {
    [OPT_SINCE] = {"since", 's', SEK_ARG_TIME, "TIME", "hits from then on; default: all there are"},
    [OPT_NEVER] = {"never-hit", 0, SEK_ARG_TEXT, "LIST",
                   "print the rules of LIST that nobody asked for"},
    [N_OPTS] = {0},
};

enum {
    S_LIST,
    S_MODE,
    S_ENTRIES,
    S_HITS,
    S_LAST,
    S_LAST_AGE,
    S_MET,
    S_NEVER,
    S_ELSEWHERE,
    S_MOST,
    S_SHARED,
    S_AGE,
    S_CHANGED,
    S_COLS
};
static const struct sek_col cols[] = {
    [S_LIST] = {"list", "List", SEK_COL_TEXT},
    [S_MODE] = {"mode", "Mode", SEK_COL_TEXT},
    [S_ENTRIES] = {"entries", "Entries", SEK_COL_UINT},
    [S_HITS] = {"hits", "Hits", SEK_COL_UINT},
    [S_LAST] = {"last_hit", "Last hit (UTC)", SEK_COL_TIME_MS, NULL, 0, SEK_COL_MACHINE},
    [S_LAST_AGE] = {"last_age_s", "Last hit", SEK_COL_DURATION, "none", 0, SEK_COL_PEOPLE},
    [S_MET] = {"rules_hit", "Rules hit", SEK_COL_UINT},
    [S_NEVER] = {"never_hit", "Never hit", SEK_COL_UINT},
    [S_ELSEWHERE] = {"names_elsewhere", "On others too", SEK_COL_UINT},
    [S_MOST] = {"shares_most_with", "Mostly", SEK_COL_TEXT},
    [S_SHARED] = {"shared", "Shared", SEK_COL_UINT, NULL, 0, SEK_COL_MACHINE},
    [S_AGE] = {"age_s", "Age", SEK_COL_DURATION, NULL, 0, SEK_COL_BOTH},
    [S_CHANGED] = {"changed", "Changed (UTC)", SEK_COL_TIME, NULL, 0, SEK_COL_MACHINE},
};

struct item {
    struct sek_list_row row;
    struct sek_overlap overlap;
    uint64_t n_hits, n_met; /* n_met: rules that are still there */
    int64_t last_ms;
};

struct stats {
    struct sek_context *c;
    struct sek_policydb *db;
    struct sek_buf items; /* struct item, by name */
    struct sek_buf met;   /* --never-hit: struct sek_rule_hits of that list */
    struct sek_diag *diag;
    enum sek_err err;
    bool have_hits;
};

static bool add_item(void *arg, const struct sek_list_row *row)
{
    struct stats *s = arg;
    struct item *i = sek_buf_grow(&s->items, sizeof *i);
    if (!i)
        return false;
    *i = (struct item){.row = *row};
    return true;
}

static size_t n_items(const struct stats *s)
{
    return s->items.len / sizeof(struct item);
}

static struct item *item_find(struct stats *s, const char *name)
{
    struct item *i = (void *)s->items.data;
    for (size_t n = n_items(s); n; n--, i++)
        if (strcmp(i->row.list.name, name) == 0)
            return i;
    return NULL;
}

/* Is a rule that was met still there? */
struct asked {
    const struct sek_rule_hits *hits;
    uint16_t list;
    bool found;
};

static bool is_entry(void *arg, const struct sek_entry *e)
{
    struct asked *a = arg;
    a->found |= e->rule.list == a->list && e->rule.scope == a->hits->scope;
    return !a->found;
}

static bool add_hits(void *arg, const struct sek_rule_hits *hits)
{
    struct stats *s = arg;
    struct item *i = item_find(s, hits->list);
    if (!i) /* a list that is gone */
        return true;
    struct asked a = {hits, i->row.list.id, false};
    s->err = sek_policydb_entries_at(s->db, &hits->owner, is_entry, &a, s->diag);
    i->n_hits += hits->n_hits;
    i->n_met += a.found;
    if (hits->last_ms > i->last_ms)
        i->last_ms = hits->last_ms;
    return s->err == SEK_OK;
}

/* Without an event database all but the hits is shown. */
static enum sek_err hits_read(struct stats *s, const struct sek_conf *conf, sek_rule_hits_fn *fn)
{
    struct sek_report *report = NULL;
    struct sek_diag why;
    enum sek_err err = sek_report_open(conf->events.db, &report, &why);
    if (err) {
        sek_talk("hits are not known: %s", why.text);
        return SEK_OK;
    }
    s->diag = &s->c->diag;
    err = sek_report_rule_hits(report, s->c->opt[OPT_SINCE].number, fn, s, &s->c->diag);
    s->have_hits = true;
    sek_report_close(report);
    return err ? err : s->err;
}

static enum sek_err overlap_read(struct stats *s)
{
    struct sek_progress progress;
    struct item *items = (void *)s->items.data;
    size_t n = n_items(s);
    uint16_t *ids = calloc(n, sizeof *ids);
    struct sek_overlap *out = calloc(n, sizeof *out);
    if (!ids || !out) {
        free(ids);
        free(out);
        return sek_diag_set(&s->c->diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    }
    for (size_t i = 0; i < n; i++)
        ids[i] = items[i].row.list.id;
    sek_progress_begin(&progress, "comparing");
    enum sek_err err = sek_overlap(s->db, ids, n, out, sek_progress_show, &progress, &s->c->diag);
    sek_progress_end(&progress);
    for (size_t i = 0; !err && i < n; i++)
        items[i].overlap = out[i];
    free(ids);
    free(out);
    return err;
}

static const char *name_of(struct stats *s, uint16_t id)
{
    const struct item *i = (const void *)s->items.data;
    for (size_t n = n_items(s); n; n--, i++)
        if (i->row.list.id == id)
            return i->row.list.name;
    return NULL;
}

static bool put_item(struct stats *s, const struct item *i)
{
    struct sek_out *o = s->c->out;
    char most[SEK_LIST_NAME_MAX + 32];
    sek_out_text(o, S_LIST, i->row.list.name);
    sek_out_text(o, S_MODE, sek_lookup_name(sek_mode_names, i->row.list.mode));
    sek_out_uint(o, S_ENTRIES, i->row.list.n_entries);
    if (s->have_hits) {
        sek_out_uint(o, S_HITS, i->n_hits);
        sek_out_uint(o, S_MET, i->n_met);
        sek_out_uint(o, S_NEVER, i->row.list.n_entries - i->n_met);
    }
    if (i->last_ms) {
        int64_t age_s = s->c->now_s - i->last_ms / 1000;
        sek_out_int(o, S_LAST, i->last_ms);
        sek_out_int(o, S_LAST_AGE, age_s > 0 ? age_s : 0);
    }
    sek_out_uint(o, S_ELSEWHERE, i->overlap.n_elsewhere);
    const char *with = i->overlap.most ? name_of(s, i->overlap.most) : NULL;
    if (with && sek_out_format(o) == SEK_OUT_TABLE) {
        snprintf(most, sizeof most, "%s (%" PRIu64 ")", with, i->overlap.n_most);
        sek_out_text(o, S_MOST, most);
    } else if (with) {
        sek_out_text(o, S_MOST, with);
    }
    sek_out_uint(o, S_SHARED, i->overlap.n_most);
    int64_t age_s = s->c->now_s - i->row.changed_s;
    sek_out_int(o, S_AGE, age_s > 0 ? age_s : 0);
    sek_out_int(o, S_CHANGED, i->row.changed_s);
    return sek_out_row(o);
}

static enum sek_err stats_show(struct stats *s, const struct sek_conf *conf)
{
    enum sek_err err = sek_policydb_lists(s->db, add_item, s, &s->c->diag);
    if (!err && s->items.failed)
        err = sek_diag_set(&s->c->diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    if (!err)
        err = hits_read(s, conf, add_hits);
    if (!err)
        err = overlap_read(s);
    if (err)
        return err;
    sek_out_begin(s->c->out, "sekisho.list-stats/1", cols, S_COLS, SEK_OUT_ROWS);
    const struct item *i = (const void *)s->items.data;
    for (size_t n = n_items(s); n && put_item(s, i); n--)
        i++;
    return sek_out_end(s->c->out, &s->c->diag);
}

/* --never-hit */

enum { N_RULE, N_CREATED, N_COLS };
static const struct sek_col never_cols[] = {
    [N_RULE] = {"rule", "Rule", SEK_COL_NAME},
    [N_CREATED] = {"added", "Added (UTC)", SEK_COL_TIME},
};

static bool add_met(void *arg, const struct sek_rule_hits *hits)
{
    struct stats *s = arg;
    if (strcmp(hits->list, s->c->opt[OPT_NEVER].text) != 0)
        return true;
    struct sek_rule_hits *met = sek_buf_grow(&s->met, sizeof *met);
    if (met)
        *met = *hits;
    return met != NULL;
}

static int met_compare(const void *a, const void *b)
{
    const struct sek_rule_hits *x = a, *y = b;
    int order = sek_name_compare(&x->owner, &y->owner);
    return order ? order : (int)x->scope - (int)y->scope;
}

static bool put_unless_met(void *arg, const struct sek_entry *e)
{
    struct stats *s = arg;
    struct sek_rule_hits key = {.owner = e->name, .scope = (enum sek_scope)e->rule.scope};
    char text[SEK_NAME_TEXT_MAX + 2];
    if (s->met.len && bsearch(&key, s->met.data, s->met.len / sizeof key, sizeof key, met_compare))
        return true;
    sek_rule_to_text(key.scope, e->name.octets, text);
    sek_out_text(s->c->out, N_RULE, text);
    sek_out_int(s->c->out, N_CREATED, e->created_s);
    return sek_out_row(s->c->out);
}

static enum sek_err never_show(struct stats *s, const struct sek_conf *conf)
{
    struct sek_context *c = s->c;
    struct sek_list_row row;
    enum sek_err err = sek_policydb_list_get(s->db, c->opt[OPT_NEVER].text, &row, &c->diag);
    if (err == SEK_E_NOTFOUND)
        return sek_context_none(c,
                                "there is no list %.64s; sekisho list show names those there are",
                                c->opt[OPT_NEVER].text);
    if (!err)
        err = hits_read(s, conf, add_met);
    if (!err && !s->have_hits)
        err = sek_diag_set(&c->diag, SEK_E_NOTFOUND, "without the event database nobody knows");
    if (!err && s->met.failed)
        err = sek_diag_set(&c->diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    if (err)
        return err;
    if (s->met.len)
        qsort(s->met.data, s->met.len / sizeof(struct sek_rule_hits), sizeof(struct sek_rule_hits),
              met_compare);
    sek_out_begin(c->out, "sekisho.never-hit/1", never_cols, N_COLS, SEK_OUT_ROWS);
    err = sek_policydb_entries(s->db, row.list.id, put_unless_met, s, &c->diag);
    struct sek_diag end;
    enum sek_err end_err = sek_out_end(c->out, err ? &end : &c->diag);
    return err ? err : end_err;
}

enum sek_err sek_cmd_list_stats(struct sek_context *c)
{
    const struct sek_conf *conf;
    struct stats s = {.c = c};
    sek_buf_init(&s.items, 0);
    sek_buf_init(&s.met, 0);
    enum sek_err err = sek_change_look(c, &conf, &s.db);
    if (!err)
        err = c->opt[OPT_NEVER].given ? never_show(&s, conf) : stats_show(&s, conf);
    sek_policydb_close(s.db);
    sek_buf_fini(&s.items);
    sek_buf_fini(&s.met);
    return err;
}
