/* SPDX-License-Identifier: BSD-3-Clause */
#include "operate.h"
#include "answer.h"
#include "carried.h"
#include "classify/classify.h"
#include "localdata.h"
#include "view.h"
#include <string.h>

static unsigned worker_of(const struct module_qstate *qstate)
{
    return (unsigned)qstate->env->worker->thread_num;
}

/* A query of the resolver itself (name server addresses, keys, prefetch) has nobody to reply to: it
 * is never a hit and never answered by us, since that would break the resolution of allowed names.
 */
static bool has_client(const struct module_qstate *qstate)
{
    return qstate->mesh_info->reply_list != NULL;
}

enum sek_judgement sek_operate_judge(struct sek_module *m, struct module_qstate *qstate,
                                     const struct sek_addr *endpoint,
                                     const struct query_info *qinfo, const struct reply_info *rep)
{
    /* the resolver itself asks over nothing that a rule could mean */
    const struct sek_asking asking = {
        .endpoint = endpoint, .qtype = qinfo->qtype, .stream = endpoint != NULL};
    struct sek_name question;
    struct sek_chain chain;
    if (sek_name_from_wire(qinfo->qname, qinfo->qname_len, &question) != SEK_OK)
        return SEK_JUDGED_OPEN;
    return sek_carried_judge(&chain, rep, qinfo->qtype, qstate->env,
                             sek_chain_begin(&chain, m->runtime, worker_of(qstate), &asking,
                                             &question, *qstate->env->now));
}

/* Who asks, for whom a query is judged. Anybody: nobody does, or the resolver itself. */
static struct sek_asking asking_of(const struct module_qstate *qstate,
                                   const struct sek_query *query)
{
    return (struct sek_asking){.endpoint = query->has_client ? &query->client : NULL,
                               .qtype = qstate->qinfo.qtype,
                               .stream = query->has_client && query->stream};
}

/* The first one counts. Without memory for it the answer is judged when it is whole. */
static void on_way_note(struct module_qstate *qstate, struct sek_query *query,
                        const struct sek_chain *chain)
{
    const struct sek_matched *matched = sek_chain_matched(chain);
    struct sek_on_way *w = query->on_way;
    if (!matched || (w && w->epoch == query->judged.epoch))
        return;
    if (!w && !(w = regional_alloc(qstate->region, sizeof *w)))
        return;
    *w = (struct sek_on_way){query->judged.epoch, sek_chain_is_final(chain), chain->verdict,
                             *matched};
    query->on_way = w;
}

enum sek_judgement sek_operate_judge_query(struct sek_module *m, struct module_qstate *qstate,
                                           struct sek_query *query, const struct reply_info *rep,
                                           bool own)
{
    const struct sek_asking asking = asking_of(qstate, query);
    struct sek_chain chain;
    enum sek_judgement judgement =
        sek_carried_judge(&chain, rep, qstate->qinfo.qtype, qstate->env,
                          sek_chain_again(&chain, m->runtime, worker_of(qstate), &asking,
                                          &query->name, *qstate->env->now, &query->judged));
    if (own && judgement == SEK_JUDGED_BLOCKED)
        on_way_note(qstate, query, &chain);
    return judgement;
}

/* --- events -------------------------------------------------------------------------------------
 */

static void record_one(struct sek_module *m, const struct module_qstate *qstate,
                       const struct sek_query *query, enum sek_outcome outcome,
                       enum sek_existence existence, const struct sek_matched *matched,
                       const struct sek_addr *endpoint)
{
    struct sek_event event;
    sek_view_event(&event, outcome, existence, &query->name, qstate->qinfo.qtype, endpoint,
                   query->time_ms, query->verdict.score);
    if (outcome == SEK_OUTCOME_HIT)
        sek_chain_set_hit(m->runtime, worker_of(qstate), &query->verdict, matched, &event);
    if (existence == SEK_EXISTENCE_EXISTS)
        sek_view_fresh_answer(&event, qstate->return_msg->rep);
    if (existence != SEK_EXISTENCE_UNKNOWN) {
        sek_view_add_servers(&event, &query->zones, &query->name);
        if (!query->from_kept)
            event.sunk_server =
                sek_carried_sunk_server(m->runtime, qstate->env, &query->name, query->zones.n > 0);
    }
    sek_worker_record(m->runtime, worker_of(qstate), &event);
}

/* For each client that waits; or for the first one, when it closed its connection meanwhile. */
static void record(struct sek_module *m, struct module_qstate *qstate, struct sek_query *query,
                   enum sek_outcome outcome, enum sek_existence existence,
                   const struct sek_matched *matched)
{
    if (query->recorded)
        return;
    const struct mesh_reply *replies = qstate->mesh_info->reply_list;
    for (const struct mesh_reply *r = replies; r; r = r->next) {
        struct sek_addr endpoint = sek_view_endpoint(&r->query_reply);
        record_one(m, qstate, query, outcome, existence, matched, &endpoint);
    }
    if (!replies && query->awaited)
        record_one(m, qstate, query, outcome, existence, matched, &query->client);
    query->recorded = true;
    query->awaited = false;
}

/* Of a query that is not let through: without a policy it is nobody's hit. */
static enum sek_outcome blocked_outcome(const struct sek_query *query)
{
    return query->verdict.trigger == SEK_TRIGGER_STRICT ? SEK_OUTCOME_FAILED : SEK_OUTCOME_HIT;
}

/* Written when the verdict falls, not when the reply leaves: Unbound drops late replies silently.
 */
static enum module_ext_state block(struct sek_module *m, struct module_qstate *qstate,
                                   struct sek_query *query, int id,
                                   const struct sek_matched *matched)
{
    record(m, qstate, query, blocked_outcome(query), SEK_EXISTENCE_UNKNOWN, matched);
    /* a query of the resolver's own that waits for this one (dns64 asks for A) must not take our
     * answer for the real one: it will be judged by itself */
    if (qstate->mesh_info->super_set.count > 0)
        query->original = qstate->return_msg;
    return sek_answer_set(m, qstate, id, query) ? module_finished : module_wait_subquery;
}

static enum module_ext_state answer_review(struct sek_module *m, struct module_qstate *qstate,
                                           int id);

/* --- question -----------------------------------------------------------------------------------
 */

static void judge_question(struct sek_module *m, struct module_qstate *qstate,
                           struct sek_query *query)
{
    query->time_ms = sek_view_time_ms(qstate->env->now_tv);
    const struct sek_asking asking = asking_of(qstate, query);
    sek_worker_question(m->runtime, worker_of(qstate), &asking, &query->name, query->time_ms / 1000,
                        &query->judged, &query->verdict);
    query->detected = query->verdict;
}

/* The query's own memory, made at the first event. NULL: class other than IN, malformed name or no
 * memory: none of our business. */
static struct sek_query *query_of(struct module_qstate *qstate, int id)
{
    if (qstate->minfo[id] || qstate->qinfo.qclass != LDNS_RR_CLASS_IN)
        return qstate->minfo[id];
    struct sek_query *query = regional_alloc(qstate->region, sizeof *query);
    if (!query ||
        sek_name_from_wire(qstate->qinfo.qname, qstate->qinfo.qname_len, &query->name) != SEK_OK)
        return NULL;
    query->judged.epoch = 0;
    query->recorded = query->kept_out = query->held = query->awaited = false;
    query->has_client = query->contested = query->from_kept = query->cut = false;
    query->verdict.trigger = SEK_TRIGGER_NONE;
    query->verdict.action = query->verdict.would = SEK_ACTION_PASSTHRU;
    query->verdict.score = SEK_CLASSIFY_NONE;
    query->detected = query->verdict;
    query->original = NULL;
    query->lived_s = UINT32_MAX;
    query->zones.n = 0;
    query->stream = false;
    query->following = NULL;
    query->on_way = NULL;
    qstate->minfo[id] = query;
    return query;
}

static void client_take(struct sek_query *query, const struct module_qstate *qstate)
{
    query->client = sek_view_endpoint(&qstate->mesh_info->reply_list->query_reply);
    query->stream = sek_view_is_stream(&qstate->mesh_info->reply_list->query_reply);
    query->has_client = true;
    query->judged.epoch = 0;
}

/* Each client's query by itself, where verdicts may differ. A worker has its own env; the daemon's
 * keeps what the other modules want. */
static void set_apart(const struct sek_module *m, struct module_qstate *qstate, bool groups)
{
    qstate->env->unique_mesh = groups || m->env->unique_mesh;
}

/* From what was kept for those who may have it. False: nothing was. *out: how it goes on. */
static bool question_kept(struct sek_module *m, struct module_qstate *qstate,
                          struct sek_query *query, int id, enum module_ext_state *out)
{
    if (!sek_apart_get(m->apart, qstate, &query->name))
        return false;
    query->from_kept = true;
    *out = answer_review(m, qstate, id);
    return true;
}

/* no_cache_store this early is for dns64, which looks at it now and stores by itself; on_response
 * lets referrals be stored all the same. */
static enum module_ext_state question_held(struct module_qstate *qstate, struct sek_query *query)
{
    query->contested = true;
    qstate->no_cache_store = 1;
    return module_wait_module;
}

/* A client may have what others may not: from what was kept for that, else from the servers. */
static enum module_ext_state question_contested(struct sek_module *m, struct module_qstate *qstate,
                                                struct sek_query *query, int id)
{
    enum module_ext_state state;
    if (question_kept(m, qstate, query, id, &state)) {
        query->contested = true;
        return state;
    }
    return question_held(qstate, query);
}

static enum module_ext_state question(struct sek_module *m, struct module_qstate *qstate, int id)
{
    struct sek_query *query = query_of(qstate, id);
    bool groups = sek_runtime_has_groups(m->runtime);
    enum module_ext_state state;
    set_apart(m, qstate, groups);
    if (!query || !has_client(qstate))
        return module_wait_module;
    client_take(query, qstate);
    query->awaited = true;
    judge_question(m, qstate, query);
    if (sek_verdict_waits(&query->verdict))
        return question_held(qstate, query);
    if (sek_action_blocks(query->verdict.action))
        return block(m, qstate, query, id, NULL);
    if (groups && sek_operate_judge(m, qstate, NULL, &qstate->qinfo, NULL) == SEK_JUDGED_BLOCKED)
        return question_contested(m, qstate, query, id);
    /* what its answer carries may be for some only, which the question does not show */
    if (groups && question_kept(m, qstate, query, id, &state))
        return state;
    return module_wait_module;
}

/* --- answer -------------------------------------------------------------------------------------
 */

static enum sek_outcome outcome_of(const struct module_qstate *qstate)
{
    const struct reply_info *rep = qstate->return_msg ? qstate->return_msg->rep : NULL;
    int rcode = qstate->return_rcode;
    if (rcode == LDNS_RCODE_NOERROR && rep)
        rcode = (int)FLAGS_GET_RCODE(rep->flags);
    if (rcode == LDNS_RCODE_NXDOMAIN)
        return SEK_OUTCOME_NXDOMAIN;
    bool answered = rcode == LDNS_RCODE_NOERROR && rep;
    return answered ? SEK_OUTCOME_PASSED : SEK_OUTCOME_FAILED;
}

static enum sek_existence existence_of(const struct module_qstate *qstate, bool bogus)
{
    bool answered = qstate->return_rcode == LDNS_RCODE_NOERROR && qstate->return_msg && !bogus;
    if (!answered)
        return qstate->return_rcode == LDNS_RCODE_NXDOMAIN ? SEK_EXISTENCE_ABSENT
                                                           : SEK_EXISTENCE_UNKNOWN;
    return sek_view_existence(qstate->return_msg->rep);
}

/* A bogus answer stays bogus (SERVFAIL): rewriting it would hide the forgery. Only a client that
 * turned checking off would see its records, so there policy is applied. */
static bool stays_bogus(const struct module_qstate *qstate, const struct reply_info *rep)
{
    bool checking = !(qstate->query_flags & BIT_CD) || qstate->env->cfg->ignore_cd;
    return rep && checking && qstate->env->need_to_validate && rep->security == sec_status_bogus;
}

static const struct reply_info *reply_of(const struct module_qstate *qstate)
{
    return qstate->return_msg ? qstate->return_msg->rep : NULL;
}

/* Clients that joined before the policy knew groups: all get one answer, so if one may not have it,
 * none does. */
static void judge_others(struct sek_module *m, struct module_qstate *qstate,
                         const struct sek_query *query, struct sek_chain *chain)
{
    const struct mesh_reply *r = qstate->mesh_info->reply_list;
    for (; r && !sek_action_blocks(chain->verdict.action); r = r->next) {
        struct sek_addr endpoint = sek_view_endpoint(&r->query_reply);
        if (sek_addr_equal(&endpoint, &query->client) &&
            sek_view_is_stream(&r->query_reply) == query->stream)
            continue;
        const struct sek_asking asking = {.endpoint = &endpoint,
                                          .qtype = qstate->qinfo.qtype,
                                          .stream = sek_view_is_stream(&r->query_reply)};
        sek_carried_judge(chain, reply_of(qstate), qstate->qinfo.qtype, qstate->env,
                          sek_chain_begin(chain, m->runtime, worker_of(qstate), &asking,
                                          &query->name, query->time_ms / 1000));
    }
}

/* An alias led to a name that is blocked, and nobody answers for what is behind it. */
static void on_way_take(const struct sek_query *query, struct sek_chain *chain)
{
    const struct sek_on_way *w = query->on_way;
    if (!w || w->epoch != query->judged.epoch)
        return;
    chain->verdict = w->verdict;
    chain->by_other = true;
    chain->matched = w->matched;
}

/* The verdict on question and chain with the newest policy: the one of the start may be older, or
 * the client joined a query of the resolver itself. */
static void judge_answer(struct sek_module *m, struct module_qstate *qstate,
                         struct sek_query *query, struct sek_chain *chain)
{
    if (!query->has_client && has_client(qstate))
        client_take(query, qstate);
    query->time_ms = sek_view_time_ms(qstate->env->now_tv);
    const struct sek_asking asking = asking_of(qstate, query);
    enum sek_judgement judgement =
        sek_carried_judge(chain, reply_of(qstate), qstate->qinfo.qtype, qstate->env,
                          sek_chain_again(chain, m->runtime, worker_of(qstate), &asking,
                                          &query->name, query->time_ms / 1000, &query->judged));
    if (judgement == SEK_JUDGED_OPEN && outcome_of(qstate) == SEK_OUTCOME_FAILED)
        on_way_take(query, chain);
    if (query->has_client && sek_runtime_has_groups(m->runtime))
        judge_others(m, qstate, query, chain);
    query->verdict = chain->verdict;
    sek_verdict_add_detected(&query->verdict, &query->detected);
}

static void message_remove(struct module_qstate *qstate)
{
    msg_cache_remove(qstate->env, qstate->qinfo.qname, qstate->qinfo.qname_len, qstate->qinfo.qtype,
                     qstate->qinfo.qclass, qstate->query_flags);
}

/* An answer that passes here: is it one that others may not have? */
static void answer_keep(struct sek_module *m, struct module_qstate *qstate,
                        const struct sek_query *query, bool bogus)
{
    if (query->from_kept || !sek_runtime_has_groups(m->runtime) ||
        sek_operate_judge(m, qstate, NULL, &qstate->qinfo, reply_of(qstate)) != SEK_JUDGED_BLOCKED)
        return;
    message_remove(qstate); /* what a module between us and the iterator stored by itself */
    /* no_cache_lookup: of a zone that nothing may be kept of (forward-no-cache) */
    if (query->has_client && !bogus && !qstate->no_cache_lookup)
        sek_apart_put(m->apart, qstate, &query->name);
}

static enum sek_outcome passed_outcome(const struct module_qstate *qstate,
                                       const struct sek_query *query, bool bogus)
{
    if (bogus)
        return SEK_OUTCOME_FAILED;
    return query->from_kept ? SEK_OUTCOME_CACHED : outcome_of(qstate);
}

/* What was blocked when it was cut off is not any more: let the client ask again. */
static enum module_ext_state allowed_meanwhile(struct module_qstate *qstate)
{
    qstate->return_rcode = LDNS_RCODE_SERVFAIL;
    qstate->return_msg = NULL;
    return module_finished;
}

static enum module_ext_state answer_review(struct sek_module *m, struct module_qstate *qstate,
                                           int id)
{
    struct sek_query *query = query_of(qstate, id);
    if (!query)
        return module_finished;
    /* what waited for an answer is blocked whatever came */
    bool bogus = !sek_verdict_waits(&query->verdict) && stays_bogus(qstate, reply_of(qstate));
    struct sek_chain chain;
    judge_answer(m, qstate, query, &chain);
    if (query->cut && !sek_action_blocks(query->verdict.action))
        return allowed_meanwhile(qstate);
    if (!sek_action_blocks(query->verdict.action) || bogus) {
        bool hit = sek_verdict_is_hit(&query->verdict) && !sek_action_blocks(query->verdict.action);
        enum sek_outcome outcome = passed_outcome(qstate, query, bogus);
        record(m, qstate, query, hit ? SEK_OUTCOME_HIT : outcome, existence_of(qstate, bogus),
               sek_chain_matched(&chain));
        answer_keep(m, qstate, query, bogus);
        return module_finished;
    }
    /* what was stored before this policy, or came out of cached parts without a response */
    message_remove(qstate);
    if (has_client(qstate))
        return block(m, qstate, query, id, sek_chain_matched(&chain));
    record(m, qstate, query, blocked_outcome(query), SEK_EXISTENCE_UNKNOWN,
           sek_chain_matched(&chain));
    return module_finished;
}

void sek_operate_clear(struct module_qstate *qstate, int id)
{
    struct sek_module *m = sek_module_of(qstate, id);
    struct sek_query *query = qstate->minfo[id];
    if (query && query->awaited && m && m->runtime) {
        bool hit = sek_verdict_is_hit(&query->verdict);
        record(m, qstate, query, hit ? SEK_OUTCOME_HIT : SEK_OUTCOME_FAILED, SEK_EXISTENCE_UNKNOWN,
               NULL);
    }
    qstate->minfo[id] = NULL; /* region memory: nothing to free */
}

void sek_operate(struct module_qstate *qstate, enum module_ev event, int id)
{
    struct sek_module *m = sek_module_of(qstate, id);
    bool active = m && m->runtime;
    if (active && !atomic_load_explicit(&m->daemon, memory_order_relaxed))
        atomic_store_explicit(&m->daemon, qstate->env->worker->daemon, memory_order_relaxed);
    struct sek_query *query = qstate->minfo[id];
    if (active && query && query->following && event != module_event_error) {
        sek_localdata_resume(qstate, query);
        qstate->ext_state[id] = module_finished;
        return;
    }
    switch (event) {
    case module_event_new:
    case module_event_pass:
        qstate->ext_state[id] = active ? question(m, qstate, id) : module_wait_module;
        break;
    case module_event_moddone:
        qstate->ext_state[id] = active ? answer_review(m, qstate, id) : module_finished;
        break;
    default:
        qstate->ext_state[id] = module_error;
        break;
    }
}
