/* SPDX-License-Identifier: BSD-3-Clause */
#include "replay/wholes.h"
#include "base/buf.h"
#include "replay/connections.h"
#include "replay/flows.h"
#include "replay/fragments.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

struct sek_wholes {
    const struct sek_wanted *wanted;
    struct sek_fragments *fragments;
    struct sek_connections *connections;
    struct sek_flows *flows;
    struct sek_buf wanted_flows, wanted_datagrams; /* bits, by number */
};

static void mark(struct sek_buf *bits, uint64_t number)
{
    size_t at = (size_t)(number / 8);

    if (at >= bits->len) {
        size_t n = at + 1 - bits->len;
        void *room = sek_buf_grow(bits, n);
        if (!room)
            return;
        memset(room, 0, n);
    }
    bits->data[at] = (char)(bits->data[at] | 1 << number % 8);
}

static bool is_marked(const struct sek_buf *bits, uint64_t number)
{
    return number / 8 < bits->len && (bits->data[number / 8] >> number % 8 & 1);
}

static void forget(struct sek_wholes *w)
{
    sek_fragments_free(w->fragments);
    sek_connections_free(w->connections);
    sek_flows_free(w->flows);
    w->fragments = NULL;
    w->connections = NULL;
    w->flows = NULL;
}

struct sek_wholes *sek_wholes_new(const struct sek_wanted *wanted)
{
    struct sek_wholes *w = calloc(1, sizeof *w);

    if (!w)
        return NULL;
    w->wanted = wanted;
    sek_buf_init(&w->wanted_flows, 0);
    sek_buf_init(&w->wanted_datagrams, 0);
    return w;
}

void sek_wholes_free(struct sek_wholes *w)
{
    if (!w)
        return;
    forget(w);
    sek_buf_fini(&w->wanted_flows);
    sek_buf_fini(&w->wanted_datagrams);
    free(w);
}

/* Both readings begin with nothing known, so that they number alike. */
enum sek_err sek_wholes_begin(struct sek_wholes *w, struct sek_diag *diag)
{
    bool failed = w->wanted_flows.failed || w->wanted_datagrams.failed;

    forget(w);
    w->fragments = sek_fragments_new();
    w->connections = sek_connections_new();
    w->flows = sek_flows_new();
    if (w->fragments && w->connections && w->flows && !failed)
        return SEK_OK;
    return sek_diag_set(diag, SEK_E_NOMEM, "no memory to read captures");
}

/* What a packet is a part of. */
struct part {
    uint64_t datagram, flow;    /* numbers; 0: of none */
    struct sek_segment segment; /* of the whole datagram */
};

/* Who asks is at the other end of port 53; of two such ports either may be. */
static bool wants(const struct sek_wholes *w, int64_t time_s, const struct sek_packet *p,
                  const struct sek_segment *s, const struct sek_octets *wire)
{
    return sek_wanted_time(w->wanted, time_s) &&
           ((s->to_port == SEK_PORT_DNS && sek_wanted_message(w->wanted, time_s, &p->from, wire)) ||
            (s->from_port == SEK_PORT_DNS && sek_wanted_message(w->wanted, time_s, &p->to, wire)));
}

/* The first fragment tells what a datagram is about, even if others never come. */
static bool first_wants(const struct sek_wholes *w, int64_t time_s, const struct sek_packet *p)
{
    struct sek_segment s;

    return p->is_fragment && p->fragment_at == 0 && p->protocol == SEK_PROTOCOL_UDP &&
           sek_segment_read(SEK_PROTOCOL_UDP, p->data, &s) && sek_segment_is_dns(&s) &&
           wants(w, time_s, p, &s, &s.data);
}

/* True: with this packet a DNS message or segment is whole, which is in out->segment. */
static bool put_together(struct sek_wholes *w, struct sek_packet *packet, struct part *out,
                         struct sek_diag *diag)
{
    *out = (struct part){0};
    if (packet->protocol != SEK_PROTOCOL_UDP && packet->protocol != SEK_PROTOCOL_TCP)
        return false;
    if (packet->is_fragment) {
        int whole = sek_fragments_add(w->fragments, packet, diag);
        out->datagram = sek_fragments_number(w->fragments);
        if (whole != 1)
            return false;
    }
    if (!sek_segment_read(packet->protocol, packet->data, &out->segment) ||
        !sek_segment_is_dns(&out->segment))
        return false;
    if (packet->protocol == SEK_PROTOCOL_TCP)
        out->flow = sek_flows_number(w->flows, packet, &out->segment);
    return true;
}

/* Whether a message that this segment completes is wanted. */
static bool segment_wants(struct sek_wholes *w, int64_t time_s, const struct sek_packet *p,
                          const struct sek_segment *segment, struct sek_diag *diag)
{
    static const struct sek_octets unknown;
    struct sek_octets message;
    bool wanted = wants(w, time_s, p, segment, &unknown);

    (void)sek_connections_add(w->connections, p, segment, diag);
    while (sek_connections_next(w->connections, &message))
        wanted = wants(w, time_s, p, segment, &message) || wanted;
    return wanted;
}

enum sek_err sek_wholes_judge(struct sek_wholes *w, int64_t time_s, struct sek_packet *p,
                              struct sek_diag *diag)
{
    struct sek_diag why = {.code = SEK_OK};
    struct part part;
    bool wanted = first_wants(w, time_s, p), whole = put_together(w, p, &part, &why);

    if (part.flow) {
        if (segment_wants(w, time_s, p, &part.segment, &why))
            mark(&w->wanted_flows, part.flow);
        wanted = is_marked(&w->wanted_flows, part.flow);
    } else if (whole && part.datagram) {
        wanted = wants(w, time_s, p, &part.segment, &part.segment.data) || wanted;
    }
    if (wanted && part.datagram)
        mark(&w->wanted_datagrams, part.datagram);
    if (!why.code || w->wanted->n_names == 0 || !sek_wanted_time(w->wanted, time_s))
        return SEK_OK; /* of what was lost addresses and time tell all */
    return sek_diag_set(diag, why.code, "%s", why.text);
}

bool sek_wholes_has(struct sek_wholes *w, int64_t time_s, struct sek_packet *p)
{
    struct part part;
    bool whole = put_together(w, p, &part, NULL);

    if (!sek_wanted_time(w->wanted, time_s))
        return false;
    if (part.datagram)
        return is_marked(&w->wanted_datagrams, part.datagram);
    if (part.flow)
        return is_marked(&w->wanted_flows, part.flow);
    return whole && wants(w, time_s, p, &part.segment, &part.segment.data);
}
