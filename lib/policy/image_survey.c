/* SPDX-License-Identifier: BSD-3-Clause */
/* What a file tells that nobody looks names up in. */
#include "base/file.h"
#include "policy/image_format.h"
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/banned.h"

#define CHUNK ((size_t)1 << 16) /* octets; stays in the processor's cache. A multiple of 64 */

static enum sek_err damaged(struct sek_diag *diag, const char *what)
{
    return sek_diag_set(diag, SEK_E_CORRUPT, "damaged policy image: %s", what);
}

enum sek_err sek__image_check_head(const struct sek_image_head *head, uint64_t size,
                                   struct sek_diag *diag)
{
    uint64_t at[SEK__N_SECTIONS + 1];

    if (memcmp(head->magic, SEK_IMAGE_MAGIC, sizeof(head->magic)) != 0)
        return sek_diag_set(diag, SEK_E_CORRUPT, "not a policy image");
    if (head->order != SEK_IMAGE_ORDER)
        return sek_diag_set(diag, SEK_E_VERSION, "made on a machine of other octet order");
    if (head->version < SEK_IMAGE_VERSION_MIN || head->version > SEK_IMAGE_VERSION)
        return sek_diag_set(diag, SEK_E_VERSION, "has format %u, this program reads %u to %u",
                            head->version, SEK_IMAGE_VERSION_MIN, SEK_IMAGE_VERSION);
    sek__image_layout(head, at);
    if (head->size != size || size % SEK_IMAGE_ALIGN != 0 || at[SEK__N_SECTIONS] > size ||
        (head->version < SEK_IMAGE_PARTS_SINCE && at[SEK__N_SECTIONS] != size))
        return damaged(diag, "wrong size");
    if (head->n_buckets == 0 || head->n_filter == 0 || head->n_lists > SEK_LISTS_MAX ||
        head->id == 0)
        return damaged(diag, "bad head");
    if (sek__image_lined(head) && (head->n_entries % SEK_IMAGE_LINE != 0 ||
                                   head->n_buckets > head->n_entries / SEK_IMAGE_LINE))
        return damaged(diag, "lines missing");
    return SEK_OK;
}

struct sek_image_info sek__image_info_of(const struct sek_image_head *head)
{
    return (struct sek_image_info){.id = head->id,
                                   .base_id = head->base_id,
                                   .generation = head->generation,
                                   .made_s = head->made_s,
                                   .n_names = head->n_names,
                                   .n_rules = head->n_rules,
                                   .n_lists = head->n_lists,
                                   .size_octets = head->size};
}

/* Exactly n octets. */
static enum sek_err read_at(int fd, uint64_t at, void *out, size_t n, struct sek_diag *diag)
{
    for (size_t done = 0; done < n;) {
        ssize_t got = pread(fd, (char *)out + done, n - done, (off_t)(at + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return sek_diag_set(diag, sek_err_from_errno(errno), "cannot read");
        if (got == 0)
            return sek_diag_set(diag, SEK_E_CORRUPT, "was cut off while it was read");
        done += (size_t)got;
    }
    return SEK_OK;
}

/* The head of a file, open from then on. */
static enum sek_err open_head(const char *path, int *out_fd, struct sek_image_head *out,
                              struct sek_diag *diag)
{
    struct stat st;
    int fd;
    enum sek_err err = sek_file_open_regular(path, &fd, diag);

    if (err != SEK_OK)
        return err;
    if (fstat(fd, &st) != 0 || pread(fd, out, sizeof(*out), 0) != (ssize_t)sizeof(*out))
        err = sek_diag_set(diag, SEK_E_CORRUPT, "too short for a policy image");
    else
        err = sek__image_check_head(out, (uint64_t)st.st_size, diag);
    if (err == SEK_OK)
        *out_fd = fd;
    else
        close(fd);
    return err;
}

enum sek_err sek_image_peek(const char *path, struct sek_image_info *out, struct sek_diag *diag)
{
    struct sek_image_head head;
    int fd = -1;
    enum sek_err err = open_head(path, &fd, &head, diag);

    if (err != SEK_OK) {
        sek_diag_wrap(diag, "%s", path);
        return err;
    }
    close(fd);
    *out = sek__image_info_of(&head);
    return SEK_OK;
}

static enum sek_err check_sum(int fd, const struct sek_image_head *head, struct sek_diag *diag)
{
    struct sek__sum sum = SEK__SUM_START;
    uint8_t *chunk = malloc(CHUNK);
    enum sek_err err = chunk ? SEK_OK : sek_diag_set(diag, SEK_E_NOMEM, "out of memory");

    for (uint64_t at = 0; err == SEK_OK && at < head->size; at += CHUNK) {
        size_t n = head->size - at < CHUNK ? (size_t)(head->size - at) : CHUNK;
        err = read_at(fd, at, chunk, n, diag);
        if (at == 0)
            memset(chunk + offsetof(struct sek_image_head, sum), 0, sizeof(head->sum));
        if (err == SEK_OK)
            sek__sum_add(&sum, chunk, n);
    }
    free(chunk);
    if (err == SEK_OK && sek__sum_end(&sum) != head->sum)
        err = damaged(diag, "wrong checksum");
    return err;
}

/* The data of the part of a kind, nothing if there is none. */
static enum sek_err read_part(int fd, const struct sek_image_head *head, enum sek_image_kind kind,
                              struct sek_buf *out, struct sek_diag *diag)
{
    uint64_t at[SEK__N_SECTIONS + 1];
    struct sek_image_part part;
    enum sek_err err = SEK_OK;

    sek__image_layout(head, at);
    for (uint64_t next = at[SEK__N_SECTIONS]; err == SEK_OK && next < head->size;
         next += sizeof(part) + sek__image_padded(part.size)) {
        if (head->size - next < sizeof(part))
            return damaged(diag, "bad part");
        err = read_at(fd, next, &part, sizeof(part), diag);
        if (err == SEK_OK && part.size > head->size - next - sizeof(part))
            return damaged(diag, "bad part");
        if (err != SEK_OK || part.kind != (uint32_t)kind)
            continue;
        void *data = sek_buf_grow(out, part.size);
        return data ? read_at(fd, next + sizeof(part), data, part.size, diag)
                    : sek_diag_set(diag, SEK_E_NOMEM, "out of memory");
    }
    return err;
}

enum sek_err sek_image_survey(const char *path, struct sek_image_info *out,
                              struct sek_buf *out_patterns, struct sek_diag *diag)
{
    struct sek_image_head head;
    int fd = -1;
    enum sek_err err = open_head(path, &fd, &head, diag);

    if (err == SEK_OK)
        err = check_sum(fd, &head, diag);
    if (err == SEK_OK && out_patterns)
        err = read_part(fd, &head, SEK_IMAGE_PATTERNS, out_patterns, diag);
    if (fd >= 0)
        close(fd);
    if (err == SEK_OK)
        *out = sek__image_info_of(&head);
    else
        sek_diag_wrap(diag, "%s", path);
    return err;
}
