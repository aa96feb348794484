/* SPDX-License-Identifier: BSD-3-Clause */
/* Events and folders that the tests of event/ and store/ share. */
#pragma once
#include "event/event.h"
#include "name/text.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SAMPLE_MS 1700000040000LL /* the first millisecond of a minute */

/* Name and matched name in presentation form; matched NULL = the question's. */
static inline struct sek_event sample_event(const char *endpoint, const char *name,
                                            const char *matched, enum sek_outcome outcome,
                                            int64_t time_ms)
{
    struct sek_event e;
    struct sek_name wire;
    memset(&e, 0xa5, sizeof e); /* unused octets must not matter */
    e.outcome = (uint8_t)outcome;
    e.action = e.would = SEK_ACTION_SINKHOLE;
    e.trigger = matched ? SEK_TRIGGER_CNAME : SEK_TRIGGER_QNAME;
    e.monitor = e.quiet = 0;
    e.scope = SEK_SCOPE_SUBTREE;
    e.depth = 0;
    e.qtype = 1;
    e.list = 7;
    e.generation = 3;
    e.time_ms = time_ms;
    e.ttl_s = 0;
    e.answer_octets = e.sunk_server = e.n_addrs = e.n_ns_addrs = 0;
    e.servers_octets = 0;
    e.cached = false;
    if (sek_addr_from_text(endpoint, &e.endpoint, NULL) ||
        sek_name_from_text(name, strlen(name), &wire, NULL))
        abort();
    e.name_len = wire.len;
    memcpy(e.names, wire.octets, wire.len);
    e.matched_len = e.owner_len = 0;
    if (matched) {
        if (sek_name_from_text(matched, strlen(matched), &wire, NULL))
            abort();
        e.matched_len = wire.len;
        memcpy(e.names + e.name_len, wire.octets, wire.len);
    }
    e.size = sek_event_size(e.name_len, e.matched_len);
    return e;
}

static inline struct sek_event sample_hit(const char *endpoint, const char *name, int64_t time_ms)
{
    return sample_event(endpoint, name, NULL, SEK_OUTCOME_HIT, time_ms);
}

static inline int64_t sample_monotonic_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static inline void sample_pause(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
}

/* Delete a test's folder and its files (no folders inside). */
static inline void sample_remove_dir(const char *dir)
{
    DIR *d = opendir(dir);
    char path[1024];
    for (struct dirent *e; d && (e = readdir(d));) {
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        unlink(path);
    }
    if (d)
        closedir(d);
    rmdir(dir);
}
