/* SPDX-License-Identifier: BSD-3-Clause */
/* Questions to the memory of answers: `answers ADDRESS` and `answers --check FILE`. */
#include "tools/command.h"
#include "base/duration.h"
#include "base/hash.h"
#include "tools/input/connections.h"
#include "tools/views/hitview.h"
#include "tools/views/machines.h"
#include "store/report_answers.h"
#include "tools/print/talk.h"
#include "tools/input/textlines.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(answers);

#define PAIRS_MAX (1u << 20) /* of endpoint and address that are told; more are counted only */
#define RECENT 65536         /* results remembered, for connections of the same ten minutes */
#define RECENT_S 600
#define GRACE_DEFAULT_S 86400

enum { OPT_ENDPOINT, OPT_SINCE, OPT_CHECK, OPT_COLUMNS, OPT_GRACE, OPT_ALL, N_OPTS };
const struct sek_arg sek_cmd_answers_args[] = {
    [OPT_ENDPOINT] = {"endpoint", 'e', SEK_ARG_TEXT, "ENDPOINT",
                      "only what this endpoint asked for"},
    [OPT_SINCE] = {"since", 's', SEK_ARG_TIME, "TIME", "on that day or later"},
    [OPT_CHECK] = {"check", 0, SEK_ARG_TEXT, "FILE",
                   "a firewall's log, - for standard input: tell connections to addresses that DNS "
                   "did not give"},
    [OPT_COLUMNS] = {"columns", 0, SEK_ARG_TEXT, "T,S,D",
                     "of the log: time, source, destination; default 1,2,3"},
    [OPT_GRACE] = {"grace", 0, SEK_ARG_DURATION, "TIME",
                   "how long before a connection DNS may have been asked; default 1d"},
    [OPT_ALL] = {"all", 0, SEK_ARG_FLAG, NULL, "private and other special destinations, too"},
    [N_OPTS] = {0},
};

/* --- one address -------------------------------------------------------------------------------
 */

enum { DAY, DOMAIN, ENDPOINT, FIRST, LAST, QUERIES, N_COLS };
static const struct sek_col cols[] = {
    [DAY] = {"day", "Day (UTC)", SEK_COL_TEXT},
    [DOMAIN] = {"domain", "Domain", SEK_COL_NAME},
    [ENDPOINT] = {"endpoint", "Asked by", SEK_COL_TEXT, "not known"},
    [FIRST] = {"first", "First (UTC)", SEK_COL_TIME},
    [LAST] = {"last", "Last (UTC)", SEK_COL_TIME},
    [QUERIES] = {"queries", "Queries", SEK_COL_UINT},
};

struct rows {
    struct sek_out *out;
    const struct sek_buf *only; /* NULL: all */
    uint64_t n;
};

static bool put_answer(void *arg, const struct sek_answer_row *row)
{
    struct rows *r = arg;
    struct sek_addr endpoint;
    char day[32];
    if (r->only && (!row->endpoint || sek_addr_from_text(row->endpoint, &endpoint, NULL) ||
                    !sek_machines_kept(r->only, &endpoint, row->first_s, row->last_s)))
        return true;
    sek_time_to_text(row->day * 86400, day, sizeof day);
    day[strcspn(day, "T")] = '\0';
    r->n++;
    sek_out_text(r->out, DAY, day);
    sek_out_text(r->out, DOMAIN, row->domain);
    if (row->endpoint) {
        sek_out_text(r->out, ENDPOINT, row->endpoint);
        sek_out_int(r->out, FIRST, row->first_s);
        sek_out_int(r->out, LAST, row->last_s);
        sek_out_uint(r->out, QUERIES, row->queries);
    }
    return sek_out_row(r->out);
}

static enum sek_err show(struct sek_context *c, struct sek_report *report,
                         const struct sek_buf *only)
{
    struct rows r = {.out = c->out, .only = only};
    struct sek_addr address;
    struct sek_diag why = {0};
    const char *endpoint = c->opt[OPT_ENDPOINT].text;
    if (sek_addr_from_text(c->args[0], &address, &why))
        return sek_context_usage(c, "%s", why.text);
    sek_out_begin(c->out, "sekisho.answers/1", cols, N_COLS, SEK_OUT_ROWS);
    enum sek_err e =
        sek_report_answers(report, &address, c->opt[OPT_SINCE].number, put_answer, &r, &c->diag);
    if (!e)
        e = sek_out_end(c->out, &c->diag);
    if (!e && r.n == 0)
        return sek_context_none(c, "%s was not given%s%s, as far as is remembered", c->args[0],
                                endpoint ? " to " : " to anybody", endpoint ? endpoint : "");
    return e;
}

/* --- connections -------------------------------------------------------------------------------
 */

/* What is told of an endpoint and an address. */
struct pair {
    struct sek_addr endpoint, address;
    int64_t first_s, last_s;
    uint64_t n; /* 0: free */
    enum sek_given_as as;
    char *domain; /* NULL: none */
};

struct recent {
    struct sek_addr endpoint, address;
    int64_t bucket;
    enum sek_given_as as; /* 0: free */
};

struct check {
    struct sek_context *c;
    const struct sek_buf *only; /* NULL: all endpoints */
    struct sek_given *given;
    struct sek_connection_columns columns;
    struct sek_hash_key key;
    struct recent *recent;
    struct pair *pairs; /* open addressing, a power of two */
    size_t n_pairs, room;
    uint64_t n, n_given, n_local, n_unknown, n_untold;
};

static uint64_t hash_of(const struct check *k, const struct sek_connection *c)
{
    uint8_t text[2 * sizeof c->source];
    memcpy(text, &c->source, sizeof c->source);
    memcpy(text + sizeof c->source, &c->destination, sizeof c->destination);
    return sek_hash(&k->key, text, sizeof text);
}

static struct pair *find(const struct check *k, uint64_t hash, const struct sek_connection *c)
{
    size_t i = hash & (k->room - 1);
    while (k->pairs[i].n && !(sek_addr_equal(&k->pairs[i].endpoint, &c->source) &&
                              sek_addr_equal(&k->pairs[i].address, &c->destination)))
        i = (i + 1) & (k->room - 1);
    return &k->pairs[i];
}

static bool grow(struct check *k)
{
    struct check next = *k;
    next.room = k->room ? 2 * k->room : 1024;
    next.pairs = calloc(next.room, sizeof *next.pairs);
    if (!next.pairs)
        return false;
    for (size_t i = 0; i < k->room; i++) {
        const struct pair *p = &k->pairs[i];
        const struct sek_connection c = {.source = p->endpoint, .destination = p->address};
        if (p->n)
            *find(&next, hash_of(k, &c), &c) = *p;
    }
    free(k->pairs);
    k->pairs = next.pairs;
    k->room = next.room;
    return true;
}

static enum sek_err tell(struct check *k, uint64_t hash, const struct sek_connection *c,
                         enum sek_given_as as, const char *domain)
{
    if (2 * k->n_pairs >= k->room && !grow(k))
        return sek_diag_set(&k->c->diag, SEK_E_NOMEM, "out of memory for so many connections");
    struct pair *p = find(k, hash, c);
    if (!p->n && k->n_pairs == PAIRS_MAX) {
        k->n_untold++;
        return SEK_OK;
    }
    if (!p->n) {
        *p = (struct pair){c->source, c->destination, c->time_s, c->time_s, 0, as, NULL};
        k->n_pairs++;
    }
    if (as < p->as) /* given to others, that time: says more */
        p->as = as;
    if (*domain && !p->domain)
        p->domain = strdup(domain);
    p->n++;
    p->first_s = c->time_s < p->first_s ? c->time_s : p->first_s;
    p->last_s = c->time_s > p->last_s ? c->time_s : p->last_s;
    return SEK_OK;
}

static enum sek_err judge(struct check *k, const struct sek_connection *c)
{
    char domain[SEK_NAME_TEXT_MAX] = "";
    uint64_t hash = hash_of(k, c);
    struct recent *r = &k->recent[hash % RECENT];
    int64_t bucket = c->time_s / RECENT_S;
    bool known = r->as == SEK_GIVEN && r->bucket == bucket &&
                 sek_addr_equal(&r->endpoint, &c->source) &&
                 sek_addr_equal(&r->address, &c->destination);
    enum sek_given_as as = SEK_GIVEN;
    enum sek_err e = known ? SEK_OK
                           : sek_given_ask(k->given, &c->source, &c->destination, c->time_s, &as,
                                           domain, &k->c->diag);
    if (e)
        return e;
    *r = (struct recent){c->source, c->destination, bucket, as};
    k->n_given += as == SEK_GIVEN;
    k->n_unknown += as == SEK_GIVEN_UNKNOWN;
    if (as == SEK_GIVEN || as == SEK_GIVEN_UNKNOWN)
        return SEK_OK;
    return tell(k, hash, c, as, domain);
}

static enum sek_err one_line(void *arg, char *line, struct sek_diag *diag)
{
    struct check *k = arg;
    struct sek_connection c;
    const struct sek_arg_value *opt = k->c->opt;
    line += strspn(line, " ");
    if (!*line || *line == '#')
        return SEK_OK;
    enum sek_err e = sek_connection_from_line(line, &k->columns, k->c->now_s, &c, diag);
    if (e)
        return e;
    if (k->only && !sek_machines_kept(k->only, &c.source, c.time_s, c.time_s))
        return SEK_OK;
    if (opt[OPT_SINCE].given && c.time_s < opt[OPT_SINCE].number)
        return SEK_OK;
    k->n++;
    if (!opt[OPT_ALL].given && !sek_connection_is_global(&c.destination)) {
        k->n_local++;
        return SEK_OK;
    }
    e = judge(k, &c);
    if (e)
        *diag = k->c->diag;
    return e;
}

enum { C_FIRST, C_LAST, C_ENDPOINT, C_ADDRESS, C_COUNT, C_GIVEN, C_DOMAIN, C_COLS };
static const struct sek_col check_cols[] = {
    [C_FIRST] = {"first", "First (UTC)", SEK_COL_TIME},
    [C_LAST] = {"last", "Last (UTC)", SEK_COL_TIME},
    [C_ENDPOINT] = {"endpoint", "Endpoint", SEK_COL_TEXT},
    [C_ADDRESS] = {"address", "Address", SEK_COL_TEXT},
    [C_COUNT] = {"connections", "Connections", SEK_COL_UINT},
    [C_GIVEN] = {"given", "Given", SEK_COL_TEXT},
    [C_DOMAIN] = {"domain", "For", SEK_COL_NAME},
};

static int by_endpoint(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    int order = memcmp(&x->endpoint, &y->endpoint, sizeof x->endpoint);
    if (order == 0 && x->first_s != y->first_s)
        order = x->first_s < y->first_s ? -1 : 1;
    return order ? order : memcmp(&x->address, &y->address, sizeof x->address);
}

/* Those that are there to the front, in their order. */
static void put_pairs(struct check *k)
{
    struct sek_out *o = k->c->out;
    char text[SEK_ADDR_TEXT_MAX];
    size_t n = 0;
    for (size_t i = 0; i < k->room; i++)
        if (k->pairs[i].n) {
            struct pair p = k->pairs[i];
            k->pairs[i] = k->pairs[n];
            k->pairs[n++] = p;
        }
    if (n)
        qsort(k->pairs, n, sizeof *k->pairs, by_endpoint);
    sek_out_begin(o, "sekisho.answers.check/1", check_cols, C_COLS, SEK_OUT_ROWS);
    for (size_t i = 0; i < n; i++) {
        const struct pair *p = &k->pairs[i];
        sek_out_int(o, C_FIRST, p->first_s);
        sek_out_int(o, C_LAST, p->last_s);
        sek_out_text(o, C_ENDPOINT, sek_addr_to_text(&p->endpoint, text));
        sek_out_text(o, C_ADDRESS, sek_addr_to_text(&p->address, text));
        sek_out_uint(o, C_COUNT, p->n);
        sek_out_text(o, C_GIVEN, sek_lookup_name(sek_given_names, (int)p->as));
        if (p->domain)
            sek_out_text(o, C_DOMAIN, p->domain);
        if (!sek_out_row(o))
            break;
    }
}

static void say_counts(const struct check *k)
{
    sek_talk("%" PRIu64 " connections: %" PRIu64 " to addresses that DNS gave, %" PRIu64
             " to private or special ones",
             k->n, k->n_given, k->n_local);
    if (k->n_unknown)
        sek_talk("%" PRIu64 " are older than the memory of answers: not judged", k->n_unknown);
    if (k->n_untold)
        sek_talk("%" PRIu64 " more are not shown: only %u pairs of endpoint and address are",
                 k->n_untold, PAIRS_MAX);
}

static enum sek_err check(struct check *k)
{
    struct sek_context *c = k->c;
    uint64_t n_bad = 0;
    enum sek_err e = sek_textlines_read(c->opt[OPT_CHECK].text, one_line, k, &n_bad, &c->diag);
    if (e)
        return e;
    say_counts(k);
    if (k->n == 0 && n_bad > 0)
        return sek_diag_set(
            &c->diag, SEK_E_INVALID,
            "%.200s: no line has time, source and destination in columns %u, %u and "
            "%u; see --columns",
            c->opt[OPT_CHECK].text, k->columns.time, k->columns.source, k->columns.destination);
    put_pairs(k);
    e = sek_out_end(c->out, &c->diag);
    if (!e && k->n_pairs == 0)
        return sek_context_none(c, "no connection to an address that DNS did not give");
    return e;
}

static enum sek_err check_log(struct sek_context *c, struct sek_report *report,
                              const struct sek_buf *only)
{
    struct check k = {.c = c, .only = only, .columns = {1, 2, 3}, .key = sek_hash_key_random()};
    struct sek_diag why = {0};
    int64_t grace_s = c->opt[OPT_GRACE].given ? c->opt[OPT_GRACE].number : GRACE_DEFAULT_S;
    if (c->opt[OPT_COLUMNS].given &&
        sek_connection_columns_from_text(c->opt[OPT_COLUMNS].text, &k.columns, &why))
        return sek_context_usage(c, "--columns: %s", why.text);
    k.recent = calloc(RECENT, sizeof *k.recent);
    enum sek_err e = k.recent && grow(&k) ? sek_given_open(report, grace_s, &k.given, &c->diag)
                                          : sek_diag_set(&c->diag, SEK_E_NOMEM, "out of memory");
    if (!e)
        e = check(&k);
    for (size_t i = 0; i < k.room; i++)
        free(k.pairs[i].domain);
    sek_given_close(k.given);
    free(k.recent);
    free(k.pairs);
    return e;
}

enum sek_err sek_cmd_answers(struct sek_context *c)
{
    struct sek_report *report = NULL;
    bool checks = c->opt[OPT_CHECK].given;
    if (checks == (c->n_args > 0))
        return sek_context_usage(c, "answers: either an ADDRESS, or --check FILE");
    const struct sek_arg_value *named = &c->opt[OPT_ENDPOINT];
    struct sek_buf only;
    sek_buf_init(&only, 0);
    enum sek_err e = sek_hit_report_open(c, &report);
    if (!e && named->given)
        e = sek_machines_keep(c, "--endpoint", named->text, &only);
    if (!e)
        e = (checks ? check_log : show)(c, report, named->given ? &only : NULL);
    sek_report_close(report);
    sek_buf_fini(&only);
    return e;
}
