/* SPDX-License-Identifier: BSD-3-Clause */
#include "textlines.h"
#include "tools/caller.h"
#include "tools/print/talk.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include "base/banned.h"

#define WINDOW (64 * 1024)

struct lines {
    const char *label;
    sek_textline_fn *fn;
    void *arg;
    uint64_t line, *n_bad;
    size_t len;    /* of the line so far */
    bool too_long; /* its rest is left out */
    char text[SEK_TEXTLINE_MAX + 1];
    char window[WINDOW];
};

static void say_bad(struct lines *in, const char *why)
{
    if ((*in->n_bad)++ < SEK_TEXTLINE_SAID)
        sek_talk("%s:%" PRIu64 ": %s", in->label, in->line, why);
}

static enum sek_err end_line(struct lines *in, struct sek_diag *diag)
{
    struct sek_diag why = {0};
    enum sek_err err;

    in->line++;
    if (in->len > 0 && in->text[in->len - 1] == '\r')
        in->len--;
    in->text[in->len] = '\0';
    if (in->too_long)
        err = sek_diag_set(&why, SEK_E_INVALID, "longer than %d octets", SEK_TEXTLINE_MAX);
    else if (strlen(in->text) != in->len)
        err = sek_diag_set(&why, SEK_E_INVALID, "holds a NUL octet");
    else
        err = in->fn(in->arg, in->text, &why);
    in->len = 0;
    in->too_long = false;
    if (err == SEK_E_NAME || err == SEK_E_INVALID) {
        say_bad(in, why.text);
        return SEK_OK;
    }
    if (err != SEK_OK)
        sek_diag_set(diag, err, "%s:%" PRIu64 ": %s", in->label, in->line, why.text);
    return err;
}

static void add_piece(struct lines *in, const char *piece, size_t n)
{
    if (n > SEK_TEXTLINE_MAX - in->len) {
        n = SEK_TEXTLINE_MAX - in->len;
        in->too_long = true;
    }
    memcpy(in->text + in->len, piece, n);
    in->len += n;
}

/* The lines that end within the window; what is left begins the next one. */
static enum sek_err take_window(struct lines *in, size_t n, struct sek_diag *diag)
{
    const char *at = in->window, *end = in->window + n;
    enum sek_err err = SEK_OK;

    while (at < end && err == SEK_OK) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));

        add_piece(in, at, (size_t)((newline ? newline : end) - at));
        if (newline)
            err = end_line(in, diag);
        at = newline ? newline + 1 : end;
    }
    return err;
}

/* Once gzread gives no more: at the end, or what is wrong. */
static enum sek_err how_it_ended(gzFile gz, const char *label, struct sek_diag *diag)
{
    int code;

    gzerror(gz, &code);
    if (code == Z_ERRNO)
        return sek_diag_set(diag, sek_err_from_errno(errno), "%s: cannot read: %s", label,
                            strerrordesc_np(errno));
    if (code != Z_OK && code != Z_STREAM_END)
        return sek_diag_set(diag, SEK_E_CORRUPT, "%s: the gzip file is damaged or cut off", label);
    return SEK_OK;
}

static enum sek_err read_all(struct lines *in, gzFile gz, struct sek_diag *diag)
{
    enum sek_err err = SEK_OK;
    int n;

    while (err == SEK_OK && (n = gzread(gz, in->window, WINDOW)) > 0)
        err = take_window(in, (size_t)n, diag);
    if (err == SEK_OK)
        err = how_it_ended(gz, in->label, diag);
    if (err != SEK_OK)
        return err;
    return in->len > 0 || in->too_long ? end_line(in, diag) : SEK_OK;
}

static enum sek_err open_gz(const char *path, const char *label, gzFile *out, struct sek_diag *diag)
{
    sek_caller_begin();
    int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    sek_caller_end();

    *out = fd < 0 ? NULL : gzdopen(fd, "rb");
    if (*out)
        return SEK_OK;
    sek_diag_set(diag, sek_err_from_errno(errno), "%s: cannot open: %s", label,
                 strerrordesc_np(errno));
    if (fd >= 0)
        close(fd);
    return diag->code;
}

enum sek_err sek_textlines_read(const char *path, sek_textline_fn *fn, void *arg, uint64_t *out_bad,
                                struct sek_diag *diag)
{
    struct lines *in = calloc(1, sizeof(*in));
    gzFile gz;
    enum sek_err err;

    *out_bad = 0;
    if (!in)
        return sek_diag_set(diag, SEK_E_NOMEM, "%s: no memory to read it", path);
    in->label = strcmp(path, "-") == 0 ? "standard input" : path;
    in->fn = fn;
    in->arg = arg;
    in->n_bad = out_bad;
    err = open_gz(path, in->label, &gz, diag);
    if (err == SEK_OK) {
        gzbuffer(gz, WINDOW);
        err = read_all(in, gz, diag);
        gzclose_r(gz);
    }
    if (*out_bad > SEK_TEXTLINE_SAID)
        sek_talk("%s: %" PRIu64 " more bad lines", in->label, *out_bad - SEK_TEXTLINE_SAID);
    free(in);
    return err;
}

enum sek_err sek_textlines_pieces(const char *path, sek_textpiece_fn *fn, void *arg,
                                  struct sek_diag *diag)
{
    const char *label = strcmp(path, "-") == 0 ? "standard input" : path;
    char *window = malloc(WINDOW);
    gzFile gz;
    int n;

    if (!window)
        return sek_diag_set(diag, SEK_E_NOMEM, "%s: no memory to read it", label);
    enum sek_err err = open_gz(path, label, &gz, diag);
    if (err == SEK_OK) {
        gzbuffer(gz, WINDOW);
        while (err == SEK_OK && (n = gzread(gz, window, WINDOW)) > 0)
            err = fn(arg, window, (size_t)n, diag);
        if (err == SEK_OK)
            err = how_it_ended(gz, label, diag);
        gzclose_r(gz);
    }
    free(window);
    return err;
}
