/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files behind audit.h share; nobody else includes this. One thread. */
#pragma once
#include "store/audit.h"
#include "store/journal.h"
#include "store/policydb_parts.h"

extern const char sek__audit_genesis[SEK_AUDIT_HASH_MAX]; /* 64 zeros */

#define SEK_AUDIT_COLUMNS                                                                          \
    "number, time_ms, uid, user, origin, command, verb, object, before, after, reason, undoes,"    \
    " n_changes, changes, previous, hash"
#define SEK_AUDIT_N_COLUMNS 16

/* Where a column stands in SEK_AUDIT_COLUMNS. */
enum {
    SEK_AUDIT_NUMBER,
    SEK_AUDIT_TIME,
    SEK_AUDIT_UID,
    SEK_AUDIT_USER,
    SEK_AUDIT_ORIGIN,
    SEK_AUDIT_COMMAND,
    SEK_AUDIT_VERB,
    SEK_AUDIT_OBJECT,
    SEK_AUDIT_BEFORE,
    SEK_AUDIT_AFTER,
    SEK_AUDIT_REASON,
    SEK_AUDIT_UNDOES,
    SEK_AUDIT_N_CHANGES,
    SEK_AUDIT_CHANGES,
    SEK_AUDIT_PREVIOUS,
    SEK_AUDIT_HASH,
};

/* The hash of a row, of its columns as SQLite has them: every octet counts, also behind a NUL. */
enum sek_err sek__audit_hash(sqlite3_stmt *stmt, char out[SEK_AUDIT_HASH_MAX],
                             struct sek_diag *diag);
/* A text as the trail keeps it: valid UTF-8, of a length that somebody reads. */
void sek__audit_clean(const char *text, struct sek_buf *out);
/* Octets in hexadecimal. */
void sek__audit_hex(const uint8_t *octets, size_t n, char *out);

/* The parts of a row's data, in order; fn: any code but SEK_OK ends it and is returned. *out_n:
 * parts seen. */
typedef enum sek_err sek__part_fn(void *arg, const uint8_t *part, size_t len,
                                  struct sek_diag *diag);
enum sek_err sek__audit_parts(struct sek_policydb *db, int64_t number, bool backward,
                              sek__part_fn *fn, void *arg, unsigned *out_n, struct sek_diag *diag);
/* The digest of a row's data, and how many parts there are. */
enum sek_err sek__audit_digest(struct sek_policydb *db, int64_t number,
                               char out[SEK_AUDIT_HASH_MAX], unsigned *out_n,
                               struct sek_diag *diag);

/* The row that took this one back, and is not taken back itself; 0: none. */
enum sek_err sek__audit_undone_by(struct sek_policydb *db, int64_t number, int64_t *out,
                                  struct sek_diag *diag);

/* What a list of changes is about, in words: an object, and what is said of it before and after;
 * several changes of one row are one. At most SEK_AUDIT_TOLD things one by one. */
#define SEK_AUDIT_TOLD 20
enum sek_err sek__audit_tell(const struct sek__journal_sum *sum, struct sek_buf *object,
                             struct sek_buf *before, struct sek_buf *after, struct sek_diag *diag);
