/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "excerpt_samples.h"

/* --- formats -----------------------------------------------------------------------------------
 */

static void test_links(void **state)
{
    static const uint8_t zeros[14];

    (void)state;
    ask_for(NULL, "evil.example");
    make_query(&message, 1, "evil.example");
    put_udp(&part, 4000, 53, &message);
    begin(ETHERNET);
    put_ether(&frame, 0x8100);
    put16(&frame, 5);
    put16(&frame, 0x0800);
    put_ip4(&frame, 1, 53, 17, 1, 0, false, part.data, part.len, 0);
    sek_buf_add(&frame, zeros, 10); /* a trailer */
    add_frame(0, true);
    expect("802.1Q");
    begin(113);
    sek_buf_add(&frame, zeros, 14);
    put16(&frame, 0x0800);
    put_ip4(&frame, 1, 53, 17, 1, 0, false, part.data, part.len, 0);
    add_frame(0, true);
    expect("SLL");
}

static void test_times(void **state)
{
    (void)state;
    ask_for("10.0.0.1", NULL);
    make_query(&message, 1, "a.example");
    put_frame(&frame, 1, 4000, 53, 53, &message);
    begin(ETHERNET);
    sek_buf_reset(&files[0]);
    begin_nano(&files[0], ETHERNET);
    put_nano(&files[0], T(5), 123457, &frame);
    sek_buf_add(&wished, files[0].data, files[0].len);
    expect("nanoseconds");
    /* beside a file of microseconds */
    n_files = 2;
    begin_pcap(&files[1], ETHERNET);
    put_pcap(&files[1], T(7), &frame);
    put_nano(&wished, T(7), 0, &frame);
    expect("both");
    n_files = 1;
    sek_buf_reset(&files[0]);
    sek_buf_reset(&wished);
    begin_pcapng(&files[0], ETHERNET);
    put_pcapng(&files[0], T(9), &frame);
    begin_nano(&wished, ETHERNET);
    put_nano(&wished, T(9), 0, &frame);
    expect("pcapng");
}

static const uint8_t v4[4] = {10, 0, 0, 1}, v6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
static const char CONTENT[] = "protobuf:dnstap.Dnstap";

static void add_tap(unsigned type, const uint8_t *addr, size_t addr_len, int64_t query_ms,
                    int64_t response_ms, const char *name, bool wish)
{
    sek_buf_reset(&message);
    if (type % 2)
        make_query(&message, 1, name);
    else
        make_answer(&message, 1, name);
    size_t from = files[0].len;
    put_tap(&files[0], type, addr, addr_len, query_ms, response_ms, &message);
    if (wish && wished.len == 0)
        begin_tap(&wished, CONTENT);
    if (wish)
        sek_buf_add(&wished, files[0].data + from, files[0].len - from);
}

static void begin_taps(void)
{
    begin(ETHERNET);
    sek_buf_reset(&files[0]);
    begin_tap(&files[0], CONTENT);
}

static void test_dnstap(void **state)
{
    enum { RESOLVER_QUERY = 3, CLIENT_QUERY = 5, CLIENT_RESPONSE = 6 };
    (void)state;
    ask_for("10.0.0.1", NULL);
    begin_taps();
    add_tap(CLIENT_QUERY, v4, 4, 5, -1, "a.example", true);
    add_tap(CLIENT_QUERY, v6, 16, 6, -1, "a.example", false);
    add_tap(CLIENT_RESPONSE, v4, 4, 5, 25, "a.example", true);
    add_tap(CLIENT_RESPONSE, v4, 3, 5, 25, "a.example", false);  /* no address */
    add_tap(CLIENT_RESPONSE, v4, 4, -1, -1, "a.example", false); /* no time */
    end_tap(&files[0]);
    end_tap(&wished);
    expect("an endpoint");
    ask_for(NULL, "evil.example");
    begin_taps();
    add_tap(CLIENT_QUERY, v6, 16, 5, -1, "x.evil.example", true);
    add_tap(CLIENT_QUERY, v6, 16, 5, -1, "good.example", false);
    add_tap(RESOLVER_QUERY, v4, 4, 6, -1, "evil.example", true); /* what the resolver asked */
    put32(&files[0], 3);
    sek_buf_add(&files[0], "\xff\xff\xff", 3);
    end_tap(&wished);
    expect_also("a name, no STOP", "?: frame 4: no dnstap message\n");
    put32(&files[0], 100);
    expect_also("cut off", "?: frame 4: no dnstap message\n!: damaged or cut off behind frame 4\n");
}

/* --- what is bad -------------------------------------------------------------------------------
 */

static void test_cut_off(void **state)
{
    (void)state;
    ask_for("10.0.0.1", NULL);
    begin(ETHERNET);
    add(0, QUERY, 1, "a.example", true);
    sek_buf_add(&files[0], "\1\2\3", 3);
    expect_also("cut off",
                "!: damaged or cut off behind packet 1: truncated dump file; tried to read 16 "
                "header bytes, only got 3\n");
    /* the others are read */
    n_files = 3;
    sek_buf_add_text(&files[1], "nonsense");
    begin_pcap(&files[2], ETHERNET);
    add(0, QUERY, 1, "b.example", true);
    expect_also("and no capture",
                "!: no capture (pcap, pcapng) and no dnstap\n"
                "!: damaged or cut off behind packet 1: truncated dump file; tried to read 16 "
                "header bytes, only got 3\n");
    begin(ETHERNET);
    expect("without packets");
}

static void test_mixed(void **state)
{
    (void)state;
    ask_for("10.0.0.1", NULL);
    begin(ETHERNET);
    add(0, QUERY, 1, "a.example", true);
    n_files = 2;
    begin_pcap(&files[1], 101);
    expect_error("links", SEK_E_INVALID, "is of link type RAW (12), but ");
    sek_buf_reset(&files[1]);
    begin_tap(&files[1], CONTENT);
    expect_error("kinds", SEK_E_INVALID, "is dnstap, but ");
}

/* As a ring that comes round writes over its oldest file. */
static bool write_over(void *arg, uint64_t octets, uint64_t all)
{
    const char *const *path = arg;
    (void)octets, (void)all;
    if (truncate(*path, 24 + 16 + 60) != 0)
        abort();
    return true;
}

static bool stop(void *arg, uint64_t octets, uint64_t all)
{
    (void)arg, (void)octets, (void)all;
    return false;
}

static void test_changed(void **state)
{
    char path[64];
    const char *list[1] = {path};
    struct sek_excerpt_sum sum;
    struct sek_diag diag;

    (void)state;
    ask_for("10.0.0.1", NULL);
    begin(ETHERNET);
    for (int i = 0; i < 1500; i++)
        add(i, QUERY, 1, "a.example", true);
    write_file(files[0].data, files[0].len, false, path);
    FILE *f = tmpfile();
    assert_non_null(f);
    struct sek_excerpt_hooks h = {list, on_unreadable, stop};
    assert_int_equal(sek_excerpt_write(list, 1, &wanted, fileno(f), &h, &sum, &diag),
                     SEK_E_REFUSED);
    h.goes_on = write_over;
    h.arg = list;
    assert_int_equal(sek_excerpt_write(list, 1, &wanted, fileno(f), &h, &sum, &diag),
                     SEK_E_CORRUPT);
    assert_non_null(strstr(diag.text, "changed while it was read"));
    fclose(f);
    unlink(path);
}

static void test_full(void **state)
{
    struct sek_diag diag;
    struct sek_excerpt_sum sum;
    char path[64];
    const char *list[1] = {path};

    (void)state;
    ask_for("10.0.0.1", NULL);
    for (int tap = 0; tap < 2; tap++) {
        begin(ETHERNET);
        add(0, QUERY, 1, "a.example", true);
        if (tap) {
            begin_taps();
            add_tap(5, v4, 4, 5, -1, "a.example", true);
        }
        write_file(files[0].data, files[0].len, false, path);
        FILE *f = fopen("/dev/full", "w");
        assert_non_null(f);
        assert_int_equal(sek_excerpt_write(list, 1, &wanted, fileno(f), &hooks, &sum, &diag),
                         SEK_E_FULL);
        fclose(f);
        unlink(path);
    }
    assert_null(sek_excerpt_suffix("/nowhere"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_links, setup, teardown),
        cmocka_unit_test_setup_teardown(test_times, setup, teardown),
        cmocka_unit_test_setup_teardown(test_dnstap, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cut_off, setup, teardown),
        cmocka_unit_test_setup_teardown(test_mixed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_changed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
