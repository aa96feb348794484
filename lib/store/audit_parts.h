/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files behind audit.h share; nobody else includes this. One thread. */
#pragma once
#include "base/hash.h"
#include "store/audit.h"
#include "store/journal.h"
#include "store/policydb_parts.h"
#include "store/rowsums.h"

extern const char sek__audit_genesis[SEK_AUDIT_HASH_MAX]; /* 64 zeros */

#define SEK_AUDIT_COLUMNS                                                                          \
    "number, time_ms, uid, user, origin, command, verb, object, before, after, reason, undoes,"    \
    " n_changes, changes, previous, hash, state"
#define SEK_AUDIT_N_COLUMNS 17

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
    SEK_AUDIT_STATE,
};

/* The hash of a row, of its columns as SQLite has them: every octet counts, also behind a NUL. */
enum sek_err sek__audit_hash(sqlite3_stmt *stmt, char out[SEK_AUDIT_HASH_MAX],
                             struct sek_diag *diag);
/* A text as the trail keeps it: valid UTF-8, of a length that somebody reads. */
void sek__audit_clean(const char *text, struct sek_buf *out);
/* The text by which a row is bound to what the tables hold: the SHA-256 of the number of rows in 8
 * octets and of their sum in 64, the highest octet first. */
enum sek_err sek__audit_state_text(const struct sek__rowsum *total, char out[SEK_AUDIT_HASH_MAX],
                                   struct sek_diag *diag);
/* That of the last row that has one, and its number; 0: none has. */
enum sek_err sek__audit_state_last(struct sek_policydb *db, int64_t *out_number,
                                   char out[SEK_AUDIT_HASH_MAX], struct sek_diag *diag);
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

/* Bind cells from ?1 on, with copies: what another statement gave lies in a page that may be about
 * to change. */
void sek__audit_bind(sqlite3_stmt *stmt, const struct sek__cell *row, unsigned n);
/* All columns of a table's rows, by the first n_key of them; 0: all rows. */
enum sek_err sek__audit_select(struct sek_policydb *db, const struct sek__journal_table *t,
                               unsigned n_key, sqlite3_stmt **out, struct sek_diag *diag);
void sek__audit_cells(sqlite3_stmt *stmt, const struct sek__journal_table *t,
                      struct sek__cell *out);
/* The row of a key as it is now; out borrows from the getters until the next call for the table. */
struct sek__row_getters {
    sqlite3_stmt *get[SEK_JOURNAL_TABLES]; /* prepared at first use */
};
enum sek_err sek__audit_row_now(struct sek_policydb *db, struct sek__row_getters *g,
                                const struct sek__journal_table *t, const struct sek__cell *key,
                                struct sek__cell *out, bool *out_there, struct sek_diag *diag);
void sek__audit_getters_fini(struct sek__row_getters *g);
/* The names of the lists and groups there are. NOMEM. */
enum sek_err sek__audit_names_now(struct sek_policydb *db, struct sek__list_names **names,
                                  struct sek_diag *diag);
/* A row by the first n_key of its columns, in 64 bits; never 0. */
uint64_t sek__audit_object(const struct sek_hash_key *hash, const struct sek__journal_table *t,
                           const struct sek__cell *row, unsigned n_key);
/* " was changed outside of the command: mode is off, row 12 left block". */
void sek__audit_differs(const struct sek__journal_table *t, const struct sek__cell *now,
                        const struct sek__cell *left, int64_t number, struct sek_buf *out);

/* Hold what the tables hold against the sums that the last change left (store/rowsums.h), and find
 * the rows that something else changed. told: the numbers of exceptions that are told already, as
 * int64_t. */
enum sek_err sek__audit_check_tables(struct sek_policydb *db, const struct sek_buf *told,
                                     sek_audit_problem_fn *fn, void *arg, struct sek_diag *diag);

/* The row that took this one back, and is not taken back itself; 0: none. */
enum sek_err sek__audit_undone_by(struct sek_policydb *db, int64_t number, int64_t *out,
                                  struct sek_diag *diag);

/* What a list of changes is about, in words: an object, and what is said of it before and after;
 * several changes of one row are one. At most SEK_AUDIT_TOLD things one by one. */
#define SEK_AUDIT_TOLD 20
enum sek_err sek__audit_tell(const struct sek__journal_sum *sum, struct sek_buf *object,
                             struct sek_buf *before, struct sek_buf *after, struct sek_diag *diag);
