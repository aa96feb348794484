/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules about addresses: networks, each with its rules, the longest prefix first. Part of a policy
 * image, read in place. IPv4 and IPv6 are apart: ::/0 holds no IPv4 address. 36 octets an IPv4
 * network with one rule; a lookup among 100,000 takes some 50 ns. Immutable: any thread. */
#pragma once
#include "policy/about.h"
#include "policy/image.h"

struct sek_nets;

/* data: as sek_nets_write made it, aligned to 8 octets; terms: of the same image, or NULL. Both
 * borrowed until the free. CORRUPT when it is not what that makes. */
enum sek_err sek_nets_read(const void *data, size_t size, const struct sek_termset *terms,
                           struct sek_nets **out, struct sek_diag *diag);
void sek_nets_free(struct sek_nets *n);

/* How many rules there are about this; those about NSDNAME stand with the names. */
uint32_t sek_nets_count(const struct sek_nets *n, enum sek_about about);

/* The actions that rules have of their own: bit enum sek_action. */
uint32_t sek_nets_actions(const struct sek_nets *n);

/* The networks with rules of that kind around an address, the smallest first. In out[] `depth` is
 * 128 less the bits of the network's prefix, counted as in struct sek_net. Returns how many. No
 * allocation. */
#define SEK_NETS_MET_MAX 129
unsigned sek_nets_lookup(const struct sek_nets *n, enum sek_about about,
                         const struct sek_addr *addr, struct sek_met out[SEK_NETS_MET_MAX]);
/* Call fn for every network with rules of that kind: those of IPv4 last, each before those within
 * it. */
typedef void sek_nets_fn(void *arg, const struct sek_net *net);
void sek_nets_each(const struct sek_nets *n, enum sek_about about, sek_nets_fn *fn, void *arg);
static inline struct sek_net sek_nets_met_net(const struct sek_addr *addr, unsigned depth)
{
    return sek_net_around(addr, 128 - depth);
}

/* What the rules about client addresses come to, for the question whether any of them acts: one
 * rule for each list, action and terms, with the last end. Borrowed. */
const struct sek_rule *sek_nets_clients(const struct sek_nets *n, unsigned *out_n);

/* The first end of a rule > after_s, or 0. Looks at all rules. */
int64_t sek_nets_next_expiry(const struct sek_nets *n, int64_t after_s);
