/* SPDX-License-Identifier: BSD-3-Clause */
#include "generated.h"
#include "base/file.h"
#include "tools/caller.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/banned.h"

#define CHUNK_OCTETS 65536
#define SERIAL_MARK "; serial" /* behind it */
#define SERIAL_LINES 40        /* it stands among the first ones */

static enum sek_err fail(struct sek_diag *diag, const char *path, const char *what)
{
    int errnum = errno;
    return sek_diag_set(diag, sek_err_from_errno(errnum), "%s: %s: %s", path, what,
                        strerror(errnum));
}

FILE *sek_generated_spool(const char *path)
{
    char folder[512];
    const char *slash = path ? strrchr(path, '/') : NULL, *tmp = getenv("TMPDIR");
    if (!path)
        snprintf(folder, sizeof folder, "%s", tmp && *tmp ? tmp : "/tmp");
    else if (!slash)
        snprintf(folder, sizeof folder, ".");
    else
        snprintf(folder, sizeof folder, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    sek_caller_begin();
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    sek_caller_end();
    if (fd < 0) /* a file system without such files: /tmp */
        return errno == EOPNOTSUPP || errno == EISDIR ? tmpfile() : NULL;
    FILE *f = fdopen(fd, "w+");
    if (!f)
        close(fd);
    return f;
}

uint32_t sek_serial_next(uint32_t last, int64_t now_s)
{
    uint32_t next = (uint32_t)now_s;
    if ((int32_t)(next - last) <= 0)
        next = last + 1;
    return next ? next : 1;
}

/* What an older version of the file tells. */
struct older {
    bool ours; /* it has the mark, or is empty */
    bool has_serial;
    uint32_t serial;
};

static struct older older_read(FILE *f, const char *mark)
{
    struct older older = {.ours = true};
    char line[512];
    for (int i = 0; i < SERIAL_LINES && !older.has_serial && fgets(line, sizeof line, f); i++) {
        char *end, *at = line + strspn(line, " \t");
        if (i == 0)
            older.ours = strstr(line, mark) != NULL;
        unsigned long serial = strtoul(at, &end, 10);
        if (end == at || serial > UINT32_MAX)
            continue;
        end += strspn(end, " \t");
        older.has_serial = strncmp(end, SERIAL_MARK, strlen(SERIAL_MARK)) == 0;
        older.serial = (uint32_t)serial;
    }
    return older;
}

static void head_make(const struct sek_generated_head *head, uint32_t serial, struct sek_buf *out)
{
    sek_buf_add_text(out, head->before);
    if (head->after)
        sek_buf_add_fmt(out, "%u " SERIAL_MARK "%s", serial, head->after);
}

/* Does the file, from its start, consist of the head and the spooled text? */
static bool is_same(FILE *f, const struct sek_buf *head, FILE *spool)
{
    static char old[CHUNK_OCTETS], new[CHUNK_OCTETS];
    size_t n = 0;
    rewind(f);
    for (size_t at = 0; at < head->len; at += n) {
        n = head->len - at < CHUNK_OCTETS ? head->len - at : CHUNK_OCTETS;
        if (fread(old, 1, n, f) != n || memcmp(old, head->data + at, n) != 0)
            return false;
    }
    rewind(spool);
    do {
        n = fread(new, 1, CHUNK_OCTETS, spool);
        if (fread(old, 1, CHUNK_OCTETS, f) != n || memcmp(old, new, n) != 0)
            return false;
    } while (n > 0);
    return !ferror(f) && !ferror(spool);
}

/* file: NULL is standard output, of which the caller of commands tells what went wrong. */
static enum sek_err write_all(const struct sek_file_new *file, const struct sek_buf *head,
                              FILE *spool, struct sek_diag *diag)
{
    static char chunk[CHUNK_OCTETS];
    const char *data = head->data;
    enum sek_err err = SEK_OK;
    rewind(spool);
    for (size_t n = head->len; !err && n > 0; n = fread(chunk, 1, sizeof chunk, spool)) {
        if (file)
            err = sek_file_new_write(file, data, n, diag);
        else if (fwrite(data, 1, n, stdout) < n && errno != EPIPE)
            err = sek_diag_set(diag, SEK_E_IO, "cannot write: %s", strerror(errno));
        data = chunk;
    }
    if (!err && ferror(spool))
        err = sek_diag_set(diag, SEK_E_IO, "cannot read a temporary file");
    return err;
}

static enum sek_err replace(const char *path, const struct sek_buf *head, FILE *spool,
                            struct sek_diag *diag)
{
    struct sek_file_new file;
    enum sek_err err = sek_file_new_open(path, 0644, &file, diag);
    if (err)
        return err;
    err = write_all(&file, head, spool, diag);
    if (!err)
        err = sek_file_new_commit(&file, diag);
    sek_file_new_abort(&file);
    return err;
}

/* Look at what is there: the same, or which serial comes next. */
static enum sek_err compare(const char *path, const struct sek_generated_head *head, FILE *spool,
                            int64_t now_s, bool *out_same, uint32_t *io_serial,
                            struct sek_diag *diag)
{
    int fd;
    enum sek_err err = sek_file_open_trusted(path, &fd, diag);
    if (err)
        return err == SEK_E_NOTFOUND ? SEK_OK : err;
    FILE *old = fdopen(fd, "r");
    if (!old) {
        close(fd);
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory");
    }
    struct older older = older_read(old, head->mark);
    if (!older.ours)
        err = sek_diag_set(diag, SEK_E_EXISTS,
                           "%s is there and was not written by this command: remove it, or choose "
                           "another file",
                           path);
    if (!err && (older.has_serial || !head->after)) {
        struct sek_buf text;
        sek_buf_init(&text, 0);
        head_make(head, older.serial, &text);
        *out_same = !text.failed && is_same(old, &text, spool);
        *io_serial = *out_same ? older.serial : sek_serial_next(older.serial, now_s);
        sek_buf_fini(&text);
    }
    fclose(old);
    return err;
}

enum sek_err sek_generated_end(FILE *spool, const struct sek_generated_head *head, const char *path,
                               int64_t now_s, bool *out_changed, uint32_t *out_serial,
                               struct sek_diag *diag)
{
    struct sek_buf text;
    bool same = false;
    uint32_t serial = (uint32_t)now_s ? (uint32_t)now_s : 1;
    enum sek_err err = SEK_OK;
    if (fflush(spool) != 0)
        return fail(diag, path ? path : "a temporary file", "cannot write");
    sek_buf_init(&text, 0);
    sek_caller_begin();
    if (path)
        err = compare(path, head, spool, now_s, &same, &serial, diag);
    if (!err && !same) {
        head_make(head, serial, &text);
        if (text.failed)
            err = sek_diag_set(diag, SEK_E_NOMEM, "out of memory");
        else if (path)
            err = replace(path, &text, spool, diag);
        else
            err = write_all(NULL, &text, spool, diag);
    }
    sek_caller_end();
    sek_buf_fini(&text);
    if (!err) {
        *out_changed = !same;
        *out_serial = serial;
    }
    return err;
}
