/* SPDX-License-Identifier: BSD-3-Clause */
#include "operate.h"
#include "answer.h"
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

/* --- the chain ----------------------------------------------------------------------------------
 */

/* Judging name after name; `hit` keeps the first that only records, until one blocks. */
struct chain_judge {
    struct sek_module *m;
    unsigned worker;
    int64_t now_s;
    struct sek_verdict verdict; /* trigger NONE: nothing decided */
    struct sek_name matched;
};

static bool chain_next(void *arg, const struct sek_name *name)
{
    struct chain_judge *j = arg;
    struct sek_verdict v;
    sek_worker_decide(j->m->runtime, j->worker, name, SEK_TRIGGER_CNAME, j->now_s, &v);
    bool blocks = sek_action_blocks(v.action);
    if (blocks || (sek_verdict_is_hit(&v) && j->verdict.trigger == SEK_TRIGGER_NONE)) {
        j->verdict = v;
        j->matched = *name;
    }
    return !blocks;
}

static void chain_judge_init(struct chain_judge *j, struct sek_module *m,
                             struct module_qstate *qstate)
{
    j->m = m;
    j->worker = worker_of(qstate);
    j->now_s = (int64_t)*qstate->env->now;
    j->verdict.trigger = SEK_TRIGGER_NONE;
    j->verdict.action = j->verdict.would = SEK_ACTION_PASSTHRU;
}

enum sek_judgement sek_operate_judge(struct sek_module *m, struct module_qstate *qstate,
                                     const struct query_info *qinfo, const struct reply_info *rep)
{
    struct sek_name question;
    struct chain_judge j;
    if (sek_name_from_wire(qinfo->qname, qinfo->qname_len, &question) != SEK_OK)
        return SEK_JUDGED_OPEN;
    chain_judge_init(&j, m, qstate);
    sek_worker_decide(m->runtime, j.worker, &question, SEK_TRIGGER_QNAME, j.now_s, &j.verdict);
    enum sek_judgement judgement = sek_judgement_of(&j.verdict);
    if (judgement != SEK_JUDGED_OPEN || !rep || !sek_view_has_chain(rep))
        return judgement;
    sek_view_chain(rep, chain_next, &j);
    return sek_judgement_of(&j.verdict);
}

/* --- events -------------------------------------------------------------------------------------
 */

static void record(struct sek_module *m, struct module_qstate *qstate, struct sek_query *query,
                   enum sek_outcome outcome, const struct sek_name *matched)
{
    if (query->recorded)
        return;
    for (const struct mesh_reply *r = qstate->mesh_info->reply_list; r; r = r->next) {
        struct sek_event event;
        struct sek_addr endpoint = sek_view_endpoint(&r->query_reply);
        sek_view_event(&event, outcome, &query->name, qstate->qinfo.qtype, &endpoint,
                       query->time_ms, &query->verdict, matched);
        sek_worker_record(m->runtime, worker_of(qstate), &event);
    }
    query->recorded = true;
}

/* Written when the verdict falls, not when the reply leaves: Unbound drops late replies silently.
 */
static void block(struct sek_module *m, struct module_qstate *qstate, struct sek_query *query,
                  const struct sek_name *matched)
{
    bool strict = query->verdict.trigger == SEK_TRIGGER_STRICT;
    record(m, qstate, query, strict ? SEK_OUTCOME_FAILED : SEK_OUTCOME_HIT, matched);
    sek_answer_set(m, qstate, query);
}

/* --- question -----------------------------------------------------------------------------------
 */

static void judge_question(struct sek_module *m, struct module_qstate *qstate,
                           struct sek_query *query)
{
    query->time_ms = sek_view_time_ms(qstate->env->now_tv);
    sek_worker_decide(m->runtime, worker_of(qstate), &query->name, SEK_TRIGGER_QNAME,
                      query->time_ms / 1000, &query->verdict);
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
    query->recorded = query->kept_out = false;
    query->verdict.trigger = SEK_TRIGGER_NONE;
    qstate->minfo[id] = query;
    return query;
}

static enum module_ext_state question(struct sek_module *m, struct module_qstate *qstate, int id)
{
    struct sek_query *query = query_of(qstate, id);
    if (!query || !has_client(qstate))
        return module_wait_module;
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

/* A bogus answer stays bogus (SERVFAIL): rewriting it would hide the forgery. Only a client that
 * turned checking off would see its records, so there policy is applied. */
static bool stays_bogus(const struct module_qstate *qstate, const struct reply_info *rep)
{
    bool checking = !(qstate->query_flags & BIT_CD) || qstate->env->cfg->ignore_cd;
    return rep && checking && qstate->env->need_to_validate && rep->security == sec_status_bogus;
}

/* The verdict on question and chain with the newest policy: the one of the start may be older, or
 * the client joined a query of the resolver itself. matched: the chain's name that decided, or
 * NULL. */
static void judge_answer(struct sek_module *m, struct module_qstate *qstate,
                         struct sek_query *query, struct chain_judge *chain,
                         const struct sek_name **matched)
{
    const struct reply_info *rep = qstate->return_msg ? qstate->return_msg->rep : NULL;
    *matched = NULL;
    judge_question(m, qstate, query);
    if (sek_judgement_of(&query->verdict) != SEK_JUDGED_OPEN || !rep || !sek_view_has_chain(rep))
        return;
    chain_judge_init(chain, m, qstate);
    sek_view_chain(rep, chain_next, chain);
    bool decided = chain->verdict.trigger != SEK_TRIGGER_NONE;
    if (decided &&
        (sek_action_blocks(chain->verdict.action) || query->verdict.trigger == SEK_TRIGGER_NONE)) {
        query->verdict = chain->verdict;
        *matched = &chain->matched;
    }
}

static void answer_review(struct sek_module *m, struct module_qstate *qstate, int id)
{
    struct sek_query *query = query_of(qstate, id);
    if (!query)
        return;
    const struct reply_info *rep = qstate->return_msg ? qstate->return_msg->rep : NULL;
    if (stays_bogus(qstate, rep)) {
        query->time_ms = sek_view_time_ms(qstate->env->now_tv);
        record(m, qstate, query, SEK_OUTCOME_FAILED, NULL);
        return;
    }
    struct chain_judge chain;
    const struct sek_name *matched;
    judge_answer(m, qstate, query, &chain, &matched);
    if (!sek_action_blocks(query->verdict.action)) {
        bool hit = sek_verdict_is_hit(&query->verdict);
        record(m, qstate, query, hit ? SEK_OUTCOME_HIT : outcome_of(qstate), matched);
        return;
    }
    /* what was stored before this policy, or came out of cached parts without a response */
    msg_cache_remove(qstate->env, qstate->qinfo.qname, qstate->qinfo.qname_len, qstate->qinfo.qtype,
                     qstate->qinfo.qclass, qstate->query_flags);
    if (has_client(qstate))
        block(m, qstate, query, matched);
}

void sek_operate(struct module_qstate *qstate, enum module_ev event, int id)
{
    struct sek_module *m = sek_module_of(qstate, id);
    bool active = m && m->runtime;
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
