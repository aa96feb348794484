/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/addr.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct sek_addr sek_addr_from_sockaddr(const struct sockaddr *sa)
{
    struct sek_addr a = {{0}};

    /* copied out, not cast: the caller's storage may be aligned for struct sockaddr only */
    if (sa->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, sa, sizeof(in));
        memcpy(a.octets, mapped, sizeof(mapped));
        memcpy(a.octets + sizeof(mapped), &in.sin_addr, 4);
    } else if (sa->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, sa, sizeof(in6));
        memcpy(a.octets, &in6.sin6_addr, 16);
    }
    return a;
}

bool sek_addr_is_v4(const struct sek_addr *a)
{
    return memcmp(a->octets, mapped, sizeof(mapped)) == 0;
}

bool sek_addr_is_global(const struct sek_addr *a)
{
    static const struct {
        uint8_t octets[4], bits;
    } elsewhere[] = {
        {{0, 0, 0, 0}, 8},      {{10, 0, 0, 0}, 8},     {{100, 64, 0, 0}, 10},
        {{127, 0, 0, 0}, 8},    {{169, 254, 0, 0}, 16}, {{172, 16, 0, 0}, 12},
        {{192, 168, 0, 0}, 16}, {{198, 18, 0, 0}, 15},  {{224, 0, 0, 0}, 3},
    };
    if (!sek_addr_is_v4(a))
        return a->octets[0] >> 5 == 1;
    for (unsigned i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {
        unsigned bits = elsewhere[i].bits, at = 0;
        while (at < bits &&
               ((a->octets[12 + at / 8] ^ elsewhere[i].octets[at / 8]) >> (7 - at % 8) & 1) == 0)
            at++;
        if (at == bits)
            return false;
    }
    return true;
}

/* Are the first bits those? */
static bool starts_with(const uint8_t *octets, const uint8_t *prefix, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;
    return memcmp(octets, prefix, whole) == 0 &&
           (rest == 0 || (octets[whole] ^ prefix[whole]) >> (8 - rest) == 0);
}

bool sek_addr_is_private(const struct sek_addr *a)
{
    static const struct {
        uint8_t octets[4], bits;
    } v4[] = {{{0}, 8},         {{10}, 8},       {{100, 64}, 10}, {{127}, 8},
              {{169, 254}, 16}, {{172, 16}, 12}, {{192, 168}, 16}},
      v6[] = {{{0xfc}, 7}, {{0xfe, 0x80}, 9}}; /* fe80::/10 and fec0::/10 */
    static const uint8_t zero[15];
    if (sek_addr_is_v4(a)) {
        for (unsigned i = 0; i < sizeof v4 / sizeof *v4; i++)
            if (starts_with(a->octets + sizeof(mapped), v4[i].octets, v4[i].bits))
                return true;
        return false;
    }
    for (unsigned i = 0; i < sizeof v6 / sizeof *v6; i++)
        if (starts_with(a->octets, v6[i].octets, v6[i].bits))
            return true;
    return memcmp(a->octets, zero, 15) == 0 && a->octets[15] <= 1;
}

bool sek_addr_from_nat64(const struct sek_addr *a, struct sek_addr *out)
{
    static const uint8_t prefix[12] = {0x00, 0x64, 0xff, 0x9b};
    if (memcmp(a->octets, prefix, sizeof prefix) != 0)
        return false;
    memcpy(out->octets, mapped, sizeof(mapped));
    memcpy(out->octets + 12, a->octets + 12, 4);
    return true;
}

bool sek_addr_equal(const struct sek_addr *a, const struct sek_addr *b)
{
    return memcmp(a->octets, b->octets, sizeof(a->octets)) == 0;
}

const char *sek_addr_to_text(const struct sek_addr *a, char out[SEK_ADDR_TEXT_MAX])
{
    if (sek_addr_is_v4(a))
        return inet_ntop(AF_INET, a->octets + sizeof(mapped), out, SEK_ADDR_TEXT_MAX);
    return inet_ntop(AF_INET6, a->octets, out, SEK_ADDR_TEXT_MAX);
}

enum sek_err sek_addr_from_text(const char *text, struct sek_addr *out, struct sek_diag *diag)
{
    struct sek_addr a;

    if (inet_pton(AF_INET, text, a.octets + sizeof(mapped)) == 1)
        memcpy(a.octets, mapped, sizeof(mapped));
    else if (inet_pton(AF_INET6, text, a.octets) != 1)
        return sek_diag_set(diag, SEK_E_INVALID, "'%s' is not an IPv4 or IPv6 address", text);
    *out = a;
    return SEK_OK;
}

#define BITS 128
#define BITS_BEFORE_V4 96

/* "0" to "128", without sign, blanks or leading zeros. */
static bool length_from_text(const char *text, unsigned max, unsigned *out)
{
    size_t n = strspn(text, "0123456789");
    unsigned bits = 0;

    if (n == 0 || n > 3 || text[n] || (n > 1 && text[0] == '0'))
        return false;
    for (size_t i = 0; i < n; i++)
        bits = bits * 10 + (unsigned)(text[i] - '0');
    *out = bits;
    return bits <= max;
}

static bool is_clean_behind(const struct sek_addr *a, unsigned bits)
{
    for (unsigned i = bits; i < BITS; i++)
        if (a->octets[i / 8] >> (7 - i % 8) & 1)
            return false;
    return true;
}

enum sek_err sek_net_from_text(const char *text, struct sek_net *out, struct sek_diag *diag)
{
    char addr[SEK_ADDR_TEXT_MAX];
    const char *slash = strchr(text, '/');
    size_t len = slash ? (size_t)(slash - text) : strlen(text);
    unsigned bits = BITS, before;

    if (len < sizeof(addr)) {
        memcpy(addr, text, len);
        addr[len] = '\0';
    }
    if (len >= sizeof(addr) || sek_addr_from_text(addr, &out->addr, NULL) != SEK_OK)
        return sek_diag_set(diag, SEK_E_INVALID, "'%.60s' is not an address or network", text);
    before = strchr(addr, ':') ? 0 : BITS_BEFORE_V4;
    if (slash && !length_from_text(slash + 1, BITS - before, &bits))
        return sek_diag_set(diag, SEK_E_INVALID, "'%.60s': the prefix length is 0 to %u", text,
                            BITS - before);
    if (slash)
        bits += before;
    if (!is_clean_behind(&out->addr, bits))
        return sek_diag_set(diag, SEK_E_INVALID, "'%.60s' has bits set behind its prefix", text);
    out->bits = (uint8_t)bits;
    return SEK_OK;
}

bool sek_net_equal(const struct sek_net *a, const struct sek_net *b)
{
    return a->bits == b->bits && sek_addr_equal(&a->addr, &b->addr);
}

struct sek_net sek_net_around(const struct sek_addr *a, unsigned bits)
{
    struct sek_net net = {.bits = (uint8_t)bits};
    memcpy(net.addr.octets, a->octets, bits / 8);
    if (bits % 8)
        net.addr.octets[bits / 8] = a->octets[bits / 8] & (uint8_t)(0xff00U >> bits % 8);
    return net;
}

bool sek_net_has(const struct sek_net *net, const struct sek_addr *a)
{
    unsigned whole = net->bits / 8, rest = net->bits % 8;
    if (memcmp(net->addr.octets, a->octets, whole) != 0)
        return false;
    return rest == 0 || (net->addr.octets[whole] ^ a->octets[whole]) >> (8 - rest) == 0;
}

const char *sek_net_to_text(const struct sek_net *net, char out[SEK_NET_TEXT_MAX])
{
    size_t len;
    bool v4 = sek_addr_is_v4(&net->addr) && net->bits >= BITS_BEFORE_V4;

    if (!v4 && sek_addr_is_v4(&net->addr)) /* ::ffff:0:0/x: never as a dotted quad */
        memcpy(out, "::ffff:0:0", sizeof("::ffff:0:0"));
    else
        sek_addr_to_text(&net->addr, out);
    len = strlen(out);
    if (net->bits < BITS)
        snprintf(out + len, SEK_NET_TEXT_MAX - len, "/%u", net->bits - (v4 ? BITS_BEFORE_V4 : 0U));
    return out;
}
