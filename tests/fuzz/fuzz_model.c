/* SPDX-License-Identifier: BSD-3-Clause */
/* A classifier model that was altered after it was written, opened without its checksum: whatever
 * it holds, judging and explaining names stay within memory, and all ways of computing agree.
 * Input: altered.h, then names in wire form. */
#include "classify/explain.h"
#include "tests/fuzz/altered.h"
#include "tests/unit/model_fixture.h"
#include <math.h>

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    size_t n;
    uint8_t *model = model_make(5, false, &n);

    (void)argc;
    (void)argv;
    altered_init("model");
    altered_sound(model, n);
    return 0;
}

static void use(const struct sek_classify *c, const struct sek_name *name)
{
    struct sek_score score = sek_classify_name(c, name);
    struct sek_why why;

    if (isnan(score.llr) || (score.length && score.label >= name->n_labels))
        abort();
    sek_classify_explain(c, name, &why);
    if (why.score.llr != score.llr || strlen(why.unit) != score.length)
        abort();
    for (unsigned k = 0; k < name->n_labels; k++)
        if (isnan(sek_classify_label(c, name, k).llr))
            abort();
}

static void use_all(const struct sek_classify *c, const uint8_t *data, size_t size)
{
    static const uint8_t fixed[][24] = {"", "\7example\3com", "\1x\7example\2co\2uk",
                                        "\4host\3dyn\3com", "\17xn--e1afmkfdxyz\3com"};
    struct sek_name name;

    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
        if (sek_name_from_wire(fixed[i], sizeof(fixed[i]), &name) == SEK_OK)
            use(c, &name);
    while (sek_name_from_wire(data, size, &name) == SEK_OK) {
        use(c, &name);
        data += name.len;
        size -= name.len;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sek_classify *c;

    altered_put(altered_by(&data, &size));
    if (sek__classify_open(file.path, false, &c, NULL) == SEK_OK) {
        use_all(c, data, size);
        sek_classify_close(c);
    }
    return 0;
}
