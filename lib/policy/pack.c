/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/pack.h"
#include "policy/trail.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define N_SYMBOLS_MAX (SEK_CODE_BASE + SEK_CODE_LABELS_MAX)
#define N_SLOTS 4096 /* a quarter full at most */

struct word {
    uint32_t bits; /* right-aligned */
    uint32_t n_bits;
};

/* A whole label that has a code word: length octet and octets, zeros behind. */
struct label {
    struct sek__words text;
    struct word word;
};

struct sek_pack {
    struct word words[SEK_CODE_BASE];
    unsigned n_labels;
    struct label labels[SEK_CODE_LABELS_MAX + 1]; /* the first is none: no text, no bits */
    uint16_t slots[N_SLOTS];                      /* hash table: index in labels, 0 = free */
    /* for decoding: symbols by code word, and per length the first word and its place in there */
    uint16_t by_word[N_SYMBOLS_MAX];
    uint32_t first[SEK_CODE_BITS_MAX + 1], place[SEK_CODE_BITS_MAX + 1],
        count[SEK_CODE_BITS_MAX + 1];
};

static enum sek_err damaged(struct sek_diag *diag, const char *what)
{
    return sek_diag_set(diag, SEK_E_CORRUPT, "name code: %s", what);
}

/* The slot of a label, or the free slot where it belongs. The key is fixed: a table of at most a
 * thousand labels that our own builder chose has nothing to fear. */
static inline unsigned slot_of(const struct sek_pack *pack, struct sek__words text)
{
    uint64_t hash = sek__fold(text.low ^ SEK_HASH_GOLDEN, text.high ^ 0xbf58476d1ce4e5b9U);
    unsigned slot = (unsigned)(hash % N_SLOTS);

    for (; pack->slots[slot]; slot = (slot + 1) % N_SLOTS) {
        const struct sek__words *there = &pack->labels[pack->slots[slot]].text;
        if (there->low == text.low && there->high == text.high)
            break;
    }
    return slot;
}

static enum sek_err load_labels(struct sek_pack *pack, const uint8_t *data, size_t size,
                                struct sek_diag *diag)
{
    struct sek_name name;

    for (unsigned i = 1; i <= pack->n_labels; i++) {
        unsigned len = size > 0 ? data[0] : 0;
        struct label *label = &pack->labels[i];

        if (len == 0 || len > SEK_CODE_LABEL_MAX || len >= size)
            return damaged(diag, "bad label");
        memcpy(name.octets, data, len + 1);
        label->text = sek__words_of(&name, name.octets, len + 1);
        unsigned slot = slot_of(pack, label->text);
        if (pack->slots[slot])
            return damaged(diag, "label given twice");
        pack->slots[slot] = (uint16_t)i;
        data += len + 1;
        size -= len + 1;
    }
    return size == 0 ? SEK_OK : damaged(diag, "wrong size");
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
            *(i < SEK_CODE_BASE ? &pack->words[i] : &pack->labels[i - SEK_CODE_BASE + 1].word) =
                (struct word){next++, len};
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
    struct sek_pack *pack = calloc(1, sizeof(*pack));
    if (!pack)
        return sek_diag_set(diag, SEK_E_NOMEM, "name code: out of memory");
    pack->n_labels = n_labels;
    enum sek_err err = load_labels(pack, data + n_head, size - n_head, diag);
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
    uint64_t bits; /* left-aligned, zeros behind; at most 7 are not written yet between calls */
    unsigned n;
    uint8_t *out;
};

/* Every call writes a whole word, of which what is not full counts as not written: a branch on how
 * much is full would be mistaken too often. */
static inline void put(struct writer *w, uint64_t bits, unsigned n_bits)
{
    uint64_t octets;

    w->n += n_bits;
    w->bits |= bits << (64 - w->n);
    octets = htobe64(w->bits);
    memcpy(w->out, &octets, sizeof(octets));
    w->out += w->n / 8;
    w->bits <<= w->n / 8 * 8;
    w->n %= 8;
}

/* A label octet by octet, and its end: two symbols at a time, as each put waits for the one before.
 */
static inline void spell(const struct sek_pack *pack, struct writer *w, const uint8_t *label)
{
    const struct word *words = pack->words;

    for (unsigned i = 1; i <= *label; i += 2) {
        struct word a = words[label[i]], b = words[i < *label ? label[i + 1] : SEK_CODE_END];
        put(w, (uint64_t)a.bits << b.n_bits | b.bits, a.n_bits + b.n_bits);
    }
    if (*label % 2 == 0)
        put(w, words[SEK_CODE_END].bits, words[SEK_CODE_END].n_bits);
}

/* The code word of a whole label, NULL if it has none. */
static inline const struct word *whole_label(const struct sek_pack *pack,
                                             const struct sek_name *name, const uint8_t *label)
{
    if (*label > SEK_CODE_LABEL_MAX)
        return NULL;
    unsigned i = pack->slots[slot_of(pack, sek__words_of(name, label, *label + 1U))];
    return i ? &pack->labels[i].word : NULL;
}

void sek_pack_name(const struct sek_pack *pack, const struct sek_name *name, unsigned n_labels,
                   struct sek_packed *out)
{
    struct writer w = {.out = out->octets};

    out->bits[0] = 0;
    out->octets[0] = 0;
    for (unsigned k = 1; k <= n_labels; k++) {
        const uint8_t *label = name->octets + name->offset[name->n_labels - k];
        const struct word *whole = whole_label(pack, name, label);

        if (whole) {
            put(&w, whole->bits, whole->n_bits);
        } else {
            spell(pack, &w, label);
        }
        out->bits[k] = (uint16_t)((w.out - out->octets) * 8 + w.n);
    }
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
        const struct sek__words *text = &pack->labels[symbol - SEK_CODE_BASE + 1].text;
        const uint64_t octets[2] = {htole64(text->low), htole64(text->high)};
        memcpy(out, octets, sizeof(octets));
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
