/* SPDX-License-Identifier: BSD-3-Clause */
#include "scrape.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "base/banned.h"

#define POLL_MS 500 /* between two looks at *stop */

enum stage { READING, WRITING, DRAINING };

struct client {
    int fd; /* -1: a free place */
    int64_t end_ms;
    enum stage stage;
    char request[SEK_SCRAPE_REQUEST + 1];
    size_t n;
    struct sek_buf answer;
    size_t sent;
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- listening ---------------------------------------------------------------------------------
 */

static bool address_of(const char *text, size_t n, unsigned port, struct sockaddr_storage *out,
                       socklen_t *out_len)
{
    char host[64];
    struct sockaddr_in *v4 = (void *)out;
    struct sockaddr_in6 *v6 = (void *)out;
    bool brackets = n > 2 && text[0] == '[' && text[n - 1] == ']';
    memset(out, 0, sizeof *out);
    if (n >= sizeof host)
        return false;
    snprintf(host, sizeof host, "%.*s", (int)(brackets ? n - 2 : n), text + brackets);
    if (!brackets && inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        *out_len = sizeof *v4;
        return true;
    }
    if (!brackets || inet_pton(AF_INET6, host, &v6->sin6_addr) != 1)
        return false;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons((uint16_t)port);
    *out_len = sizeof *v6;
    return true;
}

static bool is_own(const struct sockaddr_storage *a)
{
    const struct sockaddr_in *v4 = (const void *)a;
    const struct sockaddr_in6 *v6 = (const void *)a;
    return a->ss_family == AF_INET ? ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET
                                   : IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

static enum sek_err bind_to(const struct sockaddr_storage *a, socklen_t len, const char *where,
                            int *out_fd, unsigned *out_port, struct sek_diag *diag)
{
    struct sockaddr_storage bound;
    socklen_t size = sizeof bound;
    int on = 1, fd = socket(a->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (fd < 0 || bind(fd, (const struct sockaddr *)a, len) != 0 || listen(fd, 16) != 0 ||
        getsockname(fd, (struct sockaddr *)&bound, &size) != 0) {
        enum sek_err err = sek_diag_set(diag, sek_err_from_errno(errno), "cannot listen on %s: %s",
                                        where, strerrordesc_np(errno));
        if (fd >= 0)
            close(fd);
        return err;
    }
    *out_port = ntohs(bound.ss_family == AF_INET ? ((struct sockaddr_in *)&bound)->sin_port
                                                 : ((struct sockaddr_in6 *)&bound)->sin6_port);
    *out_fd = fd;
    return SEK_OK;
}

enum sek_err sek_scrape_listen(const char *where, int *out_fd, unsigned *out_port,
                               struct sek_diag *diag)
{
    const char *colon = strrchr(where, ':');
    struct sockaddr_storage a;
    socklen_t len;
    char *end = NULL;
    unsigned long port = colon ? strtoul(colon + 1, &end, 10) : 0;
    bool good = colon && colon[1] >= '0' && colon[1] <= '9' && !*end && port <= 65535;
    if (!good || !address_of(where, (size_t)(colon - where), (unsigned)port, &a, &len))
        return sek_diag_set(diag, SEK_E_INVALID,
                            "\"%.100s\" is no address and port, as 127.0.0.1:9753 or [::1]:9753",
                            where);
    if (!is_own(&a))
        return sek_diag_set(diag, SEK_E_REFUSED,
                            "%.100s: others would reach it; listen on 127.0.0.1 or [::1], behind a "
                            "proxy where Prometheus runs elsewhere",
                            where);
    return bind_to(&a, len, where, out_fd, out_port, diag);
}

/* --- requests ----------------------------------------------------------------------------------
 */

static void answer(struct client *c, const char *status, const char *extra, const char *body,
                   size_t len)
{
    sek_buf_add_fmt(&c->answer,
                    "HTTP/1.1 %s\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
                    "Content-Length: %zu\r\nConnection: close\r\n%s\r\n",
                    status, len, extra);
    sek_buf_add(&c->answer, body, len);
    c->stage = WRITING;
}

static void refuse(struct client *c, const char *status, const char *extra)
{
    char body[64];
    int n = snprintf(body, sizeof body, "%s\n", status);
    answer(c, status, extra, body, (size_t)n);
}

/* The line without its end: "GET /metrics HTTP/1.1"; a query behind the path is passed over. */
static void judge(struct client *c, size_t len, sek_scrape_fn *fn, void *arg)
{
    const char *line = c->request, *end = line + len;
    const char *path = memchr(line, ' ', len);
    const char *version = path ? memchr(path + 1, ' ', (size_t)(end - path - 1)) : NULL;
    if (!version || end - version != 9 || memcmp(version, " HTTP/1.", 8) != 0 ||
        memchr(line, '\0', len)) {
        refuse(c, "400 Bad Request", "");
        return;
    }
    size_t n_method = (size_t)(path - line), n_path = (size_t)(version - ++path);
    const char *query = memchr(path, '?', n_path);
    n_path = query ? (size_t)(query - path) : n_path;
    if (n_method != 3 || memcmp(line, "GET", 3) != 0) {
        refuse(c, "405 Method Not Allowed", "Allow: GET\r\n");
    } else if (n_path != 8 || memcmp(path, "/metrics", 8) != 0) {
        refuse(c, "404 Not Found", "");
    } else {
        struct sek_buf body;
        sek_buf_init(&body, 0);
        fn(arg, &body);
        if (body.failed)
            refuse(c, "503 Service Unavailable", "");
        else
            answer(c, "200 OK", "", body.data ? body.data : "", body.len);
        sek_buf_fini(&body);
    }
}

static void drop(struct client *c)
{
    close(c->fd);
    c->fd = -1;
    sek_buf_fini(&c->answer);
}

/* The whole head must be there: else a proxy's leftover would be taken for the next request. */
static void read_some(struct client *c, sek_scrape_fn *fn, void *arg)
{
    ssize_t n = read(c->fd, c->request + c->n, SEK_SCRAPE_REQUEST - c->n);
    if (n <= 0) {
        if (n == 0 || (errno != EAGAIN && errno != EINTR))
            drop(c);
        return;
    }
    c->n += (size_t)n;
    c->request[c->n] = '\0';
    const char *end = memmem(c->request, c->n, "\r\n\r\n", 4);
    if (end)
        judge(c, (size_t)((const char *)memmem(c->request, c->n, "\r\n", 2) - c->request), fn, arg);
    else if (c->n == SEK_SCRAPE_REQUEST)
        refuse(c, "431 Request Header Fields Too Large", "");
}

/* Sent: closing with octets unread would take the answer back (RFC 9112 §9.6). */
static void write_some(struct client *c)
{
    ssize_t n = send(c->fd, c->answer.data + c->sent, c->answer.len - c->sent, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        drop(c);
        return;
    }
    c->sent += n > 0 ? (size_t)n : 0;
    if (c->sent == c->answer.len) {
        shutdown(c->fd, SHUT_WR);
        c->stage = DRAINING;
    }
}

static void drain(struct client *c)
{
    ssize_t n = read(c->fd, c->request, SEK_SCRAPE_REQUEST);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        drop(c);
}

/* --- serving -----------------------------------------------------------------------------------
 */

static void take_on(int fd, struct client *clients)
{
    for (int i = 0; i < SEK_SCRAPE_CLIENTS; i++) {
        struct client *c = &clients[i];
        if (c->fd >= 0)
            continue;
        c->fd = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (c->fd < 0)
            return;
        c->end_ms = now_ms() + SEK_SCRAPE_MS;
        c->stage = READING;
        c->n = c->sent = 0;
        sek_buf_init(&c->answer, 0);
    }
}

static void serve_client(struct client *c, short events, sek_scrape_fn *fn, void *arg)
{
    if (now_ms() >= c->end_ms) {
        drop(c);
        return;
    }
    if (!events)
        return;
    if (c->stage == READING)
        read_some(c, fn, arg);
    else if (c->stage == WRITING)
        write_some(c);
    else
        drain(c);
    if (c->fd >= 0 && c->answer.failed)
        drop(c);
}

enum sek_err sek_scrape_run(int fd, volatile sig_atomic_t *stop, sek_scrape_fn *fn, void *arg,
                            struct sek_diag *diag)
{
    struct client *clients = calloc(SEK_SCRAPE_CLIENTS, sizeof *clients);
    struct pollfd p[SEK_SCRAPE_CLIENTS + 1];
    if (!clients)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory");
    for (int i = 0; i < SEK_SCRAPE_CLIENTS; i++)
        clients[i].fd = -1;
    while (!*stop) {
        bool room = false;
        for (int i = 0; i < SEK_SCRAPE_CLIENTS; i++) {
            short wanted = clients[i].stage == WRITING ? POLLOUT : POLLIN;
            p[i] = (struct pollfd){.fd = clients[i].fd, .events = wanted};
            room = room || clients[i].fd < 0;
        }
        p[SEK_SCRAPE_CLIENTS] = (struct pollfd){.fd = room ? fd : -1, .events = POLLIN};
        if (poll(p, SEK_SCRAPE_CLIENTS + 1, POLL_MS) < 0)
            continue; /* a signal */
        for (int i = 0; i < SEK_SCRAPE_CLIENTS; i++)
            if (clients[i].fd >= 0)
                serve_client(&clients[i], p[i].revents, fn, arg);
        if (p[SEK_SCRAPE_CLIENTS].revents)
            take_on(fd, clients);
    }
    for (int i = 0; i < SEK_SCRAPE_CLIENTS; i++)
        if (clients[i].fd >= 0)
            drop(&clients[i]);
    free(clients);
    return SEK_OK;
}
