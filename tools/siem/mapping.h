/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the fields of an event stand in the formats of others: THE tables, from which events are
 * written (siem/format.h), sekisho-events(5) is printed, and tests take what there must be.
 *   ECS   Elastic Common Schema 8.11
 *   OCSF  Open Cybersecurity Schema Framework 1.3: DNS Activity (4003), Detection Finding (2004),
 *         Entity Management (3004)
 *   CEF   ArcSight Common Event Format, version 0 */
#pragma once
#include "event.h"

enum sek_siem_format {
    SEK_SIEM_JSONL,
    SEK_SIEM_ECS,
    SEK_SIEM_OCSF,
    SEK_SIEM_CEF,
    SEK_SIEM_RFC5424,
    SEK_N_SIEM_FORMATS
};
extern const struct sek_lookup sek_siem_format_names[];

/* One place. JSON paths: members of objects with dots between; rows that share a beginning stand
 * together. */
struct sek_siem_place {
    const char *path;
    int field;         /* enum sek_siem_field; -1: always `fixed` */
    const char *fixed; /* a JSON value, or CEF's label of a custom field */
    unsigned kinds;
    bool epoch; /* a time as Unix milliseconds */
};
/* Ends with path NULL. Not of JSONL and RFC5424, which are the native fields. */
const struct sek_siem_place *sek_siem_places(enum sek_siem_format format);
