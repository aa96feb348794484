/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "traffic_samples.h"

enum { AUTH_RESPONSE = 2, RESOLVER_QUERY = 3, CLIENT_QUERY = 5, CLIENT_RESPONSE = 6 };

static struct sek_buf file, message;

static int setup(void **state)
{
    (void)state;
    sek_buf_init(&file, 0);
    sek_buf_init(&message, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sek_buf_fini(&file);
    sek_buf_fini(&message);
    return 0;
}

static void begin_file(const char *content)
{
    sek_buf_reset(&file);
    begin_tap(&file, content);
}

/* A frame with the message that `message` holds. */
static void add(unsigned type, const uint8_t *addr, size_t addr_len, int64_t query_ms,
                int64_t response_ms)
{
    put_tap(&file, type, addr, addr_len, query_ms, response_ms, &message);
    sek_buf_reset(&message);
}

static const uint8_t v4[4] = {10, 0, 0, 1}, v6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};

static void expect(const char *label, const char *expected)
{
    end_tap(&file);
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
    end_tap(&file);
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
