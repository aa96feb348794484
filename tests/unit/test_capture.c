/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "traffic_samples.h"

#define ETHERNET 1
#define T(ms) (AT_S * 1000LL + (ms))

static struct sek_buf file, frame, message, part;

static int setup(void **state)
{
    (void)state;
    sek_buf_init(&file, 0);
    sek_buf_init(&frame, 0);
    sek_buf_init(&message, 0);
    sek_buf_init(&part, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sek_buf_fini(&file);
    sek_buf_fini(&frame);
    sek_buf_fini(&message);
    sek_buf_fini(&part);
    return 0;
}

enum what { QUERY, ANSWER, NXDOMAIN, SERVFAIL };

/* One packet between 10.0.0.1:port and the server 10.0.0.53. */
static void add(int64_t ms, enum what what, unsigned port, unsigned id, const char *name)
{
    sek_buf_reset(&frame);
    sek_buf_reset(&message);
    if (what == QUERY)
        make_query(&message, id, name);
    else if (what == ANSWER)
        make_answer(&message, id, name);
    else
        put_question(&message, id, what == NXDOMAIN ? 0x8183 : 0x8182, name, 1, 0);
    if (what == QUERY)
        put_frame(&frame, 1, port, 53, 53, &message);
    else
        put_frame(&frame, 53, 53, 1, port, &message);
    put_pcap(&file, T(ms), &frame);
}

static void expect(const char *label, const char *expected)
{
    expect_told(label, file.data, file.len, false, expected);
    expect_told(label, file.data, file.len, true, expected);
    sek_buf_reset(&file);
}

static void test_pairs(void **state)
{
    (void)state;
    begin_pcap(&file, ETHERNET);
    expect("empty", "");

    begin_pcap(&file, ETHERNET);
    add(0, QUERY, 4000, 1, "www.Example.com");
    add(20, ANSWER, 4000, 1, "www.example.com");
    expect("one", "0 10.0.0.1 www.example.com 1 passed 60 0 198.51.100.7\n");

    begin_pcap(&file, ETHERNET);
    add(0, QUERY, 4000, 1, "a.com");
    add(1, QUERY, 4000, 2, "b.com");
    add(2, NXDOMAIN, 4000, 2, "b.com");
    add(3, ANSWER, 4000, 1, "a.com");
    add(4, QUERY, 4000, 3, "c.com");
    add(5, SERVFAIL, 4000, 3, "c.com");
    expect("the order of queries", "0 10.0.0.1 a.com 1 passed 60 0 198.51.100.7\n"
                                   "1 10.0.0.1 b.com 1 nxdomain 0 0\n"
                                   "4 10.0.0.1 c.com 1 failed 0 0\n");

    begin_pcap(&file, ETHERNET);
    add(0, QUERY, 4000, 1, "a.com");
    expect("no response", "0 10.0.0.1 a.com 1 failed 0 0\n");

    begin_pcap(&file, ETHERNET);
    add(0, ANSWER, 4000, 1, "a.com");
    add(1, ANSWER, 4000, 1, "a.com");
    expect("no query", "0 10.0.0.1 a.com 1 passed 60 0 198.51.100.7\n");

    begin_pcap(&file, ETHERNET);
    add(0, QUERY, 4000, 1, "a.com");
    add(1000, QUERY, 4000, 1, "a.com");
    add(1010, ANSWER, 4000, 1, "a.com");
    add(1020, ANSWER, 4000, 1, "a.com");
    expect("retransmitted", "0 10.0.0.1 a.com 1 passed 60 0 198.51.100.7\n");

    begin_pcap(&file, ETHERNET);
    add(0, QUERY, 4000, 1, "a.com");
    add(5, QUERY, 4000, 1, "b.com"); /* the same id and port */
    add(6, QUERY, 4001, 1, "a.com"); /* another port */
    add(9, NXDOMAIN, 4001, 1, "a.com");
    add(10, NXDOMAIN, 4000, 1, "b.com");
    add(11, ANSWER, 4000, 1, "a.com");
    add(20000, QUERY, 4000, 1, "a.com"); /* the same id once more */
    add(20010, NXDOMAIN, 4000, 1, "a.com");
    expect("id again", "0 10.0.0.1 a.com 1 passed 60 0 198.51.100.7\n"
                       "5 10.0.0.1 b.com 1 nxdomain 0 0\n"
                       "6 10.0.0.1 a.com 1 nxdomain 0 0\n"
                       "20000 10.0.0.1 a.com 1 nxdomain 0 0\n");

    begin_pcap(&file, ETHERNET);
    add(0, QUERY, 4000, 1, "a.com");
    add(5001, ANSWER, 4000, 1, "a.com");
    add(5002, QUERY, 4000, 2, "b.com");
    add(10002, ANSWER, 4000, 2, "b.com");
    expect("too late", "0 10.0.0.1 a.com 1 failed 0 0\n"
                       "5002 10.0.0.1 b.com 1 passed 60 0 198.51.100.7\n");
}

/* More than may wait at once: all come out, once, in order. */
static void test_many(void **state)
{
    enum { N = 90000 };
    struct sek_source *s;
    static struct sek_event e;
    char path[64], name[32], text[SEK_NAME_TEXT_MAX];

    (void)state;
    begin_pcap(&file, ETHERNET);
    for (unsigned i = 0; i < N; i++) {
        snprintf(name, sizeof name, "n%u.example", i);
        add(i / 100, QUERY, 1024 + i % 50000, i % 65536, name);
    }
    write_file(file.data, file.len, false, path);
    assert_int_equal(sek_source_open(path, AT_S, &s, NULL), SEK_OK);
    for (unsigned i = 0; i < N; i++) {
        assert_int_equal(sek_source_next(s, &e, NULL), 1);
        sek_name_to_text(e.names, text);
        snprintf(name, sizeof name, "n%u.example", i);
        assert_string_equal(text, name);
        assert_int_equal(e.outcome, SEK_OUTCOME_FAILED);
        assert_int_equal(e.existence, SEK_EXISTENCE_UNKNOWN);
    }
    assert_int_equal(sek_source_next(s, &e, NULL), 0);
    assert_int_equal(sek_source_next(s, &e, NULL), 0);
    sek_source_close(s);
    unlink(path);
}

/* --- links and headers -------------------------------------------------------------------------
 */

/* The file holds one answer to 10.0.0.1 (or 2001:db8::1) in `frame`. */
static void expect_frame(const char *label, uint32_t dlt, bool v6)
{
    sek_buf_reset(&file);
    begin_pcap(&file, dlt);
    put_pcap(&file, T(0), &frame);
    expect(label, v6 ? "0 2001:db8::1 a.com 1 passed 60 0 198.51.100.7\n"
                     : "0 10.0.0.1 a.com 1 passed 60 0 198.51.100.7\n");
    sek_buf_reset(&frame);
}

static void put_answer_ip4(unsigned n_option_words)
{
    sek_buf_reset(&part);
    put_udp(&part, 53, 4000, &message);
    put_ip4(&frame, 53, 1, 17, 1, 0, false, part.data, part.len, n_option_words);
}

static void put_answer_ip6(void)
{
    sek_buf_reset(&part);
    put_udp(&part, 53, 4000, &message);
    put_ip6_head(&frame, 53, 1, 17, part.len);
    sek_buf_add(&frame, part.data, part.len);
}

static void test_links(void **state)
{
    static const uint8_t zeros[20];
    const uint32_t afs[] = {2, 24, 28, 30};

    (void)state;
    make_answer(&message, 1, "a.com");
    put_ether(&frame, 0x0800);
    put_answer_ip4(3);
    expect_frame("options", 1, false);
    put_ether(&frame, 0x8100);
    put16(&frame, 5);
    put16(&frame, 0x0800);
    put_answer_ip4(0);
    expect_frame("802.1Q", 1, false);
    put_ether(&frame, 0x88a8);
    put16(&frame, 5);
    put16(&frame, 0x8100);
    put16(&frame, 6);
    put16(&frame, 0x86dd);
    put_answer_ip6();
    expect_frame("QinQ", 1, true);
    put_ether(&frame, 0x0800);
    put_answer_ip4(0);
    sek_buf_add(&frame, zeros, 20); /* short frames are filled up */
    expect_frame("padding", 1, false);
    sek_buf_add(&frame, zeros, 14);
    put16(&frame, 0x0800);
    put_answer_ip4(0);
    expect_frame("SLL", 113, false);
    put16(&frame, 0x86dd);
    sek_buf_add(&frame, zeros, 18);
    put_answer_ip6();
    expect_frame("SLL2", 276, true);
    put_answer_ip4(0);
    expect_frame("raw", 101, false);
    put_answer_ip6();
    expect_frame("raw", 101, true);
    for (size_t i = 0; i < 4; i++) {
        put_host32(&frame, afs[i]);
        if (i)
            put_answer_ip6();
        else
            put_answer_ip4(0);
        expect_frame("loopback", 0, i > 0);
    }
    begin_pcap(&file, 105);
    expect("802.11",
           "!! : the capture is of link type IEEE802_11 (105); Ethernet, Linux cooked, raw "
           "IP, loopback and PPP can be read\n");
}

static void test_ip6_headers(void **state)
{
    (void)state;
    make_answer(&message, 1, "a.com");
    put_udp(&part, 53, 4000, &message);
    put_ip6_head(&frame, 53, 1, 0, part.len + 8 + 16 + 8);
    put16(&frame, 60 << 8); /* hop by hop */
    put16(&frame, 0);
    put32(&frame, 0);
    put16(&frame, 44 << 8 | 1); /* destination options, 16 octets */
    for (int i = 0; i < 7; i++)
        put16(&frame, 0);
    put16(&frame, 17 << 8); /* a fragment that is all of it */
    put16(&frame, 0);
    put32(&frame, 99);
    sek_buf_add(&frame, part.data, part.len);
    expect_frame("extension headers", 101, true);
}

/* --- fragments ---------------------------------------------------------------------------------
 */

/* An answer of 3 fragments, those of `order`. */
static void add_fragments(unsigned id, const char *order)
{
    const size_t at[4] = {0, 24, 48, 0};

    sek_buf_reset(&message);
    sek_buf_reset(&part);
    make_answer(&message, id, "www.fragment.example");
    put_udp(&part, 53, 4000, &message);
    for (; *order; order++) {
        unsigned i = (unsigned)(*order - '0');
        size_t end = i < 2 ? at[i + 1] : part.len;
        sek_buf_reset(&frame);
        put_ether(&frame, 0x0800);
        put_ip4(&frame, 53, 1, 17, id, (unsigned)at[i], i < 2, part.data + at[i], end - at[i], 0);
        put_pcap(&file, T(0), &frame);
    }
}

static void test_fragments(void **state)
{
    const char *orders[] = {"012", "210", "1012", "00112"};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        begin_pcap(&file, ETHERNET);
        add_fragments(7, orders[i]);
        expect(orders[i], "0 10.0.0.1 www.fragment.example 1 passed 60 0 198.51.100.7\n");
    }
    begin_pcap(&file, ETHERNET);
    add_fragments(7, "02");
    for (unsigned i = 0; i < 64; i++)
        add_fragments(100 + i, "1");
    expect("lost", "! : packet 66: fragments of an earlier DNS message are missing\n");
    begin_pcap(&file, ETHERNET);
    add_fragments(7, "0");
    sek_buf_reset(&frame);
    put_ether(&frame, 0x0800);
    put_ip4(&frame, 53, 1, 17, 7, 16, true, part.data, 24, 0);
    put_pcap(&file, T(0), &frame);
    expect("overlap", "! : packet 2: fragments that overlap, or of more than 16384 octets\n");
}

/* --- TCP ---------------------------------------------------------------------------------------
 */

#define SYN 2
#define FIN 1

static void add_tcp(uint32_t seq, unsigned flags, const void *data, size_t len)
{
    sek_buf_reset(&part);
    sek_buf_reset(&frame);
    put_tcp(&part, 53, 4000, seq, flags, data, len);
    put_ether(&frame, 0x0800);
    put_ip4(&frame, 53, 1, 6, 1, 0, false, part.data, part.len, 0);
    put_pcap(&file, T(0), &frame);
}

static struct sek_buf stream;

static size_t add_to_stream(unsigned id, const char *name)
{
    sek_buf_reset(&message);
    make_answer(&message, id, name);
    put16(&stream, (unsigned)message.len);
    sek_buf_add(&stream, message.data, message.len);
    return stream.len;
}

#define A "0 10.0.0.1 a.com 1 passed 60 0 198.51.100.7\n"
#define B "0 10.0.0.1 b.com 1 passed 60 0 198.51.100.7\n"

static void test_tcp(void **state)
{
    (void)state;
    sek_buf_init(&stream, 0);
    size_t first = add_to_stream(1, "a.com"), all = add_to_stream(2, "b.com");
    const uint32_t seq = UINT32_MAX - 20; /* it runs over */
    const char *data = stream.data;

    begin_pcap(&file, ETHERNET);
    add_tcp(seq, SYN, NULL, 0);
    add_tcp(seq + 1, 0, data, all);
    expect("two in a segment", A B);
    for (size_t cut = 1; cut < all; cut++) {
        begin_pcap(&file, ETHERNET);
        add_tcp(seq, SYN, NULL, 0);
        add_tcp(seq + 1, 0, data, cut);
        add_tcp(seq + 1, 0, data, cut); /* sent again */
        add_tcp(seq + 1 + (uint32_t)cut, FIN, data + cut, all - cut);
        expect_told("cut", file.data, file.len, false, A B);
        sek_buf_reset(&file);
    }
    begin_pcap(&file, ETHERNET);
    add_tcp(seq, SYN, NULL, 0);
    for (size_t i = 0; i < all; i++)
        add_tcp(seq + 1 + (uint32_t)i, 0, data + i, 1);
    expect("octet by octet", A B);
    begin_pcap(&file, ETHERNET);
    add_tcp(seq, 0, data, all);
    expect("begun before the capture", A B);
    begin_pcap(&file, ETHERNET);
    add_tcp(seq, 0, data + 5, first - 5);
    add_tcp(seq + (uint32_t)first, 0, data + first, all - first);
    expect("begun within a message", B);
    begin_pcap(&file, ETHERNET);
    add_tcp(seq, SYN, NULL, 0);
    add_tcp(seq + 1, 0, data, 20);
    add_tcp(seq + 1 + (uint32_t)first, 0, data + first, all - first);
    expect("a hole", "! : packet 3: a part of a TCP connection is missing: a message is lost\n" B);
    sek_buf_fini(&stream);
}

/* --- what is bad -------------------------------------------------------------------------------
 */

static void add_message(void)
{
    sek_buf_reset(&frame);
    put_frame(&frame, 1, 4000, 53, 53, &message);
    put_pcap(&file, T(0), &frame);
    sek_buf_reset(&message);
}

static void test_malformed(void **state)
{
    (void)state;
    begin_pcap(&file, ETHERNET);
    add_message(); /* empty */
    put_question(&message, 1, 0x0100, "a.com", 1, 0);
    message.len -= 3;
    add_message();
    put32(&message, 0x00010100); /* a name that points to itself */
    put32(&message, 0x00010000);
    put32(&message, 0);
    put32(&message, 0xc00c0001);
    put16(&message, 1);
    add_message();
    put_question(&message, 1, 0x2900, "a.com", 1, 0); /* UPDATE */
    add_message();
    put_question(&message, 1, 0x0100, "version.bind", 16, 0);
    message.data[message.len - 1] = 3; /* class CH */
    add_message();
    make_query(&message, 1, "good.com");
    add_message();
    expect("questions", "! : packet 1: malformed DNS message: shorter than its header\n"
                        "! : packet 2: malformed DNS message: the question is cut off\n"
                        "! : packet 3: malformed DNS message: the question has no valid name\n"
                        "0 10.0.0.1 good.com 1 failed 0 0\n");
}

/* An answer is read up to where it is malformed. */
static void test_malformed_answers(void **state)
{
    (void)state;
    begin_pcap(&file, ETHERNET);
    put_question(&message, 1, 0x8180, "a.com", 1, 60000);
    put_a(&message, 30, 1);
    put16(&message, 0xc0ff);
    sek_buf_reset(&frame);
    put_frame(&frame, 53, 53, 1, 4000, &message);
    put_pcap(&file, T(0), &frame);
    expect("answers", "0 10.0.0.1 a.com 1 passed 30 0 198.51.100.1\n");
}

/* Each prefix of a capture: what is whole is told, and that the rest is missing. */
static void test_cut_off(void **state)
{
    (void)state;
    begin_pcap(&file, ETHERNET);
    add(0, ANSWER, 4000, 1, "a.com");
    size_t one = file.len;
    add(1, ANSWER, 4000, 2, "b.com");
    for (size_t len = 24; len < file.len; len++) {
        struct sek_buf told;
        char path[64];
        sek_buf_init(&told, 0);
        sek_buf_add_text(&told, "");
        write_file(file.data, len, len % 2, path);
        read_path(path, &told);
        unlink(path);
        assert_int_equal(len >= one, strstr(told.data, "a.com") != NULL);
        assert_int_equal(len != one && len != 24, strstr(told.data, "cut off") != NULL);
        sek_buf_fini(&told);
    }
    expect_told(
        "something else",
        "\x7f"
        "ELF\2\1\1",
        7, false,
        "!! : no format that is known: captures (pcap, pcapng), dnstap, Zeek's dns.log, query "
        "logs, tables with a head line\n");
}

static void test_pcapng(void **state)
{
    (void)state;
    begin_pcapng(&file, ETHERNET);
    make_query(&message, 1, "a.com");
    put_frame(&frame, 1, 4000, 53, 53, &message);
    put_pcapng(&file, T(0), &frame);
    sek_buf_reset(&frame);
    sek_buf_reset(&message);
    make_nxdomain(&message, 1, "a.com");
    put_frame(&frame, 53, 53, 1, 4000, &message);
    put_pcapng(&file, T(30), &frame);
    expect("pcapng", "0 10.0.0.1 a.com 1 nxdomain 0 0\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_pairs, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many, setup, teardown),
        cmocka_unit_test_setup_teardown(test_links, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ip6_headers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fragments, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tcp, setup, teardown),
        cmocka_unit_test_setup_teardown(test_malformed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_malformed_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cut_off, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pcapng, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
