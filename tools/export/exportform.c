/* SPDX-License-Identifier: BSD-3-Clause */
#include "exportform.h"
#include "exportline.h"
#include "name/text.h"
#include <string.h>
#include "base/banned.h"

const struct sek_export_why sek_export_whys[SEK_N_LEFT] = {
    [SEK_LEFT_ACTION] = {"action",
                         "no such action, or records, in this format; left out, what is said above "
                         "holds",
                         "name"},
    [SEK_LEFT_NAME] = {"name", "cannot be written in this format; left out", "name"},
    [SEK_LEFT_BELOW] = {"below", "blocked with all below, but only the very name is there", "name"},
    [SEK_LEFT_PART] = {"part",
                       "only the name itself, or only what is below it, is blocked; left out",
                       "name"},
    [SEK_LEFT_EXCEPTION] = {"exception", "an exception within a block; blocked there", "name"},
    [SEK_LEFT_WIDE] = {"wide",
                       "only the name itself, or only what is below it, is an exception "
                       "within a block; both resolve there",
                       "name"},
    [SEK_LEFT_ANSWER] = {"answer", "blocked with another answer than here", "name"},
    [SEK_LEFT_RECORDED] = {"recorded", "recorded only (action log, mode monitor); resolves there",
                           "name"},
    [SEK_LEFT_TRIGGER] = {"trigger", "this format has no such trigger; left out", "rule"},
    [SEK_LEFT_CONDITIONS] = {"conditions", "for some question types or hours only; left out",
                             "rule"},
    [SEK_LEFT_GROUPS] = {"groups", "for some endpoints only; left out", "rule"},
    [SEK_LEFT_SPARES] = {"spares",
                         "an exception for addresses within a block; there it passes the "
                         "whole answer that carries one",
                         "rule"},
};

static void leave(struct sek_export *x, enum sek_export_left left, const char *text)
{
    x->n_left[left]++;
    fprintf(x->out, "%s %s: %s\n", x->row->comment, sek_export_whys[left].word, text);
}

/* --- RPZ: QNAME and NSDNAME triggers ------------------------------------------------------------
 */

/* Behind a server's name; with its end as long as it is in a name. */
#define SERVERS "rpz-nsdname"

static bool rpz_fits(const struct sek_export *x, const struct sek_name *name, bool below)
{
    return sek_rpz_fits(name, below, x->zone_len + (x->servers ? sizeof SERVERS : 0));
}

/* Records of a verdict: number and set in one. */
static const uint8_t *data_of(const struct sek_export *x, uint32_t number, size_t *out_n)
{
    const struct sek_termset *set =
        number & 1 ? sek_policy_terms(x->policy) : sek_policy_terms_below(x->policy);
    const struct sek_terms *t = sek_termset_get(set, number >> 1);
    *out_n = 0;
    return t ? sek_termset_data(set, t, out_n) : NULL;
}

static uint32_t rpz_data(void *arg, const struct sek_verdict *v)
{
    uint32_t number = v->terms << 1 | v->terms_new;
    size_t n;
    const uint8_t *data = data_of(arg, number, &n);
    return data && sek_rpz_has_data(data, n) ? number : 0;
}

static void rpz_say(struct sek_export *x, const char *text, bool below, enum sek_action action,
                    struct sek_effective_with with)
{
    char owner[SEK_NAME_TEXT_MAX + sizeof "." SERVERS];
    size_t n = 0;
    const uint8_t *data = action == SEK_ACTION_DATA ? data_of(x, with.data, &n) : NULL;
    uint32_t ttl_s = with.ttl_s == (uint32_t)x->conf->answer.ttl_s ? 0 : with.ttl_s;
    snprintf(owner, sizeof owner, "%s%s%s", text, x->servers && *text ? "." : "",
             x->servers ? SERVERS : "");
    if (data)
        sek_rpz_print_data(x->out, owner, below, data, n, ttl_s);
    else
        sek_rpz_print(x->out, x->conf, owner, below, action, ttl_s);
}

/* Both, also where one of them is what is said above: a name with records hides the wildcard above
 * it from itself and what is below it. */
static bool rpz_place(struct sek_export *x, const struct sek_effective_place *p, const char *text)
{
    if (!p->changes)
        return false;
    if (p->exact != SEK_ACTION_DEFAULT && p->name->n_labels > 0)
        rpz_say(x, text, false, p->exact, p->exact_with);
    if (p->below != SEK_ACTION_DEFAULT && rpz_fits(x, p->name, true))
        rpz_say(x, p->name->n_labels ? text : "", true, p->below, p->below_with);
    return true;
}

/* --- hosts: single names ------------------------------------------------------------------------
 */

/* Names that need no escapes: those formats have none. */
static bool ordinary_fits(const struct sek_export *x, const struct sek_name *name, bool below)
{
    char text[SEK_NAME_TEXT_MAX];
    (void)x;
    (void)below;
    sek_name_to_text(name->octets, text);
    return name->n_labels > 0 && strchr(text, '\\') == NULL;
}

static bool hosts_place(struct sek_export *x, const struct sek_effective_place *p, const char *text)
{
    bool exact = sek_action_blocks(p->exact) && ordinary_fits(x, p->name, false);
    if (p->changes && sek_action_blocks(p->below))
        x->n_left[exact ? SEK_LEFT_BELOW : SEK_LEFT_PART]++;
    if (exact)
        fprintf(x->out, "0.0.0.0 %s\n", text);
    return exact;
}

/* --- plain: list notation, blocks only ----------------------------------------------------------
 */

static bool plain_place(struct sek_export *x, const struct sek_effective_place *p, const char *text)
{
    bool exact = sek_action_blocks(p->exact), below = sek_action_blocks(p->below);
    if (!p->changes)
        return false;
    if (sek_action_blocks(p->above)) {
        leave(x, SEK_LEFT_EXCEPTION, text); /* blocks change nothing in there */
        return false;
    }
    if (!exact && !below)
        return false;
    bool root = p->name->n_labels == 0;
    fprintf(x->out, "%s%s\n", !below ? "=" : !exact ? "*." : "", root && !exact ? "" : text);
    return true;
}

/* --- unbound.conf: local zones, of which the longest counts -------------------------------------
 */

/* Of the very name something else is said than of what is below it. */
static bool unbound_split(struct sek_export *x, const struct sek_effective_place *p,
                          const char *text)
{
    bool exact = sek_action_blocks(p->exact), below = sek_action_blocks(p->below);
    if (sek_action_blocks(p->above) && !(exact && below)) {
        leave(x, SEK_LEFT_WIDE, text);
        return sek_unbound_print(x->out, x->conf, text, SEK_ACTION_PASSTHRU);
    }
    if (exact && below) {
        leave(x, SEK_LEFT_ANSWER, text);
        return sek_unbound_print(x->out, x->conf, text, p->below);
    }
    if (exact && p->below == SEK_ACTION_DEFAULT) {
        if (p->exact != SEK_ACTION_SINKHOLE)
            leave(x, SEK_LEFT_ANSWER, text);
        sek_unbound_print_addresses(x->out, x->conf, text);
        return true;
    }
    if (exact || below)
        leave(x, SEK_LEFT_PART, text);
    return false;
}

static bool unbound_place(struct sek_export *x, const struct sek_effective_place *p,
                          const char *text)
{
    if (!p->changes)
        return false;
    if (p->exact != p->below)
        return unbound_split(x, p, text);
    /* a name that is let through where nothing blocks needs no zone */
    if (p->exact == SEK_ACTION_PASSTHRU && p->above == SEK_ACTION_DEFAULT)
        return false;
    return sek_unbound_print(x->out, x->conf, text, p->exact);
}

#define BLOCKS_AS_ONE                                                                              \
    {                                                                                              \
        [SEK_ACTION_PASSTHRU] = SEK_ACTION_PASSTHRU, [SEK_ACTION_NXDOMAIN] = SEK_ACTION_SINKHOLE,  \
        [SEK_ACTION_NODATA] = SEK_ACTION_SINKHOLE, [SEK_ACTION_SINKHOLE] = SEK_ACTION_SINKHOLE,    \
        [SEK_ACTION_REFUSED] = SEK_ACTION_SINKHOLE, [SEK_ACTION_DROP] = SEK_ACTION_SINKHOLE,       \
    }

const struct sek_export_row sek_export_rows[] = {
    {.id = SEK_FORMAT_RPZ,
     .comment = ";",
     .title = "response policy zone",
     .as = {[SEK_ACTION_PASSTHRU] = SEK_ACTION_PASSTHRU,
            [SEK_ACTION_NXDOMAIN] = SEK_ACTION_NXDOMAIN,
            [SEK_ACTION_NODATA] = SEK_ACTION_NODATA,
            [SEK_ACTION_SINKHOLE] = SEK_ACTION_SINKHOLE,
            [SEK_ACTION_DROP] = SEK_ACTION_DROP,
            [SEK_ACTION_TCP_ONLY] = SEK_ACTION_TCP_ONLY,
            [SEK_ACTION_DATA] = SEK_ACTION_DATA},
     .triggers = true,
     .nodes = true,
     .data = rpz_data,
     .fits = rpz_fits,
     .place = rpz_place},
    {.id = SEK_FORMAT_HOSTS,
     .comment = "#",
     .title = "blocked names, whatever their action",
     .as = BLOCKS_AS_ONE,
     .fits = ordinary_fits,
     .place = hosts_place},
    {.id = SEK_FORMAT_PLAIN,
     .comment = "#",
     .title = "blocked names, whatever their action, in list notation",
     .as = BLOCKS_AS_ONE,
     .place = plain_place},
    {.id = SEK_FORMAT_UNBOUND,
     .comment = "#",
     .title = "local zones for unbound.conf",
     .as = {[SEK_ACTION_PASSTHRU] = SEK_ACTION_PASSTHRU,
            [SEK_ACTION_NXDOMAIN] = SEK_ACTION_NXDOMAIN,
            [SEK_ACTION_NODATA] = SEK_ACTION_NODATA,
            [SEK_ACTION_SINKHOLE] = SEK_ACTION_SINKHOLE,
            [SEK_ACTION_REFUSED] = SEK_ACTION_REFUSED,
            [SEK_ACTION_DROP] = SEK_ACTION_DROP},
     .fits = ordinary_fits,
     .place = unbound_place},
    {0},
};

static bool form_fits(void *arg, const struct sek_name *name, bool below)
{
    const struct sek_export *x = arg;
    return !x->row->fits || x->row->fits(x, name, below);
}

static void form_place(void *arg, const struct sek_effective_place *p)
{
    struct sek_export *x = arg;
    char text[SEK_NAME_TEXT_MAX];
    if (!p->changes && !p->unsaid && !p->unfit && x->row->id != SEK_FORMAT_HOSTS) {
        x->n_left[SEK_LEFT_RECORDED] += p->recorded;
        return;
    }
    sek_name_to_text(p->name->octets, text);
    x->n_left[SEK_LEFT_RECORDED] += p->recorded;
    if (p->unsaid)
        leave(x, SEK_LEFT_ACTION, text);
    if (p->unfit)
        leave(x, SEK_LEFT_NAME, text);
    if (x->row->place(x, p, text))
        ++*(x->servers ? &x->n_triggers : &x->n_places);
}

void sek_export_form(struct sek_export *x, struct sek_effective_form *out)
{
    *out = (struct sek_effective_form){.nodes = x->row->nodes,
                                       .ttls = x->row->id == SEK_FORMAT_RPZ,
                                       .data = x->row->data,
                                       .fits = form_fits,
                                       .place = form_place,
                                       .arg = x};
    memcpy(out->as, x->row->as, sizeof out->as);
}

/* --- triggers that are no names -----------------------------------------------------------------
 */

static void leave_owner(struct sek_export *x, enum sek_scope scope, const struct sek_name *owner)
{
    char text[SEK_NAME_TEXT_MAX + 2];
    if (sek_about_to_text(scope, owner->octets, text) > 0)
        leave(x, SEK_LEFT_TRIGGER, text);
}

/* What of the rules at an owner name holds for some only. */
struct partial {
    const struct sek_engine *engine;
    int64_t now_s;
    unsigned depth; /* of the owner */
    bool left[SEK_N_LEFT];
};

static void note_partial(void *arg, const struct sek_step *step)
{
    struct partial *p = arg;
    const struct sek_groups *groups = sek_policy_groups(p->engine->policy);
    if (!step->rule || step->depth != p->depth || step->list->mode == SEK_MODE_OFF ||
        (step->rule->expires_s && step->rule->expires_s <= p->now_s))
        return;
    const struct sek_audience *a =
        groups && step->list->audience ? sek_groups_audience(groups, step->list->audience) : NULL;
    if (step->terms && (step->terms->given & SEK_TERMS_ENDPOINTS))
        p->left[SEK_LEFT_GROUPS] = true;
    else if (step->terms && (step->terms->given & (SEK_TERMS_TYPES | SEK_TERMS_SCHEDULE)))
        p->left[SEK_LEFT_CONDITIONS] = true;
    else if (a && a->only)
        p->left[SEK_LEFT_GROUPS] = true;
}

static void leave_partial(struct sek_export *x, const struct partial *p, const char *text)
{
    for (int i = 0; i < SEK_N_LEFT; i++)
        if (p->left[i])
            leave(x, (enum sek_export_left)i, text);
}

void sek_export_partial(struct sek_export *x, const struct sek_engine *engine, int64_t now_s,
                        const struct sek_name *name)
{
    static const struct sek_name any = {.len = 1};
    struct partial p = {.engine = engine, .now_s = now_s};
    struct sek_verdict v;
    struct sek_name owner = *name;
    char text[SEK_NAME_TEXT_MAX + 2];
    if (x->servers)
        sek_engine_decide_server(engine, &any, name, now_s, &v, &owner, note_partial, &p);
    else
        sek_engine_decide(engine, name, now_s, SEK_TRIGGER_QNAME, &v, note_partial, &p);
    if (sek_about_to_text(SEK_SCOPE_SUBTREE, owner.octets, text) == 0)
        sek_name_to_text(name->octets, text);
    leave_partial(x, &p, text);
}

static bool is_recorded(const struct sek_verdict *v)
{
    return sek_verdict_is_hit(v) && !sek_action_blocks(v->action);
}

/* Is there a wider network whose rules block? An exception without one changes nothing here. */
static bool is_within_block(const struct sek_engine *engine, int64_t now_s, enum sek_about about,
                            const struct sek_net *net)
{
    const struct sek_net wider = {.addr = net->addr, .bits = net->bits - 1};
    struct sek_verdict v;
    if (net->bits == 0)
        return false;
    sek_engine_decide_net(engine, about, &wider, now_s, &v, NULL, NULL);
    return sek_verdict_is_hit(&v) && sek_action_blocks(v.action);
}

/* By an owner name of RPZ's. */
static void rpz_net(struct sek_export *x, const struct sek_name *owner, const struct sek_verdict *v)
{
    char text[SEK_NAME_TEXT_MAX];
    struct sek_effective_with with = {0};
    enum sek_action said = x->row->as[v->action];
    sek_name_to_text(owner->octets, text);
    if (said == SEK_ACTION_DATA && (with.data = x->row->data(x, v)) == 0)
        said = SEK_ACTION_DEFAULT;
    if (said == SEK_ACTION_DEFAULT) {
        leave(x, SEK_LEFT_ACTION, text);
        return;
    }
    if (v->ttl_s != SEK_TTL_OF_SETTINGS)
        with.ttl_s = v->ttl_s;
    rpz_say(x, text, false, said, with);
    x->n_triggers++;
}

void sek_export_net(struct sek_export *x, const struct sek_engine *engine, int64_t now_s,
                    enum sek_about about, const struct sek_net *net)
{
    struct partial p = {.engine = engine, .now_s = now_s, .depth = 128U - net->bits};
    struct sek_name owner;
    struct sek_verdict v;
    char text[SEK_NAME_TEXT_MAX + 2];
    sek_about_from_net(about, net, &owner);
    sek_engine_decide_net(engine, about, net, now_s, &v, note_partial, &p);
    if (sek_about_to_text(SEK_SCOPE_SUBTREE, owner.octets, text) > 0)
        leave_partial(x, &p, text);
    bool of_answer = v.action == SEK_ACTION_PASSTHRU && about != SEK_ABOUT_CLIENT_IP;
    if (v.trigger == SEK_TRIGGER_NONE)
        return;
    if (is_recorded(&v)) {
        x->n_left[SEK_LEFT_RECORDED]++;
    } else if (!x->row->triggers || !sek_about_is_rpz(about)) {
        leave_owner(x, SEK_SCOPE_SUBTREE, &owner);
    } else if (!of_answer || is_within_block(engine, now_s, about, net)) {
        x->n_left[SEK_LEFT_SPARES] += of_answer;
        rpz_net(x, &owner, &v);
    }
}

void sek_export_other(struct sek_export *x, const struct sek_engine *engine, int64_t now_s,
                      const struct sek_name *owner)
{
    struct sek_verdict v;
    sek_engine_decide(engine, owner, now_s, SEK_TRIGGER_QNAME, &v, NULL, NULL);
    sek_export_partial(x, engine, now_s, owner);
    if (v.trigger == SEK_TRIGGER_NONE || v.depth > 0)
        return;
    if (is_recorded(&v))
        x->n_left[SEK_LEFT_RECORDED]++;
    else
        leave_owner(x, (enum sek_scope)v.scope, owner);
}
