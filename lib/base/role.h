/* SPDX-License-Identifier: BSD-3-Clause */
/* Who may do what with the command, and when a second person is needed. Any thread. */
#pragma once
#include "base/lookup.h"

/* Each may all that those before it may. */
enum sek_role {
    SEK_ROLE_VIEWER = 0,   /* look */
    SEK_ROLE_OPERATOR = 1, /* protect: block, quarantine; ask for exceptions */
    SEK_ROLE_APPROVER = 2, /* decide about exceptions */
    SEK_ROLE_ADMIN = 3,    /* all */
    SEK_N_ROLES = 4,
    SEK_ROLE_NONE = -1, /* roles are configured, and this user has none */
};
extern const struct sek_lookup sek_role_names[]; /* "viewer" "operator" "approver" "admin" "none" */

/* Which exceptions need another person than the one who asked. */
enum sek_four_eyes {
    SEK_FOUR_EYES_OFF = 0,
    SEK_FOUR_EYES_WIDE = 1, /* those for everybody; not those for groups or endpoints */
    SEK_FOUR_EYES_ON = 2,   /* all */
};
extern const struct sek_lookup sek_four_eyes_names[]; /* "on" "wide" "off" */
