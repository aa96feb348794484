/* SPDX-License-Identifier: BSD-3-Clause */
/* quarantine and release: endpoints that resolve nothing but the names they are mended with. */
#include "base/duration.h"
#include "tools/command.h"
#include "tools/change/groups.h"
#include "tools/views/hitview.h"
#include "tools/views/riskview.h"
#include "tools/print/talk.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(quarantine);
SEK_COMMAND(release);

enum { OPT_REASON, OPT_LIFETIME, OPT_BY_RISK, OPT_DRY_RUN, N_OPTS };
const struct sek_arg sek_cmd_quarantine_args[] = {
    [OPT_REASON] = {"reason", 'r', SEK_ARG_TEXT, "TEXT", "why: required with ENDPOINT"},
    [OPT_LIFETIME] = {"lifetime", 'l', SEK_ARG_DURATION, "TIME",
                      "ends by itself: 30m 8h 3d 2w; default 7d"},
    [OPT_BY_RISK] = {"by-risk", 0, SEK_ARG_FLAG, NULL,
                     "those whose risk is risk.quarantine or more, if risk.automatic says yes"},
    [OPT_DRY_RUN] = {"dry-run", 'n', SEK_ARG_FLAG, NULL, "print what would change, write nothing"},
    [N_OPTS] = {0},
};
enum { RELEASE_DRY_RUN, RELEASE_REASON, N_RELEASE };
const struct sek_arg sek_cmd_release_args[] = {
    [RELEASE_DRY_RUN] = {"dry-run", 'n', SEK_ARG_FLAG, NULL,
                         "print what would change, write nothing"},
    [RELEASE_REASON] = SEK_REASON_ROW,
    [N_RELEASE] = {0},
};

#define DEFAULT_LIFETIME_S (7 * 86400)
#define BITS_LEAST_V4 (96 + 24) /* of one network that may be quarantined as a whole */
#define BITS_LEAST_V6 64

struct work {
    struct sek_change change;
    struct sek_nets nets; /* by risk: those that are quarantined */
    struct sek_group_row group;
    bool full; /* out of memory */
};

static enum sek_err word_take(void *arg, const char *word, unsigned line)
{
    struct work *w = arg;
    (void)line;
    return sek_nets_add(&w->nets, &w->change, word);
}

/* A slip in a prefix would cut off a whole site. */
static enum sek_err nets_check(const struct work *w, struct sek_context *c)
{
    char text[SEK_NET_TEXT_MAX];
    for (size_t i = 0; i < w->nets.n; i++) {
        const struct sek_net *net = &w->nets.items[i];
        unsigned least = sek_addr_is_v4(&net->addr) ? BITS_LEAST_V4 : BITS_LEAST_V6;
        if (net->bits < least)
            return sek_context_usage(c, "%s is too wide for quarantine: a /24 or /64 at most",
                                     sek_net_to_text(net, text));
    }
    return SEK_OK;
}

static void member_begin(const struct work *w, struct sek_context *c, struct sek_member *out)
{
    *out = (struct sek_member){.group = w->group.group.id, .created_s = c->now_s};
    out->expires_s =
        c->now_s + (c->opt[OPT_LIFETIME].given ? c->opt[OPT_LIFETIME].number : DEFAULT_LIFETIME_S);
    snprintf(out->who, sizeof out->who, "%s", w->change.who);
}

static enum sek_err member_put(struct work *w, struct sek_context *c, const struct sek_member *m,
                               unsigned *io_changed)
{
    char text[SEK_NET_TEXT_MAX];
    bool changed = false;
    enum sek_err err = sek_policydb_member_put(w->change.db, m, &changed, &c->diag);
    *io_changed += changed;
    if (changed && w->change.dry_run)
        sek_buf_add_fmt(&w->change.lines, "+ %s %s\n", sek_net_to_text(&m->net, text),
                        SEK_GROUP_QUARANTINE);
    return err;
}

static enum sek_err members_put(struct work *w, struct sek_context *c)
{
    struct sek_member m;
    char text[SEK_NET_TEXT_MAX], until[32];
    unsigned n_changed = 0;
    enum sek_err err = SEK_OK;
    member_begin(w, c, &m);
    snprintf(m.comment, sizeof m.comment, "%s", c->opt[OPT_REASON].text);
    for (size_t i = 0; !err && i < w->nets.n; i++) {
        m.net = w->nets.items[i];
        err = member_put(w, c, &m, &n_changed);
    }
    sek_time_to_text(m.expires_s, until, sizeof until);
    if (w->nets.n == 1)
        sek_change_done(&w->change, "%s quarantined until %s",
                        sek_net_to_text(&w->nets.items[0], text), until);
    else
        sek_change_done(&w->change, "%u endpoints quarantined until %s", n_changed, until);
    return err;
}

/* --- by risk ------------------------------------------------------------------------------------
 */

/* An endpoint whose risk says so, and why. */
struct proposal {
    struct sek_addr endpoint;
    char reason[256];
};

struct proposals {
    struct sek_context *c;
    struct sek_buf rows; /* struct proposal */
};

static bool propose(void *arg, const struct sek_risk *risk)
{
    struct proposals *p = arg;
    struct sek_buf words;
    struct proposal row;
    if (risk->score < (double)p->c->conf.risk.quarantine)
        return false; /* the highest come first */
    sek_buf_init(&words, 0);
    sek_risk_words(risk, &words);
    snprintf(row.reason, sizeof row.reason, "risk %.0f: %s", risk->score,
             words.data ? words.data : "");
    sek_buf_fini(&words);
    for (unsigned i = 0; i < risk->n_addresses; i++) {
        const struct sek_risk_address *a = &risk->addresses[i];
        bool is_now = a->until_s > p->c->now_s;
        if (is_now && sek_addr_from_text(a->text, &row.endpoint, NULL) == SEK_OK)
            sek_buf_add(&p->rows, &row, sizeof row);
    }
    return !p->rows.failed;
}

static enum sek_err proposals_read(struct proposals *p, const struct sek_conf *conf)
{
    struct sek_context *c = p->c;
    struct sek_report *events = NULL;
    struct sek_risk_view view = {.conf = conf};
    struct sek_risk_query q = {.now_s = c->now_s, .half_life_s = conf->risk.half_life_s};
    enum sek_err err = sek_hit_report_open(c, &events);
    if (err)
        return err;
    sek_machines_open(&view.machines, c);
    sek_risk_by_machine(&view, &q);
    err = sek_report_risk(events, &q, propose, p, &c->diag);
    sek_machines_close(&view.machines);
    sek_report_close(events);
    if (!err && p->rows.failed)
        err = sek_diag_set(&c->diag, SEK_E_NOMEM, "out of memory");
    return err;
}

/* The networks that are quarantined now: nobody's end is put off by being proposed again. */
static bool note_member(void *arg, const struct sek_member *m)
{
    struct work *w = arg;
    bool is_now = m->expires_s == 0 || m->expires_s > w->change.c->now_s;
    w->full = is_now && !sek_nets_put(&w->nets, &m->net);
    return !w->full;
}

static enum sek_err proposals_put(struct work *w, struct sek_context *c, const struct proposals *p)
{
    const struct proposal *rows = (const void *)p->rows.data;
    char text[SEK_ADDR_TEXT_MAX];
    struct sek_member m;
    unsigned n_changed = 0;
    enum sek_err err =
        sek_policydb_members(w->change.db, w->group.group.id, note_member, w, &c->diag);
    if (!err && w->full)
        err = sek_diag_set(&c->diag, SEK_E_NOMEM, "out of memory");
    member_begin(w, c, &m);
    for (size_t i = 0; !err && i < p->rows.len / sizeof *rows; i++) {
        if (sek_nets_have(&w->nets, &rows[i].endpoint))
            continue;
        m.net = (struct sek_net){rows[i].endpoint, 128};
        snprintf(m.comment, sizeof m.comment, "%s", rows[i].reason);
        sek_talk("%s: %s", sek_addr_to_text(&rows[i].endpoint, text), rows[i].reason);
        err = member_put(w, c, &m, &n_changed);
    }
    if (n_changed)
        sek_change_done(&w->change, "%u endpoint%s quarantined by risk", n_changed,
                        n_changed == 1 ? "" : "s");
    return err;
}

/* Made to be called by a timer: without risk.automatic it only says whom it would quarantine. */
static enum sek_err by_risk(struct sek_context *c)
{
    struct work w = {.nets = {0}};
    struct proposals p = {.c = c};
    const struct sek_conf *conf;
    if (c->n_args)
        return sek_context_usage(c, "--by-risk finds its endpoints: name none");
    enum sek_err err = sek_context_conf(c, &conf);
    if (err)
        return err;
    bool rehearse = c->opt[OPT_DRY_RUN].given || !conf->risk.automatic;
    sek_buf_init(&p.rows, 0);
    err = proposals_read(&p, conf);
    if (!err)
        err = sek_change_begin(&w.change, c, rehearse);
    if (!err)
        err = sek_quarantine_group(&w.change, &w.group);
    if (!err)
        err = proposals_put(&w, c, &p);
    if (!err)
        err = sek_change_end(&w.change);
    if (!err && !conf->risk.automatic)
        sek_talk("risk.automatic is off: nobody is quarantined");
    sek_buf_fini(&p.rows);
    sek_nets_fini(&w.nets);
    w.change.c = c;
    return sek_change_fini(&w.change, err);
}

/* All is read before the change begins: input may come slowly, and others want to write. */
static enum sek_err begin_with_words(struct work *w, struct sek_context *c, bool dry_run)
{
    enum sek_err err = sek_change_open(&w->change, c, dry_run);
    if (!err)
        err = sek_context_words(c, 0, word_take, w);
    if (!err && w->nets.n == 0)
        err = sek_context_usage(c, "no endpoints on standard input");
    return err ? err : sek_change_start(&w->change);
}

enum sek_err sek_cmd_quarantine(struct sek_context *c)
{
    struct work w = {.nets = {0}};
    if (c->opt[OPT_BY_RISK].given)
        return by_risk(c);
    if (c->n_args == 0)
        return sek_context_usage(c, "name the endpoints, or use --by-risk");
    if (!c->opt[OPT_REASON].given || !*c->opt[OPT_REASON].text)
        return sek_context_usage(c, "--reason is required: the endpoint's owner will ask");
    if (strlen(c->opt[OPT_REASON].text) >= sizeof((struct sek_member *)0)->comment)
        return sek_context_usage(c, "--reason: at most %zu octets",
                                 sizeof((struct sek_member *)0)->comment - 1);
    enum sek_err err = begin_with_words(&w, c, c->opt[OPT_DRY_RUN].given);
    if (!err)
        err = nets_check(&w, c);
    if (!err)
        err = sek_quarantine_group(&w.change, &w.group);
    if (!err)
        err = members_put(&w, c);
    if (!err)
        err = sek_change_end(&w.change);
    sek_nets_fini(&w.nets);
    return sek_change_fini(&w.change, err);
}

static enum sek_err members_remove(struct work *w, struct sek_context *c)
{
    char text[SEK_NET_TEXT_MAX];
    size_t n = 0;
    for (size_t i = 0; i < w->nets.n; i++) {
        const struct sek_net *net = &w->nets.items[i];
        enum sek_err err =
            sek_policydb_member_remove(w->change.db, SEK_GROUP_QUARANTINE_ID, net, &c->diag);
        sek_net_to_text(net, text);
        if (err == SEK_E_NOTFOUND) {
            sek_talk("%s is not quarantined", text);
            c->exit = SEK_EXIT_USAGE;
            continue;
        }
        if (err)
            return err;
        n++;
        if (w->change.dry_run)
            sek_buf_add_fmt(&w->change.lines, "- %s %s\n", text, SEK_GROUP_QUARANTINE);
    }
    if (n == 1 && w->nets.n == 1)
        sek_change_done(&w->change, "%s released", text);
    else if (n > 0)
        sek_change_done(&w->change, "%zu endpoint%s released", n, n == 1 ? "" : "s");
    return SEK_OK;
}

enum sek_err sek_cmd_release(struct sek_context *c)
{
    struct work w = {.nets = {0}};
    enum sek_err err = begin_with_words(&w, c, c->opt[RELEASE_DRY_RUN].given);
    if (!err)
        err = members_remove(&w, c);
    if (!err)
        err = sek_change_end(&w.change);
    sek_nets_fini(&w.nets);
    return sek_change_fini(&w.change, err);
}
