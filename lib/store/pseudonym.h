/* SPDX-License-Identifier: BSD-3-Clause */
/* How endpoints are called where their addresses must not be told: "p-" and 16 hexadecimal digits,
 * the first 64 bits of HMAC-SHA-256 (RFC 2104, FIPS 180-4) over "sekisho.endpoint/1" and the 16
 * octets of the address. Whoever lacks the key cannot tell the address, nor try out all; with
 * another key every pseudonym is another one. The key is a file of its own, outside the databases,
 * that only its owner may read. Any thread. */
#pragma once
#include "base/addr.h"

#define SEK_PSEUDONYM_KEY 32 /* octets */
#define SEK_PSEUDONYM_MAX 20 /* octets of a pseudonym with its end */

/* Make the file (0600) with a random key. EXISTS unless `replace`. note: called when all is written
 * but the earlier key still in its place, which it keeps where this fails. May be NULL. */
typedef enum sek_err sek_key_note_fn(void *arg);
enum sek_err sek_pseudonym_key_make(const char *path, bool replace, sek_key_note_fn *note,
                                    void *arg, struct sek_diag *diag);
/* DENIED also where others than its owner may read or write it; CORRUPT: it holds no key. */
enum sek_err sek_pseudonym_key_read(const char *path, uint8_t out[SEK_PSEUDONYM_KEY],
                                    struct sek_diag *diag);
/* Returns out. */
const char *sek_pseudonym(const uint8_t key[SEK_PSEUDONYM_KEY], const struct sek_addr *endpoint,
                          char out[SEK_PSEUDONYM_MAX]);
/* Has it the form of one? */
bool sek_pseudonym_is(const char *text);
