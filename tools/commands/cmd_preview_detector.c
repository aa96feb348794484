/* SPDX-License-Identifier: BSD-3-Clause */
/* preview detector: what a detector in mode monitor would have blocked in mode block. Modes are
 * settings of the file, which no command writes; so this is a report, and no rehearsal. */
#include "classify/modelpath.h"
#include "name/text.h"
#include "base/duration.h"
#include "store/report_would.h"
#include "tools/change/changes.h"
#include "tools/command.h"
#include "tools/print/talk.h"
#include "tools/views/hitview.h"
#include "verdict/detect.h"
#include "verdict/engine.h"
#include "watch/detector.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(preview_detector);

enum { OPT_SINCE, OPT_LIMIT, N_OPTS };
const struct sek_arg sek_cmd_preview_detector_args[] = {
    [OPT_SINCE] = {"since", 's', SEK_ARG_TIME, "TIME", "from then on; default 7d"},
    [OPT_LIMIT] = {"limit", 0, SEK_ARG_NUMBER, "N",
                   "at most so many names and endpoints; default 50, 0 = all", NULL, 0,
                   UINT32_MAX - 1},
    [N_OPTS] = {0},
};

#define SINCE_DEFAULT_S (7 * 86400)

struct would {
    struct sek_context *c;
    const struct sek_conf *conf;
    struct sek_changes changes;
    struct sek_policy *policy; /* in force; NULL: none */
    const char *by;
    enum sek_trigger trigger; /* of a detector that judges at once; else NONE, and: */
    enum sek_detector detector;
    int mode; /* now: enum sek_mode, or of nod enum sek_nod_mode */
    int64_t since_s;
    uint64_t n_unknown; /* findings older than what is asked of them */
};

/* --- which one -----------------------------------------------------------------------------------
 */

/* That judge at once (verdict/detect.h, verdict/engine.h). */
static const struct sek_lookup at_once[] = {
    {SEK_TRIGGER_CLASSIFIER, "classifier"},
    {SEK_TRIGGER_NOD, "nod"},
    {SEK_TRIGGER_REBINDING, "rebinding"},
    {0, NULL},
};

static void names_add(struct sek_buf *out, const struct sek_lookup *names)
{
    for (; names->name; names++)
        sek_buf_add_fmt(out, "%s%s", out->len ? ", " : "", names->name);
}

static enum sek_err find(struct would *w, const char *name)
{
    int trigger = sek_lookup_id(at_once, name), id = sek_lookup_id(sek_detector_names, name);
    w->by = name;
    if (trigger > 0) {
        w->trigger = (enum sek_trigger)trigger;
        w->mode = trigger == SEK_TRIGGER_CLASSIFIER  ? w->conf->classify.mode
                  : trigger == SEK_TRIGGER_REBINDING ? w->conf->rebinding.mode
                                                     : w->conf->nod.mode;
        return SEK_OK;
    }
    if (id > 0) {
        w->detector = (enum sek_detector)id;
        w->mode = (int)sek_detector_mode(w->conf, w->detector);
        if (sek_detector_lifetime_s(w->conf, w->detector) > 0)
            return SEK_OK;
        return sek_context_usage(w->c, "%s blocks nothing in any mode", name);
    }
    struct sek_buf all;
    sek_buf_init(&all, 0);
    names_add(&all, sek_detector_names);
    names_add(&all, at_once);
    enum sek_err err =
        sek_context_usage(w->c, "\"%.40s\" is no detector: %s", name, all.data ? all.data : "");
    sek_buf_fini(&all);
    return err;
}

/* Of scores, in hundredths, above which the classifier blocks what is new and rare. */
static enum sek_err threshold(const struct would *w, int16_t *out)
{
    char path[SEK_CONF_PATH_MAX];
    struct sek_classify *model = NULL;
    struct sek_detect detect = {0};
    sek_model_path(w->conf, path, sizeof path);
    enum sek_err err = sek_classify_open(path, &model, &w->c->diag);
    if (err)
        return err;
    sek_detect_configure(&detect, w->conf, model);
    *out = sek_score_of(detect.block_llr);
    sek_classify_close(model);
    return SEK_OK;
}

/* --- judging -------------------------------------------------------------------------------------
 */

/* What a rule decides for good is no detector's: an exception, or a block. */
static bool is_decided(const struct would *w, const char *text, const char *endpoint)
{
    struct sek_addr addr;
    struct sek_name name;
    struct sek_verdict v;
    const struct sek_engine engine = {.policy = w->policy, .asking.endpoint = &addr};
    if (sek_addr_from_text(endpoint, &addr, NULL) != SEK_OK ||
        sek_name_from_text(text, strlen(text), &name, NULL) != SEK_OK)
        return true;
    sek_engine_decide(&engine, &name, w->c->now_s, SEK_TRIGGER_QNAME, &v, NULL, NULL);
    return v.trigger != SEK_TRIGGER_NONE &&
           (sek_action_blocks(v.action) || !sek_verdict_is_hit(&v));
}

static bool take(void *arg, const struct sek_past_row *row)
{
    struct would *w = arg;
    const struct sek_changed one = {
        .name = row->name,
        .endpoint = row->endpoint,
        .by = w->by,
        .queries = row->queries,
        .last_ms = row->last_ms,
        .now = SEK_ACTION_PASSTHRU,
        .then = w->trigger == SEK_TRIGGER_REBINDING ? SEK_ACTION_NODATA : SEK_ACTION_SINKHOLE};
    return is_decided(w, row->name, row->endpoint) || sek_changes_add(&w->changes, &one);
}

static enum sek_err gather(struct would *w, struct sek_report *events)
{
    struct sek_diag *diag = &w->c->diag;
    int16_t above = INT16_MIN;
    if (w->detector)
        return sek_report_would_findings(events, (int)w->detector, w->since_s,
                                         sek_detector_lifetime_s(w->conf, w->detector), take, w,
                                         &w->n_unknown, diag);
    enum sek_err err = w->trigger == SEK_TRIGGER_CLASSIFIER ? threshold(w, &above) : SEK_OK;
    return err ? err
               : sek_report_would_hits(events, (int)w->trigger, w->since_s, above, take, w, diag);
}

/* --- the report ----------------------------------------------------------------------------------
 */

static void say(const struct would *w)
{
    const struct sek_changes *all = &w->changes;
    char since[32];
    bool blocks =
        w->trigger == SEK_TRIGGER_NOD ? w->mode >= SEK_NOD_HOLD : w->mode == SEK_MODE_BLOCK;
    sek_talk("preview: %s in mode %s would have blocked %s%" PRIu64 " quer%s since %s, of %" PRIu64
             " name%s and %" PRIu64 " endpoint%s",
             w->by, w->trigger == SEK_TRIGGER_NOD ? "hold" : "block",
             w->trigger == SEK_TRIGGER_CLASSIFIER ? "at most " : "", all->n_queries,
             all->n_queries == 1 ? "y" : "ies", sek_time_to_text(w->since_s, since, sizeof since),
             all->n_names, all->n_names == 1 ? "" : "s", all->n_endpoints,
             all->n_endpoints == 1 ? "" : "s");
    if (w->n_unknown)
        sek_talk("%" PRIu64 " older finding%s left out: whether they would have blocked is not "
                 "recorded",
                 w->n_unknown, w->n_unknown == 1 ? " is" : "s are");
    if (w->mode == SEK_MODE_OFF)
        sek_talk("%s is off: nothing is found meanwhile", w->by);
    else if (blocks)
        sek_talk("%s blocks already: what it did block is in sekisho hits", w->by);
}

enum sek_err sek_cmd_preview_detector(struct sek_context *c)
{
    struct would w = {.c = c};
    struct sek_report *events = NULL;
    w.since_s = c->opt[OPT_SINCE].given ? c->opt[OPT_SINCE].number : c->now_s - SINCE_DEFAULT_S;
    sek_changes_init(&w.changes, c);
    enum sek_err err = sek_context_conf(c, &w.conf);
    if (!err)
        err = find(&w, c->args[0]);
    if (!err && (err = sek_policy_open(w.conf->policy.dir, &w.policy, &c->diag)) == SEK_E_NOTFOUND)
        err = SEK_OK; /* none is in force yet */
    if (!err)
        err = sek_hit_report_open(c, &events);
    if (!err)
        err = gather(&w, events);
    if (!err)
        err = sek_changes_print(&w.changes, c->opt[OPT_LIMIT].given
                                                ? (uint64_t)c->opt[OPT_LIMIT].number
                                                : SEK_CHANGES_LIMIT);
    if (!err)
        say(&w);
    sek_report_close(events);
    sek_policy_close(w.policy);
    sek_changes_fini(&w.changes);
    return err;
}
