/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/check/elf.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "seed.h"

/* What the module carries, in this very program. */
__attribute__((section(".sekisho.host"), used)) static const char host_ids[] =
    "build-id=00ff\0version=1.2.3\0";

#define SELF "/proc/self/exe"
#define SEARCHED "a text that occurs in this program"

static char path[] = "/tmp/sek-elf-XXXXXX";

static void test_section(void **state)
{
    (void)state;
    struct sek_buf b;
    struct sek_diag diag = {0};
    sek_buf_init(&b, 0);
    assert_int_equal(sek_elf_section(SELF, ".sekisho.host", &b, &diag), SEK_OK);
    assert_true(b.len >= sizeof host_ids - 1);
    assert_memory_equal(b.data, host_ids, sizeof host_ids - 1);
    static const char *const absent[] = {
        "", ".sekisho.hos", ".sekisho.hosts", "sekisho.host",
        "a name of a section that is longer than any would be, ever"};
    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++) {
        sek_buf_reset(&b);
        enum sek_err e = sek_elf_section(SELF, absent[i], &b, &diag);
        if (*absent[i] ? e != SEK_E_NOTFOUND : e > 0)
            fail_msg("section \"%s\": %d", absent[i], e);
    }
    sek_buf_fini(&b);
}

static void test_build_id(void **state)
{
    (void)state;
    struct sek_buf b;
    struct sek_diag diag = {0};
    sek_buf_init(&b, 0);
    if (sek_elf_build_id(SELF, &b, &diag))
        fail_msg("%s", diag.text);
    assert_true(b.len >= 16);
    assert_int_equal(strspn(b.data, "0123456789abcdef"), b.len);
    sek_buf_fini(&b);
}

static void test_mentions(void **state)
{
    (void)state;
    bool yes = false;
    char absent[] = SEARCHED;
    assert_int_equal(sek_elf_mentions(SELF, SEARCHED, &yes, NULL), SEK_OK);
    assert_true(yes);
    for (size_t i = 0; absent[i]; i++)
        absent[i] ^= 0x55; /* built at run time: the program must not hold it */
    assert_int_equal(sek_elf_mentions(SELF, absent, &yes, NULL), SEK_OK);
    assert_false(yes);
}

static void test_no_program(void **state)
{
    (void)state;
    static const char *const paths[] = {"/nonexistent", "/", "/dev/null", "/etc/passwd", ""};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct sek_buf b;
        struct sek_diag diag = {0};
        bool yes;
        sek_buf_init(&b, 0);
        if (!sek_elf_build_id(paths[i], &b, &diag) || !*diag.text ||
            !sek_elf_section(paths[i], ".text", &b, NULL) ||
            !sek_elf_mentions(paths[i], "x", &yes, NULL) || b.len)
            fail_msg("%s was read as a program", paths[i]);
        sek_buf_fini(&b);
    }
}

static void write_program(const uint8_t *data, size_t n)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, n, f), n);
    fclose(f);
}

static void look_at_it(void)
{
    struct sek_buf b;
    sek_buf_init(&b, 0);
    (void)sek_elf_build_id(path, &b, NULL);
    (void)sek_elf_section(path, ".sekisho.host", &b, NULL);
    sek_buf_fini(&b);
}

/* Headers of this program with octets changed, and the file cut: nothing outside it is read (the
 * sanitizers watch). */
static void test_damaged(void **state)
{
    (void)state;
    unsigned seed = (unsigned)test_seed();
    srandom(seed);
    static uint8_t whole[16384], data[sizeof whole];
    FILE *f = fopen(SELF, "r");
    assert_non_null(f);
    size_t n = fread(whole, 1, sizeof whole, f);
    fclose(f);
    for (int round = 0; round < 3000; round++) {
        memcpy(data, whole, n);
        for (int i = 0; i < 4; i++) /* the file's header, or the segments behind it */
            data[16 + (size_t)random() % (round % 2 ? 48 : 800)] = (uint8_t)random();
        write_program(data, round % 5 ? n : (size_t)random() % n);
        look_at_it();
    }
    for (size_t cut = 0; cut < 100; cut++) {
        write_program(whole, cut);
        look_at_it();
    }
}

static int setup(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    if (fd >= 0)
        close(fd);
    return fd >= 0 ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_section),  cmocka_unit_test(test_build_id),
        cmocka_unit_test(test_mentions), cmocka_unit_test(test_no_program),
        cmocka_unit_test(test_damaged),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
