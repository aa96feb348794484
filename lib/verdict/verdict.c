/* SPDX-License-Identifier: BSD-3-Clause */
#include "verdict/verdict.h"
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
