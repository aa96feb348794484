/* SPDX-License-Identifier: BSD-3-Clause */
#include "roles.h"
#include "caller.h"
#include "command.h"
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define GROUPS_MAX 1024

#define VIEWER SEK_ROLE_VIEWER
#define OPERATOR SEK_ROLE_OPERATOR
#define APPROVER SEK_ROLE_APPROVER

/* THE table of commands that need less than an admin; policy/sudoers.sample is made of it. What
 * weakens protection with nobody else asked (allow, unblock, release, lists, undo) is not among
 * them, nor what imports or forgets. to_change: where changing policy.db needs more. */
static const struct {
    const char *words;
    enum sek_role role, to_change;
} needs[] = {
    /* all that shows */
    {"status", VIEWER, SEK_ROLE_ADMIN},
    {"check", VIEWER, SEK_ROLE_ADMIN},
    {"list show", VIEWER, SEK_ROLE_ADMIN},
    {"list export", VIEWER, SEK_ROLE_ADMIN},
    {"list versions", VIEWER, SEK_ROLE_ADMIN},
    {"list diff", VIEWER, SEK_ROLE_ADMIN},
    {"list stats", VIEWER, SEK_ROLE_ADMIN},
    {"list test", VIEWER, SEK_ROLE_ADMIN},
    {"feed list", VIEWER, SEK_ROLE_ADMIN},
    {"feed show", VIEWER, SEK_ROLE_ADMIN},
    {"policy export", VIEWER, SEK_ROLE_ADMIN},
    {"group show", VIEWER, SEK_ROLE_ADMIN},
    {"group preview", VIEWER, SEK_ROLE_ADMIN},
    {"exception list", VIEWER, SEK_ROLE_ADMIN},
    {"exception show", VIEWER, SEK_ROLE_ADMIN},
    {"exception preview", VIEWER, SEK_ROLE_ADMIN},
    {"preview detector", VIEWER, SEK_ROLE_ADMIN},
    {"audit", VIEWER, SEK_ROLE_ADMIN},
    {"audit show", VIEWER, SEK_ROLE_ADMIN},
    {"audit verify", VIEWER, SEK_ROLE_ADMIN},
    {"audit export", VIEWER, SEK_ROLE_ADMIN},
    {"audit seal", VIEWER, SEK_ROLE_ADMIN},
    {"explain", VIEWER, SEK_ROLE_ADMIN},
    {"classify", VIEWER, SEK_ROLE_ADMIN},
    {"hits", VIEWER, SEK_ROLE_ADMIN},
    {"triage show", VIEWER, SEK_ROLE_ADMIN},
    {"tail", VIEWER, SEK_ROLE_ADMIN},
    {"events", VIEWER, SEK_ROLE_ADMIN},
    {"findings", VIEWER, SEK_ROLE_ADMIN},
    {"finding", VIEWER, SEK_ROLE_ADMIN},
    {"endpoint", VIEWER, SEK_ROLE_ADMIN},
    {"endpoint list", VIEWER, SEK_ROLE_ADMIN},
    {"endpoint show", VIEWER, SEK_ROLE_ADMIN},
    {"nod list", VIEWER, SEK_ROLE_ADMIN},
    {"nod show", VIEWER, SEK_ROLE_ADMIN},
    {"nod stats", VIEWER, SEK_ROLE_ADMIN},
    {"nod responses", VIEWER, SEK_ROLE_ADMIN},
    {"nod export", VIEWER, SEK_ROLE_ADMIN},
    {"answers", VIEWER, SEK_ROLE_ADMIN},
    {"stats", VIEWER, SEK_ROLE_ADMIN},
    {"report", VIEWER, SEK_ROLE_ADMIN},
    {"replay", VIEWER, SEK_ROLE_ADMIN},
    {"selftest", VIEWER, SEK_ROLE_ADMIN},
    {"metrics", VIEWER, SEK_ROLE_ADMIN},
    {"incident list", VIEWER, SEK_ROLE_ADMIN},
    {"incident show", VIEWER, SEK_ROLE_ADMIN},
    {"correlate", VIEWER, SEK_ROLE_ADMIN},
    {"domain", VIEWER, SEK_ROLE_ADMIN},
    {"config", VIEWER, SEK_ROLE_ADMIN},
    {"help", VIEWER, SEK_ROLE_ADMIN},
    {"completion", VIEWER, SEK_ROLE_ADMIN},
    {"manual", VIEWER, SEK_ROLE_ADMIN},
    {"exception review", VIEWER, APPROVER}, /* its decisions */
    /* protect, work on incidents, ask */
    {"block", OPERATOR, OPERATOR},
    {"quarantine", OPERATOR, OPERATOR},
    {"preview", OPERATOR, OPERATOR}, /* of what his role may */
    {"findings dismiss", OPERATOR, OPERATOR},
    {"findings restore", OPERATOR, OPERATOR},
    {"triage set", OPERATOR, OPERATOR},
    {"incident open", OPERATOR, OPERATOR},
    {"incident add", OPERATOR, OPERATOR},
    {"incident note", OPERATOR, OPERATOR},
    {"incident scope", OPERATOR, OPERATOR},
    {"incident contain", OPERATOR, OPERATOR}, /* blocks and quarantines */
    {"incident evidence", OPERATOR, OPERATOR},
    {"incident close", OPERATOR, OPERATOR},
    {"incident reopen", OPERATOR, OPERATOR},
    {"packets", OPERATOR, OPERATOR},
    {"exception request", OPERATOR, OPERATOR},
    {"exception request-from-hit", OPERATOR, OPERATOR},
    {"exception emergency", OPERATOR, OPERATOR},
    {"exception revoke", OPERATOR, OPERATOR}, /* others' only as an approver, see there */
    {"exception enforce", OPERATOR, OPERATOR},
    /* decide */
    {"exception approve", APPROVER, APPROVER},
    {"exception reject", APPROVER, APPROVER},
    {"exception reviewed", APPROVER, APPROVER},
    {"exception archive", APPROVER, APPROVER},
};

enum sek_role sek_roles_of_command(const char *words)
{
    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++)
        if (strcmp(needs[i].words, words) == 0)
            return needs[i].role;
    return SEK_ROLE_ADMIN;
}

static enum sek_role role_to_change(const char *words)
{
    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++)
        if (strcmp(needs[i].words, words) == 0)
            return needs[i].to_change;
    return SEK_ROLE_ADMIN;
}

bool sek_roles_any(const struct sek_conf *conf)
{
    bool any = false;
    for (int i = 0; i < SEK_N_ROLES; i++)
        any |= *conf->roles[i] != '\0';
    return any;
}

static bool is_in(const char *group, const gid_t *gids, int n)
{
    struct group entry, *found = NULL;
    char room[65536];
    if (!*group || getgrnam_r(group, &entry, room, sizeof room, &found) || !found)
        return false;
    for (int i = 0; i < n; i++)
        if (gids[i] == found->gr_gid)
            return true;
    return false;
}

enum sek_role sek_role_of(const struct sek_conf *conf, const struct sek_origin *who)
{
    struct passwd entry, *found = NULL;
    char room[4096];
    gid_t gids[GROUPS_MAX];
    int n = GROUPS_MAX;
    if (who->uid == 0 || !sek_roles_any(conf))
        return SEK_ROLE_ADMIN;
    if (getpwuid_r(who->uid, &entry, room, sizeof room, &found) || !found)
        return SEK_ROLE_NONE;
    if (getgrouplist(found->pw_name, found->pw_gid, gids, &n) < 0)
        n = GROUPS_MAX; /* more than that: the first ones count */
    for (int role = SEK_N_ROLES - 1; role >= 0; role--)
        if (is_in(conf->roles[role], gids, n))
            return (enum sek_role)role;
    /* where nobody is named as viewer, everybody may look */
    return *conf->roles[SEK_ROLE_VIEWER] ? SEK_ROLE_NONE : SEK_ROLE_VIEWER;
}

static enum sek_err require(struct sek_context *c, const struct sek_conf *conf, enum sek_role role,
                            const char *what)
{
    struct sek_origin who;
    if (!sek_roles_any(conf))
        return SEK_OK;
    sek_origin_read(&who);
    enum sek_role has = sek_role_of(conf, &who);
    if (has >= role)
        return SEK_OK;
    return sek_diag_set(&c->diag, SEK_E_REFUSED, "%.60s: needs the role %s%s%s%s; %s has %s%s",
                        what, sek_lookup_name(sek_role_names, role),
                        *conf->roles[role] ? " (group " : "", conf->roles[role],
                        *conf->roles[role] ? ")" : "", who.user,
                        has == SEK_ROLE_NONE ? "no role" : "the role ",
                        has == SEK_ROLE_NONE ? "" : sek_lookup_name(sek_role_names, has));
}

/* With settings brought along, those of the usual file say who may bring them. */
static enum sek_err admit_settings(struct sek_context *c)
{
    const char *env = getenv("SEKISHO_CONF"), *usual = env && *env ? env : SEK_CONF_PATH;
    struct sek_conf conf;
    if (!c->conf_named || strcmp(c->conf_path, usual) == 0)
        return SEK_OK;
    enum sek_err err = sek_conf_load(usual, &conf, &c->diag);
    if (err == SEK_E_NOTFOUND) {
        c->diag = (struct sek_diag){0};
        return SEK_OK;
    }
    if (!err)
        err = require(c, &conf, SEK_ROLE_ADMIN, "--config");
    sek_conf_fini(&conf);
    return err;
}

/* Who is no admin brings his own rights for files at paths of his choice, as does everybody where
 * the roles are not known (conf NULL). */
static void bind_caller(const struct sek_conf *conf)
{
    struct sek_origin who;
    if (conf && !sek_roles_any(conf))
        return;
    sek_origin_read(&who);
    if (!conf || sek_role_of(conf, &who) < SEK_ROLE_ADMIN)
        sek_caller_bind(who.uid);
}

enum sek_err sek_roles_admit(struct sek_context *c)
{
    const struct sek_conf *conf;
    enum sek_err err = admit_settings(c);
    if (err)
        return err;
    err = sek_context_conf(c, &conf);
    bind_caller(err ? NULL : conf);
    if (err) {
        c->diag = (struct sek_diag){0};
        return SEK_OK;
    }
    return require(c, conf, sek_roles_of_command(c->command->words), c->command->words);
}

enum sek_err sek_roles_admit_option(struct sek_context *c, const char *option)
{
    return sek_caller_is_bound() ? require(c, &c->conf, SEK_ROLE_ADMIN, option) : SEK_OK;
}

enum sek_err sek_roles_admit_writer(struct sek_context *c)
{
    const struct sek_conf *conf;
    enum sek_err err = sek_context_conf(c, &conf);
    return err ? err : require(c, conf, role_to_change(c->command->words), c->command->words);
}
