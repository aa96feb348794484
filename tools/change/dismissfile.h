/* SPDX-License-Identifier: BSD-3-Clause */
/* Dismissed findings: kept in policy.db (store/dismissaldb.h), told to the resolver by a file
 * (event/dismissed.h). One thread. */
#pragma once
#include "conf/conf.h"
#include "store/dismissaldb.h"

/* Write the file as the database is now. Whoever commits last writes last. */
enum sek_err sek_dismissfile_publish(const struct sek_conf *conf, struct sek_policydb *db,
                                     struct sek_diag *diag);
/* The findings that are dismissed now: those of the database; as long as no command wrote any
 * there, those that an earlier version left in the file. *out is the caller's. */
enum sek_err sek_dismissfile_read(const struct sek_conf *conf, struct sek_policydb *db,
                                  struct sek_dismissed *out, bool *out_adopted,
                                  struct sek_diag *diag);
