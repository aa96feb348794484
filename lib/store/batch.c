/* SPDX-License-Identifier: BSD-3-Clause */
/* Records lie one after the other in blocks; a place a record is sorted, with the key's first
 * octets in it, so that most comparisons touch no record. */
#include "store/batch.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define BLOCK_OCTETS (1U << 20)

struct record {
    uint32_t order; /* of adding */
    uint16_t key_len;
    uint8_t scope, action;
    uint8_t key[];
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

static struct record *record_new(struct sek_batch *f, size_t key_len)
{
    size_t size = sizeof(struct record) + key_len;
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
    struct record *r = (struct record *)(f->blocks->octets + f->blocks->used);
    f->blocks->used += size;
    return r;
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
                           uint8_t action)
{
    if (f->octets + f->n * sizeof *f->places > SEK_BATCH_MAX || f->n == UINT32_MAX ||
        key_len > UINT16_MAX)
        return SEK_E_LIMIT;
    if (!places_grow(f))
        return SEK_E_NOMEM;
    struct record *r = record_new(f, key_len);
    if (!r)
        return SEK_E_NOMEM;
    r->order = (uint32_t)f->n;
    r->key_len = (uint16_t)key_len;
    r->scope = scope;
    r->action = action;
    if (key_len) /* the root's key may be NULL */
        memcpy(r->key, key, key_len);
    f->places[f->n++] = (struct place){.head = head_of(r->key, key_len), .record = r};
    return SEK_OK;
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

void sek_batch_sort(struct sek_batch *f)
{
    if (f->n)
        qsort(f->places, f->n, sizeof *f->places, place_compare);
    f->at = 0;
}

bool sek_batch_next(struct sek_batch *f, uint8_t winner, struct sek_batch_rule *out,
                    struct sek_batch_again *io_again)
{
    if (f->at == f->n)
        return false;
    const struct place *first = &f->places[f->at++];
    uint8_t action = first->record->action;
    for (; f->at < f->n && rule_compare(first, &f->places[f->at]) == 0; f->at++) {
        uint8_t next = f->places[f->at].record->action;
        *(next == action ? &io_again->n_same : &io_again->n_other) += 1;
        if (action != winner)
            action = next;
    }
    const struct record *r = first->record;
    *out = (struct sek_batch_rule){
        .key = r->key, .key_len = r->key_len, .scope = r->scope, .action = action};
    return true;
}
