/* SPDX-License-Identifier: BSD-3-Clause */
#include "zone.h"
#include "policy/timezone.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/banned.h"

static int32_t env_offset(const void *of, int64_t at_s)
{
    (void)of;
    time_t t = (time_t)at_s;
    struct tm tm = {0};
    localtime_r(&t, &tm);
    return (int32_t)tm.tm_gmtoff;
}

/* "Asia/Tokyo", not a file and not a rule such as "JST-9". */
static bool is_name(const char *tz)
{
    return *tz != '/' && strcspn(tz, "0123456789") == strlen(tz);
}

enum sek_err sek_zone_read(const struct sek_zone **out, struct sek_diag *diag)
{
    static const struct sek_zone env = {env_offset, NULL};
    const char *tz = getenv("TZ"), *name = tz && *tz == ':' ? tz + 1 : tz;
    *out = NULL;
    if (!name || !*name)
        return SEK_OK;
    /* the C library takes what it does not know for UTC, and says nothing */
    if (is_name(name) && sek_timezone_check(name, diag)) {
        sek_diag_wrap(diag, "TZ in the environment");
        return SEK_E_INVALID;
    }
    tzset();
    *out = &env;
    return SEK_OK;
}

static void add_change(void *arg, int64_t at_s, int32_t offset_s)
{
    struct sek_zone_changes *z = arg;
    if (z->n == SEK_ZONE_CHANGES)
        return;
    z->change[z->n].at_s = at_s;
    z->change[z->n++].offset_s = offset_s;
}

enum sek_err sek_zone_from_text(const char *text, struct sek_zone_changes *out,
                                struct sek_diag *diag)
{
    struct sek_zone_changes z = {.n = 0};
    if (sek_timezone_each(text, add_change, &z, NULL))
        return sek_diag_set(diag, SEK_E_INVALID,
                            "\"%.40s\" is no zone such as +09:00, Z or Europe/Berlin", text);
    *out = z;
    return SEK_OK;
}

static int32_t change_offset(const void *of, int64_t at_s)
{
    const struct sek_zone_changes *z = of;
    unsigned low = 0, high = z->n;
    while (high - low > 1) {
        unsigned middle = low + (high - low) / 2;
        if (z->change[middle].at_s <= at_s)
            low = middle;
        else
            high = middle;
    }
    return z->n ? z->change[low].offset_s : 0;
}

struct sek_zone sek_zone_of(const struct sek_zone_changes *z)
{
    return (struct sek_zone){change_offset, z};
}
