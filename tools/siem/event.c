/* SPDX-License-Identifier: BSD-3-Clause */
#include "event.h"
#include "base/hash.h"
#include "base/json.h"
#include "event/finding.h"
#include "name/qtype.h"
#include "name/text.h"
#include "policy/rule.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

const struct sek_lookup sek_siem_kind_names[] = {
    {SEK_SIEM_HIT, "hit"}, {SEK_SIEM_FINDING, "finding"}, {SEK_SIEM_CHANGE, "change"}, {0, NULL}};
const struct sek_lookup sek_siem_kind_plurals[] = {
    {SEK_SIEM_HIT, "hits"}, {SEK_SIEM_FINDING, "findings"}, {SEK_SIEM_CHANGE, "audit"}, {0, NULL}};

const struct sek_siem_field_info sek_siem_fields[SEK_N_FIELDS] = {
#define X(id, name, type, kinds, help) {name, SEK_SIEM_##type, kinds, help},
    SEK_SIEM_FIELDS(X)
#undef X
};

/* --- values ------------------------------------------------------------------------------------
 */

/* Texts made here lie in one buffer that moves while it grows: until `settle` a value holds where
 * its text begins. */
#define MADE ((const char *)1)

static void set_text(struct sek_siem_event *e, enum sek_siem_field f, const char *text)
{
    e->value[f] = (struct sek_siem_value){.set = text && *text, .text = text};
}

static void set_int(struct sek_siem_event *e, enum sek_siem_field f, int64_t n)
{
    e->value[f] = (struct sek_siem_value){.set = true, .n = n};
}

static void set_real(struct sek_siem_event *e, enum sek_siem_field f, double real)
{
    e->value[f] = (struct sek_siem_value){.set = isfinite(real), .real = real};
}

static void begin_made(struct sek_siem_event *e, enum sek_siem_field f)
{
    e->value[f] = (struct sek_siem_value){.set = true, .text = MADE, .n = (int64_t)e->texts.len};
}

static void end_made(struct sek_siem_event *e)
{
    sek_buf_add(&e->texts, "", 1);
}

static void set_made(struct sek_siem_event *e, enum sek_siem_field f, const char *text)
{
    begin_made(e, f);
    sek_buf_add_text(&e->texts, text);
    end_made(e);
}

/* A JSON array of the texts that there are; none: not set. */
static void set_array(struct sek_siem_event *e, enum sek_siem_field f, const char *const *texts,
                      unsigned n)
{
    unsigned n_put = 0;
    begin_made(e, f);
    for (unsigned i = 0; i < n; i++) {
        if (!texts[i] || !*texts[i] || (i && texts[0] && strcmp(texts[i], texts[0]) == 0))
            continue;
        sek_buf_add_text(&e->texts, n_put++ ? "," : "[");
        sek_json_add_text(&e->texts, texts[i]);
    }
    sek_buf_add_text(&e->texts, "]");
    end_made(e);
    e->value[f].set = n_put > 0;
}

static enum sek_err settle(struct sek_siem_event *e)
{
    if (e->texts.failed)
        return SEK_E_NOMEM;
    for (unsigned f = 0; f < SEK_N_FIELDS; f++)
        if (e->value[f].set && e->value[f].text == MADE)
            e->value[f].text = e->texts.data + e->value[f].n;
    return SEK_OK;
}

void sek_siem_init(struct sek_siem_event *e)
{
    memset(e, 0, sizeof *e);
    sek_buf_init(&e->texts, 0);
}

void sek_siem_fini(struct sek_siem_event *e)
{
    sek_buf_fini(&e->texts);
}

/* --- of all kinds ------------------------------------------------------------------------------
 */

static void begin(struct sek_siem_event *e, const struct sek_siem_source *s,
                  enum sek_siem_kind kind)
{
    memset(e->value, 0, sizeof e->value);
    sek_buf_reset(&e->texts);
    e->kind = kind;
    set_text(e, SEK_FIELD_SCHEMA, SEK_SIEM_SCHEMA);
    set_text(e, SEK_FIELD_KIND, sek_lookup_name(sek_siem_kind_names, (int)kind));
    set_text(e, SEK_FIELD_HOST, s->host);
    set_text(e, SEK_FIELD_VERSION, s->version);
}

/* The same for the same row of the same database, ever; 128 bits, so that no two share one. */
static void set_id(struct sek_siem_event *e, const struct sek_siem_source *s, int64_t number,
                   int64_t mark)
{
    const struct sek_hash_key keys[] = {{0x73656b6973686f31, 1}, {0x73656b6973686f32, 2}};
    const int64_t what[] = {s->identity, (int64_t)e->kind, number, mark};
    char text[40];
    snprintf(text, sizeof text, "%016" PRIx64 "%016" PRIx64, sek_hash(&keys[0], what, sizeof what),
             sek_hash(&keys[1], what, sizeof what));
    set_made(e, SEK_FIELD_ID, text);
}

/* severity_id of OCSF: 1 Informational, 2 Low, 3 Medium, 4 High, 5 Critical. */
static void set_severity(struct sek_siem_event *e, int severity)
{
    set_int(e, SEK_FIELD_SEVERITY, severity);
    set_int(e, SEK_FIELD_SEVERITY_ID,
            severity <= 1   ? 1
            : severity <= 3 ? 2
            : severity <= 6 ? 3
            : severity <= 8 ? 4
                            : 5);
}

/* type_uid of OCSF is class_uid × 100 + activity_id. */
static void set_activity(struct sek_siem_event *e, int64_t class_uid, int64_t activity)
{
    set_int(e, SEK_FIELD_ACTIVITY, activity);
    set_int(e, SEK_FIELD_TYPE_UID, class_uid * 100 + activity);
}

static const char *cloaked(const struct sek_siem_source *s, enum sek_veil_what what,
                           const char *text)
{
    return s->cloak ? s->cloak(s->arg, what, text) : text;
}

static void set_endpoint(struct sek_siem_event *e, const struct sek_siem_source *s,
                         const char *address)
{
    struct sek_addr addr;
    const char *shown = s->endpoint ? s->endpoint(s->arg, address) : address;
    set_made(e, SEK_FIELD_ENDPOINT, shown);
    if (sek_addr_from_text(shown, &addr, NULL) != SEK_OK) {
        set_made(e, SEK_FIELD_PSEUDONYM, shown);
        return;
    }
    set_made(e, SEK_FIELD_SOURCE_IP, shown);
    set_made(e, sek_addr_is_v4(&addr) ? SEK_FIELD_SOURCE_V4 : SEK_FIELD_SOURCE_V6, shown);
    set_array(e, SEK_FIELD_RELATED_IP, &shown, 1);
}

static const char *made(const struct sek_siem_event *e, enum sek_siem_field f)
{
    if (!e->value[f].set || !e->texts.data)
        return "";
    return e->value[f].text == MADE ? e->texts.data + e->value[f].n : e->value[f].text;
}

/* observable of OCSF: type_id 1 Hostname, 2 IP Address. */
static void add_observable(struct sek_buf *b, const char *name, int type, const char *value)
{
    if (!value || !*value)
        return;
    sek_buf_add_fmt(b, "%s{\"name\":\"%s\",\"type_id\":%d,\"value\":",
                    b->len && b->data[b->len - 1] == '[' ? "" : ",", name, type);
    sek_json_add_text(b, value);
    sek_buf_add_text(b, "}");
}

/* met: another address that belongs to it, or "". */
static void set_observables(struct sek_siem_event *e, const char *host_path, const char *host,
                            const char *ip_path, const char *met)
{
    struct sek_buf b;
    sek_buf_init(&b, 0);
    sek_buf_add_text(&b, "[");
    add_observable(&b, host_path, 1, host);
    add_observable(&b, ip_path, 2, made(e, SEK_FIELD_SOURCE_IP));
    add_observable(&b, "unmapped.matched", 2, met);
    sek_buf_add_text(&b, "]");
    if (b.data && b.len > 2)
        set_made(e, SEK_FIELD_OBSERVABLES, b.data);
    e->texts.failed = e->texts.failed || b.failed;
    sek_buf_fini(&b);
}

/* --- hits --------------------------------------------------------------------------------------
 */

/* disposition_id of OCSF: 1 Allowed, 2 Blocked, 6 Dropped, 17 Logged; action_id: 1 Allowed, 2
 * Denied. rcode_id: that of DNS. */
static void set_outcome(struct sek_siem_event *e, const struct sek_hit *hit)
{
    bool blocked = sek_action_blocks((enum sek_action)hit->action);
    bool only_log = hit->monitor || hit->action == SEK_ACTION_LOG;
    set_int(e, SEK_FIELD_BLOCKED, blocked);
    set_int(e, SEK_FIELD_ACTION_ID, blocked ? 2 : 1);
    set_int(e, SEK_FIELD_DISPOSITION,
            hit->action == SEK_ACTION_DROP ? 6
            : blocked                      ? 2
            : only_log                     ? 17
                                           : 1);
    if (hit->action == SEK_ACTION_NXDOMAIN)
        set_int(e, SEK_FIELD_RCODE, 3);
    else if (hit->action == SEK_ACTION_REFUSED)
        set_int(e, SEK_FIELD_RCODE, 5);
    else if (blocked && hit->action != SEK_ACTION_DROP)
        set_int(e, SEK_FIELD_RCODE, 0);
    set_text(e, SEK_FIELD_ECS_TYPE,
             blocked ? "[\"protocol\",\"denied\"]" : "[\"protocol\",\"allowed\"]");
    set_severity(e, hit->trigger == SEK_TRIGGER_SINKHOLED ? 8 : blocked ? 5 : only_log ? 3 : 1);
}

static void set_domain(struct sek_siem_event *e, const struct sek_siem_source *s, const char *text)
{
    struct sek_name name;
    char domain[SEK_NAME_TEXT_MAX];
    if (!s->suffix || sek_name_from_text(text, strlen(text), &name, NULL) != SEK_OK)
        return;
    int labels = sek_suffix_registered(s->suffix, &name);
    if (labels < 0)
        return;
    sek_name_to_text(sek_name_skip(name.octets, (unsigned)labels), domain);
    set_made(e, SEK_FIELD_DOMAIN, domain);
}

/* Not by the name, but by what is on the way, or in the answer. */
static bool is_by_other(const struct sek_hit *hit)
{
    return strcmp(hit->matched, hit->name) != 0;
}

static void say_hit(struct sek_siem_event *e, const struct sek_hit *hit, const char *type)
{
    begin_made(e, SEK_FIELD_MESSAGE);
    char endpoint[64];
    snprintf(endpoint, sizeof endpoint, "%s", made(e, SEK_FIELD_ENDPOINT));
    sek_buf_add_fmt(&e->texts, "%s asked for %s %s", endpoint, hit->name, type);
    if (hit->count > 1)
        sek_buf_add_fmt(&e->texts, " %" PRIu64 " times", hit->count);
    sek_buf_add_fmt(&e->texts, ": %s", sek_lookup_name(sek_action_names, hit->action));
    if (hit->monitor)
        sek_buf_add_fmt(&e->texts, ", would be %s", sek_lookup_name(sek_action_names, hit->would));
    if (*hit->list)
        sek_buf_add_fmt(&e->texts, ", by %s", hit->list);
    if (*hit->rule)
        sek_buf_add_fmt(&e->texts, " (%s)", hit->rule);
    if (is_by_other(hit))
        sek_buf_add_fmt(&e->texts, ", met by %s", hit->matched);
    end_made(e);
}

static bool is_address(const char *text)
{
    struct sek_addr addr;
    return sek_addr_from_text(text, &addr, NULL) == SEK_OK;
}

/* Names and addresses that belong to it. met: what it met, before it was cloaked: a pseudonym is
 * neither a host nor an address. */
static void set_related(struct sek_siem_event *e, const struct sek_hit *hit, const char *met)
{
    const char *shown = is_by_other(hit) ? hit->matched : "";
    const char *host = is_address(met) ? "" : shown;
    const char *address = is_address(shown) ? shown : "";
    char source[SEK_ADDR_TEXT_MAX];
    snprintf(source, sizeof source, "%s", made(e, SEK_FIELD_SOURCE_IP));
    set_array(e, SEK_FIELD_RELATED_HOSTS, (const char *const[]){hit->name, host}, 2);
    if (*address)
        set_array(e, SEK_FIELD_RELATED_IP, (const char *const[]){source, address}, 2);
    if (hit->trigger != SEK_TRIGGER_NSIP)
        set_array(e, SEK_FIELD_ANSWER_IP, &address, 1);
    set_observables(e, "query.hostname", hit->name, "src_endpoint.ip", address);
}

/* hit: with its texts as they may be read; met: see set_related. */
static enum sek_err set_hit(struct sek_siem_event *e, const struct sek_siem_source *s,
                            const struct sek_hit *hit, const char *met)
{
    char type[16], decision[16];
    begin(e, s, SEK_SIEM_HIT);
    set_id(e, s, hit->id, hit->decision);
    set_endpoint(e, s, hit->endpoint);
    set_int(e, SEK_FIELD_TIME, hit->first_ms);
    set_int(e, SEK_FIELD_FIRST, hit->first_ms);
    set_int(e, SEK_FIELD_LAST, hit->last_ms);
    set_int(e, SEK_FIELD_COUNT, (int64_t)hit->count);
    set_made(e, SEK_FIELD_NAME, hit->name);
    set_made(e, SEK_FIELD_TYPE, sek_qtype_to_text(hit->qtype, type, sizeof type));
    set_domain(e, s, hit->name);
    set_text(e, SEK_FIELD_ACTION, sek_lookup_name(sek_action_names, hit->action));
    set_text(e, SEK_FIELD_RULE_ACTION, sek_lookup_name(sek_action_names, hit->would));
    set_int(e, SEK_FIELD_MONITOR, hit->monitor);
    set_text(e, SEK_FIELD_LIST, hit->list);
    set_made(e, SEK_FIELD_RULE, hit->rule);
    e->value[SEK_FIELD_RULE].set = *hit->rule != '\0';
    set_text(e, SEK_FIELD_TRIGGER, sek_lookup_name(sek_trigger_names, hit->trigger));
    if (is_by_other(hit))
        set_made(e, SEK_FIELD_MATCHED, hit->matched);
    snprintf(decision, sizeof decision, "%08" PRIx32, hit->decision);
    set_made(e, SEK_FIELD_DECISION, decision);
    set_int(e, SEK_FIELD_GENERATION, (int64_t)hit->generation);
    if (hit->score != SEK_SCORE_UNKNOWN)
        set_real(e, SEK_FIELD_SCORE, hit->score / 100.0);
    set_outcome(e, hit);
    set_activity(e, 4003, 1); /* Query */
    set_text(e, SEK_FIELD_TITLE,
             e->value[SEK_FIELD_BLOCKED].n                   ? "DNS query blocked"
             : hit->monitor || hit->action == SEK_ACTION_LOG ? "DNS query recorded"
                                                             : "DNS query let through");
    set_related(e, hit, met);
    say_hit(e, hit, type);
    return settle(e);
}

/* What may be read of its texts is copied once, and nothing else is looked at behind that. */
enum sek_err sek_siem_of_hit(struct sek_siem_event *e, const struct sek_siem_source *s,
                             const struct sek_hit *hit)
{
    enum sek_err err = SEK_E_NOMEM;
    struct sek_hit shown = *hit;
    char *name = strdup(cloaked(s, SEK_VEIL_NAME, hit->name));
    char *rule = strdup(cloaked(s, SEK_VEIL_NAME, hit->rule));
    char *matched = strdup(cloaked(s, SEK_VEIL_NAME, hit->matched));
    if (name && rule && matched) {
        shown.name = name;
        shown.rule = rule;
        shown.matched = matched;
        err = set_hit(e, s, &shown, hit->matched);
    }
    free(name);
    free(rule);
    free(matched);
    return err;
}

/* --- findings ----------------------------------------------------------------------------------
 */

static void set_finding_json(struct sek_siem_event *e, const struct sek_finding_row *row)
{
    struct sek_buf b;
    const char *detector = sek_lookup_name(sek_detector_names, row->detector);
    sek_buf_init(&b, 0);
    if (*row->technique) {
        sek_buf_add_text(&b, "[{\"technique\":{\"uid\":");
        sek_json_add_text(&b, row->technique);
        sek_buf_add_text(&b, "},\"version\":\"14.1\"}]");
        set_made(e, SEK_FIELD_ATTACKS, b.data ? b.data : "");
    }
    sek_buf_reset(&b);
    sek_buf_add_text(&b, "[{");
    if (*made(e, SEK_FIELD_SOURCE_IP)) {
        sek_buf_add_text(&b, "\"src_endpoint\":{\"ip\":");
        sek_json_add_text(&b, made(e, SEK_FIELD_SOURCE_IP));
        sek_buf_add_text(&b, "},");
    }
    if (*row->domain) {
        sek_buf_add_text(&b, "\"query\":{\"hostname\":");
        sek_json_add_text(&b, row->domain);
        sek_buf_add_text(&b, "},");
    }
    sek_buf_add_fmt(&b, "\"data\":%s}]", made(e, SEK_FIELD_EVIDENCE));
    set_made(e, SEK_FIELD_EVIDENCES, b.data ? b.data : "");
    e->texts.failed = e->texts.failed || b.failed;
    sek_buf_fini(&b);
    set_array(e, SEK_FIELD_TYPES, &detector, 1);
    set_array(e, SEK_FIELD_TECHNIQUES, &row->technique, 1);
    set_array(e, SEK_FIELD_RELATED_HOSTS, &row->domain, 1);
}

static void say_finding(struct sek_siem_event *e, const struct sek_finding_row *row)
{
    char endpoint[64];
    snprintf(endpoint, sizeof endpoint, "%s", made(e, SEK_FIELD_ENDPOINT));
    begin_made(e, SEK_FIELD_MESSAGE);
    sek_buf_add_fmt(&e->texts, "%s at %s%s%s, confidence %.2f%s",
                    sek_lookup_name(sek_detector_names, row->detector), endpoint,
                    *row->domain ? ": " : "", row->domain, row->confidence,
                    row->blocked_until_s ? ", blocked" : "");
    end_made(e);
}

enum sek_err sek_siem_of_finding(struct sek_siem_event *e, const struct sek_siem_source *s,
                                 const struct sek_finding_row *row, bool first)
{
    bool blocked = row->blocked_until_s != 0;
    double sure = row->confidence < 0 ? 0 : row->confidence > 1 ? 1 : row->confidence;
    begin(e, s, SEK_SIEM_FINDING);
    set_id(e, s, row->id, row->start_ms);
    set_endpoint(e, s, row->endpoint);
    set_int(e, SEK_FIELD_TIME, row->end_ms);
    set_int(e, SEK_FIELD_FIRST, row->start_ms);
    set_int(e, SEK_FIELD_LAST, row->end_ms);
    set_text(e, SEK_FIELD_DOMAIN, row->domain);
    set_int(e, SEK_FIELD_FINDING, row->id);
    set_int(e, SEK_FIELD_REVISION, row->change);
    set_text(e, SEK_FIELD_DETECTOR, sek_lookup_name(sek_detector_names, row->detector));
    set_real(e, SEK_FIELD_CONFIDENCE, row->confidence);
    set_text(e, SEK_FIELD_MODE, sek_lookup_name(sek_mode_names, row->mode));
    if (blocked)
        set_int(e, SEK_FIELD_BLOCKED_UNTIL, row->blocked_until_s * 1000);
    set_text(e, SEK_FIELD_TECHNIQUE, row->technique);
    const char *evidence = *row->evidence ? row->evidence : "{}";
    set_made(e, SEK_FIELD_EVIDENCE, cloaked(s, SEK_VEIL_TEXT, evidence));
    set_int(e, SEK_FIELD_BLOCKED, blocked);
    set_int(e, SEK_FIELD_ACTION_ID, blocked ? 2 : 1);
    set_int(e, SEK_FIELD_DISPOSITION, blocked ? 2 : 15); /* 15 Detected */
    set_int(e, SEK_FIELD_PERCENT, (int64_t)(sure * 100 + 0.5));
    set_severity(e, 4 + (int)(sure * 4 + 0.5) + blocked);
    set_activity(e, 2004, first ? 1 : 2); /* Create, Update */
    set_text(e, SEK_FIELD_ECS_TYPE, blocked ? "[\"denied\"]" : "[\"info\"]");
    begin_made(e, SEK_FIELD_TITLE);
    sek_buf_add_fmt(&e->texts, "DNS %s", sek_lookup_name(sek_detector_names, row->detector));
    end_made(e);
    set_finding_json(e, row);
    set_observables(e, "evidences[].query.hostname", row->domain, "evidences[].src_endpoint.ip",
                    "");
    say_finding(e, row);
    return settle(e);
}

/* --- changes -----------------------------------------------------------------------------------
 */

static void set_cloaked(struct sek_siem_event *e, const struct sek_siem_source *s,
                        enum sek_siem_field f, const char *text)
{
    if (!text || !*text)
        return;
    set_made(e, f, cloaked(s, SEK_VEIL_TEXT, text));
}

enum sek_err sek_siem_of_change(struct sek_siem_event *e, const struct sek_siem_source *s,
                                const struct sek_audit_row *row)
{
    char id[33], uid[24];
    begin(e, s, SEK_SIEM_CHANGE);
    snprintf(id, sizeof id, "%.32s", row->hash); /* which no other row has, anywhere */
    set_made(e, SEK_FIELD_ID, id);
    set_int(e, SEK_FIELD_TIME, row->time_ms);
    set_int(e, SEK_FIELD_NUMBER, row->number);
    set_text(e, SEK_FIELD_USER, row->user);
    set_int(e, SEK_FIELD_UID, row->uid);
    snprintf(uid, sizeof uid, "%" PRId64, row->uid);
    set_made(e, SEK_FIELD_UID_TEXT, uid);
    set_text(e, SEK_FIELD_ORIGIN, row->origin);
    set_text(e, SEK_FIELD_VERB, row->verb);
    set_cloaked(e, s, SEK_FIELD_OBJECT, row->object);
    set_cloaked(e, s, SEK_FIELD_BEFORE, row->before);
    set_cloaked(e, s, SEK_FIELD_AFTER, row->after);
    set_cloaked(e, s, SEK_FIELD_REASON, row->reason);
    set_cloaked(e, s, SEK_FIELD_COMMAND, row->command);
    if (row->undoes)
        set_int(e, SEK_FIELD_UNDOES, row->undoes);
    set_text(e, SEK_FIELD_HASH, row->hash);
    set_text(e, SEK_FIELD_PREVIOUS, row->previous);
    set_severity(e, 3);
    set_activity(e, 3004,
                 !*row->before && *row->after   ? 1   /* Create */
                 : *row->before && !*row->after ? 4   /* Delete */
                                                : 3); /* Update */
    set_text(e, SEK_FIELD_ECS_TYPE,
             !*row->before && *row->after   ? "[\"creation\"]"
             : *row->before && !*row->after ? "[\"deletion\"]"
                                            : "[\"change\"]");
    set_text(e, SEK_FIELD_TITLE, "Policy change");
    set_array(e, SEK_FIELD_RELATED_USER, &row->user, 1);
    char *object = strdup(made(e, SEK_FIELD_OBJECT));
    begin_made(e, SEK_FIELD_MESSAGE);
    sek_buf_add_fmt(&e->texts, "%s: %s%s%s", row->user, row->verb, object && *object ? " " : "",
                    object ? object : "");
    end_made(e);
    free(object);
    return settle(e);
}
