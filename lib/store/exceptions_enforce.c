/* SPDX-License-Identifier: BSD-3-Clause */
/* Exceptions become rules: what is wanted is computed anew from all of them, and the lists are
 * brought to it, so that no order of steps can leave a rule behind. */
#include "base/duration.h"
#include "base/hash.h"
#include "store/exceptions.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "store/policydb_parts.h"
#include "base/banned.h"

#define PRIORITY 1000
#define EDE_BLOCKED 15   /* RFC 8914 §4.16; never used by what passes */
#define OWN "exception-" /* and its number: list of one exception, group of its endpoints */
#define WORDS_MAX 512

/* Endpoints that exceptions in force are for. Those for the same ones share a group: there are few.
 * It has the name of the exception that it was made for, and stays as long as any other needs it.
 */
struct endpoints {
    char key[1024]; /* as e->endpoints, sorted */
    char group[SEK_LIST_NAME_MAX];
    uint8_t id;        /* of the group; 0: none yet */
    int64_t expires_s; /* the last end of theirs; 0: never */
    bool has_members;  /* this time */
};

struct enforcing {
    struct sek_policydb *db;
    const char *who;
    int64_t now_s;
    struct sek_diag *diag;
    struct sek_buf wanted; /* struct sek_entry */
    struct sek_buf keys;   /* uint64_t: hashes of their places, for the search */
    struct sek_buf found;  /* struct sek_entry: those that are there */
    struct sek_buf own;    /* int64_t: exceptions whose list, or group, is needed */
    struct sek_buf sets;   /* struct endpoints */
    const struct sek_exceptions_doubted *doubted;
    struct sek_buf held; /* int64_t: those of them whose rules stay as they are */
    bool changed;
    enum sek_err err;
};

/* --- what is wanted ------------------------------------------------------------------------------
 */

static bool is_same_place(const struct sek_entry *a, const struct sek_entry *b)
{
    return a->rule.list == b->rule.list && a->rule.scope == b->rule.scope &&
           a->name.len == b->name.len && memcmp(a->name.octets, b->name.octets, a->name.len) == 0;
}

/* Where there are thousands, a search through their hashes takes milliseconds. */
static uint64_t place_hash(const struct sek_entry *e)
{
    static const struct sek_hash_key key; /* the names were approved: nobody aims at it */
    uint8_t text[SEK_NAME_MAX + 3];
    text[0] = (uint8_t)(e->rule.list >> 8);
    text[1] = (uint8_t)e->rule.list;
    text[2] = e->rule.scope;
    memcpy(text + 3, e->name.octets, e->name.len);
    return sek_hash(&key, text, e->name.len + 3U);
}

/* The wanted entry at the same place; NULL: none. */
static struct sek_entry *wanted_find(const struct enforcing *x, const struct sek_entry *e)
{
    struct sek_entry *all = (void *)x->wanted.data;
    const uint64_t *keys = (const void *)x->keys.data;
    uint64_t hash = place_hash(e);
    for (size_t i = 0; i < x->keys.len / sizeof *keys; i++)
        if (keys[i] == hash && is_same_place(&all[i], e))
            return &all[i];
    return NULL;
}

static bool lasts_longer(int64_t a, int64_t b)
{
    return b != 0 && (a == 0 || a > b);
}

/* Its terms, and its start where that is later. */
static enum sek_err terms_make(struct enforcing *x, const struct sek_exception *e,
                               char out[SEK_TERMS_TEXT_MAX])
{
    struct sek_terms_spec spec = {0};
    char start[32];
    enum sek_err err = sek_terms_from_text(e->terms, strlen(e->terms), &spec, x->diag);
    if (!err && sek_exception_is_later(e))
        err = sek_terms_add(&spec, "start", sek_time_to_text(e->start_s, start, sizeof start),
                            x->diag);
    if (!err)
        err = sek_terms_to_text(&spec, out, x->diag);
    return err ? sek_diag_wrap(x->diag, "exception %lld", (long long)e->id) : SEK_OK;
}

static enum sek_err want(struct enforcing *x, uint16_t list, const struct sek_exception *e)
{
    struct sek_entry fresh = {
        .name = e->name,
        .rule = {.list = list, .scope = e->scope, .expires_s = e->end_s},
        .created_s = e->decided.time_s,
    };
    snprintf(fresh.who, sizeof fresh.who, "%s", e->decided.who);
    snprintf(fresh.comment, sizeof fresh.comment, "exception %lld: %.220s", (long long)e->id,
             e->reason);
    enum sek_err err = terms_make(x, e, fresh.terms);
    if (err)
        return err;
    struct sek_entry *there = wanted_find(x, &fresh);
    uint64_t hash = place_hash(&fresh);
    if (!there) {
        sek_buf_add(&x->wanted, &fresh, sizeof fresh);
        sek_buf_add(&x->keys, &hash, sizeof hash);
    } else if (lasts_longer(fresh.rule.expires_s, there->rule.expires_s)) {
        *there = fresh;
    }
    return SEK_OK;
}

static enum sek_err list_own(struct enforcing *x, const char *name, struct sek_list_row *out)
{
    enum sek_err err = sek_policydb_list_get(x->db, name, out, x->diag);
    if (!err && strcmp(out->source, SEK_EXCEPTIONS_SOURCE) != 0)
        return sek_diag_set(x->diag, SEK_E_EXISTS,
                            "there is a list %s that was not made for exceptions, which need that "
                            "name: remove it, or make it under another",
                            name);
    return err;
}

/* For groups, or for everybody (0). */
static enum sek_err list_make(struct enforcing *x, const char *name, uint64_t groups, uint16_t *out)
{
    struct sek_list_row row;
    enum sek_err err = list_own(x, name, &row);
    if (err == SEK_E_NOTFOUND) {
        row = (struct sek_list_row){.list = {.mode = SEK_MODE_BLOCK,
                                             .action = SEK_ACTION_PASSTHRU,
                                             .priority = PRIORITY,
                                             .ede = EDE_BLOCKED},
                                    .audience = {.only = groups},
                                    .source = SEK_EXCEPTIONS_SOURCE,
                                    .comment = "approved exceptions",
                                    .created_s = x->now_s};
        snprintf(row.list.name, sizeof row.list.name, "%s", name);
        snprintf(row.who, sizeof row.who, "%s", x->who);
        err = sek_policydb_list_add(x->db, &row, x->diag);
        x->changed |= !err;
    }
    if (!err)
        *out = row.list.id;
    return err;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* The same text for the same networks in whatever order. */
static void key_of(const char *endpoints, char *out, size_t size)
{
    char words[WORDS_MAX][SEK_NET_TEXT_MAX + 1];
    size_t n = 0, at = 0;
    for (const char *p = endpoints;
         n < WORDS_MAX && (p = sek_exception_word(p, words[n], sizeof words[n]));)
        n++;
    qsort(words, n, sizeof *words, by_text);
    *out = '\0';
    for (size_t i = 0; i < n && at < size; i++)
        at += (size_t)snprintf(out + at, size - at, "%s%s", i ? " " : "", words[i]);
}

static struct endpoints *set_find(const struct enforcing *x, const char *key)
{
    struct endpoints *all = (void *)x->sets.data;
    for (size_t i = 0; i < x->sets.len / sizeof *all; i++)
        if (strcmp(all[i].key, key) == 0)
            return &all[i];
    return NULL;
}

static struct endpoints *set_of(const struct enforcing *x, const struct sek_exception *e)
{
    char key[sizeof((struct endpoints *)0)->key];
    key_of(e->endpoints, key, sizeof key);
    return set_find(x, key);
}

static enum sek_err members_put(struct enforcing *x, const struct sek_exception *e,
                                struct endpoints *set)
{
    char word[SEK_NET_TEXT_MAX + 1];
    struct sek_member m = {
        .group = set->id, .expires_s = set->expires_s, .created_s = e->decided.time_s};
    enum sek_err err = SEK_OK;
    bool changed;
    if (set->has_members)
        return SEK_OK;
    set->has_members = true;
    snprintf(m.who, sizeof m.who, "%s", e->decided.who);
    snprintf(m.comment, sizeof m.comment, "exception %lld", (long long)e->id);
    for (const char *at = set->key; !err && (at = sek_exception_word(at, word, sizeof word));) {
        if (sek_net_from_text(word, &m.net, NULL))
            continue; /* a forgotten endpoint (store/policydb_forget.h) */
        err = sek_policydb_member_put(x->db, &m, &changed, x->diag);
        x->changed |= !err && changed;
    }
    return err;
}

/* The groups it is for, as bits: those that there are. */
static enum sek_err groups_of(struct enforcing *x, const struct sek_exception *e, uint64_t *out)
{
    struct sek_group_row row;
    char word[SEK_LIST_NAME_MAX];
    enum sek_err err = SEK_OK;
    *out = 0;
    for (const char *at = e->groups; !err && (at = sek_exception_word(at, word, sizeof word));) {
        err = sek_policydb_group_get(x->db, word, x->now_s, &row, x->diag);
        if (!err)
            *out |= sek_group_bit(row.group.id);
        else if (err == SEK_E_NOTFOUND)
            err = SEK_OK;
    }
    return err;
}

static enum sek_err group_add(struct enforcing *x, const struct sek_exception *e, const char *name,
                              struct sek_client_group *out)
{
    *out = (struct sek_client_group){.mode = SEK_MODE_OFF, .action = SEK_ACTION_NXDOMAIN};
    snprintf(out->name, sizeof out->name, "%s", name);
    enum sek_err err =
        sek_policydb_group_add(x->db, out, "endpoints of exceptions", x->who, x->now_s, x->diag);
    x->changed |= !err;
    if (err == SEK_E_LIMIT)
        return sek_diag_set(x->diag, err,
                            "exception %lld: single endpoints take a group, one for all exceptions "
                            "for the same, and all %d are taken; ask for it for a group (--group)",
                            (long long)e->id, SEK_GROUPS_MAX);
    return err;
}

/* There is one where people changed its members. */
static enum sek_err group_get_or_add(struct enforcing *x, const struct sek_exception *e,
                                     const char *name, struct sek_client_group *out)
{
    struct sek_group_row row;
    enum sek_err err = sek_policydb_group_get(x->db, name, x->now_s, &row, x->diag);
    if (err == SEK_E_NOTFOUND)
        return group_add(x, e, name, out);
    *out = row.group;
    return err;
}

static enum sek_err audience_set(struct enforcing *x, struct sek_list_row *list, uint64_t groups)
{
    if (strcmp(list->source, SEK_EXCEPTIONS_SOURCE) == 0 && list->audience.only == groups)
        return SEK_OK;
    snprintf(list->source, sizeof list->source, "%s", SEK_EXCEPTIONS_SOURCE);
    list->audience.only = groups;
    enum sek_err err = sek_policydb_list_set(x->db, list, x->diag);
    x->changed |= !err;
    return err;
}

/* The group of the endpoints, made with a list of its name where no exception in force for the same
 * ones has one; and the list `name`, for them and `groups`. */
static enum sek_err group_make(struct enforcing *x, const struct sek_exception *e, const char *name,
                               uint64_t groups, uint16_t *out)
{
    struct endpoints *set = set_of(x, e);
    struct sek_client_group group;
    struct sek_list_row list;
    enum sek_err err = SEK_OK;
    if (!set)
        return sek_diag_set(x->diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    if (!set->id) {
        err = group_get_or_add(x, e, name, &group);
        set->id = err ? 0 : group.id;
        snprintf(set->group, sizeof set->group, "%s", name);
    }
    if (!err)
        err = members_put(x, e, set);
    if (!err)
        groups |= sek_group_bit(set->id);
    if (!err && strcmp(set->group, name) != 0)
        err = list_make(x, name, groups, out);
    if (!err)
        err = sek_policydb_list_get(x->db, name, &list, x->diag);
    if (!err)
        err = audience_set(x, &list, groups);
    if (!err)
        *out = list.list.id;
    return err;
}

/* The list "exception-ID": with terms it is for all whom the exception is for; else for its
 * endpoints, as its groups have lists. */
static enum sek_err list_one(struct enforcing *x, const struct sek_exception *e, const char *name,
                             uint16_t *out)
{
    bool alone = *e->terms || sek_exception_is_later(e);
    uint64_t groups = 0;
    enum sek_err err = alone ? groups_of(x, e, &groups) : SEK_OK;
    if (err || (*e->groups && !groups && !*e->endpoints))
        return err; /* all its groups are gone: it must not be for everybody then */
    return *e->endpoints ? group_make(x, e, name, groups, out) : list_make(x, name, groups, out);
}

/* The list that a word of sek_exception_lists means; 0: its group is gone. */
static enum sek_err list_for(struct enforcing *x, const struct sek_exception *e, const char *name,
                             uint16_t *out)
{
    struct sek_group_row row;
    char group[SEK_LIST_NAME_MAX];
    size_t n = strlen(name), n_tail = strlen("-" SEK_EXCEPTIONS_LIST);
    *out = 0;
    if (strcmp(name, SEK_EXCEPTIONS_LIST) == 0)
        return list_make(x, name, 0, out);
    if (n <= n_tail || strcmp(name + n - n_tail, "-" SEK_EXCEPTIONS_LIST) != 0)
        return list_one(x, e, name, out);
    snprintf(group, sizeof group, "%.*s", (int)(n - n_tail), name);
    enum sek_err err = sek_policydb_group_get(x->db, group, x->now_s, &row, x->diag);
    if (err == SEK_E_NOTFOUND)
        return SEK_OK;
    return err ? err : list_make(x, name, sek_group_bit(row.group.id), out);
}

static bool is_doubted(const struct enforcing *x, int64_t id)
{
    for (size_t i = 0; x->doubted && i < x->doubted->n; i++)
        if (x->doubted->ids[i] == id)
            return true;
    return false;
}

/* Whose rules are left alone: the rule's comment begins with the exception's number. */
static bool is_held(const struct enforcing *x, const struct sek_entry *e)
{
    const int64_t *ids = (const void *)x->held.data;
    for (size_t i = 0; i < x->held.len / sizeof *ids; i++) {
        char begin[40];
        snprintf(begin, sizeof begin, "exception %lld:", (long long)ids[i]);
        if (strncmp(e->comment, begin, strlen(begin)) == 0)
            return true;
    }
    return false;
}

static bool want_all(void *arg, const struct sek_exception *e)
{
    struct enforcing *x = arg;
    char lists[2048], name[SEK_LIST_NAME_MAX];
    uint16_t list;
    if (!sek_exception_has_rule(e, x->now_s) || !sek_exception_lists(e, lists, sizeof lists))
        return true;
    if (is_doubted(x, e->id))
        return true;
    for (const char *at = lists; !x->err && (at = sek_exception_word(at, name, sizeof name));) {
        x->err = list_for(x, e, name, &list);
        if (!x->err && list)
            x->err = want(x, list, e);
    }
    return x->err == SEK_OK;
}

/* --- what is needed of lists and groups ----------------------------------------------------------
 */

/* The exception in the name of its own list or group; 0: it is no such name. */
static int64_t own_number(const char *name)
{
    const char *number = name + strlen(OWN);
    if (strncmp(name, OWN, strlen(OWN)) != 0 || !*number || number[strspn(number, "0123456789")])
        return 0;
    return strtoll(number, NULL, 10);
}

/* Of an exception that is over, and nobody else's either. */
static bool is_over(const struct enforcing *x, const char *name)
{
    const int64_t *ids = (const void *)x->own.data;
    int64_t id = own_number(name);
    for (size_t i = 0; i < x->own.len / sizeof *ids; i++)
        if (ids[i] == id)
            return false;
    return id != 0;
}

static bool need_take(void *arg, const struct sek_exception *e)
{
    struct enforcing *x = arg;
    struct endpoints fresh = {.expires_s = e->end_s};
    uint64_t groups;
    if (!sek_exception_has_rule(e, x->now_s))
        return true;
    if (is_doubted(x, e->id)) {
        sek_buf_add(&x->held, &e->id, sizeof e->id);
        return true;
    }
    bool alone = *e->terms || sek_exception_is_later(e);
    x->err = groups_of(x, e, &groups);
    if (*e->endpoints || (alone && (groups || !*e->groups)))
        sek_buf_add(&x->own, &e->id, sizeof e->id);
    if (x->err || !*e->endpoints)
        return x->err == SEK_OK;
    key_of(e->endpoints, fresh.key, sizeof fresh.key);
    struct endpoints *set = set_find(x, fresh.key);
    if (!set)
        sek_buf_add(&x->sets, &fresh, sizeof fresh);
    else if (lasts_longer(e->end_s, set->expires_s))
        set->expires_s = e->end_s;
    return true;
}

struct member_words {
    char text[WORDS_MAX * (SEK_NET_TEXT_MAX + 1)];
    size_t at;
};

static bool member_take(void *arg, const struct sek_member *m)
{
    struct member_words *w = arg;
    char net[SEK_NET_TEXT_MAX];
    size_t left = sizeof w->text - w->at;
    int n =
        snprintf(w->text + w->at, left, "%s%s", w->at ? " " : "", sek_net_to_text(&m->net, net));
    w->at += (size_t)n < left ? (size_t)n : 0;
    return true;
}

/* A group that was made for endpoints, whoever's: it is taken for those that have the same. */
static bool group_know(void *arg, const struct sek_group_row *row)
{
    struct enforcing *x = arg;
    struct sek_list_row list;
    struct member_words w = {.at = 0};
    char key[sizeof((struct endpoints *)0)->key];
    int64_t number = own_number(row->group.name);
    if (!number)
        return true;
    enum sek_err err = list_own(x, row->group.name, &list);
    if (err == SEK_E_EXISTS) /* somebody's own group of such a name */
        return true;
    if (!err)
        err = sek_policydb_members(x->db, row->group.id, member_take, &w, x->diag);
    if (err) {
        x->err = err;
        return false;
    }
    key_of(w.text, key, sizeof key);
    struct endpoints *set = set_find(x, key);
    if (!set || set->id)
        return true;
    set->id = row->group.id;
    snprintf(set->group, sizeof set->group, "%s", row->group.name);
    sek_buf_add(&x->own, &number, sizeof number);
    return true;
}

/* --- what is there -------------------------------------------------------------------------------
 */

static bool entry_take(void *arg, const struct sek_entry *e)
{
    struct enforcing *x = arg;
    bool over = e->rule.expires_s && e->rule.expires_s <= x->now_s;
    if (!over) /* else it is out of force by itself */
        sek_buf_add(&x->found, e, sizeof *e);
    return true;
}

static bool list_take(void *arg, const struct sek_list_row *row)
{
    struct enforcing *x = arg;
    if (strcmp(row->source, SEK_EXCEPTIONS_SOURCE) == 0)
        x->err = sek_policydb_entries(x->db, row->list.id, entry_take, x, x->diag);
    return x->err == SEK_OK;
}

/* Lists go before the groups that they are for; a group's own goes with it. */
static bool list_give_back(void *arg, const struct sek_list_row *row)
{
    struct enforcing *x = arg;
    struct sek_group_row group;
    if (strcmp(row->source, SEK_EXCEPTIONS_SOURCE) != 0 || !is_over(x, row->list.name))
        return true;
    x->err = sek_policydb_group_get(x->db, row->list.name, x->now_s, &group, x->diag);
    if (x->err == SEK_E_NOTFOUND) {
        x->err = sek_policydb_list_remove(x->db, row->list.id, NULL, NULL, x->diag);
        x->changed |= !x->err;
    }
    return x->err == SEK_OK;
}

static enum sek_err entries_set(struct enforcing *x)
{
    const struct sek_entry *wanted = (const void *)x->wanted.data;
    const struct sek_entry *found = (const void *)x->found.data;
    size_t n_wanted = x->wanted.len / sizeof *wanted, n_found = x->found.len / sizeof *found;
    enum sek_err err = SEK_OK;
    bool changed;
    for (size_t i = 0; !err && i < n_found; i++) {
        if (!wanted_find(x, &found[i]) && !is_held(x, &found[i])) {
            err = sek_policydb_entry_remove(x->db, found[i].rule.list, &found[i].name,
                                            (enum sek_scope)found[i].rule.scope, x->diag);
            x->changed |= !err;
        }
    }
    for (size_t i = 0; !err && i < n_wanted; i++) {
        err = sek_policydb_entry_put(x->db, &wanted[i], &changed, x->diag);
        x->changed |= !err && changed;
    }
    return err;
}

/* Groups are few: those of exceptions that are over are given back. */
static bool group_give_back(void *arg, const struct sek_group_row *row)
{
    struct enforcing *x = arg;
    struct sek_list_row list;
    if (!is_over(x, row->group.name))
        return true;
    x->err = list_own(x, row->group.name, &list);
    if (x->err == SEK_E_EXISTS) { /* somebody's own group of such a name */
        x->err = SEK_OK;
        return true;
    }
    if (!x->err)
        x->err = sek_policydb_group_remove(x->db, &row->group, x->diag);
    x->changed |= !x->err;
    return x->err == SEK_OK;
}

/* What is over goes first: it may free a group that another needs. */
static enum sek_err all_steps(struct enforcing *x)
{
    enum sek_err err = sek_exceptions(x->db, false, need_take, x, x->diag);
    if (!err && !x->err)
        err = sek_policydb_groups(x->db, x->now_s, group_know, x, x->diag);
    /* where one is in doubt, what it says of its endpoints is: any group may be its own */
    bool in_doubt = x->held.len > 0;
    if (!err && !x->err && !in_doubt)
        err = sek_policydb_lists(x->db, list_give_back, x, x->diag);
    if (!err && !x->err && !in_doubt)
        err = sek_policydb_groups(x->db, x->now_s, group_give_back, x, x->diag);
    if (!err && !x->err)
        err = sek_exceptions(x->db, false, want_all, x, x->diag);
    if (!err && !x->err)
        err = sek_policydb_lists(x->db, list_take, x, x->diag);
    if (!err)
        err = x->err;
    if (!err && (x->wanted.failed || x->keys.failed || x->found.failed || x->own.failed ||
                 x->sets.failed || x->held.failed))
        err = sek_diag_set(x->diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    return err ? err : entries_set(x);
}

enum sek_err sek_exceptions_enforce(struct sek_policydb *db, const char *who, int64_t now_s,
                                    const struct sek_exceptions_doubted *doubted, bool *out_changed,
                                    struct sek_diag *diag)
{
    struct enforcing x = {.db = db, .who = who, .now_s = now_s, .diag = diag, .doubted = doubted};
    struct sek_buf *const all[] = {&x.wanted, &x.keys, &x.found, &x.own, &x.sets, &x.held};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        sek_buf_init(all[i], 0);
    enum sek_err err = all_steps(&x);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        sek_buf_fini(all[i]);
    if (!err)
        *out_changed = x.changed;
    return err;
}
