/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/risk_stays.h"
#include "base/hash.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/banned.h"

/* --- stays -------------------------------------------------------------------------------------
 */

static int by_name(const void *a, const void *b)
{
    const struct sek__risk_stay *x = a, *y = b;
    int names = strcasecmp(x->name, y->name);
    return names ? names : strcmp(x->mac, y->mac);
}

/* By MAC, else by name, else by place. */
static int by_machine(const void *a, const void *b)
{
    const struct sek__risk_stay *x = a, *y = b;
    int order = strcmp(x->mac, y->mac);
    if (order || *x->mac)
        return order;
    order = strcasecmp(x->name, y->name);
    if (order || *x->name)
        return order;
    if (x->source != y->source)
        return x->source < y->source ? -1 : 1;
    return (x->from_s > y->from_s) - (x->from_s < y->from_s);
}

/* Stays of one name, by MAC: those without one are the machine's that has it, if it is one. */
static void give_mac(struct sek__risk_stay *stays, size_t n)
{
    size_t with = 0;
    while (with < n && !*stays[with].mac)
        with++;
    if (with == n || strcmp(stays[with].mac, stays[n - 1].mac) != 0)
        return;
    for (size_t i = 0; i < with; i++)
        memcpy(stays[i].mac, stays[with].mac, sizeof stays[i].mac);
}

void sek__risk_stays_identify(struct sek__risk_stay *stays, size_t n)
{
    uint32_t machine = 0;
    if (n == 0)
        return;
    qsort(stays, n, sizeof *stays, by_name);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && strcasecmp(stays[i].name, stays[end].name) == 0;)
            end++;
        if (*stays[i].name)
            give_mac(stays + i, end - i);
    }
    qsort(stays, n, sizeof *stays, by_machine);
    for (size_t i = 0; i < n; i++) {
        machine += i > 0 && by_machine(&stays[i - 1], &stays[i]) != 0;
        stays[i].machine = machine;
    }
}

/* --- kin ---------------------------------------------------------------------------------------
 */

struct tie {
    uint64_t what;
    uint32_t node;
};

static uint32_t *parents_of(const struct sek__risk_kin *k)
{
    return (uint32_t *)(void *)k->parents.data;
}

static uint32_t add_node(struct sek__risk_kin *k)
{
    uint32_t node = (uint32_t)(k->parents.len / sizeof node);
    sek_buf_add(&k->parents, &node, sizeof node);
    return node;
}

void sek__risk_kin_init(struct sek__risk_kin *k, uint32_t n)
{
    sek_buf_init(&k->parents, SIZE_MAX);
    sek_buf_init(&k->ties, SIZE_MAX);
    for (uint32_t i = 0; i < n; i++)
        add_node(k);
}

void sek__risk_kin_fini(struct sek__risk_kin *k)
{
    sek_buf_fini(&k->parents);
    sek_buf_fini(&k->ties);
}

static void tie(struct sek__risk_kin *k, uint32_t node, uint64_t kind, const char *text)
{
    const struct sek_hash_key key = {kind, 0x6b696e};
    char low[SEK_LEASE_TEXT_MAX] = "";
    size_t n = 0;
    for (; text[n] && n < sizeof low; n++)
        low[n] = (char)(text[n] >= 'A' && text[n] <= 'Z' ? text[n] | 0x20 : text[n]);
    const struct tie t = {sek_hash(&key, low, n), node};
    if (n)
        sek_buf_add(&k->ties, &t, sizeof t);
}

void sek__risk_kin_add(struct sek__risk_kin *k, uint32_t node, const char *mac, const char *name)
{
    if (node == UINT32_MAX && (!*mac || !*name)) /* ties nothing to anything */
        return;
    if (node == UINT32_MAX)
        node = add_node(k);
    tie(k, node, 1, mac);
    tie(k, node, 2, name);
}

uint32_t sek__risk_kin_of(struct sek__risk_kin *k, uint32_t node)
{
    uint32_t *parents = parents_of(k);
    while (parents[node] != node) {
        parents[node] = parents[parents[node]];
        node = parents[node];
    }
    return node;
}

static int by_what(const void *a, const void *b)
{
    const struct tie *x = a, *y = b;
    return (x->what > y->what) - (x->what < y->what);
}

bool sek__risk_kin_end(struct sek__risk_kin *k)
{
    struct tie *ties = (void *)k->ties.data;
    size_t n = k->ties.len / sizeof *ties;
    if (k->ties.failed || k->parents.failed)
        return false;
    if (n)
        qsort(ties, n, sizeof *ties, by_what);
    for (size_t i = 1; i < n; i++)
        if (ties[i].what == ties[i - 1].what) {
            uint32_t a = sek__risk_kin_of(k, ties[i].node);
            uint32_t b = sek__risk_kin_of(k, ties[i - 1].node);
            parents_of(k)[a > b ? a : b] = a > b ? b : a; /* an address stands for its set */
        }
    return true;
}
