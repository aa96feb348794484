/* SPDX-License-Identifier: BSD-3-Clause */
#include "geoopen.h"
#include "tools/print/talk.h"
#include "base/banned.h"

static void say(void *arg, bool trouble, const char *text)
{
    (void)arg;
    if (trouble)
        sek_talk("%s", text);
}

struct sek_geo *sek_geo_open(const struct sek_conf *conf, int64_t now_s)
{
    struct sek_geo *geo = NULL;
    struct sek_diag why = {0};
    if (sek_geo_new(conf, &geo, &why) != SEK_OK)
        sek_talk("%s", why.text);
    sek_geo_refresh(geo, now_s, say, NULL);
    return geo;
}
