/* SPDX-License-Identifier: BSD-3-Clause */
/* Whom rules concern. A group is a set of networks and single addresses with a name; a list may
 * concern some groups only, or everybody but some (its audience). A group can be restricted to what
 * its own exceptions let through (allow-only); the built-in group of quarantined endpoints always
 * is. Part of a policy image, read in place. Immutable: any thread. */
#pragma once
#include "base/addr.h"
#include "policy/rule.h"

#define SEK_GROUPS_MAX 64 /* one bit each */
#define SEK_GROUP_QUARANTINE "quarantine"
#define SEK_GROUP_QUARANTINE_ID 1

struct sek_client_group {
    uint8_t id;     /* 1..SEK_GROUPS_MAX */
    uint8_t mode;   /* enum sek_mode of the restriction to its exceptions; OFF: none */
    uint8_t action; /* enum sek_action for what it may not resolve */
    uint8_t reserved;
    uint16_t list; /* id of the list of its own exceptions; its hits are recorded under that */
    uint16_t reserved_too;
    char name[SEK_LIST_NAME_MAX]; /* that list's, too */
};

/* A set of groups: bit id - 1. */
static inline uint64_t sek_group_bit(unsigned id)
{
    return (uint64_t)1 << (id - 1);
}

/* only 0: everybody, but for those of `except`. */
struct sek_audience {
    uint64_t only, except;
};
static inline bool sek_audience_covers(const struct sek_audience *a, uint64_t groups)
{
    return (a->only == 0 || (a->only & groups) != 0) && (a->except & groups) == 0;
}

struct sek_groups;

/* data: as sek_groups_write made it, aligned to 8 octets, borrowed until the free. CORRUPT when it
 * is not what that makes. */
enum sek_err sek_groups_read(const void *data, size_t size, struct sek_groups **out,
                             struct sek_diag *diag);
void sek_groups_free(struct sek_groups *g);

/* The groups of an endpoint at that time. No allocation; a search among sorted ranges. */
uint64_t sek_groups_of(const struct sek_groups *g, const struct sek_addr *endpoint, int64_t now_s);
/* The groups that have members at that time. */
uint64_t sek_groups_peopled(const struct sek_groups *g, int64_t now_s);
/* The groups whose restriction has this mode. */
uint64_t sek_groups_restricted(const struct sek_groups *g, enum sek_mode mode);
/* NULL if there is none with this id. Borrowed. */
const struct sek_client_group *sek_groups_get(const struct sek_groups *g, unsigned id);
/* NULL if there is none with this index. Borrowed. */
const struct sek_audience *sek_groups_audience(const struct sek_groups *g, unsigned index);
/* The first end of a membership > after_s, or 0. */
int64_t sek_groups_next_expiry(const struct sek_groups *g, int64_t after_s);
