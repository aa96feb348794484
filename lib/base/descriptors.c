/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/descriptors.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <unistd.h>
#include "base/banned.h"

#define COVERED 1024 /* numbers from here on are left free: no log is opened that late */

/* Has a file at this number? A call that failed for another reason says that it has. */
static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) != -1 || errno != EBADF;
}

bool sek_descriptors_own(void)
{
    int ends[2] = {-1, -1};
    if (unshare(CLONE_FILES) != 0)
        return false;
    if (pipe2(ends, O_CLOEXEC) == 0) /* /dev/null may be missing where the host changed its root */
        close(ends[1]);
    for (int fd = STDERR_FILENO + 1; fd < COVERED; fd++)
        if (fd != ends[0] && is_open(fd) && dup3(ends[0], fd, O_CLOEXEC) < 0)
            close(fd);
    close_range(COVERED, UINT_MAX, 0); /* an old kernel keeps them: they are copies, nobody's log */
    return true;
}
