/* SPDX-License-Identifier: BSD-3-Clause */
#include "preview.h"
#include "base/duration.h"
#include "base/hash.h"
#include "changes.h"
#include "confirm.h"
#include "name/text.h"
#include "policy/about.h"
#include "store/report_past.h"
#include "tools/print/talk.h"
#include "tools/views/hitview.h"
#include "verdict/engine.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/banned.h"

#define SINCE_DEFAULT_S (7 * 86400)

/* What becomes of a question. */
struct fate {
    uint8_t action;
    bool final; /* a rule about the question decides, for good */
    char by[SEK_VERDICT_BY_MAX];
};

struct past {
    struct sek_change *ch;
    struct sek_policy *before, *after;
    const struct sek_never *own;
    struct sek_changes changes;
};

/* --- what the change touches --------------------------------------------------------------------
 */

/* Rules of that list change below a registered domain. In ch->touched, sorted before it is asked.
 */
struct touched {
    uint64_t domain;
    uint64_t list;
};

static const struct sek_hash_key touch_key = {0x746f756368U, 0x70726576U};

static uint64_t domain_hash(const struct sek_suffix *suffix, const struct sek_name *name)
{
    int n = suffix ? sek_suffix_registered(suffix, name) : -1;
    if (n < 0)
        n = 0;
    return sek_hash(&touch_key, name->octets + name->offset[n],
                    (size_t)(name->len - name->offset[n]));
}

void sek_preview_touch(struct sek_change *ch, const struct sek_name *name, uint16_t list)
{
    if (sek_about_of(name) != SEK_ABOUT_NAME || sek_change_never(ch, NULL))
        return;
    const struct touched t = {domain_hash(ch->suffix, name), list};
    sek_buf_add(&ch->touched, &t, sizeof t);
}

static bool touch_entry(void *arg, const struct sek_entry *e)
{
    sek_preview_touch(arg, &e->name, e->rule.list);
    return true;
}

/* All names of lists that come to mean something else, or go. */
static enum sek_err touch_lists(struct sek_change *ch, const struct sek_policy *before,
                                const struct sek_policy *after)
{
    unsigned n;
    const struct sek_list *lists = sek_policy_lists(after, &n);
    enum sek_err err = SEK_OK;
    for (unsigned i = 0; i < n && !err; i++) {
        const struct sek_list *old = before ? sek_policy_list(before, lists[i].id) : NULL;
        if (old && (old->mode != lists[i].mode || old->action != lists[i].action ||
                    old->priority != lists[i].priority || old->audience != lists[i].audience))
            err = sek_policydb_entries(ch->db, lists[i].id, touch_entry, ch, &ch->c->diag);
    }
    return err;
}

static int touched_compare(const void *a, const void *b)
{
    const struct touched *x = a, *y = b;
    if (x->domain != y->domain)
        return x->domain > y->domain ? 1 : -1;
    return (x->list > y->list) - (x->list < y->list);
}

/* Each domain and list once. */
static void touched_sort(struct sek_buf *touched)
{
    struct touched *all = (struct touched *)(void *)touched->data;
    size_t n = touched->len / sizeof *all, kept = 0;
    if (n)
        qsort(all, n, sizeof *all, touched_compare);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || touched_compare(&all[kept - 1], &all[i]) != 0)
            all[kept++] = all[i];
    touched->len = kept * sizeof *all;
}

/* Is the list in force for this endpoint? */
static bool list_is_for(const struct sek_policy *policy, uint16_t id,
                        const struct sek_addr *endpoint, int64_t now_s)
{
    const struct sek_list *list = policy ? sek_policy_list(policy, id) : NULL;
    if (!list || list->mode == SEK_MODE_OFF)
        return false;
    const struct sek_groups *groups = sek_policy_groups(policy);
    const struct sek_audience *audience =
        list->audience && groups ? sek_groups_audience(groups, list->audience) : NULL;
    return !audience || sek_audience_covers(audience, sek_groups_of(groups, endpoint, now_s));
}

static bool is_touched(const struct past *p, const struct sek_name *domain,
                       const struct sek_addr *endpoint)
{
    const struct touched *all = (const void *)p->ch->touched.data;
    size_t low = 0, n = p->ch->touched.len / sizeof *all, high = n;
    uint64_t hash = domain_hash(p->ch->suffix, domain);
    int64_t now_s = p->ch->c->now_s;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (all[mid].domain < hash)
            low = mid + 1;
        else
            high = mid;
    }
    for (; low < n && all[low].domain == hash; low++) {
        uint16_t list = (uint16_t)all[low].list;
        if (list_is_for(p->before, list, endpoint, now_s) ||
            list_is_for(p->after, list, endpoint, now_s))
            return true;
    }
    return false;
}

/* --- judging the past ---------------------------------------------------------------------------
 */

/* Of a hit by what its answer carried, which is not recorded whole: by what its list does. */
static void list_fate(const struct sek_policy *policy, const struct sek_past_row *row,
                      struct fate *out)
{
    const struct sek_list *list = policy ? sek_policy_list(policy, row->list) : NULL;
    if (!list)
        return;
    bool blocks = list->mode == SEK_MODE_BLOCK && sek_action_blocks((enum sek_action)row->would);
    out->action = blocks ? (uint8_t)row->would : SEK_ACTION_PASSTHRU;
    snprintf(out->by, sizeof out->by, "list %s", list->name);
}

static void verdict_fate(const struct sek_verdict *v, struct fate *out)
{
    if (v->trigger == SEK_TRIGGER_NONE)
        return;
    out->action = v->action == SEK_ACTION_LOG ? SEK_ACTION_PASSTHRU : (uint8_t)v->action;
    out->final = sek_action_blocks(v->action) || !sek_verdict_is_hit(v);
    sek_verdict_by(v, out->by, sizeof out->by);
}

/* Of an address that an answer, or a server of its zone, had. False: it was not recorded. */
static bool address_fate(const struct sek_engine *engine, const struct past *p,
                         const struct sek_name *name, const struct sek_past_row *row,
                         struct fate *out)
{
    struct sek_name owner;
    struct sek_addr addr;
    struct sek_verdict v;
    if (sek_addr_from_text(row->matched, &addr, NULL) != SEK_OK)
        return false;
    sek_engine_decide_address(
        engine, name, row->trigger == SEK_TRIGGER_NSIP ? SEK_TRIGGER_NSIP : SEK_TRIGGER_RESPONSE_IP,
        &addr, p->ch->c->now_s, &v, &owner, NULL, NULL);
    verdict_fate(&v, out);
    return true;
}

/* What the policy makes of names on the way to the answer, of its addresses, and of its zone's
 * servers: of the one that was met, as no other is recorded. True: it was one of these. */
static bool met_fate(const struct sek_engine *engine, const struct past *p,
                     const struct sek_name *name, const struct sek_past_row *row, struct fate *out)
{
    struct sek_name met, owner;
    struct sek_verdict v;
    bool server = row->trigger == SEK_TRIGGER_NSDNAME;
    bool alias = row->trigger == SEK_TRIGGER_CNAME ||
                 (row->trigger == SEK_TRIGGER_REGEX && strcmp(row->matched, row->name) != 0);
    if (row->trigger == SEK_TRIGGER_RESPONSE_IP || row->trigger == SEK_TRIGGER_SINKHOLED ||
        row->trigger == SEK_TRIGGER_NSIP)
        return address_fate(engine, p, name, row, out);
    if (!(server || alias) ||
        sek_name_from_text(row->matched, strlen(row->matched), &met, NULL) != SEK_OK)
        return false;
    if (server)
        sek_engine_decide_server(engine, name, &met, p->ch->c->now_s, &v, &owner, NULL, NULL);
    else
        sek_engine_decide(engine, &met, p->ch->c->now_s, SEK_TRIGGER_CNAME, &v, NULL, NULL);
    verdict_fate(&v, out);
    return true;
}

/* Was it decided by what `engine` was asked already: the question, and who asks? */
static bool was_of_question(int trigger)
{
    return trigger == SEK_TRIGGER_NONE || trigger == SEK_TRIGGER_QNAME ||
           trigger == SEK_TRIGGER_REGEX || trigger == SEK_TRIGGER_CLIENT_IP ||
           trigger == SEK_TRIGGER_CANARY || trigger == SEK_TRIGGER_STRICT;
}

static void fate_of(const struct past *p, const struct sek_policy *policy,
                    const struct sek_name *name, const struct sek_addr *endpoint,
                    const struct sek_past_row *row, struct fate *out)
{
    const struct sek_engine engine = {.policy = policy,
                                      .own = p->own,
                                      .canary = p->ch->conf->bypass.canary,
                                      .asking = {.endpoint = endpoint, .qtype = row->qtype}};
    struct sek_verdict v;
    *out = (struct fate){.action = SEK_ACTION_PASSTHRU};
    sek_engine_decide(&engine, name, p->ch->c->now_s, SEK_TRIGGER_QNAME, &v, NULL, NULL);
    verdict_fate(&v, out);
    if (out->final || met_fate(&engine, p, name, row, out) || was_of_question(row->trigger))
        return;
    if (row->list) {
        list_fate(policy, row, out);
    } else { /* a detector's, which goes on as it was */
        out->action = sek_action_blocks((enum sek_action)row->action) ? (uint8_t)row->action
                                                                      : SEK_ACTION_PASSTHRU;
        snprintf(out->by, sizeof out->by, "%s", sek_lookup_name(sek_trigger_names, row->trigger));
    }
}

static bool past_take(void *arg, const struct sek_past_row *row)
{
    struct past *p = arg;
    struct sek_name name;
    struct sek_addr endpoint;
    struct fate now, then;
    if (sek_name_from_text(row->name, strlen(row->name), &name, NULL) != SEK_OK ||
        sek_addr_from_text(row->endpoint, &endpoint, NULL) != SEK_OK)
        return true;
    fate_of(p, p->before, &name, &endpoint, row, &now);
    fate_of(p, p->after, &name, &endpoint, row, &then);
    bool differs = now.action != then.action;
    bool part = !differs && row->is_domain && is_touched(p, &name, &endpoint);
    if (!differs && !part)
        return true;
    const char *by = sek_action_blocks(then.action) || !*now.by ? then.by : now.by;
    const struct sek_changed one = {.name = row->name,
                                    .endpoint = row->endpoint,
                                    .by = part ? "" : by,
                                    .queries = row->queries,
                                    .last_ms = row->last_ms,
                                    .now = now.action,
                                    .then = then.action,
                                    .part = part};
    return sek_changes_add(&p->changes, &one);
}

static enum sek_err report(struct past *p, int64_t since_s)
{
    struct sek_context *c = p->ch->c;
    const struct sek_changes *all = &p->changes;
    const struct sek_arg_value *limit = &c->preview[SEK_PREVIEW_LIMIT];
    char since[32], parts[120] = "";
    enum sek_err err =
        sek_changes_print(&p->changes, limit->given ? (uint64_t)limit->number : SEK_CHANGES_LIMIT);
    if (err)
        return err;
    if (all->n_part_names)
        snprintf(parts, sizeof parts,
                 ", and some of %" PRIu64 " more below %" PRIu64 " domain%s (part: some names)",
                 all->n_part_queries, all->n_part_names, all->n_part_names == 1 ? "" : "s");
    sek_talk("preview: %" PRIu64 " rule%s would be added, %" PRIu64 " removed; since %s this would "
             "have changed %" PRIu64 " quer%s, of %" PRIu64 " name%s and %" PRIu64
             " endpoint%s%s; nothing is written",
             p->ch->n_added, p->ch->n_added == 1 ? "" : "s", p->ch->n_removed,
             sek_time_to_text(since_s, since, sizeof since), all->n_queries,
             all->n_queries == 1 ? "y" : "ies", all->n_names, all->n_names == 1 ? "" : "s",
             all->n_endpoints, all->n_endpoints == 1 ? "" : "s", parts);
    sek_confirm_tell_recent(p->ch->conf);
    return SEK_OK;
}

/* --- the two policies ---------------------------------------------------------------------------
 */

static void aside_remove(const char *dir)
{
    char path[128];
    snprintf(path, sizeof path, "%s/" SEK_POLICY_IMAGE, dir);
    unlink(path);
    snprintf(path, sizeof path, "%s/" SEK_POLICY_DELTA, dir);
    unlink(path);
    rmdir(dir);
}

/* In a folder of its own, which is removed again at once. */
static enum sek_err after_open(struct sek_change *ch, const struct sek_policy *before,
                               struct sek_policy **out)
{
    const char *tmp = getenv("TMPDIR");
    char dir[100];
    struct sek_diag *diag = &ch->c->diag;
    snprintf(dir, sizeof dir, "%.70s/sekisho-preview.XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(dir))
        return sek_diag_set(diag, SEK_E_IO, "%s: cannot make a folder for the previewed policy",
                            dir);
    enum sek_err err =
        sek_policydb_compile_aside(ch->db, ch->conf->policy.dir, dir, ch->c->now_s, diag);
    if (!err)
        err = sek_policy_open_mapped(dir, out, diag);
    if (err == SEK_E_NOTFOUND && before)
        err = sek_policy_open_over(before, dir, out, diag);
    if (err == SEK_E_BUSY)
        sek_diag_set(diag, err, "another command changed the policy meanwhile: try again");
    aside_remove(dir);
    return err;
}

static enum sek_err policies_open(struct past *p)
{
    struct sek_change *ch = p->ch;
    struct sek_diag *diag = &ch->c->diag;
    enum sek_err err = sek_change_never(ch, diag);
    if (!err)
        err = sek_policy_open_mapped(ch->conf->policy.dir, &p->before, diag);
    if (err == SEK_E_NOTFOUND)
        err = SEK_OK; /* none is in force yet */
    if (!err)
        err = after_open(ch, p->before, &p->after);
    return err ? err : touch_lists(ch, p->before, p->after);
}

enum sek_err sek_preview_run(struct sek_change *ch)
{
    struct sek_context *c = ch->c;
    struct sek_report *events = NULL;
    struct past p = {.ch = ch};
    const struct sek_arg_value *since = &c->preview[SEK_PREVIEW_SINCE];
    int64_t since_s = since->given ? since->number : c->now_s - SINCE_DEFAULT_S;
    if (c->previewed)
        return sek_diag_set(&c->diag, SEK_E_INVALID, "preview one change at a time");
    c->previewed = true;
    sek_changes_init(&p.changes, c);
    enum sek_err err = policies_open(&p);
    sek_policydb_rollback(ch->db); /* nobody has to wait while the past is read */
    p.own = ch->never;
    if (!err)
        touched_sort(&ch->touched);
    if (!err)
        err = sek_hit_report_open(c, &events);
    if (!err)
        err = sek_report_past(events, since_s, past_take, &p, &c->diag);
    if (!err)
        err = report(&p, since_s);
    sek_report_close(events);
    sek_policy_close(p.before);
    sek_policy_close(p.after);
    sek_changes_fini(&p.changes);
    return err;
}
