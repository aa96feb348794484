/* SPDX-License-Identifier: BSD-3-Clause */
#include "ask.h"
#include "base/duration.h"
#include "groups.h"
#include "policy/about.h"
#include "tools/command.h"
#include "tools/print/talk.h"
#include "tools/views/exceptview.h"
#include "tools/views/judge.h"
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

#define REASON_MAX 200 /* octets: an entry's comment holds it behind the exception's number */

struct ask {
    struct sek_buf doubted; /* of an emergency: sek_exceptions_doubt's */
    struct sek_change change;
    struct sek_context *c;
    const struct sek_arg_value *opt;
    struct sek_origin who;
    struct sek_nets nets;
    struct sek_exception proto; /* what all have in common */
    bool emergency;
    struct sek_buf made; /* struct sek_exception */
};

/* --- options -------------------------------------------------------------------------------------
 */

static enum sek_err take_text(struct ask *a, int opt, const char *name, char *out, size_t size)
{
    const char *text = a->opt[opt].given ? a->opt[opt].text : "";
    if (strlen(text) >= size)
        return sek_context_usage(a->c, "--%s: at most %zu octets", name, size - 1);
    memcpy(out, text, strlen(text) + 1);
    return SEK_OK;
}

static enum sek_err take_texts(struct ask *a)
{
    struct sek_exception *e = &a->proto;
    char reason[REASON_MAX + 1];
    enum sek_err err = take_text(a, SEK_ASK_REASON, "reason", reason, sizeof reason);
    if (!err)
        err = take_text(a, SEK_ASK_TICKET, "ticket", e->ticket, sizeof e->ticket);
    if (!err)
        err = take_text(a, SEK_ASK_CONDITION, "condition", e->condition, sizeof e->condition);
    if (!err)
        err = take_text(a, SEK_ASK_OWNER, "owner", e->owner, sizeof e->owner);
    if (err)
        return err;
    memcpy(e->reason, reason, strlen(reason) + 1);
    if (!*e->reason)
        return sek_context_usage(a->c, "--reason is required: the approver will ask");
    if (a->emergency && !*e->ticket)
        return sek_context_usage(a->c, "--ticket is required: an emergency leaves a trail");
    if (!*e->owner)
        snprintf(e->owner, sizeof e->owner, "%s", a->who.user);
    else if (!getpwnam(e->owner))
        return sek_context_usage(a->c,
                                 "--owner: there is no user %.60s on this system; somebody must "
                                 "answer for it",
                                 e->owner);
    return SEK_OK;
}

static bool word_add(char *out, size_t size, const char *word)
{
    size_t at = strlen(out);
    return (size_t)snprintf(out + at, size - at, "%s%s", at ? " " : "", word) < size - at;
}

/* Conditions as allow has them (policy/terms_text.h). */
static enum sek_err take_terms(struct ask *a)
{
    static const struct {
        int option;
        const char *word;
    } rows[] = {{SEK_ASK_TYPE, "type"}, {SEK_ASK_SCHEDULE, "schedule"}};
    struct sek_terms_spec spec = {0};
    struct sek_diag why = {0};
    for (size_t i = 0; !a->emergency && i < sizeof rows / sizeof *rows; i++)
        if (a->opt[rows[i].option].given &&
            sek_terms_add(&spec, rows[i].word, a->opt[rows[i].option].text, &why))
            return sek_context_usage(a->c, "--%s: %s", rows[i].word, why.text);
    return sek_terms_to_text(&spec, a->proto.terms, &a->c->diag);
}

static enum sek_err take_lifetime(struct ask *a, int64_t max_s, const char *most)
{
    struct sek_context *c = a->c;
    const struct sek_arg_value *v = &a->opt[SEK_ASK_LIFETIME];
    char text[24];
    a->proto.lifetime_s = v->given ? v->number : c->conf.exceptions.lifetime_s;
    if (a->proto.lifetime_s <= max_s)
        return SEK_OK;
    if (!v->given) {
        a->proto.lifetime_s = max_s;
        return SEK_OK;
    }
    return sek_context_usage(c, "--lifetime: at most %s (%s)",
                             sek_duration_to_text(max_s, text, sizeof text), most);
}

static enum sek_err take_until(struct ask *a)
{
    struct sek_context *c = a->c;
    struct sek_exception *e = &a->proto;
    int64_t from_s = e->start_s > c->now_s ? e->start_s : c->now_s;
    int64_t max_s = c->conf.exceptions.lifetime_max_s;
    char text[24];
    e->end_s = a->opt[SEK_ASK_UNTIL].number;
    if (e->end_s <= from_s)
        return sek_context_usage(c, "--until: that time is past, or before its start");
    if (e->end_s - from_s > max_s)
        return sek_context_usage(c, "--until: at most %s from its start (exceptions.lifetime-max)",
                                 sek_duration_to_text(max_s, text, sizeof text));
    return SEK_OK;
}

static enum sek_err take_unlimited(struct ask *a)
{
    struct sek_context *c = a->c;
    struct sek_exception *e = &a->proto;
    const struct sek_arg_value *review = &a->opt[SEK_ASK_REVIEW];
    if (!a->opt[SEK_ASK_OWNER].given)
        return sek_context_usage(c, "--unlimited needs --owner: somebody must answer for it");
    e->review_s = review->given ? review->number : c->now_s + SEK_EXCEPTION_REVIEW_S;
    if (e->review_s <= c->now_s || e->review_s > c->now_s + SEK_EXCEPTION_REVIEW_S)
        return sek_context_usage(c, "--review: a time to come, within a year");
    return SEK_OK;
}

static enum sek_err take_times(struct ask *a)
{
    struct sek_context *c = a->c;
    const struct sek_arg_value *o = a->opt;
    if (a->emergency)
        return take_lifetime(a, SEK_EXCEPTION_EMERGENCY_S,
                             "an emergency; ask for more by exception request");
    if (o[SEK_ASK_LIFETIME].given + o[SEK_ASK_UNTIL].given + o[SEK_ASK_UNLIMITED].given > 1)
        return sek_context_usage(c, "choose one of --lifetime, --until and --unlimited");
    if (o[SEK_ASK_REVIEW].given && !o[SEK_ASK_UNLIMITED].given)
        return sek_context_usage(c, "--review is for --unlimited: others end");
    if (o[SEK_ASK_START].given)
        a->proto.start_s = o[SEK_ASK_START].number;
    if (a->proto.start_s && a->proto.start_s <= c->now_s)
        return sek_context_usage(c, "--start: that time is past; without it, it starts when it is "
                                    "approved");
    if (o[SEK_ASK_UNTIL].given)
        return take_until(a);
    if (o[SEK_ASK_UNLIMITED].given)
        return take_unlimited(a);
    return take_lifetime(a, c->conf.exceptions.lifetime_max_s, "exceptions.lifetime-max");
}

/* --- whom it is for ------------------------------------------------------------------------------
 */

struct restricted {
    struct ask *a;
    struct sek_group_row group;
    bool found;
    char text[SEK_NET_TEXT_MAX];
};

static bool member_take(void *arg, const struct sek_member *m)
{
    struct restricted *r = arg;
    const struct sek_nets *nets = &r->a->nets;
    if (m->expires_s && m->expires_s <= r->a->c->now_s)
        return true;
    for (size_t i = 0; i < nets->n && !r->found; i++)
        if (sek_net_has(&m->net, &nets->items[i].addr)) {
            r->found = true;
            sek_net_to_text(&nets->items[i], r->text);
        }
    return !r->found;
}

static bool group_take(void *arg, const struct sek_group_row *row)
{
    struct restricted *r = arg;
    if (row->group.mode != SEK_MODE_BLOCK)
        return true;
    r->group = *row;
    (void)sek_policydb_members(r->a->change.db, row->group.id, member_take, r, &r->a->c->diag);
    return !r->found;
}

/* A restricted endpoint has only what is meant for the group that restricts it. */
static enum sek_err endpoints_check(struct ask *a)
{
    struct restricted r = {.a = a};
    enum sek_err err = sek_policydb_groups(a->change.db, a->c->now_s, group_take, &r, &a->c->diag);
    if (err || !r.found)
        return err;
    return sek_context_usage(a->c,
                             "%s is in group %s, which is restricted to what is meant for it: an "
                             "exception for the endpoint alone has no effect; use --group %s",
                             r.text, r.group.group.name, r.group.group.name);
}

static enum sek_err take_endpoints(struct ask *a, const char *endpoint)
{
    const struct sek_arg_value *v = &a->opt[SEK_ASK_ENDPOINT];
    struct sek_exception *e = &a->proto;
    char text[SEK_NET_TEXT_MAX];
    enum sek_err err = SEK_OK;
    for (int64_t i = 0; !err && v->given && i < v->number; i++)
        err = sek_nets_add(&a->nets, &a->change, v->texts[i]);
    if (!err && endpoint)
        err = sek_nets_add(&a->nets, &a->change, endpoint);
    for (size_t i = 0; !err && i < a->nets.n; i++)
        if (!word_add(e->endpoints, sizeof e->endpoints, sek_net_to_text(&a->nets.items[i], text)))
            err = sek_context_usage(a->c, "--endpoint: too many; make a group of them");
    return err || a->nets.n == 0 ? err : endpoints_check(a);
}

static enum sek_err take_groups(struct ask *a)
{
    const struct sek_arg_value *v = &a->opt[SEK_ASK_GROUP];
    struct sek_exception *e = &a->proto;
    struct sek_group_row row;
    enum sek_err err = SEK_OK;
    for (int64_t i = 0; !err && v->given && i < v->number; i++) {
        err = sek_group_find(&a->change, v->texts[i], &row);
        if (!err && !word_add(e->groups, sizeof e->groups, row.group.name))
            err = sek_context_usage(a->c, "--group: too many");
    }
    return err;
}

/* --- one exception -------------------------------------------------------------------------------
 */

struct twin {
    struct ask *a;
    const struct sek_exception *fresh;
    int64_t waiting, in_force;
};

static bool twin_take(void *arg, const struct sek_exception *e)
{
    struct twin *t = arg;
    const struct sek_exception *f = t->fresh;
    if (e->scope != f->scope || e->name.len != f->name.len ||
        memcmp(e->name.octets, f->name.octets, f->name.len) != 0 ||
        strcmp(e->groups, f->groups) != 0 || strcmp(e->terms, f->terms) != 0 ||
        strcmp(e->endpoints, f->endpoints) != 0)
        return true;
    if (sek_exception_state(e, t->a->c->now_s, 0) == SEK_EXCEPTION_REQUESTED)
        t->waiting = e->id;
    if (sek_exception_in_force(e, t->a->c->now_s))
        t->in_force = e->id;
    return true;
}

/* The same that waits for its decision would be approved twice. */
static enum sek_err twins_check(struct ask *a, const struct sek_exception *fresh)
{
    struct twin t = {.a = a, .fresh = fresh};
    enum sek_err err = sek_exceptions_at(a->change.db, &fresh->name, twin_take, &t, &a->c->diag);
    if (err)
        return err;
    if (t.waiting && !a->emergency)
        return sek_diag_set(&a->c->diag, SEK_E_EXISTS,
                            "exception %" PRId64 " asks for the same and waits for its approval",
                            t.waiting);
    if (t.in_force)
        sek_talk("exception %" PRId64 " lets that through already; the later end will count",
                 t.in_force);
    return SEK_OK;
}

static enum sek_err add(struct ask *a, const struct sek_target *target)
{
    struct sek_context *c = a->c;
    struct sek_exception e = a->proto;
    e.name = target->name;
    e.scope = (uint8_t)target->scope;
    if (sek_about_of(&e.name) != SEK_ABOUT_NAME)
        return sek_context_usage(c, "exceptions are about names that are asked for; for addresses "
                                    "and servers use sekisho allow");
    enum sek_err err = sek_change_guard(&a->change, &e.name, target->scope, SEK_ACTION_PASSTHRU,
                                        a->opt[SEK_ASK_FORCE].given, &c->diag);
    char lists[2048];
    if (!err && !sek_exception_lists(&e, lists, sizeof lists))
        err = sek_context_usage(c, "--group: its name is too long for a list GROUP-exceptions");
    if (!err)
        err = twins_check(a, &e);
    if (err)
        return err;
    sek_exception_step_by(c, &a->who, SEK_EXCEPTION_REQUEST, "", &e.requested);
    if (a->emergency) {
        sek_exception_step_by(c, &a->who, SEK_EXCEPTION_EMERGENCY, "", &e.decided);
        e.start_s = c->now_s;
        e.end_s = c->now_s + e.lifetime_s;
    }
    err = sek_exception_add(a->change.db, &e, &c->diag);
    if (!err)
        sek_buf_add(&a->made, &e, sizeof e);
    return err;
}

/* --- what is said --------------------------------------------------------------------------------
 */

struct blocked {
    int64_t now_s;
    bool by_list;
};

static void step_take(void *arg, const struct sek_step *step)
{
    struct blocked *b = arg;
    b->by_list |= sek_judge_blocks(step, b->now_s);
}

/* A request for what nothing blocks is mostly a slip in the name. */
static void tell_unblocked(struct ask *a)
{
    struct sek_judge judge;
    struct sek_verdict verdict;
    char text[SEK_NAME_TEXT_MAX];
    const struct sek_exception *all = (const void *)a->made.data;
    if (a->emergency || sek_judge_open(a->c, a->change.conf, &judge))
        return;
    for (size_t i = 0; i < a->made.len / sizeof *all; i++) {
        if (all[i].scope == SEK_SCOPE_BELOW)
            continue;
        struct blocked b = {.now_s = a->c->now_s};
        sek_judge_question(&judge, NULL, &all[i].name, 0, b.now_s, &verdict, NULL, step_take, &b);
        sek_name_to_text(all[i].name.octets, text);
        if (!sek_action_blocks(verdict.action) && !b.by_list)
            sek_talk("nothing blocks %s itself now; see sekisho explain %s", text, text);
    }
    sek_judge_close(&judge);
}

static enum sek_err tell(struct ask *a)
{
    struct sek_context *c = a->c;
    const struct sek_exception *all = (const void *)a->made.data;
    size_t n = a->made.len / sizeof *all;
    sek_except_view_begin(c, "sekisho.exceptions/1");
    for (size_t i = 0; i < n; i++)
        if (!sek_except_view_row(c, &all[i]))
            break;
    enum sek_err err = sek_out_end(c->out, &c->diag);
    if (!err && a->change.dry_run && !a->emergency)
        sek_talk("dry run: nothing is written");
    if (err || a->change.dry_run)
        return err;
    tell_unblocked(a);
    if (a->emergency)
        sek_talk("EMERGENCY: in force without approval; somebody else has to review it: sekisho "
                 "exception reviewed %" PRId64,
                 all[0].id);
    else
        sek_talk("%s to be decided by %s: sekisho exception show %" PRId64
                 ", then approve or reject it",
                 n == 1 ? "it is" : "they are",
                 sek_exception_needs_other(&c->conf, &all[0]) ? "another person" : "an approver",
                 all[0].id);
    return SEK_OK;
}

static enum sek_err end(struct ask *a)
{
    struct sek_change *ch = &a->change;
    const struct sek_exception *all = (const void *)a->made.data;
    char object[64];
    if (a->made.failed)
        return sek_diag_set(&a->c->diag, SEK_E_NOMEM, "too many names");
    snprintf(object, sizeof object, "exception %" PRId64, all[0].id);
    if (a->made.len == sizeof *all)
        ch->act.object = object;
    enum sek_err err = a->emergency  ? sek_exceptions_end(ch, &a->doubted)
                       : ch->dry_run ? SEK_OK
                                     : sek_change_commit(ch);
    return err ? err : tell(a);
}

enum sek_err sek_ask(struct sek_context *c, const struct sek_targets *targets, const char *answers,
                     const char *endpoint, bool emergency)
{
    struct ask a = {.c = c, .opt = c->opt, .emergency = emergency};
    sek_buf_init(&a.made, 0);
    sek_buf_init(&a.doubted, 0);
    sek_origin_read(&a.who);
    enum sek_err err = sek_change_begin(&a.change, c, c->opt[SEK_ASK_DRY_RUN].given);
    if (!err && emergency)
        err = sek_exceptions_doubt(&a.change, &a.doubted);
    if (!err)
        err = take_texts(&a);
    if (!err)
        err = take_terms(&a);
    if (!err)
        err = take_times(&a);
    if (!err)
        err = take_groups(&a);
    if (!err)
        err = take_endpoints(&a, endpoint);
    snprintf(a.proto.answers, sizeof a.proto.answers, "%s", answers);
    for (uint64_t i = 0; !err && i < targets->n; i++)
        err = add(&a, &targets->items[i]);
    if (!err)
        err = end(&a);
    sek_nets_fini(&a.nets);
    sek_buf_fini(&a.made);
    sek_buf_fini(&a.doubted);
    return sek_change_fini(&a.change, err);
}
