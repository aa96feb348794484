/* SPDX-License-Identifier: BSD-3-Clause */
#include "judge.h"
#include "classify/modelpath.h"
#include "store/report.h"
#include "talk.h"
#include "watch/detector.h"
#include "base/banned.h"

static void open_dynamic(const struct sek_conf *conf, int64_t now_s, struct sek_judge *j)
{
    struct sek_diag why = {0};
    struct sek_dismissed dismissed;
    char path[SEK_CONF_TEXT_MAX + 16];
    if (sek_dismissed_read(sek_dismissed_path(conf->policy.dir, path, sizeof path), &dismissed,
                           &why))
        sek_talk("what was dismissed is not known: %s", why.text);
    enum sek_err e = sek_report_dynamic(conf->events.db, now_s, &dismissed, &j->dynamic, &why);
    sek_dismissed_fini(&dismissed);
    if (e && e != SEK_E_NOTFOUND)
        sek_talk("what findings block is not known: %s", why.text);
    sek_detectors_keep_blocking(conf, &j->dynamic);
}

static void open_model(const struct sek_conf *conf, struct sek_judge *j)
{
    char path[512];
    struct sek_diag why = {0};
    if (sek_classify_open(sek_model_path(conf, path, sizeof path), &j->classify, &why))
        sek_talk("no score: %s", why.text);
}

static void open_history(const struct sek_conf *conf, struct sek_judge *j)
{
    struct sek_diag why = {0};
    char path[SEK_CONF_PATH_MAX];
    if (sek_suffix_open(*conf->suffix.list ? conf->suffix.list : NULL, &j->suffix, &why))
        sek_talk("no registered domain: %s", why.text);
    enum sek_err e = sek_domains_open_read(sek_conf_domains_file(conf, path), &j->domains, &why);
    if (e && e != SEK_E_NOTFOUND)
        sek_talk("whether its domain is new is not known: %s", why.text);
    const struct sek_conf_names *zones = &conf->policy.never_block;
    if (sek_never_new(zones->items, zones->n, j->suffix, &j->never, &why))
        sek_talk("policy.never-block: %s", why.text);
    zones = &conf->nod.exclude;
    if (sek_never_new(zones->items, zones->n, j->suffix, &j->nod_exclude, &why))
        sek_talk("nod.exclude: %s", why.text);
}

enum sek_err sek_judge_open(struct sek_context *c, const struct sek_conf *conf,
                            struct sek_judge *out)
{
    *out = (struct sek_judge){.canary = conf->bypass.canary};
    enum sek_err e = sek_policy_open(conf->policy.dir, &out->policy, &c->diag);
    if (e == SEK_E_NOTFOUND)
        sek_talk("there is no compiled policy in %s yet: no list blocks", conf->policy.dir);
    else if (e)
        return e;
    if (sek_detectors_may_block(conf))
        open_dynamic(conf, c->now_s, out);
    open_model(conf, out);
    open_history(conf, out);
    out->detect = (struct sek_detect){.domains = out->domains,
                                      .suffix = out->suffix,
                                      .never = out->never,
                                      .nod_exclude = out->nod_exclude};
    sek_detect_configure(&out->detect, conf, out->classify);
    return SEK_OK;
}

void sek_judge_close(struct sek_judge *j)
{
    sek_policy_close(j->policy);
    sek_dynamic_free(j->dynamic);
    sek_classify_close(j->classify);
    sek_domains_close(j->domains);
    sek_never_free(j->never);
    sek_never_free(j->nod_exclude);
    sek_suffix_close(j->suffix);
}

void sek_judge_question(const struct sek_judge *j, const struct sek_name *name, int64_t now_s,
                        struct sek_verdict *out, struct sek_detect_why *why, sek_walk_fn *walk,
                        void *arg)
{
    const struct sek_engine engine = {
        .policy = j->policy, .dynamic = j->dynamic, .canary = j->canary};
    sek_engine_decide(&engine, name, now_s, SEK_TRIGGER_QNAME, out, walk, arg);
    sek_detect_question(&j->detect, NULL, name, now_s, out, why);
}
