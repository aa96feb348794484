/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/inventory_parts.h"
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

/* Where a row's time ends as it counts: the next row of its subject cuts it. */
#define ENDS(s)                                                                                    \
    "min(" s ".until_s, ifnull((SELECT min(n.from_s) FROM endpoint_span n WHERE n.subject = " s    \
    ".subject AND n.from_s > " s ".from_s), " s ".until_s))"
#define FIELDS                                                                                     \
    "SELECT s.subject, s.from_s, " ENDS("s") ", s.ended, s.mac, s.name, s.owner, s.grp FROM "
#define COLUMNS FIELDS "endpoint_span s WHERE length(s.subject) = 16 AND "
/* ?1: the name; ?2 to ?3: names below it; ?4: its first label, or it once more. As ranges, since OR
 * takes no index of a table without row ids. */
#define RANGES "WITH r(low, high) AS (VALUES (?1, ?1), (?4, ?4), (?2, ?3)) "
#define NAMED(s)                                                                                   \
    s ".name <> '' AND " s ".name COLLATE NOCASE >= r.low AND " s ".name COLLATE NOCASE <= r.high"
#define NEWEST " ORDER BY 2 DESC, 1 LIMIT ?5"

static const char by_address[] = COLUMNS "s.subject = ?1" NEWEST;
static const char by_mac[] = COLUMNS "s.mac = ?1 AND s.mac <> ''" NEWEST;
#define BY_OWN_NAME                                                                                \
    FIELDS "r CROSS JOIN endpoint_span s WHERE length(s.subject) = 16 AND " NAMED("s")
/* Machines that have their name by MAC. */
#define BY_NAME_OF_MAC                                                                             \
    "SELECT s.subject, max(s.from_s, m.from_s), min(" ENDS("s") ", " ENDS(                         \
        "m") "),"                                                                                  \
             " s.ended, s.mac, s.name, s.owner, s.grp FROM r CROSS JOIN endpoint_span m"           \
             " CROSS JOIN endpoint_span s ON s.mac = m.mac AND s.mac <> '' AND s.name = ''"        \
             " AND length(s.subject) = 16 WHERE length(m.subject) <> 16 AND " NAMED("m")
static const char by_name[] = RANGES BY_OWN_NAME " UNION " BY_NAME_OF_MAC NEWEST;
static const char by_time[] =
    COLUMNS "s.from_s <= ?1 AND s.until_s > ?1 AND NOT EXISTS (SELECT 1 FROM endpoint_span n"
            " WHERE n.subject = s.subject AND n.from_s > s.from_s AND n.from_s <= ?1)"
            " ORDER BY s.subject LIMIT ?5";

/* --- one moment --------------------------------------------------------------------------------
 */

/* When the first row behind time_s begins; SEK_LEASE_OPEN_S without one. */
static enum sek_err next_begin(struct sek_policydb *db, const struct sek__subject *subject,
                               int64_t time_s, int64_t *out, struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err = sek__policydb_stmt(db, SEK_POLICY_SQL_SPAN_NEXT, &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_blob(stmt, 1, subject->octets, (int)subject->len, SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 2, time_s);
    int rc = sqlite3_step(stmt);
    *out = SEK_LEASE_OPEN_S;
    if (rc != SQLITE_ROW)
        err = sek__policydb_fail(db, rc, diag);
    else if (sqlite3_column_type(stmt, 0) != SQLITE_NULL)
        *out = sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    return err;
}

/* What is known of a subject at a time, and how long that holds. NOTFOUND: nothing. */
static enum sek_err subject_at(struct sek_policydb *db, const struct sek__subject *subject,
                               int64_t time_s, struct sek__span_row *out, struct sek_diag *diag)
{
    struct sek__span_row row = {.from_s = INT64_MIN, .until_s = INT64_MIN};
    int64_t next_s;
    enum sek_err err = sek__inventory_before(db, subject, time_s, &row, diag);
    bool known = !err && time_s < row.until_s;
    if (err == SEK_E_NOTFOUND)
        err = SEK_OK;
    if (!err)
        err = next_begin(db, subject, time_s, &next_s, diag);
    if (err)
        return err;
    *out = row;
    if (!known)
        out->from_s = row.until_s;
    out->until_s = known && row.until_s < next_s ? row.until_s : next_s;
    return known ? SEK_OK : SEK_E_NOTFOUND;
}

/* From what is known of its MAC, while that holds. */
static enum sek_err complete(struct sek_policydb *db, int64_t time_s, struct sek_machine *m,
                             int64_t *io_from_s, int64_t *io_until_s, struct sek_diag *diag)
{
    struct sek__subject subject;
    struct sek__span_row by_its_mac;
    if (!*m->mac || (*m->name && *m->owner && *m->group))
        return SEK_OK;
    sek__subject_of_mac(m->mac, &subject);
    enum sek_err err = subject_at(db, &subject, time_s, &by_its_mac, diag);
    if (err && err != SEK_E_NOTFOUND)
        return err;
    if (by_its_mac.from_s > *io_from_s)
        *io_from_s = by_its_mac.from_s;
    if (by_its_mac.until_s < *io_until_s)
        *io_until_s = by_its_mac.until_s;
    if (!err)
        sek__machine_fill(m, &by_its_mac.machine);
    return SEK_OK;
}

enum sek_err sek_inventory_at(struct sek_policydb *db, const struct sek_addr *addr, int64_t time_s,
                              struct sek_span *out, struct sek_diag *diag)
{
    struct sek__subject subject;
    struct sek__span_row row;
    sek__subject_of_addr(addr, &subject);
    enum sek_err err = subject_at(db, &subject, time_s, &row, diag);
    if (err && err != SEK_E_NOTFOUND)
        return err;
    *out = (struct sek_span){.addr = *addr, .from_s = row.from_s, .until_s = row.until_s};
    if (err)
        return err;
    out->machine = row.machine;
    return complete(db, time_s, &out->machine, &out->from_s, &out->until_s, diag);
}

/* --- many --------------------------------------------------------------------------------------
 */

/* Rows are collected first: whoever prints may wait for a reader, and writers with him. */
static enum sek_err collect(struct sek_policydb *db, sqlite3_stmt *stmt, struct sek_buf *all,
                            struct sek_diag *diag)
{
    int rc;
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW && !all->failed) {
        struct sek__span_row row;
        struct sek_span span = {0};
        if (sqlite3_column_bytes(stmt, 0) != sizeof span.addr.octets)
            continue;
        memcpy(span.addr.octets, sqlite3_column_blob(stmt, 0), sizeof span.addr.octets);
        sek__inventory_row(stmt, 1, &row);
        span.from_s = row.from_s;
        span.until_s = row.until_s;
        span.machine = row.machine;
        if (span.from_s < span.until_s)
            sek_buf_add(all, &span, sizeof span);
    }
    if (all->failed)
        return sek_diag_set(diag, SEK_E_NOMEM, "policy.db: out of memory");
    return rc == SQLITE_DONE ? SEK_OK : sek__policydb_fail(db, rc, diag);
}

static enum sek_err hand_out(struct sek_policydb *db, const struct sek_buf *all, int64_t now_s,
                             sek_span_fn *fn, void *arg, struct sek_diag *diag)
{
    enum sek_err err = SEK_OK;
    for (size_t at = 0; !err && at < all->len; at += sizeof(struct sek_span)) {
        struct sek_span span;
        int64_t from_s = INT64_MIN, until_s = INT64_MAX;
        memcpy(&span, all->data + at, sizeof span);
        int64_t time_s = span.until_s - 1 < now_s ? span.until_s - 1 : now_s;
        err = complete(db, time_s > span.from_s ? time_s : span.from_s, &span.machine, &from_s,
                       &until_s, diag);
        if (!err && !fn(arg, &span))
            break;
    }
    return err;
}

static enum sek_err run(struct sek_policydb *db, sqlite3_stmt *stmt, int64_t now_s, unsigned most,
                        sek_span_fn *fn, void *arg, struct sek_diag *diag)
{
    struct sek_buf all;
    int place = sqlite3_bind_parameter_index(stmt, "?5");
    sek_buf_init(&all, 0);
    sqlite3_bind_int64(stmt, place, most);
    enum sek_err err = collect(db, stmt, &all, diag);
    sqlite3_finalize(stmt);
    bool none = !err && all.len == 0;
    if (!err)
        err = hand_out(db, &all, now_s, fn, arg, diag);
    sek_buf_fini(&all);
    return none ? sek_diag_set(diag, SEK_E_NOTFOUND, "the inventory does not know it") : err;
}

static void bind_name(sqlite3_stmt *stmt, const char *name)
{
    char below[SEK_LEASE_TEXT_MAX + 2], behind[SEK_LEASE_TEXT_MAX + 2];
    size_t n = strnlen(name, SEK_LEASE_TEXT_MAX - 1), label = strcspn(name, ".");
    memcpy(below, name, n);
    memcpy(below + n, ".", 2);
    memcpy(behind, name, n);
    memcpy(behind + n, "/", 2); /* follows the dot in ASCII */
    /* of "a.b" the short form is "a"; below "a" are all "a.…" */
    bool dotted = label < n;
    sqlite3_bind_text(stmt, 1, name, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(stmt, 2, dotted ? name : below, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(stmt, 3, dotted ? name : behind, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(stmt, 4, name, (int)(dotted ? label : n), SQLITE_TRANSIENT);
}

static enum sek_err find_by_name(struct sek_policydb *db, const char *name, int64_t now_s,
                                 unsigned most, sek_span_fn *fn, void *arg, struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err = sek_sql_prepare(db->db, by_name, &stmt, diag);
    if (err)
        return err;
    bind_name(stmt, name);
    return run(db, stmt, now_s, most, fn, arg, diag);
}

enum sek_err sek_inventory_find(struct sek_policydb *db, const char *text, int64_t now_s,
                                unsigned most, sek_span_fn *fn, void *arg, struct sek_diag *diag)
{
    struct sek_addr addr;
    char mac[SEK_LEASE_MAC_MAX];
    sqlite3_stmt *stmt;
    bool is_addr = sek_addr_from_text(text, &addr, NULL) == SEK_OK;
    if (!is_addr && !sek_mac_from_text(text, mac))
        return find_by_name(db, text, now_s, most, fn, arg, diag);
    enum sek_err err = sek_sql_prepare(db->db, is_addr ? by_address : by_mac, &stmt, diag);
    if (err)
        return err;
    if (is_addr)
        sqlite3_bind_blob(stmt, 1, addr.octets, sizeof addr.octets, SQLITE_STATIC);
    else
        sqlite3_bind_text(stmt, 1, mac, -1, SQLITE_STATIC);
    err = run(db, stmt, now_s, most, fn, arg, diag);
    if (err == SEK_E_NOTFOUND && !is_addr) /* phones are named like that */
        err = find_by_name(db, text, now_s, most, fn, arg, diag);
    return err;
}

enum sek_err sek_inventory_now(struct sek_policydb *db, int64_t now_s, unsigned most,
                               sek_span_fn *fn, void *arg, struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err = sek_sql_prepare(db->db, by_time, &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_int64(stmt, 1, now_s);
    err = run(db, stmt, now_s, most, fn, arg, diag);
    return err == SEK_E_NOTFOUND ? SEK_OK : err;
}

enum sek_err sek_inventory_ties(struct sek_policydb *db, int64_t since_s, sek_tie_fn *fn, void *arg,
                                struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    int rc;
    enum sek_err err = sek_sql_prepare(db->db,
                                       "SELECT subject, mac, name FROM endpoint_span"
                                       " WHERE until_s > ?1 AND (mac <> '' OR name <> '')",
                                       &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_int64(stmt, 1, since_s);
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct sek_addr addr;
        bool is_addr = sqlite3_column_bytes(stmt, 0) == sizeof addr.octets;
        const char *mac = (const char *)sqlite3_column_text(stmt, 1);
        const char *name = (const char *)sqlite3_column_text(stmt, 2);
        if (is_addr)
            memcpy(addr.octets, sqlite3_column_blob(stmt, 0), sizeof addr.octets);
        if (mac && name && !fn(arg, is_addr ? &addr : NULL, mac, name))
            break;
    }
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        err = sek__policydb_fail(db, rc, diag);
    sqlite3_finalize(stmt);
    return err;
}

static void copy_text(sqlite3_stmt *stmt, int column, char *out, size_t size)
{
    const char *text = (const char *)sqlite3_column_text(stmt, column);
    snprintf(out, size, "%s", text ? text : "");
}

/* What is said of a MAC alone completes the spans that have it. */
static const char machines[] =
    "SELECT s.subject, s.mac, s.name, s.owner, s.grp FROM endpoint_span s"
    " WHERE length(s.subject) = 16"
    " UNION ALL SELECT s.subject, m.mac, m.name, m.owner, m.grp FROM endpoint_span m"
    " JOIN endpoint_span s ON s.mac = m.mac AND length(s.subject) = 16"
    " WHERE length(m.subject) <> 16 AND m.mac <> ''";

enum sek_err sek_inventory_machines(struct sek_policydb *db, sek_inventory_machine_fn *fn,
                                    void *arg, struct sek_diag *diag)
{
    sqlite3_stmt *stmt = NULL;
    struct sek_machine m;
    struct sek_addr addr;
    int rc = SQLITE_DONE;
    enum sek_err err = sek_sql_prepare(db->db, machines, &stmt, diag);
    while (!err && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        memcpy(addr.octets, sqlite3_column_blob(stmt, 0), sizeof addr.octets);
        copy_text(stmt, 1, m.mac, sizeof m.mac);
        copy_text(stmt, 2, m.name, sizeof m.name);
        copy_text(stmt, 3, m.owner, sizeof m.owner);
        copy_text(stmt, 4, m.group, sizeof m.group);
        if (!fn(arg, &addr, &m))
            break;
    }
    if (!err && rc != SQLITE_ROW && rc != SQLITE_DONE)
        err = sek__policydb_fail(db, rc, diag);
    sqlite3_finalize(stmt);
    return err;
}

enum sek_err sek_inventory_is_empty(struct sek_policydb *db, bool *out, struct sek_diag *diag)
{
    int64_t any = 0;
    enum sek_err err =
        sek_sql_int(db->db, "SELECT EXISTS (SELECT 1 FROM endpoint_span)", &any, diag);
    *out = any == 0;
    return err;
}

void sek_inventory_hold(struct sek_policydb *db)
{
    sek_sql_run(db->db, "BEGIN", NULL);
}

void sek_inventory_release(struct sek_policydb *db)
{
    if (!sqlite3_get_autocommit(db->db))
        sek_sql_run(db->db, "COMMIT", NULL);
}
