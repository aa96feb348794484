/* SPDX-License-Identifier: BSD-3-Clause */
/* THE sheets of a report: one function each, in the order in which they are read. */
#include "base/duration.h"
#include "bulletin/paper_parts.h"
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

#define TEXT SEK_SHEET_TEXT
#define NAME SEK_SHEET_NAME
#define WORD SEK_SHEET_WORD
#define COUNT SEK_SHEET_COUNT
#define SHARE SEK_SHEET_SHARE
#define TIME SEK_SHEET_TIME
#define FLAG SEK_SHEET_FLAG

static void col(struct sek_paper *p, struct sek_sheet *s, const char *key, enum sek_sheet_kind kind)
{
    sek__paper_col(p, s, key, kind, SEK_SHEET_BOTH);
}

/* What policy.db tells: that it cannot be read is not that there is nothing. */
static struct sek_sheet *policy_sheet(struct sek_paper *p, const char *key)
{
    struct sek_sheet *s = sek__paper_sheet(p, key);
    if (p->b->policy_closed)
        s->none = sek_lang_text(p->lang, "unknown");
    return s;
}

static void steps(struct sek_paper *p)
{
    const struct sek_bulletin *b = p->b;
    struct sek_sheet *s = sek__paper_sheet(p, "hits_over_time");
    s->is_chart = true;
    col(p, s, "from", SEK_SHEET_STEP);
    col(p, s, "hits", COUNT);
    col(p, s, "blocked", COUNT);
    col(p, s, "monitored", COUNT);
    col(p, s, "hits_before", COUNT);
    col(p, s, "queries", COUNT);
    for (size_t i = 0; i < b->n_steps; i++) {
        sek__paper_time(s, b->steps[i].from_s);
        sek__paper_count(s, b->steps[i].hits);
        sek__paper_count(s, b->steps[i].blocked);
        sek__paper_count(s, b->steps[i].monitored);
        sek__paper_count_if(s, b->has_before, b->steps_before[i]);
        sek__paper_count(s, b->steps[i].queries);
    }
}

static void endpoints(struct sek_paper *p)
{
    const struct sek_bulletin *b = p->b;
    struct sek_sheet *s = sek__paper_sheet(p, "endpoints");
    col(p, s, "endpoint", TEXT);
    col(p, s, "machine", TEXT);
    col(p, s, "hits", COUNT);
    col(p, s, "blocked", COUNT);
    col(p, s, "domains", COUNT);
    col(p, s, "last", TIME);
    s->bar = 2;
    s->bar_blocked = 3;
    for (unsigned i = 0; i < b->n_endpoints; i++) {
        const struct sek_bulletin_top *t = &b->endpoints[i];
        sek__paper_text(p, s, t->key);
        sek__paper_text(p, s, t->label);
        sek__paper_count(s, t->hits);
        sek__paper_count(s, t->blocked);
        sek__paper_count(s, t->n_partners);
        sek__paper_time(s, t->last_ms / 1000);
    }
}

static void lists(struct sek_paper *p)
{
    const struct sek_bulletin *b = p->b;
    struct sek_sheet *s = sek__paper_sheet(p, "lists");
    col(p, s, "decider", WORD);
    col(p, s, "hits", COUNT);
    col(p, s, "hits_before", COUNT);
    col(p, s, "blocked", COUNT);
    col(p, s, "monitored", COUNT);
    col(p, s, "endpoints", COUNT);
    s->bar = 1;
    s->bar_blocked = 3;
    for (unsigned i = 0; i < b->n_deciders; i++) {
        const struct sek_bulletin_top *t = &b->deciders[i];
        sek__paper_text(p, s, t->key);
        sek__paper_count(s, t->hits);
        sek__paper_count_if(s, b->has_before, t->before);
        sek__paper_count(s, t->blocked);
        sek__paper_count(s, t->monitored);
        sek__paper_count(s, t->n_partners);
    }
}

static void domains(struct sek_paper *p)
{
    const struct sek_bulletin *b = p->b;
    struct sek_sheet *s = sek__paper_sheet(p, "domains");
    col(p, s, "domain", NAME);
    col(p, s, "hits", COUNT);
    col(p, s, "blocked", COUNT);
    col(p, s, "endpoints", COUNT);
    col(p, s, "last", TIME);
    col(p, s, "triage", WORD);
    col(p, s, "triage_by", TEXT);
    s->bar = 1;
    s->bar_blocked = 2;
    for (unsigned i = 0; i < b->n_domains; i++) {
        const struct sek_bulletin_top *t = &b->domains[i];
        sek__paper_text(p, s, t->key);
        sek__paper_count(s, t->hits);
        sek__paper_count(s, t->blocked);
        sek__paper_count(s, t->n_partners);
        sek__paper_time(s, t->last_ms / 1000);
        sek__paper_text(p, s,
                        b->policy_closed ? "" : sek_lookup_name(sek_triage_names, (int)t->triage));
        sek__paper_text(p, s, t->who);
    }
}

static void detectors(struct sek_paper *p)
{
    struct sek_sheet *s = sek__paper_sheet(p, "detectors");
    col(p, s, "detector", WORD);
    col(p, s, "mode", WORD);
    col(p, s, "findings", COUNT);
    col(p, s, "findings_before", COUNT);
    col(p, s, "with_block", COUNT);
    s->bar = 2;
    s->bar_blocked = 4;
    for (int id = 1; id < SEK_BULLETIN_N_DETECTORS; id++) {
        const struct sek_bulletin_detector *d = &p->b->detectors[id];
        if (d->n == 0 && d->n_before == 0 && d->mode == SEK_MODE_OFF)
            continue; /* among the blind spots */
        sek__paper_text(p, s, sek_lookup_name(sek_detector_names, id));
        sek__paper_text(p, s, sek_lookup_name(sek_mode_names, (int)d->mode));
        sek__paper_count(s, d->n);
        sek__paper_count_if(s, p->b->has_before, d->n_before);
        sek__paper_count(s, d->n_blocked);
    }
}

static void findings(struct sek_paper *p)
{
    const struct sek_bulletin *b = p->b;
    struct sek_sheet *s = sek__paper_sheet(p, "findings");
    col(p, s, "id", COUNT);
    col(p, s, "last", TIME);
    col(p, s, "detector", WORD);
    col(p, s, "endpoint", TEXT);
    col(p, s, "machine", TEXT);
    col(p, s, "domain", NAME);
    col(p, s, "confidence", SHARE);
    col(p, s, "with_block", FLAG);
    col(p, s, "dismissed", FLAG);
    for (unsigned i = 0; i < b->n_findings; i++) {
        const struct sek_bulletin_finding *f = &b->findings[i];
        sek__paper_count(s, (uint64_t)f->id);
        sek__paper_time(s, f->last_ms / 1000);
        sek__paper_text(p, s, sek_lookup_name(sek_detector_names, (int)f->detector));
        sek__paper_text(p, s, f->endpoint);
        sek__paper_text(p, s, f->label);
        sek__paper_text(p, s, f->domain);
        sek__paper_real(s, f->confidence);
        sek__paper_flag(s, f->blocked);
        sek__paper_flag(s, f->dismissed);
    }
}

static void new_domains(struct sek_paper *p)
{
    const struct sek_bulletin *b = p->b;
    struct sek_sheet *s = sek__paper_sheet(p, "new_domains");
    col(p, s, "domain", NAME);
    col(p, s, "first", TIME);
    col(p, s, "endpoint", TEXT);
    col(p, s, "queries", COUNT);
    for (unsigned i = 0; i < b->n_new; i++) {
        sek__paper_text(p, s, b->news[i].domain);
        sek__paper_time(s, b->news[i].first_ms / 1000);
        sek__paper_text(p, s, b->news[i].endpoint);
        sek__paper_count(s, b->news[i].queries);
    }
}

static void judged_row(struct sek_paper *p, struct sek_sheet *s, const char *key, uint64_t n_judged,
                       uint64_t n_false)
{
    if (n_judged == 0)
        return;
    sek__paper_text(p, s, key);
    sek__paper_count(s, n_judged);
    sek__paper_count(s, n_false);
    sek__paper_share(s, n_false, n_judged);
}

/* Of detectors their findings, of lists their hits. */
static void false_alarms(struct sek_paper *p)
{
    struct sek_sheet *s = policy_sheet(p, "false_alarms");
    col(p, s, "decider", WORD);
    col(p, s, "judged", COUNT);
    col(p, s, "false_alarms", COUNT);
    col(p, s, "rate", SHARE);
    for (int id = 1; id < SEK_BULLETIN_N_DETECTORS; id++)
        judged_row(p, s, sek_lookup_name(sek_detector_names, id), p->b->detectors[id].n_judged,
                   p->b->detectors[id].n_false);
    for (unsigned i = 0; i < p->b->n_judged; i++)
        judged_row(p, s, p->b->judged[i].key, p->b->judged[i].n_judged, p->b->judged[i].n_false);
}

static void triage(struct sek_paper *p)
{
    struct sek_sheet *s = policy_sheet(p, "triage");
    col(p, s, "triage", WORD);
    col(p, s, "cases", COUNT);
    for (int state = SEK_TRIAGE_IN_PROGRESS; state <= SEK_TRIAGE_CLOSED; state++) {
        if (p->b->triage[state] == 0)
            continue;
        sek__paper_text(p, s, sek_lookup_name(sek_triage_names, state));
        sek__paper_count(s, p->b->triage[state]);
    }
}

static void exceptions(struct sek_paper *p)
{
    const struct sek_bulletin *b = p->b;
    struct sek_sheet *s = policy_sheet(p, "exceptions");
    col(p, s, "state", WORD);
    col(p, s, "count", COUNT);
    col(p, s, "oldest", TIME);
    for (unsigned i = 0; i < b->n_exceptions; i++) {
        sek__paper_text(p, s, b->exceptions[i].state);
        sek__paper_count(s, b->exceptions[i].n);
        sek__paper_time(s, b->exceptions[i].oldest_s);
    }
}

static void change_counts(struct sek_paper *p)
{
    struct sek_sheet *s = policy_sheet(p, "change_counts");
    col(p, s, "verb", TEXT);
    col(p, s, "count", COUNT);
    for (unsigned i = 0; i < p->b->n_verbs; i++) {
        sek__paper_text(p, s, p->b->verbs[i].verb);
        sek__paper_count(s, p->b->verbs[i].n);
    }
}

static void changes(struct sek_paper *p)
{
    struct sek_sheet *s = policy_sheet(p, "changes");
    col(p, s, "number", COUNT);
    col(p, s, "time", TIME);
    col(p, s, "user", TEXT);
    col(p, s, "verb", TEXT);
    col(p, s, "object", TEXT);
    col(p, s, "reason", TEXT);
    for (unsigned i = 0; i < p->b->n_changes_kept; i++) {
        const struct sek_bulletin_change *c = &p->b->changes[i];
        sek__paper_count(s, (uint64_t)c->number);
        sek__paper_time(s, c->time_ms / 1000);
        sek__paper_text(p, s, c->user);
        sek__paper_text(p, s, c->verb);
        sek__paper_text(p, s, c->object);
        sek__paper_text(p, s, c->reason);
    }
}

/* --- blind spots -------------------------------------------------------------------------------
 */

static const struct sek_lookup blind_names[] = {
    {SEK_BLIND_EMERGENCY, "emergency"},
    {SEK_BLIND_DOWN, "resolver-down"},
    {SEK_BLIND_DROPPED, "events-lost"},
    {SEK_BLIND_UNOBSERVED, "not-observed"},
    {SEK_BLIND_LEAKED, "leaked"},
    {SEK_BLIND_POLICY, "policy-not-readable"},
    {SEK_BLIND_BEGINS, "records-begin"},
    {SEK_BLIND_EMPTY, "no-queries"},
    {SEK_BLIND_GAP, "gap"},
    {SEK_BLIND_GAPS, "gaps"},
    {SEK_BLIND_FEED_EXPIRED, "feed-expired"},
    {SEK_BLIND_FEED_FAILING, "feed-failing"},
    {SEK_BLIND_DETECTOR_OFF, "detector-off"},
    {SEK_BLIND_DETECTOR_MONITOR, "detector-monitor"},
    {SEK_BLIND_LIST_OFF, "list-off"},
    {SEK_BLIND_LIST_MONITOR, "list-monitor"},
    {0, NULL},
};

/* Names of detectors in the language. */
static void say_detectors(const struct sek_paper *p, const char *names, struct sek_buf *out)
{
    while (*names) {
        char key[48];
        size_t n = strcspn(names, " ");
        snprintf(key, sizeof key, "word.%.*s", (int)n, names);
        sek_buf_add_text(out, out->len ? sek_lang_text(p->lang, "comma") : "");
        sek_buf_add_text(out, sek_lang_text(p->lang, key));
        names += n + (names[n] == ' ');
    }
}

static void say_blind(const struct sek_paper *p, const struct sek_bulletin_blind *spot,
                      struct sek_buf *out)
{
    char key[48], number[SEK_LANG_NUMBER_MAX], span[32];
    struct sek_buf from, until, what;
    sek_buf_init(&from, 0);
    sek_buf_init(&until, 0);
    sek_buf_init(&what, 0);
    if (spot->from_s)
        sek_lang_time(p->lang, &from, "time", spot->from_s);
    else
        sek_buf_add_text(&from, sek_lang_text(p->lang, "never"));
    sek_lang_time(p->lang, &until, "time", spot->until_s);
    if (spot->kind == SEK_BLIND_DETECTOR_OFF || spot->kind == SEK_BLIND_DETECTOR_MONITOR)
        say_detectors(p, spot->what, &what);
    else
        sek_buf_add_text(&what, spot->what);
    snprintf(key, sizeof key, "blind.%s", sek_lookup_name(blind_names, (int)spot->kind));
    int64_t span_s = spot->kind == SEK_BLIND_GAPS ? spot->until_s : spot->until_s - spot->from_s;
    SEK_SAY(p->lang, out, key, {"what", what.data ? what.data : ""},
            {"n", sek_lang_number(p->lang, spot->n, number)}, {"from", from.data ? from.data : ""},
            {"until", until.data ? until.data : ""},
            {"span", sek_duration_to_text(span_s, span, sizeof span)});
    sek_buf_fini(&from);
    sek_buf_fini(&until);
    sek_buf_fini(&what);
}

static void blind_spots(struct sek_paper *p)
{
    struct sek_sheet *s = sek__paper_sheet(p, "blind_spots");
    struct sek_buf text;
    sek__paper_col(p, s, "weight", WORD, SEK_SHEET_BOTH);
    sek__paper_col(p, s, "kind", TEXT, SEK_SHEET_MACHINE);
    sek__paper_col(p, s, "what", TEXT, SEK_SHEET_MACHINE);
    sek__paper_col(p, s, "count", COUNT, SEK_SHEET_MACHINE);
    sek__paper_col(p, s, "from", TIME, SEK_SHEET_MACHINE);
    sek__paper_col(p, s, "until", TIME, SEK_SHEET_MACHINE);
    sek__paper_col(p, s, "text", TEXT, SEK_SHEET_PEOPLE);
    sek_buf_init(&text, 0);
    for (unsigned i = 0; i < p->b->n_blind; i++) {
        const struct sek_bulletin_blind *spot = &p->b->blind[i];
        sek_buf_reset(&text);
        say_blind(p, spot, &text);
        sek__paper_text(p, s, spot->serious ? "trouble" : "setting");
        sek__paper_text(p, s, sek_lookup_name(blind_names, (int)spot->kind));
        sek__paper_text(p, s, spot->what);
        sek__paper_count(s, spot->n);
        sek__paper_time(s, spot->from_s);
        sek__paper_time(s, spot->kind == SEK_BLIND_GAPS ? 0 : spot->until_s);
        sek__paper_text(p, s, text.data ? text.data : "");
    }
    sek_buf_fini(&text);
}

void sek__paper_sheets(struct sek_paper *p)
{
    bool soc = p->audience == SEK_FOR_SOC;
    steps(p);
    if (soc)
        endpoints(p);
    lists(p);
    if (soc)
        domains(p);
    detectors(p);
    if (soc) {
        findings(p);
        new_domains(p);
    }
    false_alarms(p);
    triage(p);
    exceptions(p);
    change_counts(p);
    if (soc)
        changes(p);
    blind_spots(p);
}
