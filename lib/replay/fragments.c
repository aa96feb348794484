/* SPDX-License-Identifier: BSD-3-Clause */
#include "replay/fragments.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define PIECES 32 /* of a packet */

struct piece {
    uint32_t from, to;
};

struct whole {
    uint64_t number; /* in the order of their coming; 0: empty */
    struct sek_addr from, to;
    uint32_t id;
    uint8_t protocol;
    uint32_t n_pieces, have, total; /* octets; total 0: not known yet */
    struct piece pieces[PIECES];
    uint8_t data[SEK_FRAGMENTS_OCTETS];
};

struct sek_fragments {
    uint64_t n, last; /* numbers: given so far; of the last fragment's */
    struct whole wholes[SEK_FRAGMENTS_PACKETS];
};

struct sek_fragments *sek_fragments_new(void)
{
    return calloc(1, sizeof(struct sek_fragments));
}

void sek_fragments_free(struct sek_fragments *f)
{
    free(f);
}

static struct whole *find(struct sek_fragments *f, const struct sek_packet *p)
{
    for (size_t i = 0; i < SEK_FRAGMENTS_PACKETS; i++) {
        struct whole *w = &f->wholes[i];
        if (w->number && w->id == p->fragment_id && w->protocol == p->protocol &&
            sek_addr_equal(&w->from, &p->from) && sek_addr_equal(&w->to, &p->to))
            return w;
    }
    return NULL;
}

/* What is there of it begins like DNS over UDP. */
static bool is_dns(const struct whole *w)
{
    struct sek_segment segment;

    for (uint32_t i = 0; w->number && i < w->n_pieces; i++)
        if (w->pieces[i].from == 0 &&
            sek_segment_read(w->protocol, (struct sek_octets){w->data, w->pieces[i].to}, &segment))
            return sek_segment_is_dns(&segment);
    return false;
}

/* The place of the oldest, for p. */
static struct whole *begin(struct sek_fragments *f, const struct sek_packet *p, bool *out_lost)
{
    struct whole *w = &f->wholes[0];

    for (size_t i = 1; i < SEK_FRAGMENTS_PACKETS; i++)
        if (f->wholes[i].number < w->number)
            w = &f->wholes[i];
    *out_lost = is_dns(w);
    w->number = ++f->n;
    w->from = p->from;
    w->to = p->to;
    w->id = p->fragment_id;
    w->protocol = p->protocol;
    w->n_pieces = w->have = w->total = 0;
    return w;
}

enum fit { FITS, IS_THERE, FITS_NOT };

static enum fit add_piece(struct whole *w, const struct sek_packet *p)
{
    struct piece new = {p->fragment_at, p->fragment_at + (uint32_t)p->data.size};

    if (p->data.size == 0 || p->data.size > SEK_FRAGMENTS_OCTETS || new.to > SEK_FRAGMENTS_OCTETS ||
        w->n_pieces == PIECES)
        return FITS_NOT;
    for (uint32_t i = 0; i < w->n_pieces; i++) {
        if (new.from == w->pieces[i].from &&new.to == w->pieces[i].to)
            return IS_THERE;
        if (new.from < w->pieces[i].to && w->pieces[i].from < new.to)
            return FITS_NOT;
    }
    if (!p->more)
        w->total = new.to;
    w->pieces[w->n_pieces++] = new;
    w->have += new.to - new.from;
    memcpy(w->data + new.from, p->data.at, p->data.size);
    return FITS;
}

int sek_fragments_add(struct sek_fragments *f, struct sek_packet *p, struct sek_diag *diag)
{
    bool lost = false;
    struct whole *w = find(f, p);

    if (!w)
        w = begin(f, p, &lost);
    f->last = w->number;
    enum fit fit = add_piece(w, p);
    if (fit == FITS_NOT) {
        w->number = 0;
        return (int)sek_diag_set(diag, SEK_E_INVALID,
                                 "fragments that overlap, or of more than %d octets",
                                 SEK_FRAGMENTS_OCTETS);
    }
    if (lost)
        return (int)sek_diag_set(diag, SEK_E_INVALID,
                                 "fragments of an earlier DNS message are missing");
    if (fit == IS_THERE || w->total == 0 || w->have != w->total)
        return 0;
    p->data = (struct sek_octets){w->data, w->total};
    p->is_fragment = false;
    w->number = 0;
    return 1;
}

uint64_t sek_fragments_number(const struct sek_fragments *f)
{
    return f->last;
}
