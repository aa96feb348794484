/* SPDX-License-Identifier: BSD-3-Clause */
/* Who runs the command, and from where, for the audit trail and other records: as the kernel tells
 * where it can, and what the environment says only as far as nothing contradicts it. One thread. */
#pragma once
#include "base/buf.h"
#include <sys/types.h>

struct sek_origin {
    char user[64];  /* login name of the real user, "uid 1000" where there is none */
    uid_t uid;      /* of that user */
    char from[256]; /* "pts/3, ssh 192.0.2.9, as root by sudo" */
};

/* The real user: the kernel's login uid, which survives sudo and su and cannot be set by a user;
 * where it is not set (containers, services) behind sudo SUDO_UID, which only counts for root, as
 * others could say anything; else the user's own uid. Where login uid and SUDO_UID differ, `from`
 * says so. The terminal is that of the session (proc(5), stat, tty_nr). The ssh client is that of
 * the outermost process above that has one in its environment (ssh(1), SSH_CONNECTION), as sudo
 * takes it away: a user can forge it, but only before his first shell. */
void sek_origin_read(struct sek_origin *out);

/* What sek_origin_read is made of, for tests. login_uid, sudo_uid: (uid_t)-1 for none. */
uid_t sek_origin_user(uid_t uid, uid_t login_uid, uid_t sudo_uid);
/* "pts/3", "tty1", "ttyS0"; "" for 0, no terminal. Returns out (size >= 32). */
const char *sek_origin_tty(unsigned device, char *out, size_t size);
/* The client's address out of SSH_CONNECTION or SSH_CLIENT: false when it makes no sense. */
bool sek_origin_ssh(const char *text, char *out, size_t size);

/* A command line as text that a shell reads back as it was: words with odd characters in quotes,
 * those that could deceive or drive a terminal as escapes in $'…'. */
void sek_origin_command(char *const *argv, int argc, struct sek_buf *out);
