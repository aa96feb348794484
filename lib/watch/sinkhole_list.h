/* SPDX-License-Identifier: BSD-3-Clause */
/* Sinkholes that others run: addresses and name servers to which domains of taken-over malware were
 * moved, each with its operator; a table as policy/sinkholes.tsv, which is built in. Immutable once
 * made; any thread. */
#pragma once
#include "base/addr.h"
#include "name/name.h"

#define SEK_SINKHOLE_ROWS_MAX 65534
#define SEK_SINKHOLE_FILE_MAX (16ul << 20) /* octets */

/* What the build made of policy/sinkholes.tsv. */
struct sek_sinkhole_row {
    const char *what, *by;
};
extern const struct sek_sinkhole_row sek_sinkhole_rows[]; /* ends with NULL */

struct sek_sinkholes;

/* path: a file; "" = what is built in. Errors name file and line. */
enum sek_err sek_sinkholes_open(const char *path, struct sek_sinkholes **out,
                                struct sek_diag *diag);
void sek_sinkholes_close(struct sek_sinkholes *s);

/* The number, from 1 on, of the row with the smallest network around an address; 0: none has it. A
 * binary search for each length of prefix in the table. */
unsigned sek_sinkholes_address(const struct sek_sinkholes *s, const struct sek_addr *a);
/* The same of the most specific row that covers a name server's name. */
unsigned sek_sinkholes_server(const struct sek_sinkholes *s, const struct sek_name *server);
bool sek_sinkholes_have_servers(const struct sek_sinkholes *s);
/* What a row lists ("199.2.137.0/24", "nsdname:ns.example") and who runs it; "" for no row's
 * number. Borrowed. */
const char *sek_sinkholes_what(const struct sek_sinkholes *s, unsigned row);
const char *sek_sinkholes_operator(const struct sek_sinkholes *s, unsigned row);
unsigned sek_sinkholes_rows(const struct sek_sinkholes *s);
size_t sek_sinkholes_octets(const struct sek_sinkholes *s);
