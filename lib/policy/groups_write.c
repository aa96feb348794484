/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/groups_write.h"
#include "policy/groups_format.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

struct span {
    uint8_t first[16], last[16];
    uint32_t group;
    int64_t expires_s;
};

struct sek_groups_writer {
    struct sek_client_group groups[SEK_GROUPS_MAX];
    unsigned n_groups;
    struct sek_buf audiences; /* struct sek_audience; the first is everybody */
    struct sek_buf spans;     /* struct span */
};

enum sek_err sek_groups_writer_new(struct sek_groups_writer **out, struct sek_diag *diag)
{
    struct sek_groups_writer *w = calloc(1, sizeof(*w));
    static const struct sek_audience everybody;

    if (w) {
        sek_buf_init(&w->audiences, 0);
        sek_buf_init(&w->spans, 0);
        sek_buf_add(&w->audiences, &everybody, sizeof(everybody));
    }
    if (!w || w->audiences.failed) {
        sek_groups_writer_free(w);
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for groups of endpoints");
    }
    *out = w;
    return SEK_OK;
}

void sek_groups_writer_free(struct sek_groups_writer *w)
{
    if (!w)
        return;
    sek_buf_fini(&w->audiences);
    sek_buf_fini(&w->spans);
    free(w);
}

enum sek_err sek_groups_writer_add(struct sek_groups_writer *w,
                                   const struct sek_client_group *group, struct sek_diag *diag)
{
    size_t len = strnlen(group->name, SEK_LIST_NAME_MAX);

    if (group->id == 0 || group->id > SEK_GROUPS_MAX || group->mode > SEK_MODE_BLOCK ||
        !sek_action_blocks(group->action) || group->action > SEK_ACTION_DROP || len == 0 ||
        len == SEK_LIST_NAME_MAX)
        return sek_diag_set(diag, SEK_E_INVALID, "group %u: bad name, mode or action", group->id);
    for (unsigned i = 0; i < w->n_groups; i++)
        if (w->groups[i].id == group->id || strcmp(w->groups[i].name, group->name) == 0)
            return sek_diag_set(diag, SEK_E_EXISTS, "group %s: there is one like it", group->name);
    unsigned i = w->n_groups++;
    for (; i > 0 && w->groups[i - 1].id > group->id; i--)
        w->groups[i] = w->groups[i - 1];
    w->groups[i] = *group;
    w->groups[i].reserved = 0;
    w->groups[i].reserved_too = 0;
    memset(w->groups[i].name + len, 0, SEK_LIST_NAME_MAX - len);
    return SEK_OK;
}

/* Set the bits of an address from `bits` on. */
static void fill_bits(uint8_t octets[16], unsigned bits, bool ones)
{
    for (unsigned i = 0; i < 16; i++) {
        unsigned kept = bits > 8 * i ? bits - 8 * i : 0;
        uint8_t mask = kept >= 8 ? 0 : (uint8_t)(0xff >> kept);
        octets[i] = ones ? octets[i] | mask : octets[i] & (uint8_t)~mask;
    }
}

enum sek_err sek_groups_writer_member(struct sek_groups_writer *w, unsigned group,
                                      const struct sek_net *net, int64_t expires_s,
                                      struct sek_diag *diag)
{
    struct span span = {.group = group, .expires_s = expires_s};
    bool known = false;

    if (net->bits > 128 || expires_s < 0)
        return sek_diag_set(diag, SEK_E_INVALID, "bad network or end of a member");
    for (unsigned i = 0; i < w->n_groups; i++)
        known |= w->groups[i].id == group;
    if (!known)
        return sek_diag_set(diag, SEK_E_NOTFOUND, "no group has id %u", group);
    memcpy(span.first, net->addr.octets, 16);
    memcpy(span.last, net->addr.octets, 16);
    fill_bits(span.first, net->bits, false);
    fill_bits(span.last, net->bits, true);
    sek_buf_add(&w->spans, &span, sizeof(span));
    if (w->spans.failed)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for members of groups");
    return SEK_OK;
}

enum sek_err sek_groups_writer_audience(struct sek_groups_writer *w, const struct sek_audience *a,
                                        uint16_t *out_index, struct sek_diag *diag)
{
    const struct sek_audience *all = (const void *)w->audiences.data;
    size_t n = w->audiences.len / sizeof(*all);

    for (size_t i = 0; i < n; i++) {
        if (all[i].only == a->only && all[i].except == a->except) {
            *out_index = (uint16_t)i;
            return SEK_OK;
        }
    }
    if (n > UINT16_MAX)
        return sek_diag_set(diag, SEK_E_LIMIT, "more than %d different audiences", UINT16_MAX);
    sek_buf_add(&w->audiences, a, sizeof(*a));
    if (w->audiences.failed)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for audiences");
    *out_index = (uint16_t)n;
    return SEK_OK;
}

/* --- from networks that may overlap to ranges that do not ----------------------------------------
 */

static int by_first(const void *a, const void *b)
{
    return memcmp(((const struct span *)a)->first, ((const struct span *)b)->first, 16);
}

static int by_octets(const void *a, const void *b)
{
    return memcmp(a, b, 16);
}

/* The next address; false behind the last one. */
static bool next_address(uint8_t octets[16])
{
    for (unsigned i = 16; i-- > 0;)
        if (++octets[i] != 0)
            return true;
    return false;
}

struct flat {
    struct span *spans;
    size_t n_spans;
    uint8_t (*starts)[16]; /* where a range may start: sorted, distinct, :: among them */
    size_t n_starts;
    struct sek_buf ranges, members;
};

static bool find_starts(struct flat *f)
{
    size_t n = 0;

    f->starts = calloc(2 * f->n_spans + 1, 16);
    if (!f->starts)
        return false;
    n = 1; /* :: */
    for (size_t i = 0; i < f->n_spans; i++) {
        memcpy(f->starts[n++], f->spans[i].first, 16);
        memcpy(f->starts[n], f->spans[i].last, 16);
        n += next_address(f->starts[n]);
    }
    qsort(f->starts, n, 16, by_octets);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || memcmp(f->starts[f->n_starts - 1], f->starts[i], 16) != 0)
            memcpy(f->starts[f->n_starts++], f->starts[i], 16);
    return true;
}

/* What the spans that are open say of each group: 0 never ends, -1 none. */
static void memberships(const struct flat *f, const size_t *open, size_t n_open,
                        int64_t ends[SEK_GROUPS_MAX + 1])
{
    for (unsigned id = 0; id <= SEK_GROUPS_MAX; id++)
        ends[id] = -1;
    for (size_t i = 0; i < n_open; i++) {
        const struct span *s = &f->spans[open[i]];
        if (s->expires_s == 0 || (ends[s->group] != 0 && ends[s->group] < s->expires_s))
            ends[s->group] = s->expires_s;
    }
}

static void add_range(struct flat *f, const uint8_t first[16],
                      const int64_t ends[SEK_GROUPS_MAX + 1])
{
    struct sek__range range = {.member = (uint32_t)(f->members.len / sizeof(struct sek__member))};

    memcpy(range.first, first, 16);
    sek_buf_add(&f->ranges, &range, sizeof(range));
    for (unsigned id = 1; id <= SEK_GROUPS_MAX; id++) {
        const struct sek__member member = {.expires_s = ends[id], .group = id};
        if (ends[id] >= 0)
            sek_buf_add(&f->members, &member, sizeof(member));
    }
}

/* From the lowest address up: spans open where they start and close behind their end. Networks
 * contain each other or are apart, so that never more are open than a network has bits, times the
 * groups. */
static bool flatten(struct flat *f)
{
    int64_t before[SEK_GROUPS_MAX + 1], ends[SEK_GROUPS_MAX + 1];
    size_t *open = calloc(f->n_spans + 1, sizeof(*open)), n_open = 0, next = 0;

    if (!open || !find_starts(f)) {
        free(open);
        return false;
    }
    for (size_t i = 0; i < f->n_starts; i++) {
        size_t n_left = 0;
        for (size_t j = 0; j < n_open; j++)
            if (memcmp(f->spans[open[j]].last, f->starts[i], 16) >= 0)
                open[n_left++] = open[j];
        n_open = n_left;
        while (next < f->n_spans && memcmp(f->spans[next].first, f->starts[i], 16) <= 0)
            open[n_open++] = next++;
        memberships(f, open, n_open, ends);
        if (i == 0 || memcmp(before, ends, sizeof(ends)) != 0)
            add_range(f, f->starts[i], ends);
        memcpy(before, ends, sizeof(ends));
    }
    free(open);
    return true;
}

enum sek_err sek_groups_write(struct sek_groups_writer *w, struct sek_buf *out,
                              struct sek_diag *diag)
{
    struct flat f = {.spans = (struct span *)(void *)w->spans.data,
                     .n_spans = w->spans.len / sizeof(struct span)};

    if (w->n_groups == 0 && w->audiences.len == sizeof(struct sek_audience))
        return SEK_OK;
    sek_buf_init(&f.ranges, 0);
    sek_buf_init(&f.members, 0);
    if (f.n_spans > 0)
        qsort(f.spans, f.n_spans, sizeof(*f.spans), by_first);
    bool done = flatten(&f);
    const struct sek__groups_head head = {
        .n_groups = w->n_groups,
        .n_audiences = (uint32_t)(w->audiences.len / sizeof(struct sek_audience)),
        .n_ranges = (uint32_t)(f.ranges.len / sizeof(struct sek__range)),
        .n_members = (uint32_t)(f.members.len / sizeof(struct sek__member))};
    sek_buf_add(out, &head, sizeof(head));
    sek_buf_add(out, w->groups, w->n_groups * sizeof(*w->groups));
    sek_buf_add(out, w->audiences.data, w->audiences.len);
    sek_buf_add(out, f.ranges.data, f.ranges.len);
    sek_buf_add(out, f.members.data, f.members.len);
    done = done && !f.ranges.failed && !f.members.failed && !out->failed;
    free(f.starts);
    sek_buf_fini(&f.ranges);
    sek_buf_fini(&f.members);
    return done ? SEK_OK : sek_diag_set(diag, SEK_E_NOMEM, "out of memory for groups of endpoints");
}
