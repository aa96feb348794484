/* SPDX-License-Identifier: BSD-3-Clause */
/* What a rule is about, when not about one name that is asked for: an address in the answer or
 * where that address is, the endpoint, the servers of the zone, names by their text. Such a rule
 * stands where names stand, at an owner name in RPZ's form (draft-vixie-dnsop-dns-rpz §4):
 * "24.0.2.0.192.rpz-ip" is 192.0.2.0/24, a server's name has "rpz-nsdname" behind it. So lists,
 * life times, import and export know no difference. No such name exists in the DNS. In list
 * notation they are written "response-ip:192.0.2.0/24", "nsdname:ns.example", "asn:64496" (owner
 * name 64496.rpz-asn), "country:KP" (kp.rpz-country) and "regex:^ads[0-9]" or "/^ads[0-9]/"
 * (policy/pattern.h). Plain data. Any thread. */
#pragma once
#include "base/addr.h"
#include "policy/rule.h"

/* Stored in images: never renumber. */
enum sek_about {
    SEK_ABOUT_NAME = 0,        /* the question, or an alias on the way */
    SEK_ABOUT_RESPONSE_IP = 1, /* an address in the answer */
    SEK_ABOUT_CLIENT_IP = 2,   /* whoever asks */
    SEK_ABOUT_NSIP = 3,        /* an address of a server of the zone */
    SEK_ABOUT_SINKHOLED = 4,   /* as response-ip, of somebody else's sinkhole; RPZ has no such */
    SEK_ABOUT_NSDNAME = 5,     /* the name of a server of the zone */
    SEK_ABOUT_REGEX = 6,   /* names whose text an expression matches; RPZ has no such, as below */
    SEK_ABOUT_ASN = 7,     /* the network that announces an address in the answer */
    SEK_ABOUT_COUNTRY = 8, /* the country of one */
};
#define SEK_ABOUT_MAX SEK_ABOUT_COUNTRY
extern const struct sek_lookup sek_about_names[]; /* "response-ip" … as in list notation */

/* By its last label. One whose address makes no sense is about that all the same. */
enum sek_about sek_about_of(const struct sek_name *owner);
static inline bool sek_about_is_net(enum sek_about about)
{
    return about >= SEK_ABOUT_RESPONSE_IP && about <= SEK_ABOUT_SINKHOLED;
}
/* Is it one of RPZ's triggers? */
static inline bool sek_about_is_rpz(enum sek_about about)
{
    return about == SEK_ABOUT_NAME || about == SEK_ABOUT_NSDNAME ||
           (sek_about_is_net(about) && about != SEK_ABOUT_SINKHOLED);
}

/* The network of an owner name. INVALID when it is none: octets or groups in the wrong number, bits
 * behind the prefix. */
enum sek_err sek_about_to_net(const struct sek_name *owner, struct sek_net *out,
                              struct sek_diag *diag);
/* The one owner name that a network has. about: one with a network. */
void sek_about_from_net(enum sek_about about, const struct sek_net *net, struct sek_name *out);

/* The owner name for a server's name. False: it would be too long, so no rule can match. */
bool sek_about_from_server(const struct sek_name *server, struct sek_name *out);
/* Back; owner is about NSDNAME. "rpz-nsdname" alone is the root. */
void sek_about_to_server(const struct sek_name *owner, struct sek_name *out);

/* The owner name for the number of an autonomous system, for a country (two letters of any case;
 * ISO 3166-1 alpha-2). */
void sek_about_from_asn(uint32_t asn, struct sek_name *out);
void sek_about_from_country(const char country[2], struct sek_name *out);

/* "response-ip:192.0.2.0/24" and so on, an owner name, to owner name and scope. NOTFOUND (without a
 * diagnosis) for text that is about a name. */
enum sek_err sek_about_from_text(const char *text, size_t len, enum sek_scope *out_scope,
                                 struct sek_name *out, struct sek_diag *diag);
/* An owner name found in list notation, made the one that its network has: with the scope that such
 * rules have. INVALID as above. */
enum sek_err sek_about_settle(enum sek_scope *io_scope, struct sek_name *io_owner,
                              struct sek_diag *diag);
/* To list notation; 0 for an owner that is about a name, or makes no sense. out holds
 * SEK_NAME_TEXT_MAX + 2. Returns the length. */
size_t sek_about_to_text(enum sek_scope scope, const uint8_t *owner, char *out);

/* What a rule met, for people: an address or network, the name of a server; other owner names in
 * list notation, and names as they are. met: as text. out as above. Returns the length. */
size_t sek_about_met_to_text(const char *met, char *out);
