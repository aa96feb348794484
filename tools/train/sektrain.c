/* SPDX-License-Identifier: BSD-3-Clause */
#include "export.h"
#include "linear.h"
#include "measure.h"
#include "net.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *opt(int argc, char **argv, const char *name, const char *def)
{
    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return argv[i + 1];
    return def;
}

static float num(int argc, char **argv, const char *name, const char *def)
{
    return strtof(opt(argc, argv, name, def), NULL);
}

static int cmp(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
    static struct data d;
    static struct kinds k;
    static struct linear l;
    static struct net net;
    struct sampler s;
    struct rng r;
    struct mix mix = {.benign = num(argc, argv, "-b", "0.55"), .synthetic = num(argc, argv, "-s", "0.15"),
        .flatness = num(argc, argv, "-f", "0.4"), .class_drop = num(argc, argv, "-c", "0.2")};
    struct sources src = {.dga = argv[1], .benign = argv[2], .suffixes = argv[3], .dynamic = argv[4], .held = argv[5]};
    struct net_plan plan = {.n_names = (uint64_t)(num(argc, argv, "-n", "20") * 1e6f), .rate = num(argc, argv, "-r", "0.002"),
        .drop = num(argc, argv, "-d", "0.1"), .head_weight = num(argc, argv, "-w", "0.1"), .bound = num(argc, argv, "-bound", "0"), .name = opt(argc, argv, "-name", "net")};

    data_read(&d, &src);
    printf("%u names, %u benign trained, %d families, %d classes\n", d.n, d.n_benign, d.n_families, d.n_classes);
    rng_seed(&r, 1);
    kinds_init(&k, &d, "/usr/share/dict", 3000, &r);
    sampler_init(&s, &d, &k, &mix, 11);
    float *lin = calloc(d.n, sizeof *lin), *cnn = calloc(d.n, sizeof *cnn), *mixed = calloc(d.n, sizeof *mixed);
    linear_train(&l, &s, (uint64_t)(num(argc, argv, "-l", "8") * 1e6f));
    for (uint32_t i = 0; i < d.n; i++)
        lin[i] = linear_score(&l, d.items[i].sym, d.items[i].n, d.items[i].class_id);
    measure(&d, lin, "linear", false);
    float share = num(argc, argv, "-drop", "0"); /* of benign names, the most suspicious: not trained on */
    if (share > 0) {
        float *sorted = malloc(d.n * sizeof *sorted);
        uint32_t n = 0, dropped = 0;
        for (uint32_t i = 0; i < d.n; i++)
            if (d.items[i].family == BENIGN)
                sorted[n++] = lin[i];
        qsort(sorted, n, sizeof *sorted, cmp);
        float cut = sorted[n - 1 - (uint32_t)(share * (float)n)];
        for (uint32_t i = 0; i < d.n; i++)
            if (d.items[i].family == BENIGN && lin[i] > cut) d.items[i].weight = 0, dropped++;
        printf("dropped %u benign names of linear score above %.2f\n", dropped, (double)cut);
    }
    sampler_init(&s, &d, &k, &mix, 12);
    net_init(&net, 5);
    net_train(&net, &s, &plan);
    net_score(&net, &d, cnn);
    measure(&d, cnn, "net", true);
    for (float a = 0.15f; a < 0.5f; a += 0.15f) {
        char t[32];
        for (uint32_t i = 0; i < d.n; i++) mixed[i] = a * lin[i] + (1 - a) * cnn[i];
        snprintf(t, sizeof t, "mix %.2f", (double)a);
        measure(&d, mixed, t, false);
    }
    struct image im = {0};
    export_model(&d, &l, &net, &im);
    for (float pass = 0.05f; pass < 0.2f; pass *= 1.6f) {
        char t[32];
        export_calibrate(&d, &im, pass, mixed);
        snprintf(t, sizeof t, "gated %.3f", (double)pass);
        measure(&d, mixed, t, false);
    }
    char path[256]; snprintf(path, sizeof path, "%s.bin", plan.name);
    FILE *f = fopen(path, "wb"); fwrite(&l, sizeof l, 1, f); fwrite(&net, sizeof net, 1, f); fclose(f);
    return 0;
}
