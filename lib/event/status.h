/* SPDX-License-Identifier: BSD-3-Clause */
/* The status page: a small file that the module maps and updates and the command maps and reads. No
 * socket, no lock: numbers are relaxed atomics, the texts are guarded by a sequence counter. THE
 * counter table stands here. */
#pragma once
#include "base/err.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define SEK_STATUS_MAGIC 0x53454b5354415455ULL /* "SEKSTATU" */
#define SEK_STATUS_VERSION 4

/* id, name as shown, help */
#define SEK_COUNTERS(X)                                                                            \
    X(QUERIES, "queries", "queries seen from endpoints")                                           \
    X(CACHED, "cached", "of these answered from the cache")                                        \
    X(HITS, "hits", "queries that met a rule")                                                     \
    X(BLOCKED, "blocked", "of these blocked")                                                      \
    X(MONITORED, "monitored", "of these only recorded (monitor mode or action log)")               \
    X(FAILED, "failed", "queries that ended in SERVFAIL")                                          \
    X(LOCAL, "local", "answered by Unbound's own local data or RPZ")                               \
    X(SCORED, "scored", "names that the classifier judged")                                        \
    X(SUSPECT, "suspicious", "of these recorded or blocked as machine-made")                       \
    X(LEAKED, "leaked", "cache hits that policy would have blocked (must stay 0)")                 \
    X(PURGED, "purged", "cache entries removed after policy changes")                              \
    X(RING_DROPPED, "ring_dropped", "events lost because a ring was full")                         \
    X(TALLY_LOST_HITS, "lost_hits", "hits lost because the database was away too long")            \
    X(TALLY_LOST, "lost_traffic", "traffic counts lost for the same reason")                       \
    X(ROWS, "rows", "rows written to events.db")                                                   \
    X(DB_ERRORS, "db_errors", "failed commits to events.db")                                       \
    X(RELOADS, "policy_swaps", "policies put in force")                                            \
    X(POLICY_ERRORS, "policy_errors", "policies refused")                                          \
    X(UNOBSERVED, "unobserved", "events that the detectors had no time for")                       \
    X(FINDINGS, "findings", "findings stored, each once")                                          \
    X(FINDINGS_LOST, "lost_findings", "findings lost: the database was away too long, or refused") \
    X(FIRSTS_LOST, "lost_firsts", "domains of which it was not written down who asked first")      \
    X(ANSWERS_LOST, "lost_answers", "addresses missing in the memory of answers")                  \
    X(RESPONSES_LOST, "lost_responses", "answers of tracked names not remembered (udr.addresses)")

enum sek_counter {
#define X(id, name, help) SEK_COUNTER_##id,
    SEK_COUNTERS(X)
#undef X
        SEK_N_COUNTERS
};
struct sek_counter_info {
    const char *name, *help;
};
extern const struct sek_counter_info sek_counter_info[SEK_N_COUNTERS];

enum sek_part_state {
    SEK_PART_ABSENT = 0, /* not there: working without */
    SEK_PART_OK = 1,
    SEK_PART_FAILED = 2, /* last attempt failed; the previous one goes on where there is one */
};

struct sek_status_page {
    uint64_t magic;
    uint32_t version, size;
    uint64_t id;          /* random: one life of the module */
    _Atomic uint32_t seq; /* odd while the texts are being written */
    uint32_t pid;
    _Atomic uint32_t n_threads;
    _Atomic uint32_t policy_state, events_state; /* enum sek_part_state */
    _Atomic uint32_t strict;
    _Atomic int64_t started_ms, heartbeat_ms;
    _Atomic uint64_t generation;  /* of the policy mapped last */
    _Atomic uint64_t in_force;    /* generation that every thread uses and the cache obeys */
    _Atomic int64_t in_force_ms;  /* when that was reached */
    _Atomic uint64_t last_purged; /* cache entries that this change removed */
    _Atomic uint64_t n_names, n_lists;
    _Atomic uint64_t counter[SEK_N_COUNTERS];
    _Atomic uint32_t classifier_state, domains_state; /* enum sek_part_state */
    char policy_text[256], events_text[256];          /* last trouble, "" if none */
    char classifier_text[256], domains_text[256];
    char geo_text[256];
    char unbound[64]; /* version built for */
};

/* Writer: create the file, mode 0644, started_ms and heartbeat_ms now, all else zero. An old page
 * is replaced by rename, so that a reader of a dead process's page is not confused. */
enum sek_err sek_status_create(const char *path, struct sek_status_page **out,
                               struct sek_diag *diag);
/* Unmap; removes the file if it is still ours. NULL is fine. */
void sek_status_destroy(const char *path, struct sek_status_page *page);
/* Set one of the texts: which = policy_text, events_text or unbound of the page. Cut off when too
 * long. Any thread. */
void sek_status_set_text(struct sek_status_page *page, char *which, const char *text);

/* Reader: map read-only. NOTFOUND: no file; CORRUPT: not a page. The resolver is alive when
 * heartbeat_ms is younger than SEK_STATUS_DEAD_MS and pid exists. */
#define SEK_STATUS_DEAD_MS 3000
enum sek_err sek_status_open(const char *path, const struct sek_status_page **out,
                             struct sek_diag *diag);
void sek_status_close(const struct sek_status_page *page);
bool sek_status_alive(const struct sek_status_page *page, int64_t now_ms);
/* The same of the page at path; false when there is none. */
bool sek_status_lives(const char *path, int64_t now_ms);
/* A copy whose texts are whole (after 100 ms of waiting for a writer that died meanwhile: as they
 * are). */
void sek_status_read(const struct sek_status_page *page, struct sek_status_page *out);
