/* SPDX-License-Identifier: BSD-3-Clause */
#include "conf/conffile.h"
#include "conf/options.h"
#include "conf/value.h"
#include <stdio.h>
#include <string.h>
#include <yaml.h>
#include "base/banned.h"

#define KEY_MAX 64 /* octets of "group.key" with terminator */

struct reader {
    yaml_parser_t parser;
    yaml_event_t event; /* the current one */
    const char *text, *label;
    size_t len;
    struct sek_conf *conf;
    struct sek_diag *diag;
    /* line where each option was set, and each group opened (at its first option); 0 = not yet */
    size_t option_line[SEK_OPTIONS_MAX], group_line[SEK_OPTIONS_MAX];
};

static size_t line_of(const struct reader *r)
{
    return r->event.start_mark.line + 1;
}

static enum sek_err fail(const struct reader *r, const char *what)
{
    return sek_diag_set(r->diag, SEK_E_INVALID, "%s:%zu: %s", r->label, line_of(r), what);
}

/* Why libyaml cannot read on. */
static enum sek_err fail_syntax(const struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    const char *problem = p->problem ? p->problem : "not readable as YAML";
    const char *context = p->context ? p->context : "";
    size_t line = p->problem_mark.line + 1;
    /* "*.example" unquoted is the commonest slip in a list of names */
    bool star = strstr(context, "alias") != NULL;

    if (p->error == YAML_MEMORY_ERROR)
        return sek_diag_set(r->diag, SEK_E_NOMEM, "%s: out of memory", r->label);
    if (p->error == YAML_READER_ERROR) {
        /* it knows the octet only */
        line = 1;
        for (size_t i = 0; i < p->problem_offset && i < r->len; i++)
            line += r->text[i] == '\n';
    }
    return sek_diag_set(r->diag, SEK_E_INVALID, "%s:%zu: %s%s%s%s", r->label, line, context,
                        *context ? ": " : "", problem,
                        star ? " (quote what begins with *: \"*.example\")" : "");
}

static const char *scalar(const struct reader *r)
{
    return (const char *)r->event.data.scalar.value;
}

static enum sek_err next(struct reader *r)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;

    yaml_event_delete(&r->event);
    if (!yaml_parser_parse(&r->parser, &r->event))
        return fail_syntax(r);
    switch (r->event.type) {
    case YAML_ALIAS_EVENT:
        return fail(r, "aliases (*name) are not supported; quote a text that begins with *");
    case YAML_SCALAR_EVENT:
        anchor = r->event.data.scalar.anchor;
        tag = r->event.data.scalar.tag;
        if (strlen(scalar(r)) != r->event.data.scalar.length)
            return fail(r, "NUL characters are not supported");
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = r->event.data.sequence_start.anchor;
        tag = r->event.data.sequence_start.tag;
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = r->event.data.mapping_start.anchor;
        tag = r->event.data.mapping_start.tag;
        break;
    default:
        break;
    }
    if (anchor)
        return fail(r, "anchors (&name) are not supported");
    if (tag)
        return fail(r, "tags (!name) are not supported");
    return SEK_OK;
}

/* "key:" with nothing behind it. */
static bool is_empty(const struct reader *r)
{
    return r->event.type == YAML_SCALAR_EVENT && r->event.data.scalar.length == 0 &&
           r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

/* One value or one entry of a list. */
static enum sek_err store(struct reader *r, const struct sek_option *o)
{
    enum sek_err err = sek__value_set(o, scalar(r), r->event.data.scalar.length, r->conf, r->diag);

    if (err != SEK_OK)
        sek_diag_wrap(r->diag, "%s:%zu: %s", r->label, line_of(r), o->key);
    return err;
}

static enum sek_err wrong_kind(const struct reader *r, const struct sek_option *o)
{
    char allowed[SEK_OPTION_ALLOWED_MAX];
    const char *found = r->event.type == YAML_SEQUENCE_START_EVENT  ? "a list"
                        : r->event.type == YAML_MAPPING_START_EVENT ? "a group of settings"
                                                                    : "a single value";

    return sek_diag_set(r->diag, SEK_E_INVALID, "%s:%zu: %s: is %s; allowed: %s", r->label,
                        line_of(r), o->key, found, sek_option_allowed(o, allowed, sizeof(allowed)));
}

static enum sek_err read_list(struct reader *r, const struct sek_option *o)
{
    enum sek_err err;

    if (is_empty(r))
        return SEK_OK;
    if (r->event.type != YAML_SEQUENCE_START_EVENT)
        return wrong_kind(r, o);
    while ((err = next(r)) == SEK_OK && r->event.type != YAML_SEQUENCE_END_EVENT) {
        if (r->event.type != YAML_SCALAR_EVENT)
            return fail(r, "a list has single values only");
        err = store(r, o);
        if (err != SEK_OK)
            return err;
    }
    return err;
}

/* "unknown …; known here: a, b, c": keys below `group`, or the groups if group is empty. */
static enum sek_err unknown(const struct reader *r, const char *group, const char *key)
{
    struct sek_buf known;
    size_t n_group = strlen(group);
    const char *last = "";
    enum sek_err err;

    sek_buf_init(&known, 1024);
    for (const struct sek_option *o = sek_options; o->key; o++) {
        size_t n = strcspn(o->key, ".");
        bool mine = n_group == n && strncmp(o->key, group, n) == 0;
        const char *sep = known.len > 0 ? ", " : "";

        if (n_group == 0 && strncmp(last, o->key, n + 1) != 0)
            sek_buf_add_fmt(&known, "%s%.*s", sep, (int)n, o->key);
        if (mine)
            sek_buf_add_fmt(&known, "%s%s", sep, o->key + n + 1);
        last = o->key;
    }
    err = sek_diag_set(r->diag, SEK_E_INVALID, "%s:%zu: %s%s%.80s: unknown setting; known here: %s",
                       r->label, line_of(r), group, n_group ? "." : "", key,
                       known.data ? known.data : "");
    sek_buf_fini(&known);
    return err;
}

/* Note that `key` is set here; refuse the second time. */
static enum sek_err once(struct reader *r, size_t *line, const char *key)
{
    if (*line != 0)
        return sek_diag_set(r->diag, SEK_E_INVALID, "%s:%zu: %s: set twice, first in line %zu",
                            r->label, line_of(r), key, *line);
    *line = line_of(r);
    return SEK_OK;
}

/* The current event is a key: find its option, read its value. */
static enum sek_err read_option(struct reader *r, const char *group)
{
    const struct sek_option *o;
    char key[KEY_MAX];
    enum sek_err err;

    if (r->event.type != YAML_SCALAR_EVENT)
        return fail(r, "the name of a setting must be a single word");
    if ((size_t)snprintf(key, sizeof(key), "%s.%s", group, scalar(r)) >= sizeof(key))
        return unknown(r, group, scalar(r));
    o = sek_option_find(key);
    if (!o)
        return unknown(r, group, scalar(r));
    err = once(r, &r->option_line[o - sek_options], key);
    if (err == SEK_OK)
        err = next(r);
    if (err != SEK_OK)
        return err;
    if (o->kind == SEK_OPT_NAMES)
        return read_list(r, o);
    return r->event.type == YAML_SCALAR_EVENT ? store(r, o) : wrong_kind(r, o);
}

/* The current event is a group's name: read what stands below it. */
static enum sek_err read_group(struct reader *r)
{
    const struct sek_option *o = sek_options;
    char group[KEY_MAX];
    enum sek_err err;
    size_t n;

    if (r->event.type != YAML_SCALAR_EVENT)
        return fail(r, "the name of a group must be a single word");
    n = strlen(scalar(r));
    while (o->key && (strncmp(o->key, scalar(r), n) != 0 || o->key[n] != '.'))
        o++;
    if (!o->key || n >= sizeof(group))
        return unknown(r, "", scalar(r));
    memcpy(group, scalar(r), n + 1);
    err = once(r, &r->group_line[o - sek_options], group);
    if (err == SEK_OK)
        err = next(r);
    if (err != SEK_OK || is_empty(r)) /* empty: all its settings are commented out */
        return err;
    if (r->event.type != YAML_MAPPING_START_EVENT)
        return sek_diag_set(r->diag, SEK_E_INVALID,
                            "%s:%zu: %s: is a group; write its settings indented below it",
                            r->label, line_of(r), group);
    while ((err = next(r)) == SEK_OK && r->event.type != YAML_MAPPING_END_EVENT) {
        err = read_option(r, group);
        if (err != SEK_OK)
            break;
    }
    return err;
}

static enum sek_err read_document(struct reader *r)
{
    enum sek_err err = next(r);

    if (err != SEK_OK || is_empty(r))
        return err;
    if (r->event.type != YAML_MAPPING_START_EVENT)
        return fail(r, "a group of settings such as \"policy:\" must stand here");
    while ((err = next(r)) == SEK_OK && r->event.type != YAML_MAPPING_END_EVENT) {
        err = read_group(r);
        if (err != SEK_OK)
            break;
    }
    return err;
}

static enum sek_err read_stream(struct reader *r)
{
    enum sek_err err = next(r); /* stream start */

    if (err == SEK_OK)
        err = next(r);
    if (err != SEK_OK || r->event.type == YAML_STREAM_END_EVENT) /* nothing but comments */
        return err;
    err = read_document(r);
    if (err == SEK_OK)
        err = next(r); /* document end */
    if (err == SEK_OK)
        err = next(r);
    if (err == SEK_OK && r->event.type != YAML_STREAM_END_EVENT)
        return fail(r, "a second document (---) is not supported");
    return err;
}

enum sek_err sek__conffile_read(const char *text, size_t len, const char *label,
                                struct sek_conf *conf, struct sek_diag *diag)
{
    struct reader r = {.text = text, .len = len, .label = label, .conf = conf, .diag = diag};
    enum sek_err err;

    if (!yaml_parser_initialize(&r.parser))
        return sek_diag_set(diag, SEK_E_NOMEM, "%s: out of memory", label);
    /* not guessed: UTF-16 by a byte order mark would make line numbers and checks wrong */
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
    err = read_stream(&r);
    yaml_event_delete(&r.event);
    yaml_parser_delete(&r.parser);
    return err;
}
