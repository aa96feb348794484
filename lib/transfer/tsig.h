/* SPDX-License-Identifier: BSD-3-Clause */
/* Transaction signatures of DNS messages (TSIG, RFC 8945) by a shared key: signing a request, and
 * checking the stream of messages that answers it, of which up to 99 in a row may be unsigned
 * (§5.3.1). A secret is never printed. One thread. */
#pragma once
#include "name/name.h"

#define SEK_TSIG_SECRET_MAX 128 /* octets; longer ones add nothing (RFC 2104 §3) */
#define SEK_TSIG_MAC_MAX 64     /* of SHA-512 */
#define SEK_TSIG_RR_MAX 700     /* octets that signing adds to a message: two names and a MAC */

struct sek_tsig_key {
    struct sek_name name;
    unsigned algorithm; /* row of the table of algorithms */
    uint8_t secret[SEK_TSIG_SECRET_MAX];
    size_t secret_len;
};

/* "NAME:ALGORITHM", e.g. "feed.example:hmac-sha256"; known: hmac-sha1, -sha224, -sha256, -sha384,
 * -sha512. The secret is not touched. */
enum sek_err sek_tsig_key_from_text(const char *text, size_t len, struct sek_tsig_key *out,
                                    struct sek_diag *diag);
/* The secret in base64 (RFC 4648 §4), alone, or as BIND writes a key: secret "…". */
enum sek_err sek_tsig_secret_from_text(const char *text, size_t len, struct sek_tsig_key *key,
                                       struct sek_diag *diag);

struct sek_tsig;
/* key: borrowed. NOMEM. */
enum sek_err sek_tsig_new(const struct sek_tsig_key *key, struct sek_tsig **out);
void sek_tsig_free(struct sek_tsig *t);
/* Sign a request: msg has room for SEK_TSIG_RR_MAX more octets; *io_len grows. now_s: Unix time. */
enum sek_err sek_tsig_sign(struct sek_tsig *t, uint8_t *msg, size_t *io_len, int64_t now_s,
                           struct sek_diag *diag);
/* The next message of the answer. at: offset of its TSIG record, 0 for none. REFUSED when the
 * signature, the time or the key is wrong, or the primary says so; then nothing of the answer may
 * be used. */
enum sek_err sek_tsig_check(struct sek_tsig *t, const uint8_t *msg, size_t len, size_t at,
                            int64_t now_s, struct sek_diag *diag);
/* The answer is over: was its last message signed? */
bool sek_tsig_is_complete(const struct sek_tsig *t);
