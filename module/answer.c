/* SPDX-License-Identifier: BSD-3-Clause */
#include "answer.h"
#include "localdata.h"
#include "name/text.h"
#include <stdio.h>
#include <string.h>

#define SOA_REFRESH_S 3600 /* of no meaning: nobody transfers this zone */
#define SOA_RETRY_S 1200
#define SOA_EXPIRE_S 604800

struct ub_packed_rrset_key *sek_answer_rrset(struct regional *region, uint8_t *owner,
                                             size_t owner_len, uint16_t type, uint32_t ttl,
                                             size_t n, size_t octets)
{
    struct ub_packed_rrset_key *key = regional_alloc_zero(region, sizeof *key);
    /* the layout that packed_rrset_ptr_fixup expects: header, lengths, pointers, TTLs, octets */
    struct packed_rrset_data *data = regional_alloc_zero(
        region, sizeof *data + n * (sizeof(size_t) + sizeof(uint8_t *) + sizeof(time_t)) + octets);
    if (!key || !data)
        return NULL;
    key->entry.key = key;
    key->entry.data = data;
    key->rk.dname = owner;
    key->rk.dname_len = owner_len;
    key->rk.type = htons(type);
    key->rk.rrset_class = htons(LDNS_RR_CLASS_IN);
    data->ttl = (time_t)ttl;
    data->count = n;
    data->trust = rrset_trust_ultimate;
    data->security = sec_status_insecure;
    data->rr_len = (size_t *)(data + 1);
    data->rr_len[0] = octets;
    packed_rrset_ptr_fixup(data);
    for (size_t i = 0; i < n; i++)
        data->rr_ttl[i] = (time_t)ttl;
    return key;
}

/* An rrset of one record. rdata without its length. */
static struct ub_packed_rrset_key *rrset_new(struct regional *region, uint8_t *owner,
                                             size_t owner_len, uint16_t type, uint32_t ttl,
                                             const uint8_t *rdata, size_t rdata_len)
{
    struct ub_packed_rrset_key *key =
        sek_answer_rrset(region, owner, owner_len, type, ttl, 1, rdata_len + 2);
    if (!key)
        return NULL;
    struct packed_rrset_data *data = key->entry.data;
    sldns_write_uint16(data->rr_data[0], (uint16_t)rdata_len);
    memcpy(data->rr_data[0] + 2, rdata, rdata_len);
    return key;
}

static size_t put_name(uint8_t *out, const char *text)
{
    struct sek_name name;
    if (sek_name_from_text(text, strlen(text), &name, NULL) != SEK_OK) {
        out[0] = 0; /* the root: the configuration was checked when it was read */
        return 1;
    }
    memcpy(out, name.octets, name.len);
    return name.len;
}

void sek_answer_prepare(struct sek_module *m)
{
    const struct sek_conf *conf = sek_runtime_conf(m->runtime);
    uint8_t *p = m->soa_rdata;
    size_t n = put_name(p, conf->answer.soa_mname);
    n += put_name(p + n, conf->answer.soa_rname);
    const uint32_t numbers[] = {1, SOA_REFRESH_S, SOA_RETRY_S, SOA_EXPIRE_S,
                                (uint32_t)conf->answer.ttl_s};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++, n += 4)
        sldns_write_uint32(p + n, numbers[i]);
    m->soa_rdata_len = n;
}

/* Where the SOA of a negative answer stands: at the rule's owner name when the question met the
 * rule, so that a caching client keeps it for that zone cut only; else at the question itself. */
static uint8_t *soa_owner(const struct sek_query *query, const struct sek_verdict *v,
                          uint8_t *qname, size_t qname_len, size_t *out_len)
{
    size_t skip = 0;
    if (v->trigger == SEK_TRIGGER_QNAME && v->depth <= query->name.n_labels)
        skip = query->name.offset[v->depth];
    if (skip >= qname_len)
        skip = 0;
    *out_len = qname_len - skip;
    return qname + skip;
}

struct reply_info *sek_answer_reply(struct module_qstate *qstate, uint16_t rcode, size_t n_rrsets)
{
    struct reply_info *rep = regional_alloc_zero(qstate->region, sizeof *rep);
    if (!rep)
        return NULL;
    rep->rrsets = regional_alloc_zero(qstate->region, (n_rrsets + 1) * sizeof *rep->rrsets);
    if (!rep->rrsets)
        return NULL;
    rep->flags = (uint16_t)(BIT_QR | BIT_RA | rcode);
    rep->qdcount = 1;
    rep->security = sec_status_insecure;
    rep->reason_bogus = LDNS_EDE_NONE;
    return rep;
}

static void reply_ttl(struct reply_info *rep, uint32_t ttl)
{
    rep->ttl = (time_t)ttl;
    rep->prefetch_ttl = (time_t)ttl;
    rep->serve_expired_ttl = (time_t)ttl;
}

static bool add_answer(struct reply_info *rep, struct module_qstate *qstate, uint16_t type,
                       const struct sek_addr *addr, uint32_t ttl)
{
    bool v4 = type == LDNS_RR_TYPE_A;
    struct ub_packed_rrset_key *rrset =
        rrset_new(qstate->region, qstate->qinfo.qname, qstate->qinfo.qname_len, type, ttl,
                  v4 ? addr->octets + 12 : addr->octets, v4 ? 4 : 16);
    if (!rrset)
        return false;
    rep->rrsets[rep->an_numrrsets++] = rrset;
    rep->rrset_count++;
    return true;
}

/* s; as the rule says, else the settings. */
static uint32_t ttl_of(struct sek_module *m, const struct sek_verdict *v)
{
    const struct sek_conf *conf = sek_runtime_conf(m->runtime);
    return v->ttl_s != SEK_TTL_OF_SETTINGS ? v->ttl_s : (uint32_t)conf->answer.ttl_s;
}

/* NXDOMAIN or NODATA with its SOA, whose last number is the negative TTL (RFC 2308 §4); NULL
 * without memory. */
static struct reply_info *negative_new(struct sek_module *m, struct module_qstate *qstate,
                                       const struct sek_query *query, const struct sek_verdict *v,
                                       uint16_t rcode)
{
    struct reply_info *rep = sek_answer_reply(qstate, rcode, 1);
    size_t owner_len;
    uint8_t *owner = soa_owner(query, v, qstate->qinfo.qname, qstate->qinfo.qname_len, &owner_len);
    uint32_t ttl = ttl_of(m, v);
    if (!rep || !(rep->rrsets[0] = rrset_new(qstate->region, owner, owner_len, LDNS_RR_TYPE_SOA,
                                             ttl, m->soa_rdata, m->soa_rdata_len)))
        return NULL;
    struct packed_rrset_data *soa = rep->rrsets[0]->entry.data;
    sldns_write_uint32(soa->rr_data[0] + soa->rr_len[0] - 4, ttl);
    rep->ns_numrrsets = rep->rrset_count = 1;
    reply_ttl(rep, ttl);
    return rep;
}

/* The sinkhole's addresses; NODATA for other types. */
static struct reply_info *sinkhole_new(struct sek_module *m, struct module_qstate *qstate,
                                       const struct sek_query *query, const struct sek_verdict *v)
{
    const struct sek_conf *conf = sek_runtime_conf(m->runtime);
    uint32_t ttl = ttl_of(m, v);
    uint16_t type = qstate->qinfo.qtype;
    bool any = type == LDNS_RR_TYPE_ANY;
    if (type != LDNS_RR_TYPE_A && type != LDNS_RR_TYPE_AAAA && !any)
        return negative_new(m, qstate, query, v, LDNS_RCODE_NOERROR);
    struct reply_info *rep = sek_answer_reply(qstate, LDNS_RCODE_NOERROR, 2);
    if (!rep)
        return NULL;
    if ((type == LDNS_RR_TYPE_A || any) &&
        !add_answer(rep, qstate, LDNS_RR_TYPE_A, &conf->answer.ipv4, ttl))
        return NULL;
    if ((type == LDNS_RR_TYPE_AAAA || any) &&
        !add_answer(rep, qstate, LDNS_RR_TYPE_AAAA, &conf->answer.ipv6, ttl))
        return NULL;
    reply_ttl(rep, ttl);
    return rep;
}

/* Nothing but the wish to be asked over TCP. */
static struct reply_info *truncated_new(struct module_qstate *qstate)
{
    struct reply_info *rep = sek_answer_reply(qstate, LDNS_RCODE_NOERROR, 0);
    if (rep)
        rep->flags |= BIT_TC;
    return rep;
}

static struct reply_info *reply_for(struct sek_module *m, struct module_qstate *qstate,
                                    const struct sek_query *query, const struct sek_verdict *v)
{
    switch (v->action) {
    case SEK_ACTION_NXDOMAIN:
        return negative_new(m, qstate, query, v, LDNS_RCODE_NXDOMAIN);
    case SEK_ACTION_NODATA:
    case SEK_ACTION_DATA: /* of the type that is asked for there are none */
        return negative_new(m, qstate, query, v, LDNS_RCODE_NOERROR);
    case SEK_ACTION_TCP_ONLY:
        return truncated_new(qstate);
    default:
        return sinkhole_new(m, qstate, query, v);
    }
}

bool sek_answer_set(struct sek_module *m, struct module_qstate *qstate, int id,
                    struct sek_query *query)
{
    const struct sek_verdict *v = &query->verdict;
    qstate->return_msg = NULL;
    qstate->no_cache_store = 1;
    /* with serve-expired a SERVFAIL would be replaced by the stale original answer */
    qstate->no_cache_lookup = 1;
    if (v->trigger == SEK_TRIGGER_STRICT) {
        qstate->return_rcode = LDNS_RCODE_SERVFAIL;
        return true;
    }
    if (v->action == SEK_ACTION_REFUSED || v->action == SEK_ACTION_DROP) {
        qstate->return_rcode = LDNS_RCODE_REFUSED;
        qstate->is_drop = v->action == SEK_ACTION_DROP;
        return true;
    }
    if (v->action == SEK_ACTION_DATA) {
        enum sek_localdata data = sek_localdata_begin(m, qstate, id, query, ttl_of(m, v));
        if (data == SEK_LOCALDATA_FAILED)
            qstate->return_rcode = LDNS_RCODE_SERVFAIL;
        if (data != SEK_LOCALDATA_EMPTY)
            return data != SEK_LOCALDATA_WAITS;
    }
    struct dns_msg *msg = regional_alloc_zero(qstate->region, sizeof *msg);
    struct reply_info *rep = reply_for(m, qstate, query, v);
    if (!msg || !rep) {
        qstate->return_rcode = LDNS_RCODE_SERVFAIL;
        return true;
    }
    msg->qinfo = qstate->qinfo;
    msg->rep = rep;
    qstate->return_msg = msg;
    qstate->return_rcode = LDNS_RCODE_NOERROR;
    return true;
}

void sek_answer_explain(struct sek_module *m, unsigned worker, const struct sek_query *query,
                        uint16_t qtype, const struct sek_addr *endpoint,
                        struct edns_option **options, struct regional *region)
{
    const struct sek_conf *conf = sek_runtime_conf(m->runtime);
    const struct sek_verdict *v = &query->verdict;
    if (!conf->answer.ede)
        return;
    char text[SEK_VERDICT_BY_MAX + SEK_CONF_TEXT_MAX + SEK_TERMS_EDE_TEXT_MAX + 80];
    char by[SEK_VERDICT_BY_MAX], own[SEK_TERMS_EDE_TEXT_MAX];
    sek_worker_ede_text(m->runtime, worker, v, own);
    if (!*own)
        sek_verdict_by(v, by, sizeof by);
    snprintf(text, sizeof text, "%s%s%s; id %08x%s%s",
             *own                              ? own
             : v->trigger == SEK_TRIGGER_CNAME ? "alias of a blocked name"
                                               : "blocked",
             *own ? "" : ": ", *own ? "" : by,
             sek_event_decision_id(endpoint, query->name.octets, query->name.len, qtype, v->list,
                                   query->time_ms / 60000),
             conf->answer.contact[0] ? "; " : "", conf->answer.contact);
    edns_opt_list_append_ede(options, region, (sldns_ede_code)v->ede, text);
}
