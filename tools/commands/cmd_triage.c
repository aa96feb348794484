/* SPDX-License-Identifier: BSD-3-Clause */
/* The state of hits that people work on (store/triage.h): `triage set` and `triage show`. */
#include "tools/change/change.h"
#include "tools/command.h"
#include "tools/origin.h"
#include "tools/print/talk.h"
#include "tools/views/machines.h"
#include "tools/views/triageview.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(triage_set);
SEK_COMMAND(triage_show);

enum { SET_ENDPOINT, SET_NOTE };
const struct sek_arg sek_cmd_triage_set_args[] = {
    [SET_ENDPOINT] = {"endpoint", 'e', SEK_ARG_TEXT, "ENDPOINT", "asked for by this endpoint only"},
    [SET_NOTE] = {"note", 'n', SEK_ARG_TEXT, "TEXT", "why, for those who look next"},
    {0},
};
enum { SHOW_ENDPOINT, SHOW_TRIAGE };
const struct sek_arg sek_cmd_triage_show_args[] = {
    [SHOW_ENDPOINT] = {"endpoint", 'e', SEK_ARG_TEXT, "ENDPOINT", "of this endpoint only"},
    [SHOW_TRIAGE] = SEK_TRIAGE_FILTER_ROW,
    {0},
};

/* --- set ---------------------------------------------------------------------------------------
 */

struct set_work {
    struct sek_context *c;
    struct sek_suffix *suffix;
    struct sek_triage row;
    const char *called; /* the endpoint: its address, or as typed; "": all */
    char address[SEK_ADDR_TEXT_MAX];
    struct sek_buf endpoints; /* struct sek_addr: what it has now */
    struct sek_buf domains;   /* texts, each ended by a NUL */
};

/* To the registered domain, as hits have it; a public suffix, which has none, stays. */
static enum sek_err add_domain(void *arg, const char *word, unsigned line)
{
    struct set_work *w = arg;
    struct sek_name name, domain;
    struct sek_diag why;
    char text[SEK_NAME_TEXT_MAX] = SEK_TRIAGE_ANY;
    (void)line;
    if (strcmp(word, SEK_TRIAGE_ANY) != 0) {
        if (sek_name_from_text(word, strlen(word), &name, &why))
            return sek_context_usage(w->c, "%s", why.text);
        int labels = sek_suffix_registered(w->suffix, &name);
        sek_name_parent(&name, labels > 0 ? (unsigned)labels : 0, &domain);
        sek_name_to_text(domain.octets, text);
        if (labels > 0)
            sek_talk("%.200s belongs to %.200s, whose state it is", word, text);
    } else if (!*w->called) {
        return sek_context_usage(w->c, "\"*\" stands for all that an endpoint asks for: name it by "
                                       "--endpoint");
    }
    sek_buf_add(&w->domains, text, strlen(text) + 1);
    return SEK_OK;
}

/* The next step, ready to be run: what it prints is what has to be typed. */
static void print_request(const struct set_work *w, const char *domain)
{
    struct sek_buf line;
    char *words[9] = {(char *)(uintptr_t) "sekisho", (char *)(uintptr_t) "exception",
                      (char *)(uintptr_t) "request"};
    const char *reason = *w->row.note ? w->row.note : "false positive";
    int n = 3;
    words[n++] = (char *)(uintptr_t)domain;
    if (*w->called) {
        words[n++] = (char *)(uintptr_t) "--endpoint";
        words[n++] = (char *)(uintptr_t)w->called;
    }
    words[n++] = (char *)(uintptr_t) "--reason";
    words[n++] = (char *)(uintptr_t)reason;
    sek_buf_init(&line, 0);
    sek_origin_command(words, n, &line);
    sek_buf_add_text(&line, "\n");
    if (line.data)
        sek_print(line.data);
    sek_buf_fini(&line);
}

static enum sek_err put_domains(struct set_work *w, struct sek_change *ch, const char *endpoint,
                                uint64_t *io_n)
{
    enum sek_err e = SEK_OK;
    w->row.endpoint = endpoint;
    for (size_t at = 0; !e && at < w->domains.len; at += strlen(w->domains.data + at) + 1) {
        bool changed = false;
        w->row.domain = w->domains.data + at;
        e = sek_triage_put(ch->db, &w->row, &changed, &ch->c->diag);
        *io_n += changed;
    }
    return e;
}

static enum sek_err put_all(struct set_work *w, struct sek_change *ch, uint64_t *out_n)
{
    const struct sek_addr *all = (const void *)w->endpoints.data;
    char address[SEK_ADDR_TEXT_MAX];
    *out_n = 0;
    enum sek_err e = *w->called ? SEK_OK : put_domains(w, ch, SEK_TRIAGE_ANY, out_n);
    for (size_t i = 0; !e && i < w->endpoints.len / sizeof *all; i++)
        e = put_domains(w, ch, sek_addr_to_text(&all[i], address), out_n);
    return e;
}

static void tell(const struct set_work *w)
{
    for (size_t at = 0; at < w->domains.len; at += strlen(w->domains.data + at) + 1) {
        const char *domain = w->domains.data + at;
        bool any = strcmp(domain, SEK_TRIAGE_ANY) == 0;
        sek_talk("%s%s%s is %s", any ? "all" : domain, *w->called ? " of " : "", w->called,
                 sek_lookup_name(sek_triage_names, (int)w->row.state));
        if (w->row.state == SEK_TRIAGE_FALSE_POSITIVE && !any)
            print_request(w, domain);
    }
}

static enum sek_err change(struct set_work *w)
{
    struct sek_context *c = w->c;
    struct sek_change ch;
    uint64_t n = 0;
    enum sek_err e = sek_change_begin(&ch, c, false);
    w->row.time_s = c->now_s;
    w->row.who = ch.who;
    ch.act.reason = w->row.note;
    if (!e)
        e = put_all(w, &ch, &n);
    if (!e)
        e = sek_change_commit(&ch);
    if (!e && n)
        tell(w);
    if (!e && !n)
        e = sek_context_none(c, "nothing to change: it was new already");
    return sek_change_fini(&ch, e);
}

static bool take_now(void *arg, const struct sek_span *span)
{
    struct set_work *w = arg;
    if (span->from_s <= w->c->now_s && w->c->now_s < span->until_s)
        sek_buf_add(&w->endpoints, &span->addr, sizeof span->addr);
    return true;
}

static enum sek_err read_endpoint(struct set_work *w)
{
    struct sek_context *c = w->c;
    if (!c->opt[SET_ENDPOINT].given)
        return SEK_OK;
    w->called = c->opt[SET_ENDPOINT].text;
    struct sek_addr addr;
    if (sek_addr_from_text(w->called, &addr, NULL) == SEK_OK)
        w->called = sek_addr_to_text(&addr, w->address);
    enum sek_err e = sek_machines_each(c, "--endpoint", w->called, take_now, w);
    if (!e && w->endpoints.failed)
        e = sek_diag_set(&c->diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    if (!e && !w->endpoints.len)
        e = sek_context_usage(c, "--endpoint: \"%.100s\" has no address now", w->called);
    return e;
}

static enum sek_err read_set(struct set_work *w)
{
    struct sek_context *c = w->c;
    const struct sek_arg_value *opt = c->opt;
    const struct sek_conf *conf;
    int state = sek_lookup_id(sek_triage_names, c->args[0]);
    if (state < 0)
        return sek_context_usage(c,
                                 "\"%.100s\" is none of: new, in-progress, false-positive, "
                                 "contained, closed",
                                 c->args[0]);
    w->row.state = (enum sek_triage_state)state;
    w->row.note = opt[SET_NOTE].given ? opt[SET_NOTE].text : "";
    if (strlen(w->row.note) >= SEK_TRIAGE_NOTE)
        return sek_context_usage(c, "--note: at most %d octets", SEK_TRIAGE_NOTE - 1);
    enum sek_err e = sek_context_conf(c, &conf);
    if (!e)
        e = read_endpoint(w);
    if (!e)
        e = sek_suffix_open(*conf->suffix.list ? conf->suffix.list : NULL, &w->suffix, &c->diag);
    return e ? e : sek_context_words(c, 1, add_domain, w);
}

enum sek_err sek_cmd_triage_set(struct sek_context *c)
{
    struct set_work w = {.c = c, .called = ""};
    sek_buf_init(&w.endpoints, 0);
    sek_buf_init(&w.domains, 0);
    enum sek_err e = read_set(&w);
    if (!e && w.domains.len == 0)
        e = sek_context_none(c, "no domains on standard input");
    else if (!e)
        e = change(&w);
    sek_suffix_close(w.suffix);
    sek_buf_fini(&w.endpoints);
    sek_buf_fini(&w.domains);
    return e;
}

/* --- show --------------------------------------------------------------------------------------
 */

enum {
    DOMAIN,
    ENDPOINT,
    MACHINE,
    STATE,
    AT,
    WHO,
    NOTE,
    MACHINE_NAME, /* and the three behind it */
    N_COLS = MACHINE_NAME + 4
};
static const struct sek_col cols[] = {
    [DOMAIN] = {"domain", "Domain", SEK_COL_NAME},
    [ENDPOINT] = {"endpoint", "Endpoint", SEK_COL_TEXT},
    [MACHINE] = SEK_MACHINE_COL,
    [STATE] = {"triage", "Triage", SEK_COL_TEXT},
    [AT] = {"triage_at", "Since (UTC)", SEK_COL_TIME},
    [WHO] = {"triage_by", "By", SEK_COL_TEXT},
    [NOTE] = {"triage_note", "Note", SEK_COL_TEXT},
    [MACHINE_NAME] = SEK_MACHINE_NAME_COL,
    [MACHINE_NAME + 1] = SEK_MACHINE_MAC_COL,
    [MACHINE_NAME + 2] = SEK_MACHINE_OWNER_COL,
    [MACHINE_NAME + 3] = SEK_MACHINE_GROUP_COL,
};

static int newest_first(const void *a, const void *b)
{
    const struct sek_triage *x = *(const struct sek_triage *const *)a;
    const struct sek_triage *y = *(const struct sek_triage *const *)b;
    if (x->time_s != y->time_s)
        return x->time_s < y->time_s ? 1 : -1;
    return (x > y) - (x < y);
}

static bool is_wanted(const struct sek_triageview *v, const struct sek_triage *row,
                      const struct sek_buf *only)
{
    bool open = row->state == SEK_TRIAGE_IN_PROGRESS;
    struct sek_addr addr;
    if (only && (sek_addr_from_text(row->endpoint, &addr, NULL) ||
                 !sek_machines_kept(only, &addr, row->time_s, row->time_s)))
        return false;
    return !v->filtered || (int)row->state == v->wanted || (v->wanted == SEK_TRIAGE_OPEN && open);
}

static bool put_row(struct sek_out *o, struct sek_machines *machines, const struct sek_triage *row)
{
    if (strcmp(row->domain, SEK_TRIAGE_ANY) != 0)
        sek_out_text(o, DOMAIN, row->domain);
    if (strcmp(row->endpoint, SEK_TRIAGE_ANY) != 0) {
        sek_out_text(o, ENDPOINT, row->endpoint);
        sek_machines_put(machines, o, MACHINE, MACHINE_NAME, row->endpoint, row->time_s);
    }
    sek_out_text(o, STATE, sek_lookup_name(sek_triage_names, (int)row->state));
    sek_out_int(o, AT, row->time_s);
    sek_out_text(o, WHO, row->who);
    sek_out_text(o, NOTE, row->note);
    return sek_out_row(o);
}

static enum sek_err show(struct sek_context *c, const struct sek_triageview *v,
                         const struct sek_buf *only)
{
    struct sek_machines machines;
    struct sek_col shown[N_COLS];
    size_t n = sek_triage_n(v->set), n_rows = 0;
    const struct sek_triage **rows = calloc(n + 1, sizeof *rows);
    if (!rows)
        return sek_diag_set(&c->diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    for (size_t i = 0; i < n; i++)
        if (is_wanted(v, sek_triage_at(v->set, i), only))
            rows[n_rows++] = sek_triage_at(v->set, i);
    qsort(rows, n_rows, sizeof(const struct sek_triage *), newest_first);
    memcpy(shown, cols, sizeof shown);
    sek_machines_open(&machines, c);
    sek_machines_hide(&machines, &shown[MACHINE]);
    sek_out_begin(c->out, "sekisho.triage/1", shown, N_COLS, SEK_OUT_ROWS);
    for (size_t i = 0; i < n_rows && put_row(c->out, &machines, rows[i]); i++)
        ;
    sek_machines_close(&machines);
    free(rows);
    enum sek_err e = sek_out_end(c->out, &c->diag);
    return e || n_rows ? e
                       : sek_context_none(c, "nothing: hits are new until somebody says more "
                                             "(sekisho triage set)");
}

enum sek_err sek_cmd_triage_show(struct sek_context *c)
{
    struct sek_triageview v;
    struct sek_buf only;
    const struct sek_conf *conf;
    const struct sek_arg_value *named = &c->opt[SHOW_ENDPOINT];
    sek_buf_init(&only, 0);
    enum sek_err e = sek_context_conf(c, &conf);
    if (!e && named->given)
        e = sek_machines_keep(c, "--endpoint", named->text, &only);
    if (!e)
        e = sek_triageview_open(&v, c, &c->opt[SHOW_TRIAGE]);
    if (!e && !v.set) {
        c->exit = SEK_EXIT_ERROR; /* said why */
    } else if (!e) {
        e = show(c, &v, named->given ? &only : NULL);
        sek_triageview_close(&v);
    }
    sek_buf_fini(&only);
    return e;
}
