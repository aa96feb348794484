/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets that the site keeps itself, captures and dnstap files, for the evidence of an incident:
 * those of its endpoints and about its domains, a file for each that has any. One thread. */
#pragma once
#include "evidence.h"
#include "store/incidents.h"
#include "tools/args.h"
#include "tools/context.h"

/* All zero: there are none. */
struct sek_kept_packets {
    struct sek_context *c;
    struct sek_buf named; /* the patterns, for the README */
    char **files;
    unsigned n_files, n_kept;
    unsigned n_older; /* files whose last packet was before the period */
    /* struct sek_incident_subject */
    struct sek_buf endpoints, domains;
};

/* The files that `named` (an option, SEK_ARG_TEXTS) or incident.packets names; those that were
 * written last before since_s, and empty ones, are left out. A usage error where the option names
 * none. In any case sek_kept_packets_fini. */
enum sek_err sek_kept_packets_find(struct sek_kept_packets *k, struct sek_context *c,
                                   const struct sek_arg_value *named, int64_t since_s);
/* Does the site name this very file by incident.packets, for all who may collect evidence? Not
 * where privacy.groups hides addresses, as packets show them. */
bool sek_kept_packets_are_sites(const struct sek_conf *conf, const char *path);
void sek_kept_packets_fini(struct sek_kept_packets *k);
/* What they are to be about. */
void sek_kept_packets_about(struct sek_kept_packets *k, const struct sek_incident_subject *s);
/* since, until: for the command line. */
enum sek_err sek_kept_packets_collect(struct sek_kept_packets *k, struct sek_evidence *e,
                                      const char *since, const char *until);
