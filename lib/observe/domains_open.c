/* SPDX-License-Identifier: BSD-3-Clause */
#include "observe/domains_parts.h"
#include "base/duration.h"
#include "base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/banned.h"

#define OCTETS_MIN ((uint64_t)1 << 20)
#define OCTETS_MAX ((uint64_t)1 << 34) /* 32 bits of words */
#define ABSENT_OCTETS 32               /* of a record, on average */
#define AGE_BLOCKS 512u /* looked through a sync: all of 10,000,000 domains in 2.5 minutes */
#define AGE_STEP_S 60   /* that the clock of forgetting may gain a sync */

/* --- the object --------------------------------------------------------------------------------
 */

static void free_all(struct sek_domains *d)
{
    if (d->fd >= 0)
        close(d->fd);
    sek__dom_index_fini(d);
    if (d->blocks)
        munmap(d->blocks, ((size_t)d->max_blocks + 1) * SEK_DOM_BLOCK);
    free(d->live);
    free(d->dirty);
    free(d->stage);
    free(d->absent.id);
    free(d->free.id);
    free(d->left.id);
    free(d);
}

static void copy_text(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from ? from : "");
}

/* This life of the machine; "" where /proc is not there. */
static void read_boot_id(char out[40])
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, out, 36) : 0;

    out[n == 36 ? 36 : 0] = '\0';
    if (fd >= 0)
        close(fd);
}

static struct sek_domains *new_plain(const char *path)
{
    struct sek_domains *d = aligned_alloc(64, (sizeof(*d) + 63) / 64 * 64);

    if (!d)
        return NULL;
    memset(d, 0, sizeof(*d));
    d->fd = -1;
    copy_text(d->path, sizeof(d->path), path);
    return d;
}

static enum sek_err check_conf(const struct sek_domains_conf *conf, struct sek_diag *diag)
{
    if (conf->path && strlen(conf->path) >= SEK_DOM_PATH_MAX)
        return sek_diag_set(diag, SEK_E_LIMIT, "%s: path too long", conf->path);
    if (conf->max_octets < OCTETS_MIN || conf->max_octets > OCTETS_MAX)
        return sek_diag_set(diag, SEK_E_INVALID,
                            "store of domains: %llu octets, not from 1 MiB to 16 GiB",
                            (unsigned long long)conf->max_octets);
    if (conf->retention_s < 0)
        return sek_diag_set(diag, SEK_E_INVALID, "store of domains: a retention below zero");
    return SEK_OK;
}

/* Blocks that each kind may have. */
static void share_out(struct sek_domains *d, const struct sek_domains_conf *conf)
{
    uint32_t all = (uint32_t)(conf->max_octets / SEK_DOM_BLOCK) - SEK_DOM_HEADS;
    uint64_t absent = 0;

    if (conf->max_absent > 0) {
        absent = (uint64_t)conf->max_absent * ABSENT_OCTETS / SEK_DOM_BLOCK + 1;
        absent = absent < 2 ? 2 : absent > all / 2 ? all / 2 : absent;
    }
    d->cap[SEK_DOM_ABSENT] = (uint32_t)absent;
    d->cap[SEK_DOM_KNOWN] = all - (uint32_t)absent;
    d->max_octets = conf->max_octets;
    d->retention_s = conf->retention_s;
}

/* Memory for the cap, or for a larger file. A few more blocks are needed while others wait to
 * become free. */
static enum sek_err make_room(struct sek_domains *d, uint64_t n_file, uint64_t expected,
                              struct sek_diag *diag)
{
    uint64_t n = d->max_octets / SEK_DOM_BLOCK;

    n = (n > n_file ? n : n_file) + 2 * AGE_BLOCKS;
    if (expected > n_file * SEK_DOM_WORDS / SEK_DOM_FIXED) /* a head that lies */
        expected = 0;
    d->max_blocks = n < UINT32_MAX / SEK_DOM_WORDS ? (uint32_t)n : UINT32_MAX / SEK_DOM_WORDS;
    d->n_blocks = SEK_DOM_HEADS;
    d->blocks = sek__dom_reserve(((size_t)d->max_blocks + 1) * SEK_DOM_BLOCK);
    d->live = calloc(d->max_blocks, sizeof(*d->live));
    d->dirty = calloc(d->max_blocks, 1);
    d->stage = malloc((size_t)SEK_DOM_STAGE * SEK_DOM_BLOCK);
    if (!d->blocks || !d->live || !d->dirty || !d->stage || !sek__dom_index_init(d, expected) ||
        !sek__dom_commit(d, SEK_DOM_HEADS))
        return sek_diag_set(diag, SEK_E_NOMEM, "store of domains: out of memory for %llu octets",
                            (unsigned long long)d->max_octets);
    return SEK_OK;
}

/* --- files -------------------------------------------------------------------------------------
 */

/* The damaged file under a second name, never over another; the first is replaced after. */
static enum sek_err put_aside(const struct sek_domains *d, int64_t now_s,
                              char out[SEK_DOMAINS_ASIDE_MAX], struct sek_diag *diag)
{
    char iso[32], stamp[32], extra[16] = "";
    size_t n = 0;

    sek_time_to_text(now_s, iso, sizeof(iso));
    for (const char *c = iso; *c; c++)
        if (*c != '-' && *c != ':')
            stamp[n++] = *c;
    stamp[n] = '\0';
    for (int attempt = 1; attempt <= 100; attempt++) {
        snprintf(out, SEK_DOMAINS_ASIDE_MAX, "%s.corrupt-%s%s", d->path, stamp, extra);
        if (link(d->path, out) == 0)
            return SEK_OK;
        if (errno != EEXIST) /* a file system without links */
            break;
        snprintf(extra, sizeof(extra), "-%d", attempt);
    }
    if (errno != EEXIST && access(out, F_OK) != 0 && rename(d->path, out) == 0)
        return SEK_OK;
    out[0] = '\0';
    return sek__dom_fail(d, errno, "is damaged and cannot be put aside", diag);
}

/* Nothing was recognised: ours all the same? A head's beginning, or zeros as after a loss of power.
 */
static bool looks_ours(const struct sek_domains *d)
{
    char begin[SEK_DOM_HEADS][16] = {{0}}, zeros[16] = {0};
    bool ours = true;

    for (uint32_t i = 0; i < SEK_DOM_HEADS; i++) {
        if (pread(d->fd, begin[i], sizeof(begin[i]), (off_t)i * SEK_DOM_BLOCK) < 0)
            return false;
        if (memcmp(begin[i], SEK_DOM_MAGIC, 8) == 0)
            return true;
        ours = ours && memcmp(begin[i], zeros, sizeof(zeros)) == 0;
    }
    return ours;
}

/* After a loss of power the newest blocks may be missing; more than that is damage. */
static bool is_damaged(const struct sek_domains *d, const struct sek_dom_head *head,
                       const struct sek_dom_loaded *got)
{
    bool same_boot = d->boot_id[0] && strcmp(d->boot_id, head->boot_id) == 0;

    return got->n_bad > (same_boot ? 0 : 16 + head->n_blocks / 16);
}

static void adopt(struct sek_domains *d, const struct sek_dom_head *head)
{
    d->created_s = head->created_s;
    d->since_s = head->since_s;
    d->expiry_s = head->expiry_s;
    d->spread_key = head->spread_key;
    d->n_overflow = head->n_overflow;
    d->n_evicted = head->n_evicted;
    d->n_expired = head->n_expired;
    d->n_damaged = head->n_damaged;
    memcpy(d->psl_first, head->psl_first, sizeof(d->psl_first));
    d->seen = *head;
}

/* An existing file: d->fd is open and locked. */
static enum sek_err take_file(struct sek_domains *d, uint64_t size, int64_t now_s,
                              char out_aside[SEK_DOMAINS_ASIDE_MAX], struct sek_diag *diag)
{
    uint64_t n_file = size / SEK_DOM_BLOCK, n_sure = SEK_DOM_HEADS;
    struct sek_dom_loaded got = {0};
    struct sek_dom_head head = {0};
    enum sek_err err = sek__dom_head_read(d->fd, d->path, &head, diag);
    bool has_head = !err;

    if (err && err != SEK_E_CORRUPT)
        return err;
    /* what a head cannot mean, a hole of terabytes say, is not read */
    if (n_file > OCTETS_MAX / SEK_DOM_BLOCK)
        n_file = OCTETS_MAX / SEK_DOM_BLOCK;
    if (has_head) {
        uint64_t most = head.n_blocks + d->max_octets / SEK_DOM_BLOCK;
        n_file = n_file > most ? most : n_file;
        n_sure = head.n_blocks;
        adopt(d, &head);
    }
    err = make_room(d, n_file, has_head ? head.n_known + head.n_absent : 0, diag);
    if (!err)
        err = sek__dom_load(d, n_file, n_sure, &got, diag);
    if (err)
        return err;
    if (!has_head && got.n_good == 0 && !looks_ours(d))
        return sek_diag_set(diag, SEK_E_CORRUPT, "%s: is no store of domains; left alone", d->path);
    if (!has_head && got.oldest_s < now_s)
        d->since_s = d->created_s = got.oldest_s;
    d->n_damaged += got.n_bad + !has_head;
    if (has_head && !is_damaged(d, &head, &got))
        return SEK_OK;
    err = put_aside(d, now_s, out_aside, diag);
    return err ? err : sek__dom_replace(d, diag);
}

static enum sek_err open_file(struct sek_domains *d, int64_t now_s,
                              char out_aside[SEK_DOMAINS_ASIDE_MAX], struct sek_diag *diag)
{
    int fd = open(d->path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    struct stat st;
    enum sek_err err;

    if (fd < 0 && errno != ENOENT)
        return sek__dom_fail(d, errno, "cannot open", diag);
    if (fd >= 0) {
        sek__dom_set_fd(d, fd);
        if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
            return sek_diag_set(diag, SEK_E_INVALID, "%s: is not a regular file", d->path);
        err = sek__dom_lock(d, fd, diag);
        if (err)
            return err;
        if (st.st_size > 0)
            return take_file(d, (uint64_t)st.st_size, now_s, out_aside, diag);
    }
    err = make_room(d, 0, 0, diag);
    return err ? err : sek__dom_replace(d, diag);
}

enum sek_err sek_domains_open(const struct sek_domains_conf *conf, int64_t now_s,
                              struct sek_domains **out, char out_aside[SEK_DOMAINS_ASIDE_MAX],
                              struct sek_diag *diag)
{
    struct sek_domains *d;
    enum sek_err err = check_conf(conf, diag);

    out_aside[0] = '\0';
    if (err)
        return err;
    d = new_plain(conf->path);
    if (!d)
        return sek_diag_set(diag, SEK_E_NOMEM, "store of domains: out of memory");
    d->key = sek_hash_key_random();
    d->spread_key = conf->key && !conf->path ? *conf->key : sek_hash_key_random();
    d->since_s = d->created_s = d->expiry_s = now_s;
    read_boot_id(d->boot_id);
    copy_text(d->psl_first, sizeof(d->psl_first), conf->psl_version);
    copy_text(d->psl_last, sizeof(d->psl_last), conf->psl_version);
    share_out(d, conf);
    err = conf->path ? open_file(d, now_s, out_aside, diag) : make_room(d, 0, 0, diag);
    if (!err && conf->path)
        err = sek__dom_head_write(d, diag);
    if (err) {
        free_all(d);
        return err;
    }
    *out = d;
    return SEK_OK;
}

enum sek_err sek_domains_open_read(const char *path, struct sek_domains **out,
                                   struct sek_diag *diag)
{
    struct sek_domains *d = NULL;
    int fd;
    enum sek_err err = sek_file_open_regular(path, &fd, diag);

    if (err)
        return err;
    if (strlen(path) >= SEK_DOM_PATH_MAX)
        err = sek_diag_set(diag, SEK_E_LIMIT, "%s: path too long", path);
    else if (!(d = new_plain(path)))
        err = sek_diag_set(diag, SEK_E_NOMEM, "store of domains: out of memory");
    else
        err = sek__dom_head_read(fd, path, &d->seen, diag);
    if (err) {
        close(fd);
        free(d);
        return err;
    }
    d->fd = fd;
    d->read_only = true;
    d->since_s = d->seen.since_s;
    *out = d;
    return SEK_OK;
}

void sek_domains_close(struct sek_domains *d)
{
    if (!d)
        return;
    if (!d->read_only && d->fd >= 0)
        sek__dom_flush(d, NULL);
    free_all(d);
}

/* --- once a second -----------------------------------------------------------------------------
 */

/* Is it still our file that has the path? Made again or completed where it is not whole. */
static enum sek_err heal(struct sek_domains *d, struct sek_diag *diag)
{
    struct stat st;

    if (lstat(d->path, &st) != 0)
        return errno == ENOENT ? sek__dom_replace(d, diag)
                               : sek__dom_fail(d, errno, "cannot examine", diag);
    if (st.st_dev != d->dev || st.st_ino != d->ino)
        return sek_diag_set(diag, SEK_E_EXISTS, "%s: replaced by another file; left alone",
                            d->path);
    uint64_t n = (uint64_t)st.st_size / SEK_DOM_BLOCK;
    if (n >= d->n_written)
        return SEK_OK;
    memset(d->dirty + n, 1, d->n_written - n);
    if (n < SEK_DOM_HEADS)
        d->seen.n_blocks = 0; /* so that the head is written, too */
    return SEK_OK;
}

enum sek_err sek_domains_sync(struct sek_domains *d, int64_t now_s, struct sek_diag *diag)
{
    enum sek_err err = SEK_OK;
    uint32_t id;

    if (d->read_only)
        return SEK_OK;
    if (now_s < d->expiry_s || now_s - d->expiry_s < AGE_STEP_S)
        d->expiry_s = now_s;
    else
        d->expiry_s += AGE_STEP_S;
    if (d->left.n == 0)
        sek__dom_age(d, AGE_BLOCKS);
    if (d->fd >= 0) {
        err = heal(d, diag);
        if (!err)
            err = sek__dom_flush(d, diag);
    }
    /* what was moved out of these blocks may be old knowledge: it is on the disk before they are
     * used again */
    if (!err && d->left.n > 0 && d->fd >= 0 && fdatasync(d->fd) != 0)
        err = sek__dom_fail(d, errno, "cannot write to disk", diag);
    while (!err && (id = sek__dom_queue_pop(&d->left)) != 0)
        sek__dom_queue_push(&d->free, id);
    return err;
}
