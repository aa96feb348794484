/* SPDX-License-Identifier: BSD-3-Clause */
/* Special-use domain names: names that are not looked up in the public DNS, or not for what is
 * registered there (IANA registry "Special-Use Domain Names", RFC 6761 and later; "internal" by
 * ICANN's board, 2024). No detector judges them. Any thread, no allocation. */
#pragma once
#include "name/name.h"

/* True for a special-use name and all below it, for the root and for names of one label. */
bool sek_name_is_special(const struct sek_name *name);
