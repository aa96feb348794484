/* SPDX-License-Identifier: BSD-3-Clause */
/* Generated files: left alone while nothing changes, never half there, and the serials of a zone.
 */
#include "base/file.h"
#include "policy_fixture.h"
#include "tools/export/generated.h"
#include <sys/stat.h>

static void test_serials(void **state)
{
    static const struct {
        const char *label;
        uint32_t last;
        int64_t now_s;
        uint32_t next;
    } cases[] = {
        {"the time", 1795000000, 1795814400, 1795814400},
        {"twice a second", 1795814400, 1795814400, 1795814401},
        {"ahead of the time, as dates are", 2026112701, 1795814400, 2026112702},
        {"the clock went back", 1795814400, 1000, 1795814401},
        {"round the end", UINT32_MAX, 1795814400, 1795814400},
        {"never 0", UINT32_MAX, 4294967295LL, 1},
        {"nor by the time", 4294967290U, 4294967296LL, 1},
        {"after 2038", 2147483647, 2147483700, 2147483700},
        {"after 2106", 4294967000U, 4294967296LL + 500, 500},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t next = sek_serial_next(cases[i].last, cases[i].now_s);
        if (next == 0 || (int32_t)(next - cases[i].last) <= 0)
            fail_msg("%s: %u does not follow %u", cases[i].label, next, cases[i].last);
        if (next != cases[i].next)
            fail_msg("%s: %u, wanted %u", cases[i].label, next, cases[i].next);
    }
}

static const struct sek_generated_head zone = {
    .mark = "by a test", .before = "; by a test\n@ SOA a. b. (\n  ", .after = "\n  1 2 3 4 )\n"};
static const struct sek_generated_head plain = {.mark = "by a test", .before = "# by a test\n"};

struct written {
    bool changed;
    uint32_t serial;
};

static enum sek_err put(const struct sek_generated_head *head, const char *path, const char *text,
                        int64_t now_s, struct written *out, struct sek_diag *diag)
{
    FILE *spool = sek_generated_spool(path);
    assert_non_null(spool);
    fputs(text, spool);
    enum sek_err err =
        sek_generated_end(spool, head, path, now_s, &out->changed, &out->serial, diag);
    fclose(spool);
    return err;
}

static struct written put_well(const struct sek_generated_head *head, const char *path,
                               const char *text, int64_t now_s)
{
    struct written w = {0};
    struct sek_diag diag;
    test_ok(put(head, path, text, now_s, &w, &diag), &diag);
    return w;
}

static void check_text(const char *path, const char *wanted)
{
    size_t n;
    uint8_t *data = test_file_read(path, &n);
    data[n] = '\0';
    assert_string_equal((char *)data, wanted);
    free(data);
}

static void test_zone(void **state)
{
    const char *path = test_path(SEK_POLICY_IMAGE);
    (void)state;
    struct written w = put_well(&zone, path, "x A 1\n", 1000);
    assert_true(w.changed);
    assert_int_equal(w.serial, 1000);
    check_text(path, "; by a test\n@ SOA a. b. (\n  1000 ; serial\n  1 2 3 4 )\nx A 1\n");

    struct stat before, after;
    assert_int_equal(stat(path, &before), 0);
    w = put_well(&zone, path, "x A 1\n", 2000);
    assert_false(w.changed);
    assert_int_equal(w.serial, 1000);
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);

    static const char *const others[] = {"x A 1\ny A 1\n", "x A 1\n", "x A 2\n", ""};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        w = put_well(&zone, path, others[i], 500); /* the clock is wrong: still upwards */
        assert_true(w.changed);
        assert_int_equal(w.serial, 1001 + i);
    }
    unlink(path);
}

/* Longer than what is compared at once, with the difference at any place. */
static void test_long(void **state)
{
    const char *path = test_path(SEK_POLICY_IMAGE);
    enum { N = 200001 };
    char *text = malloc(N + 1);
    (void)state;
    assert_non_null(text);
    memset(text, 'x', N);
    text[N] = '\0';
    assert_true(put_well(&plain, path, text, 1).changed);
    assert_false(put_well(&plain, path, text, 1).changed);
    static const size_t places[] = {0, 65535, 65536, 131072, N - 1};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        text[places[i]] = 'y';
        assert_true(put_well(&plain, path, text, 1).changed);
        assert_false(put_well(&plain, path, text, 1).changed);
    }
    free(text);
    unlink(path);
}

static void test_others_files(void **state)
{
    const char *path = test_path(SEK_POLICY_IMAGE);
    struct written w;
    struct sek_diag diag;
    (void)state;
    test_file_write(path, "127.0.0.1 localhost\n", 20);
    assert_int_equal(put(&plain, path, "x\n", 1, &w, &diag), SEK_E_EXISTS);
    assert_non_null(strstr(diag.text, "was not written by this command"));
    check_text(path, "127.0.0.1 localhost\n");
    test_file_write(path, "", 0); /* made by somebody to be filled */
    assert_true(put_well(&plain, path, "x\n", 1).changed);
    check_text(path, "# by a test\nx\n");
    /* a zone that takes the place of something without a serial */
    assert_int_equal(put_well(&zone, path, "x A 1\n", 7).serial, 7);
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_not_equal(put(&plain, path, "x\n", 1, &w, &diag), SEK_OK);
    assert_int_equal(rmdir(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_serials),
        cmocka_unit_test(test_zone),
        cmocka_unit_test(test_long),
        cmocka_unit_test(test_others_files),
    };
    return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
