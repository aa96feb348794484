/* SPDX-License-Identifier: BSD-3-Clause */
#include "classify/dga.h"
#include "base/json.h"
#include "classify/explain.h"
#include "name/text.h"
#include <inttypes.h>
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

static void add_real(struct sek_buf *b, const char *key, float v, int decimals)
{
    sek_buf_add_fmt(b, "\"%s\":", key);
    sek_json_add_real(b, (double)v, decimals);
    sek_buf_add_text(b, ",");
}

/* False, and nothing added, for a name that is damaged. */
static bool add_name(struct sek_buf *b, const struct sek_dga_name *name)
{
    char text[SEK_NAME_TEXT_MAX];
    struct sek_name wire;

    if (sek_name_from_wire(name->octets, name->len, &wire) != SEK_OK)
        return false;
    sek_name_to_text(wire.octets, text);
    sek_json_add_text(b, text);
    return true;
}

static void add_resolved(const struct sek_dga *f, struct sek_buf *b)
{
    sek_buf_add_text(b, "\"resolved\":");
    if (!f->resolved.len || !add_name(b, &f->resolved)) {
        sek_buf_add_text(b, "null,\"resolved_ratio\":null,");
        return;
    }
    sek_buf_add_text(b, ",");
    add_real(b, "resolved_ratio", f->resolved_llr, 1);
}

/* `used`: octets of the object before. */
static void add_examples(const struct sek_dga *f, size_t used, struct sek_buf *b)
{
    struct sek_buf one;
    const char *comma = "";

    sek_buf_init(&one, 0);
    sek_buf_add_text(b, "\"examples\":[");
    used += strlen("\"examples\":[]}");
    for (unsigned i = 0; i < f->n_examples && i < SEK_DGA_EXAMPLES; i++) {
        sek_buf_reset(&one);
        if (!add_name(&one, &f->examples[i]) || used + 1 + one.len > SEK_DGA_EVIDENCE_MAX)
            continue;
        sek_buf_add_text(b, comma);
        sek_buf_add(b, one.data, one.len);
        used += 1 + one.len;
        comma = ",";
        b->failed |= one.failed;
    }
    sek_buf_add_text(b, "]}");
    sek_buf_fini(&one);
}

void sek_dga_evidence(const struct sek_dga *f, const char *kind, float share, struct sek_buf *out)
{
    size_t begin = out->len;

    sek_buf_add_text(out, "{\"kind\":");
    sek_json_add_text(out, kind);
    sek_buf_add_text(out, ",");
    add_real(out, "kind_share", share, 2);
    sek_buf_add_fmt(out, "\"names\":%" PRIu32 ",\"nxdomains\":%" PRIu32 ",", f->n_names,
                    f->n_nxdomains);
    add_real(out, "score", f->score, 1);
    add_real(out, "alarm", f->alarm, 1);
    sek_buf_add_text(out, "\"parts\":{");
    add_real(out, "names", f->names, 1);
    add_real(out, "words", f->words, 1);
    sek_buf_add_text(out, "\"shape\":");
    sek_json_add_real(out, (double)f->shape, 1);
    sek_buf_add_fmt(out, "},\"episode\":%" PRIu32 ",", f->episode);
    add_resolved(f, out);
    add_examples(f, out->len - begin, out);
}
