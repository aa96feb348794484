/* SPDX-License-Identifier: BSD-3-Clause */
#include "incidentscope.h"
#include "machines.h"
#include "name/suffix.h"
#include "name/text.h"
#include "store/report_neighbours.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define SAME_NAMES 20 /* of an endpoint's names with hits that are followed */
#define ASKERS 10000  /* of a domain */
#define NEIGHBOURS_LOOKED 100

const struct sek_lookup sek_scope_why_names[] = {{SEK_WHY_SUBJECT, "named"},
                                                 {SEK_WHY_ASKED, "asked"},
                                                 {SEK_WHY_SAME_NAME, "same name"},
                                                 {SEK_WHY_PATTERN, "same pattern"},
                                                 {SEK_WHY_NEIGHBOUR, "asked neighbour"},
                                                 {0, NULL}};

struct search {
    struct sek_context *c;
    struct sek_report *events;
    struct sek_suffix *suffix;
    int64_t since_s;
    struct sek_scope_found *out;
    enum sek_scope_why why; /* of the rows that come in now */
    const char *what;
    struct sek_buf names;    /* char[SEK_NAME_TEXT_MAX] each: of a subject's hits */
    struct sek_buf patterns; /* struct pattern */
};

struct pattern {
    int detector;
    char kind[64], domain[SEK_NAME_TEXT_MAX];
};

/* That a subject has its own names and patterns tells nothing. */
static bool is_subject(const struct search *s, const char *endpoint)
{
    const struct sek_incident_subject *all = (const void *)s->out->subjects.data;
    bool is = false;
    for (size_t i = 0; i < s->out->subjects.len / sizeof *all && !is; i++)
        is = all[i].kind == SEK_INCIDENT_ENDPOINT && strcmp(all[i].value, endpoint) == 0;
    return is;
}

static void add_row(struct search *s, const char *endpoint, uint64_t queries, uint64_t resolved,
                    int64_t first_ms, int64_t last_ms)
{
    struct sek_scope_row row = {.why = s->why,
                                .queries = queries,
                                .resolved = resolved,
                                .first_ms = first_ms,
                                .last_ms = last_ms};
    if ((s->why == SEK_WHY_SAME_NAME || s->why == SEK_WHY_PATTERN) && is_subject(s, endpoint))
        return;
    snprintf(row.endpoint, sizeof row.endpoint, "%s", endpoint);
    snprintf(row.what, sizeof row.what, "%s", s->what);
    sek_buf_add(&s->out->rows, &row, sizeof row);
}

/* --- by domain ---------------------------------------------------------------------------------
 */

static bool one_asker(void *arg, const struct sek_traffic_row *t)
{
    struct search *s = arg;
    add_row(s, t->key, t->queries, t->cached + t->passed + t->let_through, t->first_ms, t->last_ms);
    return !s->out->rows.failed;
}

static bool one_hit_endpoint(void *arg, const struct sek_hit_group *g)
{
    struct search *s = arg;
    add_row(s, g->key, g->count, g->count - g->blocked, g->first_ms, g->last_ms);
    return !s->out->rows.failed;
}

/* A registered domain by all queries, as they are counted by it; a name below one by its hits. */
static enum sek_err find_askers(struct search *s, const struct sek_name *name, const char *text)
{
    int labels = sek_suffix_registered(s->suffix, name);
    const struct sek_hit_filter hits = {.name = text, .since_s = s->since_s};
    s->what = text;
    if (labels == 0)
        return sek_report_traffic(s->events, s->since_s, 0, NULL, text, SEK_TRAFFIC_ENDPOINT,
                                  ASKERS, one_asker, s, &s->c->diag);
    return sek_report_hit_groups(s->events, &hits, SEK_GROUP_ENDPOINT, one_hit_endpoint, s,
                                 &s->c->diag);
}

struct near {
    struct search *s;
    const char *of;
    size_t first; /* of this domain's neighbours */
};

static bool one_neighbour(void *arg, const struct sek_neighbour_row *row)
{
    struct near *near = arg;
    struct sek_scope_neighbour n = {.n_addresses = row->n_addresses};
    snprintf(n.domain, sizeof n.domain, "%s", row->domain);
    snprintf(n.of, sizeof n.of, "%s", near->of);
    sek_addr_to_text(&row->address, n.address);
    sek_buf_add(&near->s->out->neighbours, &n, sizeof n);
    return !near->s->out->neighbours.failed;
}

/* An address that serves very many domains is a hoster's, and tells nothing. */
static enum sek_err find_neighbours(struct search *s, const struct sek_name *domain,
                                    const char *text)
{
    struct sek_buf *all = &s->out->neighbours;
    struct near near = {s, text, all->len / sizeof(struct sek_scope_neighbour)};
    enum sek_err e = sek_report_neighbours(s->events, domain, s->since_s / 86400, NEIGHBOURS_LOOKED,
                                           one_neighbour, &near, &s->c->diag);
    size_t n = all->len / sizeof(struct sek_scope_neighbour) - near.first;
    s->why = SEK_WHY_NEIGHBOUR;
    for (size_t i = 0; !e && n <= SEK_SCOPE_NEIGHBOURS && i < n; i++) {
        const struct sek_scope_neighbour *nb =
            (const struct sek_scope_neighbour *)(const void *)all->data + near.first + i;
        struct sek_name name;
        if (sek_name_from_text(nb->domain, strlen(nb->domain), &name, NULL) == SEK_OK)
            e = find_askers(s, &name, nb->domain);
    }
    return e;
}

static enum sek_err find_domain(struct search *s, const char *text)
{
    struct sek_name name, domain;
    if (sek_name_from_text(text, strlen(text), &name, NULL))
        return SEK_OK; /* a row that somebody altered */
    s->why = SEK_WHY_ASKED;
    enum sek_err e = find_askers(s, &name, text);
    int labels = sek_suffix_registered(s->suffix, &name);
    if (e || labels < 0)
        return e;
    sek_name_parent(&name, (unsigned)labels, &domain);
    return find_neighbours(s, &domain, text);
}

/* --- by endpoint -------------------------------------------------------------------------------
 */

static bool take_name(void *arg, const struct sek_hit_group *g)
{
    struct search *s = arg;
    char text[SEK_NAME_TEXT_MAX] = "";
    snprintf(text, sizeof text, "%s", g->key);
    sek_buf_add(&s->names, text, sizeof text);
    return s->names.len < SAME_NAMES * sizeof text && !s->names.failed;
}

static bool take_pattern(void *arg, const struct sek_finding_row *f)
{
    struct search *s = arg;
    struct pattern p = {.detector = f->detector};
    const struct pattern *all = (const void *)s->patterns.data;
    snprintf(p.kind, sizeof p.kind, "%s", f->members[0] ? f->members[0] : "");
    snprintf(p.domain, sizeof p.domain, "%s", f->domain);
    for (size_t i = 0; i < s->patterns.len / sizeof p; i++)
        if (memcmp(&all[i], &p, sizeof p) == 0)
            return true;
    sek_buf_add(&s->patterns, &p, sizeof p);
    return !s->patterns.failed;
}

static const char *const kind_member[] = {"$.kind"};

static enum sek_err find_endpoint(struct search *s, const char *text)
{
    struct sek_buf selector;
    struct sek_diag *diag = &s->c->diag;
    sek_buf_init(&selector, 0);
    enum sek_err e = sek_machines_selector(s->c, "incident", text, &selector);
    if (e) { /* a machine that left the inventory */
        *diag = (struct sek_diag){0};
        s->c->exit = SEK_EXIT_OK;
        sek_buf_fini(&selector);
        return SEK_OK;
    }
    const struct sek_hit_filter hits = {.endpoint = selector.data, .since_s = s->since_s};
    const struct sek_finding_filter findings = {
        .endpoint = selector.data, .since_s = s->since_s, .members = kind_member, .n_members = 1};
    e = sek_report_hit_groups(s->events, &hits, SEK_GROUP_NAME, take_name, s, diag);
    if (!e)
        e = sek_report_findings(s->events, &findings, take_pattern, s, diag);
    sek_buf_fini(&selector);
    return e;
}

/* Who has hits of exactly these names. */
static enum sek_err follow_names(struct search *s)
{
    enum sek_err e = SEK_OK;
    s->why = SEK_WHY_SAME_NAME;
    for (size_t at = 0; !e && at < s->names.len; at += SEK_NAME_TEXT_MAX) {
        char exact[SEK_NAME_TEXT_MAX + 1];
        snprintf(exact, sizeof exact, "=%s", s->names.data + at);
        const struct sek_hit_filter f = {.name = exact, .since_s = s->since_s};
        s->what = s->names.data + at;
        e = sek_report_hit_groups(s->events, &f, SEK_GROUP_ENDPOINT, one_hit_endpoint, s,
                                  &s->c->diag);
    }
    return e;
}

/* A kind is a pattern where it names something: "necurs", not "every 60 s". */
static bool is_same(const struct pattern *p, const struct sek_finding_row *f)
{
    const char *kind = f->members[0] ? f->members[0] : "";
    bool family = p->detector == SEK_DETECTOR_DGA && *p->kind && strcmp(p->kind, kind) == 0;
    return p->detector == f->detector &&
           (family || (*p->domain && strcmp(p->domain, f->domain) == 0));
}

static bool one_finding(void *arg, const struct sek_finding_row *f)
{
    struct search *s = arg;
    const struct pattern *p = (const void *)s->patterns.data;
    char what[SEK_NAME_TEXT_MAX];
    for (size_t i = 0; i < s->patterns.len / sizeof *p; i++) {
        if (!is_same(&p[i], f))
            continue;
        const char *detector = sek_lookup_name(sek_detector_names, f->detector);
        bool family = f->detector == SEK_DETECTOR_DGA && *p[i].kind;
        snprintf(what, sizeof what, "%s %.900s", detector, family ? p[i].kind : f->domain);
        s->what = what;
        add_row(s, f->endpoint, 0, 0, f->start_ms, f->end_ms);
        break;
    }
    return !s->out->rows.failed;
}

static enum sek_err follow_patterns(struct search *s)
{
    const struct sek_finding_filter f = {
        .since_s = s->since_s, .members = kind_member, .n_members = 1};
    s->why = SEK_WHY_PATTERN;
    return s->patterns.len ? sek_report_findings(s->events, &f, one_finding, s, &s->c->diag)
                           : SEK_OK;
}

/* --- together ----------------------------------------------------------------------------------
 */

static bool take_subject(void *arg, const struct sek_incident_subject *one)
{
    struct sek_scope_found *f = arg;
    sek_buf_add(&f->subjects, one, sizeof *one);
    return !f->subjects.failed;
}

static int by_why(const void *a, const void *b)
{
    const struct sek_scope_row *x = a, *y = b;
    if (x->why != y->why)
        return x->why < y->why ? -1 : 1;
    int order = strcmp(x->endpoint, y->endpoint);
    return order ? order : strcmp(x->what, y->what);
}

/* The same endpoint for the same reason is one row. */
static void join_rows(struct sek_buf *buf)
{
    struct sek_scope_row *rows = (void *)buf->data;
    size_t n = buf->len / sizeof *rows, kept = 0;
    if (n)
        qsort(rows, n, sizeof *rows, by_why);
    for (size_t i = 0; i < n; i++) {
        struct sek_scope_row *last = kept ? &rows[kept - 1] : NULL;
        if (!last || by_why(last, &rows[i]) != 0) {
            rows[kept++] = rows[i];
            continue;
        }
        last->queries += rows[i].queries;
        last->resolved += rows[i].resolved;
        last->first_ms = rows[i].first_ms < last->first_ms ? rows[i].first_ms : last->first_ms;
        last->last_ms = rows[i].last_ms > last->last_ms ? rows[i].last_ms : last->last_ms;
    }
    buf->len = kept * sizeof *rows;
}

static enum sek_err find_all(struct search *s)
{
    const struct sek_incident_subject *subjects = (const void *)s->out->subjects.data;
    size_t n = s->out->subjects.len / sizeof *subjects;
    enum sek_err e = SEK_OK;
    for (size_t i = 0; !e && i < n; i++) {
        if (subjects[i].kind == SEK_INCIDENT_DOMAIN) {
            e = find_domain(s, subjects[i].value);
            continue;
        }
        s->why = SEK_WHY_SUBJECT;
        s->what = "";
        add_row(s, subjects[i].value, 0, 0, 0, 0);
        e = find_endpoint(s, subjects[i].value);
    }
    if (!e)
        e = follow_names(s);
    if (!e)
        e = follow_patterns(s);
    if (!e && (s->out->rows.failed || s->out->neighbours.failed || s->out->subjects.failed ||
               s->names.failed || s->patterns.failed))
        e = sek_diag_set(&s->c->diag, SEK_E_NOMEM, "out of memory");
    if (!e)
        join_rows(&s->out->rows);
    return e;
}

enum sek_err sek_scope_find(struct sek_context *c, struct sek_policydb *db,
                            struct sek_report *events, int64_t incident, int64_t since_s,
                            struct sek_scope_found *out)
{
    struct search s = {.c = c, .events = events, .since_s = since_s, .out = out};
    const char *list = c->conf.suffix.list;
    sek_buf_init(&out->subjects, 0);
    sek_buf_init(&out->rows, 0);
    sek_buf_init(&out->neighbours, 0);
    sek_buf_init(&s.names, 0);
    sek_buf_init(&s.patterns, 0);
    enum sek_err e = sek_suffix_open(*list ? list : NULL, &s.suffix, &c->diag);
    if (!e)
        e = sek_incident_subjects(db, incident, take_subject, out, &c->diag);
    if (!e)
        e = find_all(&s);
    sek_buf_fini(&s.names);
    sek_buf_fini(&s.patterns);
    sek_suffix_close(s.suffix);
    return e;
}

void sek_scope_fini(struct sek_scope_found *f)
{
    sek_buf_fini(&f->subjects);
    sek_buf_fini(&f->rows);
    sek_buf_fini(&f->neighbours);
}
