/* SPDX-License-Identifier: BSD-3-Clause */
/* Real compiled policies of a few lists and rules in text, for the tests of the engine. */
#pragma once
#include "name/text.h"
#include "policy/compile.h"
#include "policy/override.h"
#include "policy/terms_write.h"
#include "verdict/engine.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define NOW 1000000

static char dir[] = "/tmp/sek-engine-XXXXXX";

static inline int setup(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static inline int teardown(void **state)
{
    (void)state;
    char path[64];
    snprintf(path, sizeof path, "%s/%s", dir, SEK_POLICY_IMAGE);
    unlink(path);
    return rmdir(dir);
}

/* Lists that the cases use by number. */
static const struct sek_list lists[] = {
    {.id = 1, .mode = SEK_MODE_BLOCK, .action = SEK_ACTION_SINKHOLE, .ede = 15, .name = "block"},
    {.id = 2, .mode = SEK_MODE_BLOCK, .action = SEK_ACTION_PASSTHRU, .name = "allow"},
    {.id = 3, .mode = SEK_MODE_MONITOR, .action = SEK_ACTION_NXDOMAIN, .name = "monitor"},
    {.id = 4, .mode = SEK_MODE_OFF, .action = SEK_ACTION_NXDOMAIN, .name = "off"},
    {.id = 5, .mode = SEK_MODE_BLOCK, .action = SEK_ACTION_LOG, .name = "log"},
    {.id = 6,
     .mode = SEK_MODE_BLOCK,
     .action = SEK_ACTION_NODATA,
     .priority = 10,
     .ede = 17,
     .name = "prior"},
    {.id = 7, .mode = SEK_MODE_MONITOR, .action = SEK_ACTION_PASSTHRU, .name = "monitored-allow"},
};
#define N_LISTS (sizeof lists / sizeof lists[0])

struct text_rule {
    uint16_t list;
    const char *rule; /* list notation */
    int64_t expires_s;
    enum sek_action action;
    const char *terms; /* NULL: none */
};

/* What overrides the rules of a list; NULL: nothing. */
static const char *overrides[N_LISTS];
/* Which of the lists are policy zones. */
static bool zones[N_LISTS];

static inline struct sek_name name_of(const char *text)
{
    struct sek_name name;
    assert_int_equal(sek_name_from_text(text, strlen(text), &name, NULL), SEK_OK);
    return name;
}

static inline void rule_add(struct sek_compile *c, const struct text_rule *r)
{
    enum sek_scope scope;
    struct sek_name name;
    assert_int_equal(sek_rule_from_text(r->rule, strlen(r->rule), &scope, &name, NULL), SEK_OK);
    struct sek_rule rule = {.list = r->list,
                            .scope = (uint8_t)scope,
                            .action = (uint8_t)r->action,
                            .expires_s = r->expires_s};
    uint32_t number = 0;
    if (r->terms)
        assert_int_equal(
            sek_terms_writer_add(sek_compile_terms(c), r->terms, strlen(r->terms), &number, NULL),
            SEK_OK);
    rule.terms = number & SEK_TERMS_MAX;
    assert_int_equal(sek_compile_rule(c, name.octets, name.len, &rule, NULL), SEK_OK);
}

static inline struct sek_policy *policy_of(const struct text_rule *rules, size_t n)
{
    struct sek_compile *c;
    struct sek_diag diag = {0};
    char path[64];
    assert_int_equal(sek_compile_new(0, &c, &diag), SEK_OK);
    for (size_t i = N_LISTS; i-- > 0;) {
        struct sek_override_spec spec;
        assert_int_equal(sek_compile_list(c, &lists[i], &diag), SEK_OK);
        if (overrides[i] && sek_override_from_text(overrides[i], &spec, &diag))
            fail_msg("override: %s", diag.text);
        if ((overrides[i] || zones[i]) &&
            sek_compile_override(c, lists[i].id, overrides[i] ? &spec : NULL, zones[i], &diag))
            fail_msg("override: %s", diag.text);
    }
    for (size_t i = 0; i < n; i++)
        rule_add(c, &rules[i]);
    snprintf(path, sizeof path, "%s/%s", dir, SEK_POLICY_IMAGE);
    struct sek_image_info info = {.generation = 7};
    if (sek_compile_write(c, path, &info, NULL, NULL, &diag) != SEK_OK)
        fail_msg("compile: %s", diag.text);
    sek_compile_free(c);
    struct sek_policy *p;
    if (sek_policy_open(dir, &p, &diag) != SEK_OK)
        fail_msg("open: %s", diag.text);
    return p;
}

/* NOW is a Monday, 13:46:40 UTC. */
#define NOW_TEXT "1970-01-12T13:46:40Z"
#define LATER_TEXT "1970-01-12T13:46:41Z"
