/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/thread.h"
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

/* What a thread sees of itself. */
struct seen {
    int host_fd;    /* opened by the host before */
    int host_errno; /* of asking for it in the thread, 0: it is there */
    bool has_stderr;
    int own_fd; /* opened by the thread, left open */
    sigset_t blocked;
    char name[SEK_THREAD_NAME_MAX + 1];
};

static void *look(void *arg)
{
    struct seen *seen = arg;
    seen->host_errno = fcntl(seen->host_fd, F_GETFD) == -1 ? errno : 0;
    seen->has_stderr = fcntl(STDERR_FILENO, F_GETFD) != -1;
    seen->own_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    pthread_sigmask(SIG_SETMASK, NULL, &seen->blocked);
    pthread_getname_np(pthread_self(), seen->name, sizeof seen->name);
    return arg;
}

static void test_alone_with_its_descriptors(void **state)
{
    (void)state;
    struct seen seen = {0};
    pthread_t thread;
    void *result;
    seen.host_fd = fcntl(open("/dev/null", O_RDONLY | O_CLOEXEC), F_DUPFD_CLOEXEC, 100);
    assert_true(seen.host_fd >= 100);
    assert_int_equal(sek_thread_start(&thread, "sek-test", look, &seen, NULL), SEK_OK);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_ptr_equal(result, &seen);

    assert_true(seen.has_stderr);
    assert_int_equal(seen.host_errno, EBADF);
    assert_int_equal(seen.own_fd, 3);                       /* the first free one of its table */
    assert_int_not_equal(fcntl(seen.host_fd, F_GETFD), -1); /* the host keeps its own */
    close(seen.host_fd);
}

static void test_name_and_signals(void **state)
{
    (void)state;
    struct seen seen = {.host_fd = -1};
    pthread_t thread;
    sigset_t mine;
    assert_int_equal(sek_thread_start(&thread, "sek-fifteen-oct", look, &seen, NULL), SEK_OK);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_string_equal(seen.name, "sek-fifteen-oct");
    const int signals[] = {SIGHUP, SIGINT, SIGTERM, SIGPIPE, SIGALRM, SIGUSR1, SIGCHLD};
    pthread_sigmask(SIG_SETMASK, NULL, &mine);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        assert_true(sigismember(&seen.blocked, signals[i]));
        assert_false(sigismember(&mine, signals[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alone_with_its_descriptors),
        cmocka_unit_test(test_name_and_signals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
