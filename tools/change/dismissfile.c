/* SPDX-License-Identifier: BSD-3-Clause */
#include "dismissfile.h"
#include "store/audit.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include "base/banned.h"

enum sek_err sek_dismissfile_publish(const struct sek_conf *conf, struct sek_policydb *db,
                                     struct sek_diag *diag)
{
    char path[SEK_CONF_TEXT_MAX + 16];
    struct sek_dismissed set;
    int lock = open(conf->policy.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock < 0 || flock(lock, LOCK_EX) != 0) {
        enum sek_err code = sek_err_from_errno(errno);
        sek_diag_set(diag, code, "%s: %s", conf->policy.dir, strerror(errno));
        if (lock >= 0)
            close(lock);
        return code;
    }
    enum sek_err err = sek_dismissaldb_read(db, &set, diag);
    if (!err)
        err = sek_dismissed_write(&set, sek_dismissed_path(conf->policy.dir, path, sizeof path),
                                  diag);
    sek_dismissed_fini(&set);
    close(lock);
    if (err)
        sek_diag_wrap(diag, "saved in policy.db, but the resolver was not told");
    return err;
}

static bool note_any(void *arg, const struct sek_audit_row *row)
{
    bool *any = arg;
    *any = strncmp(row->verb, "findings ", 9) == 0;
    return !*any;
}

enum sek_err sek_dismissfile_read(const struct sek_conf *conf, struct sek_policydb *db,
                                  struct sek_dismissed *out, bool *out_adopted,
                                  struct sek_diag *diag)
{
    char path[SEK_CONF_TEXT_MAX + 16];
    bool any = false;
    *out_adopted = false;
    enum sek_err err = sek_dismissaldb_read(db, out, diag);
    if (err || out->n)
        return err;
    err = sek_audit_rows(db, &(struct sek_audit_filter){0}, note_any, &any, diag);
    if (err || any)
        return err;
    err = sek_dismissed_read(sek_dismissed_path(conf->policy.dir, path, sizeof path), out, diag);
    *out_adopted = !err && out->n;
    return err;
}
