/* SPDX-License-Identifier: BSD-3-Clause */
#include "out.h"
#include "base/duration.h"
#include "base/json.h"
#include "base/utf8.h"
#include "safe.h"
#include "table.h"
#include "talk.h"
#include "veil.h"
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

const struct sek_lookup sek_out_format_names[] = {{SEK_OUT_TABLE, "table"},
                                                  {SEK_OUT_JSON, "json"},
                                                  {SEK_OUT_JSONL, "jsonl"},
                                                  {SEK_OUT_CSV, "csv"},
                                                  {0, NULL}};

struct value {
    bool set;
    enum sek_tint tint;
    size_t offset; /* TEXT, NAME, REAL: in texts, ends with NUL */
    uint64_t n;
};

struct sek_out {
    FILE *file;
    struct sek_out_style style;
    char schema[64];    /* of this part */
    size_t schema_base; /* octets of it before the part's key */
    enum sek_out_shape shape;
    const struct sek_col *cols;
    unsigned n_cols;
    struct value row[SEK_OUT_COLS_MAX];
    struct sek_col shown[SEK_OUT_COLS_MAX]; /* the table's columns */
    struct sek_buf texts, line;
    struct sek_table table;
    uint64_t n_rows, n_part_rows;
    unsigned n_printed;  /* parts */
    bool left_out;       /* the part at hand is */
    bool lacks_part;     /* the report ended without the one wanted */
    struct sek_buf left; /* keys of those that are: "hits, endpoints" */
    const char *none;    /* said if this part has no rows */
    const char *next_title, *next_none;
    bool stopped;
    bool hidden; /* an endpoint, in the row being made */
    int error;   /* errno of the first failed write */
};

enum sek_err sek_out_new(FILE *file, const struct sek_out_style *style, struct sek_out **out)
{
    struct sek_out *o = calloc(1, sizeof *o);
    if (!o)
        return SEK_E_NOMEM;
    o->file = file;
    o->style = *style;
    sek_buf_init(&o->texts, 0);
    sek_buf_init(&o->line, 0);
    sek_buf_init(&o->left, 0);
    sek_table_init(&o->table, file, style->color, style->width);
    *out = o;
    return SEK_OK;
}

void sek_out_free(struct sek_out *o)
{
    if (!o)
        return;
    sek_table_fini(&o->table);
    sek_buf_fini(&o->texts);
    sek_buf_fini(&o->line);
    sek_buf_fini(&o->left);
    free(o);
}

enum sek_out_format sek_out_format(const struct sek_out *o)
{
    return o->style.format;
}

const char *sek_out_wanted(const struct sek_out *o)
{
    return o->style.part;
}

bool sek_out_lacks_part(const struct sek_out *o)
{
    return o->lacks_part;
}

uint64_t sek_out_n_rows(const struct sek_out *o)
{
    return o->n_rows;
}

/* --- cells -------------------------------------------------------------------------------------
 */

static struct value *cell(struct sek_out *o, unsigned col)
{
    o->row[col].set = true;
    return &o->row[col];
}

static void hide_machine(struct sek_out *o)
{
    for (unsigned i = 0; o->hidden && i < o->n_cols; i++)
        if (sek_veil_tells(o->cols[i].key))
            o->row[i].set = false;
    o->hidden = false;
}

static void put_text(struct sek_out *o, unsigned col, enum sek_veil_what what, const char *text)
{
    bool hidden = false;
    if (!text)
        return;
    text = sek_veil(what, text, &hidden);
    o->hidden = o->hidden || hidden;
    cell(o, col)->offset = o->texts.len;
    sek_buf_add(&o->texts, text, strlen(text) + 1);
}

void sek_out_text(struct sek_out *o, unsigned col, const char *text)
{
    put_text(o, col, o->cols[col].kind == SEK_COL_NAME ? SEK_VEIL_NAME : SEK_VEIL_TEXT, text);
}

void sek_out_endpoint(struct sek_out *o, unsigned col, const char *text)
{
    put_text(o, col, SEK_VEIL_ENDPOINT, text);
}

void sek_out_uint(struct sek_out *o, unsigned col, uint64_t n)
{
    cell(o, col)->n = n;
}

void sek_out_int(struct sek_out *o, unsigned col, int64_t n)
{
    cell(o, col)->n = (uint64_t)n;
}

void sek_out_real(struct sek_out *o, unsigned col, double v, int decimals)
{
    char text[352]; /* DBL_MAX has 309 digits */
    snprintf(text, sizeof text, "%.*f", decimals, v);
    if (isfinite(v))
        sek_out_text(o, col, text);
}

void sek_out_flag(struct sek_out *o, unsigned col, bool yes)
{
    cell(o, col)->n = yes;
}

void sek_out_tint(struct sek_out *o, unsigned col, enum sek_tint tint)
{
    o->row[col].tint = tint;
}

/* False for a column that the format leaves out. */
static bool is_printed(const struct sek_out *o, unsigned col)
{
    enum sek_col_place place = o->cols[col].place;
    bool table = o->style.format == SEK_OUT_TABLE;
    return place == SEK_COL_BOTH || place == SEK_COL_FILLED ||
           place == (table ? SEK_COL_PEOPLE : SEK_COL_MACHINE);
}

static bool is_text(const struct sek_col *c)
{
    return c->kind == SEK_COL_TEXT || c->kind == SEK_COL_NAME || c->kind == SEK_COL_JSON;
}

/* Numbers with decimals are kept as the text that every format prints as it is. */
static bool is_real(const struct sek_col *c)
{
    return c->kind == SEK_COL_REAL;
}

static const char *text_of(const struct sek_out *o, unsigned col)
{
    return o->texts.failed ? "" : o->texts.data + o->row[col].offset;
}

static void add_time(struct sek_buf *b, int64_t ms, bool with_ms)
{
    char text[32];
    int64_t s = ms / 1000 - (ms % 1000 < 0);
    sek_time_to_text(s, text, sizeof text);
    size_t n = strlen(text);
    if (with_ms && n) /* "…:00Z" → "…:00.123Z" */
        sek_buf_add_fmt(b, "%.*s.%03dZ", (int)(n - 1), text, (int)(ms - s * 1000));
    else
        sek_buf_add_text(b, text);
}

/* What programs read: one notation for JSON (then quoted) and CSV. */
static void add_plain(struct sek_buf *b, enum sek_col_kind kind, uint64_t n)
{
    switch (kind) {
    case SEK_COL_INT:
    case SEK_COL_DURATION:
        sek_buf_add_fmt(b, "%" PRId64, (int64_t)n);
        break;
    case SEK_COL_TIME:
        add_time(b, (int64_t)n * 1000, false);
        break;
    case SEK_COL_TIME_MS:
        add_time(b, (int64_t)n, true);
        break;
    case SEK_COL_FLAG:
        sek_buf_add_text(b, n ? "true" : "false");
        break;
    case SEK_COL_UINT:
    case SEK_COL_OCTETS:
    case SEK_COL_REAL:
    case SEK_COL_TEXT:
    case SEK_COL_NAME:
    case SEK_COL_JSON:
        sek_buf_add_fmt(b, "%" PRIu64, n);
        break;
    }
}

/* --- JSON, CSV ---------------------------------------------------------------------------------
 */

/* Written by others: what may stand in a JSON text and yet deceives is escaped here, too, as it can
 * only stand in strings. */
static void add_json(struct sek_buf *b, const char *text)
{
    const char *p = text;
    for (size_t n = strlen(text), len; n; p += len, n -= len) {
        uint32_t c = 0;
        len = sek_utf8_next(p, n, &c);
        if (!len) {
            len = 1;
            sek_buf_add_text(b, "\xef\xbf\xbd"); /* U+FFFD */
        } else if (sek_utf8_is_deceptive(c)) {
            sek_json_add_escape(b, c);
        } else {
            sek_buf_add(b, p, len);
        }
    }
}

static void json_row(struct sek_out *o)
{
    struct sek_buf *b = &o->line;
    sek_buf_add_text(b, "{");
    size_t begin = b->len;
    if (o->style.format == SEK_OUT_JSONL) {
        sek_buf_add_text(b, "\"schema\":");
        sek_json_add_text(b, o->schema);
    }
    for (unsigned i = 0; i < o->n_cols; i++) {
        const struct sek_col *c = &o->cols[i];
        if (!is_printed(o, i))
            continue;
        if (b->len > begin)
            sek_buf_add_text(b, ",");
        sek_json_add_text(b, c->key);
        sek_buf_add_text(b, ":");
        bool quoted = c->kind == SEK_COL_TIME || c->kind == SEK_COL_TIME_MS;
        if (!o->row[i].set) {
            sek_buf_add_text(b, "null");
        } else if (c->kind == SEK_COL_JSON) {
            add_json(b, text_of(o, i));
        } else if (is_text(c)) {
            sek_json_add_text(b, text_of(o, i));
        } else if (is_real(c)) {
            sek_buf_add_text(b, text_of(o, i));
        } else {
            sek_buf_add_text(b, quoted ? "\"" : "");
            add_plain(b, c->kind, o->row[i].n);
            sek_buf_add_text(b, quoted ? "\"" : "");
        }
    }
    sek_buf_add_text(b, "}");
}

/* A field that a spreadsheet would take for a formula gets an apostrophe in front; everything with
 * a comma, quote or blank at an end is quoted. Line breaks were escaped before. */
static void csv_text(struct sek_buf *b, const char *text)
{
    struct sek_buf safe;
    sek_buf_init(&safe, 0);
    if (*text && strchr("=+-@\t\r\n", *text))
        sek_buf_add_text(&safe, "'");
    sek_safe_add(&safe, text);
    b->failed |= safe.failed;
    const char *s = safe.len && !safe.failed ? safe.data : "";
    size_t n = strlen(s);
    if (!strpbrk(s, ",\";") && !(n && (s[0] == ' ' || s[n - 1] == ' '))) {
        sek_buf_add(b, s, n);
    } else {
        sek_buf_add_text(b, "\"");
        for (; *s; s++)
            sek_buf_add(b, *s == '"' ? "\"\"" : s, *s == '"' ? 2 : 1);
        sek_buf_add_text(b, "\"");
    }
    sek_buf_fini(&safe);
}

static void csv_row(struct sek_out *o)
{
    const char *comma = "";
    for (unsigned i = 0; i < o->n_cols; i++) {
        if (!is_printed(o, i))
            continue;
        sek_buf_add_text(&o->line, comma);
        comma = ",";
        if (!o->row[i].set)
            continue;
        if (is_text(&o->cols[i]))
            csv_text(&o->line, text_of(o, i));
        else if (is_real(&o->cols[i]))
            sek_buf_add_text(&o->line, text_of(o, i));
        else
            add_plain(&o->line, o->cols[i].kind, o->row[i].n);
    }
    sek_buf_add_text(&o->line, "\r\n");
}

static void csv_heading(struct sek_out *o)
{
    size_t begin = o->line.len;
    for (unsigned i = 0; i < o->n_cols; i++)
        if (is_printed(o, i))
            sek_buf_add_fmt(&o->line, "%s%s", o->line.len > begin ? "," : "", o->cols[i].key);
    sek_buf_add_text(&o->line, "\r\n");
}

/* --- table -------------------------------------------------------------------------------------
 */

static void add_octets(struct sek_buf *b, uint64_t n)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double v = (double)n;
    unsigned u = 0;
    for (; v >= 1024 && u < 4; u++)
        v /= 1024;
    sek_buf_add_fmt(b, u && v < 100 ? "%.1f %s" : "%.0f %s", v, units[u]);
}

static void add_shown(struct sek_buf *b, const struct sek_out *o, unsigned col)
{
    const struct sek_col *c = &o->cols[col];
    const struct value *v = &o->row[col];
    char text[32];
    bool may_miss = o->shape == SEK_OUT_RECORD || c->place == SEK_COL_FILLED;
    if (!v->set || (is_text(c) && !*text_of(o, col)))
        sek_buf_add_text(b, c->none ? c->none : may_miss ? "" : "-");
    else if (c->kind == SEK_COL_NAME)
        sek_safe_add_name(b, text_of(o, col));
    else if (is_text(c))
        sek_safe_add(b, text_of(o, col));
    else if (is_real(c))
        sek_buf_add_text(b, text_of(o, col));
    else if (c->kind == SEK_COL_OCTETS)
        add_octets(b, v->n);
    else if (c->kind == SEK_COL_DURATION)
        sek_buf_add_text(b, sek_duration_to_text((int64_t)v->n, text, sizeof text));
    else if (c->kind == SEK_COL_TIME_MS)
        add_time(b, (int64_t)v->n, false);
    else if (c->kind == SEK_COL_FLAG)
        sek_buf_add_text(b, v->n ? "yes" : "no");
    else
        add_plain(b, c->kind, v->n);
}

static void table_row(struct sek_out *o)
{
    for (unsigned i = 0; i < o->n_cols; i++) {
        if (!is_printed(o, i))
            continue;
        sek_buf_reset(&o->line);
        add_shown(&o->line, o, i);
        sek_table_cell(&o->table, o->line.len ? o->line.data : "", o->line.len, o->row[i].tint);
    }
    sek_buf_reset(&o->line);
    sek_table_row(&o->table);
}

/* --- the report --------------------------------------------------------------------------------
 */

static void send_line(struct sek_out *o)
{
    if (o->line.failed && !o->error)
        o->error = ENOMEM;
    if (o->line.len && !o->error)
        fwrite(o->line.data, 1, o->line.len, o->file);
    if (o->shape == SEK_OUT_LIVE && !o->error)
        fflush(o->file);
    sek_buf_reset(&o->line);
    if (ferror(o->file) && !o->error)
        o->error = errno ? errno : EIO;
    o->stopped = o->error != 0;
}

static void begin_table(struct sek_out *o)
{
    unsigned n = 0;
    for (unsigned i = 0; i < o->n_cols; i++)
        if (is_printed(o, i))
            o->shown[n++] = o->cols[i];
    sek_table_begin(&o->table, o->shown, n, o->shape);
}

/* A program that reads CSV wants one table, with one head line. */
static bool is_left_out(const struct sek_out *o, const char *key)
{
    if (o->style.part)
        return strcmp(key, o->style.part) != 0;
    return o->style.format == SEK_OUT_CSV && o->n_printed > 0;
}

static void start_part(struct sek_out *o, const char *key, const struct sek_col *cols,
                       unsigned n_cols, enum sek_out_shape shape)
{
    o->cols = cols;
    o->n_cols = n_cols > SEK_OUT_COLS_MAX ? SEK_OUT_COLS_MAX : n_cols;
    o->shape = shape;
    o->n_part_rows = 0;
    memset(o->row, 0, sizeof o->row);
    sek_buf_reset(&o->texts);
    errno = 0;
    o->left_out = is_left_out(o, key);
    if (o->left_out) {
        sek_buf_add_fmt(&o->left, "%s%s", o->left.len ? ", " : "", key);
        return;
    }
    switch (o->style.format) {
    case SEK_OUT_TABLE:
        begin_table(o);
        break;
    case SEK_OUT_JSON:
        sek_buf_add_text(&o->line, ",");
        sek_json_add_text(&o->line, key);
        sek_buf_add_text(&o->line, ":[");
        break;
    case SEK_OUT_JSONL:
        break;
    case SEK_OUT_CSV:
        csv_heading(o);
        break;
    }
    o->n_printed++;
    send_line(o);
}

void sek_out_begin(struct sek_out *o, const char *schema, const struct sek_col *cols,
                   unsigned n_cols, enum sek_out_shape shape)
{
    snprintf(o->schema, sizeof o->schema, "%s", schema);
    o->schema_base = strcspn(o->schema, "/");
    o->n_rows = 0;
    o->n_printed = 0;
    sek_buf_reset(&o->left);
    o->none = o->next_title = o->next_none = NULL;
    o->stopped = false;
    o->error = 0;
    if (o->style.format == SEK_OUT_JSON) {
        sek_buf_add_text(&o->line, "{\"schema\":");
        sek_json_add_text(&o->line, schema);
        send_line(o);
    }
    start_part(o, "rows", cols, n_cols, shape);
}

void sek_out_title(struct sek_out *o, const char *title, const char *none)
{
    o->next_title = title;
    o->next_none = none;
}

/* The heading that waits, on a line of its own. */
static void add_title(struct sek_out *o)
{
    if (o->next_title) {
        sek_buf_add_text(&o->line, o->style.color ? "\x1b[1m" : "");
        sek_safe_add(&o->line, o->next_title);
        sek_buf_add_text(&o->line, o->style.color ? "\x1b[0m\n" : "\n");
    }
    o->none = o->next_none;
    o->next_title = o->next_none = NULL;
}

static void end_part(struct sek_out *o)
{
    if (o->left_out)
        return;
    if (o->style.format == SEK_OUT_TABLE && !sek_table_end(&o->table) && !o->error)
        o->error = ENOMEM;
    if (o->style.format == SEK_OUT_JSON)
        sek_buf_add_text(&o->line, o->n_part_rows ? "\n]" : "]");
    if (o->style.format == SEK_OUT_TABLE && o->none && o->n_part_rows == 0) {
        sek_safe_add(&o->line, o->none);
        sek_buf_add_text(&o->line, "\n");
    }
    send_line(o);
}

void sek_out_part(struct sek_out *o, const char *key, const struct sek_col *cols, unsigned n_cols,
                  enum sek_out_shape shape)
{
    bool had_rows = !o->left_out && (o->n_part_rows > 0 || o->none);
    end_part(o);
    const char *version = strrchr(o->schema, '/');
    char rest[8];
    snprintf(rest, sizeof rest, "%s", version ? version : "");
    snprintf(o->schema + o->schema_base, sizeof o->schema - o->schema_base, ".%s%s", key, rest);
    if (o->style.format == SEK_OUT_TABLE && !is_left_out(o, key)) {
        if (had_rows)
            sek_buf_add_text(&o->line, "\n");
        add_title(o);
    }
    start_part(o, key, cols, n_cols, shape);
}

bool sek_out_row(struct sek_out *o)
{
    if (o->texts.failed && !o->error)
        o->error = ENOMEM;
    hide_machine(o);
    if (!o->stopped && !o->error && !o->left_out) {
        switch (o->style.format) {
        case SEK_OUT_TABLE:
            table_row(o);
            break;
        case SEK_OUT_JSON:
            sek_buf_add_text(&o->line, o->n_part_rows ? ",\n" : "\n");
            json_row(o);
            break;
        case SEK_OUT_JSONL:
            json_row(o);
            sek_buf_add_text(&o->line, "\n");
            break;
        case SEK_OUT_CSV:
            csv_row(o);
            break;
        }
        send_line(o);
    }
    o->n_rows++;
    o->n_part_rows++;
    memset(o->row, 0, sizeof o->row);
    sek_buf_reset(&o->texts);
    return !o->stopped;
}

static enum sek_err tell_left(struct sek_out *o, struct sek_diag *diag)
{
    const char *left = o->left.failed ? "…" : o->left.data;
    o->lacks_part = o->style.part && !o->n_printed;
    if (o->lacks_part)
        return sek_diag_set(diag, SEK_E_INVALID, "--part: \"%.40s\" is none of this report's: %s",
                            o->style.part, left);
    if (!o->style.part && o->left.len)
        sek_talk("CSV holds one table; --part KEY prints another one: %s", left);
    return SEK_OK;
}

enum sek_err sek_out_end(struct sek_out *o, struct sek_diag *diag)
{
    end_part(o);
    if (o->style.format == SEK_OUT_JSON && !o->error)
        fputs("}\n", o->file);
    if (fflush(o->file) && !o->error)
        o->error = errno;
    if (!o->error || o->error == EPIPE)
        return tell_left(o, diag);
    return sek_diag_set(diag, sek_err_from_errno(o->error), "cannot write the report: %s",
                        strerror(o->error));
}
