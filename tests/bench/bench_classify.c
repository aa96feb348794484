/* SPDX-License-Identifier: BSD-3-Clause */
/* bench_classify MODEL FILE [avx2]: time of judging the names in FILE (one a line, what follows a
 * tab is left out), one after the other on one thread: mean over all, of the processor's time that
 * the thread got, and of single names the median, the 99th percentile and the worst; then inputs
 * made to be dear. Of each name the best of several rounds counts for the single times, since a
 * round also meets interrupts. Allocations are counted
 * (--wrap). With "avx2" as if the processor had no AVX-512. */
#include "classify/classify.h"
#include "name/text.h"
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define N_MAX 1000000
#define N_ROUNDS 5

static unsigned long n_allocations;
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
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

static bool without_avx512;
bool __real_sek__stage2_avx512_usable(void);
bool __wrap_sek__stage2_avx512_usable(void);
bool __wrap_sek__stage2_avx512_usable(void)
{
    return !without_avx512 && __real_sek__stage2_avx512_usable();
}

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t now_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

static volatile float sink;

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

/* Time of looking at the clock: taken off every single time. */
static uint32_t clock_cost(void)
{
    uint32_t least = UINT32_MAX;

    for (int i = 0; i < 1000; i++) {
        uint64_t start = now_ns(), end = now_ns();

        least = (uint32_t)(end - start) < least ? (uint32_t)(end - start) : least;
    }
    return least;
}

static double mean_ns(const struct sek_classify *c, const struct sek_name *names, size_t n)
{
    double best = 1e18;

    for (int round = 0; round < N_ROUNDS; round++) {
        uint64_t start = clock_ns(CLOCK_THREAD_CPUTIME_ID);
        double each;

        for (size_t i = 0; i < n; i++)
            sink = sek_classify_name(c, &names[i]).llr;
        each = (double)(clock_ns(CLOCK_THREAD_CPUTIME_ID) - start) / (double)n;
        best = each < best ? each : best;
    }
    return best;
}

static void measure(const char *title, const struct sek_classify *c, const struct sek_name *names,
                    size_t n)
{
    uint32_t *single = malloc(n * sizeof(*single)), cost = clock_cost();
    size_t n_network = 0;
    double mean;

    if (!single)
        exit(3);
    mean = mean_ns(c, names, n);
    memset(single, 0xff, n * sizeof(*single));
    for (int round = 0; round < N_ROUNDS; round++)
        for (size_t i = 0; i < n; i++) {
            uint64_t start = now_ns();
            struct sek_score s = sek_classify_name(c, &names[i]);
            uint32_t took = (uint32_t)(now_ns() - start);

            sink = s.llr;
            n_network += s.by_network;
            took = took > cost ? took - cost : 0;
            single[i] = took < single[i] ? took : single[i];
        }
    qsort(single, n, sizeof(*single), by_value);
    printf("%-24s %8zu names  %5.1f %% by network  mean %6.0f ns  median %5u  p99 %5u  p99.9 %5u  "
           "worst %5u\n",
           title, n, 100.0 * (double)n_network / N_ROUNDS / (double)n, mean, single[n / 2],
           single[n - 1 - n / 100], single[n - 1 - n / 1000], single[n - 1]);
    free(single);
}

static size_t read_names(const char *path, struct sek_name *names)
{
    FILE *f = fopen(path, "r");
    char line[1024];
    size_t n = 0;

    if (!f) {
        fprintf(stderr, "bench_classify: %s: cannot open\n", path);
        exit(3);
    }
    while (n < N_MAX && fgets(line, sizeof(line), f))
        if (sek_name_from_text(line, strcspn(line, "\t\r\n"), &names[n], NULL) == SEK_OK)
            n++;
    fclose(f);
    return n;
}

/* Labels of 63 octets, names of 127 labels, A-labels of every length. */
static size_t make_dear(struct sek_name *names)
{
    char text[300];
    size_t n = 0;

    for (unsigned len = 4; len <= 63; len++)
        for (unsigned kind = 0; kind < 3; kind++) {
            unsigned at = 0;

            for (; at < len; at++)
                text[at] =
                    kind == 0 ? (char)('a' + (at * 7 + len) % 26) : "qxzjkvwpg"[(at * 5 + len) % 9];
            if (kind == 2 && len > 8)
                memcpy(text, "xn--", 4);
            snprintf(text + at, sizeof(text) - at, ".com");
            /* raw octets: an A-label that does not decode is a name, too */
            uint8_t wire[128] = {0};
            wire[0] = (uint8_t)len;
            memcpy(wire + 1, text, len);
            memcpy(wire + 1 + len, "\3com", 5);
            if (sek_name_from_wire(wire, sizeof(wire), &names[n]) == SEK_OK)
                n++;
        }
    return n;
}

int main(int argc, char **argv)
{
    struct sek_name *names = malloc(N_MAX * sizeof(*names));
    struct sek_classify *c;
    struct sek_diag diag;
    unsigned long before;

    without_avx512 = argc == 4 && strcmp(argv[3], "avx2") == 0;
    if (argc != 3 + without_avx512 || !names) {
        fprintf(stderr, "usage: bench_classify MODEL FILE [avx2]\n");
        return 2;
    }
    if (sek_classify_open(argv[1], &c, &diag) != SEK_OK) {
        fprintf(stderr, "bench_classify: %s\n", diag.text);
        return 3;
    }
    size_t n = read_names(argv[2], names);
    before = n_allocations;
    sink = sek_classify_name(c, &names[0]).llr;
    for (size_t i = 0; i < n; i++)
        sink = sek_classify_name(c, &names[i]).llr;
    printf("allocations: %lu\n", n_allocations - before);
    measure(argv[2], c, names, n);
    n = make_dear(names);
    measure("made to be dear", c, names, n);
    sek_classify_close(c);
    free(names);
    return 0;
}
