/* SPDX-License-Identifier: BSD-3-Clause */
#include "context.h"
#include "origin.h"
#include "tools/print/talk.h"
#include "tools/privacy/cloak.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define WORD_LINE_MAX 4096 /* octets of one line of standard input */
#define WRONG_TOLD 50      /* wrong words, one by one */

enum sek_err sek_context_conf(struct sek_context *c, const struct sek_conf **out)
{
    if (!c->conf_loaded) {
        enum sek_err e = sek_conf_load(c->conf_path, &c->conf, &c->diag);
        if (e == SEK_E_NOTFOUND && !c->conf_named)
            e = sek_conf_init(&c->conf, &c->diag); /* no file at the usual place: defaults */
        if (e)
            return e;
        c->conf_loaded = true;
    }
    *out = &c->conf;
    return SEK_OK;
}

enum sek_err sek_context_usage(struct sek_context *c, const char *fmt, ...)
{
    char text[sizeof c->diag.text];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    c->exit = SEK_EXIT_USAGE;
    return sek_diag_set(&c->diag, SEK_E_INVALID, "%s", text);
}

enum sek_err sek_context_none(struct sek_context *c, const char *fmt, ...)
{
    char text[sizeof c->diag.text];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    sek_talk("%s", text);
    c->exit = SEK_EXIT_USAGE;
    return SEK_OK;
}

/* Take blanks and comment away. Returns the word, in place. */
static char *strip(char *line)
{
    line[strcspn(line, "#\r\n")] = '\0';
    line += strspn(line, " \t");
    size_t n = strlen(line);
    while (n && (line[n - 1] == ' ' || line[n - 1] == '\t'))
        line[--n] = '\0';
    return line;
}

enum sek_err sek_wrong_note(struct sek_wrong *w, enum sek_err e)
{
    w->n++;
    if (e != SEK_E_INVALID && e != SEK_E_REFUSED)
        return e;
    if (++w->n_wrong == 1) {
        w->first = w->c->diag;
        return SEK_OK;
    }
    if (w->n_wrong == 2)
        sek_talk("%s", w->first.text);
    if (w->n_wrong <= WRONG_TOLD)
        sek_talk("%s", w->c->diag.text);
    return SEK_OK;
}

enum sek_err sek_wrong_end(const struct sek_wrong *w)
{
    if (w->n_wrong == 0)
        return SEK_OK;
    w->c->diag = w->first;
    if (w->n_wrong == 1)
        return w->first.code;
    return sek_diag_set(&w->c->diag, w->first.code, "%u of %u are wrong: nothing was changed",
                        w->n_wrong, w->n);
}

/* Words on their way to whoever takes them. */
struct words {
    sek_word_fn *fn;
    void *arg;
    struct sek_wrong wrong;
};

static enum sek_err words_of_stdin(struct words *w)
{
    struct sek_context *c = w->wrong.c;
    char *line = NULL;
    size_t size = 0;
    enum sek_err e = SEK_OK;
    ssize_t n;
    for (unsigned at = 1; !e && (n = getline(&line, &size, stdin)) >= 0; at++) {
        if (n > WORD_LINE_MAX || strlen(line) != (size_t)n) {
            e = sek_wrong_note(
                &w->wrong, sek_context_usage(
                               c, "standard input, line %u: too long, or holds a NUL octet", at));
            continue;
        }
        const char *word = strip(line);
        if (*word)
            e = sek_wrong_note(&w->wrong, w->fn(w->arg, word, at));
    }
    if (!e && ferror(stdin))
        e = sek_diag_set(&c->diag, sek_err_from_errno(errno), "cannot read standard input: %s",
                         strerror(errno));
    free(line);
    return e;
}

enum sek_err sek_context_words(struct sek_context *c, int from, sek_word_fn *fn, void *arg)
{
    struct words w = {.fn = fn, .arg = arg, .wrong.c = c};
    enum sek_err e = SEK_OK;
    for (int i = from; !e && i < c->n_args; i++)
        e = strcmp(c->args[i], "-") == 0 ? words_of_stdin(&w)
                                         : sek_wrong_note(&w.wrong, fn(arg, c->args[i], 0));
    return e ? e : sek_wrong_end(&w.wrong);
}

enum sek_err sek_context_privacy(struct sek_context *c, struct sek_cloak **out)
{
    enum sek_err e = SEK_OK;
    if (!c->cloak_known)
        e = sek_cloak_open(&c->conf, c->now_s, &c->cloak, &c->diag);
    c->cloak_known = !e;
    *out = c->cloak;
    return e;
}

const char *sek_context_cloak(void *arg, enum sek_veil_what what, const char *text,
                              bool *out_hidden)
{
    struct sek_context *c = arg;
    struct sek_cloak *cloak = NULL;
    struct sek_diag before = c->diag;
    bool hidden = false;
    if (!c->conf_loaded) /* then there is nothing to report of either */
        return text;
    if (sek_context_privacy(c, &cloak)) {
        c->blind_why = c->diag;
        c->diag = before;
        c->cloak = cloak = sek_cloak_blind();
        c->cloak_known = true;
        if (!cloak)
            return "";
    }
    const char *shown = cloak ? sek_cloak_text(cloak, what, text, &hidden) : text;
    if (hidden && c->blind_why.code) {
        struct sek_diag why = c->blind_why;
        c->blind_why.code = SEK_OK;
        sek_talk("%s; all addresses are hidden", why.text);
        shown = sek_cloak_text(cloak, what, text, NULL); /* that was borrowed */
    }
    if (out_hidden)
        *out_hidden = hidden;
    return shown;
}

const char *sek_context_who(char *out, size_t size)
{
    struct sek_origin origin;
    sek_origin_read(&origin);
    snprintf(out, size, "%s", origin.user);
    return out;
}
