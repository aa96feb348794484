/* SPDX-License-Identifier: BSD-3-Clause */
/* A file of leases or an inventory: no crash, the same statements whatever pieces it comes in, and
 * each of them whole and clean. The first octet chooses the pieces. */
#include "base/hash.h"
#include "base/utf8.h"
#include "observe/leases.h"
#include <stdlib.h>
#include <string.h>

#define NOW 1795784400

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_text(const char *text)
{
    size_t len = strnlen(text, SEK_LEASE_TEXT_MAX), step;
    require(len < SEK_LEASE_TEXT_MAX);
    for (; len; text += step, len -= step) {
        uint32_t point;
        step = sek_utf8_next(text, len, &point);
        require(step > 0 && !sek_utf8_is_deceptive(point));
    }
}

/* A digest of all that was told. */
static void add(uint64_t *sum, const void *data, size_t len)
{
    const struct sek_hash_key key = {*sum, len};
    *sum = sek_hash(&key, data, len);
}

static enum sek_err on_lease(void *arg, const struct sek_lease *l)
{
    char mac[SEK_LEASE_MAC_MAX];
    require(l->until_s > l->from_s && l->from_s >= SEK_LEASE_UNDATED);
    require(l->has_addr || *l->machine.mac);
    require(!*l->machine.mac ||
            (sek_mac_from_text(l->machine.mac, mac) && strcmp(mac, l->machine.mac) == 0));
    check_text(l->machine.name);
    check_text(l->machine.owner);
    check_text(l->machine.group);
    add(arg, &l->from_s, sizeof l->from_s);
    add(arg, &l->until_s, sizeof l->until_s);
    add(arg, l->machine.name, strlen(l->machine.name));
    return SEK_OK;
}

static void on_bad(void *arg, uint64_t line, const char *why)
{
    require(line > 0 && *why);
    add(arg, &line, sizeof line);
}

static uint64_t read_all(const char *data, size_t size, size_t piece)
{
    uint64_t sum = 1;
    const struct sek_lease_sink sink = {on_lease, on_bad, &sum};
    struct sek_diag diag = {0};
    struct sek_leases *l;
    enum sek_err err = SEK_OK;
    require(sek_leases_new(0, NOW, &sink, &l) == SEK_OK);
    for (size_t at = 0; at < size && !err; at += piece)
        err = sek_leases_feed(l, data + at, size - at < piece ? size - at : piece, &diag);
    if (!err)
        err = sek_leases_end(l, &diag);
    require(err == SEK_OK || diag.text[0]);
    sek_leases_free(l);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const char *text = (const char *)data + 1;
    require(read_all(text, size - 1, size) == read_all(text, size - 1, 1u + data[0] % 32));
    return 0;
}
