/* SPDX-License-Identifier: BSD-3-Clause */
/* IP packets that came in fragments (RFC 791, RFC 8200 §4.5) put together again: up to
 * SEK_FRAGMENTS_PACKETS at a time, the oldest gives way. Overlapping ones are refused (RFC 5722).
 * About 1 MB. One thread at a time. */
#pragma once
#include "base/err.h"
#include "replay/packet.h"

#define SEK_FRAGMENTS_PACKETS 64
#define SEK_FRAGMENTS_OCTETS (16 * 1024) /* of a packet: more than any answer over UDP has */

struct sek_fragments;

/* NULL: out of memory. */
struct sek_fragments *sek_fragments_new(void);
void sek_fragments_free(struct sek_fragments *f);
/* Add p. 1: with it a packet is whole, p->data is of all of it until the next call; 0: more is to
 * come; INVALID, with a text: it does not fit, or the one that gave way for it was an incomplete
 * DNS message. */
int sek_fragments_add(struct sek_fragments *f, struct sek_packet *p, struct sek_diag *diag);
/* Which packet the fragment that was added last is of: they are numbered from 1 on in the order of
 * their first fragments, the same whenever the same fragments are added. */
uint64_t sek_fragments_number(const struct sek_fragments *f);
