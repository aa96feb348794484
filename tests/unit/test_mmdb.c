/* SPDX-License-Identifier: BSD-3-Clause */
/* MaxMind's format, from a writer of our own; and files that are damaged in any way. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "mmdb_samples.h"
#include "observe/mmdb.h"
#include <unistd.h>

static const char *const name_path[] = {"name", NULL};
static const char *const deep_path[] = {"a", "b", "c", NULL};
static const char *const number_path[] = {"number", NULL};

static struct sek_mmdb *open_octets(const void *octets, size_t n)
{
    struct sek_diag why = {0};
    struct sek_mmdb *m;

    if (sek_mmdb_from_octets(octets, n, "test", &m, &why) != SEK_OK)
        fail_msg("%s", why.text);
    return m;
}

/* The name of an address, "" if it has none. */
static const char *name_of(const struct sek_mmdb *m, const char *address)
{
    static char text[80];
    struct sek_mmdb_value v;
    struct sek_addr a;
    size_t record;

    assert_int_equal(sek_addr_from_text(address, &a, NULL), SEK_OK);
    text[0] = '\0';
    if (sek_mmdb_find(m, &a, &record) && sek_mmdb_get(m, record, name_path, &v) && v.text)
        snprintf(text, sizeof text, "%.*s", (int)v.len, v.text);
    return text;
}

/* A record of {"name": …}, with the key as a pointer from the second one on. */
static uint32_t named(struct mmdb_file *f, const char *name, uint32_t *key)
{
    uint32_t at = f->n;

    mmdb_map(f, 1);
    if (*key)
        mmdb_pointer(f, *key, 0);
    else
        *key = mmdb_text(f, "name");
    mmdb_text(f, name);
    return at;
}

static struct mmdb_file *sample(unsigned version, unsigned bits)
{
    struct mmdb_file *f = mmdb_begin(version, bits);
    uint32_t key = 0;

    mmdb_network(f, "192.0.2.0", 25, named(f, "low", &key));
    mmdb_network(f, "192.0.2.128", 26, named(f, "middle", &key));
    mmdb_network(f, "198.51.100.7", 32, named(f, "one", &key));
    mmdb_network(f, "128.0.0.0", 2, named(f, "wide", &key));
    if (version == 6)
        mmdb_network(f, "2001:db8::", 32, named(f, "six", &key));
    mmdb_end(f, "Sample");
    return f;
}

static void test_lookups(void **state)
{
    static const struct {
        const char *address, *name;
        bool six;
    } cases[] = {
        {"192.0.2.0", "low", 0},
        {"192.0.2.127", "low", 0},
        {"192.0.2.128", "middle", 0},
        {"192.0.2.191", "middle", 0},
        {"192.0.2.192", "", 0},
        {"198.51.100.7", "one", 0},
        {"198.51.100.6", "", 0},
        {"0.0.0.0", "", 0},
        {"255.255.255.255", "", 0},
        {"128.0.0.0", "wide", 0},
        {"191.255.255.255", "wide", 0},
        {"2001:db8::1", "six", 1},
        {"2001:db8:ffff:ffff::", "six", 1},
        {"2001:db9::", "", 1},
        {"::ffff:192.0.2.1", "low", 0},
        {"::", "", 1},
    };
    static const unsigned bits[] = {24, 28, 32};

    (void)state;
    for (size_t k = 0; k < 6; k++) {
        bool six = k % 2;
        struct mmdb_file *f = sample(six ? 6 : 4, bits[k / 2]);
        struct sek_mmdb *m = open_octets(f->out, f->n_out);
        assert_string_equal(sek_mmdb_type(m), "Sample");
        assert_int_equal(sek_mmdb_built_s(m), 1790000000);
        assert_true(sek_mmdb_octets(m) >= f->n_out);
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
            if (strcmp(name_of(m, cases[i].address), cases[i].six && !six ? "" : cases[i].name))
                fail_msg("%s in IPv%c of %u bits: \"%s\"", cases[i].address, six ? '6' : '4',
                         f->bits, name_of(m, cases[i].address));
        sek_mmdb_close(m);
        free(f);
    }
    sek_mmdb_close(NULL);
}

/* What is in a record: sizes of all lengths, pointers of all four, what lies between. */
static void test_values(void **state)
{
    static const struct {
        size_t gap;
        unsigned octets;
    } pointers[] = {{0, 1}, {0, 4}, {4000, 2}, {530000, 3}, {0, 4}};
    static char long_text[70000];
    struct mmdb_file *f = mmdb_begin(4, 32);
    struct sek_mmdb_value v;
    struct sek_addr a;
    size_t record;

    (void)state;
    memset(long_text, 'x', sizeof long_text - 1);
    for (size_t i = 0; i < 5; i++) {
        while (f->n < pointers[i].gap)
            mmdb_put(f, 0);
        uint32_t target = f->n;
        mmdb_text(f, "found");
        uint32_t at = f->n;
        mmdb_map(f, 6);
        mmdb_text(f, "skipped"); /* double, array with a map in it, boolean, a long text */
        mmdb_head(f, 3, 8);
        for (unsigned k = 0; k < 8; k++)
            mmdb_put(f, 255);
        mmdb_text(f, "list");
        mmdb_head(f, 11, 2);
        mmdb_head(f, 14, 1);
        mmdb_map(f, 1);
        mmdb_text_pair(f, "name", "not this");
        long_text[i == 0 ? 0 : i == 1 ? 28 : i == 2 ? 284 : i == 3 ? 65821 : 300] = '\0';
        mmdb_text_pair(f, "long", long_text);
        long_text[strlen(long_text)] = 'x';
        mmdb_text(f, "number");
        mmdb_uint(f, i % 2 ? 6 : 9, i % 2 ? UINT32_MAX : UINT64_MAX);
        mmdb_text(f, "name");
        mmdb_pointer(f, target, pointers[i].octets);
        mmdb_text(f, "a");
        mmdb_map(f, 1);
        mmdb_text(f, "b");
        mmdb_map(f, 1);
        mmdb_text_pair(f, "c", "deep");
        char net[16];
        snprintf(net, sizeof net, "10.%zu.0.0", i);
        mmdb_network(f, net, 16, at);
    }
    mmdb_end(f, "Values");
    struct sek_mmdb *m = open_octets(f->out, f->n_out);
    for (unsigned i = 0; i < 5; i++) {
        char address[16];
        snprintf(address, sizeof address, "10.%u.3.4", i);
        assert_string_equal(name_of(m, address), "found");
        assert_int_equal(sek_addr_from_text(address, &a, NULL), SEK_OK);
        assert_true(sek_mmdb_find(m, &a, &record));
        assert_true(sek_mmdb_get(m, record, number_path, &v) && !v.text);
        assert_true(v.number == (i % 2 ? UINT32_MAX : UINT64_MAX));
        assert_true(sek_mmdb_get(m, record, deep_path, &v) && v.len == 4);
        assert_memory_equal(v.text, "deep", 4);
        assert_false(sek_mmdb_get(m, record, (const char *const[]){"a", NULL}, &v));
        assert_false(sek_mmdb_get(m, record, (const char *const[]){"list", NULL}, &v));
        assert_false(sek_mmdb_get(m, record, (const char *const[]){"nam", NULL}, &v));
        assert_false(sek_mmdb_get(m, record, (const char *const[]){"name", "x", NULL}, &v));
    }
    sek_mmdb_close(m);
    free(f);
}

/* Data made to hold a reader up or lead it astray. */
static void test_hostile(void **state)
{
    static const struct {
        const char *label;
        size_t n;
        const char *octets;
    } cases[] = {
        {"pointer to itself", 2, "\x20\x00"},
        {"pointer beyond the end", 5, "\x38\x7f\xff\xff\xff"},
        {"pointer cut off", 1, "\x38"},
        {"map of millions", 4, "\xff\xff\xff\xff"},
        {"array of millions", 12, "\xe1\x41x\x1f\x04\xff\xff\xff\x1f\x04\xff\xff"},
        {"key that is a map", 9, "\xe1\xe1\x41x\x41y\x44name"},
        {"text beyond the end", 9, "\xe1\x44name\x5f\xff\xff"},
        {"unknown type", 8, "\xe1\x44name\x00\xff"},
        {"type cut off", 7, "\xe1\x44name\x00"},
        {"number of nine octets", 15, "\xe1\x44name\xc9\1\2\3\4\5\6\7\x8"},
        {"a text, no map", 5, "\x44name"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mmdb_file *f = mmdb_begin(4, 24);
        for (size_t k = 0; k < cases[i].n; k++)
            mmdb_put(f, (uint8_t)cases[i].octets[k]);
        mmdb_network(f, "192.0.2.0", 24, 0);
        mmdb_end(f, "Hostile");
        struct sek_mmdb *m = open_octets(f->out, f->n_out);
        struct sek_mmdb_value v;
        struct sek_addr a;
        size_t record;
        assert_int_equal(sek_addr_from_text("192.0.2.1", &a, NULL), SEK_OK);
        if (!sek_mmdb_find(m, &a, &record) || sek_mmdb_get(m, record, name_path, &v))
            fail_msg("%s", cases[i].label);
        sek_mmdb_close(m);
        free(f);
    }
    /* maps within maps, deeper than any stack */
    struct mmdb_file *f = mmdb_begin(4, 24);
    for (unsigned i = 0; i < 200000; i++) {
        mmdb_map(f, 1);
        mmdb_text(f, "x");
    }
    mmdb_network(f, "192.0.2.0", 24, 0);
    mmdb_end(f, "Deep");
    struct sek_mmdb *m = open_octets(f->out, f->n_out);
    assert_string_equal(name_of(m, "192.0.2.1"), "");
    sek_mmdb_close(m);
    free(f);
}

static void look_everywhere(const struct sek_mmdb *m)
{
    static const char *const addresses[] = {"192.0.2.1",   "192.0.2.129", "198.51.100.7",
                                            "2001:db8::1", "130.0.0.1",   "::1"};

    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++)
        name_of(m, addresses[i]);
}

/* Cut off at each octet, and each octet altered: refused, or read within its bounds (the
 * sanitizers' build shows it: the copy lies in memory of its own size). */
static void test_damage(void **state)
{
    static const uint8_t values[] = {0, 0xff, 0x80, 0x20, 0xe1};

    (void)state;
    for (unsigned bits = 24; bits <= 32; bits += 4) {
        struct mmdb_file *f = sample(6, bits);
        struct sek_mmdb *m;
        unsigned opened = 0;
        for (size_t n = 0; n < f->n_out; n++)
            if (sek_mmdb_from_octets(f->out, n, "test", &m, NULL) == SEK_OK) {
                look_everywhere(m);
                sek_mmdb_close(m);
                opened++;
            }
        /* the marker and what the reader needs of the metadata stand at the end */
        assert_true(opened < 40);
        for (size_t at = 0; at < f->n_out; at++)
            for (size_t k = 0; k < sizeof values; k++) {
                uint8_t was = f->out[at];
                f->out[at] = values[k];
                if (sek_mmdb_from_octets(f->out, f->n_out, "test", &m, NULL) == SEK_OK) {
                    look_everywhere(m);
                    sek_mmdb_close(m);
                }
                f->out[at] = was;
            }
        free(f);
    }
}

static void test_refused(void **state)
{
    char path[] = "/tmp/sek-mmdb.XXXXXX";
    struct sek_diag why = {0};
    struct sek_mmdb *m = NULL;

    (void)state;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(sek_mmdb_open(path, &m, &why), SEK_E_CORRUPT);
    assert_non_null(strstr(why.text, path));
    assert_int_equal(write(fd, "<html>not found</html>", 22), 22);
    assert_int_equal(sek_mmdb_open(path, &m, &why), SEK_E_CORRUPT);
    assert_non_null(strstr(why.text, path));
    assert_int_equal(ftruncate(fd, (off_t)SEK_MMDB_OCTETS_MAX + 1), 0);
    assert_int_equal(sek_mmdb_open(path, &m, &why), SEK_E_LIMIT);
    close(fd);
    unlink(path);
    assert_int_equal(sek_mmdb_open(path, &m, &why), SEK_E_NOTFOUND);
    assert_non_null(strstr(why.text, path));
    assert_true(sek_mmdb_open("/", &m, &why) != SEK_OK);
    struct mmdb_file *f = sample(4, 24);
    uint8_t *at = memmem(f->out, f->n_out, "major_version", 13);
    assert_non_null(at);
    at[14] = 3; /* behind the head of a number: version 3 */
    assert_int_equal(sek_mmdb_from_octets(f->out, f->n_out, "x.mmdb", &m, &why), SEK_E_VERSION);
    assert_string_equal(why.text, "x.mmdb: version 3 of MaxMind's format is not known");
    free(f);
    assert_null(m);
}

/* A file that is overwritten and cut off after it was opened changes nothing that is known. */
static void test_own_copy(void **state)
{
    char path[] = "/tmp/sek-mmdb.XXXXXX";
    struct mmdb_file *f = sample(6, 28);
    struct sek_mmdb *m;

    (void)state;
    int fd = mkstemp(path);
    assert_int_equal(write(fd, f->out, f->n_out), (ssize_t)f->n_out);
    assert_int_equal(sek_mmdb_open(path, &m, NULL), SEK_OK);
    assert_int_equal(pwrite(fd, "damage", 6, 0), 6);
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_string_equal(name_of(m, "192.0.2.1"), "low");
    assert_string_equal(name_of(m, "2001:db8::1"), "six");
    sek_mmdb_close(m);
    close(fd);
    unlink(path);
    free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lookups), cmocka_unit_test(test_values),
        cmocka_unit_test(test_hostile), cmocka_unit_test(test_damage),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_own_copy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
