/* SPDX-License-Identifier: BSD-3-Clause */
/* The command `sekisho`: global options, dispatch, exit status. The only place where an error
 * becomes a line for a person. */
#include "command.h"
#include "help.h"
#include "talk.h"
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include "base/banned.h"

/* A file opened later must not land on 0, 1 or 2, or a message would be written into a database.
 * The stand-ins are opened the wrong way round, so that using them fails as a closed one would. */
static void keep_standard_files(void)
{
    static const int modes[] = {O_WRONLY, O_RDONLY, O_WRONLY};
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            (void)!open("/dev/null", modes[fd]); /* takes the lowest free number: fd */
}

static bool wants_color(const struct sek_arg_value *global)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return !global[SEK_GLOBAL_NO_COLOR].given && !(no && *no) && term &&
           strcmp(term, "dumb") != 0 && isatty(STDOUT_FILENO);
}

static unsigned terminal_width(void)
{
    struct winsize size;
    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
        return 0;
    return size.ws_col;
}

static enum sek_err set_up(struct sek_context *c, const struct sek_arg_value *global)
{
    const char *env = getenv("SEKISHO_CONF");
    c->conf_named = true;
    if (global[SEK_GLOBAL_CONFIG].given) {
        c->conf_path = global[SEK_GLOBAL_CONFIG].text;
    } else if (env && *env) {
        c->conf_path = env;
    } else {
        c->conf_path = SEK_CONF_PATH;
        c->conf_named = false;
    }
    c->color = wants_color(global);
    struct sek_out_style style = {
        .format = (enum sek_out_format)global[SEK_GLOBAL_FORMAT].number, /* not given: table */
        .color = c->color,
        .width = terminal_width()};
    return sek_out_new(stdout, &style, &c->out);
}

/* Help and version are data that was asked for: standard output. */
static int finish_text(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    if (errno == EPIPE)
        return status;
    sek_talk("cannot write: %s", strerror(errno));
    return SEK_EXIT_ERROR;
}

static int run(struct sek_context *c, const struct sek_arg_value *global)
{
    enum sek_err e = set_up(c, global);
    if (e)
        sek_diag_set(&c->diag, e, "%s", sek_err_text(e));
    else
        e = c->command->run(c);
    if (e) {
        sek_talk("%s", *c->diag.text ? c->diag.text : sek_err_text(e));
        if (c->exit == SEK_EXIT_USAGE)
            sek_help_usage(stderr, c->command);
        else
            c->exit = SEK_EXIT_ERROR;
    }
    sek_out_free(c->out);
    if (c->conf_loaded)
        sek_conf_fini(&c->conf);
    return e ? (int)c->exit : finish_text((int)c->exit);
}

static int wrong_use(const struct sek_command *command, const struct sek_diag *diag)
{
    sek_talk("%s", diag->text);
    sek_help_usage(stderr, command);
    return SEK_EXIT_USAGE;
}

/* A family's word alone ("list" where only "list add" and others exist), or an unknown one. */
static int no_command(char **words, int n, const struct sek_arg_value *global)
{
    struct sek_diag diag;
    if (n && sek_command_is_family(words[0])) {
        bool asked = global[SEK_GLOBAL_HELP].given || (n > 1 && strcmp(words[1], "--help") == 0);
        sek_help_family(asked ? stdout : stderr, words[0]);
        return asked ? finish_text(SEK_EXIT_OK) : SEK_EXIT_USAGE;
    }
    if (n) {
        sek_command_unknown(words[0], &diag);
        return wrong_use(NULL, &diag);
    }
    sek_help_all(global[SEK_GLOBAL_HELP].given ? stdout : stderr);
    return global[SEK_GLOBAL_HELP].given ? finish_text(SEK_EXIT_OK) : SEK_EXIT_USAGE;
}

int main(int argc, char **argv)
{
    keep_standard_files();
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is seen as EPIPE, after our own work is in order */
    setlocale(LC_CTYPE, "C.UTF-8");

    struct sek_arg_value global[SEK_N_GLOBALS] = {0}, values[SEK_ARGS_MAX] = {0};
    struct sek_arg_set sets[] = {{sek_global_args, global}, {NULL, values}};
    struct sek_context c = {.opt = values, .now_s = (int64_t)time(NULL)};
    int at = 0, used = 0;
    int n_words = argc > 0 ? argc - 1 : 0;
    if (sek_args_parse(argv + 1, n_words, sets, 1, c.now_s, true, &at, &c.diag))
        return wrong_use(NULL, &c.diag);
    if (global[SEK_GLOBAL_VERSION].given) {
        puts("sekisho " SEK_VERSION);
        return finish_text(SEK_EXIT_OK);
    }
    char **words = argv + 1 + at;
    int n = n_words - at;
    c.command = sek_command_find(words, n, &used);
    if (!c.command)
        return no_command(words, n, global);
    sets[1].rows = c.command->rows;
    c.args = words + used;
    if (sek_args_parse(c.args, n - used, sets, 2, c.now_s, false, &c.n_args, &c.diag))
        return wrong_use(c.command, &c.diag);
    if (global[SEK_GLOBAL_HELP].given) {
        sek_help_command(stdout, c.command);
        return finish_text(SEK_EXIT_OK);
    }
    if (sek_command_check_args(c.command, c.args, c.n_args, &c.diag))
        return wrong_use(c.command, &c.diag);
    return run(&c, global);
}
