/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/image.h"
#include "policy/image_format.h"
#include "policy_fixture.h"
#include <sys/stat.h>
#include <unistd.h>

static struct sek_image *write_and_open(struct sek_compile *c)
{
    struct sek_image *image;
    struct sek_image_info info = {.generation = 1};
    struct sek_diag diag;

    test_ok(sek_compile_write(c, test_path("other.img"), &info, NULL, NULL, &diag), &diag);
    sek_compile_free(c);
    test_ok(sek_image_open(test_path("other.img"), true, &image, &diag), &diag);
    return image;
}

static unsigned look_up(const struct sek_image *image, const struct sek_name *name,
                        struct sek_met *out)
{
    struct sek_trail trail;

    sek_image_trail(image, name, &trail);
    return sek_image_lookup(image, name, &trail, out);
}

/* An image of these names, one exact rule each. */
static struct sek_image *image_of(const struct sek_name *names, size_t n)
{
    struct sek_compile *c;
    struct sek_diag diag;
    struct sek_list list = test_list(1);
    struct sek_rule rule = {.list = 1, .scope = SEK_SCOPE_EXACT};

    test_ok(sek_compile_new(0, &c, &diag), &diag);
    test_ok(sek_compile_list(c, &list, &diag), &diag);
    for (size_t i = 0; i < n; i++)
        test_ok(sek_compile_rule(c, names[i].octets, names[i].len, &rule, &diag), &diag);
    return write_and_open(c);
}

static void test_edges(void **state)
{
    static const uint8_t dot[] = {5, 'a', '.', 'b', '.', 'c', 0}, nul[] = {1, 0, 0};
    struct sek_name listed[9];
    struct sek_met met[SEK_LABELS_MAX + 1];

    (void)state;
    listed[0] = test_name("");
    listed[1] = test_name("com");
    listed[2] = test_name("evil.com");
    listed[3] = test_name_longest('x');
    listed[4] = test_name_longest('x');
    sek_name_parent(&listed[3], 1, &listed[4]);
    test_name_wire(dot, sizeof(dot), &listed[5]);
    test_name_wire(nul, sizeof(nul), &listed[6]);
    listed[7] = test_name_of_labels(SEK_LABELS_MAX, 'q');
    listed[8] = test_name_of_labels(64, 'q');
    struct sek_image *image = image_of(listed, 9);
    const struct {
        const char *label;
        struct sek_name name;
        unsigned n, depth[4];
    } cases[] = {
        {"root", listed[0], 1, {0}},
        {"top", listed[1], 2, {0, 1}},
        {"two labels", listed[2], 3, {0, 1, 2}},
        {"not at a label's edge", test_name("notevil.com"), 2, {1, 2}},
        {"below", test_name("a.b.evil.com"), 3, {2, 3, 4}},
        {"other top", test_name("net"), 1, {1}},
        {"255 octets", listed[3], 3, {0, 1, 4}},
        {"254 octets", test_name_longest('y'), 1, {4}},
        {"dot in a label", listed[5], 2, {0, 1}},
        {"dots between labels", test_name("a.b.c"), 1, {3}},
        {"NUL", listed[6], 2, {0, 1}},
        {"127 labels", listed[7], 3, {0, 63, 127}},
        {"126 labels", test_name_of_labels(126, 'q'), 2, {62, 126}},
        {"63 labels", test_name_of_labels(63, 'q'), 1, {63}},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        unsigned n = look_up(image, &cases[i].name, met);
        if (n != cases[i].n)
            fail_msg("%s: %u met", cases[i].label, n);
        for (unsigned k = 0; k < n; k++)
            if (met[k].depth != cases[i].depth[k] || met[k].n != 1 || met[k].rules->list != 1)
                fail_msg("%s: met %u at %u", cases[i].label, k, met[k].depth);
    }
    sek_image_close(image);
    sek_image_close(NULL);
}

static void test_every_octet(void **state)
{
    struct sek_name names[256];
    struct sek_met met[SEK_LABELS_MAX + 1];

    (void)state;
    for (unsigned octet = 0; octet < 256; octet++) {
        names[octet] = test_name("example");
        test_name_prepend(&names[octet], 1, (uint8_t)octet);
    }
    struct sek_image *image = image_of(names, 128);
    for (unsigned octet = 0; octet < 256; octet++)
        assert_int_equal(look_up(image, &names[octet], met), octet < 128);
    sek_image_close(image);
    image = image_of(names + 128, 128);
    for (unsigned octet = 0; octet < 256; octet++)
        assert_int_equal(look_up(image, &names[octet], met), octet >= 128);
    sek_image_close(image);
}

static void test_no_names(void **state)
{
    struct sek_image *image = image_of(NULL, 0);
    struct sek_name root = test_name(""), name = test_name("a.example");
    struct sek_met met[SEK_LABELS_MAX + 1];
    unsigned n;

    (void)state;
    assert_int_equal(look_up(image, &root, met), 0);
    assert_int_equal(look_up(image, &name, met), 0);
    sek_image_expiries(image, &n);
    assert_int_equal(n, 0);
    sek_image_close(image);
}

static void check_against(const struct sek_image *image, const struct test_reference *ref,
                          const struct sek_name *name)
{
    struct sek_met met[SEK_LABELS_MAX + 1];
    struct sek_rule rules[32];
    struct sek_name above;
    unsigned n_met = look_up(image, name, met), at = 0, n;

    for (unsigned depth = 0; depth <= name->n_labels; depth++) {
        sek_name_parent(name, depth, &above);
        if (!test_reference_at(ref, &above, rules, &n))
            continue;
        assert_true(at < n_met);
        assert_int_equal(met[at].depth, depth);
        assert_int_equal(met[at].n, n);
        assert_memory_equal(met[at].rules, rules, n * sizeof(*rules));
        at++;
    }
    assert_int_equal(at, n_met);
}

struct seen {
    const struct test_reference *ref;
    const struct sek_image *image;
    size_t n, stop_at;
};

static bool see(void *arg, const struct sek_name *name, const struct sek_rule *rules, unsigned n)
{
    struct seen *seen = arg;
    struct sek_rule expected[32];
    unsigned n_expected;

    assert_true(test_reference_at(seen->ref, name, expected, &n_expected));
    assert_int_equal(n, n_expected);
    assert_memory_equal(rules, expected, n * sizeof(*rules));
    return ++seen->n != seen->stop_at;
}

static void test_random_names(void **state)
{
    static const size_t sizes[] = {1, 2, 3, 10, 100, 600};
    static struct test_reference ref;
    uint64_t random = test_seed();

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        struct sek_image *image =
            write_and_open(test_reference_fill(&ref, sizes[i], false, &random));
        struct sek_image_info info;
        for (int k = 0; k < 400; k++) {
            struct sek_name name = test_reference_name(&ref, &random);
            check_against(image, &ref, &name);
        }
        sek_image_info(image, &info);
        struct seen seen = {.ref = &ref, .image = image};
        assert_true(sek_image_each(image, see, &seen));
        assert_int_equal(seen.n, info.n_names);
        seen = (struct seen){.ref = &ref, .image = image, .stop_at = 1};
        assert_false(sek_image_each(image, see, &seen));
        assert_int_equal(seen.n, 1);
        sek_image_close(image);
    }
}

/* Names that nobody's line has room for: every length, so that some stand elsewhere. */
static void test_long_names(void **state)
{
    enum { N = 4 * SEK_LABEL_MAX };
    static struct sek_name names[N];
    struct sek_met met[SEK_LABELS_MAX + 1];
    size_t n = 0;

    (void)state;
    for (uint8_t octet = 'w'; octet <= 'z'; octet++)
        for (unsigned len = 1; len <= SEK_LABEL_MAX; len++) {
            names[n] = test_name("0123456789-abcdefghijklmnopqrstuv.0123456789.example");
            test_name_prepend(&names[n++], len, octet);
        }
    struct sek_image *image = image_of(names, N);
    for (size_t i = 0; i < N; i++) {
        struct sek_name other = names[i];
        assert_int_equal(look_up(image, &names[i], met), 1);
        other.octets[1] = 'a';
        if (look_up(image, &other, met) != 0)
            fail_msg("%zu", i);
    }
    sek_image_close(image);
}

/* More names than any line or word holds; no name but those is found. */
static void test_many_names(void **state)
{
    enum { N = 40000 };
    static struct sek_name names[N];
    struct sek_met met[SEK_LABELS_MAX + 1];
    char text[64];
    size_t n_passed = 0;

    (void)state;
    for (unsigned i = 0; i < N; i++) {
        snprintf(text, sizeof(text), "host%u.example", i);
        names[i] = test_name(text);
    }
    struct sek_image *image = image_of(names, N);
    struct sek_image_info info;
    sek_image_info(image, &info);
    assert_int_equal(info.n_names, N);
    assert_true(info.size_octets < N * 16);
    for (unsigned i = 0; i < N; i++)
        assert_int_equal(look_up(image, &names[i], met), 1);
    for (unsigned i = 0; i < N; i++) {
        snprintf(text, sizeof(text), "host%u.exampel", i);
        struct sek_name other = test_name(text);
        n_passed += look_up(image, &other, met);
    }
    assert_int_equal(n_passed, 0);
    sek_image_close(image);
}

/* The delta's trail is the base's: same seed. */
static void test_shared_trail(void **state)
{
    struct sek_name name = test_name("a.example");
    struct sek_trail of_base, of_delta;
    struct sek_image *base = image_of(&name, 1), *delta;
    struct sek_image_info info, delta_info = {0};
    struct sek_compile *c;

    (void)state;
    sek_image_info(base, &info);
    delta_info.base_id = info.id;
    assert_int_equal(sek_compile_new(0, &c, NULL), SEK_OK);
    assert_int_equal(sek_compile_removed(c, name.octets, name.len, NULL), SEK_OK);
    const char *path = test_path("other.img");
    assert_int_equal(sek_compile_write(c, path, &delta_info, NULL, NULL, NULL), SEK_OK);
    sek_compile_free(c);
    assert_int_equal(sek_image_open(path, true, &delta, NULL), SEK_OK);
    sek_image_trail(base, &name, &of_base);
    sek_image_trail(delta, &name, &of_delta);
    assert_memory_equal(&of_base, &of_delta, (name.n_labels + 1U) * sizeof(of_base.hash[0]));
    sek_image_close(delta);
    /* the old image is still mapped, though its file was replaced */
    struct sek_met met[SEK_LABELS_MAX + 1];
    assert_int_equal(look_up(base, &name, met), 1);
    assert_int_equal(met[0].n, 1);
    sek_image_close(base);
}

static void test_open_refuses(void **state)
{
    struct sek_image *image = NULL;
    struct sek_diag diag;
    const char *path = test_path("other.img");
    char zeros[4096] = {0};

    (void)state;
    assert_int_equal(sek_image_open(test_path("none"), true, &image, &diag), SEK_E_NOTFOUND);
    assert_non_null(strstr(diag.text, "none"));
    assert_int_equal(sek_image_open(test_folder, true, &image, NULL), SEK_E_INVALID);
    test_file_write(path, "", 0);
    assert_int_equal(sek_image_open(path, false, &image, NULL), SEK_E_CORRUPT);
    test_file_write(path, zeros, sizeof(zeros));
    assert_int_equal(sek_image_open(path, false, &image, &diag), SEK_E_CORRUPT);
    assert_non_null(strstr(diag.text, "other.img"));
    assert_null(image);
}

/* A small image with some of everything, as octets. */
static uint8_t *sample(size_t *out_n)
{
    static struct test_reference ref;
    uint64_t random = 4;

    sek_image_close(write_and_open(test_reference_fill(&ref, 40, false, &random)));
    return test_file_read(test_path("other.img"), out_n);
}

static bool see_any(void *arg, const struct sek_name *name, const struct sek_rule *rules,
                    unsigned n)
{
    volatile uint64_t *sum = arg;

    assert_in_range(name->len, 1, SEK_NAME_MAX);
    *sum += name->len;
    for (unsigned i = 0; i < n; i++)
        *sum += (uint64_t)rules[i].expires_s;
    return true;
}

/* Use an image that nobody verified in every way there is; nothing but crashing is wrong. */
static void use(const struct sek_image *image)
{
    static const char *const texts[] = {"", "com", "a.com", "www.example.com", "a.b.aa.ads.net"};
    struct sek_met met[SEK_LABELS_MAX + 1];
    volatile uint64_t sum = 0;
    unsigned n;

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        struct sek_name name = test_name(texts[i]);
        unsigned n_met = look_up(image, &name, met);
        for (unsigned k = 0; k < n_met; k++)
            for (unsigned j = 0; j < met[k].n; j++)
                sum += (uint64_t)met[k].rules[j].expires_s;
    }
    sek_image_each(image, see_any, (void *)&sum);
    const int64_t *times = sek_image_expiries(image, &n);
    for (unsigned i = 0; i < n; i++)
        sum += (uint64_t)times[i];
    const struct sek_list *lists = sek_image_lists(image, &n);
    for (unsigned i = 0; i < n; i++)
        sum += strlen(lists[i].name);
}

/* The file is as sound to who only surveys it, and tells the same. */
static void check_survey(const char *path, enum sek_err expected, const struct sek_image *image)
{
    struct sek_image_info info = {0}, opened;
    struct sek_diag diag = {0};
    struct sek_buf patterns;

    sek_buf_init(&patterns, 0);
    enum sek_err err = sek_image_survey(path, &info, &patterns, &diag);
    if (err != expected || (err != SEK_OK && !strstr(diag.text, path)))
        fail_msg("survey: %d, %s", err, diag.text);
    if (image) {
        sek_image_info(image, &opened);
        assert_int_equal(info.id, opened.id);
        assert_int_equal(info.generation, opened.generation);
        assert_int_equal(info.n_names, opened.n_names);
        assert_int_equal(info.size_octets, opened.size_octets);
    }
    sek_buf_fini(&patterns);
}

static void check_refused(const uint8_t *data, size_t n, const char *what, size_t at)
{
    struct sek_image *image = NULL;
    const char *path = test_path("other.img");

    test_file_write(path, data, n);
    enum sek_err err = sek_image_open(path, true, &image, NULL);
    if (err != SEK_E_CORRUPT && err != SEK_E_VERSION)
        fail_msg("%s %zu: %d", what, at, err);
    if (at % 8 == 0)
        check_survey(path, err, NULL);
    if (sek_image_open(path, false, &image, NULL) == SEK_OK) {
        use(image);
        sek_image_close(image);
    }
}

static void test_truncated(void **state)
{
    size_t n;
    uint8_t *data = sample(&n);

    (void)state;
    for (size_t k = 0; k < n; k++)
        check_refused(data, k, "cut to", k);
    free(data);
}

static void test_flipped(void **state)
{
    size_t n;
    uint8_t *data = sample(&n);
    static const uint8_t flips[] = {0x01, 0x80, 0xff};

    (void)state;
    for (size_t at = 0; at < n; at++)
        for (size_t i = 0; i < sizeof(flips); i++) {
            data[at] ^= flips[i];
            check_refused(data, n, "octet changed at", at);
            data[at] ^= flips[i];
        }
    free(data);
}

/* The only entry says that it is longer than there are octets, or ends in the middle of its head;
 * or its line says that it is longer than a line. */
static void test_entry_overrun(void **state)
{
    static const struct {
        const char *label;
        uint8_t octets[8];
        unsigned n;
    } cases[] = {
        {"65535 octets", {0x1f, 0xff, 0xff}, 3},
        {"no octets", {0x00}, 1},
        {"length cut off", {0x1f, 0x01}, 2},
        {"rule set cut off", {0xe1, 0x01, 0x01}, 3},
        {"name cut off", {0x03, 0x01, 0x80}, 3},
        {"name missing", {0x01}, 1},
        {"name missing behind a rule set", {0xe1, 0, 0, 0, 0}, 5},
        {"place of a name apart cut off", {0x1f, 57, 0x80, 0, 0, 0}, 6},
        {"no such name apart", {0x1f, 57, 0x80, 0, 0, 0, 0}, 7},
        {"a name apart beyond all", {0x1f, 57, 0x80, 0xff, 0xff, 0xff, 0xff}, 7},
        {"a line longer than it is", {0x01, 0x80}, 64}, /* is taken for empty */
    };
    size_t n;
    uint8_t *data = sample(&n);
    struct sek_image_head *head = (struct sek_image_head *)(void *)data;
    uint64_t at[SEK__N_SECTIONS + 1];

    (void)state;
    head->n_buckets = 1;
    head->n_entries = SEK_IMAGE_LINE;
    sek__image_layout(head, at);
    head->size = at[SEK__N_SECTIONS];
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct sek_image *image;
        volatile uint64_t sum = 0;
        uint8_t *line = data + at[SEK__ENTRIES];
        memset(line, 0x80, SEK_IMAGE_LINE); /* what follows would be a root */
        line[0] = (uint8_t)cases[i].n;
        memcpy(line + 1, cases[i].octets, sizeof(cases[i].octets));
        test_file_write(test_path("other.img"), data, head->size);
        assert_int_equal(sek_image_open(test_path("other.img"), false, &image, NULL), SEK_OK);
        use(image);
        if (sek_image_each(image, see_any, (void *)&sum) != (cases[i].n >= SEK_IMAGE_LINE) ||
            sum != 0)
            fail_msg("%s", cases[i].label);
        sek_image_close(image);
    }
    free(data);
}

/* Sound files: opened, mapped and surveyed alike. */
static void test_mapped(void **state)
{
    static struct test_reference ref;
    uint64_t random = test_seed();
    struct sek_image *mapped;
    struct sek_diag diag;

    (void)state;
    for (size_t n = 1; n <= 600; n += 599) {
        struct sek_image *image = write_and_open(test_reference_fill(&ref, n, false, &random));
        check_survey(test_path("other.img"), SEK_OK, image);
        sek_image_close(image);
        test_ok(sek_image_open_mapped(test_path("other.img"), &mapped, &diag), &diag);
        for (int k = 0; k < 400; k++) {
            struct sek_name name = test_reference_name(&ref, &random);
            check_against(mapped, &ref, &name);
        }
        sek_image_close(mapped);
    }
    check_survey(test_path("none"), SEK_E_NOTFOUND, NULL);
    struct sek_image *image = write_and_open(test_reference_fill(&ref, 3, false, &random));
    assert_int_equal(truncate(test_path("other.img"), 64), 0);
    assert_int_equal(sek_image_open_mapped(test_path("other.img"), &mapped, NULL), SEK_E_CORRUPT);
    sek_image_close(image);
}

static void test_longer(void **state)
{
    size_t n;
    uint8_t *data = sample(&n), *more = calloc(1, n + 64);
    struct sek_image_head *head = (struct sek_image_head *)(void *)more;

    (void)state;
    assert_non_null(more);
    memcpy(more, data, n);
    check_refused(more, n + 1, "longer by", 1);
    check_refused(more, n + 64, "longer by", 64);
    head->size = n + 1; /* and says so: the sum is of whole steps only */
    check_refused(more, n + 1, "said to be longer by", 1);
    free(more);
    free(data);
}

/* A head or list that is wrong though the checksum is right. */
static void test_forged(void **state)
{
    size_t n;
    uint8_t *data = sample(&n);
    struct sek_image_head *head = (struct sek_image_head *)(void *)data;
    uint64_t at[SEK__N_SECTIONS + 1];

    (void)state;
    sek__image_layout(head, at);
    struct sek_list *lists = (struct sek_list *)(void *)(data + at[SEK__LISTS]);
    struct sek_rule *rules = (struct sek_rule *)(void *)(data + at[SEK__RULES]);
    uint32_t *sets = (uint32_t *)(void *)(data + at[SEK__SETS]);
    int64_t *expiries = (int64_t *)(void *)(data + at[SEK__EXPIRIES]);
    uint8_t *octets[] = {(uint8_t *)&head->magic[0],
                         (uint8_t *)&head->version,
                         (uint8_t *)&head->order,
                         (uint8_t *)&lists[1].id,
                         &lists[0].mode,
                         &lists[0].action,
                         &rules[0].scope,
                         &rules[0].action,
                         (uint8_t *)&rules[0].expires_s + 7,
                         (uint8_t *)&sets[1],
                         (uint8_t *)&expiries[0],
                         data + at[SEK__CODE] + 2};
    static const uint8_t values[] = {0, 9, 9, 1, 9, 9, 9, SEK_ACTION_MAX + 1, 0x80, 0xff, 0, 0};
    static const enum sek_err expected[] = {
        SEK_E_CORRUPT, SEK_E_VERSION, SEK_E_VERSION, SEK_E_CORRUPT, SEK_E_CORRUPT, SEK_E_CORRUPT,
        SEK_E_CORRUPT, SEK_E_CORRUPT, SEK_E_CORRUPT, SEK_E_CORRUPT, SEK_E_CORRUPT, SEK_E_CORRUPT};

    for (size_t i = 0; i < sizeof(values); i++) {
        struct sek__sum sum = SEK__SUM_START;
        struct sek_image *image = NULL;
        uint8_t kept = *octets[i];
        uint64_t kept_sum = head->sum;
        *octets[i] = values[i];
        head->sum = 0;
        sek__sum_add(&sum, data, n);
        head->sum = sek__sum_end(&sum);
        test_file_write(test_path("other.img"), data, n);
        enum sek_err err = sek_image_open(test_path("other.img"), true, &image, NULL);
        if (err != expected[i])
            fail_msg("case %zu: %d", i, err);
        head->sum = kept_sum;
        *octets[i] = kept;
    }
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edges),         cmocka_unit_test(test_every_octet),
        cmocka_unit_test(test_no_names),      cmocka_unit_test(test_random_names),
        cmocka_unit_test(test_long_names),    cmocka_unit_test(test_many_names),
        cmocka_unit_test(test_shared_trail),  cmocka_unit_test(test_open_refuses),
        cmocka_unit_test(test_truncated),     cmocka_unit_test(test_flipped),
        cmocka_unit_test(test_longer),        cmocka_unit_test(test_mapped),
        cmocka_unit_test(test_entry_overrun), cmocka_unit_test(test_forged),
    };
    return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
