/* SPDX-License-Identifier: BSD-3-Clause */
/* What a change would have done to the past: the change is rehearsed, the policy that it makes is
 * compiled beside the one in force, and both judge what events.db has recorded. So every change
 * that can be rehearsed can be previewed, and what is applied afterwards is the very same command.
 * One thread. */
#pragma once
#include "change.h"

/* Options of the command preview, in the order of its rows. */
enum { SEK_PREVIEW_SINCE, SEK_PREVIEW_LIMIT, SEK_PREVIEW_N };

/* A rule of a list that changes: names below the registered domain of its name may be judged
 * differently for whom the list is for, which history does not tell apart. */
void sek_preview_touch(struct sek_change *ch, const struct sek_name *name, uint16_t list);
/* In place of the rehearsal's lines: in its transaction, which is taken back. Prints names and
 * endpoints, worst first. */
enum sek_err sek_preview_run(struct sek_change *ch);
