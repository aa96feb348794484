/* SPDX-License-Identifier: BSD-3-Clause */
/* Shared by the tests of detectors over time: one instance, shown observations. */
#pragma once
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "name/text.h"
#include "watch/detector.h"
#include <stdio.h>
#include <string.h>

#define T0_MS 1790000000000LL
#define KEY ((struct sek_hash_key){1, 2})

/* Defaults, with these settings as YAML. */
static inline void settings(struct sek_conf *conf, const char *text)
{
    struct sek_diag diag = {0};

    if (sek_conf_parse(text, strlen(text), "test", conf, &diag) != SEK_OK)
        fail_msg("%s", diag.text);
}

/* A small generator: the same numbers in each run. */
static inline double fraction(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (double)(*seed >> 11) / 9007199254740992.0;
}

/* A question for a name whose last two labels are its registered domain. */
struct question {
    const char *name;
    unsigned endpoint;
    int64_t time_ms;
    uint16_t qtype; /* 0: A */
    enum sek_existence existence;
    bool repeat;
    unsigned endpoints; /* 0: one */
    int64_t age_s;
    bool young_history;
    uint32_t ttl_s;
    uint16_t answer_octets;
    const struct sek_addr *addrs;
    unsigned n_addrs;
};

static inline struct sek_observation observe(const struct question *q, struct sek_name *name)
{
    assert_int_equal(sek_name_from_text(q->name, strlen(q->name), name, NULL), SEK_OK);
    struct sek_observation o = {
        .endpoint = {.octets = {[10] = 0xff,
                                0xff,
                                10,
                                (uint8_t)(q->endpoint >> 16),
                                (uint8_t)(q->endpoint >> 8),
                                (uint8_t)q->endpoint}},
        .name = name,
        .domain_labels = name->n_labels > 2 ? name->n_labels - 2u : 0,
        .qtype = q->qtype ? q->qtype : 1,
        .existence = q->existence,
        .repeat = q->repeat,
        .time_ms = q->time_ms,
        .ttl_s = q->ttl_s,
        .answer_octets = q->answer_octets,
        .addrs = q->addrs,
        .n_addrs = q->n_addrs,
        .settled = !q->young_history,
        .age_s = q->young_history ? SEK_AGE_OLD : q->age_s,
        .endpoints = q->endpoints ? q->endpoints : 1,
    };
    return o;
}
