/* SPDX-License-Identifier: BSD-3-Clause */
#include "machines.h"
#include "store/report.h"
#include "tools/print/talk.h"
#include "tools/privacy/cloak.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define MEMO_SLOTS 1024
#define SPANS_MAX 20000 /* of one machine, in a filter */

void sek_machines_open(struct sek_machines *m, struct sek_context *c)
{
    bool empty = true;
    *m = (struct sek_machines){0};
    enum sek_err e = sek_policydb_open(c->conf.policy.db, false, &m->db, &m->why);
    if (!e)
        e = sek_inventory_is_empty(m->db, &empty, &m->why);
    if (!e && !empty)
        m->memo = calloc(MEMO_SLOTS, sizeof *m->memo);
    if (e == SEK_E_NOTFOUND)
        m->why.code = SEK_OK;
    if (e && e != SEK_E_NOTFOUND)
        sek_talk("names of machines are not shown: %s", m->why.text);
    if (!m->memo)
        sek_machines_close(m);
}

void sek_machines_close(struct sek_machines *m)
{
    sek_policydb_close(m->db);
    free(m->memo);
    m->db = NULL;
    m->memo = NULL;
}

bool sek_machines_any(const struct sek_machines *m)
{
    return m->db != NULL;
}

static struct sek_span *memo_of(struct sek_machines *m, const struct sek_addr *addr)
{
    uint32_t sum = 2166136261U; /* FNV-1a */
    for (size_t i = 0; i < sizeof addr->octets; i++)
        sum = (sum ^ addr->octets[i]) * 16777619U;
    return &m->memo[(sum ^ sum >> 16) % MEMO_SLOTS];
}

void sek_machines_at(struct sek_machines *m, const char *address, int64_t time_s,
                     struct sek_span *out)
{
    struct sek_addr addr;
    struct sek_diag why;
    *out = (struct sek_span){.from_s = INT64_MIN, .until_s = INT64_MAX};
    if (!m->db || sek_addr_from_text(address, &addr, NULL))
        return;
    struct sek_span *memo = memo_of(m, &addr);
    bool fits = sek_addr_equal(&memo->addr, &addr) && memo->from_s <= time_s &&
                time_s < memo->until_s; /* an unused one spans no time */
    enum sek_err e = fits ? SEK_OK : sek_inventory_at(m->db, &addr, time_s, memo, &why);
    if (e && e != SEK_E_NOTFOUND) {
        sek_talk("names of machines are not shown: %s", why.text);
        sek_machines_close(m);
        return;
    }
    *out = *memo;
}

void sek_machines_hide(const struct sek_machines *m, struct sek_col *col)
{
    if (!sek_machines_any(m))
        col->place = SEK_COL_NOWHERE;
}

static void put_known(struct sek_out *o, unsigned col, const char *text)
{
    if (*text)
        sek_out_text(o, col, text);
}

void sek_machine_put(struct sek_out *o, unsigned label, unsigned first,
                     const struct sek_machine *machine)
{
    char text[2 * SEK_LEASE_TEXT_MAX + 8];
    const char *name = *machine->name ? machine->name : machine->mac;
    if (*machine->owner)
        snprintf(text, sizeof text, "%s%s(%s)", name, *name ? " " : "", machine->owner);
    else
        snprintf(text, sizeof text, "%s", name);
    put_known(o, label, text);
    put_known(o, first, machine->name);
    put_known(o, first + 1, machine->mac);
    put_known(o, first + 2, machine->owner);
    put_known(o, first + 3, machine->group);
}

void sek_machines_put(struct sek_machines *m, struct sek_out *o, unsigned label, unsigned first,
                      const char *address, int64_t time_s)
{
    struct sek_span span;
    sek_machines_at(m, address, time_s, &span);
    sek_machine_put(o, label, first, &span.machine);
}

static bool add_span(void *arg, const struct sek_span *span)
{
    char address[SEK_ADDR_TEXT_MAX];
    sek_report_add_span(arg, sek_addr_to_text(&span->addr, address), span->from_s, span->until_s);
    return true;
}

/* By the pseudonym that reports show. */
static enum sek_err find_called(struct sek_context *c, const char *option, const char *pseudonym,
                                struct sek_addr *out)
{
    const struct sek_conf *conf;
    struct sek_cloak *cloak = NULL;
    enum sek_err e = sek_context_conf(c, &conf);
    if (!e)
        e = sek_context_privacy(c, &cloak);
    if (e == SEK_E_NOTFOUND) /* the key, or the group: that is no question of the form */
        e = c->diag.code = SEK_E_INVALID;
    if (e)
        return e;
    if (!cloak)
        return sek_context_usage(c,
                                 "%s: %.40s: no endpoints are called by pseudonyms here "
                                 "(privacy.groups)",
                                 option, pseudonym);
    e = sek_cloak_find(cloak, conf, pseudonym, out, &c->diag);
    if (e == SEK_E_NOTFOUND)
        return sek_context_usage(c, "%s: no endpoint that is known is called %.40s", option,
                                 pseudonym);
    return e;
}

enum sek_err sek_machines_address(struct sek_context *c, const char *option, const char *text,
                                  struct sek_addr *out)
{
    if (sek_addr_from_text(text, out, NULL) == SEK_OK)
        return SEK_OK;
    return sek_pseudonym_is(text) ? find_called(c, option, text, out) : SEK_E_NOTFOUND;
}

enum sek_err sek_machines_each(struct sek_context *c, const char *option, const char *text,
                               sek_span_fn *fn, void *arg)
{
    struct sek_span span = {.from_s = INT64_MIN, .until_s = INT64_MAX};
    enum sek_err e = sek_machines_address(c, option, text, &span.addr);
    if (!e)
        fn(arg, &span);
    return e == SEK_E_NOTFOUND ? sek_machines_spans(c, option, text, fn, arg) : e;
}

static bool keep_span(void *arg, const struct sek_span *span)
{
    sek_buf_add(arg, span, sizeof *span);
    return true;
}

enum sek_err sek_machines_keep(struct sek_context *c, const char *option, const char *text,
                               struct sek_buf *out)
{
    enum sek_err e = sek_machines_each(c, option, text, keep_span, out);
    if (!e && out->failed)
        e = sek_diag_set(&c->diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    return e;
}

bool sek_machines_kept(const struct sek_buf *spans, const struct sek_addr *addr, int64_t first_s,
                       int64_t last_s)
{
    const struct sek_span *all = (const void *)spans->data;
    for (size_t i = 0; i < spans->len / sizeof *all; i++)
        if (sek_addr_equal(&all[i].addr, addr) && all[i].from_s <= last_s &&
            first_s < all[i].until_s)
            return true;
    return false;
}

enum sek_err sek_machines_now(struct sek_context *c, const char *option, const char *text,
                              struct sek_addr *out)
{
    struct sek_buf spans;
    unsigned n = 0;
    sek_buf_init(&spans, 0);
    enum sek_err e = sek_machines_keep(c, option, text, &spans);
    const struct sek_span *all = (const void *)spans.data;
    for (size_t i = 0; !e && i < spans.len / sizeof *all; i++)
        if (all[i].from_s <= c->now_s && c->now_s < all[i].until_s && n++ == 0)
            *out = all[i].addr;
    sek_buf_fini(&spans);
    if (!e && n != 1)
        return sek_context_usage(c, "%s: \"%.100s\" has %s: name an address", option, text,
                                 n ? "several addresses now" : "no address now");
    return e;
}

enum sek_err sek_machines_selector(struct sek_context *c, const char *option, const char *text,
                                   struct sek_buf *out)
{
    struct sek_addr addr;
    char address[SEK_ADDR_TEXT_MAX];
    enum sek_err e = sek_machines_address(c, option, text, &addr);
    if (!e)
        sek_buf_add_text(out, sek_addr_to_text(&addr, address));
    if (e != SEK_E_NOTFOUND)
        return e;
    e = sek_machines_spans(c, option, text, add_span, out);
    sek_report_end_spans(out);
    return e;
}

enum sek_err sek_machines_spans(struct sek_context *c, const char *option, const char *text,
                                sek_span_fn *fn, void *arg)
{
    struct sek_policydb *db = NULL;
    struct sek_diag why = {0};
    const struct sek_conf *conf;
    enum sek_err e = sek_context_conf(c, &conf);
    if (e)
        return e;
    e = sek_policydb_open(conf->policy.db, false, &db, &why);
    bool unread = e && e != SEK_E_NOTFOUND;
    if (!e)
        e = sek_inventory_find(db, text, c->now_s, SPANS_MAX, fn, arg, &why);
    sek_policydb_close(db);
    if (unread)
        return sek_context_usage(c,
                                 "%s: \"%.100s\" is no IP address, and names cannot be looked "
                                 "up: %s",
                                 option, text, why.text);
    if (e == SEK_E_NOTFOUND)
        return sek_context_usage(c,
                                 "%s: \"%.100s\" is no IP address, and the inventory knows no "
                                 "such machine (sekisho endpoint import)",
                                 option, text);
    return e ? sek_diag_set(&c->diag, e, "%s", why.text) : SEK_OK;
}
