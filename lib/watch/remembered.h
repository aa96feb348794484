/* SPDX-License-Identifier: BSD-3-Clause */
/* Names and every address that DNS ever gave for each: exact, of fixed size, made at the start. One
 * thread at a time; no clock.
 *
 * Names are known by a keyed 64-bit hash and are never given up. While half of the room is free a
 * name is taken in when it is first seen, above that when it comes back soon: random names below a
 * wildcard, which nobody asks for twice, cannot fill it. A name keeps SEK_REMEMBERED_EACH
 * addresses; of more, and when no room is left, a new one takes the place of the name's longest
 * unseen. */
#pragma once
#include "base/addr.h"
#include "base/err.h"
#include "base/hash.h"
#include "name/name.h"
#include <stddef.h>

#define SEK_REMEMBERED_EACH 512
#define SEK_REMEMBERED_OCTETS 60 /* of an address, all in all */

struct sek_remembered;

struct sek_remembered_name {
    uint64_t tag;
    uint32_t first_s; /* Unix time: its least */
    uint32_t n;       /* addresses */
    uint32_t head;    /* the inside's, as `next` below */
};

struct sek_remembered_address {
    struct sek_addr address;
    uint32_t first_s;
    uint32_t last_day; /* Unix time / 86400 */
    uint32_t next;
};

/* n: addresses of all names, 8 at least. NOMEM. */
enum sek_err sek_remembered_new(size_t n, struct sek_hash_key key, struct sek_remembered **out);
void sek_remembered_free(struct sek_remembered *r); /* NULL is fine */
size_t sek_remembered_octets(const struct sek_remembered *r);
/* Is all room in use? */
bool sek_remembered_is_full(const struct sek_remembered *r);

/* NULL: not known. Borrowed; good as long as r is, as are all below. */
struct sek_remembered_name *sek_remembered_find(const struct sek_remembered *r,
                                                const struct sek_name *name);
/* Begin a name that is not known. sure: it comes from what was stored, and need not come twice.
 * NULL: no room, or it has to come back first. */
struct sek_remembered_name *sek_remembered_begin(struct sek_remembered *r,
                                                 const struct sek_name *name, uint32_t now_s,
                                                 bool sure);
/* NULL: it never had that one. */
struct sek_remembered_address *sek_remembered_has(const struct sek_remembered *r,
                                                  const struct sek_remembered_name *n,
                                                  const struct sek_addr *a);
/* Add one that it does not have. NULL: no room, and the name has none that could give way. */
struct sek_remembered_address *sek_remembered_add(struct sek_remembered *r,
                                                  struct sek_remembered_name *n,
                                                  const struct sek_addr *a, uint32_t now_s);
/* All of a name, the newest first: NULL gives the first, the last gives NULL. */
const struct sek_remembered_address *sek_remembered_next(const struct sek_remembered *r,
                                                         const struct sek_remembered_name *n,
                                                         const struct sek_remembered_address *a);
