/* SPDX-License-Identifier: BSD-3-Clause */
/* The least HTTP/1.1 server (RFC 9112) that Prometheus needs: GET /metrics, one request a
 * connection, then it is closed. One thread, few connections, an end in time for each, nothing kept
 * of a request but its first line. On this host's own addresses only. */
#pragma once
#include "base/err.h"
#include "base/buf.h"
#include <signal.h>

#define SEK_SCRAPE_CLIENTS 16   /* at a time; others wait in the kernel */
#define SEK_SCRAPE_REQUEST 4096 /* octets of a request; more is refused */
#define SEK_SCRAPE_MS 5000      /* from accepting a connection to its end */

/* The answer's body, made anew for each request. */
typedef void sek_scrape_fn(void *arg, struct sek_buf *out);

/* "127.0.0.1:9753", "[::1]:9753"; port 0: any. *out_port: the one taken. INVALID; REFUSED for
 * addresses that others reach. */
enum sek_err sek_scrape_listen(const char *where, int *out_fd, unsigned *out_port,
                               struct sek_diag *diag);
/* Serve until *stop. The listening socket stays open. */
enum sek_err sek_scrape_run(int fd, volatile sig_atomic_t *stop, sek_scrape_fn *fn, void *arg,
                            struct sek_diag *diag);
