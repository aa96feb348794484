/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/buf.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define DEFAULT_CAP ((size_t)1 << 30)
#define FIRST_SIZE ((size_t)64)

void sek_buf_init(struct sek_buf *b, size_t cap)
{
    *b = (struct sek_buf){.cap = cap ? cap : DEFAULT_CAP};
}

void sek_buf_fini(struct sek_buf *b)
{
    free(b->data);
    sek_buf_init(b, b->cap);
}

void sek_buf_reset(struct sek_buf *b)
{
    b->len = 0;
    b->failed = false;
    if (b->data)
        b->data[0] = '\0';
}

/* Make room for n more octets and the terminator. */
static bool reserve(struct sek_buf *b, size_t n)
{
    size_t size = b->size ? b->size : FIRST_SIZE;
    char *data;

    if (b->failed)
        return false;
    if (n > b->cap - b->len) {
        b->failed = true;
        return false;
    }
    if (b->len + n < b->size)
        return true;
    while (size <= b->len + n)
        size = size > b->cap / 2 ? b->cap + 1 : size * 2;
    data = realloc(b->data, size);
    if (!data) {
        b->failed = true;
        return false;
    }
    b->data = data;
    b->size = size;
    return true;
}

void *sek_buf_grow(struct sek_buf *b, size_t n)
{
    char *at;

    if (!reserve(b, n))
        return NULL;
    at = b->data + b->len;
    b->len += n;
    b->data[b->len] = '\0';
    return at;
}

void sek_buf_add(struct sek_buf *b, const void *data, size_t n)
{
    void *at = sek_buf_grow(b, n);

    if (at && n > 0)
        memcpy(at, data, n);
}

void sek_buf_add_text(struct sek_buf *b, const char *text)
{
    sek_buf_add(b, text, strlen(text));
}

void sek_buf_add_args(struct sek_buf *b, const char *fmt, va_list args)
{
    va_list again;
    int n;

    va_copy(again, args);
    n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (n < 0) {
        b->failed = true;
        return;
    }
    if (!reserve(b, (size_t)n))
        return;
    vsnprintf(b->data + b->len, (size_t)n + 1, fmt, args);
    b->len += (size_t)n;
}

void sek_buf_add_fmt(struct sek_buf *b, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    sek_buf_add_args(b, fmt, args);
    va_end(args);
}

char *sek_buf_take(struct sek_buf *b)
{
    char *data = NULL;

    if (reserve(b, 0)) {
        data = b->data;
        data[b->len] = '\0';
        b->data = NULL;
    }
    sek_buf_fini(b);
    return data;
}
