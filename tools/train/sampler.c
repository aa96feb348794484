/* SPDX-License-Identifier: BSD-3-Clause */
#include "sampler.h"
#include <math.h>
#include <string.h>
#include "base/banned.h"

#define NAMES_A_GENERATOR 60 /* then a fresh one takes its place */

void sampler_init(struct sampler *s, const struct data *d, struct kinds *k, const struct mix *mix,
                  uint64_t seed)
{
    float sum = 0;

    memset(s, 0, sizeof *s);
    s->data = d;
    s->kinds = k;
    s->mix = *mix;
    rng_seed(&s->rng, seed);
    for (int f = 0; f < d->n_families; f++) {
        if (d->families[f].n_train > 0)
            sum += powf((float)d->families[f].n_train, mix->flatness);
        s->family_use[f] = sum;
    }
}

static void take(struct sample *out, const struct item *it, int target)
{
    out->n = it->n;
    out->class_id = it->class_id;
    out->target = (int16_t)target;
    memcpy(out->sym, it->sym, sizeof out->sym);
}

static void next_benign(struct sampler *s, struct sample *out)
{
    const struct data *d = s->data;
    const struct item *it;

    do
        it = &d->items[d->benign[rng_below(&s->rng, d->n_benign)]];
    while (it->weight < 1 && rng_unit(&s->rng) >= it->weight);
    take(out, it, -1);
    if (rng_unit(&s->rng) < 0.02f)
        out->class_id = 0;
}

static void next_known(struct sampler *s, struct sample *out)
{
    const struct data *d = s->data;
    float at = rng_unit(&s->rng) * s->family_use[d->n_families - 1];
    const struct family *family;
    const struct item *it;
    struct item fresh;
    int f = 0;

    while (f + 1 < d->n_families && s->family_use[f] <= at)
        f++;
    family = &d->families[f];
    it = &d->items[family->train[rng_below(&s->rng, family->n_train)]];
    if (s->fits && s->fits->family[f].good && rng_unit(&s->rng) < s->mix.fresh) {
        fresh = *it;
        fits_name(&s->fits->family[f], &s->rng, &fresh);
        it = &fresh;
    }
    take(out, it, f);
    if (rng_unit(&s->rng) < s->mix.class_drop)
        out->class_id = kinds_class(s->kinds, &s->rng);
}

static void next_synthetic(struct sampler *s, struct sample *out)
{
    uint32_t i = rng_below(&s->rng, s->kinds->n_gens);
    struct item it;

    if (++s->n_synthetic % NAMES_A_GENERATOR == 0)
        kinds_renew(s->kinds, i, &s->rng);
    kinds_name(s->kinds, i, &s->rng, &it);
    take(out, &it, FAMILIES_MAX + it.family);
}

void sampler_next(struct sampler *s, struct sample *out)
{
    float u = rng_unit(&s->rng);

    if (u < s->mix.benign)
        next_benign(s, out);
    else if (u < s->mix.benign + s->mix.synthetic)
        next_synthetic(s, out);
    else
        next_known(s, out);
}
