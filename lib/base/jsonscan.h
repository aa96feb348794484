/* SPDX-License-Identifier: BSD-3-Clause */
/* The members of a JSON object on one line, as logs have them, read without a tree: objects within
 * it are flattened ({"id":{"orig_h":"a"}} has the member "orig_h"), plain values of an array come
 * one by one under its key. Made for lines that a program wrote; what is no JSON ends the scan or
 * gives members that nobody asks for, never more. Plain data. Any thread. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#define SEK_JSONSCAN_KEY 64     /* octets of a key with its zero; longer ones are cut off */
#define SEK_JSONSCAN_VALUE 1100 /* the same of a value */

struct sek_jsonscan {
    const char *at; /* start with the text, terminated */
    char key[SEK_JSONSCAN_KEY];
    char value[SEK_JSONSCAN_VALUE]; /* a string without its escapes (RFC 8259 §7), or the number or
                                     * literal as it stands */
    bool in_array;
};

/* The next member with a plain value; false at the end. Escaped characters become UTF-8; U+0000,
 * U+007F and halves of a pair become "?". */
bool sek_jsonscan_next(struct sek_jsonscan *s);
