/* SPDX-License-Identifier: BSD-3-Clause */
/* The report on a replay: files, what was met at once, findings, what they would block, and what
 * could not be judged. One thread. */
#pragma once
#include "tools/context.h"
#include "replay/replay.h"
#include "store/report.h"

/* A file's row, kept until all are read. */
struct sek_past_row {
    const char *path;
    char format[16];
    uint64_t n_records, n_unreadable, n_endpoints, n_domains, n_blocked, n_recorded;
    int64_t first_ms, last_ms;
};
void sek_past_row_set(struct sek_past_row *row, const struct sek_replay_sum *sum);

struct sek_past {
    struct sek_context *c;
    const struct sek_conf *conf; /* in force for the replay */
    const struct sek_replay *replay;
    const struct sek_past_row *files;
    unsigned n_files;
    bool model, policy; /* were there */
};

/* The whole report; findings: of the database that the replay filled. */
enum sek_err sek_past_report(const struct sek_past *p, struct sek_report *findings);
