/* SPDX-License-Identifier: BSD-3-Clause */
/* What detectors concluded: `findings` and `finding`. */
#include "tools/command.h"
#include "tools/views/findview.h"
#include "tools/views/hitview.h"
#include "tools/print/talk.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(findings);
SEK_COMMAND(finding);

#define LIMIT_DEFAULT 100 /* rows */

enum {
    OPT_SINCE,
    OPT_UNTIL,
    OPT_ENDPOINT,
    OPT_DOMAIN,
    OPT_DETECTOR,
    OPT_BLOCKED,
    OPT_LIMIT,
    N_OPTS
};
const struct sek_arg sek_cmd_findings_args[] = {
    [OPT_SINCE] = {"since", 's', SEK_ARG_TIME, "TIME", "that lasted until then or longer"},
    [OPT_UNTIL] = {"until", 'u', SEK_ARG_TIME, "TIME", "that began before then"},
    [OPT_ENDPOINT] = {"endpoint", 'e', SEK_ARG_TEXT, "ENDPOINT",
                      "of this client only: an address, pseudonym, MAC or machine"},
    [OPT_DOMAIN] = {"domain", 'd', SEK_ARG_TEXT, "NAME",
                    "that suspect a domain at or below this name; =NAME exactly"},
    [OPT_DETECTOR] = {"detector", 0, SEK_ARG_CHOICE, NULL, "of this detector only",
                      sek_detector_names},
    [OPT_BLOCKED] = {"blocked", 0, SEK_ARG_FLAG, NULL, "only those whose domain is blocked now"},
    [OPT_LIMIT] = {"limit", 0, SEK_ARG_NUMBER, "N", "at most so many rows; default 100, 0 = all",
                   NULL, 0, UINT32_MAX - 1},
    [N_OPTS] = {0},
};
const struct sek_arg sek_cmd_finding_args[] = {{0}};

/* What runs through the report: counts rows, so that a cut one can be told. */
struct run {
    struct sek_find_view view;
    uint64_t n, limit;
    bool cut, blocked; /* blocked: only what is blocked now */
};

static bool one_row(void *arg, const struct sek_finding_row *f)
{
    struct run *r = arg;
    if (r->blocked && sek_find_dismissal(&r->view, f))
        return true;
    r->cut = r->limit && r->n >= r->limit;
    r->n++;
    return !r->cut && sek_find_view_row(&r->view, f);
}

/* The texts that a filter borrows, in their canonical form. */
struct texts {
    struct sek_buf endpoint; /* an address or spans */
    char domain[SEK_NAME_TEXT_MAX + 2];
};

static enum sek_err read_filter(struct sek_context *c, struct sek_finding_filter *f,
                                struct texts *texts)
{
    const struct sek_arg_value *opt = c->opt;
    f->since_s = opt[OPT_SINCE].number;
    f->until_s = opt[OPT_UNTIL].number;
    f->detector = (int)opt[OPT_DETECTOR].number;
    f->blocked_at_s = opt[OPT_BLOCKED].given ? c->now_s : 0;
    if (opt[OPT_ENDPOINT].given) {
        enum sek_err e =
            sek_machines_selector(c, "--endpoint", opt[OPT_ENDPOINT].text, &texts->endpoint);
        if (e)
            return e;
        f->endpoint = texts->endpoint.data;
    }
    if (opt[OPT_DOMAIN].given) {
        const char *text = opt[OPT_DOMAIN].text;
        struct sek_name name;
        enum sek_scope scope;
        struct sek_diag why;
        if (sek_rule_from_text(text, strlen(text), &scope, &name, &why))
            return sek_context_usage(c, "--domain: %s", why.text);
        sek_rule_to_text(scope, name.octets, texts->domain);
        f->domain = texts->domain;
    }
    return SEK_OK;
}

static enum sek_err list(struct sek_context *c, struct sek_finding_filter *filter, struct run *r)
{
    struct sek_report *report = NULL;
    enum sek_err e = sek_hit_report_open(c, &report);
    if (e)
        return e;
    if (c->opt[OPT_LIMIT].given)
        r->limit = (uint64_t)c->opt[OPT_LIMIT].number;
    /* one more tells that there are more; which are dismissed the database does not know */
    filter->limit = r->limit && !r->blocked ? (unsigned)r->limit + 1 : 0;
    sek_find_view_init(&r->view, c, "sekisho.findings/1", false);
    e = sek_report_findings(report, filter, one_row, r, &c->diag);
    if (!e)
        e = sek_out_end(c->out, &c->diag);
    sek_find_view_fini(&r->view);
    sek_report_close(report);
    return e;
}

enum sek_err sek_cmd_findings(struct sek_context *c)
{
    const char *members[SEK_FIND_MEMBERS_MAX];
    struct sek_finding_filter filter = {.members = members, .n_members = sek_find_members(members)};
    struct texts texts;
    struct run r = {.limit = LIMIT_DEFAULT, .blocked = c->opt[OPT_BLOCKED].given};
    sek_buf_init(&texts.endpoint, 0);
    enum sek_err e = read_filter(c, &filter, &texts);
    if (!e)
        e = list(c, &filter, &r);
    sek_buf_fini(&texts.endpoint);
    if (!e && r.n == 0)
        return sek_context_none(c, "no findings");
    if (!e && r.cut && !c->opt[OPT_LIMIT].given)
        sek_talk("only the first %u rows; --limit 0 shows all", LIMIT_DEFAULT);
    return e;
}

static bool one_record(void *arg, const struct sek_finding_row *f)
{
    struct run *r = arg;
    r->n++;
    sek_find_view_row(&r->view, f);
    sek_find_examples(&r->view, f);
    sek_find_next(&r->view, f);
    return false;
}

enum sek_err sek_cmd_finding(struct sek_context *c)
{
    const char *members[SEK_FIND_MEMBERS_MAX];
    struct sek_finding_filter filter = {.members = members, .n_members = sek_find_members(members)};
    struct sek_report *report = NULL;
    struct run r = {0};
    char *end;
    filter.id = strtoll(c->args[0], &end, 10);
    if (*end || end == c->args[0] || filter.id <= 0)
        return sek_context_usage(c, "\"%.100s\" is no finding's id, see: sekisho findings",
                                 c->args[0]);
    enum sek_err e = sek_hit_report_open(c, &report);
    if (e)
        return e;
    sek_find_view_init(&r.view, c, "sekisho.finding/1", true);
    e = sek_report_findings(report, &filter, one_record, &r, &c->diag);
    if (!e)
        e = sek_out_end(c->out, &c->diag);
    sek_find_view_fini(&r.view);
    sek_report_close(report);
    if (!e && r.n == 0)
        return sek_context_none(c, "no finding %s", c->args[0]);
    return e;
}
