/* SPDX-License-Identifier: BSD-3-Clause */
/* A verdict made into an answer, in the memory of the query's region. Synthetic answers are
 * insecure (never AD, no RRSIG), carry a short TTL, a SOA when negative (RFC 2308 §2), and never
 * enter Unbound's cache. */
#pragma once
#include "state.h"

/* Make the SOA that negative answers carry, once the runtime is there. */
void sek_answer_prepare(struct sek_module *m);

/* Answer with query->verdict: set return_msg or return_rcode, and what keeps Unbound from storing
 * or overruling it. On lack of memory the answer is SERVFAIL, never the original. */
void sek_answer_set(struct sek_module *m, struct module_qstate *qstate,
                    const struct sek_query *query);

/* Attach the Extended DNS Error (RFC 8914) that tells why, to a client that speaks EDNS. */
void sek_answer_explain(struct sek_module *m, const struct sek_query *query, uint16_t qtype,
                        const struct sek_addr *endpoint, struct edns_option **options,
                        struct regional *region);
