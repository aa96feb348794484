/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/command.h"
#include "base/duration.h"
#include "event/status.h"
#include "tools/change/handover.h"
#include "tools/input/history.h"
#include "name/special.h"
#include "name/suffix.h"
#include "observe/domains_conf.h"
#include "tools/input/pastfiles.h"
#include "tools/roles.h"
#include "tools/print/talk.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(nod_import);

#define SAID 20           /* bad records of a file that are named one by one */
#define SHOW_LINES 4096   /* between two looks at the clock for the progress */
#define GAP_S (2 * 86400) /* between the end of logs and the begin of the history: still one */
#define N_LOGS (SEK_QUERYLOG_WINDOWS + 1)

/* Files that are no logs are counted by their format. */
static const char *const others[] = {"pcap", "pcapng", "dnstap", "table"};
#define N_OTHERS (sizeof others / sizeof others[0])

enum { OPT_DATE, OPT_SINCE, OPT_FORCE, OPT_DRY_RUN, N_OPTS };
const struct sek_arg sek_cmd_nod_import_args[] = {
    [OPT_DATE] = {"date", 0, SEK_ARG_TIME, "TIME", "of plain names that have none"},
    [OPT_SINCE] = {"since", 's', SEK_ARG_TIME, "TIME",
                   "the history reaches back to then; default: the first line of logs without gap"},
    [OPT_FORCE] = {"force", 0, SEK_ARG_FLAG, NULL, "also when a file is mostly unreadable"},
    [OPT_DRY_RUN] = {"dry-run", 'n', SEK_ARG_FLAG, NULL, "read and count, write nothing"},
    [N_OPTS] = {0},
};

struct work {
    struct sek_context *c;
    const struct sek_conf *conf;
    struct sek_suffix *suffix;
    struct sek_history *history;
    struct sek_progress progress;
    int64_t since_s, end_s;           /* of logs and exports so far; INT64_MAX, 0: of none */
    uint64_t n_by[N_LOGS + N_OTHERS]; /* records that told something, by format */
    uint64_t n_no_domain, n_bad;      /* of no use; unreadable */
};

/* --- reading -----------------------------------------------------------------------------------
 */

/* A log that begins then says what was asked for since; a list of names with dates does not. */
static void learn_since(struct work *w, const struct sek_query_seen *seen)
{
    if (seen->format == SEK_QUERYLOG_PLAIN)
        return;
    if (seen->format != SEK_QUERYLOG_EXPORT && seen->seen.first_s < w->since_s)
        w->since_s = seen->seen.first_s;
    if (seen->seen.last_s > w->end_s)
        w->end_s = seen->seen.last_s;
}

/* Logs without a zone may come from east of us; and the store knows no time before 1970. */
static int64_t possible(const struct work *w, int64_t time_s)
{
    return time_s > w->c->now_s ? w->c->now_s : time_s < 1 ? 1 : time_s;
}

/* Which format that was, of n_by. */
static size_t kind_of(const struct sek_source *s, const struct sek_query_seen *seen)
{
    size_t i = 0;
    if (seen->format)
        return seen->format;
    while (i + 1 < N_OTHERS && strcmp(others[i], sek_source_format(s)) != 0)
        i++;
    return N_LOGS + i;
}

static enum sek_err on_seen(struct work *w, struct sek_query_seen *seen)
{
    const struct sek_name *name = &seen->seen.domain;
    int labels = sek_name_is_special(name) ? -1 : sek_suffix_registered(w->suffix, name);
    if (labels < 0) {
        w->n_no_domain++;
        return SEK_OK;
    }
    seen->seen.first_s = possible(w, seen->seen.first_s);
    seen->seen.last_s = possible(w, seen->seen.last_s);
    learn_since(w, seen);
    return sek_history_add(w->history, name->octets + name->offset[labels],
                           (size_t)(name->len - name->offset[labels]), seen, &w->c->diag);
}

static void show_progress(struct work *w, const struct sek_source *s)
{
    uint64_t size, at = sek_source_octets(s, &size);
    sek_progress_show(&w->progress, size ? (unsigned)(at * 1000 / size) : 1001);
}

/* All records of a file. */
static enum sek_err read_source(struct work *w, struct sek_source *s, uint64_t *out_bad)
{
    struct sek_query_seen seen;
    struct sek_diag why;
    enum sek_err e = SEK_OK;
    int got;
    uint64_t n = 0, n_bad = 0;
    while (!e && (got = sek_source_seen(s, &seen, &why)) != 0) {
        if (++n % SHOW_LINES == 0)
            show_progress(w, s);
        if (got == SEK_E_IO || got == SEK_E_NOMEM) {
            w->c->diag = why;
            e = (enum sek_err)got;
        } else if (got < 0) {
            if (n_bad++ < SAID)
                sek_talk("%s", why.text);
        } else {
            w->n_by[kind_of(s, &seen)]++;
            e = on_seen(w, &seen);
        }
    }
    *out_bad = n_bad;
    return e;
}

static uint64_t told_so_far(const struct work *w)
{
    uint64_t n = 0;
    for (size_t i = 0; i < N_LOGS + N_OTHERS; i++)
        n += w->n_by[i];
    return n;
}

static const char *word(const struct work *w)
{
    for (size_t i = 0; i < N_OTHERS; i++)
        if (w->n_by[N_LOGS + i])
            return "record";
    return "line";
}

/* Most of it makes no sense: it is something else than it was taken for. */
static enum sek_err refuse(struct work *w, const char *label, uint64_t n_bad, uint64_t n_told)
{
    return sek_diag_set(&w->c->diag, SEK_E_REFUSED,
                        "%s: %" PRIu64 " of %" PRIu64 " %ss make no sense; nothing is imported "
                        "(--force imports the rest all the same)",
                        label, n_bad, n_bad + n_told, word(w));
}

static enum sek_err read_file(struct work *w, const char *path)
{
    struct sek_context *c = w->c;
    struct sek_source *s;
    uint64_t n_bad = 0, before = told_so_far(w);
    const char *label = strcmp(path, "-") == 0 ? "standard input" : path;
    enum sek_err e = sek_past_file_open(path, c->now_s, &s, &c->diag);
    if (e)
        return e;
    struct sek_querylog *log = sek_source_querylog(s);
    if (log)
        log->default_s = c->opt[OPT_DATE].number;
    sek_progress_begin(&w->progress, "reading");
    e = read_source(w, s, &n_bad);
    sek_progress_end(&w->progress);
    if (n_bad > SAID)
        sek_talk("%s: %" PRIu64 " more bad %ss", label, n_bad - SAID, word(w));
    if (log && log->since_s > 0 && log->since_s < w->since_s)
        w->since_s = log->since_s;
    sek_source_close(s);
    uint64_t n_told = told_so_far(w) - before, percent = w->conf->policy.garbage_percent;
    w->n_bad += n_bad;
    if (e || c->opt[OPT_FORCE].given || n_bad * 100 <= percent * (n_bad + n_told))
        return e;
    return refuse(w, label, n_bad, n_told);
}

static enum sek_err read_all(struct work *w)
{
    enum sek_err e = SEK_OK;
    for (int i = 0; i < w->c->n_args && !e; i++)
        e = read_file(w, w->c->args[i]);
    if (!e && sek_history_count(w->history) == 0)
        return sek_context_none(w->c, "no domains: nothing to import");
    return e;
}

/* --- telling -----------------------------------------------------------------------------------
 */

static void tell_read(const struct work *w)
{
    char formats[200] = "";
    size_t at = 0;
    for (size_t i = 1; i < N_LOGS + N_OTHERS; i++)
        if (w->n_by[i] && at < sizeof formats)
            at += (size_t)snprintf(
                formats + at, sizeof formats - at, "%s%" PRIu64 " %s", at ? ", " : "", w->n_by[i],
                i < N_LOGS ? sek_lookup_name(sek_querylog_names, (int)i) : others[i - N_LOGS]);
    uint64_t n = sek_history_count(w->history), n_told = told_so_far(w);
    sek_talk("%" PRIu64 " domain%s in %" PRIu64 " %s%s (%s); %" PRIu64
             " without a registered domain, %" PRIu64 " bad %s%s skipped",
             n, n == 1 ? "" : "s", n_told, word(w), n_told == 1 ? "" : "s", formats, w->n_no_domain,
             w->n_bad, word(w), w->n_bad == 1 ? "" : "s");
}

/* Begin of the history that there is; now, when there is none. */
static int64_t present_since(const struct work *w)
{
    char path[SEK_CONF_PATH_MAX];
    struct sek_domains *d;
    if (sek_domains_open_read(sek_conf_domains_file(w->conf, path), &d, NULL) != SEK_OK)
        return w->c->now_s;
    int64_t since_s = sek_domains_since_s(d);
    sek_domains_close(d);
    return since_s;
}

/* How far the history reaches back with what was read; 0: no further. A log that ended long before
 * the history began says nothing of the time between: all that came up then would be new. */
static int64_t reach(const struct work *w)
{
    char end[24];
    const struct sek_arg_value *since = &w->c->opt[OPT_SINCE];
    int64_t since_s = since->given ? since->number : w->since_s;
    int64_t oldest_s = w->c->now_s - w->conf->domains.retention_s;
    if (since_s == INT64_MAX)
        return 0;
    if (!since->given && w->end_s < present_since(w) - GAP_S) {
        sek_talk("the logs end %s, before the history begins: it reaches back no further by them "
                 "(--since makes it)",
                 sek_time_to_text(w->end_s, end, sizeof end));
        return 0;
    }
    return possible(w, since_s < oldest_s ? oldest_s : since_s);
}

static enum sek_err import(struct work *w)
{
    struct sek_context *c = w->c;
    enum sek_err e = read_all(w);
    if (e || sek_history_count(w->history) == 0)
        return e;
    tell_read(w);
    uint64_t n_old = sek_history_drop(w->history, c->now_s - w->conf->domains.retention_s);
    if (n_old)
        sek_talk("%" PRIu64 " of them were last asked for longer ago than domains.retention: left "
                 "out",
                 n_old);
    if (c->opt[OPT_DRY_RUN].given)
        return SEK_OK;
    return sek_handover(c, w->conf, w->suffix, w->history, reach(w));
}

enum sek_err sek_cmd_nod_import(struct sek_context *c)
{
    struct work w = {.c = c, .since_s = INT64_MAX};
    enum sek_err e = sek_context_conf(c, &w.conf);
    if (!e)
        e = sek_roles_admit_writer(c);
    if (e)
        return e;
    const char *list = *w.conf->suffix.list ? w.conf->suffix.list : NULL;
    e = sek_suffix_open(list, &w.suffix, &c->diag);
    if (e)
        return e;
    w.history = sek_history_new();
    e = w.history ? import(&w) : sek_diag_set(&c->diag, SEK_E_NOMEM, "out of memory");
    sek_history_free(w.history);
    sek_suffix_close(w.suffix);
    return e;
}
