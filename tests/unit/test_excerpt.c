/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "excerpt_samples.h"

static void test_udp(void **state)
{
    /* whose, about what, either, and which of the packets below are wanted */
    static const struct {
        const char *label, *endpoint, *name;
        bool either;
        const char *wish;
    } cases[] = {
        {"all DNS", NULL, NULL, false, "111111"},
        {"an endpoint", "10.0.0.1", NULL, false, "110010"},
        {"the server asked nothing", "10.0.0.53", NULL, false, "000000"},
        {"nobody", "10.0.0.77", NULL, false, "000000"},
        {"a name and below", NULL, "evil.example", false, "101110"},
        {"in other letters", NULL, "EVIL.Example", false, "101110"},
        {"a name only", NULL, "=evil.example", false, "001100"},
        {"only below", NULL, "*.evil.example", false, "100010"},
        {"no suffix of labels", NULL, "l.example", false, "000000"},
        {"both", "10.0.0.1", "evil.example", false, "100010"},
        {"either", "10.0.0.1", "evil.example", true, "111110"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *wish = cases[i].wish;
        ask_for(cases[i].endpoint, cases[i].name);
        wanted.either = cases[i].either;
        begin(ETHERNET);
        add(0, QUERY, 1, "www.evil.example", wish[0] == '1');
        add(1, ANSWER, 1, "good.example", wish[1] == '1');
        add(2, QUERY, 2, "evil.example", wish[2] == '1');
        add(3, ANSWER, 2, "Evil.Example", wish[3] == '1');
        add(4, ANSWER, 1, "www.evil.example", wish[4] == '1');
        add(5, QUERY, 2, "notevil.example", wish[5] == '1');
        put_frame(&frame, 1, 4000, 2, 123, &message); /* not DNS */
        add_frame(6, false);
        sek_buf_add_text(&frame, "\x01\x02"); /* nor anything else */
        add_frame(7, false);
        expect(cases[i].label);
    }
}

static void test_ip6(void **state)
{
    (void)state;
    ask_for("2001:db8::1", NULL);
    begin(101);
    for (uint8_t host = 1; host < 3; host++) {
        sek_buf_reset(&message);
        sek_buf_reset(&part);
        make_query(&message, 1, "a.example");
        put_udp(&part, 4000, 53, &message);
        put_ip6_head(&frame, host, 53, 17, part.len);
        sek_buf_add(&frame, part.data, part.len);
        add_frame(0, host == 1);
    }
    expect("IPv6, raw");
}

static void test_period(void **state)
{
    (void)state;
    ask_for("10.0.0.1", NULL);
    wanted.since_s = AT_S + 1;
    wanted.until_s = AT_S + 2;
    begin(ETHERNET);
    add(999, QUERY, 1, "a.example", false);
    add(1000, QUERY, 1, "a.example", true);
    add(1999, QUERY, 1, "a.example", true);
    add(2000, QUERY, 1, "a.example", false);
    expect("period");
    /* a machine that had two addresses */
    ask_for("10.0.0.2", NULL);
    endpoints[0].until_s = AT_S + 1;
    endpoints[1] = endpoints[0];
    assert_int_equal(sek_addr_from_text("10.0.0.1", &endpoints[1].addr, NULL), SEK_OK);
    endpoints[1].from_s = AT_S + 1;
    endpoints[1].until_s = AT_S + 3;
    endpoints[2] = endpoints[1];
    endpoints[2].from_s = AT_S + 5;
    endpoints[2].until_s = AT_S + 6;
    wanted.n_endpoints = 3;
    begin(ETHERNET);
    for (int64_t ms = 500; ms < 7000; ms += 1000) {
        add(ms, QUERY, 1, "a.example", (ms > 1000 && ms < 3000) || ms == 5500);
        add(ms, QUERY, 2, "a.example", ms < 1000);
    }
    expect("a machine");
}

/* Owners and targets of the answer section count, other data does not. */
static void test_answers(void **state)
{
    static const struct {
        unsigned type, before;
    } targets[] = {{2, 0}, {5, 0}, {12, 0}, {39, 0}, {15, 2}, {33, 6}, {64, 2}, {65, 2}, {16, 0}};

    (void)state;
    ask_for(NULL, "evil.example");
    begin(ETHERNET);
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        sek_buf_reset(&message);
        sek_buf_reset(&part);
        for (unsigned n = 0; n < targets[i].before; n++)
            put8(&part, 0);
        put_name(&part, "x.evil.example");
        put_question(&message, 1, 0x8180, "www.good.example", 1, 2);
        put_a(&message, 60, 1);
        put_record(&message, targets[i].type, 60, part.data, part.len);
        put_frame(&frame, 53, 53, 1, 4000, &message);
        add_frame(0, targets[i].type != 16);
    }
    sek_buf_reset(&message);
    put_question(&message, 1, 0x8180, "www.good.example", 1, 1);
    put_name(&message, "a.evil.example"); /* an owner */
    put16(&message, 1);
    put16(&message, 1);
    put32(&message, 60);
    put16(&message, 4);
    put32(&message, 0x01020304);
    put_frame(&frame, 53, 53, 1, 4000, &message);
    add_frame(0, true);
    sek_buf_reset(&message);
    put_question(&message, 1, 0x2900, "evil.example", 6, 0); /* UPDATE of a zone */
    put_frame(&frame, 1, 4000, 53, 53, &message);
    add_frame(0, true);
    sek_buf_reset(&message);
    put_question(&message, 1, 0x8180, "www.good.example", 1, 9); /* cut off */
    put16(&message, 0xc0ff);
    put_frame(&frame, 53, 53, 1, 4000, &message);
    add_frame(0, false);
    sek_buf_reset(&message);
    sek_buf_add_text(&message, "evil.example");
    put_frame(&frame, 1, 4000, 53, 53, &message);
    add_frame(0, false);
    expect("answers");
    ask_for("10.0.0.1", NULL);
    begin(ETHERNET);
    put_frame(&frame, 1, 4000, 53, 53, &message);
    add_frame(0, true);
    expect("an endpoint's that is malformed");
}

/* --- what belongs together ---------------------------------------------------------------------
 */

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

/* A segment between 10.0.0.1:port and the server. */
static void add_tcp(bool to_server, unsigned port, uint32_t seq, unsigned flags, const void *data,
                    size_t len, bool wish)
{
    sek_buf_reset(&part);
    put_tcp(&part, to_server ? port : 53, to_server ? 53 : port, seq, flags, data, len);
    put_ether(&frame, 0x0800);
    put_ip4(&frame, to_server ? 1 : 53, to_server ? 53 : 1, 6, 1, 0, false, part.data, part.len, 0);
    add_frame(0, wish);
}

/* A whole connection; its query comes in two segments, with one of another connection between. */
static void add_connection(unsigned port, uint32_t seq, const char *name, bool wish)
{
    struct sek_buf query;

    sek_buf_init(&query, 0);
    sek_buf_reset(&message);
    make_query(&message, 1, name);
    put16(&query, (unsigned)message.len);
    sek_buf_add(&query, message.data, message.len);
    add_tcp(true, port, seq, SYN, NULL, 0, wish);
    add_tcp(true, port, seq, SYN, NULL, 0, wish); /* sent again */
    add_tcp(false, port, 70000, SYN | ACK, NULL, 0, wish);
    add_tcp(true, port, seq + 1, ACK, NULL, 0, wish);
    add_tcp(true, port, seq + 1, ACK, query.data, 7, wish);
    add_tcp(true, 999, 5, ACK, NULL, 0, false);
    add_tcp(true, port, seq + 8, ACK, query.data + 7, query.len - 7, wish);
    add_tcp(false, port, 70001, ACK | FIN, NULL, 0, wish);
    add_tcp(true, port, seq + 1 + (uint32_t)query.len, ACK | FIN, NULL, 0, wish);
    sek_buf_fini(&query);
}

static void test_tcp(void **state)
{
    (void)state;
    ask_for(NULL, "evil.example");
    begin(ETHERNET);
    add_connection(4000, 100, "good.example", false);
    add_connection(4000, 5000, "www.evil.example", true); /* the same ports */
    add_connection(4001, 9000, "www.good.example", false);
    add_connection(4000, 20000, "other.example", false);
    add_connection(4002, 100, "evil.example", true);
    expect("connections");
    ask_for("10.0.0.1", "evil.example");
    begin(ETHERNET);
    add_connection(4000, 100, "good.example", false);
    add_connection(4001, 5000, "evil.example", true);
    expect("of both");
    ask_for("10.0.0.1", NULL);
    begin(ETHERNET);
    add_tcp(true, 4000, 1, SYN, NULL, 0, true);
    add_tcp(false, 4000, 1, RST | ACK, NULL, 0, true);
    expect("refused");
    ask_for(NULL, "evil.example");
    begin(ETHERNET);
    add_tcp(true, 4000, 100, SYN, NULL, 0, false);
    add_tcp(true, 4000, 101, ACK, "\0\100abc", 5, false);
    add_tcp(true, 4000, 300, ACK, "abc", 3, false);
    expect_also("a gap", "?: packet 3: a part of a TCP connection is missing: a message is lost\n");
    wanted.since_s = AT_S + 5;
    expect("a gap at another time");
    /* what was before the period belongs to it, but is not in it */
    begin(ETHERNET);
    add_connection(4000, 100, "evil.example", false);
    sek_buf_reset(&message);
    make_query(&message, 1, "evil.example");
    sek_buf_reset(&part);
    put16(&part, (unsigned)message.len);
    sek_buf_add(&part, message.data, message.len);
    sek_buf_reset(&told);
    sek_buf_add(&told, part.data, part.len);
    sek_buf_reset(&part);
    put_tcp(&part, 4000, 53, 101 + (uint32_t)told.len, ACK, told.data, told.len);
    put_ether(&frame, 0x0800);
    put_ip4(&frame, 1, 53, 6, 1, 0, false, part.data, part.len, 0);
    add_frame(6000, true);
    expect("a long one");
}

/* More connections than are remembered in the beginning. */
static void test_many(void **state)
{
    (void)state;
    ask_for(NULL, "evil.example");
    begin(ETHERNET);
    for (unsigned port = 1024; port < 6000; port++)
        add_tcp(true, port, 100, SYN, NULL, 0, port == 1025);
    sek_buf_reset(&message);
    make_query(&message, 1, "evil.example");
    sek_buf_reset(&told);
    put16(&told, (unsigned)message.len);
    sek_buf_add(&told, message.data, message.len);
    add_tcp(true, 1025, 101, ACK, told.data, told.len, true);
    expect("many");
}

/* Fragments of an answer, of 24 octets each but for the last; which: those that are there. */
static void add_fragments(unsigned id, const char *name, const char *which, bool wish)
{
    struct sek_buf udp;

    sek_buf_init(&udp, 0);
    sek_buf_reset(&message);
    make_answer(&message, id, name);
    put_udp(&udp, 53, 4000, &message);
    for (; *which; which++) {
        size_t at = (size_t)(*which - '0') * 24, left = udp.len - at;
        bool more = left > 24;
        put_ether(&frame, 0x0800);
        put_ip4(&frame, 53, 1, 17, id, (unsigned)at, more, udp.data + at, more ? 24 : left, 0);
        add_frame(0, wish);
    }
    sek_buf_fini(&udp);
}

static void test_fragments(void **state)
{
    (void)state;
    ask_for(NULL, "evil.example");
    begin(ETHERNET);
    add_fragments(7, "evil.example", "210", true);
    add_fragments(8, "good.example", "012", false);
    add_fragments(7, "good.example", "012", false); /* the number once more */
    add_fragments(9, "evil.example", "021", true);
    expect("fragments");
    ask_for("10.0.0.1", NULL);
    begin(ETHERNET);
    add_fragments(7, "evil.example", "0", true);   /* the others never came */
    add_fragments(8, "evil.example", "12", false); /* nobody knows what it is */
    expect("incomplete");
    ask_for("10.0.0.2", NULL);
    begin(ETHERNET);
    add_fragments(7, "evil.example", "012", false);
    expect("somebody else's");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_udp, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ip6, setup, teardown),
        cmocka_unit_test_setup_teardown(test_period, setup, teardown),
        cmocka_unit_test_setup_teardown(test_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tcp, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fragments, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
