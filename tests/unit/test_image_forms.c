/* SPDX-License-Identifier: BSD-3-Clause */
/* Images that the compiler does not write of a few names: those of older formats, and one whose
 * filter is as large as that of millions of names. */
#include "policy/image.h"
#include "policy/image_format.h"
#include "policy_fixture.h"

static const char format_4[] = SEK_SOURCE_DIR "/tests/data/images/format4.img";

static unsigned look_up(const struct sek_image *image, const char *text, struct sek_met *out)
{
    struct sek_name name = test_name(text);
    struct sek_trail trail;

    sek_image_trail(image, &name, &trail);
    return sek_image_lookup(image, &name, &trail, out);
}

static bool count(void *arg, const struct sek_name *name, const struct sek_rule *rules, unsigned n)
{
    (void)name;
    (void)rules;
    ++*(unsigned *)arg;
    return n == 1;
}

/* host0.example to host199.example with 20 sets of rules, the root, and a long name. */
static void check(const char *path)
{
    struct sek_image *image;
    struct sek_image_info info, surveyed;
    struct sek_met met[SEK_LABELS_MAX + 1];
    struct sek_diag diag;
    char text[160];
    unsigned n = 0;

    test_ok(sek_image_open(path, true, &image, &diag), &diag);
    test_ok(sek_image_survey(path, &surveyed, NULL, &diag), &diag);
    sek_image_info(image, &info);
    assert_int_equal(info.id, surveyed.id);
    for (int i = 0; i < 400; i++) {
        snprintf(text, sizeof(text), "host%d.example", i);
        assert_int_equal(look_up(image, text, met), i < 200 ? 2 : 1);
        assert_int_equal(met[0].rules->expires_s, i < 200 ? 1000 + i % 20 : 0);
    }
    memset(text, 'x', 63);
    snprintf(text + 63, sizeof(text) - 63, ".www.long.example");
    assert_int_equal(look_up(image, text, met), 2);
    assert_int_equal(met[0].rules->scope, SEK_SCOPE_SUBTREE);
    text[0] = 'y';
    assert_int_equal(look_up(image, text, met), 1);
    assert_true(sek_image_each(image, count, &n));
    assert_int_equal(n, 202);
    sek_image_close(image);
}

struct refill {
    const struct sek_image *image;
    const struct sek_image_head *head;
    uint64_t *filter;
    bool below; /* also what is listed below */
};

static bool refill_one(void *arg, const struct sek_name *name, const struct sek_rule *rules,
                       unsigned n)
{
    const struct refill *f = arg;
    struct sek_trail trail;

    (void)rules;
    (void)n;
    sek_image_trail(f->image, name, &trail);
    for (unsigned k = 1; k <= name->n_labels && f->below; k++)
        f->filter[sek__image_spread(trail.hash[k], f->head->n_filter)] |=
            sek__image_below_bits(trail.hash[k]);
    uint64_t hash = trail.hash[name->n_labels];
    f->filter[sek__image_spread(hash, f->head->n_filter)] |= sek__image_filter_bits(hash);
    return true;
}

/* other.img: the image at the path with a filter of n_filter words and as this version. */
static void make(const char *path, uint32_t n_filter, uint32_t version)
{
    struct sek_image *image;
    uint64_t from[SEK__N_SECTIONS + 1], to[SEK__N_SECTIONS + 1];
    struct sek__sum sum = SEK__SUM_START;
    struct sek_diag diag;
    size_t n;
    uint8_t *data = test_file_read(path, &n);
    struct sek_image_head head;

    test_ok(sek_image_open(path, true, &image, &diag), &diag);
    memcpy(&head, data, sizeof(head));
    sek__image_layout(&head, from);
    if (n_filter > 0)
        head.n_filter = n_filter;
    head.version = version;
    head.sum = 0;
    sek__image_layout(&head, to);
    head.size += to[SEK__DIRECTORY] - from[SEK__DIRECTORY];
    uint8_t *out = calloc(1, head.size);
    assert_non_null(out);
    memcpy(out, data, from[SEK__FILTER]);
    memcpy(out + to[SEK__DIRECTORY], data + from[SEK__DIRECTORY], n - from[SEK__DIRECTORY]);
    struct refill f = {image, &head, (uint64_t *)(void *)(out + to[SEK__FILTER]), version > 1};
    assert_true(sek_image_each(image, refill_one, &f));
    memcpy(out, &head, sizeof(head));
    sek__sum_add(&sum, out, head.size);
    head.sum = sek__sum_end(&sum);
    memcpy(out, &head, sizeof(head));
    test_file_write(test_path("other.img"), out, head.size);
    sek_image_close(image);
    free(out);
    free(data);
}

/* A newer resolver starts on what an older command wrote. Format 1 has the listed names only in its
 * filter. */
static void test_old_formats(void **state)
{
    (void)state;
    check(format_4);
    make(format_4, 0, 1);
    check(test_path("other.img"));
}

static bool add_again(void *arg, const struct sek_name *name, const struct sek_rule *rules,
                      unsigned n)
{
    assert_int_equal(n, 1);
    return sek_compile_rule(arg, name->octets, name->len, rules, NULL) == SEK_OK;
}

/* The same names in today's format, then as if there were millions of them. */
static void test_large_filter(void **state)
{
    struct sek_compile *c;
    struct sek_image *old;
    struct sek_image_info info = {.generation = 1};
    struct sek_list list = test_list(1);
    struct sek_diag diag;

    (void)state;
    test_ok(sek_image_open(format_4, true, &old, &diag), &diag);
    test_ok(sek_compile_new(0, &c, &diag), &diag);
    test_ok(sek_compile_list(c, &list, &diag), &diag);
    assert_true(sek_image_each(old, add_again, c));
    sek_image_close(old);
    const char *path = test_path(SEK_POLICY_IMAGE);
    test_ok(sek_compile_write(c, path, &info, NULL, NULL, &diag), &diag);
    sek_compile_free(c);
    check(path);
    make(path, 1U << 20, SEK_IMAGE_VERSION);
    check(test_path("other.img"));
}

/* The most lines after each other that say "go on in the next": what a lookup reads at worst. */
static unsigned longest_run(const char *path)
{
    size_t n;
    uint8_t *data = test_file_read(path, &n);
    const struct sek_image_head *head = (const struct sek_image_head *)(const void *)data;
    uint64_t at[SEK__N_SECTIONS + 1];
    unsigned run = 0, longest = 0;

    sek__image_layout(head, at);
    for (uint32_t line = 0; line < head->n_entries; line += SEK_IMAGE_LINE) {
        run = data[at[SEK__ENTRIES] + line] & SEK_IMAGE_MORE ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    free(data);
    return longest;
}

/* Names that share no line, or leave much of it free, must not push each other from line to line:
 * lookups would read the whole image. */
static void test_awkward_lengths(void **state)
{
    static const struct {
        unsigned length, other, share; /* of the first label; of so many in a hundred another one */
    } cases[] = {{4, 4, 0},   {12, 12, 0}, {20, 20, 0}, {22, 22, 0}, {24, 24, 0},  {30, 30, 0},
                 {36, 36, 0}, {44, 44, 0}, {52, 52, 0}, {63, 63, 0}, {10, 60, 10}, {10, 44, 5}};
    const char *path = test_path(SEK_POLICY_IMAGE);
    struct sek_image_info info = {.generation = 1};
    struct sek_list list = test_list(1);
    const struct sek_rule rule = {.list = 1, .scope = SEK_SCOPE_SUBTREE};
    struct sek_diag diag;

    (void)state;
    for (size_t c = 0; c < sizeof(cases) / sizeof(*cases); c++) {
        struct sek_compile *compile;
        struct sek_image *image;
        struct sek_met met[SEK_LABELS_MAX + 1];
        char text[100];
        uint64_t seed = 1;
        test_ok(sek_compile_new(0, &compile, &diag), &diag);
        test_ok(sek_compile_list(compile, &list, &diag), &diag);
        for (unsigned i = 0; i < 20000; i++) {
            unsigned length = i % 100 < cases[c].share ? cases[c].other : cases[c].length;
            unsigned number = i;
            for (unsigned k = 0; k < length; k++, number /= 26) {
                seed = seed * 6364136223846793005 + 1442695040888963407;
                text[k] = (char)('a' + (k < 4 ? number : (unsigned)(seed >> 40)) % 26);
            }
            snprintf(text + length, sizeof(text) - length, ".example");
            struct sek_name name = test_name(text);
            test_ok(sek_compile_rule(compile, name.octets, name.len, &rule, &diag), &diag);
        }
        test_ok(sek_compile_write(compile, path, &info, NULL, NULL, &diag), &diag);
        sek_compile_free(compile);
        test_ok(sek_image_open(path, true, &image, &diag), &diag);
        assert_int_equal(look_up(image, text, met), 1);
        sek_image_close(image);
        unsigned longest = longest_run(path);
        if (longest > 64)
            fail_msg("labels of %u octets: %u lines go on", cases[c].length, longest);
        print_message("%u (%u): %u\n", cases[c].length, cases[c].share, longest);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_old_formats),
        cmocka_unit_test(test_large_filter),
        cmocka_unit_test(test_awkward_lengths),
    };
    return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
