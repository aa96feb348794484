/* SPDX-License-Identifier: BSD-3-Clause */
#include "replay/excerpt.h"
#include "base/hash.h"
#include "replay/pcapfile.h"
#include "replay/tapfile.h"
#include "replay/wholes.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/banned.h"

enum kind { NO_KIND, CAPTURE, TAP };

struct input {
    const char *path;
    enum kind kind;     /* NO_KIND: it cannot be read */
    uint64_t octets;    /* on disk */
    uint64_t n, digest; /* packets of the first reading, and what they looked like */
};

/* A file at work. */
struct reader {
    struct sek_stream *in;
    struct sek_pcapfile *pcap;
    struct sek_tapfile *tap;
};

struct excerpt {
    const struct sek_wanted *wanted;
    const struct sek_excerpt_hooks *hooks;
    struct sek_excerpt_sum *sum;
    struct input *inputs;
    unsigned n_inputs;
    int fd;
    uint64_t done_octets, all_octets;
    /* of captures */
    struct sek_pcap_kind pcap_kind;
    const char *first_path; /* whose link type that is; NULL: there is none yet */
    struct sek_wholes *wholes;
    /* what is written, from the first packet on */
    struct sek_pcapfile_new *pcap_new;
    struct sek_tapfile_new *tap_new;
};

/* --- files -------------------------------------------------------------------------------------
 */

static void close_reader(struct reader *r)
{
    sek_pcapfile_close(r->pcap);
    sek_tapfile_close(r->tap);
    sek_stream_close(r->in);
    *r = (struct reader){NULL};
}

static enum kind kind_of(struct sek_stream *in)
{
    const uint8_t *begin;
    int size = sek_stream_peek(in, &begin, NULL);

    if (size > 0 && sek_tapfile_is(begin, (size_t)size))
        return TAP;
    if (size > 0 &&
        (sek_pcapfile_is_pcap(begin, (size_t)size) || sek_pcapfile_is_pcapng(begin, (size_t)size)))
        return CAPTURE;
    return NO_KIND;
}

static bool is_empty(struct sek_stream *in)
{
    const uint8_t *begin;

    return sek_stream_peek(in, &begin, NULL) == 0;
}

static enum sek_err open_reader(const char *path, struct reader *out, enum kind *out_kind,
                                struct sek_diag *diag)
{
    *out = (struct reader){NULL};
    enum sek_err err = sek_stream_open(path, &out->in, diag);
    if (err)
        return err;
    *out_kind = kind_of(out->in);
    if (*out_kind == TAP)
        err = sek_tapfile_open(out->in, &out->tap, diag);
    else if (*out_kind == CAPTURE)
        err = sek_pcapfile_open(out->in, &out->pcap, diag);
    else if (is_empty(out->in))
        err = sek_diag_set(diag, SEK_E_INVALID, "%s: is empty", path);
    else
        err =
            sek_diag_set(diag, SEK_E_INVALID, "%s: no capture (pcap, pcapng) and no dnstap", path);
    if (err)
        close_reader(out);
    return err;
}

const char *sek_excerpt_suffix(const char *path)
{
    struct sek_stream *in;

    if (sek_stream_open(path, &in, NULL) != SEK_OK)
        return NULL;
    enum kind kind = kind_of(in);
    sek_stream_close(in);
    return kind == TAP ? ".dnstap" : kind == CAPTURE ? ".pcap" : NULL;
}

/* What captures have in common goes into the new one's header. */
static enum sek_err note_capture(struct excerpt *x, const char *path, const struct reader *r,
                                 struct sek_diag *diag)
{
    const struct sek_pcap_kind *kind = sek_pcapfile_kind(r->pcap);
    char a[64], b[64];

    if (!x->first_path) {
        x->first_path = path;
        x->pcap_kind = *kind;
    }
    if (kind->link_type != x->pcap_kind.link_type)
        return sek_diag_set(diag, SEK_E_INVALID,
                            "%s is of link type %s, but %s of %s: do one at a time", path,
                            sek_pcapfile_link_text(kind->link_type, a, sizeof a), x->first_path,
                            sek_pcapfile_link_text(x->pcap_kind.link_type, b, sizeof b));
    x->pcap_kind.has_ns |= kind->has_ns;
    if (kind->cut_at > x->pcap_kind.cut_at)
        x->pcap_kind.cut_at = kind->cut_at;
    return SEK_OK;
}

static enum sek_err look_at(struct excerpt *x, struct input *in, struct sek_diag *diag)
{
    struct reader r;
    struct sek_diag why = {0};
    struct stat st;
    enum kind kind = NO_KIND;
    enum sek_err err = open_reader(in->path, &r, &kind, &why);

    if (err == SEK_E_NOMEM)
        return sek_diag_set(diag, err, "%s", why.text);
    if (err) {
        x->hooks->unreadable(x->hooks->arg, true, &why);
        return SEK_OK;
    }
    if (kind == CAPTURE)
        err = note_capture(x, in->path, &r, diag);
    close_reader(&r);
    in->kind = kind;
    in->octets = stat(in->path, &st) == 0 ? (uint64_t)st.st_size : 0;
    x->all_octets += in->octets * (kind == CAPTURE ? 2 : 1);
    return err;
}

static enum sek_err look_at_all(struct excerpt *x, struct sek_diag *diag)
{
    const struct input *first = NULL;

    for (unsigned i = 0; i < x->n_inputs; i++) {
        struct input *in = &x->inputs[i];
        enum sek_err err = look_at(x, in, diag);
        if (err)
            return err;
        if (!first && in->kind)
            first = in;
        if (in->kind && in->kind != first->kind)
            return sek_diag_set(diag, SEK_E_INVALID,
                                "%s is %s, but %s is %s: do one kind at a time", in->path,
                                in->kind == TAP ? "dnstap" : "a capture", first->path,
                                first->kind == TAP ? "dnstap" : "a capture");
    }
    return SEK_OK;
}

/* --- captures ----------------------------------------------------------------------------------
 */

static enum sek_err write_frame(struct excerpt *x, const struct sek_frame *frame,
                                struct sek_diag *diag)
{
    if (!x->pcap_new) {
        enum sek_err err = sek_pcapfile_new_open(x->fd, &x->pcap_kind, &x->pcap_new, diag);
        if (err)
            return err;
    }
    sek_pcapfile_new_add(x->pcap_new, frame);
    x->sum->n_written++;
    return SEK_OK;
}

static uint64_t digest_of(const struct input *in, const struct sek_frame *frame)
{
    static const struct sek_hash_key key = {0x73656b6973686f21, 0x65786365727074};
    const uint64_t words[4] = {in->digest, (uint64_t)frame->time_s,
                               (uint64_t)frame->time_ns << 32 | frame->size, frame->sent};

    return sek_hash_words(&key, words, sizeof words);
}

static enum sek_err see_frame(struct excerpt *x, const struct reader *r, struct input *in,
                              const struct sek_frame *frame, bool second, struct sek_diag *diag)
{
    struct sek_packet p;
    struct sek_diag why;

    in->digest = digest_of(in, frame);
    if (!sek_packet_read(sek_pcapfile_link(r->pcap), frame->at, frame->size, &p))
        return SEK_OK;
    if (second)
        return sek_wholes_has(x->wholes, frame->time_s, &p) ? write_frame(x, frame, diag) : SEK_OK;
    if (sek_wholes_judge(x->wholes, frame->time_s, &p, &why)) {
        sek_diag_wrap(&why, "%s: packet %" PRIu64, in->path, in->n);
        x->hooks->unreadable(x->hooks->arg, false, &why);
    }
    return SEK_OK;
}

static enum sek_err go_on(struct excerpt *x, const struct reader *r, struct sek_diag *diag)
{
    uint64_t octets = x->done_octets + sek_stream_octets(r->in, NULL);

    if (x->hooks->goes_on(x->hooks->arg, octets, x->all_octets))
        return SEK_OK;
    return sek_diag_set(diag, SEK_E_REFUSED, "interrupted: what was written is not all");
}

#define STRIDE 1024 /* packets between two looks at whether to go on */

/* To its end; the second time as far as the first: a file that is written may have grown. */
static enum sek_err read_capture(struct excerpt *x, const struct reader *r, struct input *in,
                                 bool second, struct sek_diag *diag)
{
    struct sek_frame frame;
    struct sek_diag why;
    uint64_t most = second ? in->n : UINT64_MAX, digest = in->digest;
    enum sek_err err = SEK_OK;
    int got = 1;

    in->n = in->digest = 0;
    while (!err && in->n < most && (got = sek_pcapfile_next(r->pcap, &frame, &why)) == 1) {
        in->n++;
        err = see_frame(x, r, in, &frame, second, diag);
        if (!err && in->n % STRIDE == 0)
            err = go_on(x, r, diag);
    }
    if (!err && got < 0 && !second)
        x->hooks->unreadable(x->hooks->arg, true, &why);
    if (!err && second && (in->n != most || in->digest != digest))
        err = sek_diag_set(diag, SEK_E_CORRUPT,
                           "%s: changed while it was read, what was written is not to be relied "
                           "on: try again",
                           in->path);
    return err;
}

/* --- dnstap ------------------------------------------------------------------------------------
 */

static bool wants_tap(const struct excerpt *x, const struct sek_tap *tap)
{
    static const struct sek_octets none;
    struct sek_addr addr;
    const struct sek_addr *asker = sek_tap_addr(&tap->asker, &addr) ? &addr : NULL;
    bool is_response = tap->type % 2 == 0;
    int64_t own = is_response ? tap->response_ms : tap->query_ms;
    int64_t other = is_response ? tap->query_ms : tap->response_ms;
    int64_t time_s = (own >= 0 ? own : other) / 1000;

    if ((own < 0 && other < 0) || !sek_wanted_time(x->wanted, time_s))
        return false;
    return sek_wanted_message(x->wanted, time_s, asker, &none) ||
           sek_wanted_message(x->wanted, time_s, asker, &tap->query) ||
           sek_wanted_message(x->wanted, time_s, asker, &tap->response);
}

static enum sek_err see_tap(struct excerpt *x, const struct reader *r,
                            const struct sek_octets *frame, struct input *in, struct sek_diag *diag)
{
    struct sek_tap tap;
    struct sek_diag why;
    enum sek_err err = SEK_OK;
    int told = sek_tapfile_read(r->tap, &tap, &why);

    if (told < 0) {
        sek_diag_wrap(&why, "%s: frame %" PRIu64, in->path, in->n);
        x->hooks->unreadable(x->hooks->arg, false, &why);
    }
    if (told != 1 || !wants_tap(x, &tap))
        return SEK_OK;
    if (!x->tap_new)
        err = sek_tapfile_new_open(x->fd, &x->tap_new, diag);
    if (err)
        return err;
    sek_tapfile_new_add(x->tap_new, frame);
    x->sum->n_written++;
    return SEK_OK;
}

static enum sek_err read_tap(struct excerpt *x, const struct reader *r, struct input *in,
                             struct sek_diag *diag)
{
    struct sek_octets frame;
    struct sek_diag why;
    enum sek_err err = SEK_OK;
    int got = 1;

    while (!err && (got = sek_tapfile_next(r->tap, &frame, &why)) == 1) {
        in->n++;
        err = see_tap(x, r, &frame, in, diag);
        if (!err && in->n % STRIDE == 0)
            err = go_on(x, r, diag);
    }
    if (!err && got < 0)
        x->hooks->unreadable(x->hooks->arg, true, &why);
    return err;
}

/* --- all ---------------------------------------------------------------------------------------
 */

static enum sek_err read_open(struct excerpt *x, const struct reader *r, struct input *in,
                              enum kind kind, bool second, struct sek_diag *diag)
{
    if (kind != in->kind)
        return sek_diag_set(diag, SEK_E_CORRUPT, "%s: changed while it was read: try again",
                            in->path);
    return kind == TAP ? read_tap(x, r, in, diag) : read_capture(x, r, in, second, diag);
}

static enum sek_err read_input(struct excerpt *x, struct input *in, bool second,
                               struct sek_diag *diag)
{
    struct reader r;
    struct sek_diag why;
    enum kind kind;

    if (!in->kind || (second && in->kind == TAP))
        return SEK_OK;
    enum sek_err err = open_reader(in->path, &r, &kind, &why);
    if (err && (second || err == SEK_E_NOMEM))
        return sek_diag_set(diag, err, "%s", why.text);
    if (err) { /* removed since, as the oldest of a ring is */
        x->hooks->unreadable(x->hooks->arg, true, &why);
        in->kind = NO_KIND;
        return SEK_OK;
    }
    err = read_open(x, &r, in, kind, second, diag);
    close_reader(&r);
    x->done_octets += in->octets;
    if (!second)
        x->sum->n_read += in->n;
    return err;
}

static enum sek_err read_all(struct excerpt *x, bool second, struct sek_diag *diag)
{
    enum sek_err err = sek_wholes_begin(x->wholes, diag);

    for (unsigned i = 0; !err && i < x->n_inputs; i++)
        err = read_input(x, &x->inputs[i], second, diag);
    return err;
}

static enum sek_err write_all(struct excerpt *x, struct sek_diag *diag)
{
    struct sek_diag why;
    enum sek_err err = look_at_all(x, diag);

    if (!err)
        err = read_all(x, false, diag);
    if (!err)
        err = read_all(x, true, diag);
    enum sek_err e = x->tap_new ? sek_tapfile_new_end(x->tap_new, &why)
                                : sek_pcapfile_new_end(x->pcap_new, &why);
    return e && !err ? sek_diag_set(diag, e, "%s", why.text) : err;
}

enum sek_err sek_excerpt_write(const char *const *paths, unsigned n,
                               const struct sek_wanted *wanted, int fd,
                               const struct sek_excerpt_hooks *hooks, struct sek_excerpt_sum *out,
                               struct sek_diag *diag)
{
    struct excerpt x = {.hooks = hooks, .wanted = wanted, .sum = out, .n_inputs = n, .fd = fd};
    enum sek_err err;

    *out = (struct sek_excerpt_sum){0};
    x.inputs = calloc(n ? n : 1, sizeof *x.inputs);
    x.wholes = sek_wholes_new(wanted);
    if (x.inputs && x.wholes) {
        for (unsigned i = 0; i < n; i++)
            x.inputs[i].path = paths[i];
        err = write_all(&x, diag);
    } else {
        err = sek_diag_set(diag, SEK_E_NOMEM, "no memory to read captures");
    }
    sek_wholes_free(x.wholes);
    free(x.inputs);
    return err;
}
