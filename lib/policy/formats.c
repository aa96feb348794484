/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/formats.h"
#include "policy/about.h"
#include "policy/modifiers.h"
#include "policy/pattern.h"
#include "policy/patterns_write.h"
#include "policy/rpz.h"
#include "policy/zonetext.h"
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

const struct sek_lookup sek_format_names[] = {
    {SEK_FORMAT_AUTO, "auto"},       {SEK_FORMAT_PLAIN, "plain"},     {SEK_FORMAT_HOSTS, "hosts"},
    {SEK_FORMAT_ADBLOCK, "adblock"}, {SEK_FORMAT_DNSMASQ, "dnsmasq"}, {SEK_FORMAT_RPZ, "rpz"},
    {SEK_FORMAT_UNBOUND, "unbound"}, {SEK_FORMAT_REGEX, "regex"},     {0, NULL},
};

/* Longest quotation of a list in a reason; the line number leads to the rest. */
#define QUOTE_MAX 64

/* A part of the line is bad. */
static void bad_part(struct sek_feed *feed, struct sek_span s, const char *why)
{
    sek_feed_bad(feed, "'%.*s%s': %s", (int)(s.len < QUOTE_MAX ? s.len : QUOTE_MAX), s.at,
                 s.len > QUOTE_MAX ? "…" : "", why);
}

static void unsupported_part(struct sek_feed *feed, struct sek_span s, const char *why)
{
    sek_feed_unsupported(feed, "'%.*s%s': %s", (int)(s.len < QUOTE_MAX ? s.len : QUOTE_MAX), s.at,
                         s.len > QUOTE_MAX ? "…" : "", why);
}

/* Names */

/* A name in list notation to feed->rule.name; a bad one is reported. */
static bool take_notation(struct sek_feed *feed, struct sek_span s, enum sek_scope *out_scope)
{
    struct sek_diag diag;
    enum sek_err err = sek_rule_from_text(s.at, s.len, out_scope, &feed->rule.name, &diag);
    if (err == SEK_OK && sek_about_of(&feed->rule.name) == SEK_ABOUT_REGEX)
        err = sek_pattern_check(&feed->rule.name, &diag);
    if (err == SEK_OK)
        return true;
    sek_feed_bad(feed, "%s", diag.text);
    return false;
}

/* A name without notation to feed->rule.name; a bad one is reported. */
static bool take_name(struct sek_feed *feed, struct sek_span s)
{
    enum sek_scope scope;
    if (s.len > 0 && memchr("=*/", s.at[0], 3)) {
        bad_part(feed, s, "patterns are not known in this format");
        return false;
    }
    return take_notation(feed, s, &scope);
}

/* Does an address that a list gives a name block it? */
static bool leads_nowhere(const struct sek_feed *feed, struct sek_span s)
{
    struct sek_addr addr;
    if (sek_span_is(s, "0.0.0.0") || sek_span_is(s, "127.0.0.1"))
        return true;
    return sek_span_address(s, &addr) && sek_feed_is_sinkhole(feed, &addr);
}

static const char real_address[] = "a real address: the line gives the name an answer of its own, "
                                   "does not block it";

/* Hosts: address, names */

/* What hosts files say about the machine itself. */
static const char *const hosts_own[] = {
    "localhost",
    "localhost.localdomain",
    "localhost4",
    "localhost6",
    "local",
    "broadcasthost",
    "ip6-localhost",
    "ip6-loopback",
    "ip6-localnet",
    "ip6-mcastprefix",
    "ip6-allnodes",
    "ip6-allrouters",
    "ip6-allhosts",
    "localhost.localdomain4",
    "localhost6.localdomain6",
    "0.0.0.0", /* lists made from a template begin with "0.0.0.0 0.0.0.0" */
    NULL,
};

static void hosts_line(struct sek_feed *feed, const char *text, size_t len)
{
    /* no name has a '#', and hosts(5) knows it anywhere */
    struct sek_span rest = sek_span_strip_hash(sek_span_trim(text, len));
    if (rest.len == 0)
        return;
    struct sek_span address = sek_span_take_word(&rest);
    if (!sek_span_is_address(address)) {
        bad_part(feed, address, "an IP address should stand here");
        return;
    }
    struct sek_span name = sek_span_take_word(&rest);
    if (name.len == 0) {
        sek_feed_bad(feed, "an IP address without a name");
        return;
    }
    for (; name.len > 0; name = sek_span_take_word(&rest)) {
        if (sek_span_is_one_of(name, hosts_own))
            continue;
        if (!leads_nowhere(feed, address)) {
            unsupported_part(feed, address, real_address);
            return;
        }
        if (take_name(feed, name))
            sek_feed_rule(feed, SEK_SCOPE_EXACT, SEK_ACTION_DEFAULT);
    }
}

/* dnsmasq: option=/name/…/value */

static void dnsmasq_names(struct sek_feed *feed, struct sek_span rest)
{
    struct sek_span name;
    bool any = false;
    while (sek_span_take_until(&rest, '/', &name)) {
        any = true;
        if (name.len == 0 || sek_span_is(name, "#"))
            sek_feed_bad(feed, "covers names without a dot, or every name");
        else if (take_name(feed, sek_span_begins(name, ".") ? sek_span_skip(name, 1) : name))
            sek_feed_rule(feed, SEK_SCOPE_SUBTREE, SEK_ACTION_DEFAULT);
    }
    if (!any)
        sek_feed_bad(feed, "no \"/name/\" in this line");
}

/* What stands behind the last slash. */
static struct sek_span dnsmasq_value(struct sek_span s)
{
    const char *slash = memrchr(s.at, '/', s.len);
    return slash ? sek_span_skip(s, (size_t)(slash + 1 - s.at)) : (struct sek_span){s.at, 0};
}

static void dnsmasq_line(struct sek_feed *feed, const char *text, size_t len)
{
    struct sek_span s = sek_span_strip_comment(sek_span_trim(text, len));
    if (s.len == 0)
        return;
    bool address = sek_span_begins(s, "address=/");
    if (!address && !sek_span_begins(s, "server=/") && !sek_span_begins(s, "local=/")) {
        sek_feed_bad(feed, "only address=/…/, server=/…/ and local=/…/ block names");
        return;
    }
    struct sek_span option, value = dnsmasq_value(s);
    if (!address && value.len > 0)
        sek_feed_unsupported(feed, "forwards the name to a server, does not block it");
    else if (address && value.len > 0 && !sek_span_is(value, "#") && !sek_span_is_address(value))
        bad_part(feed, value, "an IP address or '#' should stand here");
    else if (value.len > 0 && !sek_span_is(value, "#") && !leads_nowhere(feed, value))
        unsupported_part(feed, value, real_address);
    else if (sek_span_take_until(&s, '/', &option))
        dnsmasq_names(feed, s);
}

/* Unbound: local-zone: "name" type */

static const struct sek_lookup zone_types[] = {
    {SEK_ACTION_NXDOMAIN, "always_nxdomain"},
    {SEK_ACTION_NXDOMAIN, "static"},
    {SEK_ACTION_NODATA, "always_nodata"},
    {SEK_ACTION_REFUSED, "refuse"},
    {SEK_ACTION_REFUSED, "always_refuse"},
    {SEK_ACTION_DROP, "deny"},
    {SEK_ACTION_DROP, "always_deny"},
    {SEK_ACTION_DROP, "inform_deny"},
    {SEK_ACTION_SINKHOLE, "always_null"},
    {SEK_ACTION_SINKHOLE, "redirect"},
    {SEK_ACTION_SINKHOLE, "inform_redirect"},
    {SEK_ACTION_LOG, "inform"},
    {0, NULL},
};

static void local_zone(struct sek_feed *feed, struct sek_span rest)
{
    struct sek_span name = sek_span_take_quoted(&rest), type = sek_span_take_quoted(&rest);
    char word[32];
    int action = -1;
    if (type.len < sizeof(word)) {
        memcpy(word, type.at, type.len);
        word[type.len] = '\0';
        action = sek_lookup_id(zone_types, word);
    }
    if (type.len == 0) {
        sek_feed_bad(feed, "local-zone needs a name and a type");
    } else if (action < 0) {
        bad_part(feed, type, "this type does not block");
    } else if (take_name(feed, name)) {
        if (sek_span_is(type, "redirect") || sek_span_is(type, "inform_redirect")) {
            feed->redirect = feed->rule.name;
            feed->has_redirect = true;
        }
        sek_feed_rule(feed, SEK_SCOPE_SUBTREE, (enum sek_action)action);
    }
}

/* "name [TTL] [class] type data". The address of a redirect zone says nothing new, for ours is
 * used. One that leads nowhere makes the name what a line of a hosts file makes it. */
static void local_data(struct sek_feed *feed, struct sek_span rest)
{
    struct sek_span text = sek_span_take_quoted(&rest);
    struct sek_zone_head head;
    text = sek_span_trim(text.at, text.len);
    bool good = sek_zone_head_read(text.at, text.len, &head);
    bool address = sek_span_is(head.type, "A") || sek_span_is(head.type, "AAAA");
    char record[SEK_LINE_MAX];
    snprintf(record, sizeof record, "%.*s %.*s", (int)head.type.len, head.type.at,
             (int)head.data.len, head.data.at);
    if (!good) {
        sek_feed_bad(feed, "local-data needs a record");
    } else if (take_name(feed, head.owner)) {
        const struct sek_name *zone = &feed->redirect, *own = &feed->rule.name;
        if (address && feed->has_redirect &&
            sek_name_equal(own->octets, own->len, zone->octets, zone->len))
            return;
        if (address && leads_nowhere(feed, sek_span_take_word(&head.data)))
            sek_feed_rule(feed, SEK_SCOPE_EXACT, SEK_ACTION_SINKHOLE);
        else
            sek_feed_record(feed, SEK_SCOPE_EXACT, record, head.has_ttl ? (int64_t)head.ttl_s : -1);
    }
}

/* "server:" and options that have nothing to do with names. */
static bool is_option(struct sek_span key)
{
    for (size_t i = 0; i < key.len; i++)
        if (!(key.at[i] >= 'a' && key.at[i] <= 'z') && key.at[i] != '-' &&
            !(key.at[i] >= '0' && key.at[i] <= '9'))
            return false;
    return key.len > 0;
}

static void unbound_line(struct sek_feed *feed, const char *text, size_t len)
{
    struct sek_span rest = sek_span_strip_comment(sek_span_trim(text, len)), key = {text, 0};
    if (rest.len == 0)
        return;
    if (!sek_span_take_until(&rest, ':', &key) || !is_option(key))
        sek_feed_bad(feed, "not a line of unbound.conf");
    else if (sek_span_is(key, "local-zone"))
        local_zone(feed, rest);
    else if (sek_span_is(key, "local-data"))
        local_data(feed, rest);
    else if (sek_span_is(key, "include") || sek_span_is(key, "include-toplevel"))
        sek_feed_bad(feed, "included files are not read");
}

/* Adblock: ||name^ */

/* Takes "$option,…" off *s. */
static bool take_options(struct sek_feed *feed, struct sek_span *s, struct sek_modifiers *out)
{
    struct sek_span pattern, rest = *s;
    sek_modifiers_begin(out);
    if (!sek_span_take_until(&rest, '$', &pattern))
        return true;
    *s = pattern;
    return sek_modifiers_adblock(feed, rest, out);
}

/* Takes the anchors off "||name^", "|name^"; returns why that fails, or NULL. */
static const char *take_anchors(struct sek_span *s, enum sek_scope *out_scope)
{
    bool subtree = sek_span_begins(*s, "||"), exact = !subtree && sek_span_begins(*s, "|");
    *s = sek_span_skip(*s, subtree ? 2 : exact ? 1 : 0);
    if (sek_span_ends(*s, "^|"))
        s->len--;
    bool closed = sek_span_ends(*s, "^");
    if (closed)
        s->len--;
    if (sek_span_holds(*s, "/") || sek_span_holds(*s, ":"))
        return "a path or URL: a resolver sees names only";
    if ((subtree || exact) && !closed)
        return "no '^' behind the name: the pattern goes on to longer names";
    if (closed && !subtree && !exact)
        return "no '||' in front of the name: the pattern begins within names";
    *out_scope = subtree ? SEK_SCOPE_SUBTREE : SEK_SCOPE_EXACT;
    if (subtree && sek_span_begins(*s, "*.")) {
        *s = sek_span_skip(*s, 2);
        *out_scope = SEK_SCOPE_BELOW;
    }
    return NULL;
}

static void adblock_pattern(struct sek_feed *feed, struct sek_span s, enum sek_action action,
                            const struct sek_modifiers *m)
{
    enum sek_scope scope;
    struct sek_span whole = s;
    const char *why = take_anchors(&s, &scope);
    if (why)
        bad_part(feed, whole, why);
    else if (!take_name(feed, s))
        return;
    else if (scope == SEK_SCOPE_EXACT && feed->rule.name.n_labels < 2)
        bad_part(feed, whole, "a part of URLs: a resolver sees names only");
    else
        sek_modifiers_rule(feed, scope, action, m);
}

/* "# text", "## text", "#### text", "###". */
static bool is_hash_comment(struct sek_span s)
{
    size_t n = 0;
    while (n < s.len && s.at[n] == '#')
        n++;
    return n > 3 || (n > 0 && (n == s.len || sek_span_is_blank(s.at[n])));
}

/* "##", "#@#", "#?#", "#$#", "#%#" and their kin. */
static bool is_cosmetic(struct sek_span s)
{
    struct sek_span rest = s, before;
    while (sek_span_take_until(&rest, '#', &before))
        if (rest.len > 0 && memchr("#@?$%", rest.at[0], 5))
            return true;
    return false;
}

/* "/expression/" and "/expression/$option". A path has no slash in the end. */
static void adblock_regex(struct sek_feed *feed, struct sek_span s, enum sek_action action)
{
    enum sek_scope scope;
    struct sek_modifiers m;
    const char *slash = memrchr(s.at, '/', s.len), *end = s.at + s.len;
    struct sek_span options = {slash + 1, (size_t)(end - slash - 1)};
    if (slash == s.at || (options.len > 0 && options.at[0] != '$')) {
        bad_part(feed, s, "a path or URL: a resolver sees names only");
        return;
    }
    if (!take_options(feed, &options, &m))
        return;
    s.len = (size_t)(slash + 1 - s.at);
    if (take_notation(feed, s, &scope))
        sek_modifiers_rule(feed, scope, action, &m);
}

/* A rule, without comments. */
static void adblock_rule(struct sek_feed *feed, struct sek_span s)
{
    enum sek_action action = SEK_ACTION_DEFAULT;
    struct sek_modifiers m;
    if (sek_span_begins(s, "@@")) {
        action = SEK_ACTION_PASSTHRU;
        s = sek_span_skip(s, 2);
    }
    if (sek_span_begins(s, "/"))
        adblock_regex(feed, s, action);
    else if (take_options(feed, &s, &m))
        adblock_pattern(feed, s, action, &m);
}

static void adblock_line(struct sek_feed *feed, const char *text, size_t len)
{
    struct sek_span s = sek_span_trim(text, len);
    if (s.len == 0 || s.at[0] == '!' || (s.at[0] == '[' && sek_span_ends(s, "]")) ||
        is_hash_comment(s))
        return;
    if (is_cosmetic(s)) {
        sek_feed_bad(feed, "a rule for page content, not for names");
        return;
    }
    s = sek_span_strip_comment(s);
    struct sek_span rest = s;
    if (s.len == 0)
        return;
    if (sek_span_is_address(sek_span_take_word(&rest)) && rest.len > 0)
        hosts_line(feed, s.at, s.len); /* as AdGuard reads them */
    else
        adblock_rule(feed, s);
}

/* Plain: one name a line */

/* A name in list notation, or nothing; and the rule's terms behind it. */
static void plain_name(struct sek_feed *feed, struct sek_span s)
{
    struct sek_span terms = s;
    if (memchr(s.at, ' ', s.len) || memchr(s.at, '\t', s.len)) {
        struct sek_span name = sek_span_take_word(&terms);
        if (sek_span_holds(terms, "="))
            s = name;
    }
    if (s.len > 1 && s.at[0] == '.')
        s = sek_span_skip(s, 1); /* ".name" of Squid and dnscrypt-proxy: the subtree as well */
    enum sek_scope scope;
    if (!take_notation(feed, s, &scope))
        return;
    if (terms.at != s.at && s.at + s.len <= terms.at)
        sek_feed_rule_with(feed, scope, terms.at, terms.len);
    else
        sek_feed_rule(feed, scope, SEK_ACTION_DEFAULT);
}

/* Without its comment; a '#' between " marks begins none. */
static struct sek_span plain_strip(struct sek_span s)
{
    bool quoted = false;
    if (!sek_span_holds(s, "=\""))
        return sek_span_strip_comment(s);
    for (size_t i = 0; i < s.len; i++) {
        if (s.at[i] == '\\' && quoted)
            i++;
        else if (s.at[i] == '"')
            quoted = !quoted;
        else if (!quoted && s.at[i] == '#' && i > 0 && sek_span_is_blank(s.at[i - 1]))
            return sek_span_trim(s.at, i);
    }
    return s;
}

static struct sek_span plain_span(const char *text, size_t len)
{
    struct sek_span s = sek_span_trim(text, len);
    if (s.len == 0 || strchr("#;!", s.at[0]) || sek_span_begins(s, "//"))
        return (struct sek_span){text, 0};
    return plain_strip(s);
}

/* Lists are put together from others: what no plain line can be is read as what it is there. Only
 * the bare name differs between the formats, so the most frequent one decides about that. */
static void plain_line(struct sek_feed *feed, const char *text, size_t len)
{
    struct sek_span s = plain_span(text, len), rest = s;
    if (s.len == 0)
        return;
    bool words = memchr(s.at, ' ', s.len) || memchr(s.at, '\t', s.len);
    if (sek_span_begins(s, "|") || sek_span_begins(s, "@@"))
        adblock_rule(feed, s);
    else if (words && sek_span_is_address(sek_span_take_word(&rest)))
        hosts_line(feed, s.at, s.len);
    else
        plain_name(feed, s);
}

/* Regex: one expression a line, as Pi-hole has them. */

static void regex_line(struct sek_feed *feed, const char *text, size_t len)
{
    struct sek_span s = sek_span_trim(text, len);
    struct sek_modifiers m;
    struct sek_diag diag;
    if (s.len == 0 || s.at[0] == '#')
        return;
    s = sek_span_strip_comment(s);
    if (!sek_modifiers_pihole(feed, &s, &m))
        return;
    if (sek_span_begins(s, "regex:"))
        s = sek_span_skip(s, 6);
    else if (s.len > 2 && s.at[0] == '/' && s.at[s.len - 1] == '/')
        s = (struct sek_span){s.at + 1, s.len - 2};
    enum sek_err err = sek_pattern_from_text(s.at, s.len, &feed->rule.name, &diag);
    if (err == SEK_OK)
        err = sek_pattern_check(&feed->rule.name, &diag);
    if (err == SEK_OK)
        sek_modifiers_rule(feed, SEK_SCOPE_EXACT, SEK_ACTION_DEFAULT, &m);
    else
        sek_feed_bad(feed, "%s", diag.text);
}

/* What begins or ends as expressions do, and no name or rule of another format. */
static bool regex_claims(const char *text, size_t len)
{
    struct sek_span s = sek_span_trim(text, len);
    bool anchor =
        s.len > 1 && (s.at[0] == '^' || s.at[0] == '(' || s.at[s.len - 1] == '$' || s.at[0] == '[');
    return anchor && !memchr(s.at, ' ', s.len) && !sek_span_begins(s, "[Ad") &&
           (memchr(s.at, '^', 1) || sek_span_holds(s, "\\") || sek_span_holds(s, "(") ||
            sek_span_holds(s, "*") || sek_span_holds(s, "+"));
}

static bool plain_claims(const char *text, size_t len)
{
    struct sek_read_stats stats = {0};
    struct sek_feed feed = {.stats = &stats};
    struct sek_span s = plain_span(text, len);
    if (s.len > 0)
        plain_name(&feed, s);
    return stats.n_rules > 0;
}

static bool adblock_sign(const char *text, size_t len)
{
    struct sek_span s = sek_span_trim(text, len);
    return sek_span_begins(s, "[Adblock") || sek_span_begins(s, "[AdGuard");
}

const struct sek_format_row sek_formats[] = {
    {SEK_FORMAT_PLAIN, plain_line, NULL, plain_claims},
    {SEK_FORMAT_HOSTS, hosts_line, NULL, NULL},
    {SEK_FORMAT_DNSMASQ, dnsmasq_line, NULL, NULL},
    {SEK_FORMAT_UNBOUND, unbound_line, NULL, NULL},
    {SEK_FORMAT_REGEX, regex_line, NULL, regex_claims},
    {SEK_FORMAT_RPZ, sek_rpz_line, sek_rpz_sign, sek_rpz_claims},
    {SEK_FORMAT_ADBLOCK, adblock_line, adblock_sign, NULL},
    {0, NULL, NULL, NULL},
};
