/* SPDX-License-Identifier: BSD-3-Clause */
/* A file of facts about addresses in MaxMind's format (MaxMind DB 2.0,
 * https://maxmind.github.io/MaxMind-DB/): GeoLite2, GeoIP2, DB-IP, IPinfo and others.
 *
 * Read here and not by libmaxminddb, because that opens paths only and maps them: a file cut off or
 * overwritten in place would end the resolver (SIGBUS), and a private copy would need a folder to
 * write to, or /proc, within a chroot. So the file is copied into memory of our own, and whatever
 * it holds, each read stays within the copy and takes a bounded number of steps. Immutable once
 * opened; any thread. */
#pragma once
#include "base/addr.h"
#include <stddef.h>

struct sek_mmdb;

#define SEK_MMDB_OCTETS_MAX (1ull << 30) /* of a file; GeoIP2 Enterprise has 0.4 GiB */

/* path: an ordinary file, or a link to one. NOTFOUND, DENIED, IO, NOMEM, LIMIT (too large), CORRUPT
 * (no such database, or cut off), VERSION. The text names the path. out on success only. */
enum sek_err sek_mmdb_open(const char *path, struct sek_mmdb **out, struct sek_diag *diag);
/* The same, of octets in memory, which are copied; label stands for the path. */
enum sek_err sek_mmdb_from_octets(const void *octets, size_t n, const char *label,
                                  struct sek_mmdb **out, struct sek_diag *diag);
void sek_mmdb_close(struct sek_mmdb *m); /* NULL is fine */
size_t sek_mmdb_octets(const struct sek_mmdb *m);
/* What it says of itself: "GeoLite2-ASN", "" if nothing; and when it was built, Unix seconds, 0
 * if it does not say. */
const char *sek_mmdb_type(const struct sek_mmdb *m);
int64_t sek_mmdb_built_s(const struct sek_mmdb *m);

/* Where the record of an address is. False: there is none, or the file is damaged there. */
bool sek_mmdb_find(const struct sek_mmdb *m, const struct sek_addr *a, size_t *out_record);

/* A value of a record. */
struct sek_mmdb_value {
    const char *text; /* UTF-8 in a sound file; not terminated, borrowed from m. NULL: a number */
    size_t len;       /* octets of the text */
    uint64_t number;  /* without a text */
};
/* Follow keys through nested maps: path ends with NULL. False: no text and no unsigned number of up
 * to 64 bits is there, or the record is damaged. */
bool sek_mmdb_get(const struct sek_mmdb *m, size_t record, const char *const *path,
                  struct sek_mmdb_value *out);
