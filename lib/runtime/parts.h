/* SPDX-License-Identifier: BSD-3-Clause */
/* Inside of the runtime, shared by runtime.c (workers) and keeper.c (the keeper's thread) only. */
#pragma once
#include "base/epoch.h"
#include "event/ring.h"
#include "name/suffix.h"
#include "policy/policy.h"
#include "runtime/runtime.h"
#include "store/recorder.h"
#include <pthread.h>
#include <sys/stat.h>

/* Counters that a worker keeps for itself; the keeper adds them up on the status page. */
struct sek_worker {
    _Alignas(64) struct sek_ring *ring;
    _Atomic uint64_t counter[SEK_COUNTER_LEAKED + 1];
};

/* What tells one version of a policy file from the next. */
struct sek_file_mark {
    bool there;
    ino_t inode;
    off_t size;
    struct timespec changed;
};

struct sek_runtime {
    struct sek_conf conf;
    struct sek_runtime_hooks hooks;
    unsigned n_workers;
    struct sek_worker *workers;
    struct sek_epoch epoch;
    struct sek_epoch_slot *slots;
    _Atomic(struct sek_policy *) policy; /* NULL: none could be loaded yet */
    _Atomic bool leaked;                 /* a worker asks for another walk of the cache */
    _Atomic int64_t walked_s;            /* the cache obeys life times that ended until then */

    struct sek_suffix *suffix; /* NULL: registered domains are not known */
    struct sek_status_page *page;
    bool page_is_file; /* else a private one, because the file could not be made */
    struct sek_ring **rings;
    struct sek_recorder *recorder;

    /* keeper */
    pthread_t thread;
    bool thread_runs;
    pthread_mutex_t lock; /* guards `stop` */
    pthread_cond_t wake;
    bool stop;
    struct sek_file_mark image_mark, delta_mark;
    int64_t expiry_checked_s;
    unsigned walks_due; /* further walks of the cache, one a tick */
    int64_t clock_offset_ms;
};

/* Load the policy for the first time, in the starting thread, and walk the cache (a host that keeps
 * it over a reload may hold what policy forbids). */
void sek_keeper_first(struct sek_runtime *rt);
enum sek_err sek_keeper_start(struct sek_runtime *rt, struct sek_diag *diag);
void sek_keeper_stop(struct sek_runtime *rt);
int64_t sek_keeper_now_ms(void);
