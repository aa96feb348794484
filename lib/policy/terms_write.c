/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/terms_write.h"
#include "policy/terms_format.h"
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

/* A text that has its number, or a time zone its place. */
struct known {
    uint32_t value;
    char text[];
};

struct sek_terms_writer {
    void *texts, *zones; /* trees of struct known */
    uint32_t n;
    struct sek_buf terms, memory;
};

static int known_compare(const void *a, const void *b)
{
    const struct known *x = a, *y = b;
    return strcmp(x->text, y->text);
}

/* The one in the tree; a new one has value 0. NULL without memory. */
static struct known *known_get(void **tree, const char *text, size_t len)
{
    struct known *fresh = malloc(sizeof *fresh + len + 1);
    if (!fresh)
        return NULL;
    fresh->value = 0;
    memcpy(fresh->text, text, len);
    fresh->text[len] = '\0';
    struct known **found = tsearch(fresh, tree, known_compare);
    if (!found || *found != fresh)
        free(fresh);
    return found ? *found : NULL;
}

enum sek_err sek_terms_writer_new(struct sek_terms_writer **out, struct sek_diag *diag)
{
    struct sek_terms_writer *w = calloc(1, sizeof *w);
    if (!w)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for conditions of rules");
    sek_buf_init(&w->terms, 0);
    sek_buf_init(&w->memory, 0);
    sek_buf_add(&w->memory, &(uint64_t){0}, 8);
    if (w->memory.failed) {
        sek_terms_writer_free(w);
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for conditions of rules");
    }
    *out = w;
    return SEK_OK;
}

void sek_terms_writer_free(struct sek_terms_writer *w)
{
    if (!w)
        return;
    tdestroy(w->texts, free);
    tdestroy(w->zones, free);
    sek_buf_fini(&w->terms);
    sek_buf_fini(&w->memory);
    free(w);
}

/* Its place in the memory. */
static uint32_t memory_put(struct sek_buf *memory, const void *data, size_t n)
{
    static const uint8_t zeros[8];
    uint32_t at = (uint32_t)memory->len;
    sek_buf_add(memory, data, n);
    sek_buf_add(memory, zeros, -memory->len % 8);
    return at;
}

static uint32_t endpoints_put(struct sek_buf *memory, const struct sek_terms_spec *spec)
{
    const struct sek__endpoints head = {.n = (uint32_t)spec->n_endpoints};
    uint32_t at = memory_put(memory, &head, sizeof head);
    memory_put(memory, spec->endpoints, spec->n_endpoints * sizeof *spec->endpoints);
    return at;
}

static void change_put(void *arg, int64_t at_s, int32_t offset_s)
{
    const struct sek__change change = {.at_s = at_s, .offset_s = offset_s};
    sek_buf_add(arg, &change, sizeof change);
}

static enum sek_err zone_put(struct sek_terms_writer *w, const char *name, uint32_t *out,
                             struct sek_diag *diag)
{
    struct sek__zone head = {0};
    struct sek_buf changes;
    struct known *known = known_get(&w->zones, name, strlen(name));
    if (!known)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for time zones");
    if (known->value == 0) {
        sek_buf_init(&changes, 0);
        enum sek_err err = sek_timezone_each(name, change_put, &changes, diag);
        if (err) {
            sek_buf_fini(&changes);
            return err;
        }
        head.n = (uint32_t)(changes.len / sizeof(struct sek__change));
        known->value = memory_put(&w->memory, &head, sizeof head);
        memory_put(&w->memory, changes.data, changes.len);
        w->memory.failed |= changes.failed;
        sek_buf_fini(&changes);
    }
    *out = known->value;
    return SEK_OK;
}

static enum sek_err spec_put(struct sek_terms_writer *w, const struct sek_terms_spec *spec,
                             struct sek_diag *diag)
{
    struct sek_terms terms = spec->terms;
    enum sek_err err = SEK_OK;
    if (terms.given & SEK_TERMS_SCHEDULE)
        err = zone_put(w, spec->zone, &terms.zone, diag);
    if (err)
        return err;
    if (terms.given & SEK_TERMS_EDE_TEXT)
        terms.ede_text = memory_put(&w->memory, spec->ede_text, strlen(spec->ede_text) + 1);
    if (terms.given & SEK_TERMS_DATA) {
        terms.data = memory_put(&w->memory, spec->data, spec->n_data);
        terms.n_data = (uint32_t)spec->n_data;
    }
    if (terms.given & SEK_TERMS_ENDPOINTS)
        terms.endpoints = endpoints_put(&w->memory, spec);
    sek_buf_add(&w->terms, &terms, sizeof terms);
    if (w->terms.failed || w->memory.failed)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for conditions of rules");
    return SEK_OK;
}

enum sek_err sek_terms_writer_add(struct sek_terms_writer *w, const char *text, size_t len,
                                  uint32_t *out_number, struct sek_diag *diag)
{
    struct sek_terms_spec spec;
    *out_number = 0;
    if (len == 0)
        return SEK_OK;
    struct known *known = known_get(&w->texts, text, len);
    if (!known)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for conditions of rules");
    if (known->value == 0) {
        enum sek_err err = sek_terms_from_text(text, len, &spec, diag);
        if (!err && w->n == SEK_TERMS_MAX)
            err = sek_diag_set(diag, SEK_E_LIMIT, "more than %u different conditions of rules",
                               SEK_TERMS_MAX);
        if (!err && spec.terms.given)
            err = spec_put(w, &spec, diag);
        if (err || !spec.terms.given)
            return err;
        known->value = ++w->n;
    }
    *out_number = known->value;
    return SEK_OK;
}

enum sek_err sek_terms_write(struct sek_terms_writer *w, struct sek_buf *out, struct sek_diag *diag)
{
    const struct sek__terms_head head = {.n = w->n, .n_memory = (uint32_t)w->memory.len};
    if (w->n == 0)
        return SEK_OK;
    sek_buf_add(out, &head, sizeof head);
    sek_buf_add(out, w->terms.data, w->terms.len);
    sek_buf_add(out, w->memory.data, w->memory.len);
    if (out->failed)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for conditions of rules");
    return SEK_OK;
}
