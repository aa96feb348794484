/* SPDX-License-Identifier: BSD-3-Clause */
/* Errors: one list of codes, and a diagnosis that says what, where and what to do. The library
 * never prints: it fills a struct sek_diag at the place of failure, callers add what they know, and
 * only module/log.c and tools/main.c turn it into a line for a person. Any thread. */
#pragma once

#define SEK_ERRORS(X)                                                                              \
    X(NOMEM, "out of memory")                                                                      \
    X(INVALID, "invalid value")                                                                    \
    X(NAME, "malformed domain name")                                                               \
    X(IO, "input/output error")                                                                    \
    X(NOTFOUND, "not found")                                                                       \
    X(EXISTS, "exists already")                                                                    \
    X(CORRUPT, "damaged data")                                                                     \
    X(VERSION, "unsupported version")                                                              \
    X(LIMIT, "limit exceeded")                                                                     \
    X(BUSY, "busy")                                                                                \
    X(DENIED, "permission denied")                                                                 \
    X(REFUSED, "refused by a guard")                                                               \
    X(FULL, "no space left")

enum sek_err_index {
#define X(id, text) SEK_EI_##id,
    SEK_ERRORS(X)
#undef X
        SEK_N_ERRORS
};

enum sek_err {
    SEK_OK = 0,
#define X(id, text) SEK_E_##id = -1 - SEK_EI_##id,
    SEK_ERRORS(X)
#undef X
};

/* text: one line without a newline. Longer texts end in "…". */
struct sek_diag {
    enum sek_err code;
    char text[480];
};

/* General text of a code, never NULL; static. */
const char *sek_err_text(enum sek_err code);

/* The code for an errno value (ENOSPC → FULL, EACCES → DENIED, ENOENT → NOTFOUND, ENOMEM → NOMEM,
 * others → IO). */
enum sek_err sek_err_from_errno(int errnum);

/* Fill `diag` (may be NULL) and return `code`, so that a failing function ends in
 * `return sek_diag_set(diag, SEK_E_…, "…")`. */
enum sek_err sek_diag_set(struct sek_diag *diag, enum sek_err code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Put "<fmt>: " in front of what `diag` says. Returns diag->code (SEK_OK if diag is NULL). */
enum sek_err sek_diag_wrap(struct sek_diag *diag, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
