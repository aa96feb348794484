/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/compile.h"
#include "policy_fixture.h"
#include <sys/stat.h>

/* Linked with --wrap: the allocation after `n_left` more fails; < 0: none does. */
static long n_left = -1;
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

static bool fails(void)
{
    return n_left >= 0 && n_left-- == 0;
}
void *__wrap_malloc(size_t n)
{
    return fails() ? NULL : __real_malloc(n);
}
void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}
void *__wrap_realloc(void *p, size_t n)
{
    return fails() ? NULL : __real_realloc(p, n);
}

static struct sek_compile *compile_with_lists(unsigned n_lists)
{
    struct sek_compile *c;
    struct sek_diag diag;

    test_ok(sek_compile_new(0, &c, &diag), &diag);
    for (unsigned id = n_lists; id > 0; id--) {
        struct sek_list list = test_list((uint16_t)id);
        test_ok(sek_compile_list(c, &list, &diag), &diag);
    }
    return c;
}

static enum sek_err add(struct sek_compile *c, const char *text, struct sek_rule rule)
{
    struct sek_name name = test_name(text);

    return sek_compile_rule(c, name.octets, name.len, &rule, NULL);
}

static struct sek_image *write_and_open(struct sek_compile *c, uint64_t base_id)
{
    struct sek_image *image;
    struct sek_image_info info = {.base_id = base_id, .generation = 7, .made_s = 1000};
    struct sek_diag diag;
    const char *path = test_path("other.img");

    test_ok(sek_compile_write(c, path, &info, NULL, NULL, &diag), &diag);
    test_ok(sek_image_open(path, true, &image, &diag), &diag);
    return image;
}

static unsigned look_up(const struct sek_image *image, const char *text, struct sek_met *out)
{
    struct sek_name name = test_name(text);
    struct sek_trail trail;

    sek_image_trail(image, &name, &trail);
    return sek_image_lookup(image, &name, &trail, out);
}

static void test_lists(void **state)
{
    static const struct {
        const char *label, *name;
        uint16_t id;
        uint8_t mode, action;
        enum sek_err expected;
    } cases[] = {
        {"plain", "a", 1, SEK_MODE_OFF, SEK_ACTION_DEFAULT, SEK_OK},
        {"same id", "b", 1, SEK_MODE_OFF, SEK_ACTION_DEFAULT, SEK_E_EXISTS},
        {"largest id", "0-a.b_c", 65535, SEK_MODE_BLOCK, SEK_ACTION_DROP, SEK_OK},
        {"longest name", "123456789012345678901234567890123456789012345678901234567890123", 9,
         SEK_MODE_MONITOR, SEK_ACTION_LOG, SEK_OK},
        {"no terminator", "1234567890123456789012345678901234567890123456789012345678901234", 10,
         SEK_MODE_MONITOR, SEK_ACTION_LOG, SEK_E_INVALID},
        {"id 0", "c", 0, SEK_MODE_OFF, SEK_ACTION_LOG, SEK_E_INVALID},
        {"no name", "", 2, SEK_MODE_OFF, SEK_ACTION_LOG, SEK_E_INVALID},
        {"upper case", "A", 2, SEK_MODE_OFF, SEK_ACTION_LOG, SEK_E_INVALID},
        {"dot first", ".a", 2, SEK_MODE_OFF, SEK_ACTION_LOG, SEK_E_INVALID},
        {"control", "a\nb", 2, SEK_MODE_OFF, SEK_ACTION_LOG, SEK_E_INVALID},
        {"not ASCII", "\303\274", 2, SEK_MODE_OFF, SEK_ACTION_LOG, SEK_E_INVALID},
        {"mode", "c", 2, SEK_MODE_BLOCK + 1, SEK_ACTION_LOG, SEK_E_INVALID},
        {"action", "c", 2, SEK_MODE_OFF, SEK_ACTION_MAX + 1, SEK_E_INVALID},
    };
    struct sek_compile *c = compile_with_lists(0);
    const struct sek_list *lists;
    unsigned n;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct sek_list list = {.id = cases[i].id,
                                .mode = cases[i].mode,
                                .action = cases[i].action,
                                .priority = -1 - (int)i,
                                .ede = 17,
                                .n_entries = 1234};
        memcpy(list.name, cases[i].name,
               strlen(cases[i].name) + (strlen(cases[i].name) < SEK_LIST_NAME_MAX));
        enum sek_err err = sek_compile_list(c, &list, NULL);
        if (err != cases[i].expected)
            fail_msg("%s: %d", cases[i].label, err);
    }
    struct sek_image *image = write_and_open(c, 0);
    lists = sek_image_lists(image, &n);
    assert_int_equal(n, 3);
    assert_int_equal(lists[0].id, 1);
    assert_int_equal(lists[1].id, 9);
    assert_int_equal(lists[2].id, 65535);
    assert_string_equal(lists[2].name, "0-a.b_c");
    assert_int_equal(lists[2].priority, -3);
    assert_int_equal(lists[2].ede, 17);
    assert_int_equal(lists[2].n_entries, 1234);
    sek_image_close(image);
    sek_compile_free(c);

    c = compile_with_lists(SEK_LISTS_MAX);
    struct sek_list list = test_list(SEK_LISTS_MAX + 1);
    assert_int_equal(sek_compile_list(c, &list, NULL), SEK_E_LIMIT);
    image = write_and_open(c, 0);
    sek_image_lists(image, &n);
    assert_int_equal(n, SEK_LISTS_MAX);
    sek_image_close(image);
    sek_compile_free(c);
}

static void test_rules_refused(void **state)
{
    static const struct {
        const char *label;
        struct sek_rule rule;
        enum sek_err expected;
    } cases[] = {
        {"sound", {.list = 1, .scope = SEK_SCOPE_BELOW, .action = SEK_ACTION_DROP}, SEK_OK},
        {"far expiry", {.list = 1, .scope = SEK_SCOPE_EXACT, .expires_s = INT64_MAX}, SEK_OK},
        {"no scope", {.list = 1}, SEK_E_INVALID},
        {"scope", {.list = 1, .scope = SEK_SCOPE_BELOW + 1}, SEK_E_INVALID},
        {"action",
         {.list = 1, .scope = SEK_SCOPE_EXACT, .action = SEK_ACTION_MAX + 1},
         SEK_E_INVALID},
        {"expiry", {.list = 1, .scope = SEK_SCOPE_EXACT, .expires_s = -1}, SEK_E_INVALID},
        {"list not added", {.list = 2, .scope = SEK_SCOPE_EXACT}, SEK_E_NOTFOUND},
        {"list 0", {.list = 0, .scope = SEK_SCOPE_EXACT}, SEK_E_NOTFOUND},
    };
    struct sek_compile *c = compile_with_lists(1);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        enum sek_err err = add(c, "a.example", cases[i].rule);
        if (err != cases[i].expected)
            fail_msg("%s: %d", cases[i].label, err);
    }
    struct sek_image *image = write_and_open(c, 0);
    struct sek_image_info info;
    sek_image_info(image, &info);
    assert_int_equal(info.n_names, 1);
    assert_int_equal(info.n_rules, 2);
    sek_image_close(image);
    sek_compile_free(c);
}

static void test_names_refused(void **state)
{
    static const struct {
        const char *label;
        const char *octets;
        size_t n;
        enum sek_err expected;
    } cases[] = {
        {"root", "", 1, SEK_OK},
        {"no octets", "", 0, SEK_E_NAME},
        {"cut short", "\3com", 4, SEK_E_NAME},
        {"octets behind the root", "\1a\0x", 4, SEK_E_NAME},
        {"pointer", "\300\0", 2, SEK_E_NAME},
        {"label of 64", "\100", 66, SEK_E_NAME},
    };
    struct sek_compile *c = compile_with_lists(1);
    struct sek_rule rule = {.list = 1, .scope = SEK_SCOPE_EXACT};
    uint8_t octets[300] = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        memset(octets, 0, sizeof(octets));
        memcpy(octets, cases[i].octets, cases[i].n < 5 ? cases[i].n : 1);
        enum sek_err err = sek_compile_rule(c, octets, cases[i].n, &rule, NULL);
        if (err != cases[i].expected)
            fail_msg("%s: %d", cases[i].label, err);
        assert_int_equal(sek_compile_removed(c, octets, cases[i].n, NULL), cases[i].expected);
    }
    /* 256 octets */
    for (size_t i = 0; i < 254; i += 2)
        octets[i] = 1, octets[i + 1] = 'a';
    octets[254] = 1, octets[255] = 0;
    assert_int_equal(sek_compile_rule(c, octets, 257, &rule, NULL), SEK_E_NAME);
    sek_compile_free(c);
}

#define R(l, s, a, e)                                                                              \
    {                                                                                              \
        .list = (l), .scope = (s), .action = (a), .expires_s = (e)                                 \
    }

/* What several rules at one name come to. */
static void test_merging(void **state)
{
    static const struct {
        const char *label;
        unsigned n_in, n_out;
        struct sek_rule in[4], out[4];
    } cases[] = {
        {"never is the latest", 2, 1, {R(1, 1, 0, 50), R(1, 1, 0, 0)}, {R(1, 1, 0, 0)}},
        {"also when it came first", 2, 1, {R(1, 1, 0, 0), R(1, 1, 0, 50)}, {R(1, 1, 0, 0)}},
        {"later expiry", 3, 1, {R(1, 1, 0, 5), R(1, 1, 0, 9), R(1, 1, 0, 7)}, {R(1, 1, 0, 9)}},
        {"last action", 2, 1, {R(1, 1, 3, 9), R(1, 1, 4, 5)}, {R(1, 1, 4, 9)}},
        {"the very same", 2, 1, {R(1, 2, 3, 9), R(1, 2, 3, 9)}, {R(1, 2, 3, 9)}},
        {"scopes apart", 2, 2, {R(1, 2, 0, 0), R(1, 1, 0, 0)}, {R(1, 1, 0, 0), R(1, 2, 0, 0)}},
        {"lists apart", 2, 2, {R(2, 1, 0, 0), R(1, 3, 0, 0)}, {R(1, 3, 0, 0), R(2, 1, 0, 0)}},
        {"mixed",
         4,
         2,
         {R(2, 1, 3, 0), R(1, 1, 0, 4), R(2, 1, 5, 8), R(1, 1, 2, 3)},
         {R(1, 1, 2, 4), R(2, 1, 5, 0)}},
    };
    struct sek_met met[SEK_LABELS_MAX + 1];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct sek_compile *c = compile_with_lists(2);
        for (unsigned k = 0; k < cases[i].n_in; k++) {
            /* other names in between, and the name in other case */
            assert_int_equal(add(c, k % 2 ? "A.Example" : "a.example", cases[i].in[k]), SEK_OK);
            assert_int_equal(add(c, "b.example", cases[i].in[k]), SEK_OK);
        }
        struct sek_image *image = write_and_open(c, 0);
        if (look_up(image, "a.example", met) != 1 || met[0].n != cases[i].n_out ||
            memcmp(met[0].rules, cases[i].out, met[0].n * sizeof(*met[0].rules)) != 0)
            fail_msg("%s", cases[i].label);
        sek_image_close(image);
        sek_compile_free(c);
    }
}

static void test_removed(void **state)
{
    struct sek_compile *c = compile_with_lists(1);
    struct sek_name a = test_name("a.example"), b = test_name("b.example");
    struct sek_met met[SEK_LABELS_MAX + 1];
    struct sek_image_info info = {0};

    (void)state;
    assert_int_equal(sek_compile_removed(c, a.octets, a.len, NULL), SEK_OK);
    assert_int_equal(sek_compile_removed(c, a.octets, a.len, NULL), SEK_OK);
    assert_int_equal(add(c, "b.example", (struct sek_rule)R(1, 1, 0, 0)), SEK_OK);
    assert_int_equal(sek_compile_removed(c, b.octets, b.len, NULL), SEK_OK);
    assert_int_equal(sek_compile_write(c, test_path("x.img"), &info, NULL, NULL, NULL),
                     SEK_E_INVALID);
    struct sek_image *image = write_and_open(c, 42);
    sek_image_info(image, &info);
    assert_int_equal(info.base_id, 42);
    assert_int_equal(info.n_names, 2);
    assert_int_equal(look_up(image, "a.example", met), 1);
    assert_int_equal(met[0].n, 0);
    assert_int_equal(look_up(image, "b.example", met), 1);
    assert_int_equal(met[0].n, 1);
    sek_image_close(image);
    sek_compile_free(c);
}

static void test_expiries(void **state)
{
    struct sek_compile *c = compile_with_lists(1);
    unsigned n;

    (void)state;
    assert_int_equal(add(c, "a", (struct sek_rule)R(1, 1, 0, 30)), SEK_OK);
    assert_int_equal(add(c, "b", (struct sek_rule)R(1, 1, 0, 10)), SEK_OK);
    assert_int_equal(add(c, "c", (struct sek_rule)R(1, 2, 0, 30)), SEK_OK);
    assert_int_equal(add(c, "d", (struct sek_rule)R(1, 1, 0, 0)), SEK_OK);
    assert_int_equal(add(c, "e", (struct sek_rule)R(1, 1, 0, 20)), SEK_OK);
    assert_int_equal(add(c, "e", (struct sek_rule)R(1, 1, 0, 40)), SEK_OK);
    struct sek_image *image = write_and_open(c, 0);
    const int64_t *times = sek_image_expiries(image, &n);
    assert_int_equal(n, 3);
    assert_int_equal(times[0], 10);
    assert_int_equal(times[1], 30);
    assert_int_equal(times[2], 40);
    sek_image_close(image);
    sek_compile_free(c);
}

/* More rule sets than the head octet of an entry tells apart, and names longer than it tells. */
static void test_many_sets(void **state)
{
    enum { N = 300 };
    struct sek_compile *c = compile_with_lists(1);
    struct sek_met met[SEK_LABELS_MAX + 1];
    char text[256];

    (void)state;
    for (int i = 0; i < N; i++) {
        snprintf(text, sizeof(text), "%0*d.example", 1 + i % 60, i);
        assert_int_equal(add(c, text, (struct sek_rule)R(1, 2, 0, 1 + i)), SEK_OK);
    }
    struct sek_image *image = write_and_open(c, 0);
    for (int i = 0; i < N; i++) {
        snprintf(text, sizeof(text), "%0*d.example", 1 + i % 60, i);
        assert_int_equal(look_up(image, text, met), 1);
        assert_int_equal(met[0].rules->expires_s, 1 + i);
    }
    sek_image_close(image);
    sek_compile_free(c);
}

static void test_limit(void **state)
{
    struct sek_compile *c;
    struct sek_list list = test_list(1);
    struct sek_met met[SEK_LABELS_MAX + 1];
    struct sek_diag diag;
    char text[32];
    int n = 0;
    enum sek_err err;

    (void)state;
    test_ok(sek_compile_new(10000, &c, &diag), &diag);
    test_ok(sek_compile_list(c, &list, &diag), &diag);
    do
        snprintf(text, sizeof(text), "n%d.example", n++);
    while ((err = add(c, text, (struct sek_rule)R(1, 1, 0, 0))) == SEK_OK && n < 10000);
    assert_int_equal(err, SEK_E_LIMIT);
    assert_in_range(n, 50, 100);
    /* those before are all there, that one is not */
    struct sek_image *image = write_and_open(c, 0);
    for (int i = 0; i < n; i++) {
        snprintf(text, sizeof(text), "n%d.example", i);
        assert_int_equal(look_up(image, text, met), i < n - 1);
    }
    sek_image_close(image);
    sek_compile_free(c);
}

struct progress {
    unsigned last, calls;
};

static void progressed(void *arg, unsigned permille)
{
    struct progress *p = arg;

    assert_true(permille > p->last);
    p->last = permille;
    p->calls++;
}

static void test_write(void **state)
{
    struct sek_compile *c = compile_with_lists(2);
    struct sek_image_info info = {.generation = 5, .made_s = 1234, .n_names = 99}, first, told;
    struct progress progress = {0};
    struct sek_image *image;
    struct stat st;
    char text[32];

    (void)state;
    for (int i = 0; i < 2000; i++) {
        snprintf(text, sizeof(text), "n%d.example", i);
        assert_int_equal(add(c, text, (struct sek_rule)R(1, 1, 0, 0)), SEK_OK);
        assert_int_equal(add(c, text, (struct sek_rule)R(2, 1, 0, 0)), SEK_OK);
    }
    const char *path = test_path("other.img");
    assert_int_equal(sek_compile_write(c, path, &info, progressed, &progress, NULL), SEK_OK);
    assert_int_equal(progress.last, 1000);
    assert_in_range(progress.calls, 10, 1000);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    assert_int_equal(info.size_octets, st.st_size);
    assert_int_equal(info.n_names, 2000);
    assert_int_equal(info.n_rules, 4000);
    assert_int_equal(info.n_lists, 2);
    assert_true(info.id != 0);
    assert_int_equal(sek_image_open(path, true, &image, NULL), SEK_OK);
    sek_image_info(image, &told);
    assert_int_equal(told.id, info.id);
    assert_int_equal(told.base_id, 0);
    assert_int_equal(told.generation, 5);
    assert_int_equal(told.made_s, 1234);
    assert_int_equal(told.n_names, info.n_names);
    assert_int_equal(told.n_rules, info.n_rules);
    assert_int_equal(told.n_lists, info.n_lists);
    assert_int_equal(told.size_octets, info.size_octets);
    sek_image_close(image);

    /* a second write of the same is another image */
    first = info;
    assert_int_equal(sek_compile_write(c, path, &info, NULL, NULL, NULL), SEK_OK);
    assert_int_equal(info.n_names, 2000);
    assert_true(info.id != first.id);
    sek_compile_free(c);
}

static void test_write_fails(void **state)
{
    struct sek_compile *c = compile_with_lists(1);
    struct sek_image_info info = {.generation = 5};
    struct sek_diag diag;

    (void)state;
    assert_int_equal(add(c, "a", (struct sek_rule)R(1, 1, 0, 0)), SEK_OK);
    assert_int_equal(sek_compile_write(c, "/nonexistent/x.img", &info, NULL, NULL, &diag),
                     SEK_E_NOTFOUND);
    assert_non_null(strstr(diag.text, "/nonexistent/x.img"));
    assert_int_equal(info.id, 0); /* untouched */
    assert_int_equal(info.n_names, 0);
    sek_compile_free(c);
    sek_compile_free(NULL);
}

/* Each allocation fails once: an error and no leak, and the file stays what it was. */
static void test_no_memory(void **state)
{
    const char *path = test_path("other.img");
    size_t n_before, n_after;

    (void)state;
    test_file_write(path, "before", 6);
    for (long fail_at = 0;; fail_at++) {
        struct sek_compile *c = NULL;
        struct sek_image_info info = {.base_id = 1};
        struct sek_list list = test_list(1);
        struct sek_name removed = test_name("gone.example");
        struct sek_diag diag = {.code = SEK_OK};
        n_left = fail_at;
        enum sek_err err = sek_compile_new(0, &c, &diag);
        if (err == SEK_OK)
            err = sek_compile_list(c, &list, &diag);
        for (int i = 0; err == SEK_OK && i < 40; i++) {
            char text[32];
            snprintf(text, sizeof(text), "n%d.example", i);
            struct sek_name name = test_name(text);
            err = sek_compile_rule(c, name.octets, name.len, &(struct sek_rule)R(1, 1, 0, 1 + i),
                                   &diag);
        }
        if (err == SEK_OK)
            err = sek_compile_removed(c, removed.octets, removed.len, &diag);
        if (err == SEK_OK)
            err = sek_compile_write(c, path, &info, NULL, NULL, &diag);
        bool all_went_well = n_left >= 0;
        n_left = -1;
        sek_compile_free(c);
        if (all_went_well) {
            assert_int_equal(err, SEK_OK);
            assert_in_range(fail_at, 15, 200);
            break;
        }
        assert_int_equal(err, SEK_E_NOMEM);
        assert_int_equal(diag.code, SEK_E_NOMEM);
        uint8_t *data = test_file_read(path, &n_before);
        assert_int_equal(n_before, 6);
        free(data);
    }
    for (long fail_at = 0;; fail_at++) {
        struct sek_image *image = NULL;
        n_left = fail_at;
        enum sek_err err = sek_image_open(path, true, &image, NULL);
        bool all_went_well = n_left >= 0;
        n_left = -1;
        sek_image_close(image);
        if (all_went_well) {
            assert_int_equal(err, SEK_OK);
            break;
        }
        assert_int_equal(err, SEK_E_NOMEM);
    }
    uint8_t *data = test_file_read(path, &n_after);
    assert_true(n_after > 6);
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),         cmocka_unit_test(test_rules_refused),
        cmocka_unit_test(test_names_refused), cmocka_unit_test(test_merging),
        cmocka_unit_test(test_removed),       cmocka_unit_test(test_expiries),
        cmocka_unit_test(test_many_sets),     cmocka_unit_test(test_limit),
        cmocka_unit_test(test_write),         cmocka_unit_test(test_write_fails),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
