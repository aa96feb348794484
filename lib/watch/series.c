/* SPDX-License-Identifier: BSD-3-Clause */
#include "watch/series.h"
#include "classify/evidence.h"
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

/* A candidate looks like the generator's others by more than chance, or it is nobody's fault. */
#define CANDIDATE_LLR_MIN 1.0f

_Static_assert(SEK_DGA_EVIDENCE_MAX < SEK_FINDING_EVIDENCE_MAX &&
                   sizeof SEK_DGA_TECHNIQUE <= SEK_FINDING_TECHNIQUE_MAX,
               "a finding holds what its detector says");

enum sek_err sek_series_new(const struct sek_conf *conf, struct sek_hash_key key, void **out,
                            struct sek_diag *diag)
{
    const struct sek_evidence_conf wanted = {
        .n_endpoints = (uint32_t)conf->dga.n_endpoints,
        .alpha = 1 / (float)conf->dga.names_per_alarm,
        .tau_s = (uint32_t)conf->dga.fade_s,
    };
    struct sek_evidence *e;
    enum sek_err err = sek_evidence_new(&wanted, key, &e, diag);
    if (err == SEK_OK)
        *out = e;
    return err;
}

void sek_series_free(void *self)
{
    sek_evidence_free(self);
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
    struct sek_dga dga;
    if (!o->classify || o->repeat || o->existence == SEK_EXISTENCE_UNKNOWN)
        return false;
    const struct sek_evidence_item item = {
        .endpoint = o->endpoint,
        .name = o->name,
        .score = sek_classify_name(o->classify, o->name),
        .nxdomain = o->existence == SEK_EXISTENCE_ABSENT,
        .time_ms = o->time_ms,
    };
    enum sek_evidence_news news = sek_evidence_add(self, &item, &dga);
    if (news == SEK_EVIDENCE_NOTHING)
        return false;
    tell(out, &dga, o->classify);
    out->is_new = news == SEK_EVIDENCE_FOUND;
    return true;
}

bool sek_series_in_episode(const void *self, const struct sek_addr *endpoint)
{
    struct sek_dga dga;
    return sek_evidence_find(self, endpoint, &dga);
}

size_t sek_series_octets(const void *self)
{
    return sek_evidence_octets(self);
}
