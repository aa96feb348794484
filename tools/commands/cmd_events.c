/* SPDX-License-Identifier: BSD-3-Clause */
/* What happened, for other systems: hits, findings and the audit trail in their formats. */
#include "tools/command.h"
#include "tools/interrupt.h"
#include "tools/print/talk.h"
#include "tools/privacy/cloak.h"
#include "tools/siem/stream.h"
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/banned.h"

SEK_COMMAND(events);

#define POLL_MS 1000
#define FINDINGS_PASSES 5 /* findings grow all the time: every so many passes */

enum {
    OPT_FORMAT,
    OPT_KIND,
    OPT_FOLLOW,
    OPT_SINCE,
    OPT_OUTPUT,
    OPT_SYSLOG,
    OPT_CURSOR,
    OPT_HOST,
    N_OPTS
};
const struct sek_arg sek_cmd_events_args[] = {
    [OPT_FORMAT] = {"format", 'f', SEK_ARG_CHOICE, NULL, "see sekisho-events(5); default jsonl",
                    sek_siem_format_names, 0, 0},
    [OPT_KIND] = {"kind", 0, SEK_ARG_TEXT, "KINDS", "of hits,findings,audit; default all", NULL, 0,
                  0},
    [OPT_FOLLOW] = {"follow", 'F', SEK_ARG_FLAG, NULL, "go on until interrupted", NULL, 0, 0},
    [OPT_SINCE] = {"since", 's', SEK_ARG_TIME, "TIME",
                   "no older ones; where a cursor knows better it counts", NULL, 0, 0},
    [OPT_OUTPUT] = {"output", 'o', SEK_ARG_TEXT, "FILE", "append to FILE, each event exactly once",
                    NULL, 0, 0},
    [OPT_SYSLOG] = {"syslog", 0, SEK_ARG_TEXT, "WHERE",
                    "send to a socket (/dev/log), HOST:PORT (TCP) or udp:HOST:PORT", NULL, 0, 0},
    [OPT_CURSOR] = {"cursor", 0, SEK_ARG_TEXT, "FILE",
                    "go on where FILE says, and keep it up to date", NULL, 0, 0},
    [OPT_HOST] = {"host", 0, SEK_ARG_TEXT, "NAME",
                  "name of the resolver in events; default this host's", NULL, 0, 0},
    [N_OPTS] = {0},
};

static enum sek_err kinds_of(struct sek_context *c, unsigned *out)
{
    const char *text = c->opt[OPT_KIND].given ? c->opt[OPT_KIND].text : "hits,findings,audit";
    unsigned kinds = 0;
    for (size_t n; *text; text += n + (text[n] == ',')) {
        char word[32];
        n = strcspn(text, ",");
        snprintf(word, sizeof word, "%.*s", (int)(n < sizeof word ? n : sizeof word - 1), text);
        int kind = sek_lookup_id(sek_siem_kind_plurals, word);
        if (kind < 0)
            return sek_context_usage(c, "--kind: \"%.30s\" is none of hits, findings, audit", word);
        kinds |= (unsigned)kind;
    }
    if (!kinds)
        return sek_context_usage(c, "--kind: names none");
    *out = kinds;
    return SEK_OK;
}

static enum sek_err open_sink(struct sek_context *c, const struct sek_cursor *cursor,
                              struct sek_sink **out)
{
    if (c->opt[OPT_OUTPUT].given)
        return sek_sink_file(c->opt[OPT_OUTPUT].text, &cursor->output, out, &c->diag);
    if (!c->opt[OPT_SYSLOG].given)
        return sek_sink_stdout(out, &c->diag);
    enum sek_err err = sek_sink_syslog(c->opt[OPT_SYSLOG].text, out, &c->diag);
    if (err == SEK_E_INVALID)
        c->exit = SEK_EXIT_USAGE;
    return err;
}

/* Sleep, but wake when the reader of our output goes away. */
static bool pause_until_next(bool to_stdout)
{
    struct pollfd out = {.fd = to_stdout ? STDOUT_FILENO : -1, .events = 0};
    int n = poll(&out, 1, POLL_MS);
    return !sek_interrupted && !(n > 0 && (out.revents & (POLLERR | POLLHUP | POLLNVAL)));
}

static int64_t now_ms(void)
{
    struct timespec t = {0};
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static enum sek_err run(struct sek_stream *s, bool follow, bool to_stdout)
{
    enum sek_err err = SEK_OK;
    for (unsigned pass = 0; !err; pass++) {
        unsigned which = pass % FINDINGS_PASSES ? s->kinds & ~(unsigned)SEK_SIEM_FINDING : s->kinds;
        err = sek_stream_pass(s, which, now_ms());
        if (!follow || sek_interrupted || (!err && !pause_until_next(to_stdout)))
            break;
    }
    return sek_sink_ended(s->sink) ? SEK_OK : err;
}

static const char *show_endpoint(void *arg, const char *address)
{
    return sek_cloak_endpoint(arg, address);
}

static const char *show_text(void *arg, enum sek_veil_what what, const char *text)
{
    return sek_cloak_text(arg, what, text, NULL);
}

static enum sek_err hide(struct sek_context *c, struct sek_stream *s)
{
    struct sek_cloak *cloak;
    enum sek_err err = sek_context_privacy(c, &cloak);
    if (err || !cloak)
        return err;
    s->source.endpoint = show_endpoint;
    s->source.cloak = show_text;
    s->source.arg = cloak;
    return SEK_OK;
}

static enum sek_err stream(struct sek_context *c, struct sek_stream *s)
{
    bool follow = c->opt[OPT_FOLLOW].given;
    bool to_stdout = !c->opt[OPT_OUTPUT].given && !c->opt[OPT_SYSLOG].given;
    sek_interrupt_watch();
    enum sek_err err = open_sink(c, &s->saved, &s->sink);
    if (!err) {
        s->next = s->saved;
        err = run(s, follow, to_stdout);
    }
    sek_sink_close(s->sink);
    return err;
}

static enum sek_err set_up(struct sek_context *c, struct sek_stream *s, char *host, size_t size)
{
    enum sek_err err = sek_context_conf(c, &s->conf);
    if (!err)
        err = kinds_of(c, &s->kinds);
    if (err)
        return err;
    if (c->opt[OPT_OUTPUT].given && c->opt[OPT_SYSLOG].given)
        return sek_context_usage(c, "choose one of --output and --syslog");
    if (gethostname(host, size) != 0)
        snprintf(host, size, "localhost");
    host[size - 1] = '\0';
    bool follow = c->opt[OPT_FOLLOW].given;
    s->format = (enum sek_siem_format)c->opt[OPT_FORMAT].number;
    s->head = c->opt[OPT_SYSLOG].given && s->format != SEK_SIEM_RFC5424;
    s->since_s = c->opt[OPT_SINCE].number;
    s->from_now = follow && !c->opt[OPT_SINCE].given && !c->opt[OPT_CURSOR].given;
    s->waits = follow;
    s->stop = &sek_interrupted;
    s->source.host = c->opt[OPT_HOST].given ? c->opt[OPT_HOST].text : host;
    s->source.version = SEK_VERSION;
    return SEK_OK;
}

enum sek_err sek_cmd_events(struct sek_context *c)
{
    struct sek_stream s;
    struct sek_cursor_file file = {.lock = -1};
    struct sek_suffix *suffix = NULL;
    char host[256];
    sek_stream_init(&s, c);
    enum sek_err err = set_up(c, &s, host, sizeof host);
    if (!err) {
        const char *list = s.conf->suffix.list;
        err = sek_suffix_open(*list ? list : NULL, &suffix, &c->diag);
        s.source.suffix = suffix;
    }
    if (!err)
        err = hide(c, &s);
    if (!err && c->opt[OPT_CURSOR].given) {
        err = sek_cursor_open(c->opt[OPT_CURSOR].text, &file, &s.saved, &c->diag);
        s.file = &file;
    }
    if (!err)
        err = stream(c, &s);
    sek_stream_fini(&s);
    sek_cursor_close(&file);
    sek_suffix_close(suffix);
    return err;
}
