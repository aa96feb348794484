/* SPDX-License-Identifier: BSD-3-Clause */
#include "command.h"
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

/* X(id, words, arguments, one line, about, examples) — see tools/command.h */
#define COMMANDS(X)                                                                                \
    X(status, "status", "", "show the resolver, its policy and its database at a glance",          \
      "Shows whether the resolver runs, which policy is in force, how much is stored, what was "   \
      "lost, and the last troubles. When the resolver does not run it shows what the files tell, " \
      "and the exit status is 3.",                                                                 \
      "sekisho status\tis everything well?\nsekisho status -f json | jq .rows[0].leaked\tone "     \
      "figure, for monitoring")                                                                    \
    X(check, "check", "", "examine settings, policy, databases and installation",                  \
      "Examines everything that the module needs, with the code that the module itself uses: "     \
      "settings, policy, databases; then whether Unbound can load the module, whether the module " \
      "is built for that Unbound, whether the resolver's user may read and write what it must "    \
      "and no more, and whether AppArmor is in the way. One line a finding; the exit status is 1 " \
      "if any failed.",                                                                            \
      "sudo sekisho check\tall of it\n"                                                            \
      "sekisho check --settings-only\tbefore a new settings file is used\n"                        \
      "sekisho check --unbound /opt/unbound/sbin/unbound --unbound-conf "                          \
      "/opt/unbound/unbound.conf\tanother Unbound")                                                \
    X(explain, "explain", "NAME", "show how a name is judged, and why",                            \
      "Shows the name as the resolver sees it, each rule that it meets with the reason why that "  \
      "rule does or does not decide, who added it and until when, and what the answer will look "  \
      "like. The walk is made by the very function that the resolver calls.",                      \
      "sekisho explain www.example.com\twhy is it blocked?\n"                                      \
      "sekisho explain www.example.com --client 192.0.2.7 --type AAAA\tas that endpoint asks")     \
    X(hits, "hits", "", "show queries that met a rule, newest first",                              \
      "Shows what the policy met: who asked for which name, when, how often in that minute, and "  \
      "what was done. Filters may be combined. With --group the hits are summed up instead.",      \
      "sekisho hits --since 1h --blocked\tthe last hour\n"                                         \
      "sekisho hits -e 192.0.2.7 -n evil.example\tone endpoint and a name with all below it\n"     \
      "sekisho hits --since today --group endpoint\twho met rules today, most first\n"             \
      "sekisho hits --id 5d0c1a9e\tthe id that a user read to the help desk\n"                     \
      "sekisho hits --since 7d --limit 0 -f csv > week.csv\tfor a spreadsheet")                    \
    X(tail, "tail", "", "follow new hits as they come",                                            \
      "Shows the last hits, then each new one, until interrupted. A hit that repeats within a "    \
      "minute shows once.",                                                                        \
      "sekisho tail --blocked\tfollow what is blocked\n"                                           \
      "sekisho tail -f jsonl --lines 0 | logger -t sekisho\tpass new hits on")                     \
    X(stats, "stats", "", "show counts of all queries",                                            \
      "Counts all queries by their outcome: answered from the cache, resolved, nonexistent, "      \
      "failed, answered by local data, or hits.",                                                  \
      "sekisho stats --since 1h --by endpoint\twho asked most\n"                                   \
      "sekisho stats -e 192.0.2.7 --by domain\twhat an endpoint asked for")                        \
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
                           "settings (else $SEKISHO_CONF, else " SEK_CONF_PATH ")"},
    [SEK_GLOBAL_FORMAT] = {"format", 'f', SEK_ARG_CHOICE, NULL,
                           "how reports are printed; default table", sek_out_format_names},
    [SEK_GLOBAL_NO_COLOR] = {"no-color", 0, SEK_ARG_FLAG, NULL,
                             "no colour; also $NO_COLOR, and when not on a terminal"},
    [SEK_GLOBAL_HELP] = {"help", 'h', SEK_ARG_FLAG, NULL, "help on the command"},
    [SEK_GLOBAL_VERSION] = {"version", 'V', SEK_ARG_FLAG, NULL, "print the version"},
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
