/* SPDX-License-Identifier: BSD-3-Clause */
/* What follows from an exception and the clock. */
#include "base/buf.h"
#include "store/exceptions.h"
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

#define LAST_PART 4 /* it expires in the last quarter of its time at the earliest */

const struct sek_lookup sek_exception_act_names[] = {
    {SEK_EXCEPTION_REQUEST, "requested"}, {SEK_EXCEPTION_APPROVE, "approved"},
    {SEK_EXCEPTION_REJECT, "rejected"},   {SEK_EXCEPTION_EMERGENCY, "emergency"},
    {SEK_EXCEPTION_REVOKE, "revoked"},    {SEK_EXCEPTION_REVIEW, "reviewed"},
    {SEK_EXCEPTION_ARCHIVE, "archived"},  {0, NULL},
};

const struct sek_lookup sek_exception_state_names[] = {
    {SEK_EXCEPTION_REQUESTED, "requested"},
    {SEK_EXCEPTION_APPROVED, "approved"},
    {SEK_EXCEPTION_ACTIVE, "active"},
    {SEK_EXCEPTION_EXPIRING, "expiring"},
    {SEK_EXCEPTION_EXPIRED, "expired"},
    {SEK_EXCEPTION_REJECTED, "rejected"},
    {SEK_EXCEPTION_REVOKED, "revoked"},
    {SEK_EXCEPTION_ARCHIVED, "archived"},
    {0, NULL},
};

static bool is_granted(const struct sek_exception *e)
{
    return e->decided.act == SEK_EXCEPTION_APPROVE || e->decided.act == SEK_EXCEPTION_EMERGENCY;
}

enum sek_exception_state sek_exception_state(const struct sek_exception *e, int64_t now_s,
                                             int64_t warn_s)
{
    if (e->archived.act)
        return SEK_EXCEPTION_ARCHIVED;
    if (e->revoked.act)
        return SEK_EXCEPTION_REVOKED;
    if (e->decided.act == SEK_EXCEPTION_REJECT)
        return SEK_EXCEPTION_REJECTED;
    if (e->end_s && e->end_s <= now_s)
        return SEK_EXCEPTION_EXPIRED;
    if (!is_granted(e))
        return SEK_EXCEPTION_REQUESTED;
    if (e->start_s > now_s)
        return SEK_EXCEPTION_APPROVED;
    int64_t left_s = e->end_s - now_s;
    bool ends = e->end_s && left_s <= warn_s && left_s <= (e->end_s - e->start_s) / LAST_PART;
    return ends ? SEK_EXCEPTION_EXPIRING : SEK_EXCEPTION_ACTIVE;
}

bool sek_exception_in_force(const struct sek_exception *e, int64_t now_s)
{
    return sek_exception_state(e, now_s, 0) == SEK_EXCEPTION_ACTIVE;
}

bool sek_exception_has_rule(const struct sek_exception *e, int64_t now_s)
{
    enum sek_exception_state s = sek_exception_state(e, now_s, 0);
    return s == SEK_EXCEPTION_APPROVED || s == SEK_EXCEPTION_ACTIVE;
}

bool sek_exception_is_later(const struct sek_exception *e)
{
    return e->start_s > e->decided.time_s;
}

bool sek_exception_is_emergency_open(const struct sek_exception *e)
{
    return e->decided.act == SEK_EXCEPTION_EMERGENCY && !e->reviewed.act;
}

bool sek_exception_is_wide(const struct sek_exception *e)
{
    return !*e->groups && !*e->endpoints;
}

const char *sek_exception_word(const char *at, char *out, size_t size)
{
    at += strspn(at, " ");
    size_t n = strcspn(at, " ");
    if (n == 0)
        return NULL;
    snprintf(out, size, "%.*s", (int)n, at);
    return at + n;
}

void sek_exception_audience(const struct sek_exception *e, struct sek_buf *out)
{
    const char *const parts[] = {e->groups, e->endpoints};
    char word[SEK_LIST_NAME_MAX + SEK_NET_TEXT_MAX];
    unsigned n = 0;
    if (sek_exception_is_wide(e)) {
        sek_buf_add_text(out, "everybody");
        return;
    }
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        for (const char *at = parts[i]; (at = sek_exception_word(at, word, sizeof word));)
            sek_buf_add_fmt(out, "%s%s", n++ ? ", " : "", word);
}

/* One word more; false: it is too long for a list's name, or there is no room. */
static bool word_add(char *out, size_t size, const char *fmt, const char *word)
{
    char name[SEK_LIST_NAME_MAX + 16];
    size_t at = strlen(out);
    snprintf(name, sizeof name, fmt, word);
    if (strlen(name) >= SEK_LIST_NAME_MAX || at + strlen(name) + 2 > size)
        return false;
    snprintf(out + at, size - at, "%s%s", at ? " " : "", name);
    return true;
}

bool sek_exception_lists(const struct sek_exception *e, char *out, size_t size)
{
    char word[SEK_LIST_NAME_MAX], number[24];
    bool good = true;
    *out = '\0';
    snprintf(number, sizeof number, "%lld", (long long)e->id);
    if (*e->terms || sek_exception_is_later(e))
        return word_add(out, size, "exception-%s", number) &&
               (!*e->groups || !*e->endpoints ||
                word_add(out, size, "exception-%s-groups", number));
    if (sek_exception_is_wide(e))
        return word_add(out, size, "%s", SEK_EXCEPTIONS_LIST);
    for (const char *at = e->groups; good && (at = sek_exception_word(at, word, sizeof word));)
        good = word_add(out, size, "%s-" SEK_EXCEPTIONS_LIST, word);
    return good && (!*e->endpoints || word_add(out, size, "exception-%s", number));
}
