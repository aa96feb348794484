/* SPDX-License-Identifier: BSD-3-Clause */
/* Would the detectors find what they are there for? `selftest`. */
#include "base/mode.h"
#include "tools/command.h"
#include "tools/views/geoopen.h"
#include "tools/views/judge.h"
#include "name/text.h"
#include "replay/drill.h"
#include "tools/print/talk.h"
#include "watch/detector.h"
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(selftest);

const struct sek_arg sek_cmd_selftest_args[] = {{0}};

enum { DETECTOR, MODE, RESULT, QUERIES, SPAN, DOMAIN, CONFIDENCE, TRAFFIC, EVIDENCE, N_COLS };
static const struct sek_col cols[N_COLS] = {
    [DETECTOR] = {"detector", "Detector", SEK_COL_TEXT, NULL, 0, SEK_COL_BOTH},
    [MODE] = {"mode", "Mode", SEK_COL_TEXT, NULL, 0, SEK_COL_BOTH},
    [RESULT] = {"result", "Result", SEK_COL_TEXT, NULL, 0, SEK_COL_BOTH},
    [QUERIES] = {"queries", "Queries", SEK_COL_UINT, NULL, 0, SEK_COL_BOTH},
    [SPAN] = {"span_s", "Within", SEK_COL_DURATION, NULL, 0, SEK_COL_BOTH},
    [DOMAIN] = {"domain", "Suspected", SEK_COL_NAME, NULL, 0, SEK_COL_MACHINE},
    [CONFIDENCE] = {"confidence", "Confidence", SEK_COL_REAL, NULL, 0, SEK_COL_BOTH},
    [TRAFFIC] = {"traffic", "Traffic", SEK_COL_TEXT, NULL, 0, SEK_COL_BOTH},
    [EVIDENCE] = {"evidence", "Evidence", SEK_COL_JSON, NULL, 0, SEK_COL_MACHINE},
};

static const char *mode_of(const struct sek_drill *drill, const struct sek_conf *conf)
{
    if (drill->finding)
        return sek_lookup_name(sek_mode_names, (int)sek_detector_mode(conf, drill->finding));
    return drill->trigger == SEK_TRIGGER_NOD ? sek_lookup_name(sek_nod_mode_names, conf->nod.mode)
                                             : sek_lookup_name(sek_mode_names, conf->classify.mode);
}

static void show(struct sek_out *o, const struct sek_drill *drill, const struct sek_conf *conf,
                 const struct sek_drill_result *r)
{
    char domain[SEK_NAME_TEXT_MAX];
    sek_out_text(o, DETECTOR, drill->detector);
    sek_out_text(o, MODE, mode_of(drill, conf));
    sek_out_text(o, RESULT, !r->on ? "off" : r->found ? "found" : "SILENT");
    sek_out_tint(o, RESULT, !r->on ? SEK_TINT_FAINT : r->found ? SEK_TINT_GOOD : SEK_TINT_BAD);
    sek_out_text(o, TRAFFIC, drill->traffic);
    if (r->on) {
        sek_out_uint(o, QUERIES, r->n_queries);
        sek_out_int(o, SPAN, r->span_s);
    }
    if (r->found && drill->finding) {
        sek_out_real(o, CONFIDENCE, (double)r->finding.confidence, 2);
        sek_out_text(o, EVIDENCE, r->finding.evidence);
        sek_name_to_text(r->finding.domain, domain);
        sek_out_text(o, DOMAIN, r->finding.domain_len ? domain : NULL);
    }
    sek_out_row(o);
}

/* Why it may be silent. */
static void hint(const struct sek_drill *drill, const struct sek_conf *conf,
                 const struct sek_judge *j)
{
    bool by_model = drill->trigger == SEK_TRIGGER_CLASSIFIER || drill->finding == SEK_DETECTOR_DGA;
    if (by_model && !j->classify)
        sek_talk("%s: there is no model", drill->detector);
    else if (conf->nod.mode > SEK_NOD_MONITOR)
        sek_talk("%s: nod.mode %s answers for new domains, so nobody learns whether they exist",
                 drill->detector, sek_lookup_name(sek_nod_mode_names, conf->nod.mode));
    else
        sek_talk(
            "%s: its threshold is out of reach, or a list, an exception or an exclusion covers "
            "the names of the test; see sekisho config",
            drill->detector);
}

enum sek_err sek_cmd_selftest(struct sek_context *c)
{
    const struct sek_conf *conf;
    struct sek_judge j = {0};
    unsigned n_silent = 0;
    enum sek_err e = sek_context_conf(c, &conf);
    if (!e)
        e = sek_judge_open(c, conf, &j);
    if (e)
        return e;
    struct sek_geo *geo = sek_geo_open(conf, c->now_s);
    const struct sek_replay_site site = {.conf = conf,
                                         .policy = j.policy,
                                         .classify = j.classify,
                                         .suffix = j.suffix,
                                         .never = j.never,
                                         .nod_exclude = j.nod_exclude,
                                         .geo = geo};
    sek_out_begin(c->out, "sekisho.selftest/1", cols, N_COLS, SEK_OUT_ROWS);
    for (const struct sek_drill *drill = sek_drills; drill->detector && !e; drill++) {
        struct sek_drill_result r;
        e = sek_drill_run(drill, &site, &r, &c->diag);
        if (!e)
            show(c->out, drill, conf, &r);
        if (!e && r.on && drill->finding == SEK_DETECTOR_UDR && conf->udr.domains.n == 0)
            sek_talk("%s: udr.domains is empty, so the resolver tracks no name", drill->detector);
        if (!e && r.on && !r.found) {
            n_silent++;
            hint(drill, conf, &j);
        }
    }
    enum sek_err written = sek_out_end(c->out, &c->diag);
    sek_geo_free(geo);
    sek_judge_close(&j);
    if (n_silent)
        c->exit = SEK_EXIT_ERROR;
    return e ? e : written;
}
