/* SPDX-License-Identifier: BSD-3-Clause */
/* Cisco ASA's syslog (FTD's, too) about connections: 302013 to 302016 (built, torn down), 106023
 * and 106100 (denied or permitted by an access list). One thread. */
#pragma once
#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>

#define SEK_LOGASA_INBOUND 1024 /* connections from outside that are remembered until their end */

struct sek_logasa {                       /* all zero at a file's begin */
    uint64_t inbound[SEK_LOGASA_INBOUND]; /* their numbers, by the remainder; 0: none */
};

struct sek_logasa_line {
    char time[64]; /* the line's begin */
    char source[256], destination[256], port[8];
    char action[64];    /* "302014 Teardown TCP" */
    char outcome[200];  /* that, and why it ended: for the words of a map */
    int64_t duration_s; /* the time is that of its end */
};

/* 1: *out; 0: another message; INVALID. */
int sek_logasa_line(struct sek_logasa *a, const char *line, struct sek_logasa_line *out,
                    struct sek_diag *diag);
