/* SPDX-License-Identifier: BSD-3-Clause */
#include "logmap.h"
#include "tools/caller.h"
#include "base/file.h"
#include "classify/modelpath.h"
#include "conf/flatyaml.h"
#include "tools/input/logvalue.h"
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/banned.h"

#define MAP_OCTETS_MAX 65536

static const struct sek_lookup kinds[] = {{SEK_LOGMAP_COLUMNS_KIND, "columns"},
                                          {SEK_LOGMAP_CSV, "csv"},
                                          {SEK_LOGMAP_JSON, "json"},
                                          {SEK_LOGMAP_PAIRS, "pairs"},
                                          {SEK_LOGMAP_ZEEK, "zeek"},
                                          {SEK_LOGMAP_ASA, "asa"},
                                          {SEK_LOGMAP_WINDOWS, "windows-dns"},
                                          {0, NULL}};
const struct sek_lookup sek__logmap_fields[] = {{SEK_LOG_TIME, "time"},
                                                {SEK_LOG_SOURCE, "source"},
                                                {SEK_LOG_DESTINATION, "destination"},
                                                {SEK_LOG_PORT, "port"},
                                                {SEK_LOG_NAME, "name"},
                                                {SEK_LOG_ACTION, "action"},
                                                {SEK_LOG_OUTCOME, "outcome"},
                                                {0, NULL}};
static const struct sek_lookup separators[] = {
    {' ', "blank"}, {'\t', "tab"}, {',', "comma"}, {';', "semicolon"}, {0, NULL}};
static const struct sek_lookup forms[] = {
    {SEK_LOGMAP_NAME, "name"}, {SEK_LOGMAP_URL, "url"}, {SEK_LOGMAP_REQUEST, "request"}, {0, NULL}};

/* --- the map -----------------------------------------------------------------------------------
 */

static enum sek_err unknown(const char *what, const char *value, const char *allowed,
                            struct sek_diag *diag)
{
    return sek_diag_set(diag, SEK_E_INVALID, "\"%.60s\" is no %s; allowed: %s", value, what,
                        allowed);
}

static enum sek_err add_key(char keys[][SEK_LOGMAP_KEY], unsigned *n, const char *value,
                            struct sek_diag *diag)
{
    size_t len = strlen(value);
    if (len == 0 || len >= SEK_LOGMAP_KEY)
        return sek_diag_set(diag, SEK_E_INVALID, "must have 1 to %d octets", SEK_LOGMAP_KEY - 1);
    if (*n == SEK_LOGMAP_ALTERNATIVES)
        return sek_diag_set(diag, SEK_E_INVALID, "at most %d values", SEK_LOGMAP_ALTERNATIVES);
    memcpy(keys[(*n)++], value, len + 1);
    return SEK_OK;
}

/* Keys that have one value out of few, or one of a kind of its own. */
static enum sek_err set_single(struct sek_logmap *m, const char *key, const char *value,
                               struct sek_diag *diag)
{
    int id;
    if (strcmp(key, "kind") == 0) {
        if ((id = sek_lookup_id(kinds, value)) < 0)
            return unknown("kind", value, "columns csv json pairs zeek asa windows-dns", diag);
        m->kind = (enum sek_logmap_kind)id;
    } else if (strcmp(key, "separator") == 0) {
        if ((id = sek_lookup_id(separators, value)) < 0)
            return unknown("separator", value, "blank tab comma semicolon", diag);
        m->separator = (char)id;
    } else if (strcmp(key, "zone") == 0) {
        return sek_zone_from_text(value, &m->zone, diag);
    } else if (strcmp(key, "otherwise") == 0) {
        if ((id = sek_lookup_id(sek_logoutcome_keys, value)) < 0)
            return unknown("outcome", value, "connected attempted failed denied asked", diag);
        m->otherwise = (enum sek_outside_outcome)id;
        m->has_otherwise = true;
    } else if (strcmp(key, "name-form") == 0) {
        if ((id = sek_lookup_id(forms, value)) < 0)
            return unknown("form", value, "name url request", diag);
        m->name_form = (enum sek_logmap_form)id;
    } else if (strcmp(key, "within") == 0) {
        if (strlen(value) >= sizeof m->within)
            return sek_diag_set(diag, SEK_E_INVALID, "too long");
        memcpy(m->within, value, strlen(value) + 1);
    } else if (strcmp(key, "destination-after") == 0) {
        if (strlen(value) >= sizeof m->destination_after)
            return sek_diag_set(diag, SEK_E_INVALID, "too long");
        memcpy(m->destination_after, value, strlen(value) + 1);
    } else {
        return sek_diag_set(diag, SEK_E_INVALID,
                            "unknown key; known here: kind separator only not within zone time "
                            "source destination destination-after port name name-form action "
                            "outcome connected attempted failed denied asked otherwise");
    }
    return SEK_OK;
}

static enum sek_err set(void *arg, const char *key, const char *value, bool first,
                        struct sek_diag *diag)
{
    struct sek_logmap *m = arg;
    int field = sek_lookup_id(sek__logmap_fields, key),
        outcome = sek_lookup_id(sek_logoutcome_keys, key);
    if (field >= 0) {
        if (first && m->n_keys[field])
            return sek_diag_set(diag, SEK_E_INVALID, "set twice");
        return add_key(m->keys[field], &m->n_keys[field], value, diag);
    }
    if (outcome >= 0)
        return sek_logoutcome_add(&m->outcomes, (enum sek_outside_outcome)outcome, value, diag);
    if (strcmp(key, "only") == 0)
        return add_key(m->only, &m->n_only, value, diag);
    if (strcmp(key, "not") == 0)
        return add_key(m->without, &m->n_without, value, diag);
    return set_single(m, key, value, diag);
}

static enum sek_err complete_columns(struct sek_logmap *m, const char *label, struct sek_diag *diag)
{
    for (int f = 0; f < SEK_N_LOG_FIELDS; f++)
        for (unsigned k = 0; k < m->n_keys[f]; k++) {
            unsigned at = 0;
            if (!sek_logvalue_number(m->keys[f][k], &at) || at < 1 || at > SEK_LOGMAP_COLUMNS)
                return sek_diag_set(diag, SEK_E_INVALID, "%s: %s: must be a column, 1 to %d", label,
                                    sek_lookup_name(sek__logmap_fields, f), SEK_LOGMAP_COLUMNS);
        }
    return SEK_OK;
}

static enum sek_err complete(struct sek_logmap *m, const char *label, struct sek_diag *diag)
{
    static const char *const missing[] = {"time", "source"};
    if (!m->kind)
        return sek_diag_set(diag, SEK_E_INVALID, "%s: kind is missing", label);
    for (unsigned i = 0; i < 2; i++)
        if (m->n_keys[i == 0 ? SEK_LOG_TIME : SEK_LOG_SOURCE] == 0)
            return sek_diag_set(diag, SEK_E_INVALID, "%s: %s is missing", label, missing[i]);
    if (!m->n_keys[SEK_LOG_DESTINATION] && !m->n_keys[SEK_LOG_NAME])
        return sek_diag_set(diag, SEK_E_INVALID, "%s: destination or name is missing", label);
    if (m->outcomes.n && !m->n_keys[SEK_LOG_OUTCOME])
        return sek_diag_set(diag, SEK_E_INVALID, "%s: outcome is missing: where these words stand",
                            label);
    if (*m->within && m->kind != SEK_LOGMAP_PAIRS)
        return sek_diag_set(diag, SEK_E_INVALID, "%s: within: is for pairs", label);
    if (!m->has_otherwise && m->n_keys[SEK_LOG_OUTCOME])
        m->otherwise = SEK_OUTSIDE_ATTEMPTED;
    enum sek_err err =
        m->kind == SEK_LOGMAP_COLUMNS_KIND ? complete_columns(m, label, diag) : SEK_OK;
    if (!err)
        sek_logmap_begin(m);
    return err;
}

enum sek_err sek_logmap_parse(const char *text, size_t len, const char *label,
                              struct sek_logmap *out, struct sek_diag *diag)
{
    struct sek_logmap m = {0};
    enum sek_err err = sek_flatyaml_read(text, len, label, set, &m, diag);
    if (!err)
        err = complete(&m, label, diag);
    if (!err)
        *out = m;
    return err;
}

enum sek_err sek_logmap_load(const char *path, struct sek_logmap *out, struct sek_diag *diag)
{
    char name[128], installed[PATH_MAX];
    struct sek_buf text;
    int fd;
    if (!strchr(path, '/') && !strchr(path, '.') && strlen(path) < 64) {
        snprintf(name, sizeof name, "correlate/%s.yaml", path);
        path = sek_shared_path(name, installed, sizeof installed);
    }
    sek_caller_begin(); /* those that are installed may be read by all */
    enum sek_err err = sek_file_open_trusted(path, &fd, diag);
    sek_caller_end();
    if (err)
        return err;
    sek_buf_init(&text, MAP_OCTETS_MAX);
    err = sek_file_read(fd, &text, diag);
    close(fd);
    if (!err)
        err = sek_logmap_parse(text.data ? text.data : "", text.len, path, out, diag);
    sek_buf_fini(&text);
    return err;
}

void sek_logmap_begin(struct sek_logmap *m)
{
    m->has_head = false;
    m->asa = (struct sek_logasa){0};
    m->windows = (struct sek_windowslog){0};
    m->n_else = 0;
    for (int f = 0; f < SEK_N_LOG_FIELDS; f++)
        for (unsigned k = 0; k < SEK_LOGMAP_ALTERNATIVES; k++) {
            bool numbered = m->kind == SEK_LOGMAP_COLUMNS_KIND && k < m->n_keys[f];
            unsigned at = 0;
            m->column[f][k] = -1;
            if (numbered && sek_logvalue_number(m->keys[f][k], &at))
                m->column[f][k] = (int)at - 1;
        }
}
