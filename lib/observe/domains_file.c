/* SPDX-License-Identifier: BSD-3-Clause */
#include "observe/domains_parts.h"
#include "base/file.h"
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/file.h>
#include <fcntl.h>
#include <unistd.h>
#include "base/banned.h"

_Static_assert(sizeof(struct sek_dom_head) <= SEK_DOM_BLOCK, "the head fits a block");
_Static_assert(sizeof(struct sek_dom_block) == SEK_DOM_BLOCK, "atomic words are plain in size");

enum sek_err sek__dom_fail(const struct sek_domains *d, int errnum, const char *what,
                           struct sek_diag *diag)
{
    /* a file size limit and a quota are a full disk to us */
    enum sek_err err =
        errnum == EFBIG || errnum == EDQUOT ? SEK_E_FULL : sek_err_from_errno(errnum);
    char why[128];

    return sek_diag_set(diag, err, "%s: %s: %s", d->path, what,
                        strerror_r(errnum, why, sizeof(why)));
}

/* --- checks ------------------------------------------------------------------------------------
 */

uint64_t sek__dom_sum(const void *block, uint32_t id)
{
    const struct sek_hash_key key = {id, SEK_DOM_ORDER};

    return sek_hash(&key, (const uint8_t *)block + 8, SEK_DOM_BLOCK - 8);
}

uint64_t sek__dom_head_sum(const struct sek_dom_head *head)
{
    static const struct sek_hash_key key = {0, SEK_DOM_ORDER};

    return sek_hash(&key, head, offsetof(struct sek_dom_head, sum));
}

/* Texts that end, whoever wrote the file. */
static void end_texts(struct sek_dom_head *head)
{
    head->boot_id[sizeof(head->boot_id) - 1] = '\0';
    head->psl_first[sizeof(head->psl_first) - 1] = '\0';
    head->psl_last[sizeof(head->psl_last) - 1] = '\0';
}

enum sek_err sek__dom_head_read(int fd, const char *path, struct sek_dom_head *out,
                                struct sek_diag *diag)
{
    struct sek_dom_head head;
    bool found = false;

    for (uint32_t i = 0; i < SEK_DOM_HEADS; i++) {
        ssize_t n = pread(fd, &head, sizeof(head), (off_t)i * SEK_DOM_BLOCK);
        if (n != (ssize_t)sizeof(head) || memcmp(head.magic, SEK_DOM_MAGIC, 8) != 0)
            continue;
        /* the first words have their place in every version */
        if (head.order != SEK_DOM_ORDER)
            return sek_diag_set(diag, SEK_E_VERSION, "%s: made on a machine of other octet order",
                                path);
        if (head.version > SEK_DOM_VERSION)
            return sek_diag_set(diag, SEK_E_VERSION, "%s: has format %u, this program reads %u",
                                path, head.version, SEK_DOM_VERSION);
        if (head.version != SEK_DOM_VERSION || head.sum != sek__dom_head_sum(&head) ||
            (found && head.turn <= out->turn))
            continue;
        *out = head;
        end_texts(out);
        found = true;
    }
    if (!found)
        return sek_diag_set(diag, SEK_E_CORRUPT, "%s: no store of domains, or its head is damaged",
                            path);
    return SEK_OK;
}

/* --- writing -----------------------------------------------------------------------------------
 */

static enum sek_err write_at(struct sek_domains *d, const void *data, size_t n, uint64_t block,
                             struct sek_diag *diag)
{
    const uint8_t *p = data;
    off_t at = (off_t)(block * SEK_DOM_BLOCK);

    while (n > 0) {
        ssize_t done = pwrite(d->fd, p, n, at);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return sek__dom_fail(d, done < 0 ? errno : EIO, "cannot write", diag);
        p += done;
        n -= (size_t)done;
        at += done;
    }
    return SEK_OK;
}

static void head_make(const struct sek_domains *d, struct sek_dom_head *out)
{
    struct sek_domains_stats s;

    sek_domains_stats(d, &s);
    memset(out, 0, sizeof(*out));
    memcpy(out->magic, SEK_DOM_MAGIC, sizeof(out->magic));
    out->order = SEK_DOM_ORDER;
    out->version = SEK_DOM_VERSION;
    out->n_blocks = s.octets / SEK_DOM_BLOCK;
    out->created_s = d->created_s;
    out->since_s = sek_domains_since_s(d);
    out->expiry_s = d->expiry_s;
    out->spread_key = d->spread_key;
    out->n_known = s.n_known;
    out->n_absent = s.n_absent;
    out->n_overflow = s.n_overflow;
    out->n_evicted = s.n_evicted;
    out->n_expired = s.n_expired;
    out->n_damaged = s.n_damaged;
    out->max_octets = s.max_octets;
    memcpy(out->boot_id, d->boot_id, sizeof(out->boot_id));
    memcpy(out->psl_first, d->psl_first, sizeof(out->psl_first));
    memcpy(out->psl_last, d->psl_last, sizeof(out->psl_last));
}

enum sek_err sek__dom_head_write(struct sek_domains *d, struct sek_diag *diag)
{
    uint64_t block[SEK_DOM_BLOCK / 8] = {0};
    struct sek_dom_head head;
    enum sek_err err;

    head_make(d, &head);
    /* an idle store writes nothing: the clock alone is worth a write every ten minutes */
    head.turn = d->seen.turn;
    head.sum = d->seen.sum;
    if (head.expiry_s >= d->seen.expiry_s && head.expiry_s < d->seen.expiry_s + 600)
        head.expiry_s = d->seen.expiry_s;
    if (memcmp(&head, &d->seen, sizeof(head)) == 0)
        return SEK_OK;
    head.expiry_s = d->expiry_s;
    head.turn++;
    head.sum = sek__dom_head_sum(&head);
    memcpy(block, &head, sizeof(head));
    err = write_at(d, block, sizeof(block), head.turn % SEK_DOM_HEADS, diag);
    if (!err)
        d->seen = head;
    return err;
}

static uint32_t kind_of(const struct sek_domains *d, uint32_t id)
{
    return sek__dom_get(&sek__dom_block(d, id)->w[SEK_DOM_W_KIND]);
}

/* All dirty blocks of a kind, in runs. */
static enum sek_err flush_kind(struct sek_domains *d, uint32_t kind, struct sek_diag *diag)
{
    uint32_t end = atomic_load_explicit(&d->n_blocks, memory_order_relaxed), n;

    for (uint32_t id = SEK_DOM_HEADS; id < end; id += n) {
        n = 1;
        if (!d->dirty[id] || kind_of(d, id) != kind)
            continue;
        while (n < SEK_DOM_STAGE && id + n < end && d->dirty[id + n] && kind_of(d, id + n) == kind)
            n++;
        memcpy(d->stage, sek__dom_block(d, id), (size_t)n * SEK_DOM_BLOCK);
        for (uint32_t i = 0; i < n; i++) {
            uint8_t *block = d->stage + (size_t)i * SEK_DOM_BLOCK;
            uint64_t sum = sek__dom_sum(block, id + i);
            memcpy(block, &sum, sizeof(sum));
        }
        enum sek_err err = write_at(d, d->stage, (size_t)n * SEK_DOM_BLOCK, id, diag);
        if (err)
            return err;
        memset(d->dirty + id, 0, n);
        if (id + n > d->n_written)
            d->n_written = id + n;
    }
    return SEK_OK;
}

/* A domain that moves is written at its new place before its old place is: known domains come
 * first, for others move there; blocks that were given up come last, and are not used again before
 * that. So a process killed at any point leaves each domain at one place at least; two are merged
 * when the file is read. */
enum sek_err sek__dom_flush(struct sek_domains *d, struct sek_diag *diag)
{
    enum sek_err err = flush_kind(d, SEK_DOM_KNOWN, diag);

    if (!err)
        err = flush_kind(d, SEK_DOM_ABSENT, diag);
    if (!err)
        err = flush_kind(d, SEK_DOM_FREE, diag);
    if (!err)
        err = sek__dom_head_write(d, diag);
    return err;
}

enum sek_err sek__dom_lock(const struct sek_domains *d, int fd, struct sek_diag *diag)
{
    /* file systems and profiles without locks: two writers are then a matter of configuration */
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return sek_diag_set(diag, SEK_E_BUSY, "%s: another process writes it", d->path);
    return SEK_OK;
}

void sek__dom_set_fd(struct sek_domains *d, int fd)
{
    struct stat st;

    if (d->fd >= 0)
        close(d->fd);
    d->fd = fd;
    if (fstat(fd, &st) == 0) {
        d->dev = st.st_dev;
        d->ino = st.st_ino;
    }
}

enum sek_err sek__dom_replace(struct sek_domains *d, struct sek_diag *diag)
{
    struct sek_file_new file;
    enum sek_err err = sek_file_new_open(d->path, 0640, &file, diag);
    int old = d->fd, fd;

    if (err)
        return err;
    fd = fcntl(file.fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0) {
        sek_file_new_abort(&file);
        return sek__dom_fail(d, errno, "cannot keep it open", diag);
    }
    err = sek__dom_lock(d, fd, diag);
    memset(d->dirty, 1, d->max_blocks);
    d->seen = (struct sek_dom_head){.turn = d->seen.turn}; /* the head, too */
    d->n_written = 0;
    d->fd = fd;
    if (!err)
        err = sek__dom_flush(d, diag);
    if (!err)
        err = sek_file_new_commit(&file, diag);
    d->fd = old;
    if (err) {
        sek_file_new_abort(&file);
        close(fd);
        return err;
    }
    sek__dom_set_fd(d, fd);
    return SEK_OK;
}
