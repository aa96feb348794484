/* SPDX-License-Identifier: BSD-3-Clause */
/* A folder of evidence, or a tar file of it: what commands of this program print, each into a file
 * of its own, with a README and SHA-256 digests. It comes into being whole, or not at all, readable
 * by its owner only. One thread. */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include <signal.h>

#define SEK_EVIDENCE_WORDS 288 /* of a command */

struct sek_evidence {
    char path[512], tmp[512]; /* tmp: the folder that is filled */
    bool is_tar;
    int folder; /* of tmp */
    bool takes_signals;
    struct sigaction before[3]; /* of the signals, while `tmp` is there */
    const char *config;         /* settings file for the commands; NULL: the usual one. Borrowed */
    int64_t time_s;             /* of the files in a tar */
    struct sek_buf manifest;    /* lines as sha256sum writes them */
    struct sek_buf table;       /* for the README: a paragraph a file */
};

/* path: must not exist; ending in ".tar" it is a tar file. Behind it sek_evidence_fini. SIGINT,
 * SIGTERM and SIGHUP end the work with an error until then, so that nothing half stays; what an
 * earlier one that was killed left beside path is removed. */
enum sek_err sek_evidence_begin(struct sek_evidence *e, const char *path, const char *config,
                                int64_t time_s, struct sek_diag *diag);
/* Run this program with these words (ends with NULL) and keep what it prints as `file`. about: one
 * sentence for the README. may_fail: its exit status 1 is part of what it tells. Finding nothing
 * leaves an empty file. */
enum sek_err sek_evidence_run(struct sek_evidence *e, const char *file, const char *about,
                              bool may_fail, const char *const *words, struct sek_diag *diag);
/* The same where it is evidence only if there is any: an empty file is not kept, and nothing is
 * said of it but that the command failed. */
enum sek_err sek_evidence_run_for_any(struct sek_evidence *e, const char *file, const char *about,
                                      const char *const *words, bool *out_kept,
                                      struct sek_diag *diag);
/* A paragraph for the README. */
void sek_evidence_note(struct sek_evidence *e, const char *head, const char *text);
/* Keep a text. */
enum sek_err sek_evidence_text(struct sek_evidence *e, const char *file, const char *text,
                               size_t len, struct sek_diag *diag);
/* Write the digests and bring it to its place. */
enum sek_err sek_evidence_end(struct sek_evidence *e, struct sek_diag *diag);
/* What was not ended is removed. */
void sek_evidence_fini(struct sek_evidence *e);
