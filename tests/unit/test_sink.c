/* SPDX-License-Identifier: BSD-3-Clause */
/* A file that events are appended to, and the cursor beside it: what a kill between the two leaves
 * behind. */
#include "tools/siem/sink.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char dir[] = "/tmp/sek-sink.XXXXXX";
static char log_path[64], old_path[64], cursor_path[64];

static int setup(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s/*", dir);
    return system(command);
}

static int make_dir(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    snprintf(log_path, sizeof log_path, "%s/log", dir);
    snprintf(old_path, sizeof old_path, "%s/log.1", dir);
    snprintf(cursor_path, sizeof cursor_path, "%s/cursor", dir);
    return 0;
}

static int remove_dir(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

static const struct sek_cursor_output none = {.known = false};

static struct sek_sink *open_log(const struct sek_cursor_output *was)
{
    struct sek_sink *s;
    struct sek_diag diag = {0};
    if (sek_sink_file(log_path, was, &s, &diag))
        fail_msg("%s", diag.text);
    return s;
}

/* As a run does: look, then write. Returns how far it is written before and after. */
static void append(struct sek_sink *s, const char *lines, struct sek_cursor_output *before,
                   struct sek_cursor_output *after)
{
    struct sek_diag diag = {0};
    if (sek_sink_ready(s, before, &diag))
        fail_msg("%s", diag.text);
    *after = *before;
    if (sek_sink_write(s, lines, strlen(lines), after, &diag))
        fail_msg("%s", diag.text);
}

static void check(const char *path, const char *expected)
{
    char text[256] = "";
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_true(fread(text, 1, sizeof text - 1, f) < sizeof text - 1);
    fclose(f);
    assert_string_equal(text, expected);
}

static void test_killed_before_the_cursor(void **state)
{
    struct sek_cursor_output before, after, lost;
    (void)state;
    struct sek_sink *s = open_log(&none);
    append(s, "1\n", &before, &after);
    assert_int_equal(before.length, 0);
    assert_int_equal(after.length, 2);
    append(s, "2\n3\n", &before, &lost); /* nobody noted `lost` */
    sek_sink_close(s);
    s = open_log(&after);
    check(log_path, "1\n");
    append(s, "2\n3\n", &before, &after);
    sek_sink_close(s);
    check(log_path, "1\n2\n3\n");
}

static void test_killed_and_rotated(void **state)
{
    struct sek_cursor_output before, after, lost;
    (void)state;
    struct sek_sink *s = open_log(&none);
    append(s, "1\n", &before, &after);
    append(s, "2\n", &before, &lost);
    sek_sink_close(s);
    assert_int_equal(rename(log_path, old_path), 0);
    s = open_log(&after);
    append(s, "2\n", &before, &after);
    sek_sink_close(s);
    check(old_path, "1\n");
    check(log_path, "2\n");
}

static void test_rotated_meanwhile(void **state)
{
    struct sek_cursor_output before, after;
    (void)state;
    struct sek_sink *s = open_log(&none);
    append(s, "1\n", &before, &after);
    assert_int_equal(rename(log_path, old_path), 0);
    append(s, "2\n", &before, &after);
    assert_int_equal(before.length, 0);
    check(old_path, "1\n");
    check(log_path, "2\n");
    /* copied and truncated: what was known of its length is wrong, and said before the write */
    assert_int_equal(truncate(log_path, 0), 0);
    append(s, "3\n4\n", &before, &after);
    assert_int_equal(before.length, 0);
    assert_int_equal(after.length, 4);
    sek_sink_close(s);
    check(log_path, "3\n4\n");
    /* deleted */
    s = open_log(&after);
    unlink(log_path);
    append(s, "5\n", &before, &after);
    sek_sink_close(s);
    check(log_path, "5\n");
}

static void test_what_was_there(void **state)
{
    struct sek_cursor_output before, after;
    struct stat st;
    (void)state;
    FILE *f = fopen(log_path, "w");
    fputs("old\n", f);
    fclose(f);
    struct sek_sink *s = open_log(&none), *second;
    append(s, "1\n", &before, &after);
    assert_int_equal(before.length, 4);
    check(log_path, "old\n1\n");
    assert_int_equal(sek_sink_file(log_path, &none, &second, NULL), SEK_E_BUSY);
    sek_sink_close(s);
    unlink(log_path);
    sek_sink_close(open_log(&none));
    assert_int_equal(stat(log_path, &st), 0);
    assert_int_equal(st.st_mode & 0137, 0);
    assert_int_equal(sek_sink_file(dir, &none, &second, NULL), SEK_E_IO);
    assert_int_equal(sek_sink_file("/dev/null", &none, &second, NULL), SEK_E_INVALID);
}

static void test_no_receiver(void **state)
{
    struct sek_cursor_output mark;
    struct sek_sink *s;
    (void)state;
    /* a receiver that fails takes nothing */
    assert_int_equal(sek_sink_syslog("/no/such/socket", &s, NULL), SEK_OK);
    assert_int_equal(sek_sink_write(s, "1\n", 2, &mark, NULL), SEK_E_NOTFOUND);
    sek_sink_close(s);
}

static void test_places(void **state)
{
    static const struct {
        const char *where;
        bool good;
    } rows[] = {
        {"/dev/log", true},
        {"localhost:514", true},
        {"192.0.2.1:514", true},
        {"[2001:db8::1]:514", true},
        {"udp:log:514", true},
        {"tcp:log:syslog", true},
        {"", false},
        {"localhost", false},
        {":514", false},
        {"localhost:", false},
        {"2001:db8::1:514", false},
        {"udp:", false},
    };
    struct sek_sink *s;
    struct sek_diag diag;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        print_message("%s\n", rows[i].where);
        enum sek_err err = sek_sink_syslog(rows[i].where, &s, &diag);
        assert_int_equal(err, rows[i].good ? SEK_OK : SEK_E_INVALID);
        if (!err)
            sek_sink_close(s);
    }
}

static void test_cursor(void **state)
{
    struct sek_cursor_file file, other;
    struct sek_cursor c, back;
    struct sek_diag diag = {0};
    (void)state;
    assert_int_equal(sek_cursor_open(cursor_path, &file, &c, &diag), SEK_OK);
    assert_false(c.hits.known || c.findings.known || c.audit.known || c.output.known);
    c.hits.known = c.audit.known = c.output.known = true;
    c.hits.identity = INT64_MIN;
    c.hits.number = INT64_MAX;
    c.hits.decision = UINT32_MAX;
    memset(c.audit.hash, 'f', 64);
    c.audit.number = 3;
    c.output.ino = UINT64_MAX;
    assert_int_equal(sek_cursor_save(&file, &c, &diag), SEK_OK);
    assert_int_equal(sek_cursor_open(cursor_path, &other, &back, &diag), SEK_E_BUSY);
    sek_cursor_close(&file);
    assert_int_equal(sek_cursor_open(cursor_path, &file, &back, &diag), SEK_OK);
    assert_int_equal(back.hits.identity, INT64_MIN);
    assert_int_equal(back.hits.number, INT64_MAX);
    assert_int_equal(back.hits.decision, UINT32_MAX);
    assert_string_equal(back.audit.hash, c.audit.hash);
    assert_true(back.output.ino == UINT64_MAX && back.output.known && !back.findings.known);
    sek_cursor_close(&file);
    /* any octet that is another */
    FILE *f = fopen(cursor_path, "r+");
    char text[1024];
    size_t n = fread(text, 1, sizeof text, f);
    for (size_t i = 0; i < n; i += 3) {
        char octet = (char)(text[i] ^ 1);
        fseek(f, (long)i, SEEK_SET);
        fputc(octet, f);
        fflush(f);
        if (sek_cursor_open(cursor_path, &file, &back, &diag) != SEK_E_CORRUPT)
            fail_msg("octet %zu", i);
        fseek(f, (long)i, SEEK_SET);
        fputc(text[i], f);
        fflush(f);
    }
    fclose(f);
    assert_int_equal(sek_cursor_open(cursor_path, &file, &back, &diag), SEK_OK);
    sek_cursor_close(&file);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup(name, setup)
    const struct CMUnitTest tests[] = {
        CASE(test_killed_before_the_cursor),
        CASE(test_killed_and_rotated),
        CASE(test_rotated_meanwhile),
        CASE(test_what_was_there),
        CASE(test_no_receiver),
        CASE(test_places),
        CASE(test_cursor),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
