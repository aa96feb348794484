/* SPDX-License-Identifier: BSD-3-Clause */
/* exception request, request-from-hit and emergency. */
#include "store/report.h"
#include "tools/change/ask.h"
#include "tools/command.h"
#include "tools/views/hitview.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(exception_request);
SEK_COMMAND(exception_from_hit);
SEK_COMMAND(exception_emergency);

enum { OPT_HIT = SEK_N_ASK, OPT_FINDING };
const struct sek_arg sek_cmd_exception_request_args[] = {
    SEK_ASK_COMMON_ROWS,
    SEK_ASK_REQUEST_ROWS,
    [OPT_HIT] = {"hit", 0, SEK_ARG_TEXT, "ID", "what it answers: the id of a hit or decision"},
    [OPT_FINDING] = {"finding", 0, SEK_ARG_NUMBER, "ID", "what it answers: a finding", NULL, 1,
                     INT64_MAX - 1},
    {0},
};
enum { OPT_EVERYBODY = SEK_N_ASK };
const struct sek_arg sek_cmd_exception_from_hit_args[] = {
    SEK_ASK_COMMON_ROWS,
    SEK_ASK_REQUEST_ROWS,
    [OPT_EVERYBODY] = {"everybody", 0, SEK_ARG_FLAG, NULL,
                       "for everybody, not only the endpoint that met it"},
    {0},
};
const struct sek_arg sek_cmd_exception_emergency_args[] = {SEK_ASK_COMMON_ROWS, {0}};

#define DECISION_DIGITS 8

struct hit {
    bool found;
    int64_t id, wanted; /* 0: any */
    char name[SEK_NAME_TEXT_MAX], endpoint[SEK_ADDR_TEXT_MAX], list[SEK_LIST_NAME_MAX];
};

static bool hit_take(void *arg, const struct sek_hit *h)
{
    struct hit *out = arg;
    if (out->wanted && h->id != out->wanted)
        return false;
    out->found = true;
    out->id = h->id;
    snprintf(out->name, sizeof out->name, "%s", h->name ? h->name : "");
    snprintf(out->endpoint, sizeof out->endpoint, "%s", h->endpoint ? h->endpoint : "");
    snprintf(out->list, sizeof out->list, "%s", h->list ? h->list : "");
    return false;
}

static bool is_decision(const char *text)
{
    return strlen(text) == DECISION_DIGITS && strspn(text, "0123456789abcdef") == DECISION_DIGITS;
}

/* By the id of a row of events.db, or by that of the decision, which endpoints and logs show. The
 * latest hit of a decision. */
static enum sek_err hit_find(struct sek_context *c, const char *text, struct hit *out,
                             char *answers, size_t size)
{
    struct sek_report *report;
    struct sek_hit_filter f = {.limit = 1};
    bool decision = is_decision(text);
    *out = (struct hit){0};
    if (decision)
        f.decision = text;
    else if (sek_exception_id_read(text, &out->wanted))
        f.after_id = out->wanted > 1 ? out->wanted - 1 : -1; /* 0 is no filter */
    else
        return sek_context_usage(
            c, "\"%.60s\" is no id of a hit or decision, see: sekisho hits -f json", text);
    enum sek_err err = sek_hit_report_open(c, &report);
    if (err)
        return err;
    err = sek_report_hits(report, &f, hit_take, out, &c->diag);
    sek_report_close(report);
    if (err)
        return err;
    if (!out->found)
        return sek_context_usage(c, "there is no hit %.60s (any more)", text);
    snprintf(answers, size, "%s %s", decision ? "decision" : "hit", text);
    return SEK_OK;
}

/* --- request -------------------------------------------------------------------------------------
 */

static bool finding_take(void *arg, const struct sek_finding_row *f)
{
    bool *found = arg;
    (void)f;
    *found = true;
    return false;
}

static enum sek_err finding_check(struct sek_context *c, char *answers, size_t size)
{
    struct sek_report *report;
    const struct sek_finding_filter f = {.id = c->opt[OPT_FINDING].number, .limit = 1};
    bool found = false;
    enum sek_err err = sek_hit_report_open(c, &report);
    if (err)
        return err;
    err = sek_report_findings(report, &f, finding_take, &found, &c->diag);
    sek_report_close(report);
    if (!err && !found)
        return sek_context_usage(c, "there is no finding %" PRId64, f.id);
    snprintf(answers, size, "finding %" PRId64, f.id);
    return err;
}

static enum sek_err targets_read(struct sek_context *c, struct sek_targets *out)
{
    const struct sek_arg_value *v = &c->opt[SEK_ASK_SCOPE];
    enum sek_err err = sek_targets_read(out, c, v->given && v->number == SEK_SCOPE_EXACT,
                                        v->given && v->number == SEK_SCOPE_BELOW);
    for (uint64_t i = 0; !err && v->given && i < out->n; i++)
        if ((int64_t)out->items[i].scope != v->number)
            err = sek_context_usage(c, "%.100s says the opposite of --scope %s", c->args[0],
                                    sek_lookup_name(sek_scope_names, (int)v->number));
    return err;
}

enum sek_err sek_cmd_exception_request(struct sek_context *c)
{
    struct sek_targets targets = {0};
    struct hit hit;
    char answers[sizeof((struct sek_exception *)0)->answers] = "";
    if (c->opt[OPT_HIT].given && c->opt[OPT_FINDING].given)
        return sek_context_usage(c, "choose one of --hit and --finding");
    enum sek_err err = targets_read(c, &targets);
    if (!err && c->opt[OPT_HIT].given)
        err = hit_find(c, c->opt[OPT_HIT].text, &hit, answers, sizeof answers);
    if (!err && c->opt[OPT_FINDING].given)
        err = finding_check(c, answers, sizeof answers);
    if (!err)
        err = sek_ask(c, &targets, answers, NULL, false);
    sek_targets_fini(&targets);
    return err;
}

enum sek_err sek_cmd_exception_emergency(struct sek_context *c)
{
    struct sek_targets targets = {0};
    enum sek_err err = targets_read(c, &targets);
    if (!err)
        err = sek_ask(c, &targets, "", NULL, true);
    sek_targets_fini(&targets);
    return err;
}

/* --- request-from-hit ----------------------------------------------------------------------------
 */

/* As narrow as the hit was: the very name, and the endpoint that met it. */
enum sek_err sek_cmd_exception_from_hit(struct sek_context *c)
{
    struct sek_target target = {.scope = SEK_SCOPE_EXACT};
    const struct sek_targets targets = {.items = &target, .n = 1, .c = c};
    const struct sek_arg_value *scope = &c->opt[SEK_ASK_SCOPE];
    char answers[sizeof((struct sek_exception *)0)->answers] = "";
    struct hit hit;
    enum sek_err err = hit_find(c, c->args[0], &hit, answers, sizeof answers);
    if (!err)
        err = sek_name_from_text(hit.name, strlen(hit.name), &target.name, &c->diag);
    if (err)
        return err;
    if (scope->given)
        target.scope = (enum sek_scope)scope->number;
    if (!c->opt[SEK_ASK_REASON].given || !*c->opt[SEK_ASK_REASON].text)
        return sek_context_usage(c, "--reason is required: the approver will ask");
    bool wide = c->opt[OPT_EVERYBODY].given;
    bool named = c->opt[SEK_ASK_GROUP].given || c->opt[SEK_ASK_ENDPOINT].given;
    if (wide && named)
        return sek_context_usage(c, "--everybody, or --group and --endpoint, not both");
    err = sek_ask(c, &targets, answers, wide || named ? NULL : hit.endpoint, false);
    return err;
}
