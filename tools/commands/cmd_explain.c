/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/command.h"
#include "base/duration.h"
#include "event/event.h"
#include "event/status.h"
#include "tools/views/judge.h"
#include "tools/views/machines.h"
#include "name/qtype.h"
#include "policy/records.h"
#include "name/special.h"
#include "name/text.h"
#include "store/policydb.h"
#include "tools/print/talk.h"
#include "tools/views/why.h"
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "base/banned.h"

SEK_COMMAND(explain);

enum { OPT_CLIENT, OPT_TYPE, OPT_ANSWER, N_OPTS };
const struct sek_arg sek_cmd_explain_args[] = {
    [OPT_CLIENT] = {"client", 'e', SEK_ARG_TEXT, "ENDPOINT", "who asks; default: one in no group"},
    [OPT_TYPE] = {"type", 't', SEK_ARG_TEXT, "TYPE", "as asked with this type; default A"},
    [OPT_ANSWER] = {"answer", 'a', SEK_ARG_TEXT, "ADDRESS", "with this address in the answer"},
    [N_OPTS] = {0},
};

/* The question, and what judges it. */
struct question {
    struct sek_context *c;
    const struct sek_conf *conf;
    struct sek_name name;
    char text[SEK_NAME_TEXT_MAX];
    int qtype;
    bool has_client;
    struct sek_addr client;
    bool has_answer;
    struct sek_addr answer;
    struct sek_judge judge;
    struct sek_policydb *db;    /* NULL: not readable; steps lack who and why */
    struct sek_verdict verdict; /* filled by the walk */
    struct sek_detect_why why;
};

/* --- the name ------------------------------------------------------------- */

enum { Q_NAME, Q_UNICODE, Q_DOMAIN, Q_TYPE, Q_CLIENT, Q_GENERATION, Q_IN_FORCE, Q_COLS };
static const struct sek_col question_cols[] = {
    [Q_NAME] = {"name", "Name", SEK_COL_TEXT},
    [Q_UNICODE] = {"unicode", "  reads", SEK_COL_TEXT},
    [Q_DOMAIN] = {"domain", "Registered domain", SEK_COL_TEXT, "none"},
    [Q_TYPE] = {"type", "Type", SEK_COL_TEXT},
    [Q_CLIENT] = {"client", "Client", SEK_COL_TEXT, SEK_JUDGE_NOBODY},
    [Q_GENERATION] = {"generation", "Policy generation", SEK_COL_UINT, "no policy"},
    [Q_IN_FORCE] = {"in_force", "  in the resolver", SEK_COL_UINT, "not running"},
};

static void put_domain(struct question *q)
{
    const struct sek_suffix *suffix = q->judge.suffix;
    int n = suffix ? sek_suffix_registered(suffix, &q->name) : -1;
    char text[SEK_NAME_TEXT_MAX];
    if (n < 0)
        return;
    sek_name_to_text(q->name.octets + q->name.offset[n], text);
    sek_out_text(q->c->out, Q_DOMAIN, text);
}

static void put_in_force(struct question *q)
{
    const struct sek_status_page *page = NULL;
    if (sek_status_open(q->conf->status.path, &page, NULL))
        return;
    if (sek_status_alive(page, (int64_t)time(NULL) * 1000)) {
        struct sek_status_page copy;
        sek_status_read(page, &copy);
        sek_out_uint(q->c->out, Q_IN_FORCE, copy.in_force);
        if (q->judge.policy && copy.in_force != sek_policy_generation(q->judge.policy))
            sek_out_tint(q->c->out, Q_IN_FORCE, SEK_TINT_WARN);
    }
    sek_status_close(page);
}

static void print_question(struct question *q)
{
    struct sek_out *o = q->c->out;
    char unicode[SEK_NAME_TEXT_MAX], type[16], client[SEK_ADDR_TEXT_MAX];
    sek_out_begin(o, "sekisho.explain/1", question_cols, Q_COLS, SEK_OUT_RECORD);
    sek_out_text(o, Q_NAME, q->text);
    sek_name_to_unicode(q->name.octets, unicode);
    if (strcmp(unicode, q->text) != 0)
        sek_out_text(o, Q_UNICODE, unicode);
    put_domain(q);
    sek_out_text(o, Q_TYPE, sek_qtype_to_text(q->qtype, type, sizeof type));
    if (q->has_client)
        sek_out_text(o, Q_CLIENT, sek_addr_to_text(&q->client, client));
    if (q->judge.policy)
        sek_out_uint(o, Q_GENERATION, sek_policy_generation(q->judge.policy));
    put_in_force(q);
    sek_out_row(o);
}

/* --- the walk ------------------------------------------------------------- */

enum {
    S_DECIDES,
    S_MARK,
    S_RULE,
    S_LIST,
    S_MODE,
    S_ACTION,
    S_PRIORITY,
    S_EXPIRES,
    S_BECAUSE,
    S_WHO,
    S_ADDED,
    S_REASON,
    S_TERMS,
    S_OVERRIDES,
    S_COLS
};
static const struct sek_col step_cols[] = {
    [S_DECIDES] = {"decides", "Decides", SEK_COL_FLAG, NULL, 0, SEK_COL_MACHINE},
    [S_MARK] = {"mark", "", SEK_COL_TEXT, " ", 0, SEK_COL_PEOPLE},
    [S_RULE] = {"rule", "Rule", SEK_COL_NAME},
    [S_LIST] = {"list", "List", SEK_COL_TEXT},
    [S_MODE] = {"mode", "Mode", SEK_COL_TEXT},
    [S_ACTION] = {"action", "Action", SEK_COL_TEXT},
    [S_PRIORITY] = {"priority", "Priority", SEK_COL_INT},
    [S_EXPIRES] = {"expires", "Ends (UTC)", SEK_COL_TIME, "never"},
    [S_BECAUSE] = {"because", "Because", SEK_COL_TEXT},
    [S_WHO] = {"who", "Added by", SEK_COL_TEXT},
    [S_ADDED] = {"added", "Added (UTC)", SEK_COL_TIME},
    [S_REASON] = {"reason", "Reason", SEK_COL_TEXT},
    [S_TERMS] = {"terms", "Terms", SEK_COL_TEXT, NULL, 0, SEK_COL_FILLED},
    [S_OVERRIDES] = {"overrides", "In place of", SEK_COL_TEXT, NULL, 0, SEK_COL_FILLED},
};

struct wanted {
    struct sek_out *out;
    uint16_t list;
    uint8_t scope;
};

static bool put_entry(void *arg, const struct sek_entry *e)
{
    const struct wanted *w = arg;
    if (e->rule.list != w->list || e->rule.scope != w->scope)
        return true;
    sek_out_text(w->out, S_WHO, e->who);
    if (e->created_s)
        sek_out_int(w->out, S_ADDED, e->created_s);
    sek_out_text(w->out, S_REASON, e->comment);
    if (*e->terms)
        sek_out_text(w->out, S_TERMS, e->terms);
    return false;
}

static void tint_step(struct sek_out *o, const struct sek_step *step)
{
    for (unsigned i = 0; i < S_COLS; i++)
        sek_out_tint(o, i, step->decides ? SEK_TINT_NONE : SEK_TINT_FAINT);
}

/* What a group says of every name: it has no rule. */
static void print_restriction(struct sek_out *o, const struct sek_step *step)
{
    sek_out_flag(o, S_DECIDES, step->decides);
    sek_out_text(o, S_MARK, step->decides ? "→" : "");
    sek_out_text(o, S_RULE, ".");
    sek_out_text(o, S_LIST, step->group->name);
    sek_out_text(o, S_MODE, sek_lookup_name(sek_mode_names, step->group->mode));
    sek_out_text(o, S_ACTION, sek_lookup_name(sek_action_names, step->group->action));
    sek_out_text(o, S_BECAUSE, step->because);
    tint_step(o, step);
    sek_out_row(o);
}

/* When a rule that takes no part now will do so, within the next week. */
static int64_t next_part(const struct sek_step *step, int64_t now_s)
{
    int64_t at_s = now_s;
    while ((at_s = sek_termset_next(step->set, step->terms, at_s)) != 0 && at_s < now_s + 8 * 86400)
        if (at_s >= step->terms->start_s && sek_termset_holds_at(step->set, step->terms, at_s))
            return at_s;
    return at_s > now_s && at_s == step->terms->start_s ? at_s : 0;
}

/* Of a rule outside its hours: from when on it counts. */
static const char *because_of(const struct question *q, const struct sek_step *step, char *out,
                              size_t size)
{
    char when[32];
    if (!step->terms || (sek_termset_holds_at(step->set, step->terms, q->c->now_s) &&
                         step->terms->start_s <= q->c->now_s))
        return step->because;
    int64_t at_s = next_part(step, q->c->now_s);
    if (at_s == 0)
        return step->because;
    snprintf(out, size, "%s: from %s on", step->because, sek_time_to_text(at_s, when, sizeof when));
    return out;
}

static void print_step(void *arg, const struct sek_step *step)
{
    struct question *q = arg;
    struct sek_out *o = q->c->out;
    struct sek_name owner;
    char rule[SEK_NAME_TEXT_MAX + 2];
    const struct sek_list *list = step->list;
    if (!step->rule) {
        print_restriction(o, step);
        return;
    }
    char because[160];
    struct wanted w = {o, step->rule->list, step->rule->scope};
    if (step->owner) {
        owner = *step->owner;
        w.scope = SEK_SCOPE_EXACT;
    } else if (step->rule->about) {
        const struct sek_net net = sek_nets_met_net(
            step->rule->about == SEK_ABOUT_CLIENT_IP ? &q->client : &q->answer, step->depth);
        sek_about_from_net((enum sek_about)step->rule->about, &net, &owner);
        w.scope = SEK_SCOPE_EXACT;
    } else {
        sek_name_parent(&q->name, step->depth, &owner);
    }
    sek_rule_to_text((enum sek_scope)w.scope, owner.octets, rule);
    sek_out_flag(o, S_DECIDES, step->decides);
    sek_out_text(o, S_MARK, step->decides ? "→" : "");
    sek_out_text(o, S_RULE, rule);
    sek_out_text(o, S_ACTION, sek_lookup_name(sek_action_names, (int)step->action));
    if (step->overridden)
        sek_out_text(o, S_OVERRIDES,
                     sek_lookup_name(sek_action_names,
                                     step->rule->action ? step->rule->action : list->action));
    if (list) {
        sek_out_text(o, S_LIST, list->name);
        sek_out_text(o, S_MODE, sek_lookup_name(sek_mode_names, list->mode));
        sek_out_int(o, S_PRIORITY,
                    step->terms && (step->terms->given & SEK_TERMS_PRIORITY) ? step->terms->priority
                                                                             : list->priority);
    }
    if (step->rule->expires_s)
        sek_out_int(o, S_EXPIRES, step->rule->expires_s);
    sek_out_text(o, S_BECAUSE, because_of(q, step, because, sizeof because));
    if (q->db)
        (void)sek_policydb_entries_at(q->db, &owner, put_entry, &w, NULL);
    tint_step(o, step);
    sek_out_row(o);
}

/* --- the classifier ------------------------------------------------------------- */

enum {
    C_MODE,
    C_SCORE,
    C_RATIO,
    C_MONITOR,
    C_BLOCK,
    C_WHY,
    C_SEEN,
    C_ENDPOINTS,
    C_BECAUSE,
    C_COLS
};
static const struct sek_col classifier_cols[] = {
    [C_MODE] = {"mode", "Classifier", SEK_COL_TEXT},
    [C_SCORE] = {"score", "  score", SEK_COL_REAL},
    [C_RATIO] = {"log_ratio", "  log ratio", SEK_COL_REAL},
    [C_MONITOR] = {"monitor_ratio", "  recorded above", SEK_COL_REAL},
    [C_BLOCK] = {"block_ratio", "  may block above", SEK_COL_REAL},
    [C_WHY] = {"parts", "  parts", SEK_COL_TEXT},
    [C_SEEN] = {"domain_first_seen", "  domain seen since", SEK_COL_TIME},
    [C_ENDPOINTS] = {"domain_endpoints", "  endpoints, about", SEK_COL_UINT},
    [C_BECAUSE] = {"because", "  result", SEK_COL_TEXT},
};

/* Told also where the classifier is not asked: it may be what an exception hides. */
static void put_score(struct sek_out *o, const struct question *q)
{
    const struct sek_detect *d = &q->judge.detect;
    struct sek_why why;
    struct sek_buf text;
    if (!d->classify || sek_name_is_special(&q->name))
        return;
    sek_classify_explain(d->classify, &q->name, &why);
    if (why.score.llr <= SEK_CLASSIFY_NONE) /* too short to tell anything */
        return;
    sek_buf_init(&text, 0);
    sek_why_text(&q->name, &why, &text);
    sek_out_real(o, C_SCORE, sek_classify_probability(why.score.llr), 4);
    sek_out_real(o, C_RATIO, (double)why.score.llr, 2);
    sek_out_real(o, C_MONITOR, (double)d->monitor_llr, 2);
    sek_out_real(o, C_BLOCK, (double)d->block_llr, 2);
    sek_out_text(o, C_WHY, text.data ? text.data : "");
    sek_buf_fini(&text);
}

static void put_history(struct sek_out *o, const struct question *q)
{
    const struct sek_suffix *suffix = q->judge.suffix;
    struct sek_domain_seen seen;
    int n = suffix ? sek_suffix_registered(suffix, &q->name) : -1;
    if (n < 0 || !q->judge.domains ||
        !sek_domains_find(q->judge.domains, q->name.octets + q->name.offset[n],
                          (size_t)(q->name.len - q->name.offset[n]), &seen))
        return;
    sek_out_int(o, C_SEEN, seen.first_s);
    sek_out_uint(o, C_ENDPOINTS, seen.endpoints);
}

static void print_classifier(struct question *q)
{
    struct sek_out *o = q->c->out;
    sek_out_part(o, "classifier", classifier_cols, C_COLS, SEK_OUT_RECORD);
    sek_out_text(o, C_MODE, sek_lookup_name(sek_mode_names, (int)q->judge.detect.mode));
    put_score(o, q);
    put_history(o, q);
    sek_out_text(o, C_BECAUSE, q->why.because);
    sek_out_row(o);
}

/* --- newly observed domains ------------------------------------------------------------- */

enum { N_MODE, N_UNTIL, N_BECAUSE, N_COLS };
static const struct sek_col nod_cols[] = {
    [N_MODE] = {"mode", "Newly observed domains", SEK_COL_TEXT},
    [N_UNTIL] = {"new_until", "  newly observed until", SEK_COL_TIME},
    [N_BECAUSE] = {"because", "  result", SEK_COL_TEXT},
};

static void print_nod(struct question *q)
{
    struct sek_out *o = q->c->out;
    sek_out_part(o, "nod", nod_cols, N_COLS, SEK_OUT_RECORD);
    sek_out_text(o, N_MODE, sek_lookup_name(sek_nod_mode_names, (int)q->judge.detect.nod_mode));
    if (q->why.nod_until_s)
        sek_out_int(o, N_UNTIL, q->why.nod_until_s);
    sek_out_text(o, N_BECAUSE, q->why.nod_because);
    sek_out_row(o);
}

/* --- the verdict ------------------------------------------------------------- */

enum {
    V_READING,
    V_ACTION,
    V_WOULD,
    V_MONITOR,
    V_LIST,
    V_HIT,
    V_ANSWER,
    V_EDE,
    V_EDE_TEXT,
    V_COLS
};
static const struct sek_col verdict_cols[] = {
    [V_READING] = {"reading", "Verdict", SEK_COL_TEXT, NULL, 0, SEK_COL_PEOPLE},
    [V_ACTION] = {"action", "Action", SEK_COL_TEXT, NULL, 0, SEK_COL_MACHINE},
    [V_WOULD] = {"rule_action", "Rule's action", SEK_COL_TEXT, NULL, 0, SEK_COL_MACHINE},
    [V_MONITOR] = {"monitor", "Monitor", SEK_COL_FLAG, NULL, 0, SEK_COL_MACHINE},
    [V_LIST] = {"list", "  by", SEK_COL_TEXT},
    [V_HIT] = {"hit", "Recorded as a hit", SEK_COL_FLAG},
    [V_ANSWER] = {"answer", "Answer", SEK_COL_TEXT},
    [V_EDE] = {"ede", "Extended error", SEK_COL_UINT},
    [V_EDE_TEXT] = {"ede_text", "  text", SEK_COL_TEXT},
};

static int64_t ttl_of(const struct question *q)
{
    return q->verdict.ttl_s != SEK_TTL_OF_SETTINGS ? q->verdict.ttl_s : q->conf->answer.ttl_s;
}

static void describe_sinkhole(const struct question *q, char *out, size_t size)
{
    char v4[SEK_ADDR_TEXT_MAX], v6[SEK_ADDR_TEXT_MAX], ttl[24];
    sek_addr_to_text(&q->conf->answer.ipv4, v4);
    sek_addr_to_text(&q->conf->answer.ipv6, v6);
    sek_duration_to_text(ttl_of(q), ttl, sizeof ttl);
    if (q->qtype == 1)
        snprintf(out, size, "NOERROR, A %s, TTL %s", v4, ttl);
    else if (q->qtype == 28)
        snprintf(out, size, "NOERROR, AAAA %s, TTL %s", v6, ttl);
    else if (q->qtype == 255)
        snprintf(out, size, "NOERROR, A %s and AAAA %s, TTL %s", v4, v6, ttl);
    else
        snprintf(out, size, "NOERROR without data, SOA, TTL %s", ttl);
}

/* The terms of the rule that decided, and the set that they are of. */
static const struct sek_terms *terms_of(const struct question *q, const struct sek_termset **out)
{
    const struct sek_policy *p = q->judge.policy;
    *out = !p ? NULL : q->verdict.terms_new ? sek_policy_terms(p) : sek_policy_terms_below(p);
    return sek_termset_get(*out, q->verdict.terms);
}

static void describe_data(const struct question *q, char *out, size_t size)
{
    const struct sek_termset *set;
    const struct sek_terms *t = terms_of(q, &set);
    size_t n = 0;
    const uint8_t *data = t ? sek_termset_data(set, t, &n) : NULL, *at = data, *end = data + n;
    uint32_t ttl_s = sek_record_ttl(data, n, (uint16_t)q->qtype, (uint32_t)ttl_of(q));
    struct sek_record r;
    struct sek_buf text;
    char ttl[24];
    sek_buf_init(&text, 0);
    while (at && sek_record_next(&at, end, &r)) {
        bool alias = r.type == SEK_TYPE_CNAME;
        if (r.type == SEK_TYPE_TTL || (!alias && r.type != q->qtype && q->qtype != 255))
            continue;
        sek_buf_add_text(&text, text.len ? ", " : "NOERROR, ");
        (void)sek_record_to_text(&r, &text);
        if (alias && q->qtype != SEK_TYPE_CNAME && q->qtype != 255)
            sek_buf_add_text(&text, " and what that resolves to");
    }
    snprintf(out, size, "%.180s, TTL %s", text.len ? text.data : "NOERROR without data, SOA",
             sek_duration_to_text(ttl_s, ttl, sizeof ttl));
    sek_buf_fini(&text);
}

/* What the client will see, as module/answer.c makes it. */
static void describe(const struct question *q, char *out, size_t size)
{
    char ttl[24];
    sek_duration_to_text(ttl_of(q), ttl, sizeof ttl);
    switch (q->verdict.action) {
    case SEK_ACTION_NXDOMAIN:
        snprintf(out, size, "NXDOMAIN, SOA, TTL %s", ttl);
        break;
    case SEK_ACTION_NODATA:
        snprintf(out, size, "NOERROR without data, SOA, TTL %s", ttl);
        break;
    case SEK_ACTION_SINKHOLE:
        describe_sinkhole(q, out, size);
        break;
    case SEK_ACTION_REFUSED:
        snprintf(out, size, "REFUSED");
        break;
    case SEK_ACTION_DROP:
        snprintf(out, size, "none: the query is dropped");
        break;
    case SEK_ACTION_TCP_ONLY:
        snprintf(out, size, "truncated (TC), to be asked over TCP; there it is resolved");
        break;
    case SEK_ACTION_DATA:
        describe_data(q, out, size);
        break;
    case SEK_ACTION_DEFAULT:
    case SEK_ACTION_PASSTHRU:
    case SEK_ACTION_LOG:
        if (!q->judge.policy && q->conf->policy.strict)
            snprintf(out, size, "SERVFAIL: there is no policy, and policy.strict is on");
        else if (sek_judgement_of(&q->verdict) == SEK_JUDGED_EXEMPT)
            snprintf(out, size, "resolved; the exception also covers aliases on the way");
        else
            snprintf(out, size, "resolved; aliases (CNAME) on the way are judged as well");
        break;
    }
}

/* What the rule itself says; "" for nothing. */
static const char *ede_text_of(const struct question *q)
{
    const struct sek_termset *set;
    const struct sek_terms *t = terms_of(q, &set);
    return t ? sek_termset_ede_text(set, t) : "";
}

static void put_ede(const struct question *q)
{
    struct sek_out *o = q->c->out;
    const struct sek_verdict *v = &q->verdict;
    char text[600], by[SEK_VERDICT_BY_MAX], id[16] = "<id>"; /* differs by endpoint */
    if (!q->conf->answer.ede || !sek_action_blocks(v->action) || v->action == SEK_ACTION_DROP)
        return;
    if (q->has_client)
        snprintf(id, sizeof id, "%08x",
                 (unsigned)sek_event_decision_id(&q->client, q->name.octets, q->name.len,
                                                 (uint16_t)q->qtype, v->list, q->c->now_s / 60));
    const char *own = ede_text_of(q);
    snprintf(text, sizeof text, "%s%s; id %s%s%s",
             *own ? "" : "blocked: ", *own ? own : sek_verdict_by(v, by, sizeof by), id,
             *q->conf->answer.contact ? "; " : "", q->conf->answer.contact);
    sek_out_uint(o, V_EDE, v->ede);
    sek_out_text(o, V_EDE_TEXT, text);
}

static void print_verdict(struct question *q)
{
    struct sek_out *o = q->c->out;
    const struct sek_verdict *v = &q->verdict;
    char answer[320], reading[64];
    bool decided = v->trigger != SEK_TRIGGER_NONE;
    describe(q, answer, 256);
    if (sek_verdict_waits(v))
        snprintf(answer + strlen(answer), sizeof answer - strlen(answer), "%s",
                 "; unless a policy zone before it blocks what the answer carries");
    sek_out_part(o, "verdict", verdict_cols, V_COLS, SEK_OUT_RECORD);
    const char *would = sek_lookup_name(sek_action_names, (int)v->would);
    if (!decided)
        snprintf(reading, sizeof reading, "pass: no rule decides");
    else
        snprintf(reading, sizeof reading, "%s%s", v->monitor ? "pass: monitor mode, would " : "",
                 would);
    sek_out_text(o, V_READING, reading);
    sek_out_tint(o, V_READING, sek_action_blocks(v->action) ? SEK_TINT_BAD : SEK_TINT_GOOD);
    sek_out_text(o, V_ACTION, sek_lookup_name(sek_action_names, (int)v->action));
    sek_out_text(o, V_WOULD, would);
    sek_out_flag(o, V_MONITOR, v->monitor);
    if (decided)
        sek_out_text(o, V_LIST, v->list_name);
    sek_out_flag(o, V_HIT, sek_verdict_is_hit(v) && v->log != SEK_LOG_NONE);
    sek_out_text(o, V_ANSWER, answer);
    put_ede(q);
    sek_out_row(o);
}

/* --- the command ------------------------------------------------------------- */

static enum sek_err read_question(struct question *q)
{
    struct sek_context *c = q->c;
    const char *text = c->args[0];
    struct sek_diag why;
    if (sek_name_from_text(text, strlen(text), &q->name, &why))
        return sek_context_usage(c, "%s", why.text);
    sek_name_to_text(q->name.octets, q->text);
    q->qtype = 1;
    if (c->opt[OPT_TYPE].given)
        q->qtype = sek_qtype_from_text(c->opt[OPT_TYPE].text);
    if (q->qtype < 0)
        return sek_context_usage(c, "--type: \"%.100s\" is no query type", c->opt[OPT_TYPE].text);
    q->has_answer = c->opt[OPT_ANSWER].given;
    if (q->has_answer && sek_addr_from_text(c->opt[OPT_ANSWER].text, &q->answer, NULL))
        return sek_context_usage(c, "--answer: \"%.100s\" is no IP address",
                                 c->opt[OPT_ANSWER].text);
    q->has_client = c->opt[OPT_CLIENT].given;
    enum sek_err e = sek_context_conf(c, &q->conf);
    if (!e && q->has_client)
        e = sek_machines_now(c, "--client", c->opt[OPT_CLIENT].text, &q->client);
    return e;
}

static enum sek_err open_all(struct question *q)
{
    struct sek_diag why;
    enum sek_err e = sek_judge_open(q->c, q->conf, &q->judge);
    if (e)
        return e;
    e = sek_policydb_open(q->conf->policy.db, false, &q->db, &why);
    if (e && e != SEK_E_NOTFOUND)
        sek_talk("who added a rule and why is not shown: %s", why.text);
    return SEK_OK;
}

enum sek_err sek_cmd_explain(struct sek_context *c)
{
    struct question q = {.c = c};
    enum sek_err e = read_question(&q);
    if (!e)
        e = open_all(&q);
    if (e)
        return e;
    print_question(&q);
    sek_out_part(c->out, "steps", step_cols, S_COLS, SEK_OUT_ROWS);
    sek_judge_question(&q.judge, q.has_client ? &q.client : NULL, &q.name, (uint16_t)q.qtype,
                       c->now_s, &q.verdict, &q.why, print_step, &q);
    if (q.has_answer)
        sek_judge_answer(&q.judge, q.has_client ? &q.client : NULL, &q.name, (uint16_t)q.qtype,
                         &q.answer, c->now_s, &q.verdict, print_step, &q);
    print_classifier(&q);
    print_nod(&q);
    print_verdict(&q);
    sek_policydb_close(q.db);
    sek_judge_close(&q.judge);
    return sek_out_end(c->out, &c->diag);
}
