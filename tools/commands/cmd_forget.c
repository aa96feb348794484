/* SPDX-License-Identifier: BSD-3-Clause */
/* An endpoint that nothing is to be known of any more: in policy.db by us, in events.db by the
 * module's writer, which alone may write it while a resolver runs (store/forget.h). */
#include "base/file.h"
#include "event/status.h"
#include "store/audit.h"
#include "store/forget.h"
#include "store/policydb_forget.h"
#include "store/pseudonym.h"
#include "tools/change/audited.h"
#include "tools/change/change.h"
#include "tools/change/dismissfile.h"
#include "tools/command.h"
#include "tools/print/talk.h"
#include "tools/roles.h"
#include "tools/views/machines.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "base/banned.h"

SEK_COMMAND(forget);

#define WAIT_MS 60000 /* the writer first lets settle what it has in memory */
#define NOBODY "::"   /* in its place where there is no key for a pseudonym, as in events.db */
#define LOOK_MS 100
#define SLICE_ROWS 20000

enum { OPT_REASON, N_OPTS };
const struct sek_arg sek_cmd_forget_args[] = {
    [OPT_REASON] = {"reason", 'r', SEK_ARG_TEXT, "TEXT",
                    "why, for the audit trail; do not name the endpoint", NULL, 0, 0},
    [N_OPTS] = {0},
};

struct forget {
    struct sek_context *c;
    const struct sek_conf *conf;
    struct sek_addr endpoint;
    char called[64]; /* as the trail names it */
    char line[96];
};

/* --- policy.db ---------------------------------------------------------------------------------
 */

static bool take_number(void *arg, const struct sek_audit_row *row)
{
    int64_t *newest = arg;
    *newest = row->number > *newest ? row->number : *newest;
    return false; /* the newest comes first */
}

struct mentions {
    struct forget *f;
    struct sek_policydb *db;
    int64_t newest;
    enum sek_err err;
};

static void look_for(struct mentions *m, const char *object)
{
    const struct sek_audit_filter filter = {.object = object};
    if (!m->err)
        m->err = sek_audit_rows(m->db, &filter, take_number, &m->newest, &m->f->c->diag);
}

static bool on_called(void *arg, const char *called)
{
    char object[SEK_NAME_TEXT_MAX + 32];
    snprintf(object, sizeof object, "about endpoint %s", called);
    look_for(arg, object);
    return true;
}

/* The last row of the trail that named it, by its address or as an incident did. */
static enum sek_err last_mention(struct forget *f, struct sek_policydb *db, int64_t *out)
{
    struct mentions m = {.f = f, .db = db};
    char address[SEK_ADDR_TEXT_MAX];
    look_for(&m, sek_addr_to_text(&f->endpoint, address));
    enum sek_err err = sek_policydb_called(db, &f->endpoint, on_called, &m, &f->c->diag);
    *out = m.newest;
    return err ? err : m.err;
}

static enum sek_err in_transaction(struct forget *f, struct sek_policydb *db,
                                   struct sek_forgotten *out)
{
    struct sek_context *c = f->c;
    int64_t newest = 0;
    const char *called = sek_pseudonym_is(f->called) ? f->called : NOBODY;
    enum sek_err err = last_mention(f, db, &newest);
    if (!err)
        err = sek_audit_begin(db, 0, &c->diag); /* no data by which it could be taken back */
    if (!err)
        err = sek_policydb_begin(db, &c->diag);
    if (!err)
        err = sek_policydb_forget(db, &f->endpoint, called, c->now_s, newest, out, &c->diag);
    if (!err)
        err = sek_audited_add(
            c, f->conf, db,
            &(struct sek_audit_act){.object = f->called, .before = "known", .after = "forgotten"});
    bool dismissals = !err && sek_audit_touched(db, "dismissal");
    if (!err)
        err = sek_policydb_commit(db, &c->diag);
    if (!err && dismissals)
        err = sek_dismissfile_publish(f->conf, db, &c->diag);
    return !err && out->rules_removed ? sek_change_publish(c, f->conf, db, true, true) : err;
}

/* What is in force, or may become so, is not records: whoever wants it forgotten ends it first. */
static void tell(const struct sek_forgotten *done)
{
    uint64_t n = done->n_renamed;
    sek_talk("%" PRIu64 " row%s removed from inventory, dismissals, triage and past memberships",
             done->n_removed, done->n_removed == 1 ? "" : "s");
    if (n)
        sek_talk("%" PRIu64 " record%s of incidents and past exceptions renamed", n,
                 n == 1 ? "" : "s");
    if (done->standing.len)
        sek_talk("exceptions that are not over name it: %s; revoke or reject them, and forget it "
                 "again",
                 done->standing.data);
    if (done->is_member)
        sek_talk(
            "groups have its address as a member: remove it from them (group remove, release), "
            "if they need not");
}

static enum sek_err in_policy(struct forget *f)
{
    struct sek_policydb *db = NULL;
    struct sek_forgotten done = {0};
    sek_buf_init(&done.standing, 0);
    enum sek_err err = sek_policydb_open(f->conf->policy.db, true, &db, &f->c->diag);
    if (!err)
        err = in_transaction(f, db, &done);
    sek_policydb_close(db);
    if (!err)
        tell(&done);
    sek_buf_fini(&done.standing);
    return err;
}

/* --- events.db ---------------------------------------------------------------------------------
 */

static bool resolver_lives(const struct sek_conf *conf)
{
    return sek_status_lives(conf->status.path, (int64_t)time(NULL) * 1000);
}

/* The request is the resolver's to read and remove. */
static enum sek_err put_request(struct forget *f, const char *path)
{
    struct sek_context *c = f->c;
    struct sek_file_new file;
    struct stat st;
    char text[SEK_ADDR_TEXT_MAX + 1];
    size_t n = strlen(sek_addr_to_text(&f->endpoint, text));
    text[n++] = '\n';
    enum sek_err err = sek_file_new_open(path, 0640, &file, &c->diag);
    if (err)
        return err;
    if (stat(f->conf->events.db, &st) == 0)
        (void)!fchown(file.fd, st.st_uid, st.st_gid);
    err = sek_file_new_write(&file, text, n, &c->diag);
    if (!err && link(file.tmp, path) != 0)
        err = errno == EEXIST
                  ? sek_diag_set(&c->diag, SEK_E_BUSY,
                                 "%s: an earlier request waits for the resolver; try again", path)
                  : sek_diag_set(&c->diag, sek_err_from_errno(errno), "%s: cannot make: %s", path,
                                 strerrordesc_np(errno));
    sek_file_new_abort(&file); /* the name that it had before */
    return err;
}

static enum sek_err ask_writer(struct forget *f)
{
    char path[SEK_FORGET_PATH_MAX];
    struct sek_progress progress;
    bool there = true;
    sek_forget_path(f->conf->events.db, path);
    enum sek_err err = put_request(f, path);
    if (err)
        return err;
    sek_progress_begin(&progress, "the resolver removes it");
    for (int ms = 0; ms < WAIT_MS && (there = access(path, F_OK) == 0); ms += LOOK_MS) {
        if (ms % 1000 == 0 && !resolver_lives(f->conf))
            break;
        sek_progress_show(&progress, 1001);
        nanosleep(&(struct timespec){.tv_nsec = LOOK_MS * 1000000L}, NULL);
    }
    sek_progress_end(&progress);
    if (there) {
        sek_talk("%s waits there until the resolver does it", path);
        f->c->exit = SEK_EXIT_DOWN;
        return SEK_OK;
    }
    sek_talk("removed from events.db by the resolver");
    return SEK_OK;
}

static enum sek_err in_events(struct forget *f)
{
    struct sek_context *c = f->c;
    struct sek_eventsdb *db;
    uint64_t n = 0;
    bool more = true;
    if (access(f->conf->events.db, F_OK) != 0 && errno == ENOENT)
        return SEK_OK;
    if (resolver_lives(f->conf))
        return ask_writer(f);
    enum sek_err err = sek_eventsdb_open(f->conf->events.db, c->now_s, &db, NULL, &c->diag);
    if (err == SEK_E_CORRUPT) /* what is left of it may well name the endpoint */
        sek_diag_set(&c->diag, err,
                     "%.300s; nothing is removed there: the resolver puts the file aside when it "
                     "starts, then delete it",
                     c->diag.text);
    if (err)
        return err;
    while (!err && more)
        err = sek_eventsdb_forget(db, &f->endpoint, SLICE_ROWS, &more, &n, &c->diag);
    sek_eventsdb_close(db);
    if (!err)
        sek_talk("%" PRIu64 " row%s removed from events.db", n, n == 1 ? "" : "s");
    return err;
}

/* By its pseudonym, where there is a key; the command line is told so, too. */
static void name_it(struct forget *f)
{
    uint8_t key[SEK_PSEUDONYM_KEY];
    snprintf(f->called, sizeof f->called, "an endpoint");
    if (sek_pseudonym_key_read(f->conf->privacy.key, key, NULL) == SEK_OK)
        sek_pseudonym(key, &f->endpoint, f->called);
    explicit_bzero(key, sizeof key);
    snprintf(f->line, sizeof f->line, "sekisho forget %s",
             strncmp(f->called, "p-", 2) == 0 ? f->called : "ENDPOINT");
    f->c->line = f->line;
}

enum sek_err sek_cmd_forget(struct sek_context *c)
{
    struct forget f = {.c = c};
    enum sek_err err = sek_context_conf(c, &f.conf);
    if (!err)
        err = sek_roles_admit_writer(c);
    if (!err)
        err = sek_machines_address(c, "forget", c->args[0], &f.endpoint);
    if (err == SEK_E_NOTFOUND)
        return sek_context_usage(c, "forget: name an address or a pseudonym; of a machine its "
                                    "addresses, one by one");
    if (err)
        return err;
    name_it(&f);
    err = in_policy(&f);
    return err ? err : in_events(&f);
}
