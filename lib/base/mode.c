/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/mode.h"
#include "base/banned.h"

const struct sek_lookup sek_mode_names[] = {
    {SEK_MODE_OFF, "off"},
    {SEK_MODE_MONITOR, "monitor"},
    {SEK_MODE_BLOCK, "block"},
    {0, NULL},
};

const struct sek_lookup sek_nod_mode_names[] = {
    {SEK_NOD_OFF, "off"},
    {SEK_NOD_MONITOR, "monitor"},
    {SEK_NOD_HOLD, "hold"},
    {SEK_NOD_BLOCK, "block"},
    {0, NULL},
};

const struct sek_lookup sek_canary_names[] = {
    {SEK_CANARY_OFF, "off"},
    {SEK_CANARY_NXDOMAIN, "nxdomain"},
    {SEK_CANARY_NODATA, "nodata"},
    {0, NULL},
};

const struct sek_lookup sek_news_names[] = {
    {SEK_NEWS_LEARNED, "learned"},
    {SEK_NEWS_ADDRESS, "address"},
    {SEK_NEWS_NETWORK, "network"},
    {SEK_NEWS_COUNTRY, "country"},
    {0, NULL},
};
