/* SPDX-License-Identifier: BSD-3-Clause */
#include "units.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define SLOTS_MIN 1024

void sek_units_init(struct sek_units *u)
{
    *u = (struct sek_units){.key = sek_hash_key_random()};
    sek_buf_init(&u->octets, 0);
    sek_buf_init(&u->rows, 0);
}

void sek_units_fini(struct sek_units *u)
{
    sek_buf_fini(&u->octets);
    sek_buf_fini(&u->rows);
    free(u->slots);
    u->slots = NULL;
}

size_t sek_units_n(const struct sek_units *u)
{
    return u->rows.len / sizeof(struct sek_unit_row);
}

static struct sek_unit_row *rows_of(const struct sek_units *u)
{
    return (struct sek_unit_row *)(void *)u->rows.data;
}

const uint8_t *sek_units_name(const struct sek_units *u, const struct sek_unit_row *row)
{
    return (const uint8_t *)u->octets.data + row->offset;
}

/* The slot of a name: its row's, or the free one where it belongs. */
static uint32_t *slot_of(const struct sek_units *u, const uint8_t *name, size_t len)
{
    size_t i = sek_hash(&u->key, name, len) & (u->n_slots - 1);

    for (; u->slots[i]; i = (i + 1) & (u->n_slots - 1)) {
        const struct sek_unit_row *row = &rows_of(u)[u->slots[i] - 1];

        if (row->len == len && memcmp(sek_units_name(u, row), name, len) == 0)
            break;
    }
    return &u->slots[i];
}

/* Room for one more: at most half of the slots are taken. */
static bool make_room(struct sek_units *u)
{
    size_t n = sek_units_n(u), n_slots = u->n_slots ? 2 * u->n_slots : SLOTS_MIN;
    uint32_t *slots;

    if (2 * (n + 1) <= u->n_slots)
        return true;
    slots = calloc(n_slots, sizeof(*slots));
    if (!slots)
        return false;
    free(u->slots);
    u->slots = slots;
    u->n_slots = n_slots;
    for (size_t i = 0; i < n; i++) {
        const struct sek_unit_row *row = &rows_of(u)[i];

        *slot_of(u, sek_units_name(u, row), row->len) = (uint32_t)i + 1;
    }
    return true;
}

enum sek_err sek_units_add(struct sek_units *u, const struct sek_name *name,
                           const struct sek_score *score, struct sek_diag *diag)
{
    const uint8_t *octets = name->octets + name->offset[score->label];
    size_t len = (size_t)name->len - name->offset[score->label];
    struct sek_unit_row row = {score->llr, (uint32_t)len, u->octets.len};
    uint32_t *slot;

    if (!make_room(u))
        return sek_diag_set(diag, SEK_E_NOMEM, "no memory for more domains");
    slot = slot_of(u, octets, len);
    if (*slot)
        return SEK_OK;
    sek_buf_add(&u->octets, octets, len);
    sek_buf_add(&u->rows, &row, sizeof(row));
    if (u->octets.failed || u->rows.failed)
        return sek_diag_set(diag, SEK_E_NOMEM, "no memory for more domains");
    *slot = (uint32_t)sek_units_n(u);
    return SEK_OK;
}

static int by_score(const void *a, const void *b, void *arg)
{
    const struct sek_unit_row *x = a, *y = b;
    int order;

    if (x->llr != y->llr)
        return x->llr < y->llr ? 1 : -1;
    order =
        memcmp(sek_units_name(arg, x), sek_units_name(arg, y), x->len < y->len ? x->len : y->len);
    return order ? order : (x->len > y->len) - (x->len < y->len);
}

const struct sek_unit_row *sek_units_sort(struct sek_units *u)
{
    size_t n = sek_units_n(u);

    if (n > 0)
        qsort_r(rows_of(u), n, sizeof(struct sek_unit_row), by_score, u);
    free(u->slots); /* they name other rows now */
    u->slots = NULL;
    u->n_slots = 0;
    return rows_of(u);
}
