/* SPDX-License-Identifier: BSD-3-Clause */
/* exception review: which exceptions want a decision, why, and by which command. One table of
 * checks; what cannot be known from the data there is says nothing. */
#include "base/duration.h"
#include "name/suffix.h"
#include "tools/change/decide.h"
#include "tools/command.h"
#include "tools/print/talk.h"
#include "tools/views/exceptpreview.h"
#include "tools/views/exceptview.h"
#include "tools/views/judge.h"
#include "store/report.h"
#include <inttypes.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(exception_review);

enum { OPT_UNUSED, OPT_ENDING, OPT_DECISIONS, OPT_REASON, OPT_DRY_RUN, N_OPTS };
const struct sek_arg sek_cmd_exception_review_args[] = {
    [OPT_UNUSED] = {"unused", 'u', SEK_ARG_DURATION, "TIME",
                    "that nobody made use of for so long; default exceptions.unused"},
    [OPT_ENDING] = {"ending", 'e', SEK_ARG_DURATION, "TIME",
                    "that end within it; default exceptions.warn"},
    [OPT_DECISIONS] = {"decisions", 'd', SEK_ARG_FLAG, NULL,
                       "print lines to be edited and given back: exception review -"},
    [OPT_REASON] = {"reason", 'r', SEK_ARG_TEXT, "TEXT", "of the decisions, for the audit trail"},
    [OPT_DRY_RUN] = {"dry-run", 'n', SEK_ARG_FLAG, NULL, "of decisions: write nothing"},
    [N_OPTS] = {0},
};

#define WAITING_S (3 * 86400) /* a request is forgotten then */
#define NAMES_MAX 50          /* below an exception's name that are judged */

enum { ID, RULE, FINDING, EVIDENCE, COMMAND, N_COLS };
static const struct sek_col cols[N_COLS] = {
    [ID] = {"id", "Id", SEK_COL_UINT},
    [RULE] = {"rule", "Name", SEK_COL_NAME},
    [FINDING] = {"finding", "Finding", SEK_COL_TEXT},
    [EVIDENCE] = {"evidence", "Evidence", SEK_COL_TEXT},
    [COMMAND] = {"command", "To act", SEK_COL_TEXT},
};

struct review {
    struct sek_context *c;
    const struct sek_conf *conf;
    struct sek_policydb *db;
    struct sek_report *report; /* NULL: no events.db */
    int64_t oldest_s;          /* what events.db reaches back to; INT64_MAX: to nothing */
    struct sek_judge judge;
    /* of the exception at hand: */
    const struct sek_exception *e;
    enum sek_exception_state state;
    char rule[SEK_NAME_TEXT_MAX + 2];
    enum sek_err err;
    uint64_t n;
    struct sek_buf again;
    bool decisions;
    int64_t decided; /* the last one that a decision was printed for: one is enough */
};

/* One finding. decision: a line of the batch, "revoke" or NULL; command: what to type. */
static void find(struct review *r, const char *finding, const char *decision, const char *command,
                 const char *fmt, ...) __attribute__((format(printf, 5, 6)));

static void find(struct review *r, const char *finding, const char *decision, const char *command,
                 const char *fmt, ...)
{
    char evidence[SEK_NAME_TEXT_MAX + 300], own[100];
    const char *text = command;
    struct sek_out *o = r->c->out;
    va_list args;
    va_start(args, fmt);
    vsnprintf(evidence, sizeof evidence, fmt, args);
    va_end(args);
    r->n++;
    if (decision)
        snprintf(own, sizeof own, "sekisho exception %s %" PRId64, decision, r->e->id), text = own;
    if (r->decisions) {
        struct sek_buf line;
        sek_buf_init(&line, 0);
        sek_buf_add_fmt(&line, "# %s: %s: %s", r->rule, finding, evidence);
        for (size_t i = 0; i < line.len; i++) /* an evidence must not begin a line of its own */
            if ((unsigned char)line.data[i] < ' ')
                line.data[i] = '?';
        bool acts = decision && strcmp(decision, "show") != 0 && r->decided != r->e->id;
        sek_buf_add_fmt(&line, "\n%s%s %" PRId64 "\n", acts ? "" : "# ",
                        decision ? decision : "show", r->e->id);
        sek_print(line.data ? line.data : "#\n");
        if (acts)
            r->decided = r->e->id;
        sek_buf_fini(&line);
        return;
    }
    sek_out_uint(o, ID, (uint64_t)r->e->id);
    sek_out_text(o, RULE, r->rule);
    sek_out_text(o, FINDING, finding);
    sek_out_text(o, EVIDENCE, evidence);
    sek_out_text(o, COMMAND, text);
    sek_out_row(o);
}

/* --- the command to ask for it again, for the same endpoints and questions ----------------------
 */

static void add_options(struct sek_buf *out, const char *option, const char *words)
{
    char word[SEK_NET_TEXT_MAX + SEK_LIST_NAME_MAX];
    for (const char *at = words; (at = sek_exception_word(at, word, sizeof word));)
        sek_buf_add_fmt(out, " --%s '%s'", option, word);
}

/* type=A,TXT schedule="mon-fri 08:00-18:00": in single marks, as a shell takes them. */
static void add_terms(struct sek_buf *out, const char *terms)
{
    for (const char *at = terms; *at; at += strspn(at, " ")) {
        size_t n_word = strcspn(at, "=");
        const char *value = at + n_word + (at[n_word] == '=');
        bool quoted = *value == '"';
        size_t n = strcspn(value + quoted, quoted ? "\"" : " ");
        sek_buf_add_fmt(out, " --%.*s '%.*s'", (int)n_word, at, (int)n, value + quoted);
        at = value + quoted + n;
        at += quoted && *at == '"';
    }
}

/* Valid until the next one. */
static const char *again(struct review *r, const char *rule)
{
    sek_buf_reset(&r->again);
    sek_buf_add_fmt(&r->again, "sekisho exception request '%s'", rule);
    add_options(&r->again, "group", r->e->groups);
    add_options(&r->again, "endpoint", r->e->endpoints);
    add_terms(&r->again, r->e->terms);
    sek_buf_add_text(&r->again, " --reason …");
    return r->again.failed ? "" : r->again.data;
}

static bool is_in_force(const struct review *r)
{
    return r->state == SEK_EXCEPTION_ACTIVE || r->state == SEK_EXCEPTION_EXPIRING;
}

/* --- by the clock and by people ------------------------------------------------------------------
 */

static void check_emergency(struct review *r)
{
    char at[32];
    if (sek_exception_is_emergency_open(r->e))
        find(r, "emergency", "reviewed", NULL, "made by %s at %s without approval, ticket %s",
             r->e->decided.who, sek_time_to_text(r->e->decided.time_s, at, sizeof at),
             r->e->ticket);
}

static void check_waiting(struct review *r)
{
    char age[24];
    int64_t age_s = r->c->now_s - r->e->requested.time_s;
    if (r->state == SEK_EXCEPTION_REQUESTED && age_s >= WAITING_S)
        find(r, "waiting", "show", NULL, "requested by %s, undecided for %s", r->e->requested.who,
             sek_duration_to_text(age_s, age, sizeof age));
}

static void check_ending(struct review *r)
{
    char left[24], end[32];
    int64_t left_s = r->e->end_s - r->c->now_s;
    bool soon = r->c->opt[OPT_ENDING].given ? left_s <= r->c->opt[OPT_ENDING].number
                                            : r->state == SEK_EXCEPTION_EXPIRING;
    if (is_in_force(r) && r->e->end_s && soon)
        find(r, "ends soon", NULL, again(r, r->rule), "ends in %s, at %s; owner %s",
             sek_duration_to_text(left_s, left, sizeof left),
             sek_time_to_text(r->e->end_s, end, sizeof end), r->e->owner);
}

static void check_due(struct review *r)
{
    char due[32];
    if (is_in_force(r) && r->e->review_s && r->e->review_s <= r->c->now_s)
        find(r, "review due", "reviewed", NULL, "unlimited, its review was due at %s; owner %s",
             sek_time_to_text(r->e->review_s, due, sizeof due), r->e->owner);
}

static void check_owner(struct review *r)
{
    if (is_in_force(r) && !getpwnam(r->e->owner))
        find(r, "owner gone", "revoke", NULL, "its owner %s is no user of this system any more",
             r->e->owner);
}

static void check_groups(struct review *r)
{
    struct sek_group_row row;
    char word[SEK_LIST_NAME_MAX];
    for (const char *at = r->e->groups;
         is_in_force(r) && (at = sek_exception_word(at, word, sizeof word));) {
        enum sek_err err = sek_policydb_group_get(r->db, word, r->c->now_s, &row, &r->c->diag);
        if (err == SEK_E_NOTFOUND)
            find(r, "group gone", "revoke", NULL, "it is for group %s, which is gone", word);
        else if (err)
            r->err = err;
    }
}

/* --- by what the rules say -----------------------------------------------------------------------
 */

struct entries {
    struct review *r;
    bool in_force; /* the exception's own rule is there */
    char list[SEK_LIST_NAME_MAX];
    int64_t listed_s;
    char own[2048];
};

static bool has_word(const char *words, const char *word)
{
    char one[SEK_LIST_NAME_MAX];
    for (const char *at = words; (at = sek_exception_word(at, one, sizeof one));)
        if (strcmp(one, word) == 0)
            return true;
    return false;
}

struct list_of {
    uint16_t id;
    struct sek_list_row row;
};

static bool list_take(void *arg, const struct sek_list_row *row)
{
    struct list_of *l = arg;
    if (row->list.id != l->id)
        return true;
    l->row = *row;
    return false;
}

static bool entry_take(void *arg, const struct sek_entry *x)
{
    struct entries *n = arg;
    struct review *r = n->r;
    struct list_of l = {.id = x->rule.list};
    r->err = sek_policydb_lists(r->db, list_take, &l, &r->c->diag);
    if (r->err)
        return false;
    enum sek_action action =
        x->rule.action ? (enum sek_action)x->rule.action : (enum sek_action)l.row.list.action;
    unsigned depth = (unsigned)(r->e->name.n_labels - x->name.n_labels);
    if (depth == 0 && x->rule.scope == r->e->scope && has_word(n->own, l.row.list.name))
        n->in_force = true;
    if (sek_action_blocks(action) && l.row.list.mode != SEK_MODE_OFF &&
        sek_scope_covers((enum sek_scope)x->rule.scope, depth) &&
        x->created_s > r->e->decided.time_s && x->created_s > n->listed_s) {
        n->listed_s = x->created_s;
        snprintf(n->list, sizeof n->list, "%s", l.row.list.name);
    }
    return true;
}

/* A list names it since it was approved; its own rule is not where it should be. */
static void check_rules(struct review *r)
{
    struct entries n = {.r = r};
    struct sek_name name;
    char at[32];
    if (!is_in_force(r) || !sek_exception_lists(r->e, n.own, sizeof n.own))
        return;
    for (unsigned up = 0; !r->err && up <= r->e->name.n_labels; up++) {
        sek_name_parent(&r->e->name, up, &name);
        enum sek_err err = sek_policydb_entries_at(r->db, &name, entry_take, &n, &r->c->diag);
        if (err)
            r->err = err;
    }
    if (*n.list)
        find(r, "contradicts a list", "revoke", NULL,
             "list %s has it since %s, after it was approved at %s", n.list,
             sek_time_to_text(n.listed_s, at, sizeof at),
             sek_time_to_text(r->e->decided.time_s, (char[32]){0}, 32));
    if (!n.in_force && !r->err)
        find(r, "not in force", NULL, "sekisho exception enforce",
             "its rule is not there: the lists of exceptions were changed by hand");
}

/* --- by what was asked for -----------------------------------------------------------------------
 */

struct asked {
    struct review *r;
    uint64_t n_names, n_refused, n_queries; /* with hits; of them refused, and how often */
    char name[SEK_NAME_TEXT_MAX];
    bool alone, blocked; /* decided without a list; blocked by one now */
};

static void blocks_take(void *arg, const struct sek_step *step)
{
    struct asked *a = arg;
    a->blocked |= sek_judge_blocks(step, a->r->c->now_s);
}

static void judge(struct asked *a, const struct sek_name *name)
{
    struct review *r = a->r;
    struct sek_verdict v;
    sek_judge_question(&r->judge, NULL, name, 0, r->c->now_s, &v, NULL, blocks_take, a);
}

static bool name_take(void *arg, const struct sek_hit_group *g)
{
    struct asked *a = arg;
    struct sek_name name;
    a->n_names++;
    if (g->blocked) {
        a->n_refused++;
        a->n_queries += g->blocked;
        snprintf(a->name, sizeof a->name, "%s", g->key);
    }
    if (sek_name_from_text(g->key, strlen(g->key), &name, NULL) == SEK_OK)
        judge(a, &name);
    return a->n_names < NAMES_MAX;
}

static bool list_alone(void *arg, const struct sek_hit_group *g)
{
    struct asked *a = arg;
    struct sek_list_row row;
    a->alone |= sek_policydb_list_get(a->r->db, g->key, &row, NULL) != SEK_OK;
    return true;
}

static enum sek_err asked_read(struct review *r, struct asked *a)
{
    const struct sek_hit_filter f = {.name = r->rule};
    enum sek_err err =
        sek_report_hit_groups(r->report, &f, SEK_GROUP_NAME, name_take, a, &r->c->diag);
    return err ? err
               : sek_report_hit_groups(r->report, &f, SEK_GROUP_LIST, list_alone, a, &r->c->diag);
}

/* Over-broad: of all names it covers one was ever refused. Safe: no list would block it. */
static void check_hits(struct review *r)
{
    struct asked a = {.r = r};
    char exact[SEK_NAME_TEXT_MAX + 2];
    if (!is_in_force(r) || !r->report || r->err)
        return;
    r->err = asked_read(r, &a);
    if (r->err)
        return;
    snprintf(exact, sizeof exact, "=%s", a.name);
    if (r->e->scope != SEK_SCOPE_EXACT && a.n_refused == 1)
        find(r, "over-broad", NULL, again(r, exact),
             "of all names it covers only %s was ever refused (%" PRIu64
             " quer%s): ask for that one, then revoke this",
             a.name, a.n_queries, a.n_queries == 1 ? "y" : "ies");
    if (r->e->scope != SEK_SCOPE_BELOW)
        judge(&a, &r->e->name);
    bool judged = r->e->scope != SEK_SCOPE_BELOW || a.n_names > 0;
    if (r->judge.policy && judged && !a.blocked && !a.alone && a.n_names < NAMES_MAX &&
        strncmp(r->e->answers, "finding", 7) != 0)
        find(r, "not needed", "revoke", NULL,
             "no list names it any more, nor any name below it that was refused: safe to end");
}

struct traffic {
    uint64_t queries;
};

static bool traffic_take(void *arg, const struct sek_traffic_row *row)
{
    ((struct traffic *)arg)->queries += row->queries;
    return true;
}

/* By registered domain, as traffic is counted: no query below it is none for the name. */
static void check_unused(struct review *r)
{
    int64_t unused_s =
        r->c->opt[OPT_UNUSED].given ? r->c->opt[OPT_UNUSED].number : r->conf->exceptions.unused_s;
    int64_t since_s = r->c->now_s - unused_s;
    struct traffic t = {0};
    struct sek_name domain;
    char text[SEK_NAME_TEXT_MAX], age[24];
    int labels = r->judge.suffix ? sek_suffix_registered(r->judge.suffix, &r->e->name) : -1;
    if (!is_in_force(r) || !r->report || labels < 0 || r->e->start_s > since_s ||
        r->oldest_s > since_s || r->err)
        return;
    sek_name_parent(&r->e->name, (unsigned)labels, &domain);
    sek_name_to_text(domain.octets, text);
    r->err = sek_report_traffic(r->report, since_s, 0, NULL, text, SEK_TRAFFIC_TOTAL, 0,
                                traffic_take, &t, &r->c->diag);
    if (!r->err && t.queries == 0)
        find(r, "unused", "revoke", NULL, "nobody asked for %s or a name below it for %s", text,
             sek_duration_to_text(unused_s, age, sizeof age));
}

/* --- all -----------------------------------------------------------------------------------------
 */

static void (*const checks[])(struct review *) = {
    check_emergency, check_waiting, check_ending, check_due,    check_owner,
    check_groups,    check_rules,   check_hits,   check_unused,
};

static bool review_one(void *arg, const struct sek_exception *e)
{
    struct review *r = arg;
    r->e = e;
    r->state = sek_exception_state(e, r->c->now_s, r->conf->exceptions.warn_s);
    sek_rule_to_text((enum sek_scope)e->scope, e->name.octets, r->rule);
    for (size_t i = 0; !r->err && i < sizeof checks / sizeof *checks; i++)
        checks[i](r);
    return r->err == SEK_OK;
}

static enum sek_err events_open(struct review *r)
{
    struct sek_diag why = {0};
    struct sek_eventsdb_facts f;
    enum sek_err err = sek_report_open(r->conf->events.db, &r->report, &why);
    r->oldest_s = INT64_MAX;
    if (!err)
        err = sek_report_facts(r->report, &f, &why);
    if (!err && f.oldest_ms)
        r->oldest_s = f.oldest_ms / 1000;
    if (err == SEK_E_NOTFOUND)
        sek_talk("there is no %s yet: whether exceptions are used is not known",
                 r->conf->events.db);
    else if (err)
        return sek_diag_set(&r->c->diag, err, "%s", why.text);
    return SEK_OK;
}

static enum sek_err look(struct sek_context *c)
{
    struct review r = {.c = c, .decisions = c->opt[OPT_DECISIONS].given};
    sek_buf_init(&r.again, 0);
    enum sek_err err = sek_change_look(c, &r.conf, &r.db);
    if (!err)
        err = events_open(&r);
    if (!err)
        err = sek_judge_open(c, r.conf, &r.judge);
    if (!err) {
        if (!r.decisions)
            sek_out_begin(c->out, "sekisho.exception_review/1", cols, N_COLS, SEK_OUT_ROWS);
        err = sek_exceptions(r.db, false, review_one, &r, &c->diag);
        if (!err)
            err = r.err;
        struct sek_diag end;
        enum sek_err end_err = r.decisions ? SEK_OK : sek_out_end(c->out, err ? &end : &c->diag);
        err = err ? err : end_err;
        sek_judge_close(&r.judge);
    }
    sek_buf_fini(&r.again);
    sek_report_close(r.report);
    sek_policydb_close(r.db);
    if (!err && r.n == 0)
        sek_talk("no exception wants a decision");
    return err;
}

static enum sek_err line_take(void *arg, const char *text, unsigned line)
{
    return sek_decisions_add_line(arg, text, line);
}

enum sek_err sek_cmd_exception_review(struct sek_context *c)
{
    struct sek_decisions d;
    if (c->n_args == 0)
        return look(c);
    if (strcmp(c->args[0], "-") != 0)
        return sek_context_usage(c, "decisions are read from standard input: exception review -");
    sek_decisions_init(&d, c);
    enum sek_err err = sek_context_words(c, 0, line_take, &d);
    if (!err && d.all.len == 0)
        sek_talk("no decisions");
    else if (!err)
        err = sek_decisions_run(&d, c->opt[OPT_DRY_RUN].given);
    sek_decisions_fini(&d);
    return err;
}
