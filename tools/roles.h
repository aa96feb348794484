/* SPDX-License-Identifier: BSD-3-Clause */
/* Roles: what the real user (origin.h) may do, by the Unix groups that roles.* of the settings
 * name. Without any such group whoever gets at the files may do all, as ever. root may do all in
 * any case: it could write policy.db by other means.
 *
 * Whose roles count? Those of the usual settings file (SEKISHO_CONF, which sudo takes away unless
 * it is told otherwise, or /etc/sekisho/sekisho.yaml); of one named by --config only where there is
 * no usual one. Else a user could bring roles of his own, and an admin's rights are needed for
 * --config where there are roles. One thread. */
#pragma once
#include "context.h"
#include "origin.h"

/* The user's role by these settings. */
enum sek_role sek_role_of(const struct sek_conf *conf, const struct sek_origin *who);
/* Has the file any roles at all? */
bool sek_roles_any(const struct sek_conf *conf);

/* What a command needs, by THE table of roles.c: an admin's where that says nothing. */
enum sek_role sek_roles_of_command(const char *words);

/* Before a command runs: may this user run it at all? Settings that cannot be read are the
 * command's to complain of. REFUSED, with c->diag. */
enum sek_err sek_roles_admit(struct sek_context *c);
/* Before it opens policy.db for writing, which may need more. REFUSED, with c->diag. */
enum sek_err sek_roles_admit_writer(struct sek_context *c);
/* Before it makes use of an option that none but an admin may give while the command has root's
 * rights: one that starts a program, or shows what only root may read. REFUSED, with c->diag. */
enum sek_err sek_roles_admit_option(struct sek_context *c, const char *option);
