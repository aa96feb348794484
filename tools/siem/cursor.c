/* SPDX-License-Identifier: BSD-3-Clause */
#include "cursor.h"
#include "base/file.h"
#include "base/hash.h"
#include "tools/caller.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include "base/banned.h"

#define FILE_MAX 1024
#define NO_HASH "-"

/* Not against anybody: against half a file, and a hand that slipped. */
static uint64_t sum_of(const char *text, size_t len)
{
    static const struct sek_hash_key key = {0x73656b6973686f43, 1};
    return sek_hash(&key, text, len);
}

static void print(const struct sek_cursor *c, struct sek_buf *b)
{
    sek_buf_add_fmt(b, "sekisho.cursor/1\n");
    sek_buf_add_fmt(b, "hits %d %" PRId64 " %" PRId64 " %08" PRIx32 "\n", c->hits.known,
                    c->hits.identity, c->hits.number, c->hits.decision);
    sek_buf_add_fmt(b, "findings %d %" PRId64 " %" PRId64 " %" PRId64 "\n", c->findings.known,
                    c->findings.identity, c->findings.change, c->findings.number);
    sek_buf_add_fmt(b, "audit %d %" PRId64 " %s\n", c->audit.known, c->audit.number,
                    *c->audit.hash ? c->audit.hash : NO_HASH);
    sek_buf_add_fmt(b, "output %d %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", c->output.known,
                    c->output.dev, c->output.ino, c->output.length);
    sek_buf_add_fmt(b, "sum %016" PRIx64 "\n", sum_of(b->data ? b->data : "", b->len));
}

/* What prints as the very same text is what was read. */
static bool read_text(const char *text, struct sek_cursor *out)
{
    struct sek_cursor c = {.output = {.known = false}};
    int known[4];
    struct sek_buf again;
    int n = sscanf(text,
                   "sekisho.cursor/1 hits %d %" SCNd64 " %" SCNd64 " %" SCNx32
                   " findings %d %" SCNd64 " %" SCNd64 " %" SCNd64 " audit %d %" SCNd64
                   " %64s output %d %" SCNu64 " %" SCNu64 " %" SCNu64,
                   &known[0], &c.hits.identity, &c.hits.number, &c.hits.decision, &known[1],
                   &c.findings.identity, &c.findings.change, &c.findings.number, &known[2],
                   &c.audit.number, c.audit.hash, &known[3], &c.output.dev, &c.output.ino,
                   &c.output.length);
    if (n != 15)
        return false;
    if (strcmp(c.audit.hash, NO_HASH) == 0)
        c.audit.hash[0] = '\0';
    c.hits.known = known[0] != 0;
    c.findings.known = known[1] != 0;
    c.audit.known = known[2] != 0;
    c.output.known = known[3] != 0;
    sek_buf_init(&again, FILE_MAX);
    print(&c, &again);
    bool same = again.data && strcmp(again.data, text) == 0;
    sek_buf_fini(&again);
    if (same)
        *out = c;
    return same;
}

static enum sek_err load(const char *path, struct sek_cursor *out, struct sek_diag *diag)
{
    struct sek_buf text;
    int fd;
    *out = (struct sek_cursor){.output = {.known = false}};
    sek_caller_begin();
    enum sek_err err = sek_file_open_regular(path, &fd, diag);
    sek_caller_end();
    if (err == SEK_E_NOTFOUND)
        return SEK_OK;
    if (err)
        return err;
    sek_buf_init(&text, FILE_MAX);
    err = sek_file_read(fd, &text, diag);
    close(fd);
    if (err == SEK_E_LIMIT || (!err && !(text.data && read_text(text.data, out))))
        err = sek_diag_set(diag, SEK_E_CORRUPT,
                           "%s: is no cursor, or damaged; remove it to begin anew", path);
    sek_buf_fini(&text);
    return err;
}

enum sek_err sek_cursor_open(const char *path, struct sek_cursor_file *file, struct sek_cursor *out,
                             struct sek_diag *diag)
{
    char lock[512];
    *file = (struct sek_cursor_file){.path = path, .lock = -1};
    if (!*path)
        return sek_diag_set(diag, SEK_E_INVALID, "the cursor needs the name of a file");
    if ((size_t)snprintf(lock, sizeof lock, "%s.lock", path) >= sizeof lock)
        return sek_diag_set(diag, SEK_E_LIMIT, "%.200s: path too long", path);
    sek_caller_begin();
    file->lock = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    sek_caller_end();
    if (file->lock < 0)
        return sek_diag_set(diag, sek_err_from_errno(errno), "%s: cannot make: %s", lock,
                            strerrordesc_np(errno));
    enum sek_err err = SEK_OK;
    if (flock(file->lock, LOCK_EX | LOCK_NB) != 0)
        err = errno == EWOULDBLOCK
                  ? sek_diag_set(diag, SEK_E_BUSY, "%s: another sekisho events uses it", path)
                  : sek_diag_set(diag, sek_err_from_errno(errno), "%s: cannot lock: %s", lock,
                                 strerrordesc_np(errno));
    if (!err)
        err = load(path, out, diag);
    if (err)
        sek_cursor_close(file);
    return err;
}

enum sek_err sek_cursor_save(const struct sek_cursor_file *file, const struct sek_cursor *c,
                             struct sek_diag *diag)
{
    struct sek_buf text;
    sek_buf_init(&text, FILE_MAX);
    print(c, &text);
    enum sek_err err = text.failed ? sek_diag_set(diag, SEK_E_NOMEM, "out of memory")
                                   : sek_caller_put(file->path, 0600, text.data, text.len, diag);
    sek_buf_fini(&text);
    return err;
}

void sek_cursor_close(struct sek_cursor_file *file)
{
    if (file->lock >= 0)
        close(file->lock);
    file->lock = -1;
}
