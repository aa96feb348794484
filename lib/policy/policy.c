/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/policy.h"
#include "name/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define OPEN_TRIES 5

struct sek_policy {
    struct sek_image *base, *delta; /* delta may be NULL */
    const struct sek_list *lists;   /* of the delta, if there is one */
    unsigned n_lists;
    struct sek_groups *groups;                           /* of the same; NULL: none */
    struct sek_nets *nets;                               /* of the same; NULL: none */
    struct sek_patterns *base_patterns, *delta_patterns; /* NULL: none */
    const struct sek_image_places *places;               /* of the newest; NULL: none */
    const struct sek_override *overrides;                /* of the newest; NULL: none */
    size_t n_overrides;
    char trouble[200];
    uint64_t generation; /* asked for with every query */
    uint32_t actions;    /* bit enum sek_action, of rules and lists */
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
    struct sek_image_info now;

    return sek_image_peek(path, &now, NULL) == SEK_OK && now.id == id;
}

/* Where a policy comes from. */
struct origin {
    const char *dir, *image, *delta;
    const char *share;            /* folder of shared copies, or NULL */
    const struct sek_policy *old; /* NULL, or what has the image already */
    bool mapped;
};

static enum sek_err open_base(const struct origin *from, const char *path, struct sek_image **out,
                              struct sek_diag *diag)
{
    if (from->old) {
        *out = sek_image_again(from->old->base);
        return SEK_OK;
    }
    if (from->mapped)
        return sek_image_open_mapped(path, out, diag);
    return from->share ? sek_image_open_shared(path, from->share, out, diag)
                       : sek_image_open(path, true, out, diag);
}

/* One try. SEK_E_BUSY when the image was replaced between the opening of the two files, as then the
 * delta that belongs to the one we have may be gone. */
static enum sek_err open_pair(const struct origin *from, const char *image_path,
                              const char *delta_path, struct sek_policy *p, struct sek_diag *diag)
{
    struct sek_image_info info;
    enum sek_err err = open_base(from, image_path, &p->base, diag);

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

static void actions_note(struct sek_policy *p)
{
    p->actions = sek_image_actions(p->base);
    if (p->delta)
        p->actions |= sek_image_actions(p->delta);
    if (p->nets)
        p->actions |= sek_nets_actions(p->nets);
    for (unsigned i = 0; i < p->n_lists; i++)
        if (p->lists[i].mode != SEK_MODE_OFF)
            p->actions |= 1U << p->lists[i].action;
    for (size_t i = 0; i < p->n_overrides; i++) /* none: bit DEFAULT, which nobody asks for */
        p->actions |= 1U << p->overrides[i].action;
}

/* Expressions that cannot be matched here leave the rest of the policy as it is. */
static enum sek_err open_patterns(struct sek_policy *p, const struct sek_image *image,
                                  struct sek_patterns **out, struct sek_diag *diag)
{
    size_t size = 0;
    const void *part = image ? sek_image_part(image, SEK_IMAGE_PATTERNS, &size) : NULL;
    struct sek_diag why = {0};
    enum sek_err err = part ? sek_patterns_read(part, size, out, &why) : SEK_OK;
    if (err == SEK_E_VERSION)
        snprintf(p->trouble, sizeof p->trouble, "%.199s", why.text);
    else if (err != SEK_OK && diag)
        *diag = why;
    return err == SEK_E_VERSION ? SEK_OK : err;
}

/* What a file may have beside names, of the newest one. */
static enum sek_err open_parts(struct sek_policy *p, const struct sek_policy *old,
                               struct sek_diag *diag)
{
    const struct sek_image *newest = p->delta ? p->delta : p->base;
    size_t size = 0;
    enum sek_err err = SEK_OK;
    const void *groups = sek_image_part(newest, SEK_IMAGE_GROUPS, &size);
    if (groups)
        err = sek_groups_read(groups, size, &p->groups, diag);
    const void *nets = sek_image_part(newest, SEK_IMAGE_NETS, &size);
    if (err == SEK_OK && nets)
        err = sek_nets_read(nets, size, sek_image_terms(newest), &p->nets, diag);
    const void *places = sek_image_part(newest, SEK_IMAGE_PLACES, &size);
    if (places && size == sizeof *p->places)
        p->places = places;
    const void *overrides = sek_image_part(newest, SEK_IMAGE_OVERRIDES, &size);
    if (err == SEK_OK && overrides) {
        err = sek_overrides_check(overrides, size, sek_termset_n(sek_image_terms(newest)), diag);
        p->overrides = overrides;
        p->n_overrides = size / sizeof *p->overrides;
    }
    if (err == SEK_OK && old && old->base_patterns)
        p->base_patterns = sek_patterns_again(old->base_patterns);
    else if (err == SEK_OK)
        err = open_patterns(p, p->base, &p->base_patterns, diag);
    if (err == SEK_OK)
        err = open_patterns(p, p->delta, &p->delta_patterns, diag);
    return err;
}

static enum sek_err open_files(const struct origin *from, struct sek_policy **out,
                               struct sek_diag *diag)
{
    char image_path[512], delta_path[512];
    const struct sek_image *newest;
    struct sek_image_info info;
    struct sek_policy *p;
    enum sek_err err = SEK_E_BUSY;

    if (snprintf(image_path, sizeof(image_path), "%s/%s", from->dir, from->image) >=
            (int)sizeof(image_path) ||
        snprintf(delta_path, sizeof(delta_path), "%s/%s", from->dir, from->delta) >=
            (int)sizeof(delta_path))
        return sek_diag_set(diag, SEK_E_LIMIT, "%s: path is too long", from->dir);
    p = calloc(1, sizeof(*p));
    if (!p)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory");
    for (unsigned i = 0; err == SEK_E_BUSY && i < OPEN_TRIES; i++) {
        close_pair(p);
        err = open_pair(from, image_path, delta_path, p, diag);
    }
    if (err != SEK_OK) {
        sek_policy_close(p);
        return err;
    }
    newest = p->delta ? p->delta : p->base;
    sek_image_info(newest, &info);
    p->generation = info.generation;
    p->lists = sek_image_lists(newest, &p->n_lists);
    err = open_parts(p, from->old, diag);
    if (err != SEK_OK) {
        sek_diag_wrap(diag, "%s", newest == p->delta ? delta_path : image_path);
        sek_policy_close(p);
        return err;
    }
    actions_note(p);
    *out = p;
    return SEK_OK;
}

enum sek_err sek_policy_open(const char *dir, struct sek_policy **out, struct sek_diag *diag)
{
    return sek_policy_open_shared(dir, NULL, out, diag);
}

enum sek_err sek_policy_open_shared(const char *dir, const char *share, struct sek_policy **out,
                                    struct sek_diag *diag)
{
    const struct origin from = {
        .dir = dir, .image = SEK_POLICY_IMAGE, .delta = SEK_POLICY_DELTA, .share = share};

    return open_files(&from, out, diag);
}

enum sek_err sek_policy_open_mapped(const char *dir, struct sek_policy **out, struct sek_diag *diag)
{
    const struct origin from = {
        .dir = dir, .image = SEK_POLICY_IMAGE, .delta = SEK_POLICY_DELTA, .mapped = true};

    return open_files(&from, out, diag);
}

enum sek_err sek_policy_open_over(const struct sek_policy *old, const char *dir,
                                  struct sek_policy **out, struct sek_diag *diag)
{
    const struct origin from = {
        .dir = dir, .image = SEK_POLICY_IMAGE, .delta = SEK_POLICY_DELTA, .old = old};

    return open_files(&from, out, diag);
}

enum sek_err sek_policy_open_previous(const char *dir, struct sek_policy **out,
                                      struct sek_diag *diag)
{
    const struct origin near = {
        .dir = dir, .image = SEK_POLICY_IMAGE, .delta = SEK_POLICY_DELTA_PREV};
    const struct origin far = {
        .dir = dir, .image = SEK_POLICY_IMAGE_PREV, .delta = SEK_POLICY_IMAGE_PREV_DELTA};

    if (open_files(&near, out, NULL) == SEK_OK)
        return SEK_OK;
    return open_files(&far, out, diag);
}

void sek_policy_close(struct sek_policy *p)
{
    if (!p)
        return;
    sek_groups_free(p->groups);
    sek_nets_free(p->nets);
    sek_patterns_free(p->base_patterns);
    sek_patterns_free(p->delta_patterns);
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

const struct sek_override *sek_policy_override(const struct sek_policy *p, uint16_t list)
{
    return sek_override_find(p->overrides, p->n_overrides, list);
}

const struct sek_groups *sek_policy_groups(const struct sek_policy *p)
{
    return p->groups;
}

const struct sek_nets *sek_policy_nets(const struct sek_policy *p)
{
    return p->nets;
}

const struct sek_image_places *sek_policy_places(const struct sek_policy *p)
{
    return p->places;
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

const struct sek_termset *sek_policy_terms(const struct sek_policy *p)
{
    return sek_image_terms(p->delta ? p->delta : p->base);
}

const struct sek_termset *sek_policy_terms_below(const struct sek_policy *p)
{
    return sek_image_terms(p->base);
}

bool sek_policy_conditions(const struct sek_policy *p)
{
    return sek_termset_conditions(sek_image_terms(p->base)) ||
           sek_termset_conditions(sek_policy_terms(p));
}

bool sek_policy_endpoints(const struct sek_policy *p)
{
    return sek_policy_groups(p) || sek_termset_endpoints(sek_image_terms(p->base)) ||
           sek_termset_endpoints(sek_policy_terms(p));
}

bool sek_policy_acts(const struct sek_policy *p, enum sek_action action)
{
    return p->actions >> action & 1;
}

int64_t sek_policy_next_change(const struct sek_policy *p, int64_t after_s)
{
    const int64_t ends[] = {first_after(p->base, after_s),
                            p->delta ? first_after(p->delta, after_s) : 0,
                            p->groups ? sek_groups_next_expiry(p->groups, after_s) : 0,
                            p->nets ? sek_nets_next_expiry(p->nets, after_s) : 0,
                            sek_termset_next_any(sek_policy_terms_below(p), after_s),
                            sek_termset_next_any(sek_policy_terms(p), after_s)};
    int64_t first = 0;

    for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
        if (ends[i] != 0 && (first == 0 || ends[i] < first))
            first = ends[i];
    return first;
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

/* --- regular expressions -------------------------------------------------------------------------
 */

uint32_t sek_policy_n_patterns(const struct sek_policy *p)
{
    return (p->base_patterns ? sek_patterns_n(p->base_patterns) : 0) +
           (p->delta_patterns ? sek_patterns_n(p->delta_patterns) : 0);
}

size_t sek_policy_patterns_octets(const struct sek_policy *p)
{
    return (p->base_patterns ? sek_patterns_octets(p->base_patterns) : 0) +
           (p->delta_patterns ? sek_patterns_octets(p->delta_patterns) : 0);
}

const char *sek_policy_trouble(const struct sek_policy *p)
{
    return p->trouble;
}

enum sek_err sek_policy_threads(struct sek_policy *p, unsigned n, struct sek_diag *diag)
{
    enum sek_err err = p->base_patterns ? sek_patterns_threads(p->base_patterns, n, diag) : SEK_OK;
    return err == SEK_OK && p->delta_patterns ? sek_patterns_threads(p->delta_patterns, n, diag)
                                              : err;
}

bool sek_policy_pattern(const struct sek_policy *p, uint32_t number, struct sek_name *out)
{
    uint32_t n_base = p->base_patterns ? sek_patterns_n(p->base_patterns) : 0;
    if (number == 0 || number > sek_policy_n_patterns(p))
        return false;
    if (number <= n_base)
        sek_patterns_owner(p->base_patterns, number - 1, out);
    else
        sek_patterns_owner(p->delta_patterns, number - 1 - n_base, out);
    return true;
}

struct match {
    const struct sek_policy *p;
    sek_policy_match_fn *fn;
    void *arg;
    uint32_t n_base;
    bool delta; /* matched by the delta's */
};

/* Its rules are where its name has them, so that a delta takes back and changes rules of the base's
 * expressions as it does those of names. */
static void on_match(void *arg, uint32_t i)
{
    const struct match *m = arg;
    struct sek_name owner;
    struct sek_trail trail;
    struct sek_met met[SEK_LABELS_MAX + 1];
    uint32_t number = m->delta ? m->n_base + i + 1 : i + 1;
    sek_policy_pattern(m->p, number, &owner);
    if (m->delta && m->n_base) {
        sek_image_trail(m->p->base, &owner, &trail);
        if (sek_image_lookup(m->p->base, &owner, &trail, met) && met[0].depth == 0)
            return; /* the base's has matched, too */
    }
    if (!sek_policy_lookup(m->p, &owner, met) || met[0].depth != 0)
        return;
    met[0].depth = SEK_MET_PATTERN_DEPTH;
    met[0].pattern = number;
    m->fn(m->arg, &met[0]);
}

void sek_policy_match(const struct sek_policy *p, const struct sek_name *name,
                      sek_policy_match_fn *fn, void *arg)
{
    char text[SEK_NAME_TEXT_MAX];
    struct match m = {.p = p,
                      .fn = fn,
                      .arg = arg,
                      .n_base = p->base_patterns ? sek_patterns_n(p->base_patterns) : 0};
    if (name->n_labels == 0 || (!p->base_patterns && !p->delta_patterns))
        return;
    size_t len = sek_name_to_text(name->octets, text);
    if (p->base_patterns)
        sek_patterns_match(p->base_patterns, text, len, on_match, &m);
    m.delta = true;
    if (p->delta_patterns)
        sek_patterns_match(p->delta_patterns, text, len, on_match, &m);
}

struct names {
    sek_policy_name_fn *fn;
    void *arg;
};

static bool one_name(void *arg, const struct sek_name *name, const struct sek_rule *rules,
                     unsigned n)
{
    const struct names *names = arg;

    (void)rules;
    (void)n;
    return names->fn(names->arg, name);
}

bool sek_policy_names(const struct sek_policy *p, sek_policy_name_fn *fn, void *arg)
{
    struct names names = {fn, arg};

    return sek_image_each(p->base, one_name, &names) &&
           (!p->delta || sek_image_each(p->delta, one_name, &names));
}
