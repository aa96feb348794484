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

enum sek_judgement sek_judgement_of(const struct sek_verdict *v)
{
    if (sek_action_blocks(v->action))
        return SEK_JUDGED_BLOCKED;
    if ((v->trigger == SEK_TRIGGER_QNAME || v->trigger == SEK_TRIGGER_REGEX ||
         v->trigger == SEK_TRIGGER_CLIENT_IP) &&
        v->would == SEK_ACTION_PASSTHRU)
        return SEK_JUDGED_EXEMPT;
    return SEK_JUDGED_OPEN;
}

bool sek_verdict_is_settled(const struct sek_verdict *v)
{
    enum sek_judgement j = sek_judgement_of(v);
    return j == SEK_JUDGED_EXEMPT || (j == SEK_JUDGED_BLOCKED && !sek_verdict_waits(v));
}

bool sek_verdict_takes_over(const struct sek_verdict *v, const struct sek_verdict *so_far)
{
    bool blocks = sek_action_blocks(v->action);
    if (sek_action_blocks(so_far->action))
        return blocks && sek_verdict_is_earlier(v, so_far);
    return blocks || (sek_verdict_is_hit(v) && so_far->trigger == SEK_TRIGGER_NONE);
}

void sek_verdict_add_detected(struct sek_verdict *io, const struct sek_verdict *detected)
{
    if (io->trigger == SEK_TRIGGER_NONE && sek_trigger_is_detector((int)detected->trigger))
        *io = *detected;
    io->score = detected->score;
}

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
