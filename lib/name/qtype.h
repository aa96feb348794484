/* SPDX-License-Identifier: BSD-3-Clause */
/* Query types as people write them: the mnemonics of IANA's registry "Resource Record (RR) TYPEs",
 * else "TYPE65400" (RFC 3597 §5). Any thread. */
#pragma once
#include <stddef.h>

/* 1..65535, or -1: no type. Case is ignored. */
int sek_qtype_from_text(const char *text);
/* Returns out (size >= 16). */
const char *sek_qtype_to_text(int qtype, char *out, size_t size);
