/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines of any log by a small map (policy/correlate/): when which endpoint connected to, or
 * asked a proxy for, which address or name. No clock; the map's file is all that is read. A map
 * learns head lines while it reads one file: one thread, one file at a time. */
#pragma once
#include "base/addr.h"
#include "base/lookup.h"
#include "name/text.h"
#include "observe/windowslog.h"
#include "tools/input/logasa.h"
#include "tools/input/logoutcome.h"
#include "tools/zone.h"

#define SEK_LOGMAP_ALTERNATIVES 16
#define SEK_LOGMAP_KEY 48 /* octets with terminator */
#define SEK_LOGMAP_ACTION 64
#define SEK_LOGMAP_COLUMNS 128 /* of a line; what follows belongs to the last */

enum sek_logmap_kind {
    SEK_LOGMAP_COLUMNS_KIND = 1, /* by their number */
    SEK_LOGMAP_CSV,              /* by the names in the head line */
    SEK_LOGMAP_JSON,             /* members of an object a line, by the last part of their path */
    SEK_LOGMAP_PAIRS,            /* key=value, in the line or in a member of an object a line */
    SEK_LOGMAP_ZEEK,             /* TSV with #fields, or JSON */
    SEK_LOGMAP_ASA,              /* messages of logasa.h; the fields have their own names */
    SEK_LOGMAP_WINDOWS,          /* queries of observe/windowslog.h, likewise */
};

enum sek_logmap_field {
    SEK_LOG_TIME,
    SEK_LOG_SOURCE,
    SEK_LOG_DESTINATION,
    SEK_LOG_PORT,
    SEK_LOG_NAME,
    SEK_LOG_ACTION,
    SEK_LOG_OUTCOME, /* all alternatives that are there, one behind the other */
    SEK_N_LOG_FIELDS
};

/* How a name is written. */
enum sek_logmap_form {
    SEK_LOGMAP_NAME,
    SEK_LOGMAP_URL,
    SEK_LOGMAP_REQUEST /* "GET URL HTTP/1.1" */
};

extern const struct sek_lookup sek__logmap_fields[]; /* as keys of a map */

struct sek_logmap {
    enum sek_logmap_kind kind;
    char separator; /* of columns: ' ' for runs of blanks, '\t', ',' or ';'; 0: found out */
    char keys[SEK_N_LOG_FIELDS][SEK_LOGMAP_ALTERNATIVES][SEK_LOGMAP_KEY];
    unsigned n_keys[SEK_N_LOG_FIELDS];
    char only[SEK_LOGMAP_ALTERNATIVES][SEK_LOGMAP_KEY];    /* a line must hold one of these */
    char without[SEK_LOGMAP_ALTERNATIVES][SEK_LOGMAP_KEY]; /* and none of these */
    unsigned n_only, n_without;
    char within[SEK_LOGMAP_KEY]; /* pairs: the member that holds them; "": the line is no object */
    char destination_after[8];   /* the destination begins behind the last of these characters */
    enum sek_logmap_form name_form;
    struct sek_zone_changes zone; /* of times that do not say it */
    struct sek_logoutcome outcomes;
    enum sek_outside_outcome otherwise; /* where none of their words stands */
    bool has_otherwise;
    /* learnt from the file: */
    int column[SEK_N_LOG_FIELDS][SEK_LOGMAP_ALTERNATIVES]; /* from 0; -1: none */
    bool has_head;
    struct sek_logasa asa;
    struct sek_windowslog windows;
    uint64_t n_else; /* lines about something else, by only and not */
};

/* path: a file, or the name of an installed map ("squid"). Errors tell file and line. */
enum sek_err sek_logmap_load(const char *path, struct sek_logmap *out, struct sek_diag *diag);
enum sek_err sek_logmap_parse(const char *text, size_t len, const char *label,
                              struct sek_logmap *out, struct sek_diag *diag);
/* Forget what a file taught: before each. */
void sek_logmap_begin(struct sek_logmap *m);
struct sek_log_line {
    int64_t time_ms;
    bool has_source, has_destination;
    struct sek_addr source, destination;
    char source_name[256];        /* !has_source: what stands there, a machine's name */
    unsigned port;                /* 0: not said */
    char name[SEK_NAME_TEXT_MAX]; /* "": none, or it is no name */
    char action[SEK_LOGMAP_ACTION];
    enum sek_outside_outcome outcome;
    unsigned n_found; /* of time, source and destination, of a bad line, too */
};

/* line: is changed. now_s: for times without a year. 1: *out; 0: a head line, a comment, or about
 * something else; INVALID: bad, with the key of the map that found nothing. */
int sek_logmap_line(struct sek_logmap *m, char *line, int64_t now_s, struct sek_log_line *out,
                    struct sek_diag *diag);
