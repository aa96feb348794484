/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/health.h"
#include <stdint.h>
#include <stdio.h>
#include "base/banned.h"

#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 10000
#define BUSY_TELL_MS 2000 /* somebody else's short lock is no news */
#define LOST_TELL_MS 60000

void sek_health_init(struct sek_health *h, struct sek_status_page *status, sek_say_fn *say,
                     void *arg, int64_t now_ms)
{
    *h = (struct sek_health){.status = status,
                             .say = say,
                             .arg = arg,
                             .well_ms = INT64_MAX,
                             .lost_told_ms = now_ms - LOST_TELL_MS};
}

void sek_health_say(struct sek_health *h, bool trouble, const char *text)
{
    if (h->say)
        h->say(h->arg, trouble, text);
}

static void set_state(struct sek_health *h, enum sek_part_state state, const char *text)
{
    atomic_store_explicit(&h->status->events_state, state, memory_order_relaxed);
    sek_status_set_text(h->status, h->status->events_text, text);
}

void sek_health_opened(struct sek_health *h)
{
    if (!h->failing)
        set_state(h, SEK_PART_OK, h->note);
}

void sek_health_failed(struct sek_health *h, const struct sek_diag *diag, int64_t now_ms)
{
    char text[sizeof diag->text + 64];
    atomic_fetch_add_explicit(&h->status->counter[SEK_COUNTER_DB_ERRORS], 1, memory_order_relaxed);
    if (!h->failing) {
        h->failing = true;
        h->failing_since_ms = now_ms;
        h->backoff_ms = BACKOFF_MIN_MS;
    } else {
        h->backoff_ms = h->backoff_ms * 2 < BACKOFF_MAX_MS ? h->backoff_ms * 2 : BACKOFF_MAX_MS;
    }
    h->retry_ms = now_ms + h->backoff_ms;
    if (diag->code == SEK_E_BUSY && now_ms - h->failing_since_ms < BUSY_TELL_MS)
        return;
    set_state(h, SEK_PART_FAILED, diag->text);
    h->well_ms = INT64_MAX;
    if (h->told)
        return;
    h->told = true;
    snprintf(text, sizeof text, "events wait in memory: %s", diag->text);
    sek_health_say(h, true, text);
}

void sek_health_stored(struct sek_health *h, int64_t now_ms)
{
    if (h->failing)
        set_state(h, SEK_PART_OK, h->note);
    if (h->told && h->well_ms == INT64_MAX)
        h->well_ms = now_ms + SEK_HEALTH_WELL_MS;
    h->failing = false;
    h->retry_ms = 0;
}

static void tell_end(struct sek_health *h, int64_t now_ms, bool last)
{
    if (!h->told || h->failing || (now_ms < h->well_ms && !last))
        return;
    sek_health_say(h, false, "events are stored again");
    h->told = false;
    h->well_ms = INT64_MAX;
}

void sek_health_aside(struct sek_health *h, const char *aside)
{
    snprintf(h->note, sizeof h->note, "damaged events database put aside as %s, a new one begun",
             aside);
    set_state(h, SEK_PART_OK, h->note);
    sek_health_say(h, true, h->note);
}

static uint64_t counted(const struct sek_health *h, enum sek_counter c)
{
    return atomic_load_explicit(&h->status->counter[c], memory_order_relaxed);
}

static void tell_lost(struct sek_health *h, int64_t now_ms)
{
    char text[160];
    uint64_t ring = counted(h, SEK_COUNTER_RING_DROPPED);
    uint64_t hits = counted(h, SEK_COUNTER_TALLY_LOST_HITS);
    uint64_t findings = counted(h, SEK_COUNTER_FINDINGS_LOST);
    if (ring + hits + findings <= h->lost_told || now_ms - h->lost_told_ms < LOST_TELL_MS)
        return;
    h->lost_told = ring + hits + findings;
    h->lost_told_ms = now_ms;
    snprintf(text, sizeof text,
             "events lost since start: %llu in full rings, %llu hits for lack of memory, "
             "%llu findings",
             (unsigned long long)ring, (unsigned long long)hits, (unsigned long long)findings);
    sek_health_say(h, true, text);
}

void sek_health_tell(struct sek_health *h, int64_t now_ms, bool last)
{
    tell_end(h, now_ms, last);
    tell_lost(h, now_ms);
}
