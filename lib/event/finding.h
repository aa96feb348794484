/* SPDX-License-Identifier: BSD-3-Clause */
/* A finding: what a detector concludes of an endpoint over time. Plain data, copied freely; the
 * same for all detectors, whose own numbers travel as a JSON object. */
#pragma once
#include "event/event.h"

/* Stored: never renumber. */
enum sek_detector {
    SEK_DETECTOR_DGA = 1,        /* series of machine-made names (classify/evidence.h) */
    SEK_DETECTOR_BEACON = 2,     /* a domain asked for by the clock (watch/beacon.h) */
    SEK_DETECTOR_TUNNEL = 3,     /* data sent out in names (watch/tunnel.h) */
    SEK_DETECTOR_NXBURST = 4,    /* many domains that do not exist (watch/nxburst.h) */
    SEK_DETECTOR_FASTFLUX = 5,   /* a domain with ever new addresses (watch/fastflux.h) */
    SEK_DETECTOR_SHORTLIVED = 6, /* a new domain that is gone (watch/shortlived.h) */
    SEK_DETECTOR_SURGE = 7,      /* more queries than usual (watch/surge.h) */
    SEK_DETECTOR_NEWRATE = 8,    /* more domains never seen here than usual (watch/surge.h) */
    SEK_DETECTOR_BYPASS = 9,     /* other resolvers, anonymisers by name (watch/bypass.h) */
    SEK_DETECTOR_UDR = 10,       /* a tracked name has a new address (watch/udr.h) */
    SEK_DETECTOR_SINKHOLED = 11, /* infected already: led to a sinkhole (watch/sinkholed.h) */
};
extern const struct sek_lookup sek_detector_names[]; /* "dga" "beacon" … */

#define SEK_FINDING_EVIDENCE_MAX 4096 /* octets with terminator */
#define SEK_FINDING_TECHNIQUE_MAX 12

/* detector, endpoint and start_ms together name a finding: a later record with the same three
 * replaces the earlier one. */
struct sek_finding {
    enum sek_detector detector;
    struct sek_addr endpoint;
    int64_t start_ms, end_ms;     /* Unix milliseconds; end: the latest sign so far */
    float confidence;             /* 0..1 */
    uint8_t domain_len;           /* octets of `domain`; 0: no domain stands out */
    uint8_t domain[SEK_NAME_MAX]; /* registered domain suspected as command and control,
                                   * wire; of SEK_DETECTOR_UDR the name */
    enum sek_mode mode;           /* of the detector then: monitor, or block */
    int64_t blocked_until_s;      /* Unix time until which `domain` is blocked; 0: it is not */
    int64_t may_block_s; /* … of the first sign that blocks it in mode block; 0: none did */
    char technique[SEK_FINDING_TECHNIQUE_MAX]; /* MITRE ATT&CK id, "T1568.002" */
    char evidence[SEK_FINDING_EVIDENCE_MAX];   /* a JSON object, UTF-8: the numbers and names that
                                                * it rests on */
};
