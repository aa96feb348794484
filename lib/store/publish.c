/* SPDX-License-Identifier: BSD-3-Clause */
/* From policy.db to policy.img and policy.delta. The order of steps is such that a crash between
 * any two leaves readers with a whole policy: image: renamed into place; the old delta does not fit
 * it any more and is removed; the database notes the image's id. A crash before the note: the id on
 * disk is unknown, so the next run builds another image. delta: renamed into place; nothing is to
 * be noted. Whoever holds the lock file is alone with the files; the database stays open to writers
 * but for the time its entries are read. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>
#include "base/file.h"
#include "name/text.h"
#include "policy/groups_write.h"
#include "policy/nets_write.h"
#include "policy/patterns_write.h"
#include "policy/policy.h"
#include "policy/terms_write.h"
#include "store/policydb_parts.h"
#include "base/banned.h"

#define LOCK_FILE "lock"
#define LOCK_WAIT_MS 60000 /* as long as an image of some ten million names takes */
#define LOCK_STEP_MS 20
#define BUSY_MS 60000  /* for the note: a command that imports millions may hold the database */
#define READ_SHARE 400 /* of 1000 steps of progress; the rest is writing */

struct publish {
    struct sek_policydb *db;
    char image[512], delta[512];
    int folder; /* of both, for the files kept beside them */
    int64_t now_s;
    sek_progress_fn *progress;
    void *progress_arg;
    struct sek_compile *compile;
    /* what is on disk: */
    struct sek_image_info on_disk;       /* of the image; id 0: none that can be used */
    struct sek_image_info delta_on_disk; /* id 0: none that fits */
    bool delta_damaged;
    bool patterns_stale; /* made by another Hyperscan */
};

static enum sek_err path_join(const char *dir, const char *file, char out[512],
                              struct sek_diag *diag)
{
    int n = snprintf(out, 512, "%s/%s", dir, file);
    if (n < 0 || n >= 512)
        return sek_diag_set(diag, SEK_E_LIMIT, "the path of %s is too long", file);
    return SEK_OK;
}

static enum sek_err lock_take(const char *dir, int *out_fd, struct sek_diag *diag)
{
    char path[512];
    enum sek_err err = path_join(dir, LOCK_FILE, path, diag);
    if (err)
        return err;
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return sek_diag_set(diag, sek_err_from_errno(errno), "%s: %s", path,
                            sek_err_text(sek_err_from_errno(errno)));
    const struct timespec step = {.tv_nsec = LOCK_STEP_MS * 1000000L};
    for (int waited_ms = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; waited_ms += LOCK_STEP_MS) {
        if (waited_ms >= LOCK_WAIT_MS) {
            close(fd);
            return sek_diag_set(diag, SEK_E_BUSY, "%s: another command is compiling the policy",
                                path);
        }
        nanosleep(&step, NULL);
    }
    *out_fd = fd;
    return SEK_OK;
}

/* Expressions that are the same are taken over. Those of another Hyperscan are to be compiled anew.
 */
static void patterns_look(struct publish *p, const struct sek_buf *part)
{
    if (part->len && !sek_patterns_are_current(part->data, part->len))
        p->patterns_stale = true;
    else if (part->len && p->compile)
        sek_patterns_writer_reuse(sek_compile_patterns(p->compile), part->data, part->len);
}

static enum sek_err file_look(struct publish *p, const char *path, struct sek_image_info *out)
{
    struct sek_buf patterns;
    sek_buf_init(&patterns, 0);
    enum sek_err err = sek_image_survey(path, out, &patterns, NULL);
    if (!err)
        patterns_look(p, &patterns);
    sek_buf_fini(&patterns);
    return err;
}

/* What readers of the folder see now. Whatever cannot be opened counts as absent. */
static void disk_look(struct publish *p)
{
    file_look(p, p->image, &p->on_disk);
    enum sek_err err = file_look(p, p->delta, &p->delta_on_disk);
    p->delta_damaged = err != SEK_OK && err != SEK_E_NOTFOUND;
    if (p->delta_on_disk.base_id != p->on_disk.id)
        memset(&p->delta_on_disk, 0, sizeof p->delta_on_disk);
}

/* The generation that readers have, or may have had. */
static uint64_t disk_generation(const struct publish *p)
{
    return p->delta_on_disk.id ? p->delta_on_disk.generation : p->on_disk.generation;
}

struct lists_arg {
    struct publish *p;
    struct sek_diag *diag;
    enum sek_err err;
};

static bool list_add(void *arg, const struct sek_list_row *row)
{
    struct lists_arg *a = arg;
    struct sek_list list = row->list;
    a->err = sek_groups_writer_audience(sek_compile_groups(a->p->compile), &row->audience,
                                        &list.audience, a->diag);
    if (!a->err)
        a->err = sek_compile_list(a->p->compile, &list, a->diag);
    struct sek_override_spec spec;
    if (!a->err && row->overriding)
        a->err = sek_override_from_text(row->override, &spec, a->diag);
    if (!a->err && (row->overriding || row->zone))
        a->err = sek_compile_override(a->p->compile, list.id, row->overriding ? &spec : NULL,
                                      row->zone, a->diag);
    return a->err == SEK_OK;
}

static bool group_add(void *arg, const struct sek_group_row *row)
{
    struct lists_arg *a = arg;
    a->err = sek_groups_writer_add(sek_compile_groups(a->p->compile), &row->group, a->diag);
    return a->err == SEK_OK;
}

static bool member_add(void *arg, const struct sek_member *m)
{
    struct lists_arg *a = arg;
    if (m->expires_s && m->expires_s <= a->p->now_s)
        return true;
    a->err = sek_groups_writer_member(sek_compile_groups(a->p->compile), m->group, &m->net,
                                      m->expires_s, a->diag);
    return a->err == SEK_OK;
}

/* Lists, and the groups of endpoints that they may be for: small, and in every file. */
static enum sek_err lists_add(struct publish *p, struct sek_diag *diag)
{
    struct lists_arg a = {.p = p, .diag = diag};
    enum sek_err err = sek_policydb_groups(p->db, p->now_s, group_add, &a, diag);
    if (!err && !a.err)
        err = sek_policydb_members(p->db, 0, member_add, &a, diag);
    if (!err && !a.err)
        err = sek_policydb_lists(p->db, list_add, &a, diag);
    return err ? err : a.err;
}

/* The terms of a row (name, list, scope, action, expires_s, terms), and their number here. */
static enum sek_err terms_add(struct publish *p, sqlite3_stmt *stmt, struct sek_rule *io,
                              struct sek_diag *diag)
{
    uint32_t number = 0;
    size_t len = (size_t)sqlite3_column_bytes(stmt, 5);
    if (len == 0)
        return SEK_OK;
    enum sek_err err =
        sek_terms_writer_add(sek_compile_terms(p->compile),
                             (const char *)sqlite3_column_text(stmt, 5), len, &number, diag);
    if (err) {
        struct sek_name name;
        char text[SEK_NAME_TEXT_MAX + 2] = "";
        if (!sek__policydb_name(stmt, 0, &name, NULL))
            sek_rule_to_text((enum sek_scope)sqlite3_column_int(stmt, 2), name.octets, text);
        sek_diag_wrap(diag, "the rule %s", text);
    }
    io->terms = number & SEK_TERMS_MAX;
    return err;
}

/* The rule of such a row. */
static enum sek_err rule_add(struct publish *p, sqlite3_stmt *stmt, struct sek_diag *diag)
{
    struct sek_name name;
    struct sek_rule rule = {.list = (uint16_t)sqlite3_column_int(stmt, 1),
                            .scope = (uint8_t)sqlite3_column_int(stmt, 2),
                            .action = (uint8_t)sqlite3_column_int(stmt, 3),
                            .expires_s = sqlite3_column_int64(stmt, 4)};
    if (rule.expires_s && rule.expires_s <= p->now_s)
        return SEK_OK;
    enum sek_err err = sek__policydb_name(stmt, 0, &name, diag);
    enum sek_about about = sek_about_of(&name);
    if (err || sek_about_is_net(about)) /* those stand elsewhere: nets_read */
        return err;
    if (about == SEK_ABOUT_REGEX) {
        err = sek_patterns_writer_add(sek_compile_patterns(p->compile), &name, diag);
        if (err)
            return err;
    }
    err = terms_add(p, stmt, &rule, diag);
    return err ? err : sek_compile_rule(p->compile, name.octets, name.len, &rule, diag);
}

static enum sek_err net_add(struct publish *p, sqlite3_stmt *stmt, struct sek_diag *diag)
{
    struct sek_name name;
    struct sek_rule rule = {.list = (uint16_t)sqlite3_column_int(stmt, 1),
                            .action = (uint8_t)sqlite3_column_int(stmt, 3),
                            .expires_s = sqlite3_column_int64(stmt, 4)};
    if (rule.expires_s && rule.expires_s <= p->now_s)
        return SEK_OK;
    enum sek_err err = sek__policydb_name(stmt, 0, &name, diag);
    enum sek_about about = sek_about_of(&name);
    if (err || about == SEK_ABOUT_NAME || about == SEK_ABOUT_REGEX)
        return err;
    sek_compile_place(p->compile, &name);
    if (about != SEK_ABOUT_CLIENT_IP)
        sek_compile_answers(p->compile, rule.list);
    struct sek_net net;
    bool is_net = sek_about_is_net(about);
    if (!is_net && about != SEK_ABOUT_NSDNAME)
        return SEK_OK;
    if (is_net && sek_about_to_net(&name, &net, NULL) != SEK_OK)
        return SEK_OK; /* was taken for a name by an older version */
    err = terms_add(p, stmt, &rule, diag);
    return err ? err : sek_nets_writer_add(sek_compile_nets(p->compile), &name, &rule, diag);
}

/* Step through a statement that gives rows for `add`, and end it. n_rows: about how many, for the
 * progress. */
static enum sek_err rows_add(struct publish *p, const char *text, uint64_t n_rows,
                             enum sek_err (*add)(struct publish *, sqlite3_stmt *,
                                                 struct sek_diag *),
                             struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err = sek_sql_prepare(p->db->db, text, &stmt, diag);
    uint64_t a_step = n_rows / READ_SHARE + 1, n = 0;
    int rc = SQLITE_DONE;
    while (!err && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        err = add(p, stmt, diag);
        if (p->progress && ++n % a_step == 0 && n / a_step <= READ_SHARE)
            p->progress(p->progress_arg, (unsigned)(n / a_step));
    }
    if (!err && rc != SQLITE_DONE)
        err = sek__policydb_fail(p->db, rc, diag);
    sqlite3_finalize(stmt);
    return err;
}

static enum sek_err removed_add(struct publish *p, sqlite3_stmt *stmt, struct sek_diag *diag)
{
    struct sek_name name;
    enum sek_err err = sek__policydb_name(stmt, 0, &name, diag);
    if (err || sek_about_is_net(sek_about_of(&name)))
        return err;
    return sek_compile_removed(p->compile, name.octets, name.len, diag);
}

/* All that is not about names: in every file, as lists are. Their last labels begin with "rpz-",
 * which keys have first. */
static enum sek_err nets_read(struct publish *p, struct sek_diag *diag)
{
    return rows_add(p,
                    "SELECT name, list, scope, action, expires_s, terms"
                    " FROM (SELECT id FROM list WHERE n_entries > 0) CROSS JOIN entry"
                    " ON entry.list = id AND name >= CAST('rpz-' AS BLOB)"
                    " AND name < CAST('rpz.' AS BLOB)",
                    UINT64_MAX /* no progress of its own */, net_add, diag);
}

static enum sek_err image_read(struct publish *p, struct sek_diag *diag)
{
    int64_t n_entries;
    enum sek_err err =
        sek_sql_int(p->db->db, "SELECT total(n_entries) FROM list", &n_entries, diag);
    if (err)
        return err;
    return rows_add(p, "SELECT name, list, scope, action, expires_s, terms FROM entry",
                    (uint64_t)n_entries, rule_add, diag);
}

/* Every changed name, as removed; then the rules that those have which are still there: one search
 * of the primary key a list and name, lists outside so that the searches go forward through the
 * file. */
static enum sek_err delta_read(struct publish *p, struct sek_diag *diag)
{
    enum sek_err err = rows_add(p, "SELECT name FROM dirty", 0, removed_add, diag);
    if (err)
        return err;
    return rows_add(p,
                    "SELECT entry.name, entry.list, scope, action, expires_s, terms"
                    " FROM (SELECT id FROM list WHERE n_entries > 0) CROSS JOIN dirty"
                    " CROSS JOIN entry ON entry.list = id AND entry.name = dirty.name",
                    SEK_DIRTY_MIN, rule_add, diag);
}

static void progress_write(void *arg, unsigned permille)
{
    const struct publish *p = arg;
    p->progress(p->progress_arg, READ_SHARE + permille * (1000 - READ_SHARE) / 1000);
}

/* The note in the database that counting starts from this image. What changed while it was built
 * stays noted. */
static enum sek_err image_note(struct publish *p, const struct sek_image_info *info,
                               struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err = sek_sql_run(p->db->db, "BEGIN IMMEDIATE", diag);
    if (!err)
        err = sek__policydb_stmt(p->db, SEK_POLICY_SQL_BUILT, &stmt, diag);
    if (!err) {
        sqlite3_bind_int64(stmt, 1, (int64_t)info->id);
        sqlite3_bind_int64(stmt, 2, (int64_t)info->generation);
        err = sek__policydb_do(p->db, stmt, diag);
    }
    if (!err)
        err = sek__policydb_stmt(p->db, SEK_POLICY_SQL_DIRTY_CLEAR, &stmt, diag);
    if (!err) {
        sqlite3_bind_int64(stmt, 1, (int64_t)info->generation);
        err = sek__policydb_do(p->db, stmt, diag);
    }
    if (!err)
        err = sek_sql_run(p->db->db, "COMMIT", diag);
    if (err) {
        sek_policydb_rollback(p->db);
        sek_diag_wrap(diag, "the policy is compiled, but policy.db could not note it");
    }
    return err;
}

/* A database older than the files (brought back from a copy), or than what a resolver has: its
 * generation must pass theirs, or nobody could tell when it is in force. */
static enum sek_err generation_outdo(struct publish *p, struct sek_diag *diag)
{
    struct sek_policydb_state state;
    sqlite3_stmt *stmt;
    enum sek_err err = sek__policydb_state(p->db, &state, diag);
    if (err)
        return err;
    uint64_t on_disk = disk_generation(p), seen = p->db->seen;
    /* what is seen of these very files is not outdone: they may stay as they are */
    bool ours = p->on_disk.id && p->on_disk.id == state.image_id && on_disk >= seen;
    uint64_t least = on_disk > state.generation ? on_disk + 1 : 0;
    if (!ours && seen >= state.generation && seen >= least)
        least = seen + 1;
    if (!least)
        return SEK_OK;
    err = sek__policydb_stmt(p->db, SEK_POLICY_SQL_OUTDO, &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_int64(stmt, 1, (int64_t)least);
    return sek__policydb_do(p->db, stmt, diag);
}

void sek_policydb_seen(struct sek_policydb *db, uint64_t generation)
{
    db->seen = generation;
}

static enum sek_policydb_wanted wanted_of(const struct publish *p,
                                          const struct sek_policydb_state *state, bool full)
{
    if (full || state->full_due || p->patterns_stale || p->on_disk.id == 0 ||
        p->on_disk.id != state->image_id)
        return SEK_POLICYDB_WANTED_IMAGE;
    if (p->delta_damaged || disk_generation(p) != state->generation)
        return SEK_POLICYDB_WANTED_DELTA;
    return SEK_POLICYDB_WANTED_NOTHING;
}

/* Choose and read in one transaction, so that both see the same state. */
static enum sek_err database_read(struct publish *p, bool full,
                                  enum sek_policydb_wanted *out_wanted,
                                  struct sek_image_info *out_info, struct sek_diag *diag)
{
    struct sek_policydb_state state;
    enum sek_err err = sek_sql_run(p->db->db, "BEGIN", diag);
    if (!err)
        err = sek__policydb_state(p->db, &state, diag);
    if (!err) {
        *out_wanted = wanted_of(p, &state, full);
        *out_info = (struct sek_image_info){
            .base_id = *out_wanted == SEK_POLICYDB_WANTED_DELTA ? p->on_disk.id : 0,
            .generation = state.generation,
            .made_s = p->now_s};
    }
    if (!err && *out_wanted != SEK_POLICYDB_WANTED_NOTHING) {
        err = lists_add(p, diag);
        if (!err)
            err = nets_read(p, diag);
        if (!err)
            err = *out_wanted == SEK_POLICYDB_WANTED_IMAGE ? image_read(p, diag)
                                                           : delta_read(p, diag);
    }
    if (!sqlite3_get_autocommit(p->db->db))
        sek_sql_run(p->db->db, "ROLLBACK", NULL);
    return err;
}

/* --- what was in force before --------------------------------------------------------------------
 * It is kept, for the case that the newest files turn out damaged when a resolver starts. A second
 * name holds the file that is about to be replaced, and becomes that of the kept file once the new
 * one is in place. A file system without second names keeps nothing, which is no reason not to
 * publish. Only what is whole is kept, so that damage never displaces something sound. */

#define KEEP_AT ".keep" /* a second name meanwhile; the next run removes one that a crash left */

static void keep_begin(const struct publish *p, bool image)
{
    const char *name = image ? SEK_POLICY_IMAGE : SEK_POLICY_DELTA;
    const char *aside = image ? SEK_POLICY_IMAGE KEEP_AT : SEK_POLICY_DELTA KEEP_AT;
    unlinkat(p->folder, SEK_POLICY_IMAGE KEEP_AT, 0);
    unlinkat(p->folder, SEK_POLICY_DELTA KEEP_AT, 0);
    if (p->on_disk.id && !p->delta_damaged && (image || p->delta_on_disk.id))
        (void)!linkat(p->folder, name, p->folder, aside, 0);
}

static void keep_undo(const struct publish *p)
{
    unlinkat(p->folder, SEK_POLICY_IMAGE KEEP_AT, 0);
    unlinkat(p->folder, SEK_POLICY_DELTA KEEP_AT, 0);
}

/* After a new delta: the one before it. After a new image: the one before it, with its delta. */
static void keep_end(const struct publish *p, bool image)
{
    int d = p->folder;
    if (!image) {
        (void)!renameat(d, SEK_POLICY_DELTA KEEP_AT, d, SEK_POLICY_DELTA_PREV);
        return;
    }
    unlinkat(d, SEK_POLICY_DELTA_PREV, 0); /* of the image before */
    if (renameat(d, SEK_POLICY_IMAGE KEEP_AT, d, SEK_POLICY_IMAGE_PREV) != 0)
        return;
    if (p->delta_on_disk.id)
        (void)!renameat(d, SEK_POLICY_DELTA, d, SEK_POLICY_IMAGE_PREV_DELTA);
    else
        unlinkat(d, SEK_POLICY_IMAGE_PREV_DELTA, 0);
}

static enum sek_err publish_write(struct publish *p, bool image, struct sek_image_info *info,
                                  struct sek_diag *diag)
{
    keep_begin(p, image);
    enum sek_err err = sek_compile_write(p->compile, image ? p->image : p->delta, info,
                                         p->progress ? progress_write : NULL, p, diag);
    if (err)
        keep_undo(p);
    else
        keep_end(p, image);
    return err;
}

static enum sek_err publish_run(struct publish *p, bool full, struct sek_image_info *out,
                                struct sek_diag *diag)
{
    enum sek_policydb_wanted wanted = SEK_POLICYDB_WANTED_NOTHING;
    struct sek_image_info info;
    enum sek_err err = sek_compile_new(0, &p->compile, diag);
    if (!err) {
        disk_look(p);
        err = generation_outdo(p, diag);
    }
    if (!err)
        err = database_read(p, full, &wanted, &info, diag);
    if (err)
        return err;
    if (wanted == SEK_POLICYDB_WANTED_NOTHING) {
        *out = p->delta_on_disk.id ? p->delta_on_disk : p->on_disk;
        return SEK_OK;
    }
    err = publish_write(p, wanted == SEK_POLICYDB_WANTED_IMAGE, &info, diag);
    /* the delta is of another image: readers leave it out, but for a damaged one they would stop */
    if (!err && wanted == SEK_POLICYDB_WANTED_IMAGE && unlink(p->delta) != 0 && errno != ENOENT)
        err = sek_diag_set(diag, sek_err_from_errno(errno), "cannot remove %s", p->delta);
    if (!err && wanted == SEK_POLICYDB_WANTED_IMAGE)
        err = image_note(p, &info, diag);
    if (!err)
        *out = info;
    return err;
}

enum sek_err sek_policydb_compile(struct sek_policydb *db, const char *dir, int64_t now_s,
                                  bool full, sek_progress_fn *progress, void *arg,
                                  struct sek_image_info *out, struct sek_diag *diag)
{
    struct publish p = {.db = db, .now_s = now_s, .progress = progress, .progress_arg = arg};
    struct sek_image_info info;
    int64_t busy_ms;
    int lock = -1;
    enum sek_err err = path_join(dir, SEK_POLICY_IMAGE, p.image, diag);
    if (!err)
        err = path_join(dir, SEK_POLICY_DELTA, p.delta, diag);
    if (!err)
        err = lock_take(dir, &lock, diag);
    if (err)
        return err;
    p.folder = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    err = sek_sql_int(db->db, "PRAGMA busy_timeout", &busy_ms, diag);
    if (!err) {
        sqlite3_busy_timeout(db->db, BUSY_MS);
        err = publish_run(&p, full, &info, diag);
        sqlite3_busy_timeout(db->db, (int)busy_ms);
    }
    sek_compile_free(p.compile);
    if (p.folder >= 0)
        close(p.folder);
    close(lock);
    if (!err && out)
        *out = info;
    return err;
}

/* A delta for the image on disk where that will do. */
static enum sek_err aside_write(struct publish *p, const char *aside, struct sek_diag *diag)
{
    struct sek_policydb_state state;
    char path[512];
    enum sek_err err = sek__policydb_state(p->db, &state, diag);
    if (err)
        return err;
    bool whole = wanted_of(p, &state, false) == SEK_POLICYDB_WANTED_IMAGE;
    struct sek_image_info info = {
        .base_id = whole ? 0 : p->on_disk.id, .generation = state.generation, .made_s = p->now_s};
    err = lists_add(p, diag);
    if (!err)
        err = nets_read(p, diag);
    if (!err)
        err = whole ? image_read(p, diag) : delta_read(p, diag);
    if (!err)
        err = path_join(aside, whole ? SEK_POLICY_IMAGE : SEK_POLICY_DELTA, path, diag);
    return err ? err : sek_compile_write(p->compile, path, &info, NULL, NULL, diag);
}

enum sek_err sek_policydb_compile_aside(struct sek_policydb *db, const char *dir, const char *aside,
                                        int64_t now_s, struct sek_diag *diag)
{
    struct publish p = {.db = db, .now_s = now_s};
    enum sek_err err = path_join(dir, SEK_POLICY_IMAGE, p.image, diag);
    if (!err)
        err = path_join(dir, SEK_POLICY_DELTA, p.delta, diag);
    if (!err)
        err = sek_compile_new(0, &p.compile, diag);
    if (!err) {
        disk_look(&p);
        err = aside_write(&p, aside, diag);
    }
    sek_compile_free(p.compile);
    return err;
}

enum sek_err sek_policydb_wanted(struct sek_policydb *db, const char *dir, bool full,
                                 enum sek_policydb_wanted *out, struct sek_diag *diag)
{
    struct publish p = {.db = db};
    struct sek_policydb_state state;
    enum sek_err err = path_join(dir, SEK_POLICY_IMAGE, p.image, diag);
    if (!err)
        err = path_join(dir, SEK_POLICY_DELTA, p.delta, diag);
    if (!err)
        err = sek__policydb_state(db, &state, diag);
    if (err)
        return err;
    disk_look(&p);
    *out = wanted_of(&p, &state, full);
    return SEK_OK;
}
