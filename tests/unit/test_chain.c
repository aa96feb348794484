/* SPDX-License-Identifier: BSD-3-Clause */
/* A question and the names on the way to its answer, against a policy of every mode. */
#include "name/text.h"
#include "policy/about.h"
#include "policy/compile.h"
#include "policy/nets_write.h"
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

/* Also on list "block". */
static const char *const carried[] = {"response-ip:198.51.100.0/24",
                                      "response-ip:2001:db8:bad::/48", "nsip:198.51.101.0/24",
                                      "nsdname:servers"};

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
    for (size_t i = 0; i < sizeof carried / sizeof *carried; i++) {
        struct sek_rule rule = {.list = 1};
        struct sek_name name;
        enum sek_scope scope;
        assert_int_equal(sek_rule_from_text(carried[i], strlen(carried[i]), &scope, &name, NULL),
                         SEK_OK);
        rule.scope = (uint8_t)scope;
        assert_int_equal(sek_nets_writer_add(sek_compile_nets(c), &name, &rule, NULL), SEK_OK);
        if (!sek_about_is_net(sek_about_of(&name)))
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
        const struct sek_matched *matched = sek_chain_matched(&chain);
        assert_int_equal(matched != NULL, chain.verdict.trigger == SEK_TRIGGER_CNAME);
    }
}

/* The hit says which address, or which server, met the rule. */
static void test_what_met(void **state)
{
    (void)state;
    static const struct {
        enum sek_trigger trigger;
        const char *address, *server; /* one of them */
        const char *matched, *owner;  /* "": above the matched one */
    } cases[] = {
        {SEK_TRIGGER_RESPONSE_IP, "198.51.100.7", NULL, "32.7.100.51.198.rpz-ip",
         "24.0.100.51.198.rpz-ip"},
        {SEK_TRIGGER_RESPONSE_IP, "2001:db8:bad::5", NULL, "128.5.zz.bad.db8.2001.rpz-ip",
         "48.zz.bad.db8.2001.rpz-ip"},
        {SEK_TRIGGER_NSIP, "198.51.101.53", NULL, "32.53.101.51.198.rpz-nsip",
         "24.0.101.51.198.rpz-nsip"},
        {SEK_TRIGGER_NSDNAME, NULL, "ns1.servers", "ns1.servers.rpz-nsdname", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sek_chain chain;
        struct sek_name name, server;
        struct sek_addr addr;
        struct sek_event e = {.n_addrs = 0};
        char matched[SEK_NAME_TEXT_MAX], owner[SEK_NAME_TEXT_MAX] = "";
        assert_int_equal(sek_name_from_text("free", 4, &name, NULL), SEK_OK);
        sek_chain_begin(&chain, rt, 0, &(struct sek_asking){.qtype = 1}, &name, 1);
        if (cases[i].server) {
            assert_int_equal(
                sek_name_from_text(cases[i].server, strlen(cases[i].server), &server, NULL),
                SEK_OK);
            assert_false(sek_chain_server(&chain, &server));
        } else {
            assert_int_equal(sek_addr_from_text(cases[i].address, &addr, NULL), SEK_OK);
            assert_false(sek_chain_address(&chain, cases[i].trigger, &addr));
        }
        assert_int_equal(chain.verdict.trigger, cases[i].trigger);
        e.name_len = name.len;
        memcpy(e.names, name.octets, name.len);
        sek_chain_set_hit(rt, 0, &chain.verdict, sek_chain_matched(&chain), &e);
        sek_name_to_text(e.names + e.name_len, matched);
        if (e.owner_len)
            sek_name_to_text(e.names + e.name_len + e.matched_len, owner);
        assert_string_equal(matched, cases[i].matched);
        assert_string_equal(owner, cases[i].owner);
        assert_int_equal(e.size, sek_event_size(sek_event_names_len(&e), 0));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_who_decides),
                                       cmocka_unit_test(test_what_met)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
