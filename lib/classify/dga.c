/* SPDX-License-Identifier: BSD-3-Clause */
#include "classify/dga.h"
#include "classify/explain.h"
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

#define VOTED (SEK_DGA_EXAMPLES * SEK_WHY_KINDS)

struct votes {
    struct sek_why_kind kinds[VOTED];
    unsigned n;
    float sum;
};

static void vote(struct votes *v, const struct sek_why *why)
{
    for (unsigned k = 0; k < SEK_WHY_KINDS && why->kinds[k].name; k++) {
        unsigned at = 0;

        while (at < v->n && strcmp(v->kinds[at].name, why->kinds[k].name) != 0)
            at++;
        if (at == v->n)
            v->kinds[v->n++] = (struct sek_why_kind){why->kinds[k].name, 0};
        v->kinds[at].share += why->kinds[k].share;
    }
    v->sum += 1;
}

void sek_dga_kind(const struct sek_dga *f, const struct sek_classify *c,
                  char out_kind[SEK_DGA_KIND], float *out_share)
{
    struct votes v = {.n = 0};
    unsigned best = 0;

    out_kind[0] = '\0';
    *out_share = 0;
    if (f->words > f->names) {
        snprintf(out_kind, SEK_DGA_KIND, "word list");
        *out_share = f->words / (f->words + f->names + f->shape);
        return;
    }
    for (unsigned i = 0; i < f->n_examples; i++) {
        struct sek_name name;
        struct sek_why why;

        if (sek_name_from_wire(f->examples[i].octets, f->examples[i].len, &name) != SEK_OK)
            continue;
        sek_classify_explain(c, &name, &why);
        vote(&v, &why);
    }
    if (v.n == 0)
        return;
    for (unsigned i = 1; i < v.n; i++)
        best = v.kinds[i].share > v.kinds[best].share ? i : best;
    snprintf(out_kind, SEK_DGA_KIND, "%s", v.kinds[best].name);
    *out_share = v.kinds[best].share / v.sum;
}
