/* SPDX-License-Identifier: BSD-3-Clause */
/* The metrics of a resolver with its policy and its database, as Prometheus takes them. What cannot
 * be read is left out, and sekisho_source_readable says so. One thread. */
#pragma once
#include "base/buf.h"
#include "conf/conf.h"

void sek_metrics_gather(const struct sek_conf *conf, int64_t now_ms, struct sek_buf *out);
