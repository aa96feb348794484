/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the classifier's model lies. Any thread. */
#pragma once
#include <stddef.h>

/* "../share/sekisho/dga.model" seen from the folder of this program: so it stands both after
 * installation and in the build tree. Returns out. */
const char *sek_modelfile_path(char *out, size_t size);
