/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/file.h"
#include "tools/caller.h"
#include "tools/command.h"
#include "tools/change/supply.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/banned.h"

SEK_COMMAND(list_import);

enum {
    OPT_AS,
    OPT_APPEND,
    OPT_FORCE,
    OPT_DRY_RUN,
    OPT_MODE,
    OPT_ACTION,
    OPT_VERBOSE,
    OPT_REASON,
    N_OPTS
};
const struct sek_arg sek_cmd_list_import_args[] = {
    [OPT_AS] = {"as", 0, SEK_ARG_CHOICE, NULL, "format of the input; default: found out",
                sek_format_names},
    [OPT_APPEND] = {"append", 0, SEK_ARG_FLAG, NULL,
                    "keep the names that the input does not have, and what ends by itself"},
    [OPT_FORCE] =
        {"force", 0, SEK_ARG_FLAG, NULL,
         "also when it is truncated, mostly unreadable, or shrinks the list a lot; public "
         "suffixes too"},
    [OPT_DRY_RUN] = {"dry-run", 'n', SEK_ARG_FLAG, NULL, "print what would change, write nothing"},
    [OPT_MODE] = {"mode", 'm', SEK_ARG_CHOICE, NULL, "the list's mode; block for a new one",
                  sek_mode_names},
    [OPT_ACTION] = {"action", 'a', SEK_ARG_CHOICE, NULL,
                    "the list's action; sinkhole for a new one", sek_action_names},
    [OPT_VERBOSE] = {"verbose", 'v', SEK_ARG_FLAG, NULL,
                     "every line that was skipped, not only 20"},
    [OPT_REASON] = SEK_REASON_ROW,
    [N_OPTS] = {0},
};

/* The input, and what it is called. */
static enum sek_err input_open(struct sek_supply *s, int *out_fd)
{
    const char *path = s->c->n_args > 1 ? s->c->args[1] : "-";
    if (strcmp(path, "-") == 0) {
        if (isatty(STDIN_FILENO))
            sek_talk("reading names from the terminal; end with Ctrl-D");
        s->label = "standard input";
        snprintf(s->source, sizeof s->source, "%s", s->label);
        *out_fd = STDIN_FILENO;
        return SEK_OK;
    }
    s->label = s->path = path;
    sek_caller_begin();
    char *absolute = realpath(path, NULL);
    enum sek_err err = sek_file_open_regular(path, out_fd, &s->c->diag);
    sek_caller_end();
    snprintf(s->source, sizeof s->source, "%s", absolute ? absolute : path);
    free(absolute);
    return err;
}

static enum sek_err import(struct sek_supply *s)
{
    int fd = -1;
    enum sek_err err = input_open(s, &fd);
    if (!err)
        err = sek_supply_read(s, fd);
    if (fd >= 0 && fd != STDIN_FILENO)
        close(fd);
    if (!err)
        err = sek_change_start(s->change);
    if (!err)
        err = sek_supply_store(s);
    if (err)
        return err;
    sek_supply_tell(s);
    return sek_change_end(s->change);
}

enum sek_err sek_cmd_list_import(struct sek_context *c)
{
    const struct sek_arg_value *o = c->opt;
    struct sek_change change;
    struct sek_supply s = {
        .change = &change,
        .c = c,
        .list = c->args[0],
        .format = o[OPT_AS].given ? (enum sek_format)o[OPT_AS].number : SEK_FORMAT_AUTO,
        .append = o[OPT_APPEND].given,
        .force = o[OPT_FORCE].given,
        .verbose = o[OPT_VERBOSE].given,
        .mode = o[OPT_MODE].given ? (int)o[OPT_MODE].number : -1,
        .action = o[OPT_ACTION].given ? (int)o[OPT_ACTION].number : -1,
    };
    enum sek_err err = sek_change_open(&change, c, o[OPT_DRY_RUN].given);
    if (!err)
        err = import(&s);
    return sek_change_fini(&change, err);
}
