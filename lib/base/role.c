/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/role.h"
#include "base/banned.h"

const struct sek_lookup sek_role_names[] = {
    {SEK_ROLE_VIEWER, "viewer"}, {SEK_ROLE_OPERATOR, "operator"}, {SEK_ROLE_APPROVER, "approver"},
    {SEK_ROLE_ADMIN, "admin"},   {SEK_ROLE_NONE, "none"},         {0, NULL},
};

const struct sek_lookup sek_four_eyes_names[] = {
    {SEK_FOUR_EYES_ON, "on"},
    {SEK_FOUR_EYES_WIDE, "wide"},
    {SEK_FOUR_EYES_OFF, "off"},
    {0, NULL},
};
