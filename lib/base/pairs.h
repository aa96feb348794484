/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables that people keep as text: a row "first<TAB>second" a line, whatever follows behind another
 * tab. Empty lines and those that begin with # are no rows. Any thread. */
#pragma once
#include "base/err.h"
#include <stddef.h>

struct sek_pairs {
    const char *shape; /* of a row, to tell who wrote another one: "name<TAB>kind" */
    const char *none;  /* said of a file without a row: "it has no name" */
    size_t max_octets; /* of the file */
    /* Takes a row; other than OK ends the reading. */
    enum sek_err (*row)(void *arg, const char *first, const char *second, struct sek_diag *diag);
    void *arg;
};
/* The file at a path of the administrator's own (sek_file_open_trusted). What is wrong is told with
 * the path and the line; rows before it were taken. INVALID: another shape, a NUL octet, no row;
 * LIMIT: too large. */
enum sek_err sek_pairs_read(const char *path, const struct sek_pairs *pairs, struct sek_diag *diag);
