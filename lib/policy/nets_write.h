/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules about addresses on their way into an image. For the compiler. One thread at a time. */
#pragma once
#include "base/buf.h"
#include "policy/nets.h"

struct sek_nets_writer;

enum sek_err sek_nets_writer_new(struct sek_nets_writer **out, struct sek_diag *diag);
void sek_nets_writer_free(struct sek_nets_writer *w);

/* A rule at an owner name that is not about a name: rule's about and scope are set from it. The
 * same network, list and kind twice keeps the later end (0 is the latest) and the last action. A
 * rule about NSDNAME is only counted: it stands with the names. INVALID for values that no rule may
 * have, or an owner that is no network. */
enum sek_err sek_nets_writer_add(struct sek_nets_writer *w, const struct sek_name *owner,
                                 const struct sek_rule *rule, struct sek_diag *diag);

/* Append what sek_nets_read reads; nothing when there is no rule. The start is taken to be aligned
 * to 8 octets. */
enum sek_err sek_nets_write(struct sek_nets_writer *w, struct sek_buf *out, struct sek_diag *diag);
