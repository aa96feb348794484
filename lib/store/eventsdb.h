/* SPDX-License-Identifier: BSD-3-Clause */
/* events.db: what happened. The one connection that writes and checkpoints it (SQLite before 3.51.3
 * can damage a WAL database that two connections checkpoint). A damaged file is put aside as
 * "<path>.corrupt-<UTC>", never deleted, and a fresh one begun. One thread. */
#pragma once
#include "conf/conf.h"
#include "event/finding.h"
#include "event/response.h"
#include "event/tally.h"
#include "policy/policy.h"

struct sek_eventsdb;

#define SEK_ASIDE_MAX 512 /* octets of a path put aside, with terminator */

/* Open or create. A file that SQLite says is damaged is put aside first; so is one whose writer was
 * killed and that a quick_check of at most two seconds finds damaged. out_aside: "" or the new path
 * of the damaged file; NULL: it stays where it is, CORRUPT. A database of another kind (INVALID) or
 * of a newer version (VERSION) is left alone. */
enum sek_err sek_eventsdb_open(const char *path, int64_t now_s, struct sek_eventsdb **out,
                               char out_aside[SEK_ASIDE_MAX], struct sek_diag *diag);
/* NULL is fine. */
void sek_eventsdb_close(struct sek_eventsdb *db);
/* Move a closed, damaged database away, with its -wal and -shm. */
enum sek_err sek_eventsdb_put_aside(const char *path, int64_t now_s, char out_aside[SEK_ASIDE_MAX],
                                    struct sek_diag *diag);
/* True when the path does not lead to the file any more that is open here (deleted or replaced):
 * close and open again. */
bool sek_eventsdb_is_moved(const struct sek_eventsdb *db);

/* For who fills a database in one go and can begin again: what follows are transactions of many
 * calls, a failure takes back all since the last commit, pages stay in memory meanwhile (256 MiB at
 * most), and no commit waits for the disk. A kill still leaves a sound database. */
enum sek_err sek_eventsdb_hurry(struct sek_eventsdb *db, struct sek_diag *diag);
/* Commit what is held back so. */
enum sek_err sek_eventsdb_commit(struct sek_eventsdb *db, struct sek_diag *diag);

/* The time of what is stored next (Unix milliseconds): a row of hits grows no more once its minute
 * is over for SEK_HIT_CLOSED_MS; what comes later makes another row. So whoever reads one
 * SEK_HIT_FINAL_MS after its minute has all of it, unless the commit takes longer than what lies
 * between. Without a call rows grow whenever. */
#define SEK_HIT_CLOSED_MS 15000
#define SEK_HIT_FINAL_MS 30000
void sek_eventsdb_set_time(struct sek_eventsdb *db, int64_t now_ms);
/* One transaction: the whole batch, and the names of the lists. On failure nothing of it is stored:
 * try again later; after SEK_E_CORRUPT close, put aside and open. *out_rows: rows inserted or
 * updated. */
enum sek_err sek_eventsdb_store(struct sek_eventsdb *db, const struct sek_tally_batch *batch,
                                const struct sek_list *lists, unsigned n_lists, uint64_t *out_rows,
                                struct sek_diag *diag);
/* One transaction: the findings, in their order. One that is stored already (same detector,
 * endpoint and start_ms) gets the new end, confidence, domain, mode, block and evidence. One whose
 * evidence is no JSON object, or whose domain is no name, is refused. On failure nothing is stored:
 * as for sek_eventsdb_store. *out: what became of them. */
struct sek_findings_stored {
    unsigned n_new, n_renewed, n_refused;
};
enum sek_err sek_eventsdb_store_findings(struct sek_eventsdb *db,
                                         const struct sek_finding *findings, unsigned n,
                                         struct sek_findings_stored *out, struct sek_diag *diag);
/* Who asked first for a registered domain. */
struct sek_first {
    int64_t time_ms; /* Unix time, milliseconds */
    struct sek_addr endpoint;
    uint16_t qtype;
    uint8_t domain_labels; /* from the left, to be removed to reach the registered domain */
    uint8_t name_len;
    uint8_t name[SEK_NAME_MAX + 1]; /* wire, lower case */
    bool refused;                   /* by a rule */
    /* Of the answer to it. */
    bool has_address;
    struct sek_addr address; /* the first one */
    uint32_t ttl_s;          /* the lowest; 0: there was no answer */
};
/* One transaction, as above. A domain that is there already keeps its row;
 * one without an answer gets that. */
enum sek_err sek_eventsdb_store_firsts(struct sek_eventsdb *db, const struct sek_first *firsts,
                                       unsigned n, struct sek_diag *diag);
/* Delete those that are older than oldest_s, and the oldest beyond a million or an eighth of
 * max_octets; at most twice max_rows a call. */
enum sek_err sek_eventsdb_retain_firsts(struct sek_eventsdb *db, int64_t oldest_s,
                                        uint64_t max_octets, unsigned max_rows,
                                        struct sek_diag *diag);
/* That DNS gave an address for a registered domain on a day, or named one of its name servers. */
struct sek_answer {
    int64_t day;             /* Unix time / 86400 */
    struct sek_addr address; /* unless it is a server */
    bool has_ttl;
    uint32_t ttl_min_s, ttl_max_s;  /* of answers with that address, so far on that day */
    uint8_t domain_len, server_len; /* server_len 0: it is an address */
    uint8_t domain[SEK_NAME_MAX + 1], server[SEK_NAME_MAX + 1]; /* wire, lower case */
};
/* One transaction, as above. What is there already gets the wider range of life times, and a server
 * its latest day. */
enum sek_err sek_eventsdb_store_answers(struct sek_eventsdb *db, const struct sek_answer *answers,
                                        unsigned n, struct sek_diag *diag);
/* Delete those of days before oldest_s, and the oldest beyond max_rows or an eighth of max_octets;
 * at most twice `step` rows a call. */
enum sek_err sek_eventsdb_retain_answers(struct sek_eventsdb *db, int64_t oldest_s,
                                         uint64_t max_rows, uint64_t max_octets, unsigned step,
                                         struct sek_diag *diag);
/* The same for name servers: those not seen since oldest_s, and the longest not seen beyond
 * max_rows or a sixteenth of max_octets. */
enum sek_err sek_eventsdb_retain_servers(struct sek_eventsdb *db, int64_t oldest_s,
                                         uint64_t max_rows, uint64_t max_octets, unsigned step,
                                         struct sek_diag *diag);
/* Which addresses DNS gave for tracked names. One transaction, as above. One that is there already
 * gets the earlier first time and the later last day. */
enum sek_err sek_eventsdb_store_responses(struct sek_eventsdb *db,
                                          const struct sek_response *responses, unsigned n,
                                          struct sek_diag *diag);
/* Delete those not given since oldest_s, and the longest not given beyond max_rows; at most twice
 * `step` rows a call. */
enum sek_err sek_eventsdb_retain_responses(struct sek_eventsdb *db, int64_t oldest_s,
                                           uint64_t max_rows, unsigned step, struct sek_diag *diag);
/* What is to be added to the row of a domain that somebody asked first for. */
struct sek_usage_row {
    uint64_t queries;
    uint32_t ttl_min_s; /* SEK_TALLY_NO_TTL: none */
    bool is_known;      /* set: there is such a row */
    uint8_t domain_len;
    uint8_t domain[SEK_NAME_MAX + 1]; /* wire, lower case */
};
/* One transaction, as above. */
enum sek_err sek_eventsdb_store_usage(struct sek_eventsdb *db, struct sek_usage_row *rows,
                                      unsigned n, struct sek_diag *diag);
/* Unix seconds before which rows of a kind are deleted; 0: none are. */
struct sek_oldest {
    int64_t hits_s, traffic_s, findings_s;
};
/* As the settings say; now_s 0: the clock is not trusted, nothing is too old. */
struct sek_oldest sek_oldest_of(const struct sek_conf *conf, int64_t now_s);
/* Delete what is older (findings by their end), and the oldest rows while what is in
 * use of the file is above max_octets (findings after all else), and names and endpoints that no
 * row needs; about `max_rows` rows a call. Then checkpoint. *out_more: there is more to do. */
enum sek_err sek_eventsdb_retain(struct sek_eventsdb *db, const struct sek_oldest *oldest,
                                 uint64_t max_octets, unsigned max_rows, bool *out_more,
                                 struct sek_diag *diag);
/* Move the WAL's pages into the database; also gives the WAL's room on the disk back if `truncate`
 * and no reader is in the way. Failures are left to the next call. */
void sek_eventsdb_checkpoint(struct sek_eventsdb *db, bool truncate);
