/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/never.h"
#include "base/hash.h"
#include "name/text.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

/* Kept short: each row takes a decision away from the operator, so it must be one that nobody makes
 * on purpose. That is why servers of country domains are not here: most stand within the domain
 * they serve, and all of a country domain may well be meant; no rule stops the resolver's own
 * questions. Names whose loss stops name resolution, the clocks (and with them DNSSEC, TLS and
 * logins), or makes every machine believe it is offline or every certificate doubtful. */
static const char dns[] = "name servers of the root, of .com and .net";
static const char reverse[] = "the top of the tree of addresses";
static const char own[] = "every machine's name for itself (RFC 6761)";
static const char time_[] = "a time server that systems are shipped with";
static const char online[] = "systems ask it whether they are connected";
static const char status[] = "tells whether certificates are revoked";
const struct sek_never_row sek_never_shipped[] = {
    {"root-servers.net", dns},
    {"gtld-servers.net", dns},
    {"nstld.com", dns}, /* the servers of gtld-servers.net itself */
    {"in-addr-servers.arpa", dns},
    {"ip6-servers.arpa", dns},
    {"=arpa", reverse},
    {"=in-addr.arpa", reverse},
    {"=ip6.arpa", reverse},
    {"ipv4only.arpa", "finds the way from IPv6 to IPv4 (RFC 7050)"},
    {"localhost", own},
    {"pool.ntp.org", time_},
    {"time.windows.com", time_},
    {"time.apple.com", time_},
    {"time.google.com", time_},
    {"time.android.com", time_},
    {"time.cloudflare.com", time_},
    {"ntp.ubuntu.com", time_},
    {"www.msftconnecttest.com", online},
    {"dns.msftncsi.com", online},
    {"captive.apple.com", online},
    {"connectivitycheck.gstatic.com", online},
    {"connectivity-check.ubuntu.com", online},
    {"detectportal.firefox.com", online},
    {"ocsp.digicert.com", status},
    {"crl3.digicert.com", status},
    {"crl4.digicert.com", status},
    {"ocsp.sectigo.com", status},
    {"ocsp.globalsign.com", status},
    {"lencr.org", status},
    {"pki.goog", status},
    {NULL, NULL},
};

/* One protected name. */
struct guard {
    struct sek_name name;
    enum sek_scope scope;
    const char *why;
};

/* What is known at a name: a guard itself, or one further below. Index + 1 into guards; 0 = none.
 */
struct node {
    uint16_t guard;                   /* whose name this suffix belongs to; 0 = free slot */
    uint8_t depth;                    /* left-most labels of that name to remove */
    uint16_t at[SEK_SCOPE_BELOW + 1]; /* by scope: guards at this very name */
    uint16_t below;                   /* some guard below it */
};

struct sek_never {
    const struct sek_suffix *suffix;
    struct guard *guards;
    struct node *nodes; /* open addressing, linear probing, at most half full */
    size_t mask;        /* slots - 1 */
    unsigned n_guards, max_labels;
};

/* The table is fixed once built and holds what we and the operator wrote: nobody can aim at it. */
static const struct sek_hash_key key = {0x73656b69, 0x73686f00};

/* The suffix of `name` with `depth` labels removed: its node, or the free slot where it belongs. */
static struct node *find(const struct sek_never *n, const struct sek_name *name, unsigned depth)
{
    const uint8_t *octets = name->octets + name->offset[depth];
    size_t len = (size_t)(name->len - name->offset[depth]);
    for (size_t i = (size_t)sek_hash(&key, octets, len);; i++) {
        struct node *node = &n->nodes[i & n->mask];
        if (node->guard == 0)
            return node;
        const struct sek_name *have = &n->guards[node->guard - 1].name;
        size_t have_len = (size_t)(have->len - have->offset[node->depth]);
        if (have_len == len && memcmp(have->octets + have->offset[node->depth], octets, len) == 0)
            return node;
    }
}

static struct node *node_at(struct sek_never *n, uint16_t guard, unsigned depth)
{
    struct node *node = find(n, &n->guards[guard - 1].name, depth);
    if (node->guard == 0) {
        node->guard = guard;
        node->depth = (uint8_t)depth;
    }
    return node;
}

/* Parse one name into the next guard. */
static enum sek_err add(struct sek_never *n, const char *text, const char *why,
                        struct sek_diag *diag)
{
    struct guard *g = &n->guards[n->n_guards];
    enum sek_err err = sek_rule_from_text(text, strlen(text), &g->scope, &g->name, diag);
    if (err != SEK_OK) {
        sek_diag_wrap(diag, "protected names");
        return err;
    }
    g->why = why;
    n->n_guards++;
    if (g->name.n_labels > n->max_labels)
        n->max_labels = g->name.n_labels;
    return SEK_OK;
}

static enum sek_err add_all(struct sek_never *n, char *const *zones, unsigned n_zones,
                            struct sek_diag *diag)
{
    enum sek_err err = SEK_OK;
    for (const struct sek_never_row *row = sek_never_shipped; row->name && err == SEK_OK; row++)
        err = add(n, row->name, row->why, diag);
    for (unsigned i = 0; i < n_zones && err == SEK_OK; i++)
        err = add(n, zones[i], "the configuration protects it", diag);
    return err;
}

/* Make the nodes of all guards. */
static bool index_guards(struct sek_never *n)
{
    size_t n_nodes = 0, n_slots = 2;
    for (unsigned i = 0; i < n->n_guards; i++)
        n_nodes += n->guards[i].name.n_labels + 1u;
    while (n_slots < 2 * n_nodes)
        n_slots *= 2;
    n->nodes = calloc(n_slots, sizeof(*n->nodes));
    if (!n->nodes)
        return false;
    n->mask = n_slots - 1;
    for (unsigned i = 0; i < n->n_guards; i++) {
        uint16_t index = (uint16_t)(i + 1);
        node_at(n, index, 0)->at[n->guards[i].scope] = index;
        for (unsigned depth = 1; depth < n->guards[i].name.n_labels; depth++)
            node_at(n, index, depth)->below = index;
    }
    return true;
}

enum sek_err sek_never_new(char *const *zones, unsigned n_zones, const struct sek_suffix *suffix,
                           struct sek_never **out, struct sek_diag *diag)
{
    if (n_zones > SEK_NEVER_ZONES_MAX)
        return sek_diag_set(diag, SEK_E_LIMIT, "%u protected zones; at most %d are possible",
                            n_zones, SEK_NEVER_ZONES_MAX);
    size_t n_guards = n_zones;
    for (const struct sek_never_row *row = sek_never_shipped; row->name; row++)
        n_guards++;
    enum sek_err err = SEK_OK;
    struct sek_never *n = calloc(1, sizeof(*n));
    if (n) {
        n->suffix = suffix;
        n->guards = calloc(n_guards, sizeof(*n->guards));
    }
    if (!n || !n->guards)
        err = sek_diag_set(diag, SEK_E_NOMEM, "no memory for the protected names");
    if (err == SEK_OK)
        err = add_all(n, zones, n_zones, diag);
    if (err == SEK_OK && !index_guards(n))
        err = sek_diag_set(diag, SEK_E_NOMEM, "no memory for the protected names");
    if (err != SEK_OK) {
        sek_never_free(n);
        return err;
    }
    *out = n;
    return SEK_OK;
}

void sek_never_free(struct sek_never *n)
{
    if (!n)
        return;
    free(n->nodes);
    free(n->guards);
    free(n);
}

/* A guard that shares a name with the rule's owner at `name` and the names its scope covers. */
static const struct guard *conflict(const struct sek_never *n, const struct sek_name *name,
                                    enum sek_scope scope)
{
    /* above the longest protected name nothing can be found */
    unsigned depth = name->n_labels > n->max_labels ? name->n_labels - n->max_labels : 0;
    for (; depth <= name->n_labels; depth++) {
        const struct node *node = find(n, name, depth);
        if (node->guard == 0)
            continue;
        unsigned found = node->at[SEK_SCOPE_SUBTREE];
        if (!found && (depth > 0 || scope != SEK_SCOPE_EXACT))
            found = node->at[SEK_SCOPE_BELOW];
        if (!found && depth == 0 && scope != SEK_SCOPE_BELOW)
            found = node->at[SEK_SCOPE_EXACT];
        if (!found && depth == 0 && scope != SEK_SCOPE_EXACT)
            found = node->below;
        if (found)
            return &n->guards[found - 1];
    }
    return NULL;
}

static bool has_ancestor(const struct sek_never *n, const struct sek_name *name)
{
    for (unsigned depth = 1; depth < name->n_labels; depth++) {
        const struct node *node = find(n, name, depth);
        if (node->at[SEK_SCOPE_SUBTREE] || node->at[SEK_SCOPE_BELOW])
            return true;
    }
    return false;
}

enum sek_err sek_never_places(const struct sek_never *n, sek_never_place_fn *fn, void *arg)
{
    static const uint8_t root[] = {0};
    struct sek_name name;
    sek_name_from_wire(root, sizeof(root), &name);
    enum sek_err err = fn(arg, &name, false);
    for (size_t i = 0; i <= n->mask && err == SEK_OK; i++) {
        const struct node *node = &n->nodes[i];
        if (node->guard == 0)
            continue;
        sek_name_parent(&n->guards[node->guard - 1].name, node->depth, &name);
        /* told with the zone it lies in */
        if (!has_ancestor(n, &name))
            err = fn(arg, &name, node->at[SEK_SCOPE_SUBTREE] || node->at[SEK_SCOPE_BELOW]);
    }
    return err;
}

/* How the rule meets the protected name. */
static const char *meeting(const struct sek_name *name, enum sek_scope scope,
                           const struct guard *guard)
{
    bool deeper = name->n_labels > guard->name.n_labels;
    bool same = name->n_labels == guard->name.n_labels;
    if (deeper || (same && scope != guard->scope && guard->scope == SEK_SCOPE_SUBTREE))
        return "lies within";
    return same && scope == guard->scope ? NULL : "would cover";
}

static enum sek_err refuse(const struct sek_name *name, enum sek_scope scope, struct sek_diag *diag,
                           const struct guard *guard)
{
    char rule[SEK_NAME_TEXT_MAX + 2], protected[SEK_NAME_TEXT_MAX + 2];
    sek_rule_to_text(scope, name->octets, rule);
    if (!guard && scope == SEK_SCOPE_EXACT)
        return sek_diag_set(diag, SEK_E_REFUSED,
                            "%s is a top-level domain; use --force if it is meant", rule);
    if (!guard)
        return sek_diag_set(diag, SEK_E_REFUSED,
                            "%s is a public suffix: strangers have names below it; use --force if "
                            "all of them are meant",
                            rule);
    const char *how = meeting(name, scope, guard);
    if (!how)
        return sek_diag_set(diag, SEK_E_REFUSED, "%s must not be blocked: %s", rule, guard->why);
    sek_rule_to_text(guard->scope, guard->name.octets, protected);
    return sek_diag_set(diag, SEK_E_REFUSED, "%s %s %s, which must not be blocked: %s", rule, how,
                        protected, guard->why);
}

enum sek_err sek_never_check(const struct sek_never *n, const struct sek_name *name,
                             enum sek_scope scope, enum sek_action action, bool force,
                             struct sek_diag *diag)
{
    if (action != SEK_ACTION_DEFAULT && !sek_action_blocks(action))
        return SEK_OK;
    if (name->n_labels == 0)
        return sek_diag_set(diag, SEK_E_REFUSED, "the root: a rule there stops every name");
    const struct guard *guard = conflict(n, name, scope);
    if (guard)
        return refuse(name, scope, diag, guard);
    bool wide = scope != SEK_SCOPE_EXACT || name->n_labels < 2;
    if (!force && wide && n->suffix && sek_suffix_is_public(n->suffix, name))
        return refuse(name, scope, diag, NULL);
    return SEK_OK;
}
