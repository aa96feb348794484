/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/image.h"
#include "base/file.h"
#include "base/share.h"
#include "policy/image_format.h"
#include "policy/image_write.h"
#include "policy/pack.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/banned.h"

#define SHARE_NAME "policy-image-"
#define SHARE_MIN ((size_t)1 << 20) /* octets; less is not worth a file */
#define FAR_MIN ((size_t)4 << 20)   /* octets of a filter */
#define PREFETCH_LABELS 3 /* names with more come from memory after these have been let through */

struct sek_image {
    _Atomic unsigned n_users;
    const struct sek_image_head *head; /* the copy of the file */
    size_t size;
    struct sek_pack *pack;
    struct sek_hash_key trail_key;
    /* sections */
    const uint64_t *filter;
    const struct sek_image_group *directory;
    const uint8_t *entries, *entries_end;
    const uint32_t *sets;
    const struct sek_rule *rules;
    const struct sek_list *lists;
    const int64_t *expiries;
    const uint8_t *names_apart; /* n_names_apart octets */
    size_t n_names_apart;
    struct sek_termset *terms; /* NULL: none */
    uint64_t parts_at;         /* behind the sections */
    uint32_t actions;          /* of its rules */
    unsigned deepest;          /* labels of the longest name, counted in labels */
    bool lined;                /* entries stand in lines; false: in buckets, as before format 5 */
    bool far;                  /* the filter does not stay in the processor's cache */
    bool nested;               /* the filter has the names above the listed ones */
};

/* Where the shared copy of the image is that has this head. */
static bool share_path(const char *share, const struct sek_image_head *head, char out[512])
{
    int n = snprintf(out, 512, "%s/" SHARE_NAME "%016llx-%016llx", share,
                     (unsigned long long)head->id, (unsigned long long)head->sum);

    return n > 0 && n < 512;
}

/* The copy that all processes have, made if there is none. False: there is to be one of our own. */
static bool load_shared(int fd, const char *share, size_t size, void **out)
{
    struct sek_image_head head;
    char path[512];

    if (size < SHARE_MIN || pread(fd, &head, sizeof(head), 0) != (ssize_t)sizeof(head) ||
        !share_path(share, &head, path))
        return false;
    if (sek_share_open(path, size, out, NULL) == SEK_OK) {
        if (memcmp(*out, &head, sizeof(head)) == 0)
            return true;
        munmap(*out, size);
    }
    return sek_share_make(fd, size, path, out, NULL) == SEK_OK;
}

/* How an image is opened. */
struct manner {
    bool verify, mapped;
    const char *share; /* folder of shared copies, or NULL */
};

static enum sek_err load_file(const char *path, const struct manner *how, void **out,
                              size_t *out_size, struct sek_diag *diag)
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
        if (how->mapped)
            err = sek_file_map(fd, *out_size, out, diag);
        else if (!how->share || !load_shared(fd, how->share, *out_size, out))
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

static enum sek_err check_lists(const struct sek_image *image, struct sek_diag *diag)
{
    for (uint32_t i = 0; i < image->head->n_lists; i++) {
        const struct sek_list *list = &image->lists[i];

        if (list->id <= (i ? list[-1].id : 0) || list->mode > SEK_MODE_BLOCK ||
            list->action > SEK_ACTION_TCP_ONLY || !memchr(list->name, '\0', SEK_LIST_NAME_MAX))
            return damaged(diag, "bad list");
    }
    return SEK_OK;
}

/* The part at *at, which moves behind it; NULL at the end of the file, or when it is cut short. */
static const struct sek_image_part *next_part(const struct sek_image *image, uint64_t *at)
{
    const struct sek_image_part *part = (const void *)((const uint8_t *)image->head + *at);
    uint64_t left = image->size - *at;

    if (left < sizeof(*part) || part->size > left - sizeof(*part))
        return NULL;
    uint64_t whole = sizeof(*part) + sek__image_padded(part->size);
    if (whole > left)
        return NULL;
    *at += whole;
    return part;
}

static enum sek_err check_parts(const struct sek_image *image, struct sek_diag *diag)
{
    const struct sek_image_part *part;
    uint64_t at = image->parts_at;

    while ((part = next_part(image, &at)) != NULL)
        if (part->kind < SEK_IMAGE_GROUPS || part->kind > SEK_IMAGE_NAMES_APART)
            return sek_diag_set(diag, SEK_E_VERSION,
                                "has a part of kind %u, which this program does not know",
                                part->kind);
    return at == image->size ? SEK_OK : damaged(diag, "bad part");
}

const void *sek_image_part(const struct sek_image *image, enum sek_image_kind kind,
                           size_t *out_size)
{
    const struct sek_image_part *part;
    uint64_t at = image->parts_at;

    while ((part = next_part(image, &at)) != NULL) {
        if (part->kind == (uint32_t)kind) {
            *out_size = part->size;
            return part + 1;
        }
    }
    return NULL;
}

static enum sek_err load_terms(struct sek_image *image, struct sek_diag *diag)
{
    size_t size = 0;
    const void *terms = sek_image_part(image, SEK_IMAGE_TERMS, &size);
    return terms ? sek_termset_read(terms, size, &image->terms, diag) : SEK_OK;
}

uint32_t sek_image_actions(const struct sek_image *image)
{
    return image->actions;
}

const struct sek_termset *sek_image_terms(const struct sek_image *image)
{
    return image->terms;
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
static enum sek_err check_rules(struct sek_image *image, struct sek_diag *diag)
{
    const struct sek_image_head *head = image->head;

    for (uint32_t i = 0; i < head->n_set_rules; i++) {
        const struct sek_rule *rule = &image->rules[i];
        if (rule->scope < SEK_SCOPE_EXACT || rule->scope > SEK_SCOPE_BELOW ||
            rule->action > SEK_ACTION_MAX || rule->expires_s < 0 ||
            rule->terms > sek_termset_n(image->terms))
            return damaged(diag, "bad rule");
        image->actions |= 1U << rule->action;
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
    enum sek_err err = sek__image_check_head(head, image->size, diag);

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
    image->entries_end = image->entries + head->n_entries;
    image->lined = sek__image_lined(head);
    image->parts_at = at[SEK__N_SECTIONS];
    image->trail_key = sek__trail_key(sek_image_seed(head->id, head->base_id));
    image->far = (uint64_t)head->n_filter * sizeof(uint64_t) >= FAR_MIN;
    image->nested = head->version > SEK_IMAGE_VERSION_MIN;
    for (unsigned k = 0; k <= SEK_LABELS_MAX; k++)
        if (head->depths[k / 64] >> k % 64 & 1)
            image->deepest = k;
    err = check_lists(image, diag);
    if (err == SEK_OK)
        err = check_parts(image, diag);
    if (err == SEK_OK) {
        image->names_apart = sek_image_part(image, SEK_IMAGE_NAMES_APART, &image->n_names_apart);
        err = load_terms(image, diag);
    }
    if (err == SEK_OK && verify)
        err = check_rules(image, diag);
    if (err == SEK_OK)
        err = sek_pack_load(map + at[SEK__CODE], head->n_code, &image->pack, diag);
    return err;
}

static enum sek_err open_image(const char *path, struct manner how, struct sek_image **out,
                               struct sek_diag *diag)
{
    struct sek_image *image;
    void *map = NULL;
    size_t size = 0;
    enum sek_err err = load_file(path, &how, &map, &size, diag);

    if (err != SEK_OK)
        return err;
    image = calloc(1, sizeof(*image));
    if (!image) {
        munmap(map, size);
        return sek_diag_set(diag, SEK_E_NOMEM, "%s: out of memory", path);
    }
    atomic_init(&image->n_users, 1);
    image->head = map;
    image->size = size;
    err = load(image, how.verify, diag);
    if (err == SEK_OK) {
        *out = image;
        return SEK_OK;
    }
    sek_diag_wrap(diag, "%s", path);
    sek_image_close(image);
    return err;
}

enum sek_err sek_image_open(const char *path, bool verify, struct sek_image **out,
                            struct sek_diag *diag)
{
    return open_image(path, (struct manner){.verify = verify}, out, diag);
}

enum sek_err sek_image_open_shared(const char *path, const char *share, struct sek_image **out,
                                   struct sek_diag *diag)
{
    char own[512];

    /* whatever is wrong with the shared copy: the file itself is what counts */
    if (open_image(path, (struct manner){.verify = true, .share = share}, out, NULL) != SEK_OK)
        return sek_image_open(path, true, out, diag);
    if ((*out)->size >= SHARE_MIN && share_path(share, (*out)->head, own))
        sek_share_sweep(own, sizeof(SHARE_NAME) - 1);
    return SEK_OK;
}

enum sek_err sek_image_open_mapped(const char *path, struct sek_image **out, struct sek_diag *diag)
{
    return open_image(path, (struct manner){.verify = true, .mapped = true}, out, diag);
}

struct sek_image *sek_image_again(struct sek_image *image)
{
    atomic_fetch_add_explicit(&image->n_users, 1, memory_order_relaxed);
    return image;
}

void sek_image_close(struct sek_image *image)
{
    if (!image || atomic_fetch_sub_explicit(&image->n_users, 1, memory_order_acq_rel) > 1)
        return;
    sek_pack_free(image->pack);
    sek_termset_free(image->terms);
    munmap((void *)image->head, image->size);
    free(image);
}

void sek_image_info(const struct sek_image *image, struct sek_image_info *out)
{
    *out = sek__image_info_of(image->head);
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
    const uint8_t *next;   /* behind the entry */
    uint32_t n_stored, set_id;
};

/* Its name is at the place that is told at `p`, among those that stand apart. */
static bool apart_entry(const struct sek_image *image, const uint8_t *p, const uint8_t *end,
                        struct entry *out)
{
    uint32_t place;

    out->n_stored -= SEK_IMAGE_APART;
    if (end - p < (ptrdiff_t)sizeof(place))
        return false;
    memcpy(&place, p, sizeof(place));
    if (place > image->n_names_apart || out->n_stored > image->n_names_apart - place)
        return false;
    out->stored = image->names_apart + place;
    out->next = p + sizeof(place);
    return true;
}

/* The entry at `at`. False at the end, also when an entry runs past it. */
static inline bool read_entry(const struct sek_image *image, const uint8_t *at, const uint8_t *end,
                              struct entry *out)
{
    const uint8_t *p = at;
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
    if (out->n_stored & SEK_IMAGE_APART && image->lined)
        return apart_entry(image, p, end, out);
    if ((ptrdiff_t)out->n_stored > end - p)
        return false;
    out->stored = p;
    out->next = p + out->n_stored;
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

/* Entries one after the other. */
struct bucket {
    const uint8_t *start, *end;
    const uint8_t *more; /* the line where they go on, or NULL */
};

static inline struct bucket line_at(const struct sek_image *image, const uint8_t *line)
{
    unsigned used = *line & (SEK_IMAGE_MORE - 1U);
    const uint8_t *next = line + SEK_IMAGE_LINE;

    return (struct bucket){
        .start = line + 1,
        .end = line + 1 + (used < SEK_IMAGE_LINE ? used : 0),
        .more = *line & SEK_IMAGE_MORE && next < image->entries_end ? next : NULL,
    };
}

static inline const uint8_t *line_of(const struct sek_image *image, uint64_t hash)
{
    size_t place = sek__image_spread(hash, image->head->n_buckets);

    return image->entries + place * SEK_IMAGE_LINE;
}

static inline const struct sek_image_group *group_of(const struct sek_image *image, uint64_t hash)
{
    return image->directory + sek__image_spread(hash, image->head->n_buckets) / SEK_IMAGE_GROUP;
}

/* Before format 5. Empty if the directory is damaged there. */
static struct bucket bucket_in_directory(const struct sek_image *image, uint64_t hash)
{
    const struct sek_image_group *group = group_of(image, hash);
    unsigned i = sek__image_spread(hash, image->head->n_buckets) % SEK_IMAGE_GROUP;
    uint64_t start = (uint64_t)group->base + group->start[i];
    uint64_t end =
        i + 1 < SEK_IMAGE_GROUP ? (uint64_t)group->base + group->start[i + 1] : group[1].base;

    if (start > end || end > image->head->n_entries)
        start = end = 0;
    return (struct bucket){image->entries + start, image->entries + end, NULL};
}

static inline struct bucket bucket_of(const struct sek_image *image, uint64_t hash)
{
    return image->lined ? line_at(image, line_of(image, hash)) : bucket_in_directory(image, hash);
}

/* The rules at the k right-most labels of a name, which has this hash. */
static bool find(const struct sek_image *image, uint64_t hash, const struct sek_packed *packed,
                 unsigned k, const struct sek_rule **out_rules, unsigned *out_n)
{
    struct bucket bucket = bucket_of(image, hash);
    struct entry entry;
    uint8_t last;
    unsigned n_stored = sek_packed_stored(packed, k, &last);

    for (;; bucket = line_at(image, bucket.more)) {
        for (const uint8_t *at = bucket.start; read_entry(image, at, bucket.end, &entry);
             at = entry.next)
            if (entry.n_stored == n_stored && entry.stored[n_stored - 1] == last &&
                memcmp(entry.stored, packed->octets, n_stored - 1) == 0)
                return rules_of(image, entry.set_id, out_rules, out_n);
        if (!bucket.more)
            return false;
    }
}

static inline const uint64_t *filter_word(const struct sek_image *image, uint64_t hash)
{
    return &image->filter[sek__image_spread(hash, image->head->n_filter)];
}

/* Can the name of a hash be listed? */
static inline bool passes(const struct sek_image *image, uint64_t hash)
{
    uint64_t bits = sek__image_filter_bits(hash);

    return (*filter_word(image, hash) & bits) == bits;
}

/* Can anything below it? */
static inline bool goes_on(const struct sek_image *image, uint64_t hash)
{
    uint64_t bits = image->lined ? sek__image_below_bits(hash) : sek__image_filter_bits(hash);

    return !image->nested || (*filter_word(image, hash) & bits) == bits;
}

/* How many right-most labels make a name that may be listed: all such, longest first. */
static unsigned sift(const struct sek_image *image, unsigned n_labels,
                     const struct sek_trail *trail, uint8_t out[SEK_LABELS_MAX + 1])
{
    uint8_t found[SEK_LABELS_MAX + 1];
    unsigned n = 0, last = n_labels < image->deepest ? n_labels : image->deepest;

    for (unsigned k = 0; k <= last; k++) {
        bool listed = image->head->depths[k / 64] >> k % 64 & 1;
        if (listed && passes(image, trail->hash[k]))
            found[n++] = (uint8_t)k;
        if (k > 0 && !goes_on(image, trail->hash[k]))
            break;
    }
    for (unsigned i = 0; i < n; i++)
        out[i] = found[n - 1 - i];
    return n;
}

/* All at once, instead of one after the other as the sifting goes: the filter's words, and the
 * lines of the two names of most labels, which a listed name is nearly always one of. The word of
 * the top-level domain is at hand anyway. */
void sek_image_prefetch(const struct sek_image *image, const struct sek_name *name,
                        const struct sek_trail *trail)
{
    for (unsigned k = 2; k <= name->n_labels && k <= PREFETCH_LABELS; k++)
        __builtin_prefetch(filter_word(image, trail->hash[k]));
    for (unsigned k = name->n_labels, n = 0; k >= 2 && n < 2; k--, n++)
        __builtin_prefetch(image->lined ? (const void *)line_of(image, trail->hash[k])
                                        : group_of(image, trail->hash[k]));
}

unsigned sek_image_lookup(const struct sek_image *image, const struct sek_name *name,
                          const struct sek_trail *trail, struct sek_met *out)
{
    struct sek_packed packed;
    uint8_t likely[SEK_LABELS_MAX + 1];

    sek_image_prefetch(image, name, trail);
    if (image->far) /* there is time to pack before what is asked for comes from memory */
        sek_pack_name(image->pack, name, name->n_labels, &packed);
    unsigned n_likely = sift(image, name->n_labels, trail, likely), n = 0;
    if (n_likely == 0)
        return 0;
    if (!image->far)
        sek_pack_name(image->pack, name, likely[0], &packed);
    for (unsigned i = 0; i < n_likely; i++) {
        struct sek_met *met = &out[n];
        if (find(image, trail->hash[likely[i]], &packed, likely[i], &met->rules, &met->n)) {
            met->depth = (unsigned)name->n_labels - likely[i];
            met->pattern = 0;
            met->terms = image->terms;
            n++;
        }
    }
    return n;
}

/* The same for the entries of one bucket. */
static bool each_entry(const struct sek_image *image, struct bucket bucket, sek_image_fn *fn,
                       void *arg)
{
    const uint8_t *at = bucket.start;
    struct entry entry;
    struct sek_name name;
    const struct sek_rule *rules;
    unsigned n;

    for (; read_entry(image, at, bucket.end, &entry); at = entry.next)
        if (!sek_pack_unpack(image->pack, entry.stored, entry.n_stored, &name) ||
            !rules_of(image, entry.set_id, &rules, &n) || !fn(arg, &name, rules, n))
            return false;
    return at == bucket.end;
}

bool sek_image_each(const struct sek_image *image, sek_image_fn *fn, void *arg)
{
    const uint8_t *line = image->entries, *end = image->entries_end;

    if (!image->lined)
        return each_entry(image, (struct bucket){line, end, NULL}, fn, arg);
    for (; line < end; line += SEK_IMAGE_LINE)
        if (!each_entry(image, line_at(image, line), fn, arg))
            return false;
    return true;
}
