/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/packed.h"
#include <stdlib.h>
#include <zlib.h>
#include "base/banned.h"

#define GZIP 16   /* added to the window's bits: zlib writes and reads gzip's header */
#define WINDOW 15 /* bits */
#define LEVEL 3   /* a million names: half the time of 6 for a tenth more octets */
#define PIECE (64 * 1024)

struct sek_packed {
    z_stream z;
    struct sek_buf out;
    bool failed;
};

enum sek_err sek_packed_new(struct sek_packed **out)
{
    struct sek_packed *p = calloc(1, sizeof *p);
    if (!p)
        return SEK_E_NOMEM;
    sek_buf_init(&p->out, 0);
    if (deflateInit2(&p->z, LEVEL, Z_DEFLATED, WINDOW + GZIP, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        free(p);
        return SEK_E_NOMEM;
    }
    *out = p;
    return SEK_OK;
}

void sek_packed_free(struct sek_packed *p)
{
    if (!p)
        return;
    deflateEnd(&p->z);
    sek_buf_fini(&p->out);
    free(p);
}

static void run(struct sek_packed *p, int flush)
{
    char piece[PIECE];
    do {
        p->z.next_out = (void *)piece;
        p->z.avail_out = sizeof piece;
        if (deflate(&p->z, flush) == Z_STREAM_ERROR)
            p->failed = true;
        sek_buf_add(&p->out, piece, sizeof piece - p->z.avail_out);
    } while (!p->failed && p->z.avail_out == 0);
}

void sek_packed_add(struct sek_packed *p, const void *data, size_t n)
{
    p->z.next_in = (void *)(uintptr_t)data;
    while (n > 0) {
        uInt part = n > UINT32_MAX / 2 ? UINT32_MAX / 2 : (uInt)n;
        p->z.avail_in = part;
        run(p, Z_NO_FLUSH);
        n -= part;
    }
}

enum sek_err sek_packed_end(struct sek_packed *p, const void **out, size_t *out_n,
                            struct sek_diag *diag)
{
    p->z.avail_in = 0;
    run(p, Z_FINISH);
    if (p->failed || p->out.failed)
        return sek_diag_set(diag, SEK_E_LIMIT, "too large to be kept in policy.db");
    *out = p->out.data;
    *out_n = p->out.len;
    return SEK_OK;
}

enum sek_err sek_packed_read(const void *data, size_t n, sek_packed_fn *fn, void *arg,
                             struct sek_diag *diag)
{
    z_stream z = {.next_in = (void *)(uintptr_t)data, .avail_in = (uInt)n};
    char *piece = malloc(PIECE);
    if (!piece || inflateInit2(&z, WINDOW + GZIP) != Z_OK) {
        free(piece);
        return sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    }
    enum sek_err err = SEK_OK;
    int rc = Z_OK;
    while (!err && rc == Z_OK) {
        z.next_out = (void *)piece;
        z.avail_out = PIECE;
        rc = inflate(&z, Z_NO_FLUSH);
        if (rc == Z_OK || rc == Z_STREAM_END)
            err = fn(arg, piece, PIECE - z.avail_out, diag);
    }
    if (!err && rc != Z_STREAM_END)
        err = sek_diag_set(diag, SEK_E_CORRUPT, "policy.db: compressed text is damaged");
    inflateEnd(&z);
    free(piece);
    return err;
}
