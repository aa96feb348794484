/* SPDX-License-Identifier: BSD-3-Clause */
#include "operate.h"
#include "answer.h"
#include "classify/classify.h"
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

/* The chain of a reply, after the judgement on its question. */
static enum sek_judgement chain_rest(struct sek_chain *chain, const struct reply_info *rep,
                                     uint16_t qtype, enum sek_judgement question)
{
    if (question != SEK_JUDGED_OPEN || !sek_view_has_chain(rep, qtype))
        return question;
    sek_view_chain(rep, sek_chain_next, chain);
    return sek_judgement_of(&chain->verdict);
}

enum sek_judgement sek_operate_judge(struct sek_module *m, struct module_qstate *qstate,
                                     const struct query_info *qinfo, const struct reply_info *rep)
{
    struct sek_name question;
    struct sek_chain chain;
    if (sek_name_from_wire(qinfo->qname, qinfo->qname_len, &question) != SEK_OK)
        return SEK_JUDGED_OPEN;
    return chain_rest(
        &chain, rep, qinfo->qtype,
        sek_chain_begin(&chain, m->runtime, worker_of(qstate), &question, *qstate->env->now));
}

enum sek_judgement sek_operate_judge_query(struct sek_module *m, struct module_qstate *qstate,
                                           struct sek_query *query, const struct reply_info *rep)
{
    struct sek_chain chain;
    return chain_rest(&chain, rep, qstate->qinfo.qtype,
                      sek_chain_again(&chain, m->runtime, worker_of(qstate), &query->name,
                                      *qstate->env->now, &query->judged));
}

/* --- events -------------------------------------------------------------------------------------
 */

static void record_one(struct sek_module *m, const struct module_qstate *qstate,
                       const struct sek_query *query, enum sek_outcome outcome,
                       enum sek_existence existence, const struct sek_name *matched,
                       const struct sek_addr *endpoint)
{
    struct sek_event event;
    sek_view_event(&event, outcome, existence, &query->name, qstate->qinfo.qtype, endpoint,
                   query->time_ms, &query->verdict, matched);
    if (existence == SEK_EXISTENCE_EXISTS)
        sek_view_fresh_answer(&event, qstate->return_msg->rep);
    sek_worker_record(m->runtime, worker_of(qstate), &event);
}

/* For each client that waits; or for the first one, when it closed its connection meanwhile. */
static void record(struct sek_module *m, struct module_qstate *qstate, struct sek_query *query,
                   enum sek_outcome outcome, enum sek_existence existence,
                   const struct sek_name *matched)
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
static void block(struct sek_module *m, struct module_qstate *qstate, struct sek_query *query,
                  const struct sek_name *matched)
{
    record(m, qstate, query, blocked_outcome(query), SEK_EXISTENCE_UNKNOWN, matched);
    /* a query of the resolver's own that waits for this one (dns64 asks for A) must not take our
     * answer for the real one: it will be judged by itself */
    if (qstate->mesh_info->super_set.count > 0)
        query->original = qstate->return_msg;
    sek_answer_set(m, qstate, query);
}

/* --- question -----------------------------------------------------------------------------------
 */

static void judge_question(struct sek_module *m, struct module_qstate *qstate,
                           struct sek_query *query)
{
    query->time_ms = sek_view_time_ms(qstate->env->now_tv);
    sek_worker_decide_once(m->runtime, worker_of(qstate), &query->name, query->time_ms / 1000,
                           &query->judged);
    query->verdict = query->judged.verdict;
    sek_worker_detect(m->runtime, worker_of(qstate), &query->name, query->time_ms / 1000,
                      &query->verdict);
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
    query->verdict.trigger = SEK_TRIGGER_NONE;
    query->verdict.action = query->verdict.would = SEK_ACTION_PASSTHRU;
    query->verdict.score = SEK_CLASSIFY_NONE;
    query->detected = query->verdict;
    query->original = NULL;
    qstate->minfo[id] = query;
    return query;
}

static enum module_ext_state question(struct sek_module *m, struct module_qstate *qstate, int id)
{
    struct sek_query *query = query_of(qstate, id);
    if (!query || !has_client(qstate))
        return module_wait_module;
    query->client = sek_view_endpoint(&qstate->mesh_info->reply_list->query_reply);
    query->awaited = true;
    judge_question(m, qstate, query);
    if (!sek_action_blocks(query->verdict.action))
        return module_wait_module;
    block(m, qstate, query, NULL);
    return module_finished;
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

/* The verdict on question and chain with the newest policy: the one of the start may be older, or
 * the client joined a query of the resolver itself. */
static void judge_answer(struct sek_module *m, struct module_qstate *qstate,
                         struct sek_query *query, struct sek_chain *chain)
{
    const struct reply_info *rep = qstate->return_msg ? qstate->return_msg->rep : NULL;
    query->time_ms = sek_view_time_ms(qstate->env->now_tv);
    chain_rest(chain, rep, qstate->qinfo.qtype,
               sek_chain_again(chain, m->runtime, worker_of(qstate), &query->name,
                               query->time_ms / 1000, &query->judged));
    query->verdict = chain->verdict;
    /* what a detector said of the question stands as long as no rule decides */
    if (chain->verdict.trigger == SEK_TRIGGER_NONE &&
        sek_trigger_is_detector((int)query->detected.trigger))
        query->verdict = query->detected;
    query->verdict.score = query->detected.score;
}

static void answer_review(struct sek_module *m, struct module_qstate *qstate, int id)
{
    struct sek_query *query = query_of(qstate, id);
    if (!query)
        return;
    const struct reply_info *rep = qstate->return_msg ? qstate->return_msg->rep : NULL;
    bool bogus = stays_bogus(qstate, rep);
    struct sek_chain chain;
    judge_answer(m, qstate, query, &chain);
    if (!sek_action_blocks(query->verdict.action) || bogus) {
        bool hit = sek_verdict_is_hit(&query->verdict) && !sek_action_blocks(query->verdict.action);
        enum sek_outcome outcome = bogus ? SEK_OUTCOME_FAILED : outcome_of(qstate);
        record(m, qstate, query, hit ? SEK_OUTCOME_HIT : outcome, existence_of(qstate, bogus),
               sek_chain_matched(&chain));
        return;
    }
    /* what was stored before this policy, or came out of cached parts without a response */
    msg_cache_remove(qstate->env, qstate->qinfo.qname, qstate->qinfo.qname_len, qstate->qinfo.qtype,
                     qstate->qinfo.qclass, qstate->query_flags);
    if (has_client(qstate))
        block(m, qstate, query, sek_chain_matched(&chain));
    else
        record(m, qstate, query, blocked_outcome(query), SEK_EXISTENCE_UNKNOWN,
               sek_chain_matched(&chain));
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
    switch (event) {
    case module_event_new:
    case module_event_pass:
        qstate->ext_state[id] = active ? question(m, qstate, id) : module_wait_module;
        break;
    case module_event_moddone:
        if (active)
            answer_review(m, qstate, id);
        qstate->ext_state[id] = module_finished;
        break;
    default:
        qstate->ext_state[id] = module_error;
        break;
    }
}
