/* SPDX-License-Identifier: BSD-3-Clause */
/* Who can write a file, by owners and modes: the file, and every folder above it, in which somebody
 * could put another in its place. Access control lists are not asked. Any thread. */
#pragma once
#include "base/err.h"

/* REFUSED, with a diag that names the place and the mode, when anybody but its owners and root can;
 * then diag is "… may be written by its group and others (mode 0666)". NOTFOUND when it is not
 * there. SEK_OK: out (size >= 256) says whose it is: "root", "root, alice". */
enum sek_err sek_ownership_check(const char *path, char *out_owners, unsigned size,
                                 struct sek_diag *diag);
