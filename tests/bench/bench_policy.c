/* SPDX-License-Identifier: BSD-3-Clause */
/* bench_policy [-f FILE] [N…]: build images of N made-up names (or of the names in a file, one a
 * line) and print their size, the cost of building and opening them, and of looking names up. Every
 * lookup waits for the one before, so the times are latencies, not throughput. */
#include "name/name.h"
#include "policy/policy.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define N_QUERIES 262144 /* a kind of lookup */
#define BATCH 64         /* names ready in the processor's cache, as a query's name is */
#define N_ROUNDS 3

/* Linked with --wrap: every allocation passes here. */
static unsigned long n_allocations;
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n)
{
    n_allocations++;
    return __real_malloc(n);
}
void *__wrap_calloc(size_t n, size_t size)
{
    n_allocations++;
    return __real_calloc(n, size);
}
void *__wrap_realloc(void *p, size_t n)
{
    n_allocations++;
    return __real_realloc(p, n);
}

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what, const struct sek_diag *diag)
{
    fprintf(stderr, "bench_policy: %s: %s\n", what, diag ? diag->text : "failed");
    exit(3);
}

static uint64_t scramble(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
    x = (x ^ x >> 27) * 0x94d049bb133111ebU;
    return x ^ x >> 31;
}

/* Made-up names: two or three labels under some 200 suffixes, most of them "com"; 8 to 25 octets.
 * The i-th name of a set is always the same and differs from all others, up to 2^25 of them. */
static size_t make_name(uint64_t set, uint64_t i, char *out, size_t size)
{
    static const char *const tops[] = {"com",  "com", "com", "com",   "com", "com",
                                       "net",  "org", "ru",  "de",    "cn",  "co.uk",
                                       "info", "top", "xyz", "com.br"};
    static const char letters[] = "eeeeeaaaaiiiooonnnrrrtttsssllccddmmuuppgghbbffyykvwxjzq012-";
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
    uint64_t r = scramble(i * 0x9e3779b97f4a7c15U + set);
    uint64_t place = i * 0x9e3779b1U & 0x1ffffff;
    char word[32], suffix[16];
    unsigned n = 0;

    for (unsigned left = 1 + (unsigned)(r % 9); left > 0; left--)
        word[n++] = letters[scramble(r + left) % (left == 1 ? 30 : sizeof(letters) - 1)];
    for (unsigned k = 0; k < 5; k++)
        word[n++] = digits[place >> 5 * k & 31];
    word[n] = '\0';
    r >>= 8;
    if (r % 8 == 0) /* one of 180 rare suffixes */
        snprintf(suffix, sizeof(suffix), "%c%c%s", 'a' + (int)(r / 8 % 20),
                 'b' + (int)(r / 160 % 9), r & 4096 ? "" : "e");
    else
        snprintf(suffix, sizeof(suffix), "%s", tops[r / 8 % 16]);
    r >>= 20;
    return (size_t)snprintf(out, size, "%s%s.%s",
                            r % 3   ? ""
                            : r % 2 ? "www."
                                    : "cdn1.",
                            word, suffix);
}

/* Text without escapes to wire. */
static bool to_wire(const char *text, size_t len, struct sek_name *out)
{
    uint8_t wire[SEK_NAME_MAX + 1];
    size_t at = 0, dot = 0;

    if (len == 0 || len > SEK_NAME_MAX - 2)
        return false;
    for (size_t i = 0; i <= len; i++) {
        if (i < len && text[i] != '.') {
            wire[i + 1] = (uint8_t)text[i];
            continue;
        }
        wire[dot] = (uint8_t)(i - at);
        dot = i + 1;
        at = i + 1;
    }
    wire[len + 1] = 0;
    return sek_name_from_wire(wire, len + 2, out) == SEK_OK && out->len == len + 2;
}

/* Where names come from: made up, or a file that was read whole. */
struct source {
    char *text;
    const char **lines;
    size_t n;
};

static bool source_name(const struct source *s, uint64_t set, size_t i, struct sek_name *out)
{
    char text[64];

    if (s->lines)
        return to_wire(s->lines[i], strcspn(s->lines[i], "\r\n"), out);
    return to_wire(text, make_name(set, i, text, sizeof(text)), out);
}

static void source_read(struct source *s, const char *path)
{
    FILE *f = fopen(path, "r");
    struct stat st;
    size_t n = 0;

    if (!f || fstat(fileno(f), &st) != 0 || !(s->text = malloc((size_t)st.st_size + 1)) ||
        fread(s->text, 1, (size_t)st.st_size, f) != (size_t)st.st_size)
        die(path, NULL);
    fclose(f);
    s->text[st.st_size] = '\0';
    for (char *p = s->text; (p = strchr(p, '\n')); p++)
        n++;
    s->lines = malloc((n + 1) * sizeof(*s->lines));
    if (!s->lines)
        die(path, NULL);
    for (char *p = s->text; *p && s->n < n; p = strchr(p, '\n') + 1)
        s->lines[s->n++] = p;
}

static void build(const struct source *s, size_t n, const char *path)
{
    struct sek_compile *c;
    struct sek_diag diag;
    struct sek_name name;
    struct sek_image_info info = {.generation = 1};
    const struct sek_list list = {
        .id = 1, .mode = SEK_MODE_BLOCK, .action = SEK_ACTION_NXDOMAIN, .name = "bench"};
    const struct sek_rule rule = {.list = 1, .scope = SEK_SCOPE_SUBTREE};

    if (sek_compile_new(0, &c, &diag) != SEK_OK || sek_compile_list(c, &list, &diag) != SEK_OK)
        die("build", &diag);
    for (size_t i = 0; i < n; i++)
        if (source_name(s, 0, i, &name) &&
            sek_compile_rule(c, name.octets, name.len, &rule, &diag) != SEK_OK)
            die("build", &diag);
    if (sek_compile_write(c, path, &info, NULL, NULL, &diag) != SEK_OK)
        die("build", &diag);
    sek_compile_free(c);
}

/* In a process of its own, so that its peak of memory can be told. */
static void measure_build(const struct source *s, size_t n, const char *path, double *out_s,
                          double *out_cpu_s, double *out_mib)
{
    struct rusage usage;
    int status;
    double start = now_s();
    pid_t child = fork();

    if (child == 0) {
        build(s, n, path);
        _exit(0);
    }
    if (child < 0 || wait4(child, &status, 0, &usage) != child || status != 0)
        die("build", NULL);
    *out_s = now_s() - start;
    *out_cpu_s = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                 (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    *out_mib = (double)usage.ru_maxrss / 1024;
}

static double measure_open(const char *path, bool verify)
{
    struct sek_image *image;
    struct sek_diag diag;
    double best = 1e9;

    for (int i = 0; i < 5; i++) {
        double start = now_s();
        if (sek_image_open(path, verify, &image, &diag) != SEK_OK)
            die("open", &diag);
        double took = now_s() - start;
        best = took < best ? took : best;
        sek_image_close(image);
    }
    return best * 1e3;
}

enum kind { LISTED, UNLISTED, UNLISTED_4 };

/* A name that is in the image; or one that is not, as made or with four labels. */
static void make_query(const struct source *s, enum kind kind, size_t n, uint64_t r,
                       struct sek_name *out)
{
    static const char front[] = "q.w1.";
    char text[96];
    size_t skip = sizeof(front) - 1, len;

    while (kind == LISTED && !source_name(s, 0, r % n, out))
        r = scramble(r);
    if (kind == LISTED)
        return;
    memcpy(text, front, skip);
    len = skip + make_name(77, r & 0x1ffffff, text + skip, sizeof(text) - skip);
    to_wire(text + skip, len - skip, out);
    if (kind == UNLISTED_4 && out->n_labels < 4) {
        skip = out->n_labels == 2 ? 0 : 2;
        to_wire(text + skip, len - skip, out);
    }
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* Median over batches, ns a lookup. *out_met: lookups that met something. */
static double measure_lookup(const struct sek_policy *p, const struct source *s, size_t n,
                             enum kind kind, double *out_met, unsigned long *out_allocations)
{
    static struct sek_name names[BATCH];
    static double times[N_ROUNDS * N_QUERIES / BATCH];
    struct sek_met met[SEK_LABELS_MAX + 1];
    size_t n_times = 0, n_met = 0;
    uint64_t r = 1;

    *out_allocations = 0;
    for (size_t q = 0; q < N_ROUNDS * N_QUERIES / BATCH; q++) {
        for (size_t i = 0; i < BATCH; i++)
            make_query(s, kind, n, scramble(r++), &names[i]);
        unsigned long before = n_allocations;
        double start = now_s();
        unsigned last = 0;
        for (size_t i = 0; i < BATCH; i++) {
            /* last >> 8 is 0, but only the lookup before tells */
            last = sek_policy_lookup(p, &names[i + (last >> 8)], met);
            n_met += last > 0;
        }
        times[n_times++] = (now_s() - start) * 1e9 / BATCH;
        *out_allocations += n_allocations - before;
    }
    qsort(times, n_times, sizeof(*times), by_value);
    *out_met = (double)n_met / (double)(n_times * BATCH);
    return times[n_times / 2];
}

/* What one access to memory costs here in as many octets as an image has, when each waits for the
 * one before, the median over batches as for lookups: no lookup of a listed name can be quicker,
 * and other guests of the machine show in it. */
static double measure_memory(uint64_t n_octets)
{
    static double times[N_QUERIES / BATCH];
    size_t n = n_octets / 64 + 1, at = 0;
    uint32_t *line = calloc(n, 64); /* each names the next, all in one circle (Sattolo 1986) */

    if (!line)
        die("memory", NULL);
    for (size_t i = 0; i < n; i++)
        line[i * 16] = (uint32_t)i;
    for (size_t i = n - 1; i > 0; i--) {
        size_t other = scramble(i) % i;
        uint32_t kept = line[i * 16];
        line[i * 16] = line[other * 16];
        line[other * 16] = kept;
    }
    for (size_t k = 0; k < N_QUERIES / BATCH; k++) {
        double start = now_s();
        for (size_t i = 0; i < BATCH; i++)
            at = line[at * 16];
        times[k] = (now_s() - start) * 1e9 / BATCH;
    }
    free(line);
    qsort(times, N_QUERIES / BATCH, sizeof(*times), by_value);
    return at < n ? times[N_QUERIES / BATCH / 2] : 0;
}

static void bench(const struct source *s, size_t n, const char *dir)
{
    char path[256];
    struct sek_policy *p;
    struct sek_diag diag;
    struct sek_image *image;
    struct sek_image_info info;
    double build_s, cpu_s, build_mib, ns[3], met[3];
    unsigned long allocations = 0, more;

    snprintf(path, sizeof(path), "%s/" SEK_POLICY_IMAGE, dir);
    measure_build(s, n, path, &build_s, &cpu_s, &build_mib);
    double open_ms = measure_open(path, false), verify_ms = measure_open(path, true);
    if (sek_image_open(path, false, &image, &diag) != SEK_OK ||
        sek_policy_open(dir, &p, &diag) != SEK_OK)
        die("open", &diag);
    sek_image_info(image, &info);
    for (int kind = LISTED; kind <= UNLISTED_4; kind++) {
        ns[kind] = measure_lookup(p, s, n, (enum kind)kind, &met[kind], &more);
        allocations += more;
    }
    double memory_ns = measure_memory(info.size_octets);
    printf("%9llu %11llu %6.2f %7.2f %6.2f %7.0f %7.2f %7.2f %7.0f %8.0f %9.0f %7.0f %6lu  %.0f%% "
           "%.2f%%\n",
           (unsigned long long)info.n_names, (unsigned long long)info.size_octets,
           (double)info.size_octets / (double)info.n_names, build_s, cpu_s, build_mib, open_ms,
           verify_ms, ns[LISTED], ns[UNLISTED], ns[UNLISTED_4], memory_ns, allocations,
           met[LISTED] * 100, met[UNLISTED] * 100);
    fflush(stdout);
    sek_policy_close(p);
    sek_image_close(image);
    unlink(path);
}

int main(int argc, char **argv)
{
    static const char *const defaults[] = {"1000", "100000", "1000000"};
    struct source s = {0};
    char dir[] = "/tmp/bench_policy.XXXXXX";
    int first = 1;

    if (argc > 2 && strcmp(argv[1], "-f") == 0) {
        source_read(&s, argv[2]);
        first = 3;
    }
    if (!mkdtemp(dir))
        die("temporary folder", NULL);
    printf("to hold: 1M names <= 16 MB, 10M <= 160 MB; build 1M <= 2 s, 10M <= 60 s and 2048 MiB;\n"
           "open <= 10 ms; listed <= 250 ns, unlisted <= 150 ns; 0 allocations\n\n"
           "    names      octets  /name build s  cpu s     MiB open ms  verify  listed unlisted"
           "  4 labels  memory allocs  met\n");
    if (s.lines)
        bench(&s, s.n, dir);
    for (int i = first; i < argc && !s.lines; i++)
        bench(&s, strtoull(argv[i], NULL, 10), dir);
    for (size_t i = 0; first == argc && !s.lines && i < sizeof(defaults) / sizeof(*defaults); i++)
        bench(&s, strtoull(defaults[i], NULL, 10), dir);
    rmdir(dir);
    free(s.lines);
    free(s.text);
    return 0;
}
