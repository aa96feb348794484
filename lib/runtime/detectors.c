/* SPDX-License-Identifier: BSD-3-Clause */
#include "classify/modelpath.h"
#include "runtime/parts.h"
#include "store/report.h"
#include "watch/bypass_list.h"
#include "watch/sinkhole_list.h"
#include "watch/detector.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define MODEL_TICKS 20 /* a changed model is noticed within a second */

/* --- the classifier's model --------------------------------------------------------------------
 */

static bool is_model_wanted(const struct sek_conf *conf)
{
    return conf->classify.mode != SEK_MODE_OFF || sek_detectors_wanted(conf);
}

/* The history has more readers than the model. */
static bool is_history_wanted(const struct sek_conf *conf)
{
    return is_model_wanted(conf) || conf->nod.mode != SEK_NOD_OFF;
}

static void detect_free(struct sek_detect *d)
{
    if (d)
        sek_classify_close((struct sek_classify *)(uintptr_t)d->classify);
    free(d);
}

/* Has every domain of the history been found by the list that is in use? */
static bool is_same_list(const struct sek_runtime *rt, const struct sek_domains *domains)
{
    struct sek_domains_stats stats;
    if (!domains || !rt->suffix)
        return false;
    sek_domains_stats(domains, &stats);
    return *stats.psl_first && strcmp(stats.psl_first, stats.psl_last) == 0;
}

static struct sek_detect *detect_new(struct sek_runtime *rt, const struct sek_classify *classify)
{
    const struct sek_domains *domains = atomic_load(&rt->domains);
    struct sek_detect *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    *d = (struct sek_detect){.domains = domains,
                             .suffix = rt->suffix,
                             .never = rt->never,
                             .nod_exclude = rt->nod_exclude,
                             .full_s = &rt->domains_full_s,
                             .same_list = is_same_list(rt, domains)};
    sek_detect_configure(d, &rt->conf, classify);
    return d;
}

static void model_refused(struct sek_runtime *rt, const struct sek_diag *why)
{
    const struct sek_detect *d = atomic_load(&rt->detect);
    bool old = d && d->classify;
    sek__runtime_say(rt, true, "%s; %s", why->text,
                     old ? "the previous model goes on"
                         : "no name is classified until it is mended");
    sek_status_set_text(rt->page, rt->page->classifier_text, why->text);
    atomic_store(&rt->page->classifier_state,
                 why->code == SEK_E_NOTFOUND && !old ? SEK_PART_ABSENT : SEK_PART_FAILED);
}

static void model_load(struct sek_runtime *rt)
{
    struct sek_classify *classify = NULL;
    struct sek_diag why = {0};
    if (sek_classify_open(rt->model_path, &classify, &why) != SEK_OK) {
        model_refused(rt, &why);
        return;
    }
    struct sek_detect *fresh = detect_new(rt, classify);
    if (!fresh) {
        sek_classify_close(classify);
        return;
    }
    struct sek_detect *old = atomic_exchange(&rt->detect, fresh);
    if (old)
        sek__keeper_settle(rt, false);
    bool again = old && old->classify;
    detect_free(old);
    if (atomic_exchange(&rt->page->classifier_state, SEK_PART_OK) == SEK_PART_FAILED || again)
        sek__runtime_say(rt, false, "classifier: %s in force", rt->model_path);
    sek_status_set_text(rt->page, rt->page->classifier_text, "");
}

static void model_watch(struct sek_runtime *rt)
{
    struct sek_file_mark mark = sek__file_mark(rt->model_path);
    if (sek__file_mark_equal(&mark, &rt->model_mark))
        return;
    rt->model_mark = mark;
    model_load(rt);
}

/* --- history of domains ------------------------------------------------------------------------
 */

/* The observer has opened it: from now on workers may ask what is new. */
static void history_take(struct sek_runtime *rt)
{
    struct sek_domains *domains = atomic_load(&rt->domains);
    struct sek_detect *old = atomic_load(&rt->detect);
    bool wanted = old || rt->conf.nod.mode != SEK_NOD_OFF;
    if (!domains || !wanted || (old && old->domains == domains))
        return;
    struct sek_detect *fresh = detect_new(rt, old ? old->classify : NULL);
    if (!fresh)
        return;
    atomic_store(&rt->detect, fresh);
    if (old)
        sek__keeper_settle(rt, false);
    free(old); /* its model is the new one's */
}

/* --- dynamic blocks ----------------------------------------------------------------------------
 */

/* What findings of earlier lives block still. */
static void dynamic_read(struct sek_runtime *rt)
{
    struct sek_dynamic *set;
    struct sek_diag why = {0};
    if (!sek_detectors_may_block(&rt->conf))
        return;
    enum sek_err err = sek_report_dynamic(rt->conf.events.db, sek_keeper_now_ms() / 1000,
                                          &rt->dismissals.set, &set, &why);
    if (err != SEK_OK && err != SEK_E_NOTFOUND)
        sek__runtime_say(rt, true, "%s; what findings blocked before resolves", why.text);
    sek_detectors_keep_blocking(&rt->conf, &set);
    atomic_store(&rt->dynamic, set);
}

static void dynamic_take(struct sek_runtime *rt)
{
    struct sek_dynamic *fresh = atomic_exchange(&rt->fresh_dynamic, NULL);
    if (!fresh)
        return;
    atomic_store(&rt->unsettled, true);
    struct sek_dynamic *old = atomic_exchange(&rt->dynamic, fresh);
    sek__keeper_settle(rt, true);
    atomic_store(&rt->unsettled, false);
    sek_dynamic_free(old);
}

/* --- life --------------------------------------------------------------------------------------
 */

static void sinkholes_open(struct sek_runtime *rt)
{
    struct sek_diag why = {0};
    if (sek_sinkholes_open(rt->conf.sinkholed.list, &rt->sinkholes, &why) == SEK_OK)
        return;
    sek__runtime_say(rt, true, "sinkholed.list: %s; the built-in table counts", why.text);
    rt->conf.sinkholed.list[0] = '\0';
    if (sek_sinkholes_open("", &rt->sinkholes, NULL) != SEK_OK)
        rt->sinkholes = NULL;
}

bool sek_worker_wants_servers(const struct sek_runtime *rt)
{
    return rt->sinkholes && sek_sinkholes_have_servers(rt->sinkholes);
}

unsigned sek_worker_sunk_server(const struct sek_runtime *rt, const struct sek_name *server)
{
    return rt->sinkholes ? sek_sinkholes_server(rt->sinkholes, server) : 0;
}

/* Names that no detector and nothing in an answer may touch, or not this one. */
static void spare(struct sek_runtime *rt)
{
    struct sek_diag why = {0};
    const struct sek_conf_names *zones = &rt->conf.policy.never_block, *own = &rt->conf.nod.exclude;
    if (sek_never_new(zones->items, zones->n, rt->suffix, &rt->never, &why) != SEK_OK)
        sek__runtime_say(rt, true, "policy.never-block: %s; no detector blocks", why.text);
    struct sek_bypass_list *list = NULL;
    if (sek_bypass_list_open(rt->conf.bypass.list, &list, &why) != SEK_OK) {
        sek__runtime_say(rt, true, "bypass.list: %s; the built-in table counts", why.text);
        rt->conf.bypass.list[0] = '\0';
    }
    sek_bypass_list_close(list);
    if (rt->conf.sinkholed.mode != SEK_MODE_OFF)
        sinkholes_open(rt);
    if (sek_never_new(own->items, own->n, rt->suffix, &rt->nod_exclude, &why) != SEK_OK) {
        sek__runtime_say(rt, true, "nod.exclude: %s; no new domain is held or recorded", why.text);
        rt->conf.nod.mode = SEK_NOD_OFF;
    }
    own = &rt->conf.rebinding.exclude;
    if (sek_never_new(own->items, own->n, rt->suffix, &rt->rebinding_exclude, &why) != SEK_OK) {
        sek__runtime_say(rt, true, "rebinding.exclude: %s; private addresses pass", why.text);
        rt->conf.rebinding.mode = SEK_MODE_OFF;
    }
}

void sek__detectors_start(struct sek_runtime *rt)
{
    struct sek_diag why = {0};
    spare(rt);
    if (!is_history_wanted(&rt->conf))
        return;
    if (is_model_wanted(&rt->conf)) {
        sek_model_path(&rt->conf, rt->model_path, sizeof rt->model_path);
        rt->model_mark = sek__file_mark(rt->model_path);
        model_load(rt);
        for (unsigned i = 0; i < rt->n_workers; i++)
            rt->workers[i].memo = sek_memo_new(sek_hash_key_random());
    }
    if (!atomic_load(&rt->detect) && rt->conf.nod.mode != SEK_NOD_OFF)
        atomic_store(&rt->detect, detect_new(rt, NULL));
    sek__dismissals_watch(rt, 0); /* before the first finding */
    dynamic_read(rt);
    sek__geo_start(rt);
    if (rt->recorder && sek_udr_names_new(&rt->conf, &rt->tracked, &why) != SEK_OK)
        sek__runtime_say(rt, true, "%s; answers from the cache are not tracked", why.text);
    if (rt->recorder && sek__observer_start(rt, atomic_load(&rt->dynamic), &why) != SEK_OK)
        sek__runtime_say(rt, true, "%s; no endpoint is watched", why.text);
}

void sek__detectors_ready(struct sek_runtime *rt)
{
    sek__observer_await(rt->observer);
    history_take(rt);
}

void sek__detectors_tick(struct sek_runtime *rt)
{
    if (is_history_wanted(&rt->conf))
        history_take(rt);
    if (!is_model_wanted(&rt->conf))
        return;
    dynamic_take(rt);
    if (rt->ticks++ % MODEL_TICKS == 0)
        model_watch(rt);
}

void sek__detectors_stop(struct sek_runtime *rt)
{
    sek__observer_free(rt->observer);
    sek_geo_free(rt->geo);
    for (unsigned i = 0; rt->workers && i < rt->n_workers; i++)
        sek_memo_free(rt->workers[i].memo);
    detect_free(atomic_load(&rt->detect));
    sek_dynamic_free(atomic_load(&rt->dynamic));
    sek_dynamic_free(atomic_load(&rt->fresh_dynamic));
    sek_domains_close(atomic_load(&rt->domains));
    sek_never_free(rt->never);
    sek_never_free(rt->nod_exclude);
    sek_dismissed_fini(&rt->dismissals.set);
    sek_udr_names_free(rt->tracked);
    sek_never_free(rt->rebinding_exclude);
    sek_sinkholes_close(rt->sinkholes);
}
