/* SPDX-License-Identifier: BSD-3-Clause */
#include "format.h"
#include "base/duration.h"
#include "base/json.h"
#include "tools/print/safe.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

#define DEPTH_MAX 8    /* objects within each other */
#define HEAD_FIELD 255 /* octets of HOSTNAME (RFC 5424 §6.2.4) */

/* --- values ------------------------------------------------------------------------------------
 */

static void add_time(struct sek_buf *b, int64_t ms)
{
    char text[32];
    int64_t s = ms / 1000 - (ms % 1000 < 0), rest = ms - s * 1000;
    size_t n = strlen(sek_time_to_text(s, text, sizeof text));
    sek_buf_add_fmt(b, "%.*s.%03" PRId64 "Z", (int)(n ? n - 1 : 0), text, rest);
}

/* As JSON, but for a time: without quotes. */
static void add_plain(struct sek_buf *b, enum sek_siem_type type, const struct sek_siem_value *v,
                      bool epoch)
{
    switch (type) {
    case SEK_SIEM_TEXT:
    case SEK_SIEM_JSON:
        sek_buf_add_text(b, v->text);
        break;
    case SEK_SIEM_INT:
        sek_buf_add_fmt(b, "%" PRId64, v->n);
        break;
    case SEK_SIEM_REAL:
        sek_json_add_real(b, v->real, 4);
        break;
    case SEK_SIEM_FLAG:
        sek_buf_add_text(b, v->n ? "true" : "false");
        break;
    case SEK_SIEM_TIME:
        if (epoch)
            sek_buf_add_fmt(b, "%" PRId64, v->n);
        else
            add_time(b, v->n);
        break;
    }
}

static void add_json(struct sek_buf *b, enum sek_siem_type type, const struct sek_siem_value *v,
                     bool epoch)
{
    bool quoted = type == SEK_SIEM_TIME && !epoch;
    if (type == SEK_SIEM_TEXT) {
        sek_json_add_text(b, v->text);
        return;
    }
    sek_buf_add_text(b, quoted ? "\"" : "");
    add_plain(b, type, v, epoch);
    sek_buf_add_text(b, quoted ? "\"" : "");
}

/* --- JSON --------------------------------------------------------------------------------------
 */

static void add_native(const struct sek_siem_event *e, struct sek_buf *b)
{
    char before = '{';
    for (unsigned f = 0; f < SEK_N_FIELDS; f++) {
        const struct sek_siem_field_info *info = &sek_siem_fields[f];
        if (!*info->name || !e->value[f].set)
            continue;
        sek_buf_add_fmt(b, "%c\"%s\":", before, info->name);
        add_json(b, info->type, &e->value[f], false);
        before = ',';
    }
    sek_buf_add_text(b, "}");
}

/* Objects that are open while places are written one after the other. */
struct tree {
    struct sek_buf *b;
    const char *name[DEPTH_MAX]; /* not terminated */
    size_t len[DEPTH_MAX];
    unsigned depth;
    bool first; /* nothing stands in the innermost yet */
};

static void add_member(struct tree *t, const char *name, size_t len)
{
    sek_buf_add_fmt(t->b, "%s\"%.*s\":", t->first ? "" : ",", (int)len, name);
    t->first = false;
}

static void close_to(struct tree *t, unsigned depth)
{
    for (; t->depth > depth; t->depth--)
        sek_buf_add_text(t->b, "}");
}

/* Close and open objects up to the last part of the path, and write its name. */
static void go_to(struct tree *t, const char *path)
{
    unsigned same = 0;
    const char *dot;
    while ((dot = strchr(path, '.')) && same < t->depth && t->len[same] == (size_t)(dot - path) &&
           memcmp(t->name[same], path, t->len[same]) == 0) {
        same++;
        path = dot + 1;
    }
    if (t->depth > same) {
        close_to(t, same);
        t->first = false;
    }
    for (; dot && t->depth < DEPTH_MAX; path = dot + 1, dot = strchr(path, '.')) {
        size_t len = (size_t)(dot - path);
        add_member(t, path, len);
        sek_buf_add_text(t->b, "{");
        t->first = true;
        t->name[t->depth] = path;
        t->len[t->depth++] = len;
    }
    add_member(t, path, strlen(path));
}

static bool is_there(const struct sek_siem_place *p, const struct sek_siem_event *e)
{
    return (p->kinds & (unsigned)e->kind) && (p->field < 0 || e->value[p->field].set);
}

static void add_tree(const struct sek_siem_place *places, const struct sek_siem_event *e,
                     struct sek_buf *b)
{
    struct tree t = {.b = b, .first = true};
    sek_buf_add_text(b, "{");
    for (const struct sek_siem_place *p = places; p->path; p++) {
        if (!is_there(p, e))
            continue;
        go_to(&t, p->path);
        if (p->field < 0)
            sek_buf_add_text(b, p->fixed);
        else
            add_json(b, sek_siem_fields[p->field].type, &e->value[p->field], p->epoch);
    }
    close_to(&t, 0);
    sek_buf_add_text(b, "}");
}

/* --- CEF ---------------------------------------------------------------------------------------
 */

void sek_siem_add_cef(struct sek_buf *b, const char *text, bool head)
{
    sek_safe_add_escaped(b, text, head ? "\\|" : "\\=");
}

static void add_extension(struct sek_buf *b, const struct sek_siem_place *p,
                          const struct sek_siem_event *e)
{
    struct sek_buf text;
    if (p->field < 0) {
        sek_buf_add_fmt(b, " %s=%s", p->path, p->fixed);
        return;
    }
    sek_buf_init(&text, 0);
    if (sek_siem_fields[p->field].type == SEK_SIEM_FLAG) /* cnN are numbers */
        sek_buf_add_text(&text, e->value[p->field].n ? "1" : "0");
    else
        add_plain(&text, sek_siem_fields[p->field].type, &e->value[p->field], p->epoch);
    if (p->fixed)
        sek_buf_add_fmt(b, " %sLabel=%s", p->path, p->fixed);
    sek_buf_add_fmt(b, " %s=", p->path);
    sek_siem_add_cef(b, text.data ? text.data : "", false);
    b->failed = b->failed || text.failed;
    sek_buf_fini(&text);
}

static void add_cef(const struct sek_siem_event *e, struct sek_buf *b)
{
    const struct sek_siem_value *v = e->value;
    sek_buf_add_text(b, "CEF:0|Sekisho|sekisho|");
    sek_siem_add_cef(b, v[SEK_FIELD_VERSION].text, true);
    sek_buf_add_fmt(b, "|%s|", v[SEK_FIELD_KIND].text);
    sek_siem_add_cef(b, v[SEK_FIELD_TITLE].text, true);
    sek_buf_add_fmt(b, "|%" PRId64 "|", v[SEK_FIELD_SEVERITY].n);
    size_t begin = b->len;
    for (const struct sek_siem_place *p = sek_siem_places(SEK_SIEM_CEF); p->path; p++)
        if (is_there(p, e))
            add_extension(b, p, e);
    if (!b->failed && b->len > begin) { /* the blank before the first */
        memmove(b->data + begin, b->data + begin + 1, b->len - begin);
        b->len--;
    }
}

/* --- RFC 5424 ----------------------------------------------------------------------------------
 */

void sek_siem_add_param(struct sek_buf *b, const char *text)
{
    sek_safe_add_escaped(b, text, "\"\\]");
}

/* HOSTNAME: printable ASCII without blanks; "-" is none. */
static void add_hostname(struct sek_buf *b, const char *host)
{
    size_t n = 0;
    for (const char *p = host; *p && n < HEAD_FIELD; p++, n++)
        sek_buf_add(b, *p > ' ' && *p < 0x7f ? p : "?", 1);
    if (n == 0)
        sek_buf_add_text(b, "-");
}

/* Severities of RFC 5424 §6.2.1: 3 Error, 4 Warning, 5 Notice, 6 Informational. */
static int syslog_severity(int64_t severity)
{
    return severity >= 8 ? 3 : severity >= 6 ? 4 : severity >= 4 ? 5 : 6;
}

/* PRI VERSION TIMESTAMP HOSTNAME APP-NAME PROCID MSGID */
static void add_header(const struct sek_siem_event *e, struct sek_buf *b)
{
    const struct sek_siem_value *v = e->value;
    sek_buf_add_fmt(b, "<%d>1 ", SEK_SIEM_FACILITY * 8 + syslog_severity(v[SEK_FIELD_SEVERITY].n));
    add_time(b, v[SEK_FIELD_TIME].n);
    sek_buf_add_text(b, " ");
    add_hostname(b, v[SEK_FIELD_HOST].set ? v[SEK_FIELD_HOST].text : "");
    sek_buf_add_fmt(b, " sekisho - %s ", v[SEK_FIELD_KIND].text);
}

void sek_siem_add_head(const struct sek_siem_event *e, struct sek_buf *b)
{
    add_header(e, b);
    sek_buf_add_text(b, "- ");
}

static void add_syslog(const struct sek_siem_event *e, struct sek_buf *b)
{
    struct sek_buf text;
    add_header(e, b);
    sek_buf_add_text(b, "[" SEK_SIEM_SD_ID);
    sek_buf_init(&text, 0);
    for (unsigned f = 0; f < SEK_N_FIELDS; f++) {
        const struct sek_siem_field_info *info = &sek_siem_fields[f];
        if (!*info->name || !e->value[f].set || f == SEK_FIELD_MESSAGE)
            continue;
        sek_buf_reset(&text);
        add_plain(&text, info->type, &e->value[f], false);
        sek_buf_add_fmt(b, " %s=\"", info->name);
        sek_siem_add_param(b, text.data ? text.data : "");
        sek_buf_add_text(b, "\"");
    }
    sek_buf_add_text(b, "] \xef\xbb\xbf"); /* the text is UTF-8 (§6.4) */
    sek_safe_add(b, e->value[SEK_FIELD_MESSAGE].text);
    b->failed = b->failed || text.failed;
    sek_buf_fini(&text);
}

void sek_siem_add(enum sek_siem_format format, const struct sek_siem_event *e, struct sek_buf *b)
{
    switch (format) {
    case SEK_SIEM_JSONL:
        add_native(e, b);
        break;
    case SEK_SIEM_ECS:
    case SEK_SIEM_OCSF:
        add_tree(sek_siem_places(format), e, b);
        break;
    case SEK_SIEM_CEF:
        add_cef(e, b);
        break;
    case SEK_SIEM_RFC5424:
        add_syslog(e, b);
        break;
    case SEK_N_SIEM_FORMATS:
        break;
    }
    sek_buf_add_text(b, "\n");
}
