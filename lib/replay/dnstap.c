/* SPDX-License-Identifier: BSD-3-Clause */
/* dnstap: protocol buffers (dnstap.proto) in Frame Streams, as Unbound, BIND, Knot and
 * fstrm_capture write them. Queries of clients to the server that wrote it are read: CLIENT, and
 * what other kinds of programs write for the same: AUTH (an authoritative server), STUB and TOOL.
 * What that server itself asked (RESOLVER, FORWARDER) and UPDATE are passed over. A response
 * carries the query's time, so it suffices alone; when the queries are there too, they are paired.
 */
#include "replay/source_parts.h"
#include <dnstap.pb-c.h>
#include <fstrm.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define CONTENT "protobuf:dnstap.Dnstap"

/* Message.type: queries are odd, responses even. */
enum { AUTH = 1, CLIENT = 5, STUB = 9, TOOL = 11 };

struct dnstap {
    struct fstrm_reader *reader;
    bool cut_off;
    struct sek_diag why; /* reading failed */
};

/* An escape, then a control frame of type START (Frame Streams, "Control frames"). */
static bool is_dnstap(const uint8_t *begin, size_t size)
{
    return size >= 12 && memcmp(begin, "\0\0\0\0", 4) == 0 &&
           memcmp(begin + 8, "\0\0\0\x02", 4) == 0;
}

static fstrm_res read_stream(void *obj, void *out, size_t n)
{
    struct sek_source *s = obj;
    struct dnstap *d = s->reader;

    for (size_t done = 0; done < n;) {
        int got = sek_stream_some(s->in, (uint8_t *)out + done, n - done, &d->why);
        if (got < 0)
            return fstrm_res_failure;
        if (got == 0) {
            d->cut_off = done > 0 || n != 4; /* between two frames the writer was just stopped */
            return fstrm_res_stop;
        }
        done += (size_t)got;
    }
    return fstrm_res_success;
}

/* The stream is open as long as the source. */
static fstrm_res do_nothing(void *obj)
{
    (void)obj;
    return fstrm_res_success;
}

static struct fstrm_reader *new_reader(struct sek_source *s)
{
    struct fstrm_reader_options *options = fstrm_reader_options_init();
    struct fstrm_rdwr *rdwr = fstrm_rdwr_init(s);

    fstrm_rdwr_set_open(rdwr, do_nothing);
    fstrm_rdwr_set_close(rdwr, do_nothing);
    fstrm_rdwr_set_read(rdwr, read_stream);
    fstrm_reader_options_add_content_type(options, CONTENT, strlen(CONTENT));
    struct fstrm_reader *r = fstrm_reader_init(options, &rdwr);
    fstrm_reader_options_destroy(&options);
    if (!r)
        fstrm_rdwr_destroy(&rdwr);
    return r;
}

static enum sek_err open_dnstap(struct sek_source *s, struct sek_diag *diag)
{
    struct dnstap *d = s->reader = calloc(1, sizeof *d);

    if (d)
        d->reader = new_reader(s);
    if (!d || !d->reader)
        return sek_diag_set(diag, SEK_E_NOMEM, "%s: no memory to read it", sek_stream_label(s->in));
    if (fstrm_reader_open(d->reader) != fstrm_res_success)
        return sek_diag_set(diag, SEK_E_INVALID, "%s: Frame Streams, but not of dnstap (%s)",
                            sek_stream_label(s->in), CONTENT);
    return SEK_OK;
}

static void close_dnstap(struct sek_source *s)
{
    struct dnstap *d = s->reader;

    if (d && d->reader)
        fstrm_reader_destroy(&d->reader);
    free(d);
}

static bool to_addr(const ProtobufCBinaryData *from, struct sek_addr *out)
{
    static const struct sek_addr mapped = {{[10] = 0xff, [11] = 0xff}};

    *out = mapped;
    if (from->len != 4 && from->len != 16)
        return false;
    memcpy(out->octets + 16 - from->len, from->data, from->len);
    return true;
}

/* A time behind the year 9999 is none. */
static int64_t to_ms(uint64_t time_s, uint32_t ns)
{
    return time_s < 253402300800 ? (int64_t)time_s * 1000 + ns / 1000000 % 1000 : 0;
}

static bool is_of_client(uint32_t type)
{
    uint32_t query = type - (type % 2 == 0);
    return query == CLIENT || query == AUTH || query == STUB || query == TOOL;
}

static enum sek_err read_message(struct sek_source *s, const Dnstap__Message *m,
                                 struct sek_diag *diag)
{
    bool is_response = m->type % 2 == 0;
    struct sek_addr addr = {{0}};
    const ProtobufCBinaryData *wire = is_response ? &m->response_message : &m->query_message;
    bool has_wire = is_response ? m->has_response_message : m->has_query_message;

    if (!is_of_client(m->type) || !has_wire)
        return SEK_OK;
    if (m->has_query_address && !to_addr(&m->query_address, &addr))
        return sek_diag_set(diag, SEK_E_INVALID, "an address of %zu octets", m->query_address.len);
    if (!m->has_query_time_sec && !m->has_response_time_sec)
        return sek_diag_set(diag, SEK_E_INVALID, "has no time");
    int64_t time_ms = m->has_query_time_sec ? to_ms(m->query_time_sec, m->query_time_nsec)
                                            : to_ms(m->response_time_sec, m->response_time_nsec);
    struct sek_pair pair = {.client = addr, .client_port = (uint16_t)m->query_port};
    if (is_response) /* from the server, of which nothing needs to be known */
        pair = (struct sek_pair){.server = addr, .server_port = (uint16_t)m->query_port};
    s->tells_answers |= is_response;
    return sek__source_message(s, time_ms, &(struct sek_octets){wire->data, wire->len}, &pair,
                               diag);
}

static int at_end(struct sek_source *s, fstrm_res res, struct sek_diag *diag)
{
    struct dnstap *d = s->reader;

    if (res == fstrm_res_stop && !d->cut_off)
        return 0;
    if (d->why.code) {
        *diag = d->why;
        return SEK_E_IO;
    }
    return (int)sek_diag_set(diag, SEK_E_IO, "%s: damaged or cut off behind frame %" PRIu64,
                             sek_stream_label(s->in), s->n_records);
}

static int step_dnstap(struct sek_source *s, struct sek_diag *diag)
{
    struct dnstap *d = s->reader;
    const uint8_t *data;
    size_t len;
    enum sek_err err = SEK_OK;

    fstrm_res res = fstrm_reader_read(d->reader, &data, &len);
    if (res != fstrm_res_success)
        return at_end(s, res, diag);
    s->n_records++;
    Dnstap__Dnstap *tap = dnstap__dnstap__unpack(NULL, len, data);
    if (!tap)
        err = sek_diag_set(diag, SEK_E_INVALID, "no dnstap message");
    else if (tap->message)
        err = read_message(s, tap->message, diag);
    dnstap__dnstap__free_unpacked(tap, NULL);
    if (!err)
        return 1;
    sek_diag_wrap(diag, "%s: frame %" PRIu64, sek_stream_label(s->in), s->n_records);
    return (int)err;
}

const struct sek_source_format sek__source_dnstap = {"dnstap", is_dnstap, open_dnstap, step_dnstap,
                                                     close_dnstap};
