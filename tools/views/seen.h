/* SPDX-License-Identifier: BSD-3-Clause */
/* The history of domains as the nod commands show it: the store's file, and from events.db who
 * asked first, and what was refused, of which the history knows nothing. One thread. */
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

/* A registered domain. */
struct sek_seen_domain {
    char text[SEK_NAME_TEXT_MAX];
    bool in_history;                /* else all that is known of it was refused, or failed */
    struct sek_domain_seen history; /* what detectors go by */
    bool has_first;
    struct sek_first_row first;
    /* By all of this: since the earliest, up to the latest, by so many at least. */
    int64_t first_s, last_s;
    uint64_t endpoints, queries; /* queries 0: not counted */
};
/* What the history knows of it (NULL: nothing), with who asked first. What cannot be read is told
 * once. */
void sek_seen_join(struct sek_seen *s, const uint8_t *name, const struct sek_domain_seen *history,
                   struct sek_seen_domain *out);
/* The same with all queries that events.db still has: for one domain, not for many in a row. False:
 * nobody ever asked for it, as far as is known. */
bool sek_seen_find(struct sek_seen *s, const struct sek_name *domain, struct sek_seen_domain *out);
/* Seconds until the history is old enough to tell what is new; 0: it is. */
int64_t sek_seen_warm_up_left(const struct sek_seen *s);
