/* SPDX-License-Identifier: BSD-3-Clause */
#include "labelled.h"
#include "base/hash.h"
#include "name/text.h"
#include "tools/input/textlines.h"
#include <string.h>
#include "base/banned.h"

#define SLOTS (2 * SEK_LABELLED_FAMILIES_MAX)

struct work {
    struct sek_labelled *l;
    const struct sek_classify *classify;
    struct sek_hash_key key;
    uint16_t slots[SLOTS]; /* family + 1; 0 = free */
    size_t n_benign;
};

size_t sek_labelled_n_samples(const struct sek_labelled *l)
{
    return l->samples.len / sizeof(struct sek_roc_sample);
}

size_t sek_labelled_n_families(const struct sek_labelled *l)
{
    return l->families.len / sizeof(size_t);
}

const char *sek_labelled_family(const struct sek_labelled *l, size_t family)
{
    size_t at;

    memcpy(&at, l->families.data + family * sizeof(at), sizeof(at));
    return l->names.data + at;
}

/* Of a label, new or known. */
static enum sek_err family_of(struct work *w, const char *label, uint32_t *out,
                              struct sek_diag *diag)
{
    struct sek_labelled *l = w->l;
    size_t i = sek_hash(&w->key, label, strlen(label)) % SLOTS, at = l->names.len;

    for (; w->slots[i]; i = (i + 1) % SLOTS) {
        *out = w->slots[i] - 1u;
        if (strcmp(sek_labelled_family(l, *out), label) == 0)
            return SEK_OK;
    }
    *out = (uint32_t)sek_labelled_n_families(l);
    if (*out == SEK_LABELLED_FAMILIES_MAX)
        return sek_diag_set(diag, SEK_E_LIMIT,
                            "more than %d families: is the second column the label?",
                            SEK_LABELLED_FAMILIES_MAX);
    sek_buf_add(&l->names, label, strlen(label) + 1);
    sek_buf_add(&l->families, &at, sizeof(at));
    if (l->names.failed || l->families.failed)
        return sek_diag_set(diag, SEK_E_NOMEM, "no memory for more families");
    w->slots[i] = (uint16_t)(*out + 1);
    return SEK_OK;
}

/* The label behind the tab, which is cut off. NULL: bad. */
static char *cut_label(char *line, struct sek_diag *diag)
{
    char *label = strchr(line, '\t');

    if (!label || !label[1] || strchr(label + 1, '\t')) {
        sek_diag_set(diag, SEK_E_INVALID, "is not a name, a tab and a label");
        return NULL;
    }
    *label++ = '\0';
    if (strlen(label) > SEK_LABELLED_LABEL_MAX) {
        sek_diag_set(diag, SEK_E_INVALID, "a label of more than %d octets", SEK_LABELLED_LABEL_MAX);
        return NULL;
    }
    return label;
}

static enum sek_err take_line(void *arg, char *line, struct sek_diag *diag)
{
    struct work *w = arg;
    struct sek_roc_sample sample = {.family = SEK_ROC_BENIGN};
    struct sek_name name;
    enum sek_err err = SEK_OK;
    char *label;

    if (!*line || *line == '#')
        return SEK_OK;
    label = cut_label(line, diag);
    if (!label)
        return SEK_E_INVALID;
    err = sek_name_from_text(line, strlen(line), &name, diag);
    if (err != SEK_OK)
        return err;
    if (strcmp(label, "benign") == 0 || strcmp(label, "-") == 0)
        w->n_benign++;
    else
        err = family_of(w, label, &sample.family, diag);
    if (err != SEK_OK)
        return err;
    sample.score = sek_classify_name(w->classify, &name).llr;
    sek_buf_add(&w->l->samples, &sample, sizeof(sample));
    return w->l->samples.failed ? sek_diag_set(diag, SEK_E_NOMEM, "no memory for more names")
                                : SEK_OK;
}

enum sek_err sek_labelled_read(const char *path, const struct sek_classify *classify,
                               struct sek_labelled *out, struct sek_diag *diag)
{
    struct work w = {.l = out, .classify = classify, .key = sek_hash_key_random()};
    enum sek_err err;

    *out = (struct sek_labelled){0};
    sek_buf_init(&out->samples, 0);
    sek_buf_init(&out->names, 0);
    sek_buf_init(&out->families, 0);
    err = sek_textlines_read(path, take_line, &w, &out->n_bad, diag);
    if (err != SEK_OK)
        return err;
    if (w.n_benign == 0)
        return sek_diag_set(diag, SEK_E_INVALID,
                            "%s: no benign name (label \"benign\" or \"-\"), so no threshold",
                            path);
    if (sek_labelled_n_families(out) == 0)
        return sek_diag_set(diag, SEK_E_INVALID, "%s: benign names only, so nothing to detect",
                            path);
    return SEK_OK;
}

void sek_labelled_fini(struct sek_labelled *l)
{
    sek_buf_fini(&l->samples);
    sek_buf_fini(&l->names);
    sek_buf_fini(&l->families);
}
