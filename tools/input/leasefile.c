/* SPDX-License-Identifier: BSD-3-Clause */
#include "leasefile.h"
#include "tools/caller.h"
#include "tools/print/talk.h"
#include "textlines.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/banned.h"

/* What is fixed of a statement; mac, name, owner and group follow, each with its zero. */
struct head {
    int64_t from_s, until_s;
    struct sek_addr addr;
    uint8_t has_addr, end;
};

struct reading {
    struct sek_leasefile *f;
    struct sek_leases *leases;
    struct sek_progress progress;
};

static enum sek_err on_lease(void *arg, const struct sek_lease *l)
{
    struct sek_leasefile *f = ((struct reading *)arg)->f;
    const struct head head = {.from_s = l->from_s,
                              .until_s = l->until_s,
                              .addr = l->addr,
                              .has_addr = l->has_addr,
                              .end = (uint8_t)l->end};
    const char *texts[] = {l->machine.mac, l->machine.name, l->machine.owner, l->machine.group};
    sek_buf_add(&f->packed, &head, sizeof head);
    for (int i = 0; i < 4; i++)
        sek_buf_add(&f->packed, texts[i], strlen(texts[i]) + 1);
    f->n_told++;
    return f->packed.failed ? SEK_E_LIMIT : SEK_OK;
}

static void on_bad(void *arg, uint64_t line, const char *why)
{
    struct reading *r = arg;
    if (r->f->n_bad++ < SEK_TEXTLINE_SAID) {
        sek_progress_end(&r->progress);
        sek_talk("%s:%" PRIu64 ": %s", r->f->label, line, why);
    }
}

static enum sek_err on_piece(void *arg, const char *data, size_t n, struct sek_diag *diag)
{
    struct reading *r = arg;
    sek_progress_show(&r->progress, 1001);
    return sek_leases_feed(r->leases, data, n, diag);
}

static enum sek_err read_all(struct sek_context *c, struct reading *r)
{
    struct sek_leasefile *f = r->f;
    struct sek_diag why = {0};
    sek_progress_begin(&r->progress, "reading");
    enum sek_err e = sek_textlines_pieces(f->path, on_piece, r, &why);
    if (!e)
        e = sek_leases_end(r->leases, &why);
    sek_progress_end(&r->progress);
    f->format = sek_leases_format(r->leases);
    if (f->n_bad > SEK_TEXTLINE_SAID)
        sek_talk("%s: %" PRIu64 " more bad lines", f->label, f->n_bad - SEK_TEXTLINE_SAID);
    if (e == SEK_E_LIMIT)
        return sek_diag_set(&c->diag, e, "%s: too many statements for one file; split it",
                            f->label);
    if (e == SEK_E_INVALID) /* of the content; what reading failed with names the file itself */
        return sek_diag_set(&c->diag, e, "%s: %s", f->label, why.text);
    return e ? sek_diag_set(&c->diag, e, "%s", why.text) : SEK_OK;
}

/* A file that was copied to the future is no reason to date its leases there. */
static int64_t time_of(const struct sek_context *c, const char *path)
{
    struct stat st;
    sek_caller_begin();
    bool is_known = strcmp(path, "-") != 0 && stat(path, &st) == 0;
    sek_caller_end();
    return is_known && st.st_mtime <= c->now_s ? st.st_mtime : c->now_s;
}

enum sek_err sek_leasefile_read(struct sek_context *c, const char *path, enum sek_lease_format as,
                                int64_t time_s, bool force, struct sek_leasefile *out)
{
    struct reading r = {.f = out};
    const struct sek_lease_sink sink = {on_lease, on_bad, &r};
    *out = (struct sek_leasefile){.path = path,
                                  .label = strcmp(path, "-") == 0 ? "standard input" : path,
                                  .time_s = time_s ? time_s : time_of(c, path)};
    sek_buf_init(&out->packed, 0);
    if (sek_leases_new(as, out->time_s, &sink, &r.leases))
        return sek_diag_set(&c->diag, SEK_E_NOMEM, "out of memory");
    enum sek_err e = read_all(c, &r);
    sek_leases_free(r.leases);
    uint64_t n = out->n_bad + out->n_told;
    if (e || force || out->n_bad * 100 <= c->conf.policy.garbage_percent * n)
        return e;
    return sek_diag_set(&c->diag, SEK_E_REFUSED,
                        "%s: %" PRIu64 " of %" PRIu64
                        " statements make no sense; nothing is imported "
                        "(--force imports the rest all the same)",
                        out->label, out->n_bad, n);
}

void sek_leasefile_free(struct sek_leasefile *f)
{
    sek_buf_fini(&f->packed);
}

static const char *take_text(const char *at, char *out)
{
    size_t len = strlen(at) + 1;
    memcpy(out, at, len);
    return at + len;
}

enum sek_err sek_leasefile_each(const struct sek_leasefile *f, sek_lease_fn *fn, void *arg)
{
    const char *at = f->packed.data, *end = at + f->packed.len;
    enum sek_err e = SEK_OK;
    while (at && at < end && !e) {
        struct sek_lease l;
        struct head head;
        memcpy(&head, at, sizeof head);
        l.from_s = head.from_s;
        l.until_s = head.until_s;
        l.addr = head.addr;
        l.has_addr = head.has_addr;
        l.end = (enum sek_lease_end)head.end;
        at = take_text(at + sizeof head, l.machine.mac);
        at = take_text(at, l.machine.name);
        at = take_text(at, l.machine.owner);
        at = take_text(at, l.machine.group);
        e = fn(arg, &l);
    }
    return e;
}
