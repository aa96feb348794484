/* SPDX-License-Identifier: BSD-3-Clause */
#include "verdict/effective.h"
#include <string.h>
#include "base/banned.h"

void sek_effective_begin(struct sek_effective *e, enum sek_about about,
                         const struct sek_engine *engine, int64_t now_s,
                         const struct sek_effective_form *form)
{
    memset(e, 0, sizeof *e);
    e->about = about;
    e->engine = engine;
    e->now_s = now_s;
    e->form = form;
    e->last.len = 1; /* the root: nothing is said above it */
}

static unsigned labels_shared(const struct sek_name *a, const struct sek_name *b)
{
    unsigned n = 0;
    while (n < a->n_labels && n < b->n_labels) {
        const uint8_t *x = a->octets + a->offset[a->n_labels - n - 1];
        const uint8_t *y = b->octets + b->offset[b->n_labels - n - 1];
        if (memcmp(x, y, *x + 1U) != 0)
            break;
        n++;
    }
    return n;
}

static void decide(const struct sek_effective *e, const struct sek_name *name,
                   struct sek_verdict *out)
{
    static const struct sek_name any = {.len = 1}; /* whose servers does not matter */
    struct sek_name owner;
    if (e->about == SEK_ABOUT_NSDNAME)
        sek_engine_decide_server(e->engine, &any, name, e->now_s, out, &owner, NULL, NULL);
    else
        sek_engine_decide(e->engine, name, e->now_s, SEK_TRIGGER_QNAME, out, NULL, NULL);
}

/* The decision about names directly below that are not listed themselves: about one with a label
 * that nobody lists. False: the name is too long for any to be below it. */
static bool decide_below(const struct sek_effective *e, const struct sek_name *name,
                         struct sek_verdict *out)
{
    bool asked = false;
    for (unsigned n = 1; n <= SEK_LABEL_MAX && name->len + n + 1 <= SEK_NAME_MAX; n++) {
        uint8_t wire[SEK_NAME_MAX] = {(uint8_t)n}; /* n octets 0 */
        struct sek_name child;
        memcpy(wire + n + 1, name->octets, name->len);
        if (sek_name_from_wire(wire, n + 1 + name->len, &child) != SEK_OK)
            break;
        decide(e, &child, out);
        asked = true;
        if (out->trigger == SEK_TRIGGER_NONE || out->depth > 0)
            break; /* no rule at that very name decides */
    }
    return asked;
}

/* What is said of a name. */
struct said {
    enum sek_action action;
    struct sek_effective_with with;
};

static bool is_same(struct said a, struct said b)
{
    return a.action == b.action && a.with.data == b.with.data && a.with.ttl_s == b.with.ttl_s;
}

/* What the form says of a decision about the place's name, or what is below it. */
static struct said say(const struct sek_effective *e, const struct sek_verdict *v, bool below,
                       struct sek_effective_place *place)
{
    const struct sek_effective_form *form = e->form;
    const struct said above = {place->above, place->above_with};
    if (v->trigger == SEK_TRIGGER_NONE)
        return above; /* nothing is said above either: a rule there would have decided */
    if (sek_verdict_is_hit(v) && !sek_action_blocks(v->action)) {
        place->recorded = true;
        return above;
    }
    struct said said = {.action = form->as[v->action]};
    if (said.action == SEK_ACTION_DATA && (said.with.data = form->data(form->arg, v)) == 0)
        said.action = SEK_ACTION_DEFAULT;
    if (form->ttls && v->ttl_s != SEK_TTL_OF_SETTINGS &&
        (said.action == SEK_ACTION_DATA || said.action == SEK_ACTION_SINKHOLE))
        said.with.ttl_s = v->ttl_s;
    bool fits = !form->fits || form->fits(form->arg, place->name, below);
    if (!is_same(said, above) && !fits) {
        place->unfit = true;
        return above;
    }
    place->unsaid |= said.action == SEK_ACTION_DEFAULT && v->action != SEK_ACTION_PASSTHRU;
    return said.action == SEK_ACTION_DEFAULT ? above : said;
}

/* The names above a place, from the top-level domain on. */
static void tell_nodes(struct sek_effective *e, const struct sek_name *name)
{
    for (unsigned n = 1; n < name->n_labels; n++) {
        struct sek_effective_level *level = &e->level[n];
        struct sek_name node;
        if (level->node)
            continue;
        level->node = true;
        if (level->exact == SEK_ACTION_DEFAULT && level->below == SEK_ACTION_DEFAULT)
            continue;
        sek_name_parent(name, name->n_labels - n, &node);
        const struct sek_effective_place place = {.name = &node,
                                                  .exact = level->exact,
                                                  .below = level->below,
                                                  .above = level[-1].below,
                                                  .exact_with = level->exact_with,
                                                  .below_with = level->below_with,
                                                  .above_with = level[-1].below_with,
                                                  .changes = true};
        e->form->place(e->form->arg, &place);
    }
}

/* What is said of the very name and of those below it. */
static void place_fill(const struct sek_effective *e, struct sek_effective_place *place)
{
    unsigned n = place->name->n_labels;
    const struct sek_effective_level *up = n ? &e->level[n - 1] : NULL;
    struct said above = {.action = SEK_ACTION_DEFAULT};
    struct sek_verdict v;
    if (up)
        above = (struct said){(enum sek_action)up->below, up->below_with};
    place->above = above.action;
    place->above_with = above.with;
    decide(e, place->name, &v);
    struct said exact = say(e, &v, false, place), below = above;
    if (decide_below(e, place->name, &v))
        below = say(e, &v, true, place);
    place->exact = exact.action;
    place->exact_with = exact.with;
    place->below = below.action;
    place->below_with = below.with;
    place->changes = !is_same(exact, above) || !is_same(below, above);
}

void sek_effective_add(struct sek_effective *e, const struct sek_name *name)
{
    unsigned n = name->n_labels, shared = labels_shared(&e->last, name);

    for (unsigned i = shared + 1; i < n; i++) { /* names between that have no rules */
        const struct sek_effective_level *up = &e->level[i - 1];
        e->level[i] = (struct sek_effective_level){.exact = up->below,
                                                   .below = up->below,
                                                   .exact_with = up->below_with,
                                                   .below_with = up->below_with};
    }
    struct sek_effective_place place = {.name = name};
    place_fill(e, &place);
    if (place.changes && e->form->nodes)
        tell_nodes(e, name);
    e->level[n] = (struct sek_effective_level){.exact = (uint8_t)place.exact,
                                               .below = (uint8_t)place.below,
                                               .exact_with = place.exact_with,
                                               .below_with = place.below_with,
                                               .node = place.changes};
    e->last = *name;
    e->form->place(e->form->arg, &place);
}
