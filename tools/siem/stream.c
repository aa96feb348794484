/* SPDX-License-Identifier: BSD-3-Clause */
#include "stream.h"
#include "store/eventsdb.h"
#include "store/report_position.h"
#include "tools/print/talk.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "base/banned.h"

#define BATCH_OCTETS (256 << 10)
#define FROM_START (-1) /* after_id: all rows, oldest first */
#define AHEAD_MS 300000 /* rows so far in the future are of a clock that was set back */
#define RETRY_FIRST_MS 1000
#define RETRY_MOST_MS 30000

void sek_stream_init(struct sek_stream *s, struct sek_context *c)
{
    memset(s, 0, sizeof *s); /* cursors are compared as octets */
    s->c = c;
    sek_siem_init(&s->event);
    sek_buf_init(&s->lines, 0);
}

/* --- batches -----------------------------------------------------------------------------------
 */

static bool same_output(const struct sek_cursor_output *a, const struct sek_cursor_output *b)
{
    return a->known == b->known && a->dev == b->dev && a->ino == b->ino && a->length == b->length;
}

static enum sek_err save(struct sek_stream *s, const struct sek_cursor *c)
{
    enum sek_err err = s->file ? sek_cursor_save(s->file, c, &s->c->diag) : SEK_OK;
    if (!err)
        s->saved = *c;
    return err;
}

static enum sek_err write_batch(struct sek_stream *s)
{
    struct sek_cursor_output mark;
    enum sek_err err = sek_sink_ready(s->sink, &mark, &s->c->diag);
    if (!err && !same_output(&mark, &s->saved.output)) {
        struct sek_cursor before = s->saved;
        before.output = mark;
        err = save(s, &before);
    }
    if (!err)
        err = sek_sink_write(s->sink, s->lines.data, s->lines.len, &mark, &s->c->diag);
    if (err)
        return err;
    s->next.output = mark;
    return save(s, &s->next);
}

static bool pause_ms(const struct sek_stream *s, int ms)
{
    for (; ms > 0 && !*s->stop; ms -= 100)
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    return !*s->stop;
}

/* Whoever waits tries until it works, or he is told to stop: then it comes again next time. */
static enum sek_err flush(struct sek_stream *s)
{
    enum sek_err err = SEK_OK;
    if (s->lines.failed)
        return sek_diag_set(&s->c->diag, SEK_E_NOMEM, "out of memory");
    if (s->lines.len == 0)
        return memcmp(&s->next, &s->saved, sizeof s->next) == 0 ? SEK_OK : save(s, &s->next);
    for (int wait = RETRY_FIRST_MS;
         (err = write_batch(s)) && s->waits && !sek_sink_ended(s->sink);) {
        if (wait == RETRY_FIRST_MS)
            sek_talk("%s; trying again", s->c->diag.text);
        if (!pause_ms(s, wait))
            return SEK_OK;
        wait = wait * 2 > RETRY_MOST_MS ? RETRY_MOST_MS : wait * 2;
    }
    sek_buf_reset(&s->lines);
    return err;
}

/* The event is made: append it. False: stop the reading. */
static bool put(struct sek_stream *s, enum sek_err made)
{
    if (made) {
        s->error = sek_diag_set(&s->c->diag, made, "out of memory");
        return false;
    }
    if (s->head)
        sek_siem_add_head(&s->event, &s->lines);
    sek_siem_add(s->format, &s->event, &s->lines);
    s->n++;
    if (s->lines.len >= BATCH_OCTETS)
        s->error = flush(s);
    return !s->error && !*s->stop;
}

/* --- databases ---------------------------------------------------------------------------------
 */

/* Does the path still lead to the file that is open? */
static bool is_same(const char *path, const struct file_id *id, bool *out_there)
{
    struct stat st;
    *out_there = stat(path, &st) == 0;
    return *out_there && st.st_dev == id->dev && st.st_ino == id->ino;
}

static void note_id(const char *path, struct file_id *id)
{
    struct stat st;
    *id = (struct file_id){0, 0};
    if (stat(path, &st) == 0)
        *id = (struct file_id){st.st_dev, st.st_ino};
}

/* One that is absent, is being made or is held by its writer for a moment: next time. */
static bool may_wait(const struct sek_stream *s, enum sek_err err)
{
    return s->waits && (err == SEK_E_NOTFOUND || err == SEK_E_BUSY || err == SEK_E_VERSION);
}

static enum sek_err open_report(struct sek_stream *s)
{
    bool there;
    const char *path = s->conf->events.db;
    if (s->report && is_same(path, &s->report_id, &there))
        return SEK_OK;
    sek_report_close(s->report);
    s->report = NULL;
    note_id(path, &s->report_id);
    return sek_report_open(path, &s->report, &s->c->diag);
}

static enum sek_err open_policy(struct sek_stream *s)
{
    bool there;
    const char *path = s->conf->policy.db;
    if (s->policy && is_same(path, &s->policy_id, &there))
        return SEK_OK;
    sek_policydb_close(s->policy);
    s->policy = NULL;
    note_id(path, &s->policy_id);
    enum sek_err err = sek_policydb_open(path, false, &s->policy, &s->c->diag);
    if (err == SEK_E_DENIED)
        sek_diag_wrap(&s->c->diag, "the audit trail (leave it out with --kind hits,findings)");
    return err;
}

/* --- hits --------------------------------------------------------------------------------------
 */

static bool is_final(const struct sek_stream *s, const struct sek_hit *hit)
{
    int64_t end_ms = (hit->first_ms / 60000 + 1) * 60000;
    return end_ms + SEK_HIT_FINAL_MS <= s->now_ms || hit->first_ms > s->now_ms + AHEAD_MS;
}

static bool on_hit(void *arg, const struct sek_hit *hit)
{
    struct sek_stream *s = arg;
    if (!is_final(s, hit))
        return false;
    s->next.hits.number = hit->id;
    s->next.hits.decision = hit->decision;
    return put(s, sek_siem_of_hit(&s->event, &s->source, hit));
}

static bool on_last(void *arg, const struct sek_hit *hit)
{
    struct sek_cursor *c = arg;
    if (hit->id == c->hits.number && hit->decision != c->hits.decision)
        c->hits.known = false;
    return false;
}

/* Is it the database that the cursor is about, and the row there the one that was handed on? */
static enum sek_err check_hits(struct sek_stream *s, const struct sek_position *at)
{
    struct sek_cursor *c = &s->next;
    enum sek_err err = SEK_OK;
    if (!c->hits.known) {
        c->hits.number = s->from_now ? at->hit : 0;
    } else if (c->hits.identity == at->identity && c->hits.number <= at->hit) {
        struct sek_hit_filter last = {
            .after_id = c->hits.number > 1 ? c->hits.number - 1 : FROM_START, .limit = 1};
        err = sek_report_hits(s->report, &last, on_last, c, &s->c->diag);
    } else {
        c->hits.known = false;
    }
    if (s->saved.hits.known && !c->hits.known) {
        sek_talk("%s is another database, or an older state of it: its hits are handed on from the "
                 "first, those that were before with the same id",
                 s->conf->events.db);
        c->hits.number = 0;
    }
    c->hits.identity = at->identity;
    return err;
}

static enum sek_err pass_hits(struct sek_stream *s, const struct sek_position *at)
{
    struct sek_cursor *c = &s->next;
    enum sek_err err = check_hits(s, at);
    if (err)
        return err;
    struct sek_hit_filter f = {.after_id = c->hits.number ? c->hits.number : FROM_START,
                               .since_s = c->hits.known ? 0 : s->since_s};
    err = sek_report_hits(s->report, &f, on_hit, s, &s->c->diag);
    c->hits.known = true;
    return err;
}

/* --- findings ----------------------------------------------------------------------------------
 */

static bool on_finding(void *arg, const struct sek_finding_row *row)
{
    struct sek_stream *s = arg;
    bool first = row->id > s->next.findings.number;
    s->next.findings.change = row->change;
    if (first)
        s->next.findings.number = row->id;
    return put(s, sek_siem_of_finding(&s->event, &s->source, row, first));
}

static enum sek_err pass_findings(struct sek_stream *s, const struct sek_position *at)
{
    struct sek_cursor *c = &s->next;
    bool other = c->findings.known &&
                 (c->findings.identity != at->identity || c->findings.change > at->change);
    if (other)
        sek_talk("%s is another database, or an older state of it: its findings are handed on from "
                 "the first, those that were before with the same id",
                 s->conf->events.db);
    struct sek_finding_filter f = {.by_change = true,
                                   .since_s = c->findings.known ? 0 : s->since_s};
    if (!c->findings.known || other) {
        c->findings.change = !other && s->from_now ? at->change : 0;
        c->findings.number = 0;
    }
    c->findings.identity = at->identity;
    f.after_change = c->findings.change;
    enum sek_err err = sek_report_findings(s->report, &f, on_finding, s, &s->c->diag);
    c->findings.known = true;
    return err;
}

/* --- the audit trail ---------------------------------------------------------------------------
 */

static bool on_change(void *arg, const struct sek_audit_row *row)
{
    struct sek_stream *s = arg;
    s->next.audit.number = row->number;
    snprintf(s->next.audit.hash, sizeof s->next.audit.hash, "%.64s", row->hash);
    return put(s, sek_siem_of_change(&s->event, &s->source, row));
}

static bool on_anchor(void *arg, const struct sek_audit_row *row)
{
    bool *same = ((void **)arg)[1];
    *same = strncmp(row->hash, ((void **)arg)[0], SEK_AUDIT_HASH_MAX - 1) == 0;
    return false;
}

/* The hash of its last row tells a trail from any other. */
static enum sek_err check_trail(struct sek_stream *s)
{
    struct sek_cursor *c = &s->next;
    struct sek_audit_anchor head;
    bool same = false;
    void *look[] = {c->audit.hash, &same};
    enum sek_err err = SEK_OK;
    if (!c->audit.known) {
        err = sek_audit_head(s->policy, &head, &s->c->diag);
        c->audit.number = !err && s->from_now ? head.number : 0;
        snprintf(c->audit.hash, sizeof c->audit.hash, "%s",
                 !err && s->from_now && head.number ? head.hash : "");
        return err;
    }
    if (c->audit.number == 0)
        return SEK_OK;
    struct sek_audit_filter f = {.number = c->audit.number};
    err = sek_audit_rows(s->policy, &f, on_anchor, look, &s->c->diag);
    if (err || same)
        return err;
    sek_talk("%s has another audit trail: it is handed on from its first row", s->conf->policy.db);
    c->audit.number = 0;
    c->audit.hash[0] = '\0';
    return SEK_OK;
}

static enum sek_err pass_audit(struct sek_stream *s)
{
    struct sek_cursor *c = &s->next;
    enum sek_err err = check_trail(s);
    if (err)
        return err;
    struct sek_audit_filter f = {.from = c->audit.number + 1,
                                 .since_ms = c->audit.known ? 0 : s->since_s * 1000,
                                 .oldest_first = true};
    err = sek_audit_rows(s->policy, &f, on_change, s, &s->c->diag);
    c->audit.known = true;
    return err;
}

/* --- a pass ------------------------------------------------------------------------------------
 */

static enum sek_err pass_events(struct sek_stream *s, unsigned which)
{
    struct sek_position at;
    enum sek_err err = open_report(s);
    if (!err)
        err = sek_report_position(s->report, &at, &s->c->diag);
    if (!err && (which & SEK_SIEM_HIT))
        err = pass_hits(s, &at);
    if (!err && !s->error && (which & SEK_SIEM_FINDING))
        err = pass_findings(s, &at);
    return err;
}

static enum sek_err pass_trail(struct sek_stream *s)
{
    enum sek_err err = open_policy(s);
    if (err == SEK_E_NOTFOUND && access(s->conf->policy.db, F_OK) != 0)
        return SEK_OK; /* nothing was changed yet */
    return err ? err : pass_audit(s);
}

enum sek_err sek_stream_pass(struct sek_stream *s, unsigned which, int64_t now_ms)
{
    enum sek_err err = SEK_OK;
    s->now_ms = now_ms;
    s->error = SEK_OK;
    if (which & (SEK_SIEM_HIT | SEK_SIEM_FINDING))
        err = pass_events(s, which);
    if (may_wait(s, err))
        err = SEK_OK;
    if (!err && !s->error && !*s->stop && (which & SEK_SIEM_CHANGE)) {
        err = pass_trail(s);
        if (may_wait(s, err))
            err = SEK_OK;
    }
    if (!err)
        err = s->error;
    return err ? err : flush(s);
}

void sek_stream_fini(struct sek_stream *s)
{
    sek_report_close(s->report);
    sek_policydb_close(s->policy);
    sek_siem_fini(&s->event);
    sek_buf_fini(&s->lines);
}
