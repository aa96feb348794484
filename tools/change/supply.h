/* SPDX-License-Identifier: BSD-3-Clause */
/* A list's new content: read from a file in any format, judged (could it be the wrong file, or a
 * part of the right one?), and stored in one transaction. For sekisho list import and for feeds.
 * One thread. */
#pragma once
#include "change.h"
#include "policy/reader.h"
#include "tools/print/talk.h"

#define SEK_SUPPLY_GROW_MIN 100 /* rules: smaller lists may grow as they like */
#define SEK_SUPPLY_GROW 10      /* times */

struct sek_supply {
    struct sek_change *change; /* opened; borrowed */
    struct sek_context *c;
    /* what is wanted: */
    const char *list;       /* its name; made if there is none */
    const char *label;      /* of the input, for messages */
    const char *path;       /* of a file that may include others; NULL: it may not */
    char source[512];       /* for the record */
    enum sek_format format; /* AUTO: found out */
    bool append, force, verbose;
    bool limit_growth; /* a list that grows by more than SEK_SUPPLY_GROW times is refused */
    int mode, action;  /* of the list; -1: as it is, block and sinkhole for a new one */
    /* what came of it: */
    struct sek_list_row row;
    enum sek_action judged_by; /* the list's action, by which the rules are judged */
    uint64_t n_bad;            /* lines that were not understood, or say what we cannot do */
    uint64_t n_doubts;         /* lines that were taken, but may not mean what they say */
    uint64_t n_guarded;        /* rules that the never-block list or the public suffixes forbid */
    uint64_t n_fed, n_exceptions, n_narrowed;
    struct sek_read_stats read;
    struct sek_import_stats stored;
    struct sek_progress progress;
};

/* Read and judge all of fd: before the transaction, as the input may come slowly. REFUSED with the
 * reason in c->diag. */
enum sek_err sek_supply_read(struct sek_supply *s, int fd);
/* Store it, within the transaction of `change`. REFUSED: the list would change too much. */
enum sek_err sek_supply_store(struct sek_supply *s);
/* Say what was skipped, and note the result for the end of the change (change.h). */
void sek_supply_tell(struct sek_supply *s);
