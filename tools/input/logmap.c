/* SPDX-License-Identifier: BSD-3-Clause */
#include "logmap.h"
#include "tools/caller.h"
#include "base/file.h"
#include "base/jsonscan.h"
#include "classify/modelpath.h"
#include "conf/flatyaml.h"
#include "observe/logtime.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/banned.h"

#define MAP_OCTETS_MAX 65536
#define VALUE_MAX 1100 /* octets of a value that is looked at */

static const struct sek_lookup kinds[] = {
    {SEK_LOGMAP_COLUMNS_KIND, "columns"}, {SEK_LOGMAP_CSV, "csv"},   {SEK_LOGMAP_JSON, "json"},
    {SEK_LOGMAP_PAIRS, "pairs"},          {SEK_LOGMAP_ZEEK, "zeek"}, {0, NULL}};
static const struct sek_lookup fields[] = {{SEK_LOG_TIME, "time"},
                                           {SEK_LOG_SOURCE, "source"},
                                           {SEK_LOG_DESTINATION, "destination"},
                                           {SEK_LOG_PORT, "port"},
                                           {SEK_LOG_NAME, "name"},
                                           {SEK_LOG_ACTION, "action"},
                                           {0, NULL}};
static const struct sek_lookup separators[] = {
    {' ', "blank"}, {'\t', "tab"}, {',', "comma"}, {';', "semicolon"}, {0, NULL}};

/* --- the map -----------------------------------------------------------------------------------
 */

enum sek_err sek_logmap_zone(const char *text, int64_t *out_s, struct sek_diag *diag)
{
    const char *digits = *text ? text + 1 : text;
    size_t n = strspn(digits, "0123456789");
    if (strcmp(text, "Z") == 0 || strcmp(text, "UTC") == 0) {
        *out_s = 0;
        return SEK_OK;
    }
    bool colon = n == 2 && digits[2] == ':';
    const char *minutes = digits + 2 + colon;
    bool good = (*text == '+' || *text == '-') && (n == 4 || colon) &&
                strspn(minutes, "0123456789") == 2 && minutes[2] == '\0';
    int64_t h = good ? (digits[0] - '0') * 10 + (digits[1] - '0') : 99;
    int64_t m = good ? (minutes[0] - '0') * 10 + (minutes[1] - '0') : 99;
    if (h > 14 || m > 59)
        return sek_diag_set(diag, SEK_E_INVALID, "\"%.40s\" is no zone such as +09:00 or Z", text);
    *out_s = (h * 60 + m) * (*text == '-' ? -60 : 60);
    return SEK_OK;
}

static enum sek_err unknown(const char *what, const char *value, const char *allowed,
                            struct sek_diag *diag)
{
    return sek_diag_set(diag, SEK_E_INVALID, "\"%.60s\" is no %s; allowed: %s", value, what,
                        allowed);
}

static enum sek_err add_key(char keys[][SEK_LOGMAP_KEY], unsigned *n, const char *value,
                            struct sek_diag *diag)
{
    size_t len = strlen(value);
    if (len == 0 || len >= SEK_LOGMAP_KEY)
        return sek_diag_set(diag, SEK_E_INVALID, "must have 1 to %d octets", SEK_LOGMAP_KEY - 1);
    if (*n == SEK_LOGMAP_ALTERNATIVES)
        return sek_diag_set(diag, SEK_E_INVALID, "at most %d values", SEK_LOGMAP_ALTERNATIVES);
    memcpy(keys[(*n)++], value, len + 1);
    return SEK_OK;
}

static enum sek_err set(void *arg, const char *key, const char *value, bool first,
                        struct sek_diag *diag)
{
    struct sek_logmap *m = arg;
    int field = sek_lookup_id(fields, key), id;
    if (field >= 0) {
        if (first && m->n_keys[field])
            return sek_diag_set(diag, SEK_E_INVALID, "set twice");
        return add_key(m->keys[field], &m->n_keys[field], value, diag);
    }
    if (strcmp(key, "only") == 0)
        return add_key(m->only, &m->n_only, value, diag);
    if (strcmp(key, "kind") == 0) {
        if ((id = sek_lookup_id(kinds, value)) < 0)
            return unknown("kind", value, "columns csv json pairs zeek", diag);
        m->kind = (enum sek_logmap_kind)id;
    } else if (strcmp(key, "separator") == 0) {
        if ((id = sek_lookup_id(separators, value)) < 0)
            return unknown("separator", value, "blank tab comma semicolon", diag);
        m->separator = (char)id;
    } else if (strcmp(key, "zone") == 0) {
        m->has_zone = true;
        return sek_logmap_zone(value, &m->zone_s, diag);
    } else if (strcmp(key, "name-form") == 0) {
        if (strcmp(value, "url") != 0 && strcmp(value, "name") != 0)
            return unknown("form", value, "name url", diag);
        m->name_is_url = *value == 'u';
    } else if (strcmp(key, "destination-after") == 0) {
        if (strlen(value) >= sizeof m->destination_after)
            return sek_diag_set(diag, SEK_E_INVALID, "too long");
        memcpy(m->destination_after, value, strlen(value) + 1);
    } else {
        return sek_diag_set(diag, SEK_E_INVALID,
                            "unknown key; known here: kind separator only zone time source "
                            "destination destination-after port name name-form action");
    }
    return SEK_OK;
}

/* Up to five digits: a column or a port. */
static bool is_number(const char *text)
{
    size_t n = strspn(text, "0123456789");
    return n > 0 && n < 6 && text[n] == '\0';
}

static int to_int(const char *digits)
{
    return (int)strtol(digits, NULL, 10);
}

static enum sek_err complete(struct sek_logmap *m, const char *label, struct sek_diag *diag)
{
    static const char *const missing[] = {"time", "source"};
    if (!m->kind)
        return sek_diag_set(diag, SEK_E_INVALID, "%s: kind is missing", label);
    for (unsigned i = 0; i < 2; i++)
        if (m->n_keys[i == 0 ? SEK_LOG_TIME : SEK_LOG_SOURCE] == 0)
            return sek_diag_set(diag, SEK_E_INVALID, "%s: %s is missing", label, missing[i]);
    if (!m->n_keys[SEK_LOG_DESTINATION] && !m->n_keys[SEK_LOG_NAME])
        return sek_diag_set(diag, SEK_E_INVALID, "%s: destination or name is missing", label);
    for (int f = 0; f < SEK_N_LOG_FIELDS && m->kind == SEK_LOGMAP_COLUMNS_KIND; f++) {
        if (!m->n_keys[f])
            continue;
        int at = is_number(m->keys[f][0]) ? to_int(m->keys[f][0]) : 0;
        if (at < 1 || at > SEK_LOGMAP_COLUMNS)
            return sek_diag_set(diag, SEK_E_INVALID, "%s: %s: must be a column, 1 to %d", label,
                                sek_lookup_name(fields, f), SEK_LOGMAP_COLUMNS);
    }
    sek_logmap_begin(m);
    return SEK_OK;
}

enum sek_err sek_logmap_parse(const char *text, size_t len, const char *label,
                              struct sek_logmap *out, struct sek_diag *diag)
{
    struct sek_logmap m = {0};
    enum sek_err err = sek_flatyaml_read(text, len, label, set, &m, diag);
    if (!err)
        err = complete(&m, label, diag);
    if (!err)
        *out = m;
    return err;
}

enum sek_err sek_logmap_load(const char *path, struct sek_logmap *out, struct sek_diag *diag)
{
    char name[128], installed[PATH_MAX];
    struct sek_buf text;
    int fd;
    if (!strchr(path, '/') && !strchr(path, '.') && strlen(path) < 64) {
        snprintf(name, sizeof name, "correlate/%s.yaml", path);
        path = sek_shared_path(name, installed, sizeof installed);
    }
    sek_caller_begin(); /* those that are installed may be read by all */
    enum sek_err err = sek_file_open_trusted(path, &fd, diag);
    sek_caller_end();
    if (err)
        return err;
    sek_buf_init(&text, MAP_OCTETS_MAX);
    err = sek_file_read(fd, &text, diag);
    close(fd);
    if (!err)
        err = sek_logmap_parse(text.data ? text.data : "", text.len, path, out, diag);
    sek_buf_fini(&text);
    return err;
}

void sek_logmap_begin(struct sek_logmap *m)
{
    m->has_head = false;
    for (int f = 0; f < SEK_N_LOG_FIELDS; f++) {
        bool numbered = m->kind == SEK_LOGMAP_COLUMNS_KIND && m->n_keys[f];
        m->column[f] = numbered ? to_int(m->keys[f][0]) - 1 : -1;
    }
}

/* --- columns -----------------------------------------------------------------------------------
 */

/* The value of each field, as text; NULL: not there. */
struct values {
    const char *text[SEK_N_LOG_FIELDS];
};

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
        if (m->column[f] >= 0 && (unsigned)m->column[f] < n)
            out->text[f] = columns[m->column[f]];
}

/* Case of names in a head line does not matter. The first alternative that is there counts. */
static void learn_head(struct sek_logmap *m, char *const *columns, unsigned n)
{
    for (int f = 0; f < SEK_N_LOG_FIELDS; f++) {
        m->column[f] = -1;
        for (unsigned k = 0; k < m->n_keys[f] && m->column[f] < 0; k++)
            for (unsigned i = 0; i < n && m->column[f] < 0; i++)
                if (strcasecmp(columns[i], m->keys[f][k]) == 0)
                    m->column[f] = (int)i;
    }
    m->has_head = m->column[SEK_LOG_TIME] >= 0 && m->column[SEK_LOG_SOURCE] >= 0 &&
                  (m->column[SEK_LOG_DESTINATION] >= 0 || m->column[SEK_LOG_NAME] >= 0);
}

static int read_csv(struct sek_logmap *m, char *line, struct values *out, struct sek_diag *diag)
{
    char *columns[SEK_LOGMAP_COLUMNS];
    line += strncmp(line, "\xef\xbb\xbf", 3) == 0 ? 3 : 0; /* a byte order mark */
    unsigned n = split(line, m->separator ? m->separator : separator_of(line), columns);
    if (m->has_head) {
        set_columns(m, columns, n, out);
        return 1;
    }
    learn_head(m, columns, n);
    return m->has_head ? 0
                       : sek_diag_set(diag, SEK_E_INVALID,
                                      "no head line yet that names time, source and destination");
}

/* --- JSON, pairs, Zeek -------------------------------------------------------------------------
 */

/* Values of JSON are held here, as the scan reuses its own. */
struct room {
    char text[SEK_N_LOG_FIELDS][VALUE_MAX];
    unsigned rank[SEK_N_LOG_FIELDS]; /* of the alternative that was taken; from 1 */
};

static void offer(const struct sek_logmap *m, struct room *room, const char *key, const char *value)
{
    for (int f = 0; f < SEK_N_LOG_FIELDS; f++)
        for (unsigned k = 0; k < m->n_keys[f]; k++)
            if (strcmp(key, m->keys[f][k]) == 0 && *value &&
                (room->rank[f] == 0 || k + 1 < room->rank[f])) {
                snprintf(room->text[f], VALUE_MAX, "%s", value);
                room->rank[f] = k + 1;
            }
}

static void give(const struct room *room, struct values *out)
{
    for (int f = 0; f < SEK_N_LOG_FIELDS; f++)
        if (room->rank[f])
            out->text[f] = room->text[f];
}

static int read_json(const struct sek_logmap *m, const char *line, struct room *room,
                     struct values *out, struct sek_diag *diag)
{
    struct sek_jsonscan scan = {.at = line};
    unsigned n = 0;
    if (line[strspn(line, " \t")] != '{')
        return sek_diag_set(diag, SEK_E_INVALID, "is no JSON object");
    for (; sek_jsonscan_next(&scan); n++)
        if (strcmp(scan.value, "null") != 0)
            offer(m, room, scan.key, scan.value);
    give(room, out);
    return n ? 1 : sek_diag_set(diag, SEK_E_INVALID, "is no JSON object");
}

static int read_pairs(const struct sek_logmap *m, char *line, struct room *room, struct values *out)
{
    snprintf(room->text[SEK_LOG_TIME], VALUE_MAX, "%s", line);
    for (char *p = line; *p;) {
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
        offer(m, room, word, value);
        p += more;
    }
    give(room, out);
    if (m->n_keys[SEK_LOG_TIME] && strcmp(m->keys[SEK_LOG_TIME][0], "line") == 0)
        out->text[SEK_LOG_TIME] = room->text[SEK_LOG_TIME];
    return 1;
}

static int read_zeek(struct sek_logmap *m, char *line, struct room *room, struct values *out,
                     struct sek_diag *diag)
{
    static const char head[] = "#fields\t";
    char *columns[SEK_LOGMAP_COLUMNS];
    if (*line == '{')
        return read_json(m, line, room, out, diag);
    if (*line == '#') {
        if (strncmp(line, head, sizeof head - 1) == 0)
            learn_head(m, columns, split(line + sizeof head - 1, '\t', columns));
        return 0;
    }
    if (!m->has_head)
        return sek_diag_set(diag, SEK_E_INVALID, "no #fields line yet, and no JSON");
    set_columns(m, columns, split(line, '\t', columns), out);
    return 1;
}

/* --- values ------------------------------------------------------------------------------------
 */

/* [27/Nov/2026:13:05:07 +0900], as web servers and Squid's other formats have it. */
static bool take_common(const char *text, int64_t *out_ms)
{
    char iso[40], month[4];
    int day, year, h, m, s, n = 0;
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if (sscanf(text, "%2d/%3[A-Za-z]/%4d:%2d:%2d:%2d%n", &day, month, &year, &h, &m, &s, &n) != 6 ||
        strlen(month) != 3)
        return false;
    const char *at = strstr(months, month);
    if (!at || (at - months) % 3 || year < 1970)
        return false;
    text += n + (text[n] == ' ');
    snprintf(iso, sizeof iso, "%04d-%02d-%02dT%02d:%02d:%02d%.5s", year, (int)(at - months) / 3 + 1,
             day, h, m, s, *text == '+' || *text == '-' ? text : "Z");
    const char *p = iso;
    return sek_logtime_take_ms(&p, 0, out_ms) && *p == '\0';
}

/* Whether the text that was read as a time says its zone, or needs none. */
static bool says_zone(const char *from, const char *to)
{
    size_t n = (size_t)(to - from);
    const char *clock = memchr(from, ':', n);
    if (!clock) /* Unix time, or a day */
        return !memchr(from, '-', n);
    if (to[-1] == 'Z')
        return true;
    return memchr(clock, '+', (size_t)(to - clock)) || memchr(clock, '-', (size_t)(to - clock));
}

static bool take_time(const struct sek_logmap *m, const char *text, int64_t now_s, int64_t *out_ms)
{
    if (*text == '<') { /* priority and version (RFC 5424 §6.2) */
        text += strcspn(text, ">");
        text += *text == '>';
        if (text[0] == '1' && text[1] == ' ')
            text += 2;
    }
    if (strncmp(text, "/Date(", 6) == 0)
        text += 6;
    text += *text == '[';
    const char *p = text;
    if (take_common(text, out_ms))
        return true;
    if (!sek_logtime_take_ms(&p, now_s, out_ms))
        return false;
    if (!says_zone(text, p))
        *out_ms -= m->zone_s * 1000;
    return true;
}

/* "192.0.2.1:443", "[2001:db8::1]:443", "fe80::1%eth0", "::ffff:192.0.2.1" */
static bool take_addr(const char *text, struct sek_addr *out, unsigned *io_port)
{
    char host[SEK_ADDR_TEXT_MAX + 8];
    const char *colon = strchr(text, ':');
    size_t len = strcspn(text, "%");
    if (*text == '[') {
        len = strcspn(++text, "]");
        colon = text[len] == ']' && text[len + 1] == ':' ? text + len + 1 : NULL;
    } else if (colon && !strchr(colon + 1, ':')) {
        len = (size_t)(colon - text);
    } else {
        colon = NULL;
    }
    if (len >= sizeof host)
        return false;
    memcpy(host, text, len);
    host[len] = '\0';
    if (colon && is_number(colon + 1) && !*io_port)
        *io_port = (unsigned)to_int(colon + 1);
    return sek_addr_from_text(host, out, NULL) == SEK_OK;
}

/* The host of a URL, or of "host:port". */
static void cut_url(const char *text, char *out, size_t size)
{
    const char *scheme = strstr(text, "://"), *at;
    text = scheme && scheme < text + strcspn(text, "/?#") + 1 ? scheme + 3 : text;
    size_t len = strcspn(text, "/?#");
    at = memchr(text, '@', len);
    if (at) {
        len -= (size_t)(at + 1 - text);
        text = at + 1;
    }
    if (*text != '[') {
        const char *colon = memchr(text, ':', len);
        size_t host = colon ? (size_t)(colon - text) : len;
        /* "error:invalid-request" is none */
        len = colon && strspn(colon + 1, "0123456789") != len - host - 1 ? 0 : host;
    }
    snprintf(out, size, "%.*s", (int)(len < size ? len : size - 1), text);
}

/* Canonical, or "" for what is no name; an address there is the destination. */
static void set_name(const struct sek_logmap *m, const char *text, struct sek_log_line *out)
{
    char host[SEK_NAME_TEXT_MAX];
    struct sek_name name;
    struct sek_addr addr;
    unsigned port = out->port;
    if (m->name_is_url)
        cut_url(text, host, sizeof host);
    else
        snprintf(host, sizeof host, "%s", text);
    if (take_addr(host, &addr, &port)) {
        if (!out->has_destination)
            out->destination = addr;
        out->has_destination = true;
    } else if (strcmp(host, "-") != 0 &&
               sek_name_from_text(host, strlen(host), &name, NULL) == SEK_OK && name.n_labels > 0) {
        sek_name_to_text(name.octets, out->name);
    }
}

static int set_line(const struct sek_logmap *m, const struct values *v, int64_t now_s,
                    struct sek_log_line *out, struct sek_diag *diag)
{
    const char *time = v->text[SEK_LOG_TIME], *source = v->text[SEK_LOG_SOURCE];
    const char *to = v->text[SEK_LOG_DESTINATION], *port = v->text[SEK_LOG_PORT];
    unsigned no_port = 1;
    if (!time || !take_time(m, time, now_s, &out->time_ms))
        return sek_diag_set(diag, SEK_E_INVALID, "\"%.40s\" is no time", time ? time : "");
    if (!source || !*source || strcmp(source, "-") == 0)
        return sek_diag_set(diag, SEK_E_INVALID, "has no source");
    out->has_source = take_addr(source, &out->source, &no_port);
    if (!out->has_source)
        snprintf(out->source_name, sizeof out->source_name, "%s", source);
    if (port && *port && strspn(port, "0123456789") == strlen(port) && strlen(port) < 6)
        out->port = (unsigned)to_int(port);
    if (to && *m->destination_after) {
        size_t skip = strlen(to);
        while (skip && !strchr(m->destination_after, to[skip - 1]))
            skip--;
        to += skip;
    }
    out->has_destination = to && take_addr(to, &out->destination, &out->port);
    if (v->text[SEK_LOG_NAME])
        set_name(m, v->text[SEK_LOG_NAME], out);
    if (v->text[SEK_LOG_ACTION])
        snprintf(out->action, sizeof out->action, "%s", v->text[SEK_LOG_ACTION]);
    if (!out->has_destination && !*out->name)
        return sek_diag_set(diag, SEK_E_INVALID, "has no destination: neither address nor name");
    return 1;
}

int sek_logmap_line(struct sek_logmap *m, char *line, int64_t now_s, struct sek_log_line *out,
                    struct sek_diag *diag)
{
    struct values v = {{NULL}};
    struct room room;
    char *columns[SEK_LOGMAP_COLUMNS];
    bool wanted = m->n_only == 0;
    int got = 1;
    *out = (struct sek_log_line){0};
    memset(room.rank, 0, sizeof room.rank);
    if (!*line || (*line == '#' && m->kind != SEK_LOGMAP_ZEEK))
        return 0;
    for (unsigned i = 0; i < m->n_only && !wanted; i++)
        wanted = strstr(line, m->only[i]) != NULL;
    if (!wanted)
        return 0;
    switch (m->kind) {
    case SEK_LOGMAP_COLUMNS_KIND:
        set_columns(m, columns,
                    split(line, m->separator ? m->separator : separator_of(line), columns), &v);
        break;
    case SEK_LOGMAP_CSV:
        got = read_csv(m, line, &v, diag);
        break;
    case SEK_LOGMAP_JSON:
        got = read_json(m, line, &room, &v, diag);
        break;
    case SEK_LOGMAP_PAIRS:
        got = read_pairs(m, line, &room, &v);
        break;
    case SEK_LOGMAP_ZEEK:
        got = read_zeek(m, line, &room, &v, diag);
        break;
    }
    return got == 1 ? set_line(m, &v, now_s, out, diag) : got;
}
