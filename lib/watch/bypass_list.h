/* SPDX-License-Identifier: BSD-3-Clause */
/* Names by which an endpoint goes past the resolver, hides where it goes, or finds a host that
 * keeps moving, each of a kind: a table as policy/bypass.tsv, which is built in. Immutable once
 * made; any thread. */
#pragma once
#include "base/lookup.h"
#include "name/name.h"

enum sek_bypass_kind {
    SEK_BYPASS_NONE,
    SEK_BYPASS_DOH,   /* DNS over HTTPS, RFC 8484 */
    SEK_BYPASS_DOT,   /* DNS over TLS, RFC 7858 */
    SEK_BYPASS_RELAY, /* of a system's maker */
    SEK_BYPASS_VPN,
    SEK_BYPASS_TOR,
    SEK_BYPASS_PROXY,
    SEK_BYPASS_DYNAMIC, /* hosts that are named by whoever has an address today */
};
extern const struct sek_lookup sek_bypass_kind_names[]; /* "DoH" "DoT" "relay" … */

#define SEK_BYPASS_ROWS_MAX 100000
#define SEK_BYPASS_FILE_MAX (16ul << 20) /* octets */

/* What the build made of policy/bypass.tsv. */
struct sek_bypass_row {
    const char *name, *kind;
};
extern const struct sek_bypass_row sek_bypass_rows[]; /* ends with a NULL name */

struct sek_bypass_list;

/* path: a file; "" = what is built in. Errors name file and line. */
enum sek_err sek_bypass_list_open(const char *path, struct sek_bypass_list **out,
                                  struct sek_diag *diag);
void sek_bypass_list_close(struct sek_bypass_list *l);
/* The kind of the most specific row that covers the name, or NONE. *out_labels: to be removed from
 * it to reach that row's name. A hash a label; no allocation. */
enum sek_bypass_kind sek_bypass_list_find(const struct sek_bypass_list *l,
                                          const struct sek_name *name, unsigned *out_labels);
/* Is there a row below this name? */
bool sek_bypass_list_below(const struct sek_bypass_list *l, const uint8_t *wire, size_t len);
unsigned sek_bypass_list_rows(const struct sek_bypass_list *l);
size_t sek_bypass_list_octets(const struct sek_bypass_list *l);
