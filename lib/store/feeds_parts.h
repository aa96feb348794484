/* SPDX-License-Identifier: BSD-3-Clause */
/* What undo needs of feeds; nobody else includes this. Within a transaction. One thread. */
#pragma once
#include "store/feeds.h"
#include "store/policydb_parts.h"

/* The feed comes from elsewhere since now_s: forget what came of it, and its zone. */
enum sek_err sek__feed_moved(struct sek_policydb *db, uint16_t list, int64_t now_s,
                             struct sek_diag *diag);
/* What was fetched last is to be read again, though the source has not changed. */
enum sek_err sek__feed_reread(struct sek_policydb *db, uint16_t list, struct sek_diag *diag);
