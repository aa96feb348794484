/* SPDX-License-Identifier: BSD-3-Clause */
/* Detector "short-lived": a domain that was first seen here a short while ago, was asked for by
 * few, with a low TTL, and is gone: as those are that are registered for one campaign, used for
 * hours, and thrown away or taken down. MITRE ATT&CK: Dynamic Resolution; not Acquire
 * Infrastructure: Domains (T1583.001), which is what the other side did before and elsewhere.
 *
 * Watched are registered domains first seen within shortlived.new that at most domains.rare
 * endpoints ask for, while they exist. One is over
 *   - by NXDOMAIN: for the domain itself, or for each name (of up to eight) that existed; if it
 *     lived for at most shortlived.life, was visited twice at least with a TTL of at most
 *     shortlived.ttl, and nothing of it exists within ten minutes after. A name that never existed
 *     here is none that is gone. Where the history alone knows that the domain existed (a restart
 *     came between), NXDOMAIN for the domain itself within shortlived.life is told, too, less sure.
 *   - by silence: people leave new sites for good all the time, so more must be true: visited
 *     shortlived.visits times over two hours or more, without a pause as long as a quarter of that,
 *     with a low TTL, and its addresses moved through five autonomous systems at least (without a
 *     database of networks: twelve address ranges); content networks have fewer; then
 * nothing for shortlived.silence. It blocks nothing. What ends by itself is concluded as soon as an
 * observation or sek_shortlived_elapse tells that the time has come.
 *
 * Left out are the names that may never be blocked (policy/never.h) and shortlived.exclude. Names
 * below a known domain, as content networks make them for one use, are not looked at: the
 * registered domain counts. A domain has 1.6 KiB; when there is no room the least visited makes
 * some. */
#pragma once
#include "watch/detector.h"

#define SEK_SHORTLIVED_TECHNIQUE "T1568"
#define SEK_SHORTLIVED_GRACE_S 600     /* after NXDOMAIN; negative answers live so long at most */
#define SEK_SHORTLIVED_BUSY_S 7200     /* a domain that falls silent was busy for so long */
#define SEK_SHORTLIVED_ASNS_MIN 5      /* … in so many systems */
#define SEK_SHORTLIVED_NETWORKS_MIN 12 /* … or, without a database, ranges */

enum sek_err sek_shortlived_new(const struct sek_conf *conf, struct sek_hash_key key, void **out,
                                struct sek_diag *diag);
void sek_shortlived_free(void *self);
bool sek_shortlived_see(void *self, const struct sek_observation *o, struct sek_sign *out);
bool sek_shortlived_elapse(void *self, int64_t now_ms, struct sek_sign *out);
size_t sek_shortlived_octets(const void *self);
unsigned sek_shortlived_kept(void *self, struct sek_kept out[SEK_DETECTOR_TABLES]);
