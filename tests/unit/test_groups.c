/* SPDX-License-Identifier: BSD-3-Clause */
/* Groups of endpoints: written, read back, searched; against an obvious reference. */
#include "base/buf.h"
#include "policy/groups_write.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define NOW 1000

struct made {
    struct sek_groups_writer *w;
    struct sek_buf buf;
    struct sek_groups *g;
};

static struct sek_net net_of(const char *text)
{
    struct sek_net net;
    assert_int_equal(sek_net_from_text(text, &net, NULL), SEK_OK);
    return net;
}

static void group_add(struct made *m, unsigned id, enum sek_mode mode)
{
    struct sek_client_group g = {
        .id = (uint8_t)id, .mode = (uint8_t)mode, .action = SEK_ACTION_NXDOMAIN, .list = 7};
    snprintf(g.name, sizeof g.name, "g%u", id);
    assert_int_equal(sek_groups_writer_add(m->w, &g, NULL), SEK_OK);
}

static void member_add(struct made *m, unsigned id, const char *net, int64_t expires_s)
{
    struct sek_net n = net_of(net);
    assert_int_equal(sek_groups_writer_member(m->w, id, &n, expires_s, NULL), SEK_OK);
}

static void start(struct made *m)
{
    memset(m, 0, sizeof *m);
    sek_buf_init(&m->buf, 0);
    assert_int_equal(sek_groups_writer_new(&m->w, NULL), SEK_OK);
}

static void finish(struct made *m)
{
    struct sek_diag diag = {0};
    assert_int_equal(sek_groups_write(m->w, &m->buf, &diag), SEK_OK);
    if (sek_groups_read(m->buf.data, m->buf.len, &m->g, &diag) != SEK_OK)
        fail_msg("%s", diag.text);
}

static void end(struct made *m)
{
    sek_groups_free(m->g);
    sek_groups_writer_free(m->w);
    sek_buf_fini(&m->buf);
}

static uint64_t of(const struct made *m, const char *address, int64_t now_s)
{
    struct sek_addr a;
    assert_int_equal(sek_addr_from_text(address, &a, NULL), SEK_OK);
    return sek_groups_of(m->g, &a, now_s);
}

static void test_nested_and_ending(void **state)
{
    (void)state;
    struct made m;
    start(&m);
    group_add(&m, 3, SEK_MODE_OFF);
    group_add(&m, 1, SEK_MODE_BLOCK);
    group_add(&m, 64, SEK_MODE_MONITOR);
    member_add(&m, 3, "192.0.2.0/24", 0);
    member_add(&m, 1, "192.0.2.7", NOW + 10);
    member_add(&m, 64, "192.0.2.0/25", 0);
    member_add(&m, 3, "2001:db8::/32", 0);
    member_add(&m, 3, "192.0.2.7", NOW + 1); /* the wider one lasts */
    finish(&m);
    assert_int_equal(of(&m, "192.0.2.7", NOW), 1 | 4 | (uint64_t)1 << 63);
    assert_int_equal(of(&m, "192.0.2.7", NOW + 10), 4 | (uint64_t)1 << 63);
    assert_int_equal(of(&m, "192.0.2.127", NOW), 4 | (uint64_t)1 << 63);
    assert_int_equal(of(&m, "192.0.2.128", NOW), 4);
    assert_int_equal(of(&m, "192.0.2.255", NOW), 4);
    assert_int_equal(of(&m, "192.0.3.0", NOW), 0);
    assert_int_equal(of(&m, "192.0.1.255", NOW), 0);
    assert_int_equal(of(&m, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", NOW), 4);
    assert_int_equal(of(&m, "2001:db9::", NOW), 0);
    assert_int_equal(of(&m, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NOW), 0);
    assert_int_equal(sek_groups_next_expiry(m.g, NOW), NOW + 10);
    assert_int_equal(sek_groups_next_expiry(m.g, NOW + 10), 0);
    assert_int_equal(sek_groups_peopled(m.g, NOW), 1 | 4 | (uint64_t)1 << 63);
    assert_int_equal(sek_groups_peopled(m.g, NOW + 10), 4 | (uint64_t)1 << 63);
    assert_int_equal(sek_groups_restricted(m.g, SEK_MODE_BLOCK), 1);
    assert_int_equal(sek_groups_restricted(m.g, SEK_MODE_MONITOR), (uint64_t)1 << 63);
    end(&m);
}

static void test_whole_space(void **state)
{
    (void)state;
    struct made m;
    start(&m);
    group_add(&m, 2, SEK_MODE_OFF);
    member_add(&m, 2, "::/0", 0);
    finish(&m);
    assert_int_equal(of(&m, "::", NOW), 2);
    assert_int_equal(of(&m, "255.255.255.255", NOW), 2);
    assert_int_equal(of(&m, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NOW), 2);
    end(&m);
}

static void test_nothing(void **state)
{
    (void)state;
    struct made m;
    start(&m);
    assert_int_equal(sek_groups_write(m.w, &m.buf, NULL), SEK_OK);
    assert_int_equal(m.buf.len, 0);
    end(&m);
}

static void test_audiences(void **state)
{
    (void)state;
    const struct sek_audience everybody = {0}, one = {.only = 2}, but = {.except = 6};
    struct made m;
    uint16_t a, b, c, again;
    start(&m);
    assert_int_equal(sek_groups_writer_audience(m.w, &everybody, &a, NULL), SEK_OK);
    assert_int_equal(sek_groups_writer_audience(m.w, &one, &b, NULL), SEK_OK);
    assert_int_equal(sek_groups_writer_audience(m.w, &but, &c, NULL), SEK_OK);
    assert_int_equal(sek_groups_writer_audience(m.w, &one, &again, NULL), SEK_OK);
    assert_int_equal(a, 0);
    assert_int_equal(again, b);
    finish(&m);
    assert_int_equal(sek_groups_audience(m.g, b)->only, 2);
    assert_int_equal(sek_groups_audience(m.g, c)->except, 6);
    assert_null(sek_groups_audience(m.g, 3));
    assert_true(sek_audience_covers(&everybody, 0));
    assert_true(sek_audience_covers(&one, 3));
    assert_false(sek_audience_covers(&one, 1));
    assert_false(sek_audience_covers(&but, 4));
    assert_true(sek_audience_covers(&but, 1));
    end(&m);
}

static void test_refused(void **state)
{
    (void)state;
    struct made m;
    struct sek_net net = net_of("192.0.2.1");
    struct sek_client_group g = {.id = 2, .action = SEK_ACTION_NXDOMAIN, .name = "g2"};
    start(&m);
    group_add(&m, 2, SEK_MODE_OFF);
    assert_int_equal(sek_groups_writer_add(m.w, &g, NULL), SEK_E_EXISTS);
    g.id = 3; /* the name is taken */
    assert_int_equal(sek_groups_writer_add(m.w, &g, NULL), SEK_E_EXISTS);
    g.name[0] = 'h';
    g.action = SEK_ACTION_PASSTHRU;
    assert_int_equal(sek_groups_writer_add(m.w, &g, NULL), SEK_E_INVALID);
    g.action = SEK_ACTION_DROP;
    g.id = SEK_GROUPS_MAX + 1;
    assert_int_equal(sek_groups_writer_add(m.w, &g, NULL), SEK_E_INVALID);
    assert_int_equal(sek_groups_writer_member(m.w, 9, &net, 0, NULL), SEK_E_NOTFOUND);
    assert_int_equal(sek_groups_writer_member(m.w, 2, &net, -1, NULL), SEK_E_INVALID);
    end(&m);
}

/* Whatever is altered, reading refuses it or searching stays inside. */
static void test_altered(void **state)
{
    (void)state;
    struct made m;
    start(&m);
    group_add(&m, 2, SEK_MODE_OFF);
    group_add(&m, 5, SEK_MODE_BLOCK);
    member_add(&m, 2, "192.0.2.0/24", 0);
    member_add(&m, 5, "192.0.2.9", 5000);
    finish(&m);
    struct sek_addr a;
    assert_int_equal(sek_addr_from_text("192.0.2.9", &a, NULL), SEK_OK);
    for (size_t cut = 0; cut < m.buf.len; cut++) {
        struct sek_groups *g = NULL;
        assert_int_not_equal(sek_groups_read(m.buf.data, cut, &g, NULL), SEK_OK);
    }
    for (size_t at = 0; at < m.buf.len; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            struct sek_groups *g = NULL;
            m.buf.data[at] = (char)(m.buf.data[at] ^ 1 << bit);
            if (sek_groups_read(m.buf.data, m.buf.len, &g, NULL) == SEK_OK) {
                (void)sek_groups_of(g, &a, NOW);
                (void)sek_groups_next_expiry(g, NOW);
                sek_groups_free(g);
            }
            m.buf.data[at] = (char)(m.buf.data[at] ^ 1 << bit);
        }
    }
    end(&m);
}

/* --- against the obvious: look at every network ------------------------------------------------
 */

#define N_NETS 60
struct row {
    struct sek_net net;
    unsigned group;
    int64_t expires_s;
};

static bool is_in(const struct sek_net *net, const struct sek_addr *a)
{
    for (unsigned i = 0; i < net->bits; i++)
        if ((net->addr.octets[i / 8] ^ a->octets[i / 8]) >> (7 - i % 8) & 1)
            return false;
    return true;
}

/* Addresses from a small space, so that networks nest and touch. */
static struct sek_addr random_addr(void)
{
    struct sek_addr a = {{0}};
    if (rand() % 2)
        memset(a.octets + 10, 0xff, 2);
    for (unsigned i = 13; i < 16; i++)
        a.octets[i] = (uint8_t)(rand() % 4 * 85);
    return a;
}

static struct row random_row(void)
{
    struct row r = {.net = {.addr = random_addr(), .bits = (uint8_t)(128 - rand() % 26)},
                    .group = 1 + (unsigned)rand() % 5,
                    .expires_s = rand() % 3 ? 0 : NOW - 2 + rand() % 4};
    for (unsigned i = r.net.bits; i < 128; i++)
        r.net.addr.octets[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
    return r;
}

static void test_like_the_obvious(void **state)
{
    (void)state;
    srand(7);
    for (unsigned round = 0; round < 60; round++) {
        struct row rows[N_NETS];
        struct made m;
        unsigned n = 1 + (unsigned)rand() % N_NETS;
        start(&m);
        for (unsigned id = 1; id <= 5; id++)
            group_add(&m, id, SEK_MODE_OFF);
        for (unsigned i = 0; i < n; i++) {
            rows[i] = random_row();
            assert_int_equal(
                sek_groups_writer_member(m.w, rows[i].group, &rows[i].net, rows[i].expires_s, NULL),
                SEK_OK);
        }
        finish(&m);
        for (unsigned k = 0; k < 500; k++) {
            struct sek_addr a = random_addr();
            uint64_t expected = 0;
            a.octets[15] = (uint8_t)(a.octets[15] + rand() % 3 - 1);
            for (unsigned i = 0; i < n; i++)
                if (is_in(&rows[i].net, &a) && (rows[i].expires_s == 0 || rows[i].expires_s > NOW))
                    expected |= sek_group_bit(rows[i].group);
            assert_int_equal(sek_groups_of(m.g, &a, NOW), expected);
        }
        end(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nested_and_ending), cmocka_unit_test(test_whole_space),
        cmocka_unit_test(test_nothing),           cmocka_unit_test(test_audiences),
        cmocka_unit_test(test_refused),           cmocka_unit_test(test_altered),
        cmocka_unit_test(test_like_the_obvious),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
