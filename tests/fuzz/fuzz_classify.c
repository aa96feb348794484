/* SPDX-License-Identifier: BSD-3-Clause */
/* Any name through unit, stages and explanation: bounds hold, and every way of computing stage 2
 * gives the same. Input: a name in wire form. */
#include "tests/unit/model_fixture.h"
#include "classify/explain.h"
#include <math.h>

static struct sek_classify *classify[2];

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    for (int i = 0; i < 2; i++) {
        char path[64];
        size_t n;
        uint8_t *octets = model_make(7, i == 0, &n);

        snprintf(path, sizeof(path), "/dev/shm/fuzz_classify.%ld", (long)getpid());
        model_write(octets, n, true, path);
        if (sek_classify_open(path, &classify[i], NULL) != SEK_OK)
            abort();
        unlink(path);
        free(octets);
    }
    return 0;
}

static void compare_ways(const struct sek_model *m, const struct sek_unit *u)
{
    struct sek_net_work work;
    int32_t sum = sek_stage2(m, u, &work);

    for (const struct sek_stage2_way *way = sek_stage2_ways; way->name; way++)
        if (way->usable() && way->run(m, u, &work) != sum)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sek_name name;
    struct sek_unit unit;
    struct sek_why why;

    if (sek_name_from_wire(data, size, &name) != SEK_OK)
        return 0;
    for (int i = 0; i < 2; i++) {
        const struct sek_model *m = &classify[i]->model;

        sek_unit_of_name(&m->suffixes, &name, &unit);
        if (unit.n > SEK_LABEL_MAX || (unit.n && unit.label >= name.n_labels))
            abort();
        for (unsigned s = 0; s < unit.n; s++)
            if (unit.sym[s] < SEK_SYM_A || unit.sym[s] > SEK_SYM_OTHER)
                abort();
        compare_ways(m, &unit);
        sek_classify_explain(classify[i], &name, &why);
        if (isnan(why.score.llr) || why.score.llr != sek_classify_name(classify[i], &name).llr)
            abort();
    }
    return 0;
}
