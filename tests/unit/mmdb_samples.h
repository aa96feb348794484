/* SPDX-License-Identifier: BSD-3-Clause */
/* Writes small databases in MaxMind's format: https://maxmind.github.io/MaxMind-DB/ */
#pragma once
#include "base/addr.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MMDB_NODES 16384
#define MMDB_DATA (1 << 20)

struct mmdb_file {
    unsigned bits, version;       /* of a record: 24, 28, 32; of IP: 4, 6 */
    uint32_t node[MMDB_NODES][2]; /* 0: nothing; odd: (data << 1) | 1; else another node << 1 */
    uint32_t n_nodes, n;          /* n: octets of data */
    uint8_t data[MMDB_DATA];
    uint8_t out[MMDB_NODES * 8 + MMDB_DATA + 1024];
    size_t n_out;
};

static inline struct mmdb_file *mmdb_begin(unsigned version, unsigned bits)
{
    struct mmdb_file *f = calloc(1, sizeof *f);

    if (!f)
        abort();
    f->version = version;
    f->bits = bits;
    f->n_nodes = 1;
    return f;
}

static inline void mmdb_put(struct mmdb_file *f, unsigned octet)
{
    if (f->n == MMDB_DATA)
        abort();
    f->data[f->n++] = (uint8_t)octet;
}

/* The head of a field: type and size. */
static inline void mmdb_head(struct mmdb_file *f, unsigned type, size_t size)
{
    unsigned first = size < 29 ? (unsigned)size : size < 285 ? 29 : size < 65821 ? 30 : 31;

    mmdb_put(f, (type > 7 ? 0 : type << 5) | first);
    if (type > 7)
        mmdb_put(f, type - 7);
    if (first == 29)
        mmdb_put(f, (unsigned)size - 29);
    for (unsigned i = first - 28; first > 29 && i > 0; i--)
        mmdb_put(f, (size - (first == 30 ? 285 : 65821)) >> 8 * (i - 1) & 255);
}

static inline void mmdb_map(struct mmdb_file *f, size_t n)
{
    mmdb_head(f, 7, n);
}

static inline uint32_t mmdb_text(struct mmdb_file *f, const char *text)
{
    uint32_t at = f->n;

    mmdb_head(f, 2, strlen(text));
    for (; *text; text++)
        mmdb_put(f, (uint8_t)*text);
    return at;
}

static inline void mmdb_uint(struct mmdb_file *f, unsigned type, uint64_t v)
{
    unsigned octets = 0;

    while (octets < 8 && v >> 8 * octets)
        octets++;
    mmdb_head(f, type, octets);
    while (octets-- > 0)
        mmdb_put(f, v >> 8 * octets & 255);
}

/* In the shortest form that holds it, or in one of so many octets behind the first (1..4). */
static inline void mmdb_pointer(struct mmdb_file *f, uint32_t to, unsigned octets)
{
    static const uint32_t base[] = {0, 0, 2048, 526336, 0};

    while (octets == 0 || (octets < 4 && (to - base[octets]) >> (3 + 8 * octets)))
        octets++;
    to -= base[octets];
    mmdb_put(f, 0x20 | (octets - 1) << 3 | (octets < 4 ? to >> 8 * octets : 0));
    while (octets-- > 0)
        mmdb_put(f, to >> 8 * octets & 255);
}

static inline void mmdb_text_pair(struct mmdb_file *f, const char *key, const char *value)
{
    mmdb_text(f, key);
    mmdb_text(f, value);
}

/* Put a network's record at `data`. prefix: bits of an IPv4 network for IPv4. */
static inline void mmdb_network(struct mmdb_file *f, const char *text, unsigned prefix,
                                uint32_t data)
{
    struct sek_addr a;
    uint32_t node = 0;

    if (sek_addr_from_text(text, &a, NULL) != SEK_OK)
        abort();
    bool v4 = sek_addr_is_v4(&a);
    if (v4)
        memset(a.octets, 0, 12); /* below ::/96 */
    unsigned from = f->version == 4 ? 96 : 0, to = prefix + (v4 ? 96 : 0);
    for (unsigned i = from; i < to; i++) {
        uint32_t *record = &f->node[node][a.octets[i / 8] >> (7 - i % 8) & 1];
        if (i + 1 == to) {
            *record = data << 1 | 1;
        } else {
            if (*record == 0 && f->n_nodes < MMDB_NODES)
                *record = f->n_nodes++ << 1;
            if (*record == 0 || *record & 1)
                abort(); /* no room, or a network within a network */
            node = *record >> 1;
        }
    }
}

static inline void mmdb_out(struct mmdb_file *f, const void *octets, size_t n)
{
    memcpy(f->out + f->n_out, octets, n);
    f->n_out += n;
}

static inline void mmdb_tree(struct mmdb_file *f)
{
    for (uint32_t i = 0; i < f->n_nodes; i++) {
        uint32_t v[2];
        for (unsigned k = 0; k < 2; k++)
            v[k] = f->node[i][k] == 0  ? f->n_nodes
                   : f->node[i][k] & 1 ? f->n_nodes + 16 + (f->node[i][k] >> 1)
                                       : f->node[i][k] >> 1;
        uint8_t o[8] = {(uint8_t)(v[0] >> 24), (uint8_t)(v[0] >> 16), (uint8_t)(v[0] >> 8),
                        (uint8_t)v[0],         (uint8_t)(v[1] >> 24), (uint8_t)(v[1] >> 16),
                        (uint8_t)(v[1] >> 8),  (uint8_t)v[1]};
        const uint8_t middle = (uint8_t)(o[0] << 4 | o[4]);
        if (f->bits == 32)
            mmdb_out(f, o, 4);
        else
            mmdb_out(f, o + 1, 3);
        if (f->bits == 28)
            mmdb_out(f, &middle, 1);
        mmdb_out(f, o + (f->bits == 32 ? 4 : 5), f->bits == 32 ? 4 : 3);
    }
}

/* The file: f->out, f->n_out octets. */
static inline void mmdb_end(struct mmdb_file *f, const char *type)
{
    static const uint8_t separator[16];

    mmdb_tree(f);
    mmdb_out(f, separator, sizeof separator);
    mmdb_out(f, f->data, f->n);
    mmdb_out(f, "\xab\xcd\xefMaxMind.com", 14);
    f->n = 0;
    mmdb_map(f, 9);
    mmdb_text(f, "binary_format_major_version");
    mmdb_uint(f, 5, 2);
    mmdb_text(f, "binary_format_minor_version");
    mmdb_uint(f, 5, 0);
    mmdb_text(f, "build_epoch");
    mmdb_uint(f, 9, 1790000000);
    mmdb_text_pair(f, "database_type", type);
    mmdb_text(f, "languages");
    mmdb_head(f, 11, 1);
    mmdb_text(f, "en");
    mmdb_text(f, "description");
    mmdb_map(f, 1);
    mmdb_text_pair(f, "en", "of a test");
    mmdb_text(f, "ip_version");
    mmdb_uint(f, 5, f->version);
    mmdb_text(f, "node_count");
    mmdb_uint(f, 6, f->n_nodes);
    mmdb_text(f, "record_size");
    mmdb_uint(f, 5, f->bits);
    mmdb_out(f, f->data, f->n);
}

/* Over the path, at once. */
static inline void mmdb_write(const struct mmdb_file *f, const char *path)
{
    char fresh[256];
    FILE *out;

    snprintf(fresh, sizeof fresh, "%s.new", path);
    out = fopen(fresh, "w");
    if (!out || fwrite(f->out, 1, f->n_out, out) != f->n_out || fclose(out) != 0 ||
        rename(fresh, path) != 0)
        abort();
}
