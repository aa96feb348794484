/* SPDX-License-Identifier: BSD-3-Clause */
/* The catalogues of policy/lang, as they are in the files: langs.c is written by CMake. */
#pragma once
#include <stddef.h>

struct sek__lang_file {
    const unsigned char *octets;
    size_t len;
};
/* By the ids of sek_lang_names. */
extern const struct sek__lang_file sek__langs[];
