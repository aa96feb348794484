/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/rpz.h"
#include "base/buf.h"
#include "name/text.h"
#include "policy/about.h"
#include "policy/zonetext.h"
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

    struct sek_buf ascii, generated, line; /* the record with A-labels; made of $GENERATE; parsed */
    ldns_rdf *origin;    /* $ORIGIN, at first the root: then owners are the triggers themselves */
    bool origin_known;   /* false after a bad $ORIGIN: relative owners would get a wrong name */
    ldns_rdf *previous;  /* owner of the last record, for lines that leave it out */
    bool previous_known; /* false after a bad owner: what follows must not get a wrong one */
    int64_t default_s, last_s; /* TTLs: of $TTL; that a record gave. -1: none did */
    int64_t ttl_s;             /* of the record at hand. -1: not known */
    char *include;             /* the file that is to be read behind this record; NULL: none */
    ldns_rdf *include_origin;  /* its origin */

    struct sek_name zone; /* owner of the SOA; before it the origin of the first record */
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
    sek_buf_init(&z->ascii, 0);
    sek_buf_init(&z->generated, 0);
    sek_buf_init(&z->line, 0);
    z->default_s = z->last_s = z->ttl_s = -1;
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
    sek_buf_fini(&z->ascii);
    sek_buf_fini(&z->generated);
    sek_buf_fini(&z->line);
    free(z->include);
    ldns_rdf_deep_free(z->include_origin);
    ldns_rdf_deep_free(z->origin);
    ldns_rdf_deep_free(z->previous);
    free(z);
}

/* Recognising a zone file */

/* True for "[owner] [TTL] [class] <type> …" (RFC 1035 §5.1). */
static bool is_record_of(const char *text, size_t len, const char *type)
{
    struct sek_zone_head head;
    return sek_zone_head_read(text, len, &head) && sek_span_is(head.type, type);
}

bool sek_rpz_sign(const char *text, size_t len)
{
    struct sek_span rest = {text, len}, w = sek_span_take_word(&rest);
    return sek_span_is(w, "$TTL") || sek_span_is(w, "$ORIGIN") || sek_span_is(w, "$INCLUDE") ||
           sek_span_is(w, "$GENERATE") || is_record_of(text, len, "SOA");
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

/* Typing errors in actions make data: what RPZ would call an action, or a name without the dot at
 * its end, which then ends with the zone's. */
static void doubt(const struct sek_rpz *z, struct sek_feed *feed, const ldns_rr *rr)
{
    struct sek_name target;
    char text[SEK_NAME_TEXT_MAX];
    const ldns_rdf *rdf = ldns_rr_rdf(rr, 0);
    if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_CNAME || !rdf ||
        sek_name_from_wire(ldns_rdf_data(rdf), ldns_rdf_size(rdf), &target) != SEK_OK)
        return;
    sek_name_to_text(target.octets, text);
    if (target.n_labels == 1 && strncmp(text, "rpz-", 4) == 0)
        sek_feed_doubt(feed,
                       "CNAME %s. is no action; rpz-passthru, rpz-drop and rpz-tcp-only are; "
                       "taken as an alias",
                       text);
    else if (z->zone.n_labels > 0 && sek_name_is_at_or_below(&target, &z->zone))
        sek_feed_doubt(feed,
                       "CNAME %s. leads into the zone itself: is the dot at its end missing? "
                       "taken as an alias",
                       text);
}

/* Any other record: it is the answer, or one of them (draft-vixie-dnsop-dns-rpz §3.6). */
static void local_data(struct sek_feed *feed, enum sek_scope scope, const ldns_rr *rr,
                       int64_t ttl_s)
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
        sek_feed_record(feed, scope, text.data, ttl_s);
    sek_buf_fini(&text);
}

/* A trigger → the rule. feed->rule.name is the trigger without its star. */
static void trigger_action(struct sek_rpz *z, struct sek_feed *feed, const struct sek_name *trigger,
                           enum sek_scope scope, const ldns_rr *rr)
{
    enum sek_action action = record_action(feed, rr, trigger);
    if (action == SEK_ACTION_DEFAULT) {
        doubt(z, feed, rr);
        local_data(feed, scope, rr, z->ttl_s);
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
        sek_feed_rule_for(feed, scope, action, action == SEK_ACTION_SINKHOLE ? z->ttl_s : -1);
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

static void take_soa(struct sek_rpz *z, struct sek_feed *feed, const struct sek_name *owner,
                     const ldns_rr *rr)
{
    if (z->soa_seen && !sek_name_equal(owner->octets, owner->len, z->zone.octets, z->zone.len)) {
        sek_feed_bad(feed, "the SOA record of another zone");
        return;
    }
    z->zone = *owner;
    z->zone_known = z->soa_seen = true;
    if (z->last_s < 0 && ldns_rr_rdf(rr, 6)) /* as BIND takes it where no TTL stands before */
        z->last_s = ldns_rdf2native_int32(ldns_rr_rdf(rr, 6));
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
        take_soa(z, feed, &owner, rr);
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

/* A name of the zone file, absolute. NULL: it is none. */
static ldns_rdf *dname_of(const struct sek_rpz *z, struct sek_span name)
{
    char text[SEK_LINE_MAX + 1];
    if (name.len == 0 || name.len >= sizeof text)
        return NULL;
    if (sek_span_is(name, "@"))
        return ldns_rdf_clone(z->origin);
    memcpy(text, name.at, name.len);
    text[name.len] = '\0';
    ldns_rdf *out = ldns_dname_new_frm_str(text);
    if (out && !ldns_dname_str_absolute(text) && ldns_dname_cat(out, z->origin)) {
        ldns_rdf_deep_free(out);
        out = NULL;
    }
    return out;
}

/* One record, on one line. */
static void parse_one(struct sek_rpz *z, struct sek_feed *feed, const char *text, size_t len)
{
    struct sek_zone_head head;
    bool has_type = sek_zone_head_read(text, len, &head);
    if (head.owner.len > 0) {
        ldns_rdf_deep_free(z->previous);
        z->previous = dname_of(z, head.owner);
        z->previous_known = z->previous != NULL;
        if (!z->previous) {
            sek_feed_bad(feed, "malformed owner name");
            return;
        }
    } else if (!z->previous_known) {
        sek_feed_bad(feed, "no owner name, and none to take over from the record before");
        return;
    }
    if (!has_type) {
        sek_feed_bad(feed, "no record: a type such as CNAME and its data are missing");
        return;
    }
    if (head.has_ttl)
        z->last_s = head.ttl_s;
    z->ttl_s = head.has_ttl        ? head.ttl_s
               : z->default_s >= 0 ? z->default_s /* RFC 2308 §4 */
                                   : z->last_s;
    /* in the order that ldns knows, for the owner at hand */
    sek_buf_reset(&z->line);
    sek_buf_add_fmt(&z->line, " 0 %.*s %.*s %.*s", (int)head.class.len, head.class.at,
                    (int)head.type.len, head.type.at, (int)head.data.len, head.data.at);
    ldns_rr *rr = NULL;
    ldns_status status = LDNS_STATUS_MEM_ERR;
    if (!z->line.failed)
        status = ldns_rr_new_frm_str(&rr, z->line.data, 0, z->origin, &z->previous);
    if (status == LDNS_STATUS_OK && rr)
        take_record(z, feed, rr);
    else
        sek_feed_bad(feed, "%s", ldns_get_errorstr_by_id(status));
    ldns_rr_free(rr);
}

static void take_origin(struct sek_rpz *z, struct sek_feed *feed, struct sek_span name)
{
    ldns_rdf *origin = dname_of(z, name);
    z->origin_known = origin != NULL;
    if (!origin) {
        sek_feed_bad(feed, "malformed $ORIGIN");
        return;
    }
    ldns_rdf_deep_free(z->origin);
    z->origin = origin;
}

static void take_ttl(struct sek_rpz *z, struct sek_feed *feed, struct sek_span text)
{
    uint32_t ttl_s;
    if (sek_zone_ttl_read(text, &ttl_s))
        z->default_s = ttl_s;
    else
        sek_feed_bad(feed, "malformed $TTL");
}

/* Noted, for the end of this line. */
static void take_include(struct sek_rpz *z, struct sek_feed *feed, struct sek_span rest)
{
    struct sek_span file = sek_span_take_quoted(&rest), origin = sek_span_take_word(&rest);
    ldns_rdf *there = origin.len ? dname_of(z, origin) : ldns_rdf_clone(z->origin);
    char *path = file.len ? strndup(file.at, file.len) : NULL;
    if (path && there) {
        z->include = path;
        z->include_origin = there;
        return;
    }
    sek_feed_bad(feed, "$INCLUDE wants a file, and an origin if it has one of its own");
    ldns_rdf_deep_free(there);
    free(path);
}

static void take_generate(struct sek_rpz *z, struct sek_feed *feed, struct sek_span rest)
{
    struct sek_zone_generate g;
    struct sek_diag why;
    enum sek_err err = sek_zone_generate_begin(rest, &g, &why);
    int more = err ? -1 : 1;
    if (err == SEK_E_LIMIT) { /* without them it would be another zone */
        feed->stop = sek_diag_set(feed->diag, err, "%s", why.text);
        return;
    }
    while (more > 0 && feed->stop == SEK_OK) {
        more = sek_zone_generate_next(&g, &z->generated, &why);
        if (more > 0)
            parse_one(z, feed, z->generated.data, z->generated.len);
    }
    if (more < 0)
        sek_feed_bad(feed, "%s", why.text);
}

static void take_directive(struct sek_rpz *z, struct sek_feed *feed, const char *text, size_t len)
{
    struct sek_span rest = {text, len}, name = sek_span_take_word(&rest);
    if (sek_span_is(name, "$TTL"))
        take_ttl(z, feed, sek_span_take_word(&rest));
    else if (sek_span_is(name, "$ORIGIN"))
        take_origin(z, feed, sek_span_take_word(&rest));
    else if (!z->origin_known)
        sek_feed_bad(feed, "after a malformed $ORIGIN");
    else if (sek_span_is(name, "$INCLUDE"))
        take_include(z, feed, rest);
    else if (sek_span_is(name, "$GENERATE"))
        take_generate(z, feed, rest);
    else
        sek_feed_bad(feed, "no directive such as $ORIGIN, $TTL, $INCLUDE or $GENERATE");
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
    const struct sek_buf *text = &z->record;
    struct sek_diag why;
    if (text->len == 0 || text->data[strspn(text->data, " \t")] == '\0')
        return;
    if (!is_ascii(text)) {
        sek_buf_reset(&z->ascii);
        if (sek_zone_ascii(text->data, text->len, &z->ascii, &why)) {
            z->previous_known = z->previous_known && sek_span_is_blank(text->data[0]);
            sek_feed_bad(feed, "%s", why.text);
            return;
        }
        text = &z->ascii;
    }
    if (text->data[0] == '$')
        take_directive(z, feed, text->data, text->len);
    else if (!z->origin_known)
        sek_feed_bad(feed, "after a malformed $ORIGIN");
    else
        parse_one(z, feed, text->data, text->len);
}

/* The file of $INCLUDE, in which origin and owner are its own (RFC 1035 §5.1). */
static void include(struct sek_rpz *z, struct sek_feed *feed)
{
    char *path = z->include;
    ldns_rdf *origin = z->origin, *previous = z->previous;
    bool previous_known = z->previous_known;
    z->include = NULL;
    z->origin = z->include_origin;
    z->include_origin = z->previous = NULL;
    z->previous_known = false;
    feed->stop = feed->include(feed, path);
    ldns_rdf_deep_free(z->origin);
    ldns_rdf_deep_free(z->previous);
    z->origin = origin;
    z->origin_known = true;
    z->previous = previous;
    z->previous_known = previous_known;
    free(path);
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
    uint64_t *at = sek_feed_line(feed), line = *at;
    *at = z->first;
    if (z->record.failed)
        z->broken = "no memory for this record";
    if (z->broken) {
        z->previous_known = false;
        sek_feed_bad(feed, "%s", z->broken);
    } else {
        parse_record(z, feed);
    }
    z->broken = NULL;
    z->depth = 0;
    z->n_lines = 0;
    sek_buf_reset(&z->record);
    if (z->include)
        include(z, feed);
    *at = line;
}

void sek_rpz_line(struct sek_feed *feed, const char *text, size_t len)
{
    struct sek_rpz *z = feed->rpz;
    if (z->n_lines++ == 0)
        z->first = *sek_feed_line(feed);
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
