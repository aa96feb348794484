/* SPDX-License-Identifier: BSD-3-Clause */
/* A list as a file of other programs. What a format cannot express is left out and counted: an
 * exception must not become a block, nor one name a whole domain. */
#include "tools/change/change.h"
#include "tools/command.h"
#include "tools/export/exportline.h"
#include "name/text.h"
#include "policy/about.h"
#include "policy/pattern.h"
#include "policy/reader.h"
#include "store/policydb.h"
#include "tools/print/talk.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(list_export);

enum { OPT_AS, N_OPTS };
const struct sek_arg sek_cmd_list_export_args[] = {
    [OPT_AS] = {"as", 0, SEK_ARG_CHOICE, NULL, "format of the output; default plain",
                sek_format_names},
    [N_OPTS] = {0},
};

struct dump {
    const struct sek_conf *conf;
    const struct sek_list *list;
    bool (*line)(const struct dump *x, const struct sek_entry *e, const char *name);
    bool any_octet; /* the format has escapes for octets outside of a-z 0-9 - _ */
    int64_t now_s;
    uint64_t n_left_out, n_with_end;
};

static enum sek_action action_of(const struct dump *x, const struct sek_entry *e)
{
    return e->rule.action ? (enum sek_action)e->rule.action : (enum sek_action)x->list->action;
}

/* No action of its own: the reader of the file gives it the action of its list, as here. */
static bool is_default(const struct dump *x, const struct sek_entry *e)
{
    return action_of(x, e) == (enum sek_action)x->list->action;
}

static bool plain_line(const struct dump *x, const struct sek_entry *e, const char *name)
{
    static const char *const prefix[] = {
        [SEK_SCOPE_EXACT] = "=", [SEK_SCOPE_SUBTREE] = "", [SEK_SCOPE_BELOW] = "*."};
    if (!is_default(x, e) && e->rule.action != SEK_ACTION_DATA) /* which its records say */
        return false;
    char text[SEK_NAME_TEXT_MAX + 2];
    const char *blank = *e->terms ? " " : "";
    if (sek_about_to_text((enum sek_scope)e->rule.scope, e->name.octets, text)) {
        printf("%s%s%s\n", text, blank, e->terms);
        return true;
    }
    bool root = e->name.n_labels == 0 && e->rule.scope == SEK_SCOPE_BELOW; /* "*." */
    printf("%s%s%s%s\n", prefix[e->rule.scope], root ? "" : name, blank, e->terms);
    return true;
}

static bool hosts_line(const struct dump *x, const struct sek_entry *e, const char *name)
{
    if (!is_default(x, e) || e->rule.scope != SEK_SCOPE_EXACT ||
        !sek_action_blocks(action_of(x, e)))
        return false;
    printf("0.0.0.0 %s\n", name);
    return true;
}

static bool adblock_line(const struct dump *x, const struct sek_entry *e, const char *name)
{
    static const char *const prefix[] = {
        [SEK_SCOPE_EXACT] = "|", [SEK_SCOPE_SUBTREE] = "||", [SEK_SCOPE_BELOW] = "||*."};
    bool exception = action_of(x, e) == SEK_ACTION_PASSTHRU;
    if (!exception && !is_default(x, e))
        return false;
    if (e->rule.scope == SEK_SCOPE_EXACT && e->name.n_labels < 2)
        return false; /* "|com^" is read as a part of an URL */
    printf("%s%s%s^\n", exception ? "@@" : "", prefix[e->rule.scope], name);
    return true;
}

/* An expression, for formats that have them; false: it is none. */
static bool regex_text(const struct sek_entry *e, char out[SEK_PATTERN_MAX + 1])
{
    return sek_about_of(&e->name) == SEK_ABOUT_REGEX && sek_pattern_to_text(&e->name, out) > 0;
}

static bool adblock_regex_line(const struct dump *x, const struct sek_entry *e, const char *name)
{
    char text[SEK_PATTERN_MAX + 1];
    bool exception = action_of(x, e) == SEK_ACTION_PASSTHRU;
    if (!regex_text(e, text))
        return adblock_line(x, e, name);
    if (!exception && !is_default(x, e))
        return false;
    printf("%s/%s/\n", exception ? "@@" : "", text);
    return true;
}

static bool regex_line(const struct dump *x, const struct sek_entry *e, const char *name)
{
    char text[SEK_PATTERN_MAX + 1];
    (void)name;
    if (!is_default(x, e) || !regex_text(e, text))
        return false;
    printf("%s\n", text);
    return true;
}

static bool dnsmasq_line(const struct dump *x, const struct sek_entry *e, const char *name)
{
    enum sek_action action = action_of(x, e);
    if (!is_default(x, e) || e->rule.scope != SEK_SCOPE_SUBTREE)
        return false;
    if (action == SEK_ACTION_SINKHOLE)
        printf("address=/%s/#\n", name);
    else if (action == SEK_ACTION_NXDOMAIN)
        printf("local=/%s/\n", name);
    else
        return false;
    return true;
}

static bool unbound_line(const struct dump *x, const struct sek_entry *e, const char *name)
{
    enum sek_action action = action_of(x, e);
    return action != SEK_ACTION_PASSTHRU && e->rule.scope == SEK_SCOPE_SUBTREE &&
           sek_unbound_print(stdout, x->conf, name, action);
}

/* The records of action local-data. False: none that RPZ can say. */
static bool data_of(const struct sek_entry *e, struct sek_terms_spec *out)
{
    return !sek_terms_from_text(e->terms, strlen(e->terms), out, NULL) &&
           sek_rpz_has_data(out->data, out->n_data);
}

static bool rpz_line(const struct dump *x, const struct sek_entry *e, const char *name)
{
    static const char zone[] = "\3rpz\5local";
    enum sek_action action = action_of(x, e);
    bool exact = e->rule.scope != SEK_SCOPE_BELOW, below = e->rule.scope != SEK_SCOPE_EXACT;
    enum sek_about about = sek_about_of(&e->name);
    bool is_trigger = about != SEK_ABOUT_NAME && sek_about_is_rpz(about);
    bool fits = is_trigger ? e->name.len + sizeof zone + 2 <= SEK_NAME_MAX
                           : sek_rpz_fits(&e->name, below, sizeof zone);
    struct sek_terms_spec spec = {0};
    bool data = action == SEK_ACTION_DATA;
    if (!(data ? data_of(e, &spec) : sek_rpz_has(action)) || e->name.n_labels == 0 || !fits ||
        !sek_about_is_rpz(about))
        return false;
    if (!data && *e->terms && sek_terms_from_text(e->terms, strlen(e->terms), &spec, NULL))
        return false;
    uint32_t ttl_s = spec.terms.ttl_s;
    for (int i = !exact; i <= below; i++) {
        if (data)
            sek_rpz_print_data(stdout, name, i, spec.data, spec.n_data, ttl_s);
        else
            sek_rpz_print(stdout, x->conf, name, i, action, ttl_s);
    }
    return true;
}

/* One row a format. */
static const struct {
    enum sek_format id;
    bool (*line)(const struct dump *x, const struct sek_entry *e, const char *name);
    bool any_octet;
    const char *comment; /* what begins a comment */
    const char *head;
} formats[] = {
    {SEK_FORMAT_PLAIN, plain_line, true, "#", ""},
    {SEK_FORMAT_HOSTS, hosts_line, false, "#", ""},
    {SEK_FORMAT_ADBLOCK, adblock_regex_line, false, "!", "[Adblock Plus]\n"},
    {SEK_FORMAT_REGEX, regex_line, true, "#", ""},
    {SEK_FORMAT_DNSMASQ, dnsmasq_line, false, "#", ""},
    {SEK_FORMAT_UNBOUND, unbound_line, false, "#", "server:\n"},
    {SEK_FORMAT_RPZ, rpz_line, true, ";",
     "$ORIGIN rpz.local.\n@ SOA localhost. nobody.invalid. 1 3600 600 86400 60\n"
     "@ NS localhost.\n"},
};

/* Under conditions that only list notation knows. */
static bool has_conditions(const struct sek_entry *e)
{
    struct sek_terms_spec spec;
    return *e->terms && (sek_terms_from_text(e->terms, strlen(e->terms), &spec, NULL) ||
                         (spec.terms.given & SEK_TERMS_CONDITIONS));
}

static bool export_entry(void *arg, const struct sek_entry *e)
{
    struct dump *x = arg;
    char name[SEK_NAME_TEXT_MAX];
    if (e->rule.expires_s && e->rule.expires_s <= x->now_s)
        return true;
    sek_name_to_text(e->name.octets, name);
    bool odd = e->name.n_labels == 0 || strchr(name, '\\') != NULL ||
               sek_about_of(&e->name) != SEK_ABOUT_NAME;
    if (x->line == adblock_regex_line && sek_about_of(&e->name) == SEK_ABOUT_REGEX)
        odd = false;
    if ((odd && !x->any_octet) || (x->line != plain_line && has_conditions(e)) ||
        !x->line(x, e, name))
        x->n_left_out++;
    else if (e->rule.expires_s)
        x->n_with_end++;
    return !ferror(stdout);
}

static enum sek_err export_run(struct sek_context *c, struct sek_policydb *db,
                               const struct sek_conf *conf, size_t at)
{
    struct sek_list_row row;
    const char *format = sek_lookup_name(sek_format_names, (int)formats[at].id);
    enum sek_err err = sek_policydb_list_get(db, c->args[0], &row, &c->diag);
    if (err == SEK_E_NOTFOUND)
        return sek_context_none(
            c, "there is no list %.64s; sekisho list show names those there are", c->args[0]);
    if (err)
        return err;
    struct dump x = {.conf = conf,
                     .list = &row.list,
                     .line = formats[at].line,
                     .any_octet = formats[at].any_octet,
                     .now_s = c->now_s};
    if (formats[at].id == SEK_FORMAT_RPZ)
        printf("$TTL %" PRId64 "\n", conf->answer.ttl_s);
    printf("%s%s list %s of Sekisho, action %s\n", formats[at].head, formats[at].comment,
           row.list.name, sek_lookup_name(sek_action_names, row.list.action));
    err = sek_policydb_entries(db, row.list.id, export_entry, &x, &c->diag);
    if (!err && x.n_left_out)
        sek_talk("%" PRIu64 " entries left out: %s cannot express their scope, action, name or"
                 " conditions",
                 x.n_left_out, format);
    if (!err && x.n_with_end)
        sek_talk("%" PRIu64 " entries end by themselves here, but not in the output", x.n_with_end);
    return err;
}

enum sek_err sek_cmd_list_export(struct sek_context *c)
{
    const struct sek_conf *conf;
    struct sek_policydb *db = NULL;
    int id = c->opt[OPT_AS].given ? (int)c->opt[OPT_AS].number : SEK_FORMAT_PLAIN;
    size_t at = 0;
    while (at < sizeof formats / sizeof *formats && (int)formats[at].id != id)
        at++;
    if (at == sizeof formats / sizeof *formats)
        return sek_context_usage(c, "--as: choose a format to write");
    enum sek_err err = sek_change_look(c, &conf, &db);
    if (!err)
        err = export_run(c, db, conf, at);
    sek_policydb_close(db);
    return err;
}
