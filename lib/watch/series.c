/* SPDX-License-Identifier: BSD-3-Clause */
#include "watch/series.h"
#include "classify/evidence.h"
#include "classify/memo.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

/* A candidate looks like the generator's others by more than chance, or it is nobody's fault. */
#define CANDIDATE_LLR_MIN 1.0f

_Static_assert(SEK_DGA_EVIDENCE_MAX < SEK_FINDING_EVIDENCE_MAX &&
                   sizeof SEK_DGA_TECHNIQUE <= SEK_FINDING_TECHNIQUE_MAX,
               "a finding holds what its detector says");

struct series {
    struct sek_evidence *evidence;
    struct sek_memo *memo; /* NULL: every name is scored anew */
};

enum sek_err sek_series_new(const struct sek_conf *conf, struct sek_hash_key key, void **out,
                            struct sek_diag *diag)
{
    const struct sek_evidence_conf wanted = {
        .n_endpoints = (uint32_t)conf->dga.n_endpoints,
        .alpha = 1 / (float)conf->dga.names_per_alarm,
        .tau_s = (uint32_t)conf->dga.fade_s,
    };
    struct series *s = calloc(1, sizeof *s);
    if (!s)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for series of names");
    enum sek_err err = sek_evidence_new(&wanted, key, &s->evidence, diag);
    if (err != SEK_OK) {
        free(s);
        return err;
    }
    s->memo = sek_memo_new(key);
    *out = s;
    return SEK_OK;
}

void sek_series_free(void *self)
{
    struct series *s = self;
    if (!s)
        return;
    sek_evidence_free(s->evidence);
    sek_memo_free(s->memo);
    free(s);
}

static void tell(struct sek_sign *s, const struct sek_dga *dga, const struct sek_classify *classify)
{
    char kind[SEK_DGA_KIND];
    float share;
    struct sek_buf json;
    s->finding = (struct sek_finding){.detector = SEK_DETECTOR_DGA,
                                      .endpoint = dga->endpoint,
                                      .start_ms = dga->start_ms,
                                      .end_ms = dga->end_ms,
                                      .confidence = dga->confidence,
                                      .domain_len = dga->resolved.len,
                                      .technique = SEK_DGA_TECHNIQUE};
    memcpy(s->finding.domain, dga->resolved.octets, dga->resolved.len);
    sek_dga_kind(dga, classify, kind, &share);
    sek_buf_init(&json, sizeof s->finding.evidence - 1);
    sek_dga_evidence(dga, kind, share, &json);
    sek_sign_evidence(s, &json);
    s->may_block = dga->resolved_llr >= CANDIDATE_LLR_MIN;
    snprintf(s->what, sizeof s->what, "asks for machine-made names (%u so far)", dga->n_names);
}

bool sek_series_see(void *self, const struct sek_observation *o, struct sek_sign *out)
{
    struct series *s = self;
    struct sek_dga dga;
    if (!o->classify || o->repeat || o->existence == SEK_EXISTENCE_UNKNOWN)
        return false;
    const struct sek_evidence_item item = {
        .endpoint = o->endpoint,
        .name = o->name,
        .score = o->score ? *o->score : sek_memo_score(s->memo, o->classify, o->name),
        .nxdomain = o->existence == SEK_EXISTENCE_ABSENT,
        .time_ms = o->time_ms,
    };
    enum sek_evidence_news news = sek_evidence_add(s->evidence, &item, &dga);
    if (news == SEK_EVIDENCE_NOTHING)
        return false;
    tell(out, &dga, o->classify);
    out->is_new = news == SEK_EVIDENCE_FOUND;
    return true;
}

bool sek_series_in_episode(const void *self, const struct sek_addr *endpoint)
{
    const struct series *s = self;
    struct sek_dga dga;
    return sek_evidence_find(s->evidence, endpoint, &dga);
}

size_t sek_series_octets(const void *self)
{
    const struct series *s = self;
    return sizeof *s + sek_evidence_octets(s->evidence) + (s->memo ? SEK_MEMO_OCTETS : 0);
}

/* --- over a restart ----------------------------------------------------------------------------
 */

static bool take_endpoint(void *self, void *thing, const struct sek_lapse *lapse)
{
    const struct series *s = self;
    return sek_evidence_take(s->evidence, thing, lapse);
}

static bool take_site(void *self, void *thing, const struct sek_lapse *lapse)
{
    const struct series *s = self;
    (void)lapse;
    return sek_evidence_take_site(s->evidence, thing);
}

unsigned sek_series_kept(void *self, struct sek_kept out[SEK_DETECTOR_TABLES])
{
    const struct series *s = self;
    sek_evidence_kept(s->evidence, &out[0], &out[1]);
    out[0].take = take_endpoint;
    out[1].take = take_site;
    return 2;
}
