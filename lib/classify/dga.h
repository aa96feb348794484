/* SPDX-License-Identifier: BSD-3-Clause */
/* The finding "DGA activity" as plain data: an endpoint asks for series of machine-made names.
 * MITRE ATT&CK: Dynamic Resolution, Domain Generation Algorithms. Copied freely; any thread. */
#pragma once
#include "base/addr.h"
#include "base/buf.h"
#include "classify/classify.h"

#define SEK_DGA_TECHNIQUE "T1568.002"
#define SEK_DGA_EXAMPLES 8
#define SEK_DGA_NAME_MAX 96 /* octets of a registered domain; longer ones are counted only */
#define SEK_DGA_KIND 24     /* octets, zero included */

/* A registered domain in wire format (RFC 1035 §3.1), lower case. len 0: none. */
struct sek_dga_name {
    uint8_t len;
    uint8_t octets[SEK_DGA_NAME_MAX];
};

/* start_ms: the first name that spoke for a generator; end_ms: the last one so far. Score and its
 * parts are natural logarithms of P(all that was seen | generator) / P(… | benign). */
struct sek_dga {
    struct sek_addr endpoint;
    int64_t start_ms, end_ms;
    uint32_t episode;          /* of this endpoint, from 1; the same in all updates */
    uint32_t n_names;          /* distinct registered domains that spoke for a generator, or do not
                                * exist; a few are missed by the sketch that knows them again */
    uint32_t n_nxdomains;      /* of them, that do not exist */
    float score, alarm;        /* alarm: the score from which on it is a finding */
    float names, words, shape; /* parts: the names one by one, their shared parts, their likeness */
    float confidence;          /* 0..0.99: probability when 1 of 10,000 endpoints has a generator */
    uint8_t n_examples;
    struct sek_dga_name examples[SEK_DGA_EXAMPLES]; /* that do not exist, first ones first */
    struct sek_dga_name resolved; /* the likeliest command-and-control domain: exists, and looks
                                   * most like the others */
    float resolved_llr; /* the classifier's, and more for a suffix or words in common with those */
};

/* What kind of generator it may be, by what the classifier says of the examples: out_kind is its
 * nearest family or kind, or "word list" when shared words tell more than single names do; ""
 * when nothing tells. out_share: of what speaks for any of them, 0..1. */
void sek_dga_kind(const struct sek_dga *f, const struct sek_classify *c,
                  char out_kind[SEK_DGA_KIND], float *out_share);

/* Append the evidence as a JSON object (RFC 8259): kind and kind_share as sek_dga_kind told; names
 * and nxdomains, counts; score, alarm and parts (names, words, shape), natural logarithms; episode;
 * resolved and resolved_ratio, null when there is none; examples, an array. Names in presentation
 * form (RFC 1035 §5.1). The object has at most SEK_DGA_EVIDENCE_MAX octets: examples that do not
 * fit are left out. */
#define SEK_DGA_EVIDENCE_MAX 4000
void sek_dga_evidence(const struct sek_dga *f, const char *kind, float share, struct sek_buf *out);
