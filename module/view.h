/* SPDX-License-Identifier: BSD-3-Clause */
/* Unbound's structures seen through our types. Nothing here is stored or changed. */
#pragma once
#include "event/event.h"
#include "unbound_compat.h"

/* The client of a reply: the address behind a trusted proxy where PROXYv2 is used. */
struct sek_addr sek_view_endpoint(const struct comm_reply *reply);

/* Did it come over TCP, TLS or HTTPS? */
bool sek_view_is_stream(const struct comm_reply *reply);

/* Call fn with each name of a reply's CNAME chain: owner and target of the CNAME and DNAME records
 * of the answer section, in order, malformed ones left out. Stops when fn returns false. Returns
 * false if stopped. The caller holds what locks the rrsets need. */
bool sek_view_is_alias(const struct ub_packed_rrset_key *rrset);
typedef bool sek_chain_fn(void *arg, const struct sek_name *name);
bool sek_view_rrset_chain(const struct ub_packed_rrset_key *rrset, sek_chain_fn *fn, void *arg);
bool sek_view_chain(const struct reply_info *rep, sek_chain_fn *fn, void *arg);

/* True if the answer section holds a chain: its first rrset is a CNAME or DNAME, or for a question
 * of type ANY any of them. rep may be NULL. */
bool sek_view_has_chain(const struct reply_info *rep, uint16_t qtype);

/* True if the reply only names the servers of a zone further down. */
bool sek_view_is_referral(const struct reply_info *rep);

/* What an answer says of the name that was asked for. rep may be NULL. */
enum sek_existence sek_view_existence(const struct reply_info *rep);

/* An event about a question. score: of the verdict on it. Of a hit the rest is the caller's to set.
 */
void sek_view_event(struct sek_event *e, enum sek_outcome outcome, enum sek_existence existence,
                    const struct sek_name *question, uint16_t qtype,
                    const struct sek_addr *endpoint, int64_t time_ms, float score);

/* Add what an answer carries: one from the cache, of which the life time ends at rep->ttl, or one
 * just resolved, of which rep->ttl is the life time. rep may be NULL. */
void sek_view_cached_answer(struct sek_event *e, const struct reply_info *rep);
void sek_view_fresh_answer(struct sek_event *e, const struct reply_info *rep);

/* The addresses of an answer's answer section, for an event that has none yet. The caller holds
 * what locks the rrsets need. */
void sek_view_addresses(struct sek_event *e, const struct reply_info *rep);

/* Name servers of zones above a question, as upstream responses to it named them: the record sets,
 * borrowed from the query's region. */
#define SEK_ZONES_MAX 3 /* above the registered domain, it, and below */
struct sek_zones {
    const struct ub_packed_rrset_key *servers[SEK_ZONES_MAX];
    unsigned n;
};
/* Note what a response names; zones of one label are left out. */
void sek_view_note_zones(struct sek_zones *zones, const struct query_info *qinfo,
                         const struct reply_info *rep);
/* Add them to an event that has its addresses. */
void sek_view_add_servers(struct sek_event *e, const struct sek_zones *zones,
                          const struct sek_name *question);

static inline int64_t sek_view_time_ms(const struct timeval *tv)
{
    return (int64_t)tv->tv_sec * 1000 + tv->tv_usec / 1000;
}
