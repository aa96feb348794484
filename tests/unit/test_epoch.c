/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/epoch.h"
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#define N_READERS 4
#define N_SWAPS 500
#define ALIVE 0x600df00dU
#define DEAD 0xdeadbeefU

/* What readers look at: both fields are wiped before it is freed. */
struct thing {
    unsigned mark;
    unsigned serial;
};

struct world {
    struct sek_epoch epoch;
    struct sek_epoch_slot slots[N_READERS];
    _Atomic(struct thing *) current;
    _Atomic bool stop;
    _Atomic unsigned n_bad, n_started;
};

struct reader {
    struct world *world;
    struct sek_epoch_slot *slot;
    pthread_t thread;
    unsigned long n_looks;
};

static struct thing *thing_new(unsigned serial)
{
    struct thing *t = malloc(sizeof(*t));

    assert_non_null(t);
    *t = (struct thing){ALIVE, serial};
    return t;
}

static void *read_until_stopped(void *arg)
{
    struct reader *r = arg;
    struct world *w = r->world;
    unsigned last = 0;

    atomic_fetch_add(&w->n_started, 1);
    while (!atomic_load(&w->stop)) {
        const struct thing *t;

        sek_epoch_enter(&w->epoch, r->slot);
        t = atomic_load_explicit(&w->current, memory_order_seq_cst);
        for (int i = 0; i < 20; i++) /* long enough for the writer to swap meanwhile */
            if (*(const volatile unsigned *)&t->mark != ALIVE || t->serial < last)
                atomic_fetch_add(&w->n_bad, 1);
        last = t->serial;
        sek_epoch_leave(r->slot);
        r->n_looks++;
    }
    return NULL;
}

static void test_readers_and_writer(void **state)
{
    static struct world w;
    struct reader readers[N_READERS];

    (void)state;
    sek_epoch_init(&w.epoch, w.slots, N_READERS);
    atomic_init(&w.current, thing_new(0));
    for (int i = 0; i < N_READERS; i++) {
        readers[i] = (struct reader){.world = &w, .slot = &w.slots[i]};
        assert_int_equal(pthread_create(&readers[i].thread, NULL, read_until_stopped, &readers[i]),
                         0);
    }
    while (atomic_load(&w.n_started) < N_READERS)
        sched_yield();
    for (unsigned i = 1; i <= N_SWAPS; i++) {
        struct thing *old =
            atomic_exchange_explicit(&w.current, thing_new(i), memory_order_seq_cst);

        sek_epoch_wait(&w.epoch);
        /* nobody looks any more: a reader that did would see this, and the sanitizer a race */
        old->mark = DEAD;
        free(old);
    }
    atomic_store(&w.stop, true);
    for (int i = 0; i < N_READERS; i++) {
        pthread_join(readers[i].thread, NULL);
        assert_true(readers[i].n_looks > 0);
    }
    free(atomic_load(&w.current));
    assert_int_equal(atomic_load(&w.n_bad), 0);
}

struct waiter {
    struct sek_epoch *epoch;
    _Atomic bool done;
};

static void *wait_once(void *arg)
{
    struct waiter *w = arg;

    sek_epoch_wait(w->epoch);
    atomic_store(&w->done, true);
    return NULL;
}

/* The writer must wait for who entered before, and for nobody who enters after. */
static void test_waits_for_the_old_only(void **state)
{
    struct sek_epoch_slot slots[2];
    struct sek_epoch e;
    struct waiter w = {.epoch = &e};
    const struct timespec moment = {.tv_nsec = 5 * 1000 * 1000};
    pthread_t thread;

    (void)state;
    sek_epoch_init(&e, slots, 2);
    sek_epoch_wait(&e); /* all outside: at once */
    sek_epoch_enter(&e, &slots[1]);
    assert_int_equal(pthread_create(&thread, NULL, wait_once, &w), 0);
    while (atomic_load(&e.now) < 3)
        sched_yield();
    nanosleep(&moment, NULL); /* not a wait for an event: a chance for a wrong one to happen */
    assert_false(atomic_load(&w.done));
    sek_epoch_enter(&e, &slots[0]); /* a new one, at the new epoch */
    sek_epoch_leave(&slots[1]);
    pthread_join(thread, NULL); /* returns although slot 0 is inside */
    assert_true(atomic_load(&w.done));
    sek_epoch_leave(&slots[0]);
}

static void test_no_readers(void **state)
{
    struct sek_epoch e;

    (void)state;
    sek_epoch_init(&e, NULL, 0);
    sek_epoch_wait(&e);
    assert_true(atomic_load(&e.now) == 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_readers_and_writer),
        cmocka_unit_test(test_waits_for_the_old_only),
        cmocka_unit_test(test_no_readers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
