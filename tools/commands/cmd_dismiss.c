/* SPDX-License-Identifier: BSD-3-Clause */
/* False alarms: `findings dismiss` and `findings restore`. What people want lies in policy.db
 * (store/dismissaldb.h); a file tells it to the resolver (dismissfile.h). */
#include "tools/change/change.h"
#include "tools/command.h"
#include "tools/change/dismissfile.h"
#include "tools/views/hitview.h"
#include "name/text.h"
#include "store/report.h"
#include "tools/print/talk.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(findings_dismiss);
SEK_COMMAND(findings_restore);

enum { OPT_REASON, OPT_EVERYBODY, N_OPTS };
const struct sek_arg sek_cmd_findings_dismiss_args[] = {
    [OPT_REASON] = {"reason", 'r', SEK_ARG_TEXT, "TEXT", "why it is a false alarm; needed"},
    [OPT_EVERYBODY] = {"everybody", 0, SEK_ARG_FLAG, NULL,
                       "the detector reports the domain of no endpoint any more"},
    [N_OPTS] = {0},
};
const struct sek_arg sek_cmd_findings_restore_args[] = {SEK_REASON_ROW, {0}};

struct work {
    struct sek_context *c;
    struct sek_change change;
    struct sek_report *report; /* NULL: there is no database */
    struct sek_dismissed set;
    struct sek_buf said; /* lines for people, each ended by a NUL: said when it is done */
    bool missing;
};

/* What an earlier version kept in the file only becomes a change of its own in the audit trail. */
static enum sek_err adopt(struct work *w)
{
    struct sek_context *c = w->c;
    const struct sek_audit_act act = {.verb = "findings adopt",
                                      .reason = "kept in the file \"" SEK_DISMISSED_FILE
                                                "\" by an earlier version"};
    bool adopted;
    enum sek_err e =
        sek_dismissfile_read(w->change.conf, w->change.db, &w->set, &adopted, &c->diag);
    if (!e && adopted)
        e = sek_dismissaldb_write(w->change.db, &w->set, &c->diag);
    if (!e && adopted)
        e = sek_audited_add(c, w->change.conf, w->change.db, &act);
    return e;
}

static enum sek_err open_work(struct sek_context *c, struct work *w)
{
    *w = (struct work){.c = c};
    sek_buf_init(&w->said, 0);
    enum sek_err e = sek_change_open(&w->change, c, false);
    if (!e)
        e = sek_hit_report_open(c, &w->report);
    if (!e)
        e = sek_change_start(&w->change);
    return e ? e : adopt(w);
}

static enum sek_err close_work(struct work *w, enum sek_err e)
{
    sek_report_close(w->report);
    sek_dismissed_fini(&w->set);
    sek_buf_fini(&w->said);
    return sek_change_fini(&w->change, e);
}

static void say_all(const struct work *w)
{
    for (size_t at = 0; at < w->said.len; at += strlen(w->said.data + at) + 1)
        sek_talk("%s", w->said.data + at);
}

static void say(struct work *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(struct work *w, const char *fmt, ...)
{
    char line[SEK_NAME_TEXT_MAX + 200];
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    sek_buf_add(&w->said, line, strlen(line) + 1);
}

static bool read_id(const char *text, int64_t *out)
{
    char *end;
    *out = strtoll(text, &end, 10);
    return *end == '\0' && end != text && *out > 0;
}

struct ids {
    struct sek_context *c;
    struct sek_buf all; /* int64_t each */
};

static enum sek_err add_id(void *arg, const char *word, unsigned line)
{
    struct ids *ids = arg;
    int64_t id;
    (void)line;
    if (!read_id(word, &id))
        return sek_context_usage(ids->c, "\"%.100s\" is no finding's id, see: sekisho findings",
                                 word);
    sek_buf_add(&ids->all, &id, sizeof id);
    return SEK_OK;
}

static enum sek_err each(struct work *w, const struct ids *ids,
                         enum sek_err (*fn)(struct work *w, int64_t id))
{
    enum sek_err e = SEK_OK;
    for (size_t at = 0; !e && at < ids->all.len; at += sizeof(int64_t)) {
        int64_t id;
        memcpy(&id, ids->all.data + at, sizeof id);
        e = fn(w, id);
    }
    return e;
}

/* Do it with each id; what is changed is written once, at the end, or not at all. All ids are read
 * before: input may come slowly, and others want to write. */
static enum sek_err change(struct sek_context *c, enum sek_err (*fn)(struct work *w, int64_t id))
{
    struct work w;
    struct ids ids = {.c = c};
    sek_buf_init(&ids.all, 0);
    enum sek_err e = sek_context_words(c, 0, add_id, &ids);
    if (!e && ids.all.len == 0)
        e = sek_context_usage(c, "no findings on standard input");
    if (e) {
        sek_buf_fini(&ids.all);
        return e;
    }
    e = open_work(c, &w);
    if (!e)
        e = each(&w, &ids, fn);
    if (!e)
        e = sek_dismissaldb_write(w.change.db, &w.set, &c->diag);
    if (!e)
        e = sek_change_commit(&w.change);
    if (!e)
        say_all(&w);
    if (!e && w.missing)
        c->exit = SEK_EXIT_USAGE;
    sek_buf_fini(&ids.all);
    return close_work(&w, e);
}

static bool take_row(void *arg, const struct sek_finding_row *f)
{
    struct sek_dismissal *one = arg;
    struct sek_name name;
    one->detector = (enum sek_detector)f->detector;
    one->finding = f->id;
    if (*f->domain && sek_name_from_text(f->domain, strlen(f->domain), &name, NULL) == SEK_OK) {
        one->domain_len = name.len;
        memcpy(one->domain, name.octets, name.len);
    }
    sek_addr_from_text(f->endpoint, &one->endpoint, NULL);
    return false;
}

/* *out->finding is 0 when there is none. */
static enum sek_err find_row(struct work *w, int64_t id, struct sek_dismissal *out)
{
    const struct sek_finding_filter filter = {.id = id};
    *out = (struct sek_dismissal){0};
    return sek_report_findings(w->report, &filter, take_row, out, &w->c->diag);
}

static void tell(struct work *w, const struct sek_dismissal *one, const char *what)
{
    char endpoint[SEK_ADDR_TEXT_MAX], domain[SEK_NAME_TEXT_MAX] = "";
    if (one->domain_len)
        sek_name_to_text(one->domain, domain);
    say(w, "finding %lld: detector %s %s %s%s%s", (long long)one->finding,
        sek_lookup_name(sek_detector_names, (int)one->detector), what,
        one->everybody ? "any endpoint" : sek_addr_to_text(&one->endpoint, endpoint),
        *domain ? " for " : "", domain);
}

/* --- dismiss -----------------------------------------------------------------------------------
 */

static enum sek_err dismiss(struct work *w, int64_t id)
{
    struct sek_context *c = w->c;
    struct sek_dismissal one;
    enum sek_err e = find_row(w, id, &one);
    if (e)
        return e;
    if (!one.finding) {
        say(w, "no finding %lld", (long long)id);
        w->missing = true;
        return SEK_OK;
    }
    one.everybody = c->opt[OPT_EVERYBODY].given;
    if (one.everybody && one.domain_len == 0)
        return sek_context_usage(c,
                                 "finding %lld suspects no domain: --everybody would silence the "
                                 "detector; its mode is a setting",
                                 (long long)id);
    one.time_s = c->now_s;
    snprintf(one.who, sizeof one.who, "%s", w->change.who);
    snprintf(one.why, sizeof one.why, "%s", c->opt[OPT_REASON].text);
    e = sek_dismissed_add(&w->set, &one, &c->diag);
    if (!e)
        tell(w, &one, "is silent now about");
    return e;
}

enum sek_err sek_cmd_findings_dismiss(struct sek_context *c)
{
    const char *why = c->opt[OPT_REASON].given ? c->opt[OPT_REASON].text : "";
    if (!*why)
        return sek_context_usage(c, "--reason is needed: those who read the finding later ask why");
    if (strlen(why) >= SEK_DISMISSED_WHY)
        return sek_context_usage(c, "--reason: at most %d octets", SEK_DISMISSED_WHY - 1);
    return change(c, dismiss);
}

/* --- restore -----------------------------------------------------------------------------------
 */

/* The entry that was made for the finding, or that covers it. */
static bool is_meant(void *arg, const struct sek_dismissal *one)
{
    const struct sek_dismissal *f = arg;
    struct sek_dismissed only = {.all = (struct sek_dismissal *)(uintptr_t)one, .n = 1};
    return one->finding == f->finding ||
           (f->detector &&
            sek_dismissed_find(&only, f->detector, &f->endpoint, f->domain, f->domain_len) != NULL);
}

static enum sek_err restore(struct work *w, int64_t id)
{
    struct sek_dismissal f;
    enum sek_err e = find_row(w, id, &f);
    if (e)
        return e;
    f.finding = id; /* what was dismissed may be restored when the finding is gone */
    if (sek_dismissed_remove(&w->set, is_meant, &f) == 0) {
        say(w, "finding %lld is not dismissed", (long long)id);
        w->missing = true;
        return SEK_OK;
    }
    if (f.detector)
        tell(w, &f, "speaks again about");
    return SEK_OK;
}

enum sek_err sek_cmd_findings_restore(struct sek_context *c)
{
    return change(c, restore);
}
