/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/groups.h"
#include "policy/groups_format.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

struct sek_groups {
    const struct sek__groups_head *head;
    const struct sek_client_group *groups;
    const struct sek_audience *audiences;
    const struct sek__range *ranges;
    const struct sek__member *members;
    uint64_t by_mode[SEK_MODE_BLOCK + 1]; /* groups with that restriction */
    int64_t latest_s[SEK_GROUPS_MAX + 1]; /* when the last membership ends; 0: never, -1: none */
    const struct sek_client_group *by_id[SEK_GROUPS_MAX + 1];
};

static enum sek_err damaged(struct sek_diag *diag, const char *what)
{
    return sek_diag_set(diag, SEK_E_CORRUPT, "damaged groups of endpoints: %s", what);
}

static bool is_name(const char *name)
{
    return name[0] != '\0' && memchr(name, '\0', SEK_LIST_NAME_MAX);
}

static enum sek_err check_groups(struct sek_groups *g, struct sek_diag *diag)
{
    for (uint32_t i = 0; i < g->head->n_groups; i++) {
        const struct sek_client_group *group = &g->groups[i];
        if (group->id <= (i ? group[-1].id : 0) || group->id > SEK_GROUPS_MAX ||
            group->mode > SEK_MODE_BLOCK || !sek_action_blocks(group->action) ||
            group->action > SEK_ACTION_DROP || !is_name(group->name))
            return damaged(diag, "bad group");
        g->by_id[group->id] = group;
        g->by_mode[group->mode] |= sek_group_bit(group->id);
    }
    if (g->head->n_audiences == 0 || g->audiences[0].only || g->audiences[0].except)
        return damaged(diag, "bad audience");
    return SEK_OK;
}

static enum sek_err check_ranges(struct sek_groups *g, struct sek_diag *diag)
{
    static const uint8_t lowest[16];

    if (g->head->n_ranges == 0 || memcmp(g->ranges[0].first, lowest, 16) != 0 ||
        g->ranges[0].member != 0)
        return damaged(diag, "bad first range");
    for (uint32_t i = 1; i < g->head->n_ranges; i++)
        if (memcmp(g->ranges[i - 1].first, g->ranges[i].first, 16) >= 0 ||
            g->ranges[i - 1].member > g->ranges[i].member ||
            g->ranges[i].member > g->head->n_members)
            return damaged(diag, "bad range");
    for (uint32_t i = 0; i < g->head->n_members; i++) {
        const struct sek__member *m = &g->members[i];
        if (m->group == 0 || m->group > SEK_GROUPS_MAX || !g->by_id[m->group] || m->expires_s < 0)
            return damaged(diag, "bad member");
        int64_t *latest = &g->latest_s[m->group];
        if (m->expires_s == 0 || (*latest != 0 && *latest < m->expires_s))
            *latest = m->expires_s;
    }
    return SEK_OK;
}

enum sek_err sek_groups_read(const void *data, size_t size, struct sek_groups **out,
                             struct sek_diag *diag)
{
    const struct sek__groups_head *head = data;

    if (size < sizeof(*head))
        return damaged(diag, "too short");
    uint64_t groups = (uint64_t)head->n_groups * sizeof(struct sek_client_group);
    uint64_t audiences = (uint64_t)head->n_audiences * sizeof(struct sek_audience);
    uint64_t ranges = (uint64_t)head->n_ranges * sizeof(struct sek__range);
    uint64_t members = (uint64_t)head->n_members * sizeof(struct sek__member);
    if (size != sizeof(*head) + groups + audiences + ranges + members)
        return damaged(diag, "wrong size");
    struct sek_groups *g = calloc(1, sizeof(*g));
    if (!g)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for groups of endpoints");
    const uint8_t *at = (const uint8_t *)(head + 1);
    g->head = head;
    g->groups = (const void *)at;
    g->audiences = (const void *)(at += groups);
    g->ranges = (const void *)(at += audiences);
    g->members = (const void *)(at += ranges);
    for (unsigned i = 0; i <= SEK_GROUPS_MAX; i++)
        g->latest_s[i] = -1;
    enum sek_err err = check_groups(g, diag);
    if (err == SEK_OK)
        err = check_ranges(g, diag);
    if (err != SEK_OK) {
        sek_groups_free(g);
        return err;
    }
    *out = g;
    return SEK_OK;
}

void sek_groups_free(struct sek_groups *g)
{
    free(g);
}

uint64_t sek_groups_of(const struct sek_groups *g, const struct sek_addr *endpoint, int64_t now_s)
{
    uint32_t low = 0, high = g->head->n_ranges;
    uint64_t groups = 0;

    while (high - low > 1) { /* ranges[low] starts at or below the endpoint */
        uint32_t middle = low + (high - low) / 2;
        if (memcmp(g->ranges[middle].first, endpoint->octets, 16) <= 0)
            low = middle;
        else
            high = middle;
    }
    uint32_t end = low + 1 < g->head->n_ranges ? g->ranges[low + 1].member : g->head->n_members;
    for (uint32_t i = g->ranges[low].member; i < end; i++)
        if (g->members[i].expires_s == 0 || g->members[i].expires_s > now_s)
            groups |= sek_group_bit(g->members[i].group);
    return groups;
}

uint64_t sek_groups_peopled(const struct sek_groups *g, int64_t now_s)
{
    uint64_t groups = 0;

    for (uint32_t i = 0; i < g->head->n_groups; i++) {
        unsigned id = g->groups[i].id;
        if (g->latest_s[id] == 0 || g->latest_s[id] > now_s)
            groups |= sek_group_bit(id);
    }
    return groups;
}

uint64_t sek_groups_restricted(const struct sek_groups *g, enum sek_mode mode)
{
    return g->by_mode[mode];
}

const struct sek_client_group *sek_groups_get(const struct sek_groups *g, unsigned id)
{
    return id <= SEK_GROUPS_MAX ? g->by_id[id] : NULL;
}

const struct sek_audience *sek_groups_audience(const struct sek_groups *g, unsigned index)
{
    return index < g->head->n_audiences ? &g->audiences[index] : NULL;
}

int64_t sek_groups_next_expiry(const struct sek_groups *g, int64_t after_s)
{
    int64_t first = 0;

    for (uint32_t i = 0; i < g->head->n_members; i++) {
        int64_t expires_s = g->members[i].expires_s;
        if (expires_s > after_s && (first == 0 || expires_s < first))
            first = expires_s;
    }
    return first;
}
