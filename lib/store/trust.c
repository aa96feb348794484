/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/trust.h"
#include "base/banned.h"

void sek_trust_init(struct sek_trust *t, int64_t real_ms, int64_t mono_ms)
{
    t->from_ms = mono_ms + SEK_TRUST_AFTER_MS;
    t->offset_ms = real_ms - mono_ms;
}

int64_t sek_trust_now_s(struct sek_trust *t, int64_t real_ms, int64_t mono_ms, bool *out_jumped)
{
    int64_t offset = real_ms - mono_ms, jump = offset - t->offset_ms;
    t->offset_ms = offset;
    *out_jumped = jump > SEK_TRUST_JUMP_MS || jump < -SEK_TRUST_JUMP_MS;
    if (*out_jumped)
        t->from_ms = mono_ms + SEK_TRUST_AFTER_MS;
    return mono_ms < t->from_ms ? 0 : real_ms / 1000;
}
