/* SPDX-License-Identifier: BSD-3-Clause */
#include "replay/wanted.h"
#include "replay/message.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

static int by_addr(const void *a, const void *b)
{
    const struct sek_wanted_endpoint *x = a, *y = b;

    return memcmp(&x->addr, &y->addr, sizeof x->addr);
}

void sek_wanted_sort(struct sek_wanted *w)
{
    if (w->n_endpoints > 1)
        qsort(w->endpoints, w->n_endpoints, sizeof *w->endpoints, by_addr);
}

bool sek_wanted_time(const struct sek_wanted *w, int64_t time_s)
{
    return w->since_s <= time_s && time_s < w->until_s;
}

static bool is_endpoint(const struct sek_wanted *w, int64_t time_s, const struct sek_addr *addr)
{
    size_t from = 0, to = w->n_endpoints;

    while (from < to) { /* the first of this address */
        size_t half = (from + to) / 2;
        if (memcmp(&w->endpoints[half].addr, addr, sizeof *addr) < 0)
            from = half + 1;
        else
            to = half;
    }
    for (; from < w->n_endpoints; from++) {
        const struct sek_wanted_endpoint *e = &w->endpoints[from];
        if (!sek_addr_equal(&e->addr, addr))
            break;
        if (e->from_s <= time_s && time_s < e->until_s)
            return true;
    }
    return false;
}

static bool is_name(void *arg, const struct sek_name *name)
{
    const struct sek_wanted *w = arg;

    for (size_t i = 0; i < w->n_names; i++) {
        const struct sek_wanted_name *n = &w->names[i];
        if (sek_name_is_at_or_below(name, &n->name) &&
            sek_scope_covers(n->scope, (unsigned)(name->n_labels - n->name.n_labels)))
            return true;
    }
    return false;
}

bool sek_wanted_message(const struct sek_wanted *w, int64_t time_s, const struct sek_addr *asker,
                        const struct sek_octets *wire)
{
    bool endpoint = w->n_endpoints == 0 || (asker && is_endpoint(w, time_s, asker));

    if (w->n_names == 0)
        return endpoint;
    if (w->n_endpoints > 0 && endpoint == w->either) /* told by the endpoint alone */
        return endpoint;
    return wire->at && sek_message_names(wire->at, wire->size, is_name, (void *)(uintptr_t)w);
}
