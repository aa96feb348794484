/* SPDX-License-Identifier: BSD-3-Clause */
#include "help.h"
#include <string.h>
#include "base/banned.h"

#define WRAP 92 /* columns of running text */

const char *sek_help_option(const struct sek_arg *row, char *out, size_t size)
{
    int n = row->letter ? snprintf(out, size, "-%c, --%s", row->letter, row->name)
                        : snprintf(out, size, "    --%s", row->name);
    size_t at = n > 0 ? (size_t)n : 0;
    if (row->kind == SEK_ARG_FLAG || at >= size)
        return out;
    if (row->kind != SEK_ARG_CHOICE) {
        snprintf(out + at, size - at, " %s", row->value ? row->value : "VALUE");
        return out;
    }
    for (const struct sek_lookup *c = row->choices; c->name && at < size; c++) {
        n = snprintf(out + at, size - at, "%c%s", c == row->choices ? ' ' : '|', c->name);
        at += n > 0 ? (size_t)n : 0;
    }
    return out;
}

static void options(FILE *f, const struct sek_arg *rows)
{
    size_t widest = 0;
    char text[160];
    for (unsigned i = 0; i < sek_args_count(rows); i++) {
        size_t n = strlen(sek_help_option(&rows[i], text, sizeof text));
        widest = n > widest && n <= 32 ? n : widest;
    }
    for (unsigned i = 0; i < sek_args_count(rows); i++) {
        size_t n = strlen(sek_help_option(&rows[i], text, sizeof text));
        if (n > widest)
            fprintf(f, "  %s\n  %*s  %s\n", text, (int)widest, "", rows[i].help);
        else
            fprintf(f, "  %-*s  %s\n", (int)widest, text, rows[i].help);
    }
}

static void paragraph(FILE *f, const char *text)
{
    size_t at = 0;
    while (*text) {
        size_t n = strcspn(text, " ");
        if (at && at + 1 + n > WRAP) {
            fputc('\n', f);
            at = 0;
        }
        at += (size_t)fprintf(f, "%s%.*s", at ? " " : "", (int)n, text);
        text += n;
        text += strspn(text, " ");
    }
    fputc('\n', f);
}

void sek_help_usage(FILE *f, const struct sek_command *c)
{
    if (!c)
        fputs("usage: sekisho [options] COMMAND [arguments]; see: sekisho --help\n", f);
    else
        fprintf(f, "usage: sekisho %s%s%s%s; see: sekisho %s --help\n", c->words,
                sek_args_count(c->rows) ? " [options]" : "", *c->args ? " " : "", c->args,
                c->words);
}

static void rows_of(FILE *f, const char *family)
{
    size_t widest = 0, len = family ? strlen(family) : 0;
    for (const struct sek_command *c = sek_commands; c->words; c++) {
        size_t n = strlen(c->words) + 1 + strlen(c->args);
        widest = n > widest && n <= 28 ? n : widest;
    }
    for (const struct sek_command *c = sek_commands; c->words; c++) {
        if (family && (strncmp(c->words, family, len) != 0 ||
                       (c->words[len] != ' ' && c->words[len] != '\0')))
            continue;
        char text[128];
        snprintf(text, sizeof text, "%s%s%s", c->words, *c->args ? " " : "", c->args);
        if (strlen(text) > widest)
            fprintf(f, "  %s\n  %*s  %s\n", text, (int)widest, "", c->help);
        else
            fprintf(f, "  %-*s  %s\n", (int)widest, text, c->help);
    }
}

void sek_help_family(FILE *f, const char *word)
{
    fprintf(f, "usage: sekisho %s COMMAND [options] [arguments]\n\ncommands:\n", word);
    rows_of(f, word);
    fprintf(f, "\nsekisho %s COMMAND --help tells more about one.\n", word);
}

void sek_help_all(FILE *f)
{
    fputs("usage: sekisho [options] COMMAND [arguments]\n\n"
          "Manages the policy of an Unbound resolver with the Sekisho module, and reports what it "
          "met.\n\ncommands:\n",
          f);
    rows_of(f, NULL);
    fputs("\noptions of every command:\n", f);
    options(f, sek_global_args);
    fputs(
        "\nTimes: 2h (ago), '2 hours ago', today, 'yesterday 18:00', 'last monday', 'this week',\n"
        "2026-11-23T06:17, also with Z or +09:00, @1795414620. Days and times without a zone are\n"
        "those of TZ in the environment, UTC without it; all that is printed is UTC.\n"
        "Exit status: 0 done, 1 failed, 2 wrong use or nothing found, 3 needs the resolver,\n"
        "which is down (a change of the policy does not: 0).\n"
        "sekisho COMMAND --help tells more about one.\n",
        f);
}

static void examples(FILE *f, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n"), command = strcspn(text, "\t\n");
        fprintf(f, "  %.*s\n", (int)command, text);
        if (command < n)
            fprintf(f, "      %.*s\n", (int)(n - command - 1), text + command + 1);
        text += n + (text[n] == '\n');
    }
}

void sek_help_command(FILE *f, const struct sek_command *c)
{
    unsigned n = sek_args_count(c->rows);
    fprintf(f, "usage: sekisho %s%s%s%s\n\n", c->words, n ? " [options]" : "", *c->args ? " " : "",
            c->args);
    paragraph(f, *c->about ? c->about : c->help);
    if (n) {
        fputs("\noptions:\n", f);
        options(f, c->rows);
    }
    if (*c->examples) {
        fputs("\nexamples:\n", f);
        examples(f, c->examples);
    }
    fputs("\nOptions of every command (--config, --format, ...): sekisho --help\n", f);
}
