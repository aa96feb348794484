/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/patterns.h"
#include "base/buf.h"
#include "policy/patterns_format.h"
#ifdef SEK_HAVE_HYPERSCAN
#include <hs/hs_common.h>
#include <hs/hs_runtime.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

/* Memory for a thread that matches; a cache line each. */
struct room {
    _Alignas(64) _Atomic bool taken;
    hs_scratch_t *scratch;
};

struct sek_patterns {
    _Atomic unsigned n_owners;
    const struct sek__patterns_head *head;
    const struct sek__patterns_share *shares;
    const uint32_t *starts;
    const uint8_t *owners;
    hs_database_t **automata; /* of each share; NULL: it has no expressions */
    struct room *rooms;
    unsigned n_rooms;
    size_t octets;
};

static enum sek_err damaged(struct sek_diag *diag, const char *what)
{
    return sek_diag_set(diag, SEK_E_CORRUPT, "damaged regular expressions: %s", what);
}

static enum sek_err no_memory(struct sek_diag *diag)
{
    return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for regular expressions");
}

/* Shares follow each other, owner names are whole, in order and within their part. */
static enum sek_err check(const struct sek_patterns *p, uint64_t at, uint64_t size,
                          struct sek_diag *diag)
{
    const struct sek__patterns_head *head = p->head;
    struct sek_name name;
    uint64_t first = 0, next = 0;
    for (uint32_t i = 0; i < head->n_shares; i++) {
        const struct sek__patterns_share *s = &p->shares[i];
        if (s->first != first || s->n > head->n_patterns - first || (s->size == 0) != (s->n == 0) ||
            s->size > size - at)
            return damaged(diag, "bad share");
        first += s->n;
        at += sek__patterns_padded(s->size);
        if (at > size)
            return damaged(diag, "cut short");
    }
    if (first != head->n_patterns || at != size)
        return damaged(diag, "wrong size");
    for (uint32_t i = 0; i < head->n_patterns; i++) {
        if (p->starts[i] != next || next >= head->n_octets ||
            sek_name_from_wire(p->owners + next, head->n_octets - next, &name) != SEK_OK)
            return damaged(diag, "bad name");
        next += name.len;
    }
    return next == head->n_octets ? SEK_OK : damaged(diag, "bad names");
}

static enum sek_err automaton_load(struct sek_patterns *p, uint32_t i, const char *data,
                                   struct sek_diag *diag)
{
    size_t octets = 0;
    switch (hs_deserialize_database(data, p->shares[i].size, &p->automata[i])) {
    case HS_SUCCESS:
        break;
    case HS_NOMEM:
        return no_memory(diag);
    case HS_DB_PLATFORM_ERROR:
    case HS_DB_VERSION_ERROR:
    case HS_ARCH_ERROR:
        return sek_diag_set(diag, SEK_E_VERSION,
                            "regular expressions were compiled for another processor or "
                            "Hyperscan: sekisho list publish --full compiles them anew");
    default:
        return damaged(diag, "bad automaton");
    }
    if (hs_database_size(p->automata[i], &octets) == HS_SUCCESS)
        p->octets += octets;
    return SEK_OK;
}

static enum sek_err automata_load(struct sek_patterns *p, const char *data, struct sek_diag *diag)
{
    if (hs_valid_platform() != HS_SUCCESS)
        return sek_diag_set(diag, SEK_E_VERSION,
                            "regular expressions need a processor with SSSE3: they have no effect");
    p->automata = calloc(p->head->n_shares + 1UL, sizeof(hs_database_t *));
    enum sek_err err = p->automata ? SEK_OK : no_memory(diag);
    for (uint32_t i = 0; err == SEK_OK && i < p->head->n_shares; i++) {
        if (p->shares[i].size)
            err = automaton_load(p, i, data, diag);
        data += sek__patterns_padded(p->shares[i].size);
    }
    return err ? err : sek_patterns_threads(p, 1, diag);
}

enum sek_err sek_patterns_read(const void *data, size_t size, struct sek_patterns **out,
                               struct sek_diag *diag)
{
    const struct sek__patterns_head *head = data;
    const uint8_t *octets = data;
    if (size < sizeof *head || head->n_patterns > SEK_PATTERNS_MAX ||
        head->n_shares > SEK_PATTERNS_MAX)
        return damaged(diag, "too short");
    uint64_t shares = sek__patterns_padded(sizeof *head);
    uint64_t starts = shares + sek__patterns_padded((uint64_t)head->n_shares *
                                                    sizeof(struct sek__patterns_share));
    uint64_t owners = starts + sek__patterns_padded((uint64_t)head->n_patterns * sizeof(uint32_t));
    uint64_t automata = owners + sek__patterns_padded(head->n_octets);
    if (automata > size)
        return damaged(diag, "cut short");
    struct sek_patterns *p = calloc(1, sizeof *p);
    if (!p)
        return no_memory(diag);
    atomic_init(&p->n_owners, 1);
    p->head = head;
    p->shares = (const void *)(octets + shares);
    p->starts = (const void *)(octets + starts);
    p->owners = octets + owners;
    enum sek_err err = check(p, automata, size, diag);
    if (err == SEK_OK)
        err = automata_load(p, (const char *)octets + automata, diag);
    if (err != SEK_OK) {
        sek_patterns_free(p);
        return err;
    }
    *out = p;
    return SEK_OK;
}

struct sek_patterns *sek_patterns_again(struct sek_patterns *p)
{
    atomic_fetch_add(&p->n_owners, 1);
    return p;
}

void sek_patterns_free(struct sek_patterns *p)
{
    if (!p || atomic_fetch_sub(&p->n_owners, 1) > 1)
        return;
    for (unsigned i = 0; i < p->n_rooms; i++)
        hs_free_scratch(p->rooms[i].scratch);
    for (uint32_t i = 0; p->automata && i < p->head->n_shares; i++)
        hs_free_database(p->automata[i]);
    free(p->rooms);
    free(p->automata);
    free(p);
}

uint32_t sek_patterns_n(const struct sek_patterns *p)
{
    return p->head->n_patterns;
}

size_t sek_patterns_octets(const struct sek_patterns *p)
{
    size_t octets = 0;
    if (p->n_rooms)
        hs_scratch_size(p->rooms[0].scratch, &octets);
    return p->octets + p->n_rooms * octets;
}

void sek_patterns_owner(const struct sek_patterns *p, uint32_t i, struct sek_name *out)
{
    sek_name_from_wire(p->owners + p->starts[i], p->head->n_octets - p->starts[i], out);
}

/* One that serves the automata of all shares. */
static enum sek_err scratch_make(struct sek_patterns *p, hs_scratch_t **out, struct sek_diag *diag)
{
    if (p->n_rooms)
        return hs_clone_scratch(p->rooms[0].scratch, out) == HS_SUCCESS ? SEK_OK : no_memory(diag);
    for (uint32_t i = 0; i < p->head->n_shares; i++)
        if (p->automata[i] && hs_alloc_scratch(p->automata[i], out) != HS_SUCCESS) {
            hs_free_scratch(*out);
            return no_memory(diag);
        }
    return SEK_OK;
}

enum sek_err sek_patterns_threads(struct sek_patterns *p, unsigned n, struct sek_diag *diag)
{
    enum sek_err err = SEK_OK;
    if (n > SEK_PATTERNS_THREADS_MAX)
        n = SEK_PATTERNS_THREADS_MAX;
    if (n <= p->n_rooms || p->head->n_patterns == 0)
        return SEK_OK;
    struct room *rooms = aligned_alloc(_Alignof(struct room), n * sizeof *rooms);
    if (!rooms)
        return no_memory(diag);
    memset(rooms, 0, n * sizeof *rooms);
    for (unsigned i = 0; i < p->n_rooms; i++)
        rooms[i].scratch = p->rooms[i].scratch;
    free(p->rooms);
    p->rooms = rooms;
    while (err == SEK_OK && p->n_rooms < n) {
        err = scratch_make(p, &rooms[p->n_rooms].scratch, diag);
        p->n_rooms += err == SEK_OK;
    }
    return err;
}

/* Any that is free; first the one that this thread had last time. Its stack tells threads apart. */
static struct room *room_take(const struct sek_patterns *p)
{
    char here;
    unsigned first = (unsigned)((uintptr_t)&here >> 16) * 2654435761U >> 16;
    for (unsigned i = first;; i++) {
        struct room *room = &p->rooms[i % p->n_rooms];
        if (!atomic_load_explicit(&room->taken, memory_order_relaxed) &&
            !atomic_exchange_explicit(&room->taken, true, memory_order_acquire))
            return room;
        if (i - first >= 4 * p->n_rooms) { /* more threads than were told of */
            first = i;
            sched_yield();
        }
    }
}

struct scan {
    sek_patterns_fn *fn;
    void *arg;
    uint32_t first;
};

static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                    void *arg)
{
    const struct scan *scan = arg;
    (void)from, (void)to, (void)flags;
    scan->fn(scan->arg, scan->first + id);
    return 0;
}

void sek_patterns_match(const struct sek_patterns *p, const char *text, size_t len,
                        sek_patterns_fn *fn, void *arg)
{
    struct scan scan = {fn, arg, 0};
    if (p->head->n_patterns == 0)
        return;
    struct room *room = room_take(p);
    for (uint32_t i = 0; i < p->head->n_shares; i++) {
        scan.first = p->shares[i].first;
        if (p->automata[i])
            hs_scan(p->automata[i], text, (unsigned)len, 0, room->scratch, on_match, &scan);
    }
    atomic_store_explicit(&room->taken, false, memory_order_release);
}

#else

enum sek_err sek_patterns_read(const void *data, size_t size, struct sek_patterns **out,
                               struct sek_diag *diag)
{
    (void)data, (void)size, (void)out;
    return sek_diag_set(diag, SEK_E_VERSION,
                        "this program is built without regular expressions (Hyperscan): those of "
                        "the policy have no effect");
}

/* Nothing was read, so nothing of the following is called. */
struct sek_patterns *sek_patterns_again(struct sek_patterns *p)
{
    return p;
}

void sek_patterns_free(struct sek_patterns *p)
{
    (void)p;
}

uint32_t sek_patterns_n(const struct sek_patterns *p)
{
    (void)p;
    return 0;
}

size_t sek_patterns_octets(const struct sek_patterns *p)
{
    (void)p;
    return 0;
}

void sek_patterns_owner(const struct sek_patterns *p, uint32_t i, struct sek_name *out)
{
    (void)p, (void)i, (void)out;
}

enum sek_err sek_patterns_threads(struct sek_patterns *p, unsigned n, struct sek_diag *diag)
{
    (void)p, (void)n, (void)diag;
    return SEK_OK;
}

void sek_patterns_match(const struct sek_patterns *p, const char *text, size_t len,
                        sek_patterns_fn *fn, void *arg)
{
    (void)p, (void)text, (void)len, (void)fn, (void)arg;
}

#endif
