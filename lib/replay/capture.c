/* SPDX-License-Identifier: BSD-3-Clause */
/* Captures: DNS is what goes to or comes from port 53, over UDP and TCP. */
#include "replay/connections.h"
#include "replay/fragments.h"
#include "replay/pcapfile.h"
#include "replay/source_parts.h"
#include <inttypes.h>
#include <stdlib.h>
#include "base/banned.h"

struct capture {
    struct sek_pcapfile *file;
    struct sek_fragments *fragments; /* NULL: none came yet */
    struct sek_connections *connections;
};

static enum sek_err open_capture(struct sek_source *s, struct sek_diag *diag)
{
    struct capture *c = s->reader = calloc(1, sizeof *c);

    s->tells_answers = true;
    if (c)
        c->connections = sek_connections_new();
    if (!c || !c->connections)
        return sek_diag_set(diag, SEK_E_NOMEM, "%s: no memory to read it", sek_stream_label(s->in));
    return sek_pcapfile_open(s->in, &c->file, diag);
}

static void close_capture(struct sek_source *s)
{
    struct capture *c = s->reader;

    if (!c)
        return;
    sek_pcapfile_close(c->file);
    sek_fragments_free(c->fragments);
    sek_connections_free(c->connections);
    free(c);
}

static struct sek_pair pair_of(const struct sek_packet *p, const struct sek_segment *segment)
{
    return (struct sek_pair){.client = p->from,
                             .server = p->to,
                             .client_port = segment->from_port,
                             .server_port = segment->to_port};
}

/* All messages that a segment completes; of several bad ones the last is told. */
static enum sek_err read_tcp(struct sek_source *s, int64_t time_ms, const struct sek_packet *p,
                             const struct sek_segment *segment, struct sek_diag *diag)
{
    struct capture *c = s->reader;
    struct sek_pair pair = pair_of(p, segment);
    struct sek_octets message;

    enum sek_err err = sek_connections_add(c->connections, p, segment, diag);
    while (sek_connections_next(c->connections, &message)) {
        enum sek_err e = sek__source_message(s, time_ms, &message, &pair, diag);
        err = e ? e : err;
    }
    return err;
}

static enum sek_err read_packet(struct sek_source *s, int64_t time_ms, struct sek_packet *p,
                                struct sek_diag *diag)
{
    struct capture *c = s->reader;
    struct sek_segment segment;

    if (p->protocol != SEK_PROTOCOL_UDP && p->protocol != SEK_PROTOCOL_TCP)
        return SEK_OK;
    if (p->is_fragment) {
        if (!c->fragments && !(c->fragments = sek_fragments_new()))
            return sek_diag_set(diag, SEK_E_NOMEM, "no memory for fragments");
        int whole = sek_fragments_add(c->fragments, p, diag);
        if (whole <= 0)
            return (enum sek_err)whole;
    }
    if (!sek_segment_read(p->protocol, p->data, &segment) || !sek_segment_is_dns(&segment))
        return SEK_OK;
    if (p->protocol == SEK_PROTOCOL_TCP)
        return read_tcp(s, time_ms, p, &segment, diag);
    struct sek_pair pair = pair_of(p, &segment);
    return sek__source_message(s, time_ms, &segment.data, &pair, diag);
}

static int step_capture(struct sek_source *s, struct sek_diag *diag)
{
    struct capture *c = s->reader;
    struct sek_frame frame;
    struct sek_packet p;

    int got = sek_pcapfile_next(c->file, &frame, diag);
    if (got <= 0)
        return got;
    s->n_records++;
    if (!sek_packet_read(sek_pcapfile_link(c->file), frame.at, frame.size, &p))
        return 1;
    int64_t time_ms = frame.time_s * 1000 + frame.time_ns / 1000000;
    enum sek_err err = read_packet(s, time_ms, &p, diag);
    if (!err)
        return 1;
    sek_diag_wrap(diag, "%s: packet %" PRIu64, sek_stream_label(s->in), s->n_records);
    return (int)err;
}

const struct sek_source_format sek__source_pcap = {"pcap", sek_pcapfile_is_pcap, open_capture,
                                                   step_capture, close_capture};
const struct sek_source_format sek__source_pcapng = {"pcapng", sek_pcapfile_is_pcapng, open_capture,
                                                     step_capture, close_capture};
