/* SPDX-License-Identifier: BSD-3-Clause */
/* A store's file that was altered after it was written, with right checksums: whatever it holds,
 * opening, asking, noting and reading through it stay within memory, and what is saved then opens
 * without loss. Input: altered.h, then names in wire format, noted. */
#include "observe/domains_parts.h"
#include "tests/fuzz/altered.h"

#define NOW_S 1795414620
#define N_NAMES 400u

static volatile uint64_t sum;

static struct sek_domains *open_store(char aside[SEK_DOMAINS_ASIDE_MAX])
{
    const struct sek_domains_conf conf = {file.path, (uint64_t)1 << 20, 1000, 86400, "v1"};
    struct sek_domains *d = NULL;

    sek_domains_open(&conf, NOW_S, &d, aside, NULL);
    return d;
}

static size_t name_of(unsigned i, uint8_t wire[16])
{
    memcpy(wire, "\4a000\3com", 10);
    wire[2] = (uint8_t)('a' + i % 26);
    wire[3] = (uint8_t)('a' + i / 26);
    return 10;
}

static void make_sound(void)
{
    char aside[SEK_DOMAINS_ASIDE_MAX];
    struct sek_domains *d = open_store(aside);
    uint8_t wire[16];

    for (unsigned i = 0; i < N_NAMES; i++)
        sek_domains_note(d, wire, name_of(i, wire), NULL, NOW_S - i, i % 3 > 0, NULL);
    sek_domains_close(d);
    altered_sound_file();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    altered_init("domains");
    make_sound();
    return 0;
}

/* The checksums that the altered file should have. */
static void seal(size_t n)
{
    for (uint32_t id = 0; (size_t)(id + 1) * SEK_DOM_BLOCK <= n; id++) {
        uint8_t *block = file.now + (size_t)id * SEK_DOM_BLOCK;
        struct sek_dom_head *head = (struct sek_dom_head *)(void *)block;
        uint64_t right = sek__dom_sum(block, id);

        if (id < SEK_DOM_HEADS)
            head->sum = sek__dom_head_sum(head);
        else
            memcpy(block, &right, sizeof(right));
    }
}

static bool visit(void *arg, const uint8_t *name, size_t len, const struct sek_domain_seen *seen)
{
    (void)arg;
    if (sek_name_wire_len(name) != len)
        abort();
    sum += (uint64_t)seen->first_s;
    return true;
}

static void use(struct sek_domains *d, const uint8_t *data, size_t size)
{
    struct sek_domain_seen seen;
    struct sek_name name;
    uint8_t wire[16];

    for (unsigned i = 0; i < N_NAMES; i++) {
        sum += sek_domains_find(d, wire, name_of(i, wire), &seen);
        if (i % 5 == 0)
            sek_domains_note(d, wire, name_of(i, wire), NULL, NOW_S, true, NULL);
    }
    while (sek_name_from_wire(data, size, &name) == SEK_OK) {
        sek_domains_note(d, name.octets, name.len, NULL, NOW_S, name.len % 2, NULL);
        data += name.len;
        size -= name.len;
    }
    sek_domains_each(d, visit, NULL, NULL);
    sek_domains_sync(d, NOW_S, NULL);
}

/* What was saved is whole. */
static void open_again(uint64_t n_records)
{
    char aside[SEK_DOMAINS_ASIDE_MAX] = "";
    struct sek_domains *d = open_store(aside);
    struct sek_domains_stats s;

    if (!d || aside[0])
        abort();
    sek_domains_stats(d, &s);
    if (s.n_known + s.n_absent != n_records)
        abort();
    sek_domains_close(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char aside[SEK_DOMAINS_ASIDE_MAX] = "";
    struct sek_domains *d = NULL;
    struct sek_domains_stats s;

    size_t n = altered_by(&data, &size);
    seal(n);
    altered_put(n);
    if (sek_domains_open_read(file.path, &d, NULL) == SEK_OK) {
        uint8_t wire[16];
        sum += sek_domains_find(d, wire, name_of(0, wire), NULL);
        sek_domains_each(d, visit, NULL, NULL);
        sek_domains_close(d);
    }
    d = open_store(aside);
    if (aside[0])
        unlink(aside);
    if (d) {
        use(d, data, size);
        sek_domains_stats(d, &s);
        sek_domains_close(d);
        open_again(s.n_known + s.n_absent);
    }
    return 0;
}
