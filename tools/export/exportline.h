/* SPDX-License-Identifier: BSD-3-Clause */
/* Single lines of what other resolvers read: the words that RPZ and Unbound have for our actions,
 * once for all that writes them. Written to a stdio stream, whose error is the caller's to see. One
 * thread. */
#pragma once
#include "conf/conf.h"
#include "policy/rule.h"
#include <stdio.h>

/* Can a QNAME trigger of a zone with a name of zone_len octets stand for this name (below: for
 * those below it)? A last label "rpz-…" would be another trigger, a label "*" a wildcard; and the
 * zone's own name has to fit behind. */
bool sek_rpz_fits(const struct sek_name *name, bool below, size_t zone_len);
/* True if RPZ has this action. */
bool sek_rpz_has(enum sek_action action);
/* The records of one trigger; text: of the name, "" for what is below the root; below: of what is
 * below it; ttl_s: 0 as the zone says. The sinkhole becomes local data: its two addresses. */
void sek_rpz_print(FILE *out, const struct sek_conf *conf, const char *text, bool below,
                   enum sek_action action, uint32_t ttl_s);
/* The same for records of action local-data (policy/records.h). False: an RPZ cannot say them: NS,
 * and a CNAME that is an action there. */
bool sek_rpz_has_data(const uint8_t *data, size_t n);
void sek_rpz_print_data(FILE *out, const char *text, bool below, const uint8_t *data, size_t n,
                        uint32_t ttl_s);

/* A local zone: the name and all below it. False, and nothing written, for an action that Unbound
 * has no type for (passthru: as always_transparent). */
bool sek_unbound_print(FILE *out, const struct sek_conf *conf, const char *text,
                       enum sek_action action);
/* The sinkhole's addresses as local data of the very name. */
void sek_unbound_print_addresses(FILE *out, const struct sek_conf *conf, const char *text);
