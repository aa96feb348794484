/* SPDX-License-Identifier: BSD-3-Clause */
/* Grace periods: one pointer that many readers use without locks while one writer replaces what it
 * points to. Each reader thread owns a slot; it enters before it loads the pointer and leaves when
 * it keeps nothing of it. The writer publishes, then waits until every slot that was inside has
 * left (the idea of epoch-based reclamation: Fraser, "Practical lock-freedom", 2004, §5.2.3).
 * Readers never wait and never call the kernel. */
#pragma once
#include <stdatomic.h>
#include <stdint.h>

/* One per reader thread; a cache line each, so that readers do not disturb each other. */
struct sek_epoch_slot {
    _Alignas(64) _Atomic uint64_t entered; /* 0 outside, else the epoch seen on entry */
};

struct sek_epoch {
    _Alignas(64) _Atomic uint64_t now; /* starts at 1 */
    unsigned n_slots;
    struct sek_epoch_slot *slots; /* borrowed; the owner of the readers allocates them */
};

void sek_epoch_init(struct sek_epoch *e, struct sek_epoch_slot *slots, unsigned n_slots);

/* Reader. Not nestable. Load the protected pointer after it with memory_order_seq_cst: a weaker
 * load may move above the store of the slot on some machines (not on x86-64, where it costs the
 * same). */
static inline void sek_epoch_enter(struct sek_epoch *e, struct sek_epoch_slot *slot)
{
    /* acquire: who sees the new epoch also sees the pointer that was published before it */
    uint64_t now = atomic_load_explicit(&e->now, memory_order_acquire);
    /* seq_cst: the store must be seen before the caller's load of the protected pointer */
    atomic_exchange_explicit(&slot->entered, now, memory_order_seq_cst);
}

static inline void sek_epoch_leave(struct sek_epoch_slot *slot)
{
    atomic_store_explicit(&slot->entered, 0, memory_order_release);
}

/* The epoch now. Any thread. What a reader decided by the pointer holds while this is as it was
 * before the reader entered: it changes right after every new pointer. */
static inline uint64_t sek_epoch_now(const struct sek_epoch *e)
{
    return atomic_load_explicit(&e->now, memory_order_acquire);
}

/* Writer, one at a time, after it published the new pointer (memory_order_seq_cst): returns when no
 * reader can still hold the old one. Sleeps in steps of 50 µs. */
void sek_epoch_wait(struct sek_epoch *e);
