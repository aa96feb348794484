/* SPDX-License-Identifier: BSD-3-Clause */
/* bench_domains PATH [N [FLOOD [NAMES [MODEL]]]]: a store of N domains (default 10,000,000) in the
 * file PATH, which must not exist: the names in NAMES (one a line, what follows a tab is left out;
 * "-": none), then generated ones of about the same length. Prints notes a second, time of a find
 * (known, unknown), octets a domain in file and memory, time to open, to find in the file; then
 * FLOOD random names that never resolve (default 10,000,000), and that what was known is known
 * still.
 * A find by itself waits for memory twice. What a query waits for is less, as its other work goes
 * on meanwhile: "a question" is judged as on the answer path, by a policy of 1,000,000 names, the
 * detectors and the classifier (MODEL, default policy/model/dga.model), without the history, with
 * it, and with it but asked only when the answer is needed; in turns of 64 names, so that what
 * other guests of the machine do meets all three. Names come in random order. Beside them stands
 * what one dependent read from as much memory costs. All times are processor time. */
#include "name/text.h"
#include "observe/domains.h"
#include "verdict/detect.h"
#include "verdict/engine.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define NOW_S 1795414620
#define HISTORY_S (30 * 86400)
#define MAX_OCTETS ((uint64_t)1 << 30)
#define MAX_ABSENT 1000000
#define N_FINDS 1000000
#define N_LISTED 1000000
#define N_ROUNDS 3
#define TURN 64 /* names */

static uint64_t random_state = 88172645463325252ULL;
static volatile uint64_t sum;

/* Time of this thread on a processor: other programs on the machine do not count, though they make
 * memory slower. */
static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* The i-th generated domain: distinct for distinct i, 6 to 11 characters and a top-level domain. */
static size_t generate(uint64_t i, char mark, uint8_t out[64])
{
    static const char *const tld[] = {"\3com",  "\3net", "\2de",  "\3org",
                                      "\4info", "\2io",  "\3com", "\2jp"};
    uint64_t mixed = i * 0x9e3779b97f4a7c15ULL + 1;
    unsigned n = 0, filler = (unsigned)(mixed >> 61) % 6;

    out[1 + n++] = (uint8_t)mark;
    for (uint64_t x = i * 2654435761u % 4294967296u; n < 7 || x; x /= 36)
        out[1 + n++] = (uint8_t) "etaoinshrdlucmfwypvbgkqjxz0123456789"[x % 36];
    for (; filler > 0; filler--)
        out[1 + n++] = (uint8_t)('a' + (mixed >> filler * 5) % 26);
    out[0] = (uint8_t)n;
    const char *t = tld[mixed >> 40 & 7];
    memcpy(out + 1 + n, t, (size_t)t[0] + 2);
    return 1 + n + (size_t)t[0] + 2;
}

/* --- names, one after the other: length, octets ------------------------------------------------
 */

struct names {
    uint8_t *data;
    size_t len, n, octets;
};

static void names_add(struct names *names, const uint8_t *wire, size_t len)
{
    names->data[names->len++] = (uint8_t)len;
    memcpy(names->data + names->len, wire, len);
    names->len += len;
    names->octets += len;
    names->n++;
}

static struct names names_make(size_t n, const char *path)
{
    struct names names = {.data = malloc(n * 40 + ((size_t)64 << 20))};
    FILE *f = path ? fopen(path, "r") : NULL;
    struct sek_name name;
    char line[1024];
    uint8_t wire[64];

    if (!names.data || (path && !f))
        exit(3);
    while (f && names.n < n && fgets(line, sizeof(line), f))
        if (sek_name_from_text(line, strcspn(line, "\t\r\n"), &name, NULL) == SEK_OK &&
            name.n_labels >= 2 && name.len < 64)
            names_add(&names, name.octets, name.len);
    if (f)
        fclose(f);
    for (uint64_t i = 0; names.n < n; i++)
        names_add(&names, wire, generate(i, 'k', wire));
    return names;
}

/* Some of them in random order. */
static struct names names_sample(const struct names *all, size_t n)
{
    struct names names = {.data = malloc(n * 64)};
    uint32_t *start = malloc(all->n * sizeof(*start));
    size_t at = 0;

    if (!names.data || !start)
        exit(3);
    for (size_t i = 0; i < all->n; i++) {
        start[i] = (uint32_t)at;
        at += 1 + (size_t)all->data[at];
    }
    for (size_t i = 0; i < n; i++) {
        const uint8_t *p = all->data + start[random_next(&random_state) % all->n];
        names_add(&names, p + 1, p[0]);
    }
    free(start);
    return names;
}

/* --- measuring ---------------------------------------------------------------------------------
 */

static double memory_mib(void)
{
    unsigned long pages = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    if (!f || fscanf(f, "%lu %lu", &pages, &resident) != 2)
        exit(3);
    fclose(f);
    return (double)resident * 4096 / 1048576;
}

/* What the machine needs for one read that depends on the one before: lines that name each other
 * in one circle (Sattolo 1986). */
static void measure_memory(size_t size, bool huge)
{
    size_t n = size / 64;
    uint32_t *line = aligned_alloc((size_t)2 << 20, size), at = 0;
    double best = 1e18;

    if (!line)
        exit(3);
    madvise(line, size, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    for (size_t i = 0; i < n; i++)
        line[i * 16] = (uint32_t)i;
    for (size_t i = n - 1; i > 0; i--) {
        size_t other = random_next(&random_state) % i;
        uint32_t kept = line[i * 16];
        line[i * 16] = line[other * 16];
        line[other * 16] = kept;
    }
    for (int round = 0; round < N_ROUNDS; round++) {
        uint64_t start = now_ns();
        for (int i = 0; i < N_FINDS; i++)
            at = line[at * 16];
        double each = (double)(now_ns() - start) / N_FINDS;
        best = each < best ? each : best;
    }
    sum += at;
    printf("one read from %zu MiB, %-11s %5.0f ns\n", size >> 20,
           huge ? "large pages" : "4 KiB pages", best);
    free(line);
}

static void measure_finds(const struct sek_domains *d, const char *title, const struct names *names)
{
    double best = 1e18;
    size_t found = 0;

    for (size_t round = 0; round < 3000000 / names->n; round++) {
        const uint8_t *p = names->data;
        uint64_t start = now_ns();

        found = 0;
        for (size_t i = 0; i < names->n; i++, p += 1 + (size_t)p[0]) {
            struct sek_domain_seen seen = {0};
            found += sek_domains_find(d, p + 1, p[0], &seen);
            sum += (uint64_t)seen.last_s;
        }
        double each = (double)(now_ns() - start) / (double)names->n;
        best = each < best ? each : best;
    }
    printf("find %-16s %6.0f ns (%zu of %zu found)\n", title, best, found, names->n);
}

/* --- a question as on the answer path ----------------------------------------------------------
 */

static void die(const struct sek_diag *diag)
{
    fprintf(stderr, "bench_domains: %s\n", diag->text);
    exit(3);
}

/* A policy that lists none of the names asked for. */
static struct sek_policy *policy_make(void)
{
    char dir[] = "/tmp/bench_domains.XXXXXX", path[64];
    const struct sek_list list = {
        .id = 1, .mode = SEK_MODE_BLOCK, .action = SEK_ACTION_NXDOMAIN, .name = "bench"};
    const struct sek_rule rule = {.list = 1, .scope = SEK_SCOPE_SUBTREE};
    struct sek_image_info info = {.generation = 1};
    struct sek_compile *c;
    struct sek_policy *policy = NULL;
    struct sek_diag diag = {.text = "no temporary folder"};
    uint8_t wire[64];

    if (!mkdtemp(dir) || sek_compile_new(0, &c, &diag) || sek_compile_list(c, &list, &diag))
        die(&diag);
    snprintf(path, sizeof(path), "%s/" SEK_POLICY_IMAGE, dir);
    for (uint64_t i = 0; i < N_LISTED; i++)
        if (sek_compile_rule(c, wire, generate(i, 'b', wire), &rule, &diag))
            die(&diag);
    if (sek_compile_write(c, path, &info, NULL, NULL, &diag) ||
        sek_policy_open(dir, &policy, &diag))
        die(&diag);
    sek_compile_free(c);
    unlink(path);
    rmdir(dir);
    return policy;
}

enum way { WITHOUT, WITH, LATE, N_WAYS };

struct judge {
    struct sek_engine engine;
    struct sek_detect detect[N_WAYS];
    struct sek_memo *memo;
};

static const uint8_t *judge_turn(const struct judge *j, enum way way, const uint8_t *p)
{
    const struct sek_detect *detect = &j->detect[way];

    for (int i = 0; i < TURN; i++, p += 1 + (size_t)p[0]) {
        struct sek_detect_begun begun = {.n_labels = 0};
        struct sek_verdict verdict;
        struct sek_name name;

        sek_name_from_wire(p + 1, p[0], &name);
        if (way == WITH)
            sek_detect_begin(detect, &name, NOW_S, &begun);
        sek_engine_decide(&j->engine, &name, NOW_S, SEK_TRIGGER_QNAME, &verdict, NULL, NULL);
        sek_detect_end(detect, j->memo, &name, NOW_S, &begun, &verdict, NULL);
        sum += verdict.trigger;
    }
    return p;
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static double median(double *values, size_t n)
{
    qsort(values, n, sizeof(*values), by_value);
    return values[n / 2];
}

static void measure_questions(const struct sek_domains *d, const struct names *names,
                              const char *model)
{
    static double took[N_WAYS][N_FINDS / TURN];
    const uint8_t *p = names->data;
    struct sek_diag diag;
    struct sek_conf conf;
    struct sek_classify *classify = NULL;
    struct sek_policy *policy = policy_make();
    struct judge j = {.engine.policy = policy, .memo = sek_memo_new(sek_hash_key_random())};
    size_t n = 0;

    if (sek_classify_open(model, &classify, &diag))
        die(&diag);
    sek_conf_init(&conf, NULL);
    conf.domains.warm_up_s = 0;
    for (int way = 0; way < N_WAYS; way++) {
        j.detect[way] =
            (struct sek_detect){.domains = way == WITHOUT ? NULL : d, .same_list = true};
        if (way == WITHOUT)
            conf.nod.mode = SEK_NOD_OFF;
        else
            conf.nod.mode = SEK_NOD_MONITOR;
        sek_detect_configure(&j.detect[way], &conf, classify);
    }
    for (; n < names->n / TURN / N_WAYS; n++)
        for (int way = 0; way < N_WAYS; way++) {
            uint64_t start = now_ns();
            p = judge_turn(&j, (enum way)way, p);
            took[way][n] = (double)(now_ns() - start) / TURN;
        }
    double without = median(took[WITHOUT], n), with = median(took[WITH], n),
           late = median(took[LATE], n);
    printf("a question, without the history %6.0f ns; the history adds %4.0f ns, asked late %4.0f "
           "ns\n",
           without, with - without, late - without);
    sek_conf_fini(&conf);
    sek_memo_free(j.memo);
    sek_classify_close(classify);
    sek_policy_close(policy);
}

/* --- the store ---------------------------------------------------------------------------------
 */

static struct sek_domains *open_store(const char *path)
{
    struct sek_domains_conf conf = {path, MAX_OCTETS, MAX_ABSENT, 0, "bench"};
    struct sek_domains *d = NULL;
    struct sek_diag diag;
    char aside[SEK_DOMAINS_ASIDE_MAX];

    if (sek_domains_open(&conf, NOW_S - HISTORY_S, &d, aside, &diag) != SEK_OK)
        die(&diag);
    return d;
}

static void sync_store(struct sek_domains *d)
{
    struct sek_diag diag;

    if (sek_domains_sync(d, NOW_S, &diag) != SEK_OK)
        fprintf(stderr, "bench_domains: %s\n", diag.text);
}

static void fill(struct sek_domains *d, const struct names *names)
{
    const uint8_t *p = names->data;
    uint64_t start = now_ns(), longest = 0;
    struct sek_domains_stats s;

    for (size_t i = 0; i < names->n; i++, p += 1 + (size_t)p[0]) {
        struct sek_addr who = {{10, 0, (uint8_t)(i >> 8), (uint8_t)i}};
        uint64_t before = i % 16 ? 0 : now_ns();
        sek_domains_note(d, p + 1, p[0], &who, NOW_S - HISTORY_S + (int64_t)(i % 1000), true, NULL);
        uint64_t took = i % 16 ? 0 : now_ns() - before;
        longest = took > longest ? took : longest;
    }
    double s_note = (double)(now_ns() - start) / 1e9;
    start = now_ns();
    sync_store(d);
    sek_domains_stats(d, &s);
    printf("note new: %.2f million a second, longest %.2f ms; sync of all %.2f s\n",
           (double)names->n / s_note / 1e6, (double)longest / 1e6,
           (double)(now_ns() - start) / 1e9);
    printf("%llu known, mean wire length %.1f, file %.1f octets a domain\n",
           (unsigned long long)s.n_known, (double)names->octets / (double)names->n,
           (double)s.octets / (double)s.n_known);
    p = names->data;
    start = now_ns();
    for (size_t i = 0; i < names->n; i++, p += 1 + (size_t)p[0])
        sek_domains_note(d, p + 1, p[0], NULL, NOW_S + 2000, true, NULL);
    printf("note known: %.2f million a second\n",
           (double)names->n / ((double)(now_ns() - start) / 1e9) / 1e6);
    sync_store(d);
}

static void flood(struct sek_domains *d, uint64_t n, double before_mib)
{
    uint64_t start = now_ns(), in_sync = 0;
    uint8_t wire[64];
    struct sek_domains_stats s;

    for (uint64_t i = 0; i < n; i++) {
        size_t len = generate(i, 'f', wire);
        sek_domains_note(d, wire, len, NULL, NOW_S + 3000, false, NULL);
        if (i % 1000000 == 999999) {
            uint64_t before = now_ns();
            sync_store(d);
            in_sync += now_ns() - before;
        }
    }
    sek_domains_stats(d, &s);
    printf("flood of %llu names: %.2f million a second (sync %.1f s of %.1f s); known %llu, absent "
           "%llu, evicted %llu, overflow %llu, file %.1f MiB, memory %.1f MiB\n",
           (unsigned long long)n, (double)n / ((double)(now_ns() - start) / 1e9) / 1e6,
           (double)in_sync / 1e9, (double)(now_ns() - start) / 1e9, (unsigned long long)s.n_known,
           (unsigned long long)s.n_absent, (unsigned long long)s.n_evicted,
           (unsigned long long)s.n_overflow, (double)s.octets / 1048576, memory_mib() - before_mib);
}

int main(int argc, char **argv)
{
    size_t n = argc > 2 ? strtoull(argv[2], NULL, 10) : 10000000;
    uint64_t n_flood = argc > 3 ? strtoull(argv[3], NULL, 10) : 10000000;
    struct names unknown = {.data = malloc((size_t)N_FINDS * 64)};
    struct sek_domains *d;
    uint8_t wire[64];
    double before;

    if (argc < 2 || n == 0 || !unknown.data || access(argv[1], F_OK) == 0) {
        fprintf(stderr,
                "usage: bench_domains PATH [N [FLOOD [NAMES [MODEL]]]]; PATH must not exist\n");
        return 2;
    }
    struct names all = names_make(n, argc > 4 && strcmp(argv[4], "-") != 0 ? argv[4] : NULL);
    struct names some = names_sample(&all, N_FINDS);
    for (uint64_t i = 0; unknown.n < N_FINDS; i++)
        names_add(&unknown, wire, generate(i, 'u', wire));
    before = memory_mib();
    d = open_store(argv[1]);
    fill(d, &all);
    printf("memory %.1f MiB, %.1f octets a domain\n", memory_mib() - before,
           (memory_mib() - before) * 1048576 / (double)all.n);
    for (int i = 0; i < 2; i++)
        measure_memory((size_t)400 << 20, i);
    measure_finds(d, "known", &some);
    measure_finds(d, "unknown", &unknown);
    struct names few = {some.data, 0, 1000, 0};
    measure_finds(d, "1,000 known", &few);
    measure_questions(d, &some, argc > 5 ? argv[5] : "policy/model/dga.model");
    uint64_t start = now_ns();
    sek_domains_close(d);
    printf("close %.2f s\n", (double)(now_ns() - start) / 1e9);
    for (int i = 0; i < 2; i++) {
        start = now_ns();
        d = open_store(argv[1]);
        printf("open %.2f s, memory %.1f MiB\n", (double)(now_ns() - start) / 1e9,
               memory_mib() - before);
        measure_finds(d, "known, reopened", &some);
        if (i == 0)
            sek_domains_close(d);
    }
    flood(d, n_flood, before);
    measure_finds(d, "known, flooded", &some);
    sek_domains_close(d);
    start = now_ns();
    if (sek_domains_open_read(argv[1], &d, NULL) == SEK_OK) {
        bool found = sek_domains_find(d, some.data + 1, some.data[0], NULL);
        bool none = sek_domains_find(d, unknown.data + 1, unknown.data[0], NULL);
        printf("two names in the file: %.3f s (%d %d)\n", (double)(now_ns() - start) / 1e9, found,
               none);
        sek_domains_close(d);
    }
    free(all.data);
    free(some.data);
    free(unknown.data);
    return 0;
}
