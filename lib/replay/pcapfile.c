/* SPDX-License-Identifier: BSD-3-Clause */
#include "replay/pcapfile.h"
#include <errno.h>
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/banned.h"

struct sek_pcapfile {
    pcap_t *pcap;
    struct sek_stream *in;
    enum sek_link link;
    struct sek_pcap_kind kind;
    uint64_t n;          /* frames that were read */
    struct sek_diag why; /* reading the stream failed */
};

static bool begins(const uint8_t *begin, size_t size, const char *magic)
{
    return size >= 4 && memcmp(begin, magic, 4) == 0;
}

static bool is_of_ns(const uint8_t *begin, size_t size)
{
    return begins(begin, size, "\x4d\x3c\xb2\xa1") || begins(begin, size, "\xa1\xb2\x3c\x4d");
}

bool sek_pcapfile_is_pcap(const uint8_t *begin, size_t size)
{
    return is_of_ns(begin, size) || begins(begin, size, "\xd4\xc3\xb2\xa1") ||
           begins(begin, size, "\xa1\xb2\xc3\xd4") ||
           begins(begin, size, "\x34\xcd\xb2\xa1") || /* Kuznetzov's variant */
           begins(begin, size, "\xa1\xb2\xcd\x34");
}

bool sek_pcapfile_is_pcapng(const uint8_t *begin, size_t size)
{
    return begins(begin, size, "\x0a\x0d\x0d\x0a");
}

/* --- reading -----------------------------------------------------------------------------------
 */

static ssize_t read_cookie(void *cookie, char *out, size_t n)
{
    struct sek_pcapfile *f = cookie;
    struct sek_diag why;
    int got = sek_stream_some(f->in, out, n, &why);

    if (got < 0)
        f->why = why; /* libpcap cannot say it as well */
    return got < 0 ? -1 : got;
}

static const struct {
    int dlt;
    enum sek_link link;
} links[] = {
    {DLT_EN10MB, SEK_LINK_ETHERNET}, {DLT_LINUX_SLL, SEK_LINK_SLL}, {DLT_LINUX_SLL2, SEK_LINK_SLL2},
    {DLT_RAW, SEK_LINK_RAW},         {DLT_IPV4, SEK_LINK_RAW},      {DLT_IPV6, SEK_LINK_RAW},
    {DLT_NULL, SEK_LINK_NULL},       {DLT_LOOP, SEK_LINK_NULL},     {DLT_PPP, SEK_LINK_PPP},
};

const char *sek_pcapfile_link_text(int link_type, char *out, size_t size)
{
    const char *name = pcap_datalink_val_to_name(link_type);

    snprintf(out, size, "%s (%d)", name ? name : "unknown", link_type);
    return out;
}

static enum sek_err find_link(struct sek_pcapfile *f, struct sek_diag *diag)
{
    char name[64];

    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++)
        if (links[i].dlt == f->kind.link_type) {
            f->link = links[i].link;
            return SEK_OK;
        }
    return sek_diag_set(diag, SEK_E_INVALID,
                        "%s: the capture is of link type %s; Ethernet, Linux cooked, raw IP, "
                        "loopback and PPP can be read",
                        sek_stream_label(f->in),
                        sek_pcapfile_link_text(f->kind.link_type, name, sizeof name));
}

/* Times are asked for in nanoseconds, and made such by libpcap where they are not. */
static enum sek_err open_pcap(struct sek_pcapfile *f, struct sek_diag *diag)
{
    static const cookie_io_functions_t functions = {.read = read_cookie};
    char why[PCAP_ERRBUF_SIZE] = "";
    const uint8_t *begin;
    int size = sek_stream_peek(f->in, &begin, diag);

    if (size < 0)
        return (enum sek_err)size;
    f->kind.has_ns = is_of_ns(begin, (size_t)size) || sek_pcapfile_is_pcapng(begin, (size_t)size);
    FILE *file = fopencookie(f, "r", functions);
    if (!file)
        return sek_diag_set(diag, SEK_E_NOMEM, "%s: no memory to read it", sek_stream_label(f->in));
    f->pcap = pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, why);
    if (!f->pcap) {
        fclose(file);
        return sek_diag_set(diag, SEK_E_INVALID, "%s: damaged capture: %s", sek_stream_label(f->in),
                            why);
    }
    f->kind.link_type = pcap_datalink(f->pcap);
    f->kind.cut_at = pcap_snapshot(f->pcap);
    return find_link(f, diag);
}

enum sek_err sek_pcapfile_open(struct sek_stream *in, struct sek_pcapfile **out,
                               struct sek_diag *diag)
{
    struct sek_pcapfile *f = calloc(1, sizeof *f);

    if (!f)
        return sek_diag_set(diag, SEK_E_NOMEM, "%s: no memory to read it", sek_stream_label(in));
    f->in = in;
    enum sek_err err = open_pcap(f, diag);
    if (err)
        sek_pcapfile_close(f);
    else
        *out = f;
    return err;
}

void sek_pcapfile_close(struct sek_pcapfile *f)
{
    if (f && f->pcap)
        pcap_close(f->pcap); /* and the file */
    free(f);
}

enum sek_link sek_pcapfile_link(const struct sek_pcapfile *f)
{
    return f->link;
}

const struct sek_pcap_kind *sek_pcapfile_kind(const struct sek_pcapfile *f)
{
    return &f->kind;
}

int sek_pcapfile_next(struct sek_pcapfile *f, struct sek_frame *out, struct sek_diag *diag)
{
    struct pcap_pkthdr *head;
    const u_char *octets;

    int got = pcap_next_ex(f->pcap, &head, &octets);
    if (got == PCAP_ERROR_BREAK)
        return 0;
    if (got < 0 && f->why.code)
        return (int)sek_diag_set(diag, SEK_E_IO, "%s", f->why.text);
    if (got < 0)
        return (int)sek_diag_set(diag, SEK_E_IO,
                                 "%s: damaged or cut off behind packet %" PRIu64 ": %s",
                                 sek_stream_label(f->in), f->n, pcap_geterr(f->pcap));
    f->n++;
    *out = (struct sek_frame){.time_s = head->ts.tv_sec,
                              .time_ns = (uint32_t)head->ts.tv_usec,
                              .at = octets,
                              .size = head->caplen,
                              .sent = head->len};
    return 1;
}

/* --- writing -----------------------------------------------------------------------------------
 */

struct sek_pcapfile_new {
    pcap_t *pcap; /* says what is in its header */
    pcap_dumper_t *dumper;
    bool has_ns;
};

static enum sek_err cannot_write(struct sek_diag *diag)
{
    int errnum = errno;

    return sek_diag_set(diag, sek_err_from_errno(errnum), "cannot write: %s",
                        strerrordesc_np(errnum));
}

enum sek_err sek_pcapfile_new_open(int fd, const struct sek_pcap_kind *kind,
                                   struct sek_pcapfile_new **out, struct sek_diag *diag)
{
    struct sek_pcapfile_new *f = calloc(1, sizeof *f);

    if (!f)
        return sek_diag_set(diag, SEK_E_NOMEM, "no memory to write a capture");
    f->has_ns = kind->has_ns;
    f->pcap = pcap_open_dead_with_tstamp_precision(kind->link_type, kind->cut_at,
                                                   kind->has_ns ? PCAP_TSTAMP_PRECISION_NANO
                                                                : PCAP_TSTAMP_PRECISION_MICRO);
    int own = dup(fd);
    FILE *file = own < 0 ? NULL : fdopen(own, "w");
    if (f->pcap && file)
        f->dumper = pcap_dump_fopen(f->pcap, file);
    if (f->dumper) {
        *out = f;
        return SEK_OK;
    }
    enum sek_err err = cannot_write(diag);
    if (file)
        fclose(file);
    else if (own >= 0)
        close(own);
    (void)sek_pcapfile_new_end(f, NULL);
    return err;
}

void sek_pcapfile_new_add(struct sek_pcapfile_new *f, const struct sek_frame *frame)
{
    struct pcap_pkthdr head = {.caplen = frame->size, .len = frame->sent};

    head.ts.tv_sec = (time_t)frame->time_s;
    head.ts.tv_usec = frame->time_ns / (f->has_ns ? 1 : 1000);
    pcap_dump((u_char *)f->dumper, &head, frame->at);
}

enum sek_err sek_pcapfile_new_end(struct sek_pcapfile_new *f, struct sek_diag *diag)
{
    enum sek_err err = SEK_OK;

    if (!f)
        return SEK_OK;
    /* An earlier write that failed shows in the file's error flag only. */
    if (f->dumper && (pcap_dump_flush(f->dumper) != 0 || ferror(pcap_dump_file(f->dumper))))
        err = cannot_write(diag);
    if (f->dumper)
        pcap_dump_close(f->dumper);
    if (f->pcap)
        pcap_close(f->pcap);
    free(f);
    return err;
}
