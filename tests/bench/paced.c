/* SPDX-License-Identifier: BSD-3-Clause */
/* Asks a server at a steady rate over UDP and holds every answer against what is expected: how late
 * each came, by the clock, and which was lost or wrong. For swap.py.
 *
 * usage: paced PORT QUERIES-A-SECOND SECONDS FILE
 *
 * FILE has a name and the response code that it must get ("blocked.example 3") a line; the lines
 * are asked in turn. A query counts as late from when it was due, so a generator that is held up
 * does not make the server look better. Prints a line a tenth of a second, by when its queries were
 * due: "tenth sent lost wrong worst-µs", then "all sent lost wrong median-µs p99-µs p99.9-µs
 * worst-µs". */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define N_IDS 65536
#define LOST_US 2000000 /* later than this is lost */
#define TENTH_US 100000
#define QUERY_MAX 300

struct query {
    size_t len;
    unsigned rcode;
    uint8_t octets[QUERY_MAX];
};

struct tenth {
    unsigned sent, lost, wrong;
    int64_t worst_us;
};

struct run {
    int fd;
    struct query *queries;
    size_t n_queries;
    int64_t start_us, n_due; /* queries in all */
    double pause_us;         /* from one to the next */
    int64_t asked[N_IDS];    /* number of the query that has this id, from 1; 0: none */
    int64_t next;            /* number of the next, from 0 */
    int32_t *late_us;        /* by number; -1: no answer */
    struct tenth *tenths;
};

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void die(const char *what)
{
    fprintf(stderr, "paced: %s: %s\n", what, errno ? strerror(errno) : "not understood");
    exit(1);
}

/* An A question for a name in presentation form, without escapes. */
static void query_make(struct query *q, const char *name, unsigned rcode)
{
    static const uint8_t head[12] = {[2] = 0x01, [5] = 1}; /* RD, one question */
    memcpy(q->octets, head, sizeof head);
    uint8_t *at = q->octets + sizeof head;
    while (*name) {
        size_t len = strcspn(name, ".");
        if (len == 0 || len > 63 || at + len + 6 > q->octets + QUERY_MAX)
            die(name);
        *at++ = (uint8_t)len;
        memcpy(at, name, len);
        at += len;
        name += len + (name[len] == '.');
    }
    static const uint8_t tail[5] = {0, 0, 1, 0, 1}; /* root, A, IN */
    memcpy(at, tail, sizeof tail);
    q->len = (size_t)(at - q->octets) + sizeof tail;
    q->rcode = rcode;
}

static void queries_read(struct run *r, const char *path)
{
    FILE *in = fopen(path, "re");
    char name[256];
    unsigned rcode;
    size_t room = 0;
    if (!in)
        die(path);
    while (fscanf(in, "%255s %u", name, &rcode) == 2) {
        if (r->n_queries == room) {
            room = room ? 2 * room : 1024;
            r->queries = realloc(r->queries, room * sizeof *r->queries);
            if (!r->queries)
                die(path);
        }
        query_make(&r->queries[r->n_queries++], name, rcode);
    }
    fclose(in);
    if (r->n_queries == 0)
        die(path);
}

static int64_t due_us(const struct run *r, int64_t number)
{
    return r->start_us + (int64_t)((double)number * r->pause_us);
}

static struct tenth *tenth_of(struct run *r, int64_t number)
{
    return &r->tenths[(due_us(r, number) - r->start_us) / TENTH_US];
}

static void ask(struct run *r)
{
    uint16_t id = (uint16_t)r->next;
    struct query *q = &r->queries[(size_t)r->next % r->n_queries];
    q->octets[0] = (uint8_t)(id >> 8);
    q->octets[1] = (uint8_t)id;
    r->asked[id] = r->next + 1;
    tenth_of(r, r->next)->sent++;
    if (send(r->fd, q->octets, q->len, 0) < 0 && errno != EAGAIN && errno != ENOBUFS)
        die("send");
    r->next++;
}

static void take_answers(struct run *r)
{
    uint8_t octets[4096];
    ssize_t n;
    while ((n = recv(r->fd, octets, sizeof octets, MSG_DONTWAIT)) >= 0) {
        if (n < 12)
            continue;
        unsigned id = (unsigned)octets[0] << 8 | octets[1];
        int64_t number = r->asked[id] - 1;
        if (number < 0)
            continue; /* twice, or of an earlier round of ids */
        r->asked[id] = 0;
        int64_t late = now_us() - due_us(r, number);
        if (late > LOST_US)
            continue;
        struct tenth *t = tenth_of(r, number);
        r->late_us[number] = (int32_t)late;
        if (late > t->worst_us)
            t->worst_us = late;
        t->wrong += (octets[3] & 15) != r->queries[(size_t)number % r->n_queries].rcode;
    }
}

/* Until an answer comes or the next query is due. The processor is free meanwhile, for the command
 * whose work is measured: one that spins would be put off for milliseconds by the scheduler. */
static void await(const struct run *r, int64_t us)
{
    struct pollfd answer = {.fd = r->fd, .events = POLLIN};
    struct timespec time = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    ppoll(&answer, 1, &time, NULL);
}

static int compare(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static void tell(struct run *r)
{
    struct tenth all = {0};
    int64_t n = 0;
    for (int64_t i = 0; i < r->n_due; i++) {
        if (r->late_us[i] < 0)
            tenth_of(r, i)->lost++;
        else
            r->late_us[n++] = r->late_us[i];
    }
    int64_t n_tenths = (due_us(r, r->n_due - 1) - r->start_us) / TENTH_US + 1;
    for (int64_t i = 0; i < n_tenths; i++) {
        const struct tenth *t = &r->tenths[i];
        printf("%jd %u %u %u %jd\n", (intmax_t)i, t->sent, t->lost, t->wrong,
               (intmax_t)t->worst_us);
        all.sent += t->sent;
        all.lost += t->lost;
        all.wrong += t->wrong;
    }
    if (n == 0)
        die("no answer at all");
    qsort(r->late_us, (size_t)n, sizeof *r->late_us, compare);
    printf("all %u %u %u %d %d %d %d\n", all.sent, all.lost, all.wrong, r->late_us[n / 2],
           r->late_us[n * 99 / 100], r->late_us[n * 999 / 1000], r->late_us[n - 1]);
}

int main(int argc, char **argv)
{
    static struct run r;
    if (argc != 5) {
        fputs("usage: paced PORT QUERIES-A-SECOND SECONDS FILE\n", stderr);
        return 2;
    }
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    double rate = strtod(argv[2], NULL), seconds = strtod(argv[3], NULL);
    if (!(rate > 0) || !(seconds > 0))
        die("rate or seconds");
    queries_read(&r, argv[4]);
    r.pause_us = 1e6 / rate;
    r.n_due = (int64_t)(rate * seconds);
    r.late_us = malloc((size_t)r.n_due * sizeof *r.late_us);
    r.tenths = calloc((size_t)(seconds * 10) + 2, sizeof *r.tenths);
    r.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int room = 4 << 20;
    if (!r.late_us || !r.tenths || r.fd < 0 ||
        setsockopt(r.fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) < 0 ||
        connect(r.fd, (struct sockaddr *)&to, sizeof to) < 0)
        die("socket");
    memset(r.late_us, 0xff, (size_t)r.n_due * sizeof *r.late_us);
    r.start_us = now_us();
    prctl(PR_SET_TIMERSLACK, 1UL); /* ns */
    while (r.next < r.n_due) {
        take_answers(&r);
        int64_t left = due_us(&r, r.next) - now_us();
        if (left <= 0)
            ask(&r);
        else
            await(&r, left);
    }
    for (int64_t end = now_us() + LOST_US; now_us() < end; usleep(1000))
        take_answers(&r);
    tell(&r);
    close(r.fd);
    free(r.queries);
    free(r.late_us);
    free(r.tenths);
    return 0;
}
