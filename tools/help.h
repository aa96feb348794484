/* SPDX-License-Identifier: BSD-3-Clause */
/* Usage and help, printed from the tables in tools/command.c. One thread. */
#pragma once
#include "command.h"
#include <stdio.h>

/* All commands and the global options. */
void sek_help_all(FILE *f);
/* One command with its options and examples. */
void sek_help_command(FILE *f, const struct sek_command *c);
/* The commands that begin with this word ("list"). */
void sek_help_family(FILE *f, const char *word);
/* "usage: …" in one line, for errors. command may be NULL. */
void sek_help_usage(FILE *f, const struct sek_command *c);

/* An option as help and manual show it: "-n, --limit N". out: at least 128 octets. Returns out. */
const char *sek_help_option(const struct sek_arg *row, char *out, size_t size);
