/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/command.h"
#include "tools/help.h"
#include "base/banned.h"

SEK_COMMAND(help);
const struct sek_arg sek_cmd_help_args[] = {{0}};

enum sek_err sek_cmd_help(struct sek_context *c)
{
    int used = 0;
    if (c->n_args == 0) {
        sek_help_all(stdout);
        return SEK_OK;
    }
    const struct sek_command *command = sek_command_find(c->args, c->n_args, &used);
    if (command && used == c->n_args)
        sek_help_command(stdout, command);
    else if (c->n_args == 1 && sek_command_is_family(c->args[0]))
        sek_help_family(stdout, c->args[0]);
    else {
        c->exit = SEK_EXIT_USAGE;
        return sek_command_unknown(c->args[0], &c->diag);
    }
    return SEK_OK;
}
