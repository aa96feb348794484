/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers made of a rule's own records (RPZ's Local-Data, draft-vixie-dnsop-dns-rpz §3.6). A CNAME
 * among them leads to a name that Unbound then resolves for itself, in a query that knows no client
 * and stores its answer under its own question; the client gets both, and that is stored nowhere.
 */
#pragma once
#include "state.h"

enum sek_localdata {
    SEK_LOCALDATA_DONE,   /* return_msg is set */
    SEK_LOCALDATA_WAITS,  /* the target is asked for; go on with sek_localdata_resume */
    SEK_LOCALDATA_EMPTY,  /* it has no records of the type: NODATA is to be said */
    SEK_LOCALDATA_FAILED, /* no memory, or another policy came into force: SERVFAIL */
};

/* For the query's verdict. ttl: of the records, s. */
enum sek_localdata sek_localdata_begin(struct sek_module *m, struct module_qstate *qstate, int id,
                                       struct sek_query *query, uint32_t ttl);
/* The target's query is done. */
void sek_localdata_inform(struct module_qstate *sub, struct module_qstate *super, int id);
/* Set return_msg or return_rcode from what it brought. */
void sek_localdata_resume(struct module_qstate *qstate, struct sek_query *query);
