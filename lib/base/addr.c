/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/addr.h"
#include <arpa/inet.h>
#include <netinet/in.h>
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
