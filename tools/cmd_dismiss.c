/* SPDX-License-Identifier: BSD-3-Clause */
/* False alarms: `findings dismiss` and `findings restore`. What people want lies beside the policy
 * (event/dismissed.h); the resolver watches it. */
#include "command.h"
#include "event/dismissed.h"
#include "hitview.h"
#include "name/text.h"
#include "store/report.h"
#include "talk.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
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
const struct sek_arg sek_cmd_findings_restore_args[] = {{0}};

struct work {
    struct sek_context *c;
    const struct sek_conf *conf;
    struct sek_report *report; /* NULL: there is no database */
    struct sek_dismissed set;
    char path[SEK_CONF_TEXT_MAX + 16];
    int lock; /* on the folder, against another command */
    bool missing;
};

static enum sek_err open_work(struct sek_context *c, struct work *w)
{
    *w = (struct work){.c = c, .lock = -1};
    enum sek_err e = sek_context_conf(c, &w->conf);
    if (!e)
        e = sek_hit_report_open(c, &w->report);
    if (e)
        return e;
    w->lock = open(w->conf->policy.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (w->lock < 0 || flock(w->lock, LOCK_EX) != 0)
        return sek_diag_set(&c->diag, sek_err_from_errno(errno), "%s: %s", w->conf->policy.dir,
                            strerror(errno));
    sek_dismissed_path(w->conf->policy.dir, w->path, sizeof w->path);
    return sek_dismissed_read(w->path, &w->set, &c->diag);
}

static void close_work(struct work *w)
{
    sek_report_close(w->report);
    sek_dismissed_fini(&w->set);
    if (w->lock >= 0)
        close(w->lock);
}

/* Do it with each id; what is changed is written once, at the end, or not at all. */
static enum sek_err change(struct sek_context *c, sek_word_fn *fn)
{
    struct work w;
    enum sek_err e = open_work(c, &w);
    if (!e)
        e = sek_context_words(c, 0, fn, &w);
    if (!e)
        e = sek_dismissed_write(&w.set, w.path, &c->diag);
    if (!e && w.missing)
        c->exit = SEK_EXIT_USAGE;
    close_work(&w);
    return e;
}

static bool read_id(const char *text, int64_t *out)
{
    char *end;
    *out = strtoll(text, &end, 10);
    return *end == '\0' && end != text && *out > 0;
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

static void tell(const struct sek_dismissal *one, const char *what)
{
    char endpoint[SEK_ADDR_TEXT_MAX], domain[SEK_NAME_TEXT_MAX] = "";
    if (one->domain_len)
        sek_name_to_text(one->domain, domain);
    sek_talk("finding %lld: detector %s %s %s%s%s", (long long)one->finding,
             sek_lookup_name(sek_detector_names, (int)one->detector), what,
             one->everybody ? "any endpoint" : sek_addr_to_text(&one->endpoint, endpoint),
             *domain ? " for " : "", domain);
}

/* --- dismiss -----------------------------------------------------------------------------------
 */

static enum sek_err dismiss(void *arg, const char *word, unsigned line)
{
    struct work *w = arg;
    struct sek_context *c = w->c;
    struct sek_dismissal one;
    int64_t id;
    (void)line;
    if (!read_id(word, &id))
        return sek_context_usage(c, "\"%.100s\" is no finding's id, see: sekisho findings", word);
    enum sek_err e = find_row(w, id, &one);
    if (e)
        return e;
    if (!one.finding) {
        sek_talk("no finding %s", word);
        w->missing = true;
        return SEK_OK;
    }
    one.everybody = c->opt[OPT_EVERYBODY].given;
    if (one.everybody && one.domain_len == 0)
        return sek_context_usage(c,
                                 "finding %s suspects no domain: --everybody would silence the "
                                 "detector; its mode is a setting",
                                 word);
    one.time_s = c->now_s;
    sek_context_who(one.who, sizeof one.who);
    snprintf(one.why, sizeof one.why, "%s", c->opt[OPT_REASON].text);
    e = sek_dismissed_add(&w->set, &one, &c->diag);
    if (!e)
        tell(&one, "is silent now about");
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

static enum sek_err restore(void *arg, const char *word, unsigned line)
{
    struct work *w = arg;
    struct sek_dismissal f;
    int64_t id;
    (void)line;
    if (!read_id(word, &id))
        return sek_context_usage(w->c, "\"%.100s\" is no finding's id, see: sekisho findings",
                                 word);
    enum sek_err e = find_row(w, id, &f);
    if (e)
        return e;
    f.finding = id; /* what was dismissed may be restored when the finding is gone */
    if (sek_dismissed_remove(&w->set, is_meant, &f) == 0) {
        sek_talk("finding %s is not dismissed", word);
        w->missing = true;
        return SEK_OK;
    }
    if (f.detector)
        tell(&f, "speaks again about");
    return SEK_OK;
}

enum sek_err sek_cmd_findings_restore(struct sek_context *c)
{
    return change(c, restore);
}
