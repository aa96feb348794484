/* SPDX-License-Identifier: BSD-3-Clause */
/* The part of a name that is scored: the label left of its suffix, as symbols. That suffix is a
 * public one (ICANN section) or a dynamic-DNS provider's; the first label of hosts in a cloud or
 * CDN is nothing that anybody registered, and looks random by nature. Any thread, no allocation. */
#pragma once
#include "classify/gram.h"
#include "classify/suffixes.h"

struct sek_unit {
    uint8_t n;                      /* symbols, 0..63; 0: nothing to score */
    uint8_t class_id;               /* of the suffix */
    uint8_t label;                  /* which label of the name, 0 = the first */
    bool dynamic;                   /* below a dynamic-DNS provider's suffix */
    uint8_t sym[SEK_LABEL_MAX + 1]; /* one more than a label has, for whole vectors */
};

/* The label left of the suffix. An A-label ("xn--…", RFC 5891) is decoded: Latin letters count as
 * their base letters, all others as SEK_SYM_OTHER; one that does not decode is taken as it is. */
void sek_unit_of_name(const struct sek_suffixes *s, const struct sek_name *name,
                      struct sek_unit *out);
/* Label `k` of the name instead: for names below a registered domain. k < name->n_labels. */
void sek_unit_of_label(const struct sek_suffixes *s, const struct sek_name *name, unsigned k,
                       struct sek_unit *out);
