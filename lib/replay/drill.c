/* SPDX-License-Identifier: BSD-3-Clause */
#include "replay/drill.h"
#include "name/text.h"
#include "observe/domains_conf.h"
#include "watch/sinkhole_list.h"
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

#define START_MS 1790000000000LL
#define MINUTE_MS 60000
#define SUSPECT 66 /* the endpoint that misbehaves: 192.0.2.66 */
#define N_OTHERS 40
#define N_POPULAR 30
#define ENOUGH 3 /* times what a threshold asks for, at most */

struct sek_drill_work {
    const struct sek_drill *drill;
    const struct sek_conf *conf;
    struct sek_replay *replay;
    struct sek_drill_result *result;
    int64_t from_ms, now_ms;
    uint64_t seed;
    bool learning;
    enum sek_err err;
    struct sek_diag diag;
};

/* --- traffic -----------------------------------------------------------------------------------
 */

/* 0 <= result < 1. The generator of Numerical Recipes: any will do here. */
static double fraction(struct sek_drill_work *w)
{
    w->seed = w->seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (double)(w->seed >> 11) / 9007199254740992.0;
}

static void letters(struct sek_drill_work *w, char *out, unsigned n, const char *of)
{
    size_t n_of = strlen(of);
    for (unsigned i = 0; i < n; i++)
        out[i] = of[(size_t)(fraction(w) * (double)n_of)];
    out[n] = '\0';
}

static bool goes_on(const struct sek_drill_work *w)
{
    return !w->result->found && w->err == SEK_OK;
}

/* A verdict is told by what the replay met. */
static void look_at_verdicts(struct sek_drill_work *w)
{
    unsigned n;
    const struct sek_replay_met *mets = sek_replay_mets(w->replay, &n);
    for (unsigned i = 0; i < n; i++)
        if (mets[i].trigger == w->drill->trigger) {
            w->result->found = true;
            w->result->would = mets[i].would;
            w->result->blocked = mets[i].blocked;
        }
}

static void show(struct sek_drill_work *w, struct sek_event *e)
{
    if (w->learning) {
        sek_replay_learn(w->replay, &e, 1);
        return;
    }
    w->result->n_queries++;
    w->result->span_s = (w->now_ms - w->from_ms) / 1000;
    w->err = sek_replay_see(w->replay, &e, NULL, 1, &w->diag);
    if (!w->drill->finding)
        look_at_verdicts(w);
}

/* n_addrs: of the answer, 0: the name does not exist. addrs: they are these; else anywhere on the
 * Internet. */
static void ask_at(struct sek_drill_work *w, unsigned endpoint, const char *text,
                   const struct sek_addr *addrs, unsigned n_addrs)
{
    struct sek_name name;
    if (!goes_on(w) || sek_name_from_text(text, strlen(text), &name, NULL) != SEK_OK)
        return;
    struct sek_event e = {
        .time_ms = w->now_ms,
        .score = SEK_SCORE_UNKNOWN,
        .outcome = n_addrs ? SEK_OUTCOME_PASSED : SEK_OUTCOME_NXDOMAIN,
        .existence = n_addrs ? SEK_EXISTENCE_EXISTS : SEK_EXISTENCE_ABSENT,
        .ttl_s = n_addrs ? 60 : 0,
        .qtype = 1,
        .name_len = name.len,
        .endpoint = {.octets = {[10] = 0xff, 0xff, 192, 0, 2, (uint8_t)endpoint}},
    };
    memcpy(e.names, name.octets, name.len);
    e.size = sek_event_size(e.name_len, 0);
    for (unsigned i = 0; i < n_addrs; i++) {
        struct sek_addr addr = {.octets = {[10] = 0xff, 0xff}};
        addr.octets[12] = (uint8_t)(fraction(w) * 200 + 11);
        addr.octets[13] = (uint8_t)(fraction(w) * 256);
        addr.octets[14] = (uint8_t)(fraction(w) * 256);
        addr.octets[15] = (uint8_t)(fraction(w) * 254 + 1);
        sek_event_add_addr(&e, addrs ? &addrs[i] : &addr);
    }
    show(w, &e);
}

static void ask_for(struct sek_drill_work *w, unsigned endpoint, const char *text, unsigned n_addrs)
{
    ask_at(w, endpoint, text, NULL, n_addrs);
}

static void ask(struct sek_drill_work *w, unsigned endpoint, const char *text, bool exists)
{
    ask_for(w, endpoint, text, exists);
}

/* What everybody asks for: the history that makes other domains new and rare. */
static void learn_popular(struct sek_drill_work *w)
{
    char text[64];
    w->learning = true;
    for (unsigned who = 1; who <= N_OTHERS; who++)
        for (unsigned what = 0; what < N_POPULAR; what++) {
            w->now_ms += 1000;
            snprintf(text, sizeof text, "www.popular-site-%u.com", what);
            ask(w, who, text, true);
        }
    w->learning = false;
    w->now_ms += MINUTE_MS;
    w->from_ms = w->now_ms;
}

/* --- drills ------------------------------------------------------------------------------------
 */

static void make_series(struct sek_drill_work *w)
{
    static const char *const suffixes[] = {"com", "net", "org", "info", "biz"};
    char label[24], text[64];
    for (unsigned i = 0; i < 200 && goes_on(w); i++) {
        letters(w, label, 12 + i % 6, "abcdefghijklmnopqrstuvwxyz");
        snprintf(text, sizeof text, "%s.%s", label, suffixes[i % 5]);
        w->now_ms += 2000;
        ask(w, SUSPECT, text, i % 60 == 59);
    }
}

static void make_beacon(struct sek_drill_work *w)
{
    int64_t period_s = w->conf->beacon.period_min_s > 300 ? w->conf->beacon.period_min_s * 2 : 300;
    int64_t n = (int64_t)w->conf->beacon.samples;
    if (n * period_s < w->conf->beacon.span_s)
        n = w->conf->beacon.span_s / period_s + 1;
    for (int64_t i = 0; i < n * ENOUGH && goes_on(w); i++) {
        ask(w, SUSPECT, "updates.drill-beacon.com", true);
        w->now_ms += period_s * 1000 + (int64_t)((fraction(w) - 0.5) * (double)period_s * 200);
    }
}

static void make_tunnel(struct sek_drill_work *w)
{
    char label[64], text[128];
    const unsigned n = 50;
    for (uint64_t sent = 0; sent < w->conf->tunnel.minute * ENOUGH * 2 && goes_on(w); sent += n) {
        letters(w, label, n, "abcdefghijklmnopqrstuvwxyz234567");
        snprintf(text, sizeof text, "%s.t.drill-tunnel.com", label);
        ask(w, SUSPECT, text, true);
        w->now_ms += MINUTE_MS * n / (int64_t)(w->conf->tunnel.minute * ENOUGH + n);
    }
}

static void make_burst(struct sek_drill_work *w)
{
    char text[64];
    for (uint64_t i = 0; i < w->conf->nxburst.names * ENOUGH * 2 + 20 && goes_on(w); i++) {
        snprintf(text, sizeof text, "drill-garden-%u.com", (unsigned)(i * 7919 % 100003));
        w->now_ms += 1500;
        ask(w, SUSPECT, text, false);
    }
}

static void make_single(struct sek_drill_work *w)
{
    char label[32], text[64];
    for (unsigned i = 0; i < 50 && goes_on(w); i++) {
        letters(w, label, 20, "bcdfghjklmnpqrstvwxz");
        snprintf(text, sizeof text, "%s.com", label);
        w->now_ms += MINUTE_MS;
        ask(w, SUSPECT, text, true);
    }
}

static void make_new(struct sek_drill_work *w)
{
    ask(w, SUSPECT, "www.drill-new-domain.com", true);
}

static void make_flux(struct sek_drill_work *w)
{
    double enough = w->conf->fastflux.score / 1.32 + 10 * (double)w->conf->fastflux.asns;
    for (unsigned i = 0; i < enough && goes_on(w); i++) {
        ask_for(w, SUSPECT, "www.drill-flux.com", 6);
        w->now_ms += 2 * MINUTE_MS;
    }
}

/* It lives for some hours, then it does not exist any more. */
static void make_shortlived(struct sek_drill_work *w)
{
    uint64_t n = w->conf->shortlived.visits * ENOUGH;
    for (uint64_t i = 0; i < n && goes_on(w); i++) {
        ask_for(w, SUSPECT, "www.drill-mayfly.com", 2);
        w->now_ms += (int64_t)(240 * MINUTE_MS / n);
    }
    for (unsigned i = 0; i < 6 && goes_on(w); i++) {
        ask(w, SUSPECT, i % 2 ? "drill-mayfly.com" : "www.drill-mayfly.com", false);
        w->now_ms += 10 * MINUTE_MS;
    }
}

/* Counts reach their detectors when sums are taken, as every few seconds in the resolver. */
static void count(struct sek_drill_work *w)
{
    if (goes_on(w))
        w->err = sek_replay_flush(w->replay, &w->diag);
}

/* A usual day for as long as the detector wants to learn, two queries a minute; then a minute's
 * queries by the second. */
static void make_surge(struct sek_drill_work *w)
{
    double rate = w->conf->surge.floor * ENOUGH * 10;
    for (int64_t i = 0; i < w->conf->surge.learn_s / 30 * 3 / 2 && goes_on(w); i++) {
        ask(w, SUSPECT, i % 2 ? "www.popular-site-1.com" : "www.popular-site-2.com", true);
        w->now_ms += MINUTE_MS / 2;
        count(w);
    }
    w->from_ms = w->now_ms;
    for (double n = 0; n < rate * 30 && goes_on(w); n++) {
        ask(w, SUSPECT, "www.popular-site-3.com", true);
        if ((int64_t)(n + 1) % (int64_t)(rate / 6 + 1) == 0) {
            w->now_ms += MINUTE_MS / 6;
            count(w);
        }
    }
}

/* The same with a new domain now and then, then many. */
static void make_newrate(struct sek_drill_work *w)
{
    char text[64];
    for (int64_t i = 0; i < w->conf->newrate.learn_s / 600 * 2 && goes_on(w); i++) {
        snprintf(text, sizeof text, "www.drill-find-%u.com", (unsigned)(i / 12));
        ask(w, SUSPECT, i % 12 ? "www.popular-site-1.com" : text, true);
        w->now_ms += 10 * MINUTE_MS;
    }
    w->from_ms = w->now_ms;
    for (unsigned i = 0; i < w->conf->newrate.floor * ENOUGH * 2 && goes_on(w); i++) {
        snprintf(text, sizeof text, "www.drill-garden-%u.com", i);
        ask(w, SUSPECT, text, true);
        w->now_ms += MINUTE_MS * 30 / (int64_t)(w->conf->newrate.floor * ENOUGH * 2 + 1);
    }
}

static void make_bypass(struct sek_drill_work *w)
{
    for (uint64_t i = 0; i < w->conf->bypass.queries * ENOUGH && goes_on(w); i++) {
        ask(w, SUSPECT, "dns.google", true);
        w->now_ms += MINUTE_MS;
    }
}

/* Where it is: in the first network of the site's table; a table of name servers alone has none. */
static void make_sinkholed(struct sek_drill_work *w)
{
    struct sek_sinkholes *list;
    struct sek_net net;
    unsigned row = 1;
    w->err = sek_sinkholes_open(w->conf->sinkholed.list, &list, &w->diag);
    if (w->err != SEK_OK)
        return;
    while (row < sek_sinkholes_rows(list) &&
           sek_net_from_text(sek_sinkholes_what(list, row), &net, NULL) != SEK_OK)
        row++;
    bool is_net = sek_net_from_text(sek_sinkholes_what(list, row), &net, NULL) == SEK_OK;
    sek_sinkholes_close(list);
    if (is_net)
        ask_at(w, SUSPECT, "www.drill-taken-over.com", &net.addr, 1);
}

#define TRACKED "drill-tracked.com" /* where the site tracks none */

/* The first chosen name, as long as it takes to learn it; then it is somewhere else each time. */
static void make_moved(struct sek_drill_work *w)
{
    char text[SEK_NAME_TEXT_MAX + 4];
    const char *chosen = w->conf->udr.domains.n ? w->conf->udr.domains.items[0] : TRACKED;
    bool below = strncmp(chosen, "*.", 2) == 0;
    snprintf(text, sizeof text, "%s%s", below ? "www." : "", chosen + (below ? 2 : *chosen == '='));
    ask(w, SUSPECT, text, true);
    w->now_ms += w->conf->udr.learn_s * 1000 + MINUTE_MS;
    w->from_ms = w->now_ms;
    for (unsigned i = 0; i < ENOUGH && goes_on(w); i++) {
        ask(w, SUSPECT, text, true);
        w->now_ms += MINUTE_MS;
    }
}

const struct sek_drill sek_drills[] = {
    {"classifier", 0, SEK_TRIGGER_CLASSIFIER, "single names of random letters", make_single},
    {"nod", 0, SEK_TRIGGER_NOD, "a domain that nobody asked for before", make_new},
    {"dga", SEK_DETECTOR_DGA, 0, "machine-made names, nearly none of which exist", make_series},
    {"beacon", SEK_DETECTOR_BEACON, 0, "a new domain asked for by the clock, 10 % jitter",
     make_beacon},
    {"tunnel", SEK_DETECTOR_TUNNEL, 0, "names that carry data, all below one domain", make_tunnel},
    {"nxdomain-burst", SEK_DETECTOR_NXBURST, 0, "many plain names that do not exist", make_burst},
    {"fast-flux", SEK_DETECTOR_FASTFLUX, 0, "a new domain with other addresses in each answer",
     make_flux},
    {"short-lived", SEK_DETECTOR_SHORTLIVED, 0, "a new domain that is gone after some hours",
     make_shortlived},
    {"surge", SEK_DETECTOR_SURGE, 0, "far more queries than at any hour before", make_surge},
    {"new-domain-rate", SEK_DETECTOR_NEWRATE, 0, "far more new domains than in any hour before",
     make_newrate},
    {"resolver-bypass", SEK_DETECTOR_BYPASS, 0, "the name of a public resolver", make_bypass},
    {"unique-response", SEK_DETECTOR_UDR, 0, "a tracked name (udr.domains) that is somewhere else",
     make_moved},
    {"sinkholed", SEK_DETECTOR_SINKHOLED, 0, "a domain that leads to a sinkhole", make_sinkholed},
    {0},
};

/* --- the stage ---------------------------------------------------------------------------------
 */

static enum sek_err on_finding(void *arg, const struct sek_finding *f, struct sek_diag *diag)
{
    struct sek_drill_work *w = arg;
    (void)diag;
    if (f->detector != w->drill->finding || w->result->found)
        return SEK_OK;
    w->result->found = true;
    w->result->finding = *f;
    return SEK_OK;
}

static bool is_on(const struct sek_drill *drill, const struct sek_conf *conf)
{
    if (drill->finding)
        return sek_detector_mode(conf, drill->finding) != SEK_MODE_OFF;
    return drill->trigger == SEK_TRIGGER_NOD ? conf->nod.mode != SEK_NOD_OFF
                                             : conf->classify.mode != SEK_MODE_OFF;
}

static enum sek_err open_history(const struct sek_replay_site *site, struct sek_domains **out,
                                 struct sek_diag *diag)
{
    static const struct sek_hash_key key = {0x6472696c6c, 1};
    char path[SEK_CONF_PATH_MAX], aside[SEK_DOMAINS_ASIDE_MAX];
    struct sek_domains_conf conf = sek_domains_conf_from(site->conf, site->suffix, path);
    conf.path = NULL;
    conf.key = &key;
    return sek_domains_open(&conf, START_MS / 1000, out, aside, diag);
}

enum sek_err sek_drill_run(const struct sek_drill *drill, const struct sek_replay_site *site,
                           struct sek_drill_result *out, struct sek_diag *diag)
{
    struct sek_drill_work w = {
        .drill = drill, .conf = site->conf, .result = out, .now_ms = START_MS, .seed = 20260101};
    struct sek_conf conf = *site->conf; /* its texts and lists are shared */
    struct sek_replay_site own = *site;
    char *tracked[] = {TRACKED};
    *out = (struct sek_drill_result){.on = is_on(drill, site->conf)};
    if (!out->on)
        return SEK_OK;
    if (drill->trigger == SEK_TRIGGER_CLASSIFIER)
        conf.nod.mode = SEK_NOD_OFF; /* a new domain that is held is told as that, whatever it is */
    if (drill->finding == SEK_DETECTOR_UDR && conf.udr.domains.n == 0)
        conf.udr.domains = (struct sek_conf_names){1, tracked};
    own.conf = &conf;
    const struct sek_replay_hooks hooks = {.arg = &w, .finding = on_finding};
    enum sek_err err = open_history(site, &own.domains, diag);
    if (err == SEK_OK)
        err = sek_replay_new(&own, &hooks, &w.replay, diag);
    if (err == SEK_OK) {
        learn_popular(&w);
        drill->make(&w);
        err = w.err;
        if (err && diag)
            *diag = w.diag;
    }
    sek_replay_free(w.replay);
    sek_domains_close(own.domains);
    return err;
}
