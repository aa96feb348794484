/* SPDX-License-Identifier: BSD-3-Clause */
#include "patterncost.h"
#include "name/text.h"
#include "policy/policy.h"
#include "tools/print/talk.h"
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include "base/banned.h"

#define ROUNDS 300

/* Of the lengths and forms that names have. */
static const char *const samples[] = {
    "example.com",
    "www.example.com",
    "a1b2.cdn.example.net",
    "mail-relay-03.eu-west.example.org",
    "r3---sn-4g5e6nsz.video.example.com",
    "5c0f8a91d2e74b6b9d1c.telemetry.example.io",
    "ads7.tracker-metrics.example.co.uk",
    "4.3.2.1.in-addr.arpa",
};
#define N_SAMPLES (sizeof samples / sizeof samples[0])

static void ignore(void *arg, const struct sek_met *met)
{
    (void)arg, (void)met;
}

static double ns_a_name(const struct sek_policy *policy)
{
    struct sek_name names[N_SAMPLES];
    struct timespec from, to;
    for (size_t i = 0; i < N_SAMPLES; i++)
        sek_name_from_text(samples[i], strlen(samples[i]), &names[i], NULL);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
    for (size_t i = 0; i < ROUNDS * N_SAMPLES; i++)
        sek_policy_match(policy, &names[i % N_SAMPLES], ignore, NULL);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
    return ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) /
           (ROUNDS * N_SAMPLES);
}

void sek_pattern_cost_tell(const struct sek_conf *conf)
{
    struct sek_policy *policy;
    if (sek_policy_open_mapped(conf->policy.dir, &policy, NULL))
        return;
    uint32_t n = sek_policy_n_patterns(policy);
    if (n)
        sek_talk("%" PRIu32 " regular expression%s compiled: automata of %zu KiB, about %.1f µs "
                 "for a name that the cache does not answer",
                 n, n == 1 ? " is" : "s are", sek_policy_patterns_octets(policy) / 1024,
                 ns_a_name(policy) / 1000);
    else if (*sek_policy_trouble(policy))
        sek_talk("%s", sek_policy_trouble(policy));
    sek_policy_close(policy);
}
