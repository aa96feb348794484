/* SPDX-License-Identifier: BSD-3-Clause */
/* Growing byte or text buffer with a hard cap. After a failed append `failed` stays set and every
 * further append is ignored, so that a writer checks once at its end. Invariant: data is NULL or
 * data[len] == 0. One thread at a time. */
#pragma once
#include "base/err.h"
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sek_buf {
    char *data;
    size_t len, size, cap;
    bool failed;
};

/* cap: most octets it may hold; 0 = 1 GiB. Allocates nothing yet. */
void sek_buf_init(struct sek_buf *b, size_t cap);
void sek_buf_fini(struct sek_buf *b);
/* Empty it, keep the memory, clear `failed`. */
void sek_buf_reset(struct sek_buf *b);
void sek_buf_add(struct sek_buf *b, const void *data, size_t n);
void sek_buf_add_text(struct sek_buf *b, const char *text);
void sek_buf_add_fmt(struct sek_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void sek_buf_add_args(struct sek_buf *b, const char *fmt, va_list args)
    __attribute__((format(printf, 2, 0)));
/* Room for n more octets, uninitialised, counted as appended; NULL when it would pass the cap. */
void *sek_buf_grow(struct sek_buf *b, size_t n);
/* Ownership of the text moves to the caller (free()); b is empty after. NULL if it failed. */
char *sek_buf_take(struct sek_buf *b);
