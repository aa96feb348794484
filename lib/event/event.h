/* SPDX-License-Identifier: BSD-3-Clause */
/* What happened, as data: one record a query. Plain, pointer-free, variable length: only the used
 * part of `names` travels. */
#pragma once
#include "base/addr.h"
#include "verdict/verdict.h"
#include <stddef.h>

/* How a query that was no hit ended. Stored: never renumber. */
enum sek_outcome {
    SEK_OUTCOME_HIT = 0,      /* a rule decided: list, action, trigger are set */
    SEK_OUTCOME_CACHED = 1,   /* answered from Unbound's cache */
    SEK_OUTCOME_PASSED = 2,   /* resolved */
    SEK_OUTCOME_NXDOMAIN = 3, /* resolved: the name does not exist */
    SEK_OUTCOME_FAILED = 4,   /* SERVFAIL and other failures */
    SEK_OUTCOME_LOCAL = 5,    /* Unbound's own local zones, auth zones or RPZ */
};
extern const struct sek_lookup sek_outcome_names[];

/* What the answer, if there was one that policy did not make, says of the name. */
enum sek_existence {
    SEK_EXISTENCE_UNKNOWN = 0, /* blocked, failed, or local data */
    SEK_EXISTENCE_EXISTS = 1,  /* NOERROR, with data of the type or without */
    SEK_EXISTENCE_ABSENT = 2,  /* NXDOMAIN */
};

/* A classifier's log likelihood ratio in hundredths, as events and rows have it. */
#define SEK_SCORE_UNKNOWN INT16_MIN /* the name was not scored */
static inline int16_t sek_score_of(float llr)
{
    return (int16_t)(llr < -300 ? -30000 : llr > 300 ? 30000 : llr * 100);
}

/* Addresses that an event carries at most. */
#define SEK_EVENT_ADDRS 12
#define SEK_EVENT_NS_ADDRS 4
#define SEK_EVENT_ADDRS_OCTETS ((SEK_EVENT_ADDRS + SEK_EVENT_NS_ADDRS) * sizeof(struct sek_addr))
/* Octets that names of name servers take at most: sets of 8 with names of 30, of 2 zones. */
#define SEK_EVENT_SERVERS_OCTETS 512

/* From `outcome` on the fields follow each other without a gap, so that what makes two hits the
 * same is one run of octets (SEK_EVENT_KEY_AT). Unused octets are never looked at. */
struct sek_event {
    uint16_t size;       /* octets of this record that are used: sek_event_size() */
    int16_t score;       /* sek_score_of(), or SEK_SCORE_UNKNOWN */
    uint32_t generation; /* low 32 bits; hits only */
    int64_t time_ms;     /* Unix time, milliseconds, UTC */
    /* Of an answer that policy did not make, all 0 without one. Only an answer that was resolved
     * for this query has octets and addresses; one from the cache has a life time only, and
     * addresses where somebody tracks the name (sek_worker_tracks). */
    uint32_t ttl_s;         /* how long the asker may still keep it: the lowest TTL */
    uint16_t answer_octets; /* record data of the answer section without addresses and signatures */
    /* A server of the name's zone is of a sinkhole: its number in watch/sinkhole_list.h; 0: none
     * is, or nobody looked, as for one from the cache. */
    uint16_t sunk_server;
    uint8_t n_addrs;         /* A and AAAA of the answer section, SEK_EVENT_ADDRS at most */
    uint8_t n_ns_addrs;      /* of the zone's name servers, SEK_EVENT_NS_ADDRS at most */
    uint8_t existence;       /* enum sek_existence */
    uint8_t domain_labels;   /* from the left, to be removed to reach the registered domain: for
                              * those behind the collector, which fills it in */
    uint16_t servers_octets; /* of the names of name servers: sek_event_server */
    bool repeat : 1;         /* likewise: not the first of its endpoint, domain and minute */
    bool unjudged : 1;       /* CACHED, and policy is to be asked by who takes it from the ring */
    bool quiet : 1;          /* a hit that is counted, but goes nowhere (enum sek_log) */
    bool cached : 1;         /* answered from the cache, also where that made a hit */
    uint8_t outcome;         /* enum sek_outcome */
    uint8_t action, would;   /* enum sek_action; hits only, as are all up to `depth`, and `list` */
    uint8_t trigger;         /* enum sek_trigger */
    uint8_t monitor;
    uint8_t scope;
    uint8_t depth;       /* labels between the matched name and the rule's owner name */
    uint8_t name_len;    /* octets of the question's name */
    uint8_t matched_len; /* octets of the matched name; 0 = the question's */
    uint16_t qtype;
    uint16_t list;
    uint8_t owner_len; /* of the rule's owner name, where the matched one does not end in it */
    struct sek_addr endpoint;
    /* question (wire, lower case), matched name (of an address policy/about.h's), owner name,
     * addresses (sek_event_addrs), name servers */
    uint8_t names[3 * SEK_NAME_MAX + SEK_EVENT_ADDRS_OCTETS + SEK_EVENT_SERVERS_OCTETS];
};
#define SEK_EVENT_KEY_AT offsetof(struct sek_event, outcome)
/* Octets of its names. */
static inline size_t sek_event_names_len(const struct sek_event *e)
{
    return (size_t)e->name_len + e->matched_len + e->owner_len;
}
/* Octets of what makes two hits the same. */
static inline size_t sek_event_key_len(const struct sek_event *e)
{
    return offsetof(struct sek_event, names) - SEK_EVENT_KEY_AT + sek_event_names_len(e);
}

/* Largest event, and the size that an event with these octets in all behind its fields has (a
 * multiple of 8). */
#define SEK_EVENT_MAX sizeof(struct sek_event)
static inline uint16_t sek_event_size(size_t names_len, size_t more)
{
    return (uint16_t)((offsetof(struct sek_event, names) + names_len + more + 7) & ~(size_t)7);
}

/* The answer's addresses, then those of name servers. */
static inline const struct sek_addr *sek_event_addrs(const struct sek_event *e)
{
    return (const struct sek_addr *)(e->names + sek_event_names_len(e));
}
/* Add one to an event whose names and size are set: of the answer, then of name servers, in this
 * order. What is too much is left out. */
void sek_event_add_addr(struct sek_event *e, const struct sek_addr *addr);
void sek_event_add_ns_addr(struct sek_event *e, const struct sek_addr *addr);

/* Add a name server of a zone above the question, or of the question itself, behind all addresses.
 * zone_labels: from the question's left, to be removed to reach the zone. What is too much is left
 * out. */
void sek_event_add_server(struct sek_event *e, uint8_t zone_labels, const struct sek_name *server);
/* The one at `at` (0: the first): where the next one is, 0 when there is none at `at`. Out is
 * borrowed from the event. */
size_t sek_event_server(const struct sek_event *e, size_t at, uint8_t *out_zone_labels,
                        const uint8_t **out_name, size_t *out_len);

/* Make it a hit of this verdict. The matched name, if it is another than the question's, is the
 * caller's to add. */
void sek_event_set_hit(struct sek_event *e, const struct sek_verdict *verdict);
/* The matched name of an event that has none yet, NULL: the question's; and the rule's owner name,
 * NULL: the one that verdict's depth leads to. Its addresses, if it has any, stay. */
void sek_event_set_matched(struct sek_event *e, const struct sek_name *matched,
                           const struct sek_name *owner);

/* A short id by which a user can name a hit to the help desk: the same for all queries that share a
 * row of events.db (endpoint, name, type, list, minute). Shown in the EDE text and stored with the
 * row. */
uint32_t sek_event_decision_id(const struct sek_addr *endpoint, const uint8_t *name,
                               size_t name_len, uint16_t qtype, uint16_t list, int64_t minute);
