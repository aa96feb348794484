/* SPDX-License-Identifier: BSD-3-Clause */
/* Groups of endpoints, as commands name them. One thread. */
#pragma once
#include "change.h"

/* The group. NOTFOUND: said already, the exit status is set (see sek_change_fini). */
enum sek_err sek_group_find(struct sek_change *ch, const char *name, struct sek_group_row *out);

/* A group that there is not yet, without members. A name that cannot be one is wrong use. */
enum sek_err sek_group_make(struct sek_change *ch, const char *name, struct sek_group_row *out);

/* The built-in group of quarantined endpoints, made with its list of names at the first use. */
enum sek_err sek_quarantine_group(struct sek_change *ch, struct sek_group_row *out);

/* The networks that a word stands for: a network or address as written, that of a pseudonym, or
 * every address that the machine with that MAC or name has now, by the inventory. */
struct sek_nets {
    struct sek_net *items;
    size_t n;
};
/* Adds to out. A word that is none of these is wrong use. */
enum sek_err sek_nets_add(struct sek_nets *out, struct sek_change *ch, const char *word);
void sek_nets_fini(struct sek_nets *nets);
/* One more network as it is. False: out of memory. */
bool sek_nets_put(struct sek_nets *out, const struct sek_net *net);
/* Is the address in one of them? */
bool sek_nets_have(const struct sek_nets *nets, const struct sek_addr *a);

#define SEK_GROUPS_FEW 8 /* when so many are left, people are told */

/* "everybody", "kiosk, guests", "all but guests". */
void sek_audience_text(struct sek_policydb *db, const struct sek_audience *a, int64_t now_s,
                       struct sek_buf *out);
