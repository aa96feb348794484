/* SPDX-License-Identifier: BSD-3-Clause */
#include "why.h"
#include "classify/modelpath.h"
#include "name/text.h"
#include <math.h>
#include <stdio.h>
#include "base/banned.h"

#define LEAST_SHARE 0.05f /* of a further kind */
#define LEAST_PART 0.05f  /* rounds to more than 0.0 */

void sek_why_add_kinds(const struct sek_why *why, struct sek_buf *out)
{
    for (int i = 0; i < SEK_WHY_KINDS && why->kinds[i].name; i++)
        if (i == 0 || why->kinds[i].share >= LEAST_SHARE)
            sek_buf_add_fmt(out, "%s%s %.0f %%", i ? ", " : "", why->kinds[i].name,
                            (double)why->kinds[i].share * 100);
}

/* "n-grams +3.1" behind a comma if it is not the first; what is near 0 says nothing. */
static void add_part(struct sek_buf *out, unsigned *io_n, const char *what, float v)
{
    if (fabsf(v) < LEAST_PART)
        return;
    sek_buf_add_fmt(out, "%s%s %+.1f", *io_n ? ", " : ": ", what, (double)v);
    *io_n += 1;
}

/* "suffix .top": what stands right of the judged label. */
static void suffix_of(const struct sek_name *name, unsigned label, char *out, size_t size)
{
    struct sek_name suffix;
    char text[SEK_NAME_TEXT_MAX] = "";
    if (label + 1 < name->n_labels) {
        sek_name_parent(name, label + 1, &suffix);
        sek_name_to_text(suffix.octets, text);
    }
    snprintf(out, size, "suffix .%s", text);
}

/* "100 %" and "0 %" would claim a certainty that there is not. */
static void add_percent(float llr, struct sek_buf *out)
{
    double percent = sek_classify_probability(llr) * 100;
    if (percent > 99.5)
        sek_buf_add_text(out, "over 99 %");
    else if (percent < 0.5)
        sek_buf_add_text(out, "under 1 %");
    else
        sek_buf_add_fmt(out, "%.0f %%", percent);
    sek_buf_add_text(out, " machine-made");
}

void sek_why_text(const struct sek_name *name, const struct sek_why *why, struct sek_buf *out)
{
    char suffix[SEK_NAME_TEXT_MAX + 16];
    unsigned n = 0;
    if (!why->score.length) {
        sek_buf_add_text(out, "no label to judge");
        return;
    }
    add_percent(why->score.llr, out);
    suffix_of(name, why->score.label, suffix, sizeof suffix);
    add_part(out, &n, "n-grams", why->grams);
    add_part(out, &n, suffix, why->suffix);
    add_part(out, &n, "length", why->length);
    add_part(out, &n, "network", why->network);
    if (why->score.llr > 0 && why->kinds[0].name) {
        sek_buf_add_text(out, "; like ");
        sek_why_add_kinds(why, out);
    }
}

struct sek_classify *sek_why_model(const struct sek_conf *conf)
{
    char path[512];
    struct sek_classify *c = NULL;
    if (sek_classify_open(sek_model_path(conf, path, sizeof path), &c, NULL))
        return NULL;
    return c;
}
