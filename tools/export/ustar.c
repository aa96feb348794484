/* SPDX-License-Identifier: BSD-3-Clause */
#include "ustar.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/banned.h"

#define BLOCK 512
#define SIZE_MAX_OCTETS 077777777777LL /* eleven octal digits */

struct header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type, link[100], magic[6],
        version[2], user[32], group[32], major[8], minor[8], prefix[155], pad[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a header is a block");

enum sek_err sek_ustar_add(const struct sek_file_new *tar, const char *name, int fd, int64_t time_s,
                           struct sek_diag *diag)
{
    struct header h = {.type = '0', .magic = "ustar", .version = {'0', '0'}};
    struct stat st;
    char data[32 * BLOCK];
    if (fstat(fd, &st))
        return sek_diag_set(diag, SEK_E_IO, "%s: %s", name, strerrordesc_np(errno));
    if (strlen(name) >= sizeof h.name || st.st_size > SIZE_MAX_OCTETS)
        return sek_diag_set(diag, SEK_E_LIMIT, "%.120s: too long for a tar file", name);
    memcpy(h.name, name, strlen(name));
    snprintf(h.mode, sizeof h.mode, "%07o", 0600);
    snprintf(h.uid, sizeof h.uid, "%07o", 0);
    snprintf(h.gid, sizeof h.gid, "%07o", 0);
    snprintf(h.size, sizeof h.size, "%011llo", (unsigned long long)st.st_size);
    snprintf(h.mtime, sizeof h.mtime, "%011llo", (unsigned long long)time_s & SIZE_MAX_OCTETS);
    memset(h.sum, ' ', sizeof h.sum);
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof h; i++)
        sum += ((const unsigned char *)&h)[i];
    snprintf(h.sum, sizeof h.sum, "%06o", sum & 0777777);
    enum sek_err err = sek_file_new_write(tar, &h, sizeof h, diag);
    for (off_t at = 0; !err && at < st.st_size;) {
        ssize_t n = pread(fd, data, sizeof data, at);
        if (n <= 0)
            return sek_diag_set(diag, SEK_E_IO, "%s: it became shorter", name);
        if (at + n > st.st_size)
            n = (ssize_t)(st.st_size - at);
        at += n;
        err = sek_file_new_write(tar, data, (size_t)n, diag);
    }
    size_t rest = (size_t)(st.st_size % BLOCK);
    memset(data, 0, BLOCK);
    return err || rest == 0 ? err : sek_file_new_write(tar, data, BLOCK - rest, diag);
}

enum sek_err sek_ustar_end(const struct sek_file_new *tar, struct sek_diag *diag)
{
    static const char empty[2 * BLOCK];
    return sek_file_new_write(tar, empty, sizeof empty, diag);
}
