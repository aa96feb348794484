/* SPDX-License-Identifier: BSD-3-Clause */
/* What detectors remember, in a file, so that a restart of the resolver is no new beginning: a
 * machine's usual week takes weeks to learn, a beacon's period days. The file has the key by which
 * the detectors know endpoints and domains again; who makes them asks it for that first. How it
 * looks: watch/memory_format.h.
 *
 * A reader first reads the whole file, so that one with damage anywhere changes nothing. Checksums
 * are against damage; whoever can write the file can make right ones, so each thing is checked by
 * its detector, too (base/kept.h). Things of which another build has another layout are left out.
 *
 * Saving goes by parts, so that the thread that does it can do its work in between: each thing is
 * as it was at some moment while it went on, and there once. No clock. One thread, that of the
 * detectors. */
#pragma once
#include "watch/detector.h"

/* --- reading -----------------------------------------------------------------------------------
 */

struct sek_memory;

/* Open and look at the head. NOTFOUND; VERSION: of another version or machine; CORRUPT; IO. */
enum sek_err sek_memory_open(const char *path, struct sek_memory **out, struct sek_diag *diag);
void sek_memory_close(struct sek_memory *m); /* NULL is fine */
struct sek_hash_key sek_memory_key(const struct sek_memory *m);
int64_t sek_memory_saved_ms(const struct sek_memory *m);

struct sek_memory_sums {
    uint64_t n_taken;
    uint64_t n_left;    /* too old, or not sound */
    uint64_t n_foreign; /* of another layout */
};
/* Have detectors with that key take all in. goes_on: asked often; false ends it early with what was
 * taken by then, SEK_E_BUSY. CORRUPT: nothing was taken in. */
typedef bool sek_memory_fn(void *arg);
enum sek_err sek_memory_load(struct sek_memory *m, struct sek_detectors *d, int64_t now_ms,
                             sek_memory_fn *goes_on, void *arg, struct sek_memory_sums *out,
                             struct sek_diag *diag);

/* --- writing -----------------------------------------------------------------------------------
 */

struct sek_memory_save;

/* Begin a new version of the file. key: the detectors'. d: borrowed until the end. */
enum sek_err sek_memory_save_new(const char *path, struct sek_detectors *d, struct sek_hash_key key,
                                 int64_t now_ms, struct sek_memory_save **out,
                                 struct sek_diag *diag);
/* Go on by some part, less than a millisecond. *out_done: the file is in its place; that step waits
 * for the disk. After an error nothing goes on. */
enum sek_err sek_memory_save_step(struct sek_memory_save *s, bool *out_done, struct sek_diag *diag);
/* Before it is done: the file is as it was. NULL is fine. */
void sek_memory_save_free(struct sek_memory_save *s);
