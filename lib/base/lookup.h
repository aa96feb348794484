/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables enum ↔ word, shared by every closed set that people see. A table ends with a NULL name.
 * Any thread. */
#pragma once
#include <string.h>

struct sek_lookup {
    int id;
    const char *name;
};

/* Word for an id, or "?" when the table lacks it. */
static inline const char *sek_lookup_name(const struct sek_lookup *table, int id)
{
    for (; table->name; table++)
        if (table->id == id)
            return table->name;
    return "?";
}

/* Id for a word, or -1. */
static inline int sek_lookup_id(const struct sek_lookup *table, const char *name)
{
    for (; table->name; table++)
        if (strcmp(table->name, name) == 0)
            return table->id;
    return -1;
}
