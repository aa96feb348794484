/* SPDX-License-Identifier: BSD-3-Clause */
/* dnstap: queries of clients to the server that wrote it are read: CLIENT, and what other kinds of
 * programs write for the same: AUTH (an authoritative server), STUB and TOOL. What that server
 * itself asked (RESOLVER, FORWARDER) and UPDATE are passed over. A response carries the query's
 * time, so it suffices alone; when the queries are there too, they are paired. */
#include "replay/source_parts.h"
#include "replay/tapfile.h"
#include <inttypes.h>
#include "base/banned.h"

/* Message.type: queries are odd, responses even. */
enum { AUTH = 1, CLIENT = 5, STUB = 9, TOOL = 11 };

static enum sek_err open_dnstap(struct sek_source *s, struct sek_diag *diag)
{
    struct sek_tapfile *f = NULL;
    enum sek_err err = sek_tapfile_open(s->in, &f, diag);

    s->reader = f;
    return err;
}

static void close_dnstap(struct sek_source *s)
{
    sek_tapfile_close(s->reader);
}

static bool is_of_client(uint32_t type)
{
    uint32_t query = type - (type % 2 == 0);
    return query == CLIENT || query == AUTH || query == STUB || query == TOOL;
}

static enum sek_err read_message(struct sek_source *s, const struct sek_tap *m,
                                 struct sek_diag *diag)
{
    bool is_response = m->type % 2 == 0;
    struct sek_addr addr = {{0}};
    const struct sek_octets *wire = is_response ? &m->response : &m->query;

    if (!is_of_client(m->type) || !wire->at)
        return SEK_OK;
    if (m->asker.at && !sek_tap_addr(&m->asker, &addr))
        return sek_diag_set(diag, SEK_E_INVALID, "an address of %zu octets", m->asker.size);
    int64_t time_ms = m->query_ms >= 0 ? m->query_ms : m->response_ms;
    if (time_ms < 0)
        return sek_diag_set(diag, SEK_E_INVALID, "has no time");
    struct sek_pair pair = {.client = addr, .client_port = m->asker_port};
    if (is_response) /* from the server, of which nothing needs to be known */
        pair = (struct sek_pair){.server = addr, .server_port = m->asker_port};
    s->tells_answers |= is_response;
    return sek__source_message(s, time_ms, wire, &pair, diag);
}

static int step_dnstap(struct sek_source *s, struct sek_diag *diag)
{
    struct sek_octets frame;
    struct sek_tap tap;

    int got = sek_tapfile_next(s->reader, &frame, diag);
    if (got <= 0)
        return got;
    s->n_records++;
    int told = sek_tapfile_read(s->reader, &tap, diag);
    enum sek_err err = told == 1 ? read_message(s, &tap, diag) : (enum sek_err)told;
    if (!err)
        return 1;
    sek_diag_wrap(diag, "%s: frame %" PRIu64, sek_stream_label(s->in), s->n_records);
    return (int)err;
}

const struct sek_source_format sek__source_dnstap = {"dnstap", sek_tapfile_is, open_dnstap,
                                                     step_dnstap, close_dnstap};
