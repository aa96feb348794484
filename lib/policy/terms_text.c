/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/terms_text.h"
#include "base/duration.h"
#include "base/lookup.h"
#include "base/when.h"
#include "name/qtype.h"
#include "policy/records.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/banned.h"

#define DAYS_ALL 127
#define DAY_MIN 1440
#define WORD_MAX 96 /* octets of one in a list of types or hours */

static const char *const day_names[7] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
static const char *const long_day_names[7] = {"monday", "tuesday",  "wednesday", "thursday",
                                              "friday", "saturday", "sunday"};

/* The next piece before `mark`, copied; *text moves behind it. False at the end. */
static bool take_piece(const char **text, const char *marks, char out[WORD_MAX])
{
    *text += strspn(*text, marks);
    size_t n = strcspn(*text, marks);
    if (n == 0)
        return false;
    snprintf(out, WORD_MAX, "%.*s", (int)(n < WORD_MAX ? n : WORD_MAX - 1), *text);
    *text += n;
    return true;
}

static enum sek_err number_of(const char *value, int64_t least, int64_t most, int64_t *out,
                              const char *what, struct sek_diag *diag)
{
    char *end = NULL;
    long long n = strtoll(value, &end, 10);
    size_t digits = strspn(value + (*value == '-'), "0123456789");
    if (digits == 0 || digits > 11 || *end || n < least || n > most)
        return sek_diag_set(diag, SEK_E_INVALID,
                            "%s: '%.40s' is not a number from %" PRId64 " to %" PRId64, what, value,
                            least, most);
    *out = n;
    return SEK_OK;
}

/* --- types --------------------------------------------------------------------------------------
 */

static void type_put(struct sek_terms *t, uint16_t type)
{
    unsigned at = 0;
    while (at < t->n_types && t->types[at] < type)
        at++;
    if (at < t->n_types && t->types[at] == type)
        return;
    memmove(&t->types[at + 1], &t->types[at], (size_t)(t->n_types - at) * sizeof *t->types);
    t->types[at] = type;
    t->n_types++;
}

static enum sek_err add_types(struct sek_terms_spec *io, const char *value, struct sek_diag *diag)
{
    struct sek_terms *t = &io->terms;
    char word[WORD_MAX];
    t->n_types = 0;
    memset(t->types, 0, sizeof t->types);
    t->all_but = *value == '!' || strncasecmp(value, "all but ", 8) == 0;
    value += *value == '!' ? 1 : t->all_but ? 8 : 0;
    while (take_piece(&value, ", ", word)) {
        int type = sek_qtype_from_text(word);
        if (type < 0 || type == 255)
            return sek_diag_set(diag, SEK_E_INVALID,
                                "type: '%.40s' is not a type such as A, TXT or TYPE65", word);
        if (t->n_types == SEK_TERMS_TYPES_MAX)
            return sek_diag_set(diag, SEK_E_INVALID, "type: more than %d types",
                                SEK_TERMS_TYPES_MAX);
        type_put(t, (uint16_t)type);
    }
    if (t->n_types == 0)
        return sek_diag_set(diag, SEK_E_INVALID, "type: a type such as A or TXT is missing");
    t->given |= SEK_TERMS_TYPES;
    return SEK_OK;
}

static void types_text(const struct sek_terms *t, struct sek_buf *out)
{
    char type[16];
    sek_buf_add_text(out, t->all_but ? "!" : "");
    for (unsigned i = 0; i < t->n_types; i++)
        sek_buf_add_fmt(out, "%s%s", i ? "," : "",
                        sek_qtype_to_text(t->types[i], type, sizeof type));
}

/* --- endpoints ----------------------------------------------------------------------------------
 */

static enum sek_err endpoint_put(struct sek_terms_spec *io, const struct sek_net *net,
                                 struct sek_diag *diag)
{
    size_t at = 0;
    int order = -1;
    while (at < io->n_endpoints && (order = memcmp(&io->endpoints[at], net, sizeof *net)) < 0)
        at++;
    if (at < io->n_endpoints && order == 0)
        return SEK_OK;
    if (io->n_endpoints == SEK_TERMS_ENDPOINTS_MAX)
        return sek_diag_set(diag, SEK_E_INVALID, "endpoint: more than %d endpoints",
                            SEK_TERMS_ENDPOINTS_MAX);
    memmove(&io->endpoints[at + 1], &io->endpoints[at],
            (io->n_endpoints - at) * sizeof *io->endpoints);
    io->endpoints[at] = *net;
    io->n_endpoints++;
    return SEK_OK;
}

static enum sek_err add_endpoints(struct sek_terms_spec *io, const char *value,
                                  struct sek_diag *diag)
{
    char word[WORD_MAX];
    struct sek_net net;
    enum sek_err err = SEK_OK;
    while (!err && take_piece(&value, ", ", word)) {
        err = sek_net_from_text(word, &net, diag);
        err = err ? sek_diag_wrap(diag, "endpoint") : endpoint_put(io, &net, diag);
    }
    if (!err && io->n_endpoints == 0)
        err = sek_diag_set(diag, SEK_E_INVALID, "endpoint: an address or a network is missing");
    if (!err)
        io->terms.given |= SEK_TERMS_ENDPOINTS;
    return err;
}

static void endpoints_text(const struct sek_terms_spec *spec, struct sek_buf *out)
{
    char net[SEK_NET_TEXT_MAX];
    for (size_t i = 0; i < spec->n_endpoints; i++)
        sek_buf_add_fmt(out, "%s%s", i ? "," : "", sek_net_to_text(&spec->endpoints[i], net));
}

/* --- schedule -----------------------------------------------------------------------------------
 */

static int day_of(const char *text, size_t len)
{
    for (int i = 0; i < 7; i++)
        if ((len == 3 || len == strlen(long_day_names[i])) &&
            strncasecmp(text, long_day_names[i], len) == 0)
            return i;
    return -1;
}

/* "mon-fri", "mon,wed", "daily"; 0: no days. */
static uint8_t days_of(const char *text)
{
    unsigned days = 0;
    char word[WORD_MAX];
    if (strcasecmp(text, "daily") == 0)
        return DAYS_ALL;
    while (take_piece(&text, ",", word)) {
        const char *dash = strchr(word, '-');
        int from = day_of(word, dash ? (size_t)(dash - word) : strlen(word));
        int to = dash ? day_of(dash + 1, strlen(dash + 1)) : from;
        if (from < 0 || to < 0)
            return 0;
        for (int day = from;; day = (day + 1) % 7) {
            days |= 1U << day;
            if (day == to)
                break;
        }
    }
    return (uint8_t)days;
}

/* "08:00" at the start of *text, which moves behind it. */
static bool take_time(const char **text, uint16_t *out)
{
    const char *p = *text;
    size_t n = strspn(p, "0123456789");
    if (n < 1 || n > 2 || p[n] != ':' || strspn(p + n + 1, "0123456789") != 2)
        return false;
    unsigned hour = (unsigned)(n == 1 ? p[0] - '0' : (p[0] - '0') * 10 + p[1] - '0');
    unsigned minute = (unsigned)((p[n + 1] - '0') * 10 + p[n + 2] - '0');
    *text = p + n + 3;
    *out = (uint16_t)(hour * 60 + minute);
    return minute < 60 && *out <= DAY_MIN;
}

/* "08:00-18:00" */
static bool hours_of(const char *text, struct sek_hours *out)
{
    return take_time(&text, &out->from) && *text++ == '-' && take_time(&text, &out->to) && !*text &&
           out->from < DAY_MIN && out->to > 0 && out->from != out->to;
}

static enum sek_err window_put(struct sek_terms *t, uint8_t days, const struct sek_hours *hours,
                               struct sek_diag *diag)
{
    if (t->n_windows == SEK_TERMS_WINDOWS_MAX)
        return sek_diag_set(diag, SEK_E_INVALID, "schedule: more than %d spans of hours",
                            SEK_TERMS_WINDOWS_MAX);
    t->windows[t->n_windows] = *hours;
    t->windows[t->n_windows++].days = days ? days : DAYS_ALL;
    return SEK_OK;
}

/* "08:00-12:00,13:00-17:00". INVALID when they are no hours. */
static enum sek_err add_hours(struct sek_terms *t, uint8_t days, const char *text,
                              struct sek_diag *diag)
{
    char word[WORD_MAX];
    enum sek_err err = SEK_OK;
    while (!err && take_piece(&text, ",", word)) {
        struct sek_hours hours = {0};
        if (!hours_of(word, &hours))
            return sek_diag_set(diag, SEK_E_INVALID,
                                "schedule: '%.40s' are not hours such as 08:00-18:00", word);
        err = window_put(t, days, &hours, diag);
    }
    return err;
}

/* Days and hours by turns, the zone at the end. */
static enum sek_err add_schedule(struct sek_terms_spec *io, const char *value,
                                 struct sek_diag *diag)
{
    static const struct sek_hours whole_day = {.to = DAY_MIN};
    struct sek_terms *t = &io->terms;
    char word[WORD_MAX];
    uint8_t days = 0, pending = 0;
    enum sek_err err = SEK_OK;
    t->n_windows = 0;
    memset(t->windows, 0, sizeof t->windows);
    io->zone[0] = '\0';
    while (!err && take_piece(&value, " \t;", word)) {
        size_t len = strlen(word);
        if (len > 1 && word[len - 1] == ',')
            word[len - 1] = '\0';
        uint8_t these = days_of(word);
        if (io->zone[0])
            return sek_diag_set(diag, SEK_E_INVALID,
                                "schedule: nothing may stand behind the time zone %s", io->zone);
        if (these) {
            if (pending)
                err = window_put(t, pending, &whole_day, diag);
            days = pending = these;
        } else if (word[0] >= '0' && word[0] <= '9') {
            err = add_hours(t, days, word, diag);
            pending = 0;
        } else if (!(err = sek_timezone_check(word, diag))) {
            sek_timezone_canonical(word, io->zone);
        } else {
            sek_diag_wrap(diag, "schedule");
            err = SEK_E_INVALID;
        }
    }
    if (!err && pending)
        err = window_put(t, pending, &whole_day, diag);
    if (err)
        return err;
    if (t->n_windows == 0 || !io->zone[0])
        return sek_diag_set(diag, SEK_E_INVALID,
                            "schedule: days or hours and a time zone belong into it, as in 'mon-fri"
                            " 08:00-18:00 Europe/Berlin'");
    t->given |= SEK_TERMS_SCHEDULE;
    return SEK_OK;
}

/* A run of days as "mon-fri", others one by one. */
static void days_text(uint8_t days, struct sek_buf *out)
{
    bool any = false;
    if (days == DAYS_ALL) {
        sek_buf_add_text(out, "daily");
        return;
    }
    for (int day = 0; day < 7; day++) {
        int last = day;
        if (!(days >> day & 1))
            continue;
        while (last < 6 && days >> (last + 1) & 1)
            last++;
        sek_buf_add_fmt(out, "%s%s", any ? "," : "", day_names[day]);
        if (last > day)
            sek_buf_add_fmt(out, "-%s", day_names[last]);
        any = true;
        day = last;
    }
}

static void schedule_text(const struct sek_terms_spec *spec, struct sek_buf *out)
{
    const struct sek_terms *t = &spec->terms;
    for (unsigned i = 0; i < t->n_windows; i++) {
        const struct sek_hours *w = &t->windows[i];
        if (i == 0 || w->days != w[-1].days) {
            days_text(w->days, out);
            sek_buf_add_text(out, " ");
        } else {
            out->data[--out->len] = '\0'; /* the blank behind the hours before */
            sek_buf_add_text(out, ",");
        }
        sek_buf_add_fmt(out, "%02d:%02d-%02d:%02d ", w->from / 60, w->from % 60, w->to / 60,
                        w->to % 60);
        if (out->failed)
            return;
    }
    sek_buf_add_text(out, spec->zone);
}

/* --- the others ---------------------------------------------------------------------------------
 */

static enum sek_err add_start(struct sek_terms_spec *io, const char *value, struct sek_diag *diag)
{
    int64_t start_s;
    if (sek_when_from_iso(value, NULL, &start_s, NULL) != SEK_OK)
        return sek_diag_set(diag, SEK_E_INVALID,
                            "start: '%.40s' is not a time such as 2026-12-01 or "
                            "2026-12-01T08:00Z (UTC)",
                            value);
    io->terms.start_s = start_s;
    io->terms.given |= SEK_TERMS_START;
    return SEK_OK;
}

static enum sek_err add_priority(struct sek_terms_spec *io, const char *value,
                                 struct sek_diag *diag)
{
    int64_t n = 0;
    enum sek_err err = number_of(value, -1000000, 1000000, &n, "priority", diag);
    if (err)
        return err;
    io->terms.priority = (int32_t)n;
    io->terms.given |= SEK_TERMS_PRIORITY;
    return SEK_OK;
}

static enum sek_err add_ede(struct sek_terms_spec *io, const char *value, struct sek_diag *diag)
{
    int64_t n = 0;
    enum sek_err err = number_of(value, 0, 65535, &n, "ede", diag);
    if (err)
        return err;
    io->terms.ede = (uint16_t)n;
    io->terms.given |= SEK_TERMS_EDE;
    return SEK_OK;
}

static enum sek_err add_ede_text(struct sek_terms_spec *io, const char *value,
                                 struct sek_diag *diag)
{
    if (!*value || strlen(value) >= sizeof io->ede_text)
        return sek_diag_set(diag, SEK_E_INVALID, "ede-text: 1 to %zu octets",
                            sizeof io->ede_text - 1);
    snprintf(io->ede_text, sizeof io->ede_text, "%s", value);
    io->terms.given |= SEK_TERMS_EDE_TEXT;
    return SEK_OK;
}

/* Of the records behind it, if it is not the first. */
static enum sek_err add_ttl(struct sek_terms_spec *io, const char *value, struct sek_diag *diag)
{
    int64_t n = 0;
    bool units = value[strspn(value, "0123456789")] != '\0';
    if (!units || sek_duration_from_text(value, &n, NULL) != SEK_OK || n > SEK_TERMS_TTL_MAX) {
        enum sek_err err = number_of(value, 0, SEK_TERMS_TTL_MAX, &n, "ttl", diag);
        if (err)
            return err;
    }
    bool again = io->terms.given & SEK_TERMS_TTL;
    enum sek_err err = SEK_OK;
    if (again)
        err = sek_record_ttls_note(io->data, &io->n_data, sizeof io->data, io->terms.ttl_s, diag);
    if (!again || io->n_data || n < io->terms.ttl_s)
        io->terms.ttl_s = (uint32_t)n;
    io->terms.given |= SEK_TERMS_TTL;
    return err;
}

static enum sek_err add_log(struct sek_terms_spec *io, const char *value, struct sek_diag *diag)
{
    int log = sek_lookup_id(sek_log_names, value);
    if (log < 0)
        return sek_diag_set(diag, SEK_E_INVALID, "log: '%.40s' is neither none nor normal", value);
    io->terms.log = (uint8_t)log;
    io->terms.given |= SEK_TERMS_LOG;
    return SEK_OK;
}

static enum sek_err add_data(struct sek_terms_spec *io, const char *value, struct sek_diag *diag)
{
    uint16_t type = SEK_TYPE_TTL;
    uint32_t ttl_s = io->terms.ttl_s;
    enum sek_err err = sek_record_add(value, io->data, &io->n_data, sizeof io->data, &type, diag);
    if (!err && (io->terms.given & SEK_TERMS_TTL) &&
        sek_record_ttl(io->data, io->n_data, type, ttl_s) > ttl_s)
        err = sek_record_ttl_put(io->data, &io->n_data, sizeof io->data, type, ttl_s, diag);
    if (err) {
        sek_diag_wrap(diag, "data");
        return err == SEK_E_NOMEM ? err : SEK_E_INVALID;
    }
    io->terms.given |= SEK_TERMS_DATA;
    return SEK_OK;
}

static const struct {
    const char *word;
    enum sek_err (*add)(struct sek_terms_spec *io, const char *value, struct sek_diag *diag);
} words[] = {
    {"type", add_types},        {"endpoint", add_endpoints},
    {"schedule", add_schedule}, {"start", add_start},
    {"ede", add_ede},           {"ede-text", add_ede_text},
    {"ttl", add_ttl},           {"data", add_data},
    {"log", add_log},           {"priority", add_priority},
};

/* --- all ----------------------------------------------------------------------------------------
 */

enum sek_err sek_terms_add(struct sek_terms_spec *io, const char *word, const char *value,
                           struct sek_diag *diag)
{
    for (const char *p = value; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return sek_diag_set(diag, SEK_E_INVALID, "%.20s: holds a control character", word);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].word, word) == 0)
            return words[i].add(io, value, diag);
    return sek_diag_set(
        diag, SEK_E_INVALID,
        "'%.40s' is not known; type, endpoint, schedule, start, priority, ede, ede-text, ttl,"
        " log and data are",
        word);
}

/* "word=value" or "word="va l\"ue"" at *at, which moves behind it. */
static enum sek_err take_term(const char **at, const char *end, char word[WORD_MAX],
                              char value[SEK_TERMS_TEXT_MAX], struct sek_diag *diag)
{
    const char *p = *at;
    size_t n = 0;
    while (p < end && *p != '=' && *p != ' ' && *p != '\t' && n < WORD_MAX - 1)
        word[n++] = *p++;
    word[n] = '\0';
    if (p == end || *p != '=' || n == 0)
        return sek_diag_set(diag, SEK_E_INVALID,
                            "'%.40s': a condition such as type=A should stand here", word);
    bool quoted = ++p < end && *p == '"', closed = !quoted;
    p += quoted;
    for (n = 0; p < end && (quoted || (*p != ' ' && *p != '\t')); p++) {
        if (quoted && *p == '"') {
            closed = true;
            p++;
            break;
        }
        p += quoted && *p == '\\' && p + 1 < end;
        if (n == SEK_TERMS_TEXT_MAX - 1 || !*p)
            return sek_diag_set(diag, SEK_E_INVALID, "%.40s: too long", word);
        value[n++] = *p;
    }
    value[n] = '\0';
    if (!closed || (p < end && *p != ' ' && *p != '\t'))
        return sek_diag_set(diag, SEK_E_INVALID, "%.40s: a \" is missing behind the value", word);
    *at = p;
    return SEK_OK;
}

enum sek_err sek_terms_from_text(const char *text, size_t len, struct sek_terms_spec *out,
                                 struct sek_diag *diag)
{
    const char *at = text, *end = text + len;
    char word[WORD_MAX], value[SEK_TERMS_TEXT_MAX];
    enum sek_err err = SEK_OK;
    memset(out, 0, sizeof *out);
    for (;;) {
        while (at < end && (*at == ' ' || *at == '\t'))
            at++;
        if (!err && at == end)
            return sek_record_ttls_settle(out->data, &out->n_data, sizeof out->data,
                                          &out->terms.ttl_s, diag);
        if (err)
            return err;
        err = take_term(&at, end, word, value, diag);
        if (!err)
            err = sek_terms_add(out, word, value, diag);
    }
}

static void add_quoted(struct sek_buf *out, const char *word, const char *value)
{
    sek_buf_add_fmt(out, " %s=\"", word);
    for (; *value; value++)
        sek_buf_add_fmt(out, "%s%c", *value == '"' || *value == '\\' ? "\\" : "", *value);
    sek_buf_add_text(out, "\"");
}

/* The rule's, or that of its first records. */
static uint32_t first_ttl(const struct sek_terms_spec *spec)
{
    const uint8_t *at = spec->data;
    struct sek_record r;
    while (sek_record_next(&at, spec->data + spec->n_data, &r))
        if (r.type != SEK_TYPE_TTL)
            return sek_record_ttl(spec->data, spec->n_data, r.type, spec->terms.ttl_s);
    return spec->terms.ttl_s;
}

static void data_text(const struct sek_terms_spec *spec, struct sek_buf *out)
{
    const uint8_t *at = spec->data, *end = at + spec->n_data;
    uint32_t now_s = first_ttl(spec);
    struct sek_record r;
    struct sek_buf text;
    sek_buf_init(&text, 0);
    while (sek_record_next(&at, end, &r)) {
        uint32_t ttl_s = sek_record_ttl(spec->data, spec->n_data, r.type, spec->terms.ttl_s);
        if (r.type == SEK_TYPE_TTL)
            continue;
        if (ttl_s != now_s)
            sek_buf_add_fmt(out, " ttl=%" PRIu32, ttl_s);
        now_s = ttl_s;
        sek_buf_reset(&text);
        out->failed |= sek_record_to_text(&r, &text) != SEK_OK || text.failed;
        add_quoted(out, "data", text.data ? text.data : "");
    }
    sek_buf_fini(&text);
}

static void spec_text(const struct sek_terms_spec *spec, struct sek_buf *out)
{
    const struct sek_terms *t = &spec->terms;
    char time[32];
    if (t->given & SEK_TERMS_TYPES) {
        sek_buf_add_text(out, " type=");
        types_text(t, out);
    }
    if (t->given & SEK_TERMS_ENDPOINTS) {
        sek_buf_add_text(out, " endpoint=");
        endpoints_text(spec, out);
    }
    if (t->given & SEK_TERMS_SCHEDULE) {
        sek_buf_add_text(out, " schedule=\"");
        schedule_text(spec, out);
        sek_buf_add_text(out, "\"");
    }
    if (t->given & SEK_TERMS_START)
        sek_buf_add_fmt(out, " start=%s", sek_time_to_text(t->start_s, time, sizeof time));
    if (t->given & SEK_TERMS_PRIORITY)
        sek_buf_add_fmt(out, " priority=%" PRId32, t->priority);
    if (t->given & SEK_TERMS_EDE)
        sek_buf_add_fmt(out, " ede=%u", t->ede);
    if (t->given & SEK_TERMS_EDE_TEXT)
        add_quoted(out, "ede-text", spec->ede_text);
    if (t->given & SEK_TERMS_TTL)
        sek_buf_add_fmt(out, " ttl=%" PRIu32, first_ttl(spec));
    if (t->given & SEK_TERMS_LOG)
        sek_buf_add_fmt(out, " log=%s", sek_lookup_name(sek_log_names, t->log));
    if (t->given & SEK_TERMS_DATA)
        data_text(spec, out);
}

enum sek_err sek_terms_to_text(const struct sek_terms_spec *spec, char out[SEK_TERMS_TEXT_MAX],
                               struct sek_diag *diag)
{
    struct sek_buf text;
    sek_buf_init(&text, SEK_TERMS_TEXT_MAX);
    spec_text(spec, &text);
    if (text.failed) {
        sek_buf_fini(&text);
        return sek_diag_set(diag, SEK_E_LIMIT, "conditions of more than %d octets",
                            SEK_TERMS_TEXT_MAX - 1);
    }
    snprintf(out, SEK_TERMS_TEXT_MAX, "%s", text.data ? text.data + 1 : "");
    sek_buf_fini(&text);
    return SEK_OK;
}
