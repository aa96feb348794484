/* SPDX-License-Identifier: BSD-3-Clause */
#include "rights.h"
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/banned.h"

enum sek_err sek_rights_of(const char *user, struct sek_rights *out, struct sek_diag *diag)
{
    struct passwd entry, *found = NULL;
    char room[4096];
    if (getpwnam_r(user, &entry, room, sizeof room, &found) || !found)
        return sek_diag_set(diag, SEK_E_NOTFOUND, "there is no user %s", user);
    out->uid = found->pw_uid;
    out->n_groups = SEK_RIGHTS_GROUPS_MAX;
    if (getgrouplist(user, found->pw_gid, out->groups, &out->n_groups) < 0)
        out->n_groups = SEK_RIGHTS_GROUPS_MAX; /* more groups than that: the first ones count */
    return SEK_OK;
}

/* The mode bits that apply, as R_OK | W_OK | X_OK. */
static int granted(const struct sek_rights *r, const struct stat *st)
{
    if (r->uid == 0)
        return R_OK | W_OK | X_OK;
    unsigned bits = st->st_mode & 7U;
    if (st->st_uid == r->uid) {
        bits = st->st_mode >> 6 & 7U;
    } else {
        for (int i = 0; i < r->n_groups; i++)
            if (r->groups[i] == st->st_gid) {
                bits = st->st_mode >> 3 & 7U;
                break;
            }
    }
    return (int)bits; /* R_OK, W_OK, X_OK are 4, 2, 1, as the mode bits are */
}

static bool one(const struct sek_rights *r, const char *path, int mode, struct sek_diag *diag)
{
    struct stat st;
    if (stat(path, &st)) {
        sek_diag_set(diag, sek_err_from_errno(errno), "%s: %s", path, strerror(errno));
        return false;
    }
    if ((granted(r, &st) & mode) == mode)
        return true;
    sek_diag_set(diag, SEK_E_DENIED, "%s: mode %04o, owner %u:%u", path,
                 (unsigned)(st.st_mode & 07777), (unsigned)st.st_uid, (unsigned)st.st_gid);
    return false;
}

bool sek_rights_allow(const struct sek_rights *r, const char *path, int mode, struct sek_diag *diag)
{
    char real[PATH_MAX];
    if (!realpath(path, real)) {
        sek_diag_set(diag, sek_err_from_errno(errno), "%s: %s", path, strerror(errno));
        return false;
    }
    if (!one(r, "/", X_OK, diag))
        return false;
    for (char *slash = strchr(real + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        bool open = one(r, real, X_OK, diag);
        *slash = '/';
        if (!open)
            return false;
    }
    return one(r, real, mode, diag);
}
