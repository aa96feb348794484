/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/pace.h"
#include "base/banned.h"

#define LONGEST_MS 100 /* a wake costs more than a hundred events, and readers wait seconds */
#define FILLED_OCTETS ((uint64_t)128 << 10) /* a processor has them at hand still */
#define DRAIN_RATE 16384 /* octets a millisecond that a worker may fill: 200,000 events/s */
#define LOSS_MS 900      /* between two commits at most, so that a kill loses a second at most */
#define BUSY_SHARE 20    /* a commit is long when it takes more than this part of the pause */

int64_t sek_pace_sleep_ms(uint64_t ring_octets, uint64_t octets, int64_t passed_ms)
{
    uint64_t most = ring_octets / 2 / DRAIN_RATE;
    uint64_t wanted = ring_octets / 4 < FILLED_OCTETS ? ring_octets / 4 : FILLED_OCTETS;
    uint64_t filled_ms = octets ? wanted * (uint64_t)(passed_ms + 1) / octets : LONGEST_MS;
    most = most < filled_ms ? most : filled_ms;
    return most < 1 ? 1 : most < LONGEST_MS ? (int64_t)most : LONGEST_MS;
}

int64_t sek_pace_flush_ms(int64_t flush_ms, int64_t store_ms)
{
    int64_t longest = LOSS_MS - 2 * store_ms;
    return store_ms * BUSY_SHARE > flush_ms && longest > flush_ms ? longest : flush_ms;
}
