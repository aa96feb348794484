/* SPDX-License-Identifier: BSD-3-Clause */
/* policy.db: lists and entries as people keep them, and its compilation to policy.img + policy.delta.
 * Written by the command only, one process at a time (an immediate transaction); every writer call works
 * inside one transaction that sek_policydb_begin opened, and takes effect at commit. One thread. */
#pragma once
#include "policy/compile.h"
#include "policy/never.h"

struct sek_policydb;

/* write: create and migrate; else read-only (NOTFOUND when absent). */
enum sek_err sek_policydb_open(const char *path, bool write, struct sek_policydb **out,
                               struct sek_diag *diag);
void sek_policydb_close(struct sek_policydb *db);
enum sek_err sek_policydb_begin(struct sek_policydb *db, struct sek_diag *diag);
/* Commit raises the generation by one if anything changed. */
enum sek_err sek_policydb_commit(struct sek_policydb *db, struct sek_diag *diag);
void sek_policydb_rollback(struct sek_policydb *db);
/* The generation of the last commit. */
enum sek_err sek_policydb_generation(struct sek_policydb *db, uint64_t *out,
                                     struct sek_diag *diag);

struct sek_list_row {
    struct sek_list list;
    char source[512];  /* where it comes from: file, URL, "local" */
    char comment[256];
    char who[64];      /* who changed it last */
    int64_t created_s, changed_s, imported_s; /* imported_s 0 = never */
};
typedef bool sek_list_fn(void *arg, const struct sek_list_row *row); /* false stops */

/* Built-in lists, made with the database: "local-block" (sinkhole, block mode, priority 1000) and
 * "local-allow" (passthru, block mode, priority 1000). */
#define SEK_LIST_LOCAL_BLOCK "local-block"
#define SEK_LIST_LOCAL_ALLOW "local-allow"

/* row: list.name, mode, action, priority, ede, source, comment, who are taken; id is filled in. EXISTS. */
enum sek_err sek_policydb_list_add(struct sek_policydb *db, struct sek_list_row *row,
                                   struct sek_diag *diag);
enum sek_err sek_policydb_list_get(struct sek_policydb *db, const char *name,
                                   struct sek_list_row *out, struct sek_diag *diag);
/* Mode, action, priority, ede, source, comment, who of the list with row->list.id. */
enum sek_err sek_policydb_list_set(struct sek_policydb *db, const struct sek_list_row *row,
                                   struct sek_diag *diag);
/* With all entries. Built-in lists are REFUSED. */
enum sek_err sek_policydb_list_remove(struct sek_policydb *db, uint16_t id, struct sek_diag *diag);
enum sek_err sek_policydb_lists(struct sek_policydb *db, sek_list_fn *fn, void *arg,
                                struct sek_diag *diag);

struct sek_entry {
    struct sek_name name;
    struct sek_rule rule; /* list, scope, action, expires_s */
    int64_t created_s;
    char who[64];
    char comment[256]; /* the reason */
};
typedef bool sek_entry_fn(void *arg, const struct sek_entry *e); /* false stops */

/* Insert, or replace the one with the same list, name and scope. *out_changed: false when it was the
 * same before (who, comment and times are not compared). */
enum sek_err sek_policydb_entry_put(struct sek_policydb *db, const struct sek_entry *e,
                                    bool *out_changed, struct sek_diag *diag);
/* NOTFOUND when there is none. */
enum sek_err sek_policydb_entry_remove(struct sek_policydb *db, uint16_t list,
                                       const struct sek_name *name, enum sek_scope scope,
                                       struct sek_diag *diag);
/* Entries of a list in canonical name order. */
enum sek_err sek_policydb_entries(struct sek_policydb *db, uint16_t list, sek_entry_fn *fn,
                                  void *arg, struct sek_diag *diag);
/* Entries of all lists at exactly this name. */
enum sek_err sek_policydb_entries_at(struct sek_policydb *db, const struct sek_name *name,
                                     sek_entry_fn *fn, void *arg, struct sek_diag *diag);
/* Delete entries that ended before `before_s` (they are out of force already). */
enum sek_err sek_policydb_expire(struct sek_policydb *db, int64_t before_s, uint64_t *out_removed,
                                 struct sek_diag *diag);

/* Replacing a list's content: feed rules, then end. Rules already there are kept with their who and
 * created_s; those not fed are removed. Fast for millions. */
struct sek_import_stats {
    uint64_t n_before, n_after, n_added, n_removed, n_duplicate;
};
enum sek_err sek_policydb_import_begin(struct sek_policydb *db, uint16_t list, const char *who,
                                       int64_t now_s, struct sek_diag *diag);
enum sek_err sek_policydb_import_rule(struct sek_policydb *db, const struct sek_name *name,
                                      enum sek_scope scope, enum sek_action action,
                                      struct sek_diag *diag);
/* append: keep rules that were not fed. Sets imported_s and source. */
enum sek_err sek_policydb_import_end(struct sek_policydb *db, bool append, const char *source,
                                     struct sek_import_stats *out, struct sek_diag *diag);

/* Bring the compiled files in `dir` to the database's state. Chooses by itself between a delta (few
 * names changed since the image was built) and a full image. full: always the image. A damaged or
 * missing image is rebuilt. Takes the folder's lock, so that two commands do not cross. */
enum sek_err sek_policydb_compile(struct sek_policydb *db, const char *dir, bool full,
                                  sek_progress_fn *progress, void *arg,
                                  struct sek_image_info *out, struct sek_diag *diag);
