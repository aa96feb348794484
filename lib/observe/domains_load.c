/* SPDX-License-Identifier: BSD-3-Clause */
#include "observe/domains_parts.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/banned.h"

#define RECORDS_MAX ((SEK_DOM_WORDS - SEK_DOM_BEGIN) / (SEK_DOM_FIXED + 1))

/* While loading: one block's names, and the absent blocks with their age. */
struct load {
    struct sek_dom_key keys[RECORDS_MAX];
    uint32_t at[RECORDS_MAX];
    unsigned n;
    uint64_t *absent; /* age << 32 | block */
    size_t n_absent;
    struct sek_dom_loaded got;
};

static uint32_t *words_of(struct sek_domains *d, uint32_t id)
{
    return (uint32_t *)(void *)sek__dom_block(d, id)->w; /* no reader yet */
}

/* A record at `w` of a block: whole and in order? Its key is appended to the list. */
static bool check_record(const struct sek_domains *d, struct load *load, const uint32_t *words,
                         uint32_t w, uint32_t used)
{
    const uint32_t *r = words + w;

    if (used - w <= SEK_DOM_FIXED || used - w < sek__dom_record_words(r[SEK_DOM_FIXED]) ||
        !sek__dom_name_check(r + SEK_DOM_FIXED))
        return false;
    if (r[SEK_DOM_W_LAST] == 0)
        return true;
    if (r[SEK_DOM_W_FIRST] == 0 || r[SEK_DOM_W_FIRST] > r[SEK_DOM_W_LAST])
        return false;
    sek__dom_key_of(d, (const _Atomic uint32_t *)(const void *)r, &load->keys[load->n]);
    sek__dom_index_prefetch(d, load->keys[load->n].hash);
    load->at[load->n++] = w;
    return true;
}

static bool check_block(const struct sek_domains *d, struct load *load, const uint32_t *words,
                        uint32_t id)
{
    uint64_t sum;
    uint32_t used = words[SEK_DOM_W_USED], kind = words[SEK_DOM_W_KIND];

    memcpy(&sum, words, sizeof(sum));
    load->n = 0;
    if (used < SEK_DOM_BEGIN || used > SEK_DOM_WORDS || kind >= SEK_DOM_N_KINDS ||
        (kind == SEK_DOM_FREE && used != SEK_DOM_BEGIN) || sum != sek__dom_sum(words, id))
        return false;
    for (uint32_t w = SEK_DOM_BEGIN; w < used;
         w += sek__dom_record_words(words[w + SEK_DOM_FIXED])) {
        if (!check_record(d, load, words, w, used))
            return false;
        bool never = words[w + SEK_DOM_W_SPREAD] & SEK_DOM_NEVER;
        if (words[w + SEK_DOM_W_LAST] != 0 && never != (kind == SEK_DOM_ABSENT))
            return false;
    }
    return true;
}

/* The same name at two places: a writer was killed while it moved. One stays: the one that is
 * known. The others' times and endpoints go there. */
static void merge_twice(struct sek_domains *d, _Atomic uint32_t *slot, uint32_t at)
{
    uint32_t other = sek__dom_get(slot);
    uint32_t *stays = (uint32_t *)(void *)sek__dom_record(d, other);
    uint32_t *goes = (uint32_t *)(void *)sek__dom_record(d, at);

    if (stays[SEK_DOM_W_SPREAD] & SEK_DOM_NEVER && !(goes[SEK_DOM_W_SPREAD] & SEK_DOM_NEVER)) {
        uint32_t *swap = stays;
        stays = goes;
        goes = swap;
        sek__dom_put(slot, at);
        d->n_of[SEK_DOM_ABSENT]--;
        d->n_of[SEK_DOM_KNOWN]++;
    }
    if (goes[SEK_DOM_W_FIRST] < stays[SEK_DOM_W_FIRST])
        stays[SEK_DOM_W_FIRST] = goes[SEK_DOM_W_FIRST];
    if (goes[SEK_DOM_W_LAST] > stays[SEK_DOM_W_LAST])
        stays[SEK_DOM_W_LAST] = goes[SEK_DOM_W_LAST];
    stays[SEK_DOM_W_SPREAD] |= goes[SEK_DOM_W_SPREAD] & SEK_DOM_SPREAD;
    goes[SEK_DOM_W_LAST] = 0;
    d->dirty[at / SEK_DOM_WORDS] = d->dirty[other / SEK_DOM_WORDS] = 1;
}

/* The checked block's records into the index. */
static bool take_block(struct sek_domains *d, struct load *load, uint32_t id)
{
    const uint32_t *words = words_of(d, id);
    enum sek_dom_kind kind = words[SEK_DOM_W_KIND];
    uint32_t youngest_s = 0;

    for (unsigned i = 0; i < load->n; i++) {
        const uint32_t *r = words + load->at[i];
        uint32_t at = id * SEK_DOM_WORDS + load->at[i], first_s = r[SEK_DOM_W_FIRST];
        _Atomic uint32_t *slot = sek__dom_index_slot(d, &load->keys[i]);

        youngest_s = first_s > youngest_s ? first_s : youngest_s;
        load->got.oldest_s = first_s < load->got.oldest_s ? first_s : load->got.oldest_s;
        d->live[id] = (uint16_t)(d->live[id] + sek__dom_record_words(r[SEK_DOM_FIXED]));
        if (slot)
            merge_twice(d, slot, at);
        else if (!sek__dom_index_add(d, &load->keys[i], at))
            return false;
        else
            d->n_of[kind]++;
    }
    d->n_in[kind]++;
    if (kind == SEK_DOM_FREE)
        return sek__dom_queue_push(&d->free, id);
    if (kind == SEK_DOM_ABSENT)
        load->absent[load->n_absent++] = (uint64_t)youngest_s << 32 | id;
    else if (d->head[kind] == 0 ||
             words[SEK_DOM_W_USED] < words_of(d, d->head[kind])[SEK_DOM_W_USED])
        d->head[kind] = id;
    return true;
}

static bool give_up_block(struct sek_domains *d, uint32_t id)
{
    uint32_t *words = words_of(d, id);

    memset(words, 0, SEK_DOM_BLOCK);
    words[SEK_DOM_W_USED] = SEK_DOM_BEGIN;
    d->dirty[id] = 1;
    d->n_in[SEK_DOM_FREE]++;
    return sek__dom_queue_push(&d->free, id);
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* Oldest first, as they were filled. */
static bool order_absent(struct sek_domains *d, struct load *load)
{
    if (load->n_absent > 0)
        qsort(load->absent, load->n_absent, sizeof(*load->absent), by_value);
    for (size_t i = 0; i < load->n_absent; i++) {
        d->head[SEK_DOM_ABSENT] = (uint32_t)load->absent[i];
        if (!sek__dom_queue_push(&d->absent, (uint32_t)load->absent[i]))
            return false;
    }
    return true;
}

/* Read n blocks into their places. Returns how many are there; -1: an error. */
static int64_t read_blocks(struct sek_domains *d, uint64_t id, uint64_t n)
{
    uint8_t *to = (uint8_t *)sek__dom_block(d, (uint32_t)id);
    size_t size = (size_t)n * SEK_DOM_BLOCK, got = 0;

    while (got < size) {
        ssize_t some =
            pread(d->fd, to + got, size - got, (off_t)(id * SEK_DOM_BLOCK + (uint64_t)got));

        if (some < 0 && errno == EINTR)
            continue;
        if (some < 0)
            return -1;
        if (some == 0)
            break;
        got += (size_t)some;
    }
    return (int64_t)(got / SEK_DOM_BLOCK);
}

static enum sek_err load_all(struct sek_domains *d, struct load *load, uint64_t n_file,
                             uint64_t n_sure, struct sek_diag *diag)
{
    for (uint64_t id = SEK_DOM_HEADS; id < n_file;) {
        uint64_t n = n_file - id < SEK_DOM_STAGE ? n_file - id : SEK_DOM_STAGE;

        if (!sek__dom_commit(d, (uint32_t)(id + n - 1)))
            return sek_diag_set(diag, SEK_E_NOMEM, "%s: out of memory", d->path);
        int64_t there = read_blocks(d, id, n);
        if (there < 0)
            return sek__dom_fail(d, errno, "cannot read", diag);
        if (there == 0)
            break;
        for (int64_t i = 0; i < there; i++, id++) {
            bool good = check_block(d, load, words_of(d, (uint32_t)id), (uint32_t)id);
            load->got.n_good += good;
            load->got.n_bad += !good && id < n_sure;
            if (!(good ? take_block(d, load, (uint32_t)id) : give_up_block(d, (uint32_t)id)))
                return sek_diag_set(diag, SEK_E_NOMEM, "%s: out of memory", d->path);
        }
        d->n_blocks = (uint32_t)id;
    }
    if (d->n_blocks < n_sure)
        load->got.n_bad += n_sure - d->n_blocks;
    d->n_written = d->n_blocks;
    return SEK_OK;
}

enum sek_err sek__dom_load(struct sek_domains *d, uint64_t n_file, uint64_t n_sure,
                           struct sek_dom_loaded *out, struct sek_diag *diag)
{
    struct load *load = malloc(sizeof(*load));
    uint64_t *absent = malloc((size_t)(n_file + 1) * sizeof(*absent));
    enum sek_err err = SEK_E_NOMEM;

    if (load && absent) {
        load->absent = absent;
        load->n_absent = 0;
        load->got = (struct sek_dom_loaded){.oldest_s = UINT32_MAX};
        err = load_all(d, load, n_file, n_sure, diag);
        if (!err && !order_absent(d, load))
            err = SEK_E_NOMEM;
        *out = load->got;
    }
    if (err == SEK_E_NOMEM)
        sek_diag_set(diag, err, "%s: out of memory", d->path);
    free(absent);
    free(load);
    return err;
}
