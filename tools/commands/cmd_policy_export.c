/* SPDX-License-Identifier: BSD-3-Clause */
/* The effective policy for other resolvers: what the engine decides of every name. */
#include "tools/command.h"
#include "tools/export/exportform.h"
#include "tools/export/generated.h"
#include "tools/views/judge.h"
#include "name/text.h"
#include "policy/about.h"
#include "store/batch.h"
#include "store/namekey.h"
#include "tools/print/talk.h"
#include "verdict/canary.h"
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(policy_export);

/* Of the zone's SOA record, in seconds: secondaries that miss a NOTIFY look every five minutes, and
 * an old policy is better than none for a month. */
#define SOA_REFRESH 300
#define SOA_RETRY 60
#define SOA_EXPIRE 2592000
#define DEFAULT_ZONE "rpz.local"
#define MARK "written by sekisho policy export" /* in the first line */

static const struct sek_lookup formats[] = {{SEK_FORMAT_RPZ, "rpz"},
                                            {SEK_FORMAT_HOSTS, "hosts"},
                                            {SEK_FORMAT_PLAIN, "plain"},
                                            {SEK_FORMAT_UNBOUND, "unbound"},
                                            {0, NULL}};

enum { OPT_AS, OPT_ZONE, OPT_OUTPUT, N_OPTS };
const struct sek_arg sek_cmd_policy_export_args[] = {
    [OPT_AS] = {"as", 0, SEK_ARG_CHOICE, NULL, "format of the output; default rpz", formats},
    [OPT_ZONE] = {"zone", 0, SEK_ARG_TEXT, "NAME", "rpz: name of the zone; default " DEFAULT_ZONE},
    [OPT_OUTPUT] = {"output", 'o', SEK_ARG_TEXT, "FILE",
                    "write there, and only if something changed; default and -: standard output"},
    [N_OPTS] = {0},
};

/* Names that have rules: of questions, of zones' servers, and those that stand for something that
 * no other format knows. */
enum kind { NAMES, SERVERS, OTHERS, N_KINDS };

struct run {
    struct sek_context *c;
    const struct sek_conf *conf;
    struct sek_policy *policy;
    struct sek_dynamic *dynamic;
    struct sek_batch *owners[N_KINDS]; /* their keys, in order */
    struct sek_name zone;
    struct sek_export x;
};

/* --- the names ---------------------------------------------------------------------------------
 */

struct gather {
    struct run *run;
    enum sek_err err;
};

static bool gather_name(void *arg, const struct sek_name *owner)
{
    struct gather *g = arg;
    struct sek_name name = *owner;
    enum sek_about about = sek_about_of(owner);
    bool servers = about == SEK_ABOUT_NSDNAME && g->run->x.row->triggers;
    enum kind kind = about == SEK_ABOUT_NAME ? NAMES : servers ? SERVERS : OTHERS;
    uint8_t key[SEK_NAMEKEY_MAX];
    if (kind == SERVERS)
        sek_about_to_server(owner, &name);
    size_t len = sek_namekey_from_name(&name, key);
    g->err = sek_batch_add(g->run->owners[kind], key, len, 0, 0, "");
    return g->err == SEK_OK;
}

/* All that can make the engine decide differently than above: of lists, findings, and canaries. */
static enum sek_err gather_all(struct run *r)
{
    struct gather g = {.run = r};
    struct sek_name name;
    unsigned n;
    for (int kind = 0; kind < N_KINDS && !g.err; kind++)
        g.err = sek_batch_new(&r->owners[kind]);
    if (g.err)
        return sek_diag_set(&r->c->diag, g.err, "%s", sek_err_text(g.err));
    if (!sek_policy_names(r->policy, gather_name, &g) && !g.err)
        return sek_diag_set(&r->c->diag, SEK_E_CORRUPT,
                            "%s: damaged policy; sekisho list publish --full makes it anew",
                            r->conf->policy.dir);
    const struct sek_dynamic_row *rows = sek_dynamic_rows(r->dynamic, &n);
    for (unsigned i = 0; i < n && !g.err; i++)
        if (sek_name_from_wire(rows[i].domain, rows[i].len, &name) == SEK_OK)
            gather_name(&g, &name);
    if (r->conf->bypass.canary != SEK_CANARY_OFF)
        for (unsigned i = 0; !g.err && sek_canary_name(i, &name); i++)
            gather_name(&g, &name);
    if (g.err)
        return sek_diag_set(&r->c->diag, g.err, "%s", sek_err_text(g.err));
    for (int kind = 0; kind < N_KINDS; kind++)
        sek_batch_sort(r->owners[kind]);
    return SEK_OK;
}

/* --- what is decided of them --------------------------------------------------------------------
 */

struct walk {
    struct run *run;
    const struct sek_engine *engine;
    enum sek_about about; /* of networks */
    bool partial;         /* some rules hold for some endpoints, types or hours only */
    struct sek_effective effective;
};

typedef void owner_fn(void *arg, const struct sek_name *owner);

static enum sek_err each_owner(struct run *r, enum kind kind, owner_fn *fn, void *arg)
{
    struct sek_batch_rule rule;
    struct sek_batch_again again = {0};
    struct sek_name name;
    while (sek_batch_next(r->owners[kind], (struct sek_batch_winner){0}, &rule, &again)) {
        enum sek_err err = sek_namekey_to_name(rule.key, rule.key_len, &name);
        if (err)
            return sek_diag_set(&r->c->diag, err, "%s", sek_err_text(err));
        fn(arg, &name);
    }
    return SEK_OK;
}

static void add_place(void *arg, const struct sek_name *name)
{
    struct walk *w = arg;
    sek_effective_add(&w->effective, name);
    if (w->partial)
        sek_export_partial(&w->run->x, w->engine, w->run->c->now_s, name);
}

static enum sek_err walk_places(struct walk *w, enum kind kind, enum sek_about about)
{
    struct run *r = w->run;
    struct sek_effective_form form;
    r->x.servers = kind == SERVERS;
    sek_export_form(&r->x, &form);
    sek_effective_begin(&w->effective, about, w->engine, r->c->now_s, &form);
    return each_owner(r, kind, add_place, w);
}

static void add_net(void *arg, const struct sek_net *net)
{
    struct walk *w = arg;
    sek_export_net(&w->run->x, w->engine, w->run->c->now_s, w->about, net);
}

static void walk_nets(struct walk *w)
{
    static const enum sek_about abouts[] = {SEK_ABOUT_CLIENT_IP, SEK_ABOUT_RESPONSE_IP,
                                            SEK_ABOUT_NSIP, SEK_ABOUT_SINKHOLED};
    const struct sek_nets *nets = sek_policy_nets(w->run->policy);
    w->run->x.servers = false;
    for (unsigned i = 0; nets && i < sizeof abouts / sizeof *abouts; i++) {
        w->about = abouts[i];
        sek_nets_each(nets, w->about, add_net, w);
    }
}

static void add_other(void *arg, const struct sek_name *owner)
{
    struct walk *w = arg;
    sek_export_other(&w->run->x, w->engine, w->run->c->now_s, owner);
}

static enum sek_err walk(struct run *r)
{
    /* no format knows groups of endpoints: what the others get */
    static const struct sek_addr in_no_group;
    const struct sek_engine engine = {.policy = r->policy,
                                      .dynamic = r->dynamic,
                                      .canary = r->conf->bypass.canary,
                                      .asking.endpoint = &in_no_group,
                                      .plain = true};
    const struct sek_groups *groups = sek_policy_groups(r->policy);
    if (groups && (sek_groups_restricted(groups, SEK_MODE_BLOCK) |
                   sek_groups_restricted(groups, SEK_MODE_MONITOR)))
        sek_talk("quarantine and the restriction of groups to their exceptions are left out");
    struct walk w = {
        .run = r, .engine = &engine, .partial = groups || sek_policy_conditions(r->policy)};
    enum sek_err err = walk_places(&w, NAMES, SEK_ABOUT_NAME);
    if (!err)
        err = walk_places(&w, SERVERS, SEK_ABOUT_NSDNAME);
    walk_nets(&w);
    if (!err)
        err = each_owner(r, OTHERS, add_other, &w);
    if (err)
        return err;
    if (ferror(r->x.out))
        return sek_diag_set(&r->c->diag, sek_err_from_errno(errno), "cannot write: %s",
                            strerror(errno));
    return SEK_OK;
}

/* --- the head ----------------------------------------------------------------------------------
 */

/* What is decided name by name, at the time of the question: no list of it can be made. */
static const char *judged_live(const struct sek_conf *conf)
{
    bool classifier = conf->classify.mode == SEK_MODE_BLOCK, nod = conf->nod.mode == SEK_MODE_BLOCK;
    return classifier && nod ? "the classifier and the test for newly observed domains"
           : classifier      ? "the classifier"
           : nod             ? "the test for newly observed domains"
                             : NULL;
}

static void head_notes(const struct run *r, struct sek_buf *b)
{
    const char *mark = r->x.row->comment, *live = judged_live(r->conf);
    sek_buf_add_fmt(b, "%s %s, " MARK "\n", mark, r->x.row->title);
    for (int i = 0; i < SEK_N_LEFT; i++)
        if (r->x.n_left[i])
            sek_buf_add_fmt(b, "%s %s: %" PRIu64 " %s%s: %s\n", mark, sek_export_whys[i].word,
                            r->x.n_left[i], sek_export_whys[i].of, r->x.n_left[i] == 1 ? "" : "s",
                            sek_export_whys[i].text);
    if (live)
        sek_buf_add_fmt(b, "%s not in here: what %s would block\n", mark, live);
}

static void add_name(struct sek_buf *b, const char *text)
{
    struct sek_name name = {.len = 1};
    char out[SEK_NAME_TEXT_MAX];
    sek_name_from_text(text, strlen(text), &name, NULL); /* checked when the settings were read */
    sek_name_to_text(name.octets, out);
    sek_buf_add_fmt(b, "%s%s", out, name.n_labels ? "." : "");
}

static enum sek_err head_end(struct run *r, FILE *spool, const char *path)
{
    const struct sek_conf *conf = r->conf;
    bool zone = r->x.row->id == SEK_FORMAT_RPZ, changed = false;
    struct sek_buf before, after;
    char origin[SEK_NAME_TEXT_MAX];
    uint32_t serial = 0;
    sek_buf_init(&before, 0);
    sek_buf_init(&after, 0);
    head_notes(r, &before);
    if (zone) {
        sek_name_to_text(r->zone.octets, origin);
        sek_buf_add_fmt(&before, "$ORIGIN %s.\n$TTL %" PRId64 "\n@ SOA ", origin,
                        conf->answer.ttl_s);
        add_name(&before, conf->answer.soa_mname);
        sek_buf_add_text(&before, " ");
        add_name(&before, conf->answer.soa_rname);
        sek_buf_add_text(&before, " (\n    ");
        sek_buf_add_fmt(&after, "\n    %d %d %d %" PRId64 " )\n@ NS localhost.\n", SOA_REFRESH,
                        SOA_RETRY, SOA_EXPIRE, conf->answer.ttl_s);
    } else if (r->x.row->id == SEK_FORMAT_UNBOUND) {
        sek_buf_add_text(&before, "server:\n");
    }
    enum sek_err err = before.failed || after.failed
                           ? sek_diag_set(&r->c->diag, SEK_E_NOMEM, "out of memory")
                           : SEK_OK;
    const char *s = r->x.n_places == 1 ? "" : "s";
    char triggers[64] = "";
    if (r->x.n_triggers)
        snprintf(triggers, sizeof triggers, ", %" PRIu64 " of networks and servers",
                 r->x.n_triggers);
    const struct sek_generated_head head = {
        .mark = MARK, .before = before.data, .after = zone ? after.data : NULL};
    if (!err)
        err = sek_generated_end(spool, &head, path, r->c->now_s, &changed, &serial, &r->c->diag);
    if (!err && zone)
        sek_talk("zone %s: %" PRIu64 " name%s%s, serial %" PRIu32 "%s", origin, r->x.n_places, s,
                 triggers, serial, changed ? "" : ", unchanged");
    else if (!err)
        sek_talk("%" PRIu64 " name%s%s", r->x.n_places, s, changed ? "" : ", unchanged");
    sek_buf_fini(&before);
    sek_buf_fini(&after);
    return err;
}

/* --- the command -------------------------------------------------------------------------------
 */

static enum sek_err zone_take(struct sek_context *c, struct run *r)
{
    const struct sek_arg_value *opt = &c->opt[OPT_ZONE];
    const char *text = opt->given ? opt->text : DEFAULT_ZONE;
    struct sek_diag why;
    if (opt->given && r->x.row->id != SEK_FORMAT_RPZ)
        return sek_context_usage(c, "--zone goes with --as rpz");
    if (sek_name_from_text(text, strlen(text), &r->zone, &why) != SEK_OK)
        return sek_context_usage(c, "--zone %.100s: %.200s", text, why.text);
    if (r->zone.n_labels == 0)
        return sek_context_usage(c, "--zone: the root cannot be a policy zone");
    r->x.zone_len = r->zone.len;
    return SEK_OK;
}

static enum sek_err policy_open(struct run *r)
{
    enum sek_err err = sek_policy_open_mapped(r->conf->policy.dir, &r->policy, &r->c->diag);
    if (err == SEK_E_NOTFOUND)
        return sek_diag_set(&r->c->diag, err,
                            "there is no compiled policy in %s yet; sekisho list import or block "
                            "makes it",
                            r->conf->policy.dir);
    if (!err)
        sek_judge_dynamic(r->conf, r->c->now_s, &r->dynamic);
    return err;
}

static void tell_left(const struct run *r)
{
    const char *live = judged_live(r->conf);
    for (int i = 0; i < SEK_N_LEFT; i++)
        if (r->x.n_left[i])
            sek_talk("%s: %" PRIu64 " %s%s: %s", sek_export_whys[i].word, r->x.n_left[i],
                     sek_export_whys[i].of, r->x.n_left[i] == 1 ? "" : "s",
                     sek_export_whys[i].text);
    if (live)
        sek_talk("not in there: what %s would block", live);
}

static enum sek_err run_all(struct run *r, const char *path)
{
    enum sek_err err = policy_open(r);
    if (!err)
        err = gather_all(r);
    if (err)
        return err;
    FILE *spool = sek_generated_spool(path);
    if (!spool)
        return sek_diag_set(&r->c->diag, sek_err_from_errno(errno),
                            "%s: cannot make a temporary file: %s", path ? path : "$TMPDIR",
                            strerror(errno));
    r->x.out = spool;
    r->x.policy = r->policy;
    err = walk(r);
    if (!err)
        err = head_end(r, spool, path);
    fclose(spool);
    if (!err)
        tell_left(r);
    return err;
}

enum sek_err sek_cmd_policy_export(struct sek_context *c)
{
    struct run r = {.c = c};
    int id = c->opt[OPT_AS].given ? (int)c->opt[OPT_AS].number : SEK_FORMAT_RPZ;
    for (r.x.row = sek_export_rows; (int)r.x.row->id != id;)
        r.x.row++;
    enum sek_err err = zone_take(c, &r);
    if (!err)
        err = sek_context_conf(c, &r.conf);
    if (err)
        return err;
    r.x.conf = r.conf;
    const char *path = c->opt[OPT_OUTPUT].given ? c->opt[OPT_OUTPUT].text : "-";
    err = run_all(&r, strcmp(path, "-") == 0 ? NULL : path);
    for (int kind = 0; kind < N_KINDS; kind++)
        sek_batch_free(r.owners[kind]);
    sek_dynamic_free(r.dynamic);
    sek_policy_close(r.policy);
    return err;
}
