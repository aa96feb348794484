/* SPDX-License-Identifier: BSD-3-Clause */
/* What the readers behind leases.h share; nobody else includes this. */
#pragma once
#include "base/buf.h"
#include "observe/leases.h"

#define SEK_CSV_COLS_MAX 32 /* columns further right are passed over */
#define SEK_LEASE_STATEMENT_MAX 1024

/* What a column, key or word of a file is. */
enum sek_lease_field {
    SEK_LEASE_F_NONE,
    SEK_LEASE_F_ADDRESS,
    SEK_LEASE_F_MAC,
    SEK_LEASE_F_NAME,
    SEK_LEASE_F_OWNER,
    SEK_LEASE_F_GROUP,
    SEK_LEASE_F_FROM,
    SEK_LEASE_F_UNTIL,
    /* of Kea */
    SEK_LEASE_F_DUID,
    SEK_LEASE_F_LIFETIME,
    SEK_LEASE_F_EXPIRE,
    SEK_LEASE_F_STATE,
    SEK_LEASE_F_PREFIX_LEN,
    SEK_LEASE_F_TYPE,
};

struct sek_leases {
    enum sek_lease_format format;
    int64_t time_s;
    struct sek_lease_sink sink;
    uint64_t line; /* being read, from 1 */
    bool told;     /* something but blanks was seen */
    /* the line so far */
    size_t len;
    bool too_long, has_nul;
    char text[SEK_LEASE_LINE_MAX + 4];
    /* a record over several lines (csv), an object (json) */
    struct sek_buf record;
    uint64_t record_line;
    bool record_bad; /* too long, or not understood: its rest is left out */
    /* csv, kea */
    char between;
    unsigned n_columns; /* 0: the head line is still to come */
    enum sek_lease_field columns[SEK_CSV_COLS_MAX];
    /* json */
    unsigned depth, n_brackets;
    bool in_string, escaped, said_junk;
    /* dhcpd */
    bool in_lease, in_quotes, active, skip, has_until;
    unsigned n_braces; /* open ones besides the lease's */
    size_t n_statement;
    char statement[SEK_LEASE_STATEMENT_MAX];
    struct sek_lease lease; /* the block's so far */
    uint64_t lease_line;
};

void sek__lease_init(struct sek_lease *lease);
void sek__lease_bad(struct sek_leases *l, uint64_t line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Set a field from a text. False: said with the line, the record is bad. Empty texts say nothing.
 */
bool sek__lease_set(struct sek_leases *l, uint64_t line, struct sek_lease *lease,
                    enum sek_lease_field field, const char *text);
/* Clean and keep a text. False: too long. */
bool sek__lease_text(const char *text, char out[SEK_LEASE_TEXT_MAX]);
/* The MAC within a DUID of type 1 or 3 (RFC 8415 §11.2, §11.4), "00:01:00:01:…". */
bool sek__lease_mac_of_duid(const char *duid, char out[SEK_LEASE_MAC_MAX]);
/* Hand it on, if it says something of an address or MAC and is not over before it begins. */
enum sek_err sek__lease_tell(struct sek_leases *l, uint64_t line, const struct sek_lease *lease);

/* One reader a format: a line without its end, changed in place. */
enum sek_err sek__leases_csv(struct sek_leases *l, char *line);
enum sek_err sek__leases_csv_end(struct sek_leases *l);
enum sek_err sek__leases_dhcpd(struct sek_leases *l, char *line);
enum sek_err sek__leases_dhcpd_end(struct sek_leases *l);
/* Characters. */
enum sek_err sek__leases_json(struct sek_leases *l, const char *data, size_t n);
enum sek_err sek__leases_json_end(struct sek_leases *l);
/* Is it a head line that this reader understands? Sets the columns. */
bool sek__leases_csv_head(struct sek_leases *l, const char *line);
