/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>
#include "base/buf.h"
#include "store/policydb_parts.h"
#include "base/banned.h"

#define GROUP_SELECT                                                                               \
    "SELECT g.id, g.list, g.mode, g.action, l.name, (SELECT count(*) FROM member m"                \
    " WHERE m.client_group = g.id AND (m.expires_s = 0 OR m.expires_s > ?1))"                      \
    " FROM client_group g JOIN list l ON l.id = g.list"

static void group_read(sqlite3_stmt *stmt, void *row)
{
    struct sek_group_row *out = row;
    memset(out, 0, sizeof *out);
    out->group.id = (uint8_t)sqlite3_column_int(stmt, 0);
    out->group.list = (uint16_t)sqlite3_column_int(stmt, 1);
    out->group.mode = (uint8_t)sqlite3_column_int(stmt, 2);
    out->group.action = (uint8_t)sqlite3_column_int(stmt, 3);
    sek__policydb_text(stmt, 4, out->group.name, sizeof out->group.name);
    out->n_members = (uint32_t)sqlite3_column_int64(stmt, 5);
}

static enum sek_err group_check(const struct sek_client_group *g, struct sek_diag *diag)
{
    if (g->mode > SEK_MODE_BLOCK)
        return sek_diag_set(diag, SEK_E_INVALID, "group %s: no such mode", g->name);
    if (!sek_action_blocks(g->action) || g->action > SEK_ACTION_DROP)
        return sek_diag_set(diag, SEK_E_INVALID, "group %s: no such action for what is blocked",
                            g->name);
    return SEK_OK;
}

/* Run a statement that gives no rows, with those of the values of `bind` that it asks for. */
static enum sek_err run(struct sek_policydb *db, const char *text,
                        void (*bind)(sqlite3_stmt *, const void *), const void *what,
                        struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err = sek_sql_prepare(db->db, text, &stmt, diag);
    if (err)
        return err;
    bind(stmt, what);
    err = sek__policydb_do(db, stmt, diag);
    sqlite3_finalize(stmt);
    if (!err)
        db->changed = true;
    return err;
}

static void group_bind(sqlite3_stmt *stmt, const void *what)
{
    const struct sek_client_group *g = what;
    sqlite3_bind_int(stmt, 1, g->id);
    sqlite3_bind_int(stmt, 2, g->mode);
    sqlite3_bind_int(stmt, 3, g->action);
    sqlite3_bind_int(stmt, 4, g->list);
}

/* The built-in id, or the lowest that is free. */
static enum sek_err id_choose(struct sek_policydb *db, struct sek_client_group *g,
                              struct sek_diag *diag)
{
    int64_t id = SEK_GROUP_QUARANTINE_ID;
    if (strcmp(g->name, SEK_GROUP_QUARANTINE) != 0) {
        enum sek_err err = sek_sql_int(
            db->db,
            "SELECT min(id) + 1 FROM (SELECT 1 AS id UNION ALL SELECT id FROM client_group) AS a"
            " WHERE NOT EXISTS (SELECT 1 FROM client_group b WHERE b.id = a.id + 1)",
            &id, diag);
        if (err)
            return err;
    }
    if (id > SEK_GROUPS_MAX)
        return sek_diag_set(diag, SEK_E_LIMIT, "there are %d groups, no more are allowed",
                            SEK_GROUPS_MAX);
    g->id = (uint8_t)id;
    return SEK_OK;
}

enum sek_err sek_policydb_group_add(struct sek_policydb *db, struct sek_client_group *group,
                                    const char *comment, const char *who, int64_t now_s,
                                    struct sek_diag *diag)
{
    struct sek_list_row list = {.list = {.mode = SEK_MODE_BLOCK,
                                         .action = SEK_ACTION_PASSTHRU,
                                         .priority = 1000,
                                         .ede = 15},
                                .source = "local",
                                .created_s = now_s};
    enum sek_err err = group_check(group, diag);
    if (!err)
        err = id_choose(db, group, diag);
    if (err)
        return err;
    list.audience.only = sek_group_bit(group->id);
    snprintf(list.list.name, sizeof list.list.name, "%s", group->name);
    snprintf(list.comment, sizeof list.comment, "%s", comment);
    snprintf(list.who, sizeof list.who, "%s", who);
    err = sek_policydb_list_add(db, &list, diag);
    if (err)
        return err;
    group->list = list.list.id;
    return run(db, "INSERT INTO client_group (id, mode, action, list) VALUES (?1, ?2, ?3, ?4)",
               group_bind, group, diag);
}

enum sek_err sek_policydb_group_get(struct sek_policydb *db, const char *name, int64_t now_s,
                                    struct sek_group_row *out, struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err = sek_sql_prepare(db->db, GROUP_SELECT " WHERE l.name = ?2", &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_int64(stmt, 1, now_s);
    sqlite3_bind_text(stmt, 2, name, -1, SQLITE_STATIC);
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        group_read(stmt, out);
    else if (rc == SQLITE_DONE)
        err = sek_diag_set(diag, SEK_E_NOTFOUND, "there is no such group");
    else
        err = sek__policydb_fail(db, rc, diag);
    sqlite3_finalize(stmt);
    return err;
}

enum sek_err sek_policydb_group_set(struct sek_policydb *db, const struct sek_client_group *group,
                                    struct sek_diag *diag)
{
    enum sek_err err = group_check(group, diag);
    return err ? err
               : run(db, "UPDATE client_group SET mode = ?2, action = ?3, list = ?4 WHERE id = ?1",
                     group_bind, group, diag);
}

/* The first other list that is for this group, or for all but it. */
static enum sek_err user_find(struct sek_policydb *db, const struct sek_client_group *group,
                              char *out, size_t size, struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err = sek_sql_prepare(db->db,
                                       "SELECT name FROM list WHERE id <> ?1"
                                       " AND ((only_groups | except_groups) & ?2) <> 0"
                                       " ORDER BY name LIMIT 1",
                                       &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_int(stmt, 1, group->list);
    sqlite3_bind_int64(stmt, 2, (int64_t)sek_group_bit(group->id));
    int rc = sqlite3_step(stmt);
    out[0] = '\0';
    if (rc == SQLITE_ROW)
        sek__policydb_text(stmt, 0, out, size);
    else if (rc != SQLITE_DONE)
        err = sek__policydb_fail(db, rc, diag);
    sqlite3_finalize(stmt);
    return err;
}

enum sek_err sek_policydb_group_remove(struct sek_policydb *db,
                                       const struct sek_client_group *group, struct sek_diag *diag)
{
    static const char *const texts[] = {"DELETE FROM member WHERE client_group = ?1",
                                        "DELETE FROM client_group WHERE id = ?1"};
    char user[SEK_LIST_NAME_MAX];
    enum sek_err err = user_find(db, group, user, sizeof user, diag);
    if (!err && user[0])
        return sek_diag_set(diag, SEK_E_REFUSED,
                            "list %s is for group %s, or for all but it: change that first", user,
                            group->name);
    for (size_t i = 0; !err && i < sizeof texts / sizeof *texts; i++)
        err = run(db, texts[i], group_bind, group, diag);
    return err ? err : sek_policydb_list_remove(db, group->list, NULL, NULL, diag);
}

/* The first is quarantine's, made or not. */
enum sek_err sek_policydb_groups_left(struct sek_policydb *db, unsigned *out, struct sek_diag *diag)
{
    int64_t n = 0;
    enum sek_err err =
        sek_sql_int(db->db, "SELECT count(*) FROM client_group WHERE id > 1", &n, diag);
    if (!err)
        *out = n < SEK_GROUPS_MAX - 1 ? (unsigned)(SEK_GROUPS_MAX - 1 - n) : 0;
    return err;
}

enum sek_err sek_policydb_groups(struct sek_policydb *db, int64_t now_s, sek_group_fn *fn,
                                 void *arg, struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    struct sek_buf rows;
    enum sek_err err = sek_sql_prepare(db->db, GROUP_SELECT " ORDER BY l.name", &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_int64(stmt, 1, now_s);
    sek_buf_init(&rows, 0);
    err = sek__policydb_rows(db, stmt, sizeof(struct sek_group_row), group_read, &rows, diag);
    const struct sek_group_row *row = (const void *)rows.data;
    for (size_t n = err ? 0 : rows.len / sizeof *row; n && fn(arg, row); n--)
        row++;
    sek_buf_fini(&rows);
    return err;
}

/* --- members -------------------------------------------------------------------------------------
 */

static void member_bind(sqlite3_stmt *stmt, const void *what)
{
    const struct sek_member *m = what;
    sqlite3_bind_int(stmt, 1, m->group);
    sqlite3_bind_blob(stmt, 2, m->net.addr.octets, sizeof m->net.addr.octets, SQLITE_STATIC);
    sqlite3_bind_int(stmt, 3, m->net.bits);
    sqlite3_bind_int64(stmt, 4, m->expires_s);
    sqlite3_bind_int64(stmt, 5, m->created_s);
    sqlite3_bind_text(stmt, 6, m->who, -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 7, m->comment, -1, SQLITE_STATIC);
}

static void member_read(sqlite3_stmt *stmt, void *row)
{
    struct sek_member *m = row;
    memset(m, 0, sizeof *m);
    m->group = (uint8_t)sqlite3_column_int(stmt, 0);
    const void *net = sqlite3_column_blob(stmt, 1);
    if (net && sqlite3_column_bytes(stmt, 1) == (int)sizeof m->net.addr.octets)
        memcpy(m->net.addr.octets, net, sizeof m->net.addr.octets);
    m->net.bits = (uint8_t)sqlite3_column_int(stmt, 2);
    m->expires_s = sqlite3_column_int64(stmt, 3);
    m->created_s = sqlite3_column_int64(stmt, 4);
    sek__policydb_text(stmt, 5, m->who, sizeof m->who);
    sek__policydb_text(stmt, 6, m->comment, sizeof m->comment);
}

enum sek_err sek_policydb_member_put(struct sek_policydb *db, const struct sek_member *m,
                                     bool *out_changed, struct sek_diag *diag)
{
    bool before = db->changed;
    enum sek_err err =
        run(db,
            "INSERT INTO member (client_group, net, bits, expires_s, created_s, who, comment)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO UPDATE SET expires_s = ?4,"
            " created_s = ?5, who = ?6, comment = ?7 WHERE expires_s <> ?4",
            member_bind, m, diag);
    *out_changed = !err && sqlite3_changes64(db->db) > 0;
    if (!err && !*out_changed)
        db->changed = before;
    return err;
}

enum sek_err sek_policydb_member_remove(struct sek_policydb *db, unsigned group,
                                        const struct sek_net *net, struct sek_diag *diag)
{
    const struct sek_member m = {.group = (uint8_t)group, .net = *net};
    enum sek_err err =
        run(db, "DELETE FROM member WHERE client_group = ?1 AND net = ?2 AND bits = ?3",
            member_bind, &m, diag);
    if (!err && sqlite3_changes64(db->db) == 0)
        err = sek_diag_set(diag, SEK_E_NOTFOUND, "it is no member");
    return err;
}

enum sek_err sek_policydb_members(struct sek_policydb *db, unsigned group, sek_member_fn *fn,
                                  void *arg, struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    struct sek_buf rows;
    enum sek_err err = sek_sql_prepare(db->db,
                                       "SELECT client_group, net, bits, expires_s, created_s, who,"
                                       " comment FROM member WHERE ?1 = 0 OR client_group = ?1"
                                       " ORDER BY client_group, net, bits",
                                       &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_int(stmt, 1, (int)group);
    sek_buf_init(&rows, 0);
    err = sek__policydb_rows(db, stmt, sizeof(struct sek_member), member_read, &rows, diag);
    const struct sek_member *m = (const void *)rows.data;
    for (size_t n = err ? 0 : rows.len / sizeof *m; n && fn(arg, m); n--)
        m++;
    sek_buf_fini(&rows);
    return err;
}
