/* SPDX-License-Identifier: BSD-3-Clause */
/* The store of observed domains: exact knowledge of every registered domain that this site has
 * seen: since when, until when, how spread over endpoints, and whether it ever resolved. Names
 * themselves are stored and compared; nothing probabilistic decides.
 *
 * All of it lies in memory, where any thread may ask (sek_domains_find). One writer thread, the
 * collector, owns the object: it notes what it sees and calls sek_domains_sync about once a second,
 * which writes what changed to the file. So a kill costs the last second, and neither a full disk
 * nor a file that somebody cuts off harms the resolver: it goes on in memory, and sync says so.
 *
 * Domains are registered domains in wire format, lower case, without compression, 2..255 octets
 * (RFC 1035 §3.1), as sek_suffix_registered finds them. Times are Unix seconds, UTC; they are kept
 * as 32 bits without a sign (until 2106), others are moved to the nearest that fits. */
#pragma once
#include "base/addr.h"
#include "base/err.h"
#include "base/hash.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sek_domains;

struct sek_domains_conf {
    const char *path; /* NULL: in memory only */
    /* Most octets of the file: min 1 MiB, max 16 GiB. Memory is the same and about a third more for
     * the index. About 29 octets a domain: 290 MB for 10,000,000. */
    uint64_t max_octets;
    /* Room for about so many names that never resolved, within max_octets (at most half of it); 0:
     * none are kept. The oldest make room, apart from those seen again since. */
    uint32_t max_absent;
    int64_t retention_s;     /* a domain not seen for longer is forgotten; 0: never */
    const char *psl_version; /* of the list that made the domains, for the record; may be NULL */
    /* Of the hashes of an object in memory only, when the same notes are to give the same
     * estimates; NULL: random, so that nobody can aim at them. */
    const struct sek_hash_key *key;
};

struct sek_domain_seen {
    int64_t first_s, last_s;
    uint16_t endpoints; /* estimate from a sketch of 30 bits: exact for few, 123 means "more" */
    bool resolved;      /* false: only ever answered NXDOMAIN */
};

enum sek_domains_news {
    SEK_DOMAINS_KNOWN,
    SEK_DOMAINS_NEW,            /* first seen with this note */
    SEK_DOMAINS_RESOLVED_FIRST, /* seen before, resolved with this note for the first time */
    SEK_DOMAINS_OVERFLOW,       /* no room: counted, not kept */
};

struct sek_domains_stats {
    uint64_t n_known;    /* domains that resolved */
    uint64_t n_absent;   /* names that never did */
    uint64_t n_overflow; /* notes that found no room, since the file was begun */
    uint64_t n_evicted;  /* names that never resolved, overwritten by younger ones */
    uint64_t n_expired;  /* domains forgotten by age */
    uint64_t n_damaged;  /* blocks of the file (4 KiB, about 140 domains) lost to damage */
    uint64_t octets;     /* of the file */
    uint64_t max_octets;
    char psl_first[32], psl_last[32]; /* list when the file was begun, and now; "" unknown */
};

#define SEK_DOMAINS_ASIDE_MAX 512 /* octets of a path with its zero */

/* Open for writing, or begin a new file (mode 0640). A damaged file is put aside as
 * <path>.corrupt-<UTC>, and a fresh one is begun with what could be read of it; out_aside is then
 * that path, else "". After a loss of power, some lost blocks are normal: they are cut out without
 * putting the file aside, and counted (n_damaged).
 * BUSY: another process writes it. VERSION: made by a newer version. CORRUPT: a file that is
 * something else; it is left alone. NOMEM, IO, FULL, DENIED, INVALID, LIMIT (path). out is set on
 * success only. 10,000,000 domains take 1 to 2 s. Writer. */
enum sek_err sek_domains_open(const struct sek_domains_conf *conf, int64_t now_s,
                              struct sek_domains **out, char out_aside[SEK_DOMAINS_ASIDE_MAX],
                              struct sek_diag *diag);
/* Open a file for looking only, also while another process writes it: as it was at the writer's
 * last sync. Nothing is loaded: each find or each reads through the whole file (10,000,000 domains:
 * about 0.1 s), so this is for the command; sek_domains_note may not be called. NOTFOUND, CORRUPT,
 * VERSION, IO. */
enum sek_err sek_domains_open_read(const char *path, struct sek_domains **out,
                                   struct sek_diag *diag);
/* Sync, mark the file clean, free. No thread may use d any more. NULL is fine. */
void sek_domains_close(struct sek_domains *d);

/* Is it known here? *out is set when it is. Any thread, also while the writer works; no lock, no
 * allocation, no system call; it repeats itself (at most 64 times) when the writer took the place
 * away under it, which needs a writer that stores about a hundred domains meanwhile.
 * out may be NULL. A name that is none is unknown. */
bool sek_domains_find(const struct sek_domains *d, const uint8_t *domain, size_t len,
                      struct sek_domain_seen *out);

/* A name as the store holds it: length without the root's octet, octets, zeros to the end of a
 * word.
 */
struct sek_dom_name {
    _Alignas(8) uint32_t w[64];
};

/* A question to the store made ready, for callers with other work to do before they need the
 * answer. What is not in the processor's cache is waited for twice, one after the other: for the
 * place of the record, then for the record. So: begin, which asks memory for the first; some 300 ns
 * later ahead, which asks for the second; then end, which waits for neither. ahead may be left out.
 * Valid as long as the store is. */
struct sek_domains_ask {
    const struct sek_domains *of; /* NULL: a name that is none */
    uint64_t hash;
    unsigned n_words; /* of the name */
    struct sek_dom_name name;
};
/* Any thread, as for sek_domains_find. */
void sek_domains_ask_begin(const struct sek_domains *d, const uint8_t *domain, size_t len,
                           struct sek_domains_ask *out);
void sek_domains_ask_ahead(const struct sek_domains_ask *ask);
bool sek_domains_ask_end(const struct sek_domains_ask *ask, struct sek_domain_seen *out);

/* Note that an endpoint asked for a domain (or something below it). endpoint: NULL if unknown.
 * time_s may lie in the past (import): the first time becomes the least, the last the greatest.
 * resolved: it got an answer other than NXDOMAIN. *out (may be NULL): as it stands now; all zero
 * after OVERFLOW. A name that is none counts as OVERFLOW. Writer. */
enum sek_domains_news sek_domains_note(struct sek_domains *d, const uint8_t *domain, size_t len,
                                       const struct sek_addr *endpoint, int64_t time_s,
                                       bool resolved, struct sek_domain_seen *out);

/* Write what changed, and forget a slice of what is too old. Call it once a second; it takes some
 * µs a changed block (4 KiB), and waits for the disk (fdatasync) when forgetting moved something.
 * On failure (FULL, IO) nothing is lost while the process lives, and the next call tries again. A
 * file that was cut off is written anew; one that was removed is made again; one that was replaced
 * by another is left alone (EXISTS). The clock for forgetting follows now_s by at most a minute a
 * call, so that a clock that jumps for some minutes forgets nothing. Writer. */
enum sek_err sek_domains_sync(struct sek_domains *d, int64_t now_s, struct sek_diag *diag);

/* Begin of the history: when the file was begun, or what sek_domains_set_since said. Any thread. */
int64_t sek_domains_since_s(const struct sek_domains *d);
/* After an import: history reaches back to since_s. Later than now: ignored. Writer. */
void sek_domains_set_since(struct sek_domains *d, int64_t since_s);
/* Any thread. For an object of sek_domains_open_read: as in the file's head. */
void sek_domains_stats(const struct sek_domains *d, struct sek_domains_stats *out);

/* Called for each domain in no order; name: wire format, borrowed for the call. false ends it. */
typedef bool (*sek_domains_fn)(void *arg, const uint8_t *name, size_t len,
                               const struct sek_domain_seen *seen);
/* All domains. Writer (no note within fn), or an object of sek_domains_open_read, where one that
 * moves in the file meanwhile may come twice or, seldom, not at all. IO. */
enum sek_err sek_domains_each(struct sek_domains *d, sek_domains_fn fn, void *arg,
                              struct sek_diag *diag);
