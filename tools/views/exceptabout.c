/* SPDX-License-Identifier: BSD-3-Clause */
#include "exceptabout.h"
#include "base/buf.h"
#include "exceptpreview.h"
#include "exceptview.h"
#include "base/banned.h"

struct about {
    struct sek_context *c;
    struct sek_policydb *db;
    const struct sek_name *name; /* or: */
    const struct sek_addr *addrs;
    unsigned n_addrs;
    struct sek_buf own, wide; /* struct sek_exception */
    enum sek_err err;
};

static bool is_about_name(const struct about *a, const struct sek_exception *e)
{
    return sek_name_is_at_or_below(a->name, &e->name) || sek_name_is_at_or_below(&e->name, a->name);
}

static bool is_for_addrs(struct about *a, const struct sek_exception *e)
{
    struct sek_nets nets = {0};
    bool is = false;
    a->err = sek_preview_nets(a->c, a->db, e, &nets);
    for (unsigned i = 0; !a->err && i < a->n_addrs && !is; i++)
        is = sek_nets_have(&nets, &a->addrs[i]);
    sek_nets_fini(&nets);
    return is;
}

static bool take(void *arg, const struct sek_exception *e)
{
    struct about *a = arg;
    bool wide = a->addrs && sek_exception_is_wide(e);
    if (wide)
        sek_buf_add(&a->wide, e, sizeof *e);
    else if (a->name ? is_about_name(a, e) : is_for_addrs(a, e))
        sek_buf_add(&a->own, e, sizeof *e);
    return !a->err && !a->own.failed && !a->wide.failed;
}

/* The latest first. Returns how many are still wanted. */
static unsigned put(struct about *a, const struct sek_buf *buf, unsigned left)
{
    const struct sek_exception *all = (const void *)buf->data;
    for (size_t i = buf->len / sizeof *all; i-- > 0 && left;) {
        left--;
        if (!sek_except_view_row(a->c, &all[i]))
            return 0;
    }
    return left;
}

static enum sek_err put_all(struct about *a, unsigned limit)
{
    struct sek_context *c = a->c;
    sek_buf_init(&a->own, SIZE_MAX);
    sek_buf_init(&a->wide, SIZE_MAX);
    enum sek_err e = a->db ? sek_exceptions(a->db, true, take, a, &c->diag) : SEK_OK;
    e = a->err ? a->err : e;
    if (!e && (a->own.failed || a->wide.failed))
        e = sek_diag_set(&c->diag, SEK_E_NOMEM, "out of memory for exceptions");
    bool known = sek_out_n_rows(c->out) > 0 || a->own.len > 0;
    if (!e && (a->own.len || (known && a->wide.len)))
        sek_out_title(c->out, "Exceptions asked for", NULL);
    sek_except_view_part(c, "exception_requests");
    unsigned left = e ? 0 : put(a, &a->own, limit ? limit : UINT32_MAX);
    if (known)
        put(a, &a->wide, left);
    sek_buf_fini(&a->own);
    sek_buf_fini(&a->wide);
    return e;
}

enum sek_err sek_except_about_name(struct sek_context *c, struct sek_policydb *db,
                                   const struct sek_name *name, unsigned limit)
{
    struct about a = {.c = c, .db = db, .name = name};
    return put_all(&a, limit);
}

enum sek_err sek_except_about_endpoint(struct sek_context *c, struct sek_policydb *db,
                                       const struct sek_addr *addrs, unsigned n_addrs,
                                       unsigned limit)
{
    struct about a = {.c = c, .db = db, .addrs = addrs, .n_addrs = n_addrs};
    return put_all(&a, limit);
}
