/* SPDX-License-Identifier: BSD-3-Clause */
/* The words of policy (RPZ's where RPZ has one): action, scope, mode, list, rule. Plain data. */
#pragma once
#include "base/mode.h"
#include "name/name.h"

/* What is done with a matched query. Values are stored in images and databases: never renumber. */
enum sek_action {
    SEK_ACTION_DEFAULT = 0,  /* entry: "as its list says"; never in a verdict */
    SEK_ACTION_PASSTHRU = 1, /* resolve, and no block rule is asked */
    SEK_ACTION_LOG = 2,      /* resolve, but record a hit */
    SEK_ACTION_NXDOMAIN = 3,
    SEK_ACTION_NODATA = 4,
    SEK_ACTION_SINKHOLE = 5, /* A and AAAA of the sinkhole; NODATA for other types */
    SEK_ACTION_REFUSED = 6,
    SEK_ACTION_DROP = 7,
    SEK_ACTION_TCP_ONLY = 8, /* a truncated answer over UDP; over a stream it is only recorded */
    SEK_ACTION_DATA = 9,     /* records of the rule's own (policy/records.h); of entries only */
};
#define SEK_ACTION_MAX SEK_ACTION_DATA
extern const struct sek_lookup sek_action_names[]; /* "passthru" "log" "nxdomain" … */
static inline bool sek_action_blocks(enum sek_action a)
{
    return a >= SEK_ACTION_NXDOMAIN;
}

/* Which names a rule covers, in list notation: "=n" exactly n, "n" n and all below, "*.n" only
 * below. */
enum sek_scope {
    SEK_SCOPE_EXACT = 1,
    SEK_SCOPE_SUBTREE = 2,
    SEK_SCOPE_BELOW = 3,
};
extern const struct sek_lookup sek_scope_names[]; /* "exact" "subtree" "below" */

#define SEK_LIST_NAME_MAX 64 /* octets with terminator; [a-z0-9][a-z0-9._-]* */
#define SEK_LISTS_MAX 4096   /* lists in one policy */

/* A list as the policy image carries it. id is policy.db's, never reused, 1..65535. */
struct sek_list {
    uint16_t id;
    uint8_t mode;      /* enum sek_mode */
    uint8_t action;    /* enum sek_action for entries that have no own */
    int32_t priority;  /* higher wins where two rules are equally specific; default 0 */
    uint16_t ede;      /* RFC 8914 INFO-CODE for its blocks; default 15 (Blocked) */
    uint16_t audience; /* whom it concerns (policy/groups.h); 0: everybody */
    uint32_t n_entries;
    char name[SEK_LIST_NAME_MAX];
};

/* One rule at one name: entry of a list. */
struct sek_rule {
    uint16_t list;       /* list id */
    uint8_t scope;       /* enum sek_scope */
    uint8_t action;      /* enum sek_action; DEFAULT = the list's */
    uint32_t about : 8;  /* enum sek_about of a network's rule (policy/about.h); a name's: 0 */
    uint32_t terms : 24; /* their number in this image (policy/terms.h); 0: none */
    int64_t expires_s;   /* Unix time it ends; 0 = never */
};

/* True if a rule of `scope` at the name `depth` labels above the question covers it (0 = the very
 * name). */
static inline bool sek_scope_covers(enum sek_scope scope, unsigned depth)
{
    return depth == 0 ? scope != SEK_SCOPE_BELOW : scope != SEK_SCOPE_EXACT;
}

/* List notation ("=www.example", "*.example", "example", U-labels) to scope and name; also what is
 * not about names ("response-ip:192.0.2.0/24", policy/about.h). */
enum sek_err sek_rule_from_text(const char *text, size_t len, enum sek_scope *out_scope,
                                struct sek_name *out_name, struct sek_diag *diag);
/* Back to notation. out holds SEK_RULE_TEXT_MAX. Returns the length. */
#define SEK_RULE_TEXT_MAX (SEK_NAME_TEXT_MAX + 2)
size_t sek_rule_to_text(enum sek_scope scope, const uint8_t *wire, char *out);
/* The same of an owner name's text with its scope's mark in front: what is not about names becomes
 * what people write, all else stays. */
size_t sek_rule_plain_text(const char *text, char *out);
