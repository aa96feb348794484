/* SPDX-License-Identifier: BSD-3-Clause */
/* Records lie one after the other in blocks; a place a record is sorted, with the key's first
 * octets in it, so that most comparisons touch no record. */
#include "store/batch.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define BLOCK_OCTETS (1U << 20)
#define HAS_TERMS 0x80
#define WITHDRAWS 0x40

struct record {
    uint32_t order; /* of adding */
    uint16_t key_len;
    uint8_t scope, action; /* HAS_TERMS: terms follow; WITHDRAWS: no rule */
    uint8_t key[];         /* and the terms with their terminator, if it has any */
};

struct place {
    uint64_t head; /* the key's first 8 octets as a number; a shorter key is filled up with 0 */
    const struct record *record;
};

struct block {
    struct block *next;
    size_t used;
    _Alignas(struct record) uint8_t octets[BLOCK_OCTETS];
};

struct sek_batch {
    struct block *blocks; /* newest first */
    uint64_t octets;
    struct place *places;
    size_t n, room;
    size_t at; /* of sek_batch_next */
    bool withdraws;
};

enum sek_err sek_batch_new(struct sek_batch **out)
{
    struct sek_batch *f = calloc(1, sizeof *f);
    if (!f)
        return SEK_E_NOMEM;
    *out = f;
    return SEK_OK;
}

void sek_batch_free(struct sek_batch *f)
{
    if (!f)
        return;
    while (f->blocks) {
        struct block *next = f->blocks->next;
        free(f->blocks);
        f->blocks = next;
    }
    free(f->places);
    free(f);
}

static void *octets_new(struct sek_batch *f, size_t size)
{
    size = (size + _Alignof(struct record) - 1) & ~(_Alignof(struct record) - 1);
    if (!f->blocks || f->blocks->used + size > BLOCK_OCTETS) {
        struct block *b = malloc(sizeof *b);
        if (!b)
            return NULL;
        b->next = f->blocks;
        b->used = 0;
        f->blocks = b;
        f->octets += sizeof *b;
    }
    void *octets = f->blocks->octets + f->blocks->used;
    f->blocks->used += size;
    return octets;
}

static uint8_t action_of(const struct record *r)
{
    return r->action & (uint8_t)~HAS_TERMS;
}

static const char *terms_of(const struct record *r)
{
    return r->action & HAS_TERMS ? (const char *)r->key + r->key_len : "";
}

static bool places_grow(struct sek_batch *f)
{
    if (f->n < f->room)
        return true;
    size_t room = f->room ? f->room + f->room / 2 : 1024;
    struct place *places = reallocarray(f->places, room, sizeof *places);
    if (!places)
        return false;
    f->places = places;
    f->room = room;
    return true;
}

static uint64_t head_of(const uint8_t *key, size_t len)
{
    uint64_t head = 0;
    for (size_t i = 0; i < 8; i++)
        head = head << 8 | (i < len ? key[i] : 0);
    return head;
}

enum sek_err sek_batch_add(struct sek_batch *f, const void *key, size_t key_len, uint8_t scope,
                           uint8_t action, const char *terms)
{
    size_t n_terms = *terms ? strlen(terms) + 1 : 0;
    if (f->octets + f->n * sizeof *f->places > SEK_BATCH_MAX || f->n == UINT32_MAX ||
        key_len > UINT16_MAX || n_terms > BLOCK_OCTETS / 2)
        return SEK_E_LIMIT;
    if (!places_grow(f))
        return SEK_E_NOMEM;
    struct record *r = octets_new(f, sizeof *r + key_len + n_terms);
    if (!r)
        return SEK_E_NOMEM;
    r->order = (uint32_t)f->n;
    r->key_len = (uint16_t)key_len;
    r->scope = scope;
    r->action = (uint8_t)(action | (n_terms ? HAS_TERMS : 0));
    if (key_len) /* the root's key may be NULL */
        memcpy(r->key, key, key_len);
    memcpy(r->key + key_len, terms, n_terms);
    f->places[f->n++] = (struct place){.head = head_of(r->key, key_len), .record = r};
    return SEK_OK;
}

enum sek_err sek_batch_withdraw(struct sek_batch *f, const void *key, size_t key_len, uint8_t scope,
                                uint8_t action)
{
    f->withdraws = true;
    return sek_batch_add(f, key, key_len, scope, action | WITHDRAWS, "");
}

/* By key, then scope. */
static int rule_compare(const struct place *a, const struct place *b)
{
    if (a->head != b->head)
        return a->head < b->head ? -1 : 1;
    size_t a_len = a->record->key_len, b_len = b->record->key_len;
    int order = memcmp(a->record->key, b->record->key, a_len < b_len ? a_len : b_len);
    if (order == 0)
        order = (a_len > b_len) - (a_len < b_len);
    return order ? order : (int)a->record->scope - (int)b->record->scope;
}

/* The order of adding is the last key: qsort need not be stable. */
static int place_compare(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    int order = rule_compare(x, y);
    return order ? order
                 : (x->record->order > y->record->order) - (x->record->order < y->record->order);
}

/* Without the rules that are withdrawn, and what says so. */
static uint64_t withdraw(struct sek_batch *f)
{
    size_t n = 0, n_withdrawals = 0;
    for (size_t first = 0, end; first < f->n; first = end) {
        uint64_t withdrawn = 0; /* bit action */
        for (end = first; end < f->n && rule_compare(&f->places[first], &f->places[end]) == 0;
             end++) {
            const struct record *r = f->places[end].record;
            if (r->action & WITHDRAWS)
                withdrawn |= 1ULL << (r->action & ~WITHDRAWS);
        }
        for (size_t i = first; i < end; i++) {
            const struct record *r = f->places[i].record;
            if (r->action & WITHDRAWS)
                n_withdrawals++;
            else if (r->action & HAS_TERMS || !(withdrawn >> r->action & 1))
                f->places[n++] = f->places[i];
        }
    }
    uint64_t n_gone = f->n - n - n_withdrawals;
    f->n = n;
    return n_gone;
}

uint64_t sek_batch_sort(struct sek_batch *f)
{
    if (f->n)
        qsort(f->places, f->n, sizeof *f->places, place_compare);
    f->at = 0;
    return f->withdraws ? withdraw(f) : 0;
}

/* "a b", or the one if both are the same. NULL without memory. */
static const char *joined(struct sek_batch *f, const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);
    char *both = n + m + 2 <= BLOCK_OCTETS / 2 ? octets_new(f, n + m + 2) : NULL;
    if (!both)
        return NULL;
    memcpy(both, a, n);
    both[n] = ' ';
    memcpy(both + n + 1, b, m + 1);
    return both;
}

bool sek_batch_next(struct sek_batch *f, struct sek_batch_winner winner, struct sek_batch_rule *out,
                    struct sek_batch_again *io_again)
{
    if (f->at == f->n)
        return false;
    const struct place *first = &f->places[f->at++];
    const struct record *r = first->record;
    *out = (struct sek_batch_rule){.key = r->key,
                                   .key_len = r->key_len,
                                   .scope = r->scope,
                                   .action = action_of(r),
                                   .terms = terms_of(r)};
    for (; f->at < f->n && rule_compare(first, &f->places[f->at]) == 0; f->at++) {
        const struct record *next = f->places[f->at].record;
        const char *terms = terms_of(next);
        uint8_t action = action_of(next);
        bool same = action == out->action && strcmp(terms, out->terms) == 0;
        bool joins = winner.joins && action == winner.joins && out->action == winner.joins;
        *(same ? &io_again->n_same : joins ? &io_again->n_joined : &io_again->n_other) += 1;
        if (joins && !same) {
            out->terms = joined(f, out->terms, terms);
            if (!out->terms)
                return false;
        } else if (out->action != winner.action) {
            out->action = action;
            out->terms = terms;
        }
    }
    return true;
}
