/* SPDX-License-Identifier: BSD-3-Clause */
/* Settings: one YAML file into one struct, checked against the table in conf/options.c by the
 * module and by `sekisho check` alike. Unknown keys, wrong kinds and values out of range are errors
 * that name file, line, key and the allowed range. Immutable once loaded. */
#pragma once
#include "base/addr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/mode.h"
#include "base/role.h"
#include <stdbool.h>
#include <stdint.h>

#define SEK_CONF_PATH "/etc/sekisho/sekisho.yaml" /* when SEKISHO_CONF is not set */
#define SEK_CONF_TEXT_MAX 256
#define SEK_CONF_NAMES_MAX 1024     /* entries of a list */
#define SEK_CONF_FILE_MAX (1 << 20) /* octets of a file */

struct sek_conf_names {
    unsigned n;
    char **items; /* list notation: "corp.example", "=host.example" */
};

/* Of an endpoint's rate against its own baseline. */
struct sek_conf_rate {
    int mode;             /* enum sek_mode; there is no domain to block */
    double z;             /* standard deviations above the mean, for a finding at least */
    double floor;         /* a lower rate is no finding: queries a minute, domains an hour */
    int64_t learn_s;      /* active time of the endpoint before it is judged */
    uint64_t n_endpoints; /* watched at the same time */
};

struct sek_conf {
    struct {
        char db[SEK_CONF_TEXT_MAX];        /* policy.db: what people want; the command writes it */
        char dir[SEK_CONF_TEXT_MAX];       /* folder of the compiled policy.img and policy.delta */
        struct sek_conf_names never_block; /* the company's own zones: no rule may cover them */
        bool strict;                       /* SERVFAIL without a policy instead of resolving */
        uint64_t shrink_percent;  /* an import may not shrink a list by more, unless forced */
        uint64_t garbage_percent; /* an import with more bad lines is refused, unless forced */
        uint64_t versions;        /* of each list, kept beside what it holds */
    } policy;
    struct {
        int64_t undo_s;       /* data for undo is kept so long */
        uint64_t undo_octets; /* at most, in all */
    } audit;
    struct {
        char user[SEK_CONF_TEXT_MAX]; /* fetches, when the command runs as root */
    } feeds;
    struct {
        int64_t lifetime_s, lifetime_max_s; /* of an exception */
        int64_t warn_s;                     /* before its end */
        int64_t unused_s;                   /* then it is for review */
        int four_eyes;                      /* enum sek_four_eyes */
        bool required;                      /* no exceptions by allow */
    } exceptions;
    char roles[SEK_N_ROLES][SEK_CONF_TEXT_MAX]; /* Unix groups, by enum sek_role; "": nobody */
    struct {
        struct sek_addr ipv4, ipv6; /* where sinkholed endpoints are sent */
        int64_t ttl_s;              /* TTL of every synthetic answer, and of its SOA */
        char soa_mname[SEK_CONF_TEXT_MAX], soa_rname[SEK_CONF_TEXT_MAX];
        bool ede;                        /* attach RFC 8914 Extended DNS Errors */
        char contact[SEK_CONF_TEXT_MAX]; /* "help desk 1234": put into the EDE text */
    } answer;
    struct {
        char db[SEK_CONF_TEXT_MAX]; /* events.db: what happened; the module's writer writes it */
        uint64_t ring_octets;       /* per worker, between resolver and collector */
        uint64_t memory_octets;     /* cap of what waits for the database */
        uint64_t flush_ms;          /* time between two commits, milliseconds */
        int64_t retention_s;        /* older rows are deleted */
        int64_t hits_s, traffic_s, findings_s; /* of these kinds, where that is less */
        uint64_t size_octets;                  /* the database is kept below this */
    } events;
    struct {
        char key[SEK_CONF_TEXT_MAX];    /* file of the key of pseudonyms */
        char groups[SEK_CONF_TEXT_MAX]; /* whose endpoints are shown by them; "all"; "": none */
    } privacy;
    struct {
        int mode;                      /* enum sek_mode, of single names that look machine-made */
        char model[SEK_CONF_TEXT_MAX]; /* "" = the installed one */
        double monitor_ratio, block_ratio; /* log likelihood ratios; 0 = the model's own */
    } classify;
    struct {
        int mode;                 /* enum sek_mode, of endpoints with series of such names */
        uint64_t names_per_alarm; /* benign names between two false alarms */
        int64_t fade_s;           /* evidence falls to 37 % in this time */
        uint64_t n_endpoints;     /* watched at the same time */
        int64_t lifetime_s;       /* of the block of a suspected command-and-control domain */
    } dga;
    struct {
        int mode;         /* enum sek_mode, of endpoints that ask for a domain by the clock */
        uint64_t samples; /* intervals before the first judgement */
        int64_t period_min_s;
        int64_t span_s;     /* how long it must have gone on */
        double regularity;  /* score from which on it is a finding, 0..1 */
        int64_t new_s;      /* how long after its first sight a domain counts */
        uint64_t n_pairs;   /* of endpoint and domain, watched at the same time */
        int64_t lifetime_s; /* of the block of the domain */
        struct sek_conf_names exclude;
    } beacon;
    struct {
        int mode;                   /* enum sek_mode, of data sent out in names */
        uint64_t minute, hour, day; /* octets of new information within it, for a finding */
        uint64_t n_pairs;           /* of endpoint and domain, watched at the same time */
        int64_t lifetime_s;         /* of the block of the domain */
        struct sek_conf_names exclude;
    } tunnel;
    struct {
        int mode;             /* enum sek_mode; there is no domain to block */
        uint64_t names;       /* distinct domains that do not exist, before a finding */
        int64_t fade_s;       /* evidence falls to 37 % in this time */
        uint64_t n_endpoints; /* watched at the same time */
    } nxburst;
    struct sek_conf_rate surge, newrate;
    struct {
        int mode;                     /* enum sek_mode; it never blocks by itself */
        char list[SEK_CONF_TEXT_MAX]; /* table of names; "" = the one that is built in */
        uint64_t queries;             /* for names of a kind, before a finding */
        int64_t silent_s;             /* without one of them a finding ends */
        uint64_t n_endpoints;         /* watched at the same time */
        int canary;                   /* enum sek_canary: what canary names are answered */
        struct sek_conf_names exclude;
    } bypass;
    struct {
        int mode;                     /* enum sek_mode, of domains that lead to a sinkhole */
        char list[SEK_CONF_TEXT_MAX]; /* table of sinkholes; "" = the one that is built in */
        int64_t silent_s;             /* without a question a finding ends */
        uint64_t n_endpoints;         /* with a domain each, watched at the same time */
        int64_t lifetime_s;           /* of the block of the domain */
        struct sek_conf_names exclude;
    } sinkholed;
    struct {
        int mode; /* enum sek_mode, of private addresses in answers for public names */
        struct sek_conf_names exclude;
    } rebinding;
    struct {
        int mode;                 /* enum sek_mode, of domains with ever new addresses */
        double score;             /* of Holz et al. */
        uint64_t asns, countries; /* at least */
        double entropy;           /* of the systems, bits */
        double turnover;          /* share of new addresses after the first ten, 0..1 */
        int64_t ttl_s;            /* mean, at most */
        int64_t window_s;         /* in which addresses count */
        int64_t new_s;            /* how long after its first sight a domain counts */
        uint64_t popular;         /* more endpoints: left out */
        uint64_t n_domains;       /* watched at the same time */
        int64_t lifetime_s;       /* of the block of the domain */
        struct sek_conf_names exclude;
    } fastflux;
    struct {
        int mode;           /* enum sek_mode, of new domains that are gone */
        int64_t new_s;      /* how long after its first sight a domain is watched */
        int64_t life_s;     /* it lived so long at most */
        int64_t ttl_s;      /* its lowest TTL, at most */
        int64_t silence_s;  /* after which a busy one is over */
        uint64_t visits;    /* of a busy one, at least */
        uint64_t n_domains; /* watched at the same time */
        int64_t lifetime_s; /* of the block of the domain */
        struct sek_conf_names exclude;
    } shortlived;
    struct {
        int mode;                      /* enum sek_mode, of new addresses of tracked names */
        struct sek_conf_names domains; /* list notation: which names; none: nothing is tracked */
        struct sek_conf_names exclude; /* … of these not */
        int64_t learn_s;               /* after a name's first answer: all addresses are its own */
        int report;                    /* enum sek_news, from which on it is a finding */
        uint64_t n_addresses;          /* of all names, remembered */
        int64_t retention_s;           /* an address not given for so long is forgotten */
        int64_t lifetime_s;            /* of the block of the name */
    } udr;
    struct {
        char file[SEK_CONF_TEXT_MAX]; /* history of domains; see sek_conf_domains_file */
        uint64_t memory_octets;       /* cap of that file, which is mapped into memory */
        int64_t retention_s;          /* a domain not asked for so long is forgotten */
        int64_t warm_up_s;            /* no domain is new before the history is so old */
        int64_t new_s;                /* how long a domain is newly observed */
        uint64_t rare;                /* most endpoints that ask for a rare domain */
    } domains;
    struct {
        bool keep;           /* the memory of answers: which addresses for which domains */
        int64_t retention_s; /* a day's answers are kept so long */
        uint64_t n_rows;     /* at most, of (day, domain, address) */
    } answers;
    struct {
        int mode;                      /* enum sek_nod_mode, of newly observed domains */
        int64_t hold_s;                /* mode hold: from the first query on */
        uint64_t popular;              /* more endpoints: never held; 0 = no such limit */
        struct sek_conf_names exclude; /* list notation: never held or recorded */
    } nod;
    struct {
        int64_t half_life_s;        /* evidence counts half after it */
        uint64_t alert, quarantine; /* scores of endpoints, 0..100 */
        bool automatic;             /* quarantine by that score */
    } risk;
    struct {
        char asn[SEK_CONF_TEXT_MAX], country[SEK_CONF_TEXT_MAX]; /* databases; "" = none */
    } geo;
    struct {
        char packets[SEK_CONF_TEXT_MAX]; /* pattern of files that the site keeps; "" = none */
    } incident;
    struct {
        char path[SEK_CONF_TEXT_MAX]; /* status page */
    } status;
    struct {
        char list[SEK_CONF_TEXT_MAX]; /* public suffix list; empty = the system's */
    } suffix;
};

/* Fill with defaults. */
enum sek_err sek_conf_init(struct sek_conf *conf, struct sek_diag *diag);
/* Defaults, then the file (symbolic links are followed). A missing file is SEK_E_NOTFOUND. On
 * failure *conf is empty (fini allowed). An empty file, and a group without settings, mean the
 * defaults. */
enum sek_err sek_conf_load(const char *path, struct sek_conf *conf, struct sek_diag *diag);
/* The same from memory; `label` stands for the file name in errors. */
enum sek_err sek_conf_parse(const char *text, size_t len, const char *label, struct sek_conf *conf,
                            struct sek_diag *diag);
void sek_conf_fini(struct sek_conf *conf);
/* Append the effective values as a YAML file that loads again; with_help adds each option's
 * comment: with the defaults this is the sample file. */
void sek_conf_print(const struct sek_conf *conf, bool with_help, struct sek_buf *out);
/* One value as text without quotes; a list has one entry a line. Returns SEK_E_NOTFOUND for an
 * unknown key. */
enum sek_err sek_conf_get(const struct sek_conf *conf, const char *key, struct sek_buf *out);
/* Where the history of domains is: domains.file, or "domains.seen" in the folder of events.db.
 * Returns out. */
#define SEK_CONF_PATH_MAX (SEK_CONF_TEXT_MAX + 16)
const char *sek_conf_domains_file(const struct sek_conf *conf, char out[SEK_CONF_PATH_MAX]);
/* Where the detectors keep what they remember: "detectors.state" in the folder of events.db.
 * Returns out. */
const char *sek_conf_detectors_file(const struct sek_conf *conf, char out[SEK_CONF_PATH_MAX]);
