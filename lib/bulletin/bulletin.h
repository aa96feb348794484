/* SPDX-License-Identifier: BSD-3-Clause */
/* What a report says, as numbers: gathered once out of events.db, policy.db, the settings and the
 * status page, for every format and language (bulletin/paper.h). Plain data in one block. One
 * thread. */
#pragma once
#include "base/addr.h"
#include "base/when.h"
#include "conf/conf.h"
#include "event/finding.h"
#include "name/text.h"
#include "store/report_period.h"
#include "store/triage.h"

enum sek_bulletin_kind { SEK_BULLETIN_DAILY, SEK_BULLETIN_WEEKLY, SEK_BULLETIN_RANGE };
extern const struct sek_lookup sek_bulletin_kind_names[]; /* "daily" "weekly" "range" */

#define SEK_BULLETIN_TOP 10
#define SEK_BULLETIN_LABEL 520 /* octets of what a machine is called */
#define SEK_BULLETIN_DECIDERS 20
#define SEK_BULLETIN_JUDGED 20
#define SEK_BULLETIN_CHANGES 15
#define SEK_BULLETIN_VERBS 12
#define SEK_BULLETIN_BLIND 64
#define SEK_BULLETIN_STEPS 128
#define SEK_BULLETIN_STATES 10
#define SEK_BULLETIN_N_DETECTORS (SEK_DETECTOR_SINKHOLED + 1)

struct sek_bulletin_total {
    struct sek_period_total sums;
    uint64_t n_findings, n_new_domains;
};

/* An endpoint, domain, or what decided. */
struct sek_bulletin_top {
    char key[SEK_NAME_TEXT_MAX];
    char label[SEK_BULLETIN_LABEL]; /* of an endpoint: the machine's name or MAC, and owner; "" not
                                       known */
    uint64_t hits, blocked, monitored, n_partners;
    uint64_t before; /* hits in the period before, of what decides */
    int64_t last_ms;
    enum sek_triage_state triage; /* of a domain */
    char who[64];                 /* who set it */
};

struct sek_bulletin_detector {
    enum sek_mode mode;
    uint64_t n, n_before, n_blocked; /* findings; with a block */
    uint64_t n_judged, n_false;      /* dismissed, or triaged; of these false alarms */
};

struct sek_bulletin_finding {
    int64_t id, last_ms;
    enum sek_detector detector;
    char endpoint[SEK_ADDR_TEXT_MAX], domain[SEK_NAME_TEXT_MAX], label[SEK_BULLETIN_LABEL];
    double confidence;
    bool blocked, dismissed;
};

struct sek_bulletin_new {
    char domain[SEK_NAME_TEXT_MAX], endpoint[SEK_ADDR_TEXT_MAX];
    int64_t first_ms;
    uint64_t queries;
};

/* How often people called it a false alarm what a list or detector hit. */
struct sek_bulletin_judged {
    char key[SEK_LIST_NAME_MAX];
    uint64_t n_judged, n_false; /* cases with a final state, false positives among them */
};

/* Exceptions in one state. */
struct sek_bulletin_exceptions {
    const char *state; /* word; static */
    uint64_t n;
    int64_t oldest_s; /* when the oldest was asked for */
};

struct sek_bulletin_change {
    int64_t number, time_ms;
    char user[64], verb[64], object[512], reason[256];
};
struct sek_bulletin_verb {
    char verb[64];
    uint64_t n;
};

/* Where the report, or the resolver, does not see. */
enum sek_blind {
    SEK_BLIND_EMERGENCY, /* n emergency exceptions that nobody reviewed; what: the latest one's rule
                          */
    SEK_BLIND_DOWN,      /* the resolver does not run */
    SEK_BLIND_DROPPED,   /* n events lost since it started, at from_s */
    SEK_BLIND_UNOBSERVED, /* n events that detectors had no time for */
    SEK_BLIND_LEAKED,     /* n answers of the cache that policy would have blocked */
    SEK_BLIND_POLICY,     /* what is the matter with policy.db, which could not be read */
    SEK_BLIND_BEGINS,     /* nothing is recorded before from_s, which lies in the period */
    SEK_BLIND_EMPTY,      /* no queries at all */
    SEK_BLIND_GAP,        /* no query from from_s to until_s */
    SEK_BLIND_GAPS,       /* n gaps of until_s seconds in all: there are more than are named */
    SEK_BLIND_FEED_EXPIRED,
    SEK_BLIND_FEED_FAILING,
    SEK_BLIND_DETECTOR_OFF,     /* what: names of detectors, with a blank between two */
    SEK_BLIND_DETECTOR_MONITOR, /* n: their findings */
    SEK_BLIND_LIST_OFF,
    SEK_BLIND_LIST_MONITOR, /* n hits of it were let through */
    SEK_N_BLIND
};
struct sek_bulletin_blind {
    enum sek_blind kind;
    bool serious; /* something is lost or stale: not only a choice of the settings */
    uint64_t n;
    int64_t from_s, until_s;
    char what[512];
};

struct sek_bulletin {
    enum sek_bulletin_kind kind;
    int64_t since_s, until_s;
    int64_t before_s, before_until_s; /* what it is compared with: the day or week before, up to the
                                       * same time; both the same: nothing */
    int64_t made_s, step_s;
    const struct sek_zone *zone; /* of days; times are given in UTC */
    bool has_before;             /* something was recorded then */
    bool policy_closed; /* policy.db cannot be read: triage, changes, exceptions, feeds miss */
    struct sek_bulletin_total now, before;
    size_t n_steps;
    struct sek_period_step steps[SEK_BULLETIN_STEPS];
    uint64_t steps_before[SEK_BULLETIN_STEPS]; /* hits of the period before, in the same steps */
    unsigned n_endpoints, n_domains, n_deciders, n_findings, n_new, n_judged;
    struct sek_bulletin_top endpoints[SEK_BULLETIN_TOP], domains[SEK_BULLETIN_TOP];
    struct sek_bulletin_top deciders[SEK_BULLETIN_DECIDERS];
    struct sek_bulletin_detector detectors[SEK_BULLETIN_N_DETECTORS]; /* by enum sek_detector */
    struct sek_bulletin_finding findings[SEK_BULLETIN_TOP];           /* latest first */
    struct sek_bulletin_new news[SEK_BULLETIN_TOP];
    struct sek_bulletin_judged judged[SEK_BULLETIN_JUDGED];
    uint64_t triage[SEK_TRIAGE_CLOSED + 1]; /* rows in each state */
    unsigned n_exceptions;
    struct sek_bulletin_exceptions exceptions[SEK_BULLETIN_STATES];
    uint64_t n_changes;
    unsigned n_changes_kept, n_verbs;
    struct sek_bulletin_change changes[SEK_BULLETIN_CHANGES]; /* latest first */
    struct sek_bulletin_verb verbs[SEK_BULLETIN_VERBS];       /* most first */
    unsigned n_blind;
    struct sek_bulletin_blind blind[SEK_BULLETIN_BLIND]; /* serious ones first */
};

struct sek_bulletin_ask {
    const struct sek_conf *conf;
    struct sek_report *report;   /* events.db */
    struct sek_policydb *policy; /* NULL: there is none, or it cannot be read */
    const struct sek_diag *why;  /* then why; code SEK_OK or NOTFOUND: there is none */
    enum sek_bulletin_kind kind;
    int64_t since_s, until_s, now_s;
    const struct sek_zone *zone; /* of days; NULL: UTC */
};
/* since < until. *out: free(). */
enum sek_err sek_bulletin_gather(const struct sek_bulletin_ask *ask, struct sek_bulletin **out,
                                 struct sek_diag *diag);
