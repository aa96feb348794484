/* SPDX-License-Identifier: BSD-3-Clause */
/* What feeds there are, and what came of them. */
#include "base/duration.h"
#include "tools/change/change.h"
#include "tools/command.h"
#include "tools/feeds/feedview.h"
#include "tools/feeds/fetch.h"
#include "policy/reader.h"
#include "tools/print/talk.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(feed_list);
SEK_COMMAND(feed_show);

const struct sek_arg sek_cmd_feed_list_args[] = {{0}};
const struct sek_arg sek_cmd_feed_show_args[] = {{0}};

/* Both show the same columns; the table of all feeds leaves most to programs. */
enum {
    F_NAME,
    F_SOURCE,
    F_MODE,
    F_ENTRIES,
    F_OUTCOME,
    F_GOOD_AGE,
    F_GOOD,
    F_TRIED,
    F_CHANGED,
    F_DUE_IN,
    F_DUE,
    F_EXPIRES,
    F_EXPIRED,
    F_ADDED,
    F_REMOVED,
    F_SERIAL,
    F_OCTETS,
    F_TOOK,
    F_REFRESH,
    F_RETRY,
    F_EXPIRE,
    F_ON_EXPIRY,
    F_FORMAT,
    F_KEY,
    F_USER,
    F_TIMEOUT,
    F_MAX,
    F_TROUBLE,
    F_SOA_REFRESH,
    F_SOA_RETRY,
    F_SOA_EXPIRE,
    F_COLS
};
#define M SEK_COL_MACHINE
static const struct sek_col cols[] = {
    [F_NAME] = {"feed", "Feed", SEK_COL_TEXT},
    [F_SOURCE] = {"source", "From", SEK_COL_TEXT},
    [F_MODE] = {"mode", "Mode", SEK_COL_TEXT},
    [F_ENTRIES] = {"entries", "Entries", SEK_COL_UINT},
    [F_OUTCOME] = {"outcome", "Last try", SEK_COL_TEXT},
    [F_GOOD_AGE] = {"good_age_s", "Good", SEK_COL_DURATION, "never", 0, SEK_COL_PEOPLE},
    [F_GOOD] = {"good", "Last good one (UTC)", SEK_COL_TIME, "never", 0, M},
    [F_TRIED] = {"tried", "Tried (UTC)", SEK_COL_TIME, "never", 0, M},
    [F_CHANGED] = {"changed", "Changed (UTC)", SEK_COL_TIME, "never", 0, M},
    [F_DUE_IN] = {"due_in_s", "Due in", SEK_COL_DURATION, "-", 0, SEK_COL_PEOPLE},
    [F_DUE] = {"due", "Due (UTC)", SEK_COL_TIME, NULL, 0, M},
    [F_EXPIRES] = {"expires", "Expires (UTC)", SEK_COL_TIME, NULL, 0, M},
    [F_EXPIRED] = {"expired", "Expired", SEK_COL_FLAG, NULL, 0, M},
    [F_ADDED] = {"added", "Added", SEK_COL_UINT},
    [F_REMOVED] = {"removed", "Removed", SEK_COL_UINT},
    [F_SERIAL] = {"serial", "Serial", SEK_COL_UINT, NULL, 0, SEK_COL_FILLED},
    [F_OCTETS] = {"octets", "Size", SEK_COL_OCTETS, NULL, 0, M},
    [F_TOOK] = {"took_ms", "Took (ms)", SEK_COL_UINT, NULL, 0, M},
    [F_REFRESH] = {"refresh_s", "Refresh", SEK_COL_DURATION, NULL, 0, M},
    [F_RETRY] = {"retry_s", "Retry", SEK_COL_DURATION, NULL, 0, M},
    [F_EXPIRE] = {"expire_s", "Expires after", SEK_COL_DURATION, NULL, 0, M},
    [F_ON_EXPIRY] = {"on_expiry", "On expiry", SEK_COL_TEXT, NULL, 0, M},
    [F_FORMAT] = {"format", "Format", SEK_COL_TEXT, NULL, 0, M},
    [F_KEY] = {"key", "Key", SEK_COL_TEXT, NULL, 0, M},
    [F_USER] = {"user", "Runs as", SEK_COL_TEXT, NULL, 0, M},
    [F_TIMEOUT] = {"timeout_s", "Time-out", SEK_COL_DURATION, NULL, 0, M},
    [F_MAX] = {"max_octets", "Largest size", SEK_COL_OCTETS, NULL, 0, M},
    [F_TROUBLE] = {"trouble", "Trouble", SEK_COL_TEXT, NULL, 0, SEK_COL_FILLED},
    [F_SOA_REFRESH] = {"soa_refresh_s", "Refresh in its SOA", SEK_COL_DURATION, NULL, 0, M},
    [F_SOA_RETRY] = {"soa_retry_s", "Retry in its SOA", SEK_COL_DURATION, NULL, 0, M},
    [F_SOA_EXPIRE] = {"soa_expire_s", "Expire in its SOA", SEK_COL_DURATION, NULL, 0, M},
};
#undef M

static void put_time(struct sek_out *o, unsigned col, int64_t time_s)
{
    if (time_s > 0 && time_s != INT64_MAX)
        sek_out_int(o, col, time_s);
}

static void put_soa(struct sek_out *o, unsigned col, int64_t time_s)
{
    if (time_s > 0)
        sek_out_int(o, col, time_s);
}

static void put_times(struct sek_context *c, const struct sek_feed_row *row)
{
    struct sek_out *o = c->out;
    int64_t due_s = sek_feed_due_s(row, c->now_s);
    if (row->good_s)
        sek_out_int(o, F_GOOD_AGE, c->now_s > row->good_s ? c->now_s - row->good_s : 0);
    put_time(o, F_GOOD, row->good_s);
    put_time(o, F_TRIED, row->tried_s);
    put_time(o, F_CHANGED, row->changed_s);
    if (due_s != INT64_MAX)
        sek_out_int(o, F_DUE_IN, due_s > c->now_s ? due_s - c->now_s : 0);
    put_time(o, F_DUE, due_s);
    put_time(o, F_EXPIRES, sek_feed_expires_s(row));
    sek_out_flag(o, F_EXPIRED, c->now_s > sek_feed_expires_s(row));
    sek_out_int(o, F_REFRESH, sek_feed_refresh_s(row));
    sek_out_int(o, F_RETRY, sek_feed_retry_s(row));
    sek_out_int(o, F_EXPIRE, sek_feed_expire_s(row));
    put_soa(o, F_SOA_REFRESH, row->soa_refresh_s);
    put_soa(o, F_SOA_RETRY, row->soa_retry_s);
    put_soa(o, F_SOA_EXPIRE, row->soa_expire_s);
}

static void put_outcome(struct sek_context *c, const struct sek_feed_row *row)
{
    struct sek_out *o = c->out;
    char trouble[560];
    enum sek_feed_health health = sek_feedview_health(row, c->now_s, trouble, sizeof trouble);
    enum sek_tint tint = health == SEK_FEED_EXPIRED   ? SEK_TINT_BAD
                         : health == SEK_FEED_FAILING ? SEK_TINT_WARN
                                                      : SEK_TINT_NONE;
    sek_out_text(o, F_OUTCOME, sek_lookup_name(sek_feed_outcome_names, row->outcome));
    sek_out_tint(o, F_OUTCOME, tint);
    if (row->changed_s) {
        sek_out_uint(o, F_ADDED, row->n_added);
        sek_out_uint(o, F_REMOVED, row->n_removed);
    }
    if (row->serial >= 0)
        sek_out_uint(o, F_SERIAL, (uint64_t)row->serial);
    if (row->good_s) {
        sek_out_uint(o, F_OCTETS, row->n_octets);
        sek_out_uint(o, F_TOOK, row->took_ms);
    }
    sek_out_text(o, F_TROUBLE, *trouble ? trouble : NULL);
    sek_out_tint(o, F_TROUBLE, tint);
    if (health == SEK_FEED_EXPIRED)
        sek_talk("feed %s: %s", row->list.list.name, trouble);
}

static bool put_feed(void *arg, const struct sek_feed_row *row)
{
    struct sek_context *c = arg;
    struct sek_out *o = c->out;
    char source[600], key[sizeof row->tsig];
    sek_out_text(o, F_NAME, row->list.list.name);
    sek_out_text(o, F_SOURCE, sek_fetch_source(row, source, sizeof source));
    sek_out_text(o, F_MODE, sek_lookup_name(sek_mode_names, row->list.list.mode));
    sek_out_uint(o, F_ENTRIES, row->list.list.n_entries);
    put_times(c, row);
    sek_out_text(o, F_ON_EXPIRY, sek_lookup_name(sek_feed_expiry_names, row->on_expiry));
    sek_out_text(o, F_FORMAT, sek_lookup_name(sek_format_names, row->format));
    snprintf(key, sizeof key, "%s", row->tsig);
    sek_out_text(o, F_KEY, *key ? key : NULL);
    sek_out_text(o, F_USER, *row->user ? row->user : NULL);
    sek_out_int(o, F_TIMEOUT, row->timeout_s);
    sek_out_uint(o, F_MAX, row->max_octets);
    put_outcome(c, row);
    return sek_out_row(o);
}

enum sek_err sek_cmd_feed_list(struct sek_context *c)
{
    const struct sek_conf *conf;
    struct sek_policydb *db = NULL;
    enum sek_err err = sek_change_look(c, &conf, &db);
    if (err)
        return err;
    sek_out_begin(c->out, "sekisho.feeds/1", cols, F_COLS, SEK_OUT_ROWS);
    err = sek_feeds(db, put_feed, c, &c->diag);
    struct sek_diag end;
    enum sek_err end_err = sek_out_end(c->out, err ? &end : &c->diag);
    sek_policydb_close(db);
    return err ? err : end_err;
}

enum sek_err sek_cmd_feed_show(struct sek_context *c)
{
    const struct sek_conf *conf;
    struct sek_policydb *db = NULL;
    struct sek_col all[F_COLS];
    struct sek_feed_row *row = calloc(1, sizeof *row);
    if (!row)
        return sek_diag_set(&c->diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    enum sek_err err = sek_change_look(c, &conf, &db);
    if (!err)
        err = sek_feed_get(db, c->args[0], row, &c->diag);
    sek_policydb_close(db);
    if (err == SEK_E_NOTFOUND && db) {
        free(row);
        return sek_context_none(
            c, "there is no feed %.64s; sekisho feed list names those there are", c->args[0]);
    }
    if (!err) {
        memcpy(all, cols, sizeof all);
        for (unsigned i = 0; i < F_COLS; i++)
            if (all[i].place == SEK_COL_MACHINE)
                all[i].place = SEK_COL_BOTH;
        sek_out_begin(c->out, "sekisho.feed/1", all, F_COLS, SEK_OUT_RECORD);
        put_feed(c, row);
        err = sek_out_end(c->out, &c->diag);
    }
    free(row);
    return err;
}
