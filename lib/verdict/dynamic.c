/* SPDX-License-Identifier: BSD-3-Clause */
#include "verdict/dynamic.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define LOOKS 1024 /* bits of the filter in front */

struct sek_dynamic {
    uint64_t looks[LOOKS / 64]; /* of all rows; most names have a look that none has */
    unsigned n;
    struct sek_dynamic_row rows[]; /* by length, then octets */
};

void sek_dynamic_row_set(struct sek_dynamic_row *row, const struct sek_name *domain, const char *by,
                         int64_t until_s)
{
    row->until_s = until_s;
    snprintf(row->by, sizeof row->by, "%s", by);
    row->len = domain->len;
    memcpy(row->domain, domain->octets, domain->len);
}

/* A cheap digest. Who chooses names so that they look like a row's gains a binary search. */
static unsigned look_of(const uint8_t *domain, size_t len)
{
    unsigned look = (unsigned)len;

    for (size_t i = 1; i < len && i < 5; i++)
        look = look * 37 + domain[i];
    return look % LOOKS;
}

static int compare(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    if (a_len != b_len)
        return a_len < b_len ? -1 : 1;
    return memcmp(a, b, a_len);
}

static int compare_rows(const void *a, const void *b)
{
    const struct sek_dynamic_row *x = a, *y = b;
    int order = compare(x->domain, x->len, y->domain, y->len);

    return order ? order : (y->until_s > x->until_s) - (y->until_s < x->until_s);
}

static int compare_ends(const void *a, const void *b)
{
    const struct sek_dynamic_row *x = a, *y = b;

    return (y->until_s > x->until_s) - (y->until_s < x->until_s);
}

enum sek_err sek_dynamic_new(const struct sek_dynamic_row *rows, unsigned n,
                             struct sek_dynamic **out)
{
    struct sek_dynamic *d;
    unsigned kept = 0;

    *out = NULL;
    if (n == 0)
        return SEK_OK;
    d = calloc(1, sizeof *d + n * sizeof *rows);
    if (!d)
        return SEK_E_NOMEM;
    memcpy(d->rows, rows, n * sizeof *rows);
    qsort(d->rows, n, sizeof *rows, compare_rows);
    for (unsigned i = 0; i < n; i++) /* of equal domains the first one ends last */
        if (kept == 0 || compare(d->rows[i].domain, d->rows[i].len, d->rows[kept - 1].domain,
                                 d->rows[kept - 1].len) != 0)
            d->rows[kept++] = d->rows[i];
    if (kept > SEK_DYNAMIC_MAX) {
        qsort(d->rows, kept, sizeof *rows, compare_ends);
        kept = SEK_DYNAMIC_MAX;
        qsort(d->rows, kept, sizeof *rows, compare_rows);
    }
    d->n = kept;
    for (unsigned i = 0; i < kept; i++) {
        unsigned look = look_of(d->rows[i].domain, d->rows[i].len);
        d->looks[look / 64] |= 1ull << look % 64;
    }
    *out = d;
    return SEK_OK;
}

void sek_dynamic_free(struct sek_dynamic *d)
{
    free(d);
}

const struct sek_dynamic_row *sek_dynamic_rows(const struct sek_dynamic *d, unsigned *out_n)
{
    *out_n = d ? d->n : 0;
    return d ? d->rows : NULL;
}

static const struct sek_dynamic_row *search(const struct sek_dynamic *d, const uint8_t *domain,
                                            size_t len)
{
    unsigned low = 0, high = d->n;

    while (low < high) {
        unsigned middle = (low + high) / 2;
        const struct sek_dynamic_row *row = &d->rows[middle];
        int order = compare(domain, len, row->domain, row->len);

        if (order == 0)
            return row;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const struct sek_dynamic_row *sek_dynamic_find(const struct sek_dynamic *d,
                                               const struct sek_name *name, int64_t now_s,
                                               unsigned *out_depth)
{
    if (!d)
        return NULL;
    for (unsigned k = 0; k < name->n_labels; k++) {
        const uint8_t *domain = name->octets + name->offset[k];
        size_t len = (size_t)(name->len - name->offset[k]);
        unsigned look = look_of(domain, len);

        if (!(d->looks[look / 64] >> look % 64 & 1))
            continue;
        const struct sek_dynamic_row *row = search(d, domain, len);
        if (row && row->until_s > now_s) {
            *out_depth = k;
            return row;
        }
    }
    return NULL;
}
