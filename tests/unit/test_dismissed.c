/* SPDX-License-Identifier: BSD-3-Clause */
/* Dismissed findings: what an entry covers, and the file they are kept in. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "event/dismissed.h"
#include "name/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64], path[96];

static int setup(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/sek-dismissed.XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    sek_dismissed_path(dir, path, sizeof path);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(dir);
}

static struct sek_dismissal entry(enum sek_detector by, const char *endpoint, const char *domain,
                                  const char *why)
{
    struct sek_dismissal d = {.detector = by, .time_s = 1790000000, .finding = 12};
    struct sek_name name;

    d.everybody = !endpoint;
    if (endpoint)
        assert_int_equal(sek_addr_from_text(endpoint, &d.endpoint, NULL), SEK_OK);
    if (domain) {
        assert_int_equal(sek_name_from_text(domain, strlen(domain), &name, NULL), SEK_OK);
        d.domain_len = name.len;
        memcpy(d.domain, name.octets, name.len);
    }
    snprintf(d.who, sizeof d.who, "alice");
    snprintf(d.why, sizeof d.why, "%s", why);
    return d;
}

static bool covers(const struct sek_dismissed *set, enum sek_detector by, const char *endpoint,
                   const char *domain)
{
    struct sek_dismissal f = entry(by, endpoint, domain, "");

    return sek_dismissed_find(set, by, &f.endpoint, f.domain, f.domain_len) != NULL;
}

static bool is_of_tunnel(void *arg, const struct sek_dismissal *one)
{
    (void)arg;
    return one->detector == SEK_DETECTOR_TUNNEL;
}

static void test_covers(void **state)
{
    struct sek_dismissed set = {0}, again;
    const struct sek_dismissal all[] = {
        entry(SEK_DETECTOR_BEACON, "192.0.2.1", "steady.example", "our\tmonitoring\n"),
        entry(SEK_DETECTOR_TUNNEL, NULL, "odd\\.\\009.example", "backup"),
        entry(SEK_DETECTOR_NXBURST, "2001:db8::1", NULL, "a scanner of ours"),
    };

    (void)state;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(sek_dismissed_add(&set, &all[i], NULL), SEK_OK);
    assert_int_equal(sek_dismissed_write(&set, path, NULL), SEK_OK);
    assert_int_equal(sek_dismissed_read(path, &again, NULL), SEK_OK);
    assert_int_equal(again.n, 3);
    struct sek_dismissed *const both[] = {&set, &again};
    for (unsigned i = 0; i < 2; i++) {
        const struct sek_dismissed *s = both[i];
        assert_true(covers(s, SEK_DETECTOR_BEACON, "192.0.2.1", "steady.example"));
        assert_false(covers(s, SEK_DETECTOR_BEACON, "192.0.2.2", "steady.example"));
        assert_false(covers(s, SEK_DETECTOR_BEACON, "192.0.2.1", "www.steady.example"));
        assert_false(covers(s, SEK_DETECTOR_TUNNEL, "192.0.2.1", "steady.example"));
        assert_true(covers(s, SEK_DETECTOR_TUNNEL, "192.0.2.9", "odd\\.\\009.example"));
        assert_true(covers(s, SEK_DETECTOR_NXBURST, "2001:db8::1", NULL));
        assert_false(covers(s, SEK_DETECTOR_NXBURST, "2001:db8::2", NULL));
        assert_false(covers(s, SEK_DETECTOR_NXBURST, "2001:db8::1", "a.example"));
        assert_string_equal(s->all[0].why, "our monitoring ");
        assert_string_equal(s->all[0].who, "alice");
        assert_int_equal(s->all[0].finding, 12);
        assert_int_equal(s->all[0].time_s, 1790000000);
    }
    assert_false(covers(NULL, SEK_DETECTOR_BEACON, "192.0.2.1", "steady.example"));
    /* the same again takes the place of the first */
    struct sek_dismissal other = all[0];
    snprintf(other.why, sizeof other.why, "another reason");
    assert_int_equal(sek_dismissed_add(&set, &other, NULL), SEK_OK);
    assert_int_equal(set.n, 3);
    assert_string_equal(set.all[2].why, "another reason");
    assert_int_equal(sek_dismissed_remove(&set, is_of_tunnel, NULL), 1);
    assert_false(covers(&set, SEK_DETECTOR_TUNNEL, "192.0.2.9", "odd\\.\\009.example"));
    assert_true(covers(&set, SEK_DETECTOR_BEACON, "192.0.2.1", "steady.example"));
    sek_dismissed_fini(&set);
    sek_dismissed_fini(&again);
}

static void test_file(void **state)
{
    static const struct {
        const char *label, *text;
        enum sek_err err;
    } cases[] = {
        {"empty", "", SEK_OK},
        {"comments", "# x\n\n# y", SEK_OK},
        {"one", "beacon\t*\ta.example\t1\tbob\t2\twhy\n", SEK_OK},
        {"no end", "beacon\t*\ta.example\t1\tbob\t2\twhy", SEK_OK},
        {"too few", "beacon\t*\ta.example\t1\tbob\t2\n", SEK_E_CORRUPT},
        {"detector", "bacon\t*\ta.example\t1\tbob\t2\twhy\n", SEK_E_CORRUPT},
        {"endpoint", "beacon\t1.2.3\ta.example\t1\tbob\t2\twhy\n", SEK_E_CORRUPT},
        {"domain", "beacon\t*\ta..example\t1\tbob\t2\twhy\n", SEK_E_CORRUPT},
        {"time", "beacon\t*\ta.example\tnow\tbob\t2\twhy\n", SEK_E_CORRUPT},
        {"id", "beacon\t*\ta.example\t1\tbob\t99999999999999999999\twhy\n", SEK_E_CORRUPT},
        {"octets", "\001\377\t\t\t\t\t\t\t\n", SEK_E_CORRUPT},
    };
    struct sek_dismissed set;
    struct sek_diag diag = {0};

    (void)state;
    assert_int_equal(sek_dismissed_read(path, &set, NULL), SEK_OK); /* there is none */
    assert_int_equal(set.n, 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        fputs(cases[i].text, f);
        fclose(f);
        if (sek_dismissed_read(path, &set, &diag) != cases[i].err)
            fail_msg("%s", cases[i].label);
        if (cases[i].err) {
            assert_non_null(strstr(diag.text, ":1: "));
            assert_int_equal(set.n, 0);
        }
        sek_dismissed_fini(&set);
    }
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_not_equal(sek_dismissed_read(path, &set, &diag), SEK_OK);
    rmdir(path);
}

static void test_full(void **state)
{
    struct sek_dismissed set = {0};
    struct sek_diag diag = {0};

    (void)state;
    set.all = calloc(SEK_DISMISSED_MAX, sizeof *set.all);
    set.n = SEK_DISMISSED_MAX;
    struct sek_dismissal one = entry(SEK_DETECTOR_BEACON, NULL, "a.example", "");
    assert_int_equal(sek_dismissed_add(&set, &one, &diag), SEK_E_LIMIT);
    sek_dismissed_fini(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_covers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_file, setup, teardown),
        cmocka_unit_test(test_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
