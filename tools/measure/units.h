/* SPDX-License-Identifier: BSD-3-Clause */
/* The distinct domains that were judged: the label that has the score, with its suffix. What is
 * asked for a thousand times counts once. One thread. */
#pragma once
#include "base/buf.h"
#include "base/hash.h"
#include "classify/classify.h"

struct sek_units {
    struct sek_buf octets; /* wire names, one behind the other */
    struct sek_buf rows;   /* struct sek_unit_row */
    struct sek_hash_key key;
    uint32_t *slots; /* row + 1; 0 = free */
    size_t n_slots;  /* power of two */
};

struct sek_unit_row {
    float llr;
    uint32_t len;  /* of the wire name */
    size_t offset; /* in octets */
};

void sek_units_init(struct sek_units *u);
void sek_units_fini(struct sek_units *u);
size_t sek_units_n(const struct sek_units *u);

/* Add what was judged of a name; known ones change nothing. score->length must not be 0.
 * SEK_E_NOMEM. */
enum sek_err sek_units_add(struct sek_units *u, const struct sek_name *name,
                           const struct sek_score *score, struct sek_diag *diag);
/* Highest score first, equal ones by name. Nothing can be added after. Returns the rows, valid
 * until sek_units_fini. */
const struct sek_unit_row *sek_units_sort(struct sek_units *u);
/* A row's name, wire format, valid until sek_units_fini. */
const uint8_t *sek_units_name(const struct sek_units *u, const struct sek_unit_row *row);
