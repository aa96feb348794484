/* SPDX-License-Identifier: BSD-3-Clause */
#include "view.h"
#include "classify/classify.h"
#include <string.h>

struct sek_addr sek_view_endpoint(const struct comm_reply *reply)
{
    return sek_addr_from_sockaddr((const struct sockaddr *)&reply->client_addr);
}

bool sek_view_is_stream(const struct comm_reply *reply)
{
    return reply->c && reply->c->type != comm_udp;
}

bool sek_view_is_alias(const struct ub_packed_rrset_key *rrset)
{
    return rrset->rk.type == htons(LDNS_RR_TYPE_CNAME) ||
           rrset->rk.type == htons(LDNS_RR_TYPE_DNAME);
}

bool sek_view_has_chain(const struct reply_info *rep, uint16_t qtype)
{
    size_t n = !rep ? 0 : qtype == LDNS_RR_TYPE_ANY ? rep->an_numrrsets : rep->an_numrrsets > 0;
    for (size_t i = 0; i < n; i++)
        if (sek_view_is_alias(rep->rrsets[i]))
            return true;
    return false;
}

bool sek_view_is_referral(const struct reply_info *rep)
{
    bool servers = false;
    if (FLAGS_GET_RCODE(rep->flags) != LDNS_RCODE_NOERROR || (rep->flags & BIT_AA) ||
        rep->an_numrrsets > 0)
        return false;
    for (size_t i = 0; i < rep->ns_numrrsets; i++) {
        if (rep->rrsets[i]->rk.type == htons(LDNS_RR_TYPE_SOA))
            return false;
        servers |= rep->rrsets[i]->rk.type == htons(LDNS_RR_TYPE_NS);
    }
    return servers;
}

bool sek_view_rrset_chain(const struct ub_packed_rrset_key *rrset, sek_chain_fn *fn, void *arg)
{
    struct sek_name name;
    if (!sek_view_is_alias(rrset) || !rrset->rk.dname)
        return true;
    if (sek_name_from_wire(rrset->rk.dname, rrset->rk.dname_len, &name) == SEK_OK &&
        !fn(arg, &name))
        return false;
    const struct packed_rrset_data *data = rrset->entry.data;
    for (size_t i = 0; data && i < data->count; i++) {
        if (data->rr_len[i] <= 2) /* two octets of length stand before the name */
            continue;
        if (sek_name_from_wire(data->rr_data[i] + 2, data->rr_len[i] - 2, &name) == SEK_OK &&
            !fn(arg, &name))
            return false;
    }
    return true;
}

bool sek_view_chain(const struct reply_info *rep, sek_chain_fn *fn, void *arg)
{
    for (size_t i = 0; i < rep->an_numrrsets; i++)
        if (!sek_view_rrset_chain(rep->rrsets[i], fn, arg))
            return false;
    return true;
}

enum sek_existence sek_view_existence(const struct reply_info *rep)
{
    if (!rep)
        return SEK_EXISTENCE_UNKNOWN;
    switch (FLAGS_GET_RCODE(rep->flags)) {
    case LDNS_RCODE_NOERROR:
        return SEK_EXISTENCE_EXISTS;
    case LDNS_RCODE_NXDOMAIN:
        return SEK_EXISTENCE_ABSENT;
    default:
        return SEK_EXISTENCE_UNKNOWN;
    }
}

void sek_view_event(struct sek_event *e, enum sek_outcome outcome, enum sek_existence existence,
                    const struct sek_name *question, uint16_t qtype,
                    const struct sek_addr *endpoint, int64_t time_ms, float score)
{
    memset(e, 0, offsetof(struct sek_event, names));
    e->score = score > SEK_CLASSIFY_NONE ? sek_score_of(score) : SEK_SCORE_UNKNOWN;
    e->existence = (uint8_t)existence;
    e->outcome = (uint8_t)outcome;
    e->qtype = qtype;
    e->time_ms = time_ms;
    e->endpoint = *endpoint;
    e->name_len = question->len;
    memcpy(e->names, question->octets, question->len);
    e->size = sek_event_size(e->name_len, 0);
}

/* --- what answers carry --------------------------------------------------------------------------
 */

static bool is_of_type(const struct ub_packed_rrset_key *rrset, uint16_t type)
{
    return rrset->rk.type == htons(type);
}

static bool is_address(const struct ub_packed_rrset_key *rrset)
{
    return is_of_type(rrset, LDNS_RR_TYPE_A) || is_of_type(rrset, LDNS_RR_TYPE_AAAA);
}

typedef void add_fn(struct sek_event *e, const struct sek_addr *addr);

/* Two octets of length stand before record data. */
static void add_addresses(struct sek_event *e, const struct ub_packed_rrset_key *rrset, add_fn *add)
{
    const struct packed_rrset_data *data = rrset->entry.data;
    for (size_t i = 0; data && i < data->count; i++) {
        struct sek_addr addr = {.octets = {[10] = 0xff, [11] = 0xff}};
        if (is_of_type(rrset, LDNS_RR_TYPE_A) && data->rr_len[i] == 2 + 4)
            memcpy(addr.octets + 12, data->rr_data[i] + 2, 4);
        else if (is_of_type(rrset, LDNS_RR_TYPE_AAAA) && data->rr_len[i] == 2 + 16)
            memcpy(addr.octets, data->rr_data[i] + 2, 16);
        else
            continue;
        add(e, &addr);
    }
}

static size_t data_octets(const struct ub_packed_rrset_key *rrset)
{
    const struct packed_rrset_data *data = rrset->entry.data;
    size_t sum = 0;
    for (size_t i = 0; data && i < data->count; i++)
        sum += data->rr_len[i] > 2 ? data->rr_len[i] - 2 : 0;
    return sum;
}

/* The record set of that name server's address: its owner is the target of an NS record. */
static bool is_ns_target(const struct reply_info *rep, const struct ub_packed_rrset_key *address)
{
    for (size_t i = rep->an_numrrsets; i < rep->an_numrrsets + rep->ns_numrrsets; i++) {
        const struct packed_rrset_data *data = rep->rrsets[i]->entry.data;
        for (size_t j = 0; is_of_type(rep->rrsets[i], LDNS_RR_TYPE_NS) && data && j < data->count;
             j++)
            if (dname_valid(data->rr_data[j] + 2, data->rr_len[j] - 2) &&
                query_dname_compare(data->rr_data[j] + 2, address->rk.dname) == 0)
                return true;
    }
    return false;
}

void sek_view_cached_answer(struct sek_event *e, const struct reply_info *rep)
{
    int64_t left_s = rep ? (int64_t)rep->ttl - e->time_ms / 1000 : 0;
    e->ttl_s = left_s > 0 ? (uint32_t)left_s : 0;
}

void sek_view_addresses(struct sek_event *e, const struct reply_info *rep)
{
    for (size_t i = 0; i < rep->an_numrrsets; i++)
        if (is_address(rep->rrsets[i]))
            add_addresses(e, rep->rrsets[i], sek_event_add_addr);
}

void sek_view_fresh_answer(struct sek_event *e, const struct reply_info *rep)
{
    size_t octets = 0;
    if (!rep)
        return;
    e->ttl_s = rep->ttl > 0 ? (uint32_t)rep->ttl : 0;
    for (size_t i = 0; i < rep->an_numrrsets; i++) {
        if (is_address(rep->rrsets[i]))
            add_addresses(e, rep->rrsets[i], sek_event_add_addr);
        else
            octets += data_octets(rep->rrsets[i]);
    }
    e->answer_octets = octets < UINT16_MAX ? (uint16_t)octets : UINT16_MAX;
    for (size_t i = rep->an_numrrsets + rep->ns_numrrsets; i < rep->rrset_count; i++)
        if (is_address(rep->rrsets[i]) && is_ns_target(rep, rep->rrsets[i]))
            add_addresses(e, rep->rrsets[i], sek_event_add_ns_addr);
}

void sek_view_note_zones(struct sek_zones *zones, const struct query_info *qinfo,
                         const struct reply_info *rep)
{
    for (size_t i = 0; i < rep->an_numrrsets + rep->ns_numrrsets; i++) {
        const struct ub_packed_rrset_key *rrset = rep->rrsets[i];
        unsigned at = 0;
        if (!is_of_type(rrset, LDNS_RR_TYPE_NS) ||
            dname_count_labels(rrset->rk.dname) <= 2 || /* its root counts */
            !dname_subdomain_c(qinfo->qname, rrset->rk.dname))
            continue;
        while (at < zones->n && query_dname_compare(zones->servers[at]->rk.dname, rrset->rk.dname))
            at++;
        if (at == SEK_ZONES_MAX)
            continue;
        zones->servers[at] = rrset;
        zones->n += at == zones->n;
    }
}

void sek_view_add_servers(struct sek_event *e, const struct sek_zones *zones,
                          const struct sek_name *question)
{
    for (unsigned i = 0; i < zones->n; i++) {
        const struct ub_packed_rrset_key *rrset = zones->servers[i];
        const struct packed_rrset_data *data = rrset->entry.data;
        int above = question->n_labels + 1 - dname_count_labels(rrset->rk.dname);
        for (size_t j = 0; data && above >= 0 && j < data->count; j++) {
            struct sek_name server;
            if (data->rr_len[j] > 2 &&
                sek_name_from_wire(data->rr_data[j] + 2, data->rr_len[j] - 2, &server) == SEK_OK)
                sek_event_add_server(e, (uint8_t)above, &server);
        }
    }
}
