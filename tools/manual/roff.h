/* SPDX-License-Identifier: BSD-3-Clause */
/* Text for man(7) pages on standard output: what roff takes for its own is escaped. One thread. */
#pragma once
#include <stddef.h>

/* As it stands, without an end of line. */
void sek_roff(const char *text, size_t len);
/* "NAME text" on a line. */
void sek_roff_macro(const char *name, const char *text);
/* A line of running text. */
void sek_roff_line(const char *text);
/* ".TP", and the tag in bold. */
void sek_roff_tag(const char *tag);
/* The lines of a file, or commands: set apart, nothing filled. Each line with its "\n". */
void sek_roff_block(const char *lines);
