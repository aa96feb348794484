/* SPDX-License-Identifier: BSD-3-Clause */
/* The effective policy as a whole: what the engine decides of every name, cut down to the places
 * where its decision changes, for formats that other resolvers read (RPZ, hosts files). A place is
 * a name with what is said of the very name and what is said of all names below it that are no
 * place themselves, so that a reader needs no lists, priorities, modes or times. It is found by
 * asking the engine, so it cannot drift from it. One thread; no allocation. */
#pragma once
#include "verdict/engine.h"

/* With what, where the form can say it. */
struct sek_effective_with {
    uint32_t data;  /* of action local-data: which records (form->data) */
    uint32_t ttl_s; /* of the answer's records; 0: as the settings say */
};

/* What is said: an action; SEK_ACTION_DEFAULT = nothing, the name resolves as without a policy;
 * SEK_ACTION_PASSTHRU = an exception, also from what is said above it. */
struct sek_effective_place {
    const struct sek_name *name;
    enum sek_action exact; /* of the very name */
    enum sek_action below; /* of names below it */
    enum sek_action above; /* of names beside it: `below` of the name above */
    struct sek_effective_with exact_with, below_with, above_with;
    bool changes; /* exact or below differ from above, or the form needs it (nodes); else a reader
                     that knows subtrees can do without this place */
    /* Where the engine's decision (of the name, or below it) is not what is said: */
    bool unsaid;   /* it blocks by an action, or with records, that the form cannot say */
    bool recorded; /* it is recorded only: action log, lists in monitor mode */
    bool unfit;    /* no record can stand there */
};

/* What a format can say. */
struct sek_effective_form {
    /* By action: what is written for it. SEK_ACTION_DEFAULT: it cannot be said, so what is said
     * above holds there as well. */
    enum sek_action as[SEK_ACTION_MAX + 1];
    /* A number for the records of a verdict of action local-data, by which the form knows them
     * again; 0: it cannot say them. NULL: none, and as[] does not have the action. */
    uint32_t (*data)(void *arg, const struct sek_verdict *v);
    bool ttls; /* it can say the TTL of records: of the sinkhole's, and of action local-data */
    /* Can a record stand at the name (below: for the names below it)? No name below one that does
     * not fit may fit, but for the root's. NULL: all do. */
    bool (*fits)(void *arg, const struct sek_name *name, bool below);
    /* Readers look by RFC 4592: a record hides the wildcards above it from every name at or below
     * each name between them. So each such name gets what is said of it, too. */
    bool nodes;
    /* Called for every name given to sek_effective_add, in their order; those that `nodes` adds
     * come before the place that needs them, also where one was told of as no change before. */
    void (*place)(void *arg, const struct sek_effective_place *place);
    void *arg;
};

struct sek_effective_level {
    uint8_t exact, below; /* enum sek_action */
    bool node;            /* a place was told of here or below */
    struct sek_effective_with exact_with, below_with;
};

/* In the caller's memory. */
struct sek_effective {
    enum sek_about about;
    const struct sek_engine *engine;
    int64_t now_s;
    const struct sek_effective_form *form;
    struct sek_name last;
    struct sek_effective_level level[SEK_LABELS_MAX + 1]; /* by labels of `last`, the root first */
};

/* about: NAME, or NSDNAME; then the names are those of zones' servers. engine, form: borrowed until
 * the last add. now_s: Unix time that decides what has ended. */
void sek_effective_begin(struct sek_effective *e, enum sek_about about,
                         const struct sek_engine *engine, int64_t now_s,
                         const struct sek_effective_form *form);
/* The next name of the policy: all that have rules, each once, in canonical order (RFC 4034 §6.1).
 * Others may be among them. */
void sek_effective_add(struct sek_effective *e, const struct sek_name *name);
