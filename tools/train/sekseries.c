/* SPDX-License-Identifier: BSD-3-Clause */
/* How soon a series of machine-made names is found (lib/classify/evidence.h), and how often a
 * benign endpoint is taken for one. usage: sekseries MODEL LABELLED [FAMILY,FAMILY…]
 *
 * LABELLED: lines name<TAB>"benign" or family, as for `sekisho classify --evaluate`; gzip or not.
 * Use names that the model was not trained on. For each family 100 endpoints ask for 40 of its
 * names, all of which do not exist, one in 10 s, with a benign name that exists before each. Then
 * 2,000 benign endpoints a row ask for 300 names in 8 h, some of which do not exist. */
#include "classify/evidence.h"
#include "name/text.h"
#include "tools/input/textlines.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define N_SERIES 100
#define N_NAMES 40
#define NAMES_MIN 40 /* smaller families say little */
#define FAMILIES_MAX 256
#define N_BENIGN_ENDPOINTS 2000
#define N_BENIGN_NAMES 300
#define DAY_MS (8 * 3600 * 1000)

struct names {
    char label[64];
    char **name;
    size_t n, room;
};

static struct names families[FAMILIES_MAX], benign;
static size_t n_families;
static struct sek_classify *model;
static uint64_t seed = 1;

static _Noreturn void quit(const char *text)
{
    fprintf(stderr, "sekseries: %s\n", text);
    exit(1);
}

/* A linear congruential generator's upper bits (Knuth's MMIX). */
static uint32_t draw(uint32_t n)
{
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)((seed >> 33) % n);
}

static struct names *names_of(const char *label)
{
    if (strcmp(label, "benign") == 0 || strcmp(label, "-") == 0)
        return &benign;
    for (size_t i = 0; i < n_families; i++)
        if (strcmp(families[i].label, label) == 0)
            return &families[i];
    if (n_families == FAMILIES_MAX)
        quit("too many families");
    snprintf(families[n_families].label, sizeof families[0].label, "%s", label);
    return &families[n_families++];
}

static enum sek_err take(void *arg, char *line, struct sek_diag *diag)
{
    char *tab = strchr(line, '\t');

    (void)arg;
    if (!tab)
        return sek_diag_set(diag, SEK_E_INVALID, "no label");
    *tab = '\0';
    struct names *to = names_of(tab + 1);
    if (to->n == to->room) {
        to->room = to->room ? to->room * 2 : 64;
        to->name = reallocarray(to->name, to->room, sizeof *to->name);
    }
    if (!to->name || !(to->name[to->n++] = strdup(line)))
        quit("out of memory");
    return SEK_OK;
}

static enum sek_evidence_news ask(struct sek_evidence *e, uint32_t endpoint, const char *text,
                                  bool exists, int64_t time_ms)
{
    struct sek_name name;
    struct sek_dga found;
    struct sek_evidence_item item = {.name = &name, .nxdomain = !exists, .time_ms = time_ms};

    memcpy(item.endpoint.octets + 12, &endpoint, sizeof endpoint);
    if (sek_name_from_text(text, strlen(text), &name, NULL) != SEK_OK)
        return SEK_EVIDENCE_NOTHING;
    item.score = sek_classify_name(model, &name);
    return sek_evidence_add(e, &item, &found);
}

static struct sek_evidence *evidence_new(void)
{
    struct sek_evidence *e;
    struct sek_diag diag;

    if (sek_evidence_new(&SEK_EVIDENCE_DEFAULTS, (struct sek_hash_key){7, 11}, &e, &diag))
        quit(diag.text);
    return e;
}

/* After how many of the generator's names it is found; 0: not. */
static unsigned series(struct sek_evidence *e, uint32_t endpoint, const struct names *f)
{
    uint32_t at = draw((uint32_t)f->n);

    for (unsigned i = 0; i < N_NAMES; i++) {
        int64_t t = 1000000 + (int64_t)i * 10000;
        ask(e, endpoint, benign.name[draw((uint32_t)benign.n)], true, t);
        if (ask(e, endpoint, f->name[(at + i) % f->n], false, t + 5000) == SEK_EVIDENCE_FOUND)
            return i + 1;
    }
    return 0;
}

struct result {
    double within_20, within_40, names; /* names: mean, of those found */
};

static struct result family(const struct names *f)
{
    struct sek_evidence *e = evidence_new();
    struct result r = {0};

    for (uint32_t s = 0; s < N_SERIES; s++) {
        unsigned n = series(e, s + 1, f);
        r.within_20 += n > 0 && n <= 20;
        r.within_40 += n > 0;
        r.names += n;
    }
    r.names = r.within_40 > 0 ? r.names / r.within_40 : 0;
    r.within_20 /= N_SERIES;
    r.within_40 /= N_SERIES;
    sek_evidence_free(e);
    return r;
}

static bool is_wanted(const char *list, const char *label)
{
    size_t len = strlen(label);

    if (!list)
        return true;
    for (const char *p = list; *p; p += strcspn(p, ","), p += *p == ',')
        if (strcspn(p, ",") == len && strncmp(p, label, len) == 0)
            return true;
    return false;
}

static void false_alarms(unsigned percent_absent)
{
    struct sek_evidence *e = evidence_new();
    unsigned found = 0;

    for (uint32_t i = 0; i < N_BENIGN_ENDPOINTS; i++)
        for (unsigned k = 0; k < N_BENIGN_NAMES; k++)
            found +=
                ask(e, i + 1, benign.name[draw((uint32_t)benign.n)], draw(100) >= percent_absent,
                    (int64_t)k * (DAY_MS / N_BENIGN_NAMES)) == SEK_EVIDENCE_FOUND;
    printf("benign endpoints, %2u %% of names absent: %u findings of %d\n", percent_absent, found,
           N_BENIGN_ENDPOINTS);
    sek_evidence_free(e);
}

int main(int argc, char **argv)
{
    struct result sum = {0};
    struct sek_diag diag;
    uint64_t bad;
    unsigned n = 0;

    if (argc < 3)
        quit("usage: sekseries MODEL LABELLED [FAMILY,FAMILY…]");
    if (sek_classify_open(argv[1], &model, &diag) ||
        sek_textlines_read(argv[2], take, NULL, &bad, &diag))
        quit(diag.text);
    if (benign.n == 0)
        quit("no benign names");
    printf("%-24s %8s %8s %8s\n", "family", "20", "40", "names");
    for (size_t i = 0; i < n_families; i++) {
        if (families[i].n < NAMES_MIN || !is_wanted(argc > 3 ? argv[3] : NULL, families[i].label))
            continue;
        struct result r = family(&families[i]);
        printf("%-24s %8.2f %8.2f %8.1f\n", families[i].label, r.within_20, r.within_40, r.names);
        sum.within_20 += r.within_20;
        sum.within_40 += r.within_40;
        n++;
    }
    if (n > 0)
        printf("%-24s %8.3f %8.3f\n", "macro", sum.within_20 / n, sum.within_40 / n);
    for (unsigned percent = 5; percent <= 40; percent *= 2)
        false_alarms(percent);
    return 0;
}
