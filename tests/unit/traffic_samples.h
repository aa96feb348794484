/* SPDX-License-Identifier: BSD-3-Clause */
/* Traffic made by hand for tests of the replay layer: DNS messages, frames, capture files. */
#pragma once
#include "base/buf.h"
#include "name/text.h"
#include "replay/source.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define AT_S 1795168800 /* 2026-11-20T10:00:00Z */

static inline void put8(struct sek_buf *b, unsigned v)
{
    uint8_t octet = (uint8_t)v;
    sek_buf_add(b, &octet, 1);
}

static inline void put16(struct sek_buf *b, unsigned v)
{
    put8(b, v >> 8);
    put8(b, v);
}

static inline void put32(struct sek_buf *b, uint32_t v)
{
    put16(b, v >> 16);
    put16(b, v);
}

/* As files of captures are written here: the machine's own order. */
static inline void put_host32(struct sek_buf *b, uint32_t v)
{
    sek_buf_add(b, &v, 4);
}

static inline void put_host16(struct sek_buf *b, uint16_t v)
{
    sek_buf_add(b, &v, 2);
}

static inline void put_name(struct sek_buf *b, const char *text)
{
    struct sek_name name;
    if (sek_name_from_text(text, strlen(text), &name, NULL))
        abort();
    sek_buf_add(b, name.octets, name.len);
}

/* Header and question. flags: 0x0100 a query, 0x8180 a response. */
static inline void put_question(struct sek_buf *b, unsigned id, unsigned flags, const char *name,
                                unsigned type, unsigned n_answers)
{
    put16(b, id);
    put16(b, flags);
    put16(b, 1);
    put16(b, n_answers);
    put32(b, 0);
    put_name(b, name);
    put16(b, type);
    put16(b, 1);
}

/* A record of the question's name. */
static inline void put_record(struct sek_buf *b, unsigned type, uint32_t ttl, const void *data,
                              size_t len)
{
    put16(b, 0xc00c);
    put16(b, type);
    put16(b, 1);
    put32(b, ttl);
    put16(b, (unsigned)len);
    sek_buf_add(b, data, len);
}

static inline void put_a(struct sek_buf *b, uint32_t ttl, uint8_t last)
{
    const uint8_t addr[4] = {198, 51, 100, last};
    put_record(b, 1, ttl, addr, 4);
}

/* An answer of one address, NXDOMAIN, or nothing but a question. */
static inline void make_query(struct sek_buf *b, unsigned id, const char *name)
{
    put_question(b, id, 0x0100, name, 1, 0);
}

static inline void make_answer(struct sek_buf *b, unsigned id, const char *name)
{
    put_question(b, id, 0x8180, name, 1, 1);
    put_a(b, 60, 7);
}

static inline void make_nxdomain(struct sek_buf *b, unsigned id, const char *name)
{
    put_question(b, id, 0x8183, name, 1, 0);
}

/* --- packets -----------------------------------------------------------------------------------
 */

static inline void put_udp(struct sek_buf *b, unsigned from, unsigned to,
                           const struct sek_buf *data)
{
    put16(b, from);
    put16(b, to);
    put16(b, (unsigned)(8 + data->len));
    put16(b, 0);
    sek_buf_add(b, data->data, data->len);
}

static inline void put_tcp(struct sek_buf *b, unsigned from, unsigned to, uint32_t seq,
                           unsigned flags, const void *data, size_t len)
{
    put16(b, from);
    put16(b, to);
    put32(b, seq);
    put32(b, 0);
    put8(b, 5 << 4);
    put8(b, flags);
    put16(b, 65535);
    put32(b, 0);
    sek_buf_add(b, data, len);
}

/* 10.0.0.host. at, more: of a fragment, octets and flag. */
static inline void put_ip4(struct sek_buf *b, uint8_t from, uint8_t to, unsigned protocol,
                           unsigned id, unsigned at, bool more, const void *data, size_t len,
                           unsigned n_option_words)
{
    const uint8_t a[8] = {10, 0, 0, from, 10, 0, 0, to};
    put8(b, 0x45 + n_option_words);
    put8(b, 0);
    put16(b, (unsigned)(20 + n_option_words * 4 + len));
    put16(b, id);
    put16(b, (more ? 0x2000 : 0) | at / 8);
    put8(b, 64);
    put8(b, protocol);
    put16(b, 0);
    sek_buf_add(b, a, 8);
    for (unsigned i = 0; i < n_option_words; i++)
        put32(b, 0x01010101);
    sek_buf_add(b, data, len);
}

static inline void put_ip6_head(struct sek_buf *b, uint8_t from, uint8_t to, unsigned next,
                                size_t len)
{
    uint8_t a[16] = {0x20, 0x01, 0x0d, 0xb8};
    put32(b, 0x60000000);
    put16(b, (unsigned)len);
    put8(b, next);
    put8(b, 64);
    a[15] = from;
    sek_buf_add(b, a, 16);
    a[15] = to;
    sek_buf_add(b, a, 16);
}

static inline void put_ether(struct sek_buf *b, unsigned type)
{
    static const uint8_t macs[12] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
    sek_buf_add(b, macs, sizeof macs);
    put16(b, type);
}

/* A message over UDP, IPv4 and Ethernet. */
static inline void put_frame(struct sek_buf *b, uint8_t from, unsigned from_port, uint8_t to,
                             unsigned to_port, const struct sek_buf *message)
{
    struct sek_buf udp;
    sek_buf_init(&udp, 0);
    put_udp(&udp, from_port, to_port, message);
    put_ether(b, 0x0800);
    put_ip4(b, from, to, 17, 1, 0, false, udp.data, udp.len, 0);
    sek_buf_fini(&udp);
}

/* --- files -------------------------------------------------------------------------------------
 */

static inline void begin_pcap(struct sek_buf *file, uint32_t dlt)
{
    put_host32(file, 0xa1b2c3d4);
    put_host16(file, 2);
    put_host16(file, 4);
    put_host32(file, 0);
    put_host32(file, 0);
    put_host32(file, 65535);
    put_host32(file, dlt);
}

static inline void put_pcap(struct sek_buf *file, int64_t time_ms, const struct sek_buf *frame)
{
    put_host32(file, (uint32_t)(time_ms / 1000));
    put_host32(file, (uint32_t)(time_ms % 1000 * 1000));
    put_host32(file, (uint32_t)frame->len);
    put_host32(file, (uint32_t)frame->len);
    sek_buf_add(file, frame->data, frame->len);
}

static inline void begin_pcapng(struct sek_buf *file, uint16_t dlt)
{
    put_host32(file, 0x0a0d0d0a);
    put_host32(file, 28);
    put_host32(file, 0x1a2b3c4d);
    put_host16(file, 1);
    put_host16(file, 0);
    put_host32(file, UINT32_MAX);
    put_host32(file, UINT32_MAX);
    put_host32(file, 28);
    put_host32(file, 1); /* an interface */
    put_host32(file, 20);
    put_host16(file, dlt);
    put_host16(file, 0);
    put_host32(file, 65535);
    put_host32(file, 20);
}

static inline void put_pcapng(struct sek_buf *file, int64_t time_ms, const struct sek_buf *frame)
{
    uint64_t us = (uint64_t)time_ms * 1000;
    uint32_t padded = (uint32_t)(frame->len + 3) & ~3U, total = 32 + padded;
    put_host32(file, 6);
    put_host32(file, total);
    put_host32(file, 0);
    put_host32(file, (uint32_t)(us >> 32));
    put_host32(file, (uint32_t)us);
    put_host32(file, (uint32_t)frame->len);
    put_host32(file, (uint32_t)frame->len);
    sek_buf_add(file, frame->data, frame->len);
    sek_buf_add(file, "\0\0\0", padded - frame->len);
    put_host32(file, total);
}

/* --- dnstap: protocol buffers and Frame Streams by hand ----------------------------------------
 */

static inline void put_varint(struct sek_buf *b, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        put8(b, (unsigned)(v & 0x7f) | 0x80);
    put8(b, (unsigned)v);
}

static inline void put_number(struct sek_buf *b, unsigned field, uint64_t v)
{
    put_varint(b, field << 3);
    put_varint(b, v);
}

static inline void put_fixed32(struct sek_buf *b, unsigned field, uint32_t v)
{
    put_varint(b, field << 3 | 5);
    sek_buf_add(b, &v, 4);
}

static inline void put_octets(struct sek_buf *b, unsigned field, const void *data, size_t len)
{
    put_varint(b, field << 3 | 2);
    put_varint(b, len);
    sek_buf_add(b, data, len);
}

static inline void begin_tap(struct sek_buf *file, const char *content)
{
    put32(file, 0);
    put32(file, (uint32_t)(12 + strlen(content)));
    put32(file, 2); /* START */
    put32(file, 1); /* content type */
    put32(file, (uint32_t)strlen(content));
    sek_buf_add_text(file, content);
}

static inline void end_tap(struct sek_buf *file)
{
    put32(file, 0);
    put32(file, 4);
    put32(file, 3); /* STOP */
}

/* A frame. ms: of query and response, from AT_S on; -1: not told. */
static inline void put_tap(struct sek_buf *file, unsigned type, const uint8_t *addr,
                           size_t addr_len, int64_t query_ms, int64_t response_ms,
                           const struct sek_buf *message)
{
    struct sek_buf tap, inner;
    sek_buf_init(&tap, 0);
    sek_buf_init(&inner, 0);
    put_number(&inner, 1, type);
    put_number(&inner, 2, 1); /* socket family: not read */
    put_octets(&inner, 4, addr, addr_len);
    put_number(&inner, 6, 4000);
    if (query_ms >= 0) {
        put_number(&inner, 8, AT_S);
        put_fixed32(&inner, 9, (uint32_t)query_ms * 1000000);
    }
    if (response_ms >= 0) {
        put_number(&inner, 12, AT_S);
        put_fixed32(&inner, 13, (uint32_t)response_ms * 1000000);
    }
    put_octets(&inner, type % 2 ? 10 : 14, message->data, message->len);
    put_octets(&tap, 1, "ns", 2);
    put_number(&tap, 15, 1);
    put_octets(&tap, 14, inner.data, inner.len);
    put32(file, (uint32_t)tap.len);
    sek_buf_add(file, tap.data, tap.len);
    sek_buf_fini(&tap);
    sek_buf_fini(&inner);
}

/* A file of these octets; its name is in `path` until it is removed. */
static inline void write_file(const void *data, size_t len, bool gzip, char path[64])
{
    snprintf(path, 64, "/tmp/sekisho-traffic.XXXXXX");
    int fd = mkstemp(path);
    if (fd < 0)
        abort();
    gzFile gz = gzdopen(fd, gzip ? "wb" : "wbT");
    if (!gz || (len > 0 && gzwrite(gz, data, (unsigned)len) != (int)len) || gzclose(gz) != Z_OK)
        abort();
}

/* All that a file tells, a line an event: "time_ms endpoint name type outcome ttl octets
 * addresses", time_ms from AT_S on; "! text" for what cannot be read. */
static inline void read_path(const char *path, struct sek_buf *out)
{
    static struct sek_event e;
    static const char *const outcomes[] = {"hit",      "cached", "passed",
                                           "nxdomain", "failed", "local"};
    struct sek_source *s;
    struct sek_diag diag = {.code = SEK_OK};
    char name[SEK_NAME_TEXT_MAX], addr[SEK_ADDR_TEXT_MAX];
    int got;

    if (sek_source_open(path, AT_S, &s, &diag)) {
        sek_buf_add_fmt(out, "!! %s\n",
                        diag.text +
                            (strncmp(diag.text, path, strlen(path)) == 0 ? strlen(path) : 0));
        return;
    }
    for (unsigned n = 0; n < 100000 && (got = sek_source_next(s, &e, &diag)) != 0; n++) {
        if (got < 0) {
            sek_buf_add_fmt(out, "! %s\n",
                            diag.text +
                                (strncmp(diag.text, path, strlen(path)) == 0 ? strlen(path) : 0));
            continue;
        }
        sek_name_to_text(e.names, name);
        sek_buf_add_fmt(out, "%lld %s %s %u %s %u %u", (long long)(e.time_ms - AT_S * 1000LL),
                        sek_addr_to_text(&e.endpoint, addr), name, e.qtype, outcomes[e.outcome],
                        e.ttl_s, e.answer_octets);
        for (unsigned i = 0; i < (unsigned)e.n_addrs + e.n_ns_addrs; i++)
            sek_buf_add_fmt(out, " %s%s", i < e.n_addrs ? "" : "ns:",
                            sek_addr_to_text(&sek_event_addrs(&e)[i], addr));
        sek_buf_add_text(out, "\n");
    }
    sek_source_close(s);
}

static inline void expect_told(const char *label, const void *data, size_t len, bool gzip,
                               const char *expected)
{
    char path[64];
    struct sek_buf told;

    sek_buf_init(&told, 0);
    sek_buf_add_text(&told, "");
    write_file(data, len, gzip, path);
    read_path(path, &told);
    unlink(path);
    if (strcmp(told.data ? told.data : "", expected) != 0)
        fail_msg("%s%s:\n%s-- expected:\n%s", label, gzip ? " (gzip)" : "", told.data, expected);
    sek_buf_fini(&told);
}
