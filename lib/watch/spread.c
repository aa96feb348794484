/* SPDX-License-Identifier: BSD-3-Clause */
#include "watch/spread.h"
#include <math.h>
#include <string.h>
#include "base/banned.h"

#define DOUBT 1.6 /* three standard errors of a share of a half: no chance */

uint64_t sek_spread_network(const struct sek_addr *a)
{
    uint64_t network = sek_addr_is_v4(a);
    for (unsigned i = network ? 12 : 0, end = network ? 14 : 4; i < end; i++)
        network = network << 8 | a->octets[i];
    return network;
}

bool sek_spread_add(struct sek_spread *s, const struct sek_addr *a, uint16_t answer,
                    const struct sek_geo *geo)
{
    struct sek_geo_facts facts;
    unsigned i = 0;
    if (s->n == SEK_SPREAD_MAX || !sek_addr_is_global(a))
        return false;
    while (i < s->n && !sek_addr_equal(&s->at[i].addr, a))
        i++;
    bool known = i < s->n;
    if (s->n >= SEK_SPREAD_FIRST) {
        s->later++;
        s->later_other += !known || (uint16_t)(answer - s->at[i].answer) > 1;
        s->later_new += !known;
    }
    s->at[i].answer = answer;
    if (known)
        return false;
    sek_geo_find(geo, a, &facts);
    s->at[i].addr = *a;
    s->at[i].asn = facts.asn;
    memcpy(s->at[i].country, facts.country, sizeof s->at[0].country);
    s->n++;
    return true;
}

static bool is_country(const char c[2])
{
    bool letters = c[0] >= 'A' && c[0] <= 'Z' && c[1] >= 'A' && c[1] <= 'Z';
    return letters || (c[0] == 0 && c[1] == 0);
}

bool sek_spread_is_sound(const struct sek_spread *s)
{
    bool sound = s->n <= SEK_SPREAD_MAX;
    for (unsigned i = 0; sound && i < s->n; i++)
        sound = is_country(s->at[i].country);
    return sound;
}

/* --- sums --------------------------------------------------------------------------------------
 */

/* Of so many values, 0 is none: how many there are, how many distinct, and their entropy. */
static void distinct(const uint64_t *value, unsigned n, unsigned *out_n, unsigned *out_distinct,
                     double *out_entropy)
{
    double sum = 0;
    unsigned known = 0, kinds = 0;
    for (unsigned i = 0; i < n; i++) {
        unsigned same = 0, before = 0;
        for (unsigned k = 0; k < n; k++) {
            same += value[k] == value[i];
            before += k < i && value[k] == value[i];
        }
        if (!value[i])
            continue;
        known++;
        kinds += before == 0;
        sum += log2(same); /* each of `same` adds log2(same): sum p log2 p, rearranged */
    }
    *out_n = known;
    *out_distinct = kinds;
    *out_entropy = known ? log2(known) - sum / known : 0;
}

static double share_of(unsigned n, unsigned all)
{
    return all ? fmax(0, n / (double)all - DOUBT / sqrt(all)) : 0;
}

void sek_spread_sum(const struct sek_spread *s, struct sek_spread_sum *out)
{
    uint64_t asn[SEK_SPREAD_MAX], country[SEK_SPREAD_MAX], network[SEK_SPREAD_MAX];
    double ignored;
    unsigned all;
    for (unsigned i = 0; i < s->n; i++) {
        asn[i] = s->at[i].asn;
        country[i] = (uint64_t)(uint8_t)s->at[i].country[0] << 8 | (uint8_t)s->at[i].country[1];
        network[i] = sek_spread_network(&s->at[i].addr);
    }
    memset(out, 0, sizeof *out);
    out->addresses = s->n;
    distinct(asn, s->n, &out->with_asn, &out->asns, &out->asn_entropy);
    distinct(country, s->n, &out->with_country, &out->countries, &ignored);
    distinct(network, s->n, &all, &out->networks, &out->network_entropy);
    out->turnover = share_of(s->later_new, s->later_other);
    out->turnover_of_all = share_of(s->later_new, s->later);
}

void sek_spread_sum_add(struct sek_buf *json, const struct sek_spread_sum *sum)
{
    sek_buf_add_fmt(json, ",\"addresses\":%u,\"networks\":%u", sum->addresses, sum->networks);
    if (sum->with_asn)
        sek_buf_add_fmt(json, ",\"asns\":%u", sum->asns);
    if (sum->with_country)
        sek_buf_add_fmt(json, ",\"countries\":%u", sum->countries);
}
