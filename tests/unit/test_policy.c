/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/policy.h"
#include "policy_fixture.h"

static struct sek_compile *compile_with_lists(uint16_t first_id, uint16_t n_lists)
{
    struct sek_compile *c;
    struct sek_diag diag;

    test_ok(sek_compile_new(0, &c, &diag), &diag);
    for (uint16_t id = first_id; id < first_id + n_lists; id++) {
        struct sek_list list = test_list(id);
        test_ok(sek_compile_list(c, &list, &diag), &diag);
    }
    return c;
}

static void add(struct sek_compile *c, const char *text, uint16_t list, int64_t expires_s)
{
    struct sek_name name = test_name(text);
    struct sek_rule rule = {.list = list, .scope = SEK_SCOPE_SUBTREE, .expires_s = expires_s};
    struct sek_diag diag;

    test_ok(sek_compile_rule(c, name.octets, name.len, &rule, &diag), &diag);
}

static void take_away(struct sek_compile *c, const char *text)
{
    struct sek_name name = test_name(text);
    struct sek_diag diag;

    test_ok(sek_compile_removed(c, name.octets, name.len, &diag), &diag);
}

/* Returns the id of what was written. */
static uint64_t write_image(struct sek_compile *c, const char *file, uint64_t base_id,
                            uint64_t generation)
{
    struct sek_image_info info = {.base_id = base_id, .generation = generation};
    struct sek_diag diag;

    test_ok(sek_compile_write(c, test_path(file), &info, NULL, NULL, &diag), &diag);
    sek_compile_free(c);
    return info.id;
}

static struct sek_policy *open_policy(void)
{
    struct sek_policy *p;
    struct sek_diag diag;

    test_ok(sek_policy_open(test_folder, &p, &diag), &diag);
    return p;
}

static int clean(void **state)
{
    (void)state;
    unlink(test_path(SEK_POLICY_IMAGE));
    unlink(test_path(SEK_POLICY_DELTA));
    return 0;
}

static uint64_t write_base(void)
{
    struct sek_compile *c = compile_with_lists(1, 2);

    add(c, "evil.example", 1, 0);
    add(c, "example", 2, 500);
    add(c, "other.example", 1, 100);
    return write_image(c, SEK_POLICY_IMAGE, 0, 3);
}

/* "depth:list …" of what a name meets. */
static const char *met_text(const struct sek_policy *p, const char *text)
{
    static char out[256];
    struct sek_met met[SEK_LABELS_MAX + 1];
    struct sek_name name = test_name(text);
    unsigned n = sek_policy_lookup(p, &name, met);
    size_t at = 0;

    out[0] = '\0';
    for (unsigned i = 0; i < n; i++)
        for (unsigned k = 0; k < met[i].n; k++)
            at += (size_t)snprintf(out + at, sizeof(out) - at, "%s%u:%u", at ? " " : "",
                                   met[i].depth, met[i].rules[k].list);
    return out;
}

static void test_image_alone(void **state)
{
    unsigned n;

    (void)state;
    write_base();
    struct sek_policy *p = open_policy();
    assert_int_equal(sek_policy_generation(p), 3);
    assert_int_equal(sek_policy_n_names(p), 3);
    sek_policy_lists(p, &n);
    assert_int_equal(n, 2);
    assert_null(sek_policy_list(p, 0));
    assert_int_equal(sek_policy_list(p, 1)->id, 1);
    assert_int_equal(sek_policy_list(p, 2)->id, 2);
    assert_null(sek_policy_list(p, 3));
    assert_null(sek_policy_list(p, 65535));
    assert_string_equal(met_text(p, "www.evil.example"), "1:1 2:2");
    assert_string_equal(met_text(p, "example"), "0:2");
    assert_string_equal(met_text(p, "example.net"), "");
    assert_string_equal(met_text(p, ""), "");
    sek_policy_close(p);
    sek_policy_close(NULL);
}

static void test_delta(void **state)
{
    uint64_t base_id = write_base();
    struct sek_compile *c = compile_with_lists(2, 3);
    unsigned n;

    (void)state;
    take_away(c, "evil.example"); /* no rules any more */
    add(c, "example", 4, 0);      /* others than before */
    add(c, "new.example", 2, 50); /* new */
    take_away(c, "never.example");
    add(c, "", 3, 0);
    write_image(c, SEK_POLICY_DELTA, base_id, 4);
    struct sek_policy *p = open_policy();
    assert_int_equal(sek_policy_generation(p), 4);
    assert_int_equal(sek_policy_n_names(p), 8);
    assert_int_equal(sek_policy_lists(p, &n)[0].id, 2);
    assert_int_equal(n, 3);
    assert_null(sek_policy_list(p, 1));
    assert_int_equal(sek_policy_list(p, 4)->id, 4);
    assert_string_equal(met_text(p, "www.evil.example"), "2:4 3:3");
    assert_string_equal(met_text(p, "www.other.example"), "1:1 2:4 3:3");
    assert_string_equal(met_text(p, "www.new.example"), "1:2 2:4 3:3");
    assert_string_equal(met_text(p, "a.never.example"), "2:4 3:3");
    assert_string_equal(met_text(p, "www.example.net"), "3:3");
    assert_string_equal(met_text(p, ""), "0:3");
    sek_policy_close(p);
}

static void test_delta_left_out(void **state)
{
    uint64_t base_id = write_base();
    struct sek_compile *c = compile_with_lists(1, 2);

    (void)state;
    add(c, "new.example", 1, 0);
    write_image(c, SEK_POLICY_DELTA, base_id + 1, 9);
    struct sek_policy *p = open_policy();
    assert_int_equal(sek_policy_generation(p), 3);
    assert_int_equal(sek_policy_n_names(p), 3);
    assert_string_equal(met_text(p, "new.example"), "1:2");
    sek_policy_close(p);
}

/* A new delta over the image that is in memory: its file is not looked into. */
static void test_open_over(void **state)
{
    uint64_t base_id = write_base();
    struct sek_compile *c = compile_with_lists(1, 2);
    struct sek_policy *first = open_policy(), *second, *third;
    struct sek_diag diag;

    (void)state;
    add(c, "added.example.net", 1, 0);
    write_image(c, SEK_POLICY_DELTA, base_id, 4);
    test_ok(sek_policy_open_over(first, test_folder, &second, &diag), &diag);
    assert_int_equal(sek_policy_generation(second), 4);
    assert_string_equal(met_text(second, "added.example.net"), "0:1");
    assert_string_equal(met_text(first, "added.example.net"), "");
    sek_policy_close(first);
    assert_string_equal(met_text(second, "www.evil.example"), "1:1 2:2");
    /* without a delta again */
    unlink(test_path(SEK_POLICY_DELTA));
    test_ok(sek_policy_open_over(second, test_folder, &third, &diag), &diag);
    assert_int_equal(sek_policy_generation(third), 3);
    sek_policy_close(second);
    assert_string_equal(met_text(third, "other.example"), "0:1 1:2");
    /* another image is there: it must be opened */
    c = compile_with_lists(1, 1);
    add(c, "evil.example", 1, 0);
    write_image(c, SEK_POLICY_IMAGE, 0, 5);
    assert_int_equal(sek_policy_open_over(third, test_folder, &second, &diag), SEK_E_BUSY);
    sek_policy_close(third);
}

static void test_refused(void **state)
{
    struct sek_policy *p = NULL;
    struct sek_diag diag;
    char far[600];

    (void)state;
    assert_int_equal(sek_policy_open(test_folder, &p, &diag), SEK_E_NOTFOUND);
    assert_non_null(strstr(diag.text, SEK_POLICY_IMAGE));
    memset(far, 'x', sizeof(far) - 1);
    far[sizeof(far) - 1] = '\0';
    assert_int_equal(sek_policy_open(far, &p, &diag), SEK_E_LIMIT);
    test_file_write(test_path(SEK_POLICY_IMAGE), "sekimg", 6);
    assert_int_equal(sek_policy_open(test_folder, &p, &diag), SEK_E_CORRUPT);

    uint64_t base_id = write_base();
    test_file_write(test_path(SEK_POLICY_DELTA), "sekimg", 6);
    assert_int_equal(sek_policy_open(test_folder, &p, &diag), SEK_E_CORRUPT);
    assert_non_null(strstr(diag.text, SEK_POLICY_DELTA));

    /* a delta cannot be the image */
    struct sek_compile *c = compile_with_lists(1, 2);
    take_away(c, "evil.example");
    write_image(c, SEK_POLICY_DELTA, base_id, 4);
    assert_int_equal(rename(test_path(SEK_POLICY_DELTA), test_path(SEK_POLICY_IMAGE)), 0);
    assert_int_equal(sek_policy_open(test_folder, &p, &diag), SEK_E_CORRUPT);
    assert_null(p);
}

static void test_next_expiry(void **state)
{
    static const struct {
        int64_t after_s, base, both;
    } cases[] = {
        {INT64_MIN, 100, 50}, {0, 100, 50},    {49, 100, 50},     {50, 100, 100},
        {99, 100, 100},       {100, 500, 300}, {300, 500, 500},   {499, 500, 500},
        {500, 0, 900},        {900, 0, 0},     {INT64_MAX, 0, 0},
    };
    uint64_t base_id = write_base();

    (void)state;
    for (int with_delta = 0; with_delta < 2; with_delta++) {
        struct sek_policy *p = open_policy();
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
            assert_int_equal(sek_policy_next_change(p, cases[i].after_s),
                             with_delta ? cases[i].both : cases[i].base);
        sek_policy_close(p);
        if (with_delta)
            break;
        struct sek_compile *c = compile_with_lists(1, 2);
        add(c, "a", 1, 50);
        add(c, "b", 1, 300);
        add(c, "c", 1, 900);
        write_image(c, SEK_POLICY_DELTA, base_id, 4);
    }
}

static void check_against(const struct sek_policy *p, const struct test_reference *base,
                          const struct test_reference *delta, const struct sek_name *name)
{
    struct sek_met met[SEK_LABELS_MAX + 1];
    struct sek_rule rules[32];
    struct sek_name above;
    unsigned n_met = sek_policy_lookup(p, name, met), at = 0, n;

    for (unsigned depth = 0; depth <= name->n_labels; depth++) {
        sek_name_parent(name, depth, &above);
        if (!test_reference_at(delta, &above, rules, &n))
            test_reference_at(base, &above, rules, &n);
        if (n == 0)
            continue;
        assert_true(at < n_met);
        assert_int_equal(met[at].depth, depth);
        assert_int_equal(met[at].n, n);
        assert_memory_equal(met[at].rules, rules, n * sizeof(*rules));
        at++;
    }
    assert_int_equal(at, n_met);
}

static void test_random_policies(void **state)
{
    static const struct {
        size_t base, delta;
    } sizes[] = {{0, 0}, {0, 5}, {5, 0}, {5, 5}, {50, 200}, {600, 1}, {300, 30}, {600, 600}};
    static struct test_reference base, delta;
    uint64_t random = test_seed();

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        uint64_t id = write_image(test_reference_fill(&base, sizes[i].base, false, &random),
                                  SEK_POLICY_IMAGE, 0, 1);
        write_image(test_reference_fill(&delta, sizes[i].delta, true, &random), SEK_POLICY_DELTA,
                    id, 2);
        struct sek_policy *p = open_policy();
        assert_int_equal(sek_policy_generation(p), 2);
        for (int k = 0; k < 400; k++) {
            struct sek_name name = test_reference_name(k % 2 ? &base : &delta, &random);
            check_against(p, &base, &delta, &name);
        }
        sek_policy_close(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_image_alone, clean),
        cmocka_unit_test_teardown(test_delta, clean),
        cmocka_unit_test_teardown(test_delta_left_out, clean),
        cmocka_unit_test_teardown(test_open_over, clean),
        cmocka_unit_test_teardown(test_refused, clean),
        cmocka_unit_test_teardown(test_next_expiry, clean),
        cmocka_unit_test_teardown(test_random_policies, clean),
    };
    return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
