/* SPDX-License-Identifier: BSD-3-Clause */
/* Text from lists and people as a name, a time, a size, an address: no crash, and what is taken can
 * be printed and read again. */
#include "base/addr.h"
#include "base/duration.h"
#include "base/utf8.h"
#include "base/when.h"
#include "name/text.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_name(const char *text, size_t len)
{
    char printed[SEK_NAME_TEXT_MAX];
    struct sek_name name, back;
    struct sek_diag diag = {0};
    size_t n;

    if (sek_name_from_text(text, len, &name, &diag) != SEK_OK) {
        require(diag.code == SEK_E_NAME && sek_utf8_is_valid(diag.text, strlen(diag.text)));
        require(!strchr(diag.text, '\n'));
        return;
    }
    require(sek_name_from_wire(name.octets, name.len, &back) == SEK_OK);
    require(sek_name_compare(&name, &back) == 0);
    n = sek_name_to_text(name.octets, printed);
    if (sek_name_from_text(printed, n, &back, NULL) == SEK_OK)
        require(sek_name_compare(&name, &back) == 0);
    else
        require(memchr(text, '\\', len) != NULL); /* only escapes make what looks like an A-label */
    n = sek_name_to_unicode(name.octets, printed);
    require(n < sizeof(printed) && sek_utf8_is_valid(printed, n));
    if (sek_name_from_text(printed, n, &back, NULL) == SEK_OK)
        require(sek_name_compare(&name, &back) == 0);
}

static void check_base(const char *text)
{
    char printed[SEK_ADDR_TEXT_MAX];
    struct sek_addr addr, addr_back;
    uint64_t octets, octets_back;
    int64_t s;

    if (sek_size_from_text(text, &octets, NULL) == SEK_OK) {
        sek_size_to_text(octets, printed, sizeof(printed));
        require(sek_size_from_text(printed, &octets_back, NULL) == SEK_OK);
        require(octets == octets_back);
    }
    if (sek_duration_from_text(text, &s, NULL) == SEK_OK) {
        require(s > 0 && s <= SEK_DURATION_MAX_S);
        sek_duration_to_text(s, printed, sizeof(printed));
        require(sek_duration_from_text(printed, &s, NULL) == SEK_OK);
    }
    if (sek_when_from_text(text, 1795414620, NULL, &s, NULL) == SEK_OK)
        require(strlen(sek_time_to_text(s, printed, sizeof(printed))) == 20);
    if (sek_addr_from_text(text, &addr, NULL) == SEK_OK) {
        sek_addr_to_text(&addr, printed);
        require(sek_addr_from_text(printed, &addr_back, NULL) == SEK_OK);
        require(sek_addr_equal(&addr, &addr_back));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    require(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    check_base(text);
    /* not terminated for the name: its length is an argument */
    text = realloc(text, size ? size : 1);
    require(text != NULL);
    check_name(text, size);
    free(text);
    return 0;
}
