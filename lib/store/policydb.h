/* SPDX-License-Identifier: BSD-3-Clause */
/* policy.db: lists and entries as people keep them, and its compilation to policy.img +
 * policy.delta. Written by the command only, one process at a time (an immediate transaction);
 * every writer call works inside one transaction that sek_policydb_begin opened, and takes effect
 * at commit. After a call that failed the transaction is to be rolled back. One thread. */
#pragma once
#include "policy/compile.h"
#include "policy/never.h"
#include "policy/override.h"
#include "policy/terms_text.h"

struct sek_policydb;

/* write: create and migrate; else read-only (NOTFOUND when absent), after bringing an older file up
 * to date. path NULL: a fresh one in memory, to be written, for a rehearsal. */
enum sek_err sek_policydb_open(const char *path, bool write, struct sek_policydb **out,
                               struct sek_diag *diag);
void sek_policydb_close(struct sek_policydb *db);
enum sek_err sek_policydb_begin(struct sek_policydb *db, struct sek_diag *diag);
/* Raises the generation by one if lists or rules changed. A failed commit is rolled back. */
enum sek_err sek_policydb_commit(struct sek_policydb *db, struct sek_diag *diag);
void sek_policydb_rollback(struct sek_policydb *db);
/* The generation of the last commit, from 1. */
enum sek_err sek_policydb_generation(struct sek_policydb *db, uint64_t *out, struct sek_diag *diag);

/* Told of every rule that the transaction adds or removes (a changed rule: removed, then added), in
 * the order of the changes; a rollback after that makes a rehearsal. fn NULL: nobody is told. */
typedef void sek_change_fn(void *arg, bool added, const struct sek_name *name,
                           const struct sek_rule *rule, const char *terms);
void sek_policydb_watch(struct sek_policydb *db, sek_change_fn *fn, void *arg);

struct sek_list_row {
    struct sek_list list;         /* audience is the image's business: 0 */
    struct sek_audience audience; /* whom it concerns */
    char source[512];             /* where it comes from: file, URL, "local" */
    char comment[256];
    char override[SEK_OVERRIDE_TEXT_MAX];     /* canonical (policy/override.h); "": none */
    uint8_t overriding;                       /* its action, filled in; DEFAULT: none */
    bool zone;                                /* its rules are those of a policy zone */
    char who[64];                             /* who changed it last */
    int64_t created_s, changed_s, imported_s; /* imported_s 0 = never */
};
typedef bool sek_list_fn(void *arg, const struct sek_list_row *row); /* false stops */
/* What an entry with this action does in the list. */
static inline enum sek_action sek_list_row_says(const struct sek_list_row *row,
                                                enum sek_action entry)
{
    return row->overriding ? (enum sek_action)row->overriding
           : entry         ? entry
                           : (enum sek_action)row->list.action;
}

/* Built-in lists, made with the database: "local-block" (sinkhole, block mode, priority 1000) and
 * "local-allow" (passthru, block mode, priority 1000). */
#define SEK_LIST_LOCAL_BLOCK "local-block"
#define SEK_LIST_LOCAL_ALLOW "local-allow"

/* row: list.name, mode, action, priority, ede, audience, override, source, comment, who, created_s
 * are taken; list.id is filled in. EXISTS; INVALID for a name or value that no list may have; LIMIT
 * past SEK_LISTS_MAX. */
enum sek_err sek_policydb_list_add(struct sek_policydb *db, struct sek_list_row *row,
                                   struct sek_diag *diag);
/* NOTFOUND when there is none. */
enum sek_err sek_policydb_list_get(struct sek_policydb *db, const char *name,
                                   struct sek_list_row *out, struct sek_diag *diag);
/* Mode, action, priority, ede, audience, override, source, comment, who, changed_s of the list with
 * row->list.id. */
enum sek_err sek_policydb_list_set(struct sek_policydb *db, const struct sek_list_row *row,
                                   struct sek_diag *diag);
/* With all entries; its id is never used again. Built-in lists are REFUSED. progress (may be NULL):
 * called now and then, with more than 1000 as the share is not known. */
enum sek_err sek_policydb_list_remove(struct sek_policydb *db, uint16_t id,
                                      sek_progress_fn *progress, void *arg, struct sek_diag *diag);
/* By name. No lock is held while fn has a list or an entry; it may print, and wait. */
enum sek_err sek_policydb_lists(struct sek_policydb *db, sek_list_fn *fn, void *arg,
                                struct sek_diag *diag);

/* --- groups of endpoints (policy/groups.h) -------------------------------------------------------
 */

struct sek_group_row {
    struct sek_client_group group; /* its name, comment and so on are its list's */
    uint32_t n_members;            /* that have not ended */
};
/* group: id and list are filled in; name, mode and action are taken. Makes its list: exceptions,
 * for that group only. SEK_GROUP_QUARANTINE gets its own id. EXISTS; INVALID as for lists; LIMIT
 * past SEK_GROUPS_MAX. */
enum sek_err sek_policydb_group_add(struct sek_policydb *db, struct sek_client_group *group,
                                    const char *comment, const char *who, int64_t now_s,
                                    struct sek_diag *diag);
/* NOTFOUND when there is none. now_s: who has ended by then is not counted. */
enum sek_err sek_policydb_group_get(struct sek_policydb *db, const char *name, int64_t now_s,
                                    struct sek_group_row *out, struct sek_diag *diag);
/* Mode and action of the group with that id. */
enum sek_err sek_policydb_group_set(struct sek_policydb *db, const struct sek_client_group *group,
                                    struct sek_diag *diag);
/* With its members, its list, and that list's entries. REFUSED, with its name, while another list's
 * audience names it. */
enum sek_err sek_policydb_group_remove(struct sek_policydb *db,
                                       const struct sek_client_group *group, struct sek_diag *diag);
/* How many more of them there can be. */
enum sek_err sek_policydb_groups_left(struct sek_policydb *db, unsigned *out,
                                      struct sek_diag *diag);
/* By name; as sek_policydb_lists. */
typedef bool sek_group_fn(void *arg, const struct sek_group_row *row); /* false stops */
enum sek_err sek_policydb_groups(struct sek_policydb *db, int64_t now_s, sek_group_fn *fn,
                                 void *arg, struct sek_diag *diag);

struct sek_member {
    uint8_t group;
    struct sek_net net;
    int64_t expires_s; /* 0: never */
    int64_t created_s;
    char who[64];
    char comment[256]; /* the reason */
};
/* Insert or replace. *out_changed: false when it was there with the same end. */
enum sek_err sek_policydb_member_put(struct sek_policydb *db, const struct sek_member *m,
                                     bool *out_changed, struct sek_diag *diag);
/* NOTFOUND when it is none. */
enum sek_err sek_policydb_member_remove(struct sek_policydb *db, unsigned group,
                                        const struct sek_net *net, struct sek_diag *diag);
/* Of one group, or of all (0), by group and address; ended ones too. As sek_policydb_lists. */
typedef bool sek_member_fn(void *arg, const struct sek_member *m); /* false stops */
enum sek_err sek_policydb_members(struct sek_policydb *db, unsigned group, sek_member_fn *fn,
                                  void *arg, struct sek_diag *diag);

struct sek_entry {
    struct sek_name name;
    struct sek_rule rule; /* list, scope, action, expires_s */
    int64_t created_s;
    char who[64];
    char comment[256];              /* the reason */
    char terms[SEK_TERMS_TEXT_MAX]; /* canonical; rule.terms is an image's business: 0 */
};
typedef bool sek_entry_fn(void *arg, const struct sek_entry *e); /* false stops */

/* Insert, or replace the one with the same list, name and scope. *out_changed: false when the rule
 * was the same before; then who, comment and created_s are replaced only by another comment that is
 * not empty: repeating a rule must not wipe out why it is there. NOTFOUND: no such list. */
enum sek_err sek_policydb_entry_put(struct sek_policydb *db, const struct sek_entry *e,
                                    bool *out_changed, struct sek_diag *diag);
/* NOTFOUND when there is none. */
enum sek_err sek_policydb_entry_remove(struct sek_policydb *db, uint16_t list,
                                       const struct sek_name *name, enum sek_scope scope,
                                       struct sek_diag *diag);
/* Entries of a list in canonical name order. Outside a transaction, those that others add or remove
 * meanwhile may be among them or not. */
enum sek_err sek_policydb_entries(struct sek_policydb *db, uint16_t list, sek_entry_fn *fn,
                                  void *arg, struct sek_diag *diag);
/* Entries of all lists at exactly this name. */
enum sek_err sek_policydb_entries_at(struct sek_policydb *db, const struct sek_name *name,
                                     sek_entry_fn *fn, void *arg, struct sek_diag *diag);
/* Delete entries that ended at or before `before_s` (they are out of force already). Beside a
 * change that gets a row of the audit trail: that row is of what the tables hold then. */
enum sek_err sek_policydb_expire(struct sek_policydb *db, int64_t before_s, uint64_t *out_removed,
                                 struct sek_diag *diag);

/* Tell of every entry in force that sek_never_check refuses: made while its list did not block, or
 * before the name was protected. as: only those of this list, as if it were like that; NULL: of all
 * lists. why: one sentence, safe to print. A search a protected name and list, whatever the number
 * of entries. fn is called within a read of the database: it must not wait for anybody. */
typedef void sek_guarded_fn(void *arg, const char *list, const char *why);
enum sek_err sek_policydb_guarded(struct sek_policydb *db, const struct sek_never *never,
                                  const struct sek_list_row *as, int64_t now_s, sek_guarded_fn *fn,
                                  void *arg, struct sek_diag *diag);

/* Replacing a list's content: feed rules in any order, then end. Rules already there are kept with
 * their who, comment and created_s (and lose a life time); those not fed are removed. Of fed rules
 * with the same name and scope an exception counts, else the later one's action and terms, but that
 * records (action local-data) join. terms: canonical; NULL or "": none. Fast for millions; takes
 * about 50 octets of memory a rule (LIMIT past 4 GiB). One import at a time. */
struct sek_import_stats {
    uint64_t n_before, n_after;
    uint64_t n_added, n_removed;
    uint64_t n_changed;   /* there before with another action, other terms, or a life time */
    uint64_t n_duplicate; /* fed again with the same action */
    uint64_t n_contrary;  /* fed again with another one */
    uint64_t n_withdrawn; /* fed, and withdrawn */
    uint64_t n_ending;    /* appended to a list that has them with a life time: left alone */
};
/* Feeding needs no transaction yet, and should have none while it waits for input. list: 0 if it is
 * not known yet; then sek_policydb_import_into names it before the end. */
enum sek_err sek_policydb_import_begin(struct sek_policydb *db, uint16_t list, const char *who,
                                       int64_t now_s, struct sek_diag *diag);
enum sek_err sek_policydb_import_rule(struct sek_policydb *db, const struct sek_name *name,
                                      enum sek_scope scope, enum sek_action action,
                                      const char *terms, struct sek_diag *diag);
/* A rule that is fed with this name, scope and action, and no terms, does not count. */
enum sek_err sek_policydb_import_withdraw(struct sek_policydb *db, const struct sek_name *name,
                                          enum sek_scope scope, enum sek_action action,
                                          struct sek_diag *diag);
void sek_policydb_import_into(struct sek_policydb *db, uint16_t list);
/* Within a transaction. append: keep rules that were not fed, and those with a life time that has
 * not ended. Sets imported_s and source (not when something is appended to a list that has a
 * source). progress may be NULL. */
enum sek_err sek_policydb_import_end(struct sek_policydb *db, bool append, const char *source,
                                     sek_progress_fn *progress, void *arg,
                                     struct sek_import_stats *out, struct sek_diag *diag);

/* A resolver that runs has this generation, or had it: what the next compilations write passes it,
 * unless it is in the files. Else a resolver that holds files of another database would seem to
 * have them. */
void sek_policydb_seen(struct sek_policydb *db, uint64_t generation);
/* Bring the compiled files in `dir` to the database's state, outside a transaction, on a database
 * opened for writing. Chooses by itself between a delta (few names changed since the image was
 * built) and a full image. full: always the image. A damaged, missing or foreign image is rebuilt;
 * files that are up to date are left alone. Entries that ended by now_s are left out. Takes the
 * lock file in `dir`, so that two commands do not cross: BUSY after a minute. A failure leaves the
 * files in force as they were. What they replace is kept beside them (policy.h). out (may be NULL):
 * the file that has the database's generation now.
 */
enum sek_err sek_policydb_compile(struct sek_policydb *db, const char *dir, int64_t now_s,
                                  bool full, sek_progress_fn *progress, void *arg,
                                  struct sek_image_info *out, struct sek_diag *diag);
/* What the transaction at hand makes of the policy, into the empty folder `aside`: an image, or a
 * delta for the image in `dir`, the folder of the files in force, which are not touched. */
enum sek_err sek_policydb_compile_aside(struct sek_policydb *db, const char *dir, const char *aside,
                                        int64_t now_s, struct sek_diag *diag);

/* What sek_policydb_compile would write now, on a database open for reading: nothing is changed. */
enum sek_policydb_wanted {
    SEK_POLICYDB_WANTED_NOTHING,
    SEK_POLICYDB_WANTED_DELTA,
    SEK_POLICYDB_WANTED_IMAGE,
};
enum sek_err sek_policydb_wanted(struct sek_policydb *db, const char *dir, bool full,
                                 enum sek_policydb_wanted *out, struct sek_diag *diag);
