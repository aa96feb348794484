/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines of any log by a small map (policy/correlate/): when which endpoint connected to, or
 * asked a proxy for, which address or name. No clock; the map's file is all that is read. A map
 * learns head lines while it reads one file: one thread, one file at a time. */
#pragma once
#include "base/addr.h"
#include "base/lookup.h"
#include "base/when.h"
#include "name/text.h"

#define SEK_LOGMAP_ALTERNATIVES 8
#define SEK_LOGMAP_KEY 48 /* octets with terminator */
#define SEK_LOGMAP_ACTION 64
#define SEK_LOGMAP_COLUMNS 128 /* of a line; what follows belongs to the last */

enum sek_logmap_kind {
    SEK_LOGMAP_COLUMNS_KIND = 1, /* by their number */
    SEK_LOGMAP_CSV,              /* by the names in the head line */
    SEK_LOGMAP_JSON,             /* members of an object a line, by the last part of their path */
    SEK_LOGMAP_PAIRS,            /* key=value */
    SEK_LOGMAP_ZEEK,             /* TSV with #fields, or JSON */
};

enum sek_logmap_field {
    SEK_LOG_TIME,
    SEK_LOG_SOURCE,
    SEK_LOG_DESTINATION,
    SEK_LOG_PORT,
    SEK_LOG_NAME,
    SEK_LOG_ACTION,
    SEK_N_LOG_FIELDS
};

struct sek_logmap {
    enum sek_logmap_kind kind;
    char separator; /* of columns: ' ' for runs of blanks, '\t', ',' or ';'; 0: found out */
    char keys[SEK_N_LOG_FIELDS][SEK_LOGMAP_ALTERNATIVES][SEK_LOGMAP_KEY];
    unsigned n_keys[SEK_N_LOG_FIELDS];
    char only[SEK_LOGMAP_ALTERNATIVES][SEK_LOGMAP_KEY]; /* a line must hold one of these */
    unsigned n_only;
    char destination_after[8]; /* the destination begins behind the last of these characters */
    bool name_is_url;
    bool has_zone;
    int64_t zone_s;    /* of times that do not say it, east of Greenwich */
    sek_zone_fn *zone; /* in place of that; NULL: none */
    /* learnt from the file: */
    int column[SEK_N_LOG_FIELDS]; /* from 0; -1: none */
    bool has_head;
};

/* path: a file, or the name of an installed map ("squid"). Errors tell file and line. */
enum sek_err sek_logmap_load(const char *path, struct sek_logmap *out, struct sek_diag *diag);
enum sek_err sek_logmap_parse(const char *text, size_t len, const char *label,
                              struct sek_logmap *out, struct sek_diag *diag);
/* Forget what a file taught: before each. */
void sek_logmap_begin(struct sek_logmap *m);
/* "+09:00", "-0530", "Z". INVALID. */
enum sek_err sek_logmap_zone(const char *text, int64_t *out_s, struct sek_diag *diag);

struct sek_log_line {
    int64_t time_ms;
    bool has_source, has_destination;
    struct sek_addr source, destination;
    char source_name[256];        /* !has_source: what stands there, a machine's name */
    unsigned port;                /* 0: not said */
    char name[SEK_NAME_TEXT_MAX]; /* "": none, or it is no name */
    char action[SEK_LOGMAP_ACTION];
};

/* line: is changed. now_s: for times without a year. 1: *out; 0: a head line, a comment, or about
 * something else; INVALID: bad, with the reason. */
int sek_logmap_line(struct sek_logmap *m, char *line, int64_t now_s, struct sek_log_line *out,
                    struct sek_diag *diag);
