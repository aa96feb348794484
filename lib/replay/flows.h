/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP connections numbered from 1 on in the order in which they are first seen; the same packets
 * give the same numbers. One ends when its client opens another between the same addresses and
 * ports. Up to 64 MiB: when more than SEK_FLOWS_MAX are known all are forgotten, and those that go
 * on get new numbers. One thread at a time. */
#pragma once
#include "replay/packet.h"

#define SEK_FLOWS_MAX (1u << 21)

struct sek_flows;

/* NULL: out of memory. */
struct sek_flows *sek_flows_new(void);
void sek_flows_free(struct sek_flows *f);
uint64_t sek_flows_number(struct sek_flows *f, const struct sek_packet *p,
                          const struct sek_segment *segment);
