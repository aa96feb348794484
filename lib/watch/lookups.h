/* SPDX-License-Identifier: BSD-3-Clause */
/* Services that are asked by random names for good reason: block lists of mail servers, look-ups of
 * hashes by antivirus programs, measurements of content networks. Written by the build from
 * policy/lookups.tsv, which has the sources. Any thread. */
#pragma once

struct sek_lookup_service {
    const char *name; /* list notation */
    const char *kind; /* "block list", "antivirus", "measurement", "peers" */
};
extern const struct sek_lookup_service sek_lookup_services[]; /* ends with a NULL name */
