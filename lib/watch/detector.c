/* SPDX-License-Identifier: BSD-3-Clause */
#include "watch/detector.h"
#include "watch/beacon.h"
#include "watch/bypass.h"
#include "watch/fastflux.h"
#include "watch/nxburst.h"
#include "watch/series.h"
#include "watch/shortlived.h"
#include "watch/sinkholed.h"
#include "watch/surge.h"
#include "watch/tunnel.h"
#include "watch/udr.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define AT(member) offsetof(struct sek_conf, member)

/* In the order in which they are asked: the burst asks whether the series is told already. */
const struct sek_detector_row sek_detector_rows[] = {
    {SEK_DETECTOR_DGA, AT(dga.mode), AT(dga.lifetime_s), sek_series_new, sek_series_free,
     sek_series_see, sek_series_in_episode, sek_series_octets, NULL, NULL, sek_series_kept, NULL},
    {SEK_DETECTOR_BEACON, AT(beacon.mode), AT(beacon.lifetime_s), sek_beacon_new, sek_beacon_free,
     sek_beacon_see, NULL, sek_beacon_octets, NULL, NULL, sek_beacon_kept, NULL},
    {SEK_DETECTOR_TUNNEL, AT(tunnel.mode), AT(tunnel.lifetime_s), sek_tunnel_new, sek_tunnel_free,
     sek_tunnel_see, NULL, sek_tunnel_octets, NULL, NULL, sek_tunnel_kept, NULL},
    {SEK_DETECTOR_NXBURST, AT(nxburst.mode), 0, sek_nxburst_new, sek_nxburst_free, sek_nxburst_see,
     NULL, sek_nxburst_octets, NULL, NULL, sek_nxburst_kept, NULL},
    {SEK_DETECTOR_FASTFLUX, AT(fastflux.mode), AT(fastflux.lifetime_s), sek_fastflux_new,
     sek_fastflux_free, sek_fastflux_see, NULL, sek_fastflux_octets, NULL, NULL, sek_fastflux_kept,
     NULL},
    {SEK_DETECTOR_SHORTLIVED, AT(shortlived.mode), AT(shortlived.lifetime_s), sek_shortlived_new,
     sek_shortlived_free, sek_shortlived_see, NULL, sek_shortlived_octets, NULL, NULL,
     sek_shortlived_kept, sek_shortlived_elapse},
    {SEK_DETECTOR_SURGE, AT(surge.mode), 0, sek_surge_new, sek_surge_free, NULL, NULL,
     sek_surge_octets, sek_surge_count, NULL, sek_surge_kept, NULL},
    {SEK_DETECTOR_NEWRATE, AT(newrate.mode), 0, sek_newrate_new, sek_surge_free, sek_newrate_see,
     NULL, sek_surge_octets, NULL, NULL, sek_surge_kept, NULL},
    {SEK_DETECTOR_BYPASS, AT(bypass.mode), 0, sek_bypass_new, sek_bypass_free, sek_bypass_see, NULL,
     sek_bypass_octets, NULL, sek_bypass_wants, sek_bypass_kept, NULL},
    {SEK_DETECTOR_UDR, AT(udr.mode), AT(udr.lifetime_s), sek_udr_new, sek_udr_free, sek_udr_see,
     NULL, sek_udr_octets, NULL, sek_udr_wants, NULL, NULL},
    {SEK_DETECTOR_SINKHOLED, AT(sinkholed.mode), AT(sinkholed.lifetime_s), sek_sinkholed_new,
     sek_sinkholed_free, sek_sinkholed_see, NULL, sek_sinkholed_octets, NULL, NULL,
     sek_sinkholed_kept, NULL},
    {0},
};
#define N_ROWS (sizeof sek_detector_rows / sizeof sek_detector_rows[0] - 1)

struct sek_detectors {
    void *self[N_ROWS]; /* NULL: off */
    struct sek_sign sign;
};

static int mode_of(const struct sek_conf *conf, const struct sek_detector_row *row)
{
    int mode;
    memcpy(&mode, (const uint8_t *)conf + row->mode_at, sizeof mode);
    return mode;
}

static const struct sek_detector_row *row_of(enum sek_detector id)
{
    for (const struct sek_detector_row *row = sek_detector_rows; row->id; row++)
        if (row->id == id)
            return row;
    return NULL;
}

bool sek_detectors_wanted(const struct sek_conf *conf)
{
    for (const struct sek_detector_row *row = sek_detector_rows; row->id; row++)
        if (mode_of(conf, row) != SEK_MODE_OFF)
            return true;
    return false;
}

bool sek_detectors_may_block(const struct sek_conf *conf)
{
    for (const struct sek_detector_row *row = sek_detector_rows; row->id; row++)
        if (row->lifetime_at && mode_of(conf, row) == SEK_MODE_BLOCK)
            return true;
    return false;
}

enum sek_mode sek_detector_mode(const struct sek_conf *conf, enum sek_detector id)
{
    const struct sek_detector_row *row = row_of(id);
    return row ? (enum sek_mode)mode_of(conf, row) : SEK_MODE_OFF;
}

int64_t sek_detector_lifetime_s(const struct sek_conf *conf, enum sek_detector id)
{
    const struct sek_detector_row *row = row_of(id);
    int64_t s = 0;
    if (row && row->lifetime_at)
        memcpy(&s, (const uint8_t *)conf + row->lifetime_at, sizeof s);
    return s;
}

/* --- the set -----------------------------------------------------------------------------------
 */

enum sek_err sek_detectors_new(const struct sek_conf *conf, struct sek_hash_key key,
                               struct sek_detectors **out, struct sek_diag *diag)
{
    struct sek_detectors *d = calloc(1, sizeof *d);
    enum sek_err err = d ? SEK_OK : sek_diag_set(diag, SEK_E_NOMEM, "out of memory for detectors");
    for (size_t i = 0; i < N_ROWS && err == SEK_OK; i++)
        if (mode_of(conf, &sek_detector_rows[i]) != SEK_MODE_OFF)
            err = sek_detector_rows[i].new_(conf, key, &d->self[i], diag);
    if (err != SEK_OK) {
        sek_detectors_free(d);
        return err;
    }
    *out = d;
    return SEK_OK;
}

void sek_detectors_free(struct sek_detectors *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < N_ROWS; i++)
        sek_detector_rows[i].free_(d->self[i]);
    free(d);
}

void sek_detectors_see(struct sek_detectors *d, struct sek_observation *o, sek_sign_fn *fn,
                       void *arg)
{
    o->others = d;
    for (size_t i = 0; i < N_ROWS; i++)
        if (d->self[i] && sek_detector_rows[i].see &&
            sek_detector_rows[i].see(d->self[i], o, &d->sign))
            fn(arg, &d->sign, o);
}

void sek_detectors_count(struct sek_detectors *d, const struct sek_tally_traffic *row, uint32_t n,
                         sek_sign_fn *fn, void *arg)
{
    for (size_t i = 0; i < N_ROWS; i++)
        if (d->self[i] && sek_detector_rows[i].count &&
            sek_detector_rows[i].count(d->self[i], row, n, &d->sign))
            fn(arg, &d->sign, NULL);
}

void sek_detectors_elapse(struct sek_detectors *d, int64_t now_ms, sek_sign_fn *fn, void *arg)
{
    for (size_t i = 0; i < N_ROWS; i++)
        while (d->self[i] && sek_detector_rows[i].elapse &&
               sek_detector_rows[i].elapse(d->self[i], now_ms, &d->sign))
            fn(arg, &d->sign, NULL);
}

bool sek_detectors_want(const struct sek_detectors *d, const uint8_t *domain, size_t len)
{
    for (size_t i = 0; i < N_ROWS; i++)
        if (d->self[i] && sek_detector_rows[i].wants &&
            sek_detector_rows[i].wants(d->self[i], domain, len))
            return true;
    return false;
}

bool sek_detectors_in_episode(const struct sek_detectors *d, enum sek_detector id,
                              const struct sek_addr *endpoint)
{
    for (size_t i = 0; d && i < N_ROWS; i++)
        if (sek_detector_rows[i].id == id && d->self[i] && sek_detector_rows[i].in_episode)
            return sek_detector_rows[i].in_episode(d->self[i], endpoint);
    return false;
}

unsigned sek_detectors_kept(const struct sek_detectors *d, enum sek_detector id,
                            struct sek_kept out[SEK_DETECTOR_TABLES], void **out_owner)
{
    for (size_t i = 0; i < N_ROWS; i++)
        if (sek_detector_rows[i].id == id && d->self[i] && sek_detector_rows[i].kept) {
            *out_owner = d->self[i];
            return sek_detector_rows[i].kept(d->self[i], out);
        }
    return 0;
}

void *sek_detectors_get(const struct sek_detectors *d, enum sek_detector id)
{
    for (size_t i = 0; i < N_ROWS; i++)
        if (sek_detector_rows[i].id == id)
            return d->self[i];
    return NULL;
}

size_t sek_detectors_octets(const struct sek_detectors *d)
{
    size_t sum = sizeof *d;
    for (size_t i = 0; i < N_ROWS; i++)
        if (d->self[i])
            sum += sek_detector_rows[i].octets(d->self[i]);
    return sum;
}

/* --- observations and signs --------------------------------------------------------------------
 */

const uint8_t *sek_observation_domain(const struct sek_observation *o, size_t *out_len)
{
    unsigned at = o->name->offset[o->domain_labels];
    *out_len = (size_t)(o->name->len - at);
    return o->name->octets + at;
}

void sek_observation_date(struct sek_observation *o, const struct sek_conf *conf, bool known,
                          const struct sek_domain_seen *seen, int64_t history_since_s)
{
    int64_t now_s = o->time_ms / 1000;
    o->settled = history_since_s <= now_s - conf->domains.warm_up_s;
    o->endpoints = known ? seen->endpoints : 1;
    o->age_s = SEK_AGE_OLD;
    o->resolved = known && seen->resolved;
    if (!o->settled)
        return;
    if (!known)
        o->age_s = 0;
    else if (seen->first_s - history_since_s >= conf->domains.warm_up_s)
        o->age_s = now_s > seen->first_s ? now_s - seen->first_s : 0;
}

uint64_t sek_observation_hash(const struct sek_observation *o, struct sek_hash_key key,
                              const uint8_t *octets, size_t len)
{
    uint8_t text[sizeof o->endpoint + SEK_NAME_MAX];
    memcpy(text, &o->endpoint, sizeof o->endpoint);
    if (len)
        memcpy(text + sizeof o->endpoint, octets, len);
    return sek_hash(&key, text, sizeof o->endpoint + len);
}

void sek_sign_begin(struct sek_sign *s, enum sek_detector by, const struct sek_observation *o,
                    int64_t start_ms, bool with_domain)
{
    *s = (struct sek_sign){
        .finding = {
            .detector = by, .endpoint = o->endpoint, .start_ms = start_ms, .end_ms = o->time_ms}};
    if (with_domain) {
        size_t len;
        const uint8_t *domain = sek_observation_domain(o, &len);
        s->finding.domain_len = (uint8_t)len;
        memcpy(s->finding.domain, domain, len);
    }
}

void sek_sign_evidence(struct sek_sign *s, struct sek_buf *json)
{
    bool fits = !json->failed && json->len < sizeof s->finding.evidence;
    snprintf(s->finding.evidence, sizeof s->finding.evidence, "%s",
             fits && json->data ? json->data : "{}");
    sek_buf_fini(json);
}

void sek_detectors_keep_blocking(const struct sek_conf *conf, struct sek_dynamic **io)
{
    unsigned n, kept = 0;
    const struct sek_dynamic_row *rows = sek_dynamic_rows(*io, &n);
    struct sek_dynamic_row *keep = rows ? calloc(n, sizeof *keep) : NULL;
    for (unsigned i = 0; keep && i < n; i++) {
        int id = sek_lookup_id(sek_detector_names, rows[i].by);
        if (sek_detector_mode(conf, (enum sek_detector)id) == SEK_MODE_BLOCK)
            keep[kept++] = rows[i];
    }
    sek_dynamic_free(*io);
    if (sek_dynamic_new(keep, kept, io) != SEK_OK)
        *io = NULL;
    free(keep);
}
