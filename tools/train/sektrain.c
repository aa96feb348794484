/* SPDX-License-Identifier: BSD-3-Clause */
/* Trains the classifier: names in, model file out. See README.md. */
#include "export.h"
#include "linear.h"
#include "measure.h"
#include "net.h"
#include "suffixfit.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/banned.h"

#define KINDS_NAMES 1500000

struct options {
    struct sources sources;
    const char *dict, *out, *about, *from, *start;
    struct mix mix;
    struct net_plan plan;
    double linear_millions, net_millions, top_millions;
    float linear_synthetic, top_synthetic, top_rate, top_drop;
    float pass;
    uint64_t seed;
    int64_t date_s;
    bool families, samples, suffix_fit;
};

static const char usage[] =
    "usage: sektrain --dga FILE --benign FILE --suffixes FILE --dynamic FILE --out MODEL "
    "[options]\n"
    "  --dga FILE        generated names: name<TAB>family, gzip or not\n"
    "  --benign FILE     benign names: name<TAB>rank<TAB>kind, those of kind \"reg\" are read\n"
    "  --suffixes FILE   public_suffix_list.dat\n"
    "  --dynamic FILE    suffixes of dynamic-DNS providers\n"
    "  --dict FOLDER     word lists; default /usr/share/dict\n"
    "  --hold A,B,...    keep these families out, to measure on them\n"
    "  --names N         millions of names that stage 2 sees; default 45\n"
    "  --linear N        the same for stage 1; default 10\n"
    "  --top-names N     the same for the layers above the pooling, on names kept out; default 4\n"
    "  --benign-share, --synthetic-share, --linear-synthetic, --top-synthetic, --fresh, "
    "--flatness,\n"
    "  --class-drop, --rate, --top-rate, --floor, --average, --drop, --top-drop, --head, --pass F\n"
    "                    shares and rates: README.md\n"
    "  --all             train on the kept-out tenth, too; figures are then worth nothing\n"
    "  --seed N, --date SECONDS, --about TEXT\n"
    "  --from MODEL      do not train: calibrate this model anew (--pass) and measure it\n"
    "  --suffix-fit      with --from: fit the weights of suffixes anew first, as after training\n"
    "  --start MODEL     go on training this model\n"
    "  --families        print the figures of each family\n"
    "  --kept FILE       write the names kept out, as classify --evaluate reads them\n"
    "  --samples         print synthetic names and stop\n";

enum {
    O_DGA = 1,
    O_BENIGN,
    O_SUFFIXES,
    O_DYNAMIC,
    O_DICT,
    O_HOLD,
    O_NAMES,
    O_LINEAR,
    O_B,
    O_S,
    O_F,
    O_C,
    O_RATE,
    O_DROP,
    O_HEAD,
    O_PASS,
    O_ALL,
    O_SEED,
    O_DATE,
    O_ABOUT,
    O_OUT,
    O_FAMILIES,
    O_SAMPLES,
    O_FROM,
    O_START,
    O_FRESH,
    O_FLOOR,
    O_AVERAGE,
    O_KEPT,
    O_LINEAR_SYNTHETIC,
    O_TOP,
    O_TOP_SYNTHETIC,
    O_TOP_RATE,
    O_TOP_DROP,
    O_SUFFIX_FIT
};

static const struct option longs[] = {
    {"dga", 1, NULL, O_DGA},
    {"benign", 1, NULL, O_BENIGN},
    {"suffixes", 1, NULL, O_SUFFIXES},
    {"dynamic", 1, NULL, O_DYNAMIC},
    {"dict", 1, NULL, O_DICT},
    {"hold", 1, NULL, O_HOLD},
    {"names", 1, NULL, O_NAMES},
    {"linear", 1, NULL, O_LINEAR},
    {"benign-share", 1, NULL, O_B},
    {"synthetic-share", 1, NULL, O_S},
    {"flatness", 1, NULL, O_F},
    {"class-drop", 1, NULL, O_C},
    {"rate", 1, NULL, O_RATE},
    {"drop", 1, NULL, O_DROP},
    {"head", 1, NULL, O_HEAD},
    {"pass", 1, NULL, O_PASS},
    {"all", 0, NULL, O_ALL},
    {"seed", 1, NULL, O_SEED},
    {"date", 1, NULL, O_DATE},
    {"about", 1, NULL, O_ABOUT},
    {"out", 1, NULL, O_OUT},
    {"families", 0, NULL, O_FAMILIES},
    {"samples", 0, NULL, O_SAMPLES},
    {"from", 1, NULL, O_FROM},
    {"start", 1, NULL, O_START},
    {"fresh", 1, NULL, O_FRESH},
    {"floor", 1, NULL, O_FLOOR},
    {"average", 1, NULL, O_AVERAGE},
    {"linear-synthetic", 1, NULL, O_LINEAR_SYNTHETIC},
    {"top-names", 1, NULL, O_TOP},
    {"top-synthetic", 1, NULL, O_TOP_SYNTHETIC},
    {"top-rate", 1, NULL, O_TOP_RATE},
    {"top-drop", 1, NULL, O_TOP_DROP},
    {"kept", 1, NULL, O_KEPT},
    {"suffix-fit", 0, NULL, O_SUFFIX_FIT},
    {0},
};

static bool take_text(struct options *o, int which, const char *v)
{
    switch (which) {
    case O_DGA:
        o->sources.dga = v;
        return true;
    case O_BENIGN:
        o->sources.benign = v;
        return true;
    case O_SUFFIXES:
        o->sources.suffixes = v;
        return true;
    case O_DYNAMIC:
        o->sources.dynamic = v;
        return true;
    case O_HOLD:
        o->sources.held = v;
        return true;
    case O_DICT:
        o->dict = v;
        return true;
    case O_ABOUT:
        o->about = v;
        return true;
    case O_OUT:
        o->out = v;
        return true;
    case O_FROM:
        o->from = v;
        return true;
    case O_START:
        o->start = v;
        return true;
    case O_KEPT:
        o->sources.kept = v;
        return true;
    case O_SEED:
        o->seed = strtoull(v, NULL, 10);
        return true;
    case O_DATE:
        o->date_s = strtoll(v, NULL, 10);
        return true;
    case O_ALL:
        return o->sources.all = true;
    case O_FAMILIES:
        return o->families = true;
    case O_SUFFIX_FIT:
        return o->suffix_fit = true;
    case O_SAMPLES:
        return o->samples = true;
    default:
        return false;
    }
}

static bool take_number(struct options *o, int which, double v)
{
    switch (which) {
    case O_NAMES:
        o->net_millions = v;
        return true;
    case O_LINEAR:
        o->linear_millions = v;
        return true;
    case O_B:
        o->mix.benign = (float)v;
        return true;
    case O_S:
        o->mix.synthetic = (float)v;
        return true;
    case O_F:
        o->mix.flatness = (float)v;
        return true;
    case O_C:
        o->mix.class_drop = (float)v;
        return true;
    case O_RATE:
        o->plan.rate = (float)v;
        return true;
    case O_DROP:
        o->plan.drop = (float)v;
        return true;
    case O_HEAD:
        o->plan.head_weight = (float)v;
        return true;
    case O_LINEAR_SYNTHETIC:
        o->linear_synthetic = (float)v;
        return true;
    case O_TOP:
        o->top_millions = v;
        return true;
    case O_TOP_SYNTHETIC:
        o->top_synthetic = (float)v;
        return true;
    case O_TOP_RATE:
        o->top_rate = (float)v;
        return true;
    case O_TOP_DROP:
        o->top_drop = (float)v;
        return true;
    case O_FRESH:
        o->mix.fresh = (float)v;
        return true;
    case O_FLOOR:
        o->plan.floor = (float)v;
        return true;
    case O_AVERAGE:
        o->plan.average = (float)v;
        return true;
    case O_PASS:
        o->pass = (float)v;
        return true;
    default:
        return false;
    }
}

static void take_options(struct options *o, int argc, char **argv)
{
    int which;

    while ((which = getopt_long(argc, argv, "", longs, NULL)) != -1)
        if (!take_text(o, which, optarg) &&
            !take_number(o, which, optarg ? strtod(optarg, NULL) : 0))
            break;
    if (which != -1 || optind != argc || !o->sources.dga || !o->sources.benign ||
        !o->sources.suffixes || !o->sources.dynamic || !(o->out || o->samples)) {
        fputs(usage, stderr);
        exit(2);
    }
}

static void print_samples(const struct kinds *k, struct rng *r)
{
    for (uint32_t g = 0; g < 400; g++)
        for (int i = 0; i < 4; i++) {
            struct item it;

            kinds_name(k, g, r, &it);
            printf("%-24s ", kind_names[it.family]);
            for (int j = 0; j < it.n; j++)
                putchar(".abcdefghijklmnopqrstuvwxyz0123456789-??"[it.sym[j]]);
            printf(".%s\n", k->data->classes[it.class_id].name);
        }
}

/* The layers above the pooling on names that those below have not seen; then, since few names of a
 * family are among these, what tells the kinds on the others again. */
static void train_top(const struct options *o, struct data *d, struct kinds *k, struct net *n)
{
    struct net_plan plan = {.n_names = (uint64_t)(o->top_millions * 1e6),
                            .rate = o->top_rate,
                            .drop = o->top_drop,
                            .head_weight = o->plan.head_weight,
                            .floor = 0.3f,
                            .average = 0.5f,
                            .first = NET_TOP,
                            .name = o->plan.name};
    struct mix mix = o->mix;
    struct sampler s;

    mix.synthetic = o->top_synthetic;
    mix.fresh = 0;
    data_divide(d, SET_ADJUST);
    sampler_init(&s, d, k, &mix, o->seed + 13);
    net_train(n, &s, &plan);
    data_divide(d, o->sources.all ? SET_ALL : SET_TRAIN);
    mix.synthetic = o->mix.synthetic / (1 - o->mix.benign);
    mix.benign = 0;
    sampler_init(&s, d, k, &mix, o->seed + 14);
    plan.first = NET_KINDS;
    plan.n_names = KINDS_NAMES;
    plan.rate = 0.002f;
    plan.drop = 0;
    net_train(n, &s, &plan);
}

static void train(struct options *o, struct data *d, struct kinds *k, float *scores,
                  struct image *image)
{
    struct linear *l = calloc(1, sizeof *l);
    struct net *n = aligned_alloc(64, (sizeof *n + 63) & ~(size_t)63);
    struct sampler s;
    static struct fits fits;

    fits_learn(&fits, d);
    sampler_init(&s, d, k, &o->mix, o->seed + 11);
    s.fits = &fits;
    net_init(n, o->seed + 5);
    if (o->start) {
        export_read(d, o->start, image);
        import_model(d, image, l, n);
    }
    s.mix.synthetic = o->linear_synthetic;
    if (o->linear_millions > 0)
        linear_train(l, &s, (uint64_t)(o->linear_millions * 1e6));
    for (uint32_t i = 0; i < d->n; i++)
        scores[i] = linear_score(l, d->items[i].sym, d->items[i].n, d->items[i].class_id);
    measure(d, scores, "stage 1", false);
    sampler_init(&s, d, k, &o->mix, o->seed + 12);
    s.fits = &fits;
    net_train(n, &s, &o->plan);
    net_score(n, d, scores);
    measure(d, scores, "stage 2", false);
    train_top(o, d, k, n);
    net_score(n, d, scores);
    measure(d, scores, "top", false);
    export_model(d, l, n, image);
}

/* Calibrate, measure, write. */
static void finish(const struct options *o, const struct data *d, float *scores,
                   struct image *image)
{
    export_calibrate(d, image, o->pass, scores);
    measure(d, scores, "model", o->families);
    export_write(image, o->about, o->date_s, o->out);
}

int main(int argc, char **argv)
{
    static struct data d;
    static struct kinds k;
    struct image image = {0};
    float *scores;
    struct rng r;
    struct options o = {
        .dict = "/usr/share/dict",
        .about = "",
        .mix = {.benign = 0.63f, .synthetic = 0.13f, .flatness = 0.4f, .class_drop = 0.25f},
        .plan = {.rate = 0.002f, .drop = 0.1f, .head_weight = 0.1f},
        .linear_millions = 10,
        .linear_synthetic = 0.06f,
        .net_millions = 45,
        .top_millions = 4,
        .top_synthetic = 0.05f,
        .top_rate = 0.0007f,
        .top_drop = 0.1f,
        .pass = 0.18f,
        .date_s = (int64_t)time(NULL),
    };

    take_options(&o, argc, argv);
    o.plan.n_names = (uint64_t)(o.net_millions * 1e6);
    o.plan.name = o.out;
    data_read(&d, &o.sources);
    printf("%u names, %u benign trained on, %d families, %d suffix classes\n", d.n, d.n_benign,
           d.n_families, d.n_classes);
    scores = calloc(d.n, sizeof *scores);
    if (o.from) {
        export_read(&d, o.from, &image);
    } else {
        rng_seed(&r, o.seed + 1);
        kinds_init(&k, &d, o.dict, 3000, &r);
        if (o.samples) {
            print_samples(&k, &r);
            return 0;
        }
        train(&o, &d, &k, scores, &image);
    }
    if (!o.from || o.suffix_fit)
        suffixfit(&d, &image);
    finish(&o, &d, scores, &image);
    return 0;
}
