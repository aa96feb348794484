/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/check/unboundconf.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static char dir[] = "/tmp/sek-unboundconf-XXXXXX";

static void write_file(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void read_main(const char *text, struct sek_unboundconf *u)
{
    char path[128];
    struct sek_diag diag = {0};
    write_file("main.conf", text);
    snprintf(path, sizeof path, "%s/main.conf", dir);
    if (sek_unboundconf_read(path, u, &diag))
        fail_msg("%s", diag.text);
}

static void test_values(void **state)
{
    (void)state;
    static const struct {
        const char *label, *text, *module_config, *dynlib, *user, *chroot;
    } cases[] = {
        {"empty", "", "", "", "", ""},
        {"usual",
         "server:\n  module-config: \"dynlib validator iterator\"\n  username: \"unbound\"\n"
         "dynlib:\n  dynlib-file: /usr/lib/sekisho/sekisho.so\n",
         "dynlib validator iterator", "/usr/lib/sekisho/sekisho.so", "unbound", ""},
        {"single quotes", "module-config: 'dynlib iterator'", "dynlib iterator", "", "", ""},
        {"one line", "server: module-config: \"dynlib iterator\" username: x", "dynlib iterator",
         "", "x", ""},
        {"no blank after the colon", "module-config:\"iterator\"\nusername:x", "iterator", "", "x",
         ""},
        {"comments", "# module-config: \"a\"\nmodule-config: \"b\" # c\n#d", "b", "", "", ""},
        {"a # within quotes", "module-config: \"a # b\"", "a # b", "", "", ""},
        {"last one counts", "module-config: \"a\"\nmodule-config: \"b\"", "b", "", "", ""},
        {"empty values", "username: \"\"\nchroot: \"\"", "", "", "", ""},
        {"chroot", "chroot: /etc/unbound", "", "", "", "/etc/unbound"},
        {"sections between",
         "forward-zone:\n name: \".\"\n forward-addr: 2001:db8::1@53\nserver:\n"
         "username: y",
         "", "", "y", ""},
        {"addresses with colons", "interface: ::1\naccess-control: fe80::/10 allow\nusername: z",
         "", "", "z", ""},
        {"quote that never ends", "module-config: \"dynlib\nusername: x", "dynlib", "", "x", ""},
        {"CRLF", "module-config: \"a b\"\r\nusername: x\r\n", "a b", "", "x", ""},
        {"not ASCII", "username: bücher", "", "", "bücher", ""},
        {"a value at the end", "username:", "", "", "", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sek_unboundconf u;
        read_main(cases[i].text, &u);
        if (strcmp(u.module_config, cases[i].module_config) != 0 ||
            strcmp(u.n_dynlib_files ? u.dynlib_file[0] : "", cases[i].dynlib) != 0 ||
            strcmp(u.username, cases[i].user) != 0 || strcmp(u.chroot, cases[i].chroot) != 0)
            fail_msg("%s: [%s] [%s] [%s] [%s]", cases[i].label, u.module_config,
                     u.n_dynlib_files ? u.dynlib_file[0] : "", u.username, u.chroot);
    }
}

static void test_limits(void **state)
{
    (void)state;
    struct sek_unboundconf u;
    char text[2048] = "";
    for (int i = 0; i < SEK_UNBOUNDCONF_FILES_MAX + 1; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "dynlib-file: /%d\n", i);
    read_main(text, &u);
    assert_int_equal(u.n_dynlib_files, SEK_UNBOUNDCONF_FILES_MAX);
    assert_string_equal(u.dynlib_file[0], "/0");

    for (size_t n = SEK_UNBOUNDCONF_TEXT_MAX - 2; n <= SEK_UNBOUNDCONF_TEXT_MAX; n++) {
        size_t kept = n < SEK_UNBOUNDCONF_TEXT_MAX ? n : SEK_UNBOUNDCONF_TEXT_MAX - 1;
        snprintf(text, sizeof text, "chroot: /%0*d", (int)n - 1, 0);
        read_main(text, &u);
        assert_int_equal(strlen(u.chroot), kept);
    }
}

static void test_includes(void **state)
{
    (void)state;
    struct sek_unboundconf u;
    char text[512];
    write_file("a.inc", "username: a");
    write_file("b.inc", "module-config: \"dynlib iterator\"");
    snprintf(text, sizeof text, "include-toplevel: \"%s/*.inc\"\ninclude: %s/gone.conf", dir, dir);
    read_main(text, &u);
    assert_string_equal(u.username, "a");
    assert_string_equal(u.module_config, "dynlib iterator");
    assert_int_equal(u.n_missing, 1);
    assert_non_null(strstr(u.missing, "gone.conf"));

    snprintf(text, sizeof text, "include: \"%s/none*\"", dir); /* a pattern may match nothing */
    read_main(text, &u);
    assert_int_equal(u.n_missing, 0);

    snprintf(text, sizeof text, "include: %s/main.conf\nusername: x", dir); /* itself, for ever */
    read_main(text, &u);
    assert_string_equal(u.username, "x");
}

static void test_missing(void **state)
{
    (void)state;
    struct sek_unboundconf u;
    struct sek_diag diag = {0};
    assert_int_equal(sek_unboundconf_read("/nonexistent/x", &u, &diag), SEK_E_NOTFOUND);
    assert_non_null(strstr(diag.text, "/nonexistent/x"));
}

static int setup(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
    static const char *const names[] = {"main.conf", "a.inc", "b.inc"};
    char path[128];
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        unlink(path);
    }
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_includes),
        cmocka_unit_test(test_missing),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
