/* SPDX-License-Identifier: BSD-3-Clause */
/* Who had which address when, read from files that others keep:
 *   csv      a head line that names the columns (address, mac, name, owner, group, from, until, in
 * any order; others are passed over), RFC 4180 quoting; comma, semicolon or tab between json     an
 * array of objects, or an object a line, with the same keys dhcpd    ISC dhcpd.leases: the file is
 * a log, of which later blocks count kea      Kea's lease4 and lease6 memfile, a log too dnsmasq
 * dnsmasq.leases, with its IPv6 part Text comes in pieces of any size; lines end by LF or CRLF; a
 * byte order mark is passed over. What makes no sense is told with its line and left out. Texts
 * come out clean: UTF-8, without characters that could deceive or drive a terminal. No I/O, no
 * clock, bounded memory. Any thread, one at a time.
 */
#pragma once
#include "base/addr.h"
#include "base/lookup.h"
#include <stddef.h>

enum sek_lease_format {
    SEK_LEASE_CSV = 1,
    SEK_LEASE_JSON,
    SEK_LEASE_DHCPD,
    SEK_LEASE_KEA,
    SEK_LEASE_DNSMASQ,
};
extern const struct sek_lookup sek_lease_format_names[]; /* "csv" "json" … */

#define SEK_LEASE_OPEN_S INT64_MAX  /* until: no end is known */
#define SEK_LEASE_UNDATED (-1)      /* from: not said */
#define SEK_LEASE_LINE_MAX 16384    /* octets of a line, a record or an object */
#define SEK_LEASE_MAC_OCTETS_MAX 20 /* 6, 8 (EUI-64) or 20 (InfiniBand) */
#define SEK_LEASE_MAC_MAX (3 * SEK_LEASE_MAC_OCTETS_MAX) /* text with terminator */
#define SEK_LEASE_TEXT_MAX 256                           /* name, owner, group, with terminator */

/* What is said of the machine. "": not said. */
struct sek_machine {
    char mac[SEK_LEASE_MAC_MAX]; /* "00:11:22:33:44:55", lower case */
    char name[SEK_LEASE_TEXT_MAX];
    char owner[SEK_LEASE_TEXT_MAX];
    char group[SEK_LEASE_TEXT_MAX];
};

enum sek_lease_end {
    SEK_LEASE_EXPECTED, /* until is when it runs out, unless it is renewed or given back */
    SEK_LEASE_ENDED,    /* until is when it did end */
    SEK_LEASE_GONE,     /* it is over, at until at the latest; that it began is said elsewhere */
};

/* One statement: from..until (Unix seconds, until exclusive) the machine has, or had, the address.
 */
struct sek_lease {
    bool has_addr; /* else it is about the machine with this MAC, wherever it is */
    struct sek_addr addr;
    int64_t from_s;  /* or SEK_LEASE_UNDATED */
    int64_t until_s; /* or SEK_LEASE_OPEN_S; > from_s */
    enum sek_lease_end end;
    struct sek_machine machine;
};

/* SEK_OK to go on; any other code ends the reading and is returned. */
typedef enum sek_err sek_lease_fn(void *arg, const struct sek_lease *lease);
/* line: where the record begins, from 1. */
typedef void sek_lease_bad_fn(void *arg, uint64_t line, const char *why);

struct sek_lease_sink {
    sek_lease_fn *lease;
    sek_lease_bad_fn *bad;
    void *arg;
};

struct sek_leases;

/* format: 0 = told by the content. time_s: when the file was true, for what it does not date itself
 * (dnsmasq tells no begin, Kea no time of a removal). */
enum sek_err sek_leases_new(enum sek_lease_format format, int64_t time_s,
                            const struct sek_lease_sink *sink, struct sek_leases **out);
void sek_leases_free(struct sek_leases *l);
/* Errors: what the sink returned; INVALID when the content tells no format (diag names the line).
 */
enum sek_err sek_leases_feed(struct sek_leases *l, const char *data, size_t n,
                             struct sek_diag *diag);
/* The file is over: its last line need not have an end; a record that does not end is bad. */
enum sek_err sek_leases_end(struct sek_leases *l, struct sek_diag *diag);
/* 0 as long as nothing told it. */
enum sek_lease_format sek_leases_format(const struct sek_leases *l);

/* "00:11:22:33:44:55", also with "-", ".", blanks or nothing between, in any case, into the form of
 * struct sek_machine. False: it is none. */
bool sek_mac_from_text(const char *text, char out[SEK_LEASE_MAC_MAX]);
/* The same name, or one is the first label of the other ("pc1", "PC1.corp.example"). */
bool sek_machine_name_is_like(const char *a, const char *b);
