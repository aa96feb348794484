/* SPDX-License-Identifier: BSD-3-Clause */
#include "watch_samples.h"
#include "watch/payload.h"
#include <math.h>

static void test_window(void **state)
{
    static const struct {
        int64_t time_ms;
        float add, sum;
    } steps[] = {
        {60000, 10, 10},  {90000, 10, 20},   {119999, 0, 20},
        {125000, 0, 15},                  /* half of the first step is over */
        {135000, 0, 10},  {155000, 4, 9}, /* half of the second */
        {30000, 1, 5},                    /* back: no time, the oldest step counts as over */
        {10000000, 2, 2}, {INT64_MAX, 1, 1}, {INT64_MIN, 1, 2},
    };
    struct sek_window w = {0};

    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        float sum = sek_window_add(&w, 60000, steps[i].time_ms, steps[i].add);
        if (fabsf(sum - steps[i].sum) > 0.01f)
            fail_msg("step %zu: %f", i, (double)sum);
    }
}

static void test_octets(void **state)
{
    static const struct {
        const char *name;
        unsigned domain_labels, octets;
        float weight;
    } cases[] = {
        {"example.com", 0, 0, 0},
        {"a.example.com", 1, 1, 0},
        {"aaaa.example.com", 1, 4, 0},
        {"ab.example.com", 1, 2, 0.2f},
        {"ab.cd.example.com", 2, 4, 0.4f},
        {"abcdefghijklmnopqrstuvwxyz234567.example.com", 1, 32, 1},
        {"\\000\\001\\255\\128.example.com", 1, 4, 0.4f},
        {".", 0, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sek_name name;
        float weight;

        assert_int_equal(sek_name_from_text(cases[i].name, strlen(cases[i].name), &name, NULL),
                         SEK_OK);
        unsigned octets = sek_payload_octets(&name, cases[i].domain_labels, &weight);
        if (octets != cases[i].octets || fabsf(weight - cases[i].weight) > 1e-5f)
            fail_msg("%s: %u octets, weight %f", cases[i].name, octets, (double)weight);
    }
}

/* Each name counts once; what is missed by the sketch is little. */
static void test_distinct(void **state)
{
    static struct sek_payload p;
    char text[64];
    struct sek_name name;

    (void)state;
    for (unsigned round = 0; round < 3; round++)
        for (unsigned i = 0; i < 200; i++) {
            snprintf(text, sizeof text, "%08xabcdefgh.example.com", i * 2654435761u);
            sek_name_from_text(text, strlen(text), &name, NULL);
            struct sek_hash_key key = KEY;
            sek_payload_add(&p, &name, 1, sek_hash(&key, name.octets, name.len), 60000);
        }
    assert_int_equal(p.n_asked, 600);
    assert_true(p.n_names <= 200 && p.n_names >= 190);
    assert_int_equal(p.octets, p.n_names * 16);
    /* digits and a to h: 18 octets, 4.17 bits each */
    assert_true(fabs((double)sek_payload_out(&p) - (double)p.octets * log2(18) / 8) < 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_octets),
        cmocka_unit_test(test_distinct),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
