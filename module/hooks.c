/* SPDX-License-Identifier: BSD-3-Clause */
#include "hooks.h"
#include "answer.h"
#include "carried.h"
#include "classify/classify.h"
#include "operate.h"
#include "view.h"
#include <string.h>

/* A query that is answered outside the mesh, as its callback shows it. */
struct seen {
    struct sek_name question;
    struct sek_addr endpoint;
    uint16_t qtype;
    bool stream;
    unsigned worker;
    int64_t time_ms;
};

static struct sek_asking asking_of(const struct seen *s)
{
    return (struct sek_asking){.endpoint = &s->endpoint, .qtype = s->qtype, .stream = s->stream};
}

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
    out->stream = sek_view_is_stream(repinfo);
    /* listening points are made with their worker as argument (daemon/worker.c, worker_create) */
    out->worker = (unsigned)((const struct worker *)repinfo->c->cb_arg)->thread_num;
    out->time_ms = sek_view_time_ms(now);
    return true;
}

/* rep: an answer from the cache, or NULL. An answer from the cache is on its way and cannot be
 * changed any more, so it is judged later, where no query waits for it, if there is no verdict. */
static void seen_record(struct sek_module *m, const struct seen *s, const struct reply_info *rep,
                        enum sek_outcome outcome, const struct sek_verdict *verdict,
                        const struct sek_matched *matched)
{
    struct sek_event event;
    sek_view_event(&event, outcome, sek_view_existence(rep), &s->question, s->qtype, &s->endpoint,
                   s->time_ms, verdict ? verdict->score : SEK_CLASSIFY_NONE);
    if (outcome == SEK_OUTCOME_HIT)
        sek_chain_set_hit(m->runtime, s->worker, verdict, matched, &event);
    event.cached = rep != NULL;
    sek_view_cached_answer(&event, rep);
    if (event.existence == SEK_EXISTENCE_EXISTS && sek_worker_tracks(m->runtime, &s->question))
        sek_view_addresses(&event, rep);
    event.unjudged = outcome == SEK_OUTCOME_CACHED && !verdict;
    sek_worker_record(m->runtime, s->worker, &event);
}

/* --- answered from the cache --------------------------------------------------------------------
 */

struct note {
    struct sek_module *m;
    const struct seen *s;
};

/* True, to go on: no rule knows the address. */
static bool is_unknown(void *arg, const struct sek_addr *addr)
{
    const struct note *n = arg;
    struct sek_verdict v;
    struct sek_name matched;
    const struct sek_asking asking = asking_of(n->s);
    sek_worker_decide_address(n->m->runtime, n->s->worker, &asking, &n->s->question,
                              SEK_TRIGGER_RESPONSE_IP, addr, n->s->time_ms / 1000, &v, &matched);
    return v.trigger == SEK_TRIGGER_NONE;
}

/* Does it carry an address that a rule knows? Nearly none does; then its question can be judged
 * later, as where there are no such rules. */
static bool carries_known(struct sek_module *m, const struct seen *s, const struct reply_info *rep)
{
    struct note note = {m, s};
    if (rep->an_numrrsets == 0 || !(sek_runtime_looks(m->runtime) & SEK_LOOKS_ADDRESSES))
        return false;
    for (size_t i = 0; i < rep->an_numrrsets; i++)
        if (!sek_carried_addresses(rep->rrsets[i], is_unknown, &note))
            return true;
    return false;
}

/* Is all that policy has to say of an answer said of its question? */
static bool is_plain(struct sek_module *m, const struct seen *s, const struct reply_info *rep,
                     enum sek_outcome outcome)
{
    return outcome == SEK_OUTCOME_CACHED && rep && !sek_view_has_chain(rep, s->qtype) &&
           !sek_view_is_referral(rep) && !carries_known(m, s, rep);
}

/* rep may be NULL. outcome: what it is if policy has no say. */
static void cached_record(struct sek_module *m, const struct seen *s, const struct reply_info *rep,
                          enum sek_outcome outcome)
{
    const struct sek_asking asking = asking_of(s);
    struct sek_chain chain;
    if (is_plain(m, s, rep, outcome)) {
        seen_record(m, s, rep, outcome, NULL, NULL);
        return;
    }
    sek_carried_judge(
        &chain, rep, s->qtype, NULL,
        sek_chain_begin(&chain, m->runtime, s->worker, &asking, &s->question, s->time_ms / 1000));
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
    struct sek_module *m = callback;
    struct seen s;
    if (seen_from(qinfo, repinfo, start_time, &s))
        seen_record(m, &s, NULL, SEK_OUTCOME_LOCAL, NULL, NULL);
    else
        sek_runtime_tell(m->runtime); /* a question about the resolver itself shows what it says */
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
        sek_answer_explain(m, (unsigned)qstate->env->worker->thread_num, query, qstate->qinfo.qtype,
                           &endpoint, options, region);
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

/* Nothing behind a blocked alias need be asked for: its servers would learn of it, and may be dead.
 * To the iterator YXDOMAIN is an answer that ends the query at once. With a validator it goes on,
 * as nobody knows yet whether the alias is forged. */
static void response_cut(const struct module_qstate *qstate, struct sek_query *query,
                         struct reply_info *rep)
{
    if (qstate->env->need_to_validate || !query->has_client || !query->on_way->final)
        return;
    FLAGS_SET_RCODE(rep->flags, LDNS_RCODE_YXDOMAIN);
    query->cut = true;
}

/* Who may have an answer. */
enum reach {
    REACH_ALL,
    REACH_SOME, /* the endpoint that asks, or for a query of the resolver's own those in no group */
    REACH_NONE,
};

static enum reach reach_of(struct sek_module *m, struct module_qstate *qstate,
                           struct sek_query *query, const struct dns_msg *response)
{
    static const struct sek_addr in_no_group;
    const struct query_info *qinfo = &qstate->qinfo;
    bool groups = sek_runtime_has_groups(m->runtime);
    bool client = query && query->has_client;
    const struct reply_info *rep = response->rep;
    enum sek_judgement judgement =
        query && (client || !groups)
            ? sek_operate_judge_query(m, qstate, query, rep, same_question(qinfo, &response->qinfo))
            : sek_operate_judge(m, qstate, &in_no_group, qinfo, rep);
    if (judgement == SEK_JUDGED_BLOCKED)
        return REACH_NONE;
    if (groups && sek_operate_judge(m, qstate, NULL, qinfo, rep) == SEK_JUDGED_BLOCKED)
        return REACH_SOME;
    return REACH_ALL;
}

/* The records of an answer that only some may have, so that the iterator need not ask again for
 * those that it needs itself, as addresses of name servers. Nobody is answered from records alone;
 * aliases are left out, as of them the iterator makes answers. */
static void records_store(struct module_qstate *qstate, const struct dns_msg *response)
{
    if (!sek_view_has_chain(response->rep, LDNS_RR_TYPE_ANY) && !qstate->no_cache_lookup)
        sek_compat_store_records(qstate, response);
}

static int on_response(struct module_qstate *qstate, struct dns_msg *response, int id,
                       void *callback)
{
    struct sek_module *m = callback;
    if (!response || qstate->qinfo.qclass != LDNS_RR_CLASS_IN)
        return 1;
    struct sek_query *query = qstate->minfo[id];
    if (query && query->has_client)
        sek_view_note_zones(&query->zones, &qstate->qinfo, response->rep);
    if (sek_view_is_referral(response->rep)) {
        if (query && query->contested && !query->held && !qstate->no_cache_lookup)
            qstate->no_cache_store = 0;
        return 1;
    }
    enum reach reach = reach_of(m, qstate, query, response);
    if (reach != REACH_ALL) {
        if (query)
            query->held = true;
        qstate->no_cache_store = 1;
        if (reach == REACH_NONE && query && response->rep->ttl < (time_t)query->lived_s)
            query->lived_s = (uint32_t)response->rep->ttl;
        if (reach == REACH_NONE)
            response_expire(response->rep);
        if (reach == REACH_NONE && query && query->on_way)
            response_cut(qstate, query, response->rep);
        else if (reach == REACH_SOME)
            records_store(qstate, response);
    } else if (!same_question(&qstate->qinfo, &response->qinfo) &&
               sek_operate_judge(m, qstate, NULL, &response->qinfo, response->rep) ==
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
