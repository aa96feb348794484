/* SPDX-License-Identifier: BSD-3-Clause */
#include "name/special.h"
#include <string.h>
#include "base/banned.h"

/* Top-level ones, and names under "example.<one of these>". All of "arpa" is infrastructure. */
static const char *const tops[] = {
    "\4arpa",  "\4test",  "\7example", "\7invalid",   "\11localhost",
    "\5local", "\5onion", "\3alt",     "\10internal",
};
static const char *const example_below[] = {"\3com", "\3net", "\3org"};

static bool is_one_of(const uint8_t *label, const char *const *table, size_t n)
{
    for (size_t i = 0; i < n; i++)
        /* length and first octet in place: a call for each row would take longer than the rest of
         * what is asked of a name */
        if (label[0] == table[i][0] && label[1] == table[i][1] &&
            memcmp(label, table[i], (size_t)table[i][0] + 1) == 0)
            return true;
    return false;
}

bool sek_name_is_special(const struct sek_name *name)
{
    unsigned n = name->n_labels;

    if (n < 2 || is_one_of(name->octets + name->offset[n - 1], tops, sizeof tops / sizeof tops[0]))
        return true;
    static const char example[] = "\7example";
    return memcmp(name->octets + name->offset[n - 2], example, sizeof example - 1) == 0 &&
           is_one_of(name->octets + name->offset[n - 1], example_below,
                     sizeof example_below / sizeof example_below[0]);
}
