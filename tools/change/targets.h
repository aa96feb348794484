/* SPDX-License-Identifier: BSD-3-Clause */
/* The names that a command is about: its arguments, or the lines of standard input for "-". */
#pragma once
#include "tools/context.h"
#include "effect.h"

struct sek_targets {
    struct sek_target *items;
    uint64_t n, room;
    enum sek_scope scope; /* given by an option: for names without "=" or "*."; 0 = the subtree */
    struct sek_context *c;
};

/* Read all of c->args in list notation, each rule once; a malformed one ends it as wrong use
 * (c->diag says which). exact, below: options of the command; both is wrong use. */
enum sek_err sek_targets_read(struct sek_targets *t, struct sek_context *c, bool exact, bool below);
void sek_targets_fini(struct sek_targets *t);
