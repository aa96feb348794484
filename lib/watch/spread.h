/* SPDX-License-Identifier: BSD-3-Clause */
/* How spread the addresses are that a domain was seen to have: how many, in how many autonomous
 * systems, countries and networks, and whether new ones keep coming. Plain data of fixed size;
 * zeroed is empty. One thread at a time. */
#pragma once
#include "base/buf.h"
#include "observe/geo.h"

#define SEK_SPREAD_MAX 48   /* addresses; what comes later is not looked at: enough is known */
#define SEK_SPREAD_FIRST 10 /* of which it does not matter that they are new */

struct sek_spread {
    /* addresses seen after the first ten were known; of these those that the answer before did not
     * have; of these the new ones */
    uint32_t later, later_other, later_new;
    uint8_t n;
    struct {
        struct sek_addr addr;
        uint32_t asn;    /* 0: not known */
        char country[2]; /* zeros: not known */
        uint16_t answer; /* number of the last answer with it */
    } at[SEK_SPREAD_MAX];
};

struct sek_spread_sum {
    unsigned addresses;
    unsigned with_asn, asns; /* addresses whose network is known; distinct ones */
    unsigned with_country, countries;
    unsigned networks;                   /* of 16 bits of IPv4, 32 bits of IPv6 */
    double asn_entropy, network_entropy; /* bits: 0 for one, 2 for four with the same share */
    /* Share of new ones after the first ten, less 1.6 over the root of their number, so that a few
     * do not suffice; not below 0. turnover: among those that the answer before did not have. */
    double turnover, turnover_of_all;
};

/* Note one of an answer's addresses; answer: a number that grows with each answer. Those that are
 * no places in the Internet (private, reserved) do not count. True if it is new. */
bool sek_spread_add(struct sek_spread *s, const struct sek_addr *a, uint16_t answer,
                    const struct sek_geo *geo);
/* Can it be one? For what was read from a file. */
bool sek_spread_is_sound(const struct sek_spread *s);
void sek_spread_sum(const struct sek_spread *s, struct sek_spread_sum *out);
/* Append ,"addresses":…,"networks":… and, where known, ,"asns":…,"countries":… to a JSON object. */
void sek_spread_sum_add(struct sek_buf *json, const struct sek_spread_sum *sum);
/* Number of the network that an address lies in, as above. */
uint64_t sek_spread_network(const struct sek_addr *a);
