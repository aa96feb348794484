/* SPDX-License-Identifier: BSD-3-Clause */
#include "decide.h"
#include "base/duration.h"
#include "base/utf8.h"
#include "effect.h"
#include "groups.h"
#include "tools/command.h"
#include "tools/print/talk.h"
#include "tools/roles.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

static const struct sek_lookup verbs[] = {
    {SEK_EXCEPTION_APPROVE, "approve"}, {SEK_EXCEPTION_REJECT, "reject"},
    {SEK_EXCEPTION_REVOKE, "revoke"},   {SEK_EXCEPTION_REVIEW, "reviewed"},
    {SEK_EXCEPTION_ARCHIVE, "archive"}, {0, NULL},
};

struct work {
    struct sek_buf doubted; /* int64_t */
    struct sek_change change;
    struct sek_context *c;
    struct sek_origin who;
    enum sek_role role;
    const struct sek_decision *d;
    struct sek_exception e;
    int64_t warn_s;
};

/* --- reading -------------------------------------------------------------------------------------
 */

void sek_decisions_init(struct sek_decisions *d, struct sek_context *c)
{
    d->c = c;
    sek_buf_init(&d->all, 0);
}

void sek_decisions_fini(struct sek_decisions *d)
{
    sek_buf_fini(&d->all);
}

bool sek_exception_id_read(const char *text, int64_t *out)
{
    size_t n = strlen(text);
    if (n == 0 || n > 18 || *text == '0' || strspn(text, "0123456789") != n)
        return false;
    *out = strtoll(text, NULL, 10);
    return true;
}

enum sek_err sek_decisions_add(struct sek_decisions *d, enum sek_exception_act act,
                               const char *word, unsigned line, const char *note)
{
    struct sek_decision one = {.act = act, .line = line};
    char where[48] = "";
    if (line)
        snprintf(where, sizeof where, "standard input, line %u: ", line);
    if (!sek_exception_id_read(word, &one.id))
        return sek_context_usage(
            d->c, "%s\"%.100s\" is no exception's number, see: sekisho exception list", where,
            word);
    if (strlen(note) >= sizeof one.note)
        return sek_context_usage(d->c, "%sa note has at most %zu octets", where,
                                 sizeof one.note - 1);
    if (act == SEK_EXCEPTION_REJECT && sek_utf8_is_blank(note, strlen(note)))
        return sek_context_usage(d->c, "%sa rejection needs --reason: whoever asked will want it",
                                 where);
    memcpy(one.note, note, strlen(note) + 1);
    sek_buf_add(&d->all, &one, sizeof one);
    return SEK_OK;
}

enum sek_err sek_decisions_add_line(struct sek_decisions *d, const char *text, unsigned line)
{
    static const char blank[] = " \t";
    char verb[16], id[24];
    size_t n_verb = strcspn(text, blank);
    const char *rest = text + n_verb + strspn(text + n_verb, blank);
    size_t n_id = strcspn(rest, blank);
    snprintf(verb, sizeof verb, "%.*s", n_verb < sizeof verb ? (int)n_verb : 0, text);
    snprintf(id, sizeof id, "%.*s", n_id < sizeof id ? (int)n_id : 0, rest);
    int act = sek_lookup_id(verbs, verb);
    if (act < 0)
        return sek_context_usage(d->c,
                                 "standard input, line %u: \"%.60s\" is no decision: approve, "
                                 "reject, revoke, reviewed or archive, then a number, then a note",
                                 line, text);
    rest += n_id;
    return sek_decisions_add(d, (enum sek_exception_act)act, id, line, rest + strspn(rest, blank));
}

/* --- shared with other commands ------------------------------------------------------------------
 */

enum sek_err sek_exception_find(struct sek_context *c, struct sek_policydb *db, int64_t id,
                                struct sek_exception *out)
{
    enum sek_err err = sek_exception_get(db, id, out, &c->diag);
    if (err == SEK_E_NOTFOUND)
        sek_context_none(c, "there is no exception %" PRId64 "; sekisho exception list shows them",
                         id);
    return err;
}

void sek_exception_step_by(struct sek_context *c, const struct sek_origin *who,
                           enum sek_exception_act act, const char *note,
                           struct sek_exception_step *out)
{
    *out = (struct sek_exception_step){.act = (uint8_t)act, .time_s = c->now_s, .uid = who->uid};
    snprintf(out->who, sizeof out->who, "%s", who->user);
    snprintf(out->note, sizeof out->note, "%s", note);
}

struct doubting {
    struct sek_change *ch;
    struct sek_buf *ids, texts;
};

static void doubt(void *arg, int64_t exception, int64_t number, const char *problem)
{
    struct doubting *d = arg;
    struct sek_exception e;
    int64_t now_s = d->ch->c->now_s;
    (void)number;
    if (sek_exception_get(d->ch->db, exception, &e, NULL) ||
        sek_exception_state(&e, now_s, 0) >= SEK_EXCEPTION_EXPIRED)
        return; /* it lets nothing through; audit verify tells of it */
    sek_buf_add(d->ids, &exception, sizeof exception);
    sek_buf_add(&d->texts, problem, strlen(problem) + 1);
}

enum sek_err sek_exceptions_doubt(struct sek_change *ch, struct sek_buf *ids)
{
    struct doubting d = {.ch = ch, .ids = ids};
    sek_buf_init(&d.texts, 0);
    enum sek_err err = sek_audit_exceptions(ch->db, doubt, &d, &ch->c->diag);
    if (!err && (ids->failed || d.texts.failed))
        err = sek_diag_set(&ch->c->diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    for (size_t at = 0; !err && at < d.texts.len; at += strlen(d.texts.data + at) + 1)
        sek_talk("%s; it gets no new rule: see sekisho audit verify", d.texts.data + at);
    sek_buf_fini(&d.texts);
    return err;
}

enum sek_err sek_exceptions_end(struct sek_change *ch, const struct sek_buf *doubted)
{
    bool changed = false;
    const struct sek_exceptions_doubted these = {(const void *)doubted->data,
                                                 doubted->len / sizeof(int64_t)};
    enum sek_err err =
        sek_exceptions_enforce(ch->db, ch->who, ch->c->now_s, &these, &changed, &ch->c->diag);
    if (err)
        return err;
    return changed || ch->dry_run ? sek_change_end(ch) : sek_change_commit(ch);
}

void sek_exception_words(const struct sek_exception *e, struct sek_buf *out)
{
    char text[SEK_NAME_TEXT_MAX + 2], when[32];
    sek_buf_add(out, text, sek_rule_to_text((enum sek_scope)e->scope, e->name.octets, text));
    sek_buf_add_text(out, " for ");
    sek_exception_audience(e, out);
    if (*e->terms)
        sek_buf_add_fmt(out, ", %s", e->terms);
    if (e->start_s && (!e->decided.act || e->start_s > e->decided.time_s))
        sek_buf_add_fmt(out, " from %s", sek_time_to_text(e->start_s, when, sizeof when));
    if (e->end_s)
        sek_buf_add_fmt(out, " until %s", sek_time_to_text(e->end_s, when, sizeof when));
    else if (e->lifetime_s)
        sek_buf_add_fmt(out, ", %s from its start",
                        sek_duration_to_text(e->lifetime_s, when, sizeof when));
    else
        sek_buf_add_text(out, ", unlimited");
}

/* --- who may -------------------------------------------------------------------------------------
 */

static bool is_by(const struct sek_exception_step *step, const struct sek_origin *who)
{
    return step->uid == who->uid || strcmp(step->who, who->user) == 0;
}

static enum sek_err refuse(const struct work *w, const char *text)
{
    return sek_diag_set(&w->c->diag, SEK_E_REFUSED, "exception %" PRId64 " %s", w->e.id, text);
}

bool sek_exception_needs_other(const struct sek_conf *conf, const struct sek_exception *e)
{
    int rule = conf->exceptions.four_eyes;
    return rule == SEK_FOUR_EYES_ON || (rule == SEK_FOUR_EYES_WIDE && sek_exception_is_wide(e));
}

/* Another person than the one who asked. */
static enum sek_err other_eyes(const struct work *w, const char *verb)
{
    char text[300];
    if (!sek_exception_needs_other(w->change.conf, &w->e) || !is_by(&w->e.requested, &w->who))
        return SEK_OK;
    snprintf(text, sizeof text,
             "was requested by %s, and you are %s: another person must %s it (a site of one person "
             "sets exceptions.four-eyes: off)",
             w->e.requested.who, w->who.user, verb);
    return refuse(w, text);
}

/* "is active: approved by bob at …" */
static enum sek_err wrong_state(const struct work *w, enum sek_exception_state state)
{
    const struct sek_exception *e = &w->e;
    char text[200], when[32];
    const struct sek_exception_step *by = e->archived.act  ? &e->archived
                                          : e->revoked.act ? &e->revoked
                                          : e->decided.act ? &e->decided
                                                           : &e->requested;
    snprintf(text, sizeof text, "is %s (%s by %s at %s): there is nothing to %s",
             sek_lookup_name(sek_exception_state_names, (int)state),
             sek_lookup_name(sek_exception_act_names, by->act), by->who,
             sek_time_to_text(by->time_s, when, sizeof when),
             w->d->act == SEK_EXCEPTION_REVIEW ? "review" : sek_lookup_name(verbs, (int)w->d->act));
    return refuse(w, text);
}

/* --- the decisions -------------------------------------------------------------------------------
 */

static enum sek_err groups_exist(struct work *w)
{
    struct sek_group_row row;
    char word[SEK_LIST_NAME_MAX], text[160];
    for (const char *at = w->e.groups; (at = sek_exception_word(at, word, sizeof word));) {
        enum sek_err err =
            sek_policydb_group_get(w->change.db, word, w->c->now_s, &row, &w->c->diag);
        if (err == SEK_E_NOTFOUND) {
            snprintf(text, sizeof text, "is for group %s, which is gone: reject it", word);
            return refuse(w, text);
        }
        if (err)
            return err;
    }
    return SEK_OK;
}

/* Its times are settled now. */
static enum sek_err times_settle(struct work *w)
{
    struct sek_exception *e = &w->e;
    int64_t now_s = w->c->now_s, max_s = w->change.conf->exceptions.lifetime_max_s;
    char text[160], most[24];
    if (e->start_s < now_s)
        e->start_s = now_s;
    int64_t asked_s = e->lifetime_s ? e->lifetime_s : e->end_s ? e->end_s - e->start_s : 0;
    if (w->d->lifetime_s) {
        if (asked_s && w->d->lifetime_s > asked_s)
            return refuse(w, "was asked for a shorter time: it can be approved for less, not more");
        e->lifetime_s = asked_s = w->d->lifetime_s;
        e->end_s = 0;
    }
    if (e->lifetime_s)
        e->end_s = e->start_s + e->lifetime_s;
    if (asked_s > max_s) {
        snprintf(text, sizeof text,
                 "would last longer than exceptions.lifetime-max, %s: approve it "
                 "with --lifetime",
                 sek_duration_to_text(max_s, most, sizeof most));
        return refuse(w, text);
    }
    int64_t latest_s = now_s + SEK_EXCEPTION_REVIEW_S;
    if (!e->end_s && (!e->review_s || e->review_s > latest_s))
        e->review_s = latest_s;
    return sek_exception_set(w->change.db, e, &w->c->diag);
}

static enum sek_err approve(struct work *w, enum sek_exception_state state)
{
    if (state != SEK_EXCEPTION_REQUESTED)
        return wrong_state(w, state);
    enum sek_err err = other_eyes(w, "approve");
    if (!err)
        err = groups_exist(w);
    return err ? err : times_settle(w);
}

static enum sek_err reject(struct work *w, enum sek_exception_state state)
{
    return state == SEK_EXCEPTION_REQUESTED ? SEK_OK : wrong_state(w, state);
}

/* One's own at any time; those of others are an approver's. */
static enum sek_err revoke(struct work *w, enum sek_exception_state state)
{
    char text[200];
    if (state > SEK_EXCEPTION_EXPIRING)
        return wrong_state(w, state);
    bool own = is_by(&w->e.requested, &w->who) || strcmp(w->e.owner, w->who.user) == 0;
    if (own || w->role >= SEK_ROLE_APPROVER)
        return SEK_OK;
    snprintf(text, sizeof text, "is not yours (%s, owner %s): an approver may revoke it",
             w->e.requested.who, w->e.owner);
    return refuse(w, text);
}

static enum sek_err reviewed(struct work *w, enum sek_exception_state state)
{
    struct sek_exception *e = &w->e;
    bool emergency = sek_exception_is_emergency_open(e);
    bool yearly = e->review_s && sek_exception_in_force(e, w->c->now_s);
    if (!emergency && !yearly)
        return wrong_state(w, state);
    enum sek_err err = other_eyes(w, "review");
    if (err || !yearly)
        return err;
    e->review_s = w->c->now_s + SEK_EXCEPTION_REVIEW_S;
    return sek_exception_set(w->change.db, e, &w->c->diag);
}

static enum sek_err archive(struct work *w, enum sek_exception_state state)
{
    if (state < SEK_EXCEPTION_EXPIRED || state == SEK_EXCEPTION_ARCHIVED)
        return wrong_state(w, state);
    if (sek_exception_is_emergency_open(&w->e))
        return refuse(w, "was an emergency that nobody reviewed: sekisho exception reviewed first");
    return SEK_OK;
}

static enum sek_err check(struct work *w, enum sek_exception_state state)
{
    switch (w->d->act) {
    case SEK_EXCEPTION_APPROVE:
        return approve(w, state);
    case SEK_EXCEPTION_REJECT:
        return reject(w, state);
    case SEK_EXCEPTION_REVOKE:
        return revoke(w, state);
    case SEK_EXCEPTION_REVIEW:
        return reviewed(w, state);
    default:
        return archive(w, state);
    }
}

/* What makes it let something through must be what people asked for and approved. */
static enum sek_err is_trusted(struct work *w)
{
    const int64_t *ids = (const void *)w->doubted.data;
    bool grants = w->d->act == SEK_EXCEPTION_APPROVE || w->d->act == SEK_EXCEPTION_REVIEW;
    for (size_t i = 0; grants && i < w->doubted.len / sizeof *ids; i++)
        if (ids[i] == w->e.id)
            return refuse(w, "was changed outside of the command: revoke or reject it, and ask "
                             "anew");
    return SEK_OK;
}

static enum sek_err decide(struct work *w)
{
    struct sek_context *c = w->c;
    struct sek_exception_step step;
    struct sek_diag *diag = &c->diag;
    enum sek_err err = sek_exception_find(c, w->change.db, w->d->id, &w->e);
    if (!err)
        err = is_trusted(w);
    if (!err)
        err = check(w, sek_exception_state(&w->e, c->now_s, w->warn_s));
    if (err) {
        if (w->d->line && err != SEK_E_NOTFOUND)
            sek_diag_wrap(diag, "standard input, line %u", w->d->line);
        return err;
    }
    sek_exception_step_by(c, &w->who, w->d->act, w->d->note, &step);
    return sek_exception_step(w->change.db, &w->e, &step, diag);
}

static void say_done(struct work *w, size_t n)
{
    struct sek_buf words;
    const char *act = sek_lookup_name(sek_exception_act_names, (int)w->d->act);
    sek_buf_init(&words, 0);
    if (w->d->act == SEK_EXCEPTION_APPROVE)
        sek_exception_words(&w->e, &words);
    if (n > 1)
        sek_change_done(&w->change, "%zu decisions are made", n);
    else
        sek_change_done(&w->change, "exception %" PRId64 " %s%s%s", w->e.id, act,
                        words.len ? ": " : "", words.data ? words.data : "");
    sek_buf_fini(&words);
}

/* Is it let through now, as far as the resolver's policy goes? */
static void tell_effect(struct work *w)
{
    struct sek_target target = {.name = w->e.name, .scope = (enum sek_scope)w->e.scope};
    if (w->d->act == SEK_EXCEPTION_APPROVE && sek_exception_is_wide(&w->e) &&
        sek_exception_in_force(&w->e, w->c->now_s))
        sek_effect_tell(w->change.conf, w->c->now_s, SEK_EFFECT_ALLOWED, SEK_EXCEPTIONS_LIST,
                        &target, 1);
}

enum sek_err sek_decisions_run(struct sek_decisions *d, bool dry_run)
{
    struct sek_context *c = d->c;
    struct work w = {.c = c};
    const struct sek_decision *all = (const void *)d->all.data;
    size_t n = d->all.len / sizeof *all;
    if (n == 0)
        return sek_context_usage(c, "no exceptions are named");
    enum sek_err err = sek_change_begin(&w.change, c, dry_run);
    sek_origin_read(&w.who);
    if (!err) {
        w.role = sek_role_of(w.change.conf, &w.who);
        w.warn_s = w.change.conf->exceptions.warn_s;
    }
    sek_buf_init(&w.doubted, 0);
    if (!err)
        err = sek_exceptions_doubt(&w.change, &w.doubted);
    for (size_t i = 0; !err && i < n; i++) {
        w.d = &all[i];
        err = decide(&w);
    }
    if (!err) {
        char object[64];
        snprintf(object, sizeof object, "exception %" PRId64, w.e.id);
        if (n == 1)
            w.change.act.object = object;
        if (n == 1 && *w.d->note)
            w.change.act.reason = w.d->note;
        say_done(&w, n);
        err = sek_exceptions_end(&w.change, &w.doubted);
    }
    sek_buf_fini(&w.doubted);
    if (!err && !dry_run && n == 1)
        tell_effect(&w);
    return sek_change_fini(&w.change, err);
}
