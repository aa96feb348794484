/* SPDX-License-Identifier: BSD-3-Clause */
/* The part of captures or dnstap files that is wanted, as a file of the same kind: whole packets
 * (frames) with octets and times untouched. Of captures: over UDP each packet by itself; over TCP,
 * and of datagrams in fragments, all packets of the period that belong to a connection or datagram
 * of which a message is wanted, whichever came first. So captures are read twice. Memory is
 * bounded, see replay/flows.h, fragments.h and connections.h. No clock. One thread. */
#pragma once
#include "replay/wanted.h"
#include <stdio.h>

struct sek_excerpt_hooks {
    void *arg;
    /* What cannot be read: fatal: nothing behind it in this file; else a message that was lost in a
     * gap, so that it is not known whether it was wanted. */
    void (*unreadable)(void *arg, bool fatal, const struct sek_diag *why);
    /* Octets of the files that were read, of all that will be; false: stop. */
    bool (*goes_on)(void *arg, uint64_t octets, uint64_t all);
};

struct sek_excerpt_sum {
    uint64_t n_read, n_written; /* packets, or frames */
};

/* What kind of file an excerpt of this one is: ".pcap", ".dnstap"; NULL: of another format, or it
 * cannot be read. */
const char *sek_excerpt_suffix(const char *path);
/* paths: in the order of their packets; no pipes. fd stays open; nothing is written to it, not even
 * a header, where nothing was found. INVALID, before anything is written: files of more than one
 * kind or link type, or of none. REFUSED: a hook stopped it. CORRUPT: a file changed meanwhile, so
 * what was written is not to be relied on. IO, FULL: it cannot be written. NOMEM. All with texts. A
 * file that cannot be read is told to the hook, and no error. */
enum sek_err sek_excerpt_write(const char *const *paths, unsigned n,
                               const struct sek_wanted *wanted, int fd,
                               const struct sek_excerpt_hooks *hooks, struct sek_excerpt_sum *out,
                               struct sek_diag *diag);
