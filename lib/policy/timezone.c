/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/timezone.h"
#include "base/when.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/banned.h"

#define ZONE_FILES "/usr/share/zoneinfo/"
#define FROM_S 1577836800 /* 2020-01-01 */
#define TO_S 4102444800   /* 2100-01-01 */
#define DAY_S 86400       /* two changes within a day: no zone has that */

/* No way out of the folder, and nothing that the C library reads as a rule ("CET-1CEST"). */
static bool is_name(const char *name)
{
    static const char known[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                "_+-/";
    size_t len = strlen(name);
    return len > 0 && len < SEK_TIMEZONE_MAX && strspn(name, known) == len && name[0] != '/';
}

enum sek_err sek_timezone_check(const char *name, struct sek_diag *diag)
{
    char path[sizeof ZONE_FILES + SEK_TIMEZONE_MAX], magic[4] = "";
    int32_t offset_s;
    if (sek_when_offset_from_text(name, &offset_s))
        return SEK_OK;
    if (!is_name(name) || strchr("+-", name[0]))
        return sek_diag_set(diag, SEK_E_NOTFOUND,
                            "'%.64s' is not a time zone such as Europe/Berlin, UTC or +01:00",
                            name);
    snprintf(path, sizeof path, ZONE_FILES "%s", name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool found = fd >= 0 && read(fd, magic, sizeof magic) == sizeof magic &&
                 memcmp(magic, "TZif", sizeof magic) == 0; /* RFC 8536 §3.1 */
    if (fd >= 0)
        close(fd);
    if (found)
        return SEK_OK;
    return sek_diag_set(
        diag, SEK_E_NOTFOUND,
        "there is no time zone %s here, such as Europe/Berlin or UTC (in " ZONE_FILES
        ", package tzdata)",
        name);
}

void sek_timezone_canonical(const char *name, char out[SEK_TIMEZONE_MAX])
{
    int32_t offset_s;
    if (!sek_when_offset_from_text(name, &offset_s))
        snprintf(out, SEK_TIMEZONE_MAX, "%s", name);
    else if (offset_s == 0)
        snprintf(out, SEK_TIMEZONE_MAX, "UTC");
    else
        snprintf(out, SEK_TIMEZONE_MAX, "%c%02d:%02d", offset_s < 0 ? '-' : '+',
                 abs(offset_s) / 3600, abs(offset_s) / 60 % 60);
}

static int32_t offset_at(int64_t time_s)
{
    time_t t = (time_t)time_s;
    struct tm tm = {0};
    localtime_r(&t, &tm);
    return (int32_t)tm.tm_gmtoff;
}

/* The first second of the new offset: not at `before`, but at `after`. */
static int64_t change_between(int64_t before, int64_t after)
{
    int32_t old = offset_at(before);
    while (after - before > 1) {
        int64_t middle = before + (after - before) / 2;
        if (offset_at(middle) == old)
            before = middle;
        else
            after = middle;
    }
    return after;
}

static void changes_tell(sek_timezone_fn *fn, void *arg)
{
    int32_t offset = offset_at(FROM_S);
    fn(arg, INT64_MIN, offset);
    for (int64_t at = FROM_S; at < TO_S; at += DAY_S) {
        int32_t next = offset_at(at + DAY_S);
        if (next != offset)
            fn(arg, change_between(at, at + DAY_S), next);
        offset = next;
    }
}

enum sek_err sek_timezone_each(const char *name, sek_timezone_fn *fn, void *arg,
                               struct sek_diag *diag)
{
    char value[SEK_TIMEZONE_MAX + 1];
    const char *before = getenv("TZ");
    int32_t offset_s;
    enum sek_err err = sek_timezone_check(name, diag);
    if (err)
        return err;
    if (sek_when_offset_from_text(name, &offset_s)) {
        fn(arg, INT64_MIN, offset_s);
        return SEK_OK;
    }
    char *kept = before ? strdup(before) : NULL;
    snprintf(value, sizeof value, ":%s", name);
    if ((before && !kept) || setenv("TZ", value, 1) != 0) {
        free(kept);
        return sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    }
    tzset();
    changes_tell(fn, arg);
    if (kept)
        setenv("TZ", kept, 1);
    else
        unsetenv("TZ");
    tzset();
    free(kept);
    return SEK_OK;
}
