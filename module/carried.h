/* SPDX-License-Identifier: BSD-3-Clause */
/* What an answer carries beside the question, as the policy wants to know it: names on the way,
 * addresses, and the servers of the zones that those names lie in, as far as the cache knows them.
 * Nothing is asked of anybody for it. */
#pragma once
#include "runtime/chain.h"
#include "unbound_compat.h"

/* After the judgement on its question. env: whose cache knows the servers; NULL: they are not
 * looked at, as while Unbound holds locks of the answer's parts. rep may be NULL. */
enum sek_judgement sek_carried_judge(struct sek_chain *chain, const struct reply_info *rep,
                                     uint16_t qtype, struct module_env *env,
                                     enum sek_judgement question);

/* The sinkhole that a server of the zones around a name is of (sek_worker_sunk_server); 0: none.
 * zones_seen: a response to this question named servers; else a name of three labels and more is
 * taken for a host and not for a zone. */
uint16_t sek_carried_sunk_server(struct sek_runtime *rt, struct module_env *env,
                                 const struct sek_name *question, bool zones_seen);

typedef bool sek_address_fn(void *arg, const struct sek_addr *addr);
/* Call fn with each address of an rrset: A, AAAA, hints of SVCB and HTTPS. False: fn did, and was
 * not called again. The caller holds what locks the rrset needs. */
bool sek_carried_addresses(const struct ub_packed_rrset_key *rrset, sek_address_fn *fn, void *arg);

/* Told of servers; each returns false to end it. */
struct sek_servers {
    void *arg;
    bool (*name)(void *arg, const struct sek_name *server);
    bool (*address)(void *arg,
                    const struct sek_addr *addr); /* NULL: addresses are of no interest */
};
/* The servers of all zones around a name of which the cache knows some, those of top-level domains
 * left out. now_s 0: also what has expired. The caller holds no lock of an rrset. */
bool sek_carried_servers(struct module_env *env, const struct sek_name *name, time_t now_s,
                         const struct sek_servers *to);
