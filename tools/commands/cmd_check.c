/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/duration.h"
#include "classify/classify.h"
#include "classify/modelpath.h"
#include "tools/command.h"
#include "tools/check/diagnose.h"
#include "tools/check/ownership.h"
#include "store/exceptions.h"
#include <string.h>
#include "event/status.h"
#include "tools/feeds/feedview.h"
#include "tools/change/groups.h"
#include "tools/change/guarded.h"
#include "tools/roles.h"
#include "name/suffix.h"
#include "observe/domains.h"
#include "observe/mmdb.h"
#include "policy/policy.h"
#include "store/policydb.h"
#include "store/report.h"
#include "watch/bypass_list.h"
#include "watch/sinkhole_list.h"
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include "base/banned.h"

SEK_COMMAND(check);

enum { OPT_MODULE, OPT_UNBOUND, OPT_UNBOUND_CONF, OPT_USER, OPT_APPARMOR, OPT_SETTINGS, N_OPTS };
const struct sek_arg sek_cmd_check_args[] = {
    [OPT_MODULE] = {"module", 'm', SEK_ARG_TEXT, "FILE",
                    "sekisho.so; else what unbound.conf names as dynlib-file"},
    [OPT_UNBOUND] = {"unbound", 'u', SEK_ARG_TEXT, "FILE",
                     "the program; else the running one, else one of the usual places"},
    [OPT_UNBOUND_CONF] = {"unbound-conf", 0, SEK_ARG_TEXT, "FILE",
                          "its configuration; else /etc/unbound/unbound.conf"},
    [OPT_USER] = {"user", 0, SEK_ARG_TEXT, "NAME",
                  "the user it runs as; else what unbound.conf says, else unbound"},
    [OPT_APPARMOR] = {"apparmor", 0, SEK_ARG_TEXT, "FOLDER",
                      "profiles to examine, active or not; else /etc/apparmor.d if active"},
    [OPT_SETTINGS] = {"settings-only", 0, SEK_ARG_FLAG, NULL,
                      "settings, policy and databases only, not the installation"},
    [N_OPTS] = {0},
};

#define say sek_diagnose_say

/* --- settings, policy, databases, resolver ------------------------------------------------------
 */

static void check_suffix(struct sek_diagnose *d)
{
    struct sek_suffix *suffix = NULL;
    struct sek_diag why;
    const char *list = *d->conf->suffix.list ? d->conf->suffix.list : NULL;
    if (sek_suffix_open(list, &suffix, &why))
        say(d, SEK_LEVEL_FAIL, "suffix list", "install the package publicsuffix", "%s", why.text);
    else
        say(d, SEK_LEVEL_OK, "suffix list", "", "version %s", sek_suffix_version(suffix));
    sek_suffix_close(suffix);
}

static void damaged_policy(struct sek_diagnose *d, const struct sek_diag *why)
{
    struct sek_policy *kept = NULL;
    char next[64] = "unfiltered";
    if (sek_policy_open_previous(d->conf->policy.dir, &kept, NULL) == SEK_OK)
        snprintf(next, sizeof next, "with the previous policy, generation %" PRIu64,
                 sek_policy_generation(kept));
    else if (d->conf->policy.strict)
        snprintf(next, sizeof next, "with SERVFAIL for every query");
    sek_policy_close(kept);
    say(d, SEK_LEVEL_FAIL, "policy", "run sekisho list publish", "%s; a resolver would start %s",
        why->text, next);
}

/* Rules that are in force and have no effect. */
static void check_effect(struct sek_diagnose *d, const struct sek_policy *policy)
{
    const struct sek_image_places *places = sek_policy_places(policy);
    const char *advice = "set it to a database in MaxMind's format";
    if (*sek_policy_trouble(policy))
        say(d, SEK_LEVEL_WARN, "policy", "", "%s", sek_policy_trouble(policy));
    if (places && places->n_asn && !*d->conf->geo.asn)
        say(d, SEK_LEVEL_WARN, "policy", advice,
            "%" PRIu32 " rule%s asn:… no effect: geo.asn is not set", places->n_asn,
            places->n_asn == 1 ? " has" : "s have");
    if (places && places->n_country && !*d->conf->geo.country && !*d->conf->geo.asn)
        say(d, SEK_LEVEL_WARN, "policy", advice,
            "%" PRIu32 " rule%s country:… no effect: geo.country is not set", places->n_country,
            places->n_country == 1 ? " has" : "s have");
}

static void check_policy(struct sek_diagnose *d, uint64_t *out_generation)
{
    struct sek_policy *policy = NULL;
    struct sek_diag why;
    enum sek_err e = sek_policy_open(d->conf->policy.dir, &policy, &why);
    *out_generation = 0;
    if (e == SEK_E_NOTFOUND) {
        say(d, d->conf->policy.strict ? SEK_LEVEL_FAIL : SEK_LEVEL_WARN, "policy",
            "the first sekisho block or import makes it", "none compiled yet in %s",
            d->conf->policy.dir);
    } else if (e) {
        damaged_policy(d, &why);
    } else {
        unsigned n = 0;
        (void)sek_policy_lists(policy, &n);
        *out_generation = sek_policy_generation(policy);
        say(d, SEK_LEVEL_OK, "policy", "", "generation %" PRIu64 ", %" PRIu64 " names, %u lists",
            *out_generation, sek_policy_n_names(policy), n);
        check_effect(d, policy);
    }
    sek_policy_close(policy);
}

/* Rules that could not be made today: they still block. */
static void check_guarded(struct sek_diagnose *d, struct sek_policydb *db)
{
    struct sek_guarded g;
    struct sek_diag why;
    const char *what = "never-block", *advice = "sekisho unblock --list LIST NAME";
    if (sek_guarded_read(d->conf, db, d->c->now_s, &g, &why)) {
        say(d, SEK_LEVEL_FAIL, what, "", "%s", why.text);
        return;
    }
    for (uint64_t i = 0; i < g.n && i < SEK_GUARDED_SHOWN; i++)
        say(d, SEK_LEVEL_FAIL, what, advice, "list %s: %s", g.item[i].list, g.item[i].why);
    if (g.n > SEK_GUARDED_SHOWN)
        say(d, SEK_LEVEL_FAIL, what, advice, "%" PRIu64 " more of that kind",
            g.n - SEK_GUARDED_SHOWN);
}

static bool check_feed(void *arg, const struct sek_feed_row *row)
{
    struct sek_diagnose *d = arg;
    char text[560];
    enum sek_feed_health health = sek_feedview_health(row, d->c->now_s, text, sizeof text);
    if (health == SEK_FEED_WELL)
        say(d, SEK_LEVEL_OK, "feed", "", "%s: %s", row->list.list.name,
            sek_lookup_name(sek_feed_outcome_names, row->outcome));
    else
        say(d, health == SEK_FEED_EXPIRED ? SEK_LEVEL_FAIL : SEK_LEVEL_WARN, "feed",
            "see sekisho feed show; sekisho feed update tries again", "%s: %s", row->list.list.name,
            text);
    return true;
}

static void check_feeds(struct sek_diagnose *d, struct sek_policydb *db)
{
    struct sek_diag why;
    if (sek_feeds(db, check_feed, d, &why))
        say(d, SEK_LEVEL_FAIL, "feed", "", "%s", why.text);
}

/* Who decides about exceptions can be proved only as far as nobody else can write the files. */
static void check_ownership(struct sek_diagnose *d, const char *what, const char *path,
                            const char *advice)
{
    char owners[256];
    struct sek_diag why;
    enum sek_err err = sek_ownership_check(path, owners, sizeof owners, &why);
    if (err == SEK_E_REFUSED)
        say(d, SEK_LEVEL_FAIL, what, advice, "%s: the command is not the only way to change it",
            why.text);
    else if (err)
        say(d, SEK_LEVEL_WARN, what, "run sekisho check as root", "%s", why.text);
    else if (strcmp(owners, "root") != 0 && sek_roles_any(d->conf))
        say(d, SEK_LEVEL_WARN, what, "give it to root: roles do not bind who owns the file",
            "can be written by %s", owners);
    else
        say(d, SEK_LEVEL_OK, what, "", "can be written by %s only", owners);
}

static void check_emergencies(struct sek_diagnose *d, struct sek_policydb *db)
{
    struct sek_exceptions_sum sum;
    struct sek_diag why;
    if (sek_exceptions_sum(db, d->c->now_s, d->conf->exceptions.warn_s, &sum, &why))
        say(d, SEK_LEVEL_FAIL, "exceptions", "", "%s", why.text);
    else if (sum.n_emergency_open)
        say(d, SEK_LEVEL_WARN, "exceptions", "sekisho exception reviewed ID",
            "EMERGENCY: %u made without approval and not reviewed, the last is %lld (%s, %s)",
            sum.n_emergency_open, (long long)sum.emergency, sum.emergency_rule,
            sum.emergency_in_force ? "in force" : "over by now");
}

static void check_groups(struct sek_diagnose *d, struct sek_policydb *db)
{
    unsigned left;
    if (sek_policydb_groups_left(db, &left, NULL) == SEK_OK && left <= SEK_GROUPS_FEW)
        say(d, SEK_LEVEL_WARN, "groups", "remove those that nobody needs: sekisho group show",
            "%u of %d groups of endpoints are left", left, SEK_GROUPS_MAX - 1);
}

/* What to do about a file that cannot be opened. */
static const char *remedy(enum sek_err e, const char *if_damaged)
{
    return e == SEK_E_DENIED    ? "run sekisho check as root"
           : e == SEK_E_VERSION ? "install the newer Sekisho again: nothing is damaged"
           : e == SEK_E_BUSY    ? "try again"
                                : if_damaged;
}

static void check_policydb(struct sek_diagnose *d, uint64_t compiled)
{
    struct sek_policydb *db = NULL;
    struct sek_diag why;
    uint64_t generation = 0;
    enum sek_err e = sek_policydb_open(d->conf->policy.db, false, &db, &why);
    if (!e)
        e = sek_policydb_generation(db, &generation, &why);
    if (e == SEK_E_NOTFOUND)
        say(d, SEK_LEVEL_WARN, "policy.db", "the first sekisho block or import makes it",
            "not there yet");
    else if (e)
        say(d, SEK_LEVEL_FAIL, "policy.db", remedy(e, "restore it from a backup"), "%s", why.text);
    else if (compiled && compiled != generation)
        say(d, SEK_LEVEL_FAIL, "policy.db", "run sekisho list publish",
            "generation %" PRIu64 ", but %" PRIu64 " is compiled", generation, compiled);
    else
        say(d, SEK_LEVEL_OK, "policy.db", "", "generation %" PRIu64, generation);
    if (!e)
        check_ownership(d, "policy.db", d->conf->policy.db,
                        "chown root, chmod go-w; share/sekisho/folders.sh sets it up");
    if (!e)
        check_emergencies(d, db);
    if (!e)
        check_groups(d, db);
    if (!e)
        check_guarded(d, db);
    if (!e)
        check_feeds(d, db);
    sek_policydb_close(db);
}

static void check_eventsdb(struct sek_diagnose *d)
{
    struct sek_report *report = NULL;
    struct sek_eventsdb_facts facts;
    struct sek_diag why;
    enum sek_err e = sek_report_open(d->conf->events.db, &report, &why);
    if (!e)
        e = sek_report_facts(report, &facts, &why);
    if (e == SEK_E_NOTFOUND)
        say(d, SEK_LEVEL_WARN, "events.db", "start Unbound with the module",
            "not there yet: the resolver makes it");
    else if (e)
        say(d, SEK_LEVEL_FAIL, "events.db",
            remedy(e, "restart Unbound: the module puts a damaged file aside"), "%s", why.text);
    else
        say(d, SEK_LEVEL_OK, "events.db", "", "%" PRIu64 " rows of hits, %" PRIu64 " of traffic",
            facts.n_hit_rows, facts.n_traffic_rows);
    sek_report_close(report);
}

static void check_model(struct sek_diagnose *d)
{
    char path[512], day[32];
    struct sek_classify *classify;
    struct sek_diag why;
    int64_t made_s;
    if (d->conf->classify.mode == SEK_MODE_OFF && d->conf->dga.mode == SEK_MODE_OFF)
        return;
    if (sek_classify_open(sek_model_path(d->conf, path, sizeof path), &classify, &why)) {
        say(d, SEK_LEVEL_FAIL, "classifier",
            "install the model, or correct classify.model; without it no name is judged", "%s",
            why.text);
        return;
    }
    sek_classify_about(classify, &made_s);
    sek_time_to_text(made_s, day, sizeof day);
    say(d, SEK_LEVEL_OK, "classifier", "", "model of %.10s", day);
    sek_classify_close(classify);
}

static void check_domains(struct sek_diagnose *d)
{
    const char *what = "history of domains";
    char path[SEK_CONF_PATH_MAX];
    struct sek_domains *domains;
    struct sek_domains_stats stats;
    struct sek_diag why;
    enum sek_err e = sek_domains_open_read(sek_conf_domains_file(d->conf, path), &domains, &why);
    if (e == SEK_E_NOTFOUND) {
        say(d, SEK_LEVEL_WARN, what, "start Unbound with the module",
            "not there yet: the resolver makes it");
    } else if (e) {
        say(d, SEK_LEVEL_FAIL, what,
            remedy(e, "restart Unbound: the module puts a damaged file aside"), "%s", why.text);
    } else {
        sek_domains_stats(domains, &stats);
        int64_t since_s = sek_domains_since_s(domains);
        int64_t warm_s = since_s + d->conf->domains.warm_up_s;
        char since[24], warm[24];
        sek_time_to_text(since_s, since, sizeof since);
        sek_time_to_text(warm_s, warm, sizeof warm);
        if (warm_s > d->c->now_s)
            say(d, SEK_LEVEL_OK, what, "", "%" PRIu64 " domains; nothing is new before %s",
                stats.n_known, warm);
        else
            say(d, SEK_LEVEL_OK, what, "", "%" PRIu64 " domains since %s", stats.n_known, since);
        sek_domains_close(domains);
    }
}

static void check_bypass(struct sek_diagnose *d)
{
    struct sek_bypass_list *list = NULL;
    struct sek_diag why;
    if (!*d->conf->bypass.list || d->conf->bypass.mode == SEK_MODE_OFF)
        return;
    if (sek_bypass_list_open(d->conf->bypass.list, &list, &why))
        say(d, SEK_LEVEL_FAIL, "bypass.list",
            "correct it, or leave the setting empty; until then the built-in table counts", "%s",
            why.text);
    else
        say(d, SEK_LEVEL_OK, "bypass.list", "", "%u names", sek_bypass_list_rows(list));
    sek_bypass_list_close(list);
}

static void check_sinkholes(struct sek_diagnose *d)
{
    struct sek_sinkholes *list = NULL;
    struct sek_diag why;
    if (!*d->conf->sinkholed.list || d->conf->sinkholed.mode == SEK_MODE_OFF)
        return;
    if (sek_sinkholes_open(d->conf->sinkholed.list, &list, &why))
        say(d, SEK_LEVEL_FAIL, "sinkholed.list",
            "correct it, or leave the setting empty; until then the built-in table counts", "%s",
            why.text);
    else
        say(d, SEK_LEVEL_OK, "sinkholed.list", "", "%u sinkholes", sek_sinkholes_rows(list));
    sek_sinkholes_close(list);
}

static void check_geo(struct sek_diagnose *d, const char *what, const char *path)
{
    struct sek_mmdb *db;
    struct sek_diag why;
    char built[24];
    if (!*path)
        return;
    if (sek_mmdb_open(path, &db, &why)) {
        say(d, SEK_LEVEL_WARN, what, "put a database there, or empty the setting", "%s", why.text);
        return;
    }
    sek_time_to_text(sek_mmdb_built_s(db), built, sizeof built);
    say(d, SEK_LEVEL_OK, what, "", "%s, built %s", sek_mmdb_type(db), built);
    sek_mmdb_close(db);
}

static void judge_page(struct sek_diagnose *d, const struct sek_status_page *p, uint64_t compiled)
{
    const char *what = "resolver";
    say(d, SEK_LEVEL_OK, what, "", "running, process %u, %u threads", (unsigned)p->pid,
        (unsigned)p->n_threads);
    if (compiled && p->in_force != compiled)
        say(d, SEK_LEVEL_FAIL, what, "run sekisho list publish; else see Unbound's log",
            "generation %" PRIu64 " is in force, not %" PRIu64, (uint64_t)p->in_force, compiled);
    if (*p->policy_text)
        say(d, SEK_LEVEL_WARN, what, "", "policy: %s", p->policy_text);
    if (*p->events_text)
        say(d, SEK_LEVEL_WARN, what, "", "events: %s", p->events_text);
    if (*p->classifier_text)
        say(d, SEK_LEVEL_WARN, what, "", "classifier: %s", p->classifier_text);
    if (*p->domains_text)
        say(d, SEK_LEVEL_WARN, what, "", "history of domains: %s", p->domains_text);
    if (*p->geo_text)
        say(d, SEK_LEVEL_WARN, what, "", "%s", p->geo_text);
    if (p->counter[SEK_COUNTER_LEAKED])
        say(d, SEK_LEVEL_FAIL, what, "please report this with the output of sekisho status",
            "%" PRIu64 " answers came from the cache although policy blocks them",
            (uint64_t)p->counter[SEK_COUNTER_LEAKED]);
    if (p->counter[SEK_COUNTER_RING_DROPPED] || p->counter[SEK_COUNTER_TALLY_LOST_HITS])
        say(d, SEK_LEVEL_WARN, what, "see sekisho status; raise events.ring or events.memory",
            "events were lost");
}

static void check_resolver(struct sek_diagnose *d, uint64_t compiled)
{
    const struct sek_status_page *page = NULL;
    struct sek_diag why;
    enum sek_err e = sek_status_open(d->conf->status.path, &page, &why);
    if (e == SEK_E_NOTFOUND) {
        say(d, SEK_LEVEL_WARN, "resolver", "start Unbound", "not running with the module");
        return;
    }
    if (e) {
        say(d, SEK_LEVEL_FAIL, "resolver", "restart Unbound", "%s", why.text);
        return;
    }
    struct sek_status_page copy;
    sek_status_read(page, &copy);
    if (sek_status_alive(page, (int64_t)time(NULL) * 1000))
        judge_page(d, &copy, compiled);
    else
        say(d, SEK_LEVEL_WARN, "resolver", "start Unbound", "not running (process %u is gone)",
            (unsigned)copy.pid);
    sek_status_close(page);
}

static void check_parts(struct sek_diagnose *d)
{
    uint64_t generation = 0;
    say(d, SEK_LEVEL_OK, "settings", "", "%s%s", d->c->conf_path,
        access(d->c->conf_path, F_OK) == 0 ? "" : " is not there: defaults");
    if (sek_roles_any(d->conf) && access(d->c->conf_path, F_OK) == 0)
        check_ownership(d, "settings", d->c->conf_path,
                        "chown root, chmod go-w: who writes it gives himself any role");
    check_suffix(d);
    check_policy(d, &generation);
    check_policydb(d, generation);
    check_eventsdb(d);
    check_model(d);
    check_bypass(d);
    check_sinkholes(d);
    check_domains(d);
    check_geo(d, "geo.asn", d->conf->geo.asn);
    check_geo(d, "geo.country", d->conf->geo.country);
    check_resolver(d, generation);
}

/* --- what to examine ----------------------------------------------------------------------------
 */

static const char *given(const struct sek_context *c, int opt, const char *fallback)
{
    return c->opt[opt].given ? c->opt[opt].text : fallback;
}

/* The running program, else one of the usual places. out: where its name may be kept. */
static const char *find_unbound(const struct sek_conf *conf, char *out, size_t size)
{
    static const char *const places[] = {"/usr/sbin/unbound", "/usr/local/sbin/unbound"};
    const struct sek_status_page *page = NULL;
    char link[64];
    if (sek_status_open(conf->status.path, &page, NULL) == SEK_OK) {
        bool alive = sek_status_alive(page, (int64_t)time(NULL) * 1000);
        snprintf(link, sizeof link, "/proc/%u/exe", (unsigned)page->pid);
        sek_status_close(page);
        ssize_t n = alive ? readlink(link, out, size - 1) : -1;
        if (n > 0) {
            out[n] = '\0';
            return out;
        }
    }
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (access(places[i], X_OK) == 0)
            return places[i];
    return NULL;
}

static void check_installation(struct sek_diagnose *d)
{
    struct sek_context *c = d->c;
    struct sek_diag why;
    char program[512];
    d->unbound_conf = given(c, OPT_UNBOUND_CONF, "/etc/unbound/unbound.conf");
    d->have_uc = sek_unboundconf_read(d->unbound_conf, &d->uc, &why) == SEK_OK;
    if (!d->have_uc)
        say(d, SEK_LEVEL_WARN, "unbound.conf", "name it: --unbound-conf FILE", "%s", why.text);
    d->module = given(c, OPT_MODULE, d->uc.n_dynlib_files ? d->uc.dynlib_file[0] : NULL);
    d->unbound = given(c, OPT_UNBOUND, NULL);
    if (!d->unbound)
        d->unbound = find_unbound(d->conf, program, sizeof program);
    d->apparmor = given(c, OPT_APPARMOR, "/etc/apparmor.d");
    d->apparmor_asked = c->opt[OPT_APPARMOR].given;
    d->user = given(c, OPT_USER, d->uc.username_set ? d->uc.username : "unbound");
    if (!*d->user)
        d->user = "root"; /* username: "" keeps the user that started it */
    d->have_rights = sek_rights_of(d->user, &d->rights, NULL) == SEK_OK;
    sek_diagnose_installation(d);
}

/* Programs that are run, and files that are told of, with root's rights. */
static enum sek_err check_options(struct sek_context *c)
{
    static const int options[] = {OPT_MODULE, OPT_UNBOUND, OPT_UNBOUND_CONF, OPT_APPARMOR};
    enum sek_err err = SEK_OK;
    for (unsigned i = 0; !err && i < sizeof options / sizeof *options; i++) {
        char option[32];
        snprintf(option, sizeof option, "--%s", sek_cmd_check_args[options[i]].name);
        if (c->opt[options[i]].given)
            err = sek_roles_admit_option(c, option);
    }
    return err;
}

enum sek_err sek_cmd_check(struct sek_context *c)
{
    struct sek_diagnose d = {.c = c};
    enum sek_err err = check_options(c);
    if (err)
        return err;
    sek_diagnose_begin(c);
    if (sek_context_conf(c, &d.conf)) {
        /* What is wrong with the settings is a finding like others. */
        say(&d, SEK_LEVEL_FAIL, "settings", "correct the file; sekisho config --sample shows one",
            "%s", c->diag.text);
    } else {
        check_parts(&d);
        if (!c->opt[OPT_SETTINGS].given)
            check_installation(&d);
    }
    enum sek_err e = sek_out_end(c->out, &c->diag);
    if (d.n_fail)
        c->exit = SEK_EXIT_ERROR;
    return e;
}
