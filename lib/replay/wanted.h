/* SPDX-License-Identifier: BSD-3-Clause */
/* Which DNS messages are wanted: by the endpoints that asked (also the answers to them), the names
 * they are about, and their time. Plain data; asking needs no allocation, any thread. */
#pragma once
#include "policy/rule.h"
#include "replay/packet.h"

/* An address, as long as it was a machine's: from_s <= time < until_s. */
struct sek_wanted_endpoint {
    struct sek_addr addr;
    int64_t from_s, until_s;
};

struct sek_wanted_name {
    enum sek_scope scope;
    struct sek_name name;
};

/* Borrowed all. Without endpoints and names all messages of the period are wanted. */
struct sek_wanted {
    int64_t since_s, until_s; /* since_s <= time < until_s */
    struct sek_wanted_endpoint *endpoints;
    size_t n_endpoints;
    const struct sek_wanted_name *names;
    size_t n_names;
    bool either; /* of an endpoint or about a name; else both, where both are given */
};

/* Put the endpoints in order; before the first question. */
void sek_wanted_sort(struct sek_wanted *w);
bool sek_wanted_time(const struct sek_wanted *w, int64_t time_s);
/* A message of an endpoint (NULL: not known). wire at NULL: it is not known yet; true if it is
 * wanted whatever it says. */
bool sek_wanted_message(const struct sek_wanted *w, int64_t time_s, const struct sek_addr *asker,
                        const struct sek_octets *wire);
