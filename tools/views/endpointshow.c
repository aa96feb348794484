/* SPDX-License-Identifier: BSD-3-Clause */
#include "endpointshow.h"
#include "endpointmore.h"
#include "hitview.h"
#include "incidentid.h"
#include "name/qtype.h"
#include "tools/command.h"
#include "riskview.h"
#include "store/report_domains.h"
#include <string.h>
#include "base/banned.h"

#define LATEST 10        /* findings, hits and domains that are shown */
#define SPANS_MAX 1000   /* of the history that are shown */
#define ADDRESSES_MAX 64 /* of one machine that are looked at */

struct show {
    struct sek_context *c;
    const char *what;
    struct sek_report *events;
    struct sek_policydb *db; /* NULL: policy cannot be read */
    struct sek_risk_view view;
    struct sek_buf selector; /* an address, or the machine's spans */
    struct sek_buf spans;    /* struct sek_span, the history; empty when there is none */
    struct sek_buf risks;    /* parts of the risk, kept for their own table */
    char addresses[ADDRESSES_MAX][SEK_ADDR_TEXT_MAX];
    const char *endpoints[ADDRESSES_MAX + 1]; /* the same, for the query; and `what` */
    struct sek_addr now[ADDRESSES_MAX];       /* those that it has now */
    unsigned n_addresses, n_now;
    struct sek_risk_query query;
    struct sek_risk_evidence *evidence;
    bool by_address; /* `what` is an address, or stands for one: */
    struct sek_addr addr;
};

static const struct sek_span *span_at(const struct show *s, size_t i)
{
    return (const struct sek_span *)(const void *)s->spans.data + i;
}

static size_t count_spans(const struct show *s)
{
    return s->spans.len / sizeof(struct sek_span);
}

/* --- what is looked at -------------------------------------------------------------------------
 */

static void add_address(struct show *s, const char *address)
{
    for (unsigned i = 0; i < s->n_addresses; i++)
        if (strcmp(s->addresses[i], address) == 0)
            return;
    if (s->n_addresses < ADDRESSES_MAX)
        snprintf(s->addresses[s->n_addresses++], SEK_ADDR_TEXT_MAX, "%s", address);
}

static bool keep_span(void *arg, const struct sek_span *span)
{
    struct show *s = arg;
    char address[SEK_ADDR_TEXT_MAX];
    sek_buf_add(&s->spans, span, sizeof *span);
    add_address(s, sek_addr_to_text(&span->addr, address));
    return !s->spans.failed;
}

static enum sek_err look(struct show *s)
{
    struct sek_context *c = s->c;
    struct sek_diag why = {0};
    enum sek_err e = sek_machines_selector(c, c->command->words, s->what, &s->selector);
    if (e)
        return e;
    s->by_address = sek_addr_from_text(s->selector.data, &s->addr, NULL) == SEK_OK;
    if (s->by_address)
        add_address(s, s->selector.data);
    if (s->view.machines.db)
        e = sek_inventory_find(s->view.machines.db, s->by_address ? s->selector.data : s->what,
                               c->now_s, SPANS_MAX, keep_span, s, &why);
    if (e == SEK_E_NOTFOUND)
        e = SEK_OK;
    return e ? sek_diag_set(&c->diag, e, "%s", why.text) : SEK_OK;
}

/* --- risk --------------------------------------------------------------------------------------
 */

enum { P_ENDPOINT, P_PART, P_WHAT, P_DOMAIN, P_N, P_CONFIDENCE, P_POINTS, P_LAST, P_COLS };
static const struct sek_col part_cols[] = {
    [P_ENDPOINT] = {"endpoint", "Risk of", SEK_COL_TEXT},
    [P_PART] = {"part", "Part", SEK_COL_TEXT},
    [P_WHAT] = {"what", "By", SEK_COL_TEXT},
    [P_DOMAIN] = {"domain", "Domain", SEK_COL_NAME, NULL, 0, SEK_COL_FILLED},
    [P_N] = {"n", "Number", SEK_COL_UINT},
    [P_CONFIDENCE] = {"confidence", "Confidence", SEK_COL_REAL, NULL, 0, SEK_COL_FILLED},
    [P_POINTS] = {"points", "Points", SEK_COL_REAL},
    [P_LAST] = {"last", "Last (UTC)", SEK_COL_TIME_MS},
};

/* A reason, with copies of its texts. */
struct part {
    struct sek_risk_reason reason;
    char endpoint[SEK_ADDR_TEXT_MAX], what[SEK_LIST_NAME_MAX], domain[SEK_NAME_TEXT_MAX];
};

/* Whether a tenancy is the machine's. */
static bool is_own(const struct show *s, const struct sek_risk_address *a)
{
    struct sek_addr addr;
    if (sek_addr_from_text(a->text, &addr, NULL))
        return false;
    for (size_t i = 0; i < count_spans(s); i++)
        if (sek_addr_equal(&addr, &span_at(s, i)->addr) && a->from_s < span_at(s, i)->until_s &&
            span_at(s, i)->from_s < a->until_s)
            return true;
    return false;
}

/* Of an address all that had it are wanted. */
static bool is_wanted(const struct show *s, const struct sek_risk *risk)
{
    bool wanted = s->by_address;
    for (unsigned i = 0; i < risk->n_addresses && !wanted; i++)
        wanted = is_own(s, &risk->addresses[i]);
    return wanted;
}

static bool one_risk(void *arg, const struct sek_risk *risk)
{
    struct show *s = arg;
    if (!is_wanted(s, risk))
        return true;
    for (unsigned i = 0; i < risk->n_reasons; i++) {
        struct part p = {.reason = risk->reasons[i]};
        snprintf(p.endpoint, sizeof p.endpoint, "%s", risk->endpoint);
        snprintf(p.what, sizeof p.what, "%s", p.reason.what);
        snprintf(p.domain, sizeof p.domain, "%s", p.reason.domain);
        sek_buf_add(&s->risks, &p, sizeof p);
    }
    return sek_risk_view_row(&s->view, risk);
}

static enum sek_err put_risks(struct show *s)
{
    struct sek_context *c = s->c;
    s->query = (struct sek_risk_query){.now_s = c->now_s,
                                       .half_life_s = c->conf.risk.half_life_s,
                                       .endpoints = s->endpoints,
                                       .n_endpoints = s->n_addresses};
    for (unsigned i = 0; i < s->n_addresses; i++)
        s->endpoints[i] = s->addresses[i];
    sek_risk_by_machine(&s->view, &s->query);
    enum sek_err e = SEK_OK;
    if (s->events && s->n_addresses)
        e = sek_risk_evidence_read(s->events, &s->query, sek_endpoint_days_begin(c->now_s),
                                   &s->evidence, &c->diag);
    if (s->evidence)
        e = sek_risk_evidence_rank(s->evidence, one_risk, s, &c->diag);
    if (e || s->risks.len)
        return e;
    for (size_t i = 0; i < count_spans(s); i++) /* who has it now, without evidence */
        if (span_at(s, i)->from_s <= c->now_s && c->now_s < span_at(s, i)->until_s)
            sek_risk_view_idle(&s->view, span_at(s, i));
    return SEK_OK;
}

static void put_parts(struct show *s)
{
    struct sek_out *o = s->c->out;
    sek_out_part(o, "parts", part_cols, P_COLS, SEK_OUT_ROWS);
    for (size_t i = 0; i < s->risks.len / sizeof(struct part); i++) {
        const struct part *p = (const struct part *)(const void *)s->risks.data + i;
        sek_out_text(o, P_ENDPOINT, p->endpoint);
        sek_out_text(o, P_PART, sek_lookup_name(sek_risk_part_names, (int)p->reason.part));
        if (p->reason.part == SEK_RISK_FINDING) {
            sek_out_text(o, P_WHAT, sek_lookup_name(sek_detector_names, p->reason.detector));
            sek_out_real(o, P_CONFIDENCE, p->reason.confidence, 2);
        } else if (*p->what) {
            sek_out_text(o, P_WHAT, p->what);
        }
        if (*p->domain)
            sek_out_text(o, P_DOMAIN, p->domain);
        sek_out_uint(o, P_N, p->reason.n);
        sek_out_real(o, P_POINTS, p->reason.points, 1);
        sek_out_int(o, P_LAST, p->reason.last_ms);
        sek_out_row(o);
    }
}

/* --- the inventory -----------------------------------------------------------------------------
 */

enum { S_ADDRESS, S_FROM, S_UNTIL, S_NAME, S_MAC, S_OWNER, S_GROUP, S_COLS };
static const struct sek_col span_cols[] = {
    [S_ADDRESS] = {"endpoint", "Address", SEK_COL_TEXT},
    [S_FROM] = {"from", "From (UTC)", SEK_COL_TIME, "ever"},
    [S_UNTIL] = {"until", "Until (UTC)", SEK_COL_TIME, "open"},
    [S_NAME] = {"endpoint_name", "Name", SEK_COL_TEXT},
    [S_MAC] = {"endpoint_mac", "MAC", SEK_COL_TEXT},
    [S_OWNER] = {"endpoint_owner", "Owner", SEK_COL_TEXT},
    [S_GROUP] = {"endpoint_group", "Group", SEK_COL_TEXT},
};

static void put_text(struct sek_out *o, unsigned col, const char *text)
{
    if (*text)
        sek_out_text(o, col, text);
}

static void put_history(struct show *s)
{
    struct sek_out *o = s->c->out;
    char address[SEK_ADDR_TEXT_MAX];
    sek_out_part(o, "history", span_cols, S_COLS, SEK_OUT_ROWS);
    for (size_t i = 0; i < count_spans(s); i++) {
        const struct sek_span *span = span_at(s, i);
        sek_out_text(o, S_ADDRESS, sek_addr_to_text(&span->addr, address));
        if (span->from_s > 0)
            sek_out_int(o, S_FROM, span->from_s);
        if (span->until_s != SEK_LEASE_OPEN_S)
            sek_out_int(o, S_UNTIL, span->until_s);
        put_text(o, S_NAME, span->machine.name);
        put_text(o, S_MAC, span->machine.mac);
        put_text(o, S_OWNER, span->machine.owner);
        put_text(o, S_GROUP, span->machine.group);
        sek_out_row(o);
    }
}

/* --- events ------------------------------------------------------------------------------------
 */

enum { F_LAST, F_ENDPOINT, F_DETECTOR, F_DOMAIN, F_CONFIDENCE, F_ID, F_COLS };
static const struct sek_col finding_cols[] = {
    [F_LAST] = {"last", "Latest findings (UTC)", SEK_COL_TIME_MS},
    [F_ENDPOINT] = {"endpoint", "Endpoint", SEK_COL_TEXT},
    [F_DETECTOR] = {"detector", "Detector", SEK_COL_TEXT},
    [F_DOMAIN] = {"domain", "Suspected", SEK_COL_NAME},
    [F_CONFIDENCE] = {"confidence", "Confidence", SEK_COL_REAL},
    [F_ID] = {"id", "Id", SEK_COL_UINT},
};

static bool one_finding(void *arg, const struct sek_finding_row *f)
{
    struct sek_out *o = ((struct show *)arg)->c->out;
    sek_out_int(o, F_LAST, f->end_ms);
    sek_out_text(o, F_ENDPOINT, f->endpoint);
    sek_out_text(o, F_DETECTOR, sek_lookup_name(sek_detector_names, f->detector));
    put_text(o, F_DOMAIN, f->domain);
    sek_out_real(o, F_CONFIDENCE, f->confidence, 2);
    sek_out_uint(o, F_ID, (uint64_t)f->id);
    return sek_out_row(o);
}

enum { D_FIRST, D_DOMAIN, D_NAME, D_TYPE, D_COLS };
static const struct sek_col domain_cols[] = {
    [D_FIRST] = {"first", "Domains first asked for by it (UTC)", SEK_COL_TIME_MS},
    [D_DOMAIN] = {"domain", "Domain", SEK_COL_NAME},
    [D_NAME] = {"name", "First name", SEK_COL_NAME},
    [D_TYPE] = {"type", "Type", SEK_COL_TEXT},
};

static bool one_domain(void *arg, const struct sek_first_asked *f)
{
    struct sek_out *o = ((struct show *)arg)->c->out;
    char type[16];
    sek_out_int(o, D_FIRST, f->first_ms);
    sek_out_text(o, D_DOMAIN, f->domain);
    sek_out_text(o, D_NAME, f->name);
    sek_out_text(o, D_TYPE, sek_qtype_to_text(f->qtype, type, sizeof type));
    return sek_out_row(o);
}

/* Of an address all, of a machine those of its spans, the newest first. */
static enum sek_err put_domains(struct show *s)
{
    struct sek_context *c = s->c;
    sek_out_part(c->out, "domains", domain_cols, D_COLS, SEK_OUT_ROWS);
    if (s->by_address)
        return sek_report_first_asked(s->events, s->selector.data, 0, 0, LATEST, one_domain, s,
                                      &c->diag);
    enum sek_err e = SEK_OK;
    for (size_t i = 0; !e && i < count_spans(s) && i < LATEST; i++) {
        char address[SEK_ADDR_TEXT_MAX];
        sek_addr_to_text(&span_at(s, i)->addr, address);
        e = sek_report_first_asked(s->events, address, span_at(s, i)->from_s,
                                   span_at(s, i)->until_s, LATEST, one_domain, s, &c->diag);
    }
    return e;
}

static enum sek_err put_events(struct show *s)
{
    struct sek_context *c = s->c;
    const struct sek_finding_filter findings = {.endpoint = s->selector.data, .limit = LATEST};
    const struct sek_hit_filter hits = {.endpoint = s->selector.data, .limit = LATEST};
    sek_out_part(c->out, "findings", finding_cols, F_COLS, SEK_OUT_ROWS);
    enum sek_err e = sek_report_findings(s->events, &findings, one_finding, s, &c->diag);
    if (e)
        return e;
    sek_hit_latest_part(c->out);
    e = sek_report_hits(s->events, &hits, sek_hit_latest_row, c->out, &c->diag);
    return e ? e : put_domains(s);
}

/* --- all of it ---------------------------------------------------------------------------------
 */

/* Of a machine those that it has now; what is told by an address is told of that. */
static void find_now(struct show *s)
{
    if (s->by_address)
        s->now[s->n_now++] = s->addr;
    for (size_t i = 0; !s->by_address && i < count_spans(s) && s->n_now < ADDRESSES_MAX; i++)
        if (span_at(s, i)->from_s <= s->c->now_s && s->c->now_s < span_at(s, i)->until_s)
            s->now[s->n_now++] = span_at(s, i)->addr;
}

/* All addresses that are looked at. Returns how many. */
static unsigned find_past(const struct show *s, struct sek_addr out[ADDRESSES_MAX])
{
    unsigned n = 0;
    for (unsigned i = 0; i < s->n_addresses; i++)
        n += sek_addr_from_text(s->addresses[i], &out[n], NULL) == SEK_OK;
    return n;
}

/* What happened, then what policy says; of people's part the most recent comes first. */
static enum sek_err put_more(struct show *s)
{
    struct sek_addr past[ADDRESSES_MAX];
    find_now(s);
    const struct sek_endpoint_more m = {.c = s->c,
                                        .events = s->events,
                                        .db = s->db,
                                        .selector = s->selector.data,
                                        .addrs = s->now,
                                        .n_addrs = s->n_now,
                                        .past = past,
                                        .n_past = find_past(s, past)};
    enum sek_err e = SEK_OK;
    if (s->events && s->risks.len)
        e = sek_endpoint_put_days(&m, s->evidence);
    put_history(s);
    if (s->events && !e)
        e = sek_endpoint_put_sums(&m);
    if (s->events && !e)
        e = sek_endpoint_put_series(&m);
    if (s->events && !e)
        e = put_events(s);
    if (s->events && !e)
        e = sek_endpoint_put_sinkholed(&m);
    if (!e)
        e = sek_endpoint_put_policy(&m);
    s->endpoints[s->n_addresses] = s->what; /* incidents may name the machine */
    return e ? e
             : sek_incident_put_about(s->c, m.db, SEK_INCIDENT_ENDPOINT, s->endpoints,
                                      s->n_addresses + 1);
}

static enum sek_err put_all(struct show *s)
{
    struct sek_context *c = s->c;
    enum sek_err e = look(s);
    if (e)
        return e;
    e = put_risks(s);
    if (e)
        return e;
    put_parts(s);
    e = put_more(s);
    uint64_t n = sek_out_n_rows(c->out);
    if (!e)
        e = sek_out_end(c->out, &c->diag);
    return !e && n == 0 ? sek_context_none(c, "nothing is known of %.100s", s->what) : e;
}

enum sek_err sek_endpoint_show(struct sek_context *c, const char *what)
{
    struct show s = {.c = c, .what = what};
    enum sek_err e = sek_hit_report_open(c, &s.events);
    if (e && (e != SEK_E_NOTFOUND || !c->conf_loaded))
        return e;
    sek_buf_init(&s.selector, 0);
    sek_buf_init(&s.spans, 0);
    sek_buf_init(&s.risks, 0);
    sek_risk_view_init(&s.view, c, "sekisho.endpoint/1"); /* says what is in the way of policy.db */
    (void)sek_policydb_open(c->conf.policy.db, false, &s.db, NULL);
    e = put_all(&s);
    sek_risk_view_fini(&s.view);
    sek_policydb_close(s.db);
    sek_buf_fini(&s.selector);
    sek_buf_fini(&s.spans);
    sek_buf_fini(&s.risks);
    sek_risk_evidence_free(s.evidence);
    sek_report_close(s.events);
    return e;
}
