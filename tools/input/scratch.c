/* SPDX-License-Identifier: BSD-3-Clause */
#include "scratch.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/banned.h"

enum sek_err sek_scratch_new(struct sek_scratch *s, struct sek_diag *diag)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(s->dir, sizeof s->dir, "%s/sekisho-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(s->dir)) {
        int errnum = errno;
        sek_diag_set(diag, sek_err_from_errno(errnum), "cannot make the folder %s: %s", s->dir,
                     strerror(errnum));
        s->dir[0] = '\0';
        return sek_err_from_errno(errnum);
    }
    snprintf(s->db, sizeof s->db, "%s/events.db", s->dir);
    return SEK_OK;
}

enum sek_err sek_scratch_remove_db(const char *path, struct sek_diag *diag)
{
    static const char *const ends[] = {"-wal", "-shm", ""};
    for (unsigned i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        char file[4096];
        if (snprintf(file, sizeof file, "%s%s", path, ends[i]) >= (int)sizeof file)
            return sek_diag_set(diag, SEK_E_LIMIT, "%.100s: path too long", path);
        if (unlink(file) != 0 && errno != ENOENT)
            return sek_diag_set(diag, sek_err_from_errno(errno), "%s: cannot remove: %s", file,
                                strerror(errno));
    }
    return SEK_OK;
}

void sek_scratch_free(struct sek_scratch *s)
{
    if (!*s->dir)
        return;
    sek_scratch_remove_db(s->db, NULL);
    rmdir(s->dir);
    s->dir[0] = '\0';
}
