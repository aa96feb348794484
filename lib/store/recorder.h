/* SPDX-License-Identifier: BSD-3-Clause */
/* From the rings to the database, in two threads: the collector drains the rings into a tally all
 * the time, the writer stores what it took out of the tally: hits every flush_ms, traffic every
 * five seconds (a row takes a microsecond, so a busy minute's counts must not be written twice a
 * second). A slow or dead disk never stops the collector. Threads block all signals. Failures never
 * reach the resolver: they are counted and told on the status page, once per change of state
 * through `say`. Lost are, with a kill, hits of less than a second and traffic of six; with a
 * database that is away, what does not fit into events.memory. In a forked child every call does
 * nothing. */
#pragma once
#include "conf/conf.h"
#include "event/finding.h"
#include "event/response.h"
#include "event/ring.h"
#include "event/status.h"
#include "event/tally.h"
#include "policy/policy.h"

struct sek_recorder;

/* One line about a change of state (database lost, database back). Called on the writer's thread.
 */
typedef void sek_say_fn(void *arg, bool trouble, const char *text);

/* rings, conf, status and suffix are borrowed and must outlive it; status and suffix may be NULL.
 * Never fails for a bad database. */
enum sek_err sek_recorder_start(const struct sek_conf *conf, struct sek_ring *const *rings,
                                unsigned n_rings, struct sek_status_page *status,
                                const struct sek_suffix *suffix, sek_say_fn *say, void *arg,
                                struct sek_recorder **out, struct sek_diag *diag);
/* Who completes events on the collector's thread before they are counted: may put others in their
 * place, which it owns and which are good until its next call, and leave some out: returns how many
 * there are then. n <= SEK_RECORDER_BATCH. It may not wait. */
#define SEK_RECORDER_BATCH 64
struct sek_recorder_reviewer {
    void *arg;
    unsigned (*review)(void *arg, const struct sek_event **events, unsigned n);
};
/* From now on until sek_recorder_stop returns. Once, before the first event. */
void sek_recorder_review(struct sek_recorder *r, const struct sek_recorder_reviewer *reviewer);

/* Who looks at all events on the collector's thread, after they were counted, with what counting
 * found out. It may not wait: meanwhile the rings fill. */
struct sek_recorder_observer {
    void *arg;
    void (*see)(void *arg, const struct sek_event *const *events,
                const struct sek_tally_note *notes, unsigned n);
    /* The traffic that is being counted, every two seconds while there is any, and once more before
     * it is taken out of the tally to be stored: `last`. Rows as sek_tally_rows has them, borrowed
     * during the call. NULL: not asked for. */
    void (*counted)(void *arg, struct sek_tally_traffic *rows, bool last);
};
/* From now on until sek_recorder_stop returns. Once. */
void sek_recorder_observe(struct sek_recorder *r, const struct sek_recorder_observer *observer);

/* The lists of a new policy, copied: events.db keeps the names that hits refer to. Any thread. */
void sek_recorder_lists(struct sek_recorder *r, const struct sek_list *lists, unsigned n);
/* Store a finding, copied: within flush_ms, or when the database is back. Waits for no disk. A
 * later record of the same finding takes the place of one that still waits. SEK_WAITING_FINDINGS
 * may wait; more count as lost. Any thread, until sek_recorder_stop. */
void sek_recorder_finding(struct sek_recorder *r, const struct sek_finding *f);
/* Write down who asked first for a domain (store/firsts.h): with the next rows, so within some
 * seconds. What finds no room counts as lost. One thread, until sek_recorder_stop. */
void sek_recorder_first(struct sek_recorder *r, const struct sek_event *e);
/* Write down an address of a tracked name (store/responses.h): likewise. */
void sek_recorder_response(struct sek_recorder *r, const struct sek_response *one);
/* Once the rings' producers have ended: drain everything, store it (for at most deadline_ms when
 * the database is away; what is left then counts as lost), join both threads. NULL is fine. */
void sek_recorder_stop(struct sek_recorder *r, unsigned deadline_ms);
