/* SPDX-License-Identifier: BSD-3-Clause */
/* Captures: pcap and pcapng, read by libpcap. DNS is what goes to or comes from port 53, over UDP
 * and TCP. */
#include "replay/connections.h"
#include "replay/fragments.h"
#include "replay/source_parts.h"
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define DNS_PORT 53

struct capture {
    pcap_t *pcap;
    enum sek_link link;
    struct sek_fragments *fragments; /* NULL: none came yet */
    struct sek_connections *connections;
};

static bool begins(const uint8_t *begin, size_t size, const char *magic, size_t n)
{
    return size >= n && memcmp(begin, magic, n) == 0;
}

/* Either byte order; micro- and nanoseconds; Kuznetzov's variant. */
static bool is_pcap(const uint8_t *begin, size_t size)
{
    return begins(begin, size, "\xd4\xc3\xb2\xa1", 4) ||
           begins(begin, size, "\xa1\xb2\xc3\xd4", 4) ||
           begins(begin, size, "\x4d\x3c\xb2\xa1", 4) ||
           begins(begin, size, "\xa1\xb2\x3c\x4d", 4) ||
           begins(begin, size, "\x34\xcd\xb2\xa1", 4) || begins(begin, size, "\xa1\xb2\xcd\x34", 4);
}

static bool is_pcapng(const uint8_t *begin, size_t size)
{
    return begins(begin, size, "\x0a\x0d\x0d\x0a", 4);
}

static ssize_t read_cookie(void *cookie, char *out, size_t n)
{
    struct sek_source *s = cookie;
    struct sek_diag why;
    int got = sek_stream_some(s->in, out, n, &why);

    if (got < 0)
        s->late = why; /* libpcap cannot say it as well */
    return got < 0 ? -1 : got;
}

static const struct {
    int dlt;
    enum sek_link link;
} links[] = {
    {DLT_EN10MB, SEK_LINK_ETHERNET}, {DLT_LINUX_SLL, SEK_LINK_SLL}, {DLT_LINUX_SLL2, SEK_LINK_SLL2},
    {DLT_RAW, SEK_LINK_RAW},         {DLT_IPV4, SEK_LINK_RAW},      {DLT_IPV6, SEK_LINK_RAW},
    {DLT_NULL, SEK_LINK_NULL},       {DLT_LOOP, SEK_LINK_NULL},     {DLT_PPP, SEK_LINK_PPP},
};

static enum sek_err find_link(struct sek_source *s, struct capture *c, struct sek_diag *diag)
{
    int dlt = pcap_datalink(c->pcap);
    const char *name = pcap_datalink_val_to_name(dlt);

    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++)
        if (links[i].dlt == dlt) {
            c->link = links[i].link;
            return SEK_OK;
        }
    return sek_diag_set(diag, SEK_E_INVALID,
                        "%s: the capture is of link type %s (%d); Ethernet, Linux cooked, raw IP, "
                        "loopback and PPP can be read",
                        sek_stream_label(s->in), name ? name : "unknown", dlt);
}

static enum sek_err open_capture(struct sek_source *s, struct sek_diag *diag)
{
    static const cookie_io_functions_t functions = {.read = read_cookie};
    char why[PCAP_ERRBUF_SIZE] = "";
    struct capture *c = s->reader = calloc(1, sizeof *c);

    s->tells_answers = true;
    if (c)
        c->connections = sek_connections_new();
    FILE *f = c && c->connections ? fopencookie(s, "r", functions) : NULL;
    if (!f)
        return sek_diag_set(diag, SEK_E_NOMEM, "%s: no memory to read it", sek_stream_label(s->in));
    c->pcap = pcap_fopen_offline(f, why);
    if (!c->pcap) {
        fclose(f);
        return sek_diag_set(diag, SEK_E_INVALID, "%s: damaged capture: %s", sek_stream_label(s->in),
                            why);
    }
    return find_link(s, c, diag);
}

static void close_capture(struct sek_source *s)
{
    struct capture *c = s->reader;

    if (!c)
        return;
    if (c->pcap)
        pcap_close(c->pcap); /* and the file */
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
    if (!sek_segment_read(p->protocol, p->data, &segment) ||
        (segment.from_port != DNS_PORT && segment.to_port != DNS_PORT))
        return SEK_OK;
    if (p->protocol == SEK_PROTOCOL_TCP)
        return read_tcp(s, time_ms, p, &segment, diag);
    struct sek_pair pair = pair_of(p, &segment);
    return sek__source_message(s, time_ms, &segment.data, &pair, diag);
}

/* libpcap's -1 */
static int cannot_go_on(struct sek_source *s, struct sek_diag *diag)
{
    struct capture *c = s->reader;

    if (s->late.code) {
        *diag = s->late;
        return SEK_E_IO;
    }
    return (int)sek_diag_set(diag, SEK_E_IO, "%s: damaged or cut off behind packet %" PRIu64 ": %s",
                             sek_stream_label(s->in), s->n_records, pcap_geterr(c->pcap));
}

static int step_capture(struct sek_source *s, struct sek_diag *diag)
{
    struct capture *c = s->reader;
    struct pcap_pkthdr *head;
    struct sek_packet p;
    const u_char *frame;

    int got = pcap_next_ex(c->pcap, &head, &frame);
    if (got == PCAP_ERROR_BREAK)
        return 0;
    if (got < 0)
        return cannot_go_on(s, diag);
    s->n_records++;
    if (!sek_packet_read(c->link, frame, head->caplen, &p))
        return 1;
    int64_t time_ms = (int64_t)head->ts.tv_sec * 1000 + head->ts.tv_usec / 1000;
    enum sek_err err = read_packet(s, time_ms, &p, diag);
    if (!err)
        return 1;
    sek_diag_wrap(diag, "%s: packet %" PRIu64, sek_stream_label(s->in), s->n_records);
    return (int)err;
}

const struct sek_source_format sek__source_pcap = {"pcap", is_pcap, open_capture, step_capture,
                                                   close_capture};
const struct sek_source_format sek__source_pcapng = {"pcapng", is_pcapng, open_capture,
                                                     step_capture, close_capture};
