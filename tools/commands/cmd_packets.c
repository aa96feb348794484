/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets that the site kept itself: `packets`. */
#include "replay/excerpt.h"
#include "store/pseudonym.h"
#include "tools/caller.h"
#include "tools/change/audited.h"
#include "tools/command.h"
#include "tools/interrupt.h"
#include "tools/export/keptpackets.h"
#include "tools/roles.h"
#include "tools/input/pastfiles.h"
#include "tools/print/talk.h"
#include "tools/views/machines.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/banned.h"

SEK_COMMAND(packets);

#define LOST_SAID 5 /* messages that are named one by one */

enum { OPT_ENDPOINT, OPT_DOMAIN, OPT_SINCE, OPT_UNTIL, OPT_EITHER, OPT_REASON, N_OPTS };
const struct sek_arg sek_cmd_packets_args[] = {
    [OPT_ENDPOINT] = {"endpoint", 'e', SEK_ARG_TEXTS, "ENDPOINT",
                      "of this client: an address, pseudonym, MAC or machine; may be given again"},
    [OPT_DOMAIN] = {"domain", 'd', SEK_ARG_TEXTS, "NAME",
                    "with this name or one below in question or answer; =NAME exactly, *.NAME "
                    "only below; may be given again"},
    [OPT_SINCE] = {"since", 's', SEK_ARG_TIME, "TIME",
                   "from then on: 2h, today, 'last monday', 2026-11-23"},
    [OPT_UNTIL] = {"until", 'u', SEK_ARG_TIME, "TIME", "before then"},
    [OPT_EITHER] = {"either", 0, SEK_ARG_FLAG, NULL,
                    "of an endpoint or about a name, where both are given; else of both"},
    [OPT_REASON] = {"reason", 'r', SEK_ARG_TEXT, "TEXT",
                    "why, for the audit trail: needed with a pseudonym, which packets reveal"},
    [N_OPTS] = {0},
};

struct work {
    struct sek_context *c;
    struct sek_wanted wanted;
    struct sek_buf endpoints, names; /* struct sek_wanted_endpoint, struct sek_wanted_name */
    struct sek_past_files files;
    struct sek_progress progress;
    uint64_t n_lost;
    bool trouble; /* a file, or a part of one, could not be read */
};

/* --- what is wanted ----------------------------------------------------------------------------
 */

static bool add_span(void *arg, const struct sek_span *span)
{
    const struct sek_wanted_endpoint e = {span->addr, span->from_s, span->until_s};
    sek_buf_add(arg, &e, sizeof e);
    return true;
}

/* Packets show addresses: who asks for those of a pseudonym learns whose it is, and the trail says
 * so first. */
static enum sek_err reveal(struct work *w, const char *pseudonym)
{
    struct sek_context *c = w->c;
    const char *reason = c->opt[OPT_REASON].text;
    const struct sek_conf *conf;
    enum sek_err e = sek_context_conf(c, &conf);
    if (!e && (!reason || !reason[strspn(reason, " \t")]))
        return sek_context_usage(c,
                                 "--endpoint: packets reveal the address of %.40s: that needs "
                                 "--reason, for the audit trail",
                                 pseudonym);
    if (!e)
        e = sek_roles_admit_writer(c);
    if (e)
        return e;
    return sek_audited_record(
        c, conf,
        &(struct sek_audit_act){.object = pseudonym, .before = "", .after = "revealed by packets"});
}

static enum sek_err add_endpoint(struct work *w, const char *text)
{
    enum sek_err e = sek_machines_each(w->c, "--endpoint", text, add_span, &w->endpoints);
    return !e && sek_pseudonym_is(text) ? reveal(w, text) : e;
}

static enum sek_err add_name(struct work *w, const char *text)
{
    struct sek_wanted_name n;
    struct sek_diag why;
    if (sek_rule_from_text(text, strlen(text), &n.scope, &n.name, &why))
        return sek_context_usage(w->c, "--domain: %s", why.text);
    sek_buf_add(&w->names, &n, sizeof n);
    return SEK_OK;
}

/* What cannot be read twice. */
static enum sek_err check_file(struct sek_context *c, const char *path)
{
    struct stat st;
    if (strcmp(path, "-") == 0)
        return sek_context_usage(c, "files are read twice: standard input cannot be read");
    sek_caller_begin();
    bool is_other = stat(path, &st) == 0 && !S_ISREG(st.st_mode);
    sek_caller_end();
    if (is_other)
        return sek_context_usage(c, "%.300s: is no regular file, and files are read twice", path);
    return SEK_OK; /* others are told of when they are opened */
}

/* Those that the site keeps for it are opened as the site's, all others with the caller's rights.
 */
static enum sek_err check_rights(struct sek_context *c)
{
    const struct sek_conf *conf;
    int n_sites = 0;
    if (!sek_caller_is_bound())
        return SEK_OK;
    enum sek_err e = sek_context_conf(c, &conf);
    for (int i = 0; !e && i < c->n_args; i++)
        n_sites += sek_kept_packets_are_sites(conf, c->args[i]);
    if (!e && n_sites == c->n_args)
        sek_caller_unbind();
    return e;
}

static enum sek_err read_options(struct work *w)
{
    struct sek_context *c = w->c;
    const struct sek_arg_value *opt = c->opt;
    enum sek_err e = check_rights(c);
    if (isatty(STDOUT_FILENO))
        return sek_context_usage(c, "packets are not for a terminal: > FILE, or a pipe");
    for (int i = 0; !e && i < c->n_args; i++)
        e = check_file(c, c->args[i]);
    for (int64_t i = 0; !e && i < opt[OPT_ENDPOINT].number; i++)
        e = add_endpoint(w, opt[OPT_ENDPOINT].texts[i]);
    for (int64_t i = 0; !e && i < opt[OPT_DOMAIN].number; i++)
        e = add_name(w, opt[OPT_DOMAIN].texts[i]);
    if (!e && (w->endpoints.failed || w->names.failed))
        e = sek_diag_set(&c->diag, SEK_E_NOMEM, "out of memory");
    if (e)
        return e;
    w->wanted =
        (struct sek_wanted){.since_s = opt[OPT_SINCE].given ? opt[OPT_SINCE].number : INT64_MIN,
                            .until_s = opt[OPT_UNTIL].given ? opt[OPT_UNTIL].number : INT64_MAX,
                            .endpoints = (void *)w->endpoints.data,
                            .n_endpoints = w->endpoints.len / sizeof *w->wanted.endpoints,
                            .names = (void *)w->names.data,
                            .n_names = w->names.len / sizeof *w->wanted.names,
                            .either = opt[OPT_EITHER].given};
    if (w->wanted.since_s >= w->wanted.until_s)
        return sek_context_usage(c, "--since is not before --until");
    sek_wanted_sort(&w->wanted);
    return SEK_OK;
}

/* --- at work -----------------------------------------------------------------------------------
 */

static void on_unreadable(void *arg, bool fatal, const struct sek_diag *why)
{
    struct work *w = arg;
    w->trouble |= fatal;
    if (fatal || w->n_lost++ < LOST_SAID)
        sek_talk("%s", why->text);
}

static bool goes_on(void *arg, uint64_t octets, uint64_t all)
{
    struct work *w = arg;
    sek_progress_show(&w->progress, all && octets < all ? (unsigned)(octets * 1000 / all) : 1000);
    return !sek_interrupted;
}

static enum sek_err write_excerpt(struct work *w, struct sek_excerpt_sum *sum)
{
    const struct sek_excerpt_hooks hooks = {w, on_unreadable, goes_on};
    const char **paths = calloc(w->files.n ? w->files.n : 1, sizeof *paths);
    unsigned n = 0;
    if (!paths)
        return sek_diag_set(&w->c->diag, SEK_E_NOMEM, "out of memory");
    for (unsigned i = 0; i < w->files.n; i++)
        if (w->files.all[i].readable)
            paths[n++] = w->files.all[i].path;
    sek_progress_begin(&w->progress, "reading");
    sek_caller_begin();
    enum sek_err e =
        sek_excerpt_write(paths, n, &w->wanted, STDOUT_FILENO, &hooks, sum, &w->c->diag);
    sek_caller_end();
    sek_progress_end(&w->progress);
    free(paths);
    return e;
}

static enum sek_err run(struct work *w)
{
    struct sek_context *c = w->c;
    struct sek_excerpt_sum sum;
    enum sek_err e = sek_past_files_look((const char *const *)c->args, (unsigned)c->n_args,
                                         c->now_s, &w->files, &c->diag);
    if (!e)
        e = write_excerpt(w, &sum);
    if (e)
        return e;
    if (w->n_lost > LOST_SAID)
        sek_talk("%" PRIu64 " messages cannot be read", w->n_lost);
    if (w->trouble || w->files.n_unreadable)
        c->exit = SEK_EXIT_ERROR;
    else if (sum.n_written == 0)
        return sek_context_none(c, "no such packets");
    if (sum.n_read > 0)
        sek_talk("%" PRIu64 " of %" PRIu64 " packets", sum.n_written, sum.n_read);
    return SEK_OK;
}

enum sek_err sek_cmd_packets(struct sek_context *c)
{
    struct work w = {.c = c};
    sek_buf_init(&w.endpoints, 0);
    sek_buf_init(&w.names, 0);
    sek_interrupt_watch();
    enum sek_err e = read_options(&w);
    if (!e)
        e = run(&w);
    sek_past_files_fini(&w.files);
    sek_buf_fini(&w.endpoints);
    sek_buf_fini(&w.names);
    return e;
}
