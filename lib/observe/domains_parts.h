/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files domains*.c share. The file is a row of blocks of 4 KiB; the first two hold the
 * head, written in turn, the others records. Memory holds the same blocks at the same places, and
 * an index over the records that is built when the file is opened.
 *
 * Who may touch what: records, slots and `version` are read by any thread and written by the writer
 * only, all through atomic words; everything else belongs to the writer.
 *
 * Why a reader is right although it takes no lock: each change it could see half done is one store
 * to one slot (a record is complete before its slot is set). What is left are places that get a new
 * meaning: a block used again, a table of the index given back. Before the writer does either, no
 * slot in use leads there any more, and it raises `version`. All stores of records are releases and
 * all loads acquires, so a reader that saw anything of the new meaning finds a raised `version` at
 * its end, throws its result away and looks again. */
#pragma once
#include "base/hash.h"
#include "name/name.h"
#include "observe/domains.h"
#include <stdatomic.h>
#include <sys/stat.h>

/* --- blocks and records (domains_blocks.c) ----------------------------------------------------
 */

#define SEK_DOM_BLOCK 4096u
#define SEK_DOM_WORDS 1024u /* of a block */
#define SEK_DOM_HEADS 2u    /* first blocks of the file */
#define SEK_DOM_BEGIN 4u    /* words before a block's first record */
#define SEK_DOM_FIXED 3u    /* words of a record before its name */

enum sek_dom_kind { SEK_DOM_FREE = 0, SEK_DOM_KNOWN = 1, SEK_DOM_ABSENT = 2, SEK_DOM_N_KINDS };

/* Words of a block: its checksum in the file (two words; 0 in memory), how many words are in use,
 * its kind; then records. */
enum { SEK_DOM_W_SUM = 0, SEK_DOM_W_USED = 2, SEK_DOM_W_KIND = 3 };

/* Words of a record: first and last second (last 0: a dead record), the sketch of its endpoints
 * with two flags; then the name's length without the root's octet, and its octets, filled up with
 * zeros. */
enum { SEK_DOM_W_FIRST = 0, SEK_DOM_W_LAST = 1, SEK_DOM_W_SPREAD = 2 };
#define SEK_DOM_SPREAD 0x3fffffffu /* a bit an endpoint */
#define SEK_DOM_NEVER 0x40000000u  /* never resolved */
#define SEK_DOM_AGAIN 0x80000000u  /* never resolved, but seen again: stays another round */

struct sek_dom_block {
    _Atomic uint32_t w[SEK_DOM_WORDS];
};

/* A name made ready to be looked for. */
struct sek_dom_key {
    uint64_t hash;
    const uint32_t *w; /* borrowed: from a struct sek_dom_name, or from a record */
    unsigned n_words;
};

/* What a record says, apart from its name. */
struct sek_dom_facts {
    uint32_t first_s, last_s, spread;
};

/* A list of block numbers, first in first out. */
struct sek_dom_queue {
    uint32_t *id;
    size_t size, begin, n;
};

/* --- index (domains_index.c) ------------------------------------------------------------------
 */

#define SEK_DOM_SEGMENTS 1024u
#define SEK_DOM_SLOTS 12u
#define SEK_DOM_RANKS 20u

/* One cache line. A slot in use has a tag other than 0. n_beyond: records that would belong here
 * but found it full. */
struct sek_dom_bucket {
    _Alignas(64) _Atomic uint64_t tags_low; /* slots 0..7 */
    _Atomic uint32_t tags_high;             /* slots 8..11 */
    _Atomic uint32_t n_beyond;
    _Atomic uint32_t at[SEK_DOM_SLOTS];
};

/* A segment is a table of its own that grows alone: rank c has 5·2^c buckets. Tables of one rank
 * lie in one region, made when the first segment gets there, given back when the last one leaves.
 */
struct sek_dom_index {
    struct sek_dom_bucket *region[SEK_DOM_RANKS];
    uint32_t n_inside[SEK_DOM_RANKS];  /* segments */
    uint32_t n_used[SEK_DOM_SEGMENTS]; /* records */
    _Atomic uint8_t rank_of[SEK_DOM_SEGMENTS];
};

/* --- the object -------------------------------------------------------------------------------
 */

#define SEK_DOM_MAGIC "SEKDOMNS"
#define SEK_DOM_VERSION 1u
#define SEK_DOM_ORDER 0x01020304u
#define SEK_DOM_PATH_MAX 400
#define SEK_DOM_STAGE 64u /* blocks written or read at once */

/* The head as it stands in the file. */
struct sek_dom_head {
    char magic[8];
    uint32_t order, version;
    uint64_t turn;     /* the greater of the two valid heads counts */
    uint64_t n_blocks; /* of the file, heads included */
    int64_t created_s, since_s, expiry_s;
    struct sek_hash_key spread_key;
    uint64_t n_known, n_absent, n_overflow, n_evicted, n_expired, n_damaged;
    uint64_t max_octets;
    uint32_t clean, reserved;
    char boot_id[40];
    char psl_first[32], psl_last[32];
    uint64_t sum;
};

struct sek_domains {
    /* readers */
    struct sek_dom_block *blocks; /* reserved for the cap; [0, n_blocks] are usable memory */
    struct sek_hash_key key;      /* of the index: another one each time */
    _Alignas(64) _Atomic uint64_t version;
    struct sek_dom_index index;
    _Atomic uint64_t n_of[SEK_DOM_N_KINDS]; /* records in the index */
    _Atomic uint64_t n_overflow, n_evicted, n_expired, n_damaged;
    _Atomic int64_t since_s;
    _Atomic uint32_t n_blocks; /* in use, heads included */
    /* writer */
    uint32_t max_blocks, n_usable;
    uint32_t cap[SEK_DOM_N_KINDS], n_in[SEK_DOM_N_KINDS]; /* blocks a kind may have, has */
    uint32_t head[SEK_DOM_N_KINDS];                       /* block being filled; 0: none */
    uint16_t *live;                                       /* words of records in use, per block */
    uint8_t *dirty;                                       /* per block: differs from the file */
    struct sek_dom_queue absent;                          /* blocks of that kind, oldest first */
    struct sek_dom_queue free, left; /* left: free once what was moved out of them is in the file */
    uint32_t hand;                   /* next block to look through for old domains */
    uint64_t max_octets;
    int64_t retention_s;
    int64_t expiry_s; /* the clock of forgetting */
    struct sek_hash_key spread_key;
    /* file */
    int fd; /* -1: none */
    dev_t dev;
    ino_t ino;
    bool read_only;
    uint64_t n_written; /* blocks that the file has from us */
    int64_t created_s;
    struct sek_dom_head seen; /* the head that was written last; read_only: that was read */
    uint8_t *stage;           /* SEK_DOM_STAGE blocks on their way to the file */
    char path[SEK_DOM_PATH_MAX], boot_id[40], psl_first[32], psl_last[32];
};

static inline struct sek_dom_block *sek__dom_block(const struct sek_domains *d, uint32_t id)
{
    return &d->blocks[id];
}
/* A record's words; at = block · SEK_DOM_WORDS + word. */
static inline _Atomic uint32_t *sek__dom_record(const struct sek_domains *d, uint32_t at)
{
    return &d->blocks[at / SEK_DOM_WORDS].w[at % SEK_DOM_WORDS];
}
static inline uint32_t sek__dom_get(const _Atomic uint32_t *w)
{
    return atomic_load_explicit(w, memory_order_acquire);
}
static inline void sek__dom_put(_Atomic uint32_t *w, uint32_t value)
{
    atomic_store_explicit(w, value, memory_order_release);
}
/* Words of the record whose first name word is given. */
static inline uint32_t sek__dom_record_words(uint32_t name_word)
{
    return SEK_DOM_FIXED + ((name_word & 0xff) + 4) / 4;
}

/* false: not a name that can be kept (2..255 octets that end in the root's). Any thread. */
bool sek__dom_key_make(const struct sek_domains *d, const uint8_t *domain, size_t len,
                       struct sek_dom_name *name, struct sek_dom_key *out);
/* The key of a record that is known to be whole. Writer. */
void sek__dom_key_of(const struct sek_domains *d, const _Atomic uint32_t *record,
                     struct sek_dom_key *out);
/* Is a record's name a name in lower case, with nothing behind it? The record's words are there. */
bool sek__dom_name_check(const uint32_t *name);
/* Compare a record's name. */
static inline bool sek__dom_is(const _Atomic uint32_t *record, const struct sek_dom_key *key)
{
    for (unsigned i = 0; i < key->n_words; i++)
        if (sek__dom_get(&record[SEK_DOM_FIXED + i]) != key->w[i])
            return false;
    return true;
}
/* The name of a record in wire format; returns its length. Writer. */
size_t sek__dom_name(const _Atomic uint32_t *record, uint8_t out[SEK_NAME_MAX]);
/* What callers see of a record. */
void sek__dom_seen(const struct sek_dom_facts *facts, struct sek_domain_seen *out);

/* Append a record; its block is marked dirty. 0: no room (out of memory or at the cap; `beyond`
 * allows one block above it). May overwrite old absent names to make room. */
uint32_t sek__dom_append(struct sek_domains *d, enum sek_dom_kind kind,
                         const struct sek_dom_key *key, const struct sek_dom_facts *facts,
                         bool beyond);
/* Make `block` usable memory. false: out of memory, or above what was reserved. */
bool sek__dom_commit(struct sek_domains *d, uint32_t block);
/* A block that nothing leads to any more may be used again. */
void sek__dom_block_free(struct sek_domains *d, uint32_t id, struct sek_dom_queue *to);
bool sek__dom_queue_push(struct sek_dom_queue *q, uint32_t id);
uint32_t sek__dom_queue_pop(struct sek_dom_queue *q); /* 0: empty */
/* Is this record the one that the index leads to? */
bool sek__dom_is_current(struct sek_domains *d, uint32_t at, struct sek_dom_key *out_key);

/* Where the record is, or 0. Any thread. */
uint32_t sek__dom_index_find(const struct sek_domains *d, const struct sek_dom_key *key);
/* The slot that leads to it, or NULL; storing another place there moves it. Writer. */
_Atomic uint32_t *sek__dom_index_slot(struct sek_domains *d, const struct sek_dom_key *key);
/* A key that is not there yet. false: out of memory. Writer. */
bool sek__dom_index_add(struct sek_domains *d, const struct sek_dom_key *key, uint32_t at);
void sek__dom_index_remove(struct sek_domains *d, const struct sek_dom_key *key);
/* Fetch the bucket into the cache, ahead of an add. */
void sek__dom_index_prefetch(const struct sek_domains *d, uint64_t hash);
/* Fetch the record that its bucket most likely leads to. Any thread. */
void sek__dom_index_prefetch_record(const struct sek_domains *d, const struct sek_dom_key *key);
/* Empty tables, large enough for `expected` records. */
bool sek__dom_index_init(struct sek_domains *d, uint64_t expected);
void sek__dom_index_fini(struct sek_domains *d);

/* Forget what is too old in the next n blocks, and close up blocks that got holes. */
void sek__dom_age(struct sek_domains *d, uint32_t n_blocks);

/* --- file (domains_file.c, domains_load.c, domains_read.c) ------------------------------------
 */

/* Octets of a reserved, not yet usable piece of address space, at a multiple of 2 MiB; NULL. */
void *sek__dom_reserve(size_t size);
/* Checksum of a block that stands at `id`, over all but its first two words. */
uint64_t sek__dom_sum(const void *block, uint32_t id);
uint64_t sek__dom_head_sum(const struct sek_dom_head *head);
/* "<path>: what: <errno's text>", and its code. */
enum sek_err sek__dom_fail(const struct sek_domains *d, int errnum, const char *what,
                           struct sek_diag *diag);
/* The valid head with the greater turn. CORRUPT: neither is valid; VERSION. */
enum sek_err sek__dom_head_read(int fd, const char *path, struct sek_dom_head *out,
                                struct sek_diag *diag);
/* Write the head if it says anything new. */
enum sek_err sek__dom_head_write(struct sek_domains *d, struct sek_diag *diag);
/* Write all dirty blocks, then the head. */
enum sek_err sek__dom_flush(struct sek_domains *d, struct sek_diag *diag);
/* BUSY: another process has the lock. */
enum sek_err sek__dom_lock(const struct sek_domains *d, int fd, struct sek_diag *diag);
/* Take this file from now on; closes the one before. */
void sek__dom_set_fd(struct sek_domains *d, int fd);
/* Put a new file with all that is in memory in the place of the path's. */
enum sek_err sek__dom_replace(struct sek_domains *d, struct sek_diag *diag);

/* What a load met. */
struct sek_dom_loaded {
    uint64_t n_bad;    /* blocks that should be whole and are not */
    uint64_t n_good;   /* whole ones */
    uint32_t oldest_s; /* least first time; UINT32_MAX: no record */
};
/* Read blocks [SEK_DOM_HEADS, n_file) and build the index. Blocks from n_sure on may be half
 * written. The object is fresh: index and memory are ready, nothing is in them. */
enum sek_err sek__dom_load(struct sek_domains *d, uint64_t n_file, uint64_t n_sure,
                           struct sek_dom_loaded *out, struct sek_diag *diag);

/* For objects of sek_domains_open_read. */
bool sek__dom_scan_find(const struct sek_domains *d, const struct sek_dom_key *key,
                        struct sek_domain_seen *out);
enum sek_err sek__dom_scan_each(const struct sek_domains *d, sek_domains_fn fn, void *arg,
                                struct sek_diag *diag);
