/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/nets.h"
#include "base/buf.h"
#include "policy/nets_format.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define TOP_BITS 12 /* 100,000 networks are 24 a piece then, in two lines of the cache */

struct sek_nets {
    const struct sek__nets_head *head;
    const struct sek__v6 *v6;
    const uint32_t *v4;
    const struct sek__net *net6, *net4;
    const struct sek_rule *rules;
    const struct sek_termset *terms;
    /* how many of IPv4 start below the addresses with so much in their first bits: a search from
     * here waits for memory three times, not seventeen times */
    uint32_t top4[(1 << TOP_BITS) + 1];
    uint32_t count[SEK_ABOUT_MAX + 1];
    struct sek_buf clients; /* struct sek_rule */
    uint32_t actions;
};

static enum sek_err damaged(struct sek_diag *diag, const char *what)
{
    return sek_diag_set(diag, SEK_E_CORRUPT, "damaged rules about addresses: %s", what);
}

static struct sek__v6 first_of(const struct sek_nets *n, bool v4, uint32_t i)
{
    return v4 ? (struct sek__v6){0, n->v4[i]} : n->v6[i];
}

static bool is_within(struct sek__v6 addr, struct sek__v6 first, unsigned bits)
{
    struct sek__v6 own = sek__v6_first(addr, bits);
    return own.high == first.high && own.low == first.low;
}

/* Sorted, clean behind the prefix, and around each a network that is before it and larger. */
static bool check_family(const struct sek_nets *n, bool v4)
{
    const struct sek__net *nets = v4 ? n->net4 : n->net6;
    uint32_t n_nets = v4 ? n->head->n_v4 : n->head->n_v6;
    for (uint32_t i = 0; i < n_nets; i++) {
        struct sek__v6 first = first_of(n, v4, i);
        if (nets[i].bits > 128 || (v4 && nets[i].bits < 96) ||
            !is_within(first, first, nets[i].bits))
            return false;
        if (i > 0) {
            struct sek__v6 before = first_of(n, v4, i - 1);
            bool same = before.high == first.high && before.low == first.low;
            if (!sek__v6_at_or_below(before, first) || (same && nets[i - 1].bits >= nets[i].bits))
                return false;
        }
        if (nets[i].around > i)
            return false;
        const struct sek__net *around = nets[i].around ? &nets[nets[i].around - 1] : NULL;
        if (around && (around->bits >= nets[i].bits ||
                       !is_within(first, first_of(n, v4, nets[i].around - 1), around->bits)))
            return false;
    }
    return true;
}

static void top_make(struct sek_nets *n)
{
    uint32_t i = 0;
    for (uint32_t k = 0; k <= 1 << TOP_BITS; k++) {
        while (i < n->head->n_v4 && n->v4[i] >> (32 - TOP_BITS) < k)
            i++;
        n->top4[k] = i;
    }
}

/* One rule about clients more, into the summary. */
static void client_add(struct sek_buf *clients, const struct sek_rule *rule)
{
    struct sek_rule *all = (struct sek_rule *)(void *)clients->data;
    size_t n = clients->len / sizeof *all;
    for (size_t i = n; i-- > 0;) {
        if (all[i].list != rule->list || all[i].action != rule->action ||
            all[i].terms != rule->terms)
            continue;
        if (rule->expires_s == 0 || (all[i].expires_s && all[i].expires_s < rule->expires_s))
            all[i].expires_s = rule->expires_s;
        return;
    }
    sek_buf_add(clients, rule, sizeof *rule);
}

static bool check_rules(struct sek_nets *n)
{
    uint32_t n_nets = n->head->n_v6 + n->head->n_v4, before = 0;
    for (uint32_t i = 0; i < n_nets; i++) { /* net4 follows net6 */
        if (n->net6[i].rule < before || n->net6[i].rule > n->head->n_rules)
            return false;
        before = n->net6[i].rule;
    }
    if (n_nets > 0 ? n->net6[0].rule != 0 : n->head->n_rules != 0)
        return false;
    for (uint32_t i = 0; i < n->head->n_rules; i++) {
        const struct sek_rule *rule = &n->rules[i];
        if (!sek_about_is_net((enum sek_about)rule->about) || rule->scope != SEK_SCOPE_SUBTREE ||
            rule->action > SEK_ACTION_MAX || rule->expires_s < 0 ||
            rule->terms > sek_termset_n(n->terms))
            return false;
        n->count[rule->about]++;
        n->actions |= 1U << rule->action;
        if (rule->about == SEK_ABOUT_CLIENT_IP)
            client_add(&n->clients, rule);
    }
    return true;
}

static enum sek_err check(struct sek_nets *n, struct sek_diag *diag)
{
    if (!check_family(n, false) || !check_family(n, true))
        return damaged(diag, "bad network");
    if (!check_rules(n))
        return damaged(diag, "bad rule");
    n->count[SEK_ABOUT_NSDNAME] = n->head->n_servers;
    top_make(n);
    return n->clients.failed ? sek_diag_set(diag, SEK_E_NOMEM, "out of memory for rules") : SEK_OK;
}

enum sek_err sek_nets_read(const void *data, size_t size, const struct sek_termset *terms,
                           struct sek_nets **out, struct sek_diag *diag)
{
    const struct sek__nets_head *head = data;

    if (size < sizeof *head)
        return damaged(diag, "too short");
    uint64_t v6 = (uint64_t)head->n_v6 * sizeof(struct sek__v6);
    uint64_t v4 = ((uint64_t)head->n_v4 + head->n_v4 % 2) * sizeof(uint32_t);
    uint64_t nets = ((uint64_t)head->n_v6 + head->n_v4) * sizeof(struct sek__net);
    nets += nets % 8; /* networks of 12 octets, rules of 16 */
    uint64_t rules = (uint64_t)head->n_rules * sizeof(struct sek_rule);
    if (size != sizeof *head + v6 + v4 + nets + rules ||
        (uint64_t)head->n_v6 + head->n_v4 > UINT32_MAX)
        return damaged(diag, "wrong size");
    struct sek_nets *n = calloc(1, sizeof *n);
    if (!n)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for rules about addresses");
    const uint8_t *at = (const uint8_t *)(head + 1);
    n->head = head;
    n->terms = terms;
    n->v6 = (const void *)at;
    n->v4 = (const void *)(at += v6);
    n->net6 = (const void *)(at += v4);
    n->net4 = n->net6 + head->n_v6;
    n->rules = (const void *)(at + nets);
    sek_buf_init(&n->clients, 0);
    enum sek_err err = check(n, diag);
    if (err != SEK_OK) {
        sek_nets_free(n);
        return err;
    }
    *out = n;
    return SEK_OK;
}

void sek_nets_free(struct sek_nets *n)
{
    if (!n)
        return;
    sek_buf_fini(&n->clients);
    free(n);
}

uint32_t sek_nets_count(const struct sek_nets *n, enum sek_about about)
{
    return n->count[about];
}

uint32_t sek_nets_actions(const struct sek_nets *n)
{
    return n->actions;
}

/* How many networks start at or below an address. The step is masked, not branched over: nobody can
 * guess which half it is. */
static uint32_t starts_v4(const struct sek_nets *n, uint32_t addr)
{
    const uint32_t *top = &n->top4[addr >> (32 - TOP_BITS)];
    const uint32_t *at = n->v4 + top[0];
    uint32_t left = top[1] - top[0];
    for (; left > 1; left -= left / 2)
        at += left / 2 & -(uint32_t)(at[left / 2 - 1] <= addr);
    at += left == 1 && *at <= addr;
    return (uint32_t)(at - n->v4);
}

static uint32_t starts_v6(const struct sek_nets *n, struct sek__v6 addr)
{
    const struct sek__v6 *at = n->v6;
    uint32_t left = n->head->n_v6;
    for (; left > 1; left -= left / 2)
        at += left / 2 & -(uint32_t)sek__v6_at_or_below(at[left / 2 - 1], addr);
    at += left == 1 && sek__v6_at_or_below(*at, addr);
    return (uint32_t)(at - n->v6);
}

/* The rules of a network about one thing. */
static bool rules_of(const struct sek_nets *n, const struct sek__net *net, enum sek_about about,
                     struct sek_met *out)
{
    const struct sek__net *last = n->net6 + n->head->n_v6 + n->head->n_v4 - 1;
    uint32_t end = net == last ? n->head->n_rules : net[1].rule, from = net->rule;
    while (from < end && n->rules[from].about < (uint32_t)about)
        from++;
    uint32_t to = from;
    while (to < end && n->rules[to].about == (uint32_t)about)
        to++;
    *out = (struct sek_met){
        .depth = 128U - net->bits, .n = to - from, .rules = n->rules + from, .terms = n->terms};
    return to > from;
}

unsigned sek_nets_lookup(const struct sek_nets *n, enum sek_about about,
                         const struct sek_addr *addr, struct sek_met out[SEK_NETS_MET_MAX])
{
    bool v4 = sek_addr_is_v4(addr);
    struct sek__v6 key = v4 ? (struct sek__v6){0, sek__v4_of(addr)} : sek__v6_of(addr);
    const struct sek__net *nets = v4 ? n->net4 : n->net6;
    uint32_t i = v4 ? starts_v4(n, (uint32_t)key.low) : starts_v6(n, key);
    unsigned n_met = 0;
    for (; i > 0; i = nets[i - 1].around)
        if (is_within(key, first_of(n, v4, i - 1), nets[i - 1].bits))
            n_met += rules_of(n, &nets[i - 1], about, &out[n_met]);
    return n_met;
}

/* The first address of a network. */
static struct sek_addr addr_of(struct sek__v6 first, bool v4)
{
    struct sek_addr addr = {.octets = {0}};
    for (unsigned i = 0; i < 8; i++) {
        addr.octets[i] = (uint8_t)(first.high >> (56 - 8 * i));
        addr.octets[8 + i] = (uint8_t)(first.low >> (56 - 8 * i));
    }
    if (v4)
        addr.octets[10] = addr.octets[11] = 0xff;
    return addr;
}

void sek_nets_each(const struct sek_nets *n, enum sek_about about, sek_nets_fn *fn, void *arg)
{
    struct sek_met met;
    for (uint32_t i = 0; i < n->head->n_v6 + n->head->n_v4; i++) { /* net4 follows net6 */
        bool v4 = i >= n->head->n_v6;
        if (!rules_of(n, &n->net6[i], about, &met))
            continue;
        const struct sek_net net = {.addr =
                                        addr_of(first_of(n, v4, v4 ? i - n->head->n_v6 : i), v4),
                                    .bits = n->net6[i].bits};
        fn(arg, &net);
    }
}

const struct sek_rule *sek_nets_clients(const struct sek_nets *n, unsigned *out_n)
{
    *out_n = (unsigned)(n->clients.len / sizeof(struct sek_rule));
    return (const void *)n->clients.data;
}

int64_t sek_nets_next_expiry(const struct sek_nets *n, int64_t after_s)
{
    int64_t first = 0;
    for (uint32_t i = 0; i < n->head->n_rules; i++) {
        int64_t expires_s = n->rules[i].expires_s;
        if (expires_s > after_s && (first == 0 || expires_s < first))
            first = expires_s;
    }
    return first;
}
