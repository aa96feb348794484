/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/feed.h"
#include "policy/terms_text.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

void sek_feed_rule(struct sek_feed *feed, enum sek_scope scope, enum sek_action action)
{
    if (feed->stop != SEK_OK)
        return;
    feed->stats->n_rules++;
    if (!feed->hooks)
        return;
    feed->rule.scope = scope;
    feed->rule.action = action;
    feed->stop = feed->hooks->rule(feed->hooks->arg, &feed->rule);
}

static void rule_of_spec(struct sek_feed *feed, enum sek_scope scope,
                         const struct sek_terms_spec *spec)
{
    char text[SEK_TERMS_TEXT_MAX];
    struct sek_diag why;
    if (sek_terms_to_text(spec, text, &why)) {
        sek_feed_unsupported(feed, "%s", why.text);
        return;
    }
    feed->rule.terms = text;
    sek_feed_rule(feed, scope,
                  spec->terms.given & SEK_TERMS_DATA ? SEK_ACTION_DATA : SEK_ACTION_DEFAULT);
    feed->rule.terms = NULL;
}

void sek_feed_rule_with(struct sek_feed *feed, enum sek_scope scope, const char *terms, size_t len)
{
    struct sek_terms_spec spec;
    struct sek_diag why;
    if (sek_terms_from_text(terms, len, &spec, &why))
        sek_feed_bad(feed, "%s", why.text);
    else
        rule_of_spec(feed, scope, &spec);
}

void sek_feed_record(struct sek_feed *feed, enum sek_scope scope, const char *record)
{
    struct sek_terms_spec spec = {0};
    struct sek_diag why;
    if (sek_terms_add(&spec, "data", record, &why))
        sek_feed_unsupported(feed, "%s", why.text);
    else
        rule_of_spec(feed, scope, &spec);
}

static void tell(struct sek_feed *feed, const char *fmt, va_list args)
{
    if (!feed->hooks || !feed->hooks->bad)
        return;
    char why[SEK_LINE_MAX + 256];
    struct sek_diag safe; /* a line of a list may hold what drives a terminal */
    vsnprintf(why, sizeof(why), fmt, args);
    sek_diag_set(&safe, SEK_E_INVALID, "%s", why);
    feed->hooks->bad(feed->hooks->arg, feed->rule.line, safe.text);
}

void sek_feed_bad(struct sek_feed *feed, const char *fmt, ...)
{
    if (feed->stop != SEK_OK)
        return;
    feed->stats->n_bad++;
    va_list args;
    va_start(args, fmt);
    tell(feed, fmt, args);
    va_end(args);
}

void sek_feed_unsupported(struct sek_feed *feed, const char *fmt, ...)
{
    if (feed->stop != SEK_OK)
        return;
    feed->stats->n_unsupported++;
    va_list args;
    va_start(args, fmt);
    tell(feed, fmt, args);
    va_end(args);
}

bool sek_feed_is_own_sinkhole(const struct sek_feed *feed, const struct sek_addr *addr)
{
    for (unsigned i = 0; feed->hooks && i < feed->hooks->n_sinkhole; i++)
        if (sek_addr_equal(addr, &feed->hooks->sinkhole[i]))
            return true;
    return false;
}

bool sek_feed_is_sinkhole(const struct sek_feed *feed, const struct sek_addr *addr)
{
    static const uint8_t zero[15];
    const uint8_t *v4 = addr->octets + 12;
    if (sek_addr_is_v4(addr) && (v4[0] == 127 || memcmp(v4, zero, 4) == 0))
        return true;
    if (memcmp(addr->octets, zero, 15) == 0 && addr->octets[15] <= 1)
        return true;
    return sek_feed_is_own_sinkhole(feed, addr);
}
