/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/hot.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "base/banned.h"

#define LINE ((size_t)64)
#define LARGE ((size_t)2 << 20)

void *sek_hot_alloc(size_t octets)
{
    size_t unit = octets >= LARGE / 2 ? LARGE : LINE;
    size_t size = (octets + unit - 1) / unit * unit;
    void *memory = aligned_alloc(unit, size);
    if (!memory)
        return NULL;
    if (unit == LARGE)
        madvise(memory, size, MADV_HUGEPAGE); /* a wish */
    memset(memory, 0, octets);
    return memory;
}
