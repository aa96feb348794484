/* SPDX-License-Identifier: BSD-3-Clause */
#include "clienttags.h"
#include "unboundconf.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define NODES_MAX 20000 /* networks in one file */
#define V4_BITS 96      /* before an IPv4 address (base/addr.h) */

/* A network that Unbound knows clients by. */
struct node {
    struct sek_net net;
    bool tagged; /* an access-control-tag was there: a later one does not count */
    uint8_t tags[SEK_CLIENT_TAGS_MAX / 8];
};

struct reading {
    struct sek_client_tags *out;
    struct node *nodes;
    unsigned n_nodes, room;
    struct node *current; /* the network of this line */
    enum sek_err err;
    struct sek_diag *diag;
};

static void fail(struct reading *r, enum sek_err err, const char *what, const char *value)
{
    if (!r->err)
        r->err = sek_diag_set(r->diag, err, what, value);
}

static bool is_word_of(const char *word, const char *const list[])
{
    for (unsigned i = 0; list[i]; i++)
        if (strcmp(word, list[i]) == 0)
            return true;
    return false;
}

/* --- networks -----------------------------------------------------------------------------------
 */

/* As Unbound reads one: bits behind the prefix may be set, and do not count. */
static bool net_read(const char *text, struct sek_net *out)
{
    char address[SEK_ADDR_TEXT_MAX];
    const char *slash = strchr(text, '/');
    size_t len = slash ? (size_t)(slash - text) : strlen(text);
    if (len >= sizeof address)
        return false;
    memcpy(address, text, len);
    address[len] = '\0';
    struct sek_addr addr;
    if (sek_addr_from_text(address, &addr, NULL) != SEK_OK)
        return false;
    unsigned before = strchr(address, ':') ? 0 : V4_BITS;
    unsigned long bits = 128 - before;
    if (slash) {
        char *end;
        if (slash[1] < '0' || slash[1] > '9')
            return false;
        bits = strtoul(slash + 1, &end, 10);
        if (*end || bits > 128 - before)
            return false;
    }
    *out = sek_net_around(&addr, before + (unsigned)bits);
    return true;
}

static struct node *node_take(struct reading *r, const char *text)
{
    struct sek_net net;
    if (!net_read(text, &net)) {
        fail(r, SEK_E_INVALID, "\"%.80s\" is no network of clients", text);
        return NULL;
    }
    for (unsigned i = 0; i < r->n_nodes; i++)
        if (sek_net_equal(&r->nodes[i].net, &net))
            return &r->nodes[i];
    if (r->n_nodes == r->room) {
        unsigned room = r->room ? 2 * r->room : 64;
        struct node *more = room > 2 * NODES_MAX ? NULL : realloc(r->nodes, room * sizeof *more);
        if (!more) {
            fail(r, SEK_E_LIMIT, "no room for the network %s: too many of them", text);
            return NULL;
        }
        r->nodes = more;
        r->room = room;
    }
    r->nodes[r->n_nodes] = (struct node){.net = net};
    return &r->nodes[r->n_nodes++];
}

/* --- tags ---------------------------------------------------------------------------------------
 */

static int tag_id(const struct sek_client_tags *t, const char *name)
{
    for (unsigned i = 0; i < t->n; i++)
        if (strcmp(t->name[i], name) == 0)
            return (int)i;
    return -1;
}

static void tag_define(struct reading *r, const char *name)
{
    struct sek_client_tags *t = r->out;
    if (tag_id(t, name) >= 0)
        return;
    if (t->n == SEK_CLIENT_TAGS_MAX || strlen(name) >= sizeof t->name[0])
        fail(r, SEK_E_LIMIT, "define-tag: no room for the tag \"%.80s\"", name);
    else
        snprintf(t->name[t->n++], sizeof t->name[0], "%s", name);
}

static void tag_give(struct reading *r, const char *name)
{
    int id = tag_id(r->out, name);
    if (id < 0)
        fail(r, SEK_E_INVALID, "access-control-tag: the tag \"%.80s\" is not defined (define-tag)",
             name);
    else
        r->current->tags[id / 8] |= (uint8_t)(1U << id % 8);
}

static void each_tag(struct reading *r, const char *value,
                     void (*fn)(struct reading *, const char *))
{
    char word[SEK_UNBOUNDCONF_TEXT_MAX];
    for (const char *at = value + strspn(value, " \t"); *at; at += strspn(at, " \t")) {
        size_t len = strcspn(at, " \t");
        memcpy(word, at, len);
        word[len] = '\0';
        fn(r, word);
        at += len;
    }
}

static void take(void *arg, const char *key, unsigned nth, const char *value)
{
    static const char *const others[] = {
        "access-control:", "access-control-view:", "access-control-tag-action:",
        "access-control-tag-data:", NULL};
    struct reading *r = arg;
    if (r->err)
        return;
    if (strcmp(key, "define-tag:") == 0 && nth == 0)
        each_tag(r, value, tag_define);
    else if (strcmp(key, "interface-tag:") == 0)
        r->out->interfaces = true;
    else if (nth == 0 && is_word_of(key, others))
        node_take(r, value);
    else if (nth == 0 && strcmp(key, "access-control-tag:") == 0)
        r->current = node_take(r, value);
    else if (nth == 1 && strcmp(key, "access-control-tag:") == 0 && r->current &&
             !r->current->tagged) {
        r->current->tagged = true;
        each_tag(r, value, tag_give);
    }
}

/* --- what each covers ---------------------------------------------------------------------------
 */

static bool has_tag(const struct node *n, unsigned tag)
{
    return n->tags[tag / 8] >> tag % 8 & 1;
}

/* Those of nodes[0..n), all inside of `around`, that lie inside of `net`, but not net itself, to
 * the front. *out_own: net itself, if it is one of them. */
static unsigned inside(const struct node **nodes, unsigned n, const struct sek_net *net,
                       const struct node **out_own)
{
    unsigned kept = 0;
    *out_own = NULL;
    for (unsigned i = 0; i < n; i++) {
        if (nodes[i]->net.bits < net->bits || !sek_net_has(net, &nodes[i]->net.addr))
            continue;
        if (nodes[i]->net.bits == net->bits) {
            *out_own = nodes[i];
            continue;
        }
        const struct node *swap = nodes[kept];
        nodes[kept++] = nodes[i];
        nodes[i] = swap;
    }
    return kept;
}

/* What of `net` has the tag. `has`: the smallest network around it does; nodes[0..n): those
 * strictly inside, in any order, which changes. */
static bool cover(const struct sek_net *net, bool has, const struct node **nodes, unsigned n,
                  unsigned tag, struct sek_nets *out)
{
    bool same = true;
    for (unsigned i = 0; i < n && same; i++)
        same = has_tag(nodes[i], tag) == has;
    if (same)
        return !has || sek_nets_put(out, net);
    for (unsigned half = 0; half < 2; half++) {
        const struct node *own;
        struct sek_net part = {.addr = net->addr, .bits = (uint8_t)(net->bits + 1)};
        if (half)
            part.addr.octets[net->bits / 8] |= (uint8_t)(0x80U >> net->bits % 8);
        unsigned kept = inside(nodes, n, &part, &own);
        if (!cover(&part, own ? has_tag(own, tag) : has, nodes, kept, tag, out))
            return false;
    }
    return true;
}

static void cover_all(struct reading *r)
{
    static const struct sek_net all = {.bits = 0};
    const struct node **nodes = calloc(r->n_nodes + 1u, sizeof(const struct node *));
    for (unsigned tag = 0; nodes && tag < r->out->n && !r->err; tag++) {
        const struct node *own = NULL;
        for (unsigned i = 0; i < r->n_nodes; i++)
            nodes[i] = &r->nodes[i];
        unsigned kept = inside(nodes, r->n_nodes, &all, &own);
        if (!cover(&all, own && has_tag(own, tag), nodes, kept, tag, &r->out->nets[tag]))
            fail(r, SEK_E_NOMEM, "out of memory for %s", "networks");
    }
    if (!nodes)
        fail(r, SEK_E_NOMEM, "out of memory for %s", "networks");
    free(nodes);
}

enum sek_err sek_client_tags_read(const char *path, struct sek_client_tags *out,
                                  struct sek_diag *diag)
{
    /* what Unbound knows without being told (daemon/acl_list.c, acl_list_apply_cfg) */
    static const char *const known[] = {"0.0.0.0/0", "127.0.0.0/8", "::/0", "::1"};
    struct reading r = {.out = out, .diag = diag};
    struct sek_unboundconf_walk walk = {.fn = take, .arg = &r};
    memset(out, 0, sizeof *out);
    for (unsigned i = 0; i < sizeof known / sizeof known[0] && !r.err; i++)
        node_take(&r, known[i]);
    enum sek_err err = sek_unboundconf_walk(path, &walk, diag);
    if (r.err && !err)
        err = sek_diag_wrap(diag, "%s", path);
    out->n_missing = walk.n_missing;
    snprintf(out->missing, sizeof out->missing, "%s", walk.missing);
    if (!err) {
        cover_all(&r);
        err = r.err;
    }
    free(r.nodes);
    return err;
}

void sek_client_tags_fini(struct sek_client_tags *t)
{
    for (unsigned i = 0; i < t->n; i++)
        sek_nets_fini(&t->nets[i]);
}
