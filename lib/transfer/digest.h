/* SPDX-License-Identifier: BSD-3-Clause */
/* SHA-256 (FIPS 180-4) of what a file holds, to tell whether it is the same as before. Any thread.
 */
#pragma once
#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>

#define SEK_DIGEST_OCTETS 32

/* From the file's beginning, wherever it stands; that does not change. */
enum sek_err sek_digest_file(int fd, uint8_t out[SEK_DIGEST_OCTETS], struct sek_diag *diag);
