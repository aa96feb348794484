/* SPDX-License-Identifier: BSD-3-Clause */
/* Evidence against endpoints summed up by machine, for report_endpoints.c. One thread. */
#pragma once
#include "base/buf.h"
#include "store/report_endpoints.h"
#include "store/risk_stays.h"

/* One piece of evidence. */
struct sek__risk_record {
    int64_t last_ms;
    uint32_t endpoint, count;
    uint32_t domain; /* of findings: where its text is; 0 = none */
    float weight;    /* of one; of findings the confidence */
    uint16_t key;    /* decider (report_endpoints.c), or detector */
    uint8_t part;    /* enum sek_risk_part */
};

/* What becomes a reason. */
struct sek__risk_sum {
    const char *domain;
    double n; /* decayed; of findings: points of the strongest */
    double confidence;
    uint64_t count;
    int64_t last_ms;
    uint16_t key;
    enum sek_risk_part part;
};

struct sek__risk_machine {
    const char *address; /* with the latest evidence */
    int64_t from_s, until_s, last_ms;
    double points;
    uint32_t first, n; /* sums */
    uint32_t first_address, n_addresses;
};

struct sek__risk_sums {
    struct sek_buf machines, sums, addresses;
    struct sek_buf stays; /* at work */
};

/* All records of an address. */
struct sek__risk_source {
    const char *address;
    const struct sek__risk_record *records;
    size_t n;
};

void sek__risk_sums_init(struct sek__risk_sums *s);
void sek__risk_sums_fini(struct sek__risk_sums *s);
void sek__risk_sums_reset(struct sek__risk_sums *s);
/* Add all records of addresses, of which no other may be of the same machine; without a tenancy in
 * the query they are taken for one machine. texts: where domains are. They and the addresses are
 * borrowed until the end. */
void sek__risk_sums_add(struct sek__risk_sums *s, const struct sek_risk_query *q,
                        const struct sek__risk_source *sources, size_t n, const char *texts);
/* Of all machines so far together. */
double sek__risk_sums_points(const struct sek__risk_sums *s);
/* Whether at least n machines have that many points or more. */
bool sek__risk_sums_are_above(const struct sek__risk_sums *s, unsigned n, double points);
/* Hand out the best `limit` (0 = all). lists: places of names in texts. False: out of memory. */
bool sek__risk_sums_tell(struct sek__risk_sums *s, unsigned limit, const char *texts,
                         const size_t *lists, sek_risk_fn *fn, void *arg);
