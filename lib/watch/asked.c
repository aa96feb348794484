/* SPDX-License-Identifier: BSD-3-Clause */
#include "watch/asked.h"
#include "base/json.h"
#include "name/text.h"
#include <string.h>
#include "base/banned.h"

void sek_asked_add(struct sek_asked *a, const uint8_t *domain, size_t len, uint32_t n,
                   int64_t time_ms)
{
    unsigned least = 0;
    if (time_ms - a->place.last_ms > SEK_ASKED_LATELY_MS)
        memset(a->cells, 0, sizeof a->cells);
    a->place.last_ms = time_ms;
    if (len > SEK_ASKED_OCTETS)
        return;
    for (unsigned i = 0; i < SEK_ASKED_NAMES; i++) {
        if (a->cells[i].len == len && memcmp(a->cells[i].name, domain, len) == 0) {
            a->cells[i].count += n < UINT32_MAX - a->cells[i].count ? n : 0;
            return;
        }
        if (a->cells[i].count < a->cells[least].count)
            least = i;
    }
    a->cells[least].count += n < UINT32_MAX - a->cells[least].count ? n : 0;
    a->cells[least].len = (uint8_t)len;
    memcpy(a->cells[least].name, domain, len);
}

void sek_asked_print(const struct sek_asked *a, struct sek_buf *json)
{
    bool done[SEK_ASKED_NAMES] = {false};
    sek_buf_add_text(json, "[");
    for (unsigned n = 0; a && n < SEK_ASKED_NAMES; n++) {
        unsigned most = SEK_ASKED_NAMES;
        char text[SEK_NAME_TEXT_MAX];
        for (unsigned i = 0; i < SEK_ASKED_NAMES; i++)
            if (!done[i] && a->cells[i].len &&
                (most == SEK_ASKED_NAMES || a->cells[i].count > a->cells[most].count))
                most = i;
        if (most == SEK_ASKED_NAMES)
            break;
        done[most] = true;
        sek_name_to_text(a->cells[most].name, text);
        sek_buf_add_text(json, n ? "," : "");
        sek_json_add_text(json, text);
    }
    sek_buf_add_text(json, "]");
}

bool sek_asked_is_sound(const struct sek_asked *a)
{
    struct sek_name name;
    for (unsigned i = 0; i < SEK_ASKED_NAMES; i++) {
        unsigned len = a->cells[i].len;
        if (len > SEK_ASKED_OCTETS ||
            (len &&
             (sek_name_from_wire(a->cells[i].name, len, &name) != SEK_OK || name.len != len)))
            return false;
    }
    return true;
}
