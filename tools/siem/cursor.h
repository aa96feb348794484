/* SPDX-License-Identifier: BSD-3-Clause */
/* Up to where events were handed on, kept in a small file that is replaced as a whole. A run holds
 * the file's lock, so that two never share one. One thread. */
#pragma once
#include "base/err.h"
#include "store/audit.h"
#include <stdbool.h>
#include <stdint.h>

/* How far a file that events are appended to was written: what stands behind `length` was written
 * by a run that was killed before it could say so, and will come again. */
struct sek_cursor_output {
    bool known;
    uint64_t dev, ino, length;
};

struct sek_cursor {
    /* Of each kind: whether it was begun at all, and the last row that was handed on; 0: none. What
     * else is known of that row shows whether it is the same database still. */
    struct {
        bool known;
        int64_t identity, number;
        uint32_t decision;
    } hits;
    struct {
        bool known;
        int64_t identity, change;
        int64_t number; /* the highest: those above it are new ones */
    } findings;
    struct {
        bool known;
        int64_t number;
        char hash[SEK_AUDIT_HASH_MAX];
    } audit;
    struct sek_cursor_output output;
};

struct sek_cursor_file {
    const char *path; /* borrowed */
    int lock;
};

/* Take the lock and read. No file: *out is zeroed. BUSY: another run has it. CORRUPT: it is not
 * what sek_cursor_save wrote. */
enum sek_err sek_cursor_open(const char *path, struct sek_cursor_file *file, struct sek_cursor *out,
                             struct sek_diag *diag);
/* On disk when it returns SEK_OK; else what was there before still is. */
enum sek_err sek_cursor_save(const struct sek_cursor_file *file, const struct sek_cursor *c,
                             struct sek_diag *diag);
void sek_cursor_close(struct sek_cursor_file *file);
