/* SPDX-License-Identifier: BSD-3-Clause */
#include "logoutcome.h"
#include <stdbool.h>
#include <string.h>
#include "base/banned.h"

const struct sek_lookup sek_logoutcome_keys[] = {
    {SEK_OUTSIDE_CONNECTED, "connected"}, {SEK_OUTSIDE_ATTEMPTED, "attempted"},
    {SEK_OUTSIDE_FAILED, "failed"},       {SEK_OUTSIDE_DENIED, "denied"},
    {SEK_OUTSIDE_ASKED, "asked"},         {0, NULL}};

enum sek_err sek_logoutcome_add(struct sek_logoutcome *o, enum sek_outside_outcome outcome,
                                const char *word, struct sek_diag *diag)
{
    size_t len = strlen(word);
    if (len == 0 || len >= SEK_LOGOUTCOME_WORD)
        return sek_diag_set(diag, SEK_E_INVALID, "must have 1 to %d octets",
                            SEK_LOGOUTCOME_WORD - 1);
    if (o->n == SEK_LOGOUTCOME_WORDS)
        return sek_diag_set(diag, SEK_E_INVALID, "at most %d words of outcomes",
                            SEK_LOGOUTCOME_WORDS);
    o->word[o->n].outcome = outcome;
    memcpy(o->word[o->n++].text, word, len + 1);
    return SEK_OK;
}

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* A word that begins or ends with another character needs no border there. */
static bool stands_in(const char *text, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = text; (at = strcasestr(at, word)) != NULL; at++) {
        bool within = at > text && is_alnum(at[-1]) && is_alnum(*at);
        bool goes_on = is_alnum(at[len - 1]) && is_alnum(at[len]);
        if (!within && !goes_on)
            return true;
    }
    return false;
}

enum sek_outside_outcome sek_logoutcome_of(const struct sek_logoutcome *o, const char *text,
                                           enum sek_outside_outcome otherwise)
{
    for (unsigned i = 0; i < o->n; i++)
        if (stands_in(text, o->word[i].text))
            return o->word[i].outcome;
    return otherwise;
}
