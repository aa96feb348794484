/* SPDX-License-Identifier: BSD-3-Clause */
/* Where an address is: the network that announces it (autonomous system) and its country, by
 * databases that the operator brings (settings geo.asn and geo.country), in MaxMind's format, of
 * any maker. One file may have both. Nothing is shipped, and without one nothing is known.
 *
 * The files are looked at again at most once a minute, and read anew when they were replaced. One
 * that is absent or damaged is told once; the facts of the one before it go on. One thread at a
 * time, but sek_geo_find and sek_geo_has_… are for any thread once sek_geo_share was called: they
 * neither wait nor allocate. */
#pragma once
#include "base/addr.h"
#include "conf/conf.h"
#include "observe/mmdb.h"

#define SEK_GEO_EVERY_S 60
#define SEK_GEO_NAME_MAX 48 /* octets with terminator */

struct sek_geo_facts {
    uint32_t asn;                   /* 0: not known */
    char network[SEK_GEO_NAME_MAX]; /* who runs it; whole characters of UTF-8, "" not known */
    char country[3];                /* ISO 3166-1 alpha-2, upper case; "" not known */
};

struct sek_geo;

/* NULL in *out if neither is set. Reads no file yet: sek_geo_refresh. NOMEM. */
enum sek_err sek_geo_new(const struct sek_conf *conf, struct sek_geo **out, struct sek_diag *diag);
void sek_geo_free(struct sek_geo *g); /* NULL is fine */
/* Read what is new, unless that was tried within the last minute (a clock that goes back counts as
 * a minute). say gets each piece of news as a line; trouble: a file cannot be used. NULL g is fine.
 * True if it looked.
 */
typedef void sek_geo_say_fn(void *arg, bool trouble, const char *text);
bool sek_geo_refresh(struct sek_geo *g, int64_t now_s, sek_geo_say_fn *say, void *arg);
/* Others find in it while it is refreshed: settle is called when a database took another's place,
 * and returns once nobody can be within sek_geo_find with the old one. NULL g is fine. */
typedef void sek_geo_settle_fn(void *arg);
void sek_geo_share(struct sek_geo *g, sek_geo_settle_fn *settle, void *arg);
/* The trouble of now, "" if none; of the setting that comes first. NULL g: "". */
const char *sek_geo_trouble(const struct sek_geo *g);
/* Can networks, or countries, be told at all? NULL g: no. */
bool sek_geo_has_asn(const struct sek_geo *g);
bool sek_geo_has_country(const struct sek_geo *g);
/* What is known of an address, all empty if nothing. NULL g: nothing. */
void sek_geo_find(const struct sek_geo *g, const struct sek_addr *a, struct sek_geo_facts *out);
/* The network's number alone, 0 if not known; the country alone, "" if not known. Some 300 ns. */
uint32_t sek_geo_asn(const struct sek_geo *g, const struct sek_addr *a);
void sek_geo_country(const struct sek_geo *g, const struct sek_addr *a, char out[3]);
size_t sek_geo_octets(const struct sek_geo *g);

/* The same of one database. Makers name their fields differently; geo.c has the table. */
void sek_geo_facts_of(const struct sek_mmdb *m, const struct sek_addr *a,
                      struct sek_geo_facts *out);
