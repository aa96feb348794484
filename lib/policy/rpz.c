/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/rpz.h"
#include "base/buf.h"
#include "name/text.h"
#include "policy/about.h"
#include "policy/span.h"
#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

/* A record in parentheses may span lines. One that nobody closes must not swallow the rest of the
 * file: after so many lines it is given up. The longest real ones (keys in base64) take about 20.
 */
#define RECORD_LINES_MAX 64

struct sek_rpz {
    struct sek_buf record; /* the record so far: no comments, no parentheses, one line */
    unsigned depth;        /* open parentheses */
    unsigned n_lines;      /* of the record so far */
    uint64_t first;        /* line on which it starts */
    const char *broken;    /* why it is bad; NULL while it is good */
    ldns_rdf *origin;      /* $ORIGIN, at first the root: then owners are the triggers themselves */
    bool origin_known;     /* false after a bad $ORIGIN: relative owners would get a wrong name */
    ldns_rdf *previous;    /* owner of the last record, for lines that leave it out */
    bool previous_known;   /* false after a bad record: what follows must not get a wrong owner */
    struct sek_name zone;  /* owner of the SOA; before it the origin of the first record */
    bool zone_known, soa_seen;
    struct sek_name sinkhole; /* trigger of the last rule that addresses made */
    bool sinkhole_known;
};

enum sek_err sek_rpz_new(struct sek_rpz **out, struct sek_diag *diag)
{
    struct sek_rpz *z = calloc(1, sizeof(*z));
    if (!z)
        return sek_diag_set(diag, SEK_E_NOMEM, "no memory for a zone reader");
    sek_buf_init(&z->record, (size_t)RECORD_LINES_MAX * (SEK_LINE_MAX + 1));
    z->origin = ldns_dname_new_frm_str(".");
    if (!z->origin) {
        sek_rpz_free(z);
        return sek_diag_set(diag, SEK_E_NOMEM, "no memory for a zone reader");
    }
    z->origin_known = true;
    *out = z;
    return SEK_OK;
}

void sek_rpz_free(struct sek_rpz *z)
{
    if (!z)
        return;
    sek_buf_fini(&z->record);
    ldns_rdf_deep_free(z->origin);
    ldns_rdf_deep_free(z->previous);
    free(z);
}

/* Recognising a zone file */

/* True for "[owner] [TTL] [class] <type> …" (RFC 1035 §5.1). */
static bool is_record_of(const char *text, size_t len, const char *type)
{
    struct sek_span rest = {text, len};
    if (len > 0 && !sek_span_is_blank(text[0]))
        sek_span_take_word(&rest);
    for (int i = 0; i < 3; i++) {
        struct sek_span w = sek_span_take_word(&rest);
        if (sek_span_is(w, type))
            return true;
        if (w.len == 0 || !(sek_span_is(w, "IN") || (w.at[0] >= '0' && w.at[0] <= '9')))
            return false;
    }
    return false;
}

bool sek_rpz_sign(const char *text, size_t len)
{
    struct sek_span rest = {text, len}, w = sek_span_take_word(&rest);
    return sek_span_is(w, "$TTL") || sek_span_is(w, "$ORIGIN") || is_record_of(text, len, "SOA");
}

bool sek_rpz_claims(const char *text, size_t len)
{
    return is_record_of(text, len, "CNAME");
}

/* One record */

static const struct sek_lookup special_targets[] = {
    {SEK_ACTION_NODATA, "*"},
    {SEK_ACTION_PASSTHRU, "rpz-passthru"},
    {SEK_ACTION_DROP, "rpz-drop"},
    {SEK_ACTION_TCP_ONLY, "rpz-tcp-only"},
    {0, NULL},
};

/* The first drafts wrote passthru as a CNAME to the trigger itself, without the label that says
 * what it is about; such zones are still around. */
static bool is_trigger_itself(const struct sek_name *target, const struct sek_name *trigger)
{
    size_t len = trigger->len - 1U; /* without the root */
    if (sek_about_of(trigger) != SEK_ABOUT_NAME)
        len = trigger->offset[trigger->n_labels - 1];
    return target->len == len + 1 && memcmp(target->octets, trigger->octets, len) == 0;
}

/* What a CNAME's target means, or DEFAULT for one that is not an action. trigger: with its star. */
static enum sek_action target_action(const struct sek_name *target, const struct sek_name *trigger)
{
    if (target->n_labels == 0)
        return SEK_ACTION_NXDOMAIN;
    if (target->n_labels == 1) {
        char label[SEK_LABEL_MAX + 1];
        memcpy(label, target->octets + 1, target->octets[0]);
        label[target->octets[0]] = '\0';
        int action = sek_lookup_id(special_targets, label);
        if (action > 0)
            return (enum sek_action)action;
    }
    return is_trigger_itself(target, trigger) ? SEK_ACTION_PASSTHRU : SEK_ACTION_DEFAULT;
}

/* What a trigger's record says, or DEFAULT: our own sinkhole's addresses, as an export has them,
 * are that action; all others are data, also those that lead nowhere. */
static enum sek_action record_action(const struct sek_feed *feed, const ldns_rr *rr,
                                     const struct sek_name *trigger)
{
    struct sek_name target;
    const ldns_rdf *rdf = ldns_rr_rdf(rr, 0);
    if (!rdf)
        return SEK_ACTION_DEFAULT;
    const uint8_t *octets = ldns_rdf_data(rdf);
    size_t n = ldns_rdf_size(rdf);
    switch (ldns_rr_get_type(rr)) {
    case LDNS_RR_TYPE_CNAME:
        return sek_name_from_wire(octets, n, &target) == SEK_OK ? target_action(&target, trigger)
                                                                : SEK_ACTION_DEFAULT;
    case LDNS_RR_TYPE_A:
    case LDNS_RR_TYPE_AAAA: {
        struct sek_addr addr = {.octets = {[10] = 0xff, [11] = 0xff}};
        if (n == 4 || n == 16)
            memcpy(addr.octets + 16 - n, octets, n);
        return (n == 4 || n == 16) && sek_feed_is_own_sinkhole(feed, &addr) ? SEK_ACTION_SINKHOLE
                                                                            : SEK_ACTION_DEFAULT;
    }
    default:
        return SEK_ACTION_DEFAULT;
    }
}

/* Any other record: it is the answer, or one of them (draft-vixie-dnsop-dns-rpz §3.6). */
static void local_data(struct sek_feed *feed, enum sek_scope scope, const ldns_rr *rr)
{
    struct sek_buf text;
    char *word = ldns_rr_type2str(ldns_rr_get_type(rr));
    sek_buf_init(&text, 0);
    sek_buf_add_text(&text, word ? word : "");
    free(word);
    for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
        word = ldns_rdf2str(ldns_rr_rdf(rr, i));
        sek_buf_add_fmt(&text, " %s", word ? word : "");
        free(word);
    }
    if (text.failed)
        sek_feed_bad(feed, "no memory for this record");
    else
        sek_feed_record(feed, scope, text.data);
    sek_buf_fini(&text);
}

/* A trigger → the rule. feed->rule.name is the trigger without its star. */
static void trigger_action(struct sek_rpz *z, struct sek_feed *feed, const struct sek_name *trigger,
                           enum sek_scope scope, const ldns_rr *rr)
{
    enum sek_action action = record_action(feed, rr, trigger);
    if (action == SEK_ACTION_DEFAULT) {
        local_data(feed, scope, rr);
        return;
    }
    /* its A and its AAAA record are one rule */
    bool again = action == SEK_ACTION_SINKHOLE && z->sinkhole_known &&
                 sek_name_equal(z->sinkhole.octets, z->sinkhole.len, trigger->octets, trigger->len);
    if (action == SEK_ACTION_SINKHOLE) {
        z->sinkhole = *trigger;
        z->sinkhole_known = true;
    }
    if (!again)
        sek_feed_rule(feed, scope, action);
}

/* The labels of a name from octet `from` to octet `to`. */
static bool part_of(const struct sek_name *name, size_t from, size_t to, struct sek_name *out)
{
    uint8_t wire[SEK_NAME_MAX];
    memcpy(wire, name->octets + from, to - from);
    wire[to - from] = 0;
    return sek_name_from_wire(wire, to - from + 1, out) == SEK_OK;
}

/* RPZ keeps last labels that begin with "rpz-" to itself; some of ours are none of its triggers. */
static bool is_unknown(const uint8_t *last, const struct sek_name *trigger)
{
    enum sek_about about = sek_about_of(trigger);
    return last[0] >= 4 && memcmp(last + 1, "rpz-", 4) == 0 &&
           (about == SEK_ABOUT_NAME || !sek_about_is_rpz(about));
}

/* Owner without the zone: the trigger. depth > 0: its labels. */
static void trigger_rule(struct sek_rpz *z, struct sek_feed *feed, const struct sek_name *owner,
                         unsigned depth, const ldns_rr *rr)
{
    /* "*.name" covers what is below, "name" itself alone */
    bool below = owner->octets[0] == 1 && owner->octets[1] == '*';
    enum sek_scope scope = below ? SEK_SCOPE_BELOW : SEK_SCOPE_EXACT;
    size_t end = owner->offset[depth];
    struct sek_name trigger;
    struct sek_diag why;
    if (!part_of(owner, 0, end, &trigger) ||
        !part_of(owner, below ? owner->offset[1] : 0, end, &feed->rule.name))
        sek_feed_bad(feed, "malformed owner name");
    else if (is_unknown(owner->octets + owner->offset[depth - 1], &trigger))
        sek_feed_unsupported(feed, "trigger %.*s is not known",
                             owner->octets[owner->offset[depth - 1]],
                             (const char *)owner->octets + owner->offset[depth - 1] + 1);
    else if (sek_about_settle(&scope, &feed->rule.name, &why) != SEK_OK)
        sek_feed_bad(feed, "%s", why.text);
    else
        trigger_action(z, feed, &trigger, scope, rr);
}

static void take_soa(struct sek_rpz *z, struct sek_feed *feed, const struct sek_name *owner)
{
    if (z->soa_seen && !sek_name_equal(owner->octets, owner->len, z->zone.octets, z->zone.len)) {
        sek_feed_bad(feed, "the SOA record of another zone");
        return;
    }
    z->zone = *owner;
    z->zone_known = z->soa_seen = true;
}

/* Records that belong to the zone's own machinery, wherever they stand. */
static bool is_machinery(ldns_rr_type type)
{
    switch (type) {
    case LDNS_RR_TYPE_NS:
    case LDNS_RR_TYPE_DNSKEY:
    case LDNS_RR_TYPE_RRSIG:
    case LDNS_RR_TYPE_NSEC:
    case LDNS_RR_TYPE_NSEC3:
    case LDNS_RR_TYPE_NSEC3PARAM:
        return true;
    default:
        return false;
    }
}

static void take_record(struct sek_rpz *z, struct sek_feed *feed, const ldns_rr *rr)
{
    const ldns_rdf *rdf = ldns_rr_owner(rr);
    struct sek_name owner;
    if (sek_name_from_wire(ldns_rdf_data(rdf), ldns_rdf_size(rdf), &owner) != SEK_OK) {
        sek_feed_bad(feed, "malformed owner name");
        return;
    }
    if (ldns_rr_get_class(rr) != LDNS_RR_CLASS_IN) {
        sek_feed_bad(feed, "the class is not IN");
        return;
    }
    if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_SOA) {
        take_soa(z, feed, &owner);
        return;
    }
    if (!z->zone_known) {
        z->zone_known = sek_name_from_wire(ldns_rdf_data(z->origin), ldns_rdf_size(z->origin),
                                           &z->zone) == SEK_OK;
    }
    if (!sek_name_is_at_or_below(&owner, &z->zone)) {
        char zone[SEK_NAME_TEXT_MAX];
        sek_name_to_text(z->zone.octets, zone);
        sek_feed_bad(feed, "outside of the zone %s", zone);
        return;
    }
    unsigned depth = (unsigned)owner.n_labels - z->zone.n_labels;
    if (depth > 0 && !is_machinery(ldns_rr_get_type(rr)))
        trigger_rule(z, feed, &owner, depth, rr);
}

static void take_directive(struct sek_rpz *z, struct sek_feed *feed)
{
    struct sek_span rest = {z->record.data, z->record.len};
    struct sek_span name = sek_span_take_word(&rest), value = sek_span_take_word(&rest);
    if (sek_span_is(name, "$TTL"))
        return; /* our answers have a TTL of their own */
    if (!sek_span_is(name, "$ORIGIN")) {
        sek_feed_bad(feed, "of the directives only $ORIGIN and $TTL are followed");
        return;
    }
    char text[SEK_LINE_MAX + 1];
    ldns_rdf *origin = NULL;
    if (value.len > 0 && value.len < sizeof(text)) {
        memcpy(text, value.at, value.len);
        text[value.len] = '\0';
        origin = ldns_dname_new_frm_str(text);
        if (origin && text[value.len - 1] != '.' && ldns_dname_cat(origin, z->origin)) {
            ldns_rdf_deep_free(origin);
            origin = NULL;
        }
    }
    z->origin_known = origin != NULL;
    if (!origin) {
        sek_feed_bad(feed, "malformed $ORIGIN");
        return;
    }
    ldns_rdf_deep_free(z->origin);
    z->origin = origin;
}

static bool is_ascii(const struct sek_buf *b)
{
    for (size_t i = 0; i < b->len; i++)
        if ((uint8_t)b->data[i] >= 0x80)
            return false;
    return true;
}

static void parse_record(struct sek_rpz *z, struct sek_feed *feed)
{
    if (z->record.len == 0 || z->record.data[strspn(z->record.data, " \t")] == '\0')
        return;
    if (z->record.data[0] == '$') {
        take_directive(z, feed);
        return;
    }
    if (!z->origin_known) {
        sek_feed_bad(feed, "after a malformed $ORIGIN");
        return;
    }
    bool has_owner = !sek_span_is_blank(z->record.data[0]);
    if (!has_owner && !z->previous_known) {
        sek_feed_bad(feed, "no owner name, and none to take over from the record before");
        return;
    }
    ldns_rr *rr = NULL;
    ldns_status status = LDNS_STATUS_SYNTAX_ERR;
    bool ascii = is_ascii(&z->record);
    if (ascii)
        status = ldns_rr_new_frm_str(&rr, z->record.data, 0, z->origin, &z->previous);
    if (status == LDNS_STATUS_OK && rr) {
        z->previous_known = true;
        take_record(z, feed, rr);
    } else {
        z->previous_known = z->previous_known && !has_owner;
        sek_feed_bad(feed, "%s",
                     ascii ? ldns_get_errorstr_by_id(status)
                           : "a zone file is ASCII: write names as A-labels (xn--…)");
    }
    ldns_rr_free(rr);
}

/* Assembling records from lines */

/* Append a line without its comment; parentheses become blanks (RFC 1035 §5.1). */
static void append_line(struct sek_rpz *z, const char *text, size_t len)
{
    bool quoted = false;
    for (size_t i = 0; i < len; i++) {
        size_t n = 1;
        const char *octet = text + i;
        if (text[i] == '\\' && i + 1 < len) {
            n = 2;
            i++;
        } else if (text[i] == '"') {
            quoted = !quoted;
        } else if (!quoted && text[i] == ';') {
            break;
        } else if (!quoted && text[i] == '(') {
            z->depth++;
            octet = " ";
        } else if (!quoted && text[i] == ')') {
            if (z->depth == 0)
                z->broken = "')' without '('";
            else
                z->depth--;
            octet = " ";
        }
        sek_buf_add(&z->record, octet, n);
    }
    if (quoted)
        z->broken = "a quotation mark that is not closed";
}

/* The record is complete: report or parse it under the number of its first line. */
static void end_record(struct sek_rpz *z, struct sek_feed *feed)
{
    uint64_t line = feed->rule.line;
    feed->rule.line = z->first;
    if (z->record.failed)
        z->broken = "no memory for this record";
    if (z->broken) {
        z->previous_known = false;
        sek_feed_bad(feed, "%s", z->broken);
    } else {
        parse_record(z, feed);
    }
    feed->rule.line = line;
    z->broken = NULL;
    z->depth = 0;
    z->n_lines = 0;
    sek_buf_reset(&z->record);
}

void sek_rpz_line(struct sek_feed *feed, const char *text, size_t len)
{
    struct sek_rpz *z = feed->rpz;
    if (z->n_lines++ == 0)
        z->first = feed->rule.line;
    else
        sek_buf_add(&z->record, " ", 1);
    append_line(z, text, len);
    if (z->depth > 0 && z->n_lines == RECORD_LINES_MAX) {
        z->broken = "'(' that is not closed within 64 lines: those were skipped";
        z->depth = 0;
    }
    if (z->depth == 0)
        end_record(z, feed);
}

void sek_rpz_gap(struct sek_rpz *z)
{
    z->previous_known = false;
    if (z->depth > 0)
        z->broken = "a line of this record could not be read";
}

bool sek_rpz_end(struct sek_feed *feed)
{
    struct sek_rpz *z = feed->rpz;
    if (z->depth == 0)
        return true;
    z->broken = "the file ends within this record";
    end_record(z, feed);
    return false;
}
