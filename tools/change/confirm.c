/* SPDX-License-Identifier: BSD-3-Clause */
#include "confirm.h"
#include "event/status.h"
#include "tools/print/talk.h"
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include "base/banned.h"

#define STEP_MS 5

static int64_t clock_ms(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

static void tell_done(const struct sek_status_page *now, int64_t waited_ms)
{
    uint64_t purged = now->last_purged;
    uint32_t threads = now->n_threads;
    sek_talk("in force on %" PRIu32 " thread%s after %" PRId64 " ms; %" PRIu64
             " cache entr%s removed",
             threads, plural(threads), waited_ms, purged, purged == 1 ? "y" : "ies");
}

static enum sek_err not_confirmed(const struct sek_status_page *now, uint64_t generation,
                                  struct sek_diag *diag)
{
    const char *text = now->policy_text;
    return sek_diag_set(
        diag, SEK_E_BUSY,
        "compiled, but the resolver (process %" PRIu32 ") has not taken it over within %d s: %s%s"
        "it uses generation %" PRIu64 ", not %" PRIu64 "; see sekisho status and sekisho check",
        now->pid, SEK_CONFIRM_MS / 1000, text, *text ? "; " : "", (uint64_t)now->in_force,
        generation);
}

/* A new page may take the place of the one that was opened (the resolver starts again), so it is
 * opened at every look; a look costs some microseconds. */
static enum sek_err look(const struct sek_conf *conf, struct sek_status_page *out, bool *out_alive,
                         struct sek_diag *diag)
{
    const struct sek_status_page *page;
    *out_alive = false;
    enum sek_err err = sek_status_open(conf->status.path, &page, diag);
    if (err == SEK_E_NOTFOUND)
        return SEK_OK;
    if (err)
        return err;
    sek_status_read(page, out);
    *out_alive = sek_status_alive(page, clock_ms(CLOCK_REALTIME));
    sek_status_close(page);
    return SEK_OK;
}

uint64_t sek_confirm_seen(const struct sek_conf *conf)
{
    struct sek_status_page now;
    bool alive;
    if (look(conf, &now, &alive, NULL) || !alive)
        return 0;
    return now.generation > now.in_force ? now.generation : now.in_force;
}

void sek_confirm_tell_recent(const struct sek_conf *conf)
{
    struct sek_status_page now;
    bool alive;
    if (!look(conf, &now, &alive, NULL) && alive)
        sek_talk("queries of the last seconds may not be recorded yet");
}

enum sek_err sek_confirm_wait(const struct sek_conf *conf, uint64_t generation, bool quiet,
                              struct sek_diag *diag)
{
    struct sek_status_page now;
    const struct timespec step = {.tv_nsec = STEP_MS * 1000000L};
    int64_t begun_ms = clock_ms(CLOCK_MONOTONIC);
    for (;;) {
        bool alive;
        enum sek_err err = look(conf, &now, &alive, diag);
        if (err)
            return sek_diag_wrap(diag, "compiled, but the resolver's state cannot be read");
        if (!alive) {
            if (!quiet)
                sek_talk("the resolver is not running: in force from its next start");
            return SEK_OK;
        }
        int64_t waited_ms = clock_ms(CLOCK_MONOTONIC) - begun_ms;
        if (now.in_force >= generation) {
            if (!quiet)
                tell_done(&now, waited_ms);
            return SEK_OK;
        }
        if (waited_ms >= SEK_CONFIRM_MS)
            return not_confirmed(&now, generation, diag);
        nanosleep(&step, NULL);
    }
}
