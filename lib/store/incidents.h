/* SPDX-License-Identifier: BSD-3-Clause */
/* Incidents in policy.db: what people look into, by endpoint and by domain, with their notes. Kept
 * by people, so audited and undone like everything there. Writers work within a transaction of
 * policydb.h; there is no resolver to tell. One thread. */
#pragma once
#include "base/lookup.h"
#include "name/text.h"
#include "store/policydb.h"

enum sek_incident_state { SEK_INCIDENT_OPEN = 1, SEK_INCIDENT_CONTAINED, SEK_INCIDENT_CLOSED };
extern const struct sek_lookup sek_incident_state_names[]; /* "open" "contained" "closed" */

#define SEK_INCIDENT_TITLE 256 /* octets with terminator; also of a reason */
#define SEK_INCIDENT_NOTE 4096

struct sek_incident {
    int64_t id; /* from 1, never used again */
    enum sek_incident_state state;
    char title[SEK_INCIDENT_TITLE];
    int64_t opened_s;
    char who[64];     /* who opened it */
    int64_t closed_s; /* 0: it is not closed */
    char closed_by[64];
    char reason[SEK_INCIDENT_TITLE]; /* why it was closed */
};

enum sek_incident_kind { SEK_INCIDENT_ENDPOINT = 1, SEK_INCIDENT_DOMAIN };
extern const struct sek_lookup sek_incident_kind_names[]; /* "endpoint" "domain" */

/* What an incident is about. */
struct sek_incident_subject {
    int64_t incident;
    enum sek_incident_kind kind;
    char value[SEK_NAME_TEXT_MAX]; /* an address or a machine's name; a domain name */
    int64_t added_s;
    char who[64];
};

struct sek_incident_note {
    int64_t id, incident, time_s;
    char who[64];
    char text[SEK_INCIDENT_NOTE];
};

/* id is filled in; state and times are taken. */
enum sek_err sek_incident_add(struct sek_policydb *db, struct sek_incident *io,
                              struct sek_diag *diag);
/* NOTFOUND with a text. */
enum sek_err sek_incident_get(struct sek_policydb *db, int64_t id, struct sek_incident *out,
                              struct sek_diag *diag);
/* State, closed_s, closed_by and reason of the incident with that id. */
enum sek_err sek_incident_set(struct sek_policydb *db, const struct sek_incident *i,
                              struct sek_diag *diag);
/* The newest first. No lock is held while fn has one. */
typedef bool sek_incident_fn(void *arg, const struct sek_incident *i); /* false stops */
enum sek_err sek_incidents(struct sek_policydb *db, sek_incident_fn *fn, void *arg,
                           struct sek_diag *diag);

/* One that is there already stays as it is: *out_added (may be NULL) says so. */
enum sek_err sek_incident_subject_add(struct sek_policydb *db, const struct sek_incident_subject *s,
                                      bool *out_added, struct sek_diag *diag);
/* Of one incident, or of all (0), in the order in which they were added. */
typedef bool sek_incident_subject_fn(void *arg, const struct sek_incident_subject *s);
enum sek_err sek_incident_subjects(struct sek_policydb *db, int64_t incident,
                                   sek_incident_subject_fn *fn, void *arg, struct sek_diag *diag);

enum sek_err sek_incident_note_add(struct sek_policydb *db, const struct sek_incident_note *n,
                                   struct sek_diag *diag);
/* The oldest first. */
typedef bool sek_incident_note_fn(void *arg, const struct sek_incident_note *n);
enum sek_err sek_incident_notes(struct sek_policydb *db, int64_t incident, sek_incident_note_fn *fn,
                                void *arg, struct sek_diag *diag);
