/* SPDX-License-Identifier: BSD-3-Clause */
/* What AdGuard's lists write behind a rule ("||name^$dnstype=A|AAAA") and Pi-hole's behind an
 * expression ("^ads;querytype=A;reply=NXDOMAIN"), as far as it has a meaning here; the rest is told
 * with its reason. Private to the readers of lib/policy. One thread at a time. */
#pragma once
#include "policy/feed.h"
#include "policy/span.h"
#include "policy/terms_text.h"

struct sek_modifiers {
    enum sek_action action; /* DEFAULT: none is given */
    bool withdraws;         /* $badfilter: the rule of this very text is none */
    bool important;         /* $important */
    bool has_terms;         /* `terms` is filled in */
    struct sek_terms_spec terms;
};

/* None. */
void sek_modifiers_begin(struct sek_modifiers *m);
/* "dnstype=A|AAAA,important", without the '$'. False: told. */
bool sek_modifiers_adblock(struct sek_feed *feed, struct sek_span text, struct sek_modifiers *out);
/* Takes ";querytype=A;reply=NXDOMAIN" off *io. False: told. */
bool sek_modifiers_pihole(struct sek_feed *feed, struct sek_span *io, struct sek_modifiers *out);
/* Pass on the rule at feed->rule.name with them; action: what the line says without. */
void sek_modifiers_rule(struct sek_feed *feed, enum sek_scope scope, enum sek_action action,
                        const struct sek_modifiers *m);
