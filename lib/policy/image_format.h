/* SPDX-License-Identifier: BSD-3-Clause */
/* The file format of policy images: what image_write.c writes, and image.c and image_survey.c
 * read, so that they cannot differ. All numbers are in the octet order of the machine, which the
 * head records. Private to these three.
 *
 * A file is its head and then the sections of enum sek__section in that order, each padded with
 * zeros to a multiple of 64 octets. Their places follow from the counts in the head and are not
 * stored, so there is nothing to get wrong. A name is found through two of them, both asked for at
 * once, as its hash tells its place in either and nothing has to be read before:
 *
 *   FILTER   A Bloom filter in words of 64 bits (Putze, Sanders and Singler, "Cache-, hash- and
 *            space-efficient Bloom filters", 2007): a name sets and tests 5 bits of one word. It
 *            costs 10 bits a listed name and turns away nearly all others. A name that others are
 *            listed below sets 5 further bits of its word, but for the root: a lookup comes from
 *            the top-level domain down and ends where nothing further down can be listed. What it
 *            reads is then mostly of a name that many others share, and in the processor's cache.
 *   ENTRIES  Lines of 64 octets, as many as a processor fetches at a time. The first octet says
 *            how many octets of entries follow, and whether some of this line or those before it
 *            found room only in one behind it. An entry is a head octet, and the packed name as
 *            stored (pack.h), compared in full. Head octet: bits 0-4 are the stored length, bits
 *            5-7 the id of the rule set; what does not fit is 31 and 7, and then the length as 2
 *            octets and the id as 4 follow. A length with SEK_IMAGE_APART says that 4 octets come
 *            instead of the name, its place in the part SEK_IMAGE_NAMES_APART: of names that are
 *            too long for a line, or found no room in their own.
 *
 * Behind the sections, since format 3, stands what few policies have: parts up to the end of the
 * file, each a struct sek_image_part and its data, padded likewise. A reader refuses a kind that it
 * does not know.
 *
 * Before format 5 the entries are one stream of buckets of 4 names on average, without lines, and
 * every stored name stands in its entry. The section DIRECTORY says where each bucket starts: in
 * groups of 14 that share a base. In the filter, names above the listed ones are like listed ones;
 * format 1 lacks them, so that every length that a listed name has is tried. */
#pragma once
#include "policy/image.h"

#define SEK_IMAGE_MAGIC "sekimg\r\n" /* a transfer as text breaks it */
#define SEK_IMAGE_VERSION 5     /* since then names stand in lines, and rules may have endpoints */
#define SEK_IMAGE_VERSION_MIN 1 /* is read too: a newer resolver meets it once */
#define SEK_IMAGE_ORDER 0x01020304
#define SEK_IMAGE_ALIGN 64
#define SEK_IMAGE_FILTER_BITS 10 /* a name */
#define SEK_IMAGE_LINES_SINCE 5  /* the first format with lines */
#define SEK_IMAGE_LINE 64        /* octets */
#define SEK_IMAGE_FILL 48        /* octets of them that are entries, on average */
#define SEK_IMAGE_MORE 0x80      /* in a line's first octet: go on in the next */
#define SEK_IMAGE_NEAR 56        /* octets of a stored name in a line, at most */
#define SEK_IMAGE_APART 0x8000   /* in a length: the name stands elsewhere */
#define SEK_IMAGE_LONG 31        /* head octet: the length follows */
#define SEK_IMAGE_FAR 7          /* head octet: the rule set's id follows */

struct sek_image_head {
    char magic[8];
    uint32_t version, order;
    uint64_t size; /* of the file, octets */
    uint64_t sum;  /* of the file with 0 here */
    uint64_t id, base_id, generation;
    int64_t made_s;
    uint64_t n_names, n_rules;
    uint64_t depths[2]; /* bit k: there are names of k labels */
    uint32_t n_code, n_lists, n_expiries, n_sets, n_set_rules, n_filter;
    uint32_t n_buckets; /* lines that names belong to; more may follow for what found no room */
    uint32_t n_entries; /* octets */
};

#define SEK_IMAGE_PARTS_SINCE 3 /* the first format with parts behind the sections */
struct sek_image_part {
    uint32_t kind; /* enum sek_image_kind */
    uint32_t reserved;
    uint64_t size; /* of its data */
    uint8_t padding[SEK_IMAGE_ALIGN - 16];
};

#define SEK_IMAGE_GROUP 14

struct sek_image_group {
    uint32_t base;                   /* start of the group's first bucket in ENTRIES */
    uint16_t start[SEK_IMAGE_GROUP]; /* of each bucket, from base; it ends where the next starts */
};

enum sek__section {
    SEK__HEAD,
    SEK__CODE,      /* n_code octets: the name code */
    SEK__LISTS,     /* n_lists of struct sek_list, ascending by id */
    SEK__EXPIRIES,  /* n_expiries of int64_t, ascending */
    SEK__SETS,      /* n_sets + 1 of uint32_t: where a set starts in RULES; it ends at the next */
    SEK__RULES,     /* n_set_rules of struct sek_rule */
    SEK__FILTER,    /* n_filter of uint64_t, at least 1 */
    SEK__DIRECTORY, /* before format 5: groups, and one more whose base is the end of the last
                       bucket */
    SEK__ENTRIES,   /* n_entries octets */
    SEK__N_SECTIONS
};

/* Do entries stand in lines? */
static inline bool sek__image_lined(const struct sek_image_head *head)
{
    return head->version >= SEK_IMAGE_LINES_SINCE;
}

/* Groups of the directory, the closing one not counted. n_buckets is at least 1. */
static inline uint32_t sek__image_n_groups(const struct sek_image_head *head)
{
    return (uint32_t)(((uint64_t)head->n_buckets + SEK_IMAGE_GROUP - 1) / SEK_IMAGE_GROUP);
}

/* Where each section starts; at[SEK__N_SECTIONS]: the parts, or the end of the file. No counts
 * overflow it. */
static inline uint64_t sek__image_padded(uint64_t octets)
{
    return (octets + SEK_IMAGE_ALIGN - 1) / SEK_IMAGE_ALIGN * SEK_IMAGE_ALIGN;
}
static inline void sek__image_layout(const struct sek_image_head *head,
                                     uint64_t at[SEK__N_SECTIONS + 1])
{
    const uint64_t octets[SEK__N_SECTIONS] = {
        [SEK__HEAD] = sizeof(*head),
        [SEK__CODE] = head->n_code,
        [SEK__LISTS] = (uint64_t)head->n_lists * sizeof(struct sek_list),
        [SEK__EXPIRIES] = (uint64_t)head->n_expiries * sizeof(int64_t),
        [SEK__SETS] = ((uint64_t)head->n_sets + 1) * sizeof(uint32_t),
        [SEK__RULES] = (uint64_t)head->n_set_rules * sizeof(struct sek_rule),
        [SEK__FILTER] = (uint64_t)head->n_filter * sizeof(uint64_t),
        [SEK__DIRECTORY] = sek__image_lined(head) ? 0
                                                  : ((uint64_t)sek__image_n_groups(head) + 1) *
                                                        sizeof(struct sek_image_group),
        [SEK__ENTRIES] = head->n_entries,
    };

    at[0] = 0;
    for (unsigned i = 0; i < SEK__N_SECTIONS; i++)
        at[i + 1] = at[i] + sek__image_padded(octets[i]);
}

/* A hash to 0..n-1, by its upper half; growing hashes give growing results. */
static inline uint32_t sek__image_spread(uint64_t hash, uint32_t n)
{
    return (uint32_t)((hash >> 32) * n >> 32);
}

/* The filter's bits for a hash, by its lower half. */
static inline uint64_t sek__image_filter_bits(uint64_t hash)
{
    return (uint64_t)1 << (hash & 63) | (uint64_t)1 << (hash >> 6 & 63) |
           (uint64_t)1 << (hash >> 12 & 63) | (uint64_t)1 << (hash >> 18 & 63) |
           (uint64_t)1 << (hash >> 24 & 63);
}

/* Those that say that something is listed below its name. The upper half is not used either: it
 * has chosen the word, and is much the same for all names there. */
static inline uint64_t sek__image_below_bits(uint64_t hash)
{
    return sek__image_filter_bits((hash & UINT32_MAX) * 0x9e3779b97f4a7c15U >> 32);
}

/* The checksum: four lanes of 64 bits, each octet word mixed in by xor, multiplication and
 * rotation, and folded in the end. Every step maps a lane one to one, so a change within one
 * 8-octet word is always found, any other with 1 - 2^-64; it runs at the speed of memory, where
 * CRC-32C would need machine code of its own to do so. It guards against accidents; who may write
 * the file may also compute it. */
struct sek__sum {
    uint64_t lane[4];
};
#define SEK__SUM_START                                                                             \
    (struct sek__sum)                                                                              \
    {                                                                                              \
        {                                                                                          \
            1, 2, 3, 4                                                                             \
        }                                                                                          \
    }
#define SEK__SUM_FACTOR 0x9fb21c651e98df25U /* odd, about half of its bits set */

/* n: a multiple of 32. */
static inline void sek__sum_add(struct sek__sum *sum, const void *data, size_t n)
{
    const uint8_t *p = data;

    for (; n > 0; n -= 32)
        for (unsigned i = 0; i < 4; i++, p += 8) {
            uint64_t word, x;
            memcpy(&word, p, 8);
            x = (sum->lane[i] ^ word) * SEK__SUM_FACTOR;
            sum->lane[i] = x << 29 | x >> 35;
        }
}

static inline uint64_t sek__sum_end(const struct sek__sum *sum)
{
    uint64_t x = 0;

    for (unsigned i = 0; i < 4; i++) {
        x = (x ^ sum->lane[i]) * SEK__SUM_FACTOR;
        x ^= x >> 32;
    }
    return x;
}

/* Can a file of `size` octets have this head? */
enum sek_err sek__image_check_head(const struct sek_image_head *head, uint64_t size,
                                   struct sek_diag *diag);
struct sek_image_info sek__image_info_of(const struct sek_image_head *head);
