/* SPDX-License-Identifier: BSD-3-Clause */
#include "event/status.h"
#include "event_samples.h"
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <cmocka.h>

static char dir[] = "/tmp/sek-status-XXXXXX";
static char path[64];

static int make_dir(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof path, "%s/status", dir);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    sample_remove_dir(dir);
    return 0;
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void test_life(void **state)
{
    (void)state;
    struct sek_status_page *page, copy;
    const struct sek_status_page *seen;
    struct stat st;
    mode_t before = umask(077); /* must not keep readers out */
    assert_int_equal(sek_status_create(path, &page, NULL), SEK_OK);
    umask(before);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0644);
    assert_int_equal(sek_status_open(path, &seen, NULL), SEK_OK);
    assert_true(sek_status_alive(seen, now_ms()));
    assert_false(sek_status_alive(seen, now_ms() + SEK_STATUS_DEAD_MS + 1000));
    atomic_store(&page->counter[SEK_COUNTER_HITS], 42);
    sek_status_set_text(page, page->policy_text, "no policy");
    sek_status_set_text(page, page->events_text, "disk full");
    sek_status_set_text(page, page->unbound, "1.17.1");
    sek_status_read(seen, &copy);
    assert_int_equal(copy.counter[SEK_COUNTER_HITS], 42);
    assert_int_equal(copy.pid, getpid());
    assert_string_equal(copy.policy_text, "no policy");
    assert_string_equal(copy.events_text, "disk full");
    assert_string_equal(copy.unbound, "1.17.1");
    sek_status_set_text(page, page->events_text, "");
    sek_status_read(seen, &copy);
    assert_string_equal(copy.events_text, "");
    sek_status_close(seen);
    sek_status_destroy(path, page);
    assert_int_equal(sek_status_open(path, &seen, NULL), SEK_E_NOTFOUND);
    sek_status_destroy(path, NULL);
    sek_status_close(NULL);
}

/* A new page replaces an old one; the old one's end does not remove the new one. */
static void test_replaced(void **state)
{
    (void)state;
    struct sek_status_page *old, *new;
    const struct sek_status_page *seen;
    assert_int_equal(sek_status_create(path, &old, NULL), SEK_OK);
    atomic_store(&old->counter[0], 1);
    assert_int_equal(sek_status_create(path, &new, NULL), SEK_OK);
    assert_int_equal(atomic_load(&new->counter[0]), 0);
    sek_status_destroy(path, old);
    assert_int_equal(sek_status_open(path, &seen, NULL), SEK_OK);
    assert_true(seen->id == new->id);
    sek_status_close(seen);
    sek_status_destroy(path, new);
    assert_int_equal(access(path, F_OK), -1);
}

static void test_long_text(void **state)
{
    (void)state;
    struct sek_status_page *page, copy;
    char text[1000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(sek_status_create(path, &page, NULL), SEK_OK);
    sek_status_set_text(page, page->policy_text, text);
    sek_status_set_text(page, page->unbound, text);
    sek_status_read(page, &copy);
    assert_int_equal(strlen(copy.policy_text), 255);
    assert_string_equal(copy.events_text, "");
    assert_int_equal(strlen(copy.unbound), 63);
    sek_status_destroy(path, page);
}

static void test_not_a_page(void **state)
{
    (void)state;
    struct sek_status_page page = {
        .magic = SEK_STATUS_MAGIC, .version = SEK_STATUS_VERSION + 1, .size = sizeof page};
    const struct sek_status_page *seen;
    static const struct {
        const char *label;
        size_t size;
        bool magic;
        enum sek_err expected;
    } cases[] = {
        {"empty", 0, true, SEK_E_CORRUPT},
        {"short", sizeof page - 1, true, SEK_E_CORRUPT},
        {"no magic", sizeof page, false, SEK_E_CORRUPT},
        {"other version", sizeof page, true, SEK_E_VERSION},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
        page.magic = cases[i].magic ? SEK_STATUS_MAGIC : 1;
        assert_int_equal(write(fd, &page, cases[i].size), cases[i].size);
        close(fd);
        enum sek_err err = sek_status_open(path, &seen, NULL);
        if (err != cases[i].expected)
            fail_msg("%s: %d", cases[i].label, err);
    }
    unlink(path);
    assert_int_equal(symlink("/dev/zero", path), 0);
    assert_int_not_equal(sek_status_open(path, &seen, NULL), SEK_OK);
    unlink(path);
    struct sek_diag diag;
    struct sek_status_page *none;
    assert_int_equal(sek_status_create("/nonexistent/status", &none, &diag), SEK_E_NOTFOUND);
    assert_non_null(strstr(diag.text, "/nonexistent/status"));
}

#define ROUNDS 3000

static void *write_texts(void *arg)
{
    struct sek_status_page *page = arg;
    char text[200];
    for (unsigned i = 0; i < ROUNDS; i++) {
        memset(text, 'a' + (int)(i % 26), sizeof text - 1);
        text[sizeof text - 1] = '\0';
        sek_status_set_text(page, i % 2 ? page->policy_text : page->events_text, text);
    }
    return NULL;
}

/* Two writers, one reader: each text it sees is whole. */
static void test_race(void **state)
{
    (void)state;
    struct sek_status_page *page, copy;
    pthread_t threads[2];
    assert_int_equal(sek_status_create(path, &page, NULL), SEK_OK);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_texts, page), 0);
    for (unsigned i = 0; i < ROUNDS; i++) {
        sek_status_read(page, &copy);
        for (const char *c = copy.policy_text; *c; c++)
            assert_int_equal(*c, copy.policy_text[0]);
        assert_true(copy.policy_text[0] == '\0' || strlen(copy.policy_text) == 199);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    sek_status_destroy(path, page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life),      cmocka_unit_test(test_replaced),
        cmocka_unit_test(test_long_text), cmocka_unit_test(test_not_a_page),
        cmocka_unit_test(test_race),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
