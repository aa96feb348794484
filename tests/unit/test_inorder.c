/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines through several threads: none lost, none changed, in order. */
#include "tools/measure/inorder.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static char path[] = "/tmp/sek-inorder-XXXXXX";

/* "<line>|" for each; the longer the line, the longer it takes. */
static bool mark(const void *arg, const char *lines, size_t n, struct sek_inorder_out *out)
{
    volatile unsigned sink = 0;

    (void)arg;
    for (const char *end = lines + n; lines < end;) {
        const char *next = (const char *)memchr(lines, '\n', (size_t)(end - lines)) + 1;
        size_t len = (size_t)(next - lines);

        for (unsigned i = 0; i < len * 100; i++)
            sink = sink + i;
        if (!sek_inorder_reserve(out, len))
            return false;
        memcpy(out->text + out->n, lines, len);
        out->n += len;
        out->text[out->n - 1] = '|';
        lines = next;
    }
    return true;
}

static bool refuse(const void *arg, const char *lines, size_t n, struct sek_inorder_out *out)
{
    (void)arg;
    (void)lines;
    (void)n;
    (void)out;
    return false;
}

static int input(const char *text, size_t n)
{
    FILE *f = fopen(path, "w+");
    int fd;

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, n, f), n);
    fflush(f);
    rewind(f);
    fd = dup(fileno(f));
    fclose(f);
    return fd;
}

static void expect(const char *text, size_t n, const char *wanted, size_t n_wanted)
{
    char *result = NULL;
    size_t n_result = 0;
    FILE *out = open_memstream(&result, &n_result);
    int fd = input(text, n);

    assert_int_equal(sek_inorder_run(fd, out, mark, NULL, NULL), SEK_OK);
    fclose(out);
    close(fd);
    assert_int_equal(n_result, n_wanted);
    assert_memory_equal(result, wanted, n_wanted);
    free(result);
}

static void test_edges(void **state)
{
    (void)state;
    expect("", 0, "", 0);
    expect("\n", 1, "|", 1);
    expect("a", 1, "a|", 2);
    expect("a\n\nb\0c\nd", 8, "a||b\0c|d|", 9);
}

/* Many lines of all lengths, and one that is longer than what is read at a time. */
static void test_many(void **state)
{
    const size_t n_lines = 60000;
    char *text = malloc(n_lines * 80 + 500000), *wanted;
    size_t n = 0;

    (void)state;
    for (size_t i = 0; i < n_lines; i++) {
        n += (size_t)sprintf(text + n, "%zu %.*s\n", i, (int)(i * 7 % 60),
                             "............................................................");
        if (i == 30000) {
            memset(text + n, 'x', 400000);
            n += 400000;
        }
    }
    wanted = malloc(n);
    for (size_t i = 0; i < n; i++)
        wanted[i] = (char)(text[i] == '\n' ? '|' : text[i]);
    expect(text, n, wanted, n);
    free(text);
    free(wanted);
}

static void test_trouble(void **state)
{
    struct sek_diag diag = {0};
    FILE *full = fopen("/dev/full", "w"), *null = fopen("/dev/null", "w");
    int fd = input("a\n", 2);

    (void)state;
    assert_int_equal(sek_inorder_run(fd, full, mark, NULL, &diag), SEK_E_FULL);
    assert_string_equal(diag.text, "standard output: cannot write");
    close(fd);
    fd = input("a\n", 2);
    assert_int_equal(sek_inorder_run(fd, null, refuse, NULL, &diag), SEK_E_NOMEM);
    close(fd);
    assert_int_equal(sek_inorder_run(-1, null, mark, NULL, &diag), SEK_E_IO);
    assert_string_equal(diag.text, "standard input: cannot read");
    fclose(full);
    fclose(null);
}

static int setup(void **state)
{
    int fd = mkstemp(path);

    (void)state;
    return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_trouble),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
