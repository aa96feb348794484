/* SPDX-License-Identifier: BSD-3-Clause */
/* Public suffixes and registered domains (RFC 8499 §2: the name one label below a public suffix),
 * by the Public Suffix List with its ICANN and private sections. The only user of libpsl. A struct
 * sek_suffix is immutable once open: any thread may query it. */
#pragma once
#include "name/name.h"

struct sek_suffix;

/* path: a public_suffix_list.dat or .dafsa; NULL = the system's newest, else libpsl's built-in one.
 * Reading the text form takes about 30 ms and 1.5 MiB; it answers faster than the compiled one. */
enum sek_err sek_suffix_open(const char *path, struct sek_suffix **out, struct sek_diag *diag);
void sek_suffix_close(struct sek_suffix *s);
/* Version for records, e.g. the file's date "2023-02-09"; static for the object's life. */
const char *sek_suffix_version(const struct sek_suffix *s);

/* True for a public suffix: listed, the owner of a listed wildcard ("ck" of "*.ck"), the root, and
 * every top-level domain, listed or not. Names that merely have suffixes below them (amazonaws.com)
 * are not. */
bool sek_suffix_is_public(const struct sek_suffix *s, const struct sek_name *name);
/* How many left-most labels to remove to reach the registered domain: 0 when the name is it. Names
 * that are public suffixes themselves, the root, and single-label names give -1. 0.2 to 1 µs,
 * growing with the number of labels up to nine: for the collector and the command, not for the
 * answer path. */
int sek_suffix_registered(const struct sek_suffix *s, const struct sek_name *name);
