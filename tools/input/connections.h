/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines of a firewall's log: when an endpoint connected to which address. Columns are separated by
 * tabs, commas or semicolons, else by blanks, and may stand in quotes. No I/O. One thread. */
#pragma once
#include "base/addr.h"

struct sek_connection {
    int64_t time_s;
    struct sek_addr source, destination;
};

/* Which columns, from 1. */
struct sek_connection_columns {
    unsigned time, source, destination;
};

/* "1,2,3". INVALID with a text. */
enum sek_err sek_connection_columns_from_text(const char *text, struct sek_connection_columns *out,
                                              struct sek_diag *diag);
/* line: may be changed. now_s: for times without a year. Addresses may have a port. INVALID: a
 * column is not there or no time or address. */
enum sek_err sek_connection_from_line(char *line, const struct sek_connection_columns *columns,
                                      int64_t now_s, struct sek_connection *out,
                                      struct sek_diag *diag);
/* Is it an address of the Internet? False for those of private networks, of the link, of groups and
 * of the machine itself (IANA special-purpose registries). */
bool sek_connection_is_global(const struct sek_addr *a);
