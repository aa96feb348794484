/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/modifiers.h"
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

/* Longest quotation of a list in a reason; the line number leads to the rest. */
#define QUOTE_MAX 64
#define QUOTE(s)                                                                                   \
    (int)((s).len < QUOTE_MAX ? (s).len : QUOTE_MAX), (s).at, (s).len > QUOTE_MAX ? "…" : ""

static bool unsupported(struct sek_feed *feed, struct sek_span s, const char *why)
{
    sek_feed_unsupported(feed, "'%.*s%s': %s", QUOTE(s), why);
    return false;
}

static bool bad(struct sek_feed *feed, struct sek_span s, const char *why)
{
    sek_feed_bad(feed, "'%.*s%s': %s", QUOTE(s), why);
    return false;
}

void sek_modifiers_begin(struct sek_modifiers *m)
{
    m->action = SEK_ACTION_DEFAULT;
    m->withdraws = m->important = m->has_terms = false;
}

/* One of the terms, of a value that is not terminated. part: what is quoted. */
static bool term_add(struct sek_feed *feed, struct sek_modifiers *m, struct sek_span part,
                     const char *word, const char *value)
{
    struct sek_diag why;
    if (!m->has_terms)
        memset(&m->terms, 0, sizeof m->terms);
    m->has_terms = true;
    return sek_terms_add(&m->terms, word, value, &why) == SEK_OK ||
           unsupported(feed, part, why.text);
}

/* --- AdGuard -------------------------------------------------------------------------------------
 */

/* Options that mean nothing to a resolver: the rule holds for all that a client fetches anyway. */
static const char *const idle[] = {"all", "document", "doc", NULL};

static const struct {
    const char *word, *why;
} without[] = {
    {"client",
     "whom a rule is for, its list says: put it into one of its own (sekisho list audience)"},
    {"ctag",
     "whom a rule is for, its list says: put it into one of its own (sekisho list audience)"},
    {"denyallow",
     "a name that a rule leaves out would be an exception here, which lifts the blocks "
     "of all lists: put such exceptions into a list of your own"},
    {"dnsrewrite", "an answer of one's own is written as =name data=\"A 192.0.2.1\""},
};

/* "A|AAAA" or "~A|~AAAA" */
static bool take_dnstype(struct sek_feed *feed, struct sek_modifiers *m, struct sek_span option,
                         struct sek_span types)
{
    char value[256] = "";
    size_t n = 0;
    bool all_but = sek_span_begins(types, "~");
    for (bool more = true; more;) {
        struct sek_span type;
        more = sek_span_take_until(&types, '|', &type);
        if (!more)
            type = types;
        if (sek_span_begins(type, "~") != all_but)
            return unsupported(feed, option, "types with and without '~' in one rule");
        type = sek_span_skip(type, all_but);
        if (n + type.len + 2 > sizeof value)
            return unsupported(feed, option, "too many types");
        n += (size_t)snprintf(value + n, sizeof value - n, "%s%.*s",
                              n         ? ","
                              : all_but ? "!"
                                        : "",
                              (int)type.len, type.at);
    }
    return term_add(feed, m, option, "type", value);
}

static bool take_option(struct sek_feed *feed, struct sek_modifiers *m, struct sek_span option)
{
    struct sek_span value = option, word;
    bool has_value = sek_span_take_until(&value, '=', &word);
    if (!has_value)
        word = option;
    if (has_value && sek_span_is(word, "dnstype"))
        return take_dnstype(feed, m, option, value);
    for (size_t i = 0; i < sizeof without / sizeof *without; i++)
        if (sek_span_is(word, without[i].word))
            return unsupported(feed, option, without[i].why);
    m->withdraws |= sek_span_is(option, "badfilter");
    m->important |= sek_span_is(option, "important");
    return sek_span_is(option, "badfilter") || sek_span_is(option, "important") ||
           sek_span_is_one_of(option, idle) || bad(feed, option, "an option that is not supported");
}

bool sek_modifiers_adblock(struct sek_feed *feed, struct sek_span text, struct sek_modifiers *out)
{
    struct sek_span rest = text;
    sek_modifiers_begin(out);
    for (bool more = true; more;) {
        struct sek_span option;
        more = sek_span_take_until(&rest, ',', &option);
        if (!take_option(feed, out, more ? option : rest))
            return false;
    }
    return !(out->withdraws && out->has_terms) ||
           unsupported(feed, text, "only a rule for all types of questions can be taken back");
}

/* --- Pi-hole -------------------------------------------------------------------------------------
 */

static const struct {
    const char *word;
    enum sek_action action;
} replies[] = {
    {"NXDOMAIN", SEK_ACTION_NXDOMAIN}, {"NODATA", SEK_ACTION_NODATA},
    {"REFUSED", SEK_ACTION_REFUSED},   {"NONE", SEK_ACTION_DROP},
    {"IP", SEK_ACTION_SINKHOLE},
};

/* An address: the sinkhole's, or one of its own. */
static bool take_address(struct sek_feed *feed, struct sek_modifiers *m, struct sek_span part,
                         const struct sek_addr *addr)
{
    char text[SEK_ADDR_TEXT_MAX], record[SEK_ADDR_TEXT_MAX + 8];
    enum sek_action as = sek_feed_is_sinkhole(feed, addr) ? SEK_ACTION_SINKHOLE : SEK_ACTION_DATA;
    if (m->action != SEK_ACTION_DEFAULT && m->action != as)
        return unsupported(feed, part, "more than one kind of reply");
    m->action = as;
    sek_addr_to_text(addr, text);
    snprintf(record, sizeof record, "%s %s", sek_addr_is_v4(addr) ? "A" : "AAAA", text);
    return as == SEK_ACTION_SINKHOLE || term_add(feed, m, part, "data", record);
}

static bool take_reply(struct sek_feed *feed, struct sek_modifiers *m, struct sek_span part,
                       struct sek_span value)
{
    struct sek_addr addr;
    if (sek_span_address(value, &addr))
        return take_address(feed, m, part, &addr);
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        if (!sek_span_is(value, replies[i].word))
            continue;
        if (m->action != SEK_ACTION_DEFAULT && m->action != replies[i].action)
            return unsupported(feed, part, "more than one kind of reply");
        m->action = replies[i].action;
        return true;
    }
    return bad(feed, part, "a reply is NXDOMAIN, NODATA, REFUSED, NONE, IP or an address");
}

/* One of them, without the ';' in front. */
static bool take_extension(struct sek_feed *feed, struct sek_modifiers *m, struct sek_span part)
{
    struct sek_span value = part, word;
    bool has_value = sek_span_take_until(&value, '=', &word);
    if (has_value && sek_span_is(word, "querytype")) {
        char types[256];
        snprintf(types, sizeof types, "%.*s", (int)value.len, value.at);
        return term_add(feed, m, part, "type", types);
    }
    if (has_value && sek_span_is(word, "reply"))
        return take_reply(feed, m, part, value);
    return unsupported(feed, part,
                       sek_span_is(part, "invert")
                           ? "an inverted expression is for all other names of the DNS: a group in "
                             "mode allow-only does that"
                           : "an extension of Pi-hole's that is not known");
}

/* Where they begin; empty: there are none. */
static struct sek_span extensions_of(struct sek_span s)
{
    static const char *const words[] = {"querytype", "reply", NULL};
    struct sek_span part;
    while (sek_span_take_until(&s, ';', &part)) {
        struct sek_span rest = s, word;
        if (!sek_span_take_until(&rest, ';', &part))
            part = s;
        rest = part;
        if (sek_span_is(part, "invert") ||
            (sek_span_take_until(&rest, '=', &word) && sek_span_is_one_of(word, words)))
            return s;
    }
    return (struct sek_span){s.at, 0};
}

bool sek_modifiers_pihole(struct sek_feed *feed, struct sek_span *io, struct sek_modifiers *out)
{
    struct sek_span rest = extensions_of(*io);
    sek_modifiers_begin(out);
    if (rest.len == 0)
        return true;
    io->len = (size_t)(rest.at - 1 - io->at);
    for (bool more = true; more;) {
        struct sek_span part;
        more = sek_span_take_until(&rest, ';', &part);
        if (!take_extension(feed, out, more ? part : rest))
            return false;
    }
    return true;
}

/* --- what they make of a rule --------------------------------------------------------------------
 */

void sek_modifiers_rule(struct sek_feed *feed, enum sek_scope scope, enum sek_action action,
                        const struct sek_modifiers *m)
{
    if (m->action != SEK_ACTION_DEFAULT)
        action = m->action;
    if (m->important && action != SEK_ACTION_PASSTHRU && !m->withdraws)
        sek_feed_doubt(feed,
                       "$important: the rule is taken, but exceptions come first all the same");
    feed->rule.withdrawn = m->withdraws;
    if (m->has_terms)
        sek_feed_rule_spec(feed, scope, action, &m->terms);
    else
        sek_feed_rule(feed, scope, action);
    feed->rule.withdrawn = false;
}
