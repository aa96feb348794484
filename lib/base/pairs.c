/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/pairs.h"
#include "base/file.h"
#include <string.h>
#include <unistd.h>
#include "base/banned.h"

static enum sek_err file_read(const char *path, struct sek_buf *out, struct sek_diag *diag)
{
    int fd;
    enum sek_err err = sek_file_open_trusted(path, &fd, diag);
    if (err != SEK_OK)
        return err;
    err = sek_file_read(fd, out, diag);
    close(fd);
    if (err == SEK_OK && out->len && memchr(out->data, 0, out->len))
        err = sek_diag_set(diag, SEK_E_INVALID, "it holds a NUL octet");
    return err == SEK_OK ? SEK_OK : sek_diag_wrap(diag, "%s", path);
}

static bool is_row(const char *line)
{
    return *line != '#' && line[strspn(line, " \t")];
}

/* line: is changed. */
static enum sek_err row_read(const struct sek_pairs *pairs, char *line, struct sek_diag *diag)
{
    char *second = strchr(line, '\t');
    if (!second)
        return sek_diag_set(diag, SEK_E_INVALID, "not \"%s\"", pairs->shape);
    *second++ = '\0';
    second[strcspn(second, "\t")] = '\0';
    return pairs->row(pairs->arg, line, second, diag);
}

enum sek_err sek_pairs_read(const char *path, const struct sek_pairs *pairs, struct sek_diag *diag)
{
    struct sek_buf text;
    unsigned n = 0, n_rows = 0;
    sek_buf_init(&text, pairs->max_octets);
    enum sek_err err = file_read(path, &text, diag);
    for (char *line = text.data, *next; err == SEK_OK && line && *line; line = next) {
        n++;
        next = line + strcspn(line, "\n");
        next += *next ? (*next = '\0', 1) : 0;
        line[strcspn(line, "\r")] = '\0';
        if (!is_row(line))
            continue;
        n_rows++;
        err = row_read(pairs, line, diag);
        if (err != SEK_OK)
            sek_diag_wrap(diag, "%s: line %u", path, n);
    }
    sek_buf_fini(&text);
    if (err == SEK_OK && n_rows == 0)
        err = sek_diag_set(diag, SEK_E_INVALID, "%s: %s", path, pairs->none);
    return err;
}
