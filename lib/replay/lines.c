/* SPDX-License-Identifier: BSD-3-Clause */
/* Logs of name servers and sensors, by way of observe/querylog.h. */
#include "replay/source_parts.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define LOOK 4096         /* octets that tell text from something else */
#define GUESS (64 * 1024) /* octets in which the kind of a log is looked for */

struct log {
    struct sek_querylog querylog;
    struct sek_query_seen seen; /* large: not on the stack of each call */
};

/* No control characters, and no page of the web; "<30>" begins a line of syslog. */
static bool is_log(const uint8_t *begin, size_t size)
{
    size_t at = 0;

    for (size_t i = 0; i < size && i < LOOK; i++)
        if (begin[i] < ' ' && !memchr("\t\n\r\f\033", begin[i], 5))
            return false;
    while (at < size && (begin[at] == ' ' || begin[at] == '\n' || begin[at] == '\r'))
        at++;
    return size == 0 || at == size || begin[at] != '<' ||
           (at + 1 < size && begin[at + 1] >= '0' && begin[at + 1] <= '9');
}

/* The kind of the first line that tells something. */
static const char *kind_of(const struct sek_source *s, char *text)
{
    struct log *l = s->reader;
    struct sek_querylog log;
    char *rest = text, *line;

    sek_querylog_init(&log, s->now_s);
    log.default_s = 1;
    while ((line = strsep(&rest, "\n")))
        if (sek_querylog_line(&log, line, &l->seen, NULL) == 1)
            return sek_lookup_name(sek_querylog_names, (int)l->seen.format);
    return log.zeek ? "zeek" : "log";
}

static enum sek_err open_log(struct sek_source *s, struct sek_diag *diag)
{
    const uint8_t *begin;
    uint8_t mark[3];
    int size = sek_stream_peek(s->in, &begin, diag);
    struct log *l = s->reader = malloc(sizeof *l);
    char *copy = malloc(GUESS + 1);

    if (!l || !copy || size < 0) {
        free(copy);
        return size < 0 ? (enum sek_err)size
                        : sek_diag_set(diag, SEK_E_NOMEM, "%s: no memory to read it",
                                       sek_stream_label(s->in));
    }
    if (size >= 3 && memcmp(begin, "\xef\xbb\xbf", 3) == 0) { /* UTF-8's byte order mark */
        (void)sek_stream_read(s->in, mark, sizeof mark, NULL);
        size = sek_stream_peek(s->in, &begin, NULL);
    }
    size_t n = size < GUESS ? (size_t)size : GUESS;
    memcpy(copy, begin, n);
    copy[n] = '\0';
    s->name = kind_of(s, copy);
    free(copy);
    sek_querylog_init(&l->querylog, s->now_s);
    s->tells_answers = true;
    return SEK_OK;
}

static void close_log(struct sek_source *s)
{
    free(s->reader);
}

static void to_event(const struct sek_query_seen *q, struct sek_event *e)
{
    const struct sek_addr *endpoint = q->seen.n_addrs ? &q->seen.addrs[0] : NULL;

    sek__source_event(e, q->time_ms, endpoint, &q->seen.domain, q->qtype);
    if (q->rcode >= 0 || q->unanswered)
        sek__source_set_rcode(e, q->rcode);
    else if (q->says_exists && !q->seen.resolved)
        sek__source_set_rcode(e, 3);
    e->ttl_s = q->ttl_s;
    e->answer_octets = q->answer_octets;
    for (unsigned i = 0; i < q->n_answers; i++)
        sek_event_add_addr(e, &q->answers[i]);
}

static void take_seen(struct sek_source *s, const struct sek_query_seen *q)
{
    struct sek_event e;
    bool by_name = q->format == SEK_QUERYLOG_DNSMASQ; /* its answers name nobody else */
    struct sek_pair pair = {.name = &q->seen.domain, .id = (uint16_t)q->format};

    to_event(q, &e);
    if (q->part == SEK_QUERY_WHOLE) {
        sek_pairs_pass(s->pairs, &e);
        return;
    }
    if (!by_name) {
        pair.client = e.endpoint;
        pair.qtype = q->qtype;
    }
    uint64_t key = sek_pairs_key(s->pairs, &pair);
    if (q->part == SEK_QUERY_ASKED)
        sek_pairs_ask(s->pairs, key, SEK_REPEAT_IS_ANOTHER, &e);
    else if (by_name)
        sek_pairs_amend(s->pairs, key, &e);
    else
        sek_pairs_answer(s->pairs, key, SEK_REPEAT_IS_ANOTHER, &e);
}

/* The next line: 1 where it tells something, 2 where not. */
static int read_line(struct sek_source *s, struct sek_query_seen *out, struct sek_diag *diag)
{
    struct log *l = s->reader;
    char *line;

    int got = sek_stream_line(s->in, &line, diag);
    if (got <= 0)
        return got;
    got = sek_querylog_line(&l->querylog, line, out, diag);
    if (got < 0)
        sek_diag_wrap(diag, "%s:%" PRIu64, sek_stream_label(s->in), sek_stream_n_lines(s->in));
    return got == 0 ? 2 : got;
}

static int step_log(struct sek_source *s, struct sek_diag *diag)
{
    struct log *l = s->reader;

    int got = read_line(s, &l->seen, diag);
    if (got == 1)
        take_seen(s, &l->seen);
    return got > 0 ? 1 : got;
}

static int seen_log(struct sek_source *s, struct sek_query_seen *out, struct sek_diag *diag)
{
    int got;

    do
        got = read_line(s, out, diag);
    while (got == 2);
    return got;
}

static struct sek_querylog *querylog_of(struct sek_source *s)
{
    struct log *l = s->reader;
    return &l->querylog;
}

const struct sek_source_format sek__source_log = {"log",     is_log,   open_log,   step_log,
                                                  close_log, seen_log, querylog_of};
