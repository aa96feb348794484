/* SPDX-License-Identifier: BSD-3-Clause */
#include "event/ring.h"
#include "event_samples.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <cmocka.h>

#define RING_OCTETS 65536

static struct sek_event make(uint64_t number, uint8_t name_len, uint8_t matched_len)
{
    struct sek_event e;
    memset(&e, 0, sizeof e);
    e.time_ms = (int64_t)number;
    e.name_len = name_len;
    e.matched_len = matched_len;
    e.size = sek_event_size(name_len, matched_len);
    memset(e.names, (int)(number & 0xff), (size_t)name_len + matched_len);
    return e;
}

static const struct sek_event *peek(struct sek_ring *r)
{
    const struct sek_event *e;
    return sek_ring_peek(r, &e, 1) ? e : NULL;
}

static void check(const struct sek_event *e, uint64_t number)
{
    assert_int_equal(e->time_ms, number);
    assert_int_equal(e->size, sek_event_size(e->name_len, e->matched_len));
    for (unsigned i = 0; i < (unsigned)e->name_len + e->matched_len; i++)
        if (e->names[i] != (number & 0xff))
            fail_msg("event %llu is damaged at %u", (unsigned long long)number, i);
}

static void test_new(void **state)
{
    (void)state;
    struct sek_ring *r = NULL;
    assert_int_equal(sek_ring_new(0, &r), SEK_OK); /* raised to the least */
    assert_null(peek(r));
    assert_int_equal(sek_ring_dropped(r), 0);
    sek_ring_free(r);
    r = NULL;
    assert_int_equal(sek_ring_new((size_t)2 << 30, &r), SEK_E_LIMIT);
    assert_null(r);
    sek_ring_free(NULL);
}

static void test_order_and_peek(void **state)
{
    (void)state;
    struct sek_ring *r;
    struct sek_event a = make(1, 1, 0), b = make(2, 255, 255);
    assert_int_equal(sek_ring_new(RING_OCTETS, &r), SEK_OK);
    assert_true(sek_ring_push(r, &a));
    assert_true(sek_ring_push(r, &b));
    check(peek(r), 1);
    check(peek(r), 1); /* stays until popped */
    sek_ring_pop(r);
    check(peek(r), 2);
    sek_ring_pop(r);
    assert_null(peek(r));
    sek_ring_free(r);
}

static void test_bad_sizes(void **state)
{
    (void)state;
    struct sek_ring *r;
    static const struct {
        const char *label;
        uint16_t size;
        bool taken;
    } cases[] = {
        {"zero", 0, false},
        {"shorter than the head", 40, false},
        {"not in words", 57, false},
        {"largest", SEK_EVENT_MAX, true},
        {"larger", SEK_EVENT_MAX + 8, false},
        {"65535", 65535, false},
    };
    assert_int_equal(sek_ring_new(RING_OCTETS, &r), SEK_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sek_event e = make(i, 200, 200);
        e.size = cases[i].size;
        if (sek_ring_push(r, &e) != cases[i].taken)
            fail_msg("%s", cases[i].label);
    }
    assert_int_equal(sek_ring_dropped(r), 5);
    sek_ring_free(r);
}

/* Every size at every place near the end: fill, drop, drain, many times around. */
static void test_wrap_and_full(void **state)
{
    (void)state;
    struct sek_ring *r;
    uint64_t pushed = 0, popped = 0, dropped = 0;
    assert_int_equal(sek_ring_new(RING_OCTETS, &r), SEK_OK);
    for (unsigned round = 0; round < 300; round++) {
        for (;;) {
            struct sek_event e = make(pushed, (uint8_t)(1 + (pushed * 7 + round) % 255),
                                      (uint8_t)(pushed % 3 ? 0 : pushed % 255));
            if (!sek_ring_push(r, &e))
                break;
            pushed++;
        }
        dropped++;
        assert_int_equal(sek_ring_dropped(r), dropped);
        const struct sek_event *e;
        for (unsigned n = round % 2 ? UINT32_MAX : round; n && (e = peek(r)); n--) {
            check(e, popped++);
            sek_ring_pop(r);
        }
        if (round % 2)
            assert_int_equal(pushed, popped);
    }
    assert_true(pushed > 10000);
    sek_ring_free(r);
}

/* Of a large ring, who keeps up with taking uses the first part only, and nothing is lost. */
static void test_stays_at_hand(void **state)
{
    (void)state;
    struct sek_ring *r;
    uintptr_t first = UINTPTR_MAX, last = 0;
    assert_int_equal(sek_ring_new(16 * RING_OCTETS, &r), SEK_OK);
    for (uint64_t i = 0; i < 100000; i++) {
        struct sek_event e = make(i, (uint8_t)(1 + i % 255), 0);
        assert_true(sek_ring_push(r, &e));
        const struct sek_event *got = peek(r);
        check(got, i);
        first = (uintptr_t)got < first ? (uintptr_t)got : first;
        last = (uintptr_t)got > last ? (uintptr_t)got : last;
        sek_ring_pop(r);
    }
    assert_true(last - first <= RING_OCTETS + SEK_EVENT_MAX);
    sek_ring_free(r);
}

/* Beginning anew costs no room: what a pause of the consumer brings still fits. */
static void test_all_room(void **state)
{
    (void)state;
    struct sek_ring *r;
    const uint64_t size = 8 * RING_OCTETS;
    uint64_t number = 0, taken = 0;
    assert_int_equal(sek_ring_new(size, &r), SEK_OK);
    for (unsigned round = 0; round < 50; round++) {
        for (unsigned i = 0; i < 500 + round * 50; i++) {
            struct sek_event e = make(number++, 100, 0);
            assert_true(sek_ring_push(r, &e));
        }
        for (const struct sek_event *e; (e = peek(r)); sek_ring_pop(r))
            check(e, taken++);
        sek_ring_pop(r); /* does nothing */
        for (uint64_t octets = 0; octets < size - 2 * SEK_EVENT_MAX;) {
            struct sek_event e = make(number, (uint8_t)(1 + number % 250), 0);
            number++;
            assert_true(sek_ring_push(r, &e));
            octets += e.size;
        }
        for (const struct sek_event *e; (e = peek(r)); sek_ring_pop(r))
            check(e, taken++);
        assert_int_equal(taken, number);
    }
    assert_int_equal(sek_ring_dropped(r), 0);
    sek_ring_free(r);
}

/* Many at once, over the ring's end, given back together. */
static void test_peek_many(void **state)
{
    (void)state;
    struct sek_ring *r;
    const struct sek_event *events[8];
    uint64_t pushed = 0, popped = 0;
    assert_int_equal(sek_ring_new(RING_OCTETS, &r), SEK_OK);
    assert_int_equal(sek_ring_peek(r, events, 8), 0);
    for (unsigned round = 0; round < 5000; round++) {
        for (unsigned i = 0; i < 5; i++) {
            struct sek_event e = make(pushed, (uint8_t)(1 + pushed % 200), 0);
            assert_true(sek_ring_push(r, &e));
            pushed++;
        }
        assert_int_equal(sek_ring_peek(r, events, 3), 3);
        assert_int_equal(sek_ring_peek(r, events, 8), 5); /* nothing was given back */
        for (unsigned i = 0; i < 5; i++)
            check(events[i], popped++);
        sek_ring_pop(r);
    }
    assert_int_equal(sek_ring_peek(r, events, 8), 0);
    sek_ring_free(r);
}

#define PRODUCED 400000

struct race {
    struct sek_ring *ring;
    uint64_t pushed;
    _Atomic bool ended;
};

static void *produce(void *arg)
{
    struct race *race = arg;
    for (uint64_t i = 0; i < PRODUCED; i++) {
        struct sek_event e = make(race->pushed, (uint8_t)(1 + i % 60), (uint8_t)(i % 11 ? 0 : 255));
        race->pushed += sek_ring_push(race->ring, &e);
    }
    atomic_store(&race->ended, true);
    return NULL;
}

static void race_in(size_t ring_octets)
{
    struct race race = {0};
    pthread_t thread;
    uint64_t popped = 0;
    const struct sek_event *e;
    assert_int_equal(sek_ring_new(ring_octets, &race.ring), SEK_OK);
    assert_int_equal(pthread_create(&thread, NULL, produce, &race), 0);
    for (bool last = false; !last;) {
        last = atomic_load(&race.ended);
        while ((e = peek(race.ring))) {
            check(e, popped++);
            sek_ring_pop(race.ring);
        }
        sched_yield();
    }
    pthread_join(thread, NULL);
    assert_int_equal(popped, race.pushed);
    assert_int_equal(race.pushed + sek_ring_dropped(race.ring), PRODUCED);
    assert_true(popped > 0);
    sek_ring_free(race.ring);
}

/* One that goes round, and larger ones that begin anew whenever they are empty. */
static void test_two_threads(void **state)
{
    (void)state;
    for (size_t octets = RING_OCTETS; octets <= 16 * RING_OCTETS; octets *= 4)
        race_in(octets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new),           cmocka_unit_test(test_order_and_peek),
        cmocka_unit_test(test_bad_sizes),     cmocka_unit_test(test_wrap_and_full),
        cmocka_unit_test(test_stays_at_hand), cmocka_unit_test(test_all_room),
        cmocka_unit_test(test_peek_many),     cmocka_unit_test(test_two_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
