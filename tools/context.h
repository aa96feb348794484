/* SPDX-License-Identifier: BSD-3-Clause */
/* What a command gets: its options and arguments, the time, the settings and the report writer.
 * Made by tools/main.c, lives as long as the command runs. One thread. */
#pragma once
#include "conf/conf.h"
#include "args.h"
#include "tools/print/out.h"
#include "tools/print/veil.h"

/* Exit status: kept stable, scripts rely on it. */
enum sek_exit {
    SEK_EXIT_OK = 0,
    SEK_EXIT_ERROR = 1, /* failed, or `check` found a fault */
    SEK_EXIT_USAGE = 2, /* wrong options or arguments, or nothing was found */
    SEK_EXIT_DOWN = 3,  /* the resolver is not running, and this is about it or waits for it; a
                         change of the policy does not: it is in force from the next start */
};

struct sek_command;

struct sek_context {
    const struct sek_command *command;
    const struct sek_arg_value *opt; /* by place in the command's rows */
    char **args;                     /* arguments, without options */
    int n_args;
    const char *line;    /* the whole command line, as a shell reads it */
    int64_t now_s;       /* time of the start */
    struct sek_out *out; /* reports go here */
    bool color;
    enum sek_exit exit; /* status when the command returns SEK_OK; starts at SEK_EXIT_OK */
    /* the options of `preview` in front of this command (change/preview.h), which is rehearsed,
     * then; NULL: there is none */
    const struct sek_arg_value *preview;
    bool previewed;        /* it printed its report */
    struct sek_diag diag;  /* what went wrong, when it returns an error */
    const char *conf_path; /* the file that is read */
    bool conf_named;       /* by --config or SEKISHO_CONF: then it must exist */
    struct sek_conf conf;  /* valid once sek_context_conf succeeded */
    bool conf_loaded;
    struct sek_cloak *cloak;   /* sek_context_cloak's */
    bool cloak_known;          /* whether there is one is known */
    struct sek_diag blind_why; /* why it hides all, to be told when it first does; SEK_OK: told */
};

/* A command returns SEK_OK (status c->exit) or an error with c->diag filled: main prints it, and
 * the status is SEK_EXIT_ERROR. */

/* The settings, loaded at the first call. On failure c->diag says why; return the code. */
enum sek_err sek_context_conf(struct sek_context *c, const struct sek_conf **out);

/* Wrong use: fills c->diag, makes the status SEK_EXIT_USAGE. `return sek_context_usage(c, "…")`. */
enum sek_err sek_context_usage(struct sek_context *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Nothing was found: says so (one line on standard error) and makes the status SEK_EXIT_USAGE;
 * returns SEK_OK. */
enum sek_err sek_context_none(struct sek_context *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* What is wrong (INVALID, REFUSED) with one of many does not end the work with them: whoever
 * corrects a list wants to know all. Start with {.c = context}. */
struct sek_wrong {
    struct sek_context *c;
    unsigned n, n_wrong;
    struct sek_diag first;
};
/* e: what became of the next one, with c->diag filled. SEK_OK: go on, it is told where there are
 * several; else e. */
enum sek_err sek_wrong_note(struct sek_wrong *w, enum sek_err e);
/* After the last: SEK_OK, or nothing may be changed, and c->diag says why. */
enum sek_err sek_wrong_end(const struct sek_wrong *w);

/* Call fn for c->args[from..], in order; "-" stands for the lines of standard input (blank lines
 * and what follows a "#" are left out). line: 0 for an argument, else its line number. fn changes
 * nothing yet, and says in c->diag what is wrong. */
typedef enum sek_err sek_word_fn(void *arg, const char *word, unsigned line);
enum sek_err sek_context_words(struct sek_context *c, int from, sek_word_fn *fn, void *arg);

/* The veil (tools/print/veil.h), arg: the context. Endpoints of privacy.groups by their pseudonyms;
 * every address hidden, where it cannot be known which those are. */
const char *sek_context_cloak(void *arg, enum sek_veil_what what, const char *text,
                              bool *out_hidden);
/* What is behind it, for other output; NULL: nothing is to be hidden. With the settings loaded;
 * fails where sek_context_cloak would hide all. */
enum sek_err sek_context_privacy(struct sek_context *c, struct sek_cloak **out);

/* Who runs this, for records: sek_origin_read's user. Returns out. */
const char *sek_context_who(char *out, size_t size);
