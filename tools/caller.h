/* SPDX-License-Identifier: BSD-3-Clause */
/* Files at paths of the caller's own choice. Run by sudo for somebody who is no admin, the command
 * has root's rights for the databases, but such a file, to be read or written, is opened with the
 * rights of the real user (origin.h): else any user with a role could read or replace any file. THE
 * one place of it: whatever opens a path out of an option or argument stands between
 * sek_caller_begin and sek_caller_end (tests/lint/caller.sh). Files of the site, at paths of the
 * settings, are opened outside. Of the thread that calls; what it opened stays open. One thread. */
#pragma once
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Does nothing where this process is not root. Before any file at a caller's path is opened. */
void sek_caller_bind(uid_t uid);
bool sek_caller_is_bound(void);
/* All that this command opens from here on is the site's. */
void sek_caller_unbind(void);
/* Whose the files are that are made between begin and end. */
uid_t sek_caller_uid(void);

/* Nothing in between may return past the end; they may be nested. Ends the process where the rights
 * cannot be had. */
void sek_caller_begin(void);
void sek_caller_end(void);

/* Replace the file there as a whole (base/file.h) with the caller's rights. */
enum sek_err sek_caller_put(const char *path, mode_t mode, const char *text, size_t len,
                            struct sek_diag *diag);
