/* SPDX-License-Identifier: BSD-3-Clause */
#include "seenrow.h"
#include "name/qtype.h"
#include "name/suffix.h"
#include <string.h>
#include "base/banned.h"

enum {
    FIRST,
    LAST,
    DOMAIN,
    ENDPOINTS,
    RESOLVED,
    NEW_UNTIL,
    ENDPOINT,
    NAME,
    TYPE,
    FIRST_AT,
    REFUSED,
    ADDRESS,
    ASN,
    NETWORK,
    COUNTRY,
    TTL,
    TTL_MIN,
    QUERIES,
    N_COLS = SEK_SEEN_COLS
};
const struct sek_col sek_seen_list_cols[N_COLS] = {
    [FIRST] = {"first", "First (UTC)", SEK_COL_TIME},
    [LAST] = {"last", "Last (UTC)", SEK_COL_TIME},
    [DOMAIN] = {"domain", "Domain", SEK_COL_NAME},
    [ENDPOINTS] = {"endpoints", "Endpoints", SEK_COL_UINT},
    [RESOLVED] = {"resolved", "Resolved", SEK_COL_FLAG},
    [NEW_UNTIL] = {"new_until", "New until", SEK_COL_TIME, NULL, 0, SEK_COL_MACHINE},
    [ENDPOINT] = {"first_endpoint", "First endpoint", SEK_COL_TEXT},
    [NAME] = {"first_name", "First name", SEK_COL_NAME},
    [TYPE] = {"first_type", "Type", SEK_COL_TEXT},
    [FIRST_AT] = {"first_query", "At", SEK_COL_TIME_MS, NULL, 0, SEK_COL_MACHINE},
    [REFUSED] = {"first_refused", "Refused", SEK_COL_FLAG, NULL, 0, SEK_COL_MACHINE},
    [ADDRESS] = {"first_address", "Address", SEK_COL_TEXT, NULL, 0, SEK_COL_MACHINE},
    [ASN] = {"first_asn", "ASN", SEK_COL_UINT, NULL, 0, SEK_COL_MACHINE},
    [NETWORK] = {"first_network", "Network", SEK_COL_TEXT, NULL, 0, SEK_COL_MACHINE},
    [COUNTRY] = {"first_country", "Country", SEK_COL_TEXT, NULL, 0, SEK_COL_FILLED},
    [TTL] = {"first_ttl_s", "TTL", SEK_COL_UINT, NULL, 0, SEK_COL_MACHINE},
    [TTL_MIN] = {"ttl_min_s", "Minimum TTL", SEK_COL_UINT, NULL, 0, SEK_COL_MACHINE},
    [QUERIES] = {"queries", "Queries", SEK_COL_UINT, NULL, 0, SEK_COL_MACHINE},
};
const struct sek_col sek_seen_show_cols[N_COLS] = {
    [FIRST] = {"first", "First seen (UTC)", SEK_COL_TIME},
    [LAST] = {"last", "Last seen (UTC)", SEK_COL_TIME},
    [DOMAIN] = {"domain", "Registered domain", SEK_COL_NAME},
    [ENDPOINTS] = {"endpoints", "Endpoints, about", SEK_COL_UINT},
    [RESOLVED] = {"resolved", "Ever resolved", SEK_COL_FLAG, "not known"},
    [NEW_UNTIL] = {"new_until", "Newly observed until", SEK_COL_TIME, "no longer, or not yet told"},
    [ENDPOINT] = {"first_endpoint", "First endpoint", SEK_COL_TEXT, "not known"},
    [NAME] = {"first_name", "  asked for", SEK_COL_NAME},
    [TYPE] = {"first_type", "  type", SEK_COL_TEXT},
    [FIRST_AT] = {"first_query", "  at (UTC)", SEK_COL_TIME_MS},
    [REFUSED] = {"first_refused", "  refused", SEK_COL_FLAG},
    [ADDRESS] = {"first_address", "First answer", SEK_COL_TEXT},
    [ASN] = {"first_asn", "  of network AS", SEK_COL_UINT},
    [NETWORK] = {"first_network", "  run by", SEK_COL_TEXT},
    [COUNTRY] = {"first_country", "  in country", SEK_COL_TEXT},
    [TTL] = {"first_ttl_s", "  for seconds", SEK_COL_UINT},
    [TTL_MIN] = {"ttl_min_s", "Minimum TTL, seconds", SEK_COL_UINT, "not known"},
    [QUERIES] = {"queries", "Queries", SEK_COL_UINT, "not counted"},
};

/* What is new then is what the resolver records or holds; before the warm-up nothing is. */
static void put_new_until(struct sek_seen *s, const struct sek_domain_seen *seen)
{
    const struct sek_conf *conf = s->conf;
    bool hold = conf->nod.mode == SEK_NOD_HOLD;
    int64_t until_s = seen->first_s + (hold ? conf->nod.hold_s : conf->domains.new_s);
    if (until_s > s->c->now_s && !sek_seen_warm_up_left(s))
        sek_out_int(s->c->out, NEW_UNTIL, until_s);
}

/* Where it led at first, as the databases of today see it. */
static void put_place(struct sek_seen *s, const struct sek_first_row *first)
{
    struct sek_out *o = s->c->out;
    struct sek_addr address;
    struct sek_geo_facts facts;
    if (first->ttl_s)
        sek_out_uint(o, TTL, (uint64_t)first->ttl_s);
    if (sek_addr_from_text(first->address, &address, NULL))
        return;
    sek_out_text(o, ADDRESS, first->address);
    sek_geo_find(s->geo, &address, &facts);
    if (facts.asn)
        sek_out_uint(o, ASN, facts.asn);
    sek_out_text(o, NETWORK, *facts.network ? facts.network : NULL);
    sek_out_text(o, COUNTRY, *facts.country ? facts.country : NULL);
}

bool sek_seen_row(struct sek_seen *s, const struct sek_seen_domain *d)
{
    struct sek_out *o = s->c->out;
    char type[16];
    sek_out_text(o, DOMAIN, d->text);
    if (d->first_s <= d->last_s) {
        sek_out_int(o, FIRST, d->first_s);
        sek_out_int(o, LAST, d->last_s);
        sek_out_uint(o, ENDPOINTS, d->endpoints);
    }
    if (d->in_history) {
        sek_out_flag(o, RESOLVED, d->history.resolved);
        put_new_until(s, &d->history);
    }
    if (d->has_first) {
        sek_out_text(o, ENDPOINT, d->first.endpoint);
        sek_out_text(o, NAME, d->first.name);
        sek_out_text(o, TYPE, sek_qtype_to_text(d->first.qtype, type, sizeof type));
        sek_out_int(o, FIRST_AT, d->first.first_ms);
        sek_out_flag(o, REFUSED, d->first.refused);
        put_place(s, &d->first);
        if (d->first.has_ttl)
            sek_out_uint(o, TTL_MIN, (uint64_t)d->first.ttl_min_s);
    }
    if (d->queries)
        sek_out_uint(o, QUERIES, d->queries);
    return sek_out_row(o);
}

enum sek_err sek_seen_registered(struct sek_context *c, const struct sek_conf *conf,
                                 const char *name_text, struct sek_name *out_name,
                                 struct sek_name *out_domain)
{
    struct sek_suffix *suffix;
    struct sek_diag why = {0};
    if (sek_name_from_text(name_text, strlen(name_text), out_name, &why))
        return sek_context_usage(c, "%s", why.text);
    enum sek_err e =
        sek_suffix_open(*conf->suffix.list ? conf->suffix.list : NULL, &suffix, &c->diag);
    if (e)
        return e;
    int labels = sek_suffix_registered(suffix, out_name);
    sek_suffix_close(suffix);
    if (labels < 0)
        return sek_context_usage(c,
                                 "%.200s is a public suffix or a single label: there is no "
                                 "registered domain to look for",
                                 name_text);
    sek_name_parent(out_name, (unsigned)labels, out_domain);
    return SEK_OK;
}
