/* SPDX-License-Identifier: BSD-3-Clause */
#include "verdict/verdict.h"
#include <stdio.h>
#include "base/banned.h"

const struct sek_lookup sek_trigger_names[] = {
    {SEK_TRIGGER_NONE, "none"},
    {SEK_TRIGGER_QNAME, "qname"},
    {SEK_TRIGGER_CNAME, "cname"},
    {SEK_TRIGGER_STRICT, "strict"},
    {SEK_TRIGGER_CLASSIFIER, "classifier"},
    {SEK_TRIGGER_FINDING, "finding"},
    {0, NULL},
};

const char *sek_verdict_by(const struct sek_verdict *v, char *out, size_t size)
{
    const char *what = v->trigger == SEK_TRIGGER_CLASSIFIER ? ""
                       : v->trigger == SEK_TRIGGER_FINDING  ? "finding "
                                                            : "list ";

    snprintf(out, size, "%s%s", what, v->list_name);
    return out;
}
