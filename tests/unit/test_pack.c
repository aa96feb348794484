/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/pack.h"
#include "policy/census.h"
#include "policy_fixture.h"

/* The code for some names; the form it is loaded from stays in *out_form. */
static struct sek_pack *code_for(const struct sek_name *names, size_t n, struct sek_buf *out_form)
{
    struct sek_census *census;
    struct sek_pack *pack;
    struct sek_diag diag;

    test_ok(sek_census_new(&census, &diag), &diag);
    for (size_t i = 0; i < n; i++)
        assert_true(sek_census_add(census, &names[i]));
    sek_buf_init(out_form, 0);
    test_ok(sek_census_code(census, out_form, &diag), &diag);
    sek_census_free(census);
    test_ok(sek_pack_load((const uint8_t *)out_form->data, out_form->len, &pack, &diag), &diag);
    return pack;
}

/* The stored form of the k right-most labels. */
static unsigned store(const struct sek_packed *packed, unsigned k, uint8_t out[SEK_PACKED_MAX])
{
    uint8_t last;
    unsigned n = sek_packed_stored(packed, k, &last);

    memcpy(out, packed->octets, n - 1);
    out[n - 1] = last;
    return n;
}

/* Each parent is a bit prefix, comes back from its stored form, and is stored as if it were alone.
 */
static void check_name(const struct sek_pack *pack, const struct sek_name *name, const char *label)
{
    struct sek_packed packed, alone;
    struct sek_name parent, back;
    uint8_t stored[SEK_PACKED_MAX], own[SEK_PACKED_MAX];

    sek_pack_name(pack, name, name->n_labels, &packed);
    assert_int_equal(packed.bits[0], 0);
    for (unsigned k = 0; k <= name->n_labels; k++) {
        unsigned n = store(&packed, k, stored);
        assert_true(n <= SEK_PACKED_MAX);
        assert_true(k == 0 || packed.bits[k] > packed.bits[k - 1]);
        sek_name_parent(name, name->n_labels - k, &parent);
        if (!sek_pack_unpack(pack, stored, n, &back) || !test_name_same(&parent, &back))
            fail_msg("%s: %u labels do not come back", label, k);
        sek_pack_name(pack, &parent, parent.n_labels, &alone);
        if (store(&alone, k, own) != n || memcmp(own, stored, n) != 0)
            fail_msg("%s: %u labels are packed otherwise alone", label, k);
    }
}

static size_t edge_names(struct sek_name *out, const char **labels)
{
    size_t n = 0;
    static const uint8_t dot[] = {5, 'a', '.', 'b', 0, 'c', 3, 'c', 'o', 'm', 0};
    static const uint8_t upper[] = {4, 0xc3, 0xbc, 0xff, 0x80, 0};

    labels[n] = "root", out[n++] = test_name("");
    labels[n] = "one octet", out[n++] = test_name("a");
    labels[n] = "com", out[n++] = test_name("com");
    labels[n] = "three labels", out[n++] = test_name("www.example.com");
    labels[n] = "127 labels", out[n++] = test_name_of_labels(SEK_LABELS_MAX, 'x');
    labels[n] = "255 octets", out[n++] = test_name_longest(0xff);
    labels[n] = "255 octets of a frequent letter", out[n++] = test_name_longest('e');
    labels[n] = "254 octets", out[n++] = test_name_longest('a');
    sek_name_parent(&out[n - 1], 1, &out[n - 1]);
    test_name_prepend(&out[n - 1], 60, 'z');
    test_name_wire(dot, sizeof(dot), &out[n]);
    labels[n++] = "dot and NUL within a label";
    test_name_wire(upper, sizeof(upper), &out[n]);
    labels[n++] = "octets above 127";
    return n;
}

static void test_round_trip(void **state)
{
    struct sek_name names[16];
    const char *labels[16];
    size_t n = edge_names(names, labels);
    struct sek_buf form;

    (void)state;
    /* with a code for these very names, and with one that has met none of them */
    for (int met = 0; met < 2; met++) {
        struct sek_pack *pack = code_for(names, met ? n : 0, &form);
        for (size_t i = 0; i < n; i++)
            check_name(pack, &names[i], labels[i]);
        sek_pack_free(pack);
        sek_buf_fini(&form);
    }
}

static void test_every_octet(void **state)
{
    struct sek_buf form;
    struct sek_pack *pack = code_for(NULL, 0, &form);
    struct sek_name name;
    char label[16];

    (void)state;
    for (unsigned octet = 0; octet < 256; octet++) {
        name = test_name("com");
        test_name_prepend(&name, 1 + octet % 63, (uint8_t)octet);
        snprintf(label, sizeof(label), "octet %u", octet);
        check_name(pack, &name, label);
    }
    sek_pack_free(pack);
    sek_buf_fini(&form);
}

/* Two names are the same exactly if they are stored the same; also when one is the other's parent
 * and what it lacks is packed in zero bits. */
static void test_one_to_one(void **state)
{
    enum { N = 600 };
    static struct sek_name names[N];
    static uint8_t stored[N][SEK_PACKED_MAX];
    static unsigned n_stored[N];
    uint64_t seed = test_seed();
    struct sek_packed packed;
    struct sek_buf form;

    (void)state;
    for (size_t i = 0; i < N; i++)
        names[i] = test_name_random(&seed);
    struct sek_pack *pack = code_for(names, N, &form);
    for (size_t i = 0; i < N; i++) {
        check_name(pack, &names[i], "random");
        sek_pack_name(pack, &names[i], names[i].n_labels, &packed);
        n_stored[i] = store(&packed, names[i].n_labels, stored[i]);
    }
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < i; j++) {
            bool same =
                n_stored[i] == n_stored[j] && memcmp(stored[i], stored[j], n_stored[i]) == 0;
            assert_int_equal(same, test_name_same(&names[i], &names[j]));
        }
    sek_pack_free(pack);
    sek_buf_fini(&form);
}

/* Fewer labels asked for are the same bits. */
static void test_part(void **state)
{
    struct sek_name name = test_name("a.bb.example.com");
    struct sek_buf form;
    struct sek_pack *pack = code_for(&name, 1, &form);
    struct sek_packed whole, part;
    uint8_t a[SEK_PACKED_MAX], b[SEK_PACKED_MAX];

    (void)state;
    sek_pack_name(pack, &name, 4, &whole);
    for (unsigned k = 0; k <= 4; k++) {
        memset(&part, 0xff, sizeof(part));
        sek_pack_name(pack, &name, k, &part);
        assert_int_equal(store(&whole, k, a), store(&part, k, b));
        assert_memory_equal(a, b, part.bits[k] / 8U + 1);
    }
    sek_pack_free(pack);
    sek_buf_fini(&form);
}

/* A frequent label has a code word of its own, and a short one. */
static void test_frequent_label(void **state)
{
    enum { N = 200 };
    static struct sek_name names[N];
    struct sek_packed packed;
    struct sek_buf form;
    char text[32];

    (void)state;
    for (unsigned i = 0; i < N; i++) {
        snprintf(text, sizeof(text), "n%u.xn--company", i);
        names[i] = test_name(text);
    }
    struct sek_pack *pack = code_for(names, N, &form);
    sek_pack_name(pack, &names[0], names[0].n_labels, &packed);
    assert_in_range(packed.bits[1], 1, 4);
    /* but what only begins like it has not */
    struct sek_name longer = test_name("xn--companyx");
    sek_pack_name(pack, &longer, 1, &packed);
    assert_true(packed.bits[1] > 40);
    check_name(pack, &longer, "longer than a frequent label");
    sek_pack_free(pack);
    sek_buf_fini(&form);
}

/* Weights that double from symbol to symbol make a plain Huffman code deeper than the cap. */
static void test_skew(void **state)
{
    enum { N = 20000 };
    static struct sek_name names[N];
    uint64_t seed = test_seed();
    struct sek_buf form;

    (void)state;
    for (size_t i = 0; i < N; i++) {
        uint8_t wire[SEK_NAME_MAX] = {0};
        size_t at = 0;
        for (int k = 0; k < 4; k++) {
            wire[at++] = 60;
            for (int j = 0; j < 60; j++)
                wire[at++] = (uint8_t)('a' + __builtin_ctzll(test_random(&seed) | 1 << 20));
        }
        test_name_wire(wire, at + 1, &names[i]);
    }
    struct sek_pack *pack = code_for(names, N, &form);
    unsigned longest = 0;
    for (unsigned i = 0; i < SEK_CODE_BASE; i++)
        longest = (uint8_t)form.data[2 + i] > longest ? (uint8_t)form.data[2 + i] : longest;
    assert_in_range(longest, SEK_CODE_BITS_MAX - 2, SEK_CODE_BITS_MAX);
    struct sek_name name = test_name_longest(0xf7);
    check_name(pack, &name, "255 octets of the rarest kind");
    sek_pack_free(pack);
    sek_buf_fini(&form);
}

/* A search for a long label that meets a short one by chance: nothing is read behind it (sanitizers
 * see that). The hash is random, so it takes some rounds. */
static void test_census_collision(void **state)
{
    struct sek_census *census;
    struct sek_name longest = test_name_longest('z'), name;

    (void)state;
    for (int round = 0; round < 2000; round++) {
        assert_int_equal(sek_census_new(&census, NULL), SEK_OK);
        for (uint8_t i = 0; i < 30; i++) {
            name = test_name_of_labels(1, i);
            assert_true(sek_census_add(census, &name));
        }
        assert_true(sek_census_add(census, &longest));
        sek_census_free(census);
    }
    sek_census_free(NULL);
}

/* A code as stored: 257 lengths of which 255 are 8 and two are 9, then whole labels. */
struct made_up {
    uint8_t octets[2 + SEK_CODE_BASE + 64];
    size_t n;
};

static struct made_up make_up(void)
{
    struct made_up m = {.n = 2 + SEK_CODE_BASE};

    memset(m.octets + 2, 8, SEK_CODE_BASE);
    m.octets[2 + 255] = m.octets[2 + 256] = 9;
    return m;
}

static void test_load_refuses(void **state)
{
    static const struct {
        const char *label;
        size_t at; /* octet changed */
        uint8_t value;
        int n_more; /* octets more or fewer */
        enum sek_err expected;
    } cases[] = {
        {"sound", 2, 8, 0, SEK_OK},
        {"no octets", 2, 8, -2 - SEK_CODE_BASE, SEK_E_CORRUPT},
        {"one octet", 2, 8, -1 - SEK_CODE_BASE, SEK_E_CORRUPT},
        {"one length missing", 2, 8, -1, SEK_E_CORRUPT},
        {"one octet more", 2, 8, 1, SEK_E_CORRUPT},
        {"label announced, not there", 0, 1, 0, SEK_E_CORRUPT},
        {"label of no octets", 0, 1, 2, SEK_E_CORRUPT},
        {"65535 labels", 1, 0xff, 0, SEK_E_CORRUPT},
        {"length 0", 5, 0, 0, SEK_E_CORRUPT},
        {"length 21", 5, 21, 0, SEK_E_CORRUPT},
        {"too many short words", 5, 7, 0, SEK_E_CORRUPT},
        {"a word missing", 5, 9, 0, SEK_E_CORRUPT},
    };
    struct sek_pack *pack;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct made_up m = make_up();
        struct sek_diag diag;
        m.octets[cases[i].at] = cases[i].value;
        m.n = (size_t)((int)m.n + cases[i].n_more);
        enum sek_err err = sek_pack_load(m.octets, m.n, &pack, &diag);
        if (err != cases[i].expected)
            fail_msg("%s: %d", cases[i].label, err);
        if (err == SEK_OK)
            sek_pack_free(pack);
    }
}

static void test_load_labels(void **state)
{
    struct made_up m = make_up();
    uint8_t *lengths = m.octets + 2;
    struct sek_pack *pack = NULL;

    (void)state;
    /* two labels more: 254 words of 8 bits, 3 of 9, 2 of 10 */
    m.octets[0] = 2;
    lengths[254] = 9;
    lengths[257] = lengths[258] = 10;
    memcpy(lengths + 259, "\3com\3net", 8);
    m.n = 2 + 259 + 8;
    assert_int_equal(sek_pack_load(m.octets, m.n, &pack, NULL), SEK_OK);
    struct sek_name name = test_name("net.com.org");
    check_name(pack, &name, "two labels");
    sek_pack_free(pack);
    memcpy(lengths + 259, "\3com\3com", 8);
    assert_int_equal(sek_pack_load(m.octets, m.n, &pack, NULL), SEK_E_CORRUPT);
    memcpy(lengths + 259, "\3com\4net", 8);
    assert_int_equal(sek_pack_load(m.octets, m.n, &pack, NULL), SEK_E_CORRUPT);
    memcpy(lengths + 259, "\3com\2net", 8);
    assert_int_equal(sek_pack_load(m.octets, m.n, &pack, NULL), SEK_E_CORRUPT);
}

static void test_unpack_refuses(void **state)
{
    struct made_up m = make_up();
    struct sek_pack *pack;
    struct sek_name name;
    uint8_t stored[SEK_PACKED_MAX];

    (void)state;
    assert_int_equal(sek_pack_load(m.octets, m.n, &pack, NULL), SEK_OK);
    assert_false(sek_pack_unpack(pack, stored, 0, &name));
    memset(stored, 0, sizeof(stored));
    assert_false(sek_pack_unpack(pack, stored, 1, &name)); /* no end mark */
    stored[0] = 0x80;
    assert_true(sek_pack_unpack(pack, stored, 1, &name)); /* root */
    assert_int_equal(name.n_labels, 0);
    stored[0] = 'a', stored[1] = 0x80;
    assert_false(sek_pack_unpack(pack, stored, 2, &name)); /* a label without its end */
    memset(stored, 0xff, sizeof(stored));                  /* the word of the end: 9 ones */
    assert_false(sek_pack_unpack(pack, stored, 2, &name)); /* a label of no octets */
    memset(stored, 'a', sizeof(stored));
    stored[64] = 0xff, stored[65] = 0xc0;
    assert_false(sek_pack_unpack(pack, stored, 66, &name)); /* a label of 64 octets */
    stored[63] = 0xff, stored[64] = 0xc0;
    assert_true(sek_pack_unpack(pack, stored, 65, &name)); /* of 63 */
    assert_int_equal(name.octets[0], 63);
    sek_pack_free(pack);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),       cmocka_unit_test(test_every_octet),
        cmocka_unit_test(test_one_to_one),       cmocka_unit_test(test_part),
        cmocka_unit_test(test_frequent_label),   cmocka_unit_test(test_skew),
        cmocka_unit_test(test_census_collision), cmocka_unit_test(test_load_refuses),
        cmocka_unit_test(test_load_labels),      cmocka_unit_test(test_unpack_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
