/* SPDX-License-Identifier: BSD-3-Clause */
#include "observe/geo.h"
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/banned.h"

/* What tells one version of a file from the next. */
struct mark {
    bool there;
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed, renamed;
};

/* A setting and its database. */
struct source {
    const char *key;
    const char *path; /* "": not set; borrowed from the settings */
    struct mark mark;
    bool tried;
    _Atomic(struct sek_mmdb *) db; /* NULL: none could be read yet */
    char trouble[256];
};

enum { ASN, COUNTRY, N_SOURCES };

struct sek_geo {
    struct source source[N_SOURCES];
    sek_geo_settle_fn *settle; /* NULL: nobody else reads */
    void *settle_arg;
    int64_t refreshed_s;
    bool refreshed;
};

/* --- names of fields ---------------------------------------------------------------------------
 */

#define KEYS_MAX 3
typedef const char *keys[KEYS_MAX];

/* In the order in which they are asked; the first that fits counts. */
static const keys asn_keys[] = {
    {"autonomous_system_number"},           /* GeoLite2 and GeoIP2 ASN, ISP; DB-IP */
    {"asn"},                                /* IPinfo: "AS64496" */
    {"traits", "autonomous_system_number"}, /* GeoIP2 Enterprise */
    {"as_number"},
    {"as", "asn"}, /* IPinfo, newer */
    {"asn", "asn"},
};
static const keys network_keys[] = {
    {"autonomous_system_organization"},
    {"as_name"}, /* IPinfo Lite */
    {"traits", "autonomous_system_organization"},
    {"organization"},
    {"as_organization"},
    {"as", "name"},
    {"asn", "name"},
    {"name"}, /* IPinfo ASN */
};
static const keys country_keys[] = {
    {"country", "iso_code"}, /* GeoLite2 and GeoIP2 Country, City; DB-IP */
    {"country_code"},        /* IPinfo Lite, where "country" is its English name */
    {"country"},             /* IPinfo: "US" */
    {"country", "code"},
    {"geo", "country_code"}, /* IPinfo, newer */
    {"iso_code"},
    {"registered_country", "iso_code"}, /* where the user is not known, of the network */
};
#define N(table) (sizeof(table) / sizeof(table)[0])

/* "AS64496", "64496" or a number; 0 if it is none. */
static uint32_t asn_from(const struct sek_mmdb_value *v)
{
    uint64_t asn = v->number;
    size_t at =
        v->text && v->len > 2 && (memcmp(v->text, "AS", 2) == 0 || memcmp(v->text, "as", 2) == 0)
            ? 2
            : 0;
    for (; v->text && at < v->len; at++) {
        if (v->text[at] < '0' || v->text[at] > '9' || asn > UINT32_MAX)
            return 0;
        asn = asn * 10 + (uint64_t)(v->text[at] - '0');
    }
    return asn > UINT32_MAX ? 0 : (uint32_t)asn;
}

static void find_asn(const struct sek_mmdb *m, size_t record, struct sek_geo_facts *out)
{
    struct sek_mmdb_value v;
    for (size_t i = 0; i < N(asn_keys) && out->asn == 0; i++)
        if (sek_mmdb_get(m, record, asn_keys[i], &v))
            out->asn = asn_from(&v);
}

static void find_network(const struct sek_mmdb *m, size_t record, struct sek_geo_facts *out)
{
    struct sek_mmdb_value v;
    for (size_t i = 0; i < N(network_keys); i++) {
        if (!sek_mmdb_get(m, record, network_keys[i], &v) || !v.text || v.len == 0)
            continue;
        size_t len = v.len < SEK_GEO_NAME_MAX ? v.len : SEK_GEO_NAME_MAX - 1;
        while (len > 0 && len < v.len && (v.text[len] & 0xc0) == 0x80)
            len--;
        memcpy(out->network, v.text, len);
        out->network[len] = '\0';
        return;
    }
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static void find_country(const struct sek_mmdb *m, size_t record, struct sek_geo_facts *out)
{
    struct sek_mmdb_value v;
    for (size_t i = 0; i < N(country_keys); i++) {
        if (!sek_mmdb_get(m, record, country_keys[i], &v) || !v.text || v.len != 2 ||
            !is_letter(v.text[0]) || !is_letter(v.text[1]))
            continue;
        for (unsigned k = 0; k < 2; k++)
            out->country[k] = (char)(v.text[k] & ~0x20);
        return;
    }
}

void sek_geo_facts_of(const struct sek_mmdb *m, const struct sek_addr *a, struct sek_geo_facts *out)
{
    size_t record;
    memset(out, 0, sizeof *out);
    if (!sek_mmdb_find(m, a, &record))
        return;
    find_asn(m, record, out);
    if (out->asn)
        find_network(m, record, out);
    find_country(m, record, out);
}

/* --- the two sources ---------------------------------------------------------------------------
 */

enum sek_err sek_geo_new(const struct sek_conf *conf, struct sek_geo **out, struct sek_diag *diag)
{
    *out = NULL;
    if (!*conf->geo.asn && !*conf->geo.country)
        return SEK_OK;
    struct sek_geo *g = calloc(1, sizeof *g);
    if (!g)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for geo.asn and geo.country");
    g->source[ASN].key = "geo.asn";
    g->source[ASN].path = conf->geo.asn;
    g->source[COUNTRY].key = "geo.country";
    g->source[COUNTRY].path = conf->geo.country;
    *out = g;
    return SEK_OK;
}

void sek_geo_free(struct sek_geo *g)
{
    for (unsigned i = 0; g && i < N_SOURCES; i++)
        sek_mmdb_close(g->source[i].db);
    free(g);
}

static struct mark mark_of(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return (struct mark){0};
    return (struct mark){true, st.st_dev, st.st_ino, st.st_size, st.st_mtim, st.st_ctim};
}

static bool is_same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool is_same(const struct mark *a, const struct mark *b)
{
    return a->there == b->there && a->device == b->device && a->inode == b->inode &&
           a->size == b->size && is_same_time(a->changed, b->changed) &&
           is_same_time(a->renamed, b->renamed);
}

static void load(const struct sek_geo *g, struct source *s, sek_geo_say_fn *say, void *arg)
{
    struct sek_mmdb *db, *old;
    struct sek_diag why = {0};
    char text[400];
    if (sek_mmdb_open(s->path, &db, &why) != SEK_OK) {
        snprintf(s->trouble, sizeof s->trouble, "%s: %.230s", s->key, why.text);
        snprintf(text, sizeof text, "%s; %s", s->trouble,
                 s->db ? "what was read before goes on" : "worked without");
        say(arg, true, text);
        return;
    }
    old = atomic_exchange(&s->db, db);
    if (g->settle)
        g->settle(g->settle_arg);
    sek_mmdb_close(old);
    s->trouble[0] = '\0';
    snprintf(text, sizeof text, "%s: %.250s in force (%s)", s->key, s->path, sek_mmdb_type(db));
    say(arg, false, text);
}

bool sek_geo_refresh(struct sek_geo *g, int64_t now_s, sek_geo_say_fn *say, void *arg)
{
    if (!g || (g->refreshed && now_s >= g->refreshed_s && now_s - g->refreshed_s < SEK_GEO_EVERY_S))
        return false;
    g->refreshed = true;
    g->refreshed_s = now_s;
    for (unsigned i = 0; i < N_SOURCES; i++) {
        struct source *s = &g->source[i];
        /* taken before it is read: what changes meanwhile is read again */
        struct mark now = mark_of(s->path);
        if (!*s->path || (s->tried && is_same(&now, &s->mark)))
            continue;
        s->tried = true;
        s->mark = now;
        load(g, s, say, arg);
    }
    return true;
}

void sek_geo_share(struct sek_geo *g, sek_geo_settle_fn *settle, void *arg)
{
    if (!g)
        return;
    g->settle = settle;
    g->settle_arg = arg;
}

const char *sek_geo_trouble(const struct sek_geo *g)
{
    for (unsigned i = 0; g && i < N_SOURCES; i++)
        if (*g->source[i].trouble)
            return g->source[i].trouble;
    return "";
}

/* Loaded once: it may be another one the next time. */
static const struct sek_mmdb *db_of(const struct sek_geo *g, unsigned which)
{
    return g ? atomic_load(&g->source[which].db) : NULL;
}

bool sek_geo_has_asn(const struct sek_geo *g)
{
    return db_of(g, ASN) != NULL;
}

bool sek_geo_has_country(const struct sek_geo *g)
{
    return db_of(g, COUNTRY) != NULL;
}

uint32_t sek_geo_asn(const struct sek_geo *g, const struct sek_addr *a)
{
    const struct sek_mmdb *db = db_of(g, ASN);
    struct sek_geo_facts facts = {0};
    size_t record;
    if (db && sek_mmdb_find(db, a, &record))
        find_asn(db, record, &facts);
    return facts.asn;
}

/* As sek_geo_find has it: the file of networks may have countries, too. */
void sek_geo_country(const struct sek_geo *g, const struct sek_addr *a, char out[3])
{
    const struct sek_mmdb *dbs[] = {db_of(g, COUNTRY), db_of(g, ASN)};
    struct sek_geo_facts facts = {0};
    size_t record;
    for (unsigned i = 0; i < 2 && !*facts.country; i++)
        if (dbs[i] && sek_mmdb_find(dbs[i], a, &record))
            find_country(dbs[i], record, &facts);
    memcpy(out, facts.country, sizeof facts.country);
}

void sek_geo_find(const struct sek_geo *g, const struct sek_addr *a, struct sek_geo_facts *out)
{
    struct sek_geo_facts more;
    const struct sek_mmdb *asn = db_of(g, ASN), *country = db_of(g, COUNTRY);
    memset(out, 0, sizeof *out);
    if (asn)
        sek_geo_facts_of(asn, a, out);
    if (!country)
        return;
    sek_geo_facts_of(country, a, &more);
    if (*more.country)
        memcpy(out->country, more.country, sizeof out->country);
}

size_t sek_geo_octets(const struct sek_geo *g)
{
    size_t sum = g ? sizeof *g : 0;
    for (unsigned i = 0; g && i < N_SOURCES; i++)
        sum += g->source[i].db ? sek_mmdb_octets(g->source[i].db) : 0;
    return sum;
}
