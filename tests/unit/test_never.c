/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/never.h"
#include "base/buf.h"
#include "name/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static char *const zones[] = {"corp.example", "=host.example", "*.below.example", "bücher.example"};
#define N_ZONES (sizeof(zones) / sizeof(zones[0]))

/* force: refused even so. why: part of the reason; NULL: allowed. */
struct row {
    const char *rule;
    bool force;
    const char *why;
};

static const struct row rows[] = {
    /* the protected zone: a subtree */
    {"corp.example", true, "corp.example"},
    {"=corp.example", true, "corp.example"},
    {"*.corp.example", true, "corp.example"},
    {"=a.b.corp.example", true, "corp.example"},
    {"*.a.corp.example", true, "corp.example"},
    {"nl", true, NULL}, /* a whole country domain may be meant */
    {"CORP.example", true, "corp.example must not be blocked: the configuration"},
    {"a.corp.example", true, "lies within corp.example"},
    {"notcorp.example", true, NULL},
    {"=corp.example.org", true, NULL},
    {"bücher.example", true, "xn--bcher-kva.example"},
    /* one protected name */
    {"host.example", true, "would cover =host.example"},
    {"=host.example", true, "=host.example"},
    {"*.host.example", true, NULL},
    {"a.host.example", true, NULL},
    /* only what is below */
    {"below.example", true, "*.below.example"},
    {"*.below.example", true, "*.below.example"},
    {"=below.example", true, NULL},
    {"=a.below.example", true, "*.below.example"},
    {"*.a.b.below.example", true, "*.below.example"},
    /* above all of them */
    {"example", true, "would cover"},
    {"*.example", true, "would cover"},
    {"=example", true, NULL},
    {"=example", false, "--force"},
    /* root */
    {".", true, "root"},
    {"=.", true, "root"},
    {"*.", true, "root"},
    /* shipped */
    {"a.root-servers.net", true, "root-servers.net"},
    {"root-servers.net", true, "root-servers.net"},
    {"net", true, "would cover"},
    {"arpa", true, "arpa"},
    {"=in-addr.arpa", true, "in-addr.arpa"},
    {"2.0.192.in-addr.arpa", true, NULL},
    {"localhost", true, "localhost"},
    {"0.debian.pool.ntp.org", true, "pool.ntp.org"},
    {"ntp.org", true, "pool.ntp.org"},
    {"=ntp.org", true, NULL},
    {"time.google.com", true, "time.google.com"},
    {"=www.google.com", false, NULL},
    {"=google.com", false, NULL},
    {"google.com", true, "time.google.com"},
    /* public suffixes */
    {"co.uk", false, "public suffix"},
    {"=co.uk", false, NULL},
    {"=s3.amazonaws.com", false, NULL},
    {"=uk", false, "--force"},
    {"*.co.uk", false, "--force"},
    {"co.uk", true, NULL},
    {"github.io", false, "public suffix"},
    {"github.io", true, NULL},
    {"evil.github.io", false, NULL},
    {"evil.co.uk", false, NULL},
    {"uk", false, "--force"},
    {"unlisted-tld", false, "--force"},
    {"unlisted-tld", true, NULL},
    {"evil.unlisted-tld", false, NULL},
    /* neither */
    {"evil.test", false, NULL},
    {"a.b.c.d.e.f.g.h.i.j.k.l.m.n.evil.test", false, NULL},
};

static struct sek_name name_of(const char *text, enum sek_scope *scope)
{
    struct sek_name name;
    assert_int_equal(sek_rule_from_text(text, strlen(text), scope, &name, NULL), SEK_OK);
    return name;
}

struct fixture {
    struct sek_suffix *suffix;
    struct sek_never *never;
};

static int setup(void **state)
{
    static struct fixture f;
    struct sek_diag diag = {0};
    if (sek_suffix_open(NULL, &f.suffix, &diag) != SEK_OK ||
        sek_never_new(zones, N_ZONES, f.suffix, &f.never, &diag) != SEK_OK) {
        print_error("%s\n", diag.text);
        return -1;
    }
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    sek_never_free(f->never);
    sek_suffix_close(f->suffix);
    return 0;
}

static void test_check(void **state)
{
    const struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *r = &rows[i];
        enum sek_scope scope;
        struct sek_name name = name_of(r->rule, &scope);
        struct sek_diag diag = {0};
        enum sek_err err =
            sek_never_check(f->never, &name, scope, SEK_ACTION_NXDOMAIN, r->force, &diag);
        if (err != (r->why ? SEK_E_REFUSED : SEK_OK) || (r->why && !strstr(diag.text, r->why)))
            fail_msg("%s (force %d): %d '%s'", r->rule, r->force, err, diag.text);
    }
}

static void test_actions(void **state)
{
    const struct fixture *f = *state;
    enum sek_scope scope;
    struct sek_name corp = name_of("corp.example", &scope), root = name_of(".", &scope);
    for (int a = SEK_ACTION_DEFAULT; a <= SEK_ACTION_DROP; a++) {
        enum sek_err expected =
            a == SEK_ACTION_PASSTHRU || a == SEK_ACTION_LOG ? SEK_OK : SEK_E_REFUSED;
        assert_int_equal(
            sek_never_check(f->never, &corp, SEK_SCOPE_SUBTREE, (enum sek_action)a, true, NULL),
            expected);
        assert_int_equal(
            sek_never_check(f->never, &root, SEK_SCOPE_BELOW, (enum sek_action)a, true, NULL),
            expected);
    }
}

/* No rule may cover a shipped name, whatever its scope, at the name or on the way up. */
static void test_shipped(void **state)
{
    const struct fixture *f = *state;
    for (const struct sek_never_row *row = sek_never_shipped; row->name; row++) {
        enum sek_scope scope;
        struct sek_name name = name_of(row->name, &scope), above;
        assert_true(strlen(row->why) > 0);
        for (unsigned depth = 0; depth <= name.n_labels; depth++) {
            sek_name_parent(&name, depth, &above);
            if (sek_never_check(f->never, &above, SEK_SCOPE_SUBTREE, SEK_ACTION_SINKHOLE, true,
                                NULL) != SEK_E_REFUSED)
                fail_msg("%s, %u labels removed", row->name, depth);
        }
    }
}

/* Against the definition: two rules conflict if some name is covered by both. All names over two
 * letters up to depth 3 stand for all names. */
static bool covers(enum sek_scope scope, const struct sek_name *owner, const struct sek_name *name)
{
    return sek_name_is_at_or_below(name, owner) &&
           sek_scope_covers(scope, (unsigned)name->n_labels - owner->n_labels);
}

static void test_definition(void **state)
{
    (void)state;
    enum { N = 2 + 4 + 8 + 16 };
    struct sek_name names[N];
    unsigned n = 0;
    for (unsigned labels = 1; labels <= 4; labels++) {
        for (unsigned bits = 0; bits < 1u << labels; bits++) {
            char text[16] = "", scratch[32];
            for (unsigned k = 0; k < labels; k++) {
                snprintf(scratch, sizeof(scratch), "%c%s%s", 'a' + (bits >> k & 1), k ? "." : "",
                         text);
                memcpy(text, scratch, sizeof(text) - 1);
            }
            enum sek_scope scope;
            names[n++] = name_of(text, &scope);
        }
    }
    static const char *const guards[] = {"=a", "a", "*.a", "=a.b", "b.a", "*.b.b", "=b.a.b"};
    for (size_t g = 0; g < sizeof(guards) / sizeof(guards[0]); g++) {
        char zone[16];
        snprintf(zone, sizeof(zone), "%s", guards[g]);
        char *list[] = {zone};
        struct sek_never *never;
        enum sek_scope guard_scope;
        struct sek_name guard = name_of(zone, &guard_scope);
        assert_int_equal(sek_never_new(list, 1, NULL, &never, NULL), SEK_OK);
        for (unsigned i = 0; i < 2 + 4 + 8; i++) { /* one label to spare for what is below */
            for (int scope = SEK_SCOPE_EXACT; scope <= SEK_SCOPE_BELOW; scope++) {
                bool expected = false;
                for (unsigned k = 0; k < N && !expected; k++)
                    expected = covers((enum sek_scope)scope, &names[i], &names[k]) &&
                               covers(guard_scope, &guard, &names[k]);
                bool refused = sek_never_check(never, &names[i], (enum sek_scope)scope,
                                               SEK_ACTION_DROP, false, NULL) != SEK_OK;
                char rule[64];
                sek_rule_to_text((enum sek_scope)scope, names[i].octets, rule);
                if (refused != expected)
                    fail_msg("%s against %s: refused %d", rule, zone, refused);
            }
        }
        sek_never_free(never);
    }
}

/* The places are those where some rule is refused, each once. */
static enum sek_err place_see(void *arg, const struct sek_name *name, bool below)
{
    char text[SEK_NAME_TEXT_MAX];
    struct sek_buf *seen = arg;
    sek_name_to_text(name->octets, text);
    sek_buf_add_fmt(seen, "%s%s ", below ? "*" : "", text);
    return strcmp(text, "stop.test") == 0 ? SEK_E_LIMIT : SEK_OK;
}

static unsigned place_count(const char *places, const char *place)
{
    unsigned n = 0;
    for (const char *at = places; (at = strstr(at, place)); at++)
        n++;
    return n;
}

static void test_places(void **state)
{
    (void)state;
    char *const own[] = {"b.test", "=a.b.test", "d.b.test", "=e.test", "f.e.test", "*.g.test"};
    struct sek_never *never;
    struct sek_buf seen;
    sek_buf_init(&seen, 1 << 16);
    assert_int_equal(sek_never_new(own, sizeof(own) / sizeof(own[0]), NULL, &never, NULL), SEK_OK);
    assert_int_equal(sek_never_places(never, place_see, &seen), SEK_OK);
    sek_never_free(never);
    static const char *const once[] = {" *b.test ", " e.test ",       " *f.e.test ",
                                       " *g.test ", " test ",         " com ",
                                       " arpa ",    " in-addr.arpa ", " *lencr.org "};
    for (size_t i = 0; i < sizeof(once) / sizeof(once[0]); i++)
        if (place_count(seen.data, once[i]) != 1)
            fail_msg("%s: %u times in %s", once[i], place_count(seen.data, once[i]), seen.data);
    assert_int_equal(strncmp(seen.data, ". ", 2), 0);
    assert_int_equal(place_count(seen.data, "a.b.test") + place_count(seen.data, "d.b.test"), 0);

    char *const stop[] = {"stop.test"};
    assert_int_equal(sek_never_new(stop, 1, NULL, &never, NULL), SEK_OK);
    assert_int_equal(sek_never_places(never, place_see, &seen), SEK_E_LIMIT);
    sek_never_free(never);
    sek_buf_fini(&seen);
}

static void test_new(void **state)
{
    (void)state;
    struct sek_never *never = NULL;
    struct sek_diag diag;
    char *const bad[] = {"corp.example", "not a name"};
    assert_int_equal(sek_never_new(bad, 2, NULL, &never, &diag), SEK_E_NAME);
    assert_non_null(strstr(diag.text, "not a name"));
    assert_null(never);
    assert_int_equal(sek_never_new(bad, SEK_NEVER_ZONES_MAX + 1, NULL, &never, &diag), SEK_E_LIMIT);
    assert_int_equal(sek_never_new(NULL, 0, NULL, &never, &diag), SEK_OK);
    sek_never_free(never);
    sek_never_free(NULL);
    char *same[SEK_NEVER_ZONES_MAX];
    for (unsigned i = 0; i < SEK_NEVER_ZONES_MAX; i++)
        same[i] = "corp.example";
    assert_int_equal(sek_never_new(same, SEK_NEVER_ZONES_MAX, NULL, &never, &diag), SEK_OK);
    sek_never_free(never);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check),   cmocka_unit_test(test_actions),
        cmocka_unit_test(test_shipped), cmocka_unit_test(test_definition),
        cmocka_unit_test(test_places),  cmocka_unit_test(test_new),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
