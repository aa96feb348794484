/* SPDX-License-Identifier: BSD-3-Clause */
/* The inside of struct sek_report, shared by report.c (rows), summary.c (sums) and
 * report_findings.c. */
#pragma once
#include "base/buf.h"
#include "store/report.h"
#include "store/schema.h"

struct sek_report {
    sqlite3 *sql;
    char path[512];
};

/* A filter, looked up: the conditions as text (constant fragments only) and what is bound to them.
 */
struct sek_where {
    const struct sek_hit_filter *f;
    struct sek_buf text; /* " WHERE …" */
    bool nothing;        /* no row can match: the endpoint or name is unknown */
    bool narrow;         /* an endpoint or few names: their index serves better than the time's */
    struct sek_buf ids;  /* of the endpoints in networks, as JSON */
    int64_t endpoint, name, decision, owner, scope, by, by_detector;
    int decider; /* trigger that the wanted list's name stands for, or -1 */
    char path[SEK_NAME_TEXT_MAX], from[SEK_NAME_TEXT_MAX + 1], to[SEK_NAME_TEXT_MAX + 1];
};

/* What decided a hit, as a number: a trigger, SEK__BY_LIST, or behind SEK__BY_DETECTOR that of the
 * latest finding which blocked the domain (5: SEK_TRIGGER_FINDING). */
#define SEK__BY_LIST 255
#define SEK__BY_DETECTOR 256
#define SEK__BY_SQL                                                                                \
    "CASE WHEN h.trigger = 5 THEN 256 + coalesce((SELECT f.detector FROM finding f"                \
    " WHERE f.domain_path = (SELECT path FROM name WHERE id = h.domain)"                           \
    " AND f.blocked_until_s > 0 ORDER BY f.end_ms DESC LIMIT 1), 0)"                               \
    " WHEN h.list = 0 THEN h.trigger ELSE 255 END"
/* NULL: there is no such number. */
const char *sek__report_by_word(int64_t by);

enum sek_err sek__report_where(struct sek_report *r, const struct sek_hit_filter *f,
                               struct sek_where *out, struct sek_diag *diag);
/* The part of it in report_where.c: what decided, and networks. */
enum sek_err sek__report_where_more(struct sek_report *r, struct sek_where *w,
                                    struct sek_diag *diag);
void sek__report_bind_more(sqlite3_stmt *stmt, const struct sek_where *w);
void sek__report_where_fini(struct sek_where *w);
void sek__report_bind(sqlite3_stmt *stmt, const struct sek_where *w);
/* Bind nothing when the statement has no such parameter. The text is borrowed. */
void sek__report_bind_text(sqlite3_stmt *stmt, const char *name, const char *value);
void sek__report_bind_int(sqlite3_stmt *stmt, const char *name, int64_t value);
/* The id behind a text, 0 = unknown. sql: one parameter, one number. */
enum sek_err sek__report_id(struct sek_report *r, const char *sql, const char *text, int64_t *out,
                            struct sek_diag *diag);
/* The range of paths below a name, of which `path` has `len` octets: from <= path < to. */
void sek__report_below(const char *path, size_t len, char out_from[SEK_NAME_TEXT_MAX + 1],
                       char out_to[SEK_NAME_TEXT_MAX + 1]);
/* The id of an endpoint given as people write it; INVALID for what is no address. */
enum sek_err sek__report_endpoint(struct sek_report *r, const char *text, int64_t *out,
                                  struct sek_diag *diag);
/* Spans (report.h) in place of an address. */
bool sek__report_is_spans(const char *endpoint);
/* The condition that they make, with the parameter :spans. column: of the endpoint's id, or of its
 * address; time_s: an expression. Constant text only. */
void sek__report_add_spans(struct sek_buf *text, const char *column, bool is_id,
                           const char *time_s);
/* Hits that are in no count yet, as those are stored once a minute: of x, rows of hits summed up as
 * n by minute, endpoint and domain. An expression. */
#define SEK__UNCOUNTED                                                                             \
    "max(0, x.n - coalesce((SELECT t.hits FROM traffic t WHERE t.minute = x.minute"                \
    " AND t.endpoint = x.endpoint AND t.domain = x.domain), 0))"
/* The minutes that can have some: a condition. */
#define SEK__UNCOUNTED_MINUTES "minute >= coalesce((SELECT max(minute) FROM traffic), 0)"
enum sek_err sek__report_fail(struct sek_report *r, int rc, struct sek_diag *diag);
/* Prepare what was built in `text`. */
enum sek_err sek__report_prepare(struct sek_report *r, const struct sek_buf *text,
                                 sqlite3_stmt **out, struct sek_diag *diag);
