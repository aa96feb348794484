/* SPDX-License-Identifier: BSD-3-Clause */
/* Endpoints whose addresses reports and exports do not tell (privacy.groups): which they are, and
 * their pseudonyms in texts. One thread. */
#pragma once
#include "base/buf.h"
#include "conf/conf.h"
#include "store/pseudonym.h"
#include "tools/print/veil.h"

struct sek_cloak;

/* *out is NULL where no groups are chosen. Needs the key, and the compiled policy for the groups:
 * without them it fails, rather than tell. Membership is that of now_s. */
enum sek_err sek_cloak_open(const struct sek_conf *conf, int64_t now_s, struct sek_cloak **out,
                            struct sek_diag *diag);
/* One that knows nothing, and so hides every address; NULL: no memory. */
struct sek_cloak *sek_cloak_blind(void);
void sek_cloak_close(struct sek_cloak *c);
/* Of an endpoint. Borrowed until the next call. */
const char *sek_cloak_endpoint(struct sek_cloak *c, const char *address);
/* The endpoint that is called so, of those that events.db and the inventory know and whose address
 * is hidden: who may read the pseudonym here may read the key. NOTFOUND: none is. */
enum sek_err sek_cloak_find(struct sek_cloak *c, const struct sek_conf *conf, const char *pseudonym,
                            struct sek_addr *out, struct sek_diag *diag);
/* Of any text: each address in it that is such an endpoint's, and what its machine is called
 * (endpointnames.h), by its pseudonym; *out_any (may be NULL): there was one. With privacy.groups:
 * all, an address counts as an endpoint's if it is known as one (known.h), or if the audit trail
 * tells of it. Borrowed until the next call. */
const char *sek_cloak_text(struct sek_cloak *c, enum sek_veil_what what, const char *text,
                           bool *out_any);
