/* SPDX-License-Identifier: BSD-3-Clause */
#include "replay/tapfile.h"
#include <dnstap.pb-c.h>
#include <errno.h>
#include <fstrm.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/banned.h"

#define CONTENT "protobuf:dnstap.Dnstap"

struct sek_tapfile {
    struct sek_stream *in;
    struct fstrm_reader *reader;
    struct sek_octets frame; /* the last one */
    Dnstap__Dnstap *tap;     /* what it tells; NULL: not asked for */
    uint64_t n;
    bool cut_off;
    struct sek_diag why; /* reading the stream failed */
};

/* An escape, then a control frame of type START (Frame Streams, "Control frames"). */
bool sek_tapfile_is(const uint8_t *begin, size_t size)
{
    return size >= 12 && memcmp(begin, "\0\0\0\0", 4) == 0 &&
           memcmp(begin + 8, "\0\0\0\x02", 4) == 0;
}

/* --- reading -----------------------------------------------------------------------------------
 */

static fstrm_res read_stream(void *obj, void *out, size_t n)
{
    struct sek_tapfile *f = obj;

    for (size_t done = 0; done < n;) {
        int got = sek_stream_some(f->in, (uint8_t *)out + done, n - done, &f->why);
        if (got < 0)
            return fstrm_res_failure;
        if (got == 0) {
            f->cut_off = done > 0 || n != 4; /* between two frames the writer was just stopped */
            return fstrm_res_stop;
        }
        done += (size_t)got;
    }
    return fstrm_res_success;
}

/* The stream is open as long as the caller has it so. */
static fstrm_res do_nothing(void *obj)
{
    (void)obj;
    return fstrm_res_success;
}

static struct fstrm_reader *new_reader(struct sek_tapfile *f)
{
    struct fstrm_reader_options *options = fstrm_reader_options_init();
    struct fstrm_rdwr *rdwr = fstrm_rdwr_init(f);

    fstrm_rdwr_set_open(rdwr, do_nothing);
    fstrm_rdwr_set_close(rdwr, do_nothing);
    fstrm_rdwr_set_read(rdwr, read_stream);
    fstrm_reader_options_add_content_type(options, CONTENT, strlen(CONTENT));
    struct fstrm_reader *r = fstrm_reader_init(options, &rdwr);
    fstrm_reader_options_destroy(&options);
    if (!r)
        fstrm_rdwr_destroy(&rdwr);
    return r;
}

enum sek_err sek_tapfile_open(struct sek_stream *in, struct sek_tapfile **out,
                              struct sek_diag *diag)
{
    struct sek_tapfile *f = calloc(1, sizeof *f);
    enum sek_err err = SEK_OK;

    if (f) {
        f->in = in;
        f->reader = new_reader(f);
    }
    if (!f || !f->reader)
        err = sek_diag_set(diag, SEK_E_NOMEM, "%s: no memory to read it", sek_stream_label(in));
    else if (fstrm_reader_open(f->reader) != fstrm_res_success)
        err =
            sek_diag_set(diag, SEK_E_INVALID, "%s: Frame Streams, but not of dnstap (" CONTENT ")",
                         sek_stream_label(in));
    if (err)
        sek_tapfile_close(f);
    else
        *out = f;
    return err;
}

void sek_tapfile_close(struct sek_tapfile *f)
{
    if (!f)
        return;
    dnstap__dnstap__free_unpacked(f->tap, NULL);
    if (f->reader)
        fstrm_reader_destroy(&f->reader);
    free(f);
}

static int at_end(struct sek_tapfile *f, fstrm_res res, struct sek_diag *diag)
{
    if (res == fstrm_res_stop && !f->cut_off)
        return 0;
    if (f->why.code)
        return (int)sek_diag_set(diag, SEK_E_IO, "%s", f->why.text);
    return (int)sek_diag_set(diag, SEK_E_IO, "%s: damaged or cut off behind frame %" PRIu64,
                             sek_stream_label(f->in), f->n);
}

int sek_tapfile_next(struct sek_tapfile *f, struct sek_octets *out, struct sek_diag *diag)
{
    dnstap__dnstap__free_unpacked(f->tap, NULL);
    f->tap = NULL;
    fstrm_res res = fstrm_reader_read(f->reader, &f->frame.at, &f->frame.size);
    if (res != fstrm_res_success)
        return at_end(f, res, diag);
    f->n++;
    *out = f->frame;
    return 1;
}

/* --- what a frame tells ------------------------------------------------------------------------
 */

static struct sek_octets octets_of(protobuf_c_boolean is_there, const ProtobufCBinaryData *data)
{
    static const uint8_t none[1];

    if (!is_there)
        return (struct sek_octets){NULL, 0};
    return (struct sek_octets){data->data ? data->data : none, data->len};
}

/* A time behind the year 9999 is none. */
static int64_t to_ms(uint64_t time_s, uint32_t ns)
{
    return time_s < 253402300800 ? (int64_t)time_s * 1000 + ns / 1000000 % 1000 : 0;
}

int sek_tapfile_read(struct sek_tapfile *f, struct sek_tap *out, struct sek_diag *diag)
{
    f->tap = dnstap__dnstap__unpack(NULL, f->frame.size, f->frame.at);
    if (!f->tap)
        return (int)sek_diag_set(diag, SEK_E_INVALID, "no dnstap message");
    const Dnstap__Message *m = f->tap->message;
    if (!m)
        return 0;
    *out = (struct sek_tap){
        .type = m->type,
        .asker = octets_of(m->has_query_address, &m->query_address),
        .asker_port = (uint16_t)m->query_port,
        .query_ms = m->has_query_time_sec ? to_ms(m->query_time_sec, m->query_time_nsec) : -1,
        .response_ms =
            m->has_response_time_sec ? to_ms(m->response_time_sec, m->response_time_nsec) : -1,
        .query = octets_of(m->has_query_message, &m->query_message),
        .response = octets_of(m->has_response_message, &m->response_message),
    };
    return 1;
}

bool sek_tap_addr(const struct sek_octets *from, struct sek_addr *out)
{
    static const struct sek_addr mapped = {{[10] = 0xff, [11] = 0xff}};

    *out = mapped;
    if (from->size != 4 && from->size != 16)
        return false;
    memcpy(out->octets + 16 - from->size, from->at, from->size);
    return true;
}

/* --- writing -----------------------------------------------------------------------------------
 */

struct sek_tapfile_new {
    FILE *file;
    struct fstrm_writer *writer;
    bool failed;
    int errnum; /* of the first write that failed */
};

static fstrm_res write_stream(void *obj, const struct iovec *iov, int n)
{
    struct sek_tapfile_new *f = obj;

    for (int i = 0; i < n; i++)
        if (iov[i].iov_len > 0 && fwrite(iov[i].iov_base, iov[i].iov_len, 1, f->file) != 1)
            return fstrm_res_failure;
    return fstrm_res_success;
}

/* Without a way to read nobody is asked for consent: a plain file. */
static struct fstrm_writer *new_writer(struct sek_tapfile_new *f)
{
    struct fstrm_writer_options *options = fstrm_writer_options_init();
    struct fstrm_rdwr *rdwr = fstrm_rdwr_init(f);

    fstrm_rdwr_set_open(rdwr, do_nothing);
    fstrm_rdwr_set_close(rdwr, do_nothing);
    fstrm_rdwr_set_write(rdwr, write_stream);
    fstrm_writer_options_add_content_type(options, CONTENT, strlen(CONTENT));
    struct fstrm_writer *w = fstrm_writer_init(options, &rdwr);
    fstrm_writer_options_destroy(&options);
    if (!w)
        fstrm_rdwr_destroy(&rdwr);
    return w;
}

static void note(struct sek_tapfile_new *f, bool succeeded)
{
    if (!succeeded && !f->failed)
        f->errnum = errno;
    f->failed |= !succeeded;
}

enum sek_err sek_tapfile_new_open(int fd, struct sek_tapfile_new **out, struct sek_diag *diag)
{
    struct sek_tapfile_new *f = calloc(1, sizeof *f);
    int own = dup(fd);

    if (f && own >= 0)
        f->file = fdopen(own, "w");
    if (f && f->file)
        f->writer = new_writer(f);
    if (f && f->writer) {
        *out = f;
        return SEK_OK;
    }
    if (own >= 0 && !(f && f->file))
        close(own);
    (void)sek_tapfile_new_end(f, NULL);
    return sek_diag_set(diag, SEK_E_NOMEM, "no memory to write dnstap");
}

void sek_tapfile_new_add(struct sek_tapfile_new *f, const struct sek_octets *frame)
{
    if (!f->failed)
        note(f, fstrm_writer_write(f->writer, frame->at, frame->size) == fstrm_res_success);
}

enum sek_err sek_tapfile_new_end(struct sek_tapfile_new *f, struct sek_diag *diag)
{
    enum sek_err err = SEK_OK;

    if (!f)
        return SEK_OK;
    if (f->writer)
        note(f, fstrm_writer_close(f->writer) == fstrm_res_success);
    if (f->writer)
        fstrm_writer_destroy(&f->writer);
    if (f->file)
        note(f, fclose(f->file) == 0);
    if (f->failed)
        err = sek_diag_set(diag, sek_err_from_errno(f->errnum), "cannot write: %s",
                           strerrordesc_np(f->errnum));
    free(f);
    return err;
}
