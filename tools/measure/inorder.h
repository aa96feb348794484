/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines worked on by every processor there is, results in the order of the lines. Made for filters:
 * what has come in is answered without waiting for more. */
#pragma once
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define SEK_INORDER_THREADS_MAX 16

/* The result of some lines: grown by whoever fills it. */
struct sek_inorder_out {
    char *text;
    size_t n, cap;
};

/* Room for `n` more octets at out->text + out->n; false: out of memory. */
bool sek_inorder_reserve(struct sek_inorder_out *out, size_t n);

/* Work on whole lines, each ending in a newline, and append the result to `out`. Called by several
 * threads at a time, each with lines and result of its own. False: out of memory. */
typedef bool sek_inorder_fn(const void *arg, const char *lines, size_t n,
                            struct sek_inorder_out *out);

/* Read lines from the descriptor `in` to its end; the last one gets a newline if it has none.
 * Lines may have any length and any octets. Returns when all results are in `out` and flushed.
 * The caller's thread works, too; others live only during the call. */
enum sek_err sek_inorder_run(int in, FILE *out, sek_inorder_fn *fn, const void *arg,
                             struct sek_diag *diag);
