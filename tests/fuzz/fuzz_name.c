/* SPDX-License-Identifier: BSD-3-Clause */
/* Octets from the network as a wire name: what is taken keeps every promise of name.h and text.h.
 */
#include "name/name.h"
#include "name/text.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_parents(const struct sek_name *name)
{
    for (unsigned k = 0; k <= name->n_labels; k++) {
        struct sek_name up, again;

        sek_name_parent(name, k, &up);
        require(up.n_labels == name->n_labels - k);
        require(sek_name_is_at_or_below(name, &up));
        require(sek_name_from_wire(name->octets + name->offset[k], up.len, &again) == SEK_OK);
        require(sek_name_compare(&up, &again) == 0);
        require(sek_name_equal(up.octets, up.len, again.octets, again.len));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[SEK_NAME_TEXT_MAX];
    struct sek_name name, back;
    size_t n;

    if (sek_name_from_wire(data, size, &name) != SEK_OK)
        return 0;
    require(name.len <= size && sek_name_wire_len(data) == name.len);
    require(sek_name_equal(data, name.len, name.octets, name.len));
    check_parents(&name);
    n = sek_name_to_text(name.octets, text);
    require(n == strlen(text) && n < sizeof(text));
    /* Reads back, unless it looks like an A-label and is none. */
    if (sek_name_from_text(text, n, &back, NULL) == SEK_OK)
        require(sek_name_compare(&name, &back) == 0);
    else
        require(strstr(text, "xn--") != NULL);
    n = sek_name_to_unicode(name.octets, text);
    require(n == strlen(text) && n < sizeof(text));
    if (sek_name_from_text(text, n, &back, NULL) == SEK_OK)
        require(sek_name_compare(&name, &back) == 0);
    return 0;
}
