/* SPDX-License-Identifier: BSD-3-Clause */
#include "fetch.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/lookup.h"
#include "child.h"
#include "name/text.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/banned.h"

#define WAIT_S 30     /* for a primary that is silent */
#define WORDS_MAX 256 /* of a command */
#define KEY_FILE_MAX 4000

const char *sek_fetch_source(const struct sek_feed_row *row, char *out, size_t size)
{
    const char *kind = sek_lookup_name(sek_feed_kind_names, (int)row->kind);
    snprintf(out, size, "%s%s%.480s%s%.100s", kind, *row->source ? " " : "", row->source,
             *row->zone ? " " : "", row->zone);
    for (char *at = out; (at = strchr(at, '\n'));)
        *at = ' ';
    return out;
}

/* Keys */

static enum sek_err key_file_check(int fd, const char *path, struct sek_diag *diag)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return sek_diag_set(diag, SEK_E_IO, "%s: cannot be examined", path);
    if (st.st_mode & 077)
        return sek_diag_set(diag, SEK_E_REFUSED,
                            "%s: others than its owner may read or write the key: chmod 0600 %s",
                            path, path);
    if (st.st_uid != 0 && st.st_uid != geteuid())
        return sek_diag_set(diag, SEK_E_REFUSED, "%s: the key belongs to another user", path);
    return SEK_OK;
}

enum sek_err sek_fetch_key(const char *tsig, struct sek_tsig_key *out, struct sek_diag *diag)
{
    const char *first = strchr(tsig, ':'), *second = first ? strchr(first + 1, ':') : NULL;
    if (!second || second[1] != '/')
        return sek_diag_set(diag, SEK_E_INVALID,
                            "a key is NAME:ALGORITHM:FILE, with FILE from the root: "
                            "feed.example:hmac-sha256:/etc/sekisho/feed.key");
    const char *path = second + 1;
    struct sek_tsig_key key = {0};
    struct sek_buf text;
    int fd = -1;
    enum sek_err err = sek_tsig_key_from_text(tsig, (size_t)(second - tsig), &key, diag);
    if (!err)
        err = sek_file_open_trusted(path, &fd, diag);
    if (err)
        return err;
    sek_buf_init(&text, KEY_FILE_MAX);
    err = key_file_check(fd, path, diag);
    if (!err) {
        err = sek_file_read(fd, &text, diag);
        if (!err)
            err = sek_tsig_secret_from_text(text.data ? text.data : "", text.len, &key, diag);
        if (err)
            sek_diag_wrap(diag, "%s", path);
    }
    if (!err)
        *out = key;
    if (text.data)
        explicit_bzero(text.data, text.len);
    explicit_bzero(&key, sizeof key);
    sek_buf_fini(&text);
    close(fd);
    return err;
}

enum sek_err sek_fetch_host(const char *text, char *host, size_t host_size, char *port,
                            size_t port_size, struct sek_diag *diag)
{
    const char *end = text + strlen(text), *colon = strrchr(text, ':');
    size_t n = (size_t)(end - text);
    const char *number = "53";
    if (*text == '[') {
        const char *close = strchr(++text, ']');
        if (!close || (close[1] && close[1] != ':'))
            return sek_diag_set(diag, SEK_E_INVALID, "\"%.100s\" is no address", text - 1);
        n = (size_t)(close - text);
        if (close[1])
            number = close + 2;
    } else if (colon && strchr(text, ':') == colon) { /* more of them: IPv6 */
        n = (size_t)(colon - text);
        number = colon + 1;
    }
    char *rest;
    unsigned long value = strtoul(number, &rest, 10);
    if (n == 0 || n >= host_size || *rest || !*number || value == 0 || value > 65535)
        return sek_diag_set(diag, SEK_E_INVALID,
                            "\"%.100s\" is no primary: an address or name, and perhaps :PORT",
                            text);
    memcpy(host, text, n);
    host[n] = '\0';
    snprintf(port, port_size, "%lu", value);
    return SEK_OK;
}

/* Zones */

/* What parent and child share. */
struct shared {
    struct sek_transfer transfer;
};

struct job {
    const struct sek_feed_row *row;
    const struct sek_buf *old;
    struct sek_primary primary;
    struct sek_tsig_key key;
    char host[256], port[8];
    struct shared *shared;
};

static enum sek_err transfer_child(void *arg, int out_fd, struct sek_diag *diag)
{
    struct job *j = arg;
    struct sek_buf zone;
    sek_buf_init(&zone, (size_t)j->row->max_octets);
    enum sek_err err = sek_primary_fetch(&j->primary, j->old, &zone, &j->shared->transfer, diag);
    if (!err && zone.len)
        err = sek_file_write(out_fd, zone.data, zone.len, diag);
    sek_buf_fini(&zone);
    return err;
}

static enum sek_err job_make(struct job *j, bool whole, struct sek_diag *diag)
{
    const struct sek_feed_row *row = j->row;
    j->primary = (struct sek_primary){.host = j->host,
                                      .port = j->port,
                                      .max_octets = row->max_octets,
                                      .wait_s = WAIT_S,
                                      .whole = whole};
    enum sek_err err =
        sek_fetch_host(row->source, j->host, sizeof j->host, j->port, sizeof j->port, diag);
    if (!err)
        err = sek_name_from_text(row->zone, strlen(row->zone), &j->primary.zone, diag);
    if (!err && *row->tsig) {
        err = sek_fetch_key(row->tsig, &j->key, diag); /* as root; the child only has it */
        j->primary.key = &j->key;
    }
    return err;
}

static enum sek_err transfer(struct job *j, const char *user, struct sek_fetched *out,
                             struct sek_diag *diag)
{
    j->shared =
        mmap(NULL, sizeof *j->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (j->shared == MAP_FAILED)
        return sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    const struct sek_child child = {.fn = transfer_child,
                                    .arg = j,
                                    .user = user,
                                    .timeout_s = j->row->timeout_s,
                                    .max_octets = j->row->max_octets};
    enum sek_err err = sek_child_run(&child, &out->fd, diag);
    out->transfer = j->shared->transfer;
    out->transfer.note[sizeof out->transfer.note - 1] = '\0'; /* the child is not trusted */
    munmap(j->shared, sizeof *j->shared);
    explicit_bzero(&j->key, sizeof j->key);
    if (!err && out->transfer.kind == SEK_TRANSFER_CURRENT) {
        close(out->fd);
        out->fd = -1;
    }
    return err;
}

/* Commands */

static enum sek_err command(const struct sek_feed_row *row, const char *user, int *out_fd,
                            struct sek_diag *diag)
{
    char *words[WORDS_MAX + 1], copy[sizeof row->source], *rest = copy;
    size_t n = 0;
    snprintf(copy, sizeof copy, "%s", row->source);
    while (n < WORDS_MAX && rest)
        words[n++] = strsep(&rest, "\n");
    words[n] = NULL;
    if (rest)
        return sek_diag_set(diag, SEK_E_LIMIT, "more than %d words", WORDS_MAX);
    const struct sek_child child = {.argv = words,
                                    .user = *row->user ? row->user : user,
                                    .timeout_s = row->timeout_s,
                                    .max_octets = row->max_octets};
    enum sek_err err = sek_child_run(&child, out_fd, diag);
    if (err)
        sek_diag_wrap(diag, "%s", words[0]);
    return err;
}

static enum sek_err file_open(const struct sek_feed_row *row, int *out_fd, struct sek_diag *diag)
{
    struct stat st;
    enum sek_err err = sek_file_open_trusted(row->source, out_fd, diag);
    if (err || fstat(*out_fd, &st) != 0 || (uint64_t)st.st_size <= row->max_octets)
        return err;
    close(*out_fd);
    *out_fd = -1;
    return sek_diag_set(diag, SEK_E_LIMIT,
                        "%s has more than the %" PRIu64 " octets allowed (--max-size)", row->source,
                        row->max_octets);
}

enum sek_err sek_fetch(const struct sek_feed_row *row, const char *user, const struct sek_buf *old,
                       bool whole, struct sek_fetched *out, struct sek_diag *diag)
{
    *out = (struct sek_fetched){.fd = -1};
    if (row->kind == SEK_FEED_TRANSFER) /* of a command the first word */
        snprintf(out->label, sizeof out->label, "zone %.500s", row->zone);
    else
        snprintf(out->label, sizeof out->label, "%.*s", (int)strcspn(row->source, "\n"),
                 row->source);
    switch (row->kind) {
    case SEK_FEED_FILE:
        return file_open(row, &out->fd, diag);
    case SEK_FEED_COMMAND:
        return command(row, user, &out->fd, diag);
    case SEK_FEED_TRANSFER: {
        struct job *j = calloc(1, sizeof *j);
        if (!j)
            return sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
        j->row = row;
        j->old = old;
        enum sek_err err = job_make(j, whole, diag);
        if (!err)
            err = transfer(j, user, out, diag);
        free(j);
        return err;
    }
    case SEK_FEED_INPUT:
        break;
    }
    return sek_diag_set(diag, SEK_E_INVALID,
                        "its list is handed in: sekisho feed update %s - < FILE",
                        row->list.list.name);
}

void sek_fetched_fini(struct sek_fetched *f)
{
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
}
