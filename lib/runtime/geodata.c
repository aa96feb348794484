/* SPDX-License-Identifier: BSD-3-Clause */
/* The databases of networks and countries, on the observer's thread. */
#include "runtime/parts.h"
#include "base/banned.h"

static void say(void *arg, bool trouble, const char *text)
{
    sek__runtime_say(arg, trouble, "%s", text);
}

void sek__geo_start(struct sek_runtime *rt)
{
    struct sek_diag why = {0};
    if (sek_geo_new(&rt->conf, &rt->geo, &why) != SEK_OK)
        sek__runtime_say(rt, true, "%s; worked without", why.text);
}

void sek__geo_tick(struct sek_runtime *rt)
{
    if (sek_geo_refresh(rt->geo, sek_keeper_now_ms() / 1000, say, rt))
        sek_status_set_text(rt->page, rt->page->geo_text, sek_geo_trouble(rt->geo));
}
