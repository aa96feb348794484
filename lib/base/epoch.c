/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/epoch.h"
#include <time.h>
#include "base/banned.h"

void sek_epoch_init(struct sek_epoch *e, struct sek_epoch_slot *slots, unsigned n_slots)
{
    atomic_init(&e->now, 1);
    e->n_slots = n_slots;
    e->slots = slots;
    for (unsigned i = 0; i < n_slots; i++)
        atomic_init(&slots[i].entered, 0);
}

void sek_epoch_wait(struct sek_epoch *e)
{
    static const struct timespec step = {.tv_nsec = 50 * 1000};
    uint64_t now = atomic_fetch_add_explicit(&e->now, 1, memory_order_seq_cst) + 1;

    /* Who entered at the new epoch or is outside cannot hold the old pointer; one look at each slot
     * is enough, for whoever enters after that look loads the new pointer. */
    for (unsigned i = 0; i < e->n_slots; i++) {
        uint64_t entered;

        while ((entered = atomic_load_explicit(&e->slots[i].entered, memory_order_seq_cst)) != 0 &&
               entered < now)
            nanosleep(&step, NULL);
    }
}
