/* SPDX-License-Identifier: BSD-3-Clause */
#include "localdata.h"
#include "answer.h"
#include "policy/records.h"
#include <string.h>

/* --- records ------------------------------------------------------------------------------------
 */

/* The records of one type, the next one behind *io_type; all: whatever type comes. False: no more.
 */
struct found {
    uint16_t type;
    size_t n, octets; /* with 2 of length each */
};

static bool next_type(const uint8_t *data, size_t n, uint16_t behind, uint16_t wanted,
                      struct found *out)
{
    const uint8_t *at = data;
    struct sek_record r;
    *out = (struct found){0};
    while (sek_record_next(&at, data + n, &r)) {
        bool fits = r.type > behind && (wanted == LDNS_RR_TYPE_ANY || r.type == wanted);
        if (!fits || (out->n && r.type != out->type))
            continue;
        out->type = r.type;
        out->n++;
        out->octets += r.n + 2U;
    }
    return out->n > 0;
}

static struct ub_packed_rrset_key *rrset_of(struct module_qstate *qstate, const uint8_t *data,
                                            size_t n, const struct found *f, uint32_t ttl)
{
    struct ub_packed_rrset_key *key =
        sek_answer_rrset(qstate->region, qstate->qinfo.qname, qstate->qinfo.qname_len, f->type, ttl,
                         f->n, f->octets);
    const uint8_t *at = data;
    struct sek_record r;
    if (!key)
        return NULL;
    struct packed_rrset_data *to = key->entry.data;
    uint8_t *octets = to->rr_data[0];
    for (size_t i = 0; sek_record_next(&at, data + n, &r);) {
        if (r.type != f->type)
            continue;
        to->rr_data[i] = octets;
        to->rr_len[i] = r.n + 2U;
        sldns_write_uint16(octets, r.n);
        memcpy(octets + 2, r.data, r.n);
        octets += r.n + 2U;
        i++;
    }
    return key;
}

/* --- CNAME --------------------------------------------------------------------------------------
 */

/* Where an alias leads: "*.garden.example" to the question below garden.example. False: that is no
 * name, or too long for one. */
static bool target_of(const struct sek_query *query, const struct sek_record *cname,
                      struct sek_name *out)
{
    struct sek_name target;
    uint8_t wire[2 * SEK_NAME_MAX];
    if (sek_name_from_wire(cname->data, cname->n, &target) != SEK_OK)
        return false;
    if (target.n_labels < 2 || target.octets[0] != 1 || target.octets[1] != '*') {
        *out = target;
        return true;
    }
    size_t own = query->name.len - 1U, rest = target.len - 2U;
    memcpy(wire, query->name.octets, own);
    memcpy(wire + own, target.octets + 2, rest);
    return own + rest <= SEK_NAME_MAX && sek_name_from_wire(wire, own + rest, out) == SEK_OK;
}

static bool ask_target(struct module_qstate *qstate, int id, struct sek_query *query)
{
    const struct sek_name *target = &query->following->target;
    struct query_info qinfo = qstate->qinfo;
    struct module_qstate *sub = NULL;
    qinfo.qname = (uint8_t *)target->octets;
    qinfo.qname_len = target->len;
    qinfo.local_alias = NULL;
    if (!qstate->env->attach_sub(qstate, &qinfo,
                                 (uint16_t)(BIT_RD | (qstate->query_flags & BIT_CD)), 0, 0, &sub))
        return false;
    if (sub) /* a new one; else somebody asks the same already */
        sub->minfo[id] = NULL;
    return true;
}

static enum sek_localdata follow(struct module_qstate *qstate, int id, struct sek_query *query,
                                 const struct sek_record *cname, uint32_t ttl)
{
    uint8_t data[SEK_NAME_MAX + 4];
    struct sek_following *f = regional_alloc_zero(qstate->region, sizeof *f);
    if (!f || !target_of(query, cname, &f->target))
        return SEK_LOCALDATA_FAILED;
    sldns_write_uint16(data, SEK_TYPE_CNAME);
    sldns_write_uint16(data + 2, f->target.len);
    memcpy(data + 4, f->target.octets, f->target.len);
    const struct found found = {SEK_TYPE_CNAME, 1, f->target.len + 2U};
    f->cname = rrset_of(qstate, data, f->target.len + 4U, &found, ttl);
    if (!f->cname)
        return SEK_LOCALDATA_FAILED;
    query->following = f;
    uint16_t type = qstate->qinfo.qtype;
    if (type == LDNS_RR_TYPE_CNAME || type == LDNS_RR_TYPE_ANY) {
        f->done = true; /* the alias itself is the answer */
        return SEK_LOCALDATA_DONE;
    }
    return ask_target(qstate, id, query) ? SEK_LOCALDATA_WAITS : SEK_LOCALDATA_FAILED;
}

/* --- the answer ---------------------------------------------------------------------------------
 */

static bool answer_put(struct module_qstate *qstate, struct reply_info *rep)
{
    struct dns_msg *msg = regional_alloc_zero(qstate->region, sizeof *msg);
    if (!msg)
        return false;
    msg->qinfo = qstate->qinfo;
    msg->rep = rep;
    qstate->return_msg = msg;
    qstate->return_rcode = LDNS_RCODE_NOERROR;
    return true;
}

#define TYPES_MAX 32 /* of one rule in an answer to ANY */

static enum sek_localdata answer_of(struct module_qstate *qstate, const uint8_t *data, size_t n,
                                    uint32_t ttl)
{
    struct found f = {0};
    uint32_t least = UINT32_MAX;
    struct reply_info *rep = sek_answer_reply(qstate, LDNS_RCODE_NOERROR, TYPES_MAX);
    if (!rep)
        return SEK_LOCALDATA_FAILED;
    while (rep->an_numrrsets < TYPES_MAX && next_type(data, n, f.type, qstate->qinfo.qtype, &f)) {
        uint32_t own = sek_record_ttl(data, n, f.type, ttl);
        struct ub_packed_rrset_key *rrset = rrset_of(qstate, data, n, &f, own);
        if (!rrset)
            return SEK_LOCALDATA_FAILED;
        rep->rrsets[rep->an_numrrsets++] = rrset;
        rep->rrset_count++;
        least = own < least ? own : least;
    }
    if (rep->an_numrrsets == 0)
        return SEK_LOCALDATA_EMPTY;
    rep->ttl = rep->prefetch_ttl = rep->serve_expired_ttl = (time_t)least;
    return answer_put(qstate, rep) ? SEK_LOCALDATA_DONE : SEK_LOCALDATA_FAILED;
}

enum sek_localdata sek_localdata_begin(struct sek_module *m, struct module_qstate *qstate, int id,
                                       struct sek_query *query, uint32_t ttl)
{
    uint8_t data[SEK_TERMS_DATA_MAX];
    const uint8_t *at = data;
    struct sek_record first;
    size_t n = sek_worker_data(m->runtime, (unsigned)qstate->env->worker->thread_num,
                               &query->verdict, data);
    if (!sek_record_next(&at, data + n, &first))
        return SEK_LOCALDATA_FAILED;
    if (first.type != SEK_TYPE_CNAME)
        return answer_of(qstate, data, n, ttl);
    enum sek_localdata result = follow(qstate, id, query, &first, ttl);
    if (result == SEK_LOCALDATA_DONE)
        sek_localdata_resume(qstate, query);
    return result;
}

/* What policy kept out of the cache by a lifetime of 0 (hooks.c) is for this client as long as its
 * servers said. */
static void lifetime_restore(struct reply_info *rep, uint32_t ttl)
{
    for (size_t i = 0; i < rep->an_numrrsets + rep->ns_numrrsets; i++) {
        struct packed_rrset_data *data = rep->rrsets[i]->entry.data;
        for (size_t j = 0; j < data->count + data->rrsig_count; j++)
            data->rr_ttl[j] = data->rr_ttl[j] ? data->rr_ttl[j] : (time_t)ttl;
        data->ttl = data->ttl ? data->ttl : (time_t)ttl;
    }
    rep->ttl = rep->ttl ? rep->ttl : (time_t)ttl;
}

void sek_localdata_inform(struct module_qstate *sub, struct module_qstate *super, int id)
{
    struct sek_query *waiting = super->minfo[id], *own = sub->minfo[id];
    if (!waiting || !waiting->following || waiting->following->done)
        return;
    struct sek_following *f = waiting->following;
    /* a client that asked the same may have got another answer than the resolver itself */
    const struct dns_msg *msg = own && own->original ? own->original : sub->return_msg;
    f->done = true;
    f->rcode = sub->return_rcode;
    if (msg && sub->return_rcode == LDNS_RCODE_NOERROR)
        f->rep = reply_info_copy(msg->rep, NULL, super->region);
    if (f->rep && own && own->lived_s != UINT32_MAX)
        lifetime_restore(f->rep, own->lived_s);
}

/* The alias, then what the target's query brought: its answer, and its authority where it has none
 * (RFC 2308 §2.2). */
static struct reply_info *joined(struct module_qstate *qstate, const struct sek_following *f)
{
    const struct reply_info *of = f->rep;
    size_t n = of ? of->an_numrrsets + of->ns_numrrsets : 0;
    uint16_t rcode = of ? (uint16_t)FLAGS_GET_RCODE(of->flags) : LDNS_RCODE_NOERROR;
    struct reply_info *rep = sek_answer_reply(qstate, rcode, n + 1);
    const struct packed_rrset_data *alias = f->cname->entry.data;
    if (!rep)
        return NULL;
    rep->rrsets[0] = f->cname;
    for (size_t i = 0; i < n; i++)
        rep->rrsets[1 + i] = of->rrsets[i];
    rep->an_numrrsets = 1 + (of ? of->an_numrrsets : 0);
    rep->ns_numrrsets = of ? of->ns_numrrsets : 0;
    rep->rrset_count = 1 + n;
    rep->ttl = of && of->ttl < alias->ttl ? of->ttl : alias->ttl;
    rep->prefetch_ttl = rep->serve_expired_ttl = rep->ttl;
    return rep;
}

void sek_localdata_resume(struct module_qstate *qstate, struct sek_query *query)
{
    struct sek_following *f = query->following;
    bool alone =
        qstate->qinfo.qtype == LDNS_RR_TYPE_CNAME || qstate->qinfo.qtype == LDNS_RR_TYPE_ANY;
    bool bogus = f->rep && f->rep->security == sec_status_bogus && !(qstate->query_flags & BIT_CD);
    int rcode = f->rep ? (int)FLAGS_GET_RCODE(f->rep->flags) : f->rcode;
    struct reply_info *rep =
        !bogus && (f->rep || alone) && (rcode == LDNS_RCODE_NOERROR || rcode == LDNS_RCODE_NXDOMAIN)
            ? joined(qstate, f)
            : NULL;
    qstate->no_cache_store = qstate->no_cache_lookup = 1;
    if (!rep || !answer_put(qstate, rep)) {
        qstate->return_msg = NULL;
        qstate->return_rcode = LDNS_RCODE_SERVFAIL;
    }
}
