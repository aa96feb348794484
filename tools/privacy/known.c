/* SPDX-License-Identifier: BSD-3-Clause */
#include "known.h"
#include "store/audit.h"
#include "store/policydb_named.h"
#include "store/report_position.h"
#include <string.h>
#include "base/banned.h"

struct known {
    sek_endpoint_fn *fn;
    void *arg;
};

static bool on_address(void *arg, const char *address)
{
    struct known *t = arg;
    struct sek_addr addr;
    bool nobody = strcmp(address, "::") == 0; /* a forgotten one (store/forget.h) */
    return nobody || sek_addr_from_text(address, &addr, NULL) != SEK_OK || t->fn(t->arg, &addr);
}

enum sek_err sek_known_endpoints(const struct sek_conf *conf, sek_endpoint_fn *fn, void *arg,
                                 struct sek_diag *diag)
{
    struct known t = {fn, arg};
    struct sek_report *r = NULL;
    struct sek_policydb *db = NULL;
    enum sek_err err = sek_report_open(conf->events.db, &r, diag);
    if (!err)
        err = sek_report_addresses(r, on_address, &t, diag);
    sek_report_close(r);
    if (err && err != SEK_E_NOTFOUND)
        return err;
    if (sek_policydb_open(conf->policy.db, false, &db, NULL) == SEK_OK)
        (void)sek_policydb_named(db, fn, arg, NULL);
    sek_policydb_close(db);
    return SEK_OK;
}

/* --- the trail ---------------------------------------------------------------------------------
 */

/* What stands before an address in the trail's words for changes (store/journal_tables.c), and in
 * command lines. */
static const char *const before[] = {"endpoint ", "endpoints \"", "member ",     " for ",
                                     "-e ",       "--endpoint ",  "--endpoint=", "release ",
                                     "forget ",   "quarantine "};

static bool ends_so(const char *text, size_t len)
{
    for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
        size_t n = strlen(before[i]);
        if (n <= len && memcmp(text + len - n, before[i], n) == 0)
            return true;
    }
    return false;
}

/* Does a change of the inventory begin with it? Exceptions have owners, too, and they are people
 * with accounts, not the machine's. */
static bool is_machine(const char *text, size_t len)
{
    const char word[] = "endpoint ", next[] = "; ";
    size_t n = strlen(word), k = strlen(next);
    if (len < n || memcmp(text + len - n, word, n) != 0)
        return false;
    len -= n;
    return len == 0 || (len >= k && memcmp(text + len - k, next, k) == 0);
}

struct told {
    sek_told_fn *fn;
    void *arg;
    struct sek_addr latest; /* the endpoint that was named last in the row */
    bool has_latest;
    bool machine; /* and what stands behind it is said of its machine */
};

/* The text behind a word in quotation marks, as it is written: with its escapes. */
static void take_quoted(const char *text, const char *end, const char *word, char *out, size_t size)
{
    const char *p = strstr(text, word);
    size_t n = 0;
    if (!p || p >= end)
        return;
    for (p += strlen(word); p < end && *p != '"' && n + 2 < size; p++) {
        if (*p == '\\' && p + 1 < end)
            out[n++] = *p++;
        out[n++] = *p;
    }
    out[n] = '\0';
}

/* An endpoint, and what a change of the inventory says of its machine, up to the next thing that
 * changed. */
static bool in_item(struct told *t, const char *text)
{
    struct sek_machine m = {0};
    const char *end = strstr(text, "; ");
    end = end ? end : text + strlen(text);
    if (t->machine) {
        take_quoted(text, end, ", mac \"", m.mac, sizeof m.mac);
        take_quoted(text, end, ", name \"", m.name, sizeof m.name);
        take_quoted(text, end, ", owner \"", m.owner, sizeof m.owner);
    }
    bool any = *m.mac || *m.name || *m.owner;
    return t->fn(t->arg, &t->latest, any ? &m : NULL);
}

#define ADDRESS "0123456789abcdefABCDEF.:"

/* Words that are addresses and stand where endpoints do, or behind such a one. */
static bool in_text(struct told *t, const char *text)
{
    bool goes_on = !t->has_latest || in_item(t, text), row = false;
    char word[SEK_ADDR_TEXT_MAX];
    struct sek_addr addr;
    for (const char *p = text; goes_on && *p;) {
        size_t n = strspn(p, ADDRESS), k = n;
        while (k && (p[k - 1] == ':' || p[k - 1] == '.'))
            k--; /* the end of a sentence */
        bool fits = k >= 2 && k < sizeof word;
        if (fits) {
            memcpy(word, p, k);
            word[k] = '\0';
        }
        bool is = fits && sek_addr_from_text(word, &addr, NULL) == SEK_OK;
        row = is && (row || ends_so(text, (size_t)(p - text)));
        if (row) {
            t->latest = addr;
            t->machine = is_machine(text, (size_t)(p - text));
            goes_on = in_item(t, p);
        }
        p += n + strcspn(p + n, " \"=,;");
        p += strspn(p, " \"=,;");
    }
    return goes_on;
}

/* A row about one thing names it, and says the rest without it. */
static bool in_row(void *arg, const struct sek_audit_row *row)
{
    struct told *t = arg;
    struct sek_addr none = {0};
    t->has_latest = t->machine = false;
    t->latest = none;
    if (!in_text(t, row->object))
        return false;
    t->has_latest = memcmp(&t->latest, &none, sizeof none) != 0;
    bool goes_on = in_text(t, row->before) && in_text(t, row->after);
    t->has_latest = false;
    return goes_on && in_text(t, row->command);
}

void sek_told_endpoints(const struct sek_conf *conf, sek_told_fn *fn, void *arg)
{
    struct told t = {.fn = fn, .arg = arg};
    struct sek_policydb *db = NULL;
    if (sek_policydb_open(conf->policy.db, false, &db, NULL) == SEK_OK)
        (void)sek_audit_rows(db, &(struct sek_audit_filter){0}, in_row, &t, NULL);
    sek_policydb_close(db);
}
