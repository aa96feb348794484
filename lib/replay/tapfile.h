/* SPDX-License-Identifier: BSD-3-Clause */
/* dnstap files: protocol buffers (dnstap.proto) in Frame Streams, as Unbound, BIND, Knot and
 * fstrm_capture write them, read a frame at a time and written. The one place that knows fstrm and
 * protobuf-c. One thread at a time. */
#pragma once
#include "base/err.h"
#include "replay/packet.h"
#include "replay/stream.h"

struct sek_tapfile;

/* What a frame tells of a message. Octets are borrowed until the next frame; at NULL: not there. */
struct sek_tap {
    uint32_t type;           /* Message.type: queries are odd, responses even */
    struct sek_octets asker; /* its address */
    uint16_t asker_port;
    int64_t query_ms, response_ms; /* -1: not there */
    struct sek_octets query, response;
};

/* Whether a file that begins so is one. */
bool sek_tapfile_is(const uint8_t *begin, size_t size);
/* in stands at the file's begin and stays the caller's. INVALID, with a text: not of dnstap. */
enum sek_err sek_tapfile_open(struct sek_stream *in, struct sek_tapfile **out,
                              struct sek_diag *diag);
void sek_tapfile_close(struct sek_tapfile *f);
/* 1: a frame as it stands in the file; 0: the end, also where the writer was just stopped between
 * two frames; IO, with a text: damaged or cut off, and nothing more can be read. */
int sek_tapfile_next(struct sek_tapfile *f, struct sek_octets *out, struct sek_diag *diag);
/* What the last frame tells. 1; 0: of no message; INVALID, with a text: it is no dnstap. */
int sek_tapfile_read(struct sek_tapfile *f, struct sek_tap *out, struct sek_diag *diag);
/* An address of a frame. False: neither of IPv4 nor of IPv6. */
bool sek_tap_addr(const struct sek_octets *from, struct sek_addr *out);

/* A new file. */
struct sek_tapfile_new;
/* fd stays open. IO, NOMEM with a text. */
enum sek_err sek_tapfile_new_open(int fd, struct sek_tapfile_new **out, struct sek_diag *diag);
void sek_tapfile_new_add(struct sek_tapfile_new *f, const struct sek_octets *frame);
/* Frees it (NULL is fine). IO or FULL, with a text: not all of it could be written. */
enum sek_err sek_tapfile_new_end(struct sek_tapfile_new *f, struct sek_diag *diag);
