/* SPDX-License-Identifier: BSD-3-Clause */
/* Captures, pcap and pcapng, a frame at a time; and pcap files written. The one place that knows
 * libpcap. Times are kept to the nanosecond where the file has them. One thread at a time. */
#pragma once
#include "base/err.h"
#include "replay/packet.h"
#include "replay/stream.h"

struct sek_pcapfile;

/* What two captures must share to become one: its link type; the greatest of the rest. */
struct sek_pcap_kind {
    int link_type; /* as libpcap numbers them (DLT_…) */
    int cut_at;    /* octets of a frame that are kept at most */
    bool has_ns;   /* times in nanoseconds; of pcapng it is not known, so they are taken to be */
};

struct sek_frame {
    int64_t time_s;
    uint32_t time_ns;    /* within that second */
    const uint8_t *at;   /* borrowed until the next one */
    uint32_t size, sent; /* octets that were kept, and that went over the wire */
};

/* Whether a file that begins so is one: either byte order, micro- and nanoseconds. */
bool sek_pcapfile_is_pcap(const uint8_t *begin, size_t size);
bool sek_pcapfile_is_pcapng(const uint8_t *begin, size_t size);
/* in stands at the file's begin and stays the caller's. INVALID, with a text: damaged, or of a link
 * type that packet.h cannot read. */
enum sek_err sek_pcapfile_open(struct sek_stream *in, struct sek_pcapfile **out,
                               struct sek_diag *diag);
void sek_pcapfile_close(struct sek_pcapfile *f);
enum sek_link sek_pcapfile_link(const struct sek_pcapfile *f);
const struct sek_pcap_kind *sek_pcapfile_kind(const struct sek_pcapfile *f);
/* "EN10MB (1)": for messages. Returns out. */
const char *sek_pcapfile_link_text(int link_type, char *out, size_t size);
/* 1: a frame; 0: the end; IO, with a text: damaged or cut off, and nothing more can be read. */
int sek_pcapfile_next(struct sek_pcapfile *f, struct sek_frame *out, struct sek_diag *diag);

/* A new pcap file. */
struct sek_pcapfile_new;
/* fd stays open. IO, NOMEM with a text. */
enum sek_err sek_pcapfile_new_open(int fd, const struct sek_pcap_kind *kind,
                                   struct sek_pcapfile_new **out, struct sek_diag *diag);
void sek_pcapfile_new_add(struct sek_pcapfile_new *f, const struct sek_frame *frame);
/* Frees it (NULL is fine). IO or FULL, with a text: not all of it could be written. */
enum sek_err sek_pcapfile_new_end(struct sek_pcapfile_new *f, struct sek_diag *diag);
