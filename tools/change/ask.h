/* SPDX-License-Identifier: BSD-3-Clause */
/* Asking for exceptions: what the options of `exception request` and its kin say, checked, made
 * into rows. One thread. */
#pragma once
#include "decide.h"
#include "targets.h"

/* Places of the options that they have in common; a command's own options come after. */
enum {
    SEK_ASK_REASON,
    SEK_ASK_TICKET,
    SEK_ASK_GROUP,
    SEK_ASK_ENDPOINT,
    SEK_ASK_SCOPE,
    SEK_ASK_OWNER,
    SEK_ASK_LIFETIME,
    SEK_ASK_CONDITION,
    SEK_ASK_FORCE,
    SEK_ASK_DRY_RUN,
    SEK_N_ASK_EMERGENCY, /* all that an emergency takes */
    SEK_ASK_TYPE = SEK_N_ASK_EMERGENCY,
    SEK_ASK_SCHEDULE,
    SEK_ASK_START,
    SEK_ASK_UNTIL,
    SEK_ASK_UNLIMITED,
    SEK_ASK_REVIEW,
    SEK_N_ASK
};
#define SEK_ASK_COMMON_ROWS                                                                        \
    [SEK_ASK_REASON] = {"reason", 'r', SEK_ARG_TEXT, "TEXT", "why; required"},                     \
    [SEK_ASK_TICKET] = {"ticket", 'T', SEK_ARG_TEXT, "TEXT", "where it is tracked: INC-1234"},     \
    [SEK_ASK_GROUP] = {"group", 'g', SEK_ARG_TEXTS, "GROUP",                                       \
                       "only for endpoints of this group; again for more"},                        \
    [SEK_ASK_ENDPOINT] =                                                                           \
        {"endpoint", 'e', SEK_ARG_TEXTS, "ENDPOINT",                                               \
         "only for this address, network, pseudonym, MAC or machine; again for more"},             \
    [SEK_ASK_SCOPE] = {"scope",                                                                    \
                       's',                                                                        \
                       SEK_ARG_CHOICE,                                                             \
                       NULL,                                                                       \
                       "which names: the very name, it and all below, only below; default as "     \
                       "NAME is written",                                                          \
                       sek_scope_names},                                                           \
    [SEK_ASK_OWNER] = {"owner", 'o', SEK_ARG_TEXT, "USER", "who answers for it; default you"},     \
    [SEK_ASK_LIFETIME] = {"lifetime", 'l', SEK_ARG_DURATION, "TIME",                               \
                          "how long, from its start: 30m 8h 3d 2w"},                               \
    [SEK_ASK_CONDITION] = {"condition", 0, SEK_ARG_TEXT, "TEXT",                                   \
                           "what it is bound to, in words, for the approver and the review"},      \
    [SEK_ASK_FORCE] = {"force", 0, SEK_ARG_FLAG, NULL, "also a public suffix such as co.uk"},      \
    [SEK_ASK_DRY_RUN] = {"dry-run", 'n', SEK_ARG_FLAG, NULL,                                       \
                         "print what would be asked for, write nothing"}
#define SEK_ASK_REQUEST_ROWS                                                                       \
    [SEK_ASK_TYPE] = {"type", 't', SEK_ARG_TEXT, "TYPES",                                          \
                      "only questions of these: A,TXT; !A for all but A"},                         \
    [SEK_ASK_SCHEDULE] = {"schedule", 0, SEK_ARG_TEXT, "HOURS",                                    \
                          "only then: \"mon-fri 08:00-18:00 Europe/Berlin\""},                     \
    [SEK_ASK_START] = {"start", 0, SEK_ARG_TIME, "TIME",                                           \
                       "not before then: 2026-12-01 or 2026-12-01T08:00 (UTC)"},                   \
    [SEK_ASK_UNTIL] = {"until", 'u', SEK_ARG_TIME, "TIME", "until then, in place of --lifetime"},  \
    [SEK_ASK_UNLIMITED] = {"unlimited", 0, SEK_ARG_FLAG, NULL,                                     \
                           "without end: needs --owner, and a review every year"},                 \
    [SEK_ASK_REVIEW] = {"review", 0, SEK_ARG_TIME, "TIME",                                         \
                        "of one without end: first review then; default after a year"}

/* Ask for what the options say about these names, one exception each. answers: "hit 12", or "".
 * endpoint: NULL, or an address it is for when the options say nothing of whom. emergency: in force
 * at once. Prints what was asked for. */
enum sek_err sek_ask(struct sek_context *c, const struct sek_targets *targets, const char *answers,
                     const char *endpoint, bool emergency);
