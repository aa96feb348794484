/* SPDX-License-Identifier: BSD-3-Clause */
/* What the detectors over time cost a site of 50,000 endpoints that ask for 40 domains each, all of
 * them within 100 seconds: memory, by what the process takes, and the CPU time of the detectors'
 * thread a query, on the resolver's own way from the tally through the ring into the scene. All
 * detectors as shipped. Among the endpoints are a few that beacon, tunnel, or walk through a
 * generator's names: they are to be found in the crowd.
 *
 * usage: bench_observe [SECONDS] [QUERIES A SECOND]: of simulated time, 800 and 20,000; a beacon is
 * told after ten minutes at the earliest */
#include "event/ring.h"
#include "name/text.h"
#include "observe/domains_conf.h"
#include "runtime/counts.h"
#include "watch/scene.h"
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ENDPOINTS 50000u
#define PER_ENDPOINT 40u
#define RARE 4u /* of these: new, and asked for by nobody else */
#define PAIRS (ENDPOINTS * PER_ENDPOINT)
#define POPULAR 20000u
#define N_DOMAINS (POPULAR + ENDPOINTS * RARE)
#define BATCH 64
#define RING_OCTETS (1ul << 20) /* as the observer's */
#define OBSERVE_MS 50
#define SHOW_MS 2000
#define TAKE_MS 5000
#define SYNC_MS 1000
#define WANTED_MIB 256
#define WANTED_SHARE 25
#define WANTED_RATE 20000
#define DAY_S 86400
#define START_MS 1767225600000LL

/* The odd ones, each with endpoints of its own, from ENDPOINTS on. */
#define ODD 3000u
#define BEACONS 100
#define BEACON_S 30
#define TUNNELS 20
#define TUNNEL_MS 200 /* between two queries */
#define GENERATORS 20
#define GENERATOR_S 5

struct wire {
    uint8_t len, octets[47];
};

struct cost {
    double collector_ns, detectors_ns;
    uint64_t n, n_seen;
};

struct bench {
    struct sek_conf conf;
    struct sek_suffix *suffix;
    struct sek_classify *classify;
    struct sek_domains *domains;
    struct sek_scene *scene;
    struct sek_tally *tally;
    struct sek_ring *ring;
    struct sek_counts counts;
    struct wire *names;
    _Atomic int64_t full_s;
    uint64_t seed;
    struct cost cost;
    bool told[SEK_DETECTOR_BYPASS + 1][ENDPOINTS + ODD]; /* of each endpoint */
};

static double cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void check(enum sek_err err, const char *what, const struct sek_diag *diag)
{
    if (err == SEK_OK)
        return;
    fprintf(stderr, "bench_observe: %s: %s\n", what, diag ? diag->text : sek_err_text(err));
    exit(3);
}

static double rss_mib(void)
{
    long pages = 0, ignored = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%ld %ld", &ignored, &pages) != 2)
        exit(3);
    fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / (1 << 20);
}

static uint32_t chance(struct bench *b, uint32_t below)
{
    b->seed = b->seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)((b->seed >> 33) % below);
}

/* --- the site ----------------------------------------------------------------------------------
 */

static struct wire wire_of(const char *text)
{
    struct sek_name name;
    struct wire w = {0};
    check(sek_name_from_text(text, strlen(text), &name, NULL), text, NULL);
    if (name.len > sizeof w.octets)
        check(SEK_E_NAME, text, NULL);
    w.len = name.len;
    memcpy(w.octets, name.octets, name.len);
    return w;
}

/* Two or three words, as people name sites; each number once. */
static struct wire site_name(uint32_t i)
{
    static const char *const words[] = {
        "garden", "market", "silver", "window", "bridge",  "office", "travel", "family",
        "winter", "simple", "design", "house",  "coffee",  "music",  "sports", "health",
        "green",  "river",  "stone",  "cloud",  "photo",   "print",  "school", "paper",
        "light",  "world",  "north",  "berlin", "kitchen", "radio",  "planet", "museum"};
    char text[64];
    snprintf(text, sizeof text, "%s%s%s.%s", words[i % 32], words[i / 32 % 32],
             i / 1024 ? words[i / 1024 % 32] : "",
             i / 32768 ? i / 32768 % 2 ? "org" : "net" : "com");
    if (i / 65536)
        snprintf(text, sizeof text, "%s-%s%s%u.com", words[i % 32], words[i / 32 % 32],
                 words[i / 1024 % 32], i / 65536);
    return wire_of(text);
}

static struct sek_addr endpoint_of(uint32_t i)
{
    return (struct sek_addr){
        .octets = {[10] = 0xff, 0xff, 10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}};
}

/* Popular domains have been known for long, by many; rare ones for some days, by one. */
static void know(struct bench *b)
{
    int64_t now_s = START_MS / 1000;
    b->names = calloc(N_DOMAINS, sizeof *b->names);
    if (!b->names)
        check(SEK_E_NOMEM, "names", NULL);
    for (uint32_t i = 0; i < N_DOMAINS; i++) {
        const struct wire *w = &b->names[i];
        bool popular = i < POPULAR;
        b->names[i] = site_name(i);
        for (uint32_t k = 0; k < (popular ? 40 : 1); k++) {
            struct sek_addr who = endpoint_of(popular ? i + 977 * k : (i - POPULAR) / RARE);
            sek_domains_note(b->domains, w->octets, w->len, &who,
                             now_s - (popular ? 300 : 5) * DAY_S + k, true, NULL);
        }
    }
    sek_domains_set_since(b->domains, now_s - 400 * DAY_S);
    check(sek_domains_sync(b->domains, now_s, NULL), "sync", NULL);
}

/* The domain of an endpoint's so many-th pair: popular ones by a law of few and many. */
static uint32_t domain_of(uint32_t endpoint, uint32_t k)
{
    if (k < RARE)
        return POPULAR + endpoint * RARE + k;
    uint64_t h = (endpoint * 40503ull + k) * 0x9e3779b97f4a7c15ull;
    double u = (double)(h >> 40) / (1 << 24);
    return (uint32_t)(u * u * u * POPULAR);
}

static void on_finding(void *arg, const struct sek_finding *f, bool may_block)
{
    struct bench *b = arg;
    (void)may_block;
    uint32_t who = (uint32_t)f->endpoint.octets[13] << 16 | (uint32_t)f->endpoint.octets[14] << 8 |
                   f->endpoint.octets[15];
    if (who < ENDPOINTS + ODD)
        b->told[f->detector][who] = true;
}

static void setup(struct bench *b)
{
    char aside[SEK_DOMAINS_ASIDE_MAX], path[SEK_CONF_PATH_MAX], model[512];
    struct sek_diag diag = {0};
    check(sek_conf_init(&b->conf, &diag), "settings", &diag);
    check(sek_suffix_open(NULL, &b->suffix, &diag), "suffix list", &diag);
    snprintf(model, sizeof model, "%s", SEK_SOURCE_DIR "/policy/model/dga.model");
    check(sek_classify_open(model, &b->classify, &diag), "model", &diag);
    struct sek_domains_conf conf = sek_domains_conf_from(&b->conf, b->suffix, path);
    conf.path = NULL;
    check(sek_domains_open(&conf, START_MS / 1000 - 400 * DAY_S, &b->domains, aside, &diag),
          "history", &diag);
    know(b);
    check(sek_tally_new(b->conf.events.memory_octets, b->suffix, &b->tally), "tally", NULL);
    check(sek_ring_new(RING_OCTETS, &b->ring), "ring", NULL);
    b->seed = 1;
}

static void scene_new(struct bench *b)
{
    struct sek_diag diag = {0};
    const struct sek_scene_site site = {
        .conf = &b->conf, .full_s = &b->full_s, .key = {0x6f62736572766521, 0x62656e6368313131}};
    const struct sek_scene_hooks hooks = {.arg = b, .finding = on_finding};
    check(sek_scene_new(&site, &hooks, &b->scene, &diag), "scene", &diag);
    sek_scene_history(b->scene, b->domains);
}

/* --- queries -----------------------------------------------------------------------------------
 */

static void event(struct sek_event *e, uint32_t endpoint, const char *host, const struct wire *w,
                  int64_t time_ms, bool exists)
{
    size_t n = strlen(host);
    memset(e, 0, offsetof(struct sek_event, names));
    e->score = SEK_SCORE_UNKNOWN;
    e->time_ms = time_ms;
    e->qtype = 1;
    e->outcome = exists ? SEK_OUTCOME_CACHED : SEK_OUTCOME_NXDOMAIN;
    e->existence = exists ? SEK_EXISTENCE_EXISTS : SEK_EXISTENCE_ABSENT;
    e->ttl_s = 60;
    e->endpoint = endpoint_of(endpoint);
    if (n) {
        e->names[0] = (uint8_t)n;
        memcpy(e->names + 1, host, n);
    }
    memcpy(e->names + (n ? n + 1 : 0), w->octets, w->len);
    e->name_len = (uint8_t)((n ? n + 1 : 0) + w->len);
    e->size = sek_event_size(e->name_len, 0);
}

/* The crowd's: each pair comes once a round, in an order without order. A third is resolved anew,
 * one in fifty is misspelt. */
static void usual(struct bench *b, uint64_t number, int64_t time_ms, struct sek_event *e)
{
    static const char *const hosts[] = {"www", "", "api", "mail", "cdn", "static"};
    uint32_t pair = (uint32_t)(number * 1299709 % PAIRS); /* a prime that does not divide it */
    uint32_t endpoint = pair / PER_ENDPOINT;
    const struct wire *w = &b->names[domain_of(endpoint, pair % PER_ENDPOINT)];
    struct wire absent;
    bool exists = chance(b, 50) != 0;
    if (!exists) {
        absent = *w;
        absent.octets[1 + chance(b, absent.octets[0])] = (uint8_t)('a' + chance(b, 26));
        w = &absent;
    }
    event(e, endpoint, exists ? hosts[chance(b, 6)] : "", w, time_ms, exists);
    if (!exists || chance(b, 3))
        return;
    e->outcome = SEK_OUTCOME_PASSED;
    for (uint32_t i = 0, n = 1 + chance(b, 4); i < n; i++)
        sek_event_add_addr(
            e, &(struct sek_addr){
                   .octets = {[10] = 0xff, 0xff, 61, w->octets[1], w->octets[2], (uint8_t)i}});
}

/* What one of the odd ones asks at this moment; false: nothing. `turn` counts milliseconds. */
static bool odd(struct bench *b, uint64_t turn, int64_t time_ms, struct sek_event *e)
{
    char label[41] = "", text[48];
    uint32_t n = (uint32_t)(turn % (BEACON_S * 1000));
    struct wire w;
    if (n % (BEACON_S * 1000 / BEACONS) == 0) {
        uint32_t who = n / (BEACON_S * 1000 / BEACONS);
        snprintf(text, sizeof text, "steady-update%u.net", who);
        w = wire_of(text);
        event(e, ENDPOINTS + who, "", &w, time_ms, true);
        return true;
    }
    if (turn % (TUNNEL_MS / TUNNELS) == 1) {
        uint32_t who = (uint32_t)(turn / (TUNNEL_MS / TUNNELS) % TUNNELS);
        for (int i = 0; i < 40; i++)
            label[i] = "abcdefghijklmnopqrstuvwxyz234567"[chance(b, 32)];
        snprintf(text, sizeof text, "files-backup%u.net", who);
        w = wire_of(text);
        event(e, ENDPOINTS + 1000 + who, label, &w, time_ms, true);
        return true;
    }
    if (turn % (GENERATOR_S * 1000 / GENERATORS) == 2) {
        uint32_t who = (uint32_t)(turn / (GENERATOR_S * 1000 / GENERATORS) % GENERATORS);
        for (int i = 0; i < 15; i++)
            label[i] = (char)('a' + chance(b, 26));
        snprintf(text, sizeof text, "%.15s.com", label);
        w = wire_of(text);
        event(e, ENDPOINTS + 2000 + who, "", &w, time_ms, false);
        return true;
    }
    return false;
}

/* --- the two threads, in turn ------------------------------------------------------------------
 */

static void collect(struct bench *b, const struct sek_event *const *events, unsigned n)
{
    struct sek_tally_note notes[BATCH];
    sek_tally_add_all(b->tally, events, n, notes);
    double begin = cpu_ns();
    for (unsigned i = 0; i < n; i++) {
        enum sek_scene_want want = sek_scene_wants(b->scene, events[i], &notes[i]);
        struct sek_event copy;
        if (want == SEK_SCENE_NO)
            continue;
        memcpy(&copy, events[i], events[i]->size);
        copy.domain_labels = notes[i].domain_labels;
        copy.repeat = want == SEK_SCENE_REPEAT;
        sek_ring_push(b->ring, &copy);
        b->cost.n_seen++;
    }
    b->cost.collector_ns += cpu_ns() - begin;
    b->cost.n += n;
}

static void on_count(void *arg, const struct sek_tally_traffic *row, uint32_t n)
{
    struct bench *b = arg;
    sek_scene_count(b->scene, row, n);
}

static void observe(struct bench *b, int64_t time_ms)
{
    const struct sek_event *events[BATCH];
    unsigned n;
    double begin = cpu_ns();
    while ((n = sek_ring_peek(b->ring, events, BATCH)) > 0) {
        for (unsigned i = 0; i < n; i++)
            sek_scene_see(b->scene, events[i], b->classify, NULL);
        sek_ring_pop(b->ring);
    }
    sek_counts_take(&b->counts, on_count, b);
    sek_scene_elapse(b->scene, time_ms);
    if (time_ms % SYNC_MS == 0)
        sek_domains_sync(b->domains, time_ms / 1000, NULL);
    b->cost.detectors_ns += cpu_ns() - begin;
}

static void count(struct bench *b, int64_t time_ms)
{
    struct sek_tally_batch *batch;
    bool last = time_ms % TAKE_MS == 0;
    double begin = cpu_ns();
    if (time_ms % SHOW_MS == 0 || last)
        sek_counts_put(&b->counts, sek_tally_rows(b->tally), last);
    b->cost.collector_ns += cpu_ns() - begin;
    if (last) {
        check(sek_tally_take(b->tally, true, &batch), "tally", NULL);
        sek_tally_batch_free(batch);
    }
}

static void run(struct bench *b, unsigned seconds, unsigned rate)
{
    static struct sek_event events[BATCH];
    const struct sek_event *batch[BATCH];
    uint64_t number = 0;
    for (uint64_t turn = 1; turn <= seconds * 1000ull; turn++) {
        int64_t time_ms = START_MS + (int64_t)turn;
        unsigned n = 0;
        if (odd(b, turn, time_ms, &events[0]))
            batch[n++] = &events[0];
        for (; number < turn * rate / 1000; number++) {
            usual(b, number, time_ms, &events[n]);
            batch[n] = &events[n];
            if (++n == BATCH) {
                collect(b, batch, n);
                n = 0;
            }
        }
        collect(b, batch, n);
        if (turn % 10 == 0)
            count(b, time_ms);
        if (turn % OBSERVE_MS == 0)
            observe(b, time_ms);
    }
}

/* --- what it came to ---------------------------------------------------------------------------
 */

static void say_found(const struct bench *b, enum sek_detector by, unsigned there)
{
    unsigned found = 0, others = 0;
    for (uint32_t i = 0; i < ENDPOINTS + ODD; i++)
        *(i < ENDPOINTS ? &others : &found) += b->told[by][i];
    printf("%-8s %3u of %u that do so are told, and %u of the others\n",
           sek_lookup_name(sek_detector_names, (int)by), found, there, others);
}

int main(int argc, char **argv)
{
    static struct bench b;
    unsigned seconds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 800;
    unsigned rate = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : WANTED_RATE;
    if (seconds == 0 || rate == 0) {
        fprintf(stderr, "usage: bench_observe [SECONDS] [QUERIES A SECOND]\n");
        return 2;
    }
    setup(&b);
    malloc_trim(0);
    double before = rss_mib();
    scene_new(&b);
    run(&b, seconds, rate);
    malloc_trim(0);
    double grown = rss_mib() - before, n = (double)b.cost.n;
    double share = b.cost.detectors_ns / n * WANTED_RATE / 1e9 * 100;
    double own = (double)sek_scene_octets(b.scene) / (1 << 20);
    printf("%" PRIu64 " queries, %u pairs of %u endpoints; %.1f %% seen by the detectors, %" PRIu64
           " lost\n",
           b.cost.n, PAIRS, ENDPOINTS, 100 * (double)b.cost.n_seen / n,
           sek_ring_dropped(b.ring) + b.counts.lost);
    printf("memory of the detectors: %.0f MiB; the process grew by %.0f MiB (wanted: %d)\n", own,
           grown, WANTED_MIB);
    printf("detectors' thread: %.0f ns a query, %.1f %% of a core at %d queries a second"
           " (wanted: %d); of the collector's %.0f ns a query\n",
           b.cost.detectors_ns / n, share, WANTED_RATE, WANTED_SHARE, b.cost.collector_ns / n);
    say_found(&b, SEK_DETECTOR_BEACON, BEACONS);
    say_found(&b, SEK_DETECTOR_TUNNEL, TUNNELS);
    say_found(&b, SEK_DETECTOR_DGA, GENERATORS);
    return own <= WANTED_MIB && grown <= WANTED_MIB && share <= WANTED_SHARE ? 0 : 1;
}
