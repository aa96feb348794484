/* SPDX-License-Identifier: BSD-3-Clause */
/* How far an incident reaches, by events.db: endpoints that asked for its domains or for neighbours
 * of those by address, that met the same names, or that a detector found with the same pattern.
 * One thread. */
#pragma once
#include "base/buf.h"
#include "store/incidents.h"
#include "store/report.h"
#include "tools/context.h"

enum sek_scope_why {
    SEK_WHY_SUBJECT = 1, /* named by the incident itself */
    SEK_WHY_ASKED,       /* asked for one of its domains */
    SEK_WHY_SAME_NAME,   /* has a hit of a name that its endpoints have one of */
    SEK_WHY_PATTERN,     /* same detector and kind, or same suspected domain */
    SEK_WHY_NEIGHBOUR,   /* asked for a neighbour of one of its domains */
};
extern const struct sek_lookup sek_scope_why_names[];

/* An endpoint, once for each reason. */
struct sek_scope_row {
    char endpoint[SEK_ADDR_TEXT_MAX];
    enum sek_scope_why why;
    char what[SEK_NAME_TEXT_MAX]; /* the name or pattern */
    uint64_t queries, resolved;   /* 0: not known */
    int64_t first_ms, last_ms;
};
struct sek_scope_neighbour {
    char domain[SEK_NAME_TEXT_MAX], of[SEK_NAME_TEXT_MAX], address[SEK_ADDR_TEXT_MAX];
    uint64_t n_addresses;
};

struct sek_scope_found {
    struct sek_buf subjects;   /* struct sek_incident_subject */
    struct sek_buf rows;       /* struct sek_scope_row, by reason, then endpoint */
    struct sek_buf neighbours; /* struct sek_scope_neighbour */
};

/* db: policy.db, for the subjects. since_s: of events. Neighbours are followed only where an
 * address serves few domains: at most SEK_SCOPE_NEIGHBOURS a domain. Caller: sek_scope_fini, in any
 * case. */
#define SEK_SCOPE_NEIGHBOURS 10
enum sek_err sek_scope_find(struct sek_context *c, struct sek_policydb *db,
                            struct sek_report *events, int64_t incident, int64_t since_s,
                            struct sek_scope_found *out);
void sek_scope_fini(struct sek_scope_found *f);
