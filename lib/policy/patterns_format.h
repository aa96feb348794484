/* SPDX-License-Identifier: BSD-3-Clause */
/* How regular expressions lie in an image: a head, then its arrays in this order, each padded with
 * zeros to a multiple of 64 octets. What patterns_write.c writes and patterns.c reads. Private to
 * these two.
 *
 * Only owner names are here (policy/pattern.h); their rules stand at those names, as any name's do.
 * Some thousand expressions are compiled together, a share of all: one large
 * automaton is what a scan likes best, but it takes Hyperscan more than proportionally long to
 * make, and it has to be made anew for each expression that comes or goes. An expression's share
 * follows from its octets, so that the others stay as they are and are taken over. */
#pragma once
#include <stdint.h>

#define SEK_PATTERNS_ENGINE_MAX 48 /* octets with terminator */
#define SEK_PATTERNS_ALIGN 64
#define SEK_PATTERNS_SHARE 5000 /* expressions, on average */
#define SEK_PATTERNS_MAX 100000

struct sek__patterns_head {
    char engine[SEK_PATTERNS_ENGINE_MAX]; /* whose automata these are: name and version */
    uint32_t n_patterns, n_shares;
    uint32_t n_octets; /* of all owner names */
    uint32_t reserved;
};

/* struct sek__patterns_share[n_shares]; uint32_t[n_patterns]: where the owner name of each stands;
 * owner names in wire form; the automata. Expressions of a share follow each other, and number 0 of
 * an automaton is its share's first. */
struct sek__patterns_share {
    uint64_t digest; /* of the engine and of the owner names */
    uint64_t size;   /* of its automaton; 0 only for a share without expressions */
    uint32_t first, n;
};

static inline uint64_t sek__patterns_padded(uint64_t octets)
{
    return (octets + SEK_PATTERNS_ALIGN - 1) / SEK_PATTERNS_ALIGN * SEK_PATTERNS_ALIGN;
}
