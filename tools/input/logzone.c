/* SPDX-License-Identifier: BSD-3-Clause */
#include "logzone.h"
#include "policy/timezone.h"
#include <stdbool.h>
#include <string.h>
#include "base/banned.h"

static bool take_offset(const char *text, int64_t *out_s)
{
    const char *digits = *text ? text + 1 : text;
    size_t n = strspn(digits, "0123456789");
    bool colon = n == 2 && digits[2] == ':';
    const char *minutes = digits + 2 + colon;
    bool good = (*text == '+' || *text == '-') && (n == 4 || colon) &&
                strspn(minutes, "0123456789") == 2 && minutes[2] == '\0';
    int64_t h = good ? (digits[0] - '0') * 10 + (digits[1] - '0') : 99;
    int64_t m = good ? (minutes[0] - '0') * 10 + (minutes[1] - '0') : 99;
    *out_s = (h * 60 + m) * (*text == '-' ? -60 : 60);
    return h <= 14 && m <= 59;
}

static void add_change(void *arg, int64_t at_s, int32_t offset_s)
{
    struct sek_logzone *z = arg;
    if (z->n == SEK_LOGZONE_CHANGES)
        return;
    z->change[z->n].at_s = at_s;
    z->change[z->n++].offset_s = offset_s;
}

enum sek_err sek_logzone_from_text(const char *text, struct sek_logzone *out, struct sek_diag *diag)
{
    struct sek_logzone z = {.n = 0};
    int64_t offset_s = 0;
    if (strcmp(text, "Z") == 0 || take_offset(text, &offset_s))
        add_change(&z, INT64_MIN, (int32_t)offset_s);
    else if (sek_timezone_each(text, add_change, &z, NULL))
        return sek_diag_set(diag, SEK_E_INVALID,
                            "\"%.40s\" is no zone such as +09:00, Z or Europe/Berlin", text);
    *out = z;
    return SEK_OK;
}

int64_t sek_logzone_to_utc(const struct sek_logzone *z, int64_t local_s)
{
    for (unsigned i = z->n; i-- > 0;)
        if (i == 0 || local_s - z->change[i].offset_s >= z->change[i].at_s)
            return local_s - z->change[i].offset_s;
    return local_s;
}
