/* SPDX-License-Identifier: BSD-3-Clause */
/* Groups of endpoints on their way into an image. For the compiler. One thread at a time. */
#pragma once
#include "base/buf.h"
#include "policy/groups.h"

struct sek_groups_writer;

enum sek_err sek_groups_writer_new(struct sek_groups_writer **out, struct sek_diag *diag);
void sek_groups_writer_free(struct sek_groups_writer *w);

/* EXISTS for an id or name that was added before; INVALID for values that no group may have. */
enum sek_err sek_groups_writer_add(struct sek_groups_writer *w,
                                   const struct sek_client_group *group, struct sek_diag *diag);
/* The endpoints of a network, until expires_s (Unix time; 0: for good). NOTFOUND when the group was
 * not added. */
enum sek_err sek_groups_writer_member(struct sek_groups_writer *w, unsigned group,
                                      const struct sek_net *net, int64_t expires_s,
                                      struct sek_diag *diag);
/* out_index: what a list says to have this audience; 0 is everybody. LIMIT past 65535 different
 * ones. */
enum sek_err sek_groups_writer_audience(struct sek_groups_writer *w, const struct sek_audience *a,
                                        uint16_t *out_index, struct sek_diag *diag);

/* Append what sek_groups_read reads; nothing when there is no group and every audience is
 * everybody. The start is taken to be aligned to 8 octets. */
enum sek_err sek_groups_write(struct sek_groups_writer *w, struct sek_buf *out,
                              struct sek_diag *diag);
