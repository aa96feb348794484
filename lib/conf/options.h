/* SPDX-License-Identifier: BSD-3-Clause */
/* THE option table. One row makes an option: its key, kind, place in struct sek_conf, range,
 * default, unit and help. Parsing, range check, `sekisho config`, the sample file and the manual
 * loop over it. */
#pragma once
#include "conf/conf.h"

enum sek_opt_kind {
    SEK_OPT_UINT,     /* uint64_t */
    SEK_OPT_SIZE,     /* uint64_t octets, "64m" */
    SEK_OPT_DURATION, /* int64_t seconds, "30d" */
    SEK_OPT_BOOL,     /* bool, yes/no */
    SEK_OPT_TEXT,     /* char[SEK_CONF_TEXT_MAX] */
    SEK_OPT_NAME,     /* char[SEK_CONF_TEXT_MAX], a domain name */
    SEK_OPT_PATH,     /* char[SEK_CONF_TEXT_MAX], absolute */
    SEK_OPT_ADDR4,    /* struct sek_addr */
    SEK_OPT_ADDR6,    /* struct sek_addr */
    SEK_OPT_NAMES,    /* struct sek_conf_names: a YAML list of names in list notation */
    SEK_OPT_REAL,     /* double, "4.25" */
    SEK_OPT_CHOICE,   /* int, one of the words of `choices` */
};

struct sek_option {
    const char *key; /* "group.key" as in the file: "answer.ttl"; groups stand together */
    enum sek_opt_kind kind;
    size_t offset;                    /* in struct sek_conf */
    int64_t min, max;                 /* value; octets of TEXT and PATH; entries of NAMES */
    const char *fallback;             /* default, as text in the file's notation */
    const char *unit;                 /* for people; "" if none */
    const char *help;                 /* one sentence */
    const struct sek_lookup *choices; /* of CHOICE */
};

#define SEK_OPTIONS_MAX 192                   /* rows; held by a static assertion */
extern const struct sek_option sek_options[]; /* ends with key NULL */

/* NULL if there is no such key. */
const struct sek_option *sek_option_find(const char *key);
/* What may stand there, for errors, comments and the manual: "1s to 1h", "yes or no". Returns out
 * (size >= SEK_OPTION_ALLOWED_MAX). */
#define SEK_OPTION_ALLOWED_MAX 96
const char *sek_option_allowed(const struct sek_option *o, char *out, size_t size);
