/* SPDX-License-Identifier: BSD-3-Clause */
/* A tar archive of plain files (POSIX.1-1988 ustar), which every tar reads. One thread. */
#pragma once
#include "base/file.h"
#include <stdint.h>

/* name: at most 99 octets. From fd's beginning; its size at the time counts. LIMIT for a longer
 * name or a file of 8 GiB. */
enum sek_err sek_ustar_add(const struct sek_file_new *tar, const char *name, int fd, int64_t time_s,
                           struct sek_diag *diag);
/* Two empty blocks. */
enum sek_err sek_ustar_end(const struct sek_file_new *tar, struct sek_diag *diag);
