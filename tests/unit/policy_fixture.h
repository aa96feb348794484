/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of policy images share: names from text, random names, a folder for files. */
#pragma once
#include "name/name.h"
#include "policy/policy.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "random.h"
#include "seed.h"

static inline void test_name_wire(const uint8_t *wire, size_t size, struct sek_name *out)
{
    assert_int_equal(sek_name_from_wire(wire, size, out), SEK_OK);
}

/* Plain text, no escapes: "www.example", "" = root. */
static inline struct sek_name test_name(const char *text)
{
    uint8_t wire[SEK_NAME_MAX + 1];
    size_t n = 0;
    struct sek_name name;

    while (*text) {
        size_t len = strcspn(text, ".");
        assert_true(len > 0 && len <= SEK_LABEL_MAX && n + len + 2 <= SEK_NAME_MAX);
        wire[n] = (uint8_t)len;
        memcpy(wire + n + 1, text, len);
        n += len + 1;
        text += len + (text[len] == '.');
    }
    wire[n++] = 0;
    test_name_wire(wire, n, &name);
    return name;
}

/* A label of len octets, each `octet`, in front of a name that has room for it. */
static inline void test_name_prepend(struct sek_name *name, unsigned len, uint8_t octet)
{
    uint8_t wire[SEK_NAME_MAX];
    size_t n = name->len;

    assert_true(len > 0 && len <= SEK_LABEL_MAX && n + len + 1 <= SEK_NAME_MAX);
    wire[0] = (uint8_t)len;
    memset(wire + 1, octet, len);
    memcpy(wire + 1 + len, name->octets, n);
    test_name_wire(wire, n + len + 1, name);
}

/* A name of `labels` labels of one octet. */
static inline struct sek_name test_name_of_labels(unsigned labels, uint8_t octet)
{
    struct sek_name name = test_name("");

    while (labels-- > 0)
        test_name_prepend(&name, 1, octet);
    return name;
}

/* 255 octets: labels of 63, 63, 63 and 61. */
static inline struct sek_name test_name_longest(uint8_t octet)
{
    struct sek_name name = test_name("");

    for (int i = 0; i < 3; i++)
        test_name_prepend(&name, 63, octet);
    test_name_prepend(&name, 61, octet);
    assert_int_equal(name.len, SEK_NAME_MAX);
    return name;
}

/* Names that meet each other often: few labels, much nesting; some of any octets and any length. */
static inline struct sek_name test_name_random(uint64_t *state)
{
    static const char *const common[] = {"com", "net", "a", "b", "example", "www", "aa", "ads"};
    struct sek_name name = test_name("");
    unsigned n_labels = (unsigned)(test_random(state) % 6);

    if (test_random(state) % 64 == 0)
        n_labels = 127;
    for (; n_labels > 0; n_labels--) {
        uint8_t wire[SEK_NAME_MAX + SEK_LABEL_MAX + 1];
        uint64_t r = test_random(state);
        unsigned len;
        if (r % 4 != 0) {
            const char *text = common[r / 4 % 8];
            len = (unsigned)strlen(text);
            memcpy(wire + 1, text, len);
        } else {
            len = 1 + (unsigned)(r / 32 % (r / 4 % 8 ? 3 : 63));
            for (unsigned i = 1; i <= len; i++)
                wire[i] = (uint8_t)test_random(state);
        }
        if (name.len + len + 1 > SEK_NAME_MAX)
            break;
        wire[0] = (uint8_t)len;
        memcpy(wire + 1 + len, name.octets, name.len);
        test_name_wire(wire, 1 + len + name.len, &name);
    }
    return name;
}

static inline bool test_name_same(const struct sek_name *a, const struct sek_name *b)
{
    return a->len == b->len && memcmp(a->octets, b->octets, a->len) == 0;
}

static inline struct sek_list test_list(uint16_t id)
{
    struct sek_list list = {
        .id = id, .mode = SEK_MODE_BLOCK, .action = SEK_ACTION_NXDOMAIN, .ede = 15};

    snprintf(list.name, sizeof(list.name), "list-%u", id);
    return list;
}

/* A folder of this test, and a file in it; removed at the end by test_folder_remove. */
static char test_folder[] = "/tmp/sek-test.XXXXXX";

static inline int test_folder_make(void **state)
{
    (void)state;
    return mkdtemp(test_folder) ? 0 : -1;
}

static inline const char *test_path(const char *file)
{
    static char path[4][128];
    static unsigned next;

    next = (next + 1) % 4;
    snprintf(path[next], sizeof(path[next]), "%s/%s", test_folder, file);
    return path[next];
}

static inline int test_folder_remove(void **state)
{
    static const char *const files[] = {SEK_POLICY_IMAGE, SEK_POLICY_DELTA, "other.img"};

    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
        unlink(test_path(files[i]));
    return rmdir(test_folder); /* fails when a temporary file was left behind */
}

static inline void test_ok(enum sek_err err, const struct sek_diag *diag)
{
    if (err != SEK_OK)
        fail_msg("%s: %s", sek_err_text(err), diag->text);
}

static inline void test_file_write(const char *path, const void *data, size_t n)
{
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

/* The caller frees. */
static inline uint8_t *test_file_read(const char *path, size_t *out_n)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data;

    assert_non_null(f);
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    *out_n = (size_t)ftell(f);
    rewind(f);
    data = malloc(*out_n + 1);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, *out_n, f), *out_n);
    fclose(f);
    return data;
}

/* The naive reference: everything ever said, asked by walking all of it. */
struct test_said {
    struct sek_name name;
    struct sek_rule rule; /* scope 0: the name is removed */
};

struct test_reference {
    size_t n;
    struct test_said said[600];
};

/* The rules at a name; false if nothing was said of it. */
static inline bool test_reference_at(const struct test_reference *ref, const struct sek_name *name,
                                     struct sek_rule *out, unsigned *out_n)
{
    bool known = false;

    *out_n = 0;
    for (unsigned list = 1; list < 8; list++)
        for (unsigned scope = 0; scope <= SEK_SCOPE_BELOW; scope++) {
            struct sek_rule *rule = NULL;
            for (size_t i = 0; i < ref->n; i++) {
                const struct test_said *said = &ref->said[i];
                if (!test_name_same(&said->name, name))
                    continue;
                known = true;
                if (said->rule.list != list || said->rule.scope != scope)
                    continue;
                if (!rule) {
                    rule = &out[(*out_n)++];
                    *rule = said->rule;
                    continue;
                }
                rule->action = said->rule.action;
                if (rule->expires_s != 0 &&
                    (said->rule.expires_s == 0 || said->rule.expires_s > rule->expires_s))
                    rule->expires_s = said->rule.expires_s;
            }
        }
    return known;
}

/* Say something random of n random names, to the reference and to a compilation of lists 1..3. */
static inline struct sek_compile *test_reference_fill(struct test_reference *ref, size_t n,
                                                      bool removals, uint64_t *random)
{
    struct sek_compile *c;
    struct sek_diag diag;

    test_ok(sek_compile_new(0, &c, &diag), &diag);
    for (uint16_t id = 1; id <= 3; id++) {
        struct sek_list list = test_list(id);
        test_ok(sek_compile_list(c, &list, &diag), &diag);
    }
    for (ref->n = 0; ref->n < n; ref->n++) {
        struct test_said *said = &ref->said[ref->n];
        uint64_t r = test_random(random);
        said->name = test_name_random(random);
        said->rule = (struct sek_rule){0};
        if (removals && r % 4 == 0) {
            test_ok(sek_compile_removed(c, said->name.octets, said->name.len, &diag), &diag);
            continue;
        }
        said->rule.list = (uint16_t)(1 + r / 4 % 3);
        said->rule.scope = (uint8_t)(1 + r / 16 % 3);
        said->rule.action = (uint8_t)(r / 64 % 8);
        said->rule.expires_s = r / 512 % 2 ? (int64_t)(r / 1024 % 1000) : 0;
        test_ok(sek_compile_rule(c, said->name.octets, said->name.len, &said->rule, &diag), &diag);
    }
    return c;
}

/* A name to ask the reference: one that was said, one below it, one above it, or any. */
static inline struct sek_name test_reference_name(const struct test_reference *ref,
                                                  uint64_t *random)
{
    uint64_t r = test_random(random);
    struct sek_name name = test_name_random(random);

    if (r % 4 == 0 || ref->n == 0)
        return name;
    name = ref->said[r / 16 % ref->n].name;
    if (r % 4 == 1 && name.len + 4 <= SEK_NAME_MAX)
        test_name_prepend(&name, 3, (uint8_t)('a' + r / 4 % 4));
    if (r % 4 == 2 && name.n_labels > 0) {
        struct sek_name child = name;
        sek_name_parent(&child, 1, &name);
    }
    return name;
}
