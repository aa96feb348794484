/* SPDX-License-Identifier: BSD-3-Clause */
#include "purge.h"
#include "carried.h"
#include "view.h"
#include <string.h>
#include <time.h>

#define SLICE_BINS 64  /* bins looked at under one hold of a slab's lock: some 20 µs */
#define TURN_NS 500000 /* of work between two rests */
#define REST_NS 50000
#define LOOKS_SERVERS (SEK_LOOKS_SERVERS | SEK_LOOKS_SERVER_ADDRESSES)
#define VICTIMS_MAX 64 /* answers noted per slice; a fuller slice is looked at again */

/* An entry to remove: its key is copied, since the entry may be gone when it is removed. */
struct victim {
    hashvalue_type hash;
    uint16_t type, class;
    uint32_t flags; /* of an rrset */
    uint16_t name_len;
    uint8_t name[SEK_NAME_MAX];
};

struct walk;

/* One of Unbound's two caches: what of it must go, and how it is named. */
struct cache_kind {
    /* Fill in the victim and return true. The entry is locked. */
    bool (*look)(struct walk *w, const struct lruhash_entry *entry, struct victim *out);
    void (*remove)(struct slabhash *table, struct victim *victim);
};

struct walk {
    const struct sek_module *m;
    struct sek_runtime *rt;
    const struct cache_kind *kind;
    unsigned looks;            /* SEK_LOOKS_… */
    struct sek_name question;  /* of the answer at hand */
    uint16_t qtype;            /* of that; 0: an rrset, which answers of any type may hold */
    struct sek_name names[16]; /* on the way of it, of which the servers are to be looked at */
    unsigned n_names;
    enum sek_judgement judgement;
    struct timespec rested;
    size_t n;
    struct victim victims[VICTIMS_MAX];
};

static void victim_set(struct victim *v, hashvalue_type hash, const uint8_t *name, size_t name_len)
{
    v->hash = hash;
    v->name_len = (uint16_t)name_len;
    memcpy(v->name, name, name_len);
}

/* --- messages -----------------------------------------------------------------------------------
 */

static bool judge_next(void *arg, const struct sek_name *name)
{
    struct walk *w = arg;
    if ((w->looks & LOOKS_SERVERS) && w->n_names < sizeof w->names / sizeof *w->names)
        w->names[w->n_names++] = *name;
    w->judgement = sek_runtime_judge(w->rt, name, w->qtype, SEK_TRIGGER_CNAME);
    return w->judgement != SEK_JUDGED_BLOCKED;
}

static bool judge_address(void *arg, const struct sek_addr *addr)
{
    struct walk *w = arg;
    w->judgement =
        sek_runtime_judge_address(w->rt, &w->question, w->qtype, SEK_TRIGGER_RESPONSE_IP, addr);
    return w->judgement != SEK_JUDGED_BLOCKED;
}

static bool judge_server(void *arg, const struct sek_name *server)
{
    struct walk *w = arg;
    w->judgement = sek_runtime_judge_server(w->rt, &w->question, w->qtype, server);
    return w->judgement != SEK_JUDGED_BLOCKED;
}

static bool judge_server_address(void *arg, const struct sek_addr *addr)
{
    struct walk *w = arg;
    w->judgement = sek_runtime_judge_address(w->rt, &w->question, w->qtype, SEK_TRIGGER_NSIP, addr);
    return w->judgement != SEK_JUDGED_BLOCKED;
}

/* The locks of the message and its table are held, as by whoever answers from it: locks of rrsets
 * come after those. */
static void judge_servers(struct walk *w)
{
    const struct sek_servers to = {
        w, judge_server, w->looks & SEK_LOOKS_SERVER_ADDRESSES ? judge_server_address : NULL};
    for (unsigned i = 0; i < w->n_names && w->judgement == SEK_JUDGED_OPEN; i++)
        sek_carried_servers(w->m->env, &w->names[i], 0, &to);
}

/* An rrset may be replaced at any time: it is this message's only while the id is the same, under
 * its lock. One that changed makes the message unusable, so it needs no judging. */
static void judge_rrset(struct walk *w, struct reply_info *rep,
                        const struct ub_packed_rrset_key *key)
{
    for (size_t i = 0; i < rep->rrset_count; i++) {
        struct rrset_ref *ref = &rep->ref[i];
        if (ref->key != key)
            continue;
        lock_rw_rdlock(&ref->key->entry.lock);
        if (ref->key->id == ref->id && sek_view_rrset_chain(ref->key, judge_next, w) &&
            (w->looks & SEK_LOOKS_ADDRESSES))
            sek_carried_addresses(ref->key, judge_address, w);
        lock_rw_unlock(&ref->key->entry.lock);
        return;
    }
}

static bool answer_is_blocked(struct walk *w, const struct query_info *qinfo,
                              struct reply_info *rep)
{
    if (qinfo->qclass != LDNS_RR_CLASS_IN ||
        sek_name_from_wire(qinfo->qname, qinfo->qname_len, &w->question) != SEK_OK)
        return false;
    w->qtype = qinfo->qtype;
    w->judgement = sek_runtime_judge(w->rt, &w->question, w->qtype, SEK_TRIGGER_QNAME);
    w->names[0] = w->question;
    w->n_names = 1;
    for (size_t i = 0; rep && i < rep->an_numrrsets && w->judgement == SEK_JUDGED_OPEN; i++)
        judge_rrset(w, rep, rep->rrsets[i]);
    if ((w->looks & LOOKS_SERVERS) && rep)
        judge_servers(w);
    return w->judgement == SEK_JUDGED_BLOCKED;
}

static bool message_look(struct walk *w, const struct lruhash_entry *entry, struct victim *out)
{
    const struct query_info *qinfo = entry->key;
    if (!answer_is_blocked(w, qinfo, entry->data))
        return false;
    victim_set(out, entry->hash, qinfo->qname, qinfo->qname_len);
    out->type = qinfo->qtype;
    out->class = qinfo->qclass;
    return true;
}

static void message_remove(struct slabhash *table, struct victim *v)
{
    struct query_info key = {
        .qname = v->name, .qname_len = v->name_len, .qtype = v->type, .qclass = v->class};
    slabhash_remove(table, v->hash, &key);
}

/* --- rrsets -------------------------------------------------------------------------------------
 */

/* An alias that leads to a blocked name: with it in the cache the iterator would put a chain
 * together, and store it, without any response that shows it to us. */
static bool rrset_look(struct walk *w, const struct lruhash_entry *entry, struct victim *out)
{
    const struct ub_packed_rrset_key *key = entry->key;
    if (!sek_view_is_alias(key) || key->rk.rrset_class != htons(LDNS_RR_CLASS_IN))
        return false;
    w->judgement = SEK_JUDGED_OPEN;
    w->qtype = 0;
    sek_view_rrset_chain(key, judge_next, w);
    if (w->judgement != SEK_JUDGED_BLOCKED)
        return false;
    victim_set(out, entry->hash, key->rk.dname, key->rk.dname_len);
    out->type = ntohs(key->rk.type);
    out->class = LDNS_RR_CLASS_IN;
    out->flags = key->rk.flags;
    return true;
}

static void rrset_remove(struct slabhash *table, struct victim *v)
{
    struct ub_packed_rrset_key key = {.rk = {.dname = v->name,
                                             .dname_len = v->name_len,
                                             .flags = v->flags,
                                             .type = htons(v->type),
                                             .rrset_class = htons(v->class)}};
    key.entry.key = &key;
    key.entry.hash = v->hash;
    slabhash_remove(table, v->hash, &key);
}

static const struct cache_kind messages = {message_look, message_remove};
static const struct cache_kind rrsets = {rrset_look, rrset_remove};

/* --- walking ------------------------------------------------------------------------------------
 */

/* Note the victims of one bin. False: no room for more. */
static bool bin_look(struct walk *w, struct lruhash_bin *bin)
{
    bool room = true;
    lock_quick_lock(&bin->lock);
    for (struct lruhash_entry *e = bin->overflow_list; e && room; e = e->overflow_next) {
        lock_rw_rdlock(&e->lock);
        w->n += w->kind->look(w, e, &w->victims[w->n]);
        lock_rw_unlock(&e->lock);
        room = w->n < VICTIMS_MAX;
    }
    lock_quick_unlock(&bin->lock);
    return room;
}

static uint64_t victims_remove(struct walk *w, struct slabhash *cache)
{
    uint64_t removed = w->n;
    for (size_t i = 0; i < w->n; i++)
        w->kind->remove(cache, &w->victims[i]);
    w->n = 0;
    return removed;
}

/* A reload frees the workers, reads the configuration, may then free the caches, and only in the
 * end stops us. */
static bool host_is_ending(const struct walk *w)
{
    const struct daemon *daemon = atomic_load_explicit(&w->m->daemon, memory_order_relaxed);
    return daemon && *(const volatile int *)&daemon->num == 0;
}

static void pause_walk(struct walk *w)
{
    nanosleep(&(struct timespec){.tv_nsec = REST_NS}, NULL);
    clock_gettime(CLOCK_MONOTONIC, &w->rested);
    sek_runtime_at_work(w->rt);
}

/* Unbound's locks spin. Where a worker has to share its processor with us, the scheduler would stop
 * us after some milliseconds, nearly always with a lock held, and the worker would spin for its own
 * milliseconds before we are let on: answers came 50 ms late. So we stop before, without a lock,
 * and do not spin for one that a worker holds. */
static void rest(struct walk *w)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if ((now.tv_sec - w->rested.tv_sec) * 1000000000 + now.tv_nsec - w->rested.tv_nsec > TURN_NS)
        pause_walk(w);
}

static void table_lock(struct walk *w, struct lruhash *table)
{
    while (!sek_compat_lock_try(&table->lock))
        pause_walk(w);
}

/* More slices than a walk can need, should an entry ever refuse to be removed. */
static size_t slices_limit(const struct lruhash *table)
{
    return 4 * (table->size / SLICE_BINS + table->num / VICTIMS_MAX + 1);
}

/* One slab. When the table doubles between two slices, the bins behind us were split into ones that
 * we have seen and ones at the far end that we come to: nothing is missed, some are judged twice.
 */
static uint64_t table_walk(struct walk *w, struct slabhash *cache, struct lruhash *table)
{
    uint64_t removed = 0;
    size_t size = 1, limit = 1;
    for (size_t next = 0, slices = 0; next < size && slices < limit && !host_is_ending(w);
         slices++) {
        table_lock(w, table);
        size = table->size;
        if (slices == 0 || limit < slices_limit(table))
            limit = slices_limit(table);
        for (size_t end = next + SLICE_BINS; next < end && next < size; next++)
            if (!bin_look(w, &table->array[next]))
                break; /* the same bin again, once its victims are gone */
        lock_quick_unlock(&table->lock);
        removed += victims_remove(w, cache);
        rest(w);
    }
    return removed;
}

static uint64_t cache_walk(struct walk *w, const struct cache_kind *kind, struct slabhash *cache)
{
    uint64_t removed = 0;
    w->kind = kind;
    for (size_t i = 0; cache && i < cache->size && !host_is_ending(w); i++)
        removed += table_walk(w, cache, cache->array[i]);
    return removed;
}

uint64_t sek_purge(void *arg, struct sek_runtime *rt)
{
    const struct sek_module *m = arg;
    struct walk w = {.m = m, .rt = rt, .looks = sek_runtime_looks(rt)};
    if (m->env->rrset_cache)
        cache_walk(&w, &rrsets, &m->env->rrset_cache->table);
    return cache_walk(&w, &messages, m->env->msg_cache);
}
