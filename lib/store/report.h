/* SPDX-License-Identifier: BSD-3-Clause */
/* Read-only questions to events.db: one function a report, rows by callback (false stops). Readers
 * never checkpoint and hold no transaction while the caller prints for long. One thread. */
#pragma once
#include "base/addr.h"
#include "event/dismissed.h"
#include "verdict/dynamic.h"

struct sek_report;

enum sek_err sek_report_open(const char *path, struct sek_report **out, struct sek_diag *diag);
void sek_report_close(struct sek_report *r);
/* Many questions in a row at a fraction of their price: they see one state. Release soon, as the
 * writer's log grows meanwhile. Failing is no harm: each question goes by itself then. */
void sek_report_hold(struct sek_report *r);
void sek_report_release(struct sek_report *r);

/* Filters name an endpoint by its address, or by spans: the addresses that a machine had, each with
 * its time, as sek_report_add_span writes them. What happened counts by the time of its last query.
 */
struct sek_buf;
/* Append [address, from_s, until_s) to a list of spans; the last call is sek_report_end_spans. */
void sek_report_add_span(struct sek_buf *spans, const char *address, int64_t from_s,
                         int64_t until_s);
void sek_report_end_spans(struct sek_buf *spans);

/* How groups of hits are ordered. */
enum sek_group_sort {
    SEK_SORT_DEFAULT = 0, /* most hits first; hours and days: newest first */
    SEK_SORT_COUNT,       /* this and the next three: most first */
    SEK_SORT_BLOCKED,
    SEK_SORT_ENDPOINTS,
    SEK_SORT_NAMES,
    SEK_SORT_FIRST, /* by first or last hit, newest first */
    SEK_SORT_LAST,
    SEK_SORT_KEY, /* A to Z */
};
struct sek_group_order {
    enum sek_group_sort sort;
    bool reverse;
};

/* Filters: zero or NULL fields do not filter. Times in Unix seconds, [since, until). */
struct sek_hit_filter {
    int64_t since_s, until_s;
    const char *endpoint;          /* an address or spans; INVALID if it is neither */
    const struct sek_net *net;     /* endpoints in it; or, members not NULL, in one of them */
    const struct sek_net *members; /* n_members 0: none */
    size_t n_members;
    const char *name;     /* list notation: "n" at or below, "*.n" below, "=n" exactly */
    const char *list;     /* or, for hits without one, what decided: "classifier", "finding" */
    const char *rule;     /* the rule that was met, in list notation */
    const char *by;       /* the word of SEK_GROUP_DETECTOR; INVALID if it is none */
    int action;           /* what was done: enum sek_action, 0 = any */
    int qtype;            /* 0 = any */
    const char *decision; /* 8 hex digits of a decision id */
    bool monitor_only, blocked_only; /* only recorded, by whatever; and the others */
    int64_t after_id;                /* rows with a greater id only: for tail */
    bool oldest_first;               /* of rows */
    struct sek_group_order order;    /* of groups */
    unsigned limit;                  /* 0 = no limit */
};

struct sek_hit {
    int64_t id;
    int64_t first_ms, last_ms;
    uint64_t count;
    const char *endpoint, *name;
    const char *rule;    /* in list notation */
    const char *matched; /* what it met: the name or another on the way, the address or server of
                          * the answer */
    const char *domain;  /* registered domain of the name */
    const char *list; /* of a hit without one: the word of its trigger, when that decided alone */
    int qtype, action, would, trigger; /* done, and what the rule asks for: enum sek_action */
    bool monitor;
    int16_t score; /* sek_score_of(), or SEK_SCORE_UNKNOWN */
    uint32_t decision;
    uint64_t generation;
};
typedef bool sek_hit_fn(void *arg, const struct sek_hit *hit);
/* newest first, unless after_id or oldest_first is set. */
enum sek_err sek_report_hits(struct sek_report *r, const struct sek_hit_filter *f, sek_hit_fn *fn,
                             void *arg, struct sek_diag *diag);

enum sek_group {
    SEK_GROUP_ENDPOINT = 1,
    SEK_GROUP_NAME = 2, /* the question's name */
    SEK_GROUP_LIST = 3,
    SEK_GROUP_DOMAIN = 4,   /* registered domain */
    SEK_GROUP_RULE = 5,     /* list notation; without a rule what decided */
    SEK_GROUP_DETECTOR = 6, /* "list", or the word of the trigger; of a finding its detector's */
    SEK_GROUP_HOUR = 7,     /* begin of the hour, or of the day, UTC */
    SEK_GROUP_DAY = 8,
    SEK_GROUP_CASE = 9, /* registered domain and endpoint */
};
struct sek_hit_group {
    const char *key;
    const char *endpoint; /* of SEK_GROUP_CASE, whose key is the domain; else NULL */
    uint64_t count, n_endpoints, n_names;
    int64_t first_ms, last_ms;
    uint64_t blocked, monitored;
};
typedef bool sek_hit_group_fn(void *arg, const struct sek_hit_group *g);
/* No transaction is open while fn runs. */
enum sek_err sek_report_hit_groups(struct sek_report *r, const struct sek_hit_filter *f,
                                   enum sek_group by, sek_hit_group_fn *fn, void *arg,
                                   struct sek_diag *diag);

/* Findings. A time filter takes those that lasted into [since, until). */
struct sek_finding_filter {
    int64_t id; /* 0 = any */
    int64_t since_s, until_s;
    const char *endpoint; /* an address or spans; INVALID if it is neither */
    const char *domain;   /* list notation, as struct sek_hit_filter's name; findings without a
                           * domain match none */
    int detector;         /* enum sek_detector, 0 = any */
    int64_t blocked_at_s; /* only those whose block runs then; 0 = any */
    bool by_change;       /* those whose change > after_change, in the order of that */
    int64_t after_change;
    const char *const
        *members; /* of the evidence, to be read out: JSON paths ("$.kind"); borrowed */
    unsigned n_members;
    unsigned limit; /* 0 = no limit */
};

struct sek_finding_row {
    int64_t id, start_ms, end_ms;
    int64_t change;     /* number of its last renewal: grows over all findings */
    int detector, mode; /* enum sek_detector, sek_mode */
    double confidence;
    int64_t blocked_until_s;                   /* 0: not blocked */
    const char *endpoint, *domain, *technique; /* domain "": none stands out */
    const char *evidence;                      /* a JSON object, on one line */
    const char *const *members; /* as asked: NULL where there is none; the members of an array with
                                 * a blank between two */
};
typedef bool sek_finding_fn(void *arg, const struct sek_finding_row *row);
/* By their end, newest first, unless by_change is set. */
enum sek_err sek_report_findings(struct sek_report *r, const struct sek_finding_filter *f,
                                 sek_finding_fn *fn, void *arg, struct sek_diag *diag);

/* Each domain that a finding blocks at now_s, once, with the latest end of its block and the
 * detector of that. Findings that were dismissed block nothing (NULL: none was). The name is
 * borrowed during the call. */
typedef bool sek_blocked_domain_fn(void *arg, enum sek_detector by, const struct sek_name *domain,
                                   int64_t blocked_until_s);
enum sek_err sek_report_blocked_domains(struct sek_report *r, int64_t now_s,
                                        const struct sek_dismissed *dismissed,
                                        sek_blocked_domain_fn *fn, void *arg,
                                        struct sek_diag *diag);
/* The same as the set that the engine asks; path: events.db. NOTFOUND when there is no database. */
enum sek_err sek_report_dynamic(const char *path, int64_t now_s,
                                const struct sek_dismissed *dismissed, struct sek_dynamic **out,
                                struct sek_diag *diag);

/* Queries that met no rule are counted by the minute, which then stands for their time: its begin.
 * They are stored once a minute, hits within seconds: those that wait for no count are in it. */
struct sek_traffic_row {
    const char *key; /* endpoint, domain or minute as text */
    int64_t first_ms, last_ms;
    uint64_t queries, cached, passed, nxdomain, failed, local, hits;
    uint64_t let_through; /* hits that were only recorded; known of one endpoint, or one domain */
    uint64_t n_endpoints, n_domains;
};
typedef bool sek_traffic_fn(void *arg, const struct sek_traffic_row *row);
enum sek_traffic_by {
    SEK_TRAFFIC_TOTAL = 0,
    SEK_TRAFFIC_ENDPOINT = 1,
    SEK_TRAFFIC_DOMAIN = 2,
    SEK_TRAFFIC_MINUTE = 3,
};
/* by count, most first (minutes: newest first). endpoint (an address or spans) and domain NULL =
 * all. */
enum sek_err sek_report_traffic(struct sek_report *r, int64_t since_s, int64_t until_s,
                                const char *endpoint, const char *domain, enum sek_traffic_by by,
                                unsigned limit, sek_traffic_fn *fn, void *arg,
                                struct sek_diag *diag);

struct sek_eventsdb_facts {
    uint64_t size_octets, n_hit_rows, n_traffic_rows;
    int64_t oldest_ms, newest_ms;
};
enum sek_err sek_report_facts(struct sek_report *r, struct sek_eventsdb_facts *out,
                              struct sek_diag *diag);
