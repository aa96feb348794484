/* SPDX-License-Identifier: BSD-3-Clause */
/* What few rules say besides what they match and what is done: the conditions under which they take
 * part (question types, endpoints, a first moment, hours of the week) and their manner (priority,
 * EDE, TTL, whether it is recorded, records to answer with). Each distinct set is once in a policy
 * image; a rule has its number, 0 for none, so that rules without cost nothing. Plain data, as
 * stored. Immutable: any thread. */
#pragma once
#include "base/addr.h"
#include "base/lookup.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEK_TERMS_MAX ((1U << 24) - 1) /* distinct ones in an image */
#define SEK_TERMS_TYPES_MAX 16
#define SEK_TERMS_WINDOWS_MAX 6
#define SEK_TERMS_EDE_TEXT_MAX 128 /* octets with terminator */
#define SEK_TERMS_TTL_MAX 604800   /* s; longer would outlive every correction */
#define SEK_TERMS_ENDPOINTS_MAX 128
#define SEK_TERMS_DATA_MAX 4096 /* octets of records, without names and TTLs */

/* Which of them are given. Stored: never renumber. */
enum {
    SEK_TERMS_TYPES = 1,
    SEK_TERMS_SCHEDULE = 2,
    SEK_TERMS_START = 4,
    SEK_TERMS_PRIORITY = 8,
    SEK_TERMS_EDE = 16,
    SEK_TERMS_EDE_TEXT = 32,
    SEK_TERMS_TTL = 64,
    SEK_TERMS_LOG = 128,
    SEK_TERMS_DATA = 256,
    SEK_TERMS_ENDPOINTS = 512,
};
/* Those that decide whether a rule takes part, and can say no to a question of today. */
#define SEK_TERMS_CONDITIONS                                                                       \
    (SEK_TERMS_TYPES | SEK_TERMS_SCHEDULE | SEK_TERMS_START | SEK_TERMS_ENDPOINTS)

enum sek_log {
    SEK_LOG_NORMAL = 0,
    SEK_LOG_NONE = 1, /* counted, but neither recorded nor looked at by detectors */
};
extern const struct sek_lookup sek_log_names[]; /* "normal" "none" */

/* Hours of the days of a week, by the clock on the wall: from <= minute < to, or over midnight into
 * the next day when to <= from. */
struct sek_hours {
    uint8_t days; /* bit 0 is Monday; the day it begins */
    uint8_t reserved;
    uint16_t from, to; /* minutes: 0..1439, 1..1440 */
};

struct sek_terms {
    uint16_t given;  /* SEK_TERMS_… */
    uint8_t all_but; /* the types are those for which it does not count */
    uint8_t n_types, n_windows;
    uint8_t log;  /* enum sek_log */
    uint16_t ede; /* RFC 8914 INFO-CODE */
    uint32_t ttl_s;
    int32_t priority; /* in place of its list's */
    int64_t start_s;  /* Unix time from which it counts */
    /* Where in the set's memory; 0: none. */
    uint32_t zone, ede_text, data;
    uint32_t n_data;                     /* octets */
    uint16_t types[SEK_TERMS_TYPES_MAX]; /* ascending */
    struct sek_hours windows[SEK_TERMS_WINDOWS_MAX];
    uint32_t endpoints; /* where; 0: none */
};

/* All of an image. */
struct sek_termset;

/* data: as sek_terms_write made it, aligned to 8 octets, borrowed until the free. CORRUPT when it
 * is not what that makes. */
enum sek_err sek_termset_read(const void *data, size_t size, struct sek_termset **out,
                              struct sek_diag *diag);
void sek_termset_free(struct sek_termset *set);
/* 0 for NULL. The numbers are 1..n. */
uint32_t sek_termset_n(const struct sek_termset *set);
/* NULL for 0 and for numbers that it does not have. Borrowed. */
const struct sek_terms *sek_termset_get(const struct sek_termset *set, uint32_t number);
/* "" for none. Borrowed. */
const char *sek_termset_ede_text(const struct sek_termset *set, const struct sek_terms *t);
/* Records to answer with (policy/records.h), and *out_n octets of them. NULL for none. Borrowed.
 */
const uint8_t *sek_termset_data(const struct sek_termset *set, const struct sek_terms *t,
                                size_t *out_n);

/* Do they hold for a question of this type? 0: for one of any type, which they do if there is a
 * type for which they do; all: only if they do for every type. ANY (RFC 8482) asks for every type:
 * it is like 0. */
bool sek_terms_hold_type(const struct sek_terms *t, uint16_t qtype, bool all);
/* Is it for this endpoint? Looked at where such a rule matches only: no sorted ranges, and as many
 * sets of endpoints as there are rules. True without such a condition. */
bool sek_termset_holds_for(const struct sek_termset *set, const struct sek_terms *t,
                           const struct sek_addr *endpoint);
/* By the schedule; true without one. No clock, no system call. */
bool sek_termset_holds_at(const struct sek_termset *set, const struct sek_terms *t, int64_t now_s);
/* The first moment > after_s at which start or schedule may change what the above says; 0: none. */
int64_t sek_termset_next(const struct sek_termset *set, const struct sek_terms *t, int64_t after_s);
/* The same over all of the set. */
int64_t sek_termset_next_any(const struct sek_termset *set, int64_t after_s);
/* Is there one with a condition? */
bool sek_termset_conditions(const struct sek_termset *set);
/* One that is for some endpoints? */
bool sek_termset_endpoints(const struct sek_termset *set);
