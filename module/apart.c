/* SPDX-License-Identifier: BSD-3-Clause */
#include "apart.h"
#include "base/hash.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define N_PARTS 64
#define WAYS 4            /* places a question may have */
#define USUAL_OCTETS 2048 /* of one answer, to know how many places there should be */
#define PLACES_MAX (1U << 18)
#define LARGE_OCTETS 16384 /* not kept */

struct place {
    uint64_t hash;
    time_t stored_s, ends_s; /* ends_s 0: empty */
    size_t octets;
    struct regional *memory; /* of the question and the answer */
    uint8_t *asked;
    size_t asked_len;
    struct reply_info *rep;
};

struct part {
    pthread_mutex_t lock; /* guards the places of its sets and `octets` */
    size_t octets;
    struct place (*sets)[WAYS]; /* n_sets; made when the first answer comes */
};

struct sek_apart {
    struct sek_hash_key key;
    size_t n_sets, max_octets; /* of one part */
    struct part parts[N_PARTS];
};

struct sek_apart *sek_apart_new(size_t max_octets)
{
    struct sek_apart *apart = calloc(1, sizeof *apart);
    if (!apart)
        return NULL;
    size_t n_places = max_octets / USUAL_OCTETS;
    if (n_places > PLACES_MAX)
        n_places = PLACES_MAX;
    apart->key = sek_hash_key_random();
    apart->n_sets = n_places / (N_PARTS * WAYS) + 1;
    apart->max_octets = max_octets / N_PARTS;
    for (unsigned i = 0; i < N_PARTS; i++)
        pthread_mutex_init(&apart->parts[i].lock, NULL);
    return apart;
}

static void place_empty(struct part *part, struct place *p)
{
    if (p->memory)
        regional_destroy(p->memory);
    part->octets -= p->octets;
    memset(p, 0, sizeof *p);
}

void sek_apart_free(struct sek_apart *apart)
{
    if (!apart)
        return;
    for (unsigned i = 0; i < N_PARTS; i++) {
        struct part *part = &apart->parts[i];
        for (size_t set = 0; part->sets && set < apart->n_sets; set++)
            for (unsigned way = 0; way < WAYS; way++)
                place_empty(part, &part->sets[set][way]);
        free(part->sets);
        pthread_mutex_destroy(&part->lock);
    }
    free(apart);
}

/* --- which place ---------------------------------------------------------------------------------
 */

/* A question: name, type, and whether the answer is to be checked, as without it may be another. */
struct asked {
    uint64_t hash;
    size_t len;
    uint8_t octets[SEK_NAME_MAX + 3];
};

static void asked_make(const struct sek_apart *apart, const struct module_qstate *qstate,
                       const struct sek_name *name, struct asked *out)
{
    memcpy(out->octets, name->octets, name->len);
    sldns_write_uint16(out->octets + name->len, qstate->qinfo.qtype);
    out->octets[name->len + 2] = (qstate->query_flags & BIT_CD) != 0;
    out->len = name->len + 3U;
    out->hash = sek_hash(&apart->key, out->octets, out->len);
}

static bool is_of(const struct place *p, const struct asked *asked)
{
    return p->ends_s && p->hash == asked->hash && p->asked_len == asked->len &&
           memcmp(p->asked, asked->octets, asked->len) == 0;
}

static struct part *part_of(struct sek_apart *apart, uint64_t hash)
{
    return &apart->parts[hash % N_PARTS];
}

static struct place *set_of(const struct sek_apart *apart, const struct part *part, uint64_t hash)
{
    return part->sets[hash / N_PARTS % apart->n_sets];
}

/* --- the answers ---------------------------------------------------------------------------------
 */

/* The life times that count from now (not the Unix times of the shared cache). */
static void live_shorter(struct reply_info *rep, time_t elapsed_s)
{
    for (size_t i = 0; i < rep->rrset_count; i++) {
        struct packed_rrset_data *data = rep->rrsets[i]->entry.data;
        data->ttl -= elapsed_s < data->ttl ? elapsed_s : data->ttl;
        for (size_t j = 0; j < data->count + data->rrsig_count; j++)
            data->rr_ttl[j] -= elapsed_s < data->rr_ttl[j] ? elapsed_s : data->rr_ttl[j];
    }
    rep->ttl -= elapsed_s < rep->ttl ? elapsed_s : rep->ttl;
    rep->prefetch_ttl = rep->serve_expired_ttl = rep->ttl;
}

static bool is_worth_keeping(const struct module_qstate *qstate)
{
    const struct reply_info *rep = qstate->return_msg ? qstate->return_msg->rep : NULL;
    if (!rep || qstate->return_rcode != LDNS_RCODE_NOERROR || rep->ttl <= 0 ||
        rep->security == sec_status_bogus || rep->security == sec_status_secure_sentinel_fail)
        return false;
    int rcode = (int)FLAGS_GET_RCODE(rep->flags);
    return rcode == LDNS_RCODE_NOERROR || rcode == LDNS_RCODE_NXDOMAIN;
}

static bool place_fill(struct place *p, const struct module_qstate *qstate,
                       const struct asked *asked)
{
    struct reply_info *rep = qstate->return_msg->rep;
    time_t now_s = *qstate->env->now;
    p->memory = regional_create_custom(USUAL_OCTETS);
    if (!p->memory)
        return false;
    p->asked = regional_alloc_init(p->memory, asked->octets, asked->len);
    p->rep = reply_info_copy(rep, NULL, p->memory);
    if (!p->asked || !p->rep)
        return false;
    p->hash = asked->hash;
    p->asked_len = asked->len;
    p->stored_s = now_s;
    p->ends_s = now_s + (rep->ttl < SEK_APART_MAX_S ? rep->ttl : SEK_APART_MAX_S);
    p->octets = regional_get_mem(p->memory);
    return p->octets <= LARGE_OCTETS;
}

/* The place of the same question, or an empty one, or the one that ends first. */
static struct place *victim_of(struct place *set, const struct asked *asked)
{
    struct place *victim = &set[0];
    for (unsigned way = 0; way < WAYS; way++) {
        if (is_of(&set[way], asked))
            return &set[way];
        if (set[way].ends_s < victim->ends_s)
            victim = &set[way];
    }
    return victim;
}

void sek_apart_put(struct sek_apart *apart, const struct module_qstate *qstate,
                   const struct sek_name *name)
{
    struct place fresh = {0};
    struct asked asked;
    if (!apart || !is_worth_keeping(qstate))
        return;
    asked_make(apart, qstate, name, &asked);
    if (!place_fill(&fresh, qstate, &asked)) {
        if (fresh.memory)
            regional_destroy(fresh.memory);
        return;
    }
    struct part *part = part_of(apart, asked.hash);
    pthread_mutex_lock(&part->lock);
    if (!part->sets)
        part->sets = calloc(apart->n_sets, sizeof *part->sets);
    if (part->sets) {
        struct place *p = victim_of(set_of(apart, part, asked.hash), &asked);
        place_empty(part, p);
        if (part->octets + fresh.octets <= apart->max_octets) {
            *p = fresh;
            part->octets += fresh.octets;
            fresh.memory = NULL;
        }
    }
    pthread_mutex_unlock(&part->lock);
    if (fresh.memory)
        regional_destroy(fresh.memory);
}

/* The copy of the answer to this question, and how long ago it was stored. */
static struct reply_info *copy_of(const struct sek_apart *apart, const struct part *part,
                                  const struct asked *asked, const struct module_qstate *qstate,
                                  time_t *out_elapsed_s)
{
    time_t now_s = *qstate->env->now;
    struct place *set = part->sets ? set_of(apart, part, asked->hash) : NULL;
    for (unsigned way = 0; set && way < WAYS; way++) {
        const struct place *p = &set[way];
        if (p->ends_s <= now_s || p->stored_s > now_s || !is_of(p, asked))
            continue;
        *out_elapsed_s = now_s - p->stored_s;
        return reply_info_copy(p->rep, NULL, qstate->region);
    }
    return NULL;
}

bool sek_apart_get(struct sek_apart *apart, struct module_qstate *qstate,
                   const struct sek_name *name)
{
    struct asked asked;
    time_t elapsed_s = 0;
    if (!apart)
        return false;
    asked_make(apart, qstate, name, &asked);
    struct part *part = part_of(apart, asked.hash);
    pthread_mutex_lock(&part->lock);
    struct reply_info *rep = copy_of(apart, part, &asked, qstate, &elapsed_s);
    pthread_mutex_unlock(&part->lock);
    struct dns_msg *msg = rep ? regional_alloc_zero(qstate->region, sizeof *msg) : NULL;
    if (!msg)
        return false;
    live_shorter(rep, elapsed_s);
    msg->qinfo = qstate->qinfo;
    msg->rep = rep;
    qstate->return_msg = msg;
    qstate->return_rcode = LDNS_RCODE_NOERROR;
    return true;
}
