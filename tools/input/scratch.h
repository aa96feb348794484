/* SPDX-License-Identifier: BSD-3-Clause */
/* A database for the length of a command, in a folder of its own below $TMPDIR. One thread. */
#pragma once
#include "base/err.h"

struct sek_scratch {
    char dir[480], db[512]; /* "": there is none */
};

/* The database's path, where no file is yet. */
enum sek_err sek_scratch_new(struct sek_scratch *s, struct sek_diag *diag);
/* Remove folder and database. */
void sek_scratch_free(struct sek_scratch *s);
/* Remove a database that no process has open, with what SQLite keeps beside it. */
enum sek_err sek_scratch_remove_db(const char *path, struct sek_diag *diag);
