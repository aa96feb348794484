/* SPDX-License-Identifier: BSD-3-Clause */
/* One decision about one query, as plain data without pointers. */
#pragma once
#include "policy/override.h"
#include "policy/rule.h"
#include "policy/terms.h"

#define SEK_TTL_OF_SETTINGS UINT32_MAX

/* What the rule matched (RPZ's trigger names). Stored: never renumber. */
enum sek_trigger {
    SEK_TRIGGER_NONE = 0,
    SEK_TRIGGER_QNAME = 1,       /* the question */
    SEK_TRIGGER_CNAME = 2,       /* a CNAME or DNAME owner or target on the way to the answer */
    SEK_TRIGGER_STRICT = 3,      /* no policy could be loaded and the configuration says strict */
    SEK_TRIGGER_CLASSIFIER = 4,  /* the question's name looks machine-made */
    SEK_TRIGGER_FINDING = 5,     /* a detector's finding names its registered domain */
    SEK_TRIGGER_NOD = 6,         /* its registered domain is newly observed */
    SEK_TRIGGER_CANARY = 7,      /* the question is a canary name (bypass.canary) */
    SEK_TRIGGER_CLIENT_IP = 8,   /* the endpoint: its address, or a group that is restricted */
    SEK_TRIGGER_RESPONSE_IP = 9, /* an address in the answer */
    SEK_TRIGGER_NSDNAME = 10,    /* the name of a server of the zone */
    SEK_TRIGGER_NSIP = 11,       /* an address of one */
    SEK_TRIGGER_REGEX = 12,      /* the name as text: the question's, or one on the way */
    SEK_TRIGGER_ASN = 13,        /* the network that an answer's address belongs to */
    SEK_TRIGGER_COUNTRY = 14,    /* its country */
    SEK_TRIGGER_REBINDING = 15,  /* an address of a private network for a public name */
    SEK_TRIGGER_SINKHOLED = 16,  /* an address of somebody else's sinkhole */
};
extern const struct sek_lookup sek_trigger_names[]; /* "none" "qname" "cname" … */

struct sek_verdict {
    enum sek_action action;   /* what to do; PASSTHRU when nothing matched */
    enum sek_action would;    /* what the rule says: differs from action in monitor mode */
    enum sek_trigger trigger; /* NONE: no rule decided */
    bool monitor;             /* the rule's list is in monitor mode */
    uint8_t scope;            /* of the rule; 0: it has no name */
    uint8_t depth;            /* labels between the matched name and the rule's owner name */
    uint32_t pattern;         /* the rule is a regular expression's: which (policy.h); else 0 */
    uint16_t list;            /* list id; 0 = none */
    uint16_t ede;             /* RFC 8914 INFO-CODE */
    float score;              /* the classifier's ratio; SEK_CLASSIFY_NONE when it was not asked */
    uint64_t generation;      /* of the policy that decided */
    uint32_t terms;           /* the rule's number in the policy's terms; 0: none */
    uint32_t ttl_s;           /* of the answer; SEK_TTL_OF_SETTINGS: as the settings say */
    int32_t priority;         /* of the rule, else of its list */
    uint8_t order;            /* of its list: SEK_ORDER_… (policy/override.h) */
    uint8_t log;              /* enum sek_log */
    bool terms_new;  /* `terms` is of sek_policy_terms; else of the image below the delta */
    int64_t until_s; /* trigger NOD: the domain is new until then; else 0 */
    char list_name[SEK_LIST_NAME_MAX]; /* or what decided in place of a list: "classifier" */
};

/* True if the query is to be recorded as a hit: a rule other than passthru decided. */
static inline bool sek_verdict_is_hit(const struct sek_verdict *v)
{
    return v->trigger != SEK_TRIGGER_NONE && v->would != SEK_ACTION_PASSTHRU;
}

/* A block of a policy zone that stands only if no earlier zone says something about the answer. */
static inline bool sek_verdict_waits(const struct sek_verdict *v)
{
    return (v->order & SEK_ORDER_WAITS) && sek_action_blocks(v->action);
}
/* Does `v` come before `other`, as an earlier policy zone's? */
static inline bool sek_verdict_is_earlier(const struct sek_verdict *v,
                                          const struct sek_verdict *other)
{
    return v->order && other->order && v->priority > other->priority;
}

/* What a verdict says of an answer to the question, or of what else it is about. */
enum sek_judgement {
    SEK_JUDGED_OPEN,    /* nothing said yet */
    SEK_JUDGED_EXEMPT,  /* an exception on the question covers its whole answer */
    SEK_JUDGED_BLOCKED, /* it must leave the cache, too */
};
enum sek_judgement sek_judgement_of(const struct sek_verdict *v);
/* Has what the answer carries no say any more? */
bool sek_verdict_is_settled(const struct sek_verdict *v);
/* Does `v`, of something that the answer carries, take the place of the verdict so far? What
 * blocks does, and what is recorded where nothing was, unless a block stands already; that only
 * gives way to an earlier policy zone's. */
bool sek_verdict_takes_over(const struct sek_verdict *v, const struct sek_verdict *so_far);
/* Add what detectors said of the question to what rules say of all: it stands as long as no rule
 * decides. detected: the verdict on the question with it. */
void sek_verdict_add_detected(struct sek_verdict *io, const struct sek_verdict *detected);

/* True for the triggers of detectors that judge a question at once, behind all rules
 * (verdict/detect.h). */
static inline bool sek_trigger_is_detector(int trigger)
{
    return trigger == SEK_TRIGGER_CLASSIFIER || trigger == SEK_TRIGGER_NOD;
}

/* True for what decides without a list: its word stands where reports show lists. */
static inline bool sek_trigger_decides_alone(int trigger)
{
    return sek_trigger_is_detector(trigger) || trigger == SEK_TRIGGER_FINDING ||
           trigger == SEK_TRIGGER_CANARY || trigger == SEK_TRIGGER_REBINDING ||
           trigger == SEK_TRIGGER_STRICT;
}
/* That word, or "". */
const char *sek_trigger_decider(int trigger);

/* What decided, for people: "list ads", "classifier", "finding dga", "newly observed domain, until
 * 2026-11-28T10:00:00Z". Returns out (size >= SEK_VERDICT_BY_MAX). No lock. */
#define SEK_VERDICT_BY_MAX (SEK_LIST_NAME_MAX + 64)
const char *sek_verdict_by(const struct sek_verdict *v, char *out, size_t size);
