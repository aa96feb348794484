/* SPDX-License-Identifier: BSD-3-Clause */
/* Feeds in policy.db: where a list comes from, how often, and what came of it. A feed is a list and
 * has its name; removing the list removes it. Writing as in policydb.h: within a transaction. One
 * thread. */
#pragma once
#include "store/policydb.h"

#define SEK_FEED_REFRESH_S 3600          /* between two updates, where nothing else says so */
#define SEK_FEED_RETRY_S 900             /* after one that failed */
#define SEK_FEED_EXPIRE_S (7 * 86400)    /* without a good one, until the content counts as old */
#define SEK_FEED_SOA_MIN_S 60            /* a zone's own numbers are not taken below this */
#define SEK_FEED_SOA_MAX_S (366 * 86400) /* nor above */

enum sek_feed_kind { /* in the database: never renumber */
                     SEK_FEED_FILE = 1,
                     SEK_FEED_TRANSFER = 2, /* a zone from its primary */
                     SEK_FEED_COMMAND = 3,
                     SEK_FEED_INPUT = 4, /* nothing to fetch: it is handed in */
};
extern const struct sek_lookup sek_feed_kind_names[];

enum sek_feed_expiry { SEK_FEED_KEEP = 0, SEK_FEED_OPEN = 1 };
extern const struct sek_lookup sek_feed_expiry_names[];

enum sek_feed_outcome {                     /* in the database: never renumber */
                        SEK_FEED_NEVER = 0, /* not tried yet */
                        SEK_FEED_UPDATED = 1,
                        SEK_FEED_UNCHANGED = 2,
                        SEK_FEED_FAILED = 3,  /* it could not be fetched */
                        SEK_FEED_REFUSED = 4, /* it could, but is not plausible */
};
extern const struct sek_lookup sek_feed_outcome_names[];

struct sek_feed_row {
    struct sek_list_row list; /* list.id of a new one is the list's */
    enum sek_feed_kind kind;
    char source[4096]; /* path; primary[:port]; command with a newline between two words */
    char zone[1024];   /* TRANSFER */
    char tsig[1024];   /* NAME:ALGORITHM:FILE, or "" */
    char user[64];     /* COMMAND: whom it runs as; "" = as set */
    int format;        /* enum sek_format */
    int64_t refresh_s, retry_s, expire_s; /* 0: as the zone says, else the defaults above */
    int on_expiry;                        /* enum sek_feed_expiry */
    int64_t timeout_s;
    uint64_t max_octets;
    int64_t added_s;
    /* what came of it: */
    int outcome;                        /* enum sek_feed_outcome, of the last try */
    char error[480];                    /* of a try that failed: one line */
    int64_t tried_s, good_s, changed_s; /* last try, last good one, last change; 0 = never */
    int64_t serial;                     /* of the zone; -1 = none */
    uint64_t n_octets, n_added, n_removed, took_ms; /* of the last good one; rules */
    int64_t soa_refresh_s, soa_retry_s, soa_expire_s;
    int mode_before; /* enum sek_mode of the list before its expiry switched it off; -1 = it did not
                      */
    uint8_t digest[32]; /* SHA-256 of what was taken last; zeros: none */
};

/* row: all but the outcome. EXISTS: the list has a source already. */
enum sek_err sek_feed_add(struct sek_policydb *db, const struct sek_feed_row *row,
                          struct sek_diag *diag);
/* By its list's name. NOTFOUND. */
enum sek_err sek_feed_get(struct sek_policydb *db, const char *name, struct sek_feed_row *out,
                          struct sek_diag *diag);
/* Does one come from elsewhere than the other? */
bool sek_feed_is_elsewhere(const struct sek_feed_row *a, const struct sek_feed_row *b);
/* Another source or other settings: all but the outcome. What came of it stays, unless it comes
 * from elsewhere now: then it begins anew at now_s, as a feed that was never tried, but for
 * mode_before; its list stays as it is. Of another format it is read anew. NOTFOUND. */
enum sek_err sek_feed_set(struct sek_policydb *db, const struct sek_feed_row *row, int64_t now_s,
                          struct sek_diag *diag);
/* The list stays. NOTFOUND. */
enum sek_err sek_feed_remove(struct sek_policydb *db, uint16_t list, struct sek_diag *diag);
/* Store what came of it. */
enum sek_err sek_feed_note(struct sek_policydb *db, const struct sek_feed_row *row,
                           struct sek_diag *diag);
/* By name; no lock is held while fn has one. */
typedef bool sek_feed_fn(void *arg, const struct sek_feed_row *row); /* false stops */
enum sek_err sek_feeds(struct sek_policydb *db, sek_feed_fn *fn, void *arg, struct sek_diag *diag);

/* The zone of a TRANSFER as it was fetched last, to apply changes to. NOTFOUND: none yet. */
struct sek_buf;
enum sek_err sek_feed_zone_get(struct sek_policydb *db, uint16_t list, struct sek_buf *out,
                               struct sek_diag *diag);
enum sek_err sek_feed_zone_put(struct sek_policydb *db, uint16_t list, const char *text, size_t n,
                               struct sek_diag *diag);

/* The times in force: the row's own, else the zone's within bounds, else the defaults. */
int64_t sek_feed_refresh_s(const struct sek_feed_row *row);
int64_t sek_feed_retry_s(const struct sek_feed_row *row);
int64_t sek_feed_expire_s(const struct sek_feed_row *row);
/* When it is to be tried next; 0: now, also when its last try is yet to come, as the clock was set
 * back. INT64_MAX: never by itself. */
int64_t sek_feed_due_s(const struct sek_feed_row *row, int64_t now_s);
/* Since when its content counts as old, or will. */
int64_t sek_feed_expires_s(const struct sek_feed_row *row);
