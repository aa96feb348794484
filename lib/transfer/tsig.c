/* SPDX-License-Identifier: BSD-3-Clause */
#include "transfer/tsig.h"
#include "name/text.h"
#include <ldns/ldns.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define HEADER 12       /* octets, RFC 1035 §4.1.1 */
#define FUDGE_S 300     /* RFC 8945 §10: recommended */
#define UNSIGNED_MAX 99 /* messages in a row, RFC 8945 §5.3.1 */
#define TSIG_TYPE 250   /* RFC 8945 §4.1 */
#define CLASS_ANY 255

static const struct algorithm {
    const char *name; /* RFC 8945 §6 */
    const char *digest;
    uint8_t mac_len;
} algorithms[] = {
    {"hmac-sha256", "SHA256", 32}, {"hmac-sha512", "SHA512", 64}, {"hmac-sha384", "SHA384", 48},
    {"hmac-sha224", "SHA224", 28}, {"hmac-sha1", "SHA1", 20},
};
#define N_ALGORITHMS (sizeof algorithms / sizeof *algorithms)

struct sek_tsig {
    const struct sek_tsig_key *key;
    struct sek_name algorithm;
    EVP_MAC *hmac;
    EVP_MAC_CTX *digest;           /* of the messages since the last signature, begun with it */
    uint8_t mac[SEK_TSIG_MAC_MAX]; /* the last one: the request's, then the answer's */
    unsigned n_answers, n_unsigned;
};

/* Keys */

enum sek_err sek_tsig_key_from_text(const char *text, size_t len, struct sek_tsig_key *out,
                                    struct sek_diag *diag)
{
    const char *colon = memrchr(text, ':', len);
    if (!colon)
        return sek_diag_set(diag, SEK_E_INVALID, "a key is NAME:ALGORITHM");
    size_t rest = len - (size_t)(colon + 1 - text);
    for (unsigned i = 0; i < N_ALGORITHMS; i++) {
        if (strlen(algorithms[i].name) != rest ||
            strncasecmp(algorithms[i].name, colon + 1, rest) != 0)
            continue;
        out->algorithm = i;
        return sek_name_from_text(text, (size_t)(colon - text), &out->name, diag);
    }
    return sek_diag_set(diag, SEK_E_INVALID,
                        "\"%.*s\" is none of: hmac-sha256, hmac-sha512, hmac-sha384, hmac-sha224, "
                        "hmac-sha1",
                        (int)(rest < 40 ? rest : 40), colon + 1);
}

enum sek_err sek_tsig_secret_from_text(const char *text, size_t len, struct sek_tsig_key *key,
                                       struct sek_diag *diag)
{
    static const char word[] = "secret", blanks[] = " \t\r\n\"";
    char base64[4 * SEK_TSIG_SECRET_MAX / 3 + 8], copy[4096];
    if (len >= sizeof copy)
        return sek_diag_set(diag, SEK_E_INVALID, "too long for a key");
    memcpy(copy, text, len);
    copy[len] = '\0';
    const char *at = strstr(copy, word);
    at = at ? at + strlen(word) : copy;
    at += strspn(at, blanks);
    size_t n = strcspn(at, " \t\r\n\";");
    if (n == 0 || n >= sizeof base64)
        return sek_diag_set(diag, SEK_E_INVALID, "holds no secret in base64");
    memcpy(base64, at, n);
    base64[n] = '\0';
    uint8_t octets[sizeof base64];
    /* whole groups of four; what '=' fills up counts as octets there */
    int n_octets = n % 4 ? -1 : EVP_DecodeBlock(octets, (const uint8_t *)base64, (int)n);
    for (size_t i = n; n_octets > 0 && i > n - 2 && base64[i - 1] == '='; i--)
        n_octets--;
    bool fits = n_octets > 0 && n_octets <= SEK_TSIG_SECRET_MAX;
    if (fits) {
        memcpy(key->secret, octets, (size_t)n_octets);
        key->secret_len = (size_t)n_octets;
    }
    OPENSSL_cleanse(octets, sizeof octets);
    OPENSSL_cleanse(base64, sizeof base64);
    OPENSSL_cleanse(copy, sizeof copy);
    return fits ? SEK_OK : sek_diag_set(diag, SEK_E_INVALID, "holds no secret in base64");
}

/* Digests */

static const struct algorithm *algorithm_of(const struct sek_tsig *t)
{
    return &algorithms[t->key->algorithm];
}

static bool begin(struct sek_tsig *t)
{
    const char *digest = algorithm_of(t)->digest;
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string("digest", (char *)(uintptr_t)digest, 0),
        OSSL_PARAM_construct_end()};
    return EVP_MAC_init(t->digest, t->key->secret, t->key->secret_len, params) == 1;
}

static void add(struct sek_tsig *t, const void *data, size_t n)
{
    EVP_MAC_update(t->digest, data, n);
}

static uint8_t *put(uint8_t *at, uint64_t value, int n_octets)
{
    for (int i = n_octets - 1; i >= 0; i--)
        *at++ = (uint8_t)(value >> (8 * i));
    return at;
}

/* RFC 8945 §5.3.1: a digest goes on from the signature before. */
static bool begin_behind(struct sek_tsig *t)
{
    uint8_t len[2];
    put(len, algorithm_of(t)->mac_len, 2);
    if (!begin(t))
        return false;
    add(t, len, 2);
    add(t, t->mac, algorithm_of(t)->mac_len);
    return true;
}

/* The variables of a signature (RFC 8945 §4.3.3), or only its timers. */
static void add_variables(struct sek_tsig *t, uint64_t time_s, uint16_t fudge_s, uint16_t error,
                          const uint8_t *other, size_t n_other, bool timers_only)
{
    uint8_t part[16], *at = part;
    if (!timers_only) {
        add(t, t->key->name.octets, t->key->name.len);
        at = put(put(at, CLASS_ANY, 2), 0, 4); /* TTL */
        add(t, part, (size_t)(at - part));
        add(t, t->algorithm.octets, t->algorithm.len);
    }
    at = put(put(part, time_s, 6), fudge_s, 2);
    if (!timers_only)
        at = put(put(at, error, 2), n_other, 2);
    add(t, part, (size_t)(at - part));
    if (!timers_only)
        add(t, other, n_other);
}

enum sek_err sek_tsig_new(const struct sek_tsig_key *key, struct sek_tsig **out)
{
    struct sek_tsig *t = calloc(1, sizeof *t);
    if (!t)
        return SEK_E_NOMEM;
    t->key = key;
    t->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    t->digest = t->hmac ? EVP_MAC_CTX_new(t->hmac) : NULL;
    const char *name = algorithm_of(t)->name;
    if (!t->digest || sek_name_from_text(name, strlen(name), &t->algorithm, NULL)) {
        sek_tsig_free(t);
        return SEK_E_NOMEM;
    }
    *out = t;
    return SEK_OK;
}

void sek_tsig_free(struct sek_tsig *t)
{
    if (!t)
        return;
    EVP_MAC_CTX_free(t->digest);
    EVP_MAC_free(t->hmac);
    free(t);
}

enum sek_err sek_tsig_sign(struct sek_tsig *t, uint8_t *msg, size_t *io_len, int64_t now_s,
                           struct sek_diag *diag)
{
    size_t mac_len = algorithm_of(t)->mac_len, n = 0;
    if (!begin(t))
        return sek_diag_set(diag, SEK_E_NOMEM, "no HMAC by %s", algorithm_of(t)->digest);
    add(t, msg, *io_len);
    add_variables(t, (uint64_t)now_s, FUDGE_S, 0, NULL, 0, false);
    if (EVP_MAC_final(t->digest, t->mac, &n, sizeof t->mac) != 1 || n != mac_len)
        return sek_diag_set(diag, SEK_E_NOMEM, "no HMAC by %s", algorithm_of(t)->digest);
    uint8_t *at = msg + *io_len;
    memcpy(at, t->key->name.octets, t->key->name.len);
    at = put(put(put(at + t->key->name.len, TSIG_TYPE, 2), CLASS_ANY, 2), 0, 4);
    at = put(at, t->algorithm.len + 6U + 2 + 2 + mac_len + 2 + 2 + 2, 2);
    memcpy(at, t->algorithm.octets, t->algorithm.len);
    at = put(put(put(at + t->algorithm.len, (uint64_t)now_s, 6), FUDGE_S, 2), mac_len, 2);
    memcpy(at, t->mac, mac_len);
    at = put(at + mac_len, ((uint64_t)msg[0] << 8) | msg[1], 2); /* original ID */
    at = put(put(at, 0, 2), 0, 2);                               /* error, other data */
    *io_len = (size_t)(at - msg);
    unsigned n_additional = ((unsigned)msg[10] << 8 | msg[11]) + 1;
    put(msg + 10, n_additional, 2);
    t->n_answers = t->n_unsigned = 0;
    return begin_behind(t) ? SEK_OK : sek_diag_set(diag, SEK_E_NOMEM, "no HMAC");
}

/* Checking */

struct signature {
    struct sek_name key, algorithm;
    uint64_t time_s;
    uint16_t fudge_s, original_id, error;
    const uint8_t *mac, *other;
    size_t mac_len, n_other;
};

static uint64_t number(const uint8_t *at, size_t n)
{
    uint64_t v = 0;
    while (n--)
        v = v << 8 | *at++;
    return v;
}

static bool name_of(const ldns_rdf *rdf, struct sek_name *out)
{
    return rdf && sek_name_from_wire(ldns_rdf_data(rdf), ldns_rdf_size(rdf), out) == SEK_OK;
}

/* The fields of a TSIG record, which they borrow from. False if it is none. */
static bool signature_of(const ldns_rr *rr, struct signature *out)
{
    if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_TSIG || ldns_rr_rd_count(rr) != 7 ||
        (int)ldns_rr_get_class(rr) != CLASS_ANY || ldns_rr_ttl(rr) != 0) /* RFC 8945 §4.2 */
        return false;
    const uint8_t *field[7];
    size_t size[7];
    for (size_t i = 0; i < 7; i++) {
        field[i] = ldns_rdf_data(ldns_rr_rdf(rr, i));
        size[i] = ldns_rdf_size(ldns_rr_rdf(rr, i));
    }
    if (!name_of(ldns_rr_owner(rr), &out->key) || !name_of(ldns_rr_rdf(rr, 0), &out->algorithm) ||
        size[1] != 6 || size[2] != 2 || size[3] < 2 || size[4] != 2 || size[5] != 2 || size[6] < 2)
        return false;
    out->time_s = number(field[1], 6);
    out->fudge_s = (uint16_t)number(field[2], 2);
    out->mac = field[3] + 2;
    out->mac_len = size[3] - 2;
    out->original_id = (uint16_t)number(field[4], 2);
    out->error = (uint16_t)number(field[5], 2);
    out->other = field[6] + 2;
    out->n_other = size[6] - 2;
    return true;
}

static enum sek_err refuse(struct sek_diag *diag, const char *why)
{
    return sek_diag_set(diag, SEK_E_REFUSED, "TSIG: %s", why);
}

/* What the primary says of our signature (RFC 8945 §5.3.2). */
static enum sek_err said(struct sek_diag *diag, uint16_t error)
{
    switch (error) {
    case 16:
        return refuse(diag,
                      "the primary calls the signature wrong (BADSIG): is it the same secret?");
    case 17:
        return refuse(diag, "the primary does not know the key (BADKEY): are name and algorithm "
                            "the same?");
    case 18:
        return refuse(diag, "the clocks of the primary and this machine differ (BADTIME)");
    default:
        return sek_diag_set(diag, SEK_E_REFUSED, "TSIG: the primary says error %u", error);
    }
}

static enum sek_err signature_check(struct sek_tsig *t, const uint8_t *msg, size_t at,
                                    const struct signature *s, int64_t now_s, struct sek_diag *diag)
{
    uint8_t header[HEADER], mac[SEK_TSIG_MAC_MAX];
    size_t n = 0;
    if (s->error && s->mac_len == 0)
        return said(diag, s->error);
    if (sek_name_compare(&s->key, &t->key->name) != 0 ||
        sek_name_compare(&s->algorithm, &t->algorithm) != 0)
        return refuse(diag, "the answer is signed by another key or algorithm");
    if (s->mac_len != algorithm_of(t)->mac_len)
        return refuse(diag, "the answer's signature is cut short");
    memcpy(header, msg, sizeof header);
    put(header, s->original_id, 2);
    unsigned n_additional = ((unsigned)msg[10] << 8 | msg[11]) - 1;
    put(header + 10, n_additional, 2);
    add(t, header, sizeof header);
    add(t, msg + HEADER, at - HEADER);
    add_variables(t, s->time_s, s->fudge_s, s->error, s->other, s->n_other, t->n_answers > 0);
    if (EVP_MAC_final(t->digest, mac, &n, sizeof mac) != 1 || n != s->mac_len ||
        CRYPTO_memcmp(mac, s->mac, n) != 0)
        return refuse(diag, "the answer's signature is wrong: is it the same secret?");
    if (s->error)
        return said(diag, s->error);
    uint64_t now = (uint64_t)now_s;
    if ((now > s->time_s ? now - s->time_s : s->time_s - now) > s->fudge_s)
        return refuse(diag, "the answer's time is too far from ours: are both clocks right?");
    memcpy(t->mac, mac, n);
    return SEK_OK;
}

enum sek_err sek_tsig_check(struct sek_tsig *t, const uint8_t *msg, size_t len, size_t at,
                            int64_t now_s, struct sek_diag *diag)
{
    if (at == 0) {
        if (t->n_answers == 0)
            return refuse(diag, "the answer is not signed");
        if (++t->n_unsigned > UNSIGNED_MAX)
            return refuse(diag, "100 messages in a row are not signed");
        t->n_answers++;
        add(t, msg, len);
        return SEK_OK;
    }
    ldns_rr *rr = NULL;
    struct signature s;
    size_t pos = at;
    enum sek_err err = SEK_OK;
    if (at < HEADER || at >= len ||
        ldns_wire2rr(&rr, msg, len, &pos, LDNS_SECTION_ADDITIONAL) != LDNS_STATUS_OK ||
        pos != len || !signature_of(rr, &s))
        err = refuse(diag, "the answer's signature is malformed");
    else
        err = signature_check(t, msg, at, &s, now_s, diag);
    ldns_rr_free(rr);
    if (err)
        return err;
    t->n_answers++;
    t->n_unsigned = 0;
    return begin_behind(t) ? SEK_OK : sek_diag_set(diag, SEK_E_NOMEM, "no HMAC");
}

bool sek_tsig_is_complete(const struct sek_tsig *t)
{
    return t->n_answers > 0 && t->n_unsigned == 0;
}
