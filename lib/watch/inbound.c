/* SPDX-License-Identifier: BSD-3-Clause */
#include "watch/inbound.h"
#include <string.h>
#include "base/banned.h"

#define V4_AT 12 /* of an IPv4 address in sixteen octets */
#define V4_NET 2 /* octets of a network */
#define V6_NET 4
#define NIBBLES 16 /* labels of one octet: an IPv6 address written backwards */

/* IANA DNS parameters. */
enum { TYPE_A = 1, TYPE_CNAME = 5, TYPE_AAAA = 28, TYPE_SVCB = 64, TYPE_HTTPS = 65 };

bool sek_inbound_is_data(uint16_t qtype)
{
    static const uint8_t not_data[] = {
        TYPE_A,    2,          6,   12,  TYPE_AAAA,                   /* addresses, NS, SOA, PTR */
        43,        46,         47,  48,  50,        51,  59,  60, 62, /* DNSSEC, CSYNC */
        TYPE_SVCB, TYPE_HTTPS, 249, 250, 251,       252, 255,
    };
    return qtype > UINT8_MAX || !memchr(not_data, qtype, sizeof not_data);
}

static const uint8_t *label_of(const struct sek_name *n, unsigned label)
{
    return n->octets + n->offset[label];
}

static bool is_number(const uint8_t *label)
{
    for (unsigned i = 1; i <= label[0]; i++)
        if (label[i] < '0' || label[i] > '9')
            return false;
    return label[0] <= 3;
}

/* Labels of a service, or an address written backwards. */
static bool is_usual(const struct sek_observation *o)
{
    unsigned n_numbers = 0, n_single = 0;
    for (unsigned i = 0; i < o->domain_labels; i++) {
        const uint8_t *label = label_of(o->name, i);
        if (label[1] == '_')
            return true;
        n_numbers += i == n_numbers && is_number(label);
        n_single += label[0] == 1;
    }
    return n_numbers >= 4 || n_single >= NIBBLES;
}

static bool is_v4(const struct sek_addr *a)
{
    static const uint8_t mapped[V4_AT] = {[10] = 0xff, [11] = 0xff};
    return memcmp(a->octets, mapped, sizeof mapped) == 0;
}

static bool is_known(struct sek_inbound *in, struct sek_hash_key key, const uint8_t *octets,
                     size_t n)
{
    return sek_sketch_knows(&in->sketch, in->bits, SEK_INBOUND_ADDRESSES, sek_hash(&key, octets, n),
                            true);
}

/* Adds to what is counted and returns the weight. */
static float add_address(struct sek_inbound *in, const struct sek_addr *a, struct sek_hash_key key)
{
    bool v4 = is_v4(a);
    float octets = v4 ? 4 : 16;
    if (is_known(in, key, a->octets, sizeof a->octets))
        return 0;
    in->octets += (uint64_t)octets;
    if (!is_known(in, key, a->octets, v4 ? V4_AT + V4_NET : V6_NET))
        return octets / 2;
    return octets / (v4 ? 4 : 8);
}

float sek_inbound_add(struct sek_inbound *in, const struct sek_observation *o,
                      struct sek_hash_key key, uint64_t n_asked, bool is_new)
{
    bool binding = o->qtype == TYPE_SVCB || o->qtype == TYPE_HTTPS;
    bool data = sek_inbound_is_data(o->qtype);
    float weight = 0;
    in->n_bindings += binding;
    if (!is_new || is_usual(o))
        return 0;
    if (binding)
        data = (double)in->n_bindings > SEK_INBOUND_BINDINGS * (double)n_asked;
    if (data)
        in->octets += o->answer_octets;
    if (data || o->qtype == TYPE_A || o->qtype == TYPE_AAAA)
        weight = o->answer_octets * (data ? SEK_INBOUND_SHARE : SEK_INBOUND_ALIAS);
    for (unsigned i = 0; i < o->n_addrs; i++)
        weight += add_address(in, &o->addrs[i], key);
    return weight;
}
