/* SPDX-License-Identifier: BSD-3-Clause */
#include "watch/udr.h"
#include "base/duration.h"
#include "base/json.h"
#include "name/text.h"
#include "policy/rule.h"
#include "watch/exclude.h"
#include "watch/remembered.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define DAY_S 86400
#define FEW 64 /* networks and countries that are told apart */

struct sek_udr_names {
    struct sek_exclude *chosen, *exclude;
};

struct udr {
    struct sek_udr_names *names; /* NULL: nothing is chosen, and the rest is not there */
    struct sek_exclude *above;   /* the chosen ones and all above them, each alone */
    struct sek_remembered *memory;
    int64_t learn_s;
    enum sek_news report;
    int64_t start_ms; /* of the last finding */
    uint64_t refused;
    unsigned n_added, n_handed_out;
    struct sek_response added[SEK_EVENT_ADDRS];
};

/* --- which names -------------------------------------------------------------------------------
 */

enum sek_err sek_udr_names_new(const struct sek_conf *conf, struct sek_udr_names **out,
                               struct sek_diag *diag)
{
    const struct sek_conf_names *chosen = &conf->udr.domains, *spared = &conf->udr.exclude;
    *out = NULL;
    if (conf->udr.mode == SEK_MODE_OFF || chosen->n == 0)
        return SEK_OK;
    struct sek_udr_names *n = calloc(1, sizeof *n);
    if (!n)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for tracked names");
    enum sek_err err = sek_exclude_new(&chosen, 1, NULL, 0, &n->chosen, diag);
    if (err != SEK_OK)
        sek_diag_wrap(diag, "udr.domains");
    else if ((err = sek_exclude_new(&spared, 1, NULL, 0, &n->exclude, diag)) != SEK_OK)
        sek_diag_wrap(diag, "udr.exclude");
    if (err != SEK_OK) {
        sek_udr_names_free(n);
        return err;
    }
    *out = n;
    return SEK_OK;
}

void sek_udr_names_free(struct sek_udr_names *n)
{
    if (!n)
        return;
    sek_exclude_free(n->chosen);
    sek_exclude_free(n->exclude);
    free(n);
}

bool sek_udr_names_cover(const struct sek_udr_names *n, const struct sek_name *name)
{
    return sek_exclude_covers(n->chosen, name) && !sek_exclude_covers(n->exclude, name);
}

/* "=a.corp.example" "=corp.example" …: an entry and what lies above it, one a line. */
static void add_above(struct sek_buf *lines, const char *entry)
{
    struct sek_name name;
    enum sek_scope scope;
    char text[SEK_NAME_TEXT_MAX];
    if (sek_rule_from_text(entry, strlen(entry), &scope, &name, NULL) != SEK_OK)
        return;
    for (unsigned i = 0; i < name.n_labels; i++) {
        sek_name_to_text(name.octets + name.offset[i], text);
        sek_buf_add_fmt(lines, "=%s", text);
        sek_buf_add(lines, "", 1);
    }
}

/* A registered domain is worth each query if a chosen name is it, or lies below it; else one that
 * lies above it covers it. */
static enum sek_err above_new(const struct sek_conf_names *chosen, struct sek_exclude **out,
                              struct sek_diag *diag)
{
    struct sek_buf lines;
    struct sek_conf_names rows = {0};
    const struct sek_conf_names *list = &rows;
    sek_buf_init(&lines, 0);
    for (unsigned i = 0; i < chosen->n; i++)
        add_above(&lines, chosen->items[i]);
    for (size_t at = 0; at < lines.len; at += strlen(lines.data + at) + 1)
        rows.n++;
    rows.items = calloc(rows.n + 1u, sizeof *rows.items);
    if (lines.failed || !rows.items) {
        sek_buf_fini(&lines);
        free(rows.items);
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for tracked names");
    }
    char *text = lines.data;
    for (unsigned i = 0; i < rows.n; i++, text += strlen(text) + 1)
        rows.items[i] = text;
    enum sek_err err = sek_exclude_new(&list, 1, NULL, 0, out, diag);
    free(rows.items);
    sek_buf_fini(&lines);
    return err;
}

bool sek_udr_wants(const void *self, const uint8_t *domain, size_t len)
{
    const struct udr *u = self;
    struct sek_name name;
    return u->names && sek_name_from_wire(domain, len, &name) == SEK_OK &&
           (sek_exclude_covers(u->above, &name) || sek_exclude_covers(u->names->chosen, &name));
}

/* --- life --------------------------------------------------------------------------------------
 */

enum sek_err sek_udr_new(const struct sek_conf *conf, struct sek_hash_key key, void **out,
                         struct sek_diag *diag)
{
    struct udr *u = calloc(1, sizeof *u);
    if (!u)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for tracked names");
    u->learn_s = conf->udr.learn_s;
    u->report = (enum sek_news)conf->udr.report;
    enum sek_err err = sek_udr_names_new(conf, &u->names, diag);
    if (err == SEK_OK && u->names)
        err = above_new(&conf->udr.domains, &u->above, diag);
    if (err == SEK_OK && u->names &&
        sek_remembered_new(conf->udr.n_addresses, key, &u->memory) != SEK_OK)
        err = sek_diag_set(diag, SEK_E_NOMEM, "out of memory for tracked names");
    if (err != SEK_OK) {
        sek_udr_free(u);
        return err;
    }
    *out = u;
    return SEK_OK;
}

void sek_udr_free(void *self)
{
    struct udr *u = self;
    if (!u)
        return;
    sek_remembered_free(u->memory);
    sek_exclude_free(u->above);
    sek_udr_names_free(u->names);
    free(u);
}

size_t sek_udr_octets(const void *self)
{
    const struct udr *u = self;
    return sizeof *u +
           (u->names ? sek_exclude_octets(u->above) + sek_exclude_octets(u->names->chosen) +
                           sek_exclude_octets(u->names->exclude) + sek_remembered_octets(u->memory)
                     : 0);
}

static uint32_t seconds_of(int64_t ms)
{
    return ms < 0 ? 0 : ms / 1000 > UINT32_MAX ? UINT32_MAX : (uint32_t)(ms / 1000);
}

void sek_udr_recall(void *self, const struct sek_response *r)
{
    struct udr *u = self;
    struct sek_name name;
    uint32_t first_s = seconds_of(r->first_ms);
    if (!u->names || sek_name_from_wire(r->name, r->name_len, &name) != SEK_OK ||
        !sek_udr_names_cover(u->names, &name))
        return;
    struct sek_remembered_name *n = sek_remembered_find(u->memory, &name);
    if (!n)
        n = sek_remembered_begin(u->memory, &name, first_s, true);
    if (!n || sek_remembered_has(u->memory, n, &r->address) ||
        (n->n > 0 && sek_remembered_is_full(u->memory))) /* none gives way to what is older */
        return;
    struct sek_remembered_address *a = sek_remembered_add(u->memory, n, &r->address, first_s);
    if (a)
        a->last_day = (uint32_t)r->last_day;
    if (first_s < n->first_s)
        n->first_s = first_s;
}

bool sek_udr_added(void *self, struct sek_response *out)
{
    struct udr *u = self;
    if (u->n_handed_out == u->n_added)
        return false;
    *out = u->added[u->n_handed_out++];
    return true;
}

uint64_t sek_udr_refused(const void *self)
{
    return ((const struct udr *)self)->refused;
}

/* --- what is new about an address --------------------------------------------------------------
 */

/* What the name had before, against one new address. */
struct past {
    bool same_network, same_country, has_country;
    unsigned with_asn, n_asns, n_networks, n_countries;
    uint32_t asns[FEW];
    struct sek_addr networks[FEW];
    char countries[FEW][3];
};

/* 24 bits of IPv4, 48 of IPv6; the rest is 0. */
static struct sek_addr network_of(const struct sek_addr *a)
{
    struct sek_addr network = {{0}};
    memcpy(network.octets, a->octets, sek_addr_is_v4(a) ? 15 : 6);
    return network;
}

static void count_place(struct past *p, const struct sek_addr *a, const struct sek_geo_facts *facts)
{
    const struct sek_addr network = network_of(a);
    unsigned i = 0;
    while (i < p->n_networks && !sek_addr_equal(&p->networks[i], &network))
        i++;
    if (i == p->n_networks && i < FEW)
        p->networks[p->n_networks++] = network;
    p->with_asn += facts->asn != 0;
    for (i = 0; i < p->n_asns && p->asns[i] != facts->asn;)
        i++;
    if (facts->asn && i == p->n_asns && i < FEW)
        p->asns[p->n_asns++] = facts->asn;
    for (i = 0; i < p->n_countries && strcmp(p->countries[i], facts->country) != 0;)
        i++;
    if (*facts->country && i == p->n_countries && i < FEW)
        memcpy(p->countries[p->n_countries++], facts->country, sizeof p->countries[0]);
}

static void compare(const struct udr *u, const struct sek_remembered_name *n,
                    const struct sek_addr *a, const struct sek_geo *geo, struct past *out)
{
    struct sek_geo_facts own, facts;
    const struct sek_addr network = network_of(a);
    const struct sek_remembered_address *at = NULL;
    *out = (struct past){0};
    sek_geo_find(geo, a, &own);
    while ((at = sek_remembered_next(u->memory, n, at))) {
        const struct sek_addr other = network_of(&at->address);
        sek_geo_find(geo, &at->address, &facts);
        out->same_network |= sek_addr_equal(&network, &other) || (own.asn && own.asn == facts.asn);
        out->same_country |= *own.country && strcmp(own.country, facts.country) == 0;
        out->has_country |= *own.country && *facts.country;
        count_place(out, &at->address, &facts);
    }
}

static enum sek_news news_of(const struct past *p)
{
    if (p->same_network)
        return SEK_NEWS_ADDRESS;
    return p->has_country && !p->same_country ? SEK_NEWS_COUNTRY : SEK_NEWS_NETWORK;
}

/* Where most networks of the addresses are known by number, those count. */
static unsigned networks_of(const struct past *p, unsigned n)
{
    return 2 * p->with_asn >= n && p->n_asns > 0 ? p->n_asns : p->n_networks;
}

static float confidence_of(enum sek_news news, unsigned networks)
{
    static const float least[] = {[SEK_NEWS_LEARNED] = 0,
                                  [SEK_NEWS_ADDRESS] = 0.2f,
                                  [SEK_NEWS_NETWORK] = 0.5f,
                                  [SEK_NEWS_COUNTRY] = 0.8f};
    float more = networks == 1 ? 0.1f : networks >= SEK_UDR_NETWORKS_MANY ? -0.2f : 0;
    return least[news] + (news > SEK_NEWS_ADDRESS ? more : 0);
}

/* --- what it says ------------------------------------------------------------------------------
 */

/* The new addresses of an answer; the one to tell of, and what the name had before. */
struct fresh {
    unsigned n, told;
    struct sek_addr address[SEK_EVENT_ADDRS];
    enum sek_news news[SEK_EVENT_ADDRS];
    struct past past; /* of `told` */
};

/* "address":…, and "asn":…, "network":…, "country":… where known */
static void add_place(struct sek_buf *json, const struct sek_addr *a, const struct sek_geo *geo)
{
    char text[SEK_ADDR_TEXT_MAX];
    struct sek_geo_facts facts;
    sek_geo_find(geo, a, &facts);
    sek_buf_add_fmt(json, "\"address\":\"%s\"", sek_addr_to_text(a, text));
    if (facts.asn)
        sek_buf_add_fmt(json, ",\"asn\":%" PRIu32, facts.asn);
    if (*facts.network) {
        sek_buf_add_text(json, ",\"network\":");
        sek_json_add_text(json, facts.network);
    }
    if (*facts.country) {
        sek_buf_add_text(json, ",\"country\":");
        sek_json_add_text(json, facts.country);
    }
}

static void add_others(struct sek_buf *json, const struct fresh *f, const struct sek_geo *geo)
{
    for (unsigned i = 0, n = 0; i < f->n; i++) {
        if (i == f->told)
            continue;
        sek_buf_add_text(json, n++ ? ",{" : ",\"others\":[{");
        add_place(json, &f->address[i], geo);
        sek_buf_add_fmt(json, ",\"new\":\"%s\"}", sek_lookup_name(sek_news_names, (int)f->news[i]));
    }
    if (f->n > 1)
        sek_buf_add_text(json, "]");
}

/* "192.0.2.7 (AS64500 NL)" */
static void add_short(struct sek_buf *json, const struct sek_addr *a, const struct sek_geo *geo)
{
    char text[SEK_ADDR_TEXT_MAX];
    struct sek_geo_facts facts;
    sek_geo_find(geo, a, &facts);
    bool known = facts.asn || *facts.country;
    sek_buf_add_fmt(json, "\"%s%s", sek_addr_to_text(a, text), known ? " (" : "");
    if (facts.asn)
        sek_buf_add_fmt(json, "AS%" PRIu32, facts.asn);
    sek_buf_add_fmt(json, "%s%s%s\"", facts.asn && *facts.country ? " " : "", facts.country,
                    known ? ")" : "");
}

static void add_earlier(const struct udr *u, struct sek_buf *json,
                        const struct sek_remembered_name *n, const struct sek_geo *geo)
{
    const struct sek_remembered_address *at = NULL;
    sek_buf_add_text(json, ",\"earlier\":[");
    for (unsigned i = 0; i < SEK_UDR_EARLIER && (at = sek_remembered_next(u->memory, n, at)); i++) {
        sek_buf_add_text(json, i ? "," : "");
        add_short(json, &at->address, geo);
    }
    sek_buf_add_text(json, "]");
}

static void evidence(const struct udr *u, const struct sek_observation *o,
                     const struct sek_remembered_name *n, const struct fresh *f,
                     struct sek_sign *out)
{
    struct sek_buf json;
    char text[24];
    const struct past *p = &f->past;
    sek_buf_init(&json, sizeof out->finding.evidence - 1);
    sek_buf_add_fmt(&json, "{\"kind\":\"new %s\",",
                    sek_lookup_name(sek_news_names, (int)f->news[f->told]));
    add_place(&json, &f->address[f->told], o->geo);
    sek_buf_add_fmt(&json, ",\"new_addresses\":%u", f->n);
    add_others(&json, f, o->geo);
    sek_buf_add_fmt(&json, ",\"addresses\":%" PRIu32 ",\"networks\":%u", n->n, p->n_networks);
    if (p->n_asns)
        sek_buf_add_fmt(&json, ",\"asns\":%u", p->n_asns);
    if (p->n_countries)
        sek_buf_add_fmt(&json, ",\"countries\":%u", p->n_countries);
    sek_buf_add_fmt(&json, ",\"known_since\":\"%s\",\"learn_s\":%" PRId64,
                    sek_time_to_text(n->first_s, text, sizeof text), u->learn_s);
    if (o->ttl_s && !o->cached)
        sek_buf_add_fmt(&json, ",\"ttl_s\":%" PRIu32, o->ttl_s);
    add_earlier(u, &json, n, o->geo);
    sek_buf_add_text(&json, "}");
    sek_sign_evidence(out, &json);
}

static void put_words(const struct fresh *f, const struct sek_geo *geo, struct sek_sign *out)
{
    static const char *const words[] = {[SEK_NEWS_LEARNED] = "",
                                        [SEK_NEWS_ADDRESS] = "a new address",
                                        [SEK_NEWS_NETWORK] = "an address in a new network",
                                        [SEK_NEWS_COUNTRY] = "an address in a new country"};
    char text[SEK_ADDR_TEXT_MAX], asn[16] = "";
    struct sek_geo_facts facts;
    sek_geo_find(geo, &f->address[f->told], &facts);
    if (facts.asn)
        snprintf(asn, sizeof asn, " AS%" PRIu32, facts.asn);
    snprintf(out->what, sizeof out->what, "was given %s for a tracked name: %s%s%s%s",
             words[f->news[f->told]], sek_addr_to_text(&f->address[f->told], text), asn,
             *facts.country ? " " : "", facts.country);
}

/* Findings are named by endpoint and start, and logs tell whole seconds. */
static int64_t start_of(struct udr *u, int64_t now_ms)
{
    int64_t since_ms = u->start_ms - now_ms;
    u->start_ms = since_ms >= 0 && since_ms < 1000 ? u->start_ms + 1 : now_ms;
    return u->start_ms;
}

static void tell(struct udr *u, const struct sek_observation *o,
                 const struct sek_remembered_name *n, const struct fresh *f, struct sek_sign *out)
{
    enum sek_news news = f->news[f->told];
    sek_sign_begin(out, SEK_DETECTOR_UDR, o, start_of(u, o->time_ms), false);
    if (out->finding.end_ms < out->finding.start_ms)
        out->finding.end_ms = out->finding.start_ms;
    out->finding.domain_len = o->name->len;
    memcpy(out->finding.domain, o->name->octets, o->name->len);
    out->finding.confidence = confidence_of(news, networks_of(&f->past, n->n));
    snprintf(out->finding.technique, sizeof out->finding.technique, "%s", SEK_UDR_TECHNIQUE);
    out->is_new = true;
    out->may_block = news == SEK_NEWS_COUNTRY;
    out->is_chosen = true;
    evidence(u, o, n, f, out);
    put_words(f, o->geo, out);
}

/* --- seeing ------------------------------------------------------------------------------------
 */

static void write_down(struct udr *u, const struct sek_observation *o,
                       const struct sek_remembered_address *a, enum sek_news news)
{
    struct sek_response *r = &u->added[u->n_added++];
    r->first_ms = (int64_t)a->first_s * 1000;
    r->last_day = a->last_day;
    r->address = a->address;
    r->endpoint = o->endpoint;
    r->news = news;
    r->name_len = o->name->len;
    memcpy(r->name, o->name->octets, o->name->len);
}

static bool is_among(const struct sek_addr *all, unsigned n, const struct sek_addr *a)
{
    for (unsigned i = 0; i < n; i++)
        if (sek_addr_equal(&all[i], a))
            return true;
    return false;
}

/* True once a day, and when it turns out to be older: records may come out of order. */
static bool renew(struct sek_remembered_address *a, uint32_t now_s)
{
    bool later = now_s / DAY_S > a->last_day, earlier = now_s < a->first_s;
    if (later)
        a->last_day = now_s / DAY_S;
    if (earlier)
        a->first_s = now_s;
    return later || earlier;
}

/* Those that the name does not have, judged by what it had before the answer. Known ones are
 * renewed, once a day. */
static void sort_out(struct udr *u, const struct sek_observation *o,
                     const struct sek_remembered_name *n, bool learning, struct fresh *f)
{
    f->n = f->told = 0;
    for (unsigned i = 0; i < o->n_given && i < SEK_EVENT_ADDRS; i++) {
        struct sek_remembered_address *a = sek_remembered_has(u->memory, n, &o->given[i]);
        if (a && renew(a, seconds_of(o->time_ms)))
            write_down(u, o, a, SEK_NEWS_LEARNED);
        if (a || is_among(f->address, f->n, &o->given[i]))
            continue;
        struct past past;
        enum sek_news news = SEK_NEWS_LEARNED;
        if (!learning) {
            compare(u, n, &o->given[i], o->geo, &past);
            news = news_of(&past);
            if (f->n == 0 || news > f->news[f->told]) {
                f->told = f->n;
                f->past = past;
            }
        }
        f->address[f->n] = o->given[i];
        f->news[f->n++] = news;
    }
}

static void add_all(struct udr *u, const struct sek_observation *o, struct sek_remembered_name *n,
                    const struct fresh *f)
{
    for (unsigned i = 0; i < f->n; i++) {
        const struct sek_remembered_address *a =
            sek_remembered_add(u->memory, n, &f->address[i], seconds_of(o->time_ms));
        if (a)
            write_down(u, o, a, f->news[i]);
        else
            u->refused++;
    }
}

static struct sek_remembered_name *name_of(struct udr *u, const struct sek_observation *o)
{
    struct sek_remembered_name *n = sek_remembered_find(u->memory, o->name);
    uint32_t now_s = seconds_of(o->time_ms);
    if (!n) {
        n = sek_remembered_begin(u->memory, o->name, now_s, false);
        u->refused += !n && sek_remembered_is_full(u->memory);
    }
    if (n && now_s < n->first_s)
        n->first_s = now_s; /* records may come out of order */
    return n;
}

bool sek_udr_see(void *self, const struct sek_observation *o, struct sek_sign *out)
{
    struct udr *u = self;
    struct fresh f;
    u->n_added = u->n_handed_out = 0;
    if (!u->names || o->existence != SEK_EXISTENCE_EXISTS || o->n_given == 0 ||
        !sek_udr_names_cover(u->names, o->name))
        return false;
    struct sek_remembered_name *n = name_of(u, o);
    if (!n)
        return false;
    bool learning = n->n == 0 || (int64_t)seconds_of(o->time_ms) < n->first_s + u->learn_s;
    sort_out(u, o, n, learning, &f);
    bool found = f.n > 0 && !learning && f.news[f.told] >= u->report;
    if (found)
        tell(u, o, n, &f, out); /* before they count as the name's own */
    add_all(u, o, n, &f);
    return found;
}
