/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/pace.h"
#include "base/banned.h"

#define IDLE_SLEEP_MS 20
#define DRAIN_RATE 16384 /* octets a millisecond that a worker may fill: 200,000 events/s */
#define LOSS_MS 900      /* between two commits at most, so that a kill loses a second at most */
#define BUSY_SHARE 20    /* a commit is long when it takes more than this part of the pause */

int64_t sek_pace_sleep_ms(uint64_t ring_octets, uint64_t octets, int64_t passed_ms)
{
    int64_t most = (int64_t)(ring_octets / DRAIN_RATE);
    if (octets) {
        int64_t full_ms = (int64_t)(ring_octets * (uint64_t)(passed_ms + 1) / octets);
        most = most < full_ms / 4 ? most : full_ms / 4;
    }
    return most < 1 ? 1 : most < IDLE_SLEEP_MS ? most : IDLE_SLEEP_MS;
}

int64_t sek_pace_flush_ms(int64_t flush_ms, int64_t store_ms)
{
    int64_t longest = LOSS_MS - 2 * store_ms;
    return store_ms * BUSY_SHARE > flush_ms && longest > flush_ms ? longest : flush_ms;
}
