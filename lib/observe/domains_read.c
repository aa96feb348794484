/* SPDX-License-Identifier: BSD-3-Clause */
/* A store's file read through, while its writer may be at work: every block is checked before use,
 * and read again when it was caught half written. */
#include "observe/domains_parts.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/banned.h"

#define CHUNK_BLOCKS 64u /* 256 KiB */
#define TRIES 100
#define FIND_ROUNDS 5

/* Called for each record that is not dead; false ends the scan. */
typedef bool (*record_fn)(void *arg, const uint32_t *record);

static ssize_t read_at(int fd, void *to, size_t size, uint64_t block)
{
    ssize_t n;

    do
        n = pread(fd, to, size, (off_t)(block * SEK_DOM_BLOCK));
    while (n < 0 && errno == EINTR);
    return n;
}

/* The record at `w` ends within the block, and its name within the record. */
static bool fits(const uint32_t *words, uint32_t w, uint32_t used)
{
    uint32_t left = used - w;

    return left > SEK_DOM_FIXED && (words[w + SEK_DOM_FIXED] & 0xff) != 0 &&
           sek__dom_record_words(words[w + SEK_DOM_FIXED]) <= left;
}

static bool scan_block(const uint32_t *words, record_fn fn, void *arg)
{
    uint32_t used = words[SEK_DOM_W_USED] <= SEK_DOM_WORDS ? words[SEK_DOM_W_USED] : 0;

    if (words[SEK_DOM_W_KIND] != SEK_DOM_KNOWN && words[SEK_DOM_W_KIND] != SEK_DOM_ABSENT)
        return true;
    for (uint32_t w = SEK_DOM_BEGIN; w < used && fits(words, w, used);
         w += sek__dom_record_words(words[w + SEK_DOM_FIXED]))
        if (words[w + SEK_DOM_W_LAST] != 0 && !fn(arg, words + w))
            return false;
    return true;
}

/* A block whose sum is wrong is being written: read it until it is whole. Damaged ones are left
 * out. */
static bool whole(int fd, uint32_t *words, uint64_t id)
{
    for (int i = 0; i < TRIES; i++) {
        uint64_t sum;

        memcpy(&sum, words, sizeof(sum));
        if (sum == sek__dom_sum(words, (uint32_t)id))
            return true;
        if (read_at(fd, words, SEK_DOM_BLOCK, id) != SEK_DOM_BLOCK)
            return false;
    }
    return false;
}

/* A first look, at a block that may be half written. */
static bool may_hold(const uint32_t *words, const struct sek_dom_key *key)
{
    uint32_t used = words[SEK_DOM_W_USED] <= SEK_DOM_WORDS ? words[SEK_DOM_W_USED] : 0;

    for (uint32_t w = SEK_DOM_BEGIN; w < used && fits(words, w, used);
         w += sek__dom_record_words(words[w + SEK_DOM_FIXED]))
        if (words[w + SEK_DOM_FIXED] == key->w[0] &&
            memcmp(words + w + SEK_DOM_FIXED, key->w, key->n_words * sizeof(*key->w)) == 0)
            return true;
    return false;
}

/* only: NULL, or the name that is looked for: blocks without it are passed over. */
static enum sek_err scan(const struct sek_domains *d, const struct sek_dom_key *only, record_fn fn,
                         void *arg, struct sek_diag *diag)
{
    uint32_t *words = malloc((size_t)CHUNK_BLOCKS * SEK_DOM_BLOCK);
    bool go_on = true;
    ssize_t n = 0;

    if (!words)
        return sek_diag_set(diag, SEK_E_NOMEM, "%s: out of memory", d->path);
    for (uint64_t id = SEK_DOM_HEADS; go_on; id += CHUNK_BLOCKS) {
        n = read_at(d->fd, words, (size_t)CHUNK_BLOCKS * SEK_DOM_BLOCK, id);
        if (n < (ssize_t)SEK_DOM_BLOCK)
            break;
        for (uint64_t i = 0; go_on && i < (size_t)n / SEK_DOM_BLOCK; i++)
            if ((!only || may_hold(words + i * SEK_DOM_WORDS, only)) &&
                whole(d->fd, words + i * SEK_DOM_WORDS, id + i))
                go_on = scan_block(words + i * SEK_DOM_WORDS, fn, arg);
    }
    free(words);
    return n < 0 ? sek__dom_fail(d, errno, "cannot read", diag) : SEK_OK;
}

static void facts_of(const uint32_t *record, struct sek_dom_facts *out)
{
    *out = (struct sek_dom_facts){record[SEK_DOM_W_FIRST], record[SEK_DOM_W_LAST],
                                  record[SEK_DOM_W_SPREAD]};
}

/* --- one name ----------------------------------------------------------------------------------
 */

struct wanted {
    struct sek_dom_key key;
    struct sek_dom_facts facts;
    bool found;
};

/* One that resolved ends the scan; one that did not may come again as one that did. */
static bool compare(void *arg, const uint32_t *record)
{
    struct wanted *w = arg;

    if (record[SEK_DOM_FIXED] != w->key.w[0] ||
        memcmp(record + SEK_DOM_FIXED, w->key.w, w->key.n_words * sizeof(*w->key.w)) != 0)
        return true;
    facts_of(record, &w->facts);
    w->found = true;
    return w->facts.spread & SEK_DOM_NEVER;
}

/* Which sync of its writer the file is at; 0: no valid head just now. */
static uint64_t turn_of(const struct sek_domains *d)
{
    struct sek_dom_head head;

    return sek__dom_head_read(d->fd, d->path, &head, NULL) == SEK_OK ? head.turn : 0;
}

bool sek__dom_scan_find(const struct sek_domains *d, const struct sek_dom_key *key,
                        struct sek_domain_seen *out)
{
    struct wanted w = {.key = *key};
    uint64_t turn;

    /* one that moved to a place already passed is found in another round */
    for (int i = 0; i < FIND_ROUNDS && !w.found; i++) {
        turn = turn_of(d);
        if (scan(d, &w.key, compare, &w, NULL) != SEK_OK || turn_of(d) == turn)
            break;
    }
    if (w.found && out)
        sek__dom_seen(&w.facts, out);
    return w.found;
}

/* --- all names ---------------------------------------------------------------------------------
 */

struct visit {
    sek_domains_fn fn;
    void *arg;
};

static bool hand_out(void *arg, const uint32_t *record)
{
    const struct visit *v = arg;
    const uint8_t *octets = (const uint8_t *)(record + SEK_DOM_FIXED);
    struct sek_dom_facts facts;
    struct sek_domain_seen seen;
    uint8_t name[SEK_NAME_MAX + 1];

    if (!sek__dom_name_check(record + SEK_DOM_FIXED))
        return true; /* whoever wrote the file: only names are handed out */
    memcpy(name, octets + 1, octets[0]);
    name[octets[0]] = 0;
    facts_of(record, &facts);
    sek__dom_seen(&facts, &seen);
    return v->fn(v->arg, name, (size_t)octets[0] + 1, &seen);
}

enum sek_err sek__dom_scan_each(const struct sek_domains *d, sek_domains_fn fn, void *arg,
                                struct sek_diag *diag)
{
    struct visit v = {fn, arg};

    return scan(d, NULL, hand_out, &v, diag);
}
