/* SPDX-License-Identifier: BSD-3-Clause */
/* Past traffic through the engine of today: `replay`. */
#include "classify/modelpath.h"
#include "tools/command.h"
#include "tools/interrupt.h"
#include "tools/views/geoopen.h"
#include "observe/domains_conf.h"
#include "observe/sighting.h"
#include "tools/input/pastfiles.h"
#include "tools/views/pastview.h"
#include "replay/feed.h"
#include "replay/keep.h"
#include "tools/input/scratch.h"
#include "tools/print/talk.h"
#include "tools/roles.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/banned.h"

SEK_COMMAND(replay);

#define BAD_SAID 5 /* records of a file that are named one by one */
#define KEY ((struct sek_hash_key){0x73656b6973686f21, 0x68697374})

enum {
    OPT_REPORT,
    OPT_DB,
    OPT_FORCE,
    OPT_SEED,
    OPT_SEED_PART,
    OPT_HISTORY,
    OPT_WARM_UP,
    OPT_DISMISSED,
    N_OPTS
};
const struct sek_arg sek_cmd_replay_args[] = {
    [OPT_REPORT] = {"report", 0, SEK_ARG_FLAG, NULL, "print a report; the default without --db"},
    [OPT_DB] = {"db", 0, SEK_ARG_TEXT, "FILE", "store what comes of it in a new events database"},
    [OPT_FORCE] = {"force", 0, SEK_ARG_FLAG, NULL, "replace the database if there is one"},
    [OPT_SEED] = {"seed", 0, SEK_ARG_TEXTS, "FILE",
                  "learn known domains from this older log first; may be given again"},
    [OPT_SEED_PART] = {"seed-part", 0, SEK_ARG_TEXT, "FRACTION",
                       "learn from this part of the records, 0.5: the first half; judge the rest"},
    [OPT_HISTORY] = {"history", 0, SEK_ARG_FLAG, NULL,
                     "begin with a copy of the installed history of domains"},
    [OPT_WARM_UP] = {"warm-up", 0, SEK_ARG_DURATION, "TIME",
                     "age of the history from which it tells what is new; default domains.warm-up"},
    [OPT_DISMISSED] = {"dismissed", 0, SEK_ARG_FLAG, NULL,
                       "tell of findings too that were dismissed here (findings dismiss)"},
    [N_OPTS] = {0},
};

struct work {
    struct sek_context *c;
    struct sek_conf *conf;
    /* what judges */
    struct sek_policy *policy;
    struct sek_classify *classify;
    struct sek_suffix *suffix;
    struct sek_never *never, *nod_exclude;
    struct sek_geo *geo;
    struct sek_dismissed dismissed;
    struct sek_domains *domains;
    struct sek_replay *replay;
    struct sek_keep *keep;
    struct sek_scratch scratch; /* of the findings, without --db */
    const char *db;
    bool half;   /* that of --db is begun, but not complete */
    double part; /* of the records that are learned */
    struct sek_past_files files, seeds;
    struct sek_past_row *rows;
    /* at work */
    struct sek_progress progress;
    const char *path;
    uint64_t done_octets, all_octets;        /* of the files before; of all */
    uint64_t n_bad, n_learn, n_read, n_seed; /* n_learn: records that are still to be learned */
    bool quiet, trouble;
};

/* --- what judges -------------------------------------------------------------------------------
 */

static enum sek_err open_lists(struct work *w)
{
    struct sek_diag why = {0};
    const struct sek_conf *conf = w->conf;
    const char *list = *conf->suffix.list ? conf->suffix.list : NULL;
    enum sek_err e = sek_suffix_open(list, &w->suffix, &w->c->diag);
    if (e)
        return e;
    e = sek_policy_open_mapped(conf->policy.dir, &w->policy, &w->c->diag);
    if (e && e != SEK_E_NOTFOUND)
        return e;
    const struct sek_conf_names *zones = &conf->policy.never_block, *own = &conf->nod.exclude;
    e = sek_never_new(zones->items, zones->n, w->suffix, &w->never, &w->c->diag);
    if (e)
        return e;
    e = sek_never_new(own->items, own->n, w->suffix, &w->nod_exclude, &w->c->diag);
    if (e)
        return e;
    w->geo = sek_geo_open(conf, w->c->now_s);
    char path[512];
    if (sek_classify_open(sek_model_path(conf, path, sizeof path), &w->classify, &why))
        sek_talk("%s", why.text);
    return SEK_OK;
}

/* A replay finds what the resolver would have told, and it would have left these out. */
static void open_dismissed(struct work *w)
{
    char path[SEK_CONF_PATH_MAX];
    struct sek_diag why = {0};
    sek_dismissed_path(w->conf->policy.dir, path, sizeof path);
    if (!w->c->opt[OPT_DISMISSED].given && sek_dismissed_read(path, &w->dismissed, &why) != SEK_OK)
        sek_talk("what was dismissed is not known: %s", why.text);
}

static bool copy_domain(void *arg, const uint8_t *name, size_t len,
                        const struct sek_domain_seen *seen)
{
    struct sek_sighting s = {.first_s = seen->first_s,
                             .last_s = seen->last_s,
                             .resolved = seen->resolved,
                             .endpoints = seen->endpoints};
    if (sek_name_from_wire(name, len, &s.domain) == SEK_OK)
        sek_sighting_note(arg, &s);
    return !sek_interrupted;
}

static enum sek_err copy_history(struct work *w)
{
    char path[SEK_CONF_PATH_MAX];
    struct sek_domains *from;
    enum sek_err e =
        sek_domains_open_read(sek_conf_domains_file(w->conf, path), &from, &w->c->diag);
    if (e)
        return sek_diag_wrap(&w->c->diag, "--history");
    e = sek_domains_each(from, copy_domain, w->domains, &w->c->diag);
    sek_domains_set_since(w->domains, sek_domains_since_s(from));
    sek_domains_close(from);
    return e;
}

/* In memory: the installed one is never touched. */
static enum sek_err open_history(struct work *w)
{
    static const struct sek_hash_key key = KEY;
    char path[SEK_CONF_PATH_MAX], aside[SEK_DOMAINS_ASIDE_MAX];
    struct sek_domains_conf conf = sek_domains_conf_from(w->conf, w->suffix, path);
    conf.path = NULL;
    conf.key = &key;
    enum sek_err e = sek_domains_open(&conf, w->c->now_s, &w->domains, aside, &w->c->diag);
    return e || !w->c->opt[OPT_HISTORY].given ? e : copy_history(w);
}

/* --- the database ------------------------------------------------------------------------------
 */

static bool is_same_file(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static enum sek_err make_room(struct work *w)
{
    struct stat st;
    if (lstat(w->db, &st) != 0)
        return SEK_OK;
    if (is_same_file(w->db, w->conf->events.db))
        return sek_diag_set(&w->c->diag, SEK_E_REFUSED,
                            "%s is the resolver's own database: name another file", w->db);
    if (!w->c->opt[OPT_FORCE].given)
        return sek_diag_set(&w->c->diag, SEK_E_EXISTS, "%s exists already (--force replaces it)",
                            w->db);
    if (!S_ISREG(st.st_mode))
        return sek_diag_set(&w->c->diag, SEK_E_INVALID, "%s is not a regular file", w->db);
    return sek_scratch_remove_db(w->db, &w->c->diag);
}

static enum sek_err open_db(struct work *w)
{
    enum sek_err e;
    if (w->c->opt[OPT_DB].given) {
        w->db = w->c->opt[OPT_DB].text;
        e = make_room(w);
        w->half = !e;
    } else {
        e = sek_scratch_new(&w->scratch, &w->c->diag);
        w->db = w->scratch.db;
    }
    return e ? e : sek_keep_new(w->db, w->policy, w->c->now_s, &w->keep, &w->c->diag);
}

static enum sek_err open_replay(struct work *w)
{
    bool all = w->c->opt[OPT_DB].given; /* else the report needs the findings only */
    const struct sek_replay_site site = {.conf = w->conf,
                                         .policy = w->policy,
                                         .classify = w->classify,
                                         .suffix = w->suffix,
                                         .never = w->never,
                                         .nod_exclude = w->nod_exclude,
                                         .geo = w->geo,
                                         .dismissed = &w->dismissed,
                                         .domains = w->domains};
    const struct sek_replay_hooks hooks = {.arg = w->keep,
                                           .finding = sek_keep_finding,
                                           .response = all ? sek_keep_response : NULL,
                                           .sums = all ? sek_keep_sums : NULL,
                                           .first = all ? sek_keep_first : NULL};
    return sek_replay_new(&site, &hooks, &w->replay, &w->c->diag);
}

/* --- reading -----------------------------------------------------------------------------------
 */

static void on_unreadable(void *arg, const struct sek_diag *why)
{
    struct work *w = arg;
    if (!w->quiet && w->n_bad++ < BAD_SAID)
        sek_talk("%s", why->text);
}

static bool goes_on(void *arg, uint64_t octets, uint64_t size)
{
    struct work *w = arg;
    (void)size;
    uint64_t done = w->done_octets + octets;
    unsigned permille = w->all_octets == 0      ? 1001
                        : done >= w->all_octets ? 1000
                                                : (unsigned)(done * 1000 / w->all_octets);
    sek_progress_show(&w->progress, permille);
    return !sek_interrupted;
}

static bool on_score(void *arg, struct sek_event *const *events, unsigned n, struct sek_score *out)
{
    const struct work *w = arg;
    return sek_replay_score(w->replay, events, n, out);
}

static enum sek_err on_count(void *arg, struct sek_event *const *events,
                             const struct sek_score *scores, unsigned n, struct sek_diag *diag)
{
    struct work *w = arg;
    (void)events, (void)scores, (void)diag;
    w->n_read += n;
    return SEK_OK;
}

static enum sek_err on_learn(void *arg, struct sek_event *const *events,
                             const struct sek_score *scores, unsigned n, struct sek_diag *diag)
{
    struct work *w = arg;
    (void)scores, (void)diag;
    sek_replay_learn(w->replay, events, n);
    w->n_seed += n;
    return SEK_OK;
}

/* What is left to be learned, then what is to be judged. */
static enum sek_err on_judge(void *arg, struct sek_event *const *events,
                             const struct sek_score *scores, unsigned n, struct sek_diag *diag)
{
    struct work *w = arg;
    unsigned learn = w->n_learn < n ? (unsigned)w->n_learn : n;
    if (learn)
        on_learn(w, events, NULL, learn, diag);
    w->n_learn -= learn;
    if (n == learn)
        return SEK_OK;
    scores = scores ? scores + learn : NULL;
    return sek_replay_see(w->replay, events + learn, scores, n - learn, diag);
}

typedef enum sek_err events_fn(void *arg, struct sek_event *const *events,
                               const struct sek_score *scores, unsigned n, struct sek_diag *diag);

/* One file. What cannot be read is told and no error; an error is one of ours. */
static enum sek_err read_file(struct work *w, const struct sek_past_file *file, events_fn *fn,
                              struct sek_past_row *row)
{
    const struct sek_feed_hooks hooks = {.arg = w,
                                         .score = fn == on_judge ? on_score : NULL,
                                         .events = fn,
                                         .unreadable = on_unreadable,
                                         .goes_on = goes_on};
    struct sek_source *source;
    struct sek_diag why = {0};
    if (!file->readable || sek_interrupted)
        return SEK_OK;
    w->path = strcmp(file->path, "-") == 0 ? "standard input" : file->path;
    w->n_bad = 0;
    enum sek_err e = sek_past_file_open(file->path, w->c->now_s, &source, &why);
    if (!e) {
        e = sek_feed_run(source, &hooks, &why);
        if (row)
            snprintf(row->format, sizeof row->format, "%s", sek_source_format(source));
        sek_source_close(source);
    }
    w->done_octets += file->octets;
    if (!w->quiet && w->n_bad > BAD_SAID)
        sek_talk("%s: %" PRIu64 " records cannot be read", w->path, w->n_bad);
    bool foreign = e == SEK_E_IO || e == SEK_E_INVALID || e == SEK_E_NOTFOUND || e == SEK_E_DENIED;
    if (!e || !foreign) {
        w->c->diag = e ? why : w->c->diag;
        return e;
    }
    if (!w->quiet)
        sek_talk("%s", why.text);
    w->trouble = true;
    return SEK_OK;
}

static void begin_pass(struct work *w, const char *what, const struct sek_past_files *files)
{
    w->done_octets = 0;
    w->all_octets = files->octets;
    sek_progress_begin(&w->progress, what);
}

static enum sek_err learn_seeds(struct work *w)
{
    enum sek_err e = SEK_OK;
    begin_pass(w, "learning", &w->seeds);
    for (unsigned i = 0; i < w->seeds.n && !e; i++)
        e = read_file(w, &w->seeds.all[i], on_learn, NULL);
    sek_progress_end(&w->progress);
    return e;
}

/* How many records make up the part that is learned. */
static enum sek_err count_part(struct work *w)
{
    enum sek_err e = SEK_OK;
    if (w->part <= 0)
        return SEK_OK;
    w->quiet = true;
    begin_pass(w, "counting", &w->files);
    for (unsigned i = 0; i < w->files.n && !e; i++)
        e = read_file(w, &w->files.all[i], on_count, NULL);
    sek_progress_end(&w->progress);
    w->quiet = false;
    w->n_learn = (uint64_t)((double)w->n_read * w->part);
    return e;
}

static enum sek_err judge_files(struct work *w)
{
    enum sek_err e = SEK_OK;
    begin_pass(w, "replaying", &w->files);
    for (unsigned i = 0; i < w->files.n && !e; i++) {
        struct sek_past_row *row = &w->rows[i];
        sek_replay_next_file(w->replay);
        row->path = w->files.all[i].path;
        w->n_bad = 0;
        e = read_file(w, &w->files.all[i], on_judge, row);
        sek_past_row_set(row, sek_replay_file(w->replay));
        row->n_unreadable = w->n_bad;
    }
    if (!e)
        e = sek_replay_flush(w->replay, &w->c->diag);
    if (!e)
        e = sek_keep_sync(w->keep, &w->c->diag);
    sek_progress_end(&w->progress);
    return e;
}

/* --- telling -----------------------------------------------------------------------------------
 */

static enum sek_err report(struct work *w)
{
    const struct sek_past past = {.c = w->c,
                                  .conf = w->conf,
                                  .replay = w->replay,
                                  .files = w->rows,
                                  .n_files = w->files.n,
                                  .model = w->classify != NULL,
                                  .policy = w->policy != NULL};
    struct sek_report *findings;
    enum sek_err e = sek_report_open(w->db, &findings, &w->c->diag);
    if (e)
        return e;
    e = sek_past_report(&past, findings);
    sek_report_close(findings);
    return e;
}

static void tell(struct work *w)
{
    uint64_t n_refused, n = sek_keep_findings(w->keep, &n_refused);
    const struct sek_replay_sum *total = sek_replay_total(w->replay);
    uint64_t lost = sek_replay_lost(w->replay);
    char learned[64] = "";
    if (w->n_seed)
        snprintf(learned, sizeof learned, "%" PRIu64 " learned, ", w->n_seed);
    sek_talk("%s%" PRIu64 " record%s judged: %" PRIu64 " finding%s%s%s", learned, total->n_records,
             total->n_records == 1 ? "" : "s", n, n == 1 ? "" : "s",
             w->c->opt[OPT_DB].given ? " in " : "", w->c->opt[OPT_DB].given ? w->db : "");
    uint64_t n_dismissed = sek_replay_dismissed(w->replay);
    if (n_dismissed)
        sek_talk("%" PRIu64 " finding%s left out, as such were dismissed (--dismissed shows them)",
                 n_dismissed, n_dismissed == 1 ? "" : "s");
    if (lost || n_refused)
        sek_talk("out of memory: %" PRIu64 " records and %" PRIu64 " findings are missing", lost,
                 n_refused);
    if (total->endpoints.more || total->domains.more)
        sek_talk("endpoints and domains are counted up to %u", SEK_DISTINCT_MAX);
    if (sek_interrupted)
        sek_talk("interrupted: what comes of the records before is there");
}

static enum sek_err run(struct work *w)
{
    enum sek_err e = open_lists(w);
    open_dismissed(w);
    if (!e)
        e = open_history(w);
    if (!e)
        e = open_db(w);
    if (!e)
        e = open_replay(w);
    if (!e)
        e = learn_seeds(w);
    if (!e)
        e = count_part(w);
    if (!e)
        e = judge_files(w);
    if (e)
        return e;
    w->half = false;
    tell(w);
    if (!w->c->opt[OPT_DB].given || w->c->opt[OPT_REPORT].given)
        e = report(w);
    if (sek_interrupted || w->trouble || w->files.n_unreadable || w->seeds.n_unreadable)
        w->c->exit = SEK_EXIT_ERROR;
    if (!e && sek_replay_total(w->replay)->n_records == 0 && !sek_interrupted)
        return sek_context_none(w->c, "no records to judge");
    return e;
}

static void close_all(struct work *w)
{
    sek_replay_free(w->replay);
    sek_keep_free(w->keep);
    if (w->half)
        sek_scratch_remove_db(w->db, NULL);
    sek_scratch_free(&w->scratch);
    sek_domains_close(w->domains);
    sek_never_free(w->never);
    sek_never_free(w->nod_exclude);
    sek_geo_free(w->geo);
    sek_dismissed_fini(&w->dismissed);
    sek_classify_close(w->classify);
    sek_policy_close(w->policy);
    sek_suffix_close(w->suffix);
    sek_past_files_fini(&w->files);
    sek_past_files_fini(&w->seeds);
    free(w->rows);
}

/* --- use ---------------------------------------------------------------------------------------
 */

static enum sek_err read_options(struct work *w)
{
    struct sek_context *c = w->c;
    const struct sek_arg_value *part = &c->opt[OPT_SEED_PART];
    unsigned n_pipes = 0;
    if (part->given) {
        char *end;
        w->part = strtod(part->text, &end);
        if (*end || end == part->text || !(w->part > 0 && w->part < 1))
            return sek_context_usage(c, "--seed-part: \"%.100s\" is no fraction such as 0.5",
                                     part->text);
    }
    for (int i = 0; i < c->n_args; i++)
        n_pipes += strcmp(c->args[i], "-") == 0;
    for (int64_t i = 0; i < c->opt[OPT_SEED].number; i++)
        n_pipes += strcmp(c->opt[OPT_SEED].texts[i], "-") == 0;
    if (n_pipes > 1 || (n_pipes && part->given))
        return sek_context_usage(c, "standard input can be read once only");
    if (c->opt[OPT_FORCE].given && !c->opt[OPT_DB].given)
        return sek_context_usage(c, "--force: there is no --db to replace");
    return c->opt[OPT_DB].given ? sek_roles_admit_option(c, "--db") : SEK_OK;
}

static enum sek_err look_at_files(struct work *w)
{
    struct sek_context *c = w->c;
    const struct sek_arg_value *seed = &c->opt[OPT_SEED];
    enum sek_err e = sek_past_files_look((const char *const *)c->args, (unsigned)c->n_args,
                                         c->now_s, &w->files, &c->diag);
    if (!e)
        e = sek_past_files_look(seed->texts, (unsigned)seed->number, c->now_s, &w->seeds, &c->diag);
    w->rows = e ? NULL : calloc(w->files.n, sizeof *w->rows);
    if (!e && !w->rows)
        e = sek_diag_set(&c->diag, SEK_E_NOMEM, "out of memory");
    if (!e && w->files.n_unreadable == w->files.n)
        return sek_context_none(c, "no file that can be read");
    return e;
}

enum sek_err sek_cmd_replay(struct sek_context *c)
{
    struct work w = {.c = c, .conf = &c->conf};
    const struct sek_conf *conf;
    enum sek_err e = read_options(&w);
    if (!e)
        e = sek_context_conf(c, &conf);
    if (!e && c->opt[OPT_WARM_UP].given)
        c->conf.domains.warm_up_s = c->opt[OPT_WARM_UP].number;
    if (!e)
        e = look_at_files(&w);
    sek_interrupt_watch();
    if (!e && w.files.n_unreadable < w.files.n)
        e = run(&w);
    close_all(&w);
    return e;
}
