/* SPDX-License-Identifier: BSD-3-Clause */
/* The databases of networks and countries: read at the start, then looked after by the observer's
 * thread, or by the keeper's where there is no observer. */
#include "runtime/parts.h"
#include "base/banned.h"

/* Rules about places say other things of what the cache holds now: it is walked again. */
static void settle(void *arg)
{
    struct sek_runtime *rt = arg;
    sek_epoch_wait(&rt->epoch);
    atomic_store(&rt->leaked, true);
}

void sek__geo_start(struct sek_runtime *rt)
{
    struct sek_diag why = {0};
    if (sek_geo_new(&rt->conf, &rt->geo, &why) != SEK_OK)
        sek__runtime_say(rt, true, "%s; worked without", why.text);
    sek_geo_share(rt->geo, settle, rt);
    sek__geo_tick(rt);
}

void sek__geo_tick(struct sek_runtime *rt)
{
    if (sek_geo_refresh(rt->geo, sek_keeper_now_ms() / 1000, sek__runtime_say_line, rt))
        sek_status_set_text(rt->page, rt->page->geo_text, sek_geo_trouble(rt->geo));
}
