/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers that some endpoints may have and others may not. The shared message cache, which nobody
 * can look into before it answers, must not hold them; they are kept here, and handed out only
 * after the question has been judged for the one that asks. Of bounded size; an answer is kept for
 * its own life time, but not above APART_MAX_S, as Unbound's flush commands know nothing of it. Any
 * thread: a lock for each 64th part, held while one answer is copied. */
#pragma once
#include "name/name.h"
#include "unbound_compat.h"

#define SEK_APART_MAX_S 60

struct sek_apart;

/* max_octets: memory for all of them. NULL when there is none. Memory is taken as it fills. */
struct sek_apart *sek_apart_new(size_t max_octets);
void sek_apart_free(struct sek_apart *apart);

/* Keep the answer of a query that is done: qstate->return_msg, which is copied. One that is bogus,
 * has no life time, or is far too large is not. name: the question's, folded. */
void sek_apart_put(struct sek_apart *apart, const struct module_qstate *qstate,
                   const struct sek_name *name);
/* Hand the query its answer, with the life time that is left, as its return_msg. False: there is
 * none. */
bool sek_apart_get(struct sek_apart *apart, struct module_qstate *qstate,
                   const struct sek_name *name);
