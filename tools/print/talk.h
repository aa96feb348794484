/* SPDX-License-Identifier: BSD-3-Clause */
/* What the command says to people: single lines on standard error, made safe, and the progress of
 * long work; and lines on standard output that are no report (those are tools/print/out.h). Both
 * through the veil (tools/print/veil.h). One thread. */
#pragma once
#include <stdbool.h>

/* "sekisho: <text>". Never more than one line, whatever the arguments hold. */
void sek_talk(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Lines as they are, on standard output: commands ready to be run, what a rehearsal would change.
 */
void sek_print(const char *lines);

/* Progress of one piece of work: a line that overwrites itself, only on a terminal and only once
 * the work has taken longer than a second. */
struct sek_progress {
    const char *what; /* "compiling"; borrowed */
    bool terminal, shown;
    long long begun_ms, drawn_ms;
};
void sek_progress_begin(struct sek_progress *p, const char *what);
/* arg: struct sek_progress *. The type of sek_progress_fn (policy/compile.h). permille: 0..1000;
 * larger: not known. */
void sek_progress_show(void *arg, unsigned permille);
/* Remove the line. */
void sek_progress_end(struct sek_progress *p);
