/* SPDX-License-Identifier: BSD-3-Clause */
/* A verdict made into an answer, in the memory of the query's region. Synthetic answers are
 * insecure (never AD, no RRSIG), carry a short TTL, a SOA when negative (RFC 2308 §2), and never
 * enter Unbound's cache. */
#pragma once
#include "state.h"

/* Make the SOA that negative answers carry, once the runtime is there. */
void sek_answer_prepare(struct sek_module *m);

/* Answer with query->verdict: set return_msg or return_rcode, and what keeps Unbound from storing
 * or overruling it. On lack of memory the answer is SERVFAIL, never the original. False: another
 * name is to be resolved first (localdata.h). */
bool sek_answer_set(struct sek_module *m, struct module_qstate *qstate, int id,
                    struct sek_query *query);

/* An rrset of n records, whose data is to be filled in: rr_data[0] is the first of `octets`, which
 * rr_len[0] has. The TTL counts from now, as in every return_msg. And a reply without rrsets, with
 * room for so many. NULL without memory. */
struct ub_packed_rrset_key *sek_answer_rrset(struct regional *region, uint8_t *owner,
                                             size_t owner_len, uint16_t type, uint32_t ttl,
                                             size_t n, size_t octets);
struct reply_info *sek_answer_reply(struct module_qstate *qstate, uint16_t rcode, size_t n_rrsets);

/* Attach the Extended DNS Error (RFC 8914) that tells why, to a client that speaks EDNS. */
void sek_answer_explain(struct sek_module *m, unsigned worker, const struct sek_query *query,
                        uint16_t qtype, const struct sek_addr *endpoint,
                        struct edns_option **options, struct regional *region);
