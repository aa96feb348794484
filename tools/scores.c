/* SPDX-License-Identifier: BSD-3-Clause */
#include "scores.h"
#include "name/text.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define DIGITS 9
#define ONE 1000000000u

/* "\t0.123456789\n" */
static void number_to_text(uint32_t billionths, char out[DIGITS + 4])
{
    out[0] = '\t';
    out[1] = (char)('0' + billionths / ONE);
    out[2] = '.';
    billionths %= ONE;
    for (int i = DIGITS; i > 0; i--, billionths /= 10)
        out[2 + i] = (char)('0' + billionths % 10);
    out[DIGITS + 3] = '\n';
}

static uint32_t score_of(const struct sek_classify *c, const char *text, size_t len)
{
    struct sek_name name;

    if (sek_name_from_text(text, len, &name, NULL) != SEK_OK)
        return 0;
    return (uint32_t)lround(sek_classify_probability(sek_classify_name(c, &name).llr) * ONE);
}

enum sek_err sek_scores_print(const struct sek_classify *c, FILE *in, FILE *out,
                              struct sek_diag *diag)
{
    char *line = NULL, number[DIGITS + 4];
    size_t cap = 0;
    ssize_t n;

    while ((n = getline(&line, &cap, in)) >= 0) {
        size_t len = (size_t)n;

        while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
            len--;
        number_to_text(score_of(c, line, len), number);
        fwrite_unlocked(line, 1, len, out);
        fwrite_unlocked(number, 1, sizeof(number), out);
    }
    free(line);
    if (ferror(in))
        return sek_diag_set(diag, SEK_E_IO, "standard input: cannot read");
    if (fflush(out) != 0)
        return sek_diag_set(diag, sek_err_from_errno(errno), "standard output: cannot write");
    return SEK_OK;
}
