/* SPDX-License-Identifier: BSD-3-Clause */
/* A MaxMind database that was altered or cut off: whatever it holds, looking up stays within memory
 * and comes to an end. Input: altered.h, then addresses of 16 octets. */
#include "observe/geo.h"
#include "tests/fuzz/altered.h"
#include "tests/unit/mmdb_samples.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct mmdb_file *f = mmdb_begin(6, 28);

    (void)argc;
    (void)argv;
    mmdb_map(f, 3);
    mmdb_text_pair(f, "asn", "AS64496");
    mmdb_text_pair(f, "name", "One");
    mmdb_text(f, "country");
    mmdb_map(f, 1);
    mmdb_text_pair(f, "iso_code", "DE");
    mmdb_network(f, "192.0.2.0", 24, 0);
    uint32_t at = f->n;
    mmdb_map(f, 2);
    mmdb_text(f, "autonomous_system_number");
    mmdb_uint(f, 6, 64497);
    mmdb_text(f, "traits");
    mmdb_map(f, 1);
    mmdb_pointer(f, 1, 2);
    mmdb_text(f, "AS1");
    mmdb_network(f, "2001:db8::", 32, at);
    mmdb_end(f, "Fuzz");
    uint8_t *octets = malloc(f->n_out);
    if (!octets)
        abort();
    memcpy(octets, f->out, f->n_out);
    altered_init("mmdb");
    altered_sound(octets, f->n_out);
    free(f);
    return 0;
}

static void use(const struct sek_mmdb *m, const struct sek_addr *a)
{
    struct sek_geo_facts facts;

    sek_geo_facts_of(m, a, &facts);
    if (strlen(facts.network) >= sizeof facts.network || strlen(facts.country) > 2)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct sek_addr fixed[] = {
        {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1}}, {{0x20, 1, 0x0d, 0xb8}}};
    struct sek_addr a;
    struct sek_mmdb *m;
    size_t n = altered_by(&data, &size);

    if (sek_mmdb_from_octets(file.now, n, "fuzz", &m, NULL) != SEK_OK)
        return 0;
    use(m, &fixed[0]);
    use(m, &fixed[1]);
    for (; size >= sizeof a; data += sizeof a, size -= sizeof a) {
        memcpy(&a, data, sizeof a);
        use(m, &a);
    }
    sek_mmdb_close(m);
    return 0;
}
