/* SPDX-License-Identifier: BSD-3-Clause */
#include "conf/flatyaml.h"
#include <string.h>
#include <yaml.h>
#include "base/banned.h"

#define KEY_MAX 64 /* octets with terminator */

struct reader {
    yaml_parser_t parser;
    yaml_event_t event;
    const char *label;
    sek_flatyaml_fn *fn;
    void *arg;
    struct sek_diag *diag;
};

static enum sek_err fail(const struct reader *r, size_t line, const char *what)
{
    return sek_diag_set(r->diag, SEK_E_INVALID, "%s:%zu: %s", r->label, line + 1, what);
}

static enum sek_err next(struct reader *r)
{
    const yaml_event_t *e = &r->event;
    yaml_event_delete(&r->event);
    if (!yaml_parser_parse(&r->parser, &r->event))
        return fail(r, r->parser.problem_mark.line,
                    r->parser.problem ? r->parser.problem : "not readable as YAML");
    bool scalar = e->type == YAML_SCALAR_EVENT;
    if (e->type == YAML_ALIAS_EVENT ||
        (scalar && (e->data.scalar.anchor || e->data.scalar.tag ||
                    strlen((const char *)e->data.scalar.value) != e->data.scalar.length)))
        return fail(r, e->start_mark.line,
                    "only plain texts are understood here: no aliases, anchors, tags or NUL");
    return SEK_OK;
}

static enum sek_err give(struct reader *r, const char *key, bool first)
{
    enum sek_err err = r->fn(r->arg, key, (const char *)r->event.data.scalar.value, first, r->diag);
    if (err)
        sek_diag_wrap(r->diag, "%s:%zu: %s", r->label, r->event.start_mark.line + 1, key);
    return err;
}

static enum sek_err read_value(struct reader *r, const char *key)
{
    enum sek_err err = next(r);
    if (err)
        return err;
    if (r->event.type == YAML_SCALAR_EVENT)
        return give(r, key, true);
    if (r->event.type != YAML_SEQUENCE_START_EVENT)
        return fail(r, r->event.start_mark.line, "a single value or a list must stand here");
    for (bool first = true; !err; first = false) {
        err = next(r);
        if (err || r->event.type == YAML_SEQUENCE_END_EVENT)
            break;
        err = r->event.type == YAML_SCALAR_EVENT
                  ? give(r, key, first)
                  : fail(r, r->event.start_mark.line, "a list has single values only");
    }
    return err;
}

static enum sek_err read_document(struct reader *r)
{
    char key[KEY_MAX];
    enum sek_err err = SEK_OK;
    if (r->event.type != YAML_MAPPING_START_EVENT)
        return fail(r, r->event.start_mark.line, "lines such as \"key: value\" must stand here");
    while (!err && !(err = next(r)) && r->event.type != YAML_MAPPING_END_EVENT) {
        if (r->event.type != YAML_SCALAR_EVENT || r->event.data.scalar.length >= sizeof key)
            return fail(r, r->event.start_mark.line, "a key must be a single word");
        memcpy(key, r->event.data.scalar.value, r->event.data.scalar.length + 1);
        err = read_value(r, key);
    }
    return err;
}

enum sek_err sek_flatyaml_read(const char *text, size_t len, const char *label, sek_flatyaml_fn *fn,
                               void *arg, struct sek_diag *diag)
{
    struct reader r = {.label = label, .fn = fn, .arg = arg, .diag = diag};
    if (!yaml_parser_initialize(&r.parser))
        return sek_diag_set(diag, SEK_E_NOMEM, "%s: out of memory", label);
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
    enum sek_err err = next(&r); /* the stream's start */
    if (!err)
        err = next(&r);
    if (!err && r.event.type == YAML_DOCUMENT_START_EVENT) {
        err = next(&r);
        if (!err)
            err = read_document(&r);
        if (!err)
            err = next(&r); /* the document's end */
        if (!err)
            err = next(&r);
        if (!err && r.event.type != YAML_STREAM_END_EVENT)
            err = fail(&r, r.event.start_mark.line, "a second document (---) is not supported");
    }
    yaml_event_delete(&r.event);
    yaml_parser_delete(&r.parser);
    return err;
}
