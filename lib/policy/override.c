/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/override.h"
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

#define CNAME "cname "

/* The record that every rule answers with. A star stands for the question's name. */
static enum sek_err cname_take(const char *target, struct sek_override_spec *out,
                               struct sek_diag *diag)
{
    bool star = target[0] == '*' && target[1] == '.';
    struct sek_terms_spec spec = {0};
    struct sek_name name;
    char plain[SEK_NAME_TEXT_MAX], record[SEK_NAME_TEXT_MAX + 16];
    target += star ? 2 : 0;
    enum sek_err err = sek_name_from_text(target, strlen(target), &name, diag);
    if (!err && name.n_labels == 0)
        err = sek_diag_set(diag, SEK_E_INVALID,
                           "\"cname .\" leads nowhere: nxdomain and nodata are overrides, too");
    if (err)
        return err;
    sek_name_to_text(name.octets, plain);
    snprintf(record, sizeof record, "CNAME %s%s.", star ? "*." : "", plain);
    err = sek_terms_add(&spec, "data", record, diag);
    if (!err)
        err = sek_terms_to_text(&spec, out->terms, diag);
    snprintf(out->text, sizeof out->text, CNAME "%s%s", star ? "*." : "", plain);
    out->action = SEK_ACTION_DATA;
    return err;
}

enum sek_action sek_override_action(const char *text)
{
    if (strncmp(text, CNAME, strlen(CNAME)) == 0)
        return SEK_ACTION_DATA;
    int action = sek_lookup_id(sek_action_names, text);
    return action > 0 && action <= SEK_ACTION_TCP_ONLY ? (enum sek_action)action
                                                       : SEK_ACTION_DEFAULT;
}

enum sek_err sek_override_from_text(const char *text, struct sek_override_spec *out,
                                    struct sek_diag *diag)
{
    struct sek_override_spec spec = {.action = sek_override_action(text)};
    enum sek_err err = SEK_OK;
    if (spec.action == SEK_ACTION_DATA)
        err = cname_take(text + strlen(CNAME), &spec, diag);
    else if (spec.action != SEK_ACTION_DEFAULT)
        snprintf(spec.text, sizeof spec.text, "%s", text);
    else if (*text && strcmp(text, "given") != 0)
        err =
            sek_diag_set(diag, SEK_E_INVALID,
                         "\"%.60s\" is none of: given, disabled, passthru, log, nxdomain, nodata, "
                         "sinkhole, refused, drop, tcp-only, \"cname NAME\"",
                         text);
    if (!err)
        *out = spec;
    return err;
}

enum sek_err sek_overrides_check(const void *part, size_t size, uint32_t n_terms,
                                 struct sek_diag *diag)
{
    const struct sek_override *o = part;
    bool good = size % sizeof *o == 0;
    for (size_t i = 0; good && i < size / sizeof *o; i++) {
        bool data = o[i].action == SEK_ACTION_DATA;
        good = (o[i].action != SEK_ACTION_DEFAULT || o[i].order) && o[i].action <= SEK_ACTION_MAX &&
               o[i].order <= (SEK_ORDER_ZONE | SEK_ORDER_WAITS) &&
               (data ? o[i].terms != 0 && o[i].terms <= n_terms : o[i].terms == 0) &&
               (i == 0 || o[i - 1].list < o[i].list);
    }
    return good ? SEK_OK : sek_diag_set(diag, SEK_E_CORRUPT, "bad overrides");
}

const struct sek_override *sek_override_find(const struct sek_override *all, size_t n,
                                             uint16_t list)
{
    for (size_t i = 0; i < n && all[i].list <= list; i++)
        if (all[i].list == list)
            return &all[i];
    return NULL;
}
