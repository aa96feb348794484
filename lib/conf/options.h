/* SPDX-License-Identifier: BSD-3-Clause */
/* THE option table. One row makes an option: its key, kind, place in struct sek_conf, range, default,
 * unit and help. Parsing, range check, `sekisho config`, the sample file and the manual loop over it. */
#pragma once
#include "conf/conf.h"

enum sek_opt_kind {
    SEK_OPT_UINT,     /* uint64_t */
    SEK_OPT_SIZE,     /* uint64_t octets, "64m" */
    SEK_OPT_DURATION, /* int64_t seconds, "30d" */
    SEK_OPT_BOOL,     /* bool, yes/no */
    SEK_OPT_TEXT,     /* char[SEK_CONF_TEXT_MAX] */
    SEK_OPT_PATH,     /* char[SEK_CONF_TEXT_MAX], absolute */
    SEK_OPT_ADDR4,    /* struct sek_addr */
    SEK_OPT_ADDR6,    /* struct sek_addr */
    SEK_OPT_NAMES,    /* struct sek_conf_names: a YAML list of names in list notation */
};

struct sek_option {
    const char *key; /* "group.key" as in the file: "sinkhole.ttl" */
    enum sek_opt_kind kind;
    size_t offset; /* in struct sek_conf */
    int64_t min, max;
    const char *fallback; /* default, as text in the file's notation */
    const char *unit;     /* for people; "" if none */
    const char *help;     /* one sentence */
};

extern const struct sek_option sek_options[]; /* ends with key NULL */
