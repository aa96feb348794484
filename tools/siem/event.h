/* SPDX-License-Identifier: BSD-3-Clause */
/* What happened, as `sekisho events` hands it on to other systems. THE table of fields stands here:
 * the native format (JSON lines, RFC 5424) prints it as it is, the others (ECS, OCSF, CEF) map it
 * (siem/mapping.h), and sekisho-events(5) is printed from all of them. Plain data that borrows from
 * the row it was made of. One thread. */
#pragma once
#include "base/buf.h"
#include "base/lookup.h"
#include "name/suffix.h"
#include "store/audit.h"
#include "store/report.h"
#include "tools/print/veil.h"

#define SEK_SIEM_SCHEMA "sekisho.events/1" /* grows when a field changes its meaning or goes */

/* Bits: which kinds a command asks for, and which have a field. */
enum sek_siem_kind {
    SEK_SIEM_HIT = 1,
    SEK_SIEM_FINDING = 2,
    SEK_SIEM_CHANGE = 4, /* a row of the audit trail */
};
#define SEK_SIEM_ALL 7
extern const struct sek_lookup sek_siem_kind_names[];   /* "hit" "finding" "change" */
extern const struct sek_lookup sek_siem_kind_plurals[]; /* "hits" "findings" "audit" */

enum sek_siem_type {
    SEK_SIEM_TEXT,
    SEK_SIEM_INT,
    SEK_SIEM_REAL, /* four decimals */
    SEK_SIEM_FLAG,
    SEK_SIEM_TIME, /* Unix milliseconds; ISO 8601 in UTC */
    SEK_SIEM_JSON, /* a JSON value on one line */
};

/* id, name, type, kinds, help; names "" are for mappings only */
#define SEK_SIEM_FIELDS(X)                                                                         \
    X(SCHEMA, "schema", TEXT, 7, "name and version of this format")                                \
    X(ID, "id", TEXT, 7,                                                                           \
      "names the event: whoever gets one twice may drop the second; a finding keeps its id when "  \
      "it grows")                                                                                  \
    X(KIND, "kind", TEXT, 7, "hit, finding or change")                                             \
    X(TIME, "time", TIME, 7,                                                                       \
      "of a hit the first query, of a finding its latest sign, of a change when it was made")      \
    X(HOST, "host", TEXT, 7, "the resolver's host")                                                \
    X(SEVERITY, "severity", INT, 7,                                                                \
      "0 to 10: let through 1, recorded only 3, blocked 5, query for somebody else's sinkhole 8; " \
      "finding 4 to 9 by confidence and mode; change 3")                                           \
    X(MESSAGE, "message", TEXT, 7, "the event in one sentence")                                    \
    X(ENDPOINT, "endpoint", TEXT, 3, "who asked: an address, or a pseudonym (privacy.groups)")     \
    X(FIRST, "first", TIME, 3, "first query of the minute; begin of a finding")                    \
    X(LAST, "last", TIME, 3, "last query; latest sign of a finding")                               \
    X(COUNT, "count", INT, 1, "queries of this minute")                                            \
    X(NAME, "name", TEXT, 1, "the name that was asked for (RFC 1035 section 5.1)")                 \
    X(TYPE, "type", TEXT, 1, "type of the query: A, TXT, TYPE65400")                               \
    X(DOMAIN, "domain", TEXT, 3, "registered domain of the name; domain that a finding suspects")  \
    X(ACTION, "action", TEXT, 1,                                                                   \
      "what was done: passthru, log, nxdomain, nodata, sinkhole, refused, drop")                   \
    X(RULE_ACTION, "rule_action", TEXT, 1,                                                         \
      "what the rule says: differs from action in monitor mode")                                   \
    X(MONITOR, "monitor", FLAG, 1, "only recorded, because list or detector is in monitor mode")   \
    X(LIST, "list", TEXT, 1, "list of the rule, or the detector that decided")                     \
    X(RULE, "rule", TEXT, 1, "the rule in list notation")                                          \
    X(TRIGGER, "trigger", TEXT, 1, "what the rule met: qname, cname, response-ip, classifier")     \
    X(MATCHED, "matched", TEXT, 1,                                                                 \
      "what it met, where that is not the name: another name on the way (CNAME), an address of "   \
      "the answer, a server of the zone")                                                          \
    X(DECISION, "decision", TEXT, 1, "id that the endpoint was told in the answer (RFC 8914)")     \
    X(GENERATION, "generation", INT, 1, "of the policy in force")                                  \
    X(SCORE, "score", REAL, 1, "log likelihood ratio of the classifier")                           \
    X(FINDING, "finding", INT, 2, "number of the finding, for sekisho finding show")               \
    X(REVISION, "revision", INT, 2, "grows each time a finding grows: the highest counts")         \
    X(DETECTOR, "detector", TEXT, 2, "what found it: dga, beacon, tunnel")                         \
    X(CONFIDENCE, "confidence", REAL, 2, "0 to 1")                                                 \
    X(MODE, "mode", TEXT, 2, "of the detector: monitor or block")                                  \
    X(BLOCKED_UNTIL, "blocked_until", TIME, 2, "the domain is blocked until then")                 \
    X(TECHNIQUE, "technique", TEXT, 2, "MITRE ATT&CK technique")                                   \
    X(EVIDENCE, "evidence", JSON, 2, "numbers and names that it rests on")                         \
    X(NUMBER, "number", INT, 4, "row of the audit trail")                                          \
    X(USER, "user", TEXT, 4, "who did it: the real user behind sudo")                              \
    X(UID, "uid", INT, 4, "that user's number")                                                    \
    X(ORIGIN, "origin", TEXT, 4, "terminal and ssh client")                                        \
    X(VERB, "verb", TEXT, 4, "what was done")                                                      \
    X(OBJECT, "object", TEXT, 4, "to what")                                                        \
    X(BEFORE, "before", TEXT, 4, "how it was; empty: not there")                                   \
    X(AFTER, "after", TEXT, 4, "how it is; empty: not there")                                      \
    X(REASON, "reason", TEXT, 4, "why")                                                            \
    X(COMMAND, "command", TEXT, 4, "as it was typed")                                              \
    X(UNDOES, "undoes", INT, 4, "the row that it takes back")                                      \
    X(HASH, "hash", TEXT, 4, "of the row (sekisho audit verify)")                                  \
    X(PREVIOUS, "previous", TEXT, 4, "hash of the row before")                                     \
    X(SOURCE_IP, "", TEXT, 3, "")                                                                  \
    X(SOURCE_V4, "", TEXT, 3, "")                                                                  \
    X(SOURCE_V6, "", TEXT, 3, "")                                                                  \
    X(PSEUDONYM, "", TEXT, 3, "")                                                                  \
    X(VERSION, "", TEXT, 7, "")                                                                    \
    X(TITLE, "", TEXT, 7, "")                                                                      \
    X(SEVERITY_ID, "", INT, 7, "")                                                                 \
    X(BLOCKED, "", FLAG, 3, "")                                                                    \
    X(ECS_TYPE, "", JSON, 7, "")                                                                   \
    X(TECHNIQUES, "", JSON, 2, "")                                                                 \
    X(RELATED_IP, "", JSON, 3, "")                                                                 \
    X(ANSWER_IP, "", JSON, 1, "")                                                                  \
    X(RELATED_HOSTS, "", JSON, 3, "")                                                              \
    X(RELATED_USER, "", JSON, 4, "")                                                               \
    X(UID_TEXT, "", TEXT, 4, "")                                                                   \
    X(ACTIVITY, "", INT, 7, "")                                                                    \
    X(TYPE_UID, "", INT, 7, "")                                                                    \
    X(ACTION_ID, "", INT, 3, "")                                                                   \
    X(DISPOSITION, "", INT, 3, "")                                                                 \
    X(RCODE, "", INT, 1, "")                                                                       \
    X(PERCENT, "", INT, 2, "")                                                                     \
    X(ATTACKS, "", JSON, 2, "")                                                                    \
    X(EVIDENCES, "", JSON, 2, "")                                                                  \
    X(TYPES, "", JSON, 2, "")                                                                      \
    X(OBSERVABLES, "", JSON, 3, "")

enum sek_siem_field {
#define X(id, name, type, kinds, help) SEK_FIELD_##id,
    SEK_SIEM_FIELDS(X)
#undef X
        SEK_N_FIELDS
};
struct sek_siem_field_info {
    const char *name;
    enum sek_siem_type type;
    unsigned kinds;
    const char *help;
};
extern const struct sek_siem_field_info sek_siem_fields[SEK_N_FIELDS];

struct sek_siem_value {
    bool set;
    const char *text; /* TEXT, JSON */
    int64_t n;        /* INT, FLAG, TIME */
    double real;
};

/* What all events of a run have in common. */
struct sek_siem_source {
    const char *host, *version;
    int64_t identity;                /* of events.db */
    const struct sek_suffix *suffix; /* may be NULL: then hits have no registered domain */
    /* How an endpoint is shown, NULL: by its address; and texts that may hold addresses. The result
     * is borrowed until the next call. */
    const char *(*endpoint)(void *arg, const char *address);
    const char *(*cloak)(void *arg, enum sek_veil_what what, const char *text);
    void *arg;
};

struct sek_siem_event {
    enum sek_siem_kind kind;
    struct sek_siem_value value[SEK_N_FIELDS];
    struct sek_buf texts; /* of those that were made here; NUL between two */
};

void sek_siem_init(struct sek_siem_event *e);
/* Each call makes it anew. NOMEM. */
enum sek_err sek_siem_of_hit(struct sek_siem_event *e, const struct sek_siem_source *s,
                             const struct sek_hit *hit);
/* first: the finding was not handed on before. */
enum sek_err sek_siem_of_finding(struct sek_siem_event *e, const struct sek_siem_source *s,
                                 const struct sek_finding_row *row, bool first);
enum sek_err sek_siem_of_change(struct sek_siem_event *e, const struct sek_siem_source *s,
                                const struct sek_audit_row *row);
void sek_siem_fini(struct sek_siem_event *e);
