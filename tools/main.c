/* SPDX-License-Identifier: BSD-3-Clause */
/* The command `sekisho`: global options, dispatch, exit status. The only place where an error
 * becomes a line for a person. */
#include "command.h"
#include "help.h"
#include "origin.h"
#include "roles.h"
#include "tools/change/preview.h"
#include "tools/print/talk.h"
#include "tools/print/veil.h"
#include "tools/privacy/cloak.h"
#include "tools/views/exceptview.h"
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include "base/banned.h"

SEK_COMMAND(preview);

#define KEEP_OCTETS (64 << 20) /* free memory that is kept for the next use */

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
        .width = terminal_width(),
        .part = global[SEK_GLOBAL_PART].text};
    sek_veil_set(sek_context_cloak, c);
    return sek_out_new(stdout, &style, &c->out);
}

/* Whenever it went: errno is by now that of another call. */
static bool reader_is_gone(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLHUP));
}

/* What was printed is data that was asked for, also help and version. */
static int finish_text(int status)
{
    int errnum = fflush(stdout) ? errno : 0;
    if ((!errnum && !ferror(stdout)) || errnum == EPIPE || reader_is_gone())
        return status;
    if (errnum || status == SEK_EXIT_OK) /* else it is told already */
        sek_talk("cannot write: %s", errnum ? strerror(errnum) : "a part is missing");
    return SEK_EXIT_ERROR;
}

static int run(struct sek_context *c, const struct sek_arg_value *global)
{
    enum sek_err e = set_up(c, global);
    if (e)
        sek_diag_set(&c->diag, e, "%s", sek_err_text(e));
    else if ((e = sek_roles_admit(c)) == SEK_OK) {
        sek_except_shout_in_report(c);
        e = c->command->run(c);
    }
    if (!e && c->preview && !c->previewed && c->exit == SEK_EXIT_OK)
        sek_talk("%s changed nothing of the policy: there is nothing to preview",
                 c->command->words);
    if (e == SEK_E_INVALID && c->out && sek_out_lacks_part(c->out))
        c->exit = SEK_EXIT_USAGE;
    if (e) {
        sek_talk("%s", *c->diag.text ? c->diag.text : sek_err_text(e));
        if (c->exit == SEK_EXIT_USAGE)
            sek_help_usage(stderr, c->command);
        else
            c->exit = SEK_EXIT_ERROR;
    }
    sek_out_free(c->out);
    sek_veil_set(NULL, NULL);
    sek_cloak_close(c->cloak);
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

/* "incident closed": said, with what may be meant, in front of all that there are. */
static void tell_unknown(char *const *words)
{
    struct sek_diag diag;
    char both[128];
    snprintf(both, sizeof both, "%.60s %.60s", words[0], words[1]);
    sek_command_unknown(both, &diag);
    sek_talk("%s", diag.text);
}

/* A family's word alone ("list" where only "list add" and others exist), or an unknown one. */
static int no_command(char **words, int n, const struct sek_arg_value *global)
{
    struct sek_diag diag;
    if (n && sek_command_is_family(words[0])) {
        bool asked = global[SEK_GLOBAL_HELP].given || (n > 1 && strcmp(words[1], "--help") == 0);
        if (!asked && n > 1 && words[1][0] != '-')
            tell_unknown(words);
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

/* "preview COMMAND…": what stands behind its own options is a command, to be rehearsed. */
static bool preview_begin(struct sek_context *c, struct sek_arg_set sets[2], char ***io_words,
                          int *io_n, int *out_used)
{
    struct sek_command const *preview = c->command;
    int at = 0;
    if (sek_args_parse(*io_words, *io_n, sets, 2, c->now_s, true, &at, &c->diag))
        return false;
    *io_words += at;
    *io_n -= at;
    if (*io_n == 0)
        return true;
    c->preview = sets[0].values;
    c->command = sek_command_find(*io_words, *io_n, out_used);
    if (c->command && sek_args_row(c->command->rows, "dry-run") >= 0)
        return true;
    sek_diag_set(&c->diag, SEK_E_INVALID, "preview: %.60s is no command that changes the policy",
                 c->command ? c->command->words : **io_words);
    c->command = preview;
    return false;
}

/* An argument that begins with "-" is read as options: where arguments are missing, it may be one.
 */
static bool has_dashed_word(const char *line)
{
    for (const char *p = strstr(line, " -"); p; p = strstr(p + 2, " -"))
        if (p[2] != '-' && p[2] && p[2] != ' ' && memchr(p, '.', strcspn(p + 1, " ") + 1))
            return true;
    return false;
}

static int command(int argc, char **argv, const char *line)
{
    struct sek_arg_value global[SEK_N_GLOBALS] = {0}, values[SEK_ARGS_MAX] = {0};
    struct sek_arg_value preview[SEK_PREVIEW_N] = {0};
    /* a command's own option hides the global one of that name */
    struct sek_arg_set sets[] = {{NULL, values}, {sek_global_args, global}};
    struct sek_context c = {.opt = values, .line = line, .now_s = (int64_t)time(NULL)};
    int at = 0, used = 0;
    int n_words = argc > 0 ? argc - 1 : 0;
    if (sek_args_parse(argv + 1, n_words, sets + 1, 1, c.now_s, true, &at, &c.diag))
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
    sets[0].rows = c.command->rows;
    words += used;
    n -= used;
    used = 0;
    if (c.command->run == sek_cmd_preview) {
        sets[0].values = preview;
        if (!preview_begin(&c, sets, &words, &n, &used))
            return wrong_use(c.command, &c.diag);
        sets[0] = (struct sek_arg_set){c.command->rows, values};
    }
    c.args = words + used;
    if (sek_args_parse(c.args, n - used, sets, 2, c.now_s, false, &c.n_args, &c.diag))
        return wrong_use(c.command, &c.diag);
    if (global[SEK_GLOBAL_HELP].given) {
        sek_help_command(stdout, c.command);
        return finish_text(SEK_EXIT_OK);
    }
    if (c.preview)
        values[sek_args_row(c.command->rows, "dry-run")].given = true;
    if (sek_command_check_args(c.command, c.args, c.n_args, &c.diag)) {
        if (c.n_args == 0 && has_dashed_word(line))
            sek_talk("what begins with \"-\" is read as options: put -- before such a name");
        return wrong_use(c.command, &c.diag);
    }
    return run(&c, global);
}

int main(int argc, char **argv)
{
    struct sek_buf line; /* made first: the parser moves arguments about */
    keep_standard_files();
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is seen as EPIPE, after our own work is in order */
    setlocale(LC_CTYPE, "C.UTF-8");
    /* ldns takes and gives back 64 KiB buffers for each record: else each time from the kernel, for
     * ten times the cost of the record */
    mallopt(M_TRIM_THRESHOLD, KEEP_OCTETS);
    mallopt(M_TOP_PAD, KEEP_OCTETS / 64);
    sek_buf_init(&line, 0);
    sek_origin_command(argv, argc, &line);
    int status = command(argc, argv, line.data ? line.data : "");
    sek_buf_fini(&line);
    return status;
}
