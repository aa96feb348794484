/* SPDX-License-Identifier: BSD-3-Clause */
/* The regular expressions of a policy image, compiled: all of them are matched in one pass over a
 * name, in time that grows with its length only, by Hyperscan's runtime
 * (https://intel.github.io/hyperscan/). Immutable: any thread; each that matches at the same time
 * needs room of its own, which sek_patterns_threads makes. Where the program is built without
 * Hyperscan, none can be read. */
#pragma once
#include "name/name.h"

struct sek_patterns;

/* data: as sek_patterns_write made it, borrowed until the last free. CORRUPT when it is not what
 * that makes; VERSION: automata of another Hyperscan, or of a processor other than this one. */
enum sek_err sek_patterns_read(const void *data, size_t size, struct sek_patterns **out,
                               struct sek_diag *diag);
/* The same for one owner more; each of them frees it. */
struct sek_patterns *sek_patterns_again(struct sek_patterns *p);
void sek_patterns_free(struct sek_patterns *p);

uint32_t sek_patterns_n(const struct sek_patterns *p);
/* Memory of the automata and of the room for matching. */
size_t sek_patterns_octets(const struct sek_patterns *p);
/* The owner name of expression i. */
void sek_patterns_owner(const struct sek_patterns *p, uint32_t i, struct sek_name *out);

/* Make room for so many threads that match at the same time (1 at first). Before others use it. */
#define SEK_PATTERNS_THREADS_MAX 1024
enum sek_err sek_patterns_threads(struct sek_patterns *p, unsigned n, struct sek_diag *diag);

/* Call fn with each expression that matches somewhere in the text, once, in no order. text: a name
 * in presentation form without final dot, lower case. No allocation, no wait as long as not more
 * threads match than there is room for. fn may not match itself. */
typedef void sek_patterns_fn(void *arg, uint32_t i);
void sek_patterns_match(const struct sek_patterns *p, const char *text, size_t len,
                        sek_patterns_fn *fn, void *arg);
