/* SPDX-License-Identifier: BSD-3-Clause */
/* Which evidence is whose, for report_endpoints.c: an address belongs to machines one after the
 * other, a machine has several addresses (IPv4 and IPv6, another lease). Two stays at addresses are
 * of one machine when their MAC agrees, or their name where not both have a MAC and only one
 * machine with a MAC has that name: "iphone" is many. One thread. */
#pragma once
#include "base/buf.h"
#include "store/report_endpoints.h"

/* The time in which an address belongs to a machine. */
struct sek__risk_stay {
    uint32_t source; /* the address, by number */
    uint32_t machine;
    int64_t from_s, until_s;
    char mac[SEK_LEASE_MAC_MAX]; /* "": not known, as the name; then the stay is a machine by itself
                                  */
    char name[SEK_LEASE_TEXT_MAX];
};

/* Number the machines from 0 on, and put the stays of each side by side. */
void sek__risk_stays_identify(struct sek__risk_stay *stays, size_t n);

/* Addresses that may be of one machine at any time, as a set of sets: what is in two of them never
 * is. More than that only stays tell. */
struct sek__risk_kin {
    struct sek_buf parents; /* uint32_t a node: one of the same set, in the end itself */
    struct sek_buf ties;    /* a number that nodes have in common, and a node */
};
/* Nodes 0 to n - 1 are the addresses. */
void sek__risk_kin_init(struct sek__risk_kin *k, uint32_t n);
void sek__risk_kin_fini(struct sek__risk_kin *k);
/* What one statement says of a node; UINT32_MAX: of none of the addresses. */
void sek__risk_kin_add(struct sek__risk_kin *k, uint32_t node, const char *mac, const char *name);
/* After all of them. False: out of memory. */
bool sek__risk_kin_end(struct sek__risk_kin *k);
/* A number that those of a set share, below the number of nodes. */
uint32_t sek__risk_kin_of(struct sek__risk_kin *k, uint32_t node);
