/* SPDX-License-Identifier: BSD-3-Clause */
/* Which packets of captures are wanted, where what is wanted may need several of them: a TCP
 * connection, or a datagram in fragments, of which any message is. Captures are read twice: first
 * every packet is judged, then each is asked for, in the same order. One thread at a time. */
#pragma once
#include "base/err.h"
#include "replay/wanted.h"

struct sek_wholes;

/* wanted: borrowed. NULL: out of memory. */
struct sek_wholes *sek_wholes_new(const struct sek_wanted *wanted);
void sek_wholes_free(struct sek_wholes *w);
/* Before the first packet of each reading. NOMEM, with a text, also where there was no memory for
 * what the first reading told. */
enum sek_err sek_wholes_begin(struct sek_wholes *w, struct sek_diag *diag);
/* First reading; *p is changed. INVALID, with a text: a part is missing, so that it is not known
 * whether a message was wanted. */
enum sek_err sek_wholes_judge(struct sek_wholes *w, int64_t time_s, struct sek_packet *p,
                              struct sek_diag *diag);
/* Second reading; *p is changed. */
bool sek_wholes_has(struct sek_wholes *w, int64_t time_s, struct sek_packet *p);
