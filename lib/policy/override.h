/* SPDX-License-Identifier: BSD-3-Clause */
/* What few lists say of all their rules.
 *
 * An override: they all do the same, whatever they say themselves: RPZ's policy override, as for a
 * zone that somebody else provides and whose names are to lead to a walled garden of one's own.
 * What the rules are about, their scopes, ends and conditions stay. Stands beside the names in an
 * image, so that it changes with no name being written anew, and costs nothing where no list has
 * one. (RPZ's DISABLED is mode monitor.)
 *
 * That it is a policy zone, and the order of those (draft-vixie-dnsop-dns-rpz §5): of a zone the
 * most specific rule counts alone; among zones the one with the higher priority comes first,
 * whatever its rules are about. So a block of a name waits for the answer where an earlier zone has
 * rules about answers. Plain data. Any thread. */
#pragma once
#include "name/text.h"
#include "policy/terms_text.h"
#include "policy/rule.h"

/* As people write it: "given" (none), an action, or "cname NAME" (also "cname *.NAME", which stands
 * for the question's name in front of NAME). */
#define SEK_OVERRIDE_TEXT_MAX (SEK_NAME_TEXT_MAX + 8)
struct sek_override_spec {
    enum sek_action action;           /* DEFAULT: as given */
    char text[SEK_OVERRIDE_TEXT_MAX]; /* canonical; "" for none */
    char terms[SEK_TERMS_TEXT_MAX];   /* the records of action local-data (terms_text.h), else "" */
};
enum sek_err sek_override_from_text(const char *text, struct sek_override_spec *out,
                                    struct sek_diag *diag);
/* The action alone, of a text that is stored; DEFAULT also for one that makes no sense. */
enum sek_action sek_override_action(const char *text);

enum {
    SEK_ORDER_ZONE = 1,  /* a policy zone */
    SEK_ORDER_WAITS = 2, /* one before it has rules about answers */
};

/* As an image has them, ascending by list. */
struct sek_override {
    uint16_t list;
    uint8_t action; /* DEFAULT: none overrides the rules */
    uint8_t order;  /* SEK_ORDER_… */
    uint32_t terms; /* of the newest file's: the records of action local-data; else 0 */
};
/* Of n_terms terms. CORRUPT when the part is none. */
enum sek_err sek_overrides_check(const void *part, size_t size, uint32_t n_terms,
                                 struct sek_diag *diag);
/* Of n; NULL: the list's rules do as they say. */
const struct sek_override *sek_override_find(const struct sek_override *all, size_t n,
                                             uint16_t list);
