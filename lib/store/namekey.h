/* SPDX-License-Identifier: BSD-3-Clause */
/* A name as a database key: its labels from the right, each ended by octet 0, so that comparing
 * keys octet by octet is the canonical order of names (RFC 4034 §6.1) and all names below a name
 * are one range of keys. Inside a label octet 0 is kept as 01 01 and octet 1 as 01 02: host names
 * are as long as on the wire. The root is the empty key. Any thread, no allocation. */
#pragma once
#include "name/name.h"

#define SEK_NAMEKEY_MAX (2 * SEK_NAME_MAX) /* every octet escaped */

/* Returns the length. */
size_t sek_namekey_from_name(const struct sek_name *name, uint8_t out[SEK_NAMEKEY_MAX]);
/* SEK_E_CORRUPT when it is no such key. */
enum sek_err sek_namekey_to_name(const void *key, size_t len, struct sek_name *out);
