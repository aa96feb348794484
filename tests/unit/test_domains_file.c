/* SPDX-License-Identifier: BSD-3-Clause */
#include "domains_files.h"
#include "seed.h"
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

/* --- there and back ----------------------------------------------------------------------------
 */

static void test_reopen(void **state)
{
    struct sek_domains *d = open_file(NULL);
    struct sek_domains_stats before, after;
    struct sek_addr who = sample_endpoint(3);
    struct sek_domain_seen seen;
    struct stat st;
    uint8_t name[SEK_NAME_MAX];
    size_t len = sample_name(7, "spread", name);

    (void)state;
    assert_true(stat(path, &st) == 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    sek_domains_note(d, name, len, &who, NOW_S, true, NULL);
    for (uint32_t i = 0; i < 30000; i++)
        sample_note(d, i, "known", NOW_S + i, true);
    for (uint32_t i = 0; i < 1000; i++)
        sample_note(d, i, "nx", NOW_S, false);
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(sample_note(d, i, "nx", NOW_S, true), SEK_DOMAINS_RESOLVED_FIRST);
    sek_domains_set_since(d, NOW_S - 1000);
    sek_domains_stats(d, &before);
    sek_domains_close(d);
    for (int i = 0; i < 3; i++) {
        d = open_file(NULL);
        sample_check(d);
        sek_domains_stats(d, &after);
        assert_int_equal(before.n_known, 30101);
        assert_memory_equal(&before, &after, sizeof(before));
        assert_int_equal(sample_count(d, 30000, "known"), 30000);
        assert_true(sample_find(d, 29999, "known", &seen));
        assert_true(seen.first_s == NOW_S + 29999 && seen.resolved);
        assert_true(sample_find(d, 99, "nx", &seen) && seen.resolved);
        assert_true(sample_find(d, 100, "nx", &seen) && !seen.resolved);
        assert_int_equal(sek_domains_since_s(d), NOW_S - 1000);
        /* the same endpoint is the same bit after a restart */
        sek_domains_note(d, name, len, &who, NOW_S, true, &seen);
        assert_int_equal(seen.endpoints, 1);
        sek_domains_close(d);
    }
}

/* A store that has nothing to say writes nothing. */
static void test_idle(void **state)
{
    struct sek_domains *d;
    struct sek_dom_head head;
    uint64_t turn;

    (void)state;
    make_file(100, 100);
    d = open_file(NULL);
    read_head(&head, NULL);
    turn = head.turn;
    for (int i = 0; i < 100; i++)
        assert_int_equal(sek_domains_sync(d, NOW_S + i, NULL), SEK_OK);
    read_head(&head, NULL);
    assert_int_equal(head.turn, turn);
    sample_note(d, 1, "known", NOW_S + 100, true);
    assert_int_equal(sek_domains_sync(d, NOW_S + 100, NULL), SEK_OK);
    sek_domains_close(d);
}

struct sum {
    uint32_t n_known, n_absent;
};

static bool add(void *arg, const uint8_t *name, size_t len, const struct sek_domain_seen *seen)
{
    struct sum *s = arg;

    assert_int_equal(sek_name_wire_len(name), len);
    if (seen->resolved)
        s->n_known++;
    else
        s->n_absent++;
    return s->n_known + s->n_absent < 20500;
}

static void test_read_only(void **state)
{
    struct sek_domains *d, *r;
    struct sek_domain_seen seen;
    struct sek_domains_stats s;
    struct sum sum = {0};

    (void)state;
    assert_int_equal(sek_domains_open_read(path, &r, NULL), SEK_E_NOTFOUND);
    make_file(20000, 500);
    d = open_file(NULL);
    assert_int_equal(sek_domains_open_read(path, &r, NULL), SEK_OK);
    assert_int_equal(sample_count(r, 100, "known"), 100);
    assert_true(sample_find(r, 499, "nx", &seen) && !seen.resolved);
    assert_false(sample_find(r, 500, "nx", NULL));
    assert_int_equal(sek_domains_each(r, add, &sum, NULL), SEK_OK);
    assert_true(sum.n_known == 20000 && sum.n_absent == 500);
    sek_domains_stats(r, &s);
    assert_true(s.n_known == 20000 && s.n_absent == 500 && s.octets > 100 * SEK_DOM_BLOCK);
    assert_int_equal(sample_note(r, 1, "known", NOW_S, true), SEK_DOMAINS_OVERFLOW);
    /* what the writer does is there after its sync */
    sample_note(d, 20000, "known", NOW_S + 50, true);
    sample_note(d, 499, "nx", NOW_S + 50, true);
    assert_false(sample_find(r, 20000, "known", NULL));
    assert_int_equal(sek_domains_sync(d, NOW_S, NULL), SEK_OK);
    assert_true(sample_find(r, 20000, "known", &seen) && seen.first_s == NOW_S + 50);
    assert_true(sample_find(r, 499, "nx", &seen) && seen.resolved);
    sek_domains_close(r);
    sek_domains_close(d);
}

/* The writer moves domains about and uses blocks again; what is there stays visible in the file. */
static void stir_until_killed(void)
{
    struct sek_domains_conf c = *conf();
    struct sek_domains *d = NULL;
    char aside[SEK_DOMAINS_ASIDE_MAX];
    int64_t now_s = NOW_S;

    c.retention_s = 1000;
    if (sek_domains_open(&c, now_s, &d, aside, NULL) != SEK_OK)
        _exit(1);
    for (uint32_t round = 0;; round++) {
        for (uint32_t i = 0; i < 2000; i++) {
            sample_note(d, i, "known", now_s, true);
            sample_note(d, round * 2000 + i, "brief", now_s, true);
            sample_note(d, round * 2000 + i, "nx", now_s, false);
        }
        now_s += 400;
        d->expiry_s = now_s;
        if (sek_domains_sync(d, now_s, NULL) != SEK_OK)
            _exit(2);
    }
}

static void test_read_while_written(void **state)
{
    struct sek_domains *r;
    pid_t child;
    int status;

    (void)state;
    make_file(2000, 100);
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        stir_until_killed();
    for (int i = 0; i < 20; i++) {
        struct sek_domain_seen seen;
        struct sum sum = {0};

        assert_int_equal(sek_domains_open_read(path, &r, NULL), SEK_OK);
        for (uint32_t k = 0; k < 2000; k += 100)
            assert_true(sample_find(r, k, "known", &seen) && seen.first_s == NOW_S + k % 10);
        assert_int_equal(sek_domains_each(r, add, &sum, NULL), SEK_OK);
        assert_true(sum.n_known >= 2000);
        sek_domains_close(r);
    }
    kill(child, SIGKILL);
    assert_true(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
    struct sek_domains *d = open_file(NULL);
    sample_check(d);
    assert_int_equal(d->n_damaged, 0);
    assert_int_equal(sample_count(d, 2000, "known"), 2000);
    sek_domains_close(d);
}

static void test_two_writers(void **state)
{
    struct sek_domains *d = open_file(NULL);
    struct sek_diag diag;

    (void)state;
    assert_int_equal(open_fails(&diag), SEK_E_BUSY);
    assert_non_null(strstr(diag.text, path));
    sek_domains_close(d);
    sek_domains_close(open_file(NULL));
}

/* A cap that became smaller forgets nothing that resolved. */
static void test_smaller_cap(void **state)
{
    struct sek_domains_conf small = *conf();
    struct sek_domains *d;

    (void)state;
    make_file(60000, 5000);
    small.max_octets = MIB;
    small.max_absent = 100;
    d = sample_open_conf(&small, NULL);
    assert_int_equal(sample_count(d, 60000, "known"), 60000);
    for (uint32_t i = 0; i < 1000; i++)
        sample_note(d, 60000 + i, "known", NOW_S, true);
    assert_true(d->n_overflow > 500);
    for (uint32_t i = 0; i < 1000; i++)
        sample_note(d, 6000 + i, "nx", NOW_S, false);
    assert_true(d->n_of[SEK_DOM_ABSENT] < 1000);
    sample_check(d);
    sek_domains_close(d);
}

/* --- killed ------------------------------------------------------------------------------------
 */

/* The child notes in a fixed order and says through the pipe how far it had got at each sync. */
static void write_until_killed(int pipe_fd, uint32_t from)
{
    struct sek_domains *d = NULL;
    char aside[SEK_DOMAINS_ASIDE_MAX];
    uint32_t i = from;

    if (sek_domains_open(conf(), NOW_S, &d, aside, NULL) != SEK_OK || aside[0])
        _exit(1);
    for (;; i++) {
        uint8_t name[SEK_NAME_MAX];
        if (i % 3 == 0) /* moves over */
            sample_note(d, i, "known", NOW_S + i, false);
        sample_note(d, i, "known", NOW_S + i, true);
        sample_note(d, i, "nx", NOW_S, false);
        sek_domains_note(d, name, sample_name(i / 2, "known", name), NULL, NOW_S + i, true, NULL);
        if (i % 97 != 0)
            continue;
        if (sek_domains_sync(d, NOW_S, NULL) != SEK_OK ||
            write(pipe_fd, &i, sizeof(i)) != (ssize_t)sizeof(i))
            _exit(2);
    }
}

static void test_kill(void **state)
{
    uint64_t seed = test_seed();
    uint32_t from = 0;

    (void)state;
    for (int round = 0; round < 60; round++) {
        int fd[2], status;
        uint32_t last = 0, got;
        pid_t child;

        assert_int_equal(pipe(fd), 0);
        child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            close(fd[0]);
            write_until_killed(fd[1], from);
        }
        close(fd[1]);
        seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
        nanosleep(&(struct timespec){.tv_nsec = 1000000 + (long)(seed >> 33) % 9000000}, NULL);
        kill(child, SIGKILL);
        while (read(fd[0], &got, sizeof(got)) == (ssize_t)sizeof(got))
            last = got;
        close(fd[0]);
        assert_true(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
        struct sek_domains *d = open_file(NULL);
        struct sek_domain_seen seen;
        sample_check(d);
        assert_int_equal(d->n_damaged, 0);
        for (uint32_t i = 0; i < last; i++)
            if (!sample_find(d, i, "known", &seen) || !seen.resolved || seen.first_s != NOW_S + i ||
                (i > 0 && i * 2 < last && seen.last_s < NOW_S + i * 2))
                fail_msg("round %d: %u of %u: %lld %lld", round, i, last, (long long)seen.first_s,
                         (long long)seen.last_s);
        if (last > from)
            from = last;
        if (d->n_of[SEK_DOM_KNOWN] > 60000) {
            from = 0;
            sek_domains_close(d);
            unlink(path);
            continue;
        }
        sek_domains_close(d);
    }
}

/* Stopped between any two writes of a sync: blocks as they were and blocks as they are, in the
 * order of sek__dom_flush. A domain that moved is there once. */
static void test_between_writes(void **state)
{
    struct sek_domains *d;
    struct sek_domain_seen seen;
    uint8_t *before, *after;
    size_t size = 0;
    struct stat st;
    int fd;

    (void)state;
    make_file(300, 300);
    assert_true(stat(path, &st) == 0);
    size = (size_t)st.st_size;
    before = malloc(size), after = malloc(size);
    fd = open(path, O_RDWR);
    assert_true(before && after && read(fd, before, size) == (ssize_t)size);
    d = open_file(NULL);
    for (uint32_t i = 0; i < 50; i++)
        assert_int_equal(sample_note(d, i, "nx", NOW_S + 5, true), SEK_DOMAINS_RESOLVED_FIRST);
    sek_domains_close(d);
    assert_true(pread(fd, after, size, 0) == (ssize_t)size);
    /* known blocks new, absent blocks old */
    for (size_t at = 0; at < size; at += SEK_DOM_BLOCK)
        if (at < SEK_DOM_HEADS * SEK_DOM_BLOCK || after[at + 4 * SEK_DOM_W_KIND] == SEK_DOM_ABSENT)
            assert_true(pwrite(fd, before + at, SEK_DOM_BLOCK, (off_t)at) == SEK_DOM_BLOCK);
    close(fd);
    for (int i = 0; i < 2; i++) {
        d = open_file(NULL);
        sample_check(d);
        assert_int_equal(d->n_of[SEK_DOM_KNOWN], 350);
        assert_int_equal(d->n_of[SEK_DOM_ABSENT], 250);
        assert_true(sample_find(d, 49, "nx", &seen) && seen.resolved && seen.first_s == NOW_S &&
                    seen.last_s == NOW_S + 5);
        sek_domains_close(d);
    }
    free(before);
    free(after);
}

/* --- trouble while it is in use ----------------------------------------------------------------
 */

static void set_limit(rlim_t octets)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = octets;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_full_disk(void **state)
{
    struct sek_domains *d;
    struct sek_diag diag = {0};

    (void)state;
    make_file(1000, 100);
    d = open_file(NULL);
    set_limit(40 * SEK_DOM_BLOCK);
    for (uint32_t i = 1000; i < 20000; i++)
        assert_int_equal(sample_note(d, i, "known", NOW_S, true), SEK_DOMAINS_NEW);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(sek_domains_sync(d, NOW_S, &diag), SEK_E_FULL);
        assert_non_null(strstr(diag.text, path));
    }
    assert_int_equal(sample_count(d, 20000, "known"), 20000);
    set_limit(RLIM_INFINITY);
    assert_int_equal(sek_domains_sync(d, NOW_S, &diag), SEK_OK);
    sek_domains_close(d);
    d = open_file(NULL);
    assert_int_equal(sample_count(d, 20000, "known"), 20000);
    /* and a stop while it is full: what got there is kept */
    set_limit(150 * SEK_DOM_BLOCK);
    for (uint32_t i = 20000; i < 40000; i++)
        sample_note(d, i, "known", NOW_S, true);
    assert_int_equal(sek_domains_sync(d, NOW_S, &diag), SEK_E_FULL);
    sek_domains_close(d);
    set_limit(RLIM_INFINITY);
    d = open_file(NULL);
    sample_check(d);
    assert_int_equal(sample_count(d, 20000, "known"), 20000);
    sek_domains_close(d);
    /* not even a beginning */
    unlink(path);
    set_limit(100);
    assert_int_equal(open_fails(&diag), SEK_E_FULL);
    set_limit(RLIM_INFINITY);
    assert_int_equal(files_beside("tmp"), 0);
}

static void test_file_taken_away(void **state)
{
    struct sek_domains *d;
    struct sek_diag diag;
    char other[80];
    int fd;

    (void)state;
    make_file(5000, 100);
    d = open_file(NULL);
    /* cut off under us: no harm, and whole again with the next sync */
    for (off_t size = 0; size < 20 * SEK_DOM_BLOCK; size += 3000) {
        assert_int_equal(truncate(path, size), 0);
        assert_int_equal(sample_count(d, 5000, "known"), 5000);
        assert_int_equal(sek_domains_sync(d, NOW_S, NULL), SEK_OK);
        struct sek_domains *r;
        assert_int_equal(sek_domains_open_read(path, &r, NULL), SEK_OK);
        assert_int_equal(sample_count(r, 50, "known"), 50);
        assert_true(sample_find(r, 4999, "known", NULL) && sample_find(r, 99, "nx", NULL));
        sek_domains_close(r);
    }
    unlink(path);
    assert_int_equal(sek_domains_sync(d, NOW_S, NULL), SEK_OK);
    assert_int_equal(open_fails(&diag), SEK_E_BUSY); /* the new one is locked, too */
    /* somebody else's file in its place is not touched */
    snprintf(other, sizeof(other), "%s.other", path);
    fd = open(other, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0 && rename(other, path) == 0);
    sample_note(d, 1, "later", NOW_S, true);
    assert_int_equal(sek_domains_sync(d, NOW_S, &diag), SEK_E_EXISTS);
    close(fd);
    unlink(path);
    assert_int_equal(sek_domains_sync(d, NOW_S, NULL), SEK_OK);
    sek_domains_close(d);
    d = open_file(NULL);
    assert_int_equal(sample_count(d, 5000, "known"), 5000);
    assert_true(sample_find(d, 1, "later", NULL));
    sek_domains_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_reopen, setup),
        cmocka_unit_test_setup(test_idle, setup),
        cmocka_unit_test_setup(test_read_only, setup),
        cmocka_unit_test_setup(test_read_while_written, setup),
        cmocka_unit_test_setup(test_two_writers, setup),
        cmocka_unit_test_setup(test_smaller_cap, setup),
        cmocka_unit_test_setup(test_kill, setup),
        cmocka_unit_test_setup(test_between_writes, setup),
        cmocka_unit_test_setup(test_full_disk, setup),
        cmocka_unit_test_setup(test_file_taken_away, setup),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
