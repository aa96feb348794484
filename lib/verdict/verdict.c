/* SPDX-License-Identifier: BSD-3-Clause */
#include "verdict/verdict.h"
#include "base/duration.h"
#include <stdio.h>
#include "base/banned.h"

const struct sek_lookup sek_trigger_names[] = {
    {SEK_TRIGGER_NONE, "none"},
    {SEK_TRIGGER_QNAME, "qname"},
    {SEK_TRIGGER_CNAME, "cname"},
    {SEK_TRIGGER_STRICT, "strict"},
    {SEK_TRIGGER_CLASSIFIER, "classifier"},
    {SEK_TRIGGER_FINDING, "finding"},
    {SEK_TRIGGER_NOD, "nod"},
    {SEK_TRIGGER_CANARY, "canary"},
    {0, NULL},
};

const char *sek_verdict_by(const struct sek_verdict *v, char *out, size_t size)
{
    const char *what = v->trigger == SEK_TRIGGER_CLASSIFIER ? ""
                       : v->trigger == SEK_TRIGGER_FINDING  ? "finding "
                                                            : "list ";
    char until[24];

    if (v->trigger == SEK_TRIGGER_NOD) {
        snprintf(out, size, "newly observed domain, until %s",
                 sek_time_to_text(v->until_s, until, sizeof until));
        return out;
    }
    if (v->trigger == SEK_TRIGGER_CANARY) {
        snprintf(out, size, "canary name, as bypass.canary says");
        return out;
    }
    snprintf(out, size, "%s%s", what, v->list_name);
    return out;
}
