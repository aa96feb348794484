/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/command.h"
#include "base/buf.h"
#include "conf/options.h"
#include "tools/print/safe.h"
#include "tools/sudoers.h"
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(config);

enum { OPT_SHOW, OPT_SAMPLE, OPT_SUDOERS, N_OPTS };
const struct sek_arg sek_cmd_config_args[] = {
    [OPT_SHOW] = {"show", 0, SEK_ARG_FLAG, NULL, "the settings in force, as a file (the default)"},
    [OPT_SAMPLE] = {"sample", 0, SEK_ARG_FLAG, NULL, "a commented file with the defaults"},
    [OPT_SUDOERS] = {"sudoers", 0, SEK_ARG_FLAG, NULL,
                     "what the groups of roles.* may run, as a file for sudo(8)"},
    [N_OPTS] = {0},
};

static const struct sek_lookup kind_names[] = {
    {SEK_OPT_UINT, "number"},        {SEK_OPT_SIZE, "size"},
    {SEK_OPT_DURATION, "duration"},  {SEK_OPT_BOOL, "yes/no"},
    {SEK_OPT_TEXT, "text"},          {SEK_OPT_PATH, "path"},
    {SEK_OPT_ADDR4, "IPv4 address"}, {SEK_OPT_ADDR6, "IPv6 address"},
    {SEK_OPT_NAMES, "names"},        {SEK_OPT_REAL, "number"},
    {SEK_OPT_CHOICE, "word"},        {0, NULL}};

static enum sek_err get(struct sek_context *c, const struct sek_conf *conf, const char *key)
{
    struct sek_buf text;
    sek_buf_init(&text, 0);
    enum sek_err e = sek_conf_get(conf, key, &text);
    if (e) {
        struct sek_nearest near = {.word = key};
        for (const struct sek_option *o = sek_options; o->key; o++)
            sek_nearest_offer(&near, o->key);
        e = sek_context_usage(c, "no setting %.100s%s%s%s", key, near.best ? "; did you mean " : "",
                              near.best ? near.best : "", near.best ? "?" : "");
    } else {
        struct sek_buf safe;
        sek_buf_init(&safe, 0);
        sek_safe_add(&safe, text.data ? text.data : "");
        puts(safe.data ? safe.data : "");
        sek_buf_fini(&safe);
    }
    sek_buf_fini(&text);
    return e;
}

/* The file itself; its own printer quotes what YAML needs quoted. */
static enum sek_err print_file(struct sek_context *c, const struct sek_conf *conf, bool sample)
{
    struct sek_buf text;
    sek_buf_init(&text, 0);
    sek_conf_print(conf, sample, &text);
    enum sek_err e = text.failed ? sek_diag_set(&c->diag, SEK_E_NOMEM, "out of memory") : SEK_OK;
    if (!e && text.data)
        fputs(text.data, stdout);
    sek_buf_fini(&text);
    return e;
}

static enum sek_err sample(struct sek_context *c)
{
    struct sek_conf conf;
    enum sek_err e = sek_conf_init(&conf, &c->diag);
    if (e)
        return e;
    e = print_file(c, &conf, true);
    sek_conf_fini(&conf);
    return e;
}

static enum sek_err sudoers(struct sek_context *c, const struct sek_conf *conf)
{
    struct sek_buf text;
    sek_buf_init(&text, 0);
    sek_sudoers_print(conf, &text);
    enum sek_err e = text.failed ? sek_diag_set(&c->diag, SEK_E_NOMEM, "out of memory") : SEK_OK;
    if (!e)
        fputs(text.data, stdout);
    sek_buf_fini(&text);
    return e;
}

static enum sek_err report(struct sek_context *c, const struct sek_conf *conf)
{
    enum { KEY, VALUE, DEFAULT, KIND, UNIT, HELP, N };
    static const struct sek_col cols[] = {
        [KEY] = {"key", "Setting", SEK_COL_TEXT},
        [VALUE] = {"value", "Value", SEK_COL_TEXT},
        [DEFAULT] = {"default", "Default", SEK_COL_TEXT},
        [KIND] = {"kind", "Kind", SEK_COL_TEXT},
        [UNIT] = {"unit", "Unit", SEK_COL_TEXT},
        [HELP] = {"help", "Help", SEK_COL_TEXT},
    };
    sek_out_begin(c->out, "sekisho.config/1", cols, N, SEK_OUT_ROWS);
    for (const struct sek_option *o = sek_options; o->key; o++) {
        struct sek_buf value;
        sek_buf_init(&value, 0);
        sek_conf_get(conf, o->key, &value);
        sek_out_text(c->out, KEY, o->key);
        sek_out_text(c->out, VALUE, value.data ? value.data : "");
        sek_out_text(c->out, DEFAULT, o->fallback);
        sek_out_text(c->out, KIND, sek_lookup_name(kind_names, (int)o->kind));
        sek_out_text(c->out, UNIT, o->unit);
        sek_out_text(c->out, HELP, o->help);
        sek_buf_fini(&value);
        if (!sek_out_row(c->out))
            break;
    }
    return sek_out_end(c->out, &c->diag);
}

enum sek_err sek_cmd_config(struct sek_context *c)
{
    const struct sek_conf *conf;
    bool get_one = c->n_args > 0 && strcmp(c->args[0], "get") == 0;
    if ((c->n_args > 0 && !get_one) || c->n_args == 1)
        return sek_context_usage(c, "config takes no argument, or: get KEY");
    if (get_one + c->opt[OPT_SHOW].given + c->opt[OPT_SAMPLE].given + c->opt[OPT_SUDOERS].given > 1)
        return sek_context_usage(c, "choose one of --show, --sample, --sudoers and get KEY");
    if (c->opt[OPT_SAMPLE].given)
        return sample(c);
    enum sek_err e = sek_context_conf(c, &conf);
    if (e)
        return e;
    if (get_one)
        return get(c, conf, c->args[1]);
    if (c->opt[OPT_SUDOERS].given)
        return sudoers(c, conf);
    if (sek_out_format(c->out) == SEK_OUT_TABLE || c->opt[OPT_SHOW].given)
        return print_file(c, conf, false);
    return report(c, conf);
}
