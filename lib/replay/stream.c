/* SPDX-License-Identifier: BSD-3-Clause */
#include "replay/stream.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include "base/banned.h"

struct sek_stream {
    gzFile gz;
    const char *label;
    uint64_t size, n_lines;
    size_t from, to; /* what is left in the window */
    bool ended;
    char window[SEK_STREAM_WINDOW + 1];
    char path[];
};

static enum sek_err open_fd(struct sek_stream *in, int fd, struct sek_diag *diag)
{
    struct stat st;

    if (fd < 0)
        return sek_diag_set(diag, sek_err_from_errno(errno), "%s: cannot open: %s", in->label,
                            strerrordesc_np(errno));
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        close(fd);
        return sek_diag_set(diag, SEK_E_INVALID, "%s: is a folder, not a file", in->label);
    }
    if (S_ISREG(st.st_mode))
        in->size = (uint64_t)st.st_size;
    in->gz = gzdopen(fd, "rb");
    if (in->gz) {
        gzbuffer(in->gz, SEK_STREAM_WINDOW / 2);
        return SEK_OK;
    }
    close(fd);
    return sek_diag_set(diag, SEK_E_NOMEM, "%s: no memory to read it", in->label);
}

enum sek_err sek_stream_open(const char *path, struct sek_stream **out, struct sek_diag *diag)
{
    bool is_stdin = strcmp(path, "-") == 0;
    struct sek_stream *in = calloc(1, sizeof *in + strlen(path) + 1);

    if (!in)
        return sek_diag_set(diag, SEK_E_NOMEM, "%s: no memory to read it", path);
    memcpy(in->path, path, strlen(path) + 1);
    in->label = is_stdin ? "standard input" : in->path;
    enum sek_err err =
        open_fd(in, is_stdin ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC), diag);
    if (err)
        free(in);
    else
        *out = in;
    return err;
}

void sek_stream_close(struct sek_stream *in)
{
    if (in)
        gzclose_r(in->gz);
    free(in);
}

const char *sek_stream_label(const struct sek_stream *in)
{
    return in->label;
}

uint64_t sek_stream_n_lines(const struct sek_stream *in)
{
    return in->n_lines;
}

uint64_t sek_stream_octets(const struct sek_stream *in, uint64_t *out_size)
{
    z_off_t at = gzoffset(in->gz);

    if (out_size)
        *out_size = in->size;
    return at > 0 ? (uint64_t)at : 0;
}

static enum sek_err cannot_read(struct sek_stream *in, struct sek_diag *diag)
{
    int code, errnum = errno;

    gzerror(in->gz, &code);
    in->ended = true;
    if (code == Z_ERRNO)
        return sek_diag_set(diag, SEK_E_IO, "%s: cannot read: %s", in->label,
                            strerrordesc_np(errnum));
    return sek_diag_set(diag, SEK_E_IO, "%s: the gzip file is damaged or cut off", in->label);
}

/* Read on, until the window is full or the file at its end. What was read in front of an error is
 * given first. */
static enum sek_err fill(struct sek_stream *in, struct sek_diag *diag)
{
    if (in->ended || in->to - in->from == SEK_STREAM_WINDOW)
        return SEK_OK;
    memmove(in->window, in->window + in->from, in->to - in->from);
    in->to -= in->from;
    in->from = 0;
    while (!in->ended && in->to < SEK_STREAM_WINDOW) {
        int n = gzread(in->gz, in->window + in->to, (unsigned)(SEK_STREAM_WINDOW - in->to));
        int code = Z_OK;
        if (n > 0) {
            in->to += (size_t)n;
            continue;
        }
        gzerror(in->gz, &code);
        if (code != Z_OK && code != Z_STREAM_END && in->to > 0)
            return SEK_OK;
        if (code != Z_OK && code != Z_STREAM_END)
            return cannot_read(in, diag);
        in->ended = true;
    }
    return SEK_OK;
}

int sek_stream_peek(struct sek_stream *in, const uint8_t **out, struct sek_diag *diag)
{
    enum sek_err err = fill(in, diag);

    *out = (const uint8_t *)in->window + in->from;
    return err ? (int)err : (int)(in->to - in->from);
}

int sek_stream_some(struct sek_stream *in, void *out, size_t n, struct sek_diag *diag)
{
    if (in->from == in->to) {
        enum sek_err err = fill(in, diag);
        if (err)
            return (int)err;
    }
    if (n > in->to - in->from)
        n = in->to - in->from;
    memcpy(out, in->window + in->from, n);
    in->from += n;
    return (int)n;
}

int sek_stream_read(struct sek_stream *in, void *out, size_t n, struct sek_diag *diag)
{
    for (uint8_t *at = out; n > 0;) {
        int some = sek_stream_some(in, at, n, diag);
        if (some <= 0)
            return some;
        at += some;
        n -= (size_t)some;
    }
    return 1;
}

/* Behind a line that is longer than the window: the rest of it. */
static int skip_line(struct sek_stream *in, struct sek_diag *diag)
{
    const char *newline = NULL;

    while (!newline && in->from < in->to) {
        newline = memchr(in->window + in->from, '\n', in->to - in->from);
        in->from = newline ? (size_t)(newline - in->window) + 1 : in->to;
        enum sek_err err = newline ? SEK_OK : fill(in, diag);
        if (err)
            return (int)err;
    }
    return (int)sek_diag_set(diag, SEK_E_INVALID, "%s:%" PRIu64 ": longer than %d octets",
                             in->label, in->n_lines, SEK_STREAM_WINDOW - 1);
}

int sek_stream_line(struct sek_stream *in, char **out, struct sek_diag *diag)
{
    char *line = in->window + in->from, *newline = memchr(line, '\n', in->to - in->from);

    if (!newline && !in->ended) {
        enum sek_err err = fill(in, diag);
        if (err)
            return (int)err;
        line = in->window + in->from;
        newline = memchr(line, '\n', in->to - in->from);
        if (!newline && !in->ended && in->to - in->from < SEK_STREAM_WINDOW) {
            in->from = in->to; /* cut off: half a name is another name */
            return (int)fill(in, diag);
        }
    }
    if (in->from == in->to)
        return 0;
    in->n_lines++;
    if (!newline && in->to - in->from == SEK_STREAM_WINDOW)
        return skip_line(in, diag);
    size_t len = newline ? (size_t)(newline - line) : in->to - in->from;
    in->from += len + (newline != NULL);
    if (len > 0 && line[len - 1] == '\r')
        len--;
    line[len] = '\0';
    if (memchr(line, '\0', len))
        return (int)sek_diag_set(diag, SEK_E_INVALID, "%s:%" PRIu64 ": holds a NUL octet",
                                 in->label, in->n_lines);
    *out = line;
    return 1;
}
