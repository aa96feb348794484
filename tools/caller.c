/* SPDX-License-Identifier: BSD-3-Clause */
#include "caller.h"
#include "base/file.h"
#include "tools/print/talk.h"
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/banned.h"

#define GROUPS_MAX 1024
#define NO_GROUP ((gid_t)65534)

struct rights {
    uid_t uid;
    gid_t gid;
    gid_t groups[GROUPS_MAX];
    int n_groups;
};

static struct {
    bool bound;
    unsigned depth;
    struct rights own, callers;
} caller;

void sek_caller_bind(uid_t uid)
{
    struct passwd entry, *found = NULL;
    char room[4096];
    struct rights *r = &caller.callers;
    if (geteuid() != 0 || uid == 0)
        return;
    caller.bound = true;
    *r = (struct rights){.uid = uid, .gid = NO_GROUP};
    if (getpwuid_r(uid, &entry, room, sizeof room, &found) || !found)
        return;
    r->gid = found->pw_gid;
    r->n_groups = GROUPS_MAX;
    if (getgrouplist(found->pw_name, found->pw_gid, r->groups, &r->n_groups) < 0)
        r->n_groups = GROUPS_MAX; /* more than that: the first ones count */
}

void sek_caller_unbind(void)
{
    caller.bound = false;
}

bool sek_caller_is_bound(void)
{
    return caller.bound;
}

uid_t sek_caller_uid(void)
{
    return caller.bound ? caller.callers.uid : geteuid();
}

/* The system's call itself: the C library's makes all threads take the groups. */
static bool set_groups(const struct rights *r)
{
#ifdef SYS_setgroups32
    return syscall(SYS_setgroups32, (size_t)r->n_groups, r->groups) == 0;
#else
    return syscall(SYS_setgroups, (size_t)r->n_groups, r->groups) == 0;
#endif
}

/* The rights about files only (setfsuid(2)), which take root's capabilities about files with them:
 * the caller gets no hold of the process, as he would by seteuid(2). Those calls tell what was
 * before, and nothing else: what is so now is asked for by one that cannot succeed. */
static bool take(const struct rights *r)
{
    if (!set_groups(r))
        return false;
    setfsgid(r->gid);
    setfsuid(r->uid);
    return (gid_t)setfsgid((gid_t)-1) == r->gid && (uid_t)setfsuid((uid_t)-1) == r->uid;
}

static void take_or_end(const struct rights *r)
{
    if (take(r))
        return;
    sek_talk("cannot take the rights of user %u about files", (unsigned)r->uid);
    _exit(1);
}

void sek_caller_begin(void)
{
    struct rights *own = &caller.own;
    if (!caller.bound || caller.depth++ > 0)
        return;
    own->uid = geteuid();
    own->gid = getegid();
    own->n_groups = getgroups(GROUPS_MAX, own->groups);
    if (own->n_groups < 0)
        own->n_groups = 0;
    take_or_end(&caller.callers);
}

void sek_caller_end(void)
{
    int errnum = errno;
    if (caller.bound && --caller.depth == 0)
        take_or_end(&caller.own);
    errno = errnum;
}

enum sek_err sek_caller_put(const char *path, mode_t mode, const char *text, size_t len,
                            struct sek_diag *diag)
{
    struct sek_file_new file = {.fd = -1};
    sek_caller_begin();
    enum sek_err err = sek_file_new_open(path, mode, &file, diag);
    if (!err && (err = sek_file_write(file.fd, text, len, diag)))
        sek_diag_wrap(diag, "%s", path);
    if (!err)
        err = sek_file_new_commit(&file, diag);
    sek_file_new_abort(&file);
    sek_caller_end();
    return err;
}
