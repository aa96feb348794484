/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/caller.h"
#include "tools/command.h"
#include "tools/interrupt.h"
#include "tools/metrics/gather.h"
#include "tools/metrics/scrape.h"
#include "tools/print/talk.h"
#include "tools/roles.h"
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "base/banned.h"

SEK_COMMAND(metrics);

enum { OPT_OUTPUT, OPT_LISTEN, OPT_USER, N_OPTS };
const struct sek_arg sek_cmd_metrics_args[] = {
    [OPT_OUTPUT] = {"output", 'o', SEK_ARG_TEXT, "FILE", "replace FILE as a whole", NULL, 0, 0},
    [OPT_LISTEN] = {"listen", 'l', SEK_ARG_TEXT, "ADDRESS:PORT",
                    "serve GET /metrics there until interrupted", NULL, 0, 0},
    [OPT_USER] = {"user", 'u', SEK_ARG_TEXT, "USER",
                  "whom root becomes before it serves; default nobody", NULL, 0, 0},
    [N_OPTS] = {0},
};

static int64_t now_ms(void)
{
    struct timespec t = {0};
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void gather(void *arg, struct sek_buf *out)
{
    sek_metrics_gather(arg, now_ms(), out);
}

/* Not root for the sake of strangers' octets: a user of no rights, in the group that may read
 * events.db. policy.db is root's alone, so what comes of it is left out. */
static enum sek_err step_down(struct sek_context *c, const struct sek_conf *conf)
{
    const char *user = c->opt[OPT_USER].given ? c->opt[OPT_USER].text : "nobody";
    struct stat st;
    if (geteuid() != 0)
        return SEK_OK;
    errno = 0;
    const struct passwd *pw = getpwnam(user);
    if (!pw || pw->pw_uid == 0)
        return sek_diag_set(&c->diag, SEK_E_DENIED, "%s %.100s: name another one with --user",
                            pw ? "root is no choice:" : "there is no user", user);
    gid_t group = stat(conf->events.db, &st) == 0 && st.st_gid != 0 ? st.st_gid : pw->pw_gid;
    if (chdir("/") != 0 || setgroups(1, &group) != 0 || setresgid(group, group, group) != 0 ||
        setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) != 0 || setuid(0) == 0 ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return sek_diag_set(&c->diag, SEK_E_DENIED, "cannot become user %s: %s", user,
                            strerrordesc_np(errno));
    return SEK_OK;
}

static enum sek_err serve(struct sek_context *c, struct sek_conf *conf)
{
    unsigned port;
    int fd;
    enum sek_err err = sek_scrape_listen(c->opt[OPT_LISTEN].text, &fd, &port, &c->diag);
    if (err) {
        c->exit = err == SEK_E_INVALID ? SEK_EXIT_USAGE : c->exit;
        return err;
    }
    sek_interrupt_watch();
    err = step_down(c, conf);
    if (!err) {
        sek_talk("serving on port %u", port);
        err = sek_scrape_run(fd, &sek_interrupted, gather, conf, &c->diag);
    }
    close(fd);
    return err;
}

enum sek_err sek_cmd_metrics(struct sek_context *c)
{
    const struct sek_conf *conf;
    struct sek_buf text;
    enum sek_err err = sek_context_conf(c, &conf);
    if (err)
        return err;
    if (c->opt[OPT_LISTEN].given && c->opt[OPT_OUTPUT].given)
        return sek_context_usage(c, "choose one of --output and --listen");
    if (c->opt[OPT_LISTEN].given) {
        err = sek_roles_admit_option(c, "--listen"); /* --user: with anybody's rights */
        return err ? err : serve(c, &c->conf);
    }
    sek_buf_init(&text, 0);
    sek_metrics_gather(conf, now_ms(), &text);
    if (text.failed)
        err = sek_diag_set(&c->diag, SEK_E_NOMEM, "out of memory");
    else if (c->opt[OPT_OUTPUT].given)
        err = sek_caller_put(c->opt[OPT_OUTPUT].text, 0644, text.data, text.len, &c->diag);
    else
        fwrite(text.data, 1, text.len, stdout);
    sek_buf_fini(&text);
    return err;
}
