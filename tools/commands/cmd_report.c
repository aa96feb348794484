/* SPDX-License-Identifier: BSD-3-Clause */
#include "bulletin/paper.h"
#include "tools/caller.h"
#include "tools/command.h"
#include "tools/print/veil.h"
#include "tools/print/safe.h"
#include "tools/views/hitview.h"
#include "tools/views/reportview.h"
#include "tools/zone.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(report);

enum { MARKDOWN = 100, HTML }; /* behind enum sek_out_format */
static const struct sek_lookup formats[] = {
    {SEK_OUT_TABLE, "table"}, {MARKDOWN, "markdown"}, {HTML, "html"}, {SEK_OUT_JSON, "json"},
    {SEK_OUT_JSONL, "jsonl"}, {SEK_OUT_CSV, "csv"},   {0, NULL}};

enum { OPT_SINCE, OPT_UNTIL, OPT_FOR, OPT_FORMAT, OPT_LANG, OPT_OUTPUT };
const struct sek_arg sek_cmd_report_args[] = {
    [OPT_SINCE] = {"since", 's', SEK_ARG_TIME, "TIME",
                   "range: from then on; else a time in the day or week that is meant"},
    [OPT_UNTIL] = {"until", 'u', SEK_ARG_TIME, "TIME", "range: before then; default now"},
    [OPT_FOR] = {"for", 0, SEK_ARG_CHOICE, NULL, "for whom; default soc", sek_for_names},
    [OPT_FORMAT] = {"format", 'f', SEK_ARG_CHOICE, NULL, "how it is written; default table",
                    formats},
    [OPT_LANG] = {"lang", 0, SEK_ARG_TEXT, "CODE", "language: en, ja; default en"},
    [OPT_OUTPUT] = {"output", 'o', SEK_ARG_TEXT, "FILE",
                    "write there, all or nothing; default and -: standard output"},
    {0},
};

/* --- the period --------------------------------------------------------------------------------
 */

struct period {
    enum sek_bulletin_kind kind;
    int64_t since_s, until_s;
    const struct sek_zone *zone; /* of its days */
};

/* The day, or the week of ISO 8601, that is meant; the one before this where none is named. */
static void calendar_period(struct sek_context *c, struct period *out)
{
    const struct sek_arg_value *since = &c->opt[OPT_SINCE];
    int64_t within_s = since->given ? since->number : c->now_s;
    int days = out->kind == SEK_BULLETIN_DAILY ? 1 : 7;
    int back = out->kind == SEK_BULLETIN_DAILY ? 0 : sek_when_weekday(within_s, out->zone);
    out->since_s = sek_when_midnight(within_s, -back - (since->given ? 0 : days), out->zone);
    out->until_s = sek_when_midnight(out->since_s, days, out->zone);
    out->since_s = out->since_s < 0 ? 0 : out->since_s;
}

static enum sek_err read_period(struct sek_context *c, struct period *out)
{
    const struct sek_arg_value *since = &c->opt[OPT_SINCE], *until = &c->opt[OPT_UNTIL];
    int kind = sek_lookup_id(sek_bulletin_kind_names, c->args[0]);
    if (kind < 0)
        return sek_context_usage(c, "\"%.100s\" is none of: daily, weekly, range", c->args[0]);
    out->kind = (enum sek_bulletin_kind)kind;
    enum sek_err e = sek_zone_read(&out->zone, &c->diag);
    if (e)
        return e;
    if (out->kind == SEK_BULLETIN_RANGE) {
        if (!since->given)
            return sek_context_usage(c, "range: --since is needed");
        out->since_s = since->number;
        out->until_s = until->given ? until->number : INT64_MAX;
    } else {
        if (until->given)
            return sek_context_usage(c, "%s: --until is for range", c->args[0]);
        calendar_period(c, out);
    }
    if (out->until_s > c->now_s)
        out->until_s = c->now_s + 1; /* what happened in this second is in it */
    if (out->since_s >= out->until_s)
        return sek_context_usage(c, "%s",
                                 since->given && since->number > c->now_s
                                     ? "--since lies in the future"
                                     : "--since is not before --until");
    return SEK_OK;
}

/* --- writing -----------------------------------------------------------------------------------
 */

/* By the writer of reports, into memory. */
static enum sek_err render_out(struct sek_context *c, const struct sek_paper *p,
                               enum sek_out_format format, struct sek_buf *out)
{
    struct sek_out *o = NULL;
    char *text = NULL;
    size_t len = 0;
    const struct sek_out_style style = {.format = format, .part = sek_out_wanted(c->out)};
    FILE *memory = open_memstream(&text, &len);
    if (!memory)
        return sek_diag_set(&c->diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    enum sek_err e = sek_out_new(memory, &style, &o);
    if (!e)
        e = sek_reportview_put(p, o, &c->diag);
    if (e == SEK_E_INVALID && sek_out_lacks_part(o))
        c->exit = SEK_EXIT_USAGE;
    sek_out_free(o);
    if (fclose(memory) && !e)
        e = sek_diag_set(&c->diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    if (!e)
        sek_buf_add(out, text, len);
    free(text);
    return e;
}

/* On the terminal what the table does not have stands above it. */
static void add_lead(const struct sek_paper *p, struct sek_buf *out)
{
    sek_safe_add(out, p->title.data ? p->title.data : "");
    sek_buf_add_text(out, " · ");
    sek_safe_add(out, p->period.data ? p->period.data : "");
    sek_buf_add_text(out, "\n");
    sek_safe_add(out, p->summary.data ? p->summary.data : "");
    sek_buf_add_text(out, "\n\n");
}

static enum sek_err render(struct sek_context *c, const struct sek_paper *p, int format,
                           struct sek_buf *out)
{
    enum sek_err e = SEK_OK;
    if (format == HTML)
        sek_paper_html(p, out);
    else if (format == MARKDOWN)
        sek_paper_markdown(p, out);
    else {
        if (format == SEK_OUT_TABLE)
            add_lead(p, out);
        e = render_out(c, p, (enum sek_out_format)format, out);
    }
    if (!e && out->failed)
        e = sek_diag_set(&c->diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    return e;
}

static enum sek_err write_out(struct sek_context *c, const struct sek_paper *p)
{
    const char *path = c->opt[OPT_OUTPUT].given ? c->opt[OPT_OUTPUT].text : "-";
    int format =
        c->opt[OPT_FORMAT].given ? (int)c->opt[OPT_FORMAT].number : (int)sek_out_format(c->out);
    bool to_file = strcmp(path, "-") != 0;
    if (format >= MARKDOWN && sek_out_wanted(c->out))
        return sek_context_usage(c, "--part goes with table, json, jsonl and csv");
    struct sek_buf text;
    sek_buf_init(&text, 0);
    enum sek_err e = SEK_OK;
    if (!to_file && format == SEK_OUT_TABLE && sek_out_format(c->out) == SEK_OUT_TABLE) {
        add_lead(p, &text); /* with the terminal's width and colours */
        fwrite(text.data ? text.data : "", 1, text.len, stdout);
        e = sek_reportview_put(p, c->out, &c->diag);
    } else {
        e = render(c, p, format, &text);
        if (!e && to_file) /* who may read it is the caller's business: others do not by default */
            e = sek_caller_put(path, 0640, text.data, text.len, &c->diag);
        else if (!e && fwrite(text.data, 1, text.len, stdout) != text.len && errno != EPIPE)
            e = sek_diag_set(&c->diag, sek_err_from_errno(errno), "cannot write the report: %s",
                             strerror(errno));
    }
    sek_buf_fini(&text);
    return e;
}

/* --- all of it ---------------------------------------------------------------------------------
 */

static enum sek_err open_lang(struct sek_context *c, struct sek_lang **out)
{
    struct sek_diag why;
    const char *code = c->opt[OPT_LANG].given ? c->opt[OPT_LANG].text : "en";
    char known[128] = "";
    enum sek_err e = sek_lang_open(code, out, &why);
    if (e != SEK_E_NOTFOUND)
        return e ? sek_diag_set(&c->diag, e, "%s", why.text) : SEK_OK;
    for (const struct sek_lookup *l = sek_lang_names; l->name; l++)
        snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", *known ? ", " : "",
                 l->name);
    return sek_context_usage(c, "--lang: \"%.40s\" is none of: %s", code, known);
}

static enum sek_err gather(struct sek_context *c, const struct period *period,
                           struct sek_bulletin **out)
{
    struct sek_diag why = {0};
    struct sek_bulletin_ask ask = {.kind = period->kind,
                                   .since_s = period->since_s,
                                   .until_s = period->until_s,
                                   .now_s = c->now_s,
                                   .zone = period->zone,
                                   .why = &why};
    enum sek_err e = sek_hit_report_open(c, &ask.report);
    if (e)
        return e;
    ask.conf = &c->conf;
    why.code = sek_policydb_open(c->conf.policy.db, false, &ask.policy, &why);
    e = sek_bulletin_gather(&ask, out, &c->diag);
    sek_policydb_close(ask.policy);
    sek_report_close(ask.report);
    return e;
}

enum sek_err sek_cmd_report(struct sek_context *c)
{
    struct period period = {0};
    struct sek_bulletin *b = NULL;
    struct sek_lang *lang = NULL;
    struct sek_paper paper;
    enum sek_err e = read_period(c, &period);
    if (!e)
        e = open_lang(c, &lang);
    if (!e)
        e = gather(c, &period, &b);
    if (!e) {
        e = sek_paper_make(b, lang, (enum sek_audience_kind)c->opt[OPT_FOR].number, sek_veil_text,
                           NULL, &paper, &c->diag);
        if (!e)
            e = write_out(c, &paper);
        sek_paper_fini(&paper);
    }
    free(b);
    sek_lang_close(lang);
    return e;
}
