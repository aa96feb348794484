/* SPDX-License-Identifier: BSD-3-Clause */
/* The databases of networks and countries, for the length of a command. One thread. */
#pragma once
#include "observe/geo.h"

/* Opened and read; what cannot be used is told as a note. NULL: none is set, or no memory. Caller:
 * sek_geo_free. */
struct sek_geo *sek_geo_open(const struct sek_conf *conf, int64_t now_s);
