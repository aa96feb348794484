/* SPDX-License-Identifier: BSD-3-Clause */
/* Compiling regular expressions, one to see what it is good for, and all of them for an image. By
 * Hyperscan, whose expressions are PCRE's without what needs to go back in the text: no
 * back-references, no look-around, no atomic groups, no possessive quantifiers, no \K, no
 * conditions and no recursion. Case makes no difference, "." is any character, and an expression
 * matches anywhere in the name unless "^" and "$" hold it. Used by the command only. One thread at
 * a time. */
#pragma once
#include "base/buf.h"
#include "name/name.h"

/* Is there a compiler in this program, and can it run on this machine? UNSUPPORTED… as
 * SEK_E_VERSION, with the reason. */
enum sek_err sek_patterns_usable(struct sek_diag *diag);

/* Could it be compiled? owner: pattern.h. INVALID with the reason, and where it is known the
 * position in the expression. Some 80 µs. */
enum sek_err sek_pattern_check(const struct sek_name *owner, struct sek_diag *diag);

/* One by itself. Some ms. */
struct sek_pattern;
/* INVALID as above; LIMIT: too costly. */
enum sek_err sek_pattern_compile(const struct sek_name *owner, struct sek_pattern **out,
                                 struct sek_diag *diag);
void sek_pattern_free(struct sek_pattern *p);
/* What it costs: octets of its automaton, most of which a match may have to read. */
#define SEK_PATTERN_COST_MAX (256 * 1024)
size_t sek_pattern_cost(const struct sek_pattern *p);
/* Does it match this name? */
bool sek_pattern_matches(const struct sek_pattern *p, const struct sek_name *name);

struct sek_patterns_writer;

enum sek_err sek_patterns_writer_new(struct sek_patterns_writer **out, struct sek_diag *diag);
void sek_patterns_writer_free(struct sek_patterns_writer *w);
/* How many are compiled together, on average; for tests. */
void sek_patterns_writer_share(struct sek_patterns_writer *w, uint32_t n);
/* An expression, also several times. LIMIT: there are too many. */
enum sek_err sek_patterns_writer_add(struct sek_patterns_writer *w, const struct sek_name *owner,
                                     struct sek_diag *diag);
/* Take over from this part of an older image, or of two, what is the same; copied. */
void sek_patterns_writer_reuse(struct sek_patterns_writer *w, const void *data, size_t size);
/* Append the part to out; nothing if there are no expressions. Some ms an expression that cannot be
 * taken over. */
enum sek_err sek_patterns_write(struct sek_patterns_writer *w, struct sek_buf *out,
                                struct sek_diag *diag);
/* Was a part made by this program's Hyperscan? */
bool sek_patterns_are_current(const void *data, size_t size);
