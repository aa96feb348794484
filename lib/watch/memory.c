/* SPDX-License-Identifier: BSD-3-Clause */
#include "watch/memory.h"
#include "base/file.h"
#include "watch/memory_format.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/banned.h"

#define TOGETHER 8             /* things that never part: those of a set (watch/places.h) */
#define STEP_OCTETS (1u << 20) /* of memory, looked through in a step */
#define WORDS_MAX (SEK_KEPT_STRIDE_MAX / 8)
#define THING_MAX (SEK_KEPT_STRIDE_MAX + WORDS_MAX / 8) /* as it is written */

_Static_assert(TOGETHER *THING_MAX <= SEK_MEMORY_BLOCK, "a block holds a set");

/* --- things ------------------------------------------------------------------------------------
 */

/* Returns the octets written, 0 for a thing of zeros. */
static size_t put_thing(const void *thing, size_t stride, uint8_t *out)
{
    uint64_t words[WORDS_MAX] = {0};
    size_t n_words = (stride + 7) / 8, n_bits = (n_words + 7) / 8, at = n_bits;
    memcpy(words, thing, stride);
    memset(out, 0, n_bits);
    for (size_t i = 0; i < n_words; i++) {
        if (!words[i])
            continue;
        out[i / 8] |= (uint8_t)(1u << i % 8);
        memcpy(out + at, &words[i], 8);
        at += 8;
    }
    return at > n_bits ? at : 0;
}

/* Returns the octets read, 0 where they end too early. */
static size_t get_thing(const uint8_t *in, size_t left, size_t stride, uint64_t words[WORDS_MAX])
{
    size_t n_words = (stride + 7) / 8, n_bits = (n_words + 7) / 8, at = n_bits;
    if (left < n_bits)
        return 0;
    memset(words, 0, n_words * 8);
    for (size_t i = 0; i < n_words; i++) {
        if (!(in[i / 8] >> i % 8 & 1))
            continue;
        if (left - at < 8)
            return 0;
        memcpy(&words[i], in + at, 8);
        at += 8;
    }
    return at;
}

/* --- reading -----------------------------------------------------------------------------------
 */

struct sek_memory {
    int fd;
    const char *path; /* behind it */
    struct sek_memory_head head;
    uint64_t at, size; /* in the file */
    uint64_t number;   /* of the next block */
    struct sek_memory_block block;
};

static enum sek_err damaged(const struct sek_memory *m, struct sek_diag *diag)
{
    return sek_diag_set(diag, SEK_E_CORRUPT, "%s: no memory of detectors, or it is damaged",
                        m->path);
}

/* The next octets; CORRUPT when there are fewer. */
static enum sek_err get(struct sek_memory *m, void *out, size_t n, struct sek_diag *diag)
{
    for (size_t done = 0; done < n;) {
        ssize_t got = pread(m->fd, (uint8_t *)out + done, n - done, (off_t)(m->at + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return sek_diag_set(diag, sek_err_from_errno(errno), "%s: cannot read", m->path);
        if (got == 0)
            return damaged(m, diag);
        done += (size_t)got;
    }
    m->at += n;
    return SEK_OK;
}

static enum sek_err head_get(struct sek_memory *m, struct sek_diag *diag)
{
    struct sek_memory_head *h = &m->head;
    enum sek_err err = get(m, h, sizeof *h, diag);
    if (err)
        return err;
    if (memcmp(h->magic, SEK_MEMORY_MAGIC, sizeof h->magic) != 0)
        return damaged(m, diag);
    if (h->order != SEK_MEMORY_ORDER || h->version != SEK_MEMORY_VERSION)
        return sek_diag_set(
            diag, SEK_E_VERSION,
            "%s: was written by another version of this program, or another machine", m->path);
    bool sound =
        h->sum == sek_memory_head_sum(h) && h->saved_ms >= 0 && h->saved_ms <= INT64_MAX / 4;
    return sound ? SEK_OK : damaged(m, diag);
}

enum sek_err sek_memory_open(const char *path, struct sek_memory **out, struct sek_diag *diag)
{
    struct stat st;
    struct sek_memory *m = malloc(sizeof *m + strlen(path) + 1);
    if (!m)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for what detectors remember");
    memset(m, 0, sizeof *m);
    m->fd = -1;
    m->path = memcpy(m + 1, path, strlen(path) + 1);
    enum sek_err err = sek_file_open_regular(path, &m->fd, diag);
    if (!err && fstat(m->fd, &st) != 0)
        err = sek_diag_set(diag, sek_err_from_errno(errno), "%s: cannot examine", path);
    if (!err) {
        m->size = (uint64_t)st.st_size;
        err = head_get(m, diag);
    }
    if (err) {
        sek_memory_close(m);
        return err;
    }
    *out = m;
    return SEK_OK;
}

void sek_memory_close(struct sek_memory *m)
{
    if (!m)
        return;
    if (m->fd >= 0)
        close(m->fd);
    free(m);
}

struct sek_hash_key sek_memory_key(const struct sek_memory *m)
{
    return m->head.key;
}

int64_t sek_memory_saved_ms(const struct sek_memory *m)
{
    return m->head.saved_ms;
}

static enum sek_err block_get(struct sek_memory *m, struct sek_diag *diag)
{
    struct sek_memory_block *b = &m->block;
    enum sek_err err = get(m, b, SEK_MEMORY_BLOCK_HEAD, diag);
    if (!err && b->octets > sizeof b->data)
        return damaged(m, diag);
    if (!err)
        err = get(m, b->data, b->octets, diag);
    if (!err && b->sum != sek_memory_block_sum(&m->head, m->number, b))
        return damaged(m, diag);
    m->number++;
    return err;
}

/* table NULL: only look whether they are things. */
static enum sek_err things_get(const struct sek_memory *m, const struct sek_kept *table,
                               void *owner, const struct sek_lapse *lapse,
                               struct sek_memory_sums *sums, struct sek_diag *diag)
{
    const struct sek_memory_block *b = &m->block;
    size_t at = 0;
    if (b->stride > SEK_KEPT_STRIDE_MAX)
        return damaged(m, diag);
    for (uint32_t i = 0; i < b->n; i++) {
        uint64_t words[WORDS_MAX];
        size_t n = get_thing(b->data + at, b->octets - at, b->stride, words);
        if (n == 0)
            return damaged(m, diag);
        at += n;
        if (!table)
            continue;
        bool taken = table->take(owner, words, lapse);
        sums->n_taken += taken;
        sums->n_left += !taken;
    }
    return at == b->octets ? SEK_OK : damaged(m, diag);
}

static enum sek_err block_take(const struct sek_memory *m, struct sek_detectors *d,
                               const struct sek_lapse *lapse, struct sek_memory_sums *sums,
                               struct sek_diag *diag)
{
    const struct sek_memory_block *b = &m->block;
    struct sek_kept tables[SEK_DETECTOR_TABLES];
    void *owner;
    unsigned n = sek_detectors_kept(d, (enum sek_detector)b->detector, tables, &owner);
    if (b->table >= n) /* a detector that is off */
        return SEK_OK;
    const struct sek_kept *table = &tables[b->table];
    if (table->layout == b->layout && table->stride == b->stride)
        return things_get(m, table, owner, lapse, sums, diag);
    sums->n_foreign += b->n;
    return SEK_OK;
}

/* All blocks; d NULL: only look whether they are sound. */
static enum sek_err walk(struct sek_memory *m, struct sek_detectors *d,
                         const struct sek_lapse *lapse, sek_memory_fn *goes_on, void *arg,
                         struct sek_memory_sums *sums, struct sek_diag *diag)
{
    m->at = sizeof m->head;
    m->number = 0;
    for (;;) {
        enum sek_err err = block_get(m, diag);
        if (err)
            return err;
        if (m->block.detector == 0)
            break;
        if (goes_on && !goes_on(arg))
            return sek_diag_set(diag, SEK_E_BUSY, "%s: not all of it was taken up", m->path);
        err =
            d ? block_take(m, d, lapse, sums, diag) : things_get(m, NULL, NULL, lapse, sums, diag);
        if (err)
            return err;
    }
    bool whole = m->block.n == m->number - 1 && m->block.octets == 0 && m->at == m->size;
    return whole ? SEK_OK : damaged(m, diag);
}

enum sek_err sek_memory_load(struct sek_memory *m, struct sek_detectors *d, int64_t now_ms,
                             sek_memory_fn *goes_on, void *arg, struct sek_memory_sums *out,
                             struct sek_diag *diag)
{
    const struct sek_lapse lapse = {m->head.saved_ms, now_ms};
    *out = (struct sek_memory_sums){0};
    enum sek_err err = walk(m, NULL, &lapse, goes_on, arg, out, diag);
    return err ? err : walk(m, d, &lapse, goes_on, arg, out, diag);
}

/* --- writing -----------------------------------------------------------------------------------
 */

struct sek_memory_save {
    struct sek_file_new file;
    struct sek_detectors *d;
    struct sek_memory_head head;
    const struct sek_detector_row *row;
    unsigned table;  /* of the row's detector */
    size_t at;       /* in the table */
    uint64_t number; /* of the next block */
    struct sek_memory_block block;
};

enum sek_err sek_memory_save_new(const char *path, struct sek_detectors *d, struct sek_hash_key key,
                                 int64_t now_ms, struct sek_memory_save **out,
                                 struct sek_diag *diag)
{
    struct sek_memory_save *s = malloc(sizeof *s);
    if (!s)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for what detectors remember");
    memset(s, 0, sizeof *s);
    s->file.fd = -1;
    s->d = d;
    s->row = sek_detector_rows;
    s->head = (struct sek_memory_head){
        .order = SEK_MEMORY_ORDER, .version = SEK_MEMORY_VERSION, .saved_ms = now_ms, .key = key};
    memcpy(s->head.magic, SEK_MEMORY_MAGIC, sizeof s->head.magic);
    s->head.sum = sek_memory_head_sum(&s->head);
    enum sek_err err = sek_file_new_open(path, 0600, &s->file, diag);
    if (!err)
        err = sek_file_new_write(&s->file, &s->head, sizeof s->head, diag);
    if (err) {
        sek_memory_save_free(s);
        return err;
    }
    *out = s;
    return SEK_OK;
}

void sek_memory_save_free(struct sek_memory_save *s)
{
    if (!s)
        return;
    sek_file_new_abort(&s->file);
    free(s);
}

static enum sek_err block_put(struct sek_memory_save *s, struct sek_diag *diag)
{
    struct sek_memory_block *b = &s->block;
    b->sum = sek_memory_block_sum(&s->head, s->number++, b);
    enum sek_err err = sek_file_new_write(&s->file, b, SEK_MEMORY_BLOCK_HEAD + b->octets, diag);
    if (err)
        return err;
    /* so that the end finds little left to wait for; where it cannot be, it waits longer */
    sync_file_range(s->file.fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    return SEK_OK;
}

/* Fill a block from where the table is at. */
static void fill(struct sek_memory_save *s, const struct sek_kept *table)
{
    struct sek_memory_block *b = &s->block;
    size_t looked = 0;
    memset(b, 0, SEK_MEMORY_BLOCK_HEAD);
    b->detector = (uint16_t)s->row->id;
    b->table = (uint16_t)s->table;
    b->layout = table->layout;
    b->stride = (uint32_t)table->stride;
    for (; s->at < table->n; s->at++) {
        bool full = sizeof b->data - b->octets < TOGETHER * THING_MAX || looked >= STEP_OCTETS;
        if (s->at % TOGETHER == 0 && full)
            break;
        if (table->tags && !table->tags[s->at])
            continue;
        const uint8_t *thing = (const uint8_t *)table->things + s->at * table->stride;
        size_t n = put_thing(thing, table->stride, b->data + b->octets);
        b->octets += (uint32_t)n;
        b->n += n > 0;
        looked += table->stride;
    }
}

enum sek_err sek_memory_save_step(struct sek_memory_save *s, bool *out_done, struct sek_diag *diag)
{
    struct sek_kept tables[SEK_DETECTOR_TABLES];
    void *owner;
    *out_done = false;
    while (s->row->id) {
        unsigned n = sek_detectors_kept(s->d, s->row->id, tables, &owner);
        if (s->table >= n) {
            s->row++;
            s->table = 0;
        } else if (s->at >= tables[s->table].n) {
            s->table++;
            s->at = 0;
        } else {
            fill(s, &tables[s->table]);
            return s->block.n ? block_put(s, diag) : SEK_OK;
        }
    }
    memset(&s->block, 0, SEK_MEMORY_BLOCK_HEAD);
    s->block.n = (uint32_t)s->number;
    enum sek_err err = block_put(s, diag);
    if (!err)
        err = sek_file_new_commit(&s->file, diag);
    *out_done = !err;
    return err;
}
