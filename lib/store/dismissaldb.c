/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/dismissaldb.h"
#include "name/text.h"
#include "store/policydb_parts.h"
#include <string.h>
#include "base/banned.h"

static bool row_read(sqlite3_stmt *stmt, struct sek_dismissal *out)
{
    char detector[64], endpoint[SEK_ADDR_TEXT_MAX + 1], domain[SEK_NAME_TEXT_MAX];
    struct sek_name name;
    *out = (struct sek_dismissal){.time_s = sqlite3_column_int64(stmt, 3),
                                  .finding = sqlite3_column_int64(stmt, 4)};
    sek__policydb_text(stmt, 0, detector, sizeof detector);
    sek__policydb_text(stmt, 1, endpoint, sizeof endpoint);
    sek__policydb_text(stmt, 2, domain, sizeof domain);
    sek__policydb_text(stmt, 5, out->who, sizeof out->who);
    sek__policydb_text(stmt, 6, out->why, sizeof out->why);
    int id = sek_lookup_id(sek_detector_names, detector);
    out->detector = (enum sek_detector)id;
    out->everybody = strcmp(endpoint, "*") == 0;
    if (id <= 0 || (!out->everybody && sek_addr_from_text(endpoint, &out->endpoint, NULL)))
        return false;
    if (strcmp(domain, "-") == 0)
        return true;
    if (sek_name_from_text(domain, strlen(domain), &name, NULL))
        return false;
    out->domain_len = name.len;
    memcpy(out->domain, name.octets, name.len);
    return true;
}

enum sek_err sek_dismissaldb_read(struct sek_policydb *db, struct sek_dismissed *out,
                                  struct sek_diag *diag)
{
    struct sek_dismissal one;
    sqlite3_stmt *stmt;
    int rc;
    *out = (struct sek_dismissed){0};
    enum sek_err err = sek_sql_prepare(
        db->db,
        "SELECT detector, endpoint, domain, time_s, finding, who, why FROM dismissal"
        " ORDER BY time_s, rowid",
        &stmt, diag);
    if (err)
        return err;
    while (!err && (rc = sqlite3_step(stmt)) != SQLITE_DONE) {
        if (rc != SQLITE_ROW)
            err = sek__policydb_fail(db, rc, diag);
        else if (!row_read(stmt, &one))
            err =
                sek_diag_set(diag, SEK_E_CORRUPT, "policy.db: a dismissed finding makes no sense");
        else
            err = sek_dismissed_add(out, &one, diag);
    }
    sqlite3_finalize(stmt);
    if (err)
        sek_dismissed_fini(out);
    return err;
}

static void key_bind(sqlite3_stmt *stmt, const struct sek_dismissal *one)
{
    char endpoint[SEK_ADDR_TEXT_MAX] = "*", domain[SEK_NAME_TEXT_MAX] = "-";
    if (!one->everybody)
        sek_addr_to_text(&one->endpoint, endpoint);
    if (one->domain_len)
        sek_name_to_text(one->domain, domain);
    sqlite3_bind_text(stmt, 1, sek_lookup_name(sek_detector_names, (int)one->detector), -1,
                      SQLITE_STATIC);
    sqlite3_bind_text(stmt, 2, endpoint, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(stmt, 3, domain, -1, SQLITE_TRANSIENT);
}

static bool is_same_key(const struct sek_dismissal *a, const struct sek_dismissal *b)
{
    return a->detector == b->detector && a->everybody == b->everybody &&
           (a->everybody || sek_addr_equal(&a->endpoint, &b->endpoint)) &&
           a->domain_len == b->domain_len && memcmp(a->domain, b->domain, a->domain_len) == 0;
}

static const struct sek_dismissal *find(const struct sek_dismissed *set,
                                        const struct sek_dismissal *one)
{
    for (unsigned i = 0; i < set->n; i++)
        if (is_same_key(&set->all[i], one))
            return &set->all[i];
    return NULL;
}

static bool is_same(const struct sek_dismissal *a, const struct sek_dismissal *b)
{
    return a->time_s == b->time_s && a->finding == b->finding && strcmp(a->who, b->who) == 0 &&
           strcmp(a->why, b->why) == 0;
}

static enum sek_err put(struct sek_policydb *db, const char *text, const struct sek_dismissal *one,
                        bool values, struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err = sek_sql_prepare(db->db, text, &stmt, diag);
    if (err)
        return err;
    key_bind(stmt, one);
    if (values) {
        sqlite3_bind_int64(stmt, 4, one->time_s);
        sqlite3_bind_int64(stmt, 5, one->finding);
        sqlite3_bind_text(stmt, 6, one->who, -1, SQLITE_STATIC);
        sqlite3_bind_text(stmt, 7, one->why, -1, SQLITE_STATIC);
    }
    err = sek__policydb_do(db, stmt, diag);
    sqlite3_finalize(stmt);
    return err;
}

enum sek_err sek_dismissaldb_write(struct sek_policydb *db, const struct sek_dismissed *set,
                                   struct sek_diag *diag)
{
    struct sek_dismissed old;
    enum sek_err err = sek_dismissaldb_read(db, &old, diag);
    for (unsigned i = 0; !err && i < old.n; i++)
        if (!find(set, &old.all[i]))
            err = put(db,
                      "DELETE FROM dismissal WHERE detector = ?1 AND endpoint = ?2 AND domain = ?3",
                      &old.all[i], false, diag);
    for (unsigned i = 0; !err && i < set->n; i++) {
        const struct sek_dismissal *was = find(&old, &set->all[i]);
        if (was && is_same(was, &set->all[i]))
            continue;
        err = put(db,
                  "INSERT INTO dismissal (detector, endpoint, domain, time_s, finding, who, why)"
                  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO UPDATE SET time_s = ?4,"
                  " finding = ?5, who = ?6, why = ?7",
                  &set->all[i], true, diag);
    }
    sek_dismissed_fini(&old);
    return err;
}
