/* SPDX-License-Identifier: BSD-3-Clause */
/* Putting an image file together, name by name in the order of their hashes. For compile.c. One
 * thread at a time. */
#pragma once
#include "base/buf.h"
#include "policy/compile.h"
#include "policy/rulesets.h"

struct sek_image_writer;

/* What must be known before the first name. Everything is borrowed until the writer is freed. */
struct sek_image_parts {
    const struct sek_image_info *info; /* size_octets apart */
    const struct sek_list *lists;      /* info->n_lists, in any order */
    const struct sek_buf *code;        /* by sek_census_code */
    const struct sek_rulesets *sets;   /* ranked */
    const struct sek_buf *groups;      /* by sek_groups_write; empty: none */
    const struct sek_buf *nets;        /* by sek_nets_write; empty: none */
    const struct sek_buf *patterns;    /* by sek_patterns_write; empty: none */
    const struct sek_buf *places;      /* struct sek_image_places; empty: none */
    const struct sek_buf *terms;       /* by sek_terms_write; empty: none */
    const struct sek_buf *overrides;   /* struct sek_override, in order; empty: none */
};

/* The seed of an image's trails. */
static inline uint64_t sek_image_seed(uint64_t id, uint64_t base_id)
{
    return base_id ? base_id : id;
}

enum sek_err sek_image_writer_new(const struct sek_image_parts *parts,
                                  struct sek_image_writer **out, struct sek_diag *diag);
void sek_image_writer_free(struct sek_image_writer *w);
/* A name that is to come, and its rules: the first ones tell how much room all will take. */
void sek_image_writer_measure(struct sek_image_writer *w, const struct sek_name *name,
                              uint32_t set_id);
/* The next of info->n_names distinct names. hash: that of its trail, not below the one before. */
enum sek_err sek_image_writer_add(struct sek_image_writer *w, const struct sek_name *name,
                                  uint64_t hash, uint32_t set_id, struct sek_diag *diag);
/* Write the file (mode 0644) after the last name. */
enum sek_err sek_image_writer_commit(struct sek_image_writer *w, const char *path,
                                     uint64_t *out_size, struct sek_diag *diag);
