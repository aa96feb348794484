/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/about.h"
#include "policy/pattern.h"
#include "policy/patterns.h"
#include "policy/patterns_write.h"
#include "policy_fixture.h"
#include <pthread.h>

static struct sek_name owner_of(const char *text)
{
    struct sek_name owner;
    struct sek_diag diag = {0};
    if (sek_pattern_from_text(text, strlen(text), &owner, &diag) != SEK_OK)
        fail_msg("%s: %s", text, diag.text);
    return owner;
}

/* --- as owner names ----------------------------------------------------------------------------
 */

static void texts(void **state)
{
    (void)state;
    static const char *const good[] = {
        "a", "^ads[0-9]+\\.", "^\\S+\\s\\D\\d$", "(?P<Name>x)", "ABCxyz",         "a b", "~",
        "/", "\\/x\\/",       "a.b.c.d.e.f",     "rpz-regex",   "[^.[:space:]]+",
    };
    char back[SEK_PATTERN_MAX + 1], longest[SEK_PATTERN_MAX + 2];
    struct sek_name owner;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        owner = owner_of(good[i]);
        assert_int_equal(sek_about_of(&owner), SEK_ABOUT_REGEX);
        assert_int_equal(sek_pattern_to_text(&owner, back), strlen(good[i]));
        assert_string_equal(back, good[i]);
    }
    memset(longest, 'x', sizeof longest);
    for (size_t n = 1; n <= SEK_PATTERN_MAX; n++) {
        assert_int_equal(sek_pattern_from_text(longest, n, &owner, NULL), SEK_OK);
        assert_int_equal(sek_pattern_to_text(&owner, back), n);
    }
    assert_int_equal(owner.len, SEK_NAME_MAX);
    assert_int_equal(sek_pattern_from_text(longest, SEK_PATTERN_MAX + 1, &owner, NULL),
                     SEK_E_INVALID);
    memset(longest, 'X', sizeof longest);
    assert_int_equal(sek_pattern_from_text(longest, SEK_PATTERN_MAX / 2, &owner, NULL), SEK_OK);
    assert_int_equal(sek_pattern_from_text(longest, SEK_PATTERN_MAX / 2 + 1, &owner, NULL),
                     SEK_E_INVALID);
    static const char *const bad[] = {"", "b\xc3\xbc", "a\tb", "a\x7f", "\x01"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(sek_pattern_from_text(bad[i], strlen(bad[i]), &owner, NULL),
                         SEK_E_INVALID);
    owner = test_name("example.com");
    assert_int_equal(sek_pattern_to_text(&owner, back), 0);
    owner = test_name("rpz-regex");
    assert_int_equal(sek_pattern_to_text(&owner, back), 0);
    owner = test_name("rpz-regex");
    test_name_prepend(&owner, 1, 1); /* the mark of a capital letter, and none behind it */
    assert_int_equal(sek_pattern_to_text(&owner, back), 0);
}

/* --- one -----------------------------------------------------------------------------------------
 */

static void what_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"(foo", "position 1: Missing close parenthesis"},
        {"ab[c", "position 3: Unterminated character class"},
        {"x{3,2}", "position 2: Invalid repeat"},
        {"*a", "position 1: Invalid repeat"},
        {"ab\\", "position 3: Unescaped"},
        {"(a)\\1", "Back-references"},
        {"(?=x)y", "Zero-width assertions"},
        {"(?<!x)y", "Zero-width assertions"},
        {"(?>ab)c", "Atomic groups"},
        {"x++", "Possessive quantifiers"},
        {"\\Kfoo", "position 1: \\K"},
        {"a*", "every name"},
        {"a|", "every name"},
        {"^((a{1,200}){1,200}){1,200}$", "Bounded repeat is too large"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sek_name owner = owner_of(rows[i].text);
        struct sek_pattern *p = NULL;
        struct sek_diag diag = {0};
        enum sek_err err = sek_pattern_compile(&owner, &p, &diag);
        if ((err != SEK_E_INVALID && err != SEK_E_LIMIT) || !strstr(diag.text, rows[i].says) ||
            strchr(diag.text, '\n'))
            fail_msg("%s: %d %s", rows[i].text, err, diag.text);
        assert_null(p);
    }
}

static void what_matches(void **state)
{
    (void)state;
    static const struct {
        const char *text, *name;
        bool matches;
    } rows[] = {
        {"^ads[0-9]+\\.", "ads12.example.com", true},
        {"^ads[0-9]+\\.", "x.ads12.example.com", false},
        {"ads", "loads.example", true},
        {"\\.com$", "a.com", true},
        {"\\.com$", "a.com.au", false},
        {"ADS", "ads.example", true}, /* names are lower case, and so are expressions */
        {"^\\D+$", "a1.example", false},
        {"^\\D+$", "a.example", true},
        {"^.$", "x", true},
        {"[A-Z]{3}", "abc", true},
        {"^(.+[_.-])?adse?rv(er?|ice)?s?[0-9]*[_.-]", "x.adserver3.net", true},
        {"\\.$", "a.example", false}, /* without the final dot */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sek_name owner = owner_of(rows[i].text), name = test_name(rows[i].name);
        struct sek_pattern *p;
        assert_int_equal(sek_pattern_compile(&owner, &p, NULL), SEK_OK);
        if (sek_pattern_matches(p, &name) != rows[i].matches)
            fail_msg("%s %s", rows[i].text, rows[i].name);
        assert_true(sek_pattern_cost(p) > 0 && sek_pattern_cost(p) < SEK_PATTERN_COST_MAX);
        sek_pattern_free(p);
    }
}

/* --- many ----------------------------------------------------------------------------------------
 */

#define N_MANY 400
#define SHARE 150 /* three shares */

static struct sek_patterns_writer *writer_of(unsigned from, unsigned to)
{
    struct sek_patterns_writer *w;
    assert_int_equal(sek_patterns_writer_new(&w, NULL), SEK_OK);
    sek_patterns_writer_share(w, SHARE);
    for (unsigned i = to; i-- > from;) {
        char text[40];
        snprintf(text, sizeof text, "^host%u[a-z]\\.", i);
        struct sek_name owner = owner_of(text);
        assert_int_equal(sek_patterns_writer_add(w, &owner, NULL), SEK_OK);
        if (i % 7 == 0) /* again */
            assert_int_equal(sek_patterns_writer_add(w, &owner, NULL), SEK_OK);
    }
    return w;
}

/* The part in memory aligned as in an image; the caller frees. */
static void *part_of(struct sek_patterns_writer *w, size_t *out_size)
{
    struct sek_buf buf;
    struct sek_diag diag = {0};
    sek_buf_init(&buf, 0);
    test_ok(sek_patterns_write(w, &buf, &diag), &diag);
    void *part = aligned_alloc(64, (buf.len + 63) / 64 * 64);
    assert_non_null(part);
    memcpy(part, buf.data, buf.len);
    *out_size = buf.len;
    sek_buf_fini(&buf);
    return part;
}

struct seen {
    const struct sek_patterns *p;
    unsigned n;
    char text[SEK_PATTERN_MAX + 1];
};

static void see(void *arg, uint32_t i)
{
    struct seen *seen = arg;
    struct sek_name owner;
    sek_patterns_owner(seen->p, i, &owner);
    sek_pattern_to_text(&owner, seen->text);
    seen->n++;
}

static void *match_all(void *arg)
{
    for (unsigned i = 0; i < N_MANY; i++) {
        struct seen seen = {.p = arg};
        char name[40], text[40];
        size_t len = (size_t)snprintf(name, sizeof name, "host%ux.example", i);
        snprintf(text, sizeof text, "^host%u[a-z]\\.", i);
        sek_patterns_match(arg, name, len, see, &seen);
        if (seen.n != 1 || strcmp(seen.text, text) != 0)
            return arg;
    }
    struct seen none = {.p = arg};
    sek_patterns_match(arg, "www.example", 11, see, &none);
    return none.n ? arg : NULL;
}

static void many(void **state)
{
    (void)state;
    struct sek_patterns_writer *w = writer_of(0, N_MANY);
    struct sek_patterns *p;
    struct sek_diag diag = {0};
    pthread_t threads[6];
    void *wrong;
    size_t size;
    void *part = part_of(w, &size);
    test_ok(sek_patterns_read(part, size, &p, &diag), &diag);
    assert_int_equal(sek_patterns_n(p), N_MANY);
    assert_null(match_all(p));
    /* fewer rooms than threads: some wait, all get it right */
    test_ok(sek_patterns_threads(p, 4, &diag), &diag);
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, match_all, p), 0);
    for (unsigned i = 0; i < 6; i++) {
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
    struct sek_patterns *again = sek_patterns_again(p);
    sek_patterns_free(p);
    assert_null(match_all(again));
    sek_patterns_free(again);
    free(part);
    sek_patterns_writer_free(w);
}

/* What is the same is taken over: the mark that is put into an old automaton comes back. */
static void taken_over(void **state)
{
    (void)state;
    struct sek_patterns_writer *first = writer_of(0, N_MANY), *second = writer_of(0, N_MANY);
    struct sek_patterns_writer *third = writer_of(0, 3);
    size_t size, again_size, small_size;
    void *part = part_of(first, &size);
    assert_true(sek_patterns_are_current(part, size));
    ((uint8_t *)part)[size - 64] ^= 1;
    sek_patterns_writer_reuse(second, part, size);
    void *again = part_of(second, &again_size);
    assert_int_equal(again_size, size);
    assert_memory_equal(again, part, size);
    sek_patterns_writer_reuse(third, part, size); /* none is the same */
    void *small = part_of(third, &small_size);
    struct sek_patterns *p;
    assert_int_equal(sek_patterns_read(small, small_size, &p, NULL), SEK_OK);
    assert_int_equal(sek_patterns_n(p), 3);
    sek_patterns_free(p);
    ((char *)part)[0] ^= 1; /* another engine's name */
    assert_false(sek_patterns_are_current(part, size));
    free(part);
    free(again);
    free(small);
    sek_patterns_writer_free(first);
    sek_patterns_writer_free(second);
    sek_patterns_writer_free(third);
}

/* Whatever it holds, nothing outside is read. */
static void damage(void **state)
{
    (void)state;
    struct sek_patterns_writer *w = writer_of(0, 12);
    struct sek_patterns *p;
    uint64_t random = test_seed();
    size_t size;
    uint8_t *part = part_of(w, &size);
    for (size_t cut = 0; cut < size; cut += cut < 1024 ? 1 : 61) {
        uint8_t *less = aligned_alloc(64, (cut + 64) / 64 * 64);
        memcpy(less, part, cut);
        assert_true(sek_patterns_read(less, cut, &p, NULL) != SEK_OK);
        free(less);
    }
    /* what stands before the automata; those have a checksum of their own */
    for (unsigned i = 0; i < 3000; i++) {
        size_t at = test_random(&random) % 1024;
        uint8_t was = part[at];
        part[at] = (uint8_t)test_random(&random);
        if (sek_patterns_read(part, size, &p, NULL) == SEK_OK) {
            struct seen seen = {.p = p};
            sek_patterns_match(p, "host3x.example", 14, see, &seen);
            sek_patterns_free(p);
        }
        part[at] = was;
    }
    free(part);
    sek_patterns_writer_free(w);
}

/* An automaton of another Hyperscan (serialised: 4 octets of magic, then its version). */
static void another_hyperscan(void **state)
{
    (void)state;
    static const uint8_t magic[] = {0xdb, 0xdb, 0xdb, 0xdb};
    struct sek_patterns_writer *w = writer_of(0, 2);
    struct sek_patterns *p;
    struct sek_diag diag = {0};
    size_t size;
    uint8_t *part = part_of(w, &size);
    uint8_t *at = memmem(part, size, magic, sizeof magic);
    assert_non_null(at);
    at[sizeof magic + 3] ^= 1;
    assert_int_equal(sek_patterns_read(part, size, &p, &diag), SEK_E_VERSION);
    assert_non_null(strstr(diag.text, "sekisho list publish --full"));
    free(part);
    sek_patterns_writer_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(what_matches),
        cmocka_unit_test(many),
        cmocka_unit_test(taken_over),
        cmocka_unit_test(damage),
        cmocka_unit_test(another_hyperscan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
