/* SPDX-License-Identifier: BSD-3-Clause */
#include "replay/source_parts.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

/* THE table of formats, in the order in which a file is asked for them. */
static const struct sek_source_format *const formats[] = {
    &sek__source_pcap,  &sek__source_pcapng, &sek__source_dnstap,
    &sek__source_table, &sek__source_log,    NULL,
};

/* --- for the readers ---------------------------------------------------------------------------
 */

void sek__source_event(struct sek_event *e, int64_t time_ms, const struct sek_addr *endpoint,
                       const struct sek_name *name, uint16_t qtype)
{
    memset(e, 0, offsetof(struct sek_event, names));
    e->score = SEK_SCORE_UNKNOWN;
    e->time_ms = time_ms;
    e->outcome = SEK_OUTCOME_PASSED;
    e->existence = SEK_EXISTENCE_EXISTS;
    e->qtype = qtype;
    if (endpoint)
        e->endpoint = *endpoint;
    e->name_len = name->len;
    memcpy(e->names, name->octets, name->len);
    e->size = sek_event_size(name->len, 0);
}

void sek__source_set_rcode(struct sek_event *e, int rcode)
{
    e->outcome = rcode == 0   ? SEK_OUTCOME_PASSED
                 : rcode == 3 ? SEK_OUTCOME_NXDOMAIN
                              : SEK_OUTCOME_FAILED;
    e->existence = rcode == 0   ? SEK_EXISTENCE_EXISTS
                   : rcode == 3 ? SEK_EXISTENCE_ABSENT
                                : SEK_EXISTENCE_UNKNOWN;
}

static void set_response(struct sek_event *e, const struct sek_message *m)
{
    sek__source_set_rcode(e, m->rcode);
    e->ttl_s = m->ttl_s;
    e->answer_octets = m->octets;
    for (unsigned i = 0; i < m->n_addrs; i++)
        sek_event_add_addr(e, &m->addrs[i]);
    for (unsigned i = 0; i < m->n_ns_addrs; i++)
        sek_event_add_ns_addr(e, &m->ns_addrs[i]);
}

enum sek_err sek__source_message(struct sek_source *s, int64_t time_ms,
                                 const struct sek_octets *wire, const struct sek_pair *from_to,
                                 struct sek_diag *diag)
{
    struct sek_message m;
    struct sek_event e;
    struct sek_pair pair = *from_to;

    int told = sek_message_read(wire->at, wire->size, &m, diag);
    if (told <= 0)
        return (enum sek_err)told;
    if (m.is_response)
        pair = (struct sek_pair){.client = from_to->server,
                                 .server = from_to->client,
                                 .client_port = from_to->server_port,
                                 .server_port = from_to->client_port};
    pair.id = m.id;
    pair.qtype = m.qtype;
    pair.name = &m.name;
    uint64_t key = sek_pairs_key(s->pairs, &pair);
    sek__source_event(&e, time_ms, &pair.client, &m.name, m.qtype);
    if (m.is_response) {
        set_response(&e, &m);
        sek_pairs_answer(s->pairs, key, SEK_REPEAT_IS_SAME, &e);
    } else {
        sek__source_set_rcode(&e, -1);
        sek_pairs_ask(s->pairs, key, SEK_REPEAT_IS_SAME, &e);
    }
    return SEK_OK;
}

/* --- for everybody -----------------------------------------------------------------------------
 */

static enum sek_err open_format(struct sek_source *s, struct sek_diag *diag)
{
    const uint8_t *begin;
    int size = sek_stream_peek(s->in, &begin, diag);

    if (size < 0)
        return (enum sek_err)size;
    for (const struct sek_source_format *const *f = formats; *f; f++)
        if ((*f)->is_it(begin, (size_t)size)) {
            s->format = *f;
            s->name = (*f)->name;
            return (*f)->open(s, diag);
        }
    return sek_diag_set(diag, SEK_E_INVALID,
                        "%s: no format that is known: captures (pcap, pcapng), dnstap, Zeek's "
                        "dns.log, query logs, tables with a head line",
                        sek_stream_label(s->in));
}

enum sek_err sek_source_open(const char *path, int64_t now_s, struct sek_source **out,
                             struct sek_diag *diag)
{
    struct sek_source *s = calloc(1, sizeof *s);
    enum sek_err err = SEK_OK;

    if (s)
        s->pairs = sek_pairs_new();
    if (!s || !s->pairs)
        err = sek_diag_set(diag, SEK_E_NOMEM, "%s: no memory to read it", path);
    if (!err)
        err = sek_stream_open(path, &s->in, diag);
    if (!err) {
        s->now_s = now_s;
        err = open_format(s, diag);
    }
    if (err)
        sek_source_close(s);
    else
        *out = s;
    return err;
}

void sek_source_close(struct sek_source *s)
{
    if (!s)
        return;
    if (s->format)
        s->format->close(s);
    sek_stream_close(s->in);
    sek_pairs_free(s->pairs);
    free(s);
}

/* The next complete event. Of a file that never tells of responses nothing follows from there being
 * none. */
static bool take(struct sek_source *s, struct sek_event *out)
{
    if (!sek_pairs_take(s->pairs, out))
        return false;
    if (!s->tells_answers && out->outcome == SEK_OUTCOME_FAILED)
        sek__source_set_rcode(out, 0);
    return true;
}

/* Nothing more is read: who still waits for a response gets none. */
static int end(struct sek_source *s, struct sek_event *out, struct sek_diag *diag)
{
    if (!s->is_flushed)
        sek_pairs_end(s->pairs);
    s->is_flushed = true;
    if (take(s, out))
        return 1;
    struct sek_diag why = s->late;
    s->late.code = SEK_OK; /* told once */
    if (why.code && diag)
        *diag = why;
    return (int)why.code;
}

int sek_source_next(struct sek_source *s, struct sek_event *out, struct sek_diag *diag)
{
    struct sek_diag why = {.code = SEK_OK};

    while (!s->is_over) {
        if (take(s, out))
            return 1;
        int step = s->format->step(s, &why);
        s->is_over = step == 0 || step == SEK_E_IO || step == SEK_E_NOMEM;
        if (s->is_over && step < 0)
            s->late = why;
        if (step < 0 && !s->is_over) {
            if (diag)
                *diag = why;
            return step;
        }
    }
    return end(s, out, diag);
}

static void to_seen(const struct sek_event *e, struct sek_query_seen *out)
{
    static const struct sek_addr unknown;

    *out = (struct sek_query_seen){.rcode = -1, .qtype = e->qtype, .time_ms = e->time_ms};
    out->says_exists = e->existence != SEK_EXISTENCE_UNKNOWN;
    out->seen.resolved = e->existence != SEK_EXISTENCE_ABSENT;
    out->seen.first_s = out->seen.last_s = e->time_ms / 1000;
    sek_name_from_wire(e->names, e->name_len, &out->seen.domain);
    out->seen.n_addrs = !sek_addr_equal(&e->endpoint, &unknown);
    out->seen.endpoints = out->seen.n_addrs;
    out->seen.addrs[0] = e->endpoint;
}

int sek_source_seen(struct sek_source *s, struct sek_query_seen *out, struct sek_diag *diag)
{
    struct sek_event e;

    if (s->format->seen)
        return s->format->seen(s, out, diag);
    int got = sek_source_next(s, &e, diag);
    if (got == 1)
        to_seen(&e, out);
    return got;
}

struct sek_querylog *sek_source_querylog(struct sek_source *s)
{
    return s->format->querylog ? s->format->querylog(s) : NULL;
}

const char *sek_source_format(const struct sek_source *s)
{
    return s->name;
}

uint64_t sek_source_octets(const struct sek_source *s, uint64_t *out_size)
{
    return sek_stream_octets(s->in, out_size);
}
