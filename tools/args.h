/* SPDX-License-Identifier: BSD-3-Clause */
/* Options of the command line, typed by the rows that each command declares at the top of its file.
 * Long options take their value as "--name value" or "--name=value", short ones as "-n 5" or "-n5";
 * "--" ends options; "-" is an argument (standard input). Repeating an option: the last one counts,
 * but of SEK_ARG_TEXTS all do.
 * Plain data, no output. One thread. */
#pragma once
#include "base/err.h"
#include "base/lookup.h"
#include <stdbool.h>
#include <stdint.h>

enum sek_arg_kind {
    SEK_ARG_FLAG = 1, /* takes no value */
    SEK_ARG_TEXT,     /* any text; of value "TEXT", words of people: "" when it is of blanks only */
    SEK_ARG_TEXTS,    /* any text, up to SEK_ARG_REPEATS times */
    SEK_ARG_NUMBER,   /* whole number within min..max of its row */
    SEK_ARG_DURATION, /* life time in seconds: "8h" */
    SEK_ARG_TIME,     /* Unix seconds: "2h" (ago), "today", "2026-11-23T06:17" (zone.h) */
    SEK_ARG_CHOICE,   /* one of the row's words; the number is its id */
};

/* One option. A command's rows end with a row whose name is NULL; the values come in an array of
 * the same order, so name the places: enum { OPT_SINCE, … }; rows[] = {[OPT_SINCE] = {"since", …},
 * …}. */
struct sek_arg {
    const char *name; /* long name without dashes */
    char letter;      /* short form; 0 = none */
    enum sek_arg_kind kind;
    const char *value; /* what the value is called in help: "NAME"; "FILE" completes to files */
    const char *help;  /* one line, lower case, no full stop */
    const struct sek_lookup *choices; /* SEK_ARG_CHOICE */
    int64_t min, max;                 /* SEK_ARG_NUMBER; both 0 = 0..INT64_MAX */
};

#define SEK_ARGS_MAX 32 /* rows of one command */
#define SEK_ARG_REPEATS 64

struct sek_arg_value {
    bool given;
    const char *text; /* as written; borrowed from argv */
    int64_t number;   /* all kinds but TEXT; FLAG: 1; TEXTS: how many there are in `texts` */
    const char *texts[SEK_ARG_REPEATS];
};

/* Rows, and the values they fill (as many as rows; zeroed by the caller). */
struct sek_arg_set {
    const struct sek_arg *rows;
    struct sek_arg_value *values;
};

/* Parse argv[0..argc) by several sets of rows (the command's and the global ones). Arguments that
 * are no options are moved to the front of argv in their order, *out_n of them. stop_at_word: stop
 * at the first of those; *out_n is then the number of argv entries consumed before it. Times count
 * from now_s, in the zone of zone.h.
 * SEK_E_INVALID with a text for the user, naming the nearest known option. */
enum sek_err sek_args_parse(char **argv, int argc, const struct sek_arg_set *sets, unsigned n_sets,
                            int64_t now_s, bool stop_at_word, int *out_n, struct sek_diag *diag);

/* The place of the row with this long name; -1: there is none. */
int sek_args_row(const struct sek_arg *rows, const char *name);
/* Number of rows before the end row. */
unsigned sek_args_count(const struct sek_arg *rows);

/* "Did you mean": offer candidates, then read `best` (NULL: none is near). Start with {.word = …}.
 */
struct sek_nearest {
    const char *word;
    const char *best; /* borrowed */
    unsigned distance;
};
void sek_nearest_offer(struct sek_nearest *n, const char *candidate);
