/* SPDX-License-Identifier: BSD-3-Clause */
#include "riskview.h"
#include "base/mode.h"
#include <inttypes.h>
#include <string.h>
#include "base/banned.h"

#define FINDINGS_NAMED 3
#define OTHERS_NAMED 4

enum {
    SCORE,
    STATE,
    ENDPOINT,
    MACHINE,
    LAST,
    REASON,
    ADDRESSES,
    POINTS,
    SINCE,
    MACHINE_NAME, /* and the three behind it: the order of tools/views/machines.h */
    N_COLS = MACHINE_NAME + 4
};
static const struct sek_col cols[] = {
    [SCORE] = {"risk", "Risk", SEK_COL_REAL},
    [STATE] = {"state", "State", SEK_COL_TEXT},
    [ENDPOINT] = {"endpoint", "Endpoint", SEK_COL_TEXT},
    [MACHINE] = SEK_MACHINE_COL,
    [LAST] = {"last", "Last evidence (UTC)", SEK_COL_TIME_MS},
    [REASON] = {"reason", "Why", SEK_COL_TEXT},
    [ADDRESSES] = {"addresses", "All its addresses", SEK_COL_TEXT, NULL, 0, SEK_COL_FILLED},
    [POINTS] = {"points", "Points", SEK_COL_REAL, NULL, 0, SEK_COL_MACHINE},
    [SINCE] = {"since", "Since", SEK_COL_TIME, NULL, 0, SEK_COL_MACHINE},
    [MACHINE_NAME] = SEK_MACHINE_NAME_COL,
    [MACHINE_NAME + 1] = SEK_MACHINE_MAC_COL,
    [MACHINE_NAME + 2] = SEK_MACHINE_OWNER_COL,
    [MACHINE_NAME + 3] = SEK_MACHINE_GROUP_COL,
};

void sek_risk_view_init(struct sek_risk_view *v, struct sek_context *c, const char *schema)
{
    *v = (struct sek_risk_view){.out = c->out, .conf = &c->conf};
    sek_machines_open(&v->machines, c);
    memcpy(v->cols, cols, sizeof cols);
    sek_machines_hide(&v->machines, &v->cols[MACHINE]);
    sek_out_begin(c->out, schema, v->cols, N_COLS, SEK_OUT_ROWS);
}

void sek_risk_view_fini(struct sek_risk_view *v)
{
    sek_machines_close(&v->machines);
}

static void tenancy(void *arg, const char *address, int64_t time_s, struct sek_span *out)
{
    sek_machines_at(arg, address, time_s, out);
}

static enum sek_err ties(void *arg, int64_t since_s, sek_tie_fn *fn, void *fn_arg,
                         struct sek_diag *diag)
{
    struct sek_machines *m = arg;
    return sek_machines_any(m) ? sek_inventory_ties(m->db, since_s, fn, fn_arg, diag) : SEK_OK;
}

void sek_risk_by_machine(struct sek_risk_view *v, struct sek_risk_query *q)
{
    if (!sek_machines_any(&v->machines))
        return;
    q->tenancy = tenancy;
    q->ties = ties;
    q->inventory = &v->machines;
}

/* --- words -------------------------------------------------------------------------------------
 */

static void add_findings(const struct sek_risk *risk, struct sek_buf *out)
{
    uint64_t n = 0, named = 0;
    for (unsigned i = 0; i < risk->n_reasons; i++)
        n += risk->reasons[i].part == SEK_RISK_FINDING ? risk->reasons[i].n : 0;
    if (n == 0)
        return;
    sek_buf_add_fmt(out, "%" PRIu64 " finding%s:", n, n == 1 ? "" : "s");
    for (unsigned i = 0; i < risk->n_reasons; i++) {
        const struct sek_risk_reason *r = &risk->reasons[i];
        if (r->part != SEK_RISK_FINDING || ++named > FINDINGS_NAMED)
            continue;
        sek_buf_add_fmt(out, "%s %s%s%s (%.2f)", named > 1 ? "," : "",
                        sek_lookup_name(sek_detector_names, r->detector), *r->domain ? " to " : "",
                        r->domain, r->confidence);
    }
    if (named > FINDINGS_NAMED)
        sek_buf_add_fmt(out, " and %" PRIu64 " more", named - FINDINGS_NAMED);
}

static void add_other(const struct sek_risk_reason *r, struct sek_buf *out)
{
    const char *s = r->n == 1 ? "" : "s";
    int alone = sek_lookup_id(sek_trigger_names, r->what); /* what decided, if no list did */
    const char *of = alone == SEK_TRIGGER_FINDING       ? "a "
                     : sek_trigger_decides_alone(alone) ? ""
                                                        : "list ";
    sek_buf_add_fmt(out, "%s%" PRIu64 " ", out->len ? "; " : "", r->n);
    switch (r->part) {
    case SEK_RISK_BLOCKED:
        sek_buf_add_fmt(out, "hit%s of %s%s%s", s, of, r->what,
                        alone == SEK_TRIGGER_FINDING ? "'s block" : "");
        break;
    case SEK_RISK_MONITORED:
        sek_buf_add_fmt(out, "recorded hit%s of %s%s", s, of, r->what);
        break;
    case SEK_RISK_DGA:
        sek_buf_add_fmt(out, "hit%s of names that look machine-made", s);
        break;
    case SEK_RISK_NOD:
        sek_buf_add_fmt(out, "hit%s of newly observed domains", s);
        break;
    default:
        sek_buf_add_fmt(out, "domain%s that nobody asked for before", s);
    }
}

void sek_risk_words(const struct sek_risk *risk, struct sek_buf *out)
{
    unsigned n = 0, left = 0;
    add_findings(risk, out);
    for (unsigned i = 0; i < risk->n_reasons; i++) {
        if (risk->reasons[i].part == SEK_RISK_FINDING)
            continue;
        if (n++ < OTHERS_NAMED)
            add_other(&risk->reasons[i], out);
        else
            left++;
    }
    if (left)
        sek_buf_add_fmt(out, "; %u more", left);
}

/* Of a machine with several. */
static void put_addresses(struct sek_risk_view *v, const struct sek_risk *risk)
{
    struct sek_buf text;
    if (risk->n_addresses < 2)
        return;
    sek_buf_init(&text, 0);
    for (unsigned i = 0; i < risk->n_addresses; i++)
        sek_buf_add_fmt(&text, "%s%s", i ? " " : "", risk->addresses[i].text);
    sek_out_text(v->out, ADDRESSES, text.data);
    sek_buf_fini(&text);
}

/* --- rows --------------------------------------------------------------------------------------
 */

static void put_state(struct sek_risk_view *v, double score)
{
    if (score >= (double)v->conf->risk.quarantine) {
        sek_out_text(v->out, STATE, "proposed quarantine");
        sek_out_tint(v->out, STATE, SEK_TINT_BAD);
    } else if (score >= (double)v->conf->risk.alert) {
        sek_out_text(v->out, STATE, "alert");
        sek_out_tint(v->out, STATE, SEK_TINT_WARN);
    }
}

bool sek_risk_view_row(struct sek_risk_view *v, const struct sek_risk *risk)
{
    struct sek_buf words;
    sek_buf_init(&words, 0);
    sek_risk_words(risk, &words);
    sek_out_real(v->out, SCORE, risk->score, 1);
    put_state(v, risk->score);
    sek_out_text(v->out, ENDPOINT, risk->endpoint);
    sek_out_int(v->out, LAST, risk->last_ms);
    sek_out_text(v->out, REASON, words.data);
    put_addresses(v, risk);
    sek_out_real(v->out, POINTS, risk->points, 1);
    if (risk->from_s > 0)
        sek_out_int(v->out, SINCE, risk->from_s);
    sek_machines_put(&v->machines, v->out, MACHINE, MACHINE_NAME, risk->endpoint,
                     risk->last_ms / 1000);
    sek_buf_fini(&words);
    return sek_out_row(v->out);
}

bool sek_risk_view_idle(struct sek_risk_view *v, const struct sek_span *span)
{
    char address[SEK_ADDR_TEXT_MAX];
    sek_out_real(v->out, SCORE, 0, 1);
    sek_out_text(v->out, ENDPOINT, sek_addr_to_text(&span->addr, address));
    sek_out_real(v->out, POINTS, 0, 1);
    if (span->from_s > 0)
        sek_out_int(v->out, SINCE, span->from_s);
    sek_machine_put(v->out, MACHINE, MACHINE_NAME, &span->machine);
    return sek_out_row(v->out);
}
