/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/duration.h"
#include "base/jsonscan.h"
#include "tools/input/logmap.h"
#include "tools/input/logvalue.h"
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

#define VALUE_MAX 1100  /* octets of a value that is looked at */
#define OUTCOME_MAX 300 /* the same of those that tell an outcome */

/* --- columns -----------------------------------------------------------------------------------
 */

/* The value of each field, as text; NULL: not there. */
struct values {
    const char *text[SEK_N_LOG_FIELDS];
    char outcome[OUTCOME_MAX]; /* text[SEK_LOG_OUTCOME], where it is there */
    int64_t duration_s;        /* the time is that of its end */
};

static void add_outcome(struct values *v, const char *text)
{
    size_t len = v->text[SEK_LOG_OUTCOME] ? strlen(v->outcome) : 0;
    snprintf(v->outcome + len, sizeof v->outcome - len, "%s%s", len ? " " : "", text);
    v->text[SEK_LOG_OUTCOME] = v->outcome;
}

static char separator_of(const char *line)
{
    return strchr(line, '\t') ? '\t' : strchr(line, ';') ? ';' : strchr(line, ',') ? ',' : ' ';
}

/* One column, taken out of its quotes in place (RFC 4180: a doubled quote is one). Returns where
 * the next begins, NULL at the end. */
static char *take_column(char *p, char separator, char **out)
{
    char *to = p;
    if (separator == ' ')
        p += strspn(p, " ");
    *out = to = p;
    if (*p == '"') {
        for (p++; *p && !(*p == '"' && p[1] != '"'); p++) {
            p += *p == '"';
            *to++ = *p;
        }
        p += *p == '"';
    } else if (*p == '[' && separator == ' ') { /* [27/Nov/2026:13:05:07 +0900] */
        size_t n = strcspn(p + 1, "]");
        memmove(to, p + 1, n);
        to += n;
        p += 1 + n + (p[1 + n] == ']');
    }
    while (*p && *p != separator)
        *to++ = *p++;
    bool more = *p == separator && *p;
    *to = '\0';
    return more ? p + 1 : NULL;
}

static unsigned split(char *line, char separator, char *out[SEK_LOGMAP_COLUMNS])
{
    unsigned n = 0;
    for (char *p = line; p && n < SEK_LOGMAP_COLUMNS; n++) {
        p = take_column(p, separator, &out[n]);
        if (separator == ' ' && !*out[n] && !p)
            break;
    }
    return n;
}

static void set_columns(const struct sek_logmap *m, char *const *columns, unsigned n,
                        struct values *out)
{
    for (int f = 0; f < SEK_N_LOG_FIELDS; f++)
        for (unsigned k = 0; k < m->n_keys[f]; k++) {
            int at = m->column[f][k];
            bool there = at >= 0 && (unsigned)at < n;
            if (there && f == SEK_LOG_OUTCOME)
                add_outcome(out, columns[at]);
            else if (there && !out->text[f])
                out->text[f] = columns[at];
        }
}

static int column_of(char *const *columns, unsigned n, const char *name)
{
    for (unsigned i = 0; i < n; i++)
        if (strcasecmp(columns[i], name) == 0)
            return (int)i;
    return -1;
}

/* Case of names in a head line does not matter. The first alternative that is there counts. */
static void learn_head(struct sek_logmap *m, char *const *columns, unsigned n)
{
    bool is[SEK_N_LOG_FIELDS] = {false};
    for (int f = 0; f < SEK_N_LOG_FIELDS; f++)
        for (unsigned k = 0; k < m->n_keys[f]; k++) {
            bool enough = is[f] && f != SEK_LOG_OUTCOME;
            m->column[f][k] = enough ? -1 : column_of(columns, n, m->keys[f][k]);
            is[f] = is[f] || m->column[f][k] >= 0;
        }
    m->has_head =
        is[SEK_LOG_TIME] && is[SEK_LOG_SOURCE] && (is[SEK_LOG_DESTINATION] || is[SEK_LOG_NAME]);
}

/* The keys of a map's field: "SourceIp, LocalIP". */
static const char *keys_of(const struct sek_logmap *m, int field, char *out, size_t size)
{
    size_t at = 0;
    *out = '\0';
    for (unsigned k = 0; k < m->n_keys[field] && at < size; k++)
        at += (size_t)snprintf(out + at, size - at, "%s%s", k ? ", " : "", m->keys[field][k]);
    return out;
}

static int missing(const struct sek_logmap *m, int field, struct sek_diag *diag)
{
    char keys[120];
    bool numbered = m->kind == SEK_LOGMAP_COLUMNS_KIND, many = m->n_keys[field] > 1;
    return sek_diag_set(diag, SEK_E_INVALID, "%s: %s %s%s",
                        sek_lookup_name(sek__logmap_fields, field),
                        numbered ? "nothing in column"
                        : many   ? "none of"
                                 : "no",
                        keys_of(m, field, keys, sizeof keys), many ? " is there" : "");
}

/* A line that should have been the head: which columns it lacks. */
static int no_head(const struct sek_logmap *m, const char *what, struct sek_log_line *out,
                   struct sek_diag *diag)
{
    static const int needed[] = {SEK_LOG_TIME, SEK_LOG_SOURCE, SEK_LOG_DESTINATION};
    char keys[120];
    int lacks = -1;
    for (unsigned i = 0; i < sizeof needed / sizeof *needed; i++) {
        bool is = false;
        for (unsigned k = 0; k < m->n_keys[needed[i]]; k++)
            is = is || m->column[needed[i]][k] >= 0;
        out->n_found += is;
        if (!is && lacks < 0)
            lacks = needed[i];
    }
    if (out->n_found == 0 || lacks < 0)
        return sek_diag_set(diag, SEK_E_INVALID, "%s", what);
    return sek_diag_set(diag, SEK_E_INVALID, "%s: the head line has none of %s",
                        sek_lookup_name(sek__logmap_fields, lacks),
                        keys_of(m, lacks, keys, sizeof keys));
}

static int read_csv(struct sek_logmap *m, char *line, struct values *v, struct sek_log_line *out,
                    struct sek_diag *diag)
{
    char *columns[SEK_LOGMAP_COLUMNS];
    unsigned n = split(line, m->separator ? m->separator : separator_of(line), columns);
    if (m->has_head) {
        set_columns(m, columns, n, v);
        return 1;
    }
    learn_head(m, columns, n);
    return m->has_head
               ? 0
               : no_head(m, "no head line yet that names time, source and destination", out, diag);
}

/* --- JSON, pairs, Zeek -------------------------------------------------------------------------
 */

/* Values of JSON are held here, as the scan reuses its own. */
struct room {
    char text[SEK_N_LOG_FIELDS][VALUE_MAX];
    unsigned rank[SEK_N_LOG_FIELDS]; /* of the alternative that was taken; from 1 */
};

static void offer(const struct sek_logmap *m, struct room *room, const char *key, const char *value,
                  struct values *out)
{
    for (int f = 0; f < SEK_N_LOG_FIELDS; f++)
        for (unsigned k = 0; k < m->n_keys[f]; k++) {
            if (strcmp(key, m->keys[f][k]) != 0 || !*value)
                continue;
            if (f == SEK_LOG_OUTCOME) {
                add_outcome(out, value);
            } else if (room->rank[f] == 0 || k + 1 < room->rank[f]) {
                snprintf(room->text[f], VALUE_MAX, "%s", value);
                room->rank[f] = k + 1;
                out->text[f] = room->text[f];
            }
        }
}

static bool key_is_line(const struct sek_logmap *m, int field)
{
    return m->n_keys[field] && strcmp(m->keys[field][0], "line") == 0;
}

/* What stands before the first pair, without the pair's own key: packet filters write it to their
 * prefix even where that does not end in a blank ("DROPIN=eth0"). */
static void take_front(const char *text, struct values *out)
{
    char front[OUTCOME_MAX];
    size_t n = strcspn(text, "=");
    n -= n >= 2 && memcmp(text + n - 2, "IN", 2) == 0 ? 2 : 0;
    snprintf(front, sizeof front, "%.*s", (int)(n < sizeof front ? n : sizeof front - 1), text);
    add_outcome(out, front);
}

static void take_pairs(const struct sek_logmap *m, char *text, struct room *room,
                       struct values *out)
{
    for (char *p = text; *p;) {
        char *word, *value;
        p += strspn(p, " \t");
        word = p;
        p += strcspn(p, "= \t");
        if (*p != '=')
            continue;
        *p++ = '\0';
        value = p;
        if (*p == '"') {
            value = ++p;
            p += strcspn(p, "\"");
        } else {
            p += strcspn(p, " \t");
        }
        bool more = *p;
        *p = '\0';
        offer(m, room, word, value, out);
        p += more;
    }
}

static int read_json(const struct sek_logmap *m, const char *line, struct room *room,
                     struct values *out, struct sek_diag *diag)
{
    struct sek_jsonscan scan = {.at = line};
    unsigned n = 0;
    if (line[strspn(line, " \t")] != '{')
        return sek_diag_set(diag, SEK_E_INVALID, "is no JSON object");
    for (; sek_jsonscan_next(&scan); n++) {
        if (*m->within && strcmp(scan.key, m->within) == 0) {
            if (key_is_line(m, SEK_LOG_OUTCOME))
                take_front(scan.value, out);
            take_pairs(m, scan.value, room, out);
        } else if (strcmp(scan.value, "null") != 0) {
            offer(m, room, scan.key, scan.value, out);
        }
    }
    return n ? 1 : sek_diag_set(diag, SEK_E_INVALID, "is no JSON object");
}

/* The front of a line begins with its time and the machine that wrote it, whose name says nothing:
 * see set_line(). */
static int read_pairs(const struct sek_logmap *m, char *line, struct room *room, struct values *out,
                      struct sek_diag *diag)
{
    if (*m->within)
        return read_json(m, line, room, out, diag);
    snprintf(room->text[SEK_LOG_TIME], VALUE_MAX, "%s", line);
    if (key_is_line(m, SEK_LOG_OUTCOME) && !key_is_line(m, SEK_LOG_TIME))
        take_front(line, out);
    take_pairs(m, line, room, out);
    if (key_is_line(m, SEK_LOG_TIME))
        out->text[SEK_LOG_TIME] = room->text[SEK_LOG_TIME];
    return 1;
}

static int read_zeek(struct sek_logmap *m, char *line, struct room *room, struct values *v,
                     struct sek_log_line *out, struct sek_diag *diag)
{
    static const char head[] = "#fields\t";
    char *columns[SEK_LOGMAP_COLUMNS];
    if (*line == '{')
        return read_json(m, line, room, v, diag);
    if (*line == '#') {
        if (strncmp(line, head, sizeof head - 1) == 0)
            learn_head(m, columns, split(line + sizeof head - 1, '\t', columns));
        return 0;
    }
    if (!m->has_head)
        return no_head(m, "no #fields line yet, and no JSON", out, diag);
    set_columns(m, columns, split(line, '\t', columns), v);
    return 1;
}

/* --- logs of a form of their own ----------------------------------------------------------------
 */

static int read_asa(struct sek_logmap *m, const char *line, struct room *room, struct values *v,
                    struct sek_diag *diag)
{
    struct sek_logasa_line out;
    int got = sek_logasa_line(&m->asa, line, &out, diag);
    m->n_else += got == 0;
    if (got != 1)
        return got;
    offer(m, room, "time", out.time, v);
    offer(m, room, "source", out.source, v);
    offer(m, room, "destination", out.destination, v);
    offer(m, room, "port", out.port, v);
    offer(m, room, "action", out.action, v);
    offer(m, room, "outcome", out.outcome, v);
    v->duration_s = out.duration_s;
    return 1;
}

/* What clients ask of the server; not what it asks of others. */
static int read_windows(struct sek_logmap *m, const char *line, struct room *room, struct values *v,
                        struct sek_diag *diag)
{
    struct sek_windowslog_packet packet;
    char addr[SEK_ADDR_TEXT_MAX], name[SEK_NAME_TEXT_MAX], time[32];
    bool is_one = sek_windowslog_is(&m->windows, line);
    int got = sek_windowslog_line(&m->windows, line, &packet, diag);
    if (!is_one)
        return sek_diag_set(diag, SEK_E_INVALID, "is no debug log of Windows' DNS server");
    if (got != 1 || !packet.received || packet.response) {
        m->n_else += got >= 0;
        return got < 0 ? got : 0;
    }
    sek_time_to_text(packet.time_s, time, sizeof time);
    time[strcspn(time, "Z")] = '\0'; /* by a clock whose zone is not said */
    sek_name_to_text(packet.name.octets, name);
    offer(m, room, "time", time, v);
    offer(m, room, "source", sek_addr_to_text(&packet.peer, addr), v);
    offer(m, room, "name", name, v);
    offer(m, room, "action", packet.type, v);
    return 1;
}

/* --- values ------------------------------------------------------------------------------------
 */

/* Canonical, or "" for what is no name; an address there is the destination. */
static void set_name(const struct sek_logmap *m, const char *text, struct sek_log_line *out)
{
    char host[SEK_NAME_TEXT_MAX];
    struct sek_name name;
    struct sek_addr addr;
    unsigned port = out->port;
    if (m->name_form == SEK_LOGMAP_REQUEST) {
        text += strcspn(text, " ");
        text += *text == ' ';
    }
    if (m->name_form == SEK_LOGMAP_NAME)
        snprintf(host, sizeof host, "%s", text);
    else
        sek_logvalue_host(text, host, sizeof host);
    if (sek_logvalue_addr(host, &addr, &port)) {
        if (!out->has_destination)
            out->destination = addr;
        out->has_destination = true;
    } else if (strcmp(host, "-") != 0 &&
               sek_name_from_text(host, strlen(host), &name, NULL) == SEK_OK && name.n_labels > 0) {
        sek_name_to_text(name.octets, out->name);
    }
}

static void set_destination(const struct sek_logmap *m, const struct values *v,
                            struct sek_log_line *out)
{
    const char *to = v->text[SEK_LOG_DESTINATION], *port = v->text[SEK_LOG_PORT];
    if (port)
        (void)sek_logvalue_number(port, &out->port);
    if (to && *m->destination_after) {
        size_t skip = strlen(to);
        while (skip && !strchr(m->destination_after, to[skip - 1]))
            skip--;
        to += skip;
    }
    out->has_destination = to && sek_logvalue_addr(to, &out->destination, &out->port);
    if (v->text[SEK_LOG_NAME])
        set_name(m, v->text[SEK_LOG_NAME], out);
}

/* rest: of a line behind its time. */
static void set_outcome(const struct sek_logmap *m, struct values *v, const char *rest,
                        struct sek_log_line *out)
{
    if (key_is_line(m, SEK_LOG_OUTCOME) && key_is_line(m, SEK_LOG_TIME)) {
        rest += strspn(rest, " ");
        rest += strcspn(rest, " ");
        take_front(rest, v);
    }
    const char *text = v->text[SEK_LOG_OUTCOME];
    out->outcome = text ? sek_logoutcome_of(&m->outcomes, text, m->otherwise) : m->otherwise;
}

static int set_line(const struct sek_logmap *m, struct values *v, int64_t now_s,
                    struct sek_log_line *out, struct sek_diag *diag)
{
    const char *time = v->text[SEK_LOG_TIME], *source = v->text[SEK_LOG_SOURCE], *rest = "";
    unsigned no_port = 1;
    if (!time || !*time)
        return missing(m, SEK_LOG_TIME, diag);
    if (!sek_logvalue_time(time, &m->zone, now_s, &out->time_ms, &rest))
        return sek_diag_set(diag, SEK_E_INVALID, "time: \"%.40s\" is none", time);
    out->n_found++;
    out->time_ms -= v->duration_s * 1000;
    if (!source || !*source || strcmp(source, "-") == 0)
        return missing(m, SEK_LOG_SOURCE, diag);
    out->n_found++;
    out->has_source = sek_logvalue_addr(source, &out->source, &no_port);
    if (!out->has_source)
        snprintf(out->source_name, sizeof out->source_name, "%s", source);
    set_destination(m, v, out);
    if (v->text[SEK_LOG_ACTION])
        snprintf(out->action, sizeof out->action, "%s", v->text[SEK_LOG_ACTION]);
    if (!out->has_destination && !*out->name)
        return sek_diag_set(diag, SEK_E_INVALID, "has no destination: neither address nor name");
    set_outcome(m, v, rest, out);
    return 1;
}

/* Is the line about a connection, as far as its words tell? */
static bool is_wanted(const struct sek_logmap *m, const char *line)
{
    bool wanted = m->n_only == 0;
    for (unsigned i = 0; i < m->n_only && !wanted; i++)
        wanted = strstr(line, m->only[i]) != NULL;
    for (unsigned i = 0; i < m->n_without && wanted; i++)
        wanted = strstr(line, m->without[i]) == NULL;
    return wanted;
}

int sek_logmap_line(struct sek_logmap *m, char *line, int64_t now_s, struct sek_log_line *out,
                    struct sek_diag *diag)
{
    struct values v = {.outcome = ""};
    struct room room;
    char *columns[SEK_LOGMAP_COLUMNS];
    int got = 1;
    *out = (struct sek_log_line){0};
    memset(room.rank, 0, sizeof room.rank);
    line += strncmp(line, "\xef\xbb\xbf", 3) == 0 ? 3 : 0; /* a byte order mark */
    if (!*line || (*line == '#' && m->kind != SEK_LOGMAP_ZEEK))
        return 0;
    if (!is_wanted(m, line)) {
        m->n_else++;
        return 0;
    }
    switch (m->kind) {
    case SEK_LOGMAP_COLUMNS_KIND:
        set_columns(m, columns,
                    split(line, m->separator ? m->separator : separator_of(line), columns), &v);
        break;
    case SEK_LOGMAP_CSV:
        got = read_csv(m, line, &v, out, diag);
        break;
    case SEK_LOGMAP_JSON:
        got = read_json(m, line, &room, &v, diag);
        break;
    case SEK_LOGMAP_PAIRS:
        got = read_pairs(m, line, &room, &v, diag);
        break;
    case SEK_LOGMAP_ASA:
        got = read_asa(m, line, &room, &v, diag);
        break;
    case SEK_LOGMAP_WINDOWS:
        got = read_windows(m, line, &room, &v, diag);
        break;
    case SEK_LOGMAP_ZEEK:
        got = read_zeek(m, line, &room, &v, out, diag);
        break;
    }
    return got == 1 ? set_line(m, &v, now_s, out, diag) : got;
}
