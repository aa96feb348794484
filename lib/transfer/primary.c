/* SPDX-License-Identifier: BSD-3-Clause */
#include "transfer/primary.h"
#include "transfer/serial.h"
#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "base/banned.h"

#define MESSAGE_MAX 65535 /* octets, RFC 1035 §4.2.2 */

/* One question and its answer, on a connection of its own. */
struct talk {
    const struct sek_primary *p;
    struct sek_transfer *t;
    int fd;
    uint16_t id;
    struct sek_tsig *tsig; /* NULL: unsigned */
    uint8_t message[MESSAGE_MAX + SEK_TSIG_RR_MAX];
};

/* The connection */

static enum sek_err io_error(const struct sek_primary *p, const char *what, struct sek_diag *diag)
{
    int why = errno;
    if (why == EAGAIN || why == EINPROGRESS)
        return sek_diag_set(diag, SEK_E_IO, "%s port %s: %s: no answer within %u s", p->host,
                            p->port, what, p->wait_s);
    return sek_diag_set(diag, SEK_E_IO, "%s port %s: %s: %s", p->host, p->port, what,
                        strerrordesc_np(why));
}

static int connect_to(const struct addrinfo *ai, unsigned wait_s)
{
    const struct timeval wait = {.tv_sec = (time_t)wait_s};
    int fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC, ai->ai_protocol);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) == 0 &&
        connect(fd, ai->ai_addr, ai->ai_addrlen) == 0)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

static enum sek_err connect_any(struct talk *k, struct sek_diag *diag)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int why = getaddrinfo(k->p->host, k->p->port, &hints, &found);
    if (why)
        return sek_diag_set(diag, SEK_E_IO, "%s: %s", k->p->host, gai_strerror(why));
    k->fd = -1;
    for (const struct addrinfo *ai = found; ai && k->fd < 0; ai = ai->ai_next)
        k->fd = connect_to(ai, k->p->wait_s);
    enum sek_err err = k->fd < 0 ? io_error(k->p, "cannot connect", diag) : SEK_OK;
    freeaddrinfo(found);
    return err;
}

static enum sek_err send_all(struct talk *k, const uint8_t *data, size_t n, struct sek_diag *diag)
{
    while (n > 0) {
        ssize_t sent = send(k->fd, data, n, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return io_error(k->p, "cannot send", diag);
        data += sent;
        n -= (size_t)sent;
    }
    return SEK_OK;
}

static enum sek_err receive(struct talk *k, uint8_t *data, size_t n, struct sek_diag *diag)
{
    while (n > 0) {
        ssize_t got = recv(k->fd, data, n, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return io_error(k->p, "cannot receive", diag);
        if (got == 0)
            return sek_diag_set(diag, SEK_E_IO,
                                "%s port %s: the primary closed the connection before the answer "
                                "was complete",
                                k->p->host, k->p->port);
        data += got;
        n -= (size_t)got;
    }
    return SEK_OK;
}

/* Question and answer */

static uint8_t *put16(uint8_t *at, unsigned value)
{
    *at++ = (uint8_t)(value >> 8);
    *at++ = (uint8_t)value;
    return at;
}

/* The question; of IXFR with the SOA that is held, of which only the serial counts (RFC 1995 §3).
 */
static size_t question_make(struct talk *k, enum sek_zone_question what, uint32_t serial)
{
    const struct sek_name *zone = &k->p->zone;
    uint8_t *at = put16(k->message, k->id);
    at = put16(put16(put16(at, 0), 1), 0);           /* a query; one question, no answer */
    at = put16(put16(at, what == SEK_ZONE_IXFR), 0); /* authority, additional */
    memcpy(at, zone->octets, zone->len);
    at = put16(put16(at + zone->len, what), 1);
    if (what != SEK_ZONE_IXFR)
        return (size_t)(at - k->message);
    memcpy(at, zone->octets, zone->len);
    at = put16(put16(at + zone->len, SEK_ZONE_SOA), 1);
    at = put16(put16(at, 0), 0); /* TTL */
    at = put16(at, 2 + 5 * 4);   /* two root names and five numbers */
    *at++ = 0;
    *at++ = 0;
    at = put16(put16(at, serial >> 16), serial & 0xffff);
    memset(at, 0, 16);
    return (size_t)(at + 16 - k->message);
}

static enum sek_err ask(struct talk *k, enum sek_zone_question what, uint32_t serial,
                        struct sek_diag *diag)
{
    uint8_t len[2];
    if (getrandom(&k->id, sizeof k->id, 0) != sizeof k->id)
        return sek_diag_set(diag, SEK_E_IO, "no random numbers");
    size_t n = question_make(k, what, serial);
    enum sek_err err = SEK_OK;
    if (k->tsig)
        err = sek_tsig_sign(k->tsig, k->message, &n, time(NULL), diag);
    if (!err)
        err = connect_any(k, diag);
    put16(len, (unsigned)n);
    if (!err)
        err = send_all(k, len, sizeof len, diag);
    return err ? err : send_all(k, k->message, n, diag);
}

static enum sek_err message_take(struct talk *k, struct sek_zoneanswer *a, struct sek_diag *diag)
{
    uint8_t len[2];
    size_t tsig;
    enum sek_err err = receive(k, len, sizeof len, diag);
    size_t n = (size_t)len[0] << 8 | len[1];
    if (!err)
        err = receive(k, k->message, n, diag);
    if (err)
        return err;
    k->t->n_messages++;
    k->t->n_octets += n + sizeof len;
    if (k->t->n_octets > k->p->max_octets)
        return sek_diag_set(diag, SEK_E_LIMIT, "the zone is larger than allowed");
    err = sek_zoneanswer_message(a, k->id, k->message, n, &tsig, diag);
    struct sek_diag unsafe;
    if (k->tsig && (!err || tsig)) {
        enum sek_err bad = sek_tsig_check(k->tsig, k->message, n, tsig, time(NULL), &unsafe);
        if (bad)
            return sek_diag_set(diag, bad, "%s", unsafe.text);
    }
    return err;
}

/* What is asked for, complete and checked. */
static enum sek_err exchange(const struct sek_primary *p, struct sek_transfer *t,
                             enum sek_zone_question what, uint32_t serial,
                             struct sek_zoneanswer **out, struct sek_diag *diag)
{
    struct talk *k = calloc(1, sizeof *k);
    struct sek_zoneanswer *a = NULL;
    if (!k || sek_zoneanswer_new(what, &p->zone, serial, p->max_octets, &a) ||
        (p->key && sek_tsig_new(p->key, &k->tsig))) {
        sek_zoneanswer_free(a);
        free(k);
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for a transfer");
    }
    k->p = p;
    k->t = t;
    k->fd = -1;
    enum sek_err err = ask(k, what, serial, diag);
    while (!err && !sek_zoneanswer_is_done(a))
        err = message_take(k, a, diag);
    if (!err && k->tsig && !sek_tsig_is_complete(k->tsig))
        err = sek_diag_set(diag, SEK_E_REFUSED, "TSIG: the end of the answer is not signed");
    if (k->fd >= 0)
        close(k->fd);
    sek_tsig_free(k->tsig);
    free(k);
    if (err)
        sek_zoneanswer_free(a);
    else
        *out = a;
    return err;
}

/* The zone */

/* Behind the line of the SOA. */
static const char *records_of(const char *text, size_t len)
{
    const char *newline = len ? memchr(text, '\n', len) : NULL;
    return newline ? newline + 1 : text + len;
}

enum sek_err sek_zone_serial(const char *text, size_t len, uint32_t *out, struct sek_diag *diag)
{
    char line[2048];
    size_t n = (size_t)(records_of(text, len) - text);
    if (n > 0 && n < sizeof line) {
        memcpy(line, text, n);
        line[n] = '\0';
        if (sscanf(line, "%*s %*u SOA %*s %*s %" SCNu32, out) == 1)
            return SEK_OK;
    }
    return sek_diag_set(diag, SEK_E_CORRUPT, "the zone that is kept has no SOA record");
}

static enum sek_err zone_make(struct sek_zoneanswer *a, const struct sek_buf *old,
                              struct sek_buf *out, struct sek_transfer *t, struct sek_diag *diag)
{
    sek_buf_add_fmt(out, "%s\n", sek_zoneanswer_soa_line(a));
    const char *records = old ? records_of(old->data, old->len) : "";
    size_t n = old ? (size_t)(old->data + old->len - records) : 0;
    struct sek_lines *lines = sek_zoneanswer_lines(a);
    if (sek_zoneanswer_is_delta(a))
        return sek_lines_apply(records, n, lines, out, &t->change, diag);
    size_t head = out->len;
    enum sek_err err = sek_lines_sorted(lines, out, diag);
    if (!err)
        sek_lines_compare(records, n, out->data + head, out->len - head, &t->change);
    return err;
}

static enum sek_err get(const struct sek_primary *p, enum sek_zone_question what, uint32_t serial,
                        const struct sek_buf *old, struct sek_buf *out, struct sek_transfer *t,
                        struct sek_diag *diag)
{
    struct sek_zoneanswer *a = NULL;
    enum sek_err err = exchange(p, t, what, serial, &a, diag);
    if (err)
        return err;
    t->soa = *sek_zoneanswer_soa(a);
    t->kind = sek_zoneanswer_is_delta(a) ? SEK_TRANSFER_DELTA : SEK_TRANSFER_WHOLE;
    if (what == SEK_ZONE_IXFR && sek_serial_compare(t->soa.serial, serial) != SEK_SERIAL_NEWER)
        t->kind = SEK_TRANSFER_CURRENT; /* another server of the primary, one behind */
    else
        err = zone_make(a, old, out, t, diag);
    sek_zoneanswer_free(a);
    return err;
}

/* Is there anything to transfer? */
static enum sek_err serial_ask(const struct sek_primary *p, uint32_t held, struct sek_transfer *t,
                               struct sek_diag *diag)
{
    struct sek_zoneanswer *a = NULL;
    enum sek_err err = exchange(p, t, SEK_ZONE_SOA, 0, &a, diag);
    if (err)
        return err;
    t->soa = *sek_zoneanswer_soa(a);
    sek_zoneanswer_free(a);
    switch (sek_serial_compare(t->soa.serial, held)) {
    case SEK_SERIAL_SAME:
        t->kind = SEK_TRANSFER_CURRENT;
        return SEK_OK;
    case SEK_SERIAL_NEWER:
        return SEK_OK;
    case SEK_SERIAL_OLDER:
    case SEK_SERIAL_UNKNOWN:
        break;
    }
    return sek_diag_set(diag, SEK_E_REFUSED,
                        "the primary's serial %" PRIu32 " is not newer than ours, %" PRIu32
                        ": --force takes its zone all the same",
                        t->soa.serial, held);
}

enum sek_err sek_primary_fetch(const struct sek_primary *p, const struct sek_buf *old,
                               struct sek_buf *out, struct sek_transfer *out_transfer,
                               struct sek_diag *diag)
{
    struct sek_transfer t = {0};
    struct sek_diag why;
    uint32_t held = 0;
    enum sek_err err = SEK_OK;
    bool whole = p->whole || !old;
    if (!whole)
        err = sek_zone_serial(old->data, old->len, &held, diag);
    if (!err && !whole)
        err = serial_ask(p, held, &t, diag);
    if (!err && !whole && t.kind != SEK_TRANSFER_CURRENT) {
        err = get(p, SEK_ZONE_IXFR, held, old, out, &t, &why);
        /* RFC 1995 §4: a primary without deltas for us may say no; wrong ones are of no use */
        whole = err == SEK_E_DENIED || err == SEK_E_CORRUPT;
        if (whole)
            snprintf(t.note, sizeof t.note, "%.190s", why.text);
        else if (err)
            sek_diag_set(diag, err, "%s", why.text);
        if (whole) {
            sek_buf_reset(out);
            err = SEK_OK;
        }
    }
    if (!err && whole)
        err = get(p, SEK_ZONE_AXFR, 0, old, out, &t, diag);
    if (!err)
        *out_transfer = t;
    return err;
}
