/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections of outside logs and hits in one order. */
#include "store/outside.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define T0 1795168800000LL /* the first millisecond of a minute */
#define OK(call) assert_int_equal(call, SEK_OK)

static struct sek_addr addr(const char *text)
{
    struct sek_addr a;
    OK(sek_addr_from_text(text, &a, NULL));
    return a;
}

static void conn(struct sek_outside *o, const char *endpoint, const char *to, const char *name,
                 int64_t ms)
{
    struct sek_outside_conn c = {.endpoint = addr(endpoint),
                                 .has_address = to != NULL,
                                 .name = name,
                                 .port = 443,
                                 .action = "x",
                                 .first_ms = ms,
                                 .last_ms = ms,
                                 .n = 1};
    if (to)
        c.address = addr(to);
    OK(sek_outside_add_conn(o, &c, NULL));
}

static void hit(struct sek_outside *o, const char *endpoint, const char *name, int64_t ms)
{
    const struct sek_outside_hit h = {.endpoint = addr(endpoint),
                                      .name = name,
                                      .domain = name,
                                      .list = "feed",
                                      .first_ms = ms,
                                      .last_ms = ms + 10,
                                      .n = 2};
    OK(sek_outside_add_hit(o, &h, NULL));
}

struct seen {
    char text[2000];
    struct sek_outside *o;
};

static void say(struct seen *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(struct seen *s, const char *fmt, ...)
{
    size_t at = strlen(s->text);
    va_list args;
    va_start(args, fmt);
    vsnprintf(s->text + at, sizeof s->text - at, fmt, args);
    va_end(args);
}

static bool line(void *arg, const struct sek_outside_hit *h, const struct sek_outside_conn *c)
{
    struct seen *s = arg;
    char e[SEK_ADDR_TEXT_MAX], to[SEK_ADDR_TEXT_MAX] = "-";
    assert_true((h == NULL) != (c == NULL));
    if (h)
        say(s, "%s hit %s x%d came %d; ", sek_addr_to_text(&h->endpoint, e), h->name, (int)h->n,
            h->came);
    if (c && c->has_address)
        sek_addr_to_text(&c->address, to);
    if (c)
        say(s, "%s to %s %s x%d as %d%s%s; ", sek_addr_to_text(&c->endpoint, e), to, c->name,
            (int)c->n, c->as, c->follows ? " follows" : "", c->domain);
    return true;
}

static void lines_are(struct sek_outside *o, bool every, const char *expected)
{
    struct seen s = {.text = ""};
    OK(sek_outside_lines(o, every, line, &s, NULL));
    assert_string_equal(s.text, expected);
}

/* A name alone is followed by nothing: judged so. */
static enum sek_err judge(void *arg, const struct sek_outside_conn *c, bool *more)
{
    struct seen *s = arg;
    (void)more;
    return sek_outside_set_as(s->o, c->id,
                              c->has_address ? SEK_OUTSIDE_NEVER : SEK_OUTSIDE_NO_ADDRESS,
                              c->has_address ? ".d" : "", NULL);
}

static enum sek_err take_after(void *arg, const struct sek_outside_conn *c, bool *more)
{
    struct seen *s = arg;
    say(s, "%lld ", (long long)(c->first_ms - T0));
    *more = c->first_ms < T0 + 100000;
    return SEK_OK;
}

static enum sek_err follow(void *arg, const struct sek_outside_hit *h)
{
    struct seen *s = arg;
    say(s, "%s ", h->name);
    if (strcmp(h->name, "a.example") == 0)
        OK(sek_outside_set_follows(s->o, 1, h->id, NULL));
    return strcmp(h->name, "a.example") == 0
               ? sek_outside_set_came(s->o, h->id, SEK_CAME_CONNECTED, NULL)
               : SEK_OK;
}

static bool sum(void *arg, const struct sek_outside_sum *t)
{
    char e[SEK_ADDR_TEXT_MAX];
    say(arg, "%s hits %d/%d conns %d/%d; ", sek_addr_to_text(&t->endpoint, e), (int)t->hits,
        (int)t->came[SEK_CAME_CONNECTED], (int)t->conns, (int)t->as[SEK_OUTSIDE_NEVER]);
    return true;
}

static void all_of_it(void **state)
{
    struct sek_outside *o;
    struct seen s = {.text = ""};
    bool has;
    struct sek_addr e1 = addr("192.0.2.1"), e9 = addr("192.0.2.9");
    (void)state;
    OK(sek_outside_open(&o, NULL));
    lines_are(o, true, "");
    conn(o, "192.0.2.1", "203.0.113.5", "", T0 + 2000);
    conn(o, "192.0.2.1", "203.0.113.5", "", T0 + 1000);   /* the same minute: one row */
    conn(o, "192.0.2.1", "203.0.113.5", "", T0 + 61000);  /* the next one */
    conn(o, "192.0.2.1", NULL, "p.example", T0 + 130000); /* by a proxy */
    conn(o, "2001:db8::2", "203.0.113.5", "", T0);
    hit(o, "192.0.2.1", "a.example", T0 + 500);
    hit(o, "2001:db8::2", "b.example", T0 - 500);
    OK(sek_outside_has(o, &e1, &has, NULL));
    assert_true(has);
    OK(sek_outside_has(o, &e9, &has, NULL));
    assert_false(has);
    OK(sek_outside_after(o, &e1, T0 + 1500, T0 + 200000, take_after, &s, NULL));
    assert_string_equal(s.text, "1000 61000 130000 "); /* the first lasts to 2000 */
    s = (struct seen){.o = o};
    OK(sek_outside_hits(o, follow, &s, NULL));
    assert_string_equal(s.text, "a.example b.example ");
    OK(sek_outside_open_conns(o, judge, &s, NULL));
    lines_are(o, false,
              "192.0.2.1 hit a.example x2 came 7; 192.0.2.1 to 203.0.113.5  x2 as 3 follows.d; "
              "192.0.2.1 to 203.0.113.5  x1 as 3.d; 2001:db8::2 hit b.example x2 came 0; "
              "2001:db8::2 to 203.0.113.5  x1 as 3.d; ");
    s = (struct seen){.text = ""};
    OK(sek_outside_lines(o, true, line, &s, NULL));
    assert_non_null(strstr(s.text, "192.0.2.1 to - p.example x1 as 6; "));
    s = (struct seen){.text = ""};
    OK(sek_outside_sums(o, sum, &s, NULL));
    assert_string_equal(s.text, "192.0.2.1 hits 2/2 conns 4/3; 2001:db8::2 hits 2/0 conns 1/1; ");
    sek_outside_close(o);
    sek_outside_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_of_it)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
