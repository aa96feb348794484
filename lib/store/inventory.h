/* SPDX-License-Identifier: BSD-3-Clause */
/* The inventory of endpoints in policy.db: which machine had which address when. What files state
 * is kept as spans of time, by address; of spans that overlap the one that begins later counts from
 * its begin on, in whatever order they were imported. Renewals become part of the span that they
 * renew, so a file is best told in the order of its time, as logs are, and the older file imported
 * first. What is said of a machine with a MAC (owner, group, name) is kept by MAC as well, and
 * completes spans that know only that MAC: leases name no owner. Writers work within a transaction
 * of policydb.h; there is no resolver to tell. One thread. */
#pragma once
#include "base/buf.h"
#include "observe/leases.h"
#include "store/policydb.h"

/* Past so many the spans that ended first are dropped at the end of an import: some 500 MB. */
#define SEK_INVENTORY_MAX 4000000

struct sek_inventory_stats {
    uint64_t n_stated;  /* statements read */
    uint64_t n_added;   /* spans that are new */
    uint64_t n_changed; /* spans that were extended, closed or completed */
    uint64_t n_dropped; /* for want of room */
};

/* One file at work. Plain data; begin .. put .. end within one transaction. */
struct sek_inventory_import {
    struct sek_policydb *db; /* borrowed */
    int64_t id;              /* of its row in endpoint_import, the record of who imported what */
    int64_t time_s;          /* when the file was true */
    bool dated; /* that time was named: what the file does not date begins then, in any case */
    struct sek_inventory_stats stats;
};

/* Texts are cut off as in the table. now_s: of the record. */
enum sek_err sek_inventory_begin(struct sek_inventory_import *imp, struct sek_policydb *db,
                                 const char *who, const char *source, int64_t now_s,
                                 struct sek_diag *diag);
/* Take a statement in, by these rules. Two statements are of the same machine when a MAC, a name or
 * else owner or group agrees and none of them differs.
 *   - Undated: from imp->time_s on; from the beginning of time when nothing else is known of that
 *     address and imp->dated is not set.
 *   - Of the machine that the address has then: the span grows (EXPECTED), or ends then (ENDED);
 *     what was not known of the machine is filled in. A span that has ended grows no more, and
 *     none ends before a time at which it was stated to last (the begin of a renewal, or the time
 * of a file that says so undated).
 *   - Of another machine: a new span; the older one counts up to its begin.
 *   - GONE: the span ends then, if it would last longer; nothing when there is none.
 * The same statement again changes nothing. */
enum sek_err sek_inventory_put(struct sek_inventory_import *imp, const struct sek_lease *lease,
                               struct sek_diag *diag);
/* Complete the record; a file that changed nothing leaves none. format: its name. */
enum sek_err sek_inventory_end(struct sek_inventory_import *imp, const char *format,
                               struct sek_diag *diag);

/* A span as it counts: cut where the next one begins. */
struct sek_span {
    struct sek_addr addr;
    int64_t from_s;  /* 0: since ever */
    int64_t until_s; /* or SEK_LEASE_OPEN_S */
    struct sek_machine machine;
};

/* The machine that had the address then. NOTFOUND: not known; out->from_s and until_s tell in
 * either case how long that answer holds. */
enum sek_err sek_inventory_at(struct sek_policydb *db, const struct sek_addr *addr, int64_t time_s,
                              struct sek_span *out, struct sek_diag *diag);

typedef bool sek_span_fn(void *arg, const struct sek_span *span); /* false stops */
/* The history of an address, or all addresses that a machine had, by its MAC or name ("pc1" is
 * "pc1.corp.example", too). Newest first; at most `most`. now_s: owners are those of then, or of
 * the span's end. No lock is held while fn runs. NOTFOUND: nobody knows it. */
enum sek_err sek_inventory_find(struct sek_policydb *db, const char *text, int64_t now_s,
                                unsigned most, sek_span_fn *fn, void *arg, struct sek_diag *diag);
/* Addresses that a machine has at now_s, by address, at most `most`. */
enum sek_err sek_inventory_now(struct sek_policydb *db, int64_t now_s, unsigned most,
                               sek_span_fn *fn, void *arg, struct sek_diag *diag);
/* What may tie addresses together as a machine's: each span that reaches beyond since_s, in no
 * order. addr NULL: it is of that MAC alone. Borrowed; false stops. */
typedef bool sek_tie_fn(void *arg, const struct sek_addr *addr, const char *mac, const char *name);
enum sek_err sek_inventory_ties(struct sek_policydb *db, int64_t since_s, sek_tie_fn *fn, void *arg,
                                struct sek_diag *diag);
/* Each machine that an address had, as its span says; some come twice. False stops. */
typedef bool sek_inventory_machine_fn(void *arg, const struct sek_addr *addr,
                                      const struct sek_machine *machine);
enum sek_err sek_inventory_machines(struct sek_policydb *db, sek_inventory_machine_fn *fn,
                                    void *arg, struct sek_diag *diag);
/* Many questions in a row at a tenth of their price: nobody can write between the two, so no output
 * either. Failing is no harm: each question goes by itself then. */
void sek_inventory_hold(struct sek_policydb *db);
void sek_inventory_release(struct sek_policydb *db);
/* Whether there is any span. */
enum sek_err sek_inventory_is_empty(struct sek_policydb *db, bool *out, struct sek_diag *diag);
