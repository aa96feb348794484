/* SPDX-License-Identifier: BSD-3-Clause */
#include "cloak.h"
#include "policy/policy.h"
#include "store/inventory.h"
#include "endpointnames.h"
#include "known.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

struct sek_cloak {
    uint8_t key[SEK_PSEUDONYM_KEY];
    bool all, blind;
    struct sek_policy *policy; /* for its groups */
    uint64_t groups;
    int64_t now_s;
    struct sek_buf known; /* all: struct sek_addr, sorted */
    struct sek_endpoint_names names;
    struct sek_buf text;
    char pseudonym[SEK_PSEUDONYM_MAX];
};

/* --- endpoints ---------------------------------------------------------------------------------
 */

static bool keep_known(void *arg, const struct sek_addr *endpoint)
{
    sek_buf_add(&((struct sek_cloak *)arg)->known, endpoint, sizeof *endpoint);
    return true;
}

static bool keep_told(void *arg, const struct sek_addr *endpoint, const struct sek_machine *machine)
{
    (void)machine;
    return keep_known(arg, endpoint);
}

static int by_octets(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct sek_addr));
}

static bool is_chosen(const struct sek_cloak *c, const struct sek_addr *addr)
{
    const struct sek_groups *groups = c->policy ? sek_policy_groups(c->policy) : NULL;
    return groups && (sek_groups_of(groups, addr, c->now_s) & c->groups) != 0;
}

static bool is_known(const struct sek_cloak *c, const struct sek_addr *addr)
{
    return c->blind || (c->known.len && bsearch(addr, c->known.data, c->known.len / sizeof *addr,
                                                sizeof *addr, by_octets));
}

/* --- life --------------------------------------------------------------------------------------
 */

/* The groups that the words name. */
static enum sek_err choose(struct sek_cloak *c, const char *words, struct sek_diag *diag)
{
    const struct sek_groups *groups = sek_policy_groups(c->policy);
    for (size_t n; *(words += strspn(words, " ,")); words += n) {
        n = strcspn(words, " ,");
        unsigned id = 1;
        for (; id <= SEK_GROUPS_MAX; id++) {
            const struct sek_client_group *g = groups ? sek_groups_get(groups, id) : NULL;
            if (g && strlen(g->name) == n && memcmp(g->name, words, n) == 0)
                break;
        }
        if (id > SEK_GROUPS_MAX)
            return sek_diag_set(diag, SEK_E_NOTFOUND,
                                "privacy.groups: there is no group %.*s in the policy",
                                (int)(n < 64 ? n : 64), words);
        c->groups |= sek_group_bit(id);
    }
    return SEK_OK;
}

static enum sek_err open_groups(struct sek_cloak *c, const struct sek_conf *conf,
                                struct sek_diag *diag)
{
    enum sek_err err = sek_policy_open_mapped(conf->policy.dir, &c->policy, diag);
    if (err)
        return sek_diag_wrap(diag, "privacy.groups");
    return choose(c, conf->privacy.groups, diag);
}

static enum sek_err open_all(struct sek_cloak *c, const struct sek_conf *conf,
                             struct sek_diag *diag)
{
    enum sek_err err = sek_known_endpoints(conf, keep_known, c, diag);
    if (!err)
        sek_told_endpoints(conf, keep_told, c);
    if (!err && c->known.failed)
        err = sek_diag_set(diag, SEK_E_NOMEM, "out of memory");
    if (!err && c->known.len)
        qsort(c->known.data, c->known.len / sizeof(struct sek_addr), sizeof(struct sek_addr),
              by_octets);
    return err;
}

static bool keep_machine(void *arg, const struct sek_addr *addr, const struct sek_machine *machine)
{
    struct sek_cloak *c = arg;
    if (machine && (c->all || is_chosen(c, addr)))
        sek_endpoint_names_add(&c->names, machine, addr);
    return true;
}

/* Who may not read policy.db gets no names out of it either. */
static enum sek_err open_names(struct sek_cloak *c, const struct sek_conf *conf,
                               struct sek_diag *diag)
{
    struct sek_policydb *db = NULL;
    if (sek_policydb_open(conf->policy.db, false, &db, NULL) == SEK_OK)
        (void)sek_inventory_machines(db, keep_machine, c, NULL);
    sek_policydb_close(db);
    sek_told_endpoints(conf, keep_machine, c);
    return sek_endpoint_names_end(&c->names) ? SEK_OK
                                             : sek_diag_set(diag, SEK_E_NOMEM, "out of memory");
}

static struct sek_cloak *make(void)
{
    struct sek_cloak *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    sek_buf_init(&c->text, 0);
    sek_buf_init(&c->known, 0);
    sek_endpoint_names_init(&c->names);
    return c;
}

enum sek_err sek_cloak_open(const struct sek_conf *conf, int64_t now_s, struct sek_cloak **out,
                            struct sek_diag *diag)
{
    *out = NULL;
    if (!*conf->privacy.groups)
        return SEK_OK;
    struct sek_cloak *c = make();
    if (!c)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory");
    c->now_s = now_s;
    c->all = strcmp(conf->privacy.groups, "all") == 0;
    enum sek_err err = sek_pseudonym_key_read(conf->privacy.key, c->key, diag);
    if (!err)
        err = c->all ? open_all(c, conf, diag) : open_groups(c, conf, diag);
    if (!err)
        err = open_names(c, conf, diag);
    if (err) {
        sek_cloak_close(c);
        return err;
    }
    *out = c;
    return SEK_OK;
}

struct sek_cloak *sek_cloak_blind(void)
{
    struct sek_cloak *c = make();
    if (c)
        c->all = c->blind = true;
    return c;
}

void sek_cloak_close(struct sek_cloak *c)
{
    if (!c)
        return;
    sek_policy_close(c->policy);
    sek_buf_fini(&c->known);
    sek_buf_fini(&c->text);
    sek_endpoint_names_fini(&c->names);
    explicit_bzero(c->key, sizeof c->key);
    free(c);
}

/* --- texts -------------------------------------------------------------------------------------
 */

static const char *name_of(struct sek_cloak *c, const struct sek_addr *addr)
{
    return c->blind ? "hidden" : sek_pseudonym(c->key, addr, c->pseudonym);
}

const char *sek_cloak_endpoint(struct sek_cloak *c, const char *address)
{
    struct sek_addr addr;
    if (sek_addr_from_text(address, &addr, NULL) != SEK_OK || !(c->all || is_chosen(c, &addr)))
        return address;
    return name_of(c, &addr);
}

struct search {
    struct sek_cloak *cloak;
    const char *pseudonym;
    struct sek_addr *out;
    bool found;
};

static bool is_called(void *arg, const struct sek_addr *endpoint)
{
    struct search *s = arg;
    const struct sek_cloak *c = s->cloak;
    char pseudonym[SEK_PSEUDONYM_MAX];
    if (!(c->all || is_chosen(c, endpoint)) ||
        strcmp(sek_pseudonym(c->key, endpoint, pseudonym), s->pseudonym) != 0)
        return true;
    *s->out = *endpoint;
    s->found = true;
    return false;
}

enum sek_err sek_cloak_find(struct sek_cloak *c, const struct sek_conf *conf, const char *pseudonym,
                            struct sek_addr *out, struct sek_diag *diag)
{
    struct search s = {c, pseudonym, out, false};
    enum sek_err err = c->blind ? SEK_OK : sek_known_endpoints(conf, is_called, &s, diag);
    return err || s.found ? err : SEK_E_NOTFOUND;
}

static bool is_part(char ch)
{
    return (ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'f') || (ch >= 'A' && ch <= 'F') ||
           ch == '.' || ch == ':';
}

static bool is_word(char ch)
{
    return (ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
           ch == '_';
}

/* The longest address that begins here: what stands behind may be a full stop, or a colon. A
 * network that is wider than an address is nobody's. */
static size_t address_at(const char *text, struct sek_addr *out)
{
    char word[SEK_ADDR_TEXT_MAX];
    size_t n = 0;
    while (n + 1 < sizeof word && is_part(text[n]))
        n++;
    if (is_part(text[n]) || is_word(text[n]))
        return 0;
    for (; n >= 2; n--) {
        snprintf(word, sizeof word, "%.*s", (int)n, text);
        if (sek_addr_from_text(word, out, NULL) == SEK_OK)
            break;
        if (text[n - 1] != '.' && text[n - 1] != ':')
            return 0;
    }
    bool network = n >= 2 && text[n] == '/' && strncmp(text + n, "/32", 3) != 0 &&
                   strncmp(text + n, "/128", 4) != 0;
    return n < 2 || network ? 0 : n;
}

/* An endpoint that is to be hidden, by its address or its machine's name: octets of it at text[at],
 * and *out is the endpoint. */
static size_t hidden_at(struct sek_cloak *c, enum sek_veil_what what, const char *text, size_t at,
                        struct sek_addr *out, size_t *out_skip)
{
    const char *p = text + at;
    bool starts = is_part(*p) && (at == 0 || (!is_word(p[-1]) && p[-1] != '.' && p[-1] != '-'));
    size_t n = starts ? address_at(p, out) : 0;
    *out_skip = n ? n : 1;
    if (n && (c->all ? is_known(c, out) : is_chosen(c, out)))
        return n;
    return what == SEK_VEIL_NAME
               ? 0
               : sek_endpoint_names_at(&c->names, text, at, what == SEK_VEIL_ENDPOINT, out);
}

const char *sek_cloak_text(struct sek_cloak *c, enum sek_veil_what what, const char *text,
                           bool *out_any)
{
    struct sek_addr addr;
    size_t from = 0, skip = 1;
    sek_buf_reset(&c->text);
    for (size_t at = 0; text[at];) {
        size_t n = hidden_at(c, what, text, at, &addr, &skip);
        if (n) {
            sek_buf_add(&c->text, text + from, at - from);
            sek_buf_add_text(&c->text, name_of(c, &addr));
            from = at + n;
        }
        at += n ? n : skip;
    }
    if (out_any)
        *out_any = from > 0;
    if (from == 0)
        return text;
    sek_buf_add_text(&c->text, text + from);
    return c->text.failed || !c->text.data ? "hidden" : c->text.data;
}
