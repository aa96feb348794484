/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "traffic_samples.h"

enum { AUTH_RESPONSE = 2, RESOLVER_QUERY = 3, CLIENT_QUERY = 5, CLIENT_RESPONSE = 6 };

static struct sek_buf file, message, tap, inner;

static int setup(void **state)
{
    struct sek_buf *all[] = {&file, &message, &tap, &inner};
    (void)state;
    for (size_t i = 0; i < 4; i++)
        sek_buf_init(all[i], 0);
    return 0;
}

static int teardown(void **state)
{
    struct sek_buf *all[] = {&file, &message, &tap, &inner};
    (void)state;
    for (size_t i = 0; i < 4; i++)
        sek_buf_fini(all[i]);
    return 0;
}

/* --- protocol buffers and Frame Streams by hand ------------------------------------------------
 */

static void put_varint(struct sek_buf *b, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        put8(b, (unsigned)(v & 0x7f) | 0x80);
    put8(b, (unsigned)v);
}

static void put_number(struct sek_buf *b, unsigned field, uint64_t v)
{
    put_varint(b, field << 3);
    put_varint(b, v);
}

static void put_fixed32(struct sek_buf *b, unsigned field, uint32_t v)
{
    put_varint(b, field << 3 | 5);
    sek_buf_add(b, &v, 4);
}

static void put_octets(struct sek_buf *b, unsigned field, const void *data, size_t len)
{
    put_varint(b, field << 3 | 2);
    put_varint(b, len);
    sek_buf_add(b, data, len);
}

static void begin_file(const char *content)
{
    sek_buf_reset(&file);
    put32(&file, 0);
    put32(&file, (uint32_t)(12 + strlen(content)));
    put32(&file, 2); /* START */
    put32(&file, 1); /* content type */
    put32(&file, (uint32_t)strlen(content));
    sek_buf_add_text(&file, content);
}

static void end_file(void)
{
    put32(&file, 0);
    put32(&file, 4);
    put32(&file, 3); /* STOP */
}

/* A frame with the message that `message` holds. ms: of query and response; -1: not told. */
static void add(unsigned type, const uint8_t *addr, size_t addr_len, int64_t query_ms,
                int64_t response_ms)
{
    sek_buf_reset(&inner);
    sek_buf_reset(&tap);
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
    put_octets(&inner, type % 2 ? 10 : 14, message.data, message.len);
    put_octets(&tap, 1, "ns", 2);
    put_number(&tap, 15, 1);
    put_octets(&tap, 14, inner.data, inner.len);
    put32(&file, (uint32_t)tap.len);
    sek_buf_add(&file, tap.data, tap.len);
    sek_buf_reset(&message);
}

static const uint8_t v4[4] = {10, 0, 0, 1}, v6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};

static void expect(const char *label, const char *expected)
{
    end_file();
    expect_told(label, file.data, file.len, false, expected);
    expect_told(label, file.data, file.len, true, expected);
    begin_file("protobuf:dnstap.Dnstap");
}

static void test_messages(void **state)
{
    (void)state;
    begin_file("protobuf:dnstap.Dnstap");
    expect("empty", "");

    make_answer(&message, 1, "a.com");
    add(CLIENT_RESPONSE, v4, 4, 5, 25);
    make_nxdomain(&message, 2, "b.com");
    add(CLIENT_RESPONSE, v6, 16, -1, 30);
    make_nxdomain(&message, 3, "c.com");
    add(AUTH_RESPONSE, v6, 16, 40, 41);
    expect("responses alone", "5 10.0.0.1 a.com 1 passed 60 0 198.51.100.7\n"
                              "30 2001:db8::1 b.com 1 nxdomain 0 0\n"
                              "40 2001:db8::1 c.com 1 nxdomain 0 0\n");

    make_query(&message, 1, "a.com");
    add(CLIENT_QUERY, v4, 4, 5, -1);
    make_query(&message, 9, "a.com");
    add(RESOLVER_QUERY, v4, 4, 6, -1);
    make_query(&message, 2, "lost.com");
    add(CLIENT_QUERY, v4, 4, 7, -1);
    make_nxdomain(&message, 1, "a.com");
    add(CLIENT_RESPONSE, v4, 4, 5, 8);
    expect("pairs", "5 10.0.0.1 a.com 1 nxdomain 0 0\n7 10.0.0.1 lost.com 1 failed 0 0\n");

    make_query(&message, 1, "a.com");
    add(CLIENT_QUERY, v4, 4, 5, -1);
    expect("queries only", "5 10.0.0.1 a.com 1 passed 0 0\n");
}

static void test_malformed(void **state)
{
    (void)state;
    begin_file("protobuf:dnstap.Dnstap");
    put32(&file, 3);
    sek_buf_add(&file, "\xff\xff\xff", 3);
    make_query(&message, 1, "a.com");
    add(CLIENT_QUERY, v4, 3, 5, -1);
    make_query(&message, 1, "a.com");
    add(CLIENT_QUERY, v4, 4, -1, -1);
    sek_buf_add_text(&message, "?");
    add(CLIENT_QUERY, v4, 4, 5, -1);
    make_answer(&message, 1, "good.com");
    add(CLIENT_RESPONSE, v4, 4, 5, 6);
    expect("frames", "! : frame 1: no dnstap message\n"
                     "! : frame 2: an address of 3 octets\n"
                     "! : frame 3: has no time\n"
                     "! : frame 4: malformed DNS message: shorter than its header\n"
                     "5 10.0.0.1 good.com 1 passed 60 0 198.51.100.7\n");

    begin_file("protobuf:something.Else");
    end_file();
    expect_told("content", file.data, file.len, false,
                "!! : Frame Streams, but not of dnstap (protobuf:dnstap.Dnstap)\n");
}

/* A writer that was killed leaves no STOP; half a frame is told. */
static void test_cut_off(void **state)
{
    static const char one[] = "5 10.0.0.1 a.com 1 passed 60 0 198.51.100.7\n";
    static const char cut[] = "5 10.0.0.1 a.com 1 passed 60 0 198.51.100.7\n"
                              "! : damaged or cut off behind frame 1\n";

    (void)state;
    begin_file("protobuf:dnstap.Dnstap");
    make_answer(&message, 1, "a.com");
    add(CLIENT_RESPONSE, v4, 4, 5, 6);
    size_t whole = file.len;
    expect_told("no STOP", file.data, whole, false, one);
    make_answer(&message, 1, "b.com");
    add(CLIENT_RESPONSE, v4, 4, 7, 8);
    for (size_t len = whole + 1; len < file.len; len++)
        expect_told("cut off", file.data, len, false, cut);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_messages, setup, teardown),
        cmocka_unit_test_setup_teardown(test_malformed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cut_off, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
