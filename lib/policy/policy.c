/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/policy.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define OPEN_TRIES 5

struct sek_policy {
    struct sek_image *base, *delta; /* delta may be NULL */
    const struct sek_list *lists;   /* of the delta, if there is one */
    unsigned n_lists;
    uint64_t generation; /* asked for with every query */
};

/* The delta, if it is for the base; else *out stays NULL. */
static enum sek_err open_delta(const char *path, uint64_t base_id, struct sek_image **out,
                               struct sek_diag *diag)
{
    struct sek_image *delta = NULL;
    struct sek_image_info info;
    enum sek_err err = sek_image_open(path, true, &delta, diag);

    if (err == SEK_E_NOTFOUND)
        return SEK_OK;
    if (err != SEK_OK)
        return err;
    sek_image_info(delta, &info);
    if (info.base_id == base_id)
        *out = delta;
    else
        sek_image_close(delta);
    return SEK_OK;
}

/* Is the file still the image that was opened from it? */
static bool is_current(const char *path, uint64_t id)
{
    struct sek_image *now = NULL;
    struct sek_image_info info;

    if (sek_image_open(path, false, &now, NULL) != SEK_OK)
        return false;
    sek_image_info(now, &info);
    sek_image_close(now);
    return info.id == id;
}

/* One try. SEK_E_BUSY when the image was replaced between the opening of the two files, as then the
 * delta that belongs to the one we have may be gone. */
static enum sek_err open_pair(const char *image_path, const char *delta_path, struct sek_policy *p,
                              struct sek_diag *diag)
{
    struct sek_image_info info;
    enum sek_err err = sek_image_open(image_path, true, &p->base, diag);

    if (err != SEK_OK)
        return err;
    sek_image_info(p->base, &info);
    if (info.base_id != 0)
        return sek_diag_set(diag, SEK_E_CORRUPT, "%s: is a delta, not an image", image_path);
    err = open_delta(delta_path, info.id, &p->delta, diag);
    if (err == SEK_OK && !p->delta && !is_current(image_path, info.id))
        err = sek_diag_set(diag, SEK_E_BUSY, "%s: replaced while it was read", image_path);
    return err;
}

static void close_pair(struct sek_policy *p)
{
    sek_image_close(p->delta);
    sek_image_close(p->base);
    p->base = p->delta = NULL;
}

static enum sek_err open_files(const char *dir, const char *image, const char *delta,
                               struct sek_policy **out, struct sek_diag *diag)
{
    char image_path[512], delta_path[512];
    const struct sek_image *newest;
    struct sek_image_info info;
    struct sek_policy *p;
    enum sek_err err = SEK_E_BUSY;

    if (snprintf(image_path, sizeof(image_path), "%s/%s", dir, image) >= (int)sizeof(image_path) ||
        snprintf(delta_path, sizeof(delta_path), "%s/%s", dir, delta) >= (int)sizeof(delta_path))
        return sek_diag_set(diag, SEK_E_LIMIT, "%s: path is too long", dir);
    p = calloc(1, sizeof(*p));
    if (!p)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory");
    for (unsigned i = 0; err == SEK_E_BUSY && i < OPEN_TRIES; i++) {
        close_pair(p);
        err = open_pair(image_path, delta_path, p, diag);
    }
    if (err != SEK_OK) {
        sek_policy_close(p);
        return err;
    }
    newest = p->delta ? p->delta : p->base;
    sek_image_info(newest, &info);
    p->generation = info.generation;
    p->lists = sek_image_lists(newest, &p->n_lists);
    *out = p;
    return SEK_OK;
}

enum sek_err sek_policy_open(const char *dir, struct sek_policy **out, struct sek_diag *diag)
{
    return open_files(dir, SEK_POLICY_IMAGE, SEK_POLICY_DELTA, out, diag);
}

enum sek_err sek_policy_open_previous(const char *dir, struct sek_policy **out,
                                      struct sek_diag *diag)
{
    if (open_files(dir, SEK_POLICY_IMAGE, SEK_POLICY_DELTA_PREV, out, NULL) == SEK_OK)
        return SEK_OK;
    return open_files(dir, SEK_POLICY_IMAGE_PREV, SEK_POLICY_IMAGE_PREV_DELTA, out, diag);
}

void sek_policy_close(struct sek_policy *p)
{
    if (!p)
        return;
    close_pair(p);
    free(p);
}

uint64_t sek_policy_generation(const struct sek_policy *p)
{
    return p->generation;
}

uint64_t sek_policy_n_names(const struct sek_policy *p)
{
    struct sek_image_info base, delta = {0};

    sek_image_info(p->base, &base);
    if (p->delta)
        sek_image_info(p->delta, &delta);
    return base.n_names + delta.n_names;
}

const struct sek_list *sek_policy_lists(const struct sek_policy *p, unsigned *out_n)
{
    *out_n = p->n_lists;
    return p->lists;
}

const struct sek_list *sek_policy_list(const struct sek_policy *p, uint16_t id)
{
    unsigned low = 0, high = p->n_lists;

    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (p->lists[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < p->n_lists && p->lists[low].id == id ? &p->lists[low] : NULL;
}

static int64_t first_after(const struct sek_image *image, int64_t after_s)
{
    unsigned low = 0, n, high;
    const int64_t *times = sek_image_expiries(image, &n);

    for (high = n; low < high;) {
        unsigned middle = low + (high - low) / 2;
        if (times[middle] <= after_s)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n ? times[low] : 0;
}

int64_t sek_policy_next_expiry(const struct sek_policy *p, int64_t after_s)
{
    int64_t base = first_after(p->base, after_s);
    int64_t delta = p->delta ? first_after(p->delta, after_s) : 0;

    return base == 0 || (delta != 0 && delta < base) ? delta : base;
}

/* What the base met with what the delta met in place of it: both most specific first. */
static unsigned overlay(const struct sek_met *base, unsigned n_base, const struct sek_met *delta,
                        unsigned n_delta, struct sek_met *out)
{
    unsigned n = 0, b = 0;

    for (unsigned d = 0; d < n_delta; d++) {
        while (b < n_base && base[b].depth < delta[d].depth)
            out[n++] = base[b++];
        if (b < n_base && base[b].depth == delta[d].depth)
            b++;
        if (delta[d].n > 0)
            out[n++] = delta[d];
    }
    while (b < n_base)
        out[n++] = base[b++];
    return n;
}

void sek_policy_prefetch(const struct sek_policy *p, const struct sek_name *name)
{
    struct sek_trail trail;

    sek_image_trail(p->base, name, &trail);
    sek_image_prefetch(p->base, name, &trail);
    if (p->delta)
        sek_image_prefetch(p->delta, name, &trail);
}

unsigned sek_policy_lookup(const struct sek_policy *p, const struct sek_name *name,
                           struct sek_met *out)
{
    struct sek_trail trail;
    struct sek_met base[SEK_LABELS_MAX + 1], delta[SEK_LABELS_MAX + 1];
    unsigned n_base, n_delta;

    sek_image_trail(p->base, name, &trail);
    n_delta = p->delta ? sek_image_lookup(p->delta, name, &trail, delta) : 0;
    if (n_delta == 0)
        return sek_image_lookup(p->base, name, &trail, out);
    n_base = sek_image_lookup(p->base, name, &trail, base);
    return overlay(base, n_base, delta, n_delta, out);
}
