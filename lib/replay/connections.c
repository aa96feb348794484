/* SPDX-License-Identifier: BSD-3-Clause */
#include "replay/connections.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define MESSAGE_MAX (2 + 65535) /* with its length in front */
#define MESSAGE_MIN 12          /* the header */

struct direction {
    uint64_t used; /* number of the last segment; 0: empty */
    struct sek_addr from, to;
    uint16_t from_port, to_port;
    bool in_step; /* next_seq is the begin of what comes */
    uint32_t next_seq;
    size_t len;    /* octets of a message that is not whole yet */
    uint8_t *data; /* MESSAGE_MAX octets, or NULL */
};

struct sek_connections {
    uint64_t n;
    struct direction *at_work; /* whose messages next() gives */
    struct sek_octets left;    /* of the segment */
    bool gave_data;            /* the last message lay in at_work->data */
    struct direction directions[SEK_CONNECTIONS_MAX];
};

struct sek_connections *sek_connections_new(void)
{
    return calloc(1, sizeof(struct sek_connections));
}

void sek_connections_free(struct sek_connections *c)
{
    for (size_t i = 0; c && i < SEK_CONNECTIONS_MAX; i++)
        free(c->directions[i].data);
    free(c);
}

static struct direction *find(struct sek_connections *c, const struct sek_packet *p,
                              const struct sek_segment *s)
{
    struct direction *oldest = &c->directions[0];

    for (size_t i = 0; i < SEK_CONNECTIONS_MAX; i++) {
        struct direction *d = &c->directions[i];
        if (d->used && d->from_port == s->from_port && d->to_port == s->to_port &&
            sek_addr_equal(&d->from, &p->from) && sek_addr_equal(&d->to, &p->to))
            return d;
        if (d->used < oldest->used)
            oldest = d;
    }
    uint8_t *data = oldest->data;
    *oldest = (struct direction){.from = p->from,
                                 .to = p->to,
                                 .from_port = s->from_port,
                                 .to_port = s->to_port,
                                 .data = data};
    return oldest;
}

static size_t message_len(const uint8_t *at)
{
    return (size_t)(at[0] << 8 | at[1]);
}

/* A segment whose first octets could be the length of a message that is whole in it. */
static bool begins_message(const struct sek_octets *s)
{
    return s->size >= 2 + MESSAGE_MIN && message_len(s->at) >= MESSAGE_MIN &&
           2 + message_len(s->at) <= s->size;
}

/* Leave out what was there before. False: octets are missing. */
static bool fit(const struct direction *d, struct sek_octets *s, uint32_t seq)
{
    uint32_t before = d->next_seq - seq; /* modulo 2^32 */

    if (before > INT32_MAX)
        return false;
    size_t n = before < s->size ? before : s->size;
    s->at += n;
    s->size -= n;
    return true;
}

enum sek_err sek_connections_add(struct sek_connections *c, const struct sek_packet *p,
                                 const struct sek_segment *segment, struct sek_diag *diag)
{
    struct direction *d = find(c, p, segment);
    enum sek_err err = SEK_OK;

    d->used = ++c->n;
    c->at_work = d;
    c->gave_data = false;
    c->left = segment->data;
    if (segment->is_syn) {
        d->len = 0;
        d->in_step = true;
        d->next_seq = segment->seq;
    }
    if (d->in_step && !fit(d, &c->left, segment->seq)) {
        if (d->len > 0)
            err = sek_diag_set(diag, SEK_E_INVALID,
                               "a part of a TCP connection is missing: a message is lost");
        d->len = 0;
        d->in_step = false;
    }
    if (!d->in_step && begins_message(&c->left)) {
        d->in_step = true;
        d->next_seq = segment->seq;
    }
    if (!d->in_step)
        c->left.size = 0;
    d->next_seq += (uint32_t)c->left.size;
    if (segment->is_end)
        d->used = 1; /* the next to give way, when its messages are read */
    return err;
}

/* Move octets from the segment to what waits, until `len` are there. */
static void gather(struct sek_connections *c, struct direction *d, size_t len)
{
    size_t n = len - d->len < c->left.size ? len - d->len : c->left.size;

    memcpy(d->data + d->len, c->left.at, n);
    d->len += n;
    c->left.at += n;
    c->left.size -= n;
}

/* A message that began in an earlier segment, or does not end in this one. */
static bool take_gathered(struct sek_connections *c, struct direction *d, struct sek_octets *out)
{
    if (!d->data)
        d->data = malloc(MESSAGE_MAX);
    if (!d->data) { /* as if they were missing */
        d->in_step = false;
        return false;
    }
    if (d->len < 2)
        gather(c, d, 2);
    if (d->len < 2)
        return false;
    size_t len = message_len(d->data);
    gather(c, d, 2 + len);
    if (d->len < 2 + len)
        return false;
    *out = (struct sek_octets){d->data + 2, len};
    c->gave_data = true;
    return true;
}

bool sek_connections_next(struct sek_connections *c, struct sek_octets *out)
{
    struct direction *d = c->at_work;

    if (c->gave_data)
        d->len = 0;
    c->gave_data = false;
    if (d->len > 0)
        return c->left.size > 0 && take_gathered(c, d, out);
    if (c->left.size == 0)
        return false;
    if (c->left.size < 2 || 2 + message_len(c->left.at) > c->left.size)
        return take_gathered(c, d, out);
    *out = (struct sek_octets){c->left.at + 2, message_len(c->left.at)};
    c->left.at += 2 + out->size;
    c->left.size -= 2 + out->size;
    return true;
}
