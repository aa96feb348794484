/* SPDX-License-Identifier: BSD-3-Clause */
#include "event/event.h"
#include "base/hash.h"
#include <string.h>
#include "base/banned.h"

_Static_assert(offsetof(struct sek_event, qtype) == SEK_EVENT_KEY_AT + 9 &&
                   offsetof(struct sek_event, endpoint) == SEK_EVENT_KEY_AT + 14 &&
                   offsetof(struct sek_event, names) == SEK_EVENT_KEY_AT + 30,
               "the key of a hit has no gaps");
_Static_assert(sizeof(struct sek_event) % 8 == 0, "records are made of 8-octet words");

const struct sek_lookup sek_outcome_names[] = {
    {SEK_OUTCOME_HIT, "hit"},
    {SEK_OUTCOME_CACHED, "cached"},
    {SEK_OUTCOME_PASSED, "passed"},
    {SEK_OUTCOME_NXDOMAIN, "nxdomain"},
    {SEK_OUTCOME_FAILED, "failed"},
    {SEK_OUTCOME_LOCAL, "local"},
    {0, NULL},
};

void sek_event_set_hit(struct sek_event *e, const struct sek_verdict *verdict)
{
    e->outcome = SEK_OUTCOME_HIT;
    e->action = (uint8_t)verdict->action;
    e->would = (uint8_t)verdict->would;
    e->trigger = (uint8_t)verdict->trigger;
    e->monitor = verdict->monitor;
    e->quiet = verdict->log == SEK_LOG_NONE;
    e->scope = verdict->scope;
    e->depth = verdict->depth;
    e->list = verdict->list;
    e->generation = (uint32_t)verdict->generation;
}

void sek_event_set_matched(struct sek_event *e, const struct sek_name *matched,
                           const struct sek_name *owner)
{
    size_t n = ((size_t)e->n_addrs + e->n_ns_addrs) * sizeof(struct sek_addr) + e->servers_octets;
    uint8_t *at = e->names + e->name_len;
    e->matched_len = matched ? matched->len : 0;
    e->owner_len = owner ? owner->len : 0;
    memmove(at + e->matched_len + e->owner_len, at, n);
    if (matched)
        memcpy(at, matched->octets, matched->len);
    if (owner)
        memcpy(at + e->matched_len, owner->octets, owner->len);
    e->size = sek_event_size(sek_event_names_len(e), n);
}

static void add_addr(struct sek_event *e, uint8_t *count, unsigned most,
                     const struct sek_addr *addr)
{
    size_t at = sek_event_names_len(e);
    size_t n = (size_t)e->n_addrs + e->n_ns_addrs;
    if (*count >= most || e->servers_octets)
        return;
    memcpy(e->names + at + n * sizeof *addr, addr, sizeof *addr);
    ++*count;
    e->size = sek_event_size(at, (n + 1) * sizeof *addr);
}

void sek_event_add_addr(struct sek_event *e, const struct sek_addr *addr)
{
    if (e->n_ns_addrs == 0)
        add_addr(e, &e->n_addrs, SEK_EVENT_ADDRS, addr);
}

void sek_event_add_ns_addr(struct sek_event *e, const struct sek_addr *addr)
{
    add_addr(e, &e->n_ns_addrs, SEK_EVENT_NS_ADDRS, addr);
}

void sek_event_add_server(struct sek_event *e, uint8_t zone_labels, const struct sek_name *server)
{
    size_t n = ((size_t)e->n_addrs + e->n_ns_addrs) * sizeof(struct sek_addr);
    uint8_t *to = e->names + sek_event_names_len(e) + n + e->servers_octets;
    if (e->servers_octets + 1U + server->len > SEK_EVENT_SERVERS_OCTETS)
        return;
    to[0] = zone_labels;
    memcpy(to + 1, server->octets, server->len);
    e->servers_octets = (uint16_t)(e->servers_octets + 1 + server->len);
    e->size = sek_event_size(sek_event_names_len(e), n + e->servers_octets);
}

size_t sek_event_server(const struct sek_event *e, size_t at, uint8_t *out_zone_labels,
                        const uint8_t **out_name, size_t *out_len)
{
    const uint8_t *from = (const uint8_t *)(sek_event_addrs(e) + e->n_addrs + e->n_ns_addrs);
    if (at >= e->servers_octets)
        return 0;
    *out_zone_labels = from[at];
    *out_name = from + at + 1;
    *out_len = sek_name_wire_len(*out_name);
    return at + 1 + *out_len;
}

/* Known to all who compute the id: worker, writer, and a reader that checks it years later.
 * Guessing an id gains nothing, so the key need not be secret. */
static const struct sek_hash_key decision_key = {0x64656369736f6e31ULL, 0x73656b6973686f31ULL};

uint32_t sek_event_decision_id(const struct sek_addr *endpoint, const uint8_t *name,
                               size_t name_len, uint16_t qtype, uint16_t list, int64_t minute)
{
    struct {
        int64_t minute;
        uint16_t qtype, list;
        uint32_t name_len;
        struct sek_addr endpoint;
        uint8_t name[SEK_NAME_MAX + 1];
    } key = {minute, qtype, list, (uint32_t)name_len, *endpoint, {0}};
    if (name_len > SEK_NAME_MAX)
        name_len = SEK_NAME_MAX;
    memcpy(key.name, name, name_len);
    uint64_t h = sek_hash(&decision_key, &key, sizeof key - sizeof key.name + name_len);
    return (uint32_t)(h ^ h >> 32);
}
