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

static void seen_record(struct sek_module *m, const struct seen *s, enum sek_outcome outcome,
                        const struct sek_verdict *verdict, const struct sek_name *matched)
{
    struct sek_event event;
    sek_view_event(&event, outcome, &s->question, s->qtype, &s->endpoint, s->time_ms, verdict,
                   matched);
    sek_worker_record(m->runtime, s->worker, &event);
}

/* --- answered from the cache --------------------------------------------------------------------
 */

struct cached_chain {
    struct sek_module *m;
    const struct seen *seen;
    struct sek_verdict verdict;
    struct sek_name matched;
};

static bool cached_chain_next(void *arg, const struct sek_name *name)
{
    struct cached_chain *c = arg;
    sek_worker_decide(c->m->runtime, c->seen->worker, name, SEK_TRIGGER_CNAME,
                      c->seen->time_ms / 1000, &c->verdict);
    c->matched = *name;
    return !sek_verdict_is_hit(&c->verdict);
}

static void cached_record(struct sek_module *m, const struct seen *s, const struct reply_info *rep)
{
    struct cached_chain c; /* not zeroed: that would cost more than the decision */
    const struct sek_name *matched = NULL;
    c.m = m;
    c.seen = s;
    sek_worker_decide(m->runtime, s->worker, &s->question, SEK_TRIGGER_QNAME, s->time_ms / 1000,
                      &c.verdict);
    if (c.verdict.trigger == SEK_TRIGGER_NONE && rep && sek_view_has_chain(rep)) {
        sek_view_chain(rep, cached_chain_next, &c);
        matched = &c.matched;
    }
    if (sek_action_blocks(c.verdict.action)) {
        /* it is on its way and cannot be stopped: count it as what it is */
        sek_worker_leaked(m->runtime, s->worker, &c.verdict, s->time_ms / 1000);
        c.verdict.action = SEK_ACTION_PASSTHRU;
    }
    bool failed = rep && FLAGS_GET_RCODE(rep->flags) == LDNS_RCODE_SERVFAIL;
    enum sek_outcome outcome = failed ? SEK_OUTCOME_FAILED : SEK_OUTCOME_CACHED;
    bool hit = sek_verdict_is_hit(&c.verdict);
    seen_record(m, s, hit ? SEK_OUTCOME_HIT : outcome, &c.verdict, matched);
}

static int on_cached(struct query_info *qinfo, struct module_qstate *qstate, struct reply_info *rep,
                     int rcode, struct edns_data *edns, struct edns_option **options,
                     struct comm_reply *repinfo, struct regional *region,
                     struct timeval *start_time, int id, void *callback)
{
    (void)qstate, (void)rcode, (void)edns, (void)options, (void)region, (void)id;
    struct seen s;
    if (seen_from(qinfo, repinfo, start_time, &s))
        cached_record(callback, &s, rep);
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
        seen_record(callback, &s, SEK_OUTCOME_LOCAL, NULL, NULL);
    return 1;
}

/* --- answered by the mesh -----------------------------------------------------------------------
 */

/* Once per client. start_time is when the query came. */
static int on_reply(struct query_info *qinfo, struct module_qstate *qstate, struct reply_info *rep,
                    int rcode, struct edns_data *edns, struct edns_option **options,
                    struct comm_reply *repinfo, struct regional *region, struct timeval *start_time,
                    int id, void *callback)
{
    (void)rep, (void)rcode;
    struct sek_module *m = callback;
    struct sek_query *query = qstate ? qstate->minfo[id] : NULL;
    if (!query || !repinfo)
        return 1;
    if (!query->recorded) {
        /* a stale answer for a client that must not wait longer (serve-expired-client-timeout) */
        struct seen s;
        if (seen_from(qinfo, repinfo, start_time, &s))
            seen_record(m, &s, SEK_OUTCOME_CACHED, NULL, NULL);
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
        seen_record(callback, &s, SEK_OUTCOME_FAILED, NULL, NULL);
    return 1;
}

/* --- before an upstream response is stored
 * ---------------------------------------------------------- */

static bool same_question(const struct query_info *a, const struct query_info *b)
{
    return a->qname_len == b->qname_len && query_dname_compare(a->qname, b->qname) == 0;
}

/* An answer that policy blocks must never be in the shared cache, where no module can catch it:
 * neither under the client's question nor under the name that the iterator asks on the way. Set
 * here and not at the start of the query, which would keep referrals out of the cache too.
 *
 * What concerns only a name asked on the way (the zone above an excepted name, by query name
 * minimisation) ends with the next response; a name of the chain holds for good, since the iterator
 * stores the whole chain at the end. The chain cannot lead on from a response without an alias.
 * no_cache_lookup: meanwhile somebody else (forward-no-cache) wants nothing stored. */
static void keep_out_end(struct module_qstate *qstate, struct sek_query *query)
{
    if (query && query->kept_out && !qstate->no_cache_lookup)
        qstate->no_cache_store = 0;
    if (query)
        query->kept_out = false;
}

static int on_response(struct module_qstate *qstate, struct dns_msg *response, int id,
                       void *callback)
{
    struct sek_module *m = callback;
    if (!response || qstate->qinfo.qclass != LDNS_RR_CLASS_IN)
        return 1;
    struct sek_query *query = qstate->minfo[id];
    keep_out_end(qstate, query);
    if (sek_operate_judge(m, qstate, &qstate->qinfo, response->rep) == SEK_JUDGED_BLOCKED) {
        qstate->no_cache_store = 1;
    } else if (!same_question(&qstate->qinfo, &response->qinfo) &&
               sek_operate_judge(m, qstate, &response->qinfo, response->rep) ==
                   SEK_JUDGED_BLOCKED) {
        if (query && !qstate->no_cache_store && !sek_view_has_chain(response->rep))
            query->kept_out = true;
        qstate->no_cache_store = 1;
    }
    return 1;
}

/* --- registration
 * --------------------------------------------------------------------------------- */

static const enum inplace_cb_list_type types[] = {
    inplace_cb_reply,          inplace_cb_reply_cache,    inplace_cb_reply_local,
    inplace_cb_reply_servfail, inplace_cb_query_response,
};
#define N_TYPES (sizeof types / sizeof types[0])

bool sek_hooks_register(struct module_env *env, int id, struct sek_module *m)
{
    void *const functions[N_TYPES] = {(void *)on_reply, (void *)on_cached, (void *)on_local,
                                      (void *)on_servfail, (void *)on_response};
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
