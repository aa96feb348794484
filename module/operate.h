/* SPDX-License-Identifier: BSD-3-Clause */
/* How a query that Unbound's cache did not answer is judged: its question when it is new, its
 * answer's CNAME chain when it is done. */
#pragma once
#include "state.h"

void sek_operate(struct module_qstate *qstate, enum module_ev event, int id);

/* The query's end. Records it if that was not done: Unbound dropped it, for its client left or
 * newer queries needed its room. */
void sek_operate_clear(struct module_qstate *qstate, int id);

/* The policy's word on an answer in hand: the question as if it were asked, then the chain. For
 * inplace_cb_query_response, before the answer is stored. rep may be NULL. endpoint: who asks;
 * NULL: anybody, as for an answer that all share. The second one takes the query's own question and
 * client, for whom the verdict is remembered; own: the answer is to that question and not to one on
 * the way, so that what blocks it does so whatever else becomes of the query. */
enum sek_judgement sek_operate_judge(struct sek_module *m, struct module_qstate *qstate,
                                     const struct sek_addr *endpoint,
                                     const struct query_info *qinfo, const struct reply_info *rep);
enum sek_judgement sek_operate_judge_query(struct sek_module *m, struct module_qstate *qstate,
                                           struct sek_query *query, const struct reply_info *rep,
                                           bool own);
