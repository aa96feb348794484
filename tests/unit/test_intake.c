/* SPDX-License-Identifier: BSD-3-Clause */
/* Sightings as text, and a file of them on its way into a store that is being written. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "name/text.h"
#include "observe/intake.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW 1795784400 /* 2026-11-27T13:00:00Z */

static char folder[64], store[80], path[SEK_INTAKE_PATH_MAX];
static struct sek_domains *domains;
static struct sek_intake in;

static int setup(void **state)
{
    char aside[SEK_DOMAINS_ASIDE_MAX];
    struct sek_domains_conf conf = {.path = store, .max_octets = 8 << 20, .max_absent = 100};

    (void)state;
    snprintf(folder, sizeof folder, "/tmp/sek-intake.XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(store, sizeof store, "%s/domains.seen", folder);
    sek_intake_path(store, path);
    sek_intake_init(&in, store);
    return sek_domains_open(&conf, NOW, &domains, aside, NULL) ? -1 : 0;
}

static int teardown(void **state)
{
    (void)state;
    sek_intake_fini(&in);
    sek_domains_close(domains);
    unlink(store);
    unlink(path);
    rmdir(path);
    return rmdir(folder);
}

static void put(const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static bool find(const char *text, struct sek_domain_seen *out)
{
    struct sek_name name;

    assert_int_equal(sek_name_from_text(text, strlen(text), &name, NULL), SEK_OK);
    return sek_domains_find(domains, name.octets, name.len, out);
}

static void test_taken(void **state)
{
    struct sek_domain_seen seen;

    (void)state;
    assert_int_equal(sek_intake_step(&in, domains, NOW, NULL), 0); /* there is none */
    put(SEK_SIGHTING_HEAD "\n#since\t2026-01-01T00:00:00Z\n"
                          "a.com\t2026-01-02T00:00:00Z\t2026-02-03T00:00:00Z\t2\tyes\t192.0.2.1,"
                          "192.0.2.2\n"
                          "b.com\t1795168800\t1795168801\t5\tyes\n"
                          "c.com\t1795168800\t1795168800\t0\tno\n"
                          "bad line\n"
                          "a.com\t2026-01-01T00:00:00Z\t2026-01-01T00:00:00Z\t1\tno\t192.0.2.2\n");
    assert_int_equal(sek_intake_step(&in, domains, NOW, NULL), 0); /* looked within this second */
    assert_int_equal(sek_intake_step(&in, domains, NOW + 1, NULL), 1);
    assert_int_equal(in.n, 4);
    assert_int_equal(in.n_bad, 1);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(sek_domains_since_s(domains), 1767225600);
    assert_true(find("a.com", &seen));
    assert_int_equal(seen.first_s, 1767225600);
    assert_int_equal(seen.last_s, 1770076800);
    assert_in_range(seen.endpoints, 1, 2); /* two may meet in one bit */
    assert_true(seen.resolved);
    assert_true(find("b.com", &seen));
    assert_in_range(seen.endpoints, 3, 6);
    assert_true(find("c.com", &seen));
    assert_false(seen.resolved);
    assert_int_equal(seen.endpoints, 0);
}

/* A large file takes several steps, and what comes between them is seen, too. */
static void test_slices(void **state)
{
    struct sek_domain_seen seen;
    FILE *f = fopen(path, "w");
    int steps = 0, done = 0;

    (void)state;
    assert_non_null(f);
    for (int i = 0; i < 20000; i++)
        fprintf(f, "slice-%d.com\t1795168800\t1795168800\t1\tyes\t192.0.2.1\n", i);
    assert_int_equal(fclose(f), 0);
    for (; !done && steps < 100; steps++) {
        done = sek_intake_step(&in, domains, NOW, NULL);
        assert_true(done || access(path, F_OK) == 0);
    }
    assert_int_equal(done, 1);
    assert_in_range(steps, 3, 20);
    assert_int_equal(in.n, 20000);
    assert_true(find("slice-19999.com", &seen));
}

/* Nothing but a regular file is read, and trouble is told once a minute. */
static void test_refused(void **state)
{
    struct sek_diag diag = {0};

    (void)state;
    assert_int_equal(mkdir(path, 0700), 0);
    assert_true(sek_intake_step(&in, domains, NOW, &diag) < 0);
    assert_non_null(strstr(diag.text, "domains.seen.import"));
    assert_int_equal(sek_intake_step(&in, domains, NOW + 59, NULL), 0);
    assert_true(sek_intake_step(&in, domains, NOW + 60, NULL) < 0);
    assert_int_equal(sek_intake_step(&in, domains, NOW - 86400, NULL) < 0, 1); /* clock set back */
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_true(sek_intake_step(&in, domains, NOW + 200, NULL) < 0);
    assert_int_equal(unlink(path), 0);
    put("a.com\t1\t2\n");
    assert_int_equal(sek_intake_step(&in, domains, NOW + 400, NULL), 1);
    assert_int_equal(in.n_bad, 1);

    struct sek_intake none;
    sek_intake_init(&none, NULL);
    assert_int_equal(sek_intake_step(&none, domains, NOW, NULL), 0);
    sek_intake_fini(&none);
}

/* What is written reads as the same. */
static void test_text(void **state)
{
    static const char *const lines[] = {
        "a.com\t2026-01-02T00:00:00Z\t2026-02-03T00:00:00Z\t2\tyes\n",
        "xn--bcher-kva.de\t1970-01-01T00:00:01Z\t2026-02-03T00:00:00Z\t0\tno\n",
        "a\\.b.com\t2026-01-02T00:00:00Z\t2026-01-02T00:00:00Z\t123\tyes\t192.0.2.1,2001:db8::1\n",
    };
    static const char *const bad[] = {
        "",
        "a.com",
        "a.com\t\t\t\t",
        "a.com\t2\t1\t0\tyes",
        "..\t1795168800\t1795168800\t0\tyes",
        "a.com\t1795168800\t1795168800\tx\tyes",
        "a.com\t1795168800\t1795168800\t1\t",
        "a.com\t1795168801\t1795168800\t1\tyes",
    };
    struct sek_sighting s;
    struct sek_buf out;

    (void)state;
    sek_buf_init(&out, 0);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        char line[256];
        snprintf(line, sizeof line, "%.*s", (int)strcspn(lines[i], "\n"), lines[i]);
        assert_int_equal(sek_sighting_from_text(line, &s, NULL), SEK_OK);
        sek_buf_reset(&out);
        sek_sighting_add_text(&s, &out);
        assert_string_equal(out.data, lines[i]);
    }
    sek_buf_fini(&out);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (sek_sighting_from_text(bad[i], &s, NULL) == SEK_OK)
            fail_msg("%s", bad[i]);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_taken),
        CASE(test_slices),
        CASE(test_refused),
        cmocka_unit_test(test_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
