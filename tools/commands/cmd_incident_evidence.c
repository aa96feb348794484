/* SPDX-License-Identifier: BSD-3-Clause */
/* `incident evidence`: what is known of an incident, for a third party. */
#include "base/duration.h"
#include "store/incidents.h"
#include "tools/command.h"
#include "tools/export/evidence.h"
#include "tools/export/keptpackets.h"
#include "tools/print/safe.h"
#include "tools/print/talk.h"
#include "tools/views/incidentid.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/banned.h"

SEK_COMMAND(incident_evidence);

#define SINCE_S (30 * 86400)

enum { OPT_SINCE, OPT_PACKETS, N_OPTS };
const struct sek_arg sek_cmd_incident_evidence_args[] = {
    [OPT_SINCE] = {"since", 's', SEK_ARG_TIME, "TIME",
                   "events from then on; default 30 days before it was opened"},
    [OPT_PACKETS] = {"packets", 'p', SEK_ARG_TEXTS, "FILE",
                     "captures or dnstap files that you keep, or a pattern in quotes; may be given "
                     "again; default incident.packets"},
    [N_OPTS] = {0},
};

#define ITEM_WORDS 16

struct work {
    struct sek_context *c;
    struct sek_evidence evidence;
    struct sek_incident incident;
    struct sek_kept_packets packets;
    char id[24], since[32], until[32];
    unsigned n_subjects;
    enum sek_err err;
};

/* A file that a command makes. Words: SINCE, UNTIL, ID, OBJECT and SUBJECT stand for theirs. */
struct item {
    const char *file, *about; /* file: with %u for the subject's number */
    bool may_fail;
    const char *words[ITEM_WORDS];
};
static const char SINCE[] = "since", UNTIL[] = "until", ID[] = "id", SUBJECT[] = "subject",
                  OBJECT[] = "object"; /* told apart by their place */

/* Of the incident as a whole. */
static const struct item whole[] = {
    {"incident.json",
     "The incident: title, state, subjects, notes.",
     false,
     {"incident", "show", ID, "-f", "json"}},
    {"scope.json",
     "Other endpoints concerned, with the reason, and neighbours by address.",
     false,
     {"incident", "scope", ID, "--since", SINCE, "-f", "json"}},
    {"settings.yaml", "The settings in force when this was collected.", false, {"config"}},
    {"lists.jsonl",
     "All lists of the policy, with mode, action and number of entries.",
     false,
     {"list", "show", "-f", "jsonl"}},
    {"blocks.jsonl",
     "What is blocked by hand, by whom and why.",
     false,
     {"list", "show", "local-block", "-f", "jsonl"}},
    {"allowed.jsonl",
     "What is let through by hand, by whom and why.",
     false,
     {"list", "show", "local-allow", "-f", "jsonl"}},
    {"exceptions.jsonl",
     "All exceptions: who asked for what, who decided, and what became of it.",
     false,
     {"exception", "list", "--all", "-f", "jsonl"}},
    {"status.json",
     "The resolver: version of the policy in force, counters, losses.",
     true,
     {"status", "-f", "json"}},
    {"audit.jsonl",
     "The whole audit trail, each row chained to the one before: who changed what, when and why.",
     false,
     {"audit", "export"}},
    {"audit-of-incident.csv",
     "Rows of the trail about this incident.",
     false,
     {"audit", "--object", OBJECT, "--limit", "0", "-f", "csv"}},
    {"audit-verify.txt",
     "Whether the trail is unbroken, by the program itself.",
     true,
     {"audit", "verify"}},
};

static const struct item of_endpoint[] = {
    {"endpoint-%u.json",
     "Endpoint %s: all that is known of it.",
     false,
     {"endpoint", "show", SUBJECT, "-f", "json"}},
    {"endpoint-%u-hits.jsonl",
     "Endpoint %s: queries that met a rule, one row a minute.",
     false,
     {"hits", "--since", SINCE, "--until", UNTIL, "--limit", "0", "-f", "jsonl", "--endpoint",
      SUBJECT}},
    {"endpoint-%u-hits.csv",
     "The same as a table.",
     false,
     {"hits", "--since", SINCE, "--until", UNTIL, "--limit", "0", "-f", "csv", "--endpoint",
      SUBJECT}},
    {"endpoint-%u-findings.jsonl",
     "Endpoint %s: what detectors found, with their evidence.",
     false,
     {"findings", "--since", SINCE, "--until", UNTIL, "--limit", "0", "-f", "jsonl", "--endpoint",
      SUBJECT}},
    {"endpoint-%u-traffic.csv",
     "Endpoint %s: all its queries by domain, counted.",
     false,
     {"stats", "--since", SINCE, "--until", UNTIL, "--by", "domain", "--limit", "0", "-f", "csv",
      "--endpoint", SUBJECT}},
};

static const struct item of_domain[] = {
    {"domain-%u.json",
     "Domain %s: all that is known of it.",
     false,
     {"domain", SUBJECT, "--limit", "0", "-f", "json"}},
    {"domain-%u-hits.jsonl",
     "Domain %s: queries that met a rule, one row a minute.",
     false,
     {"hits", "--since", SINCE, "--until", UNTIL, "--limit", "0", "-f", "jsonl", "--name",
      SUBJECT}},
    {"domain-%u-hits.csv",
     "The same as a table.",
     false,
     {"hits", "--since", SINCE, "--until", UNTIL, "--limit", "0", "-f", "csv", "--name", SUBJECT}},
    {"domain-%u-findings.jsonl",
     "Domain %s: what detectors found, with their evidence.",
     false,
     {"findings", "--since", SINCE, "--until", UNTIL, "--limit", "0", "-f", "jsonl", "--domain",
      SUBJECT}},
};

#define COUNT(a) (sizeof(a) / sizeof *(a))

static enum sek_err run_item(struct work *w, const struct item *item,
                             const struct sek_incident_subject *subject)
{
    const char *words[ITEM_WORDS + 1] = {NULL};
    char file[64], about[SEK_NAME_TEXT_MAX + 100], object[40];
    snprintf(object, sizeof object, "incident %s", w->id);
    for (unsigned i = 0; i < ITEM_WORDS && item->words[i]; i++) {
        const char *word = item->words[i];
        words[i] = word == SINCE     ? w->since
                   : word == UNTIL   ? w->until
                   : word == SUBJECT ? subject->value
                   : word == OBJECT  ? object
                   : word == ID      ? w->id
                                     : word;
    }
    const char *number = strstr(item->file, "%u"), *value = strstr(item->about, "%s");
    snprintf(file, sizeof file, "%s", item->file);
    if (number)
        snprintf(file, sizeof file, "%.*s%u%s", (int)(number - item->file), item->file,
                 w->n_subjects, number + 2);
    snprintf(about, sizeof about, "%s", item->about);
    if (value)
        snprintf(about, sizeof about, "%.*s%s%s", (int)(value - item->about), item->about,
                 subject->value, value + 2);
    return sek_evidence_run(&w->evidence, file, about, item->may_fail, words, &w->c->diag);
}

static bool one_subject(void *arg, const struct sek_incident_subject *s)
{
    struct work *w = arg;
    bool endpoint = s->kind == SEK_INCIDENT_ENDPOINT;
    const struct item *items = endpoint ? of_endpoint : of_domain;
    size_t n = endpoint ? COUNT(of_endpoint) : COUNT(of_domain);
    w->n_subjects++;
    sek_kept_packets_about(&w->packets, s);
    for (size_t i = 0; !w->err && i < n; i++)
        w->err = run_item(w, &items[i], s);
    return !w->err;
}

static void write_readme(struct work *w, struct sek_buf *out)
{
    char host[128] = "", who[64], opened[32];
    (void)gethostname(host, sizeof host - 1);
    sek_context_who(who, sizeof who);
    sek_time_to_text(w->incident.opened_s, opened, sizeof opened);
    sek_buf_add_fmt(out, "Evidence of incident %s: ", w->id);
    sek_safe_add(out, w->incident.title);
    sek_buf_add_fmt(out, "\n\nOpened %s by ", opened);
    sek_safe_add(out, w->incident.who);
    sek_buf_add_fmt(out, "; collected %s by ", w->until);
    sek_safe_add(out, who);
    sek_buf_add_text(out, " on ");
    sek_safe_add(out, host);
    sek_buf_add_fmt(out, ", with Sekisho " SEK_VERSION ".\nEvents from %s on.\n\n", w->since);
    sek_buf_add_text(
        out, "Sekisho judges DNS queries within a resolver. A hit is a query that met a rule, a\n"
             "finding what a detector concluded from many queries. All times are UTC, ISO 8601.\n"
             "Names are in the form of RFC 1035 with odd octets as \\DDD. Hits of the same\n"
             "endpoint and name are summed up by the minute; answers are kept by registered\n"
             "domain and day; queries that met no rule are counted by registered domain only.\n\n"
             "To verify that no file was changed since it was collected:\n"
             "    sha256sum -c MANIFEST.sha256\n"
             "To verify that the audit trail is unbroken, with the script that is installed as\n"
             "share/sekisho/audit-verify.py (audit.jsonl says nothing of rows behind its last):\n"
             "    audit-verify.py < audit.jsonl\n\n"
             "Files\n-----\n\n");
    if (w->evidence.table.data)
        sek_buf_add_text(out, w->evidence.table.data);
    sek_buf_add_text(out, "messages.txt\n    What the commands said beside their output.\n\n"
                          "MANIFEST.sha256\n    SHA-256 of all other files.\n");
}

static enum sek_err collect(struct work *w, struct sek_policydb *db)
{
    struct sek_context *c = w->c;
    struct sek_buf readme;
    for (size_t i = 0; !w->err && i < COUNT(whole); i++)
        w->err = run_item(w, &whole[i], NULL);
    if (!w->err) {
        enum sek_err e = sek_incident_subjects(db, w->incident.id, one_subject, w, &c->diag);
        w->err = w->err ? w->err : e;
    }
    if (!w->err)
        w->err = sek_kept_packets_collect(&w->packets, &w->evidence, w->since, w->until);
    sek_buf_init(&readme, 0);
    write_readme(w, &readme);
    if (!w->err && readme.failed)
        w->err = sek_diag_set(&c->diag, SEK_E_NOMEM, "out of memory");
    if (!w->err)
        w->err = sek_evidence_text(&w->evidence, "README.txt", readme.data, readme.len, &c->diag);
    sek_buf_fini(&readme);
    return w->err ? w->err : sek_evidence_end(&w->evidence, &c->diag);
}

enum sek_err sek_cmd_incident_evidence(struct sek_context *c)
{
    struct work w = {.c = c};
    struct sek_policydb *db;
    enum sek_err e = sek_incident_look(c, &db, &w.incident);
    if (e)
        return e;
    int64_t since_s =
        c->opt[OPT_SINCE].given ? c->opt[OPT_SINCE].number : w.incident.opened_s - SINCE_S;
    snprintf(w.id, sizeof w.id, "%" PRId64, w.incident.id);
    sek_time_to_text(since_s, w.since, sizeof w.since);
    sek_time_to_text(c->now_s + 1, w.until, sizeof w.until);
    e = sek_kept_packets_find(&w.packets, c, &c->opt[OPT_PACKETS], since_s);
    if (!e)
        e = sek_evidence_begin(&w.evidence, c->args[1], c->conf_named ? c->conf_path : NULL,
                               c->now_s, &c->diag);
    if (!e)
        e = collect(&w, db);
    if (!e)
        sek_talk("evidence of incident %s is in %.300s", w.id, w.evidence.path);
    sek_evidence_fini(&w.evidence);
    sek_kept_packets_fini(&w.packets);
    sek_policydb_close(db);
    return e;
}
