/* SPDX-License-Identifier: BSD-3-Clause */
#include "purge.h"
#include "view.h"
#include <string.h>

#define SLICE_BINS 64  /* bins looked at under one hold of a slab's lock: some 20 µs */
#define VICTIMS_MAX 64 /* answers noted per slice; a fuller slice is looked at again */

/* An answer to remove: its key is copied, since the entry may be gone when it is removed. */
struct victim {
    hashvalue_type hash;
    uint16_t qtype, qclass;
    uint16_t qname_len;
    uint8_t qname[SEK_NAME_MAX];
};

struct walk {
    struct sek_runtime *rt;
    enum sek_judgement judgement;
    size_t n;
    struct victim victims[VICTIMS_MAX];
};

static bool judge_next(void *arg, const struct sek_name *name)
{
    struct walk *w = arg;
    w->judgement = sek_runtime_judge(w->rt, name, SEK_TRIGGER_CNAME);
    return w->judgement != SEK_JUDGED_BLOCKED;
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
        if (ref->key->id == ref->id)
            sek_view_rrset_chain(ref->key, judge_next, w);
        lock_rw_unlock(&ref->key->entry.lock);
        return;
    }
}

static bool is_blocked(struct walk *w, const struct query_info *qinfo, struct reply_info *rep)
{
    struct sek_name question;
    if (qinfo->qclass != LDNS_RR_CLASS_IN ||
        sek_name_from_wire(qinfo->qname, qinfo->qname_len, &question) != SEK_OK)
        return false;
    w->judgement = sek_runtime_judge(w->rt, &question, SEK_TRIGGER_QNAME);
    for (size_t i = 0; rep && i < rep->an_numrrsets && w->judgement == SEK_JUDGED_OPEN; i++)
        judge_rrset(w, rep, rep->rrsets[i]);
    return w->judgement == SEK_JUDGED_BLOCKED;
}

static void note(struct walk *w, const struct lruhash_entry *entry, const struct query_info *qinfo)
{
    struct victim *v = &w->victims[w->n++];
    v->hash = entry->hash;
    v->qtype = qinfo->qtype;
    v->qclass = qinfo->qclass;
    v->qname_len = (uint16_t)qinfo->qname_len;
    memcpy(v->qname, qinfo->qname, qinfo->qname_len);
}

/* Note the victims of one bin. False: no room for more. */
static bool bin_look(struct walk *w, struct lruhash_bin *bin)
{
    bool room = true;
    lock_quick_lock(&bin->lock);
    for (struct lruhash_entry *e = bin->overflow_list; e && room; e = e->overflow_next) {
        lock_rw_rdlock(&e->lock);
        const struct query_info *qinfo = e->key;
        if (is_blocked(w, qinfo, e->data))
            note(w, e, qinfo);
        lock_rw_unlock(&e->lock);
        room = w->n < VICTIMS_MAX;
    }
    lock_quick_unlock(&bin->lock);
    return room;
}

static uint64_t victims_remove(struct walk *w, struct slabhash *cache)
{
    uint64_t removed = w->n;
    for (size_t i = 0; i < w->n; i++) {
        struct victim *v = &w->victims[i];
        struct query_info key = {
            .qname = v->qname, .qname_len = v->qname_len, .qtype = v->qtype, .qclass = v->qclass};
        slabhash_remove(cache, v->hash, &key);
    }
    w->n = 0;
    return removed;
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
    for (size_t next = 0, slices = 0; next < size && slices < limit; slices++) {
        lock_quick_lock(&table->lock);
        size = table->size;
        if (slices == 0 || limit < slices_limit(table))
            limit = slices_limit(table);
        for (size_t end = next + SLICE_BINS; next < end && next < size; next++)
            if (!bin_look(w, &table->array[next]))
                break; /* the same bin again, once its victims are gone */
        lock_quick_unlock(&table->lock);
        removed += victims_remove(w, cache);
    }
    return removed;
}

uint64_t sek_purge(void *arg, struct sek_runtime *rt)
{
    const struct sek_module *m = arg;
    struct slabhash *cache = m->env->msg_cache;
    struct walk w = {.rt = rt};
    uint64_t removed = 0;
    for (size_t i = 0; cache && i < cache->size; i++)
        removed += table_walk(&w, cache, cache->array[i]);
    return removed;
}
