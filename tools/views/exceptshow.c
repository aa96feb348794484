/* SPDX-License-Identifier: BSD-3-Clause */
#include "exceptshow.h"
#include "base/duration.h"
#include "exceptpreview.h"
#include "exceptview.h"
#include "judge.h"
#include "name/suffix.h"
#include "seen.h"
#include "store/report_answers.h"
#include "tools/change/decide.h"
#include "tools/print/talk.h"
#include "why.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

#define NEIGHBOURS_MAX 8
#define LISTS_MAX 8

struct looking {
    struct sek_context *c;
    const struct sek_conf *conf;
    struct sek_policydb *db;
    struct sek_report *report; /* NULL: no events.db */
    struct sek_exception e;
    struct sek_nets nets;
};

static enum sek_err open_events(struct looking *l)
{
    struct sek_diag why = {0};
    enum sek_err err = sek_report_open(l->conf->events.db, &l->report, &why);
    if (err == SEK_E_NOTFOUND)
        sek_talk("there is no %s yet: who asked is not known", l->conf->events.db);
    else if (err)
        return sek_diag_set(&l->c->diag, err, "%s", why.text);
    return SEK_OK;
}

/* --- steps ---------------------------------------------------------------------------------------
 */

enum { S_WHAT, S_WHO, S_AT, S_NOTE, S_COLS };
static const struct sek_col step_cols[S_COLS] = {
    [S_WHAT] = {"step", "Step", SEK_COL_TEXT},
    [S_WHO] = {"who", "By", SEK_COL_TEXT},
    [S_AT] = {"at", "At (UTC)", SEK_COL_TIME},
    [S_NOTE] = {"note", "Note", SEK_COL_TEXT},
};

static bool step_put(void *arg, const struct sek_exception_step *s)
{
    struct sek_out *o = arg;
    sek_out_text(o, S_WHAT, sek_lookup_name(sek_exception_act_names, s->act));
    sek_out_text(o, S_WHO, s->who);
    sek_out_int(o, S_AT, s->time_s);
    sek_out_text(o, S_NOTE, *s->note ? s->note : NULL);
    return sek_out_row(o);
}

/* --- facts ---------------------------------------------------------------------------------------
 */

enum { F_FACT, F_VALUE, F_COLS };
static const struct sek_col fact_cols[F_COLS] = {
    [F_FACT] = {"fact", "Fact", SEK_COL_TEXT},
    [F_VALUE] = {"value", "Value", SEK_COL_TEXT, "not known"},
};

static void fact(struct looking *l, const char *what, const char *value)
{
    sek_out_text(l->c->out, F_FACT, what);
    sek_out_text(l->c->out, F_VALUE, value && *value ? value : NULL);
    sek_out_row(l->c->out);
}

struct blockers {
    struct sek_buf text;
    unsigned n;
};

static void block_take(void *arg, const struct sek_step *step)
{
    struct blockers *b = arg;
    if (!step->list || !step->rule)
        return;
    enum sek_action action = step->action;
    if (!sek_action_blocks(action) || step->list->mode == SEK_MODE_OFF)
        return;
    if (b->n++ < LISTS_MAX)
        sek_buf_add_fmt(&b->text, "%s%s (%s, %s)", b->text.len ? ", " : "", step->list->name,
                        sek_lookup_name(sek_action_names, (int)action),
                        sek_lookup_name(sek_mode_names, step->list->mode));
}

/* The first endpoint it is for, where that is a single one. */
static bool is_for_one(const struct sek_exception *e, char *out, size_t size, struct sek_net *net)
{
    return sek_exception_word(e->endpoints, out, size) &&
           sek_net_from_text(out, net, NULL) == SEK_OK && net->bits == 128;
}

static void facts_of_policy(struct looking *l, struct sek_judge *j)
{
    struct blockers b = {.n = 0};
    struct sek_verdict v;
    struct sek_buf text;
    sek_buf_init(&b.text, 0);
    sek_buf_init(&text, 0);
    char who[SEK_NET_TEXT_MAX + 1];
    struct sek_net net;
    bool is_one = is_for_one(&l->e, who, sizeof who, &net);
    sek_judge_question(j, is_one ? &net.addr : NULL, &l->e.name, 0, l->c->now_s, &v, NULL,
                       block_take, &b);
    fact(l, "listed by", b.n ? b.text.data : "no list");
    if (v.trigger == SEK_TRIGGER_NONE)
        sek_buf_add_text(&text, "resolves: nothing blocks it");
    else
        sek_buf_add_fmt(&text, "%s by %s", sek_lookup_name(sek_action_names, (int)v.action),
                        v.list_name);
    sek_buf_add_fmt(&text, ", for %s", is_one ? who : SEK_JUDGE_NOBODY);
    fact(l, "decided now", text.data);
    sek_buf_reset(&text);
    if (j->classify) {
        struct sek_why why;
        sek_classify_explain(j->classify, &l->e.name, &why);
        sek_why_text(&l->e.name, &why, &text);
        fact(l, "looks", text.data);
    }
    sek_buf_fini(&b.text);
    sek_buf_fini(&text);
}

struct neighbours {
    const char *own;
    struct sek_buf text;
    char names[NEIGHBOURS_MAX][SEK_NAME_TEXT_MAX];
    unsigned n;
};

static bool neighbour_take(void *arg, const struct sek_answer_row *row)
{
    struct neighbours *x = arg;
    if (strcmp(row->domain, x->own) == 0)
        return true;
    for (unsigned i = 0; i < x->n; i++)
        if (strcmp(x->names[i], row->domain) == 0)
            return true;
    snprintf(x->names[x->n], sizeof x->names[0], "%s", row->domain);
    sek_buf_add_fmt(&x->text, "%s%s", x->n ? ", " : "", row->domain);
    return ++x->n < NEIGHBOURS_MAX;
}

/* Other domains that DNS gave the same address for. */
static void fact_neighbours(struct looking *l, const char *domain, const struct sek_addr *address)
{
    struct neighbours x = {.own = domain};
    struct sek_diag why = {0};
    sek_buf_init(&x.text, 0);
    if (sek_report_answers(l->report, address, 0, neighbour_take, &x, &why) == SEK_OK)
        fact(l, "neighbours", x.n ? x.text.data : "none: no other domain had that address");
    sek_buf_fini(&x.text);
}

static void facts_of_place(struct looking *l, struct sek_seen *seen,
                           const struct sek_seen_domain *d)
{
    const struct sek_first_row *first = &d->first;
    struct sek_geo_facts place = {0};
    struct sek_addr address;
    char text[SEK_NAME_TEXT_MAX + 200];
    if (!l->report || !d->has_first)
        return;
    snprintf(text, sizeof text, "%s for %s%s", first->endpoint, first->name,
             first->refused ? ", refused" : "");
    fact(l, "first asked by", text);
    if (sek_addr_from_text(first->address, &address, NULL))
        return;
    sek_geo_find(seen->geo, &address, &place);
    if (place.asn)
        snprintf(text, sizeof text, "%s, AS%u %s, %s", first->address, (unsigned)place.asn,
                 place.network, *place.country ? place.country : "country not known");
    else
        snprintf(text, sizeof text, "%s (network not known: see geo.asn)", first->address);
    fact(l, "first answer", text);
    fact_neighbours(l, d->text, &address);
}

/* How long the registered domain is known here, and where it led. */
static void facts_of_history(struct looking *l, const struct sek_judge *j)
{
    struct sek_seen seen;
    struct sek_seen_domain d;
    struct sek_name domain;
    char text[160], first[32], last[32], age[24];
    int labels = j->suffix ? sek_suffix_registered(j->suffix, &l->e.name) : -1;
    if (labels < 0)
        return;
    sek_name_parent(&l->e.name, (unsigned)labels, &domain);
    (void)sek_seen_open(l->c, &seen); /* a resolver that is new has none */
    l->c->diag = (struct sek_diag){0};
    bool found = sek_seen_find(&seen, &domain, &d);
    fact(l, "registered domain", d.text);
    snprintf(text, sizeof text, "never asked for, as far as is remembered");
    if (found)
        snprintf(text, sizeof text, "%s: first %s, last %s, about %u endpoint%s, %s",
                 sek_duration_to_text(l->c->now_s - d.first_s, age, sizeof age),
                 sek_time_to_text(d.first_s, first, sizeof first),
                 sek_time_to_text(d.last_s, last, sizeof last), (unsigned)d.endpoints,
                 d.endpoints == 1 ? "" : "s",
                 !d.in_history        ? "refused so far"
                 : d.history.resolved ? "resolved"
                                      : "never resolved");
    fact(l, "age here", text);
    if (found)
        facts_of_place(l, &seen, &d);
    sek_seen_close(&seen);
}

static enum sek_err facts(struct looking *l)
{
    struct sek_judge j;
    enum sek_err err = sek_judge_open(l->c, l->conf, &j);
    if (err)
        return err;
    sek_out_part(l->c->out, "facts", fact_cols, F_COLS, SEK_OUT_ROWS);
    facts_of_policy(l, &j);
    facts_of_history(l, &j);
    sek_judge_close(&j);
    return SEK_OK;
}

/* --- all of it -----------------------------------------------------------------------------------
 */

static enum sek_err show(struct looking *l, int64_t since_s)
{
    struct sek_context *c = l->c;
    struct sek_preview p = {
        .c = c, .report = l->report, .e = &l->e, .nets = &l->nets, .since_s = since_s};
    sek_except_view_record(c, &l->e);
    sek_out_part(c->out, "steps", step_cols, S_COLS, SEK_OUT_ROWS);
    enum sek_err err = sek_exception_steps(l->db, l->e.id, step_put, c->out, &c->diag);
    if (!err)
        err = facts(l);
    if (!err && l->report)
        err = sek_preview_endpoints(&p, true);
    if (!err && l->report)
        err = sek_preview_names(&p);
    struct sek_diag end;
    enum sek_err end_err = sek_out_end(c->out, err ? &end : &c->diag);
    if (!err && !end_err && l->report)
        sek_preview_tell(&p);
    return err ? err : end_err;
}

enum sek_err sek_except_show(struct sek_context *c, int64_t id, int64_t since_s)
{
    struct looking l = {.c = c};
    enum sek_err err = sek_change_look(c, &l.conf, &l.db);
    if (!err)
        err = sek_exception_find(c, l.db, id, &l.e);
    if (!err)
        err = sek_preview_nets(c, l.db, &l.e, &l.nets);
    if (!err)
        err = open_events(&l);
    if (!err)
        err = show(&l, since_s);
    sek_report_close(l.report);
    sek_nets_fini(&l.nets);
    sek_policydb_close(l.db);
    return err;
}
