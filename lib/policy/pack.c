/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/pack.h"
#include "policy/trail.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define N_SYMBOLS_MAX (SEK_CODE_BASE + SEK_CODE_LABELS_MAX)
#define N_SLOTS 4096 /* a quarter full at most */

/* A code word as a lookup wants it. */
struct word {
    uint32_t bits; /* right-aligned */
    uint32_t n_bits;
};

struct sek_pack {
    struct word words[N_SYMBOLS_MAX];
    unsigned n_labels, label_max;           /* whole labels in the code; length of the longest */
    uint16_t slots[N_SLOTS];                /* hash table of whole labels: index + 1, 0 = free */
    uint32_t label_at[SEK_CODE_LABELS_MAX]; /* in `labels`: length octet, then the label */
    /* for decoding: symbols by code word, and per length the first word and its place in there */
    uint16_t by_word[N_SYMBOLS_MAX];
    uint32_t first[SEK_CODE_BITS_MAX + 1], place[SEK_CODE_BITS_MAX + 1],
        count[SEK_CODE_BITS_MAX + 1];
    uint8_t labels[];
};

static enum sek_err damaged(struct sek_diag *diag, const char *what)
{
    return sek_diag_set(diag, SEK_E_CORRUPT, "name code: %s", what);
}

/* The slot of the label that starts at name->octets[at], or the free slot where it belongs. The key
 * is fixed: a table of at most a thousand labels that our own builder chose has nothing to fear. */
static unsigned slot_of(const struct sek_pack *pack, const struct sek_name *name, unsigned at)
{
    static const struct sek_hash_key key = {0x9e3779b97f4a7c15U, 0xbf58476d1ce4e5b9U};
    const uint8_t *label = name->octets + at;
    unsigned slot = (unsigned)(sek__trail_label(&key, key.k1, name, at) % N_SLOTS);

    while (pack->slots[slot] &&
           memcmp(pack->labels + pack->label_at[pack->slots[slot] - 1], label, *label + 1U) != 0)
        slot = (slot + 1) % N_SLOTS;
    return slot;
}

static enum sek_err load_labels(struct sek_pack *pack, size_t size, struct sek_diag *diag)
{
    struct sek_name name;
    size_t at = 0;

    for (unsigned i = 0; i < pack->n_labels; i++) {
        unsigned len = at < size ? pack->labels[at] : 0;

        if (len == 0 || len > SEK_LABEL_MAX || len >= size - at)
            return damaged(diag, "bad label");
        memcpy(name.octets, pack->labels + at, len + 1);
        unsigned slot = slot_of(pack, &name, 0);
        if (pack->slots[slot])
            return damaged(diag, "label given twice");
        pack->slots[slot] = (uint16_t)(i + 1);
        pack->label_at[i] = (uint32_t)at;
        if (len > pack->label_max)
            pack->label_max = len;
        at += len + 1;
    }
    return at == size ? SEK_OK : damaged(diag, "wrong size");
}

/* Canonical code words from their lengths: shorter first, then by symbol. */
static enum sek_err load_words(struct sek_pack *pack, const uint8_t *lengths, unsigned n,
                               struct sek_diag *diag)
{
    uint32_t next = 0, place = 0;

    for (unsigned i = 0; i < n; i++) {
        if (lengths[i] == 0 || lengths[i] > SEK_CODE_BITS_MAX)
            return damaged(diag, "bad length of a code word");
        pack->count[lengths[i]]++;
    }
    for (unsigned len = 1; len <= SEK_CODE_BITS_MAX; len++) {
        pack->first[len] = next <<= 1;
        pack->place[len] = place;
        for (unsigned i = 0; i < n; i++) {
            if (lengths[i] != len)
                continue;
            pack->words[i] = (struct word){next++, len};
            pack->by_word[place++] = (uint16_t)i;
        }
        if (next > (uint32_t)1 << len)
            return damaged(diag, "too many short code words");
    }
    return next == (uint32_t)1 << SEK_CODE_BITS_MAX ? SEK_OK : damaged(diag, "code words missing");
}

enum sek_err sek_pack_load(const uint8_t *data, size_t size, struct sek_pack **out,
                           struct sek_diag *diag)
{
    unsigned n_labels = size >= 2 ? data[0] | (unsigned)data[1] << 8 : SEK_CODE_LABELS_MAX + 1;
    size_t n_head = 2 + SEK_CODE_BASE + (size_t)n_labels;

    if (n_labels > SEK_CODE_LABELS_MAX || size < n_head)
        return damaged(diag, "wrong size");
    /* One label's worth more: a search compares as many octets as the label sought has. */
    struct sek_pack *pack = calloc(1, sizeof(*pack) + (size - n_head) + SEK_LABEL_MAX + 1);
    if (!pack)
        return sek_diag_set(diag, SEK_E_NOMEM, "name code: out of memory");
    pack->n_labels = n_labels;
    memcpy(pack->labels, data + n_head, size - n_head);
    enum sek_err err = load_labels(pack, size - n_head, diag);
    if (err == SEK_OK)
        err = load_words(pack, data + 2, SEK_CODE_BASE + n_labels, diag);
    if (err != SEK_OK) {
        sek_pack_free(pack);
        return err;
    }
    *out = pack;
    return SEK_OK;
}

void sek_pack_free(struct sek_pack *pack)
{
    free(pack);
}

/* Bits on their way to octets, most significant first. */
struct writer {
    uint64_t bits; /* the `n` lowest are not written yet; n < 32 between calls */
    unsigned n;
    uint8_t *out;
};

static inline void put(struct writer *w, struct word word)
{
    w->bits = w->bits << word.n_bits | word.bits;
    w->n += word.n_bits;
    if (w->n >= 32) {
        uint32_t octets = htobe32((uint32_t)(w->bits >> (w->n -= 32)));
        memcpy(w->out, &octets, sizeof(octets));
        w->out += sizeof(octets);
    }
}

void sek_pack_name(const struct sek_pack *pack, const struct sek_name *name, unsigned n_labels,
                   struct sek_packed *out)
{
    struct writer w = {.out = out->octets};

    out->bits[0] = 0;
    for (unsigned k = 1; k <= n_labels; k++) {
        unsigned at = name->offset[name->n_labels - k], len = name->octets[at];
        const uint8_t *label = name->octets + at + 1;
        unsigned whole = len <= pack->label_max ? pack->slots[slot_of(pack, name, at)] : 0;

        if (whole) {
            put(&w, pack->words[SEK_CODE_BASE + whole - 1]);
        } else {
            for (unsigned i = 0; i < len; i++)
                put(&w, pack->words[label[i]]);
            put(&w, pack->words[SEK_CODE_END]);
        }
        out->bits[k] = (uint16_t)((w.out - out->octets) * 8 + w.n);
    }
    /* what is left of fewer than 32 bits, and at least one zero bit behind it */
    uint64_t octets = htobe64(w.n ? w.bits << (64 - w.n) : 0);
    memcpy(w.out, &octets, 5);
}

/* The next symbol of a stored name whose bits end before `end`; -1 if there is none. */
static int get(const struct sek_pack *pack, const uint8_t *stored, size_t end, size_t *at)
{
    uint32_t word = 0;

    for (unsigned len = 1; len <= SEK_CODE_BITS_MAX && *at < end; len++) {
        word = word << 1 | ((uint32_t)stored[*at / 8] >> (7 - *at % 8) & 1U);
        ++*at;
        if (word - pack->first[len] < pack->count[len])
            return pack->by_word[pack->place[len] + word - pack->first[len]];
    }
    return -1;
}

/* The next label, as length octet and octets. False at the end of the bits or when they are not
 * one. */
static bool get_label(const struct sek_pack *pack, const uint8_t *stored, size_t end, size_t *at,
                      uint8_t out[SEK_LABEL_MAX + 1])
{
    int symbol = get(pack, stored, end, at);

    out[0] = 0;
    if (symbol >= SEK_CODE_BASE) {
        const uint8_t *label = pack->labels + pack->label_at[symbol - SEK_CODE_BASE];
        memcpy(out, label, *label + 1U);
        return true;
    }
    for (; symbol >= 0 && symbol < SEK_CODE_END && out[0] < SEK_LABEL_MAX;
         symbol = get(pack, stored, end, at))
        out[++out[0]] = (uint8_t)symbol;
    return symbol == SEK_CODE_END && out[0] > 0;
}

bool sek_pack_unpack(const struct sek_pack *pack, const uint8_t *stored, size_t n,
                     struct sek_name *out)
{
    uint8_t wire[SEK_NAME_MAX] = {0}, label[SEK_LABEL_MAX + 1];
    size_t start = SEK_NAME_MAX - 1; /* the name grows leftwards from the root's octet */
    size_t end = 8 * n, at = 0;

    if (n == 0 || stored[n - 1] == 0)
        return false;
    for (unsigned last = stored[n - 1]; last % 2 == 0; last /= 2)
        end--;
    end--; /* the 1 bit that marks the end */
    while (at < end) {
        if (!get_label(pack, stored, end, &at, label) || label[0] + 1U > start)
            return false;
        start -= label[0] + 1U;
        memcpy(wire + start, label, label[0] + 1U);
    }
    return sek_name_from_wire(wire + start, SEK_NAME_MAX - start, out) == SEK_OK;
}
