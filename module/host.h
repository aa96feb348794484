/* SPDX-License-Identifier: BSD-3-Clause */
/* Which program has loaded us? Unbound's structures differ between versions, patch levels and
 * configure options, and its loader checks nothing. The module therefore carries the GNU build-ids
 * of the programs it was built for and compares them with the running one's, read from the program
 * headers in memory: no structure of Unbound's is touched before they match. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct module_qstate;
struct outbound_entry;

/* True if the running program is one that we were built for. */
bool sek_host_is_ours(void);
/* Build-id of the running program as hex, "" if it has none. */
const char *sek_host_build_id(char *out, size_t size);
/* Version text of the Unbound we were built for. */
const char *sek_host_version(void);

/* In a foreign host a query must go on to the next module, but where ext_state lies in its qstate
 * is unknown. Unbound's own respip module passes queries on and was compiled with the host's
 * layout, so it does it for us. False if the host does not export it. */
bool sek_host_find_passer(void);
void sek_host_pass(struct module_qstate *qstate, int event, int id,
                   struct outbound_entry *outbound);
void sek_host_inform(struct module_qstate *qstate, int id, struct module_qstate *super);
void sek_host_clear(struct module_qstate *qstate, int id);
