/* SPDX-License-Identifier: BSD-3-Clause */
/* What the machines of hidden endpoints are called: their names, MACs and owners, as texts in which
 * they are to be found. One thread. */
#pragma once
#include "base/addr.h"
#include "base/buf.h"
#include "observe/leases.h"

struct sek_endpoint_names {
    struct sek_buf rows;  /* struct row: sorted by their texts once they are all there */
    struct sek_buf texts; /* each ended by a NUL */
};

void sek_endpoint_names_init(struct sek_endpoint_names *n);
void sek_endpoint_names_fini(struct sek_endpoint_names *n);
/* A machine that has, or had, this address. */
void sek_endpoint_names_add(struct sek_endpoint_names *n, const struct sek_machine *machine,
                            const struct sek_addr *endpoint);
/* All are there. False: out of memory. */
bool sek_endpoint_names_end(struct sek_endpoint_names *n);
/* The longest one that stands at text[at], as whole words and in any case: its length and its
 * endpoint; 0: none. A name of letters only may be any word: alone in a text it is left, unless
 * sure. An owner
 * may be a user's account, which reports name for what he decided: it is found in brackets or
 * quotation marks, as said of a machine, or if it is more than one word. */
size_t sek_endpoint_names_at(const struct sek_endpoint_names *n, const char *text, size_t at,
                             bool sure, struct sek_addr *out);
