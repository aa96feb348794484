/* SPDX-License-Identifier: BSD-3-Clause */
#include "command.h"
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

/* X(id, words, arguments, one line, about, examples) — see tools/command.h */
#define COMMANDS(X)                                                                                \
    X(config, "config", "[get KEY]", "print the settings in force, or a sample file",              \
      "Prints the settings in force: the file's values, and the defaults for the rest. The "       \
      "output is a settings file itself. With another --format it is a report that also tells "    \
      "each setting's kind, default and meaning.",                                                 \
      "sekisho config --sample > /etc/sekisho/sekisho.yaml\tbegin a settings file\n"               \
      "sekisho config get answer.ttl\tone value")                                                  \
    X(help, "help", "[COMMAND...]", "help on the command line, or on one command", "", "")         \
    X(completion, "completion", "SHELL [WORD...]", "print a completion script: bash, zsh or fish", \
      "Prints a completion script. SHELL is bash, zsh or fish. The scripts ask sekisho "           \
      "completion words, which prints what may stand in the place of the last WORD.",              \
      "sekisho completion bash > /etc/bash_completion.d/sekisho\tfor all users\n"                  \
      "source <(sekisho completion bash)\tfor this shell only")                                    \
    X(manual, "manual", "", "print the manual page sekisho(8)",                                    \
      "Prints the manual page in roff, made from the table of commands and the table of "          \
      "settings.",                                                                                 \
      "sekisho manual | man -l -\tread it")

#define X(id, words, args, help, about, examples) SEK_COMMAND(id);
COMMANDS(X)
#undef X

const struct sek_command sek_commands[] = {
#define X(id, words, args, help, about, examples)                                                  \
    {words, args, help, about, examples, sek_cmd_##id##_args, sek_cmd_##id},
    COMMANDS(X)
#undef X
        {0}};

const struct sek_arg sek_global_args[] = {
    [SEK_GLOBAL_CONFIG] = {"config", 'c', SEK_ARG_TEXT, "FILE",
                           "settings (else $SEKISHO_CONF, else " SEK_CONF_PATH ")", NULL, 0, 0},
    [SEK_GLOBAL_FORMAT] = {"format", 'f', SEK_ARG_CHOICE, NULL,
                           "how reports are printed; default table", sek_out_format_names, 0, 0},
    [SEK_GLOBAL_NO_COLOR] = {"no-color", 0, SEK_ARG_FLAG, NULL,
                             "no colour; also $NO_COLOR, and when not on a terminal", NULL, 0, 0},
    [SEK_GLOBAL_HELP] = {"help", 'h', SEK_ARG_FLAG, NULL, "help on the command", NULL, 0, 0},
    [SEK_GLOBAL_VERSION] = {"version", 'V', SEK_ARG_FLAG, NULL, "print the version", NULL, 0, 0},
    [SEK_N_GLOBALS] = {0},
};

const struct sek_command *sek_command_find(char *const *words, int n, int *out_used)
{
    const struct sek_command *best = NULL;
    for (const struct sek_command *c = sek_commands; n > 0 && c->words; c++) {
        const char *second = strchr(c->words, ' ');
        size_t first_len = second ? (size_t)(second - c->words) : strlen(c->words);
        if (strlen(words[0]) != first_len || memcmp(words[0], c->words, first_len) != 0)
            continue;
        if (second && (n < 2 || strcmp(words[1], second + 1) != 0))
            continue;
        if (best && !second)
            continue;
        best = c;
        *out_used = second ? 2 : 1;
    }
    return best;
}

bool sek_command_is_family(const char *word)
{
    size_t n = strlen(word);
    for (const struct sek_command *c = sek_commands; c->words; c++)
        if (strncmp(c->words, word, n) == 0 && c->words[n] == ' ')
            return true;
    return false;
}

enum sek_err sek_command_unknown(const char *word, struct sek_diag *diag)
{
    struct sek_nearest near = {.word = word};
    for (const struct sek_command *c = sek_commands; c->words; c++)
        sek_nearest_offer(&near, c->words);
    if (near.best)
        return sek_diag_set(diag, SEK_E_INVALID, "unknown command %.100s; did you mean %s?", word,
                            near.best);
    return sek_diag_set(diag, SEK_E_INVALID, "unknown command %.100s", word);
}

enum sek_err sek_command_check_args(const struct sek_command *command, char *const *args, int n,
                                    struct sek_diag *diag)
{
    int min = 0, max = 0;
    const char *missing = NULL;
    size_t missing_len = 0;
    bool optional = false; /* within brackets, also over several words: "[get KEY]" */
    for (const char *p = command->args; *p;) {
        size_t len = strcspn(p, " ");
        bool many = len > 3 && (memcmp(p + len - 3, "...", 3) == 0 ||
                                (len > 4 && memcmp(p + len - 4, "...]", 4) == 0));
        optional |= *p == '[';
        if (!optional) {
            if (min == n) {
                missing = p;
                missing_len = many ? len - 3 : len;
            }
            min++;
        }
        max = many ? 1000000 : max + 1;
        optional &= p[len - 1] != ']';
        p += len;
        p += strspn(p, " ");
    }
    if (n < min && missing)
        return sek_diag_set(diag, SEK_E_INVALID, "%s: %.*s is missing", command->words,
                            (int)missing_len, missing);
    if (n > max && sek_command_is_family(command->words)) {
        char both[128]; /* "list ad": more likely a wrong command than an argument too many */
        snprintf(both, sizeof both, "%s %.60s", command->words, args[0]);
        return sek_command_unknown(both, diag);
    }
    if (n > max)
        return sek_diag_set(diag, SEK_E_INVALID, "%s: \"%.100s\" is one argument too many",
                            command->words, args[max]);
    return SEK_OK;
}
