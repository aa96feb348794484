/* SPDX-License-Identifier: BSD-3-Clause */
/* Findings that people dismissed: the same detector reports the same domain no more, of that
 * endpoint or of any. Kept in a small text file beside the compiled policy ("dismissed"), which the
 * command alone writes and the resolver watches: a line each, with detector, endpoint or "*",
 * domain or "-", time, who, the finding's id and why, separated by tabs. Lines that begin with #
 * are comments. A set is plain to read from any thread while nobody changes it. */
#pragma once
#include "event/finding.h"

#define SEK_DISMISSED_FILE "dismissed"
#define SEK_DISMISSED_MAX 10000 /* entries */
#define SEK_DISMISSED_WHO 64    /* octets, with terminator */
#define SEK_DISMISSED_WHY 256

struct sek_dismissal {
    enum sek_detector detector;
    bool everybody;           /* else only this endpoint */
    struct sek_addr endpoint; /* zero for everybody */
    uint8_t domain_len;       /* 0: a finding that suspects none */
    uint8_t domain[SEK_NAME_MAX];
    int64_t time_s;
    int64_t finding; /* id in events.db */
    char who[SEK_DISMISSED_WHO], why[SEK_DISMISSED_WHY];
};

struct sek_dismissed {
    struct sek_dismissal *all;
    unsigned n;
};

/* path of the file: its folder is policy.dir. Returns out. */
const char *sek_dismissed_path(const char *policy_dir, char *out, size_t size);
/* A file that is not there is an empty set. CORRUPT with the line's number; NOMEM, IO, LIMIT. On
 * failure *out is empty. */
enum sek_err sek_dismissed_read(const char *path, struct sek_dismissed *out, struct sek_diag *diag);
void sek_dismissed_fini(struct sek_dismissed *d);
/* The entry that covers a finding, or NULL. d may be NULL. */
const struct sek_dismissal *sek_dismissed_find(const struct sek_dismissed *d,
                                               enum sek_detector detector,
                                               const struct sek_addr *endpoint,
                                               const uint8_t *domain, size_t len);
/* Append a copy; one that it replaces (same detector, endpoint, domain) goes. Tabs and line ends in
 * texts become blanks. LIMIT, NOMEM. */
enum sek_err sek_dismissed_add(struct sek_dismissed *d, const struct sek_dismissal *one,
                               struct sek_diag *diag);
/* Remove all entries for which fn is true; returns how many. */
typedef bool sek_dismissal_fn(void *arg, const struct sek_dismissal *one);
unsigned sek_dismissed_remove(struct sek_dismissed *d, sek_dismissal_fn *fn, void *arg);
/* Write the file anew: there is always a whole one. */
enum sek_err sek_dismissed_write(const struct sek_dismissed *d, const char *path,
                                 struct sek_diag *diag);
