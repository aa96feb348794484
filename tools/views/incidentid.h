/* SPDX-License-Identifier: BSD-3-Clause */
/* The incident that a command is about: its first argument. One thread. */
#pragma once
#include "store/incidents.h"
#include "tools/context.h"

/* Its number; a usage error for what is none. */
enum sek_err sek_incident_id(struct sek_context *c, int64_t *out);
/* Open policy.db for reading and find it. *out_db is NULL unless it returns SEK_OK; one that is
 * not there is a usage error. The caller closes the database. */
enum sek_err sek_incident_look(struct sek_context *c, struct sek_policydb **out_db,
                               struct sek_incident *out);

/* A part "incidents" of a report that was begun: those about one of these n values. db NULL: none.
 */
enum sek_err sek_incident_put_about(struct sek_context *c, struct sek_policydb *db,
                                    enum sek_incident_kind kind, const char *const *values,
                                    unsigned n);
