/* SPDX-License-Identifier: BSD-3-Clause */
/* Pieces of a line of text, borrowed from it, not terminated. Private to the readers of lib/policy.
 * Any thread, no allocation. */
#pragma once
#include "base/addr.h"
#include <stdbool.h>
#include <stddef.h>

struct sek_span {
    const char *at;
    size_t len;
};

/* Blank, tab, form feed, vertical tab: the line ends are gone already. */
bool sek_span_is_blank(char c);
/* Without blanks around. */
struct sek_span sek_span_trim(const char *text, size_t len);
/* Without the comment that a '#' after a blank or in front begins. */
struct sek_span sek_span_strip_comment(struct sek_span s);
/* Without what the first '#' begins, wherever it stands. */
struct sek_span sek_span_strip_hash(struct sek_span s);
/* The next word, taken off *rest; empty at the end. */
struct sek_span sek_span_take_word(struct sek_span *rest);
/* What stands before the next `mark`, taken off *rest with the mark. False if there is no mark. */
bool sek_span_take_until(struct sek_span *rest, char mark, struct sek_span *out);
/* The next word, or what stands between " or ' marks, taken off *rest. */
struct sek_span sek_span_take_quoted(struct sek_span *rest);
struct sek_span sek_span_skip(struct sek_span s, size_t n);

/* Case counts for these three, */
bool sek_span_begins(struct sek_span s, const char *with);
bool sek_span_ends(struct sek_span s, const char *with);
bool sek_span_holds(struct sek_span s, const char *part);
/* but not for these. words ends with NULL. */
bool sek_span_is(struct sek_span s, const char *text);
bool sek_span_is_one_of(struct sek_span s, const char *const *words);
/* An IP address, also with a scope ("fe80::1%lo0"). */
bool sek_span_is_address(struct sek_span s);
bool sek_span_address(struct sek_span s, struct sek_addr *out);
