/* SPDX-License-Identifier: BSD-3-Clause */
#include "zone.h"
#include "policy/timezone.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/banned.h"

static int32_t offset_at(int64_t at_s)
{
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

enum sek_err sek_zone_read(sek_zone_fn **out, struct sek_diag *diag)
{
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
    *out = offset_at;
    return SEK_OK;
}
