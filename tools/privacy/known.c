/* SPDX-License-Identifier: BSD-3-Clause */
#include "known.h"
#include "store/audit.h"
#include "store/policydb_named.h"
#include "store/report_position.h"
#include <string.h>
#include "base/banned.h"

struct told {
    sek_endpoint_fn *fn;
    void *arg;
};

static bool on_address(void *arg, const char *address)
{
    struct told *t = arg;
    struct sek_addr addr;
    bool nobody = strcmp(address, "::") == 0; /* a forgotten one (store/forget.h) */
    return nobody || sek_addr_from_text(address, &addr, NULL) != SEK_OK || t->fn(t->arg, &addr);
}

enum sek_err sek_known_endpoints(const struct sek_conf *conf, sek_endpoint_fn *fn, void *arg,
                                 struct sek_diag *diag)
{
    struct told t = {fn, arg};
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

#define ADDRESS "0123456789abcdefABCDEF.:"

/* Words that are addresses and stand where endpoints do, or behind such a one. */
static bool in_text(struct told *t, const char *text)
{
    bool goes_on = true, row = false;
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
        if (row)
            goes_on = t->fn(t->arg, &addr);
        p += n + strcspn(p + n, " \"=,;");
        p += strspn(p, " \"=,;");
    }
    return goes_on;
}

static bool in_row(void *arg, const struct sek_audit_row *row)
{
    return in_text(arg, row->object) && in_text(arg, row->before) && in_text(arg, row->after) &&
           in_text(arg, row->command);
}

void sek_told_endpoints(const struct sek_conf *conf, sek_endpoint_fn *fn, void *arg)
{
    struct told t = {fn, arg};
    struct sek_policydb *db = NULL;
    if (sek_policydb_open(conf->policy.db, false, &db, NULL) == SEK_OK)
        (void)sek_audit_rows(db, &(struct sek_audit_filter){0}, in_row, &t, NULL);
    sek_policydb_close(db);
}
