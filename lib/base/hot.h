/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory that is used for every query. Any thread. */
#pragma once
#include <stddef.h>

/* Zeroed and touched, so that no query meets a page fault, and asked for in large pages where it
 * fills half of one or more and the system gives them (Linux: transparent huge pages): scattered
 * looks then miss the processor's table of addresses less. The start is on a cache line. To be
 * freed with free(); NULL: none left. */
void *sek_hot_alloc(size_t octets);
