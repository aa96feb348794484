/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/pseudonym.h"
#include "base/file.h"
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/banned.h"

#define HEAD "sekisho.privacy-key/1 "
#define DIGITS 16
static const char what[] = "sekisho.endpoint/1";

enum sek_err sek_pseudonym_key_make(const char *path, bool replace, sek_key_note_fn *note,
                                    void *arg, struct sek_diag *diag)
{
    uint8_t key[SEK_PSEUDONYM_KEY];
    char text[sizeof HEAD + 2 * SEK_PSEUDONYM_KEY + 1];
    struct sek_file_new file;
    if (!replace && access(path, F_OK) == 0)
        return sek_diag_set(diag, SEK_E_EXISTS,
                            "%s: is there already; with another key every "
                            "pseudonym becomes another one (--replace)",
                            path);
    if (getrandom(key, sizeof key, 0) != (ssize_t)sizeof key)
        return sek_diag_set(diag, SEK_E_IO, "no random numbers");
    enum sek_err err = sek_file_new_open(path, 0600, &file, diag);
    if (err)
        return err;
    int at = snprintf(text, sizeof text, HEAD);
    for (size_t i = 0; i < sizeof key; i++)
        at += snprintf(text + at, sizeof text - (size_t)at, "%02x", key[i]);
    text[at++] = '\n';
    err = sek_file_new_write(&file, text, (size_t)at, diag);
    explicit_bzero(key, sizeof key);
    explicit_bzero(text, sizeof text);
    if (!err && note)
        err = note(arg);
    if (!err)
        err = sek_file_new_commit(&file, diag);
    sek_file_new_abort(&file);
    return err;
}

static bool read_key(const char *text, uint8_t out[SEK_PSEUDONYM_KEY])
{
    size_t head = strlen(HEAD);
    if (strncmp(text, HEAD, head) != 0 || strlen(text) != head + 2 * SEK_PSEUDONYM_KEY + 1 ||
        text[head + 2 * SEK_PSEUDONYM_KEY] != '\n')
        return false;
    for (size_t i = 0; i < SEK_PSEUDONYM_KEY; i++) {
        unsigned octet;
        const char *digits = text + head + 2 * i;
        if (strspn(digits, "0123456789abcdef") < 2 || sscanf(digits, "%2x", &octet) != 1)
            return false;
        out[i] = (uint8_t)octet;
    }
    return true;
}

enum sek_err sek_pseudonym_key_read(const char *path, uint8_t out[SEK_PSEUDONYM_KEY],
                                    struct sek_diag *diag)
{
    struct sek_buf text;
    struct stat st;
    int fd;
    enum sek_err err = sek_file_open_regular(path, &fd, diag);
    if (err == SEK_E_NOTFOUND)
        return sek_diag_set(diag, err, "%s: there is no key; sekisho privacy key makes one", path);
    if (err)
        return err;
    sek_buf_init(&text, 256);
    if (fstat(fd, &st) != 0 || (st.st_mode & 077) != 0)
        err = sek_diag_set(diag, SEK_E_DENIED,
                           "%s: others may read or write it, so it is no secret: chmod 600", path);
    if (!err)
        err = sek_file_read(fd, &text, diag);
    if (err == SEK_E_LIMIT || (!err && !(text.data && read_key(text.data, out))))
        err = sek_diag_set(diag, SEK_E_CORRUPT, "%s: holds no key", path);
    close(fd);
    if (text.data)
        explicit_bzero(text.data, text.len);
    sek_buf_fini(&text);
    return err;
}

const char *sek_pseudonym(const uint8_t key[SEK_PSEUDONYM_KEY], const struct sek_addr *endpoint,
                          char out[SEK_PSEUDONYM_MAX])
{
    uint8_t text[sizeof what - 1 + sizeof endpoint->octets], mac[EVP_MAX_MD_SIZE] = {0};
    unsigned n = 0;
    memcpy(text, what, sizeof what - 1);
    memcpy(text + sizeof what - 1, endpoint->octets, sizeof endpoint->octets);
    /* fails for want of memory only: then all are called the same, none by its address */
    HMAC(EVP_sha256(), key, SEK_PSEUDONYM_KEY, text, sizeof text, mac, &n);
    snprintf(out, SEK_PSEUDONYM_MAX, "p-%02x%02x%02x%02x%02x%02x%02x%02x", mac[0], mac[1], mac[2],
             mac[3], mac[4], mac[5], mac[6], mac[7]);
    return out;
}

bool sek_pseudonym_is(const char *text)
{
    return strncmp(text, "p-", 2) == 0 && strlen(text) == 2 + DIGITS &&
           strspn(text + 2, "0123456789abcdef") == DIGITS;
}
