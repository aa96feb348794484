/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/feed.h"
#include "policy/terms_text.h"
#include <inttypes.h>
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

void sek_feed_rule_spec(struct sek_feed *feed, enum sek_scope scope, enum sek_action action,
                        const struct sek_terms_spec *spec)
{
    char text[SEK_TERMS_TEXT_MAX];
    struct sek_diag why;
    if (sek_terms_to_text(spec, text, &why)) {
        sek_feed_unsupported(feed, "%s", why.text);
        return;
    }
    feed->rule.terms = text;
    sek_feed_rule(feed, scope, action);
    feed->rule.terms = NULL;
}

void sek_feed_rule_with(struct sek_feed *feed, enum sek_scope scope, const char *terms, size_t len)
{
    struct sek_terms_spec spec;
    struct sek_diag why;
    if (sek_terms_from_text(terms, len, &spec, &why))
        sek_feed_bad(feed, "%s", why.text);
    else
        sek_feed_rule_spec(feed, scope,
                           spec.terms.given & SEK_TERMS_DATA ? SEK_ACTION_DATA : SEK_ACTION_DEFAULT,
                           &spec);
}

static void ttl_put(struct sek_terms_spec *io, int64_t ttl_s)
{
    io->terms.ttl_s = (uint32_t)(ttl_s < SEK_TERMS_TTL_MAX ? ttl_s : SEK_TERMS_TTL_MAX);
    io->terms.given |= SEK_TERMS_TTL;
}

void sek_feed_rule_for(struct sek_feed *feed, enum sek_scope scope, enum sek_action action,
                       int64_t ttl_s)
{
    struct sek_terms_spec spec = {0};
    if (ttl_s < 0 || (feed->hooks && ttl_s == feed->hooks->ttl_s)) {
        sek_feed_rule(feed, scope, action);
        return;
    }
    ttl_put(&spec, ttl_s);
    sek_feed_rule_spec(feed, scope, action, &spec);
}

void sek_feed_record(struct sek_feed *feed, enum sek_scope scope, const char *record, int64_t ttl_s)
{
    struct sek_terms_spec spec = {0};
    struct sek_diag why;
    if (ttl_s >= 0)
        ttl_put(&spec, ttl_s);
    if (sek_terms_add(&spec, "data", record, &why))
        sek_feed_unsupported(feed, "%s", why.text);
    else
        sek_feed_rule_spec(feed, scope, SEK_ACTION_DATA, &spec);
}

/* "b.zone:3: c.zone:7: " where the line is in a file that is included. */
static void place_put(const struct sek_feed_file *file, struct sek_buf *out)
{
    if (!file)
        return;
    place_put(file->outer, out);
    sek_buf_add_fmt(out, "%s:%" PRIu64 ": ", file->name, file->line);
}

typedef void tell_fn(void *arg, uint64_t line, const char *why);

static void tell(struct sek_feed *feed, tell_fn *fn, const char *fmt, va_list args)
{
    if (!fn)
        return;
    char why[SEK_LINE_MAX + 256];
    struct sek_diag safe; /* a line of a list may hold what drives a terminal */
    struct sek_buf place;
    sek_buf_init(&place, 0);
    place_put(feed->file, &place);
    vsnprintf(why, sizeof(why), fmt, args);
    sek_diag_set(&safe, SEK_E_INVALID, "%s%s", place.data ? place.data : "", why);
    sek_buf_fini(&place);
    fn(feed->hooks->arg, feed->rule.line, safe.text);
}

void sek_feed_bad(struct sek_feed *feed, const char *fmt, ...)
{
    if (feed->stop != SEK_OK)
        return;
    feed->stats->n_bad++;
    va_list args;
    va_start(args, fmt);
    tell(feed, feed->hooks ? feed->hooks->bad : NULL, fmt, args);
    va_end(args);
}

void sek_feed_unsupported(struct sek_feed *feed, const char *fmt, ...)
{
    if (feed->stop != SEK_OK)
        return;
    feed->stats->n_unsupported++;
    va_list args;
    va_start(args, fmt);
    tell(feed, feed->hooks ? feed->hooks->bad : NULL, fmt, args);
    va_end(args);
}

void sek_feed_doubt(struct sek_feed *feed, const char *fmt, ...)
{
    if (feed->stop != SEK_OK)
        return;
    va_list args;
    va_start(args, fmt);
    tell(feed, feed->hooks ? feed->hooks->doubt : NULL, fmt, args);
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
