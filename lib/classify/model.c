/* SPDX-License-Identifier: BSD-3-Clause */
#include "classify/model.h"
#include "base/file.h"
#include "base/hash.h"
#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/banned.h"

static enum sek_err damaged(struct sek_diag *diag, const char *what)
{
    return sek_diag_set(diag, SEK_E_CORRUPT, "damaged classifier model: %s", what);
}

uint64_t sek_model_sum(const struct sek_model_head *head, size_t size)
{
    struct sek_hash_key key = {SEK_MODEL_KEY, size};
    struct sek_model_head first = *head;

    /* in two parts, since the map is not ours to write to: the head with sum 0, then the rest */
    first.sum = 0;
    key.k0 ^= sek_hash(&key, &first, sizeof(first));
    return sek_hash(&key, head + 1, size - sizeof(first));
}

static bool curve_is_sound(const struct sek_curve *c)
{
    /* Also keeps first + 64 × step within 32 bits. */
    if (c->step <= 0 || c->step > 1 << 24 || c->first < -(1 << 30) || c->first > 1 << 29)
        return false;
    for (int i = 0; i < SEK_KNOTS; i++)
        if (!isfinite(c->at[i]) || fabsf(c->at[i]) > 100 || (i && c->at[i] < c->at[i - 1]))
            return false;
    return true;
}

static enum sek_err check_counts(const struct sek_model_head *head, size_t size,
                                 struct sek_diag *diag)
{
    uint64_t at[SEK__MODEL_N_SECTIONS + 1];

    if (head->n_slots < 2 || (head->n_slots & (head->n_slots - 1)) || head->n_slots > 1u << 20)
        return damaged(diag, "bad number of suffixes");
    if (head->n_classes == 0 || head->n_classes > SEK_CLASSES_MAX)
        return damaged(diag, "bad number of suffix classes");
    if (head->n_heads > SEK_HEADS_MAX)
        return damaged(diag, "bad number of kinds");
    sek__model_layout(head, at);
    if (head->size != size || at[SEK__MODEL_N_SECTIONS] != size || size > SEK_MODEL_SIZE_MAX)
        return damaged(diag, "wrong size");
    return SEK_OK;
}

static enum sek_err check_head(const struct sek_model_head *head, size_t size,
                               struct sek_diag *diag)
{
    const uint32_t shifts[] = {head->table_shift, head->conv2_shift, head->conv3_shift,
                               head->dense_shift, head->out_shift,   head->head_shift};
    enum sek_err err;

    if (memcmp(head->magic, SEK_MODEL_MAGIC, sizeof(head->magic)) != 0)
        return sek_diag_set(diag, SEK_E_CORRUPT, "not a classifier model");
    if (head->order != SEK_MODEL_ORDER)
        return sek_diag_set(diag, SEK_E_VERSION, "made on a machine of other octet order");
    if (head->version != SEK_MODEL_VERSION)
        return sek_diag_set(diag, SEK_E_VERSION, "has format %u, this program reads %u",
                            head->version, SEK_MODEL_VERSION);
    err = check_counts(head, size, diag);
    if (err != SEK_OK)
        return err;
    for (unsigned i = 0; i < sizeof(shifts) / sizeof(shifts[0]); i++)
        if (shifts[i] == 0 || shifts[i] > 20)
            return damaged(diag, "bad scale");
    if (head->stage1_unit == 0 || head->stage1_unit > 1 << 20)
        return damaged(diag, "bad unit");
    if (!curve_is_sound(&head->curve[0]) || !curve_is_sound(&head->curve[1]))
        return damaged(diag, "bad calibration");
    if (!isfinite(head->block) || !isfinite(head->monitor) || head->block < head->monitor)
        return damaged(diag, "bad thresholds");
    if (!memchr(head->about, '\0', sizeof(head->about)))
        return damaged(diag, "bad description");
    return SEK_OK;
}

static enum sek_err check_slots(const struct sek_model *m, struct sek_diag *diag)
{
    uint32_t n_used = 0;

    for (uint32_t i = 0; i < m->head->n_slots; i++) {
        const struct sek_suffix_slot *slot = &m->suffixes.slots[i];

        n_used += slot->flags != 0;
        if (slot->flags > SEK_SUFFIX_FLAGS || slot->class_id >= m->head->n_classes || slot->zero)
            return damaged(diag, "bad suffix");
    }
    /* Also what bounds the walk from a slot to a free one, on average. */
    return n_used > m->head->n_slots / 4 * 3 ? damaged(diag, "too many suffixes") : SEK_OK;
}

/* Longest run of used slots: what a lookup may cost. */
static enum sek_err check_runs(const struct sek_model *m, struct sek_diag *diag)
{
    uint32_t run = 0;

    for (uint32_t i = 0; i < m->head->n_slots * 2; i++) {
        run = m->suffixes.slots[i & m->suffixes.mask].flags ? run + 1 : 0;
        if (run > 256)
            return damaged(diag, "suffixes lie too close");
    }
    return SEK_OK;
}

static enum sek_err check_kinds(const struct sek_model *m, struct sek_diag *diag)
{
    for (uint32_t i = 0; i < m->head->n_heads; i++)
        if (!memchr(m->kinds[i].name, '\0', SEK_HEAD_NAME))
            return damaged(diag, "bad name of a kind");
    return SEK_OK;
}

void sek_model_sections(struct sek_model *m)
{
    const uint8_t *map = (const uint8_t *)m->head;
    uint64_t at[SEK__MODEL_N_SECTIONS + 1];

    sek__model_layout(m->head, at);
    m->suffixes.slots = (const void *)(map + at[SEK__MODEL_SLOTS]);
    m->suffixes.mask = m->head->n_slots - 1;
    m->grams = (const void *)(map + at[SEK__MODEL_GRAMS]);
    m->class1 = (const void *)(map + at[SEK__MODEL_CLASS1]);
    m->len1 = (const void *)(map + at[SEK__MODEL_LEN1]);
    m->uni = (const void *)(map + at[SEK__MODEL_UNI]);
    m->pair = (const void *)(map + at[SEK__MODEL_PAIR]);
    m->triple = (const void *)(map + at[SEK__MODEL_TRIPLE]);
    m->conv2 = (const void *)(map + at[SEK__MODEL_CONV2]);
    m->conv3 = (const void *)(map + at[SEK__MODEL_CONV3]);
    m->dense = (const void *)(map + at[SEK__MODEL_DENSE]);
    m->dense_b = (const void *)(map + at[SEK__MODEL_DENSE_B]);
    m->class2 = (const void *)(map + at[SEK__MODEL_CLASS2]);
    m->len2 = (const void *)(map + at[SEK__MODEL_LEN2]);
    m->out = (const void *)(map + at[SEK__MODEL_OUT]);
    m->kinds = (const void *)(map + at[SEK__MODEL_KINDS]);
}

static enum sek_err check(struct sek_model *m, bool verify, struct sek_diag *diag)
{
    enum sek_err err = check_head(m->head, m->size, diag);

    if (err == SEK_OK && verify && sek_model_sum(m->head, m->size) != m->head->sum)
        err = damaged(diag, "wrong checksum");
    if (err != SEK_OK)
        return err;
    sek_model_sections(m);
    err = check_slots(m, diag);
    if (err == SEK_OK)
        err = check_runs(m, diag);
    if (err == SEK_OK)
        err = check_kinds(m, diag);
    return err;
}

static enum sek_err map_fd(int fd, struct sek_model *m, struct sek_diag *diag)
{
    struct stat st;
    void *copy;
    enum sek_err err;

    if (fstat(fd, &st) != 0)
        return sek_diag_set(diag, sek_err_from_errno(errno), "cannot examine");
    if ((uint64_t)st.st_size < sizeof(struct sek_model_head))
        return sek_diag_set(diag, SEK_E_CORRUPT, "too short for a classifier model");
    if ((uint64_t)st.st_size > SEK_MODEL_SIZE_MAX)
        return sek_diag_set(diag, SEK_E_CORRUPT, "too long for a classifier model");
    err = sek_file_copy(fd, (size_t)st.st_size, &copy, diag);
    if (err != SEK_OK)
        return err;
    m->head = copy;
    m->size = (size_t)st.st_size;
    return SEK_OK;
}

enum sek_err sek_model_map(const char *path, bool verify, struct sek_model *out,
                           struct sek_diag *diag)
{
    struct sek_model m = {0};
    enum sek_err err;
    int fd;

    err = sek_file_open_trusted(path, &fd, diag);
    if (err != SEK_OK)
        return err; /* its text has the path */
    err = map_fd(fd, &m, diag);
    close(fd);
    if (err == SEK_OK)
        err = check(&m, verify, diag);
    if (err != SEK_OK) {
        sek_diag_wrap(diag, "%s", path);
        sek_model_unmap(&m);
        return err;
    }
    *out = m;
    return SEK_OK;
}

void sek_model_unmap(struct sek_model *m)
{
    if (m->head)
        munmap((void *)(uintptr_t)m->head, m->size);
    m->head = NULL;
}
