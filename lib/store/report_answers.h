/* SPDX-License-Identifier: BSD-3-Clause */
/* Questions to the memory of answers. Read-only; one thread. */
#pragma once
#include "base/addr.h"
#include "name/text.h"
#include "store/report.h"

/* That an address was given for a domain on a day, and who asked for that domain then. */
struct sek_answer_row {
    int64_t day;             /* Unix time / 86400 */
    const char *domain;      /* borrowed during the call */
    const char *endpoint;    /* NULL: not known any more */
    int64_t first_s, last_s; /* minutes of the first and the last query of that day */
    uint64_t queries;
};
typedef bool sek_answer_fn(void *arg, const struct sek_answer_row *row);
/* Newest day first. since_s 0: all. */
enum sek_err sek_report_answers(struct sek_report *r, const struct sek_addr *address,
                                int64_t since_s, sek_answer_fn *fn, void *arg,
                                struct sek_diag *diag);

/* Was an address given to an endpoint before it connected there? */
enum sek_given_as {
    SEK_GIVEN = 1,       /* it asked for a domain that has the address */
    SEK_GIVEN_TO_OTHERS, /* DNS gave it, but this endpoint asked for no such domain */
    SEK_GIVEN_NEVER,
    SEK_GIVEN_UNKNOWN, /* that long ago nothing was remembered */
};
extern const struct sek_lookup sek_given_names[]; /* "yes" "to others" "never" "not known" */

struct sek_given;
/* grace_s: how long before the connection the question may have been. report: borrowed. */
enum sek_err sek_given_open(struct sek_report *report, int64_t grace_s, struct sek_given **out,
                            struct sek_diag *diag);
void sek_given_close(struct sek_given *g);
/* out_domain: of GIVEN_TO_OTHERS one such domain, else "". */
enum sek_err sek_given_ask(struct sek_given *g, const struct sek_addr *endpoint,
                           const struct sek_addr *address, int64_t time_s, enum sek_given_as *out,
                           char out_domain[SEK_NAME_TEXT_MAX], struct sek_diag *diag);
