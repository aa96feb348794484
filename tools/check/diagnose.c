/* SPDX-License-Identifier: BSD-3-Clause */
#include "diagnose.h"
#include "classify/modelpath.h"
#include "elf.h"
#include <fnmatch.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/banned.h"

enum { LEVEL, WHAT, TEXT, ADVICE, N_COLS };
static const struct sek_col cols[] = {
    [LEVEL] = {"level", "", SEK_COL_TEXT},
    [WHAT] = {"what", "What", SEK_COL_TEXT},
    [TEXT] = {"finding", "Finding", SEK_COL_TEXT},
    [ADVICE] = {"advice", "What to do", SEK_COL_TEXT, ""},
};

void sek_diagnose_begin(struct sek_context *c)
{
    sek_out_begin(c->out, "sekisho.check/1", cols, N_COLS, SEK_OUT_ROWS);
}

void sek_diagnose_say(struct sek_diagnose *d, enum sek_level level, const char *what,
                      const char *advice, const char *fmt, ...)
{
    static const char *const names[] = {"ok", "warn", "fail"};
    static const enum sek_tint tints[] = {SEK_TINT_GOOD, SEK_TINT_WARN, SEK_TINT_BAD};
    char text[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    d->n_fail += level == SEK_LEVEL_FAIL;
    d->n_warn += level == SEK_LEVEL_WARN;
    sek_out_text(d->c->out, LEVEL, names[level]);
    sek_out_tint(d->c->out, LEVEL, tints[level]);
    sek_out_text(d->c->out, WHAT, what);
    sek_out_text(d->c->out, TEXT, text);
    sek_out_text(d->c->out, ADVICE, advice);
    sek_out_row(d->c->out);
}

/* Short names: this file says little else. */
#define OK SEK_LEVEL_OK
#define WARN SEK_LEVEL_WARN
#define FAIL SEK_LEVEL_FAIL
#define say sek_diagnose_say

/* --- unbound.conf ------------------------------------------------------------------------------
 */

static void test_unbound_conf(struct sek_diagnose *d)
{
    const char *what = "unbound.conf";
    const struct sek_unboundconf *u = &d->uc;
    if (!d->have_uc)
        return;
    if (u->n_missing)
        say(d, WARN, what, "run sekisho check as root", "%u included files could not be read: %s",
            u->n_missing, u->missing);
    size_t n = strcspn(u->module_config, " \t");
    bool has = strstr(u->module_config, "dynlib") != NULL;
    if (n == 6 && strncmp(u->module_config, "dynlib", 6) == 0)
        say(d, OK, what, "", "module-config: \"%s\"", u->module_config);
    else if (has)
        say(d, FAIL, what,
            "put dynlib first: what stands before it would keep our answers for everybody",
            "module-config: \"%s\"", u->module_config);
    else
        say(d, FAIL, what, "module-config: \"dynlib validator iterator\"",
            "module-config does not name dynlib");
    if (!u->n_dynlib_files)
        say(d, FAIL, what, "dynlib: dynlib-file: <path of sekisho.so>", "no dynlib-file is named");
    if (*u->chroot)
        say(d, WARN, what,
            "the paths of the settings, and the libraries of the module, must exist "
            "inside; or set chroot: \"\"",
            "chroot: \"%s\"", u->chroot);
}

/* --- program and module ------------------------------------------------------------------------
 */

static void test_unbound(struct sek_diagnose *d)
{
    struct sek_diag why;
    bool can = false;
    if (!d->unbound) {
        say(d, WARN, "unbound", "name the program: --unbound FILE", "not found");
        return;
    }
    if (sek_elf_mentions(d->unbound, "dynlibmod[", &can, &why))
        say(d, FAIL, "unbound", "name the program: --unbound FILE", "%s", why.text);
    else if (!can)
        say(d, FAIL, "unbound",
            "use one built with --with-dynlibmodule (tools/quickstart builds it)",
            "%s cannot load modules", d->unbound);
    else
        say(d, OK, "unbound", "", "%s can load modules", d->unbound);
}

/* The items of the module's section: "build-id=…" and "version=…", each ended by a NUL. */
static bool is_built_for(const struct sek_buf *section, const char *id, const char **out_version)
{
    bool found = false;
    *out_version = "?";
    for (size_t at = 0; at < section->len;) {
        const char *item = section->data + at; /* a buffer ends with a NUL of its own */
        if (strncmp(item, "build-id=", 9) == 0 && strcmp(item + 9, id) == 0)
            found = true;
        if (strncmp(item, "version=", 8) == 0)
            *out_version = item + 8;
        at += strlen(item) + 1;
    }
    return found;
}

static void test_module(struct sek_diagnose *d)
{
    const char *what = "module", *version;
    struct sek_diag why;
    struct sek_buf section, id;
    if (!d->module) {
        say(d, WARN, what, "name the module: --module FILE", "not found");
        return;
    }
    sek_buf_init(&section, 0);
    sek_buf_init(&id, 0);
    if (sek_elf_section(d->module, ".sekisho.host", &section, &why)) {
        say(d, FAIL, what, "install it again; name another: --module FILE", "%s", why.text);
    } else if (!d->unbound || sek_elf_build_id(d->unbound, &id, &why)) {
        is_built_for(&section, "", &version);
        say(d, WARN, what, "name the program: --unbound FILE",
            "built for Unbound %s; not compared with the program", version);
    } else if (is_built_for(&section, id.data ? id.data : "", &version)) {
        say(d, OK, what, "", "%s is built for this Unbound (%s)", d->module, version);
    } else {
        say(d, FAIL, what, "build the module for this very program (tools/quickstart does)",
            "%s is built for another Unbound (%s); the resolver serves without it", d->module,
            version);
    }
    sek_buf_fini(&section);
    sek_buf_fini(&id);
}

/* --- rights ------------------------------------------------------------------------------------
 */

/* The folder that a path stands in; out as large as the path may be. */
static const char *folder_of(const char *path, char out[SEK_CONF_TEXT_MAX])
{
    snprintf(out, SEK_CONF_TEXT_MAX, "%s", path);
    return dirname(out);
}

static void need(struct sek_diagnose *d, const char *what, const char *path, int mode,
                 const char *verb, const char *advice)
{
    struct sek_diag why;
    if (sek_rights_allow(&d->rights, path, mode, &why))
        say(d, OK, what, "", "%s may %s %s", d->user, verb, path);
    else
        say(d, FAIL, what, advice, "%s cannot %s it: %s", d->user, verb, why.text);
}

static void forbid_write(struct sek_diagnose *d, const char *what, const char *path)
{
    struct sek_diag why;
    if (d->rights.uid != 0 && sek_rights_allow(&d->rights, path, W_OK, &why))
        say(d, FAIL, what, "take the right away: chown root, chmod go-w",
            "%s may write %s: a broken-into resolver could change it", d->user, path);
}

/* A reader's lock keeps every writer out, for as long as he likes. */
static void forbid_read(struct sek_diagnose *d, const char *what, const char *path)
{
    struct sek_diag why;
    if (d->rights.uid != 0 && sek_rights_allow(&d->rights, path, R_OK, &why))
        say(d, FAIL, what, "take the right away: chown root, chmod go=",
            "%s may read %s: a broken-into resolver could lock it against every change", d->user,
            path);
}

static void test_rights(struct sek_diagnose *d)
{
    char folder[SEK_CONF_TEXT_MAX];
    const struct sek_conf *conf = d->conf;
    if (!d->have_rights) {
        say(d, WARN, "rights", "name the user that Unbound runs as: --user NAME",
            "there is no user %s: rights were not examined", d->user);
        return;
    }
    if (d->rights.uid == 0)
        say(d, WARN, "rights", "set username: in unbound.conf", "Unbound runs as root");
    if (d->module)
        need(d, "module", d->module, R_OK, "read", "chmod a+r the file, a+x the folders above");
    if (access(d->c->conf_path, F_OK) == 0) {
        need(d, "settings", d->c->conf_path, R_OK, "read",
             "chmod a+r the file, a+x the folders above");
        forbid_write(d, "settings", d->c->conf_path);
    }
    need(d, "policy folder", conf->policy.dir, R_OK | X_OK, "read",
         "run share/sekisho/folders.sh of the installation");
    forbid_write(d, "policy folder", conf->policy.dir);
    forbid_write(d, "policy.db", conf->policy.db);
    forbid_read(d, "policy.db", conf->policy.db);
    need(d, "events folder", folder_of(conf->events.db, folder), W_OK | X_OK, "write",
         "run share/sekisho/folders.sh of the installation");
    if (access(conf->events.db, F_OK) == 0)
        need(d, "events.db", conf->events.db, R_OK | W_OK, "write",
             "the file was made by another user: chown it");
    struct stat st;
    if (stat(conf->events.db, &st) == 0 && st.st_mode & S_IRWXO)
        say(d, WARN, "events.db", "chmod o= the file",
            "everybody on this machine may see who asked for which name");
    char path[SEK_CONF_PATH_MAX];
    if (access(sek_conf_domains_file(conf, path), F_OK) == 0)
        need(d, "history of domains", path, R_OK | W_OK, "write",
             "the file was made by another user: chown it");
    need(d, "status folder", folder_of(conf->status.path, folder), W_OK | X_OK, "write",
         "run share/sekisho/folders.sh of the installation");
}

/* --- AppArmor ----------------------------------------------------------------------------------
 */

/* The end of the alternatives that begin at `open`, or NULL. */
static const char *brace_end(const char *open)
{
    int depth = 0;
    for (const char *p = open; *p; p++) {
        depth += (*p == '{') - (*p == '}');
        if (depth == 0)
            return p;
    }
    return NULL;
}

/* fnmatch with {a,b}, which may be nested. budget: of alternatives that are tried, so that a
 * strange profile costs no more. */
static bool pattern_matches(const char *pattern, const char *path, unsigned *budget)
{
    char one[512];
    const char *open = strchr(pattern, '{'), *end = open ? brace_end(open) : NULL;
    if (!end)
        return fnmatch(pattern, path, 0) == 0;
    for (const char *from = open + 1, *to; from <= end && *budget; from = to + 1) {
        --*budget;
        for (to = from; to < end && *to != ','; to++)
            if (*to == '{')
                to = brace_end(to); /* within the outer ones, so it has an end */
        snprintf(one, sizeof one, "%.*s%.*s%s", (int)(open - pattern), pattern, (int)(to - from),
                 from, end + 1);
        if (pattern_matches(one, path, budget))
            return true;
    }
    return false;
}

/* Does a profile's text allow `letters` for the path? Rules are "[owner] <pattern> <letters>,". */
static bool profile_allows(const char *file, const char *path, const char *letters)
{
    char line[1024], pattern[512], rights[64];
    bool all = false;
    FILE *f = fopen(file, "re");
    while (f && !all && fgets(line, sizeof line, f)) {
        char *p = line + strspn(line, " \t");
        if (strncmp(p, "owner ", 6) == 0)
            p += 6;
        unsigned budget = 1000;
        if (sscanf(p, "%511s %63[a-zA-Z],", pattern, rights) != 2 ||
            !pattern_matches(pattern, path, &budget))
            continue;
        all = true;
        for (const char *l = letters; *l; l++)
            all &= strchr(rights, *l) != NULL;
    }
    if (f)
        fclose(f);
    return all;
}

static bool apparmor_active(void)
{
    char answer = 'N';
    FILE *f = fopen("/sys/module/apparmor/parameters/enabled", "re");
    if (f && fread(&answer, 1, 1, f) != 1)
        answer = 'N';
    if (f)
        fclose(f);
    return answer == 'Y';
}

static void test_apparmor(struct sek_diagnose *d)
{
    const char *what = "AppArmor";
    char profile[512], local[512], db[SEK_CONF_TEXT_MAX + 4];
    char domains[SEK_CONF_PATH_MAX], model[512];
    snprintf(profile, sizeof profile, "%s/usr.sbin.unbound", d->apparmor);
    snprintf(local, sizeof local, "%s/local/usr.sbin.unbound", d->apparmor);
    if (access(profile, F_OK) != 0 || (!d->apparmor_asked && !apparmor_active())) {
        say(d, OK, what, "", "no profile of Unbound is in force");
        return;
    }
    if (!d->apparmor_asked && d->unbound && strcmp(d->unbound, "/usr/sbin/unbound") != 0) {
        say(d, OK, what, "", "the profile is for /usr/sbin/unbound, not for %s", d->unbound);
        return;
    }
    snprintf(db, sizeof db, "%s-wal", d->conf->events.db);
    struct {
        const char *path, *letters;
    } rows[] = {
        {d->module, "mr"},
        {d->conf->events.db, "rwk"},
        {db, "rwk"},
        {d->conf->status.path, "rw"},
        {sek_conf_domains_file(d->conf, domains), "rwk"},
        {sek_model_path(d->conf, model, sizeof model), "r"},
    };
    bool good = true;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!rows[i].path || profile_allows(local, rows[i].path, rows[i].letters) ||
            profile_allows(profile, rows[i].path, rows[i].letters))
            continue;
        good = false;
        say(d, FAIL, what, "add the lines of share/sekisho/apparmor-unbound to it, then reload it",
            "%s lacks %s for %s", local, rows[i].letters, rows[i].path);
    }
    if (good)
        say(d, OK, what, "", "%s has our lines", local);
}

void sek_diagnose_installation(struct sek_diagnose *d)
{
    static void (*const tests[])(struct sek_diagnose *) = {test_unbound_conf, test_unbound,
                                                           test_module, test_rights, test_apparmor};
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        tests[i](d);
}
