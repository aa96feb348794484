/* SPDX-License-Identifier: BSD-3-Clause */
#include "ownership.h"
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/banned.h"

#define BY_OTHERS (S_IWGRP | S_IWOTH)

/* Each owner once, root first as it may anything. */
static void owner_add(uid_t uid, char *out, unsigned size)
{
    struct passwd entry, *found = NULL;
    char room[4096], name[64], padded[300], wanted[80];
    if (uid == 0)
        return;
    snprintf(name, sizeof name, "uid %u", (unsigned)uid);
    if (!getpwuid_r(uid, &entry, room, sizeof room, &found) && found)
        snprintf(name, sizeof name, "%s", found->pw_name);
    snprintf(padded, sizeof padded, "%s,", out);
    snprintf(wanted, sizeof wanted, ", %s,", name);
    if (!strstr(padded, wanted))
        snprintf(out + strlen(out), size - strlen(out), ", %s", name);
}

/* In a folder with the sticky bit nobody can put another file in the place of one that is not his
 * (unlink(2), EPERM). */
static enum sek_err one(const char *path, bool is_file, char *out, unsigned size,
                        struct sek_diag *diag)
{
    struct stat st;
    if (stat(path, &st))
        return sek_diag_set(diag, sek_err_from_errno(errno), "%s: %s", path, strerror(errno));
    bool guarded = !is_file && (st.st_mode & S_ISVTX);
    if ((st.st_mode & BY_OTHERS) && !guarded)
        return sek_diag_set(diag, SEK_E_REFUSED, "%s may be written by %s%s%s (mode %04o)", path,
                            st.st_mode & S_IWGRP ? "its group" : "",
                            (st.st_mode & BY_OTHERS) == BY_OTHERS ? " and " : "",
                            st.st_mode & S_IWOTH ? "everybody" : "",
                            (unsigned)(st.st_mode & 07777));
    owner_add(st.st_uid, out, size);
    return SEK_OK;
}

enum sek_err sek_ownership_check(const char *path, char *out_owners, unsigned size,
                                 struct sek_diag *diag)
{
    char real[PATH_MAX];
    if (!realpath(path, real))
        return sek_diag_set(diag, sek_err_from_errno(errno), "%s: %s", path, strerror(errno));
    snprintf(out_owners, size, "root");
    enum sek_err err = one(real, true, out_owners, size, diag);
    for (char *slash = strrchr(real, '/'); !err && slash; slash = strrchr(real, '/')) {
        *slash = '\0';
        err = one(*real ? real : "/", false, out_owners, size, diag);
    }
    return err;
}
