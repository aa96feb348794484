/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/caller.h"
#include "tools/change/audited.h"
#include "tools/command.h"
#include "tools/roles.h"
#include "tools/input/leasefile.h"
#include "store/inventory.h"
#include "tools/print/talk.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(endpoint_import);

enum { OPT_AS, OPT_TIME, OPT_FORCE, OPT_DRY_RUN, OPT_REASON, N_OPTS };
const struct sek_arg sek_cmd_endpoint_import_args[] = {
    [OPT_AS] = {"as", 0, SEK_ARG_CHOICE, NULL, "format of the files; default: found out",
                sek_lease_format_names},
    [OPT_TIME] = {"time", 0, SEK_ARG_TIME, "TIME",
                  "when the files were true; default: when each was changed last"},
    [OPT_FORCE] = {"force", 0, SEK_ARG_FLAG, NULL, "also when a file is mostly unreadable"},
    [OPT_DRY_RUN] = {"dry-run", 'n', SEK_ARG_FLAG, NULL, "read and count, write nothing"},
    [OPT_REASON] = SEK_REASON_ROW,
    [N_OPTS] = {0},
};

struct work {
    struct sek_context *c;
    struct sek_policydb *db;
    struct sek_inventory_import import;
};

static enum sek_err put(void *arg, const struct sek_lease *lease)
{
    struct work *w = arg;
    return sek_inventory_put(&w->import, lease, &w->c->diag);
}

static const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

static void tell(const struct work *w, const struct sek_leasefile *f)
{
    const struct sek_inventory_stats *s = &w->import.stats;
    sek_talk("%s: %" PRIu64 " statement%s (%s), %" PRIu64 " bad line%s skipped: %" PRIu64
             " span%s new, %" PRIu64 " changed",
             f->label, f->n_told, plural(f->n_told),
             sek_lookup_name(sek_lease_format_names, (int)f->format), f->n_bad, plural(f->n_bad),
             s->n_added, plural(s->n_added), s->n_changed);
    if (s->n_dropped)
        sek_talk("no room for more than %d spans: the %" PRIu64 " that ended first are dropped",
                 SEK_INVENTORY_MAX, s->n_dropped);
}

static enum sek_err import_one(struct work *w, const struct sek_leasefile *f)
{
    struct sek_context *c = w->c;
    char who[64];
    sek_caller_begin();
    char *real = strcmp(f->path, "-") == 0 ? NULL : realpath(f->path, NULL);
    sek_caller_end();
    w->import.time_s = f->time_s;
    w->import.dated = c->opt[OPT_TIME].given;
    enum sek_err e = sek_inventory_begin(&w->import, w->db, sek_context_who(who, sizeof who),
                                         real ? real : f->label, c->now_s, &c->diag);
    free(real);
    if (!e)
        e = sek_leasefile_each(f, put, w);
    if (!e)
        e = sek_inventory_end(&w->import, sek_lookup_name(sek_lease_format_names, (int)f->format),
                              &c->diag);
    return e;
}

/* All files, or none. A rehearsal works on the database as it is, and takes all back. */
static enum sek_err import_all(struct work *w, const struct sek_leasefile *files)
{
    struct sek_context *c = w->c;
    struct sek_inventory_stats *stats = calloc((size_t)c->n_args, sizeof *stats);
    if (!stats)
        return sek_diag_set(&c->diag, SEK_E_NOMEM, "out of memory");
    enum sek_err e = sek_policydb_begin(w->db, &c->diag);
    for (int i = 0; !e && i < c->n_args; i++) {
        e = import_one(w, &files[i]);
        stats[i] = w->import.stats;
    }
    if (!e && !c->opt[OPT_DRY_RUN].given)
        e = sek_audited_add(c, &c->conf, w->db, NULL);
    if (!e && !c->opt[OPT_DRY_RUN].given)
        e = sek_policydb_commit(w->db, &c->diag);
    else
        sek_policydb_rollback(w->db);
    for (int i = 0; !e && i < c->n_args; i++) {
        w->import.stats = stats[i];
        tell(w, &files[i]);
    }
    if (!e && c->opt[OPT_DRY_RUN].given)
        sek_talk("dry run: nothing is written");
    free(stats);
    return e;
}

static enum sek_err run(struct work *w, struct sek_leasefile *files)
{
    struct sek_context *c = w->c;
    uint64_t n_told = 0;
    for (int i = 0; i < c->n_args; i++) {
        enum sek_err e =
            sek_leasefile_read(c, c->args[i], (enum sek_lease_format)c->opt[OPT_AS].number,
                               c->opt[OPT_TIME].number, c->opt[OPT_FORCE].given, &files[i]);
        if (e)
            return e;
        n_told += files[i].n_told;
    }
    if (n_told == 0)
        return sek_context_none(c, "no addresses or machines: nothing to import");
    enum sek_err e = sek_roles_admit_writer(c);
    if (!e)
        e = sek_policydb_open(c->conf.policy.db, true, &w->db, &c->diag);
    if (!e)
        e = sek_audited_begin(&c->conf, w->db, &c->diag);
    if (!e)
        e = import_all(w, files);
    sek_policydb_close(w->db);
    return e;
}

enum sek_err sek_cmd_endpoint_import(struct sek_context *c)
{
    struct work w = {.c = c};
    const struct sek_conf *conf;
    enum sek_err e = sek_context_conf(c, &conf);
    if (e)
        return e;
    struct sek_leasefile *files = calloc((size_t)c->n_args, sizeof *files);
    e = files ? run(&w, files) : sek_diag_set(&c->diag, SEK_E_NOMEM, "out of memory");
    for (int i = 0; files && i < c->n_args; i++)
        sek_leasefile_free(&files[i]);
    free(files);
    return e;
}
