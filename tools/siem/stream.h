/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows of events.db and of the audit trail on their way to a sink, each once, in the order of their
 * numbers. A hit goes when its minute is over and nothing can be added to it any more; a finding
 * each time it grew, under the same id. Batches are written first, then the cursor says so: a kill
 * between the two repeats a batch, but for a file, of which a repeated batch is cut off first.
 * One thread. */
#pragma once
#include "cursor.h"
#include "format.h"
#include "sink.h"
#include "store/policydb.h"
#include "tools/context.h"
#include <signal.h>
#include <sys/types.h>

struct sek_stream {
    struct sek_context *c;
    const struct sek_conf *conf;
    unsigned kinds; /* SEK_SIEM_HIT and others */
    enum sek_siem_format format;
    bool head;       /* each line gets the head of a syslog message */
    int64_t since_s; /* of kinds that the cursor does not know; 0: all there is */
    bool from_now;   /* of those: what is there already is passed over */
    struct sek_siem_source source;
    struct sek_sink *sink;         /* borrowed */
    struct sek_cursor_file *file;  /* NULL: nothing is remembered */
    struct sek_cursor saved, next; /* as written; as it will be behind `lines` */
    volatile sig_atomic_t *stop;   /* set by a signal: between two rows */
    bool waits;                    /* for databases that are not there yet, and receivers */

    struct sek_report *report;
    struct sek_policydb *policy;
    struct file_id {
        dev_t dev;
        ino_t ino;
    } report_id, policy_id;
    struct sek_siem_event event;
    struct sek_buf lines;
    int64_t now_ms;
    enum sek_err error; /* of a row's function */
    uint64_t n;         /* events handed on */
};

/* Before anything else of it is set. */
void sek_stream_init(struct sek_stream *s, struct sek_context *c);
/* Hand on what is there. now_ms: Unix time. which: kinds of this pass. Errors are in c->diag. */
enum sek_err sek_stream_pass(struct sek_stream *s, unsigned which, int64_t now_ms);
void sek_stream_fini(struct sek_stream *s);
