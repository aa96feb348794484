/* SPDX-License-Identifier: BSD-3-Clause */
#include "versionspec.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

bool sek_version_number(const char *text, uint32_t *out)
{
    char *end;
    if (*text < '1' || *text > '9' || strlen(text) > 9)
        return false;
    *out = (uint32_t)strtoul(text, &end, 10);
    return *end == '\0';
}

enum sek_err sek_versionspec_read(struct sek_policydb *db, const char *text,
                                  struct sek_versionspec *out, struct sek_diag *diag)
{
    const char *at = strrchr(text, '@');
    size_t n = at ? (size_t)(at - text) : strlen(text);
    char name[SEK_LIST_NAME_MAX];
    *out = (struct sek_versionspec){0};
    if (n >= sizeof name || (at && !sek_version_number(at + 1, &out->number)))
        return sek_diag_set(diag, SEK_E_INVALID, "\"%.100s\" is no LIST or LIST@VERSION", text);
    memcpy(name, text, n);
    name[n] = '\0';
    snprintf(out->text, sizeof out->text, "%s", text);
    enum sek_err err = sek_policydb_list_get(db, name, &out->list, diag);
    if (err == SEK_E_NOTFOUND)
        return sek_diag_set(
            diag, err, "there is no list %.64s; sekisho list show names those there are", name);
    return err;
}

/* Entries as rules of a version. */
struct relay {
    sek_version_rule_fn *fn;
    void *arg;
    struct sek_diag *diag;
    enum sek_err err;
};

static bool give(void *arg, const struct sek_entry *e)
{
    struct relay *r = arg;
    r->err = r->fn(r->arg, e, r->diag);
    return r->err == SEK_OK;
}

enum sek_err sek_versionspec_rules(struct sek_policydb *db, const struct sek_versionspec *spec,
                                   sek_version_rule_fn *fn, void *arg, struct sek_diag *diag)
{
    struct relay r = {fn, arg, diag, SEK_OK};
    if (spec->number == 0) {
        enum sek_err err = sek_policydb_entries(db, spec->list.list.id, give, &r, diag);
        return err ? err : r.err;
    }
    enum sek_err err = sek_version_rules(db, spec->list.list.id, spec->number, fn, arg, diag);
    if (err == SEK_E_NOTFOUND)
        return sek_diag_set(diag, err,
                            "%s is not kept; sekisho list versions %s names those that are",
                            spec->text, spec->list.list.name);
    return err;
}
