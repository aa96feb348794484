/* SPDX-License-Identifier: BSD-3-Clause */
/* Evidence against endpoints summed up by tenancy, for report_endpoints.c. One thread. */
#pragma once
#include "base/buf.h"
#include "store/report_endpoints.h"

/* One piece of evidence. */
struct sek__risk_record {
    int64_t last_ms;
    uint32_t endpoint, count;
    uint32_t domain; /* of findings: where its text is; 0 = none */
    float weight;    /* of one; of findings the confidence */
    uint16_t key;    /* list, or detector */
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

struct sek__risk_tenancy {
    const char *address;
    int64_t from_s, until_s, last_ms;
    double points;
    uint32_t first, n; /* sums */
};

struct sek__risk_sums {
    struct sek_buf tenancies, sums;
};

void sek__risk_sums_init(struct sek__risk_sums *s);
void sek__risk_sums_fini(struct sek__risk_sums *s);
void sek__risk_sums_reset(struct sek__risk_sums *s);
/* Add all records of an address; texts: where domains are. They and address are
 * borrowed until the end. */
void sek__risk_sums_add(struct sek__risk_sums *s, const struct sek_risk_query *q,
                        const char *address, const char *texts,
                        const struct sek__risk_record *records, size_t n);
/* Of all tenancies so far together. */
double sek__risk_sums_points(const struct sek__risk_sums *s);
/* Whether at least n tenancies have that many points or more. */
bool sek__risk_sums_are_above(const struct sek__risk_sums *s, unsigned n, double points);
/* Hand out the best `limit` (0 = all). lists: places of names in texts. False: out of memory. */
bool sek__risk_sums_tell(struct sek__risk_sums *s, unsigned limit, const char *texts,
                         const size_t *lists, sek_risk_fn *fn, void *arg);
