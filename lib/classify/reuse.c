/* SPDX-License-Identifier: BSD-3-Clause */
#include "classify/reuse.h"
#include <math.h>
#include "base/banned.h"

/* How often two benign labels of at least eight octets share their first, or last, four: measured
 * on 1.3 million benign registered domains, where it is 1 of 2,875 and 1 of 1,344. Doubled, since
 * the names that one endpoint asks for are closer to each other than those of the world. */
static const float by_chance[2] = {1.0f / 1440, 1.0f / 670};

#define STAR_NAMES 6      /* from so many names on, half of them alike are a brand */
#define MISSPELT_BITS 2   /* letters that one name has and the other lacks */
#define MISSPELT_LENGTH 2 /* and by how much they may differ in length */
#define SHAPE_CLIP 1.5f   /* of one name */
#define SITE_PRIOR 32     /* names that stand for "nothing is known" … */
#define SITE_COMMON 0.25f /* … and what share of them every suffix or length has: cautious */
#define SITE_FULL (1u << 20)
#define OF_GENERATOR                                                                               \
    0.8f /* share of an infected endpoint's unknown names that are the generator's */

/* Words in a list. Known ones have 40 (several) to 500; larger ones repeat too rarely to tell
 * within 32 names. */
static const float lists[SEK_REUSE_LISTS] = {32, 128, 512};

void sek_site_learn(struct sek_site *site, const struct sek_reuse_unit *u)
{
    if (site->n >= SITE_FULL) {
        site->n = 0;
        for (unsigned i = 0; i < SEK_SITE_SUFFIXES; i++)
            site->n += site->suffix[i] /= 2;
        for (unsigned i = 0; i < SEK_SITE_LENGTHS; i++)
            site->length[i] /= 2;
    }
    site->suffix[u->suffix % SEK_SITE_SUFFIXES]++;
    site->length[u->length / 2 % SEK_SITE_LENGTHS]++;
    site->n++;
}

static float site_share(const struct sek_site *site, uint32_t count)
{
    return ((float)count + SITE_PRIOR * SITE_COMMON) / ((float)site->n + SITE_PRIOR);
}

bool sek_reuse_is_kin(const struct sek_reuse *r, const struct sek_reuse_unit *u)
{
    for (unsigned i = 0; i < r->n; i++)
        for (unsigned side = 0; side < 2; side++)
            if (u->part[side] && u->part[side] == r->part[side][i])
                return true;
    return false;
}

static bool misspelt(const struct sek_reuse *r, const struct sek_reuse_unit *u)
{
    for (unsigned i = 0; i < r->n; i++) {
        int longer = (int)u->length - r->length[i];

        if (longer <= MISSPELT_LENGTH && -longer <= MISSPELT_LENGTH &&
            __builtin_popcount(u->letters ^ r->letters[i]) <= MISSPELT_BITS)
            return true;
    }
    return false;
}

/* How often each remembered part of one side occurs. */
struct census {
    unsigned single, hubs, largest; /* parts that occur once; more often; the commonest's count */
};

static struct census take_census(const uint16_t *part, unsigned n)
{
    struct census c = {0, 0, 0};

    for (unsigned i = 0; i < n; i++) {
        unsigned same = 0, before = 0;

        for (unsigned k = 0; k < n; k++) {
            same += part[k] == part[i];
            before += k < i && part[k] == part[i];
        }
        if (!part[i] || before > 0)
            continue;
        c.single += same == 1;
        c.hubs += same > 1;
        c.largest = same > c.largest ? same : c.largest;
    }
    return c;
}

/* The chance that a part seen once comes again, when names are drawn evenly from a list. A part
 * seen more often says nothing new, and the first that repeats may be a brand: both are left out.
 */
static void add_side(struct sek_reuse *r, unsigned side, uint16_t part)
{
    struct census c = take_census(r->part[side], r->n);
    unsigned same = 0;

    for (unsigned i = 0; i < r->n; i++)
        same += r->part[side][i] == part;
    if (!part || same > 1 || (same == 1 && c.hubs == 0) || c.single == 0)
        return;
    float chance = fminf(0.5f, (float)c.single * by_chance[side]);
    for (unsigned l = 0; l < SEK_REUSE_LISTS; l++) {
        float left = fmaxf(lists[l] - (float)c.hubs, 1);
        float again = fminf(0.9f, (float)c.single / left);
        float llr = same ? logf(again / chance) : logf((1 - again) / (1 - chance));

        r->list[side][l] = fmaxf(-4, r->list[side][l] + llr);
    }
}

static void add_shape(struct sek_reuse *r, const struct sek_site *site,
                      const struct sek_reuse_unit *u)
{
    float p_suffix = site_share(site, site->suffix[u->suffix % SEK_SITE_SUFFIXES]);
    float p_length = site_share(site, site->length[u->length / 2 % SEK_SITE_LENGTHS]);
    float suffixes = p_suffix, lengths = p_length; /* one name's worth of "like the site" */

    for (unsigned i = 0; i < r->n; i++) {
        suffixes += r->suffix[i] == u->suffix;
        lengths += r->length[i] / 2 == u->length / 2;
    }
    suffixes = OF_GENERATOR * suffixes / ((float)r->n + 1) + (1 - OF_GENERATOR) * p_suffix;
    lengths = OF_GENERATOR * lengths / ((float)r->n + 1) + (1 - OF_GENERATOR) * p_length;
    float llr = logf(suffixes / p_suffix) + logf(lengths / p_length);

    llr = fmaxf(-SHAPE_CLIP, fminf(SHAPE_CLIP, llr));
    r->shape = fmaxf(0, fminf(SEK_SHAPE_MAX, r->shape + llr));
}

static bool is_brand(const struct sek_reuse *r)
{
    for (unsigned side = 0; side < 2 && r->n >= STAR_NAMES; side++)
        if (take_census(r->part[side], r->n).largest * 2 >= r->n)
            return true;
    return false;
}

void sek_reuse_add(struct sek_reuse *r, const struct sek_site *site, const struct sek_reuse_unit *u)
{
    if (misspelt(r, u))
        return;
    add_shape(r, site, u);
    for (unsigned side = 0; side < 2; side++) {
        add_side(r, side, u->part[side]);
        r->part[side][r->next] = u->part[side];
    }
    r->letters[r->next] = u->letters;
    r->length[r->next] = u->length;
    r->suffix[r->next] = u->suffix;
    r->next = (uint8_t)((r->next + 1) % SEK_REUSE_NAMES);
    r->n = (uint8_t)(r->n < SEK_REUSE_NAMES ? r->n + 1 : r->n);
    r->brand = is_brand(r);
}

void sek_reuse_decay(struct sek_reuse *r, float factor)
{
    r->shape *= factor;
    for (unsigned side = 0; side < 2; side++)
        for (unsigned l = 0; l < SEK_REUSE_LISTS; l++)
            r->list[side][l] *= factor;
}

float sek_reuse_words(const struct sek_reuse *r)
{
    float sum = 0;

    for (unsigned side = 0; side < 2; side++) { /* any size of list is as likely beforehand */
        float of_lists = 0;

        for (unsigned l = 0; l < SEK_REUSE_LISTS; l++)
            of_lists += expf(r->list[side][l]);
        sum += fmaxf(0, fminf(SEK_REUSE_SIDE_MAX, logf(of_lists / SEK_REUSE_LISTS)));
    }
    return sum;
}

float sek_reuse_shape(const struct sek_reuse *r)
{
    return r->brand ? 0 : r->shape;
}
