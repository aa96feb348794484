/* SPDX-License-Identifier: BSD-3-Clause */
/* Which lists have something to say about names. */
#include "tools/command.h"
#include "name/text.h"
#include "verdict/engine.h"
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(list_test);
const struct sek_arg sek_cmd_list_test_args[] = {{0}};

enum { T_NAME, T_LIST, T_RULE, T_ACTION, T_MODE, T_DECIDES, T_BECAUSE, T_COLS };
static const struct sek_col cols[] = {
    [T_NAME] = {"name", "Name", SEK_COL_NAME},
    [T_LIST] = {"list", "List", SEK_COL_TEXT, "none"},
    [T_RULE] = {"rule", "Rule", SEK_COL_NAME},
    [T_ACTION] = {"action", "Action", SEK_COL_TEXT},
    [T_MODE] = {"mode", "Mode", SEK_COL_TEXT},
    [T_DECIDES] = {"decides", "Decides", SEK_COL_FLAG},
    [T_BECAUSE] = {"because", "Because", SEK_COL_TEXT},
};

struct test {
    struct sek_context *c;
    struct sek_engine engine;
    struct sek_name name;
    char text[SEK_NAME_TEXT_MAX];
    bool met, any;
};

static void put_step(void *arg, const struct sek_step *step)
{
    struct test *t = arg;
    struct sek_out *o = t->c->out;
    char rule[SEK_NAME_TEXT_MAX + 2];
    if (!step->rule) /* a group's restriction is no list's */
        return;
    enum sek_scope scope = (enum sek_scope)step->rule->scope;
    if (step->owner)
        sek_rule_to_text(SEK_SCOPE_EXACT, step->owner->octets, rule);
    else if (sek_scope_covers(scope, step->depth))
        sek_rule_to_text(scope, t->name.octets + t->name.offset[step->depth], rule);
    else
        return;
    sek_out_text(o, T_NAME, t->text);
    sek_out_text(o, T_LIST, step->list->name);
    sek_out_text(o, T_RULE, rule);
    sek_out_text(o, T_ACTION, sek_lookup_name(sek_action_names, (int)step->action));
    sek_out_text(o, T_MODE, sek_lookup_name(sek_mode_names, step->list->mode));
    sek_out_flag(o, T_DECIDES, step->decides);
    sek_out_text(o, T_BECAUSE, step->because);
    sek_out_row(o);
    t->met = true;
}

static enum sek_err test_word(void *arg, const char *word, unsigned line)
{
    struct test *t = arg;
    struct sek_verdict verdict;
    struct sek_diag why;
    if (sek_name_from_text(word, strlen(word), &t->name, &why)) {
        if (line)
            return sek_context_usage(t->c, "standard input, line %u: %s", line, why.text);
        return sek_context_usage(t->c, "%s", why.text);
    }
    sek_name_to_text(t->name.octets, t->text);
    t->met = false;
    sek_engine_decide(&t->engine, &t->name, t->c->now_s, SEK_TRIGGER_QNAME, &verdict, put_step, t);
    if (!t->met) {
        sek_out_text(t->c->out, T_NAME, t->text);
        sek_out_row(t->c->out);
    }
    t->any |= t->met;
    return SEK_OK;
}

enum sek_err sek_cmd_list_test(struct sek_context *c)
{
    const struct sek_conf *conf;
    struct sek_policy *policy = NULL;
    struct test t = {.c = c};
    enum sek_err err = sek_context_conf(c, &conf);
    if (!err)
        err = sek_policy_open_mapped(conf->policy.dir, &policy, &c->diag);
    if (err)
        return err;
    t.engine.policy = policy;
    sek_out_begin(c->out, "sekisho.list-test/1", cols, T_COLS, SEK_OUT_ROWS);
    err = sek_context_words(c, 0, test_word, &t);
    struct sek_diag end;
    enum sek_err end_err = sek_out_end(c->out, err ? &end : &c->diag);
    sek_policy_close(policy);
    if (!err && !end_err && !t.any)
        c->exit = SEK_EXIT_USAGE; /* no list knows any of them */
    return err ? err : end_err;
}
