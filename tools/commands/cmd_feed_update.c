/* SPDX-License-Identifier: BSD-3-Clause */
/* Bringing feeds up to date: fetch, judge, store, one transaction a feed. Run by a timer, by hand,
 * or in a loop of its own. */
#include "base/duration.h"
#include "base/file.h"
#include "tools/command.h"
#include "tools/feeds/fetch.h"
#include "tools/change/supply.h"
#include "tools/print/talk.h"
#include "tools/roles.h"
#include "transfer/digest.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "base/banned.h"

SEK_COMMAND(feed_update);

enum { OPT_WATCH, OPT_FORCE, OPT_VERBOSE, OPT_DRY_RUN, OPT_REASON, N_OPTS };
const struct sek_arg sek_cmd_feed_update_args[] = {
    [OPT_WATCH] = {"watch", 0, SEK_ARG_FLAG, NULL, "go on: update each feed when it is due"},
    [OPT_FORCE] = {"force", 0, SEK_ARG_FLAG, NULL,
                   "fetch all of it, and take it however implausible it is; public suffixes too"},
    [OPT_VERBOSE] = {"verbose", 'v', SEK_ARG_FLAG, NULL,
                     "every name that comes or goes and every line skipped, not only 20"},
    [OPT_DRY_RUN] = {"dry-run", 'n', SEK_ARG_FLAG, NULL, "print what would change, write nothing"},
    [OPT_REASON] = SEK_REASON_ROW,
    [N_OPTS] = {0},
};

#define SHOWN 20        /* names of each kind */
#define WATCH_STEP_S 10 /* new feeds, and those due by a change of settings, are seen then */

struct update {
    struct sek_context *c;
    const struct sek_conf *conf;
    struct sek_feed_row row; /* the feed at hand */
    struct sek_fetched got;
    struct sek_buf zone; /* that is kept */
    uint8_t digest[SEK_DIGEST_OCTETS];
    int64_t begun_ms;
    bool force, verbose, dry_run;
    unsigned n_failed;
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool is_same(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, SEK_DIGEST_OCTETS) == 0;
}

/* Fetching */

/* What is kept of the zone, to ask for changes of. */
static enum sek_err zone_load(struct update *u)
{
    struct sek_policydb *db = NULL;
    if (u->row.kind != SEK_FEED_TRANSFER)
        return SEK_OK;
    enum sek_err err = sek_policydb_open(u->conf->policy.db, false, &db, &u->c->diag);
    if (!err)
        err = sek_feed_zone_get(db, u->row.list.list.id, &u->zone, &u->c->diag);
    sek_policydb_close(db);
    if (err) /* with --force it is not needed: a damaged one may be replaced */
        sek_buf_reset(&u->zone);
    return err == SEK_E_NOTFOUND || u->force ? SEK_OK : err;
}

/* Standard input may be a pipe, and is read twice: for the digest, and for its names. */
static enum sek_err input_fetch(struct update *u)
{
    struct sek_buf text;
    snprintf(u->got.label, sizeof u->got.label, "standard input");
    sek_buf_init(&text, (size_t)u->row.max_octets);
    enum sek_err err = sek_file_read(STDIN_FILENO, &text, &u->c->diag);
    if (err)
        sek_diag_wrap(&u->c->diag, "%s", u->got.label);
    u->got.fd = err ? -1 : memfd_create("feed", MFD_CLOEXEC);
    if (!err && u->got.fd < 0)
        err = sek_diag_set(&u->c->diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    if (!err)
        err = sek_file_write(u->got.fd, text.data, text.len, &u->c->diag);
    if (!err)
        lseek(u->got.fd, 0, SEEK_SET);
    sek_buf_fini(&text);
    return err;
}

static enum sek_err fetch(struct update *u, bool from_input)
{
    struct sek_progress progress;
    u->got = (struct sek_fetched){.fd = -1};
    sek_buf_reset(&u->zone);
    if (from_input)
        return input_fetch(u);
    enum sek_err err = zone_load(u);
    if (err)
        return err;
    sek_progress_begin(&progress, "fetching");
    err = sek_fetch(&u->row, u->conf->feeds.user, u->zone.len ? &u->zone : NULL, u->force, &u->got,
                    &u->c->diag);
    sek_progress_end(&progress);
    return err;
}

/* Storing */

/* What everything that worked has in common. */
static void note_good(struct update *u, bool changed)
{
    struct sek_feed_row *row = &u->row;
    row->outcome = changed ? SEK_FEED_UPDATED : SEK_FEED_UNCHANGED;
    row->error[0] = '\0';
    row->good_s = row->tried_s;
    row->took_ms = (uint64_t)(now_ms() - u->begun_ms);
    if (row->kind != SEK_FEED_TRANSFER || u->got.transfer.kind == 0)
        return;
    row->soa_refresh_s = u->got.transfer.soa.refresh_s;
    row->soa_retry_s = u->got.transfer.soa.retry_s;
    row->soa_expire_s = u->got.transfer.soa.expire_s;
    if (u->got.transfer.kind != SEK_TRANSFER_CURRENT)
        row->serial = u->got.transfer.soa.serial;
}

/* Is what was fetched of the feed as it is now, and newer than what it has? */
static bool is_as_fetched(const struct update *u, const struct sek_feed_row *now)
{
    return now->list.list.id == u->row.list.list.id && now->good_s == u->row.good_s &&
           now->format == u->row.format && !sek_feed_is_elsewhere(now, &u->row);
}

/* The feed as it is now: somebody may have changed or updated it meanwhile. */
static enum sek_err settle(struct update *u, struct sek_change *ch, struct sek_feed_row *now)
{
    enum sek_err err = sek_feed_get(ch->db, u->row.list.list.name, now, &u->c->diag);
    if (err)
        return err;
    if (!is_as_fetched(u, now))
        return sek_diag_set(&u->c->diag, SEK_E_BUSY,
                            "another command changed or updated feed %s meanwhile; try again",
                            u->row.list.list.name);
    return SEK_OK;
}

/* Its expiry had switched the list off: it is good again. Who set a mode by hand keeps it. */
static enum sek_err mode_restore(struct update *u, struct sek_change *ch, struct sek_list_row *list)
{
    int mode = u->row.mode_before;
    u->row.mode_before = -1;
    if (mode < 0 || list->list.mode != SEK_MODE_OFF)
        return SEK_OK;
    list->list.mode = (uint8_t)mode;
    list->changed_s = u->c->now_s;
    sek_talk("feed %s: its list is in mode %s again", list->list.name,
             sek_lookup_name(sek_mode_names, mode));
    return sek_policydb_list_set(ch->db, list, &u->c->diag);
}

static enum sek_err zone_keep(struct update *u, struct sek_change *ch)
{
    struct sek_buf text;
    if (u->row.kind != SEK_FEED_TRANSFER || u->got.transfer.kind == 0)
        return SEK_OK;
    sek_buf_init(&text, 0);
    enum sek_err err = SEK_OK;
    if (lseek(u->got.fd, 0, SEEK_SET) != 0)
        err = sek_diag_set(&u->c->diag, SEK_E_IO, "cannot read the zone again");
    if (!err)
        err = sek_file_read(u->got.fd, &text, &u->c->diag);
    if (!err)
        err = sek_feed_zone_put(ch->db, u->row.list.list.id, text.data, text.len, &u->c->diag);
    sek_buf_fini(&text);
    return err;
}

static void add_bounded(struct sek_buf *out, const char *what, int64_t own_s, int64_t zone_s,
                        int64_t taken_s)
{
    char zone[24], taken[24];
    if (own_s == 0 && zone_s != taken_s)
        sek_buf_add_fmt(out, "%s%s %s (taken as %s)", out->len ? ", " : "", what,
                        sek_duration_to_text(zone_s, zone, sizeof zone),
                        sek_duration_to_text(taken_s, taken, sizeof taken));
}

/* A zone's own times that are not taken as they are, and those that cannot work. */
static void tell_soa(const struct update *u)
{
    const struct sek_feed_row *row = &u->row;
    const struct sek_zone_soa *soa = &u->got.transfer.soa;
    int64_t refresh_s = sek_feed_refresh_s(row), expire_s = sek_feed_expire_s(row);
    char expire[24], refresh[24];
    struct sek_buf text;
    sek_buf_init(&text, 0);
    add_bounded(&text, "refresh", row->refresh_s, soa->refresh_s, refresh_s);
    add_bounded(&text, "retry", row->retry_s, soa->retry_s, sek_feed_retry_s(row));
    add_bounded(&text, "expire", row->expire_s, soa->expire_s, expire_s);
    if (text.data && text.len)
        sek_talk("feed %s: the zone's SOA says %s; what sekisho feed set --refresh, --retry and "
                 "--expire say is taken as it is",
                 row->list.list.name, text.data);
    if (expire_s < refresh_s)
        sek_talk("feed %s: it expires after %s, before its next update after %s: sekisho feed set "
                 "--refresh or --expire mends that",
                 row->list.list.name, sek_duration_to_text(expire_s, expire, sizeof expire),
                 sek_duration_to_text(refresh_s, refresh, sizeof refresh));
    sek_buf_fini(&text);
}

static void tell_transfer(const struct update *u)
{
    const struct sek_transfer *t = &u->got.transfer;
    if (u->row.kind != SEK_FEED_TRANSFER || t->kind == 0)
        return;
    if (*t->note)
        sek_talk("feed %s: no IXFR, so AXFR: %s", u->row.list.list.name, t->note);
    sek_talk("feed %s: %s to serial %" PRIu32 ": %" PRIu64 " records added, %" PRIu64
             " removed, %" PRIu64 " octets in %" PRIu64 " message%s",
             u->row.list.list.name, t->kind == SEK_TRANSFER_DELTA ? "IXFR" : "AXFR", t->soa.serial,
             t->change.n_added, t->change.n_removed, t->n_octets, t->n_messages,
             t->n_messages == 1 ? "" : "s");
    if (t->kind != SEK_TRANSFER_CURRENT)
        tell_soa(u);
}

static enum sek_err take(struct update *u, struct sek_change *ch)
{
    struct sek_supply s = {.change = ch,
                           .c = u->c,
                           .list = u->row.list.list.name,
                           .label = u->got.label,
                           .format = (enum sek_format)u->row.format,
                           .force = u->force,
                           .verbose = u->verbose,
                           .limit_growth = true,
                           .mode = -1,
                           .action = -1};
    struct sek_feed_row *now = calloc(1, sizeof *now);
    struct stat st;
    if (!now)
        return sek_diag_set(&u->c->diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    sek_fetch_source(&u->row, s.source, sizeof s.source);
    enum sek_err err = sek_supply_read(&s, u->got.fd);
    if (!err)
        err = sek_change_start(ch);
    if (!err)
        err = settle(u, ch, now);
    if (!err)
        err = sek_supply_store(&s);
    if (!err)
        err = mode_restore(u, ch, &s.row);
    if (!err) {
        bool changed = s.stored.n_added + s.stored.n_removed + s.stored.n_changed > 0;
        note_good(u, changed);
        if (fstat(u->got.fd, &st) == 0)
            u->row.n_octets = (uint64_t)st.st_size;
        u->row.n_added = s.stored.n_added;
        u->row.n_removed = s.stored.n_removed;
        u->row.changed_s = changed ? u->row.tried_s : u->row.changed_s;
        memcpy(u->row.digest, u->digest, sizeof u->row.digest);
        err = sek_feed_note(ch->db, &u->row, &u->c->diag);
    }
    if (!err)
        err = zone_keep(u, ch);
    free(now);
    if (err)
        return err;
    tell_transfer(u);
    sek_supply_tell(&s);
    return sek_change_end(ch);
}

/* The same content as last time: no rule is touched. After a failure the compiled files may lack
 * what was stored. */
static enum sek_err leave(struct update *u, struct sek_change *ch)
{
    struct sek_feed_row *now = calloc(1, sizeof *now);
    if (!now)
        return sek_diag_set(&u->c->diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    enum sek_err err = sek_change_start(ch);
    if (!err)
        err = settle(u, ch, now);
    bool failed = u->row.outcome == SEK_FEED_FAILED || u->row.outcome == SEK_FEED_REFUSED;
    bool publish = u->row.mode_before >= 0 || failed || ch->dry_run;
    if (!err)
        err = mode_restore(u, ch, &now->list);
    note_good(u, false);
    if (!err)
        err = sek_feed_note(ch->db, &u->row, &u->c->diag);
    free(now);
    if (err)
        return err;
    sek_talk("feed %s: unchanged", u->row.list.list.name);
    return publish ? sek_change_end(ch) : sek_policydb_commit(ch->db, &u->c->diag);
}

static enum sek_err digest(struct update *u, bool *out_same)
{
    *out_same = u->got.fd < 0; /* the primary has nothing new */
    if (*out_same)
        return SEK_OK;
    enum sek_err err = sek_digest_file(u->got.fd, u->digest, &u->c->diag);
    *out_same = !err && !u->force && u->row.good_s && is_same(u->digest, u->row.digest);
    return err;
}

/* One feed */

/* Was what this try fetched stored? Then something behind that failed: it is not in force. */
static bool is_stored(const struct update *u, const struct sek_feed_row *now)
{
    return now->list.list.id == u->row.list.list.id && now->tried_s == u->row.tried_s &&
           now->good_s == now->tried_s && !sek_feed_is_elsewhere(now, &u->row);
}

/* To the feed as it is now, unless another command changed or updated it: then the failure is none
 * of it any more. */
static enum sek_err bad_put(const struct update *u, struct sek_policydb *db, int outcome,
                            struct sek_diag *diag)
{
    struct sek_feed_row *now = calloc(1, sizeof *now);
    if (!now)
        return sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    enum sek_err err = sek_feed_get(db, u->row.list.list.name, now, diag);
    if (!err && (is_as_fetched(u, now) || is_stored(u, now))) {
        now->outcome = outcome;
        now->tried_s = u->row.tried_s;
        if (now->good_s > now->tried_s) /* by a clock that was ahead: it would not expire */
            now->good_s = now->tried_s;
        snprintf(now->error, sizeof now->error, "%s", u->c->diag.text);
        err = sek_feed_note(db, now, diag);
    }
    free(now);
    return err;
}

static void note_bad(struct update *u, enum sek_err why)
{
    struct sek_policydb *db = NULL;
    struct sek_diag diag;
    const char *name = u->row.list.list.name;
    bool refused = why == SEK_E_REFUSED || why == SEK_E_CORRUPT;
    u->n_failed++;
    sek_talk("feed %s: %s", name, u->c->diag.text);
    if (u->dry_run)
        return;
    enum sek_err err = sek_policydb_open(u->conf->policy.db, true, &db, &diag);
    if (!err)
        err = sek_policydb_begin(db, &diag);
    if (!err)
        err = bad_put(u, db, refused ? SEK_FEED_REFUSED : SEK_FEED_FAILED, &diag);
    if (!err)
        err = sek_policydb_commit(db, &diag);
    if (err && err != SEK_E_NOTFOUND)
        sek_talk("feed %s: that could not be noted: %s", name, diag.text);
    sek_policydb_close(db);
}

static void update_one(struct update *u, bool from_input)
{
    struct sek_change ch = {.c = u->c};
    const struct sek_feed_row before = u->row;
    bool same = false;
    u->c->now_s = u->row.tried_s = time(NULL);
    u->begun_ms = now_ms();
    enum sek_err err = fetch(u, from_input);
    bool fetched = !err;
    if (!err)
        err = digest(u, &same);
    if (!err)
        err = sek_change_open(&ch, u->c, u->dry_run);
    ch.n_show = u->verbose ? UINT64_MAX : SHOWN;
    if (!err)
        err = same ? leave(u, &ch) : take(u, &ch);
    sek_change_fini(&ch, err);
    sek_fetched_fini(&u->got);
    if (!err)
        return;
    int64_t tried_s = u->row.tried_s;
    u->row = before;
    u->row.tried_s = tried_s;
    note_bad(u, fetched || err == SEK_E_REFUSED ? err : SEK_E_IO);
}

static bool is_expired(const struct sek_feed_row *row, int64_t now_s)
{
    return row->on_expiry == SEK_FEED_OPEN && now_s > sek_feed_expires_s(row) &&
           row->mode_before < 0 && row->list.list.mode != SEK_MODE_OFF;
}

/* Past its expiry: shout, and take it out of force where that is wanted. As it is now: its list may
 * have been changed by hand meanwhile. */
static enum sek_err expire(struct update *u, struct sek_change *ch)
{
    struct sek_feed_row *row = &u->row;
    char age[24], name[sizeof row->list.list.name];
    memcpy(name, row->list.list.name, sizeof name);
    enum sek_err err = sek_feed_get(ch->db, name, row, &u->c->diag);
    if (err || !is_expired(row, u->c->now_s))
        return err;
    row->mode_before = row->list.list.mode;
    row->list.list.mode = SEK_MODE_OFF;
    row->list.changed_s = u->c->now_s;
    err = sek_policydb_list_set(ch->db, &row->list, &u->c->diag);
    if (!err)
        err = sek_feed_note(ch->db, row, &u->c->diag);
    if (err)
        return err;
    sek_change_done(ch, "feed %s EXPIRED (no good update for %s): its list is off",
                    row->list.list.name,
                    sek_duration_to_text(u->c->now_s - (row->good_s ? row->good_s : row->added_s),
                                         age, sizeof age));
    return sek_change_end(ch);
}

static enum sek_err expire_one(struct update *u)
{
    struct sek_change ch = {.c = u->c};
    if (!is_expired(&u->row, u->c->now_s) || u->dry_run)
        return SEK_OK;
    enum sek_err err = sek_change_begin(&ch, u->c, false);
    if (!err)
        err = expire(u, &ch);
    return sek_change_fini(&ch, err);
}

/* Which feeds */

/* One behind the other, each with its zero. Those that could not be fetched come last: one that
 * hangs until its time-out makes no other late. */
struct names {
    struct sek_buf well, failing;
    int64_t now_s, next_s;
};

static bool add_name(void *arg, const struct sek_feed_row *row)
{
    struct names *n = arg;
    int64_t due_s = sek_feed_due_s(row, n->now_s);
    struct sek_buf *to = row->outcome == SEK_FEED_FAILED ? &n->failing : &n->well;
    if (due_s <= n->now_s || is_expired(row, n->now_s))
        sek_buf_add(to, row->list.list.name, strlen(row->list.list.name) + 1);
    if (due_s < n->next_s)
        n->next_s = due_s;
    return true;
}

static enum sek_err look(struct update *u, const char *name)
{
    struct sek_policydb *db = NULL;
    enum sek_err err = sek_policydb_open(u->conf->policy.db, false, &db, &u->c->diag);
    if (!err)
        err = sek_feed_get(db, name, &u->row, &u->c->diag);
    sek_policydb_close(db);
    return err;
}

/* named: whatever it is due. */
static enum sek_err update_name(struct update *u, const char *name, bool named, bool from_input)
{
    enum sek_err err = look(u, name);
    if (err == SEK_E_NOTFOUND)
        return named ? sek_context_none(
                           u->c, "there is no feed %.64s; sekisho feed list names those there are",
                           name)
                     : SEK_OK;
    if (err)
        return err;
    if (named || sek_feed_due_s(&u->row, u->c->now_s) <= u->c->now_s) {
        update_one(u, from_input);
        err = look(u, name);
    }
    return err ? err : expire_one(u);
}

/* What is wrong with one is not the others' business: they would be late for it, round after round.
 */
static void one_of_many(struct update *u, const char *name)
{
    enum sek_err err = update_name(u, name, false, false);
    if (!err || err == SEK_E_NOTFOUND) /* it was removed meanwhile */
        return;
    u->n_failed++;
    sek_talk("feed %s: %s", name, u->c->diag.text);
}

static void all_of(struct update *u, const struct sek_buf *names)
{
    for (size_t at = 0; at < names->len; at += strlen(names->data + at) + 1)
        one_of_many(u, names->data + at);
}

/* All that are due; *out_next_s: when the next one is. */
static enum sek_err update_due(struct update *u, int64_t *out_next_s)
{
    struct names n = {.now_s = u->c->now_s, .next_s = INT64_MAX};
    struct sek_policydb *db = NULL;
    sek_buf_init(&n.well, 0);
    sek_buf_init(&n.failing, 0);
    enum sek_err err = sek_policydb_open(u->conf->policy.db, false, &db, &u->c->diag);
    if (!err)
        err = sek_feeds(db, add_name, &n, &u->c->diag);
    sek_policydb_close(db);
    if (!err) {
        all_of(u, &n.well);
        all_of(u, &n.failing);
    }
    *out_next_s = n.next_s;
    sek_buf_fini(&n.well);
    sek_buf_fini(&n.failing);
    return err == SEK_E_NOTFOUND ? SEK_OK : err; /* no database: no feeds */
}

__attribute__((noreturn)) static void watch(struct update *u)
{
    for (;;) {
        int64_t next_s;
        u->c->now_s = time(NULL);
        enum sek_err err = update_due(u, &next_s);
        if (err) /* the database is busy, say: the next round may do better */
            sek_talk("%s", u->c->diag.text);
        fflush(stdout);
        int64_t wait_s = next_s - time(NULL);
        sleep((unsigned)(wait_s < 1 ? 1 : wait_s > WATCH_STEP_S ? WATCH_STEP_S : wait_s));
    }
}

static enum sek_err run(struct update *u)
{
    struct sek_context *c = u->c;
    int64_t next_s;
    bool from_input = c->n_args > 1 && strcmp(c->args[c->n_args - 1], "-") == 0;
    if (c->n_args && c->opt[OPT_WATCH].given)
        return sek_context_usage(c, "--watch takes all feeds");
    if (from_input && c->n_args != 2)
        return sek_context_usage(c, "standard input is for one feed: sekisho feed update NAME -");
    if (c->opt[OPT_WATCH].given)
        watch(u);
    enum sek_err err = c->n_args ? SEK_OK : update_due(u, &next_s);
    for (int i = 0; !err && i < c->n_args - from_input; i++)
        err = update_name(u, c->args[i], true, from_input);
    return err;
}

enum sek_err sek_cmd_feed_update(struct sek_context *c)
{
    struct update *u = calloc(1, sizeof *u);
    if (!u)
        return sek_diag_set(&c->diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    u->c = c;
    u->force = c->opt[OPT_FORCE].given;
    u->verbose = c->opt[OPT_VERBOSE].given;
    u->dry_run = c->opt[OPT_DRY_RUN].given;
    sek_buf_init(&u->zone, 0);
    enum sek_err err = sek_context_conf(c, &u->conf);
    if (!err && !u->dry_run)
        err = sek_roles_admit_writer(c);
    if (!err)
        err = run(u);
    if (!err && u->n_failed)
        c->exit = SEK_EXIT_ERROR;
    sek_buf_fini(&u->zone);
    free(u);
    return err;
}
