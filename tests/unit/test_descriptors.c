/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/descriptors.h"
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

struct seen {
    int ours, theirs; /* opened before, and by a thread of its own */
    bool own, covered, stderr_same;
    ino_t at_ours;
};

static ino_t inode(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 ? st.st_ino : 0;
}

static void *child(void *arg)
{
    struct seen *s = arg;
    s->at_ours = inode(s->theirs); /* shared with the thread that started this one */
    return NULL;
}

static void *apart(void *arg)
{
    struct seen *s = arg;
    pthread_t thread;
    ino_t before = inode(STDERR_FILENO);
    s->own = sek_descriptors_own();
    s->covered = fcntl(s->ours, F_GETFD) != -1 && write(s->ours, "x", 1) == -1;
    s->stderr_same = inode(STDERR_FILENO) == before;
    s->theirs = open("/proc/self/status", O_RDONLY);
    if (pthread_create(&thread, NULL, child, s) == 0)
        pthread_join(thread, NULL);
    return NULL;
}

/* What one side opens or closes is nothing to the other, and a number that was in use leads to no
 * file of the new table. */
static void test_a_table_of_its_own(void **state)
{
    (void)state;
    char path[] = "/tmp/sek-descriptors-XXXXXX";
    struct seen s = {.ours = mkstemp(path)};
    pthread_t thread;
    ino_t before = inode(s.ours);
    assert_int_equal(pthread_create(&thread, NULL, apart, &s), 0);
    pthread_join(thread, NULL);
    assert_true(s.own);
    assert_true(s.covered);
    assert_true(s.stderr_same);
    assert_int_equal(inode(s.ours), before);
    assert_int_equal(lseek(s.ours, 0, SEEK_END), 0);
    assert_true(s.theirs > s.ours);
    assert_int_not_equal(s.at_ours, 0);
    assert_int_equal(inode(s.theirs), 0);
    close(s.ours);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_table_of_its_own)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
