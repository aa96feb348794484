/* SPDX-License-Identifier: BSD-3-Clause */
/* Read files of past traffic and nothing else: bench_source FILE... — what they hold, and what an
 * event costs. CPU time, so that a busy machine does not blur it. Exit 3 where a file cannot be
 * read to its end. */
#include "replay/source.h"
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#define SAID 3 /* records that cannot be read: told of each file */

static double cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static bool run(const char *path)
{
    struct sek_source *s;
    struct sek_diag diag;
    static struct sek_event e;
    uint64_t n = 0, n_nx = 0, n_failed = 0, n_addrs = 0, n_bad = 0, octets = 0, n_back = 0;
    int64_t first_ms = INT64_MAX, last_ms = INT64_MIN, before_ms = INT64_MIN;
    double begin = cpu_ns();
    int got = 0;

    if (sek_source_open(path, time(NULL), &s, &diag)) {
        printf("%s\n", diag.text);
        return false;
    }
    while ((got = sek_source_next(s, &e, &diag)) != 0 && got != SEK_E_IO) {
        if (got < 0) {
            if (n_bad++ < SAID)
                printf("  %s\n", diag.text);
            continue;
        }
        n++;
        n_nx += e.outcome == SEK_OUTCOME_NXDOMAIN;
        n_failed += e.outcome == SEK_OUTCOME_FAILED;
        n_addrs += e.n_addrs;
        octets += e.answer_octets;
        n_back += e.time_ms < before_ms;
        before_ms = e.time_ms;
        first_ms = e.time_ms < first_ms ? e.time_ms : first_ms;
        last_ms = e.time_ms > last_ms ? e.time_ms : last_ms;
    }
    double ns = cpu_ns() - begin;
    if (got < 0)
        printf("  %s\n", diag.text);
    printf("%-9s %8" PRIu64 " events %7" PRIu64 " nxdomain %6" PRIu64 " failed %7" PRIu64
           " addresses %8" PRIu64 " octets %4" PRIu64 " bad %5" PRIu64
           " back %9.0f s %5.0f ns  %s\n",
           sek_source_format(s), n, n_nx, n_failed, n_addrs, octets, n_bad, n_back,
           n ? (double)(last_ms - first_ms) / 1000 : 0, n ? ns / (double)n : 0, path);
    sek_source_close(s);
    return got == 0;
}

int main(int argc, char **argv)
{
    int rc = 0;

    for (int i = 1; i < argc; i++)
        if (!run(argv[i]))
            rc = 3;
    return rc;
}
