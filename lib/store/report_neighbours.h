/* SPDX-License-Identifier: BSD-3-Clause */
/* Where a registered domain led, and who else leads there: the memory of answers, by domain.
 * Read-only; one thread. */
#pragma once
#include "base/addr.h"
#include "name/name.h"
#include "store/report.h"

/* That the domain had the address: on n_days days from first to last (Unix time / 86400). */
struct sek_led_row {
    struct sek_addr address;
    int64_t first_day, last_day;
    uint64_t n_days;
    bool has_ttl;
    uint32_t ttl_min_s, ttl_max_s; /* of the answers with it, as the resolver got them */
};
typedef bool sek_led_fn(void *arg, const struct sek_led_row *row); /* false stops */
/* The latest first. domain: registered. Reads the memory through, as its key begins with the day: a
 * million rows take about 0.1 s. since_day 0: all. */
enum sek_err sek_report_led(struct sek_report *r, const struct sek_name *domain, int64_t since_day,
                            unsigned limit, sek_led_fn *fn, void *arg, struct sek_diag *diag);

/* Another domain with an address of this one on the same day. Texts and address are borrowed. */
struct sek_neighbour_row {
    const char *domain;      /* text */
    struct sek_addr address; /* the latest that both had */
    int64_t first_day, last_day;
    uint64_t n_addresses; /* shared */
};
typedef bool sek_neighbour_fn(void *arg, const struct sek_neighbour_row *row); /* false stops */
/* Most shared addresses first. Of the domain's latest SEK_NEIGHBOUR_PLACES addresses and days. */
#define SEK_NEIGHBOUR_PLACES 256
enum sek_err sek_report_neighbours(struct sek_report *r, const struct sek_name *domain,
                                   int64_t since_day, unsigned limit, sek_neighbour_fn *fn,
                                   void *arg, struct sek_diag *diag);

/* A name server that the domain, or a zone below it, was seen to have. */
struct sek_server_row {
    const char *name; /* text, borrowed */
    int64_t first_day, last_day;
    uint64_t n_domains; /* other domains that it was seen to serve */
};
typedef bool sek_server_fn(void *arg, const struct sek_server_row *row); /* false stops */
/* The latest first. limit 0: all. */
enum sek_err sek_report_servers(struct sek_report *r, const struct sek_name *domain, unsigned limit,
                                sek_server_fn *fn, void *arg, struct sek_diag *diag);

/* Other domains with a name server of this one that serves few: a hoster's says nothing of those
 * that it serves. Texts are borrowed. */
#define SEK_SERVER_FEW 32 /* other domains */
struct sek_served_row {
    const char *domain, *server; /* text; the server that serves the fewest */
    int64_t first_day, last_day;
    uint64_t n_servers; /* shared */
};
typedef bool sek_served_fn(void *arg, const struct sek_served_row *row); /* false stops */
/* Most shared servers first. */
enum sek_err sek_report_served(struct sek_report *r, const struct sek_name *domain, unsigned limit,
                               sek_served_fn *fn, void *arg, struct sek_diag *diag);

/* Was the address among the answers for the domain on one of the days [from_day, until_day]? Few
 * searches: for many questions in a row. */
struct sek_led;
enum sek_err sek_led_open(struct sek_report *r, struct sek_led **out, struct sek_diag *diag);
void sek_led_close(struct sek_led *l);
enum sek_err sek_led_ask(struct sek_led *l, const struct sek_name *domain,
                         const struct sek_addr *address, int64_t from_day, int64_t until_day,
                         bool *out, struct sek_diag *diag);
