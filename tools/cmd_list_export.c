/* SPDX-License-Identifier: BSD-3-Clause */
/* A list as a file of other programs. What a format cannot express is left out and counted: an
 * exception must not become a block, nor one name a whole domain. */
#include "change.h"
#include "command.h"
#include "name/text.h"
#include "policy/reader.h"
#include "store/policydb.h"
#include "talk.h"
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
    if (!is_default(x, e))
        return false;
    bool root = e->name.n_labels == 0 && e->rule.scope == SEK_SCOPE_BELOW; /* "*." */
    printf("%s%s\n", prefix[e->rule.scope], root ? "" : name);
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
    static const char *const types[] = {[SEK_ACTION_LOG] = "inform",
                                        [SEK_ACTION_NXDOMAIN] = "always_nxdomain",
                                        [SEK_ACTION_NODATA] = "always_nodata",
                                        [SEK_ACTION_SINKHOLE] = "always_null",
                                        [SEK_ACTION_REFUSED] = "always_refuse",
                                        [SEK_ACTION_DROP] = "always_deny"};
    enum sek_action action = action_of(x, e);
    const char *type = action <= SEK_ACTION_DROP ? types[action] : NULL;
    if (!type || e->rule.scope != SEK_SCOPE_SUBTREE)
        return false;
    printf("local-zone: \"%s\" %s\n", name, type);
    return true;
}

/* The last label "rpz-…" would be another trigger, a first one "*" a wildcard; and the zone's own
 * name has to fit behind. */
static bool rpz_owner_fits(const struct sek_entry *e)
{
    static const char zone[] = "\3rpz\5local";
    if (e->name.n_labels == 0 || e->name.len + sizeof zone + 2 > SEK_NAME_MAX)
        return false;
    if (e->name.octets[0] == 1 && e->name.octets[1] == '*')
        return false;
    const uint8_t *last = e->name.octets + e->name.offset[e->name.n_labels - 1];
    return !(last[0] >= 4 && memcmp(last + 1, "rpz-", 4) == 0);
}

static void rpz_record(const struct dump *x, const char *prefix, const char *name,
                       const char *target)
{
    char address[SEK_ADDR_TEXT_MAX];
    if (target) {
        printf("%s%s CNAME %s\n", prefix, name, target);
        return;
    }
    printf("%s%s A %s\n", prefix, name, sek_addr_to_text(&x->conf->answer.ipv4, address));
    printf("%s%s AAAA %s\n", prefix, name, sek_addr_to_text(&x->conf->answer.ipv6, address));
}

static bool rpz_line(const struct dump *x, const struct sek_entry *e, const char *name)
{
    static const char *const targets[] = {[SEK_ACTION_PASSTHRU] = "rpz-passthru.",
                                          [SEK_ACTION_NXDOMAIN] = ".",
                                          [SEK_ACTION_NODATA] = "*.",
                                          [SEK_ACTION_SINKHOLE] = NULL, /* addresses instead */
                                          [SEK_ACTION_DROP] = "rpz-drop."};
    enum sek_action action = action_of(x, e);
    if (action == SEK_ACTION_LOG || action == SEK_ACTION_REFUSED || !rpz_owner_fits(e))
        return false;
    if (e->rule.scope != SEK_SCOPE_BELOW)
        rpz_record(x, "", name, targets[action]);
    if (e->rule.scope != SEK_SCOPE_EXACT)
        rpz_record(x, "*.", name, targets[action]);
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
    {SEK_FORMAT_ADBLOCK, adblock_line, false, "!", "[Adblock Plus]\n"},
    {SEK_FORMAT_DNSMASQ, dnsmasq_line, false, "#", ""},
    {SEK_FORMAT_UNBOUND, unbound_line, false, "#", "server:\n"},
    {SEK_FORMAT_RPZ, rpz_line, true, ";",
     "$ORIGIN rpz.local.\n$TTL 60\n@ SOA localhost. nobody.invalid. 1 3600 600 86400 60\n"
     "@ NS localhost.\n"},
};

static bool export_entry(void *arg, const struct sek_entry *e)
{
    struct dump *x = arg;
    char name[SEK_NAME_TEXT_MAX];
    if (e->rule.expires_s && e->rule.expires_s <= x->now_s)
        return true;
    sek_name_to_text(e->name.octets, name);
    bool odd = e->name.n_labels == 0 || strchr(name, '\\') != NULL;
    if ((odd && !x->any_octet) || !x->line(x, e, name))
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
    printf("%s%s list %s of Sekisho, action %s\n", formats[at].head, formats[at].comment,
           row.list.name, sek_lookup_name(sek_action_names, row.list.action));
    err = sek_policydb_entries(db, row.list.id, export_entry, &x, &c->diag);
    if (!err && x.n_left_out)
        sek_talk("%" PRIu64 " entries left out: %s cannot express their scope, action or name",
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
