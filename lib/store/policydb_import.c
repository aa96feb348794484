/* SPDX-License-Identifier: BSD-3-Clause */
/* A list's new content is collected and sorted in memory, then merged with the entries that are
 * there: what is the same costs one comparison and no write. The entries are read a page at a time,
 * so that no cursor is on them while they change: SQLite may show a cursor the row that was updated
 * under it once more, as it finds its place again by all columns. */
#include <stdlib.h>
#include <string.h>
#include "policy/terms_text.h"
#include "store/batch.h"
#include "store/policydb_parts.h"
#include "base/banned.h"

#define CACHE_PRAGMA "PRAGMA cache_size = -65536" /* KiB: a large change stays out of the file */
#define PAGE_ROWS 256
#define PROGRESS_STEPS 4096 /* rows between two reports */

/* A place in what was fed or in what is there. */
struct place {
    bool end;
    const uint8_t *key;
    size_t key_len;
    struct sek_rule rule;
    const char *terms;
};

struct page {
    sqlite3_stmt *stmt;
    unsigned n, at; /* rows in it, and the next one */
    struct {
        uint8_t key[SEK_NAMEKEY_MAX];
        size_t key_len;
        struct sek_rule rule;
        size_t terms; /* where in `texts` */
    } row[PAGE_ROWS];
    struct sek_buf texts; /* terms with their terminators; the first is "" */
};

static const char page_sql[] = "SELECT name, scope, action, expires_s, terms FROM entry WHERE"
                               " list = ?1"
                               " AND (name, scope) > (?2, ?3) ORDER BY name, scope LIMIT ?4";

struct merge {
    struct sek_policydb *db;
    bool append;
    uint64_t n_steps, n_taken; /* of the merge; of what was fed */
    sek_progress_fn *progress; /* may be NULL */
    void *progress_arg;
    struct place fed, old;
    struct page *page;                       /* what is there; `old` is in it */
    struct place fresh[SEK_POLICY_N_VALUES]; /* not inserted yet; their keys live in the batch */
    int n_fresh;
    struct sek_keeping *keeping; /* what was there */
    struct sek_import_stats stats;
    struct sek_batch_again again;
    uint64_t n_joined; /* of `again` so far */
    unsigned at_joined;
    char joined[SEK_POLICY_N_VALUES + 1][SEK_TERMS_TEXT_MAX]; /* of `fed` and `fresh` */
};

static enum sek_err batch_fail(enum sek_err err, struct sek_diag *diag)
{
    return sek_diag_set(diag, err,
                        err == SEK_E_LIMIT ? "too many names for one import; split the list"
                                           : "out of memory for so many names");
}

enum sek_err sek_policydb_import_begin(struct sek_policydb *db, uint16_t list, const char *who,
                                       int64_t now_s, struct sek_diag *diag)
{
    sek_batch_free(db->import_batch);
    db->import_batch = NULL;
    enum sek_err err = sek_batch_new(&db->import_batch);
    if (err)
        return batch_fail(err, diag);
    db->import_list = list;
    db->import_s = now_s;
    db->n_fed = 0;
    size_t n = strnlen(who, sizeof db->import_who - 1);
    memcpy(db->import_who, who, n);
    db->import_who[n] = '\0';
    return sek_sql_run(db->db, CACHE_PRAGMA, diag);
}

enum sek_err sek_policydb_import_rule(struct sek_policydb *db, const struct sek_name *name,
                                      enum sek_scope scope, enum sek_action action,
                                      const char *terms, struct sek_diag *diag)
{
    uint8_t key[SEK_NAMEKEY_MAX];
    enum sek_err err = sek_batch_add(db->import_batch, key, sek_namekey_from_name(name, key),
                                     (uint8_t)scope, (uint8_t)action, terms ? terms : "");
    if (err)
        return batch_fail(err, diag);
    db->n_fed++;
    return SEK_OK;
}

enum sek_err sek_policydb_import_withdraw(struct sek_policydb *db, const struct sek_name *name,
                                          enum sek_scope scope, enum sek_action action,
                                          struct sek_diag *diag)
{
    uint8_t key[SEK_NAMEKEY_MAX];
    enum sek_err err = sek_batch_withdraw(db->import_batch, key, sek_namekey_from_name(name, key),
                                          (uint8_t)scope, (uint8_t)action);
    return err ? batch_fail(err, diag) : SEK_OK;
}

void sek_policydb_import_into(struct sek_policydb *db, uint16_t list)
{
    db->import_list = list;
}

/* Joined records in their canonical order, each once; what is too much is left out. */
static const char *terms_settle(struct merge *m, const char *terms)
{
    struct sek_terms_spec spec;
    if (m->again.n_joined == m->n_joined)
        return terms;
    m->n_joined = m->again.n_joined;
    (void)sek_terms_from_text(terms, strlen(terms), &spec, NULL);
    if (sek_terms_to_text(&spec, m->joined[m->at_joined % (SEK_POLICY_N_VALUES + 1)], NULL))
        return terms;
    return m->joined[m->at_joined++ % (SEK_POLICY_N_VALUES + 1)];
}

static void fed_next(struct merge *m)
{
    const struct sek_batch_winner winner = {.action = SEK_ACTION_PASSTHRU,
                                            .joins = SEK_ACTION_DATA};
    struct sek_batch_rule next;
    m->fed.end = !sek_batch_next(m->db->import_batch, winner, &next, &m->again);
    if (m->fed.end)
        return;
    m->fed.terms = terms_settle(m, next.terms);
    m->n_taken++;
    m->fed.key = next.key;
    m->fed.key_len = next.key_len;
    m->fed.rule.scope = next.scope;
    m->fed.rule.action = next.action;
}

/* Read the rows behind the last one of the page. */
static enum sek_err page_fill(struct sek_policydb *db, struct page *p, struct sek_diag *diag)
{
    const void *key = p->n ? p->row[p->n - 1].key : (const uint8_t *)"";
    size_t key_len = p->n ? p->row[p->n - 1].key_len : 0;
    sqlite3_bind_int(p->stmt, 1, db->import_list);
    sqlite3_bind_blob(p->stmt, 2, key, (int)key_len, SQLITE_TRANSIENT);
    sqlite3_bind_int(p->stmt, 3, p->n ? p->row[p->n - 1].rule.scope : 0);
    sqlite3_bind_int(p->stmt, 4, PAGE_ROWS);
    p->n = p->at = 0;
    sek_buf_reset(&p->texts);
    sek_buf_add(&p->texts, "", 1);
    enum sek_err err = SEK_OK;
    int rc;
    while ((rc = sqlite3_step(p->stmt)) == SQLITE_ROW && p->n < PAGE_ROWS) {
        size_t len = (size_t)sqlite3_column_bytes(p->stmt, 0);
        if (len > sizeof p->row->key) {
            err = sek_diag_set(diag, SEK_E_CORRUPT, "policy.db: an entry has no valid name");
            break;
        }
        if (len)
            memcpy(p->row[p->n].key, sqlite3_column_blob(p->stmt, 0), len);
        p->row[p->n].key_len = len;
        size_t n_terms = (size_t)sqlite3_column_bytes(p->stmt, 4);
        p->row[p->n].terms = n_terms ? p->texts.len : 0;
        if (n_terms)
            sek_buf_add(&p->texts, sqlite3_column_text(p->stmt, 4), n_terms + 1);
        p->row[p->n++].rule = (struct sek_rule){.list = db->import_list,
                                                .scope = (uint8_t)sqlite3_column_int(p->stmt, 1),
                                                .action = (uint8_t)sqlite3_column_int(p->stmt, 2),
                                                .expires_s = sqlite3_column_int64(p->stmt, 3)};
    }
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        err = sek__policydb_fail(db, rc, diag);
    sqlite3_reset(p->stmt);
    if (!err && p->texts.failed)
        err = sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    return err;
}

static enum sek_err old_next(struct merge *m, struct sek_diag *diag)
{
    struct page *p = m->page;
    enum sek_err err = SEK_OK;
    bool last = p->n > 0 && p->n < PAGE_ROWS;
    if (p->at == p->n && !last)
        err = page_fill(m->db, p, diag);
    m->old.end = p->at == p->n;
    if (err || m->old.end)
        return err;
    m->old.key = p->row[p->at].key;
    m->old.key_len = p->row[p->at].key_len;
    m->old.terms = p->texts.data + p->row[p->at].terms;
    m->old.rule = p->row[p->at++].rule;
    m->stats.n_before++;
    return sek__version_add(m->keeping, m->old.key, m->old.key_len, &m->old.rule, m->old.terms,
                            diag);
}

/* Order of (key, scope): <0, 0, >0. What has ended is behind everything. */
static int place_compare(const struct place *a, const struct place *b)
{
    if (a->end || b->end)
        return (int)a->end - (int)b->end;
    int order = memcmp(a->key, b->key, a->key_len < b->key_len ? a->key_len : b->key_len);
    if (order == 0)
        order = (a->key_len > b->key_len) - (a->key_len < b->key_len);
    return order ? order : (int)a->rule.scope - (int)b->rule.scope;
}

/* Change or delete the entry at p. */
static enum sek_err entry_do(struct merge *m, enum sek_policy_sql sql, const struct place *p,
                             struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err = sek__policydb_stmt(m->db, sql, &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_int(stmt, 1, m->db->import_list);
    sqlite3_bind_blob(stmt, 2, p->key, (int)p->key_len, SQLITE_STATIC);
    sqlite3_bind_int(stmt, 3, p->rule.scope);
    if (sql == SEK_POLICY_SQL_ENTRY_SET) {
        sqlite3_bind_int(stmt, 4, p->rule.action);
        sqlite3_bind_text(stmt, 5, p->terms, -1, SQLITE_STATIC);
    }
    return sek__policydb_do(m->db, stmt, diag);
}

/* Insert n rows, 1 or SEK_POLICY_N_VALUES of them. */
static enum sek_err fresh_insert(struct merge *m, const struct place *rows, int n,
                                 struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err = sek__policydb_stmt(
        m->db, n == 1 ? SEK_POLICY_SQL_ENTRY_INSERT : SEK_POLICY_SQL_ENTRY_INSERTS, &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_int(stmt, 1, m->db->import_list);
    sqlite3_bind_int64(stmt, 2, m->db->import_s);
    sqlite3_bind_text(stmt, 3, m->db->import_who, -1, SQLITE_STATIC);
    for (int i = 0; i < n; i++) {
        sqlite3_bind_blob(stmt, 4 + 4 * i, rows[i].key, (int)rows[i].key_len, SQLITE_STATIC);
        sqlite3_bind_int(stmt, 5 + 4 * i, rows[i].rule.scope);
        sqlite3_bind_int(stmt, 6 + 4 * i, rows[i].rule.action);
        sqlite3_bind_text(stmt, 7 + 4 * i, rows[i].terms, -1, SQLITE_STATIC);
    }
    return sek__policydb_do(m->db, stmt, diag);
}

static enum sek_err fresh_end(struct merge *m, struct sek_diag *diag)
{
    enum sek_err err = SEK_OK;
    for (int i = 0; !err && i < m->n_fresh; i++)
        err = fresh_insert(m, &m->fresh[i], 1, diag);
    return err;
}

static enum sek_err place_tell(struct merge *m, bool added, const struct place *p,
                               struct sek_diag *diag)
{
    return sek__policydb_tell(m->db, added, p->key, p->key_len, &p->rule, p->terms, diag);
}

static enum sek_err rule_new(struct merge *m, struct sek_diag *diag)
{
    m->stats.n_added++;
    m->stats.n_after++;
    m->fresh[m->n_fresh++] = m->fed;
    enum sek_err err = SEK_OK;
    if (m->n_fresh == SEK_POLICY_N_VALUES) {
        err = fresh_insert(m, m->fresh, m->n_fresh, diag);
        m->n_fresh = 0;
    }
    return err ? err : place_tell(m, true, &m->fed, diag);
}

static enum sek_err rule_gone(struct merge *m, struct sek_diag *diag)
{
    if (m->append) {
        m->stats.n_after++;
        return SEK_OK;
    }
    m->stats.n_removed++;
    enum sek_err err = entry_do(m, SEK_POLICY_SQL_ENTRY_DELETE, &m->old, diag);
    return err ? err : place_tell(m, false, &m->old, diag);
}

static enum sek_err rule_stays(struct merge *m, struct sek_diag *diag)
{
    m->stats.n_after++;
    if (m->fed.rule.action == m->old.rule.action && m->old.rule.expires_s == 0 &&
        strcmp(m->fed.terms, m->old.terms) == 0)
        return SEK_OK;
    /* somebody meant it to end; a list that is added names it for good, but not for that */
    if (m->append && m->old.rule.expires_s > m->db->import_s) {
        m->stats.n_ending++;
        return SEK_OK;
    }
    m->stats.n_changed++;
    enum sek_err err = entry_do(m, SEK_POLICY_SQL_ENTRY_SET, &m->fed, diag);
    if (!err)
        err = place_tell(m, false, &m->old, diag);
    return err ? err : place_tell(m, true, &m->fed, diag);
}

/* By the share of what was fed; a list that only loses rules shows no progress. */
static void progress_step(struct merge *m)
{
    if (!m->progress || ++m->n_steps % PROGRESS_STEPS != 0)
        return;
    uint64_t n_done = m->n_taken + m->again.n_same + m->again.n_other + m->again.n_joined;
    uint64_t permille = m->db->n_fed ? n_done * 1000 / m->db->n_fed : 0;
    m->progress(m->progress_arg, permille > 1000 ? 1000 : (unsigned)permille);
}

static enum sek_err merge_run(struct merge *m, struct sek_diag *diag)
{
    fed_next(m);
    enum sek_err err = old_next(m, diag);
    while (!err && (!m->fed.end || !m->old.end)) {
        int order = place_compare(&m->fed, &m->old);
        if (order < 0)
            err = rule_new(m, diag);
        else
            err = order > 0 ? rule_gone(m, diag) : rule_stays(m, diag);
        if (order <= 0)
            fed_next(m);
        progress_step(m);
        if (!err && order >= 0)
            err = old_next(m, diag);
    }
    return err;
}

static enum sek_err merge_all(struct merge *m, struct sek_diag *diag)
{
    m->stats.n_withdrawn = sek_batch_sort(m->db->import_batch);
    m->fed.rule.list = m->db->import_list;
    m->page = calloc(1, sizeof *m->page);
    if (!m->page)
        return sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    sek_buf_init(&m->page->texts, 0);
    enum sek_err err = sek_sql_prepare(m->db->db, page_sql, &m->page->stmt, diag);
    if (!err)
        err = merge_run(m, diag);
    if (!err)
        err = fresh_end(m, diag);
    sqlite3_finalize(m->page->stmt);
    sek_buf_fini(&m->page->texts);
    free(m->page);
    return err;
}

/* What is appended to a list is not where the list comes from, unless it is the first of it. */
static enum sek_err list_imported(struct sek_policydb *db, bool append, const char *source,
                                  struct sek_diag *diag)
{
    static const char text[] =
        "UPDATE list SET imported_s = iif(?5 AND source <> '', imported_s, ?2), changed_s = ?2,"
        " source = iif(?5 AND source <> '', source, ?3), who = ?4 WHERE id = ?1";
    sqlite3_stmt *stmt;
    enum sek_err err = sek_sql_prepare(db->db, text, &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_int(stmt, 1, db->import_list);
    sqlite3_bind_int64(stmt, 2, db->import_s);
    sqlite3_bind_text(stmt, 3, source, -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 4, db->import_who, -1, SQLITE_STATIC);
    sqlite3_bind_int(stmt, 5, append);
    err = sek__policydb_do(db, stmt, diag);
    sqlite3_finalize(stmt);
    if (!err && sqlite3_changes64(db->db) == 0)
        err = sek_diag_set(diag, SEK_E_NOTFOUND, "there is no such list");
    return err;
}

enum sek_err sek_policydb_import_end(struct sek_policydb *db, bool append, const char *source,
                                     sek_progress_fn *progress, void *arg,
                                     struct sek_import_stats *out, struct sek_diag *diag)
{
    struct merge *m = calloc(1, sizeof *m);
    if (!m)
        return sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    *m = (struct merge){.db = db, .append = append, .progress = progress, .progress_arg = arg};
    enum sek_err err = sek__version_begin(db, db->import_list, &m->keeping, diag);
    if (!err)
        err = list_imported(db, append, source, diag);
    if (!err)
        err = merge_all(m, diag);
    if (!err && m->stats.n_added + m->stats.n_removed + m->stats.n_changed > 0)
        err = sek__version_end(db, db->import_list, m->keeping, diag);
    sek__version_free(m->keeping);
    if (!err)
        err = sek__policydb_count(db, db->import_list,
                                  (int64_t)m->stats.n_after - (int64_t)m->stats.n_before, diag);
    sek_batch_free(db->import_batch);
    db->import_batch = NULL;
    m->stats.n_duplicate = m->again.n_same;
    m->stats.n_contrary = m->again.n_other;
    if (!err)
        *out = m->stats;
    free(m);
    return err;
}
