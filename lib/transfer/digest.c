/* SPDX-License-Identifier: BSD-3-Clause */
#include "transfer/digest.h"
#include <errno.h>
#include <openssl/evp.h>
#include <string.h>
#include <unistd.h>
#include "base/banned.h"

enum sek_err sek_digest_file(int fd, uint8_t out[SEK_DIGEST_OCTETS], struct sek_diag *diag)
{
    char piece[64 * 1024];
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    ssize_t n = -1;
    off_t at = 0;
    unsigned len = 0;
    bool good = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1;
    while (good && (n = pread(fd, piece, sizeof piece, at)) > 0) {
        good = EVP_DigestUpdate(md, piece, (size_t)n) == 1;
        at += n;
    }
    int why = errno;
    good = good && n == 0 && EVP_DigestFinal_ex(md, out, &len) == 1 && len == SEK_DIGEST_OCTETS;
    EVP_MD_CTX_free(md);
    if (good)
        return SEK_OK;
    return sek_diag_set(diag, n < 0 ? sek_err_from_errno(why) : SEK_E_NOMEM, "cannot read: %s",
                        n < 0 ? strerrordesc_np(why) : "no SHA-256");
}
