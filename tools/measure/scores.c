/* SPDX-License-Identifier: BSD-3-Clause */
#include "scores.h"
#include "inorder.h"
#include "name/text.h"
#include <math.h>
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

static bool put_lines(const void *arg, const char *lines, size_t n, struct sek_inorder_out *out)
{
    const struct sek_classify *c = arg;
    char number[DIGITS + 4];

    for (const char *end = lines + n; lines < end;) {
        const char *next = (const char *)memchr(lines, '\n', (size_t)(end - lines)) + 1;
        size_t len = (size_t)(next - lines);

        while (len > 0 && (lines[len - 1] == '\n' || lines[len - 1] == '\r'))
            len--;
        if (!sek_inorder_reserve(out, len + sizeof(number)))
            return false;
        number_to_text(score_of(c, lines, len), number);
        memcpy(out->text + out->n, lines, len);
        memcpy(out->text + out->n + len, number, sizeof(number));
        out->n += len + sizeof(number);
        lines = next;
    }
    return true;
}

enum sek_err sek_scores_print(const struct sek_classify *c, int in, FILE *out,
                              struct sek_diag *diag)
{
    return sek_inorder_run(in, out, put_lines, c, diag);
}
