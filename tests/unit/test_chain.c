/* SPDX-License-Identifier: BSD-3-Clause */
/* A question and the names on the way to its answer, against a policy of every mode. */
#include "name/text.h"
#include "policy/compile.h"
#include "policy/policy.h"
#include "runtime/chain.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static char dir[] = "/tmp/sek-chain-XXXXXX";
static struct sek_runtime *rt;

/* One list a mode; the only name in it is called like the list. */
static const struct sek_list lists[] = {
    {.id = 1, .mode = SEK_MODE_BLOCK, .action = SEK_ACTION_NXDOMAIN, .name = "block"},
    {.id = 2, .mode = SEK_MODE_MONITOR, .action = SEK_ACTION_NXDOMAIN, .name = "monitor"},
    {.id = 3, .mode = SEK_MODE_BLOCK, .action = SEK_ACTION_LOG, .name = "log"},
    {.id = 4, .mode = SEK_MODE_BLOCK, .action = SEK_ACTION_PASSTHRU, .name = "exempt"},
};

static void publish(void)
{
    struct sek_compile *c;
    struct sek_image_info info = {.generation = 1};
    char path[80];
    snprintf(path, sizeof path, "%s/%s", dir, SEK_POLICY_IMAGE);
    assert_int_equal(sek_compile_new(0, &c, NULL), SEK_OK);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        const struct sek_rule rule = {.list = lists[i].id, .scope = SEK_SCOPE_EXACT};
        struct sek_name name;
        assert_int_equal(sek_compile_list(c, &lists[i], NULL), SEK_OK);
        assert_int_equal(sek_name_from_text(lists[i].name, strlen(lists[i].name), &name, NULL),
                         SEK_OK);
        assert_int_equal(sek_compile_rule(c, name.octets, name.len, &rule, NULL), SEK_OK);
    }
    assert_int_equal(sek_compile_write(c, path, &info, NULL, NULL, NULL), SEK_OK);
    sek_compile_free(c);
}

static int setup(void **state)
{
    (void)state;
    char text[400];
    struct sek_conf conf;
    const struct sek_runtime_hooks hooks = {0};
    if (!mkdtemp(dir))
        return -1;
    publish();
    snprintf(text, sizeof text,
             "policy:\n  dir: %s\n  db: %s/p.db\nevents:\n  db: %s/e.db\nstatus:\n  path: %s/s\n",
             dir, dir, dir, dir);
    return sek_conf_parse(text, strlen(text), "test", &conf, NULL) ||
           sek_runtime_start(&conf, 1, "test", &hooks, &rt, NULL);
}

static int teardown(void **state)
{
    (void)state;
    char command[80];
    sek_runtime_stop(rt);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

static void test_who_decides(void **state)
{
    (void)state;
    /* names of the chain, the question first; the one that decides ("" none), and the judgement */
    static const struct {
        const char *names[4], *decides;
        enum sek_judgement judgement;
    } cases[] = {
        {{"free"}, "", SEK_JUDGED_OPEN},
        {{"block"}, "block", SEK_JUDGED_BLOCKED},
        {{"free", "block"}, "block", SEK_JUDGED_BLOCKED},
        {{"free", "free", "block"}, "block", SEK_JUDGED_BLOCKED},
        {{"monitor", "block"}, "block", SEK_JUDGED_BLOCKED},
        {{"free", "monitor", "block"}, "block", SEK_JUDGED_BLOCKED},
        {{"free", "log", "monitor"}, "log", SEK_JUDGED_OPEN},
        {{"monitor", "monitor"}, "monitor", SEK_JUDGED_OPEN},
        {{"monitor", "log"}, "monitor", SEK_JUDGED_OPEN},
        {{"exempt", "block"}, "exempt", SEK_JUDGED_EXEMPT},
        {{"free", "exempt", "block"}, "block", SEK_JUDGED_BLOCKED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sek_chain chain;
        enum sek_judgement judgement = SEK_JUDGED_OPEN;
        const char *const *names = cases[i].names;
        for (unsigned n = 0; n < 4 && names[n] && judgement == SEK_JUDGED_OPEN; n++) {
            struct sek_name name;
            assert_int_equal(sek_name_from_text(names[n], strlen(names[n]), &name, NULL), SEK_OK);
            if (n == 0)
                judgement =
                    sek_chain_begin(&chain, rt, 0, &(struct sek_asking){.qtype = 1}, &name, 1);
            else if (!sek_chain_next(&chain, &name))
                judgement = sek_judgement_of(&chain.verdict);
        }
        if (judgement != cases[i].judgement ||
            strcmp(chain.verdict.list_name, cases[i].decides) != 0)
            fail_msg("case %zu: judgement %d by \"%s\"", i, judgement, chain.verdict.list_name);
        const struct sek_name *matched = sek_chain_matched(&chain);
        assert_int_equal(matched != NULL, chain.verdict.trigger == SEK_TRIGGER_CNAME);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_who_decides)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
