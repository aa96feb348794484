/* SPDX-License-Identifier: BSD-3-Clause */
#include "targets.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

static enum sek_err target_add(void *arg, const char *word, unsigned line)
{
    struct sek_targets *t = arg;
    struct sek_diag diag;
    if (t->n == t->room) {
        uint64_t room = t->room ? 2 * t->room : 16;
        struct sek_target *items = reallocarray(t->items, room, sizeof *items);
        if (!items)
            return sek_diag_set(&t->c->diag, SEK_E_NOMEM, "too many names");
        t->items = items;
        t->room = room;
    }
    struct sek_target *target = &t->items[t->n];
    if (sek_rule_from_text(word, strlen(word), &target->scope, &target->name, &diag)) {
        if (line)
            return sek_context_usage(t->c, "standard input, line %u: %s", line, diag.text);
        return sek_context_usage(t->c, "%s", diag.text);
    }
    if (t->scope && target->scope == SEK_SCOPE_SUBTREE)
        target->scope = t->scope;
    else if (t->scope && target->scope != t->scope)
        return sek_context_usage(t->c, "%.100s says the opposite of --%s", word,
                                 sek_lookup_name(sek_scope_names, (int)t->scope));
    t->n++;
    return SEK_OK;
}

static int rule_compare(const struct sek_target *a, const struct sek_target *b)
{
    int order = (int)a->name.len - (int)b->name.len;
    if (order == 0)
        order = memcmp(a->name.octets, b->name.octets, a->name.len);
    return order ? order : (int)a->scope - (int)b->scope;
}

/* Of equal ones the first in the order of input; qsort is not stable. */
static int place_compare(const void *a, const void *b)
{
    const struct sek_target *const *x = a, *const *y = b;
    int order = rule_compare(*x, *y);
    return order ? order : (*x > *y) - (*x < *y);
}

/* A name that was given twice is one name; else it would count as one that was there before. */
static enum sek_err duplicates_drop(struct sek_targets *t)
{
    struct sek_target **sorted = calloc(t->n + 1, sizeof *sorted);
    bool *again = calloc(t->n + 1, sizeof *again);
    uint64_t n = 0;
    if (sorted && again) {
        for (uint64_t i = 0; i < t->n; i++)
            sorted[i] = &t->items[i];
        qsort(sorted, t->n, sizeof *sorted, place_compare);
        for (uint64_t i = 1; i < t->n; i++)
            again[sorted[i] - t->items] = rule_compare(sorted[i - 1], sorted[i]) == 0;
        for (uint64_t i = 0; i < t->n; i++)
            if (!again[i])
                t->items[n++] = t->items[i];
        t->n = n;
    }
    bool good = sorted && again;
    free(sorted);
    free(again);
    return good ? SEK_OK : sek_diag_set(&t->c->diag, SEK_E_NOMEM, "too many names");
}

enum sek_err sek_targets_read(struct sek_targets *t, struct sek_context *c, bool exact, bool below)
{
    *t = (struct sek_targets){.c = c};
    if (exact && below)
        return sek_context_usage(c, "choose one of --exact and --below");
    t->scope = exact ? SEK_SCOPE_EXACT : below ? SEK_SCOPE_BELOW : 0;
    enum sek_err err = sek_context_words(c, 0, target_add, t);
    if (!err && t->n == 0)
        err = sek_context_usage(c, "%s: no names on standard input", c->args[0]);
    return err ? err : duplicates_drop(t);
}

void sek_targets_fini(struct sek_targets *t)
{
    free(t->items);
}
