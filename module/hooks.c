/* SPDX-License-Identifier: BSD-3-Clause */
#include "hooks.h"
#include "answer.h"
#include "operate.h"
#include "view.h"
#include <string.h>

/* A query that is answered outside the mesh, as its callback shows it. */
struct seen {
    struct sek_name question;
    struct sek_addr endpoint;
    uint16_t qtype;
    unsigned worker;
    int64_t time_ms;
};

/* False: nothing of ours (class other than IN, internal, or Unbound passes NULL, as for
 * version.bind). */
static bool seen_from(const struct query_info *qinfo, const struct comm_reply *repinfo,
                      const struct timeval *now, struct seen *out)
{
    if (!qinfo || !qinfo->qname || !repinfo || !repinfo->c || !now ||
        qinfo->qclass != LDNS_RR_CLASS_IN)
        return false;
    if (!repinfo->c->cb_arg) /* no listening point: Unbound's testbound makes questions up */
        return false;
    if (sek_name_from_wire(qinfo->qname, qinfo->qname_len, &out->question) != SEK_OK)
        return false;
    out->endpoint = sek_view_endpoint(repinfo);
    out->qtype = qinfo->qtype;
    /* listening points are made with their worker as argument (daemon/worker.c, worker_create) */
    out->worker = (unsigned)((const struct worker *)repinfo->c->cb_arg)->thread_num;
    out->time_ms = sek_view_time_ms(now);
    return true;
}

/* rep: an answer from the cache, or NULL. An answer from the cache is on its way and cannot be
 * changed any more, so it is judged later, where no query waits for it, if there is no verdict. */
static void seen_record(struct sek_module *m, const struct seen *s, const struct reply_info *rep,
                        enum sek_outcome outcome, const struct sek_verdict *verdict,
                        const struct sek_name *matched)
{
    struct sek_event event;
    sek_view_event(&event, outcome, sek_view_existence(rep), &s->question, s->qtype, &s->endpoint,
                   s->time_ms, verdict, matched);
    sek_view_cached_answer(&event, rep);
    event.unjudged = outcome == SEK_OUTCOME_CACHED && !verdict;
    sek_worker_record(m->runtime, s->worker, &event);
}

/* --- answered from the cache --------------------------------------------------------------------
 */

/* Is all that policy has to say of an answer said of its question? */
static bool is_plain(const struct reply_info *rep, uint16_t qtype, enum sek_outcome outcome)
{
    return outcome == SEK_OUTCOME_CACHED && rep && !sek_view_has_chain(rep, qtype) &&
           !sek_view_is_referral(rep);
}

/* rep may be NULL. outcome: what it is if policy has no say. */
static void cached_record(struct sek_module *m, const struct seen *s, const struct reply_info *rep,
                          enum sek_outcome outcome)
{
    struct sek_chain chain;
    if (is_plain(rep, s->qtype, outcome)) {
        seen_record(m, s, rep, outcome, NULL, NULL);
        return;
    }
    enum sek_judgement judgement =
        sek_chain_begin(&chain, m->runtime, s->worker, &s->question, s->time_ms / 1000);
    if (judgement == SEK_JUDGED_OPEN && sek_view_has_chain(rep, s->qtype))
        sek_view_chain(rep, sek_chain_next, &chain);
    bool hit = sek_verdict_is_hit(&chain.verdict);
    if (sek_action_blocks(chain.verdict.action)) {
        /* It is on its way and cannot be stopped: count it as what it is. A failure or a referral
         * shows nothing of what is blocked. */
        bool shows = outcome != SEK_OUTCOME_FAILED && rep && !sek_view_is_referral(rep);
        if (shows)
            sek_worker_leaked(m->runtime, s->worker, &chain.verdict, s->time_ms);
        chain.verdict.action = SEK_ACTION_PASSTHRU;
        hit = shows;
    }
    seen_record(m, s, rep, hit ? SEK_OUTCOME_HIT : outcome, &chain.verdict,
                sek_chain_matched(&chain));
}

static enum sek_outcome cached_outcome(const struct reply_info *rep)
{
    bool failed = rep && FLAGS_GET_RCODE(rep->flags) == LDNS_RCODE_SERVFAIL;
    return failed ? SEK_OUTCOME_FAILED : SEK_OUTCOME_CACHED;
}

static int on_cached(struct query_info *qinfo, struct module_qstate *qstate, struct reply_info *rep,
                     int rcode, struct edns_data *edns, struct edns_option **options,
                     struct comm_reply *repinfo, struct regional *region,
                     struct timeval *start_time, int id, void *callback)
{
    (void)qstate, (void)rcode, (void)edns, (void)options, (void)region, (void)id;
    struct seen s;
    if (seen_from(qinfo, repinfo, start_time, &s))
        cached_record(callback, &s, rep, cached_outcome(rep));
    return 1;
}

/* --- answered by local zones, auth zones, RPZ
 * ----------------------------------------------------- */

static int on_local(struct query_info *qinfo, struct module_qstate *qstate, struct reply_info *rep,
                    int rcode, struct edns_data *edns, struct edns_option **options,
                    struct comm_reply *repinfo, struct regional *region, struct timeval *start_time,
                    int id, void *callback)
{
    (void)qstate, (void)rep, (void)rcode, (void)edns, (void)options, (void)region, (void)id;
    struct seen s;
    if (seen_from(qinfo, repinfo, start_time, &s))
        seen_record(callback, &s, NULL, SEK_OUTCOME_LOCAL, NULL, NULL);
    return 1;
}

/* --- answered by the mesh -----------------------------------------------------------------------
 */

/* Once per client, when its reply has been chosen. start_time is when the query came. */
static int on_reply(struct query_info *qinfo, struct module_qstate *qstate, struct reply_info *rep,
                    int rcode, struct edns_data *edns, struct edns_option **options,
                    struct comm_reply *repinfo, struct regional *region, struct timeval *start_time,
                    int id, void *callback)
{
    (void)rcode;
    struct sek_module *m = callback;
    struct sek_query *query = qstate ? qstate->minfo[id] : NULL;
    if (!query || !repinfo)
        return 1;
    if (query->original) /* the reply is chosen; queries that wait for this one are told later */
        qstate->return_msg = query->original;
    if (!query->recorded) {
        /* a stale answer for a client that must not wait longer (serve-expired-client-timeout) */
        struct seen s;
        if (seen_from(qinfo, repinfo, start_time, &s))
            cached_record(m, &s, rep, cached_outcome(rep));
        query->awaited = false;
    } else if (sek_action_blocks(query->verdict.action) && edns && edns->edns_present &&
               query->verdict.trigger != SEK_TRIGGER_STRICT) {
        struct sek_addr endpoint = sek_view_endpoint(repinfo);
        sek_answer_explain(m, query, qstate->qinfo.qtype, &endpoint, options, region);
    }
    return 1;
}

/* A bogus answer that the cache holds; failures of the mesh were recorded when they were judged. */
static int on_servfail(struct query_info *qinfo, struct module_qstate *qstate,
                       struct reply_info *rep, int rcode, struct edns_data *edns,
                       struct edns_option **options, struct comm_reply *repinfo,
                       struct regional *region, struct timeval *start_time, int id, void *callback)
{
    (void)rep, (void)rcode, (void)edns, (void)options, (void)region, (void)id;
    struct seen s;
    if (!qstate && seen_from(qinfo, repinfo, start_time, &s))
        cached_record(callback, &s, NULL, SEK_OUTCOME_FAILED);
    return 1;
}

/* --- before an upstream response is stored
 * ---------------------------------------------------------- */

static bool same_question(const struct query_info *a, const struct query_info *b)
{
    return a->qname_len == b->qname_len && query_dname_compare(a->qname, b->qname) == 0;
}

/* An answer that policy blocks must never be in the shared cache, where no module can catch it:
 * neither under the client's question nor under the name that the iterator asks on the way. Said
 * here and not at the start of the query, which would keep referrals out of the cache too; they
 * hold nothing that a client can be given.
 *
 * What concerns only a name asked on the way (the zone above an excepted name, by query name
 * minimisation) ends before the next question goes out. A name of the chain holds for good, since
 * the iterator stores the whole chain at the end; subnetcache takes the flag back with every
 * question, and dns64 does not heed it, hence `held` and the lifetime of 0. */
static void response_expire(struct reply_info *rep)
{
    rep->ttl = rep->prefetch_ttl = rep->serve_expired_ttl = 0;
    for (size_t i = 0; i < rep->rrset_count; i++) {
        struct packed_rrset_data *data = rep->rrsets[i]->entry.data;
        data->ttl = 0;
        for (size_t j = 0; j < data->count + data->rrsig_count; j++)
            data->rr_ttl[j] = 0;
    }
}

/* query may be NULL: it had no memory. */
static bool query_blocked(struct sek_module *m, struct module_qstate *qstate,
                          struct sek_query *query, const struct reply_info *rep)
{
    enum sek_judgement judgement = query ? sek_operate_judge_query(m, qstate, query, rep)
                                         : sek_operate_judge(m, qstate, &qstate->qinfo, rep);
    return judgement == SEK_JUDGED_BLOCKED;
}

static int on_response(struct module_qstate *qstate, struct dns_msg *response, int id,
                       void *callback)
{
    struct sek_module *m = callback;
    if (!response || qstate->qinfo.qclass != LDNS_RR_CLASS_IN ||
        sek_view_is_referral(response->rep))
        return 1;
    struct sek_query *query = qstate->minfo[id];
    if (query_blocked(m, qstate, query, response->rep)) {
        if (query)
            query->held = true;
        qstate->no_cache_store = 1;
        response_expire(response->rep);
    } else if (!same_question(&qstate->qinfo, &response->qinfo) &&
               sek_operate_judge(m, qstate, &response->qinfo, response->rep) ==
                   SEK_JUDGED_BLOCKED) {
        if (query && sek_view_has_chain(response->rep, response->qinfo.qtype))
            query->held = true;
        else if (query && !qstate->no_cache_store)
            query->kept_out = true;
        qstate->no_cache_store = 1;
    }
    if (query && query->held)
        qstate->no_cache_store = 1;
    return 1;
}

/* Before a question goes out. Ours is called before subnetcache's, which may then want the next
 * answer not stored. no_cache_lookup: forward-no-cache does. */
static int on_query(struct query_info *qinfo, uint16_t flags, struct module_qstate *qstate,
                    struct sockaddr_storage *addr, socklen_t addrlen, uint8_t *zone, size_t zonelen,
                    struct regional *region, int id, void *callback)
{
    (void)qinfo, (void)flags, (void)addr, (void)addrlen, (void)zone, (void)zonelen, (void)region;
    (void)callback;
    struct sek_query *query = qstate->minfo[id];
    if (query && query->kept_out && !query->held && !qstate->no_cache_lookup)
        qstate->no_cache_store = 0;
    if (query)
        query->kept_out = false;
    return 1;
}

/* --- registration
 * --------------------------------------------------------------------------------- */

static const enum inplace_cb_list_type types[] = {
    inplace_cb_reply,          inplace_cb_reply_cache,    inplace_cb_reply_local,
    inplace_cb_reply_servfail, inplace_cb_query_response, inplace_cb_query,
};
#define N_TYPES (sizeof types / sizeof types[0])

bool sek_hooks_register(struct module_env *env, int id, struct sek_module *m)
{
    void *const functions[N_TYPES] = {(void *)on_reply,    (void *)on_cached,   (void *)on_local,
                                      (void *)on_servfail, (void *)on_response, (void *)on_query};
    /* through dynlib's own wrapper: Unbound aborts on callbacks that it does not know */
    struct dynlibmod_env *dynlib = env->modinfo[id];
    for (size_t i = 0; i < N_TYPES; i++) {
        if (!dynlib->inplace_cb_register_wrapped(functions[i], types[i], m, env, id)) {
            sek_hooks_unregister(env, id);
            return false;
        }
    }
    return true;
}

void sek_hooks_unregister(struct module_env *env, int id)
{
    struct dynlibmod_env *dynlib = env->modinfo[id];
    for (size_t i = 0; i < N_TYPES; i++)
        dynlib->inplace_cb_delete_wrapped(env, types[i], id);
}
