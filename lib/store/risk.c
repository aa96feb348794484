/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/risk.h"
#include "event/finding.h"
#include <math.h>
#include "base/banned.h"

#define SCALE 50.0 /* points at which the score is 63 */

const struct sek_lookup sek_risk_part_names[] = {
    {SEK_RISK_FINDING, "finding"},
    {SEK_RISK_BLOCKED, "blocked"},
    {SEK_RISK_MONITORED, "monitored"},
    {SEK_RISK_DGA, "dga"},
    {SEK_RISK_NOD, "nod"},
    {SEK_RISK_NEW, "new-domains"},
    {0, NULL},
};

/* THE table: points of a finding with confidence 1; the row of detector 0 is for those not named.
 */
static const struct {
    int detector;
    double points;
} finding_weights[] = {
    {SEK_DETECTOR_DGA, 60},        /* who asks for a botnet's domains is in it */
    {SEK_DETECTOR_TUNNEL, 60},     /* data goes out */
    {SEK_DETECTOR_BEACON, 34},     /* updates, sensors and chat are regular, too */
    {SEK_DETECTOR_NXBURST, 25},    /* mistyped search lists and crawlers make them as well */
    {SEK_DETECTOR_FASTFLUX, 45},   /* few ask for such a domain by chance */
    {SEK_DETECTOR_SHORTLIVED, 20}, /* campaigns and tests are gone soon as well */
    {SEK_DETECTOR_SURGE, 15},      /* a busy day is one, too */
    {SEK_DETECTOR_NEWRATE, 15},
    {SEK_DETECTOR_BYPASS, 10},    /* against a rule perhaps, but no sign of infection */
    {SEK_DETECTOR_SINKHOLED, 70}, /* somebody made sure that only the infected get there */
    {SEK_DETECTOR_UDR, 5},        /* who asked is a victim at most */
    {0, 30},
};

/* … and of hits: weight · log2(1 + n / unit), at most `most`. */
static const struct {
    double weight, unit, most;
} many_weights[SEK_N_RISK_PARTS] = {
    [SEK_RISK_FINDING] = {0, 1, INFINITY}, /* for sek_risk_most: findings have no most */
    [SEK_RISK_BLOCKED] = {6, 1, 40},       [SEK_RISK_MONITORED] = {3, 1, 20},
    [SEK_RISK_DGA] = {4, 1, 30},           [SEK_RISK_NOD] = {2, 1, 10},
    [SEK_RISK_NEW] = {2, 10, 10},
};

double sek_risk_decay(int64_t age_s, int64_t half_life_s)
{
    return age_s <= 0 ? 1 : exp2(-(double)age_s / (double)half_life_s);
}

double sek_risk_finding(int detector, double confidence)
{
    unsigned i = 0;

    while (finding_weights[i].detector && finding_weights[i].detector != detector)
        i++;
    if (!(confidence > 0)) /* nor a number that is none */
        return 0;
    return finding_weights[i].points * (confidence < 1 ? confidence : 1);
}

double sek_risk_many(enum sek_risk_part part, double n)
{
    if (!(n > 0))
        return 0;
    double points = many_weights[part].weight * log2(1 + n / many_weights[part].unit);
    return points < many_weights[part].most ? points : many_weights[part].most;
}

double sek_risk_most(enum sek_risk_part part)
{
    return many_weights[part].most;
}

double sek_risk_score(double points)
{
    return points > 0 ? 100 * (1 - exp(-points / SCALE)) : 0;
}
