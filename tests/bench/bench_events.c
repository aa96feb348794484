/* SPDX-License-Identifier: BSD-3-Clause */
/* What one event costs: ring, tally, database. CPU time, so that a busy machine does not blur it.
 */
#include "event/ring.h"
#include "event/tally.h"
#include "name/text.h"
#include "store/eventsdb.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TRAFFIC_MS 5000 /* the recorder stores traffic this often */
#define DRAIN 500       /* events a look of the collector: 5 ms at 100,000/s */

static double cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void die(const char *what, const struct sek_diag *diag)
{
    fprintf(stderr, "bench_events: %s: %s\n", what, diag ? diag->text : "");
    exit(3);
}

/* Events lie packed, each with only its used octets: a worker's own is warm in its cache, too. */
struct samples {
    uint8_t *octets;
    size_t stride;
};

static struct samples make_samples(unsigned n, unsigned n_endpoints, bool hits)
{
    struct samples s = {NULL, sek_event_size(40, 0)};
    s.octets = calloc(n, s.stride);
    if (!s.octets)
        die("memory", NULL);
    for (unsigned i = 0; i < n; i++) {
        struct sek_event e = {.outcome = SEK_OUTCOME_CACHED, .qtype = 1};
        struct sek_name name;
        char text[64];
        int len = snprintf(text, sizeof text, "www%u.name%u.co.uk", i % 7, i);
        if (sek_name_from_text(text, (size_t)len, &name, NULL))
            die("name", NULL);
        if (hits) {
            e.outcome = SEK_OUTCOME_HIT;
            e.action = e.would = SEK_ACTION_SINKHOLE;
            e.trigger = SEK_TRIGGER_QNAME;
            e.scope = SEK_SCOPE_SUBTREE;
            e.list = 1;
            e.depth = 1;
        }
        e.name_len = name.len;
        memcpy(e.names, name.octets, name.len);
        e.endpoint.octets[10] = e.endpoint.octets[11] = 0xff;
        e.endpoint.octets[12] = 10;
        unsigned endpoint = i % n_endpoints;
        memcpy(e.endpoint.octets + 13, &endpoint, 3);
        e.size = sek_event_size(e.name_len, 0);
        memcpy(s.octets + i * s.stride, &e, s.stride);
    }
    return s;
}

struct shape {
    const char *label;
    bool hits;
    unsigned n_names, n_endpoints, rate, flush_ms; /* events a second */
    unsigned seconds;                              /* of simulated time */
};

/* One run: events at `rate`, names in random order, drained as the collector does, stored as the
 * writer does; time is the events' own. */
static void run(const struct shape *s, const char *dir, const struct sek_suffix *suffix)
{
    struct sek_ring *ring;
    struct sek_tally *tally;
    struct sek_eventsdb *db;
    struct sek_diag diag;
    char path[512], aside[512];
    snprintf(path, sizeof path, "%s/events.db", dir);
    if (sek_ring_new(4 << 20, &ring) || sek_tally_new(64 << 20, suffix, &tally))
        die("memory", NULL);
    if (sek_eventsdb_open(path, 1700000000, &db, aside, &diag))
        die("open", &diag);
    struct samples samples = make_samples(s->n_names, s->n_endpoints, s->hits);
    static const struct sek_list list = {.id = 1, .name = "bench"};
    double push = 0, drain = 0, store = 0, start;
    uint64_t n = 0, rows = 0, n_seen = 0, written, seed = 1;
    for (int64_t ms = 0; ms < (int64_t)s->seconds * 1000; ms += s->flush_ms) {
        unsigned todo = s->rate / 1000 * s->flush_ms;
        for (unsigned done = 0; done < todo; done += DRAIN) {
            start = cpu_ns();
            for (unsigned i = 0; i < DRAIN; i++) {
                seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
                size_t pick = (size_t)(seed >> 33) % s->n_names;
                struct sek_event *e = (struct sek_event *)(samples.octets + pick * samples.stride);
                e->time_ms = 1700000040000 + ms + (int64_t)done * 1000 / s->rate;
                if (!sek_ring_push(ring, e))
                    die("ring full", NULL);
            }
            push += cpu_ns() - start;
            start = cpu_ns();
            const struct sek_event *events[64];
            struct sek_tally_note notes[64];
            unsigned got;
            while ((got = sek_ring_peek(ring, events, 64)) > 0) {
                sek_tally_add_all(tally, events, got, notes);
                for (unsigned i = 0; i < got; i++)
                    n_seen += notes[i].first || (notes[i].row && notes[i].row->watch);
                sek_ring_pop(ring);
            }
            drain += cpu_ns() - start;
            n += DRAIN;
        }
        start = cpu_ns();
        struct sek_tally_batch *batch;
        if (sek_tally_take(tally, (ms + s->flush_ms) % TRAFFIC_MS == 0, &batch))
            die("take", NULL);
        if (batch && sek_eventsdb_store(db, batch, &list, 1, &written, &diag))
            die("store", &diag);
        rows += batch ? written : 0;
        sek_tally_batch_free(batch);
        store += cpu_ns() - start;
    }
    double per = (double)n;
    printf("%-34s %9.0f %9.0f %9.0f %9.0f %12llu %9.0f\n", s->label, push / per, drain / per,
           store / per, (push + drain + store) / per, (unsigned long long)rows,
           100 * (double)n_seen / per);
    sek_eventsdb_close(db);
    sek_tally_free(tally);
    sek_ring_free(ring);
    free(samples.octets);
    for (const char *const *end = (const char *const[]){"", "-wal", "-shm", NULL}; *end; end++) {
        snprintf(path, sizeof path, "%s/events.db%s", dir, *end);
        unlink(path);
    }
}

int main(int argc, char **argv)
{
    static const struct shape shapes[] = {
        {"answers, 10k names, 1 endpoint", false, 10000, 1, 100000, 500, 20},
        {"answers, 10k names, 200 endpoints", false, 10000, 200, 100000, 500, 20},
        {"hits, 20k names, 1 endpoint", true, 20000, 1, 100000, 500, 20},
        {"hits, 20k names, 200 endpoints", true, 20000, 200, 100000, 500, 20},
        {"hits, 1m names, 200 endpoints", true, 1000000, 200, 50000, 500, 4},
    };
    char dir[] = "/tmp/sek-bench-XXXXXX";
    struct sek_suffix *suffix;
    struct sek_diag diag;
    unsigned only = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
    if (sek_suffix_open(NULL, &suffix, &diag))
        die("suffix list", &diag);
    if (!mkdtemp(dir))
        die("folder", NULL);
    printf("%-34s %9s %9s %9s %9s %12s %9s\n", "ns of CPU per event", "push", "tally", "store",
           "all", "rows written", "observed %");
    for (unsigned i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        if (only == 0 || only == i + 1)
            run(&shapes[i], dir, suffix);
    sek_suffix_close(suffix);
    rmdir(dir);
    return 0;
}
