/* SPDX-License-Identifier: BSD-3-Clause */
#include "judge.h"
#include "geoopen.h"
#include "classify/modelpath.h"
#include "store/report.h"
#include "tools/print/talk.h"
#include "watch/detector.h"
#include "base/banned.h"

void sek_judge_dynamic(const struct sek_conf *conf, int64_t now_s, struct sek_dynamic **out)
{
    *out = NULL;
    if (!sek_detectors_may_block(conf))
        return;
    struct sek_diag why = {0};
    struct sek_dismissed dismissed;
    char path[SEK_CONF_TEXT_MAX + 16];
    if (sek_dismissed_read(sek_dismissed_path(conf->policy.dir, path, sizeof path), &dismissed,
                           &why))
        sek_talk("what was dismissed is not known: %s", why.text);
    enum sek_err e = sek_report_dynamic(conf->events.db, now_s, &dismissed, out, &why);
    sek_dismissed_fini(&dismissed);
    if (e && e != SEK_E_NOTFOUND)
        sek_talk("what findings block is not known: %s", why.text);
    sek_detectors_keep_blocking(conf, out);
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
    zones = &conf->rebinding.exclude;
    if (sek_never_new(zones->items, zones->n, j->suffix, &j->rebinding_exclude, &why))
        sek_talk("rebinding.exclude: %s", why.text);
}

enum sek_err sek_judge_open(struct sek_context *c, const struct sek_conf *conf,
                            struct sek_judge *out)
{
    *out = (struct sek_judge){.canary = conf->bypass.canary, .rebinding = conf->rebinding.mode};
    enum sek_err e = sek_policy_open_mapped(conf->policy.dir, &out->policy, &c->diag);
    if (e == SEK_E_NOTFOUND)
        sek_talk("there is no compiled policy in %s yet: no list blocks", conf->policy.dir);
    else if (e)
        return e;
    if (out->policy && sek_policy_places(out->policy))
        out->geo = sek_geo_open(conf, c->now_s);
    sek_judge_dynamic(conf, c->now_s, &out->dynamic);
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
    sek_never_free(j->rebinding_exclude);
    sek_suffix_close(j->suffix);
    sek_geo_free(j->geo);
}

static struct sek_engine engine_of(const struct sek_judge *j, const struct sek_addr *endpoint,
                                   uint16_t qtype)
{
    return (struct sek_engine){
        .policy = j->policy,
        .dynamic = j->dynamic,
        .own = j->never,
        .geo = j->geo,
        .canary = j->canary,
        .rebinding = j->rebinding,
        .rebinding_exclude = j->rebinding_exclude,
        .asking = {.endpoint = endpoint, .outside = !endpoint, .qtype = qtype}};
}

bool sek_judge_blocks(const struct sek_step *step, int64_t now_s)
{
    if (!step->list || !step->rule)
        return false;
    bool expired = step->rule->expires_s && step->rule->expires_s <= now_s;
    return sek_action_blocks(step->action) && step->list->mode != SEK_MODE_OFF && !expired &&
           sek_scope_covers((enum sek_scope)step->rule->scope, step->depth);
}

void sek_judge_question(const struct sek_judge *j, const struct sek_addr *endpoint,
                        const struct sek_name *name, uint16_t qtype, int64_t now_s,
                        struct sek_verdict *out, struct sek_detect_why *why, sek_walk_fn *walk,
                        void *arg)
{
    const struct sek_engine engine = engine_of(j, endpoint, qtype);
    sek_engine_decide(&engine, name, now_s, SEK_TRIGGER_QNAME, out, walk, arg);
    sek_detect_question(&j->detect, NULL, name, now_s, out, why);
}

void sek_judge_answer(const struct sek_judge *j, const struct sek_addr *endpoint,
                      const struct sek_name *question, uint16_t qtype,
                      const struct sek_addr *answer, int64_t now_s, struct sek_verdict *io,
                      sek_walk_fn *walk, void *arg)
{
    const struct sek_engine engine = engine_of(j, endpoint, qtype);
    struct sek_verdict all, v;
    struct sek_name matched;
    if (sek_verdict_is_settled(io))
        return;
    sek_engine_decide(&engine, question, now_s, SEK_TRIGGER_QNAME, &all, NULL, NULL);
    sek_engine_decide_address(&engine, question, SEK_TRIGGER_RESPONSE_IP, answer, now_s, &v,
                              &matched, walk, arg);
    if (sek_verdict_takes_over(&v, &all))
        all = v;
    sek_verdict_add_detected(&all, io);
    *io = all;
}
