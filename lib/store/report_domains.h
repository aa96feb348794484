/* SPDX-License-Identifier: BSD-3-Clause */
/* Who asked first for a registered domain, out of events.db. One thread. */
#pragma once
#include "name/text.h"
#include "store/report.h"

struct sek_first_row {
    int64_t first_ms; /* Unix time, milliseconds */
    int qtype;
    bool refused; /* by a rule; the answer is then a later query's */
    char endpoint[SEK_ADDR_TEXT_MAX];
    char name[SEK_NAME_TEXT_MAX];    /* the domain itself, or one below it */
    char address[SEK_ADDR_TEXT_MAX]; /* the first of the first answer; "" none */
    int64_t ttl_s;                   /* the lowest of that answer; 0: there was none */
    bool has_ttl;
    int64_t ttl_min_s; /* has_ttl: the lowest of all answers so far */
    int64_t queries;   /* so far; store/usage.h says how late, 0: not counted */
};

struct sek_first_reader;

/* r: borrowed, must outlive it. */
enum sek_err sek_first_reader_open(struct sek_report *r, struct sek_first_reader **out,
                                   struct sek_diag *diag);
void sek_first_reader_close(struct sek_first_reader *f);
/* domain: text as sek_name_to_text writes it. NOTFOUND: nobody wrote it down. */
enum sek_err sek_first_reader_get(struct sek_first_reader *f, const char *domain,
                                  struct sek_first_row *out, struct sek_diag *diag);

/* Domains that an endpoint asked for first here, newest first. since_s 0, limit 0: no limit. */
struct sek_first_asked {
    int64_t first_ms;
    const char *domain, *name;
    int qtype;
};
typedef bool sek_first_asked_fn(void *arg, const struct sek_first_asked *first);
enum sek_err sek_report_first_asked(struct sek_report *r, const char *endpoint, int64_t since_s,
                                    int64_t until_s, unsigned limit, sek_first_asked_fn *fn,
                                    void *arg, struct sek_diag *diag);
