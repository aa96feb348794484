/* SPDX-License-Identifier: BSD-3-Clause */
/* Prometheus' text format, version 0.0.4: families of samples. Whatever labels hold, a sample is
 * one line. One thread. */
#pragma once
#include "base/buf.h"

/* "# HELP" and "# TYPE" lines. A counter's name ends in "_total". */
void sek_family(struct sek_buf *b, const char *name, bool counter, const char *help);
/* A sample of it. labels: name, value, name, value, …, NULL. */
void sek_sample_uint(struct sek_buf *b, const char *name, const char *const *labels, uint64_t n);
/* Seconds with their milliseconds. */
void sek_sample_ms(struct sek_buf *b, const char *name, const char *const *labels, int64_t ms);
