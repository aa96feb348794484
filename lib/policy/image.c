/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/image.h"
#include "base/file.h"
#include "policy/image_format.h"
#include "policy/image_write.h"
#include "policy/pack.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/banned.h"

#define PREFETCH_LABELS 3 /* names with more come from memory after these have been let through */

struct sek_image {
    const struct sek_image_head *head; /* the copy of the file */
    size_t size;
    struct sek_pack *pack;
    struct sek_hash_key trail_key;
    /* sections */
    const uint64_t *filter;
    const struct sek_image_group *directory;
    const uint8_t *entries;
    const uint32_t *sets;
    const struct sek_rule *rules;
    const struct sek_list *lists;
    const int64_t *expiries;
    unsigned deepest; /* labels of the longest name, counted in labels */
    bool nested;      /* the filter has the names above the listed ones */
};

static enum sek_err load_file(const char *path, void **out, size_t *out_size, struct sek_diag *diag)
{
    struct stat st;
    int fd;
    enum sek_err err = sek_file_open_regular(path, &fd, diag);

    if (err != SEK_OK)
        return err;
    if (fstat(fd, &st) != 0) {
        err = sek_diag_set(diag, sek_err_from_errno(errno), "cannot examine");
    } else if ((uint64_t)st.st_size < sizeof(struct sek_image_head)) {
        err = sek_diag_set(diag, SEK_E_CORRUPT, "too short for a policy image");
    } else {
        *out_size = (size_t)st.st_size;
        err = sek_file_copy(fd, *out_size, out, diag);
    }
    close(fd);
    if (err != SEK_OK)
        sek_diag_wrap(diag, "%s", path);
    return err;
}

static enum sek_err damaged(struct sek_diag *diag, const char *what)
{
    return sek_diag_set(diag, SEK_E_CORRUPT, "damaged policy image: %s", what);
}

static enum sek_err check_head(const struct sek_image_head *head, size_t size,
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
    if (head->size != size || at[SEK__N_SECTIONS] != size)
        return damaged(diag, "wrong size");
    if (head->n_buckets == 0 || head->n_filter == 0 || head->n_lists > SEK_LISTS_MAX ||
        head->id == 0)
        return damaged(diag, "bad head");
    return SEK_OK;
}

static enum sek_err check_lists(const struct sek_image *image, struct sek_diag *diag)
{
    for (uint32_t i = 0; i < image->head->n_lists; i++) {
        const struct sek_list *list = &image->lists[i];

        if (list->id <= (i ? list[-1].id : 0) || list->mode > SEK_MODE_BLOCK ||
            list->action > SEK_ACTION_DROP || !memchr(list->name, '\0', SEK_LIST_NAME_MAX))
            return damaged(diag, "bad list");
    }
    return SEK_OK;
}

static uint64_t checksum(const struct sek_image_head *head)
{
    /* the head as it was when the sum was made, and what fills it up to a whole step */
    _Alignas(struct sek_image_head) uint8_t first[(sizeof(*head) + 63) / 64 * 64];
    struct sek__sum sum = SEK__SUM_START;

    memcpy(first, head, sizeof(first));
    ((struct sek_image_head *)(void *)first)->sum = 0;
    sek__sum_add(&sum, first, sizeof(first));
    sek__sum_add(&sum, (const uint8_t *)head + sizeof(first), head->size - sizeof(first));
    return sek__sum_end(&sum);
}

/* What a sound writer never gets wrong, so that no reader of rules meets a surprise. */
static enum sek_err check_rules(const struct sek_image *image, struct sek_diag *diag)
{
    const struct sek_image_head *head = image->head;

    for (uint32_t i = 0; i < head->n_set_rules; i++) {
        const struct sek_rule *rule = &image->rules[i];
        if (rule->scope < SEK_SCOPE_EXACT || rule->scope > SEK_SCOPE_BELOW ||
            rule->action > SEK_ACTION_DROP || rule->expires_s < 0)
            return damaged(diag, "bad rule");
    }
    for (uint32_t i = 0; i < head->n_sets; i++)
        if (image->sets[i] > image->sets[i + 1] || image->sets[i + 1] > head->n_set_rules ||
            (image->sets[i] == image->sets[i + 1] && head->base_id == 0))
            return damaged(diag, "bad rule set");
    for (uint32_t i = 0; i < head->n_expiries; i++)
        if (image->expiries[i] <= (i ? image->expiries[i - 1] : 0))
            return damaged(diag, "bad expiry");
    return SEK_OK;
}

/* All of it but the map, which is checked in parts as each becomes readable. */
static enum sek_err load(struct sek_image *image, bool verify, struct sek_diag *diag)
{
    const struct sek_image_head *head = image->head;
    const uint8_t *map = (const uint8_t *)head;
    uint64_t at[SEK__N_SECTIONS + 1];
    enum sek_err err = check_head(head, image->size, diag);

    if (err == SEK_OK && verify && checksum(head) != head->sum)
        err = damaged(diag, "wrong checksum");
    if (err != SEK_OK)
        return err;
    sek__image_layout(head, at);
    image->lists = (const void *)(map + at[SEK__LISTS]);
    image->expiries = (const void *)(map + at[SEK__EXPIRIES]);
    image->sets = (const void *)(map + at[SEK__SETS]);
    image->rules = (const void *)(map + at[SEK__RULES]);
    image->filter = (const void *)(map + at[SEK__FILTER]);
    image->directory = (const void *)(map + at[SEK__DIRECTORY]);
    image->entries = map + at[SEK__ENTRIES];
    image->trail_key = sek__trail_key(sek_image_seed(head->id, head->base_id));
    image->nested = head->version > SEK_IMAGE_VERSION_MIN;
    for (unsigned k = 0; k <= SEK_LABELS_MAX; k++)
        if (head->depths[k / 64] >> k % 64 & 1)
            image->deepest = k;
    err = check_lists(image, diag);
    if (err == SEK_OK && verify)
        err = check_rules(image, diag);
    if (err == SEK_OK)
        err = sek_pack_load(map + at[SEK__CODE], head->n_code, &image->pack, diag);
    return err;
}

enum sek_err sek_image_open(const char *path, bool verify, struct sek_image **out,
                            struct sek_diag *diag)
{
    struct sek_image *image;
    void *map = NULL;
    size_t size = 0;
    enum sek_err err = load_file(path, &map, &size, diag);

    if (err != SEK_OK)
        return err;
    image = calloc(1, sizeof(*image));
    if (!image) {
        munmap(map, size);
        return sek_diag_set(diag, SEK_E_NOMEM, "%s: out of memory", path);
    }
    image->head = map;
    image->size = size;
    err = load(image, verify, diag);
    if (err == SEK_OK) {
        *out = image;
        return SEK_OK;
    }
    sek_diag_wrap(diag, "%s", path);
    sek_image_close(image);
    return err;
}

void sek_image_close(struct sek_image *image)
{
    if (!image)
        return;
    sek_pack_free(image->pack);
    munmap((void *)image->head, image->size);
    free(image);
}

void sek_image_info(const struct sek_image *image, struct sek_image_info *out)
{
    const struct sek_image_head *head = image->head;

    *out = (struct sek_image_info){.id = head->id,
                                   .base_id = head->base_id,
                                   .generation = head->generation,
                                   .made_s = head->made_s,
                                   .n_names = head->n_names,
                                   .n_rules = head->n_rules,
                                   .n_lists = head->n_lists,
                                   .size_octets = head->size};
}

const struct sek_list *sek_image_lists(const struct sek_image *image, unsigned *out_n)
{
    *out_n = image->head->n_lists;
    return image->lists;
}

const int64_t *sek_image_expiries(const struct sek_image *image, unsigned *out_n)
{
    *out_n = image->head->n_expiries;
    return image->expiries;
}

void sek_image_trail(const struct sek_image *image, const struct sek_name *name,
                     struct sek_trail *out)
{
    sek__trail_make(&image->trail_key, name, out);
}

struct entry {
    const uint8_t *stored; /* packed name */
    uint32_t n_stored, set_id;
};

/* The entry at *at, which moves behind it. False at the end, also when an entry runs past it. */
static inline bool next_entry(const uint8_t **at, const uint8_t *end, struct entry *out)
{
    const uint8_t *p = *at;
    uint16_t n_stored;

    if (p == end)
        return false;
    out->n_stored = *p & SEK_IMAGE_LONG;
    out->set_id = *p++ >> 5;
    if (out->n_stored == SEK_IMAGE_LONG) {
        if (end - p < (ptrdiff_t)sizeof(n_stored))
            return false;
        memcpy(&n_stored, p, sizeof(n_stored));
        out->n_stored = n_stored;
        p += sizeof(n_stored);
    }
    if (out->set_id == SEK_IMAGE_FAR) {
        if (end - p < (ptrdiff_t)sizeof(out->set_id))
            return false;
        memcpy(&out->set_id, p, sizeof(out->set_id));
        p += sizeof(out->set_id);
    }
    if ((ptrdiff_t)out->n_stored > end - p)
        return false;
    out->stored = p;
    *at = p + out->n_stored;
    return true;
}

/* The rules of a set; false if there is no such set. */
static bool rules_of(const struct sek_image *image, uint32_t set_id, const struct sek_rule **out,
                     unsigned *out_n)
{
    if (set_id >= image->head->n_sets)
        return false;
    uint32_t start = image->sets[set_id], end = image->sets[set_id + 1];
    if (start > end || end > image->head->n_set_rules)
        return false;
    *out = image->rules + start;
    *out_n = end - start;
    return true;
}

/* The bucket of a hash; empty if the directory is damaged there. */
struct bucket {
    const uint8_t *start, *end;
};

static inline struct bucket bucket_of(const struct sek_image *image, uint64_t hash)
{
    uint32_t place = sek__image_spread(hash, image->head->n_buckets);
    const struct sek_image_group *group = image->directory + place / SEK_IMAGE_GROUP;
    unsigned i = place % SEK_IMAGE_GROUP;
    uint64_t start = (uint64_t)group->base + group->start[i];
    uint64_t end =
        i + 1 < SEK_IMAGE_GROUP ? (uint64_t)group->base + group->start[i + 1] : group[1].base;

    if (start > end || end > image->head->n_entries)
        start = end = 0;
    return (struct bucket){image->entries + start, image->entries + end};
}

/* The rules at the k right-most labels of a name. */
static bool find(const struct sek_image *image, struct bucket bucket,
                 const struct sek_packed *packed, unsigned k, const struct sek_rule **out_rules,
                 unsigned *out_n)
{
    struct entry entry;
    uint8_t last;
    unsigned n_stored = sek_packed_stored(packed, k, &last);

    while (next_entry(&bucket.start, bucket.end, &entry))
        if (entry.n_stored == n_stored && entry.stored[n_stored - 1] == last &&
            memcmp(entry.stored, packed->octets, n_stored - 1) == 0)
            return rules_of(image, entry.set_id, out_rules, out_n);
    return false;
}

static inline const uint64_t *filter_word(const struct sek_image *image, uint64_t hash)
{
    return &image->filter[sek__image_spread(hash, image->head->n_filter)];
}

/* Does the filter let the name of the k right-most labels through? */
static inline bool passes(const struct sek_image *image, uint64_t hash)
{
    uint64_t bits = sek__image_filter_bits(hash);

    return (*filter_word(image, hash) & bits) == bits;
}

/* How many right-most labels make a name that may be listed: all such, longest first. */
static unsigned sift(const struct sek_image *image, unsigned n_labels,
                     const struct sek_trail *trail, uint8_t out[SEK_LABELS_MAX + 1])
{
    uint8_t found[SEK_LABELS_MAX + 1];
    unsigned n = 0, last = n_labels < image->deepest ? n_labels : image->deepest;

    for (unsigned k = 0; k <= last; k++) {
        bool listed = image->head->depths[k / 64] >> k % 64 & 1;
        bool inner = image->nested && k > 0;
        if (!listed && !inner)
            continue;
        if (passes(image, trail->hash[k])) {
            found[n] = (uint8_t)k;
            n += listed;
        } else if (inner) {
            break; /* nothing below it is listed */
        }
    }
    for (unsigned i = 0; i < n; i++)
        out[i] = found[n - 1 - i];
    return n;
}

/* The word of the top-level domain is at hand anyway; most names end with the next one. */
void sek_image_prefetch(const struct sek_image *image, const struct sek_name *name,
                        const struct sek_trail *trail)
{
    for (unsigned k = 2; k <= name->n_labels && k <= PREFETCH_LABELS; k++)
        __builtin_prefetch(filter_word(image, trail->hash[k]));
}

unsigned sek_image_lookup(const struct sek_image *image, const struct sek_name *name,
                          const struct sek_trail *trail, struct sek_met *out)
{
    struct sek_packed packed;
    uint8_t likely[SEK_LABELS_MAX + 1];
    unsigned n_likely = sift(image, name->n_labels, trail, likely), n = 0;

    if (n_likely == 0)
        return 0;
    /* while the names to compare with come from memory, there is time to pack */
    for (unsigned i = 0; i < n_likely; i++)
        __builtin_prefetch(bucket_of(image, trail->hash[likely[i]]).start);
    sek_pack_name(image->pack, name, likely[0], &packed);
    for (unsigned i = 0; i < n_likely; i++) {
        struct sek_met *met = &out[n];
        struct bucket bucket = bucket_of(image, trail->hash[likely[i]]);
        if (find(image, bucket, &packed, likely[i], &met->rules, &met->n)) {
            met->depth = (unsigned)name->n_labels - likely[i];
            n++;
        }
    }
    return n;
}

bool sek_image_each(const struct sek_image *image, sek_image_fn *fn, void *arg)
{
    const uint8_t *at = image->entries, *end = at + image->head->n_entries;
    struct entry entry;
    struct sek_name name;
    const struct sek_rule *rules;
    unsigned n;

    while (next_entry(&at, end, &entry))
        if (!sek_pack_unpack(image->pack, entry.stored, entry.n_stored, &name) ||
            !rules_of(image, entry.set_id, &rules, &n) || !fn(arg, &name, rules, n))
            return false;
    return at == end;
}
