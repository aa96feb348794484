/* SPDX-License-Identifier: BSD-3-Clause */
/* The formats of block lists: one row and one line parser each. A parser is given one line and
 * tells the feed what it found: nothing (a comment), rules, or why the line is bad. Private to the
 * readers of lib/policy. One thread at a time. */
#pragma once
#include "policy/feed.h"

struct sek_format_row {
    enum sek_format id;
    /* One line, without its newline; not terminated, holds no NUL. */
    void (*line)(struct sek_feed *feed, const char *text, size_t len);
    /* True for a line that no other format has, such as a header: decides the whole input.
     * May be NULL. */
    bool (*sign)(const char *text, size_t len);
    /* True if the line looks like this format. NULL: ask `line`. */
    bool (*claims)(const char *text, size_t len);
};

/* In the order in which they may claim a line while the format is guessed: a format whose lines
 * another one accepts as well stands first. Ends with a row whose line is NULL. */
extern const struct sek_format_row sek_formats[];
