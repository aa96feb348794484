/* SPDX-License-Identifier: BSD-3-Clause */
/* Completion: small scripts for the shells, which ask `sekisho completion words` at each use, so
 * that what they offer is the table of commands itself. */
#include "tools/command.h"
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(completion);
const struct sek_arg sek_cmd_completion_args[] = {{0}};

static const char bash_script[] =
    "# bash completion for sekisho; printed by: sekisho completion bash\n"
    "_sekisho()\n"
    "{\n"
    "    local found\n"
    "    mapfile -t found < <(\"$1\" completion words -- \"${COMP_WORDS[@]:1:COMP_CWORD}\" "
    "2>/dev/null)\n"
    "    if [[ ${found[0]} == :file ]]; then\n"
    "        compopt -o filenames\n"
    "        mapfile -t found < <(compgen -f -- \"$2\")\n"
    "    fi\n"
    "    COMPREPLY=(\"${found[@]}\")\n"
    "}\n"
    "complete -F _sekisho sekisho\n";

static const char zsh_script[] =
    "#compdef sekisho\n"
    "# zsh completion for sekisho; printed by: sekisho completion zsh\n"
    "_sekisho()\n"
    "{\n"
    "    local -a found\n"
    "    found=(\"${(@f)$(sekisho completion words -- \"${(@)words[2,CURRENT]}\" 2>/dev/null)}\")\n"
    "    if [[ ${found[1]} == :file ]]; then\n"
    "        _files\n"
    "    else\n"
    "        compadd -- ${found:#}\n"
    "    fi\n"
    "}\n"
    "compdef _sekisho sekisho\n";

static const char fish_script[] =
    "# fish completion for sekisho; printed by: sekisho completion fish\n"
    "function __sekisho_words\n"
    "    set -l before (commandline -opc)\n"
    "    set -l found (sekisho completion words -- $before[2..-1] (commandline -ct) 2>/dev/null)\n"
    "    if test \"$found[1]\" = :file\n"
    "        __fish_complete_path (commandline -ct)\n"
    "    else\n"
    "        string join -- \\n $found\n"
    "    end\n"
    "end\n"
    "complete -c sekisho -f -a '(__sekisho_words)'\n";

/* What the shell has of the command line: all words, the last one unfinished. */
struct line {
    const struct sek_command *command;
    const struct sek_arg *pending; /* the last word is this option's value */
    const char *first;             /* first word, while no command is found */
    unsigned n_args;
};

static const struct sek_arg *find_row(const struct sek_arg *rows, const char *word)
{
    for (unsigned i = 0; i < sek_args_count(rows); i++) {
        bool is_long = word[1] == '-' && strcmp(word + 2, rows[i].name) == 0;
        if (is_long || (word[1] && word[1] == rows[i].letter && !word[2]))
            return &rows[i];
    }
    return NULL;
}

static void read_line(char *const *words, int n, struct line *l)
{
    for (int i = 0; i + 1 < n; i++) {
        if (words[i][0] == '-' && words[i][1]) {
            const struct sek_arg *row = find_row(sek_global_args, words[i]);
            if (!row && l->command)
                row = find_row(l->command->rows, words[i]);
            if (row && row->kind != SEK_ARG_FLAG && ++i + 1 == n)
                l->pending = row;
            continue;
        }
        char *pair[2] = {(char *)(l->first ? l->first : words[i]), words[i]};
        int used = 0;
        const struct sek_command *c = sek_command_find(pair, l->first ? 2 : 1, &used);
        if (c && (!l->first || (l->n_args == 0 && used == 2)))
            l->command = c;
        else if (l->first)
            l->n_args++;
        if (!l->first)
            l->first = words[i];
    }
}

static void offer(const char *prefix, const char *word, size_t len)
{
    size_t n = strlen(prefix);
    if (len >= n && memcmp(word, prefix, n) == 0)
        printf("%.*s\n", (int)len, word);
}

static void offer_options(const char *prefix, const struct sek_arg *rows)
{
    for (unsigned i = 0; i < sek_args_count(rows); i++) {
        char word[64];
        snprintf(word, sizeof word, "--%s", rows[i].name);
        offer(prefix, word, strlen(word));
    }
}

/* First words, each once (rows of a family stand together); or the second words of a family. */
static void offer_commands(const char *prefix, const char *family)
{
    const char *last = "";
    for (const struct sek_command *c = sek_commands; c->words; c++) {
        size_t first = strcspn(c->words, " ");
        bool same = strlen(last) >= first && strncmp(last, c->words, first) == 0 &&
                    strcspn(last, " ") == first;
        if (!family && !same)
            offer(prefix, c->words, first);
        if (family && strlen(family) == first && strncmp(family, c->words, first) == 0 &&
            c->words[first])
            offer(prefix, c->words + first + 1, strlen(c->words + first + 1));
        last = c->words;
    }
}

static void offer_value(const char *prefix, const struct sek_arg *row)
{
    if (row->kind == SEK_ARG_CHOICE)
        for (const struct sek_lookup *w = row->choices; w->name; w++)
            offer(prefix, w->name, strlen(w->name));
    else if (row->value && strcmp(row->value, "FILE") == 0)
        puts(":file");
}

static void complete(char *const *words, int n)
{
    struct line l = {0};
    const char *prefix = n > 0 ? words[n - 1] : "";
    read_line(words, n, &l);
    if (l.pending) {
        offer_value(prefix, l.pending);
    } else if (prefix[0] == '-') {
        if (l.command)
            offer_options(prefix, l.command->rows);
        offer_options(prefix, sek_global_args);
    } else if (!l.first) {
        offer_commands(prefix, NULL);
    } else {
        if (l.n_args == 0)
            offer_commands(prefix, l.first);
        if (l.command && strcmp(l.command->words, "help") == 0)
            offer_commands(prefix, NULL);
        else if (l.command && strstr(l.command->args, "FILE"))
            puts(":file");
    }
}

enum sek_err sek_cmd_completion(struct sek_context *c)
{
    const char *shell = c->args[0];
    if (strcmp(shell, "words") == 0)
        complete(c->args + 1, c->n_args - 1);
    else if (c->n_args > 1)
        return sek_context_usage(c, "\"%.100s\" is one argument too many", c->args[1]);
    else if (strcmp(shell, "bash") == 0)
        fputs(bash_script, stdout);
    else if (strcmp(shell, "zsh") == 0)
        fputs(zsh_script, stdout);
    else if (strcmp(shell, "fish") == 0)
        fputs(fish_script, stdout);
    else
        return sek_context_usage(c, "no completion for \"%.100s\"; there are: bash, zsh, fish",
                                 shell);
    return SEK_OK;
}
