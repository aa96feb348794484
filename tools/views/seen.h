/* SPDX-License-Identifier: BSD-3-Clause */
/* The history of domains as the nod commands show it: the store's file, and from events.db who
 * asked first. One thread. */
#pragma once
#include "tools/context.h"
#include "observe/domains.h"
#include "observe/geo.h"
#include "store/report_domains.h"

struct sek_seen {
    struct sek_context *c;
    const struct sek_conf *conf;
    char path[SEK_CONF_PATH_MAX];
    struct sek_domains *domains; /* for looking only */
    struct sek_report *report;   /* NULL: no events.db to ask */
    struct sek_first_reader *first;
    struct sek_geo *geo; /* NULL: no database is set */
    bool told;           /* that events.db cannot be read */
};

/* Load the settings and open the file, with a hint when it is not there. Caller: sek_seen_close. */
enum sek_err sek_seen_open(struct sek_context *c, struct sek_seen *out);
void sek_seen_close(struct sek_seen *s);
/* Who asked first for a domain; false: not known. What cannot be read is told once. */
bool sek_seen_first(struct sek_seen *s, const char *domain, struct sek_first_row *out);
/* Seconds until the history is old enough to tell what is new; 0: it is. */
int64_t sek_seen_warm_up_left(const struct sek_seen *s);
