/* SPDX-License-Identifier: BSD-3-Clause */
/* What the readers of querylog.c and querylog_zeek.c share. Only for them. */
#pragma once
#include "observe/querylog.h"

/* A word of a line, not terminated; the line is. */
struct sek_word {
    const char *at;
    size_t len;
};

struct sek_word sek__line_next_word(const char **p, const char *between);
bool sek__line_is_text(const struct sek_word *w, const char *text);
/* 1: out's name is set; 0: it names nothing; an error. A name as people write it. */
int sek__line_set_name(const struct sek_word *w, struct sek_query_seen *out, struct sek_diag *diag);
/* The same of a name that was asked for. It can be anything ("My Printer._ipp._tcp.local"), and
 * logs write odd octets in their own ways (name/raw.h). One whose top domain has such is likelier a
 * line misread: 0. */
int sek__line_set_query(const struct sek_word *w, struct sek_query_seen *out,
                        struct sek_diag *diag);
/* "192.0.2.1", "192.0.2.1#53", "192.0.2.1/53", "192.0.2.1@53" */
bool sek__line_set_endpoint(const struct sek_word *w, struct sek_query_seen *out);
/* "NXDOMAIN" or "3"; "-" and nothing leave it. */
void sek__line_set_exists(const struct sek_word *rcode, struct sek_query_seen *out);
/* "A", "TYPE65", "type=65" (dnsmasq), "65" */
void sek__line_set_type(const struct sek_word *w, struct sek_query_seen *out);
void sek__line_set_time(struct sek_query_seen *out, int64_t time_ms);
/* One of the values of an answer: an address, or data of another type. */
void sek__line_add_answer(const struct sek_word *w, struct sek_query_seen *out);
void sek__line_add_ttl(const char *at, struct sek_query_seen *out);
/* The time that a line begins with, in brackets or not. */
bool sek__line_begin_time(const struct sek_querylog *log, const char *line,
                          struct sek_query_seen *out);
int sek__line_no_time(struct sek_diag *diag); /* its error */

void sek__zeek_head(struct sek_querylog *log, const char *line);
int sek__zeek_read(struct sek_querylog *log, char *line, struct sek_query_seen *out,
                   struct sek_diag *diag);
int sek__json_read(struct sek_querylog *log, char *line, struct sek_query_seen *out,
                   struct sek_diag *diag);
