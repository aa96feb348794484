/* SPDX-License-Identifier: BSD-3-Clause */
/* Which machine had an address, for reports: from the inventory (store/inventory.h). Reports go on
 * without it: who may not read policy.db is told so once. One thread. */
#pragma once
#include "tools/context.h"
#include "store/inventory.h"

struct sek_machines {
    struct sek_policydb *db; /* NULL: nothing is known */
    struct sek_span *memo;   /* of what was asked for lately */
    struct sek_diag why;     /* why there is no db; code SEK_OK: there is one, or no inventory */
};

/* With the settings loaded. Says what is in the way, but never fails. */
void sek_machines_open(struct sek_machines *m, struct sek_context *c);
void sek_machines_close(struct sek_machines *m);
/* Whether the inventory holds anything at all. */
bool sek_machines_any(const struct sek_machines *m);
/* What is known of an address (as text) then, with how long that holds; out->machine is empty when
 * nothing is. */
void sek_machines_at(struct sek_machines *m, const char *address, int64_t time_s,
                     struct sek_span *out);

/* The columns of reports. For people one, to stand behind the address: name or MAC, and owner; for
 * programs four, which are there in every report, null when not known. */
#define SEK_MACHINE_COL                                                                            \
    {                                                                                              \
        "machine", "Machine", SEK_COL_TEXT, NULL, 20, SEK_COL_PEOPLE                               \
    }
#define SEK_MACHINE_NAME_COL                                                                       \
    {                                                                                              \
        "endpoint_name", "Name", SEK_COL_TEXT, NULL, 0, SEK_COL_MACHINE                            \
    }
#define SEK_MACHINE_MAC_COL                                                                        \
    {                                                                                              \
        "endpoint_mac", "MAC", SEK_COL_TEXT, NULL, 0, SEK_COL_MACHINE                              \
    }
#define SEK_MACHINE_OWNER_COL                                                                      \
    {                                                                                              \
        "endpoint_owner", "Owner", SEK_COL_TEXT, NULL, 0, SEK_COL_MACHINE                          \
    }
#define SEK_MACHINE_GROUP_COL                                                                      \
    {                                                                                              \
        "endpoint_group", "Group", SEK_COL_TEXT, NULL, 0, SEK_COL_MACHINE                          \
    }
/* Without an inventory the column for people goes. */
void sek_machines_hide(const struct sek_machines *m, struct sek_col *col);
/* Set the cells: `label`, and four from `first` on in the order above. */
void sek_machines_put(struct sek_machines *m, struct sek_out *o, unsigned label, unsigned first,
                      const char *address, int64_t time_s);
void sek_machine_put(struct sek_out *o, unsigned label, unsigned first,
                     const struct sek_machine *machine);

/* An endpoint named by its address, or by the pseudonym that reports show in its place
 * (privacy.groups). NOTFOUND: it has the form of neither; other errors say what is the matter with
 * a pseudonym. option: for the message, "--endpoint". */
enum sek_err sek_machines_address(struct sek_context *c, const char *option, const char *text,
                                  struct sek_addr *out);
/* An endpoint as people name it, an address, pseudonym, MAC or name: its addresses, each with its
 * time (of an address: all of it). A usage error when nobody knows it. */
enum sek_err sek_machines_each(struct sek_context *c, const char *option, const char *text,
                               sek_span_fn *fn, void *arg);

/* The same kept (struct sek_span), to be asked about one thing after the other: is what lasted from
 * first_s to last_s of it? */
enum sek_err sek_machines_keep(struct sek_context *c, const char *option, const char *text,
                               struct sek_buf *out);
bool sek_machines_kept(const struct sek_buf *spans, const struct sek_addr *addr, int64_t first_s,
                       int64_t last_s);
/* The one address that it has now. A usage error where there are more. */
enum sek_err sek_machines_now(struct sek_context *c, const char *option, const char *text,
                              struct sek_addr *out);
/* The same as reports filter by it: the canonical address, or the spans of the machine's addresses.
 */
enum sek_err sek_machines_selector(struct sek_context *c, const char *option, const char *text,
                                   struct sek_buf *out);
/* The addresses that a machine had, by its name or MAC, each with its time. Errors likewise. */
enum sek_err sek_machines_spans(struct sek_context *c, const char *option, const char *text,
                                sek_span_fn *fn, void *arg);
