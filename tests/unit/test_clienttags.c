/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/buf.h"
#include "tools/check/clienttags.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct sek_client_tags tags;
static struct sek_diag diag;

static enum sek_err read_text(const char *text)
{
    char path[] = "/tmp/sek-tags-XXXXXX";
    int fd = mkstemp(path);

    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    diag.text[0] = '\0';
    enum sek_err err = sek_client_tags_read(path, &tags, &diag);
    unlink(path);
    return err;
}

/* "kiosk: 10.0.0.0/8 2001:db8::/32; guest:", in the order of the file. */
static const char *shown(void)
{
    static char out[4096];
    char text[SEK_NET_TEXT_MAX];
    size_t len = 0;

    out[0] = '\0';
    for (unsigned i = 0; i < tags.n; i++) {
        len += (size_t)snprintf(out + len, sizeof out - len, "%s%s:", i ? "; " : "", tags.name[i]);
        for (size_t j = 0; j < tags.nets[i].n; j++)
            len += (size_t)snprintf(out + len, sizeof out - len, " %s",
                                    sek_net_to_text(&tags.nets[i].items[j], text));
    }
    sek_client_tags_fini(&tags);
    return out;
}

static void test_cases(void **state)
{
    static const struct {
        const char *text, *shown;
    } cases[] = {
        {"", ""},
        {"server:\n define-tag: \"kiosk guest\"\n access-control-tag: 10.0.0.0/8 \"kiosk\"\n"
         " access-control-tag: 2001:db8::/32 \"kiosk guest\"\n",
         "kiosk: 10.0.0.0/8 2001:db8::/32; guest: 2001:db8::/32"},
        {"define-tag: a\naccess-control-tag: fd00::/8 a\naccess-control-tag: 192.0.2.7 a\n",
         "a: 192.0.2.7 fd00::/8"},
        /* a smaller network without the tag is cut out, whatever made it known */
        {"define-tag: a\naccess-control-tag: 192.0.2.0/30 a\naccess-control: 192.0.2.1/32 allow\n",
         "a: 192.0.2.0 192.0.2.2/31"},
        {"define-tag: a\naccess-control-tag: 192.0.2.0/30 a\naccess-control-view: 192.0.2.2/31 v\n",
         "a: 192.0.2.0/31"},
        {"define-tag: \"a b\"\naccess-control-tag: 192.0.2.0/30 a\n"
         "access-control-tag: 192.0.2.2/31 b\n",
         "a: 192.0.2.0/31; b: 192.0.2.2/31"},
        {"define-tag: a\naccess-control-tag: 192.0.2.0/24 a\naccess-control-tag: 192.0.2.0/25 a\n",
         "a: 192.0.2.0/24"},
        /* one with the same network is no cut, and its access-control neither */
        {"define-tag: a\naccess-control: 192.0.2.0/24 allow\naccess-control-tag: 192.0.2.0/24 a\n",
         "a: 192.0.2.0/24"},
        /* the first line of a network counts, with any bits behind its prefix */
        {"define-tag: \"a b\"\naccess-control-tag: 192.0.2.0/24 a\n"
         "access-control-tag: 192.0.2.9/24 b\n",
         "a: 192.0.2.0/24; b:"},
        /* Unbound knows the loopback addresses, and all others, without being told */
        {"define-tag: a\naccess-control-tag: 126.0.0.0/7 a\n", "a: 126.0.0.0/8"},
        {"define-tag: a\naccess-control-tag: ::/127 a\n", "a: ::"},
        {"define-tag: a\naccess-control-tag: 0.0.0.0/0 a\n",
         "a: 0.0.0.0/2 64.0.0.0/3 96.0.0.0/4 112.0.0.0/5 120.0.0.0/6 124.0.0.0/7 126.0.0.0/8 "
         "128.0.0.0/1"},
        {"define-tag: a\naccess-control-tag: 10.0.0.0/8 \"\"\n", "a:"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (read_text(cases[i].text) != SEK_OK)
            fail_msg("%s: %s", cases[i].text, diag.text);
        const char *is = shown();
        if (strcmp(is, cases[i].shown) != 0)
            fail_msg("%s:\n%s\nnot\n%s", cases[i].text, is, cases[i].shown);
    }
}

static void test_bad(void **state)
{
    static const struct {
        const char *text, *said;
    } cases[] = {
        {"define-tag: a\naccess-control-tag: 10.0.0.0/8 b\n", "the tag \"b\" is not defined"},
        {"define-tag: a\naccess-control-tag: 10.0.0.0/33 a\n", "\"10.0.0.0/33\" is no network"},
        {"define-tag: a\naccess-control-tag: 10.0.0/8 a\n", "\"10.0.0/8\" is no network"},
        {"define-tag: a\naccess-control-tag: 10.0.0.0/ a\n", "\"10.0.0.0/\" is no network"},
        {"define-tag: a\naccess-control-tag: 10.0.0.0/-1 a\n", "is no network"},
        {"define-tag: a\naccess-control: nonsense allow\n", "\"nonsense\" is no network"},
        {"define-tag: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
         "no room for the tag"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_not_equal(read_text(cases[i].text), SEK_OK);
        if (!strstr(diag.text, cases[i].said))
            fail_msg("%s: %s", cases[i].text, diag.text);
        sek_client_tags_fini(&tags);
    }
    assert_int_not_equal(sek_client_tags_read("/nonexistent/unbound.conf", &tags, &diag), SEK_OK);
    sek_client_tags_fini(&tags);
    assert_int_equal(read_text("interface-tag: 192.0.2.1 x\ninclude: /nonexistent/more.conf\n"),
                     SEK_OK);
    assert_true(tags.interfaces);
    assert_int_equal(tags.n_missing, 1);
    sek_client_tags_fini(&tags);
}

static unsigned pick(unsigned n)
{
    return (unsigned)(rand() / (RAND_MAX / (int)n + 1));
}

/* Against the rule itself: the node with the longest prefix says it. */
static void test_property(void **state)
{
    (void)state;
    srand(20261128);
    for (unsigned round = 0; round < 200; round++) {
        struct sek_buf text;
        struct sek_net nodes[20];
        bool has[20];
        unsigned n = 1 + pick(20);
        sek_buf_init(&text, 0);
        sek_buf_add_text(&text, "define-tag: a\n");
        for (unsigned i = 0; i < n; i++) {
            char net[SEK_NET_TEXT_MAX];
            nodes[i] =
                (struct sek_net){.addr.octets = {[10] = 0xff, 0xff, 10, 0, 0, (uint8_t)pick(256)},
                                 .bits = (uint8_t)(120 + pick(9))};
            for (unsigned bit = nodes[i].bits; bit < 128; bit++)
                nodes[i].addr.octets[15] &= (uint8_t) ~(0x80U >> bit % 8);
            has[i] = pick(2);
            for (unsigned j = 0; j < i; j++) /* the first line of a network counts */
                if (nodes[j].bits == nodes[i].bits &&
                    sek_addr_equal(&nodes[j].addr, &nodes[i].addr))
                    has[i] = has[j];
            sek_buf_add_fmt(&text, "access-control-tag: %s \"%s\"\n",
                            sek_net_to_text(&nodes[i], net), has[i] ? "a" : "");
        }
        assert_int_equal(read_text(text.data), SEK_OK);
        for (unsigned last = 0; last < 256; last++) {
            const struct sek_addr a = {.octets = {[10] = 0xff, 0xff, 10, 0, 0, (uint8_t)last}};
            unsigned bits = 0, times = 0;
            bool expected = false;
            for (unsigned i = 0; i < n; i++)
                if (nodes[i].bits >= bits && sek_net_has(&nodes[i], &a)) {
                    bits = nodes[i].bits;
                    expected = has[i];
                }
            for (size_t i = 0; i < tags.nets[0].n; i++)
                times += sek_net_has(&tags.nets[0].items[i], &a);
            if (times != (expected ? 1 : 0))
                fail_msg("10.0.0.%u: %u times\n%s", last, times, text.data);
        }
        sek_client_tags_fini(&tags);
        sek_buf_fini(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_property),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
