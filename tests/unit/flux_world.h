/* SPDX-License-Identifier: BSD-3-Clause */
/* A world of networks for the test of fast flux, and who serves domains in it. */
#pragma once
#include "mmdb_samples.h"

#define HOMES 300   /* networks of households: one of 16 bits each, an autonomous system each */
#define HOUSES 20   /* content networks and clouds … */
#define HOUSE_OF 10 /* … with so many networks of 16 bits each */
#define COUNTRIES 40
#define DAY_MS 86400000LL

static inline struct sek_addr home(unsigned network, unsigned host, bool v6)
{
    struct sek_addr a = {{[10] = 0xff,
                          0xff,
                          (uint8_t)(60 + network / 100),
                          (uint8_t)(network % 100),
                          (uint8_t)(host >> 8),
                          (uint8_t)host}};

    if (v6)
        a = (struct sek_addr){{0x2a, (uint8_t)(network >> 8), (uint8_t)network, 0,
                               (uint8_t)(host >> 8), (uint8_t)host, [15] = 1}};
    return a;
}

static inline struct sek_addr house(unsigned owner, unsigned network, unsigned host)
{
    return (struct sek_addr){{[10] = 0xff,
                              0xff,
                              (uint8_t)(30 + owner),
                              (uint8_t)(network % HOUSE_OF),
                              (uint8_t)(host >> 8),
                              (uint8_t)host}};
}

static inline void put(struct mmdb_file *f, const struct sek_addr *network, unsigned bits,
                       unsigned asn, unsigned country)
{
    char text[SEK_ADDR_TEXT_MAX];
    const char code[3] = {(char)('A' + country / 8), (char)('A' + country % 8), '\0'};
    uint32_t at = f->n;

    mmdb_map(f, 3);
    mmdb_text(f, "autonomous_system_number");
    mmdb_uint(f, 6, asn);
    mmdb_text_pair(f, "country_code", code);
    mmdb_text_pair(f, "name", "Net");
    mmdb_network(f, sek_addr_to_text(network, text), bits, at);
}

static inline struct mmdb_file *world(void)
{
    struct mmdb_file *f = mmdb_begin(6, 24);

    for (unsigned i = 0; i < HOMES; i++) {
        struct sek_addr four = home(i, 0, false), six = home(i, 0, true);
        six.octets[15] = 0;
        put(f, &four, 16, 64500 + i, i * 7 % COUNTRIES);
        put(f, &six, 32, 64500 + i, i * 7 % COUNTRIES);
    }
    for (unsigned i = 0; i < HOUSES; i++)
        for (unsigned k = 0; k < HOUSE_OF; k++) {
            struct sek_addr a = house(i, k, 0);
            put(f, &a, 16, 65100 + i, (i + k) % 8);
        }
    mmdb_end(f, "World");
    return f;
}

/* A domain and who serves it. */
struct service {
    const char *label;
    unsigned pool;      /* addresses in all */
    unsigned answer;    /* addresses of an answer; 0: 5 to 20 */
    unsigned keep;      /* percent of an answer's addresses that the next one has, too */
    unsigned homes;     /* networks of households they lie in; 0: in content networks … */
    unsigned houses;    /* … of so many owners, in all networks of these */
    unsigned six;       /* percent of answers that are AAAA */
    unsigned names;     /* names asked for, each with addresses of its own if `own`; 0: one */
    unsigned ttl_s;     /* 0: 60 to 600 */
    unsigned pause_s;   /* between answers, besides the TTL; 0: about the TTL again */
    unsigned answers;   /* 0: 60 */
    unsigned endpoints; /* of the domain; 0: 1 or 2 */
    bool own, servers, only_servers, old;
    const char *domain;
};

static const struct service botnets[] = {
    {"hundreds of homes", .pool = 500, .homes = 300},
    {"few a time", .pool = 300, .answer = 5, .homes = 200, .ttl_s = 180},
    {"one a time", .pool = 400, .answer = 1, .homes = 300, .ttl_s = 60},
    {"a small one", .pool = 120, .answer = 6, .homes = 60, .ttl_s = 300},
    {"half of an answer stays", .pool = 400, .answer = 10, .keep = 50, .homes = 250},
    {"IPv6, too", .pool = 400, .homes = 300, .six = 40},
    {"IPv6 only", .pool = 400, .homes = 200, .six = 100, .answer = 5},
    {"double flux", .pool = 500, .homes = 300, .servers = true},
    {"name servers only", .pool = 500, .homes = 300, .only_servers = true, .ttl_s = 3600},
    {"several names", .pool = 500, .homes = 300, .names = 5},
    {"a new name each time", .pool = 500, .homes = 300, .names = 100000, .answer = 8},
    {"asked seldom", .pool = 500, .homes = 300, .ttl_s = 600, .pause_s = 3600, .answers = 20},
    {"ten providers", .pool = 300, .homes = 30, .answer = 8},
    {"rare and old", .pool = 500, .homes = 300, .old = true},
};

/* What is benign and looks like it; 50 patterns with the seeds below. */
static const struct service benign[] = {
    {"one content network", .pool = 400, .houses = 1, .answer = 4, .ttl_s = 60},
    {"one, with many a time", .pool = 800, .houses = 1, .answer = 12, .ttl_s = 60},
    {"two content networks", .pool = 400, .houses = 2, .answer = 6, .ttl_s = 60},
    {"three", .pool = 400, .houses = 3, .answer = 6, .ttl_s = 60},
    {"four", .pool = 600, .houses = 4, .answer = 8, .ttl_s = 120},
    {"anycast", .pool = 3, .houses = 3, .answer = 3, .ttl_s = 300},
    {"time servers, popular", .pool = 800, .homes = 300, .answer = 4, .ttl_s = 130, .old = true,
     .endpoints = 60},
    {"time servers, excluded", .pool = 800, .homes = 300, .answer = 4, .ttl_s = 130,
     .domain = "pool.ntp.org"},
    {"nodes of peers", .pool = 800, .homes = 300, .answer = 12, .ttl_s = 60,
     .domain = "seed.bitcoin.sipa.be"},
    {"a cloud's balancer", .pool = 24, .houses = 1, .answer = 8, .ttl_s = 60},
    {"hosts of two clouds", .pool = 40, .houses = 2, .answer = 8, .ttl_s = 60},
    {"a home with a new address a day", .pool = 60, .homes = 2, .answer = 1, .ttl_s = 60,
     .pause_s = 86400},
    {"a travelling home", .pool = 60, .homes = 60, .answer = 1, .ttl_s = 60, .pause_s = 86400},
    {"by place, twelve of them", .pool = 12, .homes = 100, .answer = 1, .ttl_s = 60},
    {"mirrors", .pool = 25, .homes = 200, .answer = 2, .ttl_s = 60},
    {"mirrors, kept for long", .pool = 200, .homes = 200, .answer = 4, .ttl_s = 3600},
    {"a tracker", .pool = 2, .homes = 50, .answer = 2, .ttl_s = 300},
    {"exits of a VPN, a name each", .pool = 200, .homes = 100, .answer = 1, .names = 200,
     .own = true, .ttl_s = 60},
    {"homes at a dynamic DNS provider", .pool = 600, .homes = 300, .answer = 1, .names = 600,
     .own = true, .ttl_s = 60},
    {"the same, dual stack", .pool = 600, .homes = 300, .answer = 2, .names = 300, .own = true,
     .six = 50, .ttl_s = 60},
    {"a new site that everybody likes", .pool = 800, .homes = 300, .answer = 4, .ttl_s = 60,
     .endpoints = 80},
    {"secondary name servers at four", .pool = 8, .houses = 4, .only_servers = true},
};
#define N_BOTNETS (sizeof botnets / sizeof botnets[0])
#define N_BENIGN (sizeof benign / sizeof benign[0])
