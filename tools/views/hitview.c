/* SPDX-License-Identifier: BSD-3-Clause */
#include "hitview.h"
#include "event/finding.h"
#include "name/qtype.h"
#include "why.h"
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

static enum sek_err read_name(struct sek_context *c, const char *option, const char *text,
                              char *out)
{
    struct sek_name name;
    enum sek_scope scope;
    struct sek_diag why;
    if (sek_rule_from_text(text, strlen(text), &scope, &name, &why))
        return sek_context_usage(c, "%s: %s", option, why.text);
    sek_rule_to_text(scope, name.octets, out);
    return SEK_OK;
}

void sek_hit_texts_fini(struct sek_hit_texts *texts)
{
    sek_buf_fini(&texts->endpoint);
    sek_nets_fini(&texts->members);
}

static enum sek_err read_endpoint(struct sek_context *c, const char *text,
                                  struct sek_hit_filter *out, struct sek_hit_texts *texts)
{
    struct sek_diag why;
    if (strchr(text, '/')) {
        if (sek_net_from_text(text, &texts->net, &why))
            return sek_context_usage(c, "--endpoint: %s", why.text);
        out->net = &texts->net;
        return SEK_OK;
    }
    enum sek_err e = sek_machines_selector(c, "--endpoint", text, &texts->endpoint);
    out->endpoint = texts->endpoint.data;
    return e;
}

struct taking {
    struct sek_nets *nets;
    int64_t now_s;
    bool full;
};

static bool member_take(void *arg, const struct sek_member *m)
{
    struct taking *t = arg;
    bool is_now = !m->expires_s || m->expires_s > t->now_s;
    t->full |= is_now && !sek_nets_put(t->nets, &m->net);
    return !t->full;
}

static enum sek_err read_group(struct sek_context *c, const char *name, struct sek_hit_filter *out,
                               struct sek_hit_texts *texts)
{
    static const struct sek_net nobody[1];
    struct taking t = {.nets = &texts->members, .now_s = c->now_s};
    struct sek_policydb *db;
    struct sek_group_row group;
    const struct sek_conf *conf;
    enum sek_err e = sek_context_conf(c, &conf);
    if (!e)
        e = sek_policydb_open(conf->policy.db, false, &db, &c->diag);
    if (e)
        return e;
    e = sek_policydb_group_get(db, name, c->now_s, &group, &c->diag);
    if (!e)
        e = sek_policydb_members(db, group.group.id, member_take, &t, &c->diag);
    else if (e == SEK_E_NOTFOUND)
        e = sek_context_usage(c, "--member-of: there is no group %.64s", name);
    sek_policydb_close(db);
    if (!e && t.full)
        e = sek_diag_set(&c->diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    out->members = texts->members.n ? texts->members.items : nobody;
    out->n_members = texts->members.n;
    return e;
}

/* As hits --group detector names what decided. */
static enum sek_err read_detector(struct sek_context *c, const char *word,
                                  struct sek_hit_filter *out)
{
    int trigger = sek_lookup_id(sek_trigger_names, word);
    out->by = word;
    if (strcmp(word, "list") == 0 || sek_lookup_id(sek_detector_names, word) > 0 ||
        sek_trigger_decides_alone(trigger))
        return SEK_OK;
    char words[300] = "";
    size_t used = 0;
    for (const struct sek_lookup *d = sek_detector_names; d->name && used < sizeof words; d++)
        used += (size_t)snprintf(words + used, sizeof words - used, ", %s", d->name);
    return sek_context_usage(c,
                             "--detector: \"%.60s\" is none of: list, classifier, nod, canary, "
                             "rebinding, strict, finding%s",
                             word, words);
}

enum sek_err sek_hit_filter_read(struct sek_context *c, struct sek_hit_filter *out,
                                 struct sek_hit_texts *texts)
{
    const struct sek_arg_value *opt = c->opt;
    enum sek_err e = SEK_OK;
    memset(out, 0, sizeof *out);
    memset(texts, 0, sizeof *texts);
    sek_buf_init(&texts->endpoint, 0);
    if (opt[SEK_HIT_ENDPOINT].given)
        e = read_endpoint(c, opt[SEK_HIT_ENDPOINT].text, out, texts);
    if (!e && opt[SEK_HIT_GROUP].given)
        e = read_group(c, opt[SEK_HIT_GROUP].text, out, texts);
    if (!e && opt[SEK_HIT_DETECTOR].given)
        e = read_detector(c, opt[SEK_HIT_DETECTOR].text, out);
    if (!e && opt[SEK_HIT_RULE].given) {
        e = read_name(c, "--rule", opt[SEK_HIT_RULE].text, texts->rule);
        out->rule = texts->rule;
    }
    if (e)
        return e;
    if (opt[SEK_HIT_NAME].given) {
        e = read_name(c, "--name", opt[SEK_HIT_NAME].text, texts->name);
        if (e)
            return e;
        out->name = texts->name;
    }
    if (opt[SEK_HIT_TYPE].given) {
        out->qtype = sek_qtype_from_text(opt[SEK_HIT_TYPE].text);
        if (out->qtype < 0)
            return sek_context_usage(c, "--type: \"%.100s\" is no query type",
                                     opt[SEK_HIT_TYPE].text);
    }
    if (opt[SEK_HIT_LIST].given)
        out->list = opt[SEK_HIT_LIST].text;
    out->action = (int)opt[SEK_HIT_ACTION].number;
    out->monitor_only = opt[SEK_HIT_MONITOR].given;
    out->blocked_only = opt[SEK_HIT_BLOCKED].given;
    if (out->monitor_only && out->blocked_only)
        return sek_context_usage(c, "--monitor and --blocked exclude each other");
    return SEK_OK;
}

enum {
    LAST,
    FIRST,
    COUNT,
    ENDPOINT,
    MACHINE,
    NAME,
    TYPE,
    EFFECT,
    ACTION,
    WOULD,
    MONITOR,
    LIST,
    RULE,
    VIA,
    TRIGGER,
    MATCHED,
    DECISION,
    GENERATION,
    SCORE,
    WHY,
    MACHINE_NAME, /* and the three behind it: the order of tools/views/machines.h */
    MACHINE_MAC,
    MACHINE_OWNER,
    MACHINE_GROUP,
    DOMAIN,
    TRIAGE,
    N_COLS = TRIAGE + SEK_TRIAGE_COLS
};
static const struct sek_col cols[] = {
    [LAST] = {"last", "Last (UTC)", SEK_COL_TIME_MS, NULL, 20},
    [FIRST] = {"first", "First", SEK_COL_TIME_MS, NULL, 0, SEK_COL_MACHINE},
    [COUNT] = {"count", "Count", SEK_COL_UINT, NULL, 5},
    [ENDPOINT] = {"endpoint", "Endpoint", SEK_COL_TEXT, NULL, 15},
    [MACHINE] = SEK_MACHINE_COL,
    [NAME] = {"name", "Name", SEK_COL_NAME, NULL, 32},
    [TYPE] = {"type", "Type", SEK_COL_TEXT, NULL, 5},
    [EFFECT] = {"effect", "Action", SEK_COL_TEXT, NULL, 14, SEK_COL_PEOPLE},
    [ACTION] = {"action", "Action", SEK_COL_TEXT, NULL, 0, SEK_COL_MACHINE},
    [WOULD] = {"rule_action", "Rule's action", SEK_COL_TEXT, NULL, 0, SEK_COL_MACHINE},
    [MONITOR] = {"monitor", "Monitor", SEK_COL_FLAG, NULL, 0, SEK_COL_MACHINE},
    [LIST] = {"list", "List", SEK_COL_TEXT, NULL, 12},
    [RULE] = {"rule", "Rule", SEK_COL_NAME, NULL, 20},
    [VIA] = {"via", "Via", SEK_COL_NAME, "", 0, SEK_COL_PEOPLE},
    [TRIGGER] = {"trigger", "Trigger", SEK_COL_TEXT, NULL, 0, SEK_COL_MACHINE},
    [MATCHED] = {"matched", "Matched", SEK_COL_NAME, NULL, 0, SEK_COL_MACHINE},
    [DECISION] = {"decision", "Id", SEK_COL_TEXT, NULL, 8},
    [GENERATION] = {"generation", "Generation", SEK_COL_UINT, NULL, 0, SEK_COL_MACHINE},
    [SCORE] = {"score", "Score", SEK_COL_REAL, NULL, 0, SEK_COL_FILLED},
    [WHY] = {"why", "Why", SEK_COL_TEXT, NULL, 0, SEK_COL_FILLED},
    [MACHINE_NAME] = SEK_MACHINE_NAME_COL,
    [MACHINE_MAC] = SEK_MACHINE_MAC_COL,
    [MACHINE_OWNER] = SEK_MACHINE_OWNER_COL,
    [MACHINE_GROUP] = SEK_MACHINE_GROUP_COL,
    [DOMAIN] = {"domain", "Domain", SEK_COL_NAME, NULL, 0, SEK_COL_MACHINE},
    SEK_TRIAGE_COL_ROWS(TRIAGE, SEK_COL_MACHINE),
};

void sek_hit_view_init(struct sek_hit_view *v, struct sek_context *c, const char *schema,
                       enum sek_out_shape shape)
{
    *v = (struct sek_hit_view){.out = c->out, .conf = &c->conf};
    sek_machines_open(&v->machines, c);
    memcpy(v->cols, cols, sizeof cols);
    sek_machines_hide(&v->machines, &v->cols[MACHINE]);
    sek_out_begin(c->out, schema, v->cols, N_COLS, shape);
}

void sek_hit_view_fini(struct sek_hit_view *v)
{
    sek_classify_close(v->model);
    sek_machines_close(&v->machines);
}

/* What the classifier decided, explained by the installed model. */
static void put_why(struct sek_hit_view *v, const struct sek_hit *hit)
{
    struct sek_name name;
    struct sek_why why;
    struct sek_buf text;
    if (hit->trigger != SEK_TRIGGER_CLASSIFIER)
        return;
    if (!v->looked)
        v->model = sek_why_model(v->conf);
    v->looked = true;
    if (!v->model || sek_name_from_text(hit->name, strlen(hit->name), &name, NULL))
        return;
    sek_classify_explain(v->model, &name, &why);
    sek_buf_init(&text, 0);
    sek_why_text(&name, &why, &text);
    sek_out_text(v->out, WHY, text.data);
    sek_buf_fini(&text);
}

/* Four columns: for people what the rule asks for, and whether it only was recorded; for programs
 * what was done, the rule's word and the mode. */
static void put_action(struct sek_out *o, unsigned col, const struct sek_hit *hit)
{
    char effect[48];
    const char *would = sek_lookup_name(sek_action_names, hit->would);
    snprintf(effect, sizeof effect, "%s%s", hit->monitor ? "would " : "", would);
    sek_out_text(o, col, effect);
    sek_out_tint(o, col, hit->monitor ? SEK_TINT_WARN : SEK_TINT_NONE);
    sek_out_text(o, col + 1, sek_lookup_name(sek_action_names, hit->action));
    sek_out_text(o, col + 2, would);
    sek_out_flag(o, col + 3, hit->monitor);
}

/* For people where it is not the name itself. */
static void put_matched(struct sek_out *o, unsigned via, unsigned matched,
                        const struct sek_hit *hit)
{
    const char *met = *hit->matched ? hit->matched : hit->name;
    sek_out_text(o, via, strcmp(met, hit->name) != 0 ? met : "");
    sek_out_text(o, matched, met);
}

bool sek_hit_view_row(struct sek_hit_view *v, const struct sek_hit *hit)
{
    struct sek_out *o = v->out;
    char type[16], id[16];
    const struct sek_triage *triage = NULL;
    if (v->triage)
        sek_triageview_find(v->triage, hit->domain, hit->endpoint, hit->last_ms, &triage);
    snprintf(id, sizeof id, "%08x", (unsigned)hit->decision);
    sek_out_int(o, LAST, hit->last_ms);
    sek_out_int(o, FIRST, hit->first_ms);
    sek_out_uint(o, COUNT, hit->count);
    sek_out_text(o, ENDPOINT, hit->endpoint);
    sek_out_text(o, NAME, hit->name);
    sek_out_text(o, TYPE, sek_qtype_to_text(hit->qtype, type, sizeof type));
    put_action(o, EFFECT, hit);
    sek_out_text(o, LIST, hit->list);
    sek_out_text(o, RULE, hit->rule);
    sek_out_text(o, TRIGGER, sek_lookup_name(sek_trigger_names, hit->trigger));
    put_matched(o, VIA, MATCHED, hit);
    sek_out_text(o, DECISION, id);
    sek_out_uint(o, GENERATION, hit->generation);
    if (hit->score != SEK_SCORE_UNKNOWN)
        sek_out_real(o, SCORE, sek_classify_probability((float)hit->score / 100), 4);
    put_why(v, hit);
    sek_machines_put(&v->machines, o, MACHINE, MACHINE_NAME, hit->endpoint, hit->last_ms / 1000);
    sek_out_text(o, DOMAIN, hit->domain);
    if (v->triage)
        sek_triageview_put(v->triage, o, TRIAGE, triage, hit->last_ms);
    return sek_out_row(o);
}

enum sek_err sek_hit_report_open(struct sek_context *c, struct sek_report **out)
{
    const struct sek_conf *conf;
    enum sek_err e = sek_context_conf(c, &conf);
    if (e)
        return e;
    e = sek_report_open(conf->events.db, out, &c->diag);
    if (e == SEK_E_NOTFOUND)
        return sek_diag_set(&c->diag, e,
                            "there is no %s yet: the resolver makes it when it first runs with the "
                            "module (see: sekisho check)",
                            conf->events.db);
    return e;
}

/* --- a part of a page ----------------------------------------------------------------------------
 */

enum {
    LATEST_LAST,
    LATEST_COUNT,
    LATEST_ENDPOINT,
    LATEST_NAME,
    LATEST_TYPE,
    LATEST_EFFECT,
    LATEST_ACTION,
    LATEST_WOULD,
    LATEST_MONITOR,
    LATEST_LIST,
    LATEST_VIA,
    LATEST_MATCHED,
    LATEST_ID,
    LATEST_COLS
};
static const struct sek_col latest_cols[] = {
    [LATEST_LAST] = {"last", "Latest hits (UTC)", SEK_COL_TIME_MS},
    [LATEST_COUNT] = {"count", "Count", SEK_COL_UINT},
    [LATEST_ENDPOINT] = {"endpoint", "Endpoint", SEK_COL_TEXT},
    [LATEST_NAME] = {"name", "Name", SEK_COL_NAME},
    [LATEST_TYPE] = {"type", "Type", SEK_COL_TEXT},
    [LATEST_EFFECT] = {"effect", "Action", SEK_COL_TEXT, NULL, 0, SEK_COL_PEOPLE},
    [LATEST_ACTION] = {"action", "Action", SEK_COL_TEXT, NULL, 0, SEK_COL_MACHINE},
    [LATEST_WOULD] = {"rule_action", "Rule's action", SEK_COL_TEXT, NULL, 0, SEK_COL_MACHINE},
    [LATEST_MONITOR] = {"monitor", "Monitor", SEK_COL_FLAG, NULL, 0, SEK_COL_MACHINE},
    [LATEST_LIST] = {"list", "List", SEK_COL_TEXT},
    [LATEST_VIA] = {"via", "Via", SEK_COL_NAME, "", 0, SEK_COL_PEOPLE},
    [LATEST_MATCHED] = {"matched", "Matched", SEK_COL_NAME, NULL, 0, SEK_COL_MACHINE},
    [LATEST_ID] = {"decision", "Id", SEK_COL_TEXT},
};

void sek_hit_latest_part(struct sek_out *o)
{
    sek_out_part(o, "hits", latest_cols, LATEST_COLS, SEK_OUT_ROWS);
}

bool sek_hit_latest_row(void *arg, const struct sek_hit *hit)
{
    struct sek_out *o = arg;
    char type[16], id[16];
    snprintf(id, sizeof id, "%08x", (unsigned)hit->decision);
    sek_out_int(o, LATEST_LAST, hit->last_ms);
    sek_out_uint(o, LATEST_COUNT, hit->count);
    sek_out_text(o, LATEST_ENDPOINT, hit->endpoint);
    sek_out_text(o, LATEST_NAME, hit->name);
    sek_out_text(o, LATEST_TYPE, sek_qtype_to_text(hit->qtype, type, sizeof type));
    put_action(o, LATEST_EFFECT, hit);
    sek_out_text(o, LATEST_LIST, hit->list);
    put_matched(o, LATEST_VIA, LATEST_MATCHED, hit);
    sek_out_text(o, LATEST_ID, id);
    return sek_out_row(o);
}
