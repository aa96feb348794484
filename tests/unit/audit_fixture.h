/* SPDX-License-Identifier: BSD-3-Clause */
/* For the tests of the audit trail: audited changes, and the file looked at by other means. */
#pragma once
#include "base/buf.h"
#include "policydb_fixture.h"
#include "store/audit.h"
#include "store/dismissaldb.h"

#define KEEP_S 86400
#define KEEP_OCTETS (64U << 20)

/* One audited change: AUDITED(db, "block", 0, statements that change it). */
#define AUDITED(db, what, undone, ...)                                                             \
    do {                                                                                           \
        OK(sek_policydb_begin(db, &diag));                                                         \
        __VA_ARGS__;                                                                               \
        add_row(db, what, undone);                                                                 \
        OK(sek_policydb_commit(db, &diag));                                                        \
    } while (0)

static int64_t clock_ms = NOW * 1000LL;

static inline int64_t add_row(struct sek_policydb *db, const char *verb, int64_t undoes)
{
    const struct sek_audit_act act = {.time_ms = clock_ms++,
                                      .user = "alice",
                                      .uid = 1000,
                                      .origin = "pts/3, ssh 192.0.2.9, as root by sudo",
                                      .command = "sekisho …",
                                      .verb = verb,
                                      .reason = "because\033[2J \"it\" is so",
                                      .undoes = undoes};
    int64_t number = -1;
    OK(sek_audit_add(db, &act, KEEP_S, KEEP_OCTETS, &number, &diag));
    return number;
}

static inline struct sek_policydb *db_audited(void)
{
    struct sek_policydb *db = db_open();
    OK(sek_audit_begin(db, KEEP_OCTETS, &diag));
    return db;
}

static inline void put(struct sek_policydb *db, uint16_t list, const char *name,
                       enum sek_action action, const char *reason)
{
    struct sek_entry e = entry_of(list, name, SEK_SCOPE_SUBTREE);
    bool changed;
    e.rule.action = (uint8_t)action;
    e.created_s = clock_ms / 1000;
    snprintf(e.comment, sizeof e.comment, "%s", reason);
    OK(sek_policydb_entry_put(db, &e, &changed, &diag));
}

static inline void take(struct sek_policydb *db, uint16_t list, const char *name)
{
    struct sek_name n = name_of(name);
    OK(sek_policydb_entry_remove(db, list, &n, SEK_SCOPE_SUBTREE, &diag));
}

/* SQL by another connection, which is allowed everything. */
static inline void run_sql(const char *sql)
{
    sqlite3 *raw;
    char *why = NULL;
    assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
    if (sqlite3_exec(raw, sql, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", sql, why);
    sqlite3_close(raw);
}

/* All rows of the tables that people change, as text; the caller frees it. */
static inline char *dump(void)
{
    static const char *const queries[] = {
        "SELECT * FROM list ORDER BY id", "SELECT * FROM entry ORDER BY list, name, scope",
        "SELECT * FROM endpoint_span ORDER BY subject, from_s",
        "SELECT * FROM dismissal ORDER BY detector, endpoint, domain"};
    sqlite3 *raw;
    sqlite3_stmt *stmt;
    struct sek_buf b;
    sek_buf_init(&b, 0);
    assert_int_equal(sqlite3_open_v2(path, &raw, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    for (size_t q = 0; q < sizeof queries / sizeof *queries; q++) {
        assert_int_equal(sqlite3_prepare_v2(raw, queries[q], -1, &stmt, NULL), SQLITE_OK);
        sek_buf_add_fmt(&b, "%s\n", queries[q]);
        while (sqlite3_step(stmt) == SQLITE_ROW) {
            for (int i = 0; i < sqlite3_column_count(stmt); i++) {
                const uint8_t *p = sqlite3_column_blob(stmt, i);
                int n = sqlite3_column_bytes(stmt, i);
                sek_buf_add_fmt(&b, "%d:", sqlite3_column_type(stmt, i));
                for (int k = 0; k < n; k++)
                    sek_buf_add_fmt(&b, "%02x", p[k]);
                sek_buf_add_text(&b, " ");
            }
            sek_buf_add_text(&b, "\n");
        }
        sqlite3_finalize(stmt);
    }
    sqlite3_close(raw);
    return sek_buf_take(&b);
}

struct problems {
    unsigned n;
    int64_t first;
    char text[400]; /* of the first */
};

static inline void note_problem(void *arg, enum sek_audit_fault fault, int64_t number,
                                const char *text)
{
    (void)fault;
    struct problems *p = arg;
    if (p->n++ == 0) {
        p->first = number;
        snprintf(p->text, sizeof p->text, "%s", text);
    }
}

static inline struct problems verify(const struct sek_audit_anchor *anchor)
{
    struct problems p = {0};
    struct sek_audit_verdict v;
    struct sek_policydb *db;
    OK(sek_policydb_open(path, false, &db, &diag));
    OK(sek_audit_verify(db, anchor, anchor ? 1 : 0, note_problem, &p, &v, &diag));
    assert_int_equal(v.n_problems, p.n);
    assert_int_equal(v.n_problems, v.n_of[SEK_AUDIT_TRAIL] + v.n_of[SEK_AUDIT_EXCEPTION] +
                                       v.n_of[SEK_AUDIT_TABLES]);
    sek_policydb_close(db);
    return p;
}
