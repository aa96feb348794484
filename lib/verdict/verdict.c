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
    {SEK_TRIGGER_CLIENT_IP, "client-ip"},
    {SEK_TRIGGER_RESPONSE_IP, "response-ip"},
    {SEK_TRIGGER_NSDNAME, "nsdname"},
    {SEK_TRIGGER_NSIP, "nsip"},
    {SEK_TRIGGER_REGEX, "regex"},
    {SEK_TRIGGER_ASN, "asn"},
    {SEK_TRIGGER_COUNTRY, "country"},
    {SEK_TRIGGER_REBINDING, "rebinding"},
    {SEK_TRIGGER_SINKHOLED, "sinkholed"},
    {0, NULL},
};

const char *sek_trigger_decider(int trigger)
{
    return sek_trigger_decides_alone(trigger) ? sek_lookup_name(sek_trigger_names, trigger) : "";
}

const char *sek_verdict_by(const struct sek_verdict *v, char *out, size_t size)
{
    bool restricted = v->trigger == SEK_TRIGGER_CLIENT_IP && v->scope != 0; /* no rule's */
    const char *what = v->trigger == SEK_TRIGGER_CLASSIFIER ? ""
                       : v->trigger == SEK_TRIGGER_FINDING  ? "finding "
                       : restricted                         ? "group "
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
    if (v->trigger == SEK_TRIGGER_REBINDING) {
        snprintf(out, size, "a private address for a public name");
        return out;
    }
    snprintf(out, size, "%s%s", what, v->list_name);
    return out;
}
