/* SPDX-License-Identifier: BSD-3-Clause */
#include "cloak.h"
#include "policy/policy.h"
#include "store/inventory.h"
#include "store/report_position.h"
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
    struct sek_buf text;
    char pseudonym[SEK_PSEUDONYM_MAX];
};

/* --- endpoints ---------------------------------------------------------------------------------
 */

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

static bool on_tie(void *arg, const struct sek_addr *addr, const char *mac, const char *name)
{
    struct told *t = arg;
    (void)mac, (void)name;
    return !addr || t->fn(t->arg, addr);
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
        sek_inventory_ties(db, 0, on_tie, &t, NULL);
    sek_policydb_close(db);
    return SEK_OK;
}

static bool keep_known(void *arg, const struct sek_addr *endpoint)
{
    sek_buf_add(&((struct sek_cloak *)arg)->known, endpoint, sizeof *endpoint);
    return true;
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
    if (!err && c->known.failed)
        err = sek_diag_set(diag, SEK_E_NOMEM, "out of memory");
    if (!err && c->known.len)
        qsort(c->known.data, c->known.len / sizeof(struct sek_addr), sizeof(struct sek_addr),
              by_octets);
    return err;
}

enum sek_err sek_cloak_open(const struct sek_conf *conf, int64_t now_s, struct sek_cloak **out,
                            struct sek_diag *diag)
{
    *out = NULL;
    if (!*conf->privacy.groups)
        return SEK_OK;
    struct sek_cloak *c = calloc(1, sizeof *c);
    if (!c)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory");
    c->now_s = now_s;
    sek_buf_init(&c->text, 0);
    sek_buf_init(&c->known, 0);
    c->all = strcmp(conf->privacy.groups, "all") == 0;
    enum sek_err err = sek_pseudonym_key_read(conf->privacy.key, c->key, diag);
    if (!err)
        err = c->all ? open_all(c, conf, diag) : open_groups(c, conf, diag);
    if (err) {
        sek_cloak_close(c);
        return err;
    }
    *out = c;
    return SEK_OK;
}

struct sek_cloak *sek_cloak_blind(void)
{
    struct sek_cloak *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    sek_buf_init(&c->text, 0);
    sek_buf_init(&c->known, 0);
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

const char *sek_cloak_text(struct sek_cloak *c, const char *text, bool *out_any)
{
    bool any = false;
    const char *begin = text;
    sek_buf_reset(&c->text);
    for (const char *p = text; *p;) {
        struct sek_addr addr;
        bool starts =
            is_part(*p) && (p == begin || (!is_word(p[-1]) && p[-1] != '.' && p[-1] != '-'));
        size_t n = starts ? address_at(p, &addr) : 0;
        if (n && (c->all ? is_known(c, &addr) : is_chosen(c, &addr))) {
            sek_buf_add(&c->text, text, (size_t)(p - text));
            sek_buf_add_text(&c->text, name_of(c, &addr));
            any = true;
            p += n;
            text = p;
        } else {
            p += n ? n : 1;
        }
    }
    if (out_any)
        *out_any = any;
    if (!any)
        return begin;
    sek_buf_add_text(&c->text, text);
    return c->text.failed || !c->text.data ? "hidden" : c->text.data;
}
