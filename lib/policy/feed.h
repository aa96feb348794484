/* SPDX-License-Identifier: BSD-3-Clause */
/* From a line parser to the reader's caller: what a line gives, and what is counted. Private to the
 * readers of lib/policy. One thread at a time. */
#pragma once
#include "policy/reader.h"

struct sek_rpz;
struct sek_terms_spec;

/* A file that another one includes, being read. */
struct sek_feed_file {
    const char *name;            /* as it is named there */
    const char *path;            /* that names of its own are relative to */
    uint64_t line;               /* at hand */
    struct sek_feed_file *outer; /* NULL: the input itself */
};

/* From a line parser to the reader's caller. */
struct sek_feed {
    const struct sek_reader_hooks *hooks; /* NULL: only count, to guess the format */
    struct sek_read_stats *stats;
    struct sek_read_rule rule; /* parsers write rule.name in place; rule.line is the line at hand of
                                  the input itself */
    enum sek_err stop;         /* set by the rule hook: end the reading */
    struct sek_rpz *rpz;       /* state of the zone file reader; NULL for other formats */
    struct sek_name redirect;  /* Unbound: owner of the last "redirect" zone … */
    bool has_redirect;         /* … if there was one */
    /* Read that file in this place; the reader's. Its error, with the reason in the reader's diag,
     * is to become `stop`. */
    enum sek_err (*include)(struct sek_feed *feed, const char *name);
    struct sek_feed_file *file; /* the included one that is read; NULL: none */
    struct sek_diag *diag;
};

/* The line at hand of the file that is read. */
static inline uint64_t *sek_feed_line(struct sek_feed *feed)
{
    return feed->file ? &feed->file->line : &feed->rule.line;
}

/* Pass on a rule at feed->rule.name. */
void sek_feed_rule(struct sek_feed *feed, enum sek_scope scope, enum sek_action action);
/* The same with the answer's TTL; -1: as the settings say, and what they say needs no saying. */
void sek_feed_rule_for(struct sek_feed *feed, enum sek_scope scope, enum sek_action action,
                       int64_t ttl_s);
/* The same with terms; in list notation; or one record of action local-data ("A 192.0.2.1"), and
 * its TTL or -1. What is wrong with them is reported. */
void sek_feed_rule_spec(struct sek_feed *feed, enum sek_scope scope, enum sek_action action,
                        const struct sek_terms_spec *spec);
void sek_feed_rule_with(struct sek_feed *feed, enum sek_scope scope, const char *terms, size_t len);
void sek_feed_record(struct sek_feed *feed, enum sek_scope scope, const char *record,
                     int64_t ttl_s);
/* The line is bad. May quote it: what is passed on is made safe to print. */
void sek_feed_bad(struct sek_feed *feed, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The same for a line that makes sense but says what we cannot do. */
void sek_feed_unsupported(struct sek_feed *feed, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The line is taken, but may not mean what it says. */
void sek_feed_doubt(struct sek_feed *feed, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Does an address lead nowhere (0.0.0.0, ::, 127.0.0.0/8, ::1), or to our sinkhole? A name that a
 * list gives such an address is blocked by that; any other address is an answer of its own. */
bool sek_feed_is_sinkhole(const struct sek_feed *feed, const struct sek_addr *addr);
/* To our sinkhole (answer.sinkhole-…)? */
bool sek_feed_is_own_sinkhole(const struct sek_feed *feed, const struct sek_addr *addr);
