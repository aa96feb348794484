/* SPDX-License-Identifier: BSD-3-Clause */
/* A census of names: how often each label stands in a sample, and from that the code that packs
 * such names best (pack.h). One thread at a time. */
#pragma once
#include "base/buf.h"
#include "name/name.h"

struct sek_census;

enum sek_err sek_census_new(struct sek_census **out, struct sek_diag *diag);
void sek_census_free(struct sek_census *census);
/* False when out of memory. */
bool sek_census_add(struct sek_census *census, const struct sek_name *name);
/* Design the code and append it to `out` in the form that sek_pack_load reads: number of whole
 * labels (16 bits, low octet first), code word lengths, the labels. Any sample will do, also none:
 * every octet has a code word. */
enum sek_err sek_census_code(const struct sek_census *census, struct sek_buf *out,
                             struct sek_diag *diag);
