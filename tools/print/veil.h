/* SPDX-License-Identifier: BSD-3-Clause */
/* What people may read of a text. Whatever the command prints goes through here: reports (out.h),
 * what it says (talk.h), and texts that are written in another form, which call it themselves; so
 * a new report has nothing to remember. main.c says once what is hidden (sek_context_cloak). One
 * thread. */
#pragma once
#include <stdbool.h>

enum sek_veil_what {
    SEK_VEIL_TEXT,
    SEK_VEIL_ENDPOINT, /* of nothing but endpoints: each word may be a machine's name */
    SEK_VEIL_NAME,     /* a domain name: that a machine is called so says nothing of the machine */
};

/* Says in place of a text what is to be shown, and whether an endpoint was hidden (out_hidden may
 * be NULL). Borrowed until the next call. */
typedef const char *sek_veil_fn(void *arg, enum sek_veil_what what, const char *text,
                                bool *out_hidden);
/* fn NULL: texts are shown as they are, as before the first call. */
void sek_veil_set(sek_veil_fn *fn, void *arg);
const char *sek_veil(enum sek_veil_what what, const char *text, bool *out_hidden);
/* The same as a parameter of what knows nothing of the command; arg is not used. */
const char *sek_veil_text(void *arg, const char *text, bool *out_hidden);
/* A column of that key tells whose machine an endpoint is: where a row hides one, it stays empty.
 */
bool sek_veil_tells(const char *key);
