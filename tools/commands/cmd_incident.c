/* SPDX-License-Identifier: BSD-3-Clause */
/* Incidents as people keep them: `incident open`, `add`, `list`, `show`, `note`, `close` and
 * `reopen`. */
#include "base/duration.h"
#include "name/suffix.h"
#include "store/incidents.h"
#include "tools/change/change.h"
#include "tools/command.h"
#include "tools/print/talk.h"
#include "tools/views/hitview.h"
#include "tools/views/incidentid.h"
#include "tools/views/recurrence.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(incident_open);
SEK_COMMAND(incident_add);
SEK_COMMAND(incident_list);
SEK_COMMAND(incident_show);
SEK_COMMAND(incident_note);
SEK_COMMAND(incident_close);
SEK_COMMAND(incident_reopen);

enum { ABOUT_HIT, ABOUT_ENDPOINT, ABOUT_DOMAIN, ABOUT_NOTE, OPEN_TITLE, N_OPEN };
#define ABOUT_ROWS                                                                                 \
    [ABOUT_HIT] = {"hit", 0, SEK_ARG_TEXTS, "ID",                                                  \
                   "its endpoint and registered domain: the id that sekisho hits shows"},          \
    [ABOUT_ENDPOINT] = {"endpoint", 'e', SEK_ARG_TEXTS, "ENDPOINT",                                \
                        "an address, a pseudonym, or a machine of the inventory"},                 \
    [ABOUT_DOMAIN] = {"domain", 'd', SEK_ARG_TEXTS, "NAME", "a name and all below it"},            \
    [ABOUT_NOTE] = {"note", 0, SEK_ARG_TEXT, "TEXT", "a note with it"}
const struct sek_arg sek_cmd_incident_open_args[] = {
    ABOUT_ROWS,
    [OPEN_TITLE] = {"title", 't', SEK_ARG_TEXT, "TEXT", "what it is, in a line; needed"},
    [N_OPEN] = {0},
};
const struct sek_arg sek_cmd_incident_add_args[] = {ABOUT_ROWS, [OPEN_TITLE] = {0}};
enum { LIST_ALL, N_LIST };
const struct sek_arg sek_cmd_incident_list_args[] = {
    [LIST_ALL] = {"all", 'a', SEK_ARG_FLAG, NULL, "also closed ones that do not recur"},
    [N_LIST] = {0},
};
const struct sek_arg sek_cmd_incident_show_args[] = {{0}};
const struct sek_arg sek_cmd_incident_note_args[] = {{0}};
enum { CLOSE_REASON, N_CLOSE };
const struct sek_arg sek_cmd_incident_close_args[] = {
    [CLOSE_REASON] = {"reason", 'r', SEK_ARG_TEXT, "TEXT", "what came of it; needed"},
    [N_CLOSE] = {0},
};
const struct sek_arg sek_cmd_incident_reopen_args[] = {
    [CLOSE_REASON] = {"reason", 'r', SEK_ARG_TEXT, "TEXT", "why, for the note that it leaves"},
    [N_CLOSE] = {0},
};

/* --- what it is about --------------------------------------------------------------------------
 */

/* All that is to be noted, read before the database is held. */
struct opening {
    struct sek_context *c;
    struct sek_report *events;
    struct sek_suffix *suffix;
    struct sek_buf subjects; /* struct sek_incident_subject */
    bool found;
};

static void add_subject(struct opening *o, enum sek_incident_kind kind, const char *value)
{
    struct sek_incident_subject s = {.kind = kind, .added_s = o->c->now_s};
    snprintf(s.value, sizeof s.value, "%s", value);
    sek_context_who(s.who, sizeof s.who);
    sek_buf_add(&o->subjects, &s, sizeof s);
}

/* Its registered domain: a generated host is asked for once, its domain again. */
static void add_domain_of(struct opening *o, const char *name_text)
{
    struct sek_name name, domain;
    char text[SEK_NAME_TEXT_MAX];
    if (sek_name_from_text(name_text, strlen(name_text), &name, NULL))
        return;
    int labels = sek_suffix_registered(o->suffix, &name);
    sek_name_parent(&name, labels < 0 ? 0 : (unsigned)labels, &domain);
    sek_name_to_text(domain.octets, text);
    add_subject(o, SEK_INCIDENT_DOMAIN, text);
}

static bool take_hit(void *arg, const struct sek_hit *hit)
{
    struct opening *o = arg;
    o->found = true;
    add_subject(o, SEK_INCIDENT_ENDPOINT, hit->endpoint);
    add_domain_of(o, hit->name);
    return true;
}

static enum sek_err add_hit(struct opening *o, const char *id)
{
    struct sek_context *c = o->c;
    const struct sek_hit_filter f = {.decision = id, .limit = 100};
    if (strspn(id, "0123456789abcdefABCDEF") != 8 || id[8])
        return sek_context_usage(c, "--hit: \"%.40s\" is no id of a hit, such as 5d0c1a9e", id);
    if (!o->events) {
        const char *list = c->conf.suffix.list;
        enum sek_err e = sek_hit_report_open(c, &o->events);
        if (!e)
            e = sek_suffix_open(*list ? list : NULL, &o->suffix, &c->diag);
        if (e)
            return e;
    }
    o->found = false;
    enum sek_err e = sek_report_hits(o->events, &f, take_hit, o, &c->diag);
    return !e && !o->found ? sek_context_usage(c, "there is no hit %s any more", id) : e;
}

/* The canonical address, or the name of a machine that the inventory knows. */
static enum sek_err add_endpoint(struct opening *o, const char *text)
{
    struct sek_addr addr;
    struct sek_buf selector;
    char canonical[SEK_ADDR_TEXT_MAX];
    enum sek_err e = sek_machines_address(o->c, "--endpoint", text, &addr);
    if (!e)
        add_subject(o, SEK_INCIDENT_ENDPOINT, sek_addr_to_text(&addr, canonical));
    if (e != SEK_E_NOTFOUND)
        return e;
    sek_buf_init(&selector, 0);
    e = sek_machines_selector(o->c, "--endpoint", text, &selector);
    sek_buf_fini(&selector);
    if (!e)
        add_subject(o, SEK_INCIDENT_ENDPOINT, text);
    return e;
}

static enum sek_err add_domain(struct opening *o, const char *text)
{
    struct sek_name name;
    struct sek_diag why = {0};
    char canonical[SEK_NAME_TEXT_MAX];
    if (sek_name_from_text(text, strlen(text), &name, &why))
        return sek_context_usage(o->c, "--domain: %s", why.text);
    if (name.n_labels == 0)
        return sek_context_usage(o->c, "--domain: the root is no domain to look into");
    sek_name_to_text(name.octets, canonical);
    add_subject(o, SEK_INCIDENT_DOMAIN, canonical);
    return SEK_OK;
}

static enum sek_err read_subjects(struct opening *o)
{
    static const struct {
        int opt;
        enum sek_err (*add)(struct opening *o, const char *text);
    } all[] = {{ABOUT_HIT, add_hit}, {ABOUT_ENDPOINT, add_endpoint}, {ABOUT_DOMAIN, add_domain}};
    const struct sek_conf *conf;
    enum sek_err e = sek_context_conf(o->c, &conf);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        const struct sek_arg_value *v = &o->c->opt[all[i].opt];
        for (int64_t k = 0; !e && v->given && k < v->number; k++)
            e = all[i].add(o, v->texts[k]);
    }
    if (!e && o->subjects.failed)
        e = sek_diag_set(&o->c->diag, SEK_E_NOMEM, "out of memory");
    if (!e && o->subjects.len == 0)
        return sek_context_usage(o->c, "say what it is about: --hit, --endpoint or --domain");
    return e;
}

static enum sek_err note_put(struct sek_change *ch, int64_t incident, const char *text)
{
    struct sek_incident_note note = {.incident = incident, .time_s = ch->c->now_s};
    snprintf(note.who, sizeof note.who, "%s", ch->who);
    snprintf(note.text, sizeof note.text, "%s", text);
    return sek_incident_note_add(ch->db, &note, &ch->c->diag);
}

/* *out_n: how many the incident did not have. */
static enum sek_err subjects_put(struct sek_change *ch, const struct opening *o, int64_t incident,
                                 uint64_t *out_n)
{
    struct sek_incident_subject *subject = (void *)o->subjects.data;
    enum sek_err e = SEK_OK;
    *out_n = 0;
    for (size_t k = 0; !e && k < o->subjects.len / sizeof *subject; k++) {
        bool added = false;
        subject[k].incident = incident;
        e = sek_incident_subject_add(ch->db, &subject[k], &added, &ch->c->diag);
        *out_n += added;
    }
    if (!e && ch->c->opt[ABOUT_NOTE].given)
        e = note_put(ch, incident, ch->c->opt[ABOUT_NOTE].text);
    return e;
}

typedef enum sek_err about_fn(struct sek_context *c, const struct opening *o);

/* Read what it is about, then change. */
static enum sek_err with_subjects(struct sek_context *c, about_fn *change)
{
    struct opening o = {.c = c};
    if (c->opt[ABOUT_NOTE].given && strlen(c->opt[ABOUT_NOTE].text) >= SEK_INCIDENT_NOTE)
        return sek_context_usage(c, "--note: at most %d octets", SEK_INCIDENT_NOTE - 1);
    sek_buf_init(&o.subjects, 0);
    enum sek_err e = read_subjects(&o);
    if (!e)
        e = change(c, &o);
    sek_buf_fini(&o.subjects);
    sek_suffix_close(o.suffix);
    sek_report_close(o.events);
    return e;
}

/* --- open --------------------------------------------------------------------------------------
 */

static enum sek_err open_put(struct sek_context *c, const struct opening *o)
{
    struct sek_change ch;
    uint64_t n;
    struct sek_incident i = {.state = SEK_INCIDENT_OPEN, .opened_s = c->now_s};
    enum sek_err e = sek_change_begin(&ch, c, false);
    snprintf(i.title, sizeof i.title, "%s", c->opt[OPEN_TITLE].text);
    snprintf(i.who, sizeof i.who, "%s", ch.who);
    if (!e)
        e = sek_incident_add(ch.db, &i, &c->diag);
    if (!e)
        e = subjects_put(&ch, o, i.id, &n);
    sek_change_done(&ch, "incident %" PRId64 " is open; next: sekisho incident scope %" PRId64,
                    i.id, i.id);
    if (!e)
        e = sek_change_commit(&ch);
    return sek_change_fini(&ch, e);
}

enum sek_err sek_cmd_incident_open(struct sek_context *c)
{
    if (!c->opt[OPEN_TITLE].given || !*c->opt[OPEN_TITLE].text)
        return sek_context_usage(c, "--title is needed: others will read it in the list");
    if (strlen(c->opt[OPEN_TITLE].text) >= SEK_INCIDENT_TITLE)
        return sek_context_usage(c, "--title: at most %d octets", SEK_INCIDENT_TITLE - 1);
    return with_subjects(c, open_put);
}

/* --- list --------------------------------------------------------------------------------------
 */

enum {
    L_ID,
    L_STATE,
    L_OPENED,
    L_TITLE,
    L_ABOUT,
    L_WHO,
    L_CLOSED,
    L_HITS,
    L_FINDINGS,
    L_LAST,
    L_COLS
};
static const struct sek_col list_cols[] = {
    [L_ID] = {"id", "Id", SEK_COL_UINT},
    [L_STATE] = {"state", "State", SEK_COL_TEXT},
    [L_OPENED] = {"opened", "Opened (UTC)", SEK_COL_TIME},
    [L_TITLE] = {"title", "Title", SEK_COL_TEXT},
    [L_ABOUT] = {"about", "About", SEK_COL_TEXT},
    [L_WHO] = {"who", "By", SEK_COL_TEXT},
    [L_CLOSED] = {"closed", "Closed (UTC)", SEK_COL_TIME, NULL, 0, SEK_COL_FILLED},
    [L_HITS] = {"hits_since", "Hits since", SEK_COL_UINT, NULL, 0, SEK_COL_FILLED},
    [L_FINDINGS] = {"findings_since", "Findings since", SEK_COL_UINT, NULL, 0, SEK_COL_FILLED},
    [L_LAST] = {"recurred", "Recurred (UTC)", SEK_COL_TIME_MS, NULL, 0, SEK_COL_FILLED},
};

struct list {
    struct sek_context *c;
    struct sek_policydb *db;
    struct sek_report *events; /* NULL: recurrence is not known */
    const struct sek_incident *incident;
    struct sek_recurrence again;
    struct sek_buf about;
    enum sek_err err;
    unsigned n;
};

static bool list_subject(void *arg, const struct sek_incident_subject *s)
{
    struct list *l = arg;
    sek_buf_add_fmt(&l->about, "%s%s", l->about.len ? " " : "", s->value);
    bool watched =
        l->incident->closed_s &&
        (l->c->opt[LIST_ALL].given || l->c->now_s - l->incident->closed_s <= SEK_RECURRENCE_S);
    if (l->events && watched)
        l->err = sek_recurrence_add(l->c, l->events, s, l->incident->closed_s, &l->again);
    return !l->err;
}

static bool list_incident(void *arg, const struct sek_incident *i)
{
    struct list *l = arg;
    struct sek_out *o = l->c->out;
    l->incident = i;
    l->again = (struct sek_recurrence){0};
    sek_buf_reset(&l->about);
    enum sek_err e = sek_incident_subjects(l->db, i->id, list_subject, l, &l->c->diag);
    l->err = l->err ? l->err : e;
    bool quiet = i->state == SEK_INCIDENT_CLOSED && !l->again.last_ms;
    if (l->err || (quiet && !l->c->opt[LIST_ALL].given))
        return !l->err;
    l->n++;
    sek_out_uint(o, L_ID, (uint64_t)i->id);
    sek_out_text(o, L_STATE, sek_lookup_name(sek_incident_state_names, (int)i->state));
    sek_out_int(o, L_OPENED, i->opened_s);
    sek_out_text(o, L_TITLE, i->title);
    sek_out_endpoint(o, L_ABOUT, l->about.data);
    sek_out_text(o, L_WHO, i->who);
    if (i->closed_s)
        sek_out_int(o, L_CLOSED, i->closed_s);
    if (l->again.last_ms) {
        sek_out_uint(o, L_HITS, l->again.hits);
        sek_out_uint(o, L_FINDINGS, l->again.findings);
        sek_out_int(o, L_LAST, l->again.last_ms);
        sek_out_tint(o, L_LAST, SEK_TINT_BAD);
    }
    return sek_out_row(o);
}

/* Who may not read events is told so once; incidents are shown all the same. */
static void open_events(struct sek_context *c, struct sek_report **out)
{
    struct sek_diag why = {0};
    if (sek_report_open(c->conf.events.db, out, &why))
        sek_talk("whether anything recurs is not known: %s", why.text);
}

enum sek_err sek_cmd_incident_list(struct sek_context *c)
{
    const struct sek_conf *conf;
    struct list l = {.c = c};
    enum sek_err e = sek_change_look(c, &conf, &l.db);
    if (e)
        return e;
    open_events(c, &l.events);
    sek_buf_init(&l.about, 0);
    sek_out_begin(c->out, "sekisho.incidents/1", list_cols, L_COLS, SEK_OUT_ROWS);
    e = sek_incidents(l.db, list_incident, &l, &c->diag);
    e = l.err ? l.err : e;
    if (!e)
        e = sek_out_end(c->out, &c->diag);
    sek_buf_fini(&l.about);
    sek_report_close(l.events);
    sek_policydb_close(l.db);
    return !e && l.n == 0 ? sek_context_none(c, "no incidents") : e;
}

/* --- show --------------------------------------------------------------------------------------
 */

enum { R_ID, R_TITLE, R_STATE, R_OPENED, R_WHO, R_CLOSED, R_BY, R_REASON, R_COLS };
static const struct sek_col record_cols[] = {
    [R_ID] = {"id", "Incident", SEK_COL_UINT},
    [R_TITLE] = {"title", "Title", SEK_COL_TEXT},
    [R_STATE] = {"state", "State", SEK_COL_TEXT},
    [R_OPENED] = {"opened", "Opened (UTC)", SEK_COL_TIME},
    [R_WHO] = {"who", "  by", SEK_COL_TEXT},
    [R_CLOSED] = {"closed", "Closed (UTC)", SEK_COL_TIME},
    [R_BY] = {"closed_by", "  by", SEK_COL_TEXT},
    [R_REASON] = {"reason", "  reason", SEK_COL_TEXT},
};

enum { S_KIND, S_VALUE, S_ADDED, S_WHO, S_HITS, S_FINDINGS, S_LAST, S_COLS };
static const struct sek_col subject_cols[] = {
    [S_KIND] = {"kind", "About", SEK_COL_TEXT},
    [S_VALUE] = {"value", "What", SEK_COL_NAME},
    [S_ADDED] = {"added", "Added (UTC)", SEK_COL_TIME},
    [S_WHO] = {"who", "By", SEK_COL_TEXT},
    [S_HITS] = {"hits_since", "Hits since close", SEK_COL_UINT, NULL, 0, SEK_COL_FILLED},
    [S_FINDINGS] = {"findings_since", "Findings", SEK_COL_UINT, NULL, 0, SEK_COL_FILLED},
    [S_LAST] = {"recurred", "Recurred (UTC)", SEK_COL_TIME_MS, NULL, 0, SEK_COL_FILLED},
};

enum { N_TIME, N_WHO, N_TEXT, N_COLS };
static const struct sek_col note_cols[] = {
    [N_TIME] = {"time", "Notes (UTC)", SEK_COL_TIME},
    [N_WHO] = {"who", "By", SEK_COL_TEXT},
    [N_TEXT] = {"text", "Text", SEK_COL_TEXT},
};

static void put_record(struct sek_out *o, const struct sek_incident *i)
{
    sek_out_begin(o, "sekisho.incident/1", record_cols, R_COLS, SEK_OUT_RECORD);
    sek_out_uint(o, R_ID, (uint64_t)i->id);
    sek_out_text(o, R_TITLE, i->title);
    sek_out_text(o, R_STATE, sek_lookup_name(sek_incident_state_names, (int)i->state));
    sek_out_int(o, R_OPENED, i->opened_s);
    sek_out_text(o, R_WHO, i->who);
    if (i->closed_s) {
        sek_out_int(o, R_CLOSED, i->closed_s);
        sek_out_text(o, R_BY, i->closed_by);
        sek_out_text(o, R_REASON, i->reason);
    }
    sek_out_row(o);
}

static bool put_subject(void *arg, const struct sek_incident_subject *s)
{
    struct list *l = arg;
    struct sek_out *o = l->c->out;
    struct sek_recurrence again = {0};
    if (l->events && l->incident->closed_s)
        l->err = sek_recurrence_add(l->c, l->events, s, l->incident->closed_s, &again);
    sek_out_text(o, S_KIND, sek_lookup_name(sek_incident_kind_names, (int)s->kind));
    if (s->kind == SEK_INCIDENT_ENDPOINT)
        sek_out_endpoint(o, S_VALUE, s->value);
    else
        sek_out_text(o, S_VALUE, s->value);
    sek_out_int(o, S_ADDED, s->added_s);
    sek_out_text(o, S_WHO, s->who);
    if (again.last_ms) {
        sek_out_uint(o, S_HITS, again.hits);
        sek_out_uint(o, S_FINDINGS, again.findings);
        sek_out_int(o, S_LAST, again.last_ms);
    }
    return sek_out_row(o) && !l->err;
}

static bool put_note(void *arg, const struct sek_incident_note *n)
{
    struct sek_out *o = arg;
    sek_out_int(o, N_TIME, n->time_s);
    sek_out_text(o, N_WHO, n->who);
    sek_out_text(o, N_TEXT, n->text);
    return sek_out_row(o);
}

enum sek_err sek_cmd_incident_show(struct sek_context *c)
{
    struct sek_incident i;
    struct list l = {.c = c, .incident = &i};
    enum sek_err e = sek_incident_look(c, &l.db, &i);
    if (e || !l.db)
        return e;
    if (i.closed_s)
        open_events(c, &l.events);
    put_record(c->out, &i);
    sek_out_part(c->out, "subjects", subject_cols, S_COLS, SEK_OUT_ROWS);
    e = sek_incident_subjects(l.db, i.id, put_subject, &l, &c->diag);
    e = l.err ? l.err : e;
    sek_out_part(c->out, "notes", note_cols, N_COLS, SEK_OUT_ROWS);
    if (!e)
        e = sek_incident_notes(l.db, i.id, put_note, c->out, &c->diag);
    if (!e)
        e = sek_out_end(c->out, &c->diag);
    sek_report_close(l.events);
    sek_policydb_close(l.db);
    return e;
}

/* --- add, note, close, reopen ------------------------------------------------------------------
 */

/* The incident of the first argument, within the transaction. NOTFOUND is said already. */
static enum sek_err find(struct sek_change *ch, struct sek_context *c, struct sek_incident *out)
{
    int64_t id;
    enum sek_err e = sek_incident_id(c, &id);
    if (!e)
        e = sek_incident_get(ch->db, id, out, &c->diag);
    return e == SEK_E_NOTFOUND ? sek_context_usage(c, "%s", c->diag.text) : e;
}

/* A change that no resolver needs to be told of. */
static enum sek_err run(struct sek_context *c, sek_change_work_fn *work)
{
    struct sek_change ch;
    enum sek_err e = sek_change_begin(&ch, c, false);
    if (!e)
        e = work(&ch, c);
    if (!e)
        e = sek_change_commit(&ch);
    return sek_change_fini(&ch, e);
}

/* What is new is not contained yet. */
static enum sek_err add_put(struct sek_context *c, const struct opening *o)
{
    struct sek_change ch;
    struct sek_incident i = {0};
    uint64_t n = 0;
    enum sek_err e = sek_change_begin(&ch, c, false);
    if (!e)
        e = find(&ch, c, &i);
    if (!e && i.state == SEK_INCIDENT_CLOSED)
        e = sek_context_usage(c, "incident %" PRId64 " is closed: sekisho incident reopen %" PRId64,
                              i.id, i.id);
    if (!e)
        e = subjects_put(&ch, o, i.id, &n);
    if (!e && n && i.state == SEK_INCIDENT_CONTAINED) {
        i.state = SEK_INCIDENT_OPEN;
        e = sek_incident_set(ch.db, &i, &c->diag);
    }
    if (n)
        sek_change_done(&ch,
                        "incident %" PRId64 " has got %" PRIu64
                        " more to look into; next: sekisho incident scope %" PRId64,
                        i.id, n, i.id);
    else
        sek_change_done(&ch, "nothing to add: incident %" PRId64 " is about that already", i.id);
    if (!e)
        e = sek_change_commit(&ch);
    return sek_change_fini(&ch, e);
}

enum sek_err sek_cmd_incident_add(struct sek_context *c)
{
    return with_subjects(c, add_put);
}

static enum sek_err work_note(struct sek_change *ch, struct sek_context *c)
{
    struct sek_incident i;
    enum sek_err e = find(ch, c, &i);
    if (e)
        return e;
    sek_change_done(ch, "noted with incident %" PRId64, i.id);
    return note_put(ch, i.id, c->args[1]);
}

enum sek_err sek_cmd_incident_note(struct sek_context *c)
{
    if (!*c->args[1] || strlen(c->args[1]) >= SEK_INCIDENT_NOTE)
        return sek_context_usage(c, "a note has 1 to %d octets", SEK_INCIDENT_NOTE - 1);
    return run(c, work_note);
}

static enum sek_err work_close(struct sek_change *ch, struct sek_context *c)
{
    struct sek_incident i;
    enum sek_err e = find(ch, c, &i);
    if (e)
        return e;
    if (i.state == SEK_INCIDENT_CLOSED)
        return sek_context_usage(c, "incident %" PRId64 " is closed already, by %s", i.id,
                                 i.closed_by);
    i.state = SEK_INCIDENT_CLOSED;
    i.closed_s = c->now_s;
    snprintf(i.closed_by, sizeof i.closed_by, "%s", ch->who);
    snprintf(i.reason, sizeof i.reason, "%s", c->opt[CLOSE_REASON].text);
    sek_change_done(ch, "incident %" PRId64 " is closed; incident list tells if it recurs", i.id);
    return sek_incident_set(ch->db, &i, &c->diag);
}

enum sek_err sek_cmd_incident_close(struct sek_context *c)
{
    const char *reason = c->opt[CLOSE_REASON].given ? c->opt[CLOSE_REASON].text : "";
    if (!*reason || strlen(reason) >= SEK_INCIDENT_TITLE)
        return sek_context_usage(c, "--reason is needed, of at most %d octets",
                                 SEK_INCIDENT_TITLE - 1);
    return run(c, work_close);
}

/* How it was closed stays with its notes. */
static enum sek_err work_reopen(struct sek_change *ch, struct sek_context *c)
{
    struct sek_incident i;
    char text[2 * SEK_INCIDENT_TITLE + 200], closed[32];
    enum sek_err e = find(ch, c, &i);
    if (e)
        return e;
    if (i.state != SEK_INCIDENT_CLOSED)
        return sek_context_usage(c, "incident %" PRId64 " is not closed: it is %s", i.id,
                                 sek_lookup_name(sek_incident_state_names, (int)i.state));
    snprintf(text, sizeof text, "reopened%s%s; it was closed at %s by %s: %s",
             c->opt[CLOSE_REASON].given ? ": " : "",
             c->opt[CLOSE_REASON].given ? c->opt[CLOSE_REASON].text : "",
             sek_time_to_text(i.closed_s, closed, sizeof closed), i.closed_by, i.reason);
    i.state = SEK_INCIDENT_OPEN;
    i.closed_s = 0;
    i.closed_by[0] = i.reason[0] = '\0';
    sek_change_done(ch, "incident %" PRId64 " is open again; next: sekisho incident scope %" PRId64,
                    i.id, i.id);
    e = sek_incident_set(ch->db, &i, &c->diag);
    return e ? e : note_put(ch, i.id, text);
}

enum sek_err sek_cmd_incident_reopen(struct sek_context *c)
{
    if (c->opt[CLOSE_REASON].given && strlen(c->opt[CLOSE_REASON].text) >= SEK_INCIDENT_TITLE)
        return sek_context_usage(c, "--reason: at most %d octets", SEK_INCIDENT_TITLE - 1);
    return run(c, work_reopen);
}
