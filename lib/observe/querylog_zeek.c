/* SPDX-License-Identifier: BSD-3-Clause */
/* Zeek's dns.log, as TSV and as JSON lines; our export as JSON lines. */
#include "base/jsonscan.h"
#include "observe/logtime.h"
#include "observe/querylog_parts.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

/* The columns and members that are read: of a dns.log in both its forms, of our export. */
enum field {
    OTHER,
    TS,
    QUERY,
    ORIGIN,
    RCODE,
    QTYPE,
    ANSWERS,
    TTLS,
    PORT,
    UID,
    DOMAIN,
    FIRST,
    LAST,
    RESOLVED,
    ENDPOINTS,
    SINCE
};
#define FIELD(id, name)                                                                            \
    {                                                                                              \
        id, sizeof name - 1, name                                                                  \
    }
static const struct {
    enum field id;
    unsigned len;
    const char *name;
} fields[] = {
    FIELD(TS, "ts"),         FIELD(QUERY, "query"),       FIELD(ORIGIN, "id.orig_h"),
    FIELD(ORIGIN, "orig_h"), FIELD(RCODE, "rcode"),       FIELD(RCODE, "rcode_name"),
    FIELD(QTYPE, "qtype"),   FIELD(QTYPE, "qtype_name"),  FIELD(ANSWERS, "answers"),
    FIELD(TTLS, "TTLs"),     FIELD(PORT, "id.resp_p"),    FIELD(PORT, "resp_p"),
    FIELD(UID, "uid"),       FIELD(DOMAIN, "domain"),     FIELD(FIRST, "first"),
    FIELD(LAST, "last"),     FIELD(RESOLVED, "resolved"), FIELD(ENDPOINTS, "endpoints"),
    FIELD(SINCE, "since"),
};

static enum field field_of(const char *text, size_t len)
{
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (fields[i].len == len && memcmp(fields[i].name, text, len) == 0)
            return fields[i].id;
    return OTHER;
}

void sek__zeek_head(struct sek_querylog *log, const char *line)
{
    const char *p = line + strcspn(line, "\t");
    bool has_time = false, has_query = false;

    memset(log->columns, OTHER, sizeof log->columns);
    for (int i = 0; *p && i < SEK_QUERYLOG_COLUMNS; i++) {
        struct sek_word w = {p + 1, strcspn(p + 1, "\t")};
        enum field field = field_of(w.at, w.len);
        log->columns[i] = (uint8_t)field;
        has_time |= field == TS;
        has_query |= field == QUERY;
        p = w.at + w.len;
    }
    log->zeek = has_time && has_query; /* or another log than dns.log */
}

/* Multicast DNS, LLMNR, NetBIOS: nothing that a resolver is asked. */
static bool is_dns_port(const struct sek_word *w)
{
    return !sek__line_is_text(w, "5353") && !sek__line_is_text(w, "5355") &&
           !sek__line_is_text(w, "137");
}

static bool zeek_time(const struct sek_querylog *log, const char *p, struct sek_query_seen *out)
{
    int64_t time_ms;

    const char *begin = p;
    if ((!sek_logtime_take_epoch(&p, &time_ms) || (*p && *p != '\t')) &&
        (p = begin, !sek_logtime_take_ms(&p, log->now_s, &time_ms)))
        return false;
    sek__line_set_time(out, time_ms);
    return true;
}

static void zeek_vector(struct sek_word w, enum field field, struct sek_query_seen *out)
{
    if (sek__line_is_text(&w, "-"))
        return;
    while (w.len > 0) {
        const char *comma = memchr(w.at, ',', w.len);
        size_t len = comma ? (size_t)(comma - w.at) : w.len;
        if (field == TTLS)
            sek__line_add_ttl(w.at, out);
        else
            sek__line_add_answer(&(struct sek_word){w.at, len}, out);
        len += comma != NULL;
        w.at += len;
        w.len -= len;
    }
}

/* False: the record is none of ours. */
static bool zeek_take(enum field field, const struct sek_word *w, struct sek_query_seen *out)
{
    switch (field) {
    case ORIGIN:
        sek__line_set_endpoint(w, out);
        return true;
    case RCODE:
        if (out->rcode < 0)
            sek__line_set_exists(w, out);
        return true;
    case QTYPE:
        if (out->qtype == 0)
            sek__line_set_type(w, out);
        return true;
    case ANSWERS:
    case TTLS:
        zeek_vector(*w, field, out);
        return true;
    case PORT:
        return is_dns_port(w);
    default:
        return true;
    }
}

int sek__zeek_read(struct sek_querylog *log, char *line, struct sek_query_seen *out,
                   struct sek_diag *diag)
{
    const char *p = line;
    struct sek_word name = {line, 0};
    bool has_rcode = false;

    for (int i = 0; i < SEK_QUERYLOG_COLUMNS; i++) {
        const char *end = strchrnul(p, '\t');
        struct sek_word w = {p, (size_t)(end - p)};
        enum field field = log->columns[i];
        has_rcode |= field == RCODE;
        if (field == TS && !zeek_time(log, w.at, out))
            return sek__line_no_time(diag);
        if (field == QUERY)
            name = w;
        else if (field != OTHER && !zeek_take(field, &w, out))
            return 0;
        p = end;
        if (!*p++)
            break;
    }
    out->unanswered = has_rcode && out->rcode < 0;
    return sek__line_set_query(&name, out, diag);
}

/* What the members of a line say; they come in any order. */
struct members {
    char name[SEK_JSONSCAN_VALUE];
    bool has_name, has_time, has_last; /* has_last: it is our export's */
    bool is_zeek, is_other;            /* is_other: a protocol that is none of ours */
};

static unsigned few(const char *text)
{
    unsigned long n = strtoul(text, NULL, 10);
    return n < 123 ? (unsigned)n : 123;
}

static void take_member(struct sek_querylog *log, const struct sek_jsonscan *s, struct members *m,
                        struct sek_query_seen *out)
{
    const struct sek_word value = {s->value, strlen(s->value)};
    enum field field = field_of(s->key, strlen(s->key));
    const char *p = s->value;
    int64_t since_s;

    switch (field) {
    case OTHER:
        break;
    case QUERY:
    case DOMAIN:
        memcpy(m->name, value.at, value.len + 1);
        m->has_name = true;
        break;
    case TS:
    case FIRST:
        m->has_time = zeek_time(log, s->value, out);
        break;
    case LAST:
        m->has_last = sek_logtime_take(&p, log->now_s, &out->seen.last_s);
        break;
    case RESOLVED:
        out->says_exists = true;
        out->seen.resolved = sek__line_is_text(&value, "true");
        break;
    case ENDPOINTS:
        out->seen.endpoints = few(s->value);
        break;
    case SINCE:
        if (sek_logtime_take(&p, log->now_s, &since_s))
            log->since_s = since_s;
        break;
    case UID:
        m->is_zeek = true;
        break;
    case ANSWERS: /* one by one: a text may hold a comma */
        sek__line_add_answer(&value, out);
        break;
    default:
        m->is_other |= !zeek_take(field, &value, out);
    }
}

int sek__json_read(struct sek_querylog *log, char *line, struct sek_query_seen *out,
                   struct sek_diag *diag)
{
    struct sek_jsonscan s = {.at = line};
    struct members m = {.has_name = false};

    while (sek_jsonscan_next(&s))
        take_member(log, &s, &m, out);
    if (!m.has_name || m.is_other)
        return 0;
    if (!m.has_time)
        return (int)sek_diag_set(diag, SEK_E_INVALID, "has no time (ts or first)");
    if (m.has_last)
        out->format = SEK_QUERYLOG_EXPORT;
    if (!m.has_last || out->seen.last_s < out->seen.first_s)
        out->seen.last_s = out->seen.first_s;
    out->unanswered = m.is_zeek && out->rcode < 0;
    return sek__line_set_query(&(struct sek_word){m.name, strlen(m.name)}, out, diag);
}
