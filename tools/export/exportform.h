/* SPDX-License-Identifier: BSD-3-Clause */
/* The effective policy in the formats of other resolvers: one row and one writer a format. What a
 * format cannot say is left out, as a comment at its place and a count, so that an exception does
 * not become a block unseen, nor one name a whole domain. One thread. */
#pragma once
#include "conf/conf.h"
#include "policy/reader.h"
#include "verdict/effective.h"
#include <stdio.h>

/* Why something of the policy is not in the output as it is. */
enum sek_export_left {
    SEK_LEFT_ACTION,
    SEK_LEFT_NAME,
    SEK_LEFT_BELOW,
    SEK_LEFT_PART,
    SEK_LEFT_EXCEPTION,
    SEK_LEFT_WIDE,
    SEK_LEFT_ANSWER,
    SEK_LEFT_RECORDED,
    SEK_LEFT_TRIGGER,
    SEK_LEFT_CONDITIONS,
    SEK_LEFT_GROUPS,
    SEK_LEFT_SPARES,
    SEK_N_LEFT
};
struct sek_export_why {
    const char *word; /* begins the comment at each place: "; action: name" */
    const char *text; /* what it means, to follow "3 names: " */
    const char *of;   /* what is counted, "name" */
};
extern const struct sek_export_why sek_export_whys[SEK_N_LEFT];

struct sek_export {
    FILE *out;
    const struct sek_conf *conf;
    const struct sek_policy *policy; /* whose rules have records; borrowed */
    const struct sek_export_row *row;
    size_t zone_len; /* RPZ: octets of the zone's name */
    bool servers;    /* RPZ: the places are those of zones' servers (trigger nsdname) */
    uint64_t n_places, n_left[SEK_N_LEFT];
    uint64_t n_triggers; /* written that are not about names: networks, servers */
};

struct sek_export_row {
    enum sek_format id;
    const char *comment; /* what begins one */
    const char *title;   /* what the file is, for its first line */
    enum sek_action as[SEK_ACTION_MAX + 1];
    bool triggers; /* it can say those of networks and servers, by RPZ's owner names */
    bool nodes;    /* see struct sek_effective_form */
    uint32_t (*data)(void *arg, const struct sek_verdict *v); /* see there; arg: the export */
    bool (*fits)(const struct sek_export *x, const struct sek_name *name, bool below);
    /* True if something was written of the place. */
    bool (*place)(struct sek_export *x, const struct sek_effective_place *p, const char *text);
};
/* Of RPZ, hosts, plain and unbound; ends with comment NULL. */
extern const struct sek_export_row sek_export_rows[];

/* The form to be handed to sek_effective_begin; it writes to x->out. x: row, out, conf and zone_len
 * are set, the counts are 0. */
void sek_export_form(struct sek_export *x, struct sek_effective_form *out);

/* Note what a place's rules say for some endpoints, question types or hours only: no format can say
 * that. engine: of the places, with `plain` and an endpoint in no group. */
void sek_export_partial(struct sek_export *x, const struct sek_engine *engine, int64_t now_s,
                        const struct sek_name *name);
/* What is decided of the addresses of a network, by rules of one kind (about: CLIENT_IP,
 * RESPONSE_IP, NSIP or SINKHOLED): written, or left out. engine: that of the places. now_s: as
 * there. */
void sek_export_net(struct sek_export *x, const struct sek_engine *engine, int64_t now_s,
                    enum sek_about about, const struct sek_net *net);
/* The rules at an owner name of another kind are left out; so is nothing where none takes part. */
void sek_export_other(struct sek_export *x, const struct sek_engine *engine, int64_t now_s,
                      const struct sek_name *owner);
