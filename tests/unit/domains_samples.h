/* SPDX-License-Identifier: BSD-3-Clause */
/* Names and stores for the tests of observe/domains.h. */
#pragma once
#include "observe/domains_parts.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define NOW_S 1795414620 /* 2026-11-23T06:17:00Z */
#define MIB ((uint64_t)1 << 20)

#ifdef __SANITIZE_THREAD__ /* each access costs a hundred times as much */
#define N_FLOOD 50000u
#define N_CHURN 3u
#define N_NOTES 40000u
#define N_READ_ROUNDS 12u
#else
#define N_FLOOD 2000000u
#define N_CHURN 40u
#define N_NOTES 200000u
#define N_READ_ROUNDS 60u
#endif

/* "d<i>.<mark>" in wire format; length grows with i now and then. Returns its length. */
static inline size_t sample_name(uint32_t i, const char *mark, uint8_t out[SEK_NAME_MAX])
{
    char label[64];
    int n = snprintf(label, sizeof(label), "d%u%.*s", i, (int)(i % 7 == 0 ? i % 40 : 0),
                     "-long-long-long-long-long-long-long-long-long-");
    size_t len = strlen(mark);

    out[0] = (uint8_t)n;
    memcpy(out + 1, label, (size_t)n);
    out[1 + n] = (uint8_t)len;
    memcpy(out + 2 + n, mark, len + 1);
    return (size_t)n + len + 3;
}

static inline struct sek_addr sample_endpoint(uint32_t i)
{
    struct sek_addr a = {{0x20, 0x01, 0x0d, 0xb8}};

    memcpy(a.octets + 12, &i, sizeof(i));
    return a;
}

static inline enum sek_domains_news sample_note(struct sek_domains *d, uint32_t i, const char *mark,
                                                int64_t time_s, bool resolved)
{
    uint8_t name[SEK_NAME_MAX];

    return sek_domains_note(d, name, sample_name(i, mark, name), NULL, time_s, resolved, NULL);
}

static inline bool sample_find(const struct sek_domains *d, uint32_t i, const char *mark,
                               struct sek_domain_seen *out)
{
    uint8_t name[SEK_NAME_MAX];

    return sek_domains_find(d, name, sample_name(i, mark, name), out);
}

/* How many of [0, n) are known. */
static inline uint32_t sample_count(const struct sek_domains *d, uint32_t n, const char *mark)
{
    uint32_t found = 0;

    for (uint32_t i = 0; i < n; i++)
        found += sample_find(d, i, mark, NULL);
    return found;
}

static inline struct sek_domains *sample_open_conf(const struct sek_domains_conf *conf,
                                                   char aside[SEK_DOMAINS_ASIDE_MAX])
{
    struct sek_domains *d = NULL;
    struct sek_diag diag = {0};
    char own[SEK_DOMAINS_ASIDE_MAX];

    if (sek_domains_open(conf, NOW_S, &d, aside ? aside : own, &diag) != SEK_OK)
        fail_msg("%s", diag.text);
    if (!aside)
        assert_string_equal(own, "");
    return d;
}

static inline struct sek_domains *open_memory(uint64_t max_octets, uint32_t max_absent,
                                              int64_t retention_s)
{
    return sample_open_conf(
        &(struct sek_domains_conf){NULL, max_octets, max_absent, retention_s, "v1"}, NULL);
}

/* Everything that must hold between calls: the index leads to each record that lives, once; counts
 * and lists agree with the blocks. */
static inline void sample_check(struct sek_domains *d)
{
    uint64_t n[SEK_DOM_N_KINDS] = {0}, used = 0;
    uint32_t n_in[SEK_DOM_N_KINDS] = {0};

    for (uint32_t id = SEK_DOM_HEADS; id < d->n_blocks; id++) {
        const _Atomic uint32_t *w = sek__dom_block(d, id)->w;
        uint32_t kind = w[SEK_DOM_W_KIND];

        assert_true(kind < SEK_DOM_N_KINDS && w[SEK_DOM_W_USED] <= SEK_DOM_WORDS);
        n_in[kind]++;
        for (uint32_t at = SEK_DOM_BEGIN; at < w[SEK_DOM_W_USED];
             at += sek__dom_record_words(w[at + SEK_DOM_FIXED])) {
            struct sek_dom_key key;
            bool never = w[at + SEK_DOM_W_SPREAD] & SEK_DOM_NEVER;

            if (!sek__dom_is_current(d, id * SEK_DOM_WORDS + at, &key))
                continue;
            assert_int_equal(never, kind == SEK_DOM_ABSENT);
            assert_true(w[at + SEK_DOM_W_FIRST] <= w[at + SEK_DOM_W_LAST]);
            n[kind]++;
        }
    }
    for (uint32_t i = 0; i < SEK_DOM_SEGMENTS; i++)
        used += d->index.n_used[i];
    assert_int_equal(used, n[SEK_DOM_KNOWN] + n[SEK_DOM_ABSENT]);
    for (int kind = SEK_DOM_KNOWN; kind < SEK_DOM_N_KINDS; kind++) {
        assert_int_equal(n[kind], d->n_of[kind]);
        assert_int_equal(n_in[kind], d->n_in[kind]);
    }
    assert_int_equal(d->absent.n, d->n_in[SEK_DOM_ABSENT]);
    assert_int_equal(d->free.n + d->left.n, n_in[SEK_DOM_FREE]);
}
