/* SPDX-License-Identifier: BSD-3-Clause */
#include "replay/flows.h"
#include "base/hash.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define SLOTS_FIRST 1024

/* Between two addresses and ports; their hash stands for them. */
struct flow {
    uint64_t ends;
    uint32_t number; /* 0: free */
    uint32_t seq;    /* of the client's SYN; 0: none was seen */
};

struct sek_flows {
    struct sek_hash_key key;
    uint32_t n_numbers;
    size_t n_slots, n;
    struct flow *slots;
};

struct sek_flows *sek_flows_new(void)
{
    struct sek_flows *f = calloc(1, sizeof *f);

    if (f) {
        f->key = sek_hash_key_random();
        f->n_slots = SLOTS_FIRST;
        f->slots = calloc(f->n_slots, sizeof *f->slots);
    }
    if (f && f->slots)
        return f;
    free(f);
    return NULL;
}

void sek_flows_free(struct sek_flows *f)
{
    if (f)
        free(f->slots);
    free(f);
}

static uint64_t ends_of(const struct sek_flows *f, const struct sek_packet *p,
                        const struct sek_segment *s)
{
    struct {
        struct sek_addr a, b;
        uint16_t a_port, b_port;
    } ends = {p->from, p->to, s->from_port, s->to_port};
    int order = memcmp(&p->from, &p->to, sizeof p->from);

    if (order > 0 || (order == 0 && s->from_port > s->to_port)) { /* both directions are one */
        ends.a = p->to;
        ends.b = p->from;
        ends.a_port = s->to_port;
        ends.b_port = s->from_port;
    }
    return sek_hash(&f->key, &ends, 2 * sizeof ends.a + 4);
}

static struct flow *slot_of(struct flow *slots, size_t n_slots, uint64_t ends)
{
    size_t at = ends & (n_slots - 1);

    while (slots[at].number && slots[at].ends != ends)
        at = (at + 1) & (n_slots - 1);
    return &slots[at];
}

/* For one more; where there is no room all are forgotten. */
static void make_room(struct sek_flows *f)
{
    size_t n = 2 * f->n_slots;

    if (f->n < f->n_slots / 2)
        return;
    struct flow *slots = n / 2 > SEK_FLOWS_MAX ? NULL : calloc(n, sizeof *slots);
    if (!slots) {
        memset(f->slots, 0, f->n_slots * sizeof *f->slots);
        f->n = 0;
        return;
    }
    for (size_t i = 0; i < f->n_slots; i++)
        if (f->slots[i].number)
            *slot_of(slots, n, f->slots[i].ends) = f->slots[i];
    free(f->slots);
    f->slots = slots;
    f->n_slots = n;
}

uint64_t sek_flows_number(struct sek_flows *f, const struct sek_packet *p,
                          const struct sek_segment *segment)
{
    uint64_t ends = ends_of(f, p, segment);
    struct flow *flow = slot_of(f->slots, f->n_slots, ends);
    bool is_there = flow->number > 0;

    /* A SYN that is sent again is of the same connection. */
    if (is_there && (!segment->is_open || flow->seq == segment->seq))
        return flow->number;
    if (!is_there) {
        make_room(f);
        flow = slot_of(f->slots, f->n_slots, ends);
        f->n++;
    }
    *flow = (struct flow){
        .ends = ends, .number = ++f->n_numbers, .seq = segment->is_open ? segment->seq : 0};
    return flow->number;
}
