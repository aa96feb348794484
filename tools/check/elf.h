/* SPDX-License-Identifier: BSD-3-Clause */
/* A few facts read from ELF files of this machine's kind, without loading them. Every offset is
 * checked: a damaged file gives SEK_E_CORRUPT. Any thread. */
#pragma once
#include "base/buf.h"

/* GNU build-id of a program or library as lower-case hex (appended). NOTFOUND when it has none. */
enum sek_err sek_elf_build_id(const char *path, struct sek_buf *out, struct sek_diag *diag);
/* Content of the section with this name, at most 64 KiB (appended). NOTFOUND when there is none. */
enum sek_err sek_elf_section(const char *path, const char *name, struct sek_buf *out,
                             struct sek_diag *diag);
/* True if the octets of `text` occur in the file. */
enum sek_err sek_elf_mentions(const char *path, const char *text, bool *out, struct sek_diag *diag);
