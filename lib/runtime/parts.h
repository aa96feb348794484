/* SPDX-License-Identifier: BSD-3-Clause */
/* Inside of the runtime, shared by its own files only. */
#pragma once
#include "base/epoch.h"
#include "event/dismissed.h"
#include "event/ring.h"
#include "name/suffix.h"
#include "observe/geo.h"
#include "policy/never.h"
#include "policy/policy.h"
#include "runtime/runtime.h"
#include "runtime/tell.h"
#include "store/recorder.h"
#include "verdict/detect.h"
#include "verdict/dynamic.h"
#include "verdict/engine.h"
#include "watch/udr.h"
#include <pthread.h>
#include <semaphore.h>
#include <sys/stat.h>

/* Counters that a worker keeps for itself; the keeper adds them up on the status page. */
struct sek_worker {
    _Alignas(64) struct sek_ring *ring;
    struct sek_memo *memo; /* of the classifier; NULL: every name is scored anew */
    _Atomic uint64_t counter[SEK_COUNTER_LEAKED + 1];
};

struct sek_observer;
struct sek_review;
struct sek_memory;
struct sek_memory_save;

/* What tells one version of a file from the next. */
struct sek_file_mark {
    bool there;
    ino_t inode;
    off_t size;
    struct timespec changed;
};

/* Findings that people dismissed, as of the latest look at the file. */
struct sek_dismissals {
    struct sek_dismissed set;
    struct sek_file_mark mark;
    int64_t looked_ms; /* 0: never */
};

struct sek_runtime {
    struct sek_conf conf;
    struct sek_runtime_hooks hooks;
    struct sek_tell tell; /* used if: */
    bool apart;           /* our threads have descriptors of their own; set before they start */
    const char *unbound;  /* the host's version, a constant of its own */
    unsigned n_workers;
    struct sek_worker *workers; /* and the collector, which has counters only */
    struct sek_epoch epoch;
    struct sek_epoch_slot *slots; /* of each worker, of the collector, of the observer */
    /* guarded by the epoch; replaced by the keeper */
    _Atomic(struct sek_policy *) policy;   /* NULL: none could be loaded yet */
    _Atomic(struct sek_detect *) detect;   /* NULL: no model and no NOD, or nobody needs one */
    _Atomic(struct sek_dynamic *) dynamic; /* NULL: nothing is blocked by a finding */
    _Atomic unsigned looks;                /* sek_runtime_looks() */
    _Atomic bool leaked;                   /* a worker asks for another walk of the cache */
    _Atomic bool unsettled;                /* a finding's block is coming into force */
    _Atomic int64_t walked_s;              /* the cache obeys life times that ended until then */
    _Atomic int64_t settled_ms;            /* since then the cache has what is allowed now */

    struct sek_suffix *suffix;             /* NULL: registered domains are not known */
    struct sek_never *never;               /* NULL: out of memory, told */
    struct sek_never *nod_exclude;         /* NULL: the same, or NOD is off */
    struct sek_udr_names *tracked;         /* NULL: no name is tracked */
    struct sek_sinkholes *sinkholes;       /* NULL: nobody looks for them */
    struct sek_never *rebinding_exclude;   /* NULL: the same */
    _Atomic int64_t domains_full_s;        /* the history last had no room then; 0: never */
    _Atomic(struct sek_domains *) domains; /* NULL: no history (yet); the observer's to write */
    struct sek_geo *geo; /* NULL: no database is set; refreshed by the observer, else the keeper */
    struct sek_dismissals dismissals; /* read at the start; the observer's as long as it runs */
    struct sek_observer *observer;    /* NULL: no detector is on */
    struct sek_review *review;
    _Atomic(struct sek_dynamic *) fresh_dynamic; /* from the observer, for the keeper to take */
    struct sek_status_page *page;
    bool page_is_file; /* else a private one, because the file could not be made */
    struct sek_ring **rings;
    struct sek_recorder *recorder;

    /* keeper */
    pthread_t thread;
    bool thread_runs;
    sem_t begun; /* posted once the parts run, or failed to: */
    enum sek_err begun_err;
    struct sek_diag *diag; /* the starting thread's, which waits */
    pthread_mutex_t lock;  /* guards `stop` */
    pthread_cond_t wake;
    bool stop;
    struct sek_file_mark image_mark, delta_mark, model_mark;
    char model_path[512];
    unsigned ticks;
    int64_t expiry_checked_s;
    char notes[200];    /* what of the policy has no effect; "" all has */
    unsigned walks_due; /* further walks of the cache, one a tick */
    int64_t clock_offset_ms;
};

/* Load the policy for the first time and walk the cache (a host that keeps it over a reload may
 * hold what policy forbids). */
void sek_keeper_first(struct sek_runtime *rt);
/* The keeper's thread starts all parts, and ends them when it is stopped: what they have open may
 * be nothing to the host (base/descriptors.h). Returns once they run. */
enum sek_err sek_keeper_start(struct sek_runtime *rt, struct sek_diag *diag);
void sek_keeper_stop(struct sek_runtime *rt);
enum sek_err sek__parts_start(struct sek_runtime *rt, struct sek_diag *diag);
void sek__parts_stop(struct sek_runtime *rt);
int64_t sek_keeper_now_ms(void);
/* Indices of the threads that are no workers, in `slots` (and of the first in `workers`). */
static inline unsigned sek__collector_of(const struct sek_runtime *rt)
{
    return rt->n_workers;
}
static inline unsigned sek__observer_of(const struct sek_runtime *rt)
{
    return rt->n_workers + 1;
}
/* What is in force; within an epoch. */
struct sek_engine sek__engine_of(struct sek_runtime *rt);
/* sek_worker_decide, sek_worker_leaked and the counting of sek_worker_record, for any thread. */
void sek__decide(const struct sek_runtime *rt, const struct sek_engine *engine,
                 const struct sek_name *name, int64_t now_s, enum sek_trigger trigger,
                 struct sek_verdict *out);
void sek__leaked(struct sek_runtime *rt, struct sek_worker *w, const struct sek_verdict *verdict,
                 int64_t time_ms);
void sek__count_outcome(struct sek_worker *w, const struct sek_event *event);
/* Tell the host's log. The second one is for those who know no runtime: arg is one. */
void sek__runtime_say(struct sek_runtime *rt, bool trouble, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void sek__runtime_say_line(void *arg, bool trouble, const char *text);
/* So long after it. */
static inline struct timespec sek__later(struct timespec t, long ms)
{
    t.tv_nsec += ms % 1000 * 1000000L;
    t.tv_sec += ms / 1000 + t.tv_nsec / 1000000000L;
    t.tv_nsec %= 1000000000L;
    return t;
}
struct sek_file_mark sek__file_mark(const char *path);
bool sek__file_mark_equal(const struct sek_file_mark *a, const struct sek_file_mark *b);
/* A swap is done: wait until no reader has the old one, and have the cache walked if it matters. */
void sek__keeper_settle(struct sek_runtime *rt, bool walk);

/* --- detectors.c: the classifier's model and the dynamic blocks, put in force by the keeper ------
 */

/* At the start, before any worker: model, blocks that still run. Nothing here stops the
 * resolver: what fails is told and worked without. */
void sek__detectors_start(struct sek_runtime *rt);
/* At the start, behind all else that takes its time, before the keeper ticks: the history, so
 * that the very first question knows what is new. */
void sek__detectors_ready(struct sek_runtime *rt);
/* Keeper, each tick. */
void sek__detectors_tick(struct sek_runtime *rt);
void sek__detectors_stop(struct sek_runtime *rt);

/* --- review.c: answers from the cache, judged by the recorder's collector -----------------------
 */

enum sek_err sek__review_start(struct sek_runtime *rt, struct sek_diag *diag);
/* After the recorder has stopped. NULL is fine. */
void sek__review_free(struct sek_review *v);

/* --- dismissals.c: findings that people dismissed
 * -------------------------------------------------
 */

/* Look at the file once a second. True: the set is another one now. What cannot be read is told,
 * and the set before stays. */
bool sek__dismissals_watch(struct sek_runtime *rt, int64_t now_ms);
/* What findings block, rows[*io_n] with room for SEK_DYNAMIC_MAX, once the set is another one:
 * blocks of dismissed findings end, those of restored ones run again. */
void sek__dismissals_apply(const struct sek_runtime *rt, struct sek_dynamic_row *rows,
                           unsigned *io_n, int64_t now_s);

/* --- geodata.c: databases of networks and countries ----------------------------------------------
 */

void sek__geo_start(struct sek_runtime *rt);
/* Observer, or where there is none the keeper, often: reads what is new at most once a minute. */
void sek__geo_tick(struct sek_runtime *rt);

/* --- recall.c: what detectors remember over a restart, in a file of the observer's
 * -----------------
 */

struct sek_detectors;

struct sek_recall {
    char path[SEK_CONF_PATH_MAX];
    struct sek_hash_key key;      /* by which the detectors know things again */
    struct sek_memory *from;      /* NULL: nothing to take up */
    struct sek_memory_save *save; /* at work; NULL: none */
    int64_t saved_ms;             /* monotonic */
    bool news, failing;           /* news: set by the observer when something was seen */
    bool closed;                  /* the file is not to be touched any more */
};

/* At the start: the key that the detectors are to have. What cannot be used is told. */
void sek__recall_open(struct sek_runtime *rt, struct sek_recall *r);
/* Observer, before it looks at anything: takes up to 3 s, less when `stop` is posted. */
void sek__recall_load(struct sek_runtime *rt, struct sek_recall *r, struct sek_detectors *d,
                      sem_t *stop);
/* Observer, each tick: every five minutes writes the file, some milliseconds' worth at a time. */
void sek__recall_tick(struct sek_runtime *rt, struct sek_recall *r, struct sek_detectors *d);
/* Observer, at its end: writes the file within 2 s, or leaves it. */
void sek__recall_end(struct sek_runtime *rt, struct sek_recall *r, struct sek_detectors *d);
void sek__recall_fini(struct sek_recall *r);

/* --- observer.c: what the detectors over time make of the events; a thread of its own -----------
 */

/* Its first work is to open the history of domains: 50 ms for 1,000,000, for which the resolver's
 * start waits, 1 to 2 s for 10,000,000, for which it does not. Until then nothing is new. */

/* Starts to look at the recorder's events. NOMEM, LIMIT (threads). */
enum sek_err sek__observer_start(struct sek_runtime *rt, const struct sek_dynamic *blocked,
                                 struct sek_diag *diag);
/* Wait for the history, some ten milliseconds at most. NULL is fine. */
void sek__observer_await(struct sek_observer *o);
/* End the thread, while the recorder still takes findings. NULL is fine, as below. */
void sek__observer_stop(struct sek_observer *o);
/* After the recorder has stopped. */
void sek__observer_free(struct sek_observer *o);
