/* SPDX-License-Identifier: BSD-3-Clause */
/* The tags that an unbound.conf gives to clients (define-tag, access-control-tag), as the networks
 * that each covers. As Unbound does it: of all its settings for clients the one with the smallest
 * network around the address counts, alone; so a network without a tag is cut out of a larger one
 * with it, whatever setting made it known (access-control, …-view, …-tag-action, …-tag-data), and
 * for tags the first line of a network counts. One thread. */
#pragma once
#include "tools/change/groups.h"

#define SEK_CLIENT_TAGS_MAX 256 /* defined in one file */
#define SEK_CLIENT_TAG_TEXT_MAX 64

struct sek_client_tags {
    char name[SEK_CLIENT_TAGS_MAX][SEK_CLIENT_TAG_TEXT_MAX];
    struct sek_nets nets[SEK_CLIENT_TAGS_MAX]; /* of each, apart from each other, by address */
    unsigned n;
    bool interfaces;    /* interface-tag: clients that come in there have other tags */
    unsigned n_missing; /* as in unboundconf.h */
    char missing[SEK_CLIENT_TAG_TEXT_MAX * 8];
};

/* What cannot be meant (a network that is none, a tag that is not defined) is INVALID. out is to be
 * freed in any case. */
enum sek_err sek_client_tags_read(const char *path, struct sek_client_tags *out,
                                  struct sek_diag *diag);
void sek_client_tags_fini(struct sek_client_tags *t);
