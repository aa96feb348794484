/* SPDX-License-Identifier: BSD-3-Clause */
#include "watch/payload.h"
#include <math.h>
#include <string.h>
#include "base/banned.h"

const int64_t sek_span_ms[SEK_N_SPANS] = {60000, 3600000, 86400000};

float sek_window_add(struct sek_window *w, int64_t span_ms, int64_t time_ms, float amount)
{
    enum { N = SEK_WINDOW_STEPS + 1 };
    int64_t step_ms = span_ms / SEK_WINDOW_STEPS, index = time_ms / step_ms;
    float sum = 0, over = 1;
    if (index > w->index + N)
        memset(w->step, 0, sizeof w->step);
    for (int64_t i = w->index + 1; i <= index && i <= w->index + N; i++)
        w->step[i % N] = 0;
    if (index > w->index)
        w->index = index;
    if (index == w->index)
        over = (float)(time_ms % step_ms) / (float)step_ms;
    w->step[w->index % N] += amount;
    for (int i = 0; i < N; i++)
        sum += w->step[i];
    return sum - w->step[(w->index + 1) % N] * over;
}

unsigned sek_payload_octets(const struct sek_name *name, unsigned domain_labels, float *out_weight)
{
    uint8_t count[256] = {0};
    unsigned n = 0;
    float sum = 0;
    for (unsigned label = 0; label < domain_labels; label++) {
        const uint8_t *at = name->octets + name->offset[label];
        for (unsigned i = 1; i <= at[0]; i++)
            count[at[i]]++;
        n += at[0];
    }
    for (unsigned c = 0; c < 256; c++)
        if (count[c] > 1)
            sum += (float)count[c] * log2f(count[c]);
    float entropy = n ? log2f((float)n) - sum / (float)n : 0;
    *out_weight = entropy < SEK_PAYLOAD_ENTROPY ? entropy / SEK_PAYLOAD_ENTROPY : 1;
    return n;
}

static void note_alphabet(struct sek_payload *p, const struct sek_name *name,
                          unsigned domain_labels)
{
    for (unsigned label = 0; label < domain_labels; label++) {
        const uint8_t *at = name->octets + name->offset[label];
        for (unsigned i = 1; i <= at[0]; i++)
            p->alphabet[at[i] / 8] |= (uint8_t)(1u << at[i] % 8);
    }
}

bool sek_payload_add(struct sek_payload *p, const struct sek_name *name, unsigned domain_labels,
                     uint64_t hash, int64_t time_ms)
{
    float weight;
    p->n_asked++;
    if (sek_sketch_knows(&p->sketch, p->bits, SEK_PAYLOAD_NAMES, hash, true))
        return false;
    unsigned octets = sek_payload_octets(name, domain_labels, &weight);
    p->n_names++;
    p->octets += octets;
    note_alphabet(p, name, domain_labels);
    sek_payload_more(p, time_ms, weight * (float)octets);
    return true;
}

void sek_payload_more(struct sek_payload *p, int64_t time_ms, float weight)
{
    for (unsigned i = 0; i < SEK_N_SPANS; i++)
        p->sum[i] = sek_window_add(&p->window[i], sek_span_ms[i], time_ms, weight);
}

uint64_t sek_payload_out(const struct sek_payload *p)
{
    unsigned letters = 0;
    for (unsigned i = 0; i < sizeof p->alphabet; i++)
        letters += (unsigned)__builtin_popcount(p->alphabet[i]);
    return letters > 1 ? (uint64_t)((double)p->octets * log2(letters) / 8) : 0;
}

bool sek_payload_is_sound(const struct sek_payload *p, const struct sek_lapse *lapse)
{
    bool sound = sek_sketch_is_sound(&p->sketch, SEK_PAYLOAD_NAMES) && sek_kept_count(p->n_asked) &&
                 sek_kept_count(p->n_names) && sek_kept_count(p->octets);
    for (unsigned i = 0; sound && i < SEK_N_SPANS; i++) {
        int64_t step_ms = sek_span_ms[i] / SEK_WINDOW_STEPS, index = p->window[i].index;
        sound = sek_kept_number(p->sum[i]) && index >= 0 && index <= INT64_MAX / sek_span_ms[i] &&
                sek_kept_time(index * step_ms, lapse);
        for (unsigned k = 0; sound && k <= SEK_WINDOW_STEPS; k++)
            sound = sek_kept_number(p->window[i].step[k]);
    }
    return sound;
}
