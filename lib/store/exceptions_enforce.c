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
#define EDE_BLOCKED 15 /* RFC 8914 §4.16; never used by what passes */
#define APPROVED "approved exceptions"
#define FOR_ENDPOINTS "approved, for the endpoints of its rule"
#define OWN "exception-"     /* and its number: list of one exception */
#define OWN_GROUPS "-groups" /* behind that: for its groups, beside its endpoints */

struct enforcing {
    struct sek_policydb *db;
    const char *who;
    int64_t now_s;
    struct sek_diag *diag;
    struct sek_buf wanted; /* struct sek_entry */
    struct sek_buf keys;   /* uint64_t: hashes of their places, for the search */
    struct sek_buf found;  /* struct sek_entry: those that are there */
    struct sek_buf own;    /* int64_t: exceptions whose list is needed */
    const struct sek_exceptions_doubted *doubted;
    struct sek_buf held; /* int64_t: those of them whose rules stay as they are */
    uint64_t old_groups; /* of endpoints, from before rules could have them */
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

/* Words that are no networks are endpoints that were forgotten (store/policydb_forget.h). */
static enum sek_err endpoints_add(struct enforcing *x, const struct sek_exception *e,
                                  struct sek_terms_spec *spec)
{
    char word[SEK_NET_TEXT_MAX + 1];
    struct sek_net net;
    enum sek_err err = SEK_OK;
    for (const char *at = e->endpoints; !err && (at = sek_exception_word(at, word, sizeof word));)
        if (!sek_net_from_text(word, &net, NULL))
            err = sek_terms_add(spec, "endpoint", word, x->diag);
    return err;
}

static bool has_endpoint(const struct sek_exception *e)
{
    char word[SEK_NET_TEXT_MAX + 1];
    struct sek_net net;
    for (const char *at = e->endpoints; (at = sek_exception_word(at, word, sizeof word));)
        if (!sek_net_from_text(word, &net, NULL))
            return true;
    return false;
}

/* Its terms, its start where that is later, and in a list of its own its endpoints. */
static enum sek_err terms_make(struct enforcing *x, const struct sek_exception *e, bool own,
                               char out[SEK_TERMS_TEXT_MAX])
{
    struct sek_terms_spec spec = {0};
    char start[32];
    enum sek_err err = sek_terms_from_text(e->terms, strlen(e->terms), &spec, x->diag);
    if (!err && sek_exception_is_later(e))
        err = sek_terms_add(&spec, "start", sek_time_to_text(e->start_s, start, sizeof start),
                            x->diag);
    if (!err && own)
        err = endpoints_add(x, e, &spec);
    if (!err)
        err = sek_terms_to_text(&spec, out, x->diag);
    return err ? sek_diag_wrap(x->diag, "exception %lld", (long long)e->id) : SEK_OK;
}

/* own: in the list of its endpoints. */
static enum sek_err want(struct enforcing *x, uint16_t list, const struct sek_exception *e,
                         bool own)
{
    struct sek_entry fresh = {
        .name = e->name,
        .rule = {.list = list, .scope = e->scope, .expires_s = e->end_s},
        .created_s = e->decided.time_s,
    };
    snprintf(fresh.who, sizeof fresh.who, "%s", e->decided.who);
    snprintf(fresh.comment, sizeof fresh.comment, "exception %lld: %.220s", (long long)e->id,
             e->reason);
    enum sek_err err = terms_make(x, e, own, fresh.terms);
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

static bool is_for_groups(const char *name)
{
    size_t n = strlen(name), n_tail = strlen(OWN_GROUPS);
    return n > n_tail && strcmp(name + n - n_tail, OWN_GROUPS) == 0;
}

/* The exception in the name of its own list, or of the group that one had before rules could have
 * endpoints; 0: it is no such name. */
static int64_t own_number(const char *name)
{
    char *end = NULL;
    const char *number = name + strlen(OWN);
    if (strncmp(name, OWN, strlen(OWN)) != 0 || *number < '0' || *number > '9')
        return 0;
    int64_t id = strtoll(number, &end, 10);
    return !*end || strcmp(end, OWN_GROUPS) == 0 ? id : 0;
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

/* For groups, or for everybody (0): by its list, if not by its rules. */
static enum sek_err list_make(struct enforcing *x, const char *name, uint64_t groups,
                              const char *comment, uint16_t *out)
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
                                    .created_s = x->now_s};
        snprintf(row.list.name, sizeof row.list.name, "%s", name);
        snprintf(row.comment, sizeof row.comment, "%s", comment);
        snprintf(row.who, sizeof row.who, "%s", x->who);
        err = sek_policydb_list_add(x->db, &row, x->diag);
        x->changed |= !err;
    }
    if (!err)
        *out = row.list.id;
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

/* The list "exception-ID": for its endpoints; of one with terms that has none, or beside them
 * ("-groups"), for its groups. 0: they are gone. */
static enum sek_err list_one(struct enforcing *x, const struct sek_exception *e, const char *name,
                             bool for_endpoints, uint16_t *out)
{
    uint64_t groups = 0;
    enum sek_err err = for_endpoints ? SEK_OK : groups_of(x, e, &groups);
    if (err || (!for_endpoints && *e->groups && !groups))
        return err; /* it must not be for everybody then */
    return list_make(x, name, groups, for_endpoints ? FOR_ENDPOINTS : APPROVED, out);
}

/* The list that a word of sek_exception_lists means; 0: its group is gone. */
static enum sek_err list_for(struct enforcing *x, const struct sek_exception *e, const char *name,
                             bool for_endpoints, uint16_t *out)
{
    struct sek_group_row row;
    char group[SEK_LIST_NAME_MAX];
    size_t n = strlen(name), n_tail = strlen("-" SEK_EXCEPTIONS_LIST);
    *out = 0;
    if (strcmp(name, SEK_EXCEPTIONS_LIST) == 0)
        return list_make(x, name, 0, APPROVED, out);
    if (n <= n_tail || strcmp(name + n - n_tail, "-" SEK_EXCEPTIONS_LIST) != 0)
        return list_one(x, e, name, for_endpoints, out);
    snprintf(group, sizeof group, "%.*s", (int)(n - n_tail), name);
    enum sek_err err = sek_policydb_group_get(x->db, group, x->now_s, &row, x->diag);
    if (err == SEK_E_NOTFOUND)
        return SEK_OK;
    return err ? err : list_make(x, name, sek_group_bit(row.group.id), APPROVED, out);
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
        bool own = own_number(name) && !is_for_groups(name) && *e->endpoints;
        if (own && !has_endpoint(e))
            continue; /* it must not be for everybody then */
        x->err = list_for(x, e, name, own, &list);
        if (!x->err && list)
            x->err = want(x, list, e, own);
    }
    return x->err == SEK_OK;
}

/* --- what is needed of lists and groups ----------------------------------------------------------
 */

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
    return x->err == SEK_OK;
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
    bool old = (row->audience.only & x->old_groups) != 0;
    if (strcmp(row->source, SEK_EXCEPTIONS_SOURCE) != 0 || !own_number(row->list.name) ||
        (!old && !is_over(x, row->list.name)))
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

/* Exceptions for single endpoints had groups of their own before rules could have endpoints: they
 * are given back, and the lists for them are made anew. */
static bool is_old_group(struct enforcing *x, const char *name)
{
    struct sek_list_row list;
    enum sek_err err = own_number(name) ? list_own(x, name, &list) : SEK_E_EXISTS;
    if (err != SEK_E_EXISTS) /* else somebody's own group of such a name */
        x->err = err;
    return err == SEK_OK;
}

static bool group_know(void *arg, const struct sek_group_row *row)
{
    struct enforcing *x = arg;
    if (is_old_group(x, row->group.name))
        x->old_groups |= sek_group_bit(row->group.id);
    return x->err == SEK_OK;
}

static bool group_give_back(void *arg, const struct sek_group_row *row)
{
    struct enforcing *x = arg;
    if (x->old_groups & sek_group_bit(row->group.id)) {
        x->err = sek_policydb_group_remove(x->db, &row->group, x->diag);
        x->changed |= !x->err;
        if (x->err == SEK_E_REFUSED) /* people have a list for it: it stays theirs */
            x->err = SEK_OK;
    }
    return x->err == SEK_OK;
}

static enum sek_err all_steps(struct enforcing *x)
{
    enum sek_err err = sek_exceptions(x->db, false, need_take, x, x->diag);
    /* where one is in doubt, what it says of its endpoints is: any group may be its own */
    bool in_doubt = x->held.len > 0;
    if (!err && !x->err && !in_doubt)
        err = sek_policydb_groups(x->db, x->now_s, group_know, x, x->diag);
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
    if (!err &&
        (x->wanted.failed || x->keys.failed || x->found.failed || x->own.failed || x->held.failed))
        err = sek_diag_set(x->diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    return err ? err : entries_set(x);
}

enum sek_err sek_exceptions_enforce(struct sek_policydb *db, const char *who, int64_t now_s,
                                    const struct sek_exceptions_doubted *doubted, bool *out_changed,
                                    struct sek_diag *diag)
{
    struct enforcing x = {.db = db, .who = who, .now_s = now_s, .diag = diag, .doubted = doubted};
    struct sek_buf *const all[] = {&x.wanted, &x.keys, &x.found, &x.own, &x.held};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        sek_buf_init(all[i], 0);
    enum sek_err err = all_steps(&x);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        sek_buf_fini(all[i]);
    if (!err)
        *out_changed = x.changed;
    return err;
}
