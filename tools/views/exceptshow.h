/* SPDX-License-Identifier: BSD-3-Clause */
/* One exception with all that its approver wants to know: the request and its steps, what lists and
 * the classifier say of the name, the history of its domain here, whom it would concern, and what
 * else the same rules guard. One thread. */
#pragma once
#include "tools/context.h"

#define SEK_EXCEPT_SINCE_S (30 * 86400) /* what was refused is told of so long ago, by default */

/* The report, on c->out. NOTFOUND: said already, the exit status is set (see sek_change_fini). */
enum sek_err sek_except_show(struct sek_context *c, int64_t id, int64_t since_s);
