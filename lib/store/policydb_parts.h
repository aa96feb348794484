/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files behind policydb.h share; nobody else includes this. One thread. */
#pragma once
#include "store/journal.h"
#include "base/buf.h"
#include "store/namekey.h"
#include "store/policydb.h"
#include "store/sql.h"

/* A delta holds every name changed since the image was built, and is made anew with every change.
 * Past so many (2 % of all entries, within these) the next compilation makes a new image instead.
 * That takes long for millions of names, and whoever blocks one of them now must not wait for it:
 * changes of few names leave it to one of more, up to twice as many. */
#define SEK_DIRTY_MIN 20000
#define SEK_DIRTY_MAX 50000
#define SEK_DIRTY_FEW 1000

/* Inserting sorted rows 16 at a time takes half the time of one by one. */
#define SEK_POLICY_INSERT                                                                          \
    "INSERT INTO entry (list, created_s, who, name, scope, action, expires_s, comment, terms)"     \
    " VALUES "
#define SEK_POLICY_VALUES "(?1, ?2, ?3, ?, ?, ?, 0, '', ?)"
#define SEK_POLICY_VALUES_4                                                                        \
    SEK_POLICY_VALUES "," SEK_POLICY_VALUES "," SEK_POLICY_VALUES "," SEK_POLICY_VALUES
#define SEK_POLICY_VALUES_16                                                                       \
    SEK_POLICY_VALUES_4 "," SEK_POLICY_VALUES_4 "," SEK_POLICY_VALUES_4 "," SEK_POLICY_VALUES_4
#define SEK_POLICY_N_VALUES 16

/* THE statements that are kept prepared: id, text. */
#define SEK_POLICY_SQL(X)                                                                          \
    X(STATE, "SELECT generation, image_id, full_due FROM state")                                   \
    X(DIRTY_COUNT, "SELECT count(*) FROM dirty")                                                   \
    X(DIRTY_UPDATE, "UPDATE dirty SET generation = ?2 WHERE name = ?1")                            \
    X(DIRTY_INSERT, "INSERT INTO dirty (name, generation) VALUES (?1, ?2)")                        \
    X(DIRTY_CLEAR, "DELETE FROM dirty WHERE generation <= ?1")                                     \
    X(RAISE, "UPDATE state SET generation = ?1, full_due = ?2")                                    \
    X(BUILT, "UPDATE state SET image_id = ?1,"                                                     \
             " full_due = CASE WHEN full_due <= ?2 THEN 0 ELSE full_due END")                      \
    X(OUTDO, "UPDATE state SET generation = max(generation, ?1)")                                  \
    X(TOTAL, "SELECT total(n_entries) FROM list")                                                  \
    X(LIST_COUNT, "UPDATE list SET n_entries = n_entries + ?2 WHERE id = ?1")                      \
    X(ENTRY_GET, "SELECT action, expires_s, terms FROM entry WHERE list = ?1 AND name = ?2"        \
                 " AND scope = ?3")                                                                \
    X(ENTRY_PUT, "INSERT OR REPLACE INTO entry (list, name, scope, action, expires_s, created_s,"  \
                 " who, comment, terms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")              \
    X(ENTRY_SAY, "UPDATE entry SET created_s = ?6, who = ?7, comment = ?8 WHERE list = ?1"         \
                 " AND name = ?2 AND scope = ?3 AND comment <> ?8")                                \
    X(ENTRY_INSERT, SEK_POLICY_INSERT SEK_POLICY_VALUES)                                           \
    X(ENTRY_INSERTS, SEK_POLICY_INSERT SEK_POLICY_VALUES_16)                                       \
    X(ENTRY_SET,                                                                                   \
      "UPDATE entry SET action = ?4, expires_s = 0, terms = ?5 WHERE list = ?1 AND name = ?2"      \
      " AND scope = ?3")                                                                           \
    X(ENTRY_DELETE, "DELETE FROM entry WHERE list = ?1 AND name = ?2 AND scope = ?3")              \
    X(SPAN_BEFORE,                                                                                 \
      "SELECT from_s, until_s, ended, mac, name, owner, grp, seen_s FROM endpoint_span"            \
      " WHERE subject = ?1 AND from_s <= ?2 ORDER BY from_s DESC LIMIT 1")                         \
    X(SPAN_NEXT, "SELECT min(from_s) FROM endpoint_span WHERE subject = ?1 AND from_s > ?2")       \
    X(SPAN_ADD, "INSERT INTO endpoint_span (subject, from_s, until_s, ended, mac, name, owner,"    \
                " grp, import, seen_s) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")          \
    X(SPAN_SET,                                                                                    \
      "UPDATE endpoint_span SET until_s = ?3, ended = ?4, mac = ?5, name = ?6,"                    \
      " owner = ?7, grp = ?8, import = ?9, seen_s = ?10 WHERE subject = ?1 AND from_s = ?2")

enum sek_policy_sql {
#define X(id, text) SEK_POLICY_SQL_##id,
    SEK_POLICY_SQL(X)
#undef X
        SEK_N_POLICY_SQL
};

/* What refuses to change the audit trail, as the database keeps it: audit_verify.c looks for it. */
#define SEK_AUDIT_NO_UPDATE                                                                        \
    "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN"                                  \
    " SELECT RAISE(ABORT, 'the audit trail only grows: rows stay as they are'); END"
#define SEK_AUDIT_NO_DELETE                                                                        \
    "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN"                                  \
    " SELECT RAISE(ABORT, 'the audit trail only grows: rows stay'); END"
#define SEK_AUDIT_IN_ORDER                                                                         \
    "CREATE TRIGGER audit_in_order BEFORE INSERT ON audit WHEN NEW.number IS NOT"                  \
    " coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'audit'), 0) + 1 BEGIN"               \
    " SELECT RAISE(ABORT, 'the audit trail only grows: rows come in order'); END"
#define SEK_AUDIT_DATA_NO_UPDATE                                                                   \
    "CREATE TRIGGER audit_data_no_update BEFORE UPDATE ON audit_data BEGIN"                        \
    " SELECT RAISE(ABORT, 'the data for undo stays as it is'); END"

struct sek_policydb {
    sqlite3 *db;
    sqlite3_stmt *stmt[SEK_N_POLICY_SQL]; /* prepared at first use */
    sek_change_fn *watch;
    void *watch_arg;
    uint64_t seen;               /* generation that a resolver has */
    struct sek_journal *journal; /* of what changes, for the audit trail; NULL: nobody wants it */
    /* of the transaction: */
    bool changed;        /* lists or rules differ */
    bool full_due;       /* the next compilation makes an image: names need not be noted */
    uint64_t generation; /* before it */
    uint64_t n_dirty, max_dirty;
    uint64_t n_noted;       /* of n_dirty by this transaction */
    unsigned keep_versions; /* of a list (store/versions.h) */
    /* of the import: */
    uint16_t import_list;
    struct sek_batch *import_batch; /* NULL: none is going on */
    uint64_t n_fed;
    int64_t import_s;
    char import_who[64];
};

/* The prepared statement, reset. */
enum sek_err sek__policydb_stmt(struct sek_policydb *db, enum sek_policy_sql id, sqlite3_stmt **out,
                                struct sek_diag *diag);
/* Run a statement that gives no rows, and reset it. */
enum sek_err sek__policydb_do(struct sek_policydb *db, sqlite3_stmt *stmt, struct sek_diag *diag);
/* All rows of a statement, which is ended: each is read into `size` octets more of `out`, as
 * whoever is told of them may take his time (see sek_policydb_entries). */
typedef void sek_row_read_fn(sqlite3_stmt *stmt, void *row);
enum sek_err sek__policydb_rows(struct sek_policydb *db, sqlite3_stmt *stmt, size_t size,
                                sek_row_read_fn *read, struct sek_buf *out, struct sek_diag *diag);
/* BUSY, FULL and so on for a statement that failed. */
enum sek_err sek__policydb_fail(struct sek_policydb *db, int rc, struct sek_diag *diag);

struct sek_policydb_state {
    uint64_t generation; /* of the last commit */
    uint64_t image_id;   /* image that `dirty` counts from; 0 = none */
    uint64_t full_due;   /* generation since when a new image is due; 0 = not */
};
enum sek_err sek__policydb_state(struct sek_policydb *db, struct sek_policydb_state *out,
                                 struct sek_diag *diag);

/* Note that the rules at a name changed: it goes into the next delta. */
enum sek_err sek__policydb_touch(struct sek_policydb *db, const void *key, size_t key_len,
                                 struct sek_diag *diag);
/* The same, and tell who watches. */
enum sek_err sek__policydb_tell(struct sek_policydb *db, bool added, const void *key,
                                size_t key_len, const struct sek_rule *rule, const char *terms,
                                struct sek_diag *diag);
/* n entries more (or fewer) in a list. */
enum sek_err sek__policydb_count(struct sek_policydb *db, uint16_t list, int64_t n,
                                 struct sek_diag *diag);
/* The name in a column. CORRUPT when it is none. */
enum sek_err sek__policydb_name(sqlite3_stmt *stmt, int column, struct sek_name *out,
                                struct sek_diag *diag);
/* The text in a column, shortened to the room there is. */
void sek__policydb_text(sqlite3_stmt *stmt, int column, char *out, size_t size);

/* Keep what an import replaces: begin before the list changes (NOTFOUND: no such list), add each
 * entry that was there in the order of (key, scope), then end if anything changed. */
struct sek_keeping;
enum sek_err sek__version_begin(struct sek_policydb *db, uint16_t list, struct sek_keeping **out,
                                struct sek_diag *diag);
void sek__version_free(struct sek_keeping *k);
enum sek_err sek__version_add(struct sek_keeping *k, const uint8_t *key, size_t key_len,
                              const struct sek_rule *rule, const char *terms,
                              struct sek_diag *diag);
enum sek_err sek__version_end(struct sek_policydb *db, uint16_t list, struct sek_keeping *k,
                              struct sek_diag *diag);
