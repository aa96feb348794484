/* SPDX-License-Identifier: BSD-3-Clause */
/* A file of what detectors remember that was altered after it was written, with right checksums:
 * whatever its things hold, the detectors stay within memory and sense with what they see then, and
 * save what they have. Input: altered.h. */
#include "name/text.h"
#include "watch/memory.h"
#include "watch/memory_format.h"
#include "tests/fuzz/altered.h"

#define NOW_MS 1795414620000LL
#define MINUTE_MS 60000LL
#define SMALL                                                                                      \
    "dga: {endpoints: 8}\nbeacon: {pairs: 8}\ntunnel: {pairs: 8}\nnxburst: {endpoints: 8}\n"       \
    "fastflux: {domains: 8}\nshortlived: {domains: 8}\nsurge: {endpoints: 8}\n"                    \
    "newrate: {endpoints: 8}\nbypass: {endpoints: 8}\nsinkholed: {endpoints: 8}\n"

static struct sek_conf conf;
static const struct sek_hash_key key = {5, 6};
static volatile uint64_t sum;

static void on_sign(void *arg, const struct sek_sign *s, const struct sek_observation *o)
{
    (void)arg, (void)o;
    if (s->finding.domain_len && sek_name_wire_len(s->finding.domain) != s->finding.domain_len)
        abort();
    sum += strlen(s->finding.evidence);
}

static struct sek_detectors *detectors(void)
{
    struct sek_detectors *d;
    if (sek_detectors_new(&conf, key, &d, NULL) != SEK_OK)
        abort();
    return d;
}

static void ask(struct sek_detectors *d, const char *text, unsigned labels, int64_t t, bool exists,
                uint16_t qtype)
{
    struct sek_name name;
    uint8_t a = (uint8_t)(40 + t / MINUTE_MS % 99), b = (uint8_t)(t / MINUTE_MS % 250);
    struct sek_addr at[3] = {{{[10] = 0xff, 0xff, a, b, 1, 1}},
                             {{[10] = 0xff, 0xff, b, a, 1, 1}},
                             {{0x2a, b, [15] = 1}}};
    if (sek_name_from_text(text, strlen(text), &name, NULL) != SEK_OK)
        abort();
    struct sek_observation o = {.endpoint = {{[10] = 0xff, 0xff, 10, 0, 0, 1}},
                                .name = &name,
                                .domain_labels = labels,
                                .qtype = qtype,
                                .existence = exists ? SEK_EXISTENCE_EXISTS : SEK_EXISTENCE_ABSENT,
                                .time_ms = t,
                                .ttl_s = 60,
                                .answer_octets = 100,
                                .addrs = at,
                                .n_addrs = exists ? 3 : 0,
                                .settled = true,
                                .age_s = 600,
                                .endpoints = 1};
    sek_detectors_see(d, &o, on_sign, NULL);
}

/* Something for each detector. */
static void live(struct sek_detectors *d, int64_t from_ms, unsigned minutes)
{
    union {
        struct sek_tally_traffic row;
        uint8_t octets[sizeof(struct sek_tally_traffic) + 16];
    } r = {.row = {.endpoint = {{[10] = 0xff, 0xff, 10, 0, 0, 1}}, .domain_len = 7}};
    memcpy(r.row.domain, "\1a\3com", 7);
    r.row.count[SEK_OUTCOME_CACHED] = 60;
    for (unsigned m = 0; m < minutes; m++) {
        char text[80];
        int64_t t = from_ms + m * MINUTE_MS;
        r.row.minute = t / MINUTE_MS;
        sek_detectors_count(d, &r.row, 60, on_sign, NULL);
        ask(d, "dns.google", 0, t, true, 1);
        ask(d, "www.flux.net", 1, t, true, 1);
        snprintf(text, sizeof text, "q%ux7kd93mzp%uvwtr2j%u.tunnel.org", m * 7919, m, m * 31);
        ask(d, text, 1, t, true, 16);
        snprintf(text, sizeof text, "absent%u.com", m);
        ask(d, text, 0, t, false, 1);
    }
}

static void save(struct sek_detectors *d)
{
    struct sek_memory_save *s;
    bool done = false;
    if (sek_memory_save_new(file.path, d, key, NOW_MS, &s, NULL) != SEK_OK)
        abort();
    while (!done)
        if (sek_memory_save_step(s, &done, NULL) != SEK_OK)
            abort();
    sek_memory_save_free(s);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct sek_diag diag;
    (void)argc, (void)argv;
    altered_init("memory");
    if (sek_conf_parse(SMALL, strlen(SMALL), "fuzz", &conf, &diag) != SEK_OK)
        abort();
    struct sek_detectors *d = detectors();
    live(d, NOW_MS - 90 * MINUTE_MS, 90);
    save(d);
    sek_detectors_free(d);
    altered_sound_file();
    return 0;
}

/* The checksums that the altered file should have. */
static void seal(size_t n)
{
    struct sek_memory_head head;
    static struct sek_memory_block block;
    uint64_t number = 0;
    if (n < sizeof head)
        return;
    memcpy(&head, file.now, sizeof head);
    head.sum = sek_memory_head_sum(&head);
    memcpy(file.now, &head, sizeof head);
    for (size_t at = sizeof head; n - at >= SEK_MEMORY_BLOCK_HEAD;) {
        memcpy(&block, file.now + at, SEK_MEMORY_BLOCK_HEAD);
        if (block.octets > SEK_MEMORY_BLOCK || block.octets > n - at - SEK_MEMORY_BLOCK_HEAD)
            return;
        memcpy(block.data, file.now + at + SEK_MEMORY_BLOCK_HEAD, block.octets);
        block.sum = sek_memory_block_sum(&head, number++, &block);
        memcpy(file.now + at, &block.sum, sizeof block.sum);
        at += SEK_MEMORY_BLOCK_HEAD + block.octets;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sek_memory *m;
    struct sek_memory_sums sums;
    size_t n = altered_by(&data, &size);
    int64_t now_ms = NOW_MS + (size && data[0] % 4 ? data[0] * 5 * MINUTE_MS : 0);
    seal(n);
    altered_put(n);
    struct sek_detectors *d = detectors();
    if (sek_memory_open(file.path, &m, NULL) == SEK_OK) {
        sek_memory_load(m, d, now_ms, NULL, NULL, &sums, NULL);
        sek_memory_close(m);
    }
    live(d, now_ms, 12);
    save(d);
    sek_detectors_free(d);
    return 0;
}
