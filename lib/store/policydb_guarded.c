/* SPDX-License-Identifier: BSD-3-Clause */
/* Protected names are few and entries are millions, so the search goes from those to these: one
 * range of the primary key a place and list. */
#include <string.h>
#include "store/policydb_parts.h"
#include "base/banned.h"

static const char text[] =
    "SELECT list, entry.name, scope, entry.action, expires_s, l.name, l.action, l.override"
    " FROM (SELECT id, name, action, override FROM list WHERE n_entries > 0 AND ?1 IN (0, id)) AS l"
    " CROSS JOIN entry ON entry.list = l.id AND entry.name >= ?2 AND entry.name < ?3"
    " AND (expires_s = 0 OR expires_s > ?4)";

struct search {
    struct sek_policydb *db;
    const struct sek_never *never;
    const struct sek_list_row *as;
    sek_guarded_fn *fn;
    void *arg;
    sqlite3_stmt *stmt;
    struct sek_diag *diag;
};

/* One entry at such a place: is it refused? */
static enum sek_err row_judge(struct search *s)
{
    struct sek_name name;
    struct sek_diag why;
    char list[SEK_LIST_NAME_MAX];
    enum sek_action action = (enum sek_action)sqlite3_column_int(s->stmt, 3);
    enum sek_err err = sek__policydb_name(s->stmt, 1, &name, s->diag);
    if (err)
        return err;
    struct sek_list_row row = {.list.action = (uint8_t)sqlite3_column_int(s->stmt, 6)};
    sek__policydb_text(s->stmt, 7, row.override, sizeof row.override);
    row.overriding = (uint8_t)sek_override_action(row.override);
    action = sek_list_row_says(s->as ? s->as : &row, action);
    if (sek_never_check(s->never, &name, (enum sek_scope)sqlite3_column_int(s->stmt, 2), action,
                        true, &why) == SEK_E_REFUSED) {
        sek__policydb_text(s->stmt, 5, list, sizeof list);
        s->fn(s->arg, list, why.text);
    }
    return SEK_OK;
}

static enum sek_err place_search(void *arg, const struct sek_name *name, bool below)
{
    struct search *s = arg;
    uint8_t from[SEK_NAMEKEY_MAX], to[SEK_NAMEKEY_MAX + 1];
    size_t n = sek_namekey_from_name(name, from), n_to = n;
    memcpy(to, from, n);
    if (below)
        to[n - 1] = 1; /* all keys that begin with this one, whose last octet is 0 */
    else
        to[n_to++] = 0; /* no key between */
    sqlite3_bind_blob(s->stmt, 2, from, (int)n, SQLITE_STATIC);
    sqlite3_bind_blob(s->stmt, 3, to, (int)n_to, SQLITE_STATIC);
    enum sek_err err = SEK_OK;
    int rc;
    while (!err && (rc = sqlite3_step(s->stmt)) == SQLITE_ROW)
        err = row_judge(s);
    if (!err && rc != SQLITE_DONE)
        err = sek__policydb_fail(s->db, rc, s->diag);
    sqlite3_reset(s->stmt);
    return err;
}

enum sek_err sek_policydb_guarded(struct sek_policydb *db, const struct sek_never *never,
                                  const struct sek_list_row *as, int64_t now_s, sek_guarded_fn *fn,
                                  void *arg, struct sek_diag *diag)
{
    struct search s = {.db = db, .never = never, .as = as, .fn = fn, .arg = arg, .diag = diag};
    enum sek_err err = sek_sql_prepare(db->db, text, &s.stmt, diag);
    if (err)
        return err;
    sqlite3_bind_int(s.stmt, 1, as ? as->list.id : 0);
    sqlite3_bind_int64(s.stmt, 4, now_s);
    err = sek_never_places(never, place_search, &s);
    sqlite3_finalize(s.stmt);
    return err;
}
