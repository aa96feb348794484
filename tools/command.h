/* SPDX-License-Identifier: BSD-3-Clause */
/* THE table of commands (rows in tools/command.c): dispatch, usage, --help, completion and the
 * manual page are made from it.
 *
 * A new command is one row and one file:
 * 1. tools/command.c (a large family: its command_<family>.h): a row X(id, "words", "ARGUMENTS",
 * "one line", "about", "examples"). Words may be two ("list add"). Arguments: NAME required, [NAME]
 * optional, NAME... any further number; their number is checked before the command runs. A row's
 * place is its place in help and manual.
 * 2. tools/commands/cmd_<id>.c (or the file of its family: cmd_list.c) defines what the row names:
 *        SEK_COMMAND(<id>);
 *        const struct sek_arg sek_cmd_<id>_args[] = {[OPT_X] = {…}, …, {0}};
 *        enum sek_err sek_cmd_<id>(struct sek_context *c);
 *    and is listed in tools/CMakeLists.txt. The function reads c->opt[OPT_X], c->args and c->now_s,
 *    gets the settings from sek_context_conf, prints rows through c->out and notes through
 * sek_talk.
 * 3. tests/cli/cases/<topic>.case: golden output, and its line in the help goldens
 *    (tests/cli/run --update). */
#pragma once
#include "args.h"
#include "context.h"

struct sek_command {
    const char *words; /* "hits", "list add" */
    const char *args;  /* "" or "NAME... [FILE]" */
    const char *help;  /* one line, lower case, no full stop */
    const char *about; /* a few sentences for --help and the manual; "" if the line says it all */
    const char *examples; /* lines "command\tcomment"; "" for none */
    const struct sek_arg *rows;
    enum sek_err (*run)(struct sek_context *c);
};

/* Declares what a row refers to. */
#define SEK_COMMAND(id)                                                                            \
    extern const struct sek_arg sek_cmd_##id##_args[];                                             \
    enum sek_err sek_cmd_##id(struct sek_context *c)

extern const struct sek_command sek_commands[]; /* ends with words NULL */
extern const struct sek_arg sek_global_args[];  /* options of every command */

/* Places of the global options in their values. */
enum {
    SEK_GLOBAL_CONFIG,
    SEK_GLOBAL_FORMAT,
    SEK_GLOBAL_PART,
    SEK_GLOBAL_NO_COLOR,
    SEK_GLOBAL_HELP,
    SEK_GLOBAL_VERSION,
    SEK_N_GLOBALS
};

/* The command that words[0..n) begin with, the longest match; *out_used = words taken by it. NULL
 * when there is none. */
const struct sek_command *sek_command_find(char *const *words, int n, int *out_used);
/* True if some command's words begin with this one ("list"). */
bool sek_command_is_family(const char *word);
/* A text for "unknown command", with the nearest one. SEK_E_INVALID. */
enum sek_err sek_command_unknown(const char *word, struct sek_diag *diag);
/* SEK_E_INVALID, with a text, when n arguments do not fit the row's pattern. */
enum sek_err sek_command_check_args(const struct sek_command *command, char *const *args, int n,
                                    struct sek_diag *diag);
