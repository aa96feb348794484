/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/command.h"
#include "observe/sighting.h"
#include "tools/views/seen.h"
#include "base/duration.h"
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(nod_export);

#define FLUSH_OCTETS 65536

const struct sek_arg sek_cmd_nod_export_args[] = {{0}};

enum { DOMAIN, FIRST, LAST, ENDPOINTS, RESOLVED, N_COLS };
static const struct sek_col cols[] = {
    [DOMAIN] = {"domain", "Domain", SEK_COL_NAME},
    [FIRST] = {"first", "First (UTC)", SEK_COL_TIME},
    [LAST] = {"last", "Last (UTC)", SEK_COL_TIME},
    [ENDPOINTS] = {"endpoints", "Endpoints", SEK_COL_UINT},
    [RESOLVED] = {"resolved", "Resolved", SEK_COL_FLAG},
};

/* --- lines with tabs ---------------------------------------------------------------------------
 */

/* False: nobody reads any more, or writing failed. */
static bool flush(struct sek_buf *b)
{
    bool good = !b->failed && fwrite(b->data, 1, b->len, stdout) == b->len;
    sek_buf_reset(b);
    return good;
}

static bool put_line(void *arg, const uint8_t *name, size_t len, const struct sek_domain_seen *seen)
{
    struct sek_buf *b = arg;
    struct sek_sighting s = {.first_s = seen->first_s,
                             .last_s = seen->last_s,
                             .resolved = seen->resolved,
                             .endpoints = seen->endpoints};
    if (sek_name_from_wire(name, len, &s.domain) == SEK_OK)
        sek_sighting_add_text(&s, b);
    return b->len < FLUSH_OCTETS || flush(b);
}

static enum sek_err put_lines(struct sek_seen *s)
{
    struct sek_buf b;
    char since[24];
    sek_buf_init(&b, 0);
    sek_buf_add_fmt(&b, "%s\n%s%s\n", SEK_SIGHTING_HEAD, SEK_SIGHTING_SINCE,
                    sek_time_to_text(sek_domains_since_s(s->domains), since, sizeof since));
    enum sek_err e = sek_domains_each(s->domains, put_line, &b, &s->c->diag);
    if (!e && b.len)
        flush(&b); /* main looks whether standard output took it */
    sek_buf_fini(&b);
    return e;
}

/* --- other formats -----------------------------------------------------------------------------
 */

static bool put_row(void *arg, const uint8_t *name, size_t len, const struct sek_domain_seen *seen)
{
    struct sek_out *o = arg;
    char text[SEK_NAME_TEXT_MAX];
    (void)len;
    sek_name_to_text(name, text);
    sek_out_text(o, DOMAIN, text);
    sek_out_int(o, FIRST, seen->first_s);
    sek_out_int(o, LAST, seen->last_s);
    sek_out_uint(o, ENDPOINTS, seen->endpoints);
    sek_out_flag(o, RESOLVED, seen->resolved);
    return sek_out_row(o);
}

static enum sek_err put_report(struct sek_seen *s)
{
    struct sek_context *c = s->c;
    sek_out_begin(c->out, "sekisho.nod.export/1", cols, N_COLS, SEK_OUT_ROWS);
    enum sek_err e = sek_domains_each(s->domains, put_row, c->out, &c->diag);
    enum sek_err ended = sek_out_end(c->out, e ? NULL : &c->diag);
    return e ? e : ended;
}

enum sek_err sek_cmd_nod_export(struct sek_context *c)
{
    struct sek_seen s;
    enum sek_err e = sek_seen_open(c, &s);
    if (!e)
        e = sek_out_format(c->out) == SEK_OUT_TABLE ? put_lines(&s) : put_report(&s);
    sek_seen_close(&s);
    return e;
}
