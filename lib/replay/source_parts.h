/* SPDX-License-Identifier: BSD-3-Clause */
/* What the readers of formats (capture.c, dnstap.c, lines.c, columns.c) share. Only for them. */
#pragma once
#include "observe/querylog.h"
#include "replay/message.h"
#include "replay/packet.h"
#include "replay/pairs.h"
#include "replay/source.h"
#include "replay/stream.h"

/* A format: one row of the table in source.c. */
struct sek_source_format {
    const char *name;
    /* Whether a file that begins so is of this format. */
    bool (*is_it)(const uint8_t *begin, size_t size);
    /* s->in stands at the file's begin. */
    enum sek_err (*open)(struct sek_source *s, struct sek_diag *diag);
    /* Read a record and give what it tells to s->pairs. 1: there may be more; 0: the end; an error
     * as of sek_source_next(). */
    int (*step)(struct sek_source *s, struct sek_diag *diag);
    void (*close)(struct sek_source *s); /* also behind an open() that failed */
    /* Logs only: sek_source_seen() and sek_source_querylog(). */
    int (*seen)(struct sek_source *s, struct sek_query_seen *out, struct sek_diag *diag);
    struct sek_querylog *(*querylog)(struct sek_source *s);
};
extern const struct sek_source_format sek__source_pcap, sek__source_pcapng, sek__source_dnstap,
    sek__source_table, sek__source_log;

struct sek_source {
    const struct sek_source_format *format;
    const char *name; /* of the format; of logs: the kind that the first line is of */
    struct sek_stream *in;
    struct sek_pairs *pairs;
    int64_t now_s;
    uint64_t n_records;
    bool is_over, is_flushed;
    bool tells_answers;   /* the file tells of responses: a query without one has failed */
    struct sek_diag late; /* why reading ended; code 0: by the end of the file */
    void *reader;         /* the format's own */
};

/* An event with nothing but a question: the name exists, for all that is known. Not given: NULL. */
void sek__source_event(struct sek_event *e, int64_t time_ms, const struct sek_addr *endpoint,
                       const struct sek_name *name, uint16_t qtype);
/* What a response code says; -1: there was no response. */
void sek__source_set_rcode(struct sek_event *e, int rcode);
/* A message that was seen on its way from one address to the other. INVALID when it is malformed.
 */
enum sek_err sek__source_message(struct sek_source *s, int64_t time_ms,
                                 const struct sek_octets *wire, const struct sek_pair *from_to,
                                 struct sek_diag *diag);
