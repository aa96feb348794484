/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections of outside logs beside the hits of their endpoints, for the length of a command: a
 * private database that SQLite keeps in memory as far as its cache reaches and on disk beyond (a
 * file without a name in $SQLITE_TMPDIR or $TMPDIR), so that logs of many millions of lines need
 * little memory. Connections of an endpoint to the same address, name and port with the same
 * outcome within a minute are one row. One thread. */
#pragma once
#include "base/addr.h"
#include "name/text.h"
#include <stdbool.h>
#include <stdint.h>

struct sek_outside;

/* What the log says came of a connection. */
enum sek_outside_outcome {
    SEK_OUTSIDE_CONNECTED = 0, /* it came about, or was let through */
    SEK_OUTSIDE_ATTEMPTED,     /* the log does not say */
    SEK_OUTSIDE_FAILED,
    SEK_OUTSIDE_DENIED,
    SEK_OUTSIDE_ASKED, /* it is none, but a question to DNS for the name */
};
/* How a connection stands to what DNS gave. */
enum sek_outside_as {
    SEK_OUTSIDE_OPEN = 0,   /* not judged yet */
    SEK_OUTSIDE_GIVEN,      /* DNS gave the endpoint that address */
    SEK_OUTSIDE_OTHERS,     /* to others only */
    SEK_OUTSIDE_NEVER,      /* to nobody */
    SEK_OUTSIDE_UNKNOWN,    /* that long ago nothing was remembered */
    SEK_OUTSIDE_ALLOWED,    /* private, special, or of a network that was named */
    SEK_OUTSIDE_NO_ADDRESS, /* the log tells a name only */
    SEK_OUTSIDE_OUR_SINKHOLE,
    SEK_OUTSIDE_A_SINKHOLE, /* of somebody else's */
    SEK_OUTSIDE_QUESTION,   /* it is none: SEK_OUTSIDE_ASKED */
    SEK_OUTSIDE_N_AS
};
/* What came of a hit, the least first. */
enum sek_outside_came {
    SEK_CAME_NOTHING = 0, /* no connection, though the logs are of that time */
    SEK_CAME_OUTSIDE,     /* the logs do not tell of that time */
    SEK_CAME_DENIED,
    SEK_CAME_FAILED,
    SEK_CAME_ATTEMPTED,
    SEK_CAME_SINKHOLE_ATTEMPTED, /* in vain, or the log does not say */
    SEK_CAME_SINKHOLE,           /* ours was reached */
    SEK_CAME_CONNECTED,          /* where the name leads */
    SEK_N_CAME
};

struct sek_outside_conn {
    int64_t id; /* set by the database */
    struct sek_addr endpoint, address;
    bool has_address;
    const char *name; /* text; "": none */
    unsigned port;
    const char *action;
    int outcome;               /* enum sek_outside_outcome */
    int64_t first_ms, last_ms; /* Unix milliseconds */
    uint64_t n;
    int as;             /* enum sek_outside_as */
    int64_t follows;    /* id of the hit that it came after; 0: none */
    const char *domain; /* for which DNS gave it, if others asked; "" */
};
struct sek_outside_hit {
    int64_t id;
    struct sek_addr endpoint;
    const char *name, *domain, *list; /* domain: registered, "" none */
    int action;
    bool monitor;
    uint32_t decision;
    int64_t first_ms, last_ms;
    uint64_t n;
    int came; /* enum sek_outside_came */
};

enum sek_err sek_outside_open(struct sek_outside **out, struct sek_diag *diag);
void sek_outside_close(struct sek_outside *o);
/* Texts are copied; id, as and follows of the argument do not count. */
enum sek_err sek_outside_add_conn(struct sek_outside *o, const struct sek_outside_conn *c,
                                  struct sek_diag *diag);
enum sek_err sek_outside_add_hit(struct sek_outside *o, const struct sek_outside_hit *h,
                                 struct sek_diag *diag);
/* Whether any connection is of that endpoint. */
enum sek_err sek_outside_has(struct sek_outside *o, const struct sek_addr *endpoint, bool *out,
                             struct sek_diag *diag);

/* Rows are borrowed during the call. An error of fn ends it and is returned; *more false ends it,
 * too. */
typedef enum sek_err sek_outside_conn_fn(void *arg, const struct sek_outside_conn *c, bool *more);
typedef enum sek_err sek_outside_hit_fn(void *arg, const struct sek_outside_hit *h);
/* All hits by endpoint and time; fn may call the functions below. */
enum sek_err sek_outside_hits(struct sek_outside *o, sek_outside_hit_fn *fn, void *arg,
                              struct sek_diag *diag);
/* Connections of an endpoint that begin in [from_ms, until_ms], in order. */
enum sek_err sek_outside_after(struct sek_outside *o, const struct sek_addr *endpoint,
                               int64_t from_ms, int64_t until_ms, sek_outside_conn_fn *fn,
                               void *arg, struct sek_diag *diag);
/* All that have not been judged; fn may set their result. */
enum sek_err sek_outside_open_conns(struct sek_outside *o, sek_outside_conn_fn *fn, void *arg,
                                    struct sek_diag *diag);
enum sek_err sek_outside_set_as(struct sek_outside *o, int64_t conn, enum sek_outside_as as,
                                const char *domain, struct sek_diag *diag);
/* The first hit that a connection follows stays. */
enum sek_err sek_outside_set_follows(struct sek_outside *o, int64_t conn, int64_t hit,
                                     struct sek_diag *diag);
enum sek_err sek_outside_set_came(struct sek_outside *o, int64_t hit, enum sek_outside_came came,
                                  struct sek_diag *diag);

/* One line of the whole: exactly one of the two is set. By endpoint, then time. every: also
 * connections to places that DNS explains and that follow no hit, and questions. False stops. */
typedef bool sek_outside_line_fn(void *arg, const struct sek_outside_hit *h,
                                 const struct sek_outside_conn *c);
enum sek_err sek_outside_lines(struct sek_outside *o, bool every, sek_outside_line_fn *fn,
                               void *arg, struct sek_diag *diag);

/* By endpoint: hits and rows of connections (queries and connections counted; no questions). */
struct sek_outside_sum {
    struct sek_addr endpoint;
    uint64_t hits, came[SEK_N_CAME]; /* by enum sek_outside_came */
    uint64_t conns, as[SEK_OUTSIDE_N_AS];
};
typedef bool sek_outside_sum_fn(void *arg, const struct sek_outside_sum *s);
enum sek_err sek_outside_sums(struct sek_outside *o, sek_outside_sum_fn *fn, void *arg,
                              struct sek_diag *diag);
